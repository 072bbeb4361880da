//! One institution: consensus, chain, pool of records, events and ballots as one pure machine.
//! [CON-1] to [CON-8] [COM-9] [STO-12]
//!
//! ```text
//! client   -> request -> accept, announce -> submit -> stored -> acknowledged            pool      steps 1 to 4
//! leader   -> records of its turn -> Items -> block -> proposal, Items                   build     steps 5, 6
//! auditor  -> holds all Items, checks the block against its parent's state -> vote       bodies    step 7
//! all      -> finalization -> commit -> chain, index, pool; last of the epoch: freeze    decide    steps 8, 9
//! ```
//! [`Node::step`] takes an input at a time and appends effects; the driver carries them out in order.
//! [`Effect::Persist`] and [`Effect::Accept`] are barriers: what follows does not leave the node before
//! they are on the disk. Nothing here reads a clock, holds a key or opens a file.
//!
//! Invariants: the chain is what was committed, in order; a record that was acknowledged is in the pool
//! or on the chain; memory has a bound for everything that others send, see [`limits`].
//! Simplification: ids of booked records are kept in memory, 32 bytes each.

mod anchor;
mod answers;
mod ballot_box;
mod ballots;
mod blame;
mod bodies;
mod build;
mod catch_up;
mod decide;
mod events;
mod index;
mod interface;
pub mod limits;
mod machine;
mod message;
mod pool;
mod recover;
mod route;
mod wire;

pub use index::Booked;
pub use interface::{
    Commit, CommitError, Effect, Input, Refusal, ServiceState, Submission, Timer, Wanted,
};
pub use machine::{Node, NodeConfig, Start};
pub use message::{Decision, Event, Message};
pub use recover::{Journal, RecoverNodeError, Recovered};

#[cfg(test)]
mod tests;
