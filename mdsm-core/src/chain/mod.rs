//! Applying finalized blocks: what is valid on the chain, when data blocks are cut, when a window
//! freezes. Pure and deterministic: equal blocks give equal states. [STO-12] [STO-13] [COM-9]
//!
//! `check` says whether a block may follow the head; an auditor asks it before it votes. `apply`
//! takes what was checked and moves the head. `events` is what a block carries beside records.

mod apply;
mod check;
mod events;

pub use apply::{Applied, Chain, Frozen, Genesis, StartError, Totals};
pub use check::{BlockError, Checked, RecordIndex};
pub use events::EventError;
