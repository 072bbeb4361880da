//! Newtypes: every quantity and every 32-byte name has its own type, so that none is taken for another.
//!
//! Built by `new`, read by `get` or `as_bytes`; there is no silent conversion from a bare integer.

mod bounded;
mod digest;
mod quantity;

pub(crate) use bounded::check_count;
pub use bounded::{Blob, BoundError, List, Map, Set, Text};
pub use digest::{ChainId, Digest, HexError, KeyId, LinkPublic, OwnerId, RecordId, Signature};
pub use quantity::{Epoch, Height, InstitutionId, Timestamp, View};
