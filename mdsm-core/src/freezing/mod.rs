//! Freezing: closing a turn while many threads append, and making Items of what it held. [STO-3]
//! [STO-12] [STO-13]
//!
//! Which records a window holds is a function of finalized blocks and never of threads; the only
//! concurrency is here, between those who append accepted records and the one who closes a turn.
//! `handoff` is that concurrency and nothing else; `closer` is pure.

mod closer;
mod handoff;

pub use closer::{Accepted, SealedItem, Turn, close_turn};
pub use handoff::{Busy, ClosedTurn, Handoff, Place, TURN_RECORDS_MAX};
