//! The finalized log told anew, from bytes alone. [COM-4] to [COM-7] [COM-9] [CON-4] [CON-5]
//! [CON-7] [CON-8] [STO-9] [STO-10] [STO-12] [STO-13] [ANC-1]
//!
//! Input: genesis, founders, decisions with the Items of their blocks, certificates of anchors.
//! Everything is decoded, held to the spec and computed here again: hashes, turns, signatures,
//! quorums, evidence, Items, records, acts, data blocks, windows, credit, seats, digests, anchors.
//! Output: what each block and each freeze brought about, up to the first violation.
//!
//! `log` is the input, `told` the output, `retell` the way; `place`, `items`, `events`, `evidence`
//! hold a block to its rules, `certificate` counts signers, `acts` books, `freeze` ends epochs,
//! `anchors` looks at what was signed behind them.

mod acts;
mod anchors;
mod certificate;
mod events;
mod evidence;
mod freeze;
mod items;
mod log;
mod place;
mod retell;
mod told;

pub use certificate::{faulty, quorum, signers};
pub use evidence::Roll;
pub use log::{Decided, Founder, Log, Signatures};
pub use retell::retell;
pub use told::{Block, Epoch, Told, Violation};
