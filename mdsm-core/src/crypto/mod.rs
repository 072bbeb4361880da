//! Hashing, signatures and sealing. Randomness and keys arrive as arguments. [STO-1] [STO-6] [DDB-1]

pub mod hash;
pub mod multi;
mod portable;
pub mod seal;
pub mod sign;

pub use hash::{Hasher, Identified, sha256, sha256_parts};
