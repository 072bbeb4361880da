//! Who may read what: request, grant, bid, choice, delivery, revocation, and the dispute over a wrong
//! delivery. [PRE-3] [PRE-4] [PRE-5] [PRE-7] [PRE-8]
//!
//! ```text
//! reader: Request -> owner: Grant -> institutions: Bid.. -> owner: Choice -> proxy: Delivery
//!                      owner: Revocation, at any time       reader: Dispute -> owner: Confirmation
//! ```
//! An [`Act`] is the content of an ordinary record, signed by its owner's key as every record is.
//! [`Access`] is a pure machine over the acts of finalized blocks: it knows no cryptography. Signatures
//! were checked when the records were booked; keys, capsules and deliveries are digests here.
//!
//! Invariants: an act that comes out of order changes nothing; every entry is charged to the key that
//! signed for it, and no key has more than its share; what is over is forgotten at a height that
//! follows from the acts, so that equal chains give equal machines.
//!
//! Cost of an act: a few look-ups in ordered maps, at most one for each of 64 files.

mod act;
mod apply;
mod ask;
mod error;
mod event;
mod keys;
mod notes;
mod record;
mod state;

pub use act::{
    Act, ActKind, Bid, Choice, Confirmation, Delivery, Dispute, Files, Finding, Grant, Records,
    Request, Revocation,
};
pub use ask::{Delivered, Permit, Reading, Refusal};
pub use error::AccessError;
pub use event::{AccessEvent, Lapse};
pub use keys::{KEYS_MEDIA_TYPE, KeyRecord};
pub use notes::{approvals_of, capsule_of, note_approvals, note_capsule};
pub use record::{ACCESS_MEDIA_TYPE, ActError};
pub use state::{Access, Registry};
