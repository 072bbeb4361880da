//! Somebody else's program behind the adapter protocol: started, asked, watched, ended.
//!
//! Whatever the program does, a question ends: with a reply, or with one of the faults of
//! `PROTOCOL.md`, at the latest when its time is up or the run is stopped. Memory is bounded on both
//! sides: a line by the protocol, what is read ahead by one line, logs by their last lines, and the
//! adapter by a limit that is looked at while it is waited for.

mod fault;
mod lines;
mod memory;
mod process;

pub use fault::Fault;
pub use process::{Adapter, Launch, Limits};
