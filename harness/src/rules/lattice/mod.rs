//! The chapter on re-encryption in naive code: matrices as lists of rows, sums in 64 bits, one `% q`
//! at the end. [PRE-1] [PRE-2]
//!
//! Everything is read off the spec, section "Parameter sets" and "Algorithms and formats"; the notation
//! is its own. AES, SHA-256 and HMAC are those of RustCrypto, all else is here.
//!
//! | file | what |
//! |---|---|
//! | `shape` | the columns of the parameter table that are choices |
//! | `random` | Uniform, Stream, chi, flood |
//! | `words` | rows of words: products, packing |
//! | `scheme` | KeyGen, Encaps, Decaps |
//! | `transform` | Digits, Power, Offer, Accept, ReEnc |
//! | `printed` | the re-encryption key as the paper prints it, which does not decrypt |
//! | `law`, `noise`, `failure`, `security` | the columns of the table that follow from the others |

pub mod failure;
pub mod law;
pub mod noise;
pub mod printed;
pub mod random;
pub mod scheme;
pub mod security;
pub mod shape;
pub mod transform;
pub mod words;
