//! The node's own view of Bitcoin: follows a Bitcoin node and tells the machine that anchors, pays for
//! anchors and submits them, and makes the Bitcoin part of receipts. [ANC-1] [ANC-2] [ANC-3]
//!
//! A task beside the driver of the node. It takes [`machine::Effect`](crate::anchoring::machine::Effect)s
//! and gives [`node::Input`](crate::node::Input)s, in an order that the machine can trust: blocks one
//! upon the other; a reorganisation as a whole, removed blocks from the tip down and then added ones; what
//! was in flight before a restart after the first look. The driver takes all inputs that wait before it
//! tells time. Invariants: nothing is told that was not held against hash, work and height ([`Lie`]); a chain
//! with less work than the one told is not followed; a transaction is in the file before Bitcoin sees it;
//! two transactions of one epoch spend one coin for as long as it can be spent.
//!
//! Bitcoin may be away, slow, behind or lying: then nothing is told, what the machine asked for waits, and
//! looks are repeated with growing pauses, up to a minute. Effects are taken meanwhile, so that no driver
//! waits for Bitcoin.
//!
//! Cost: a look is two requests; a new block one for its header and one for itself.

mod book;
mod check;
mod coins;
mod config;
mod follow;
mod inbox;
mod mempool;
mod proof;
mod submit;
#[cfg(test)]
mod tests;
mod told;
mod watch;
mod watcher;

pub use book::BookError;
pub use check::Lie;
pub use config::WatcherConfig;
pub use proof::{ProveError, headers, prove};
pub use watch::{State, Status, Trouble};
pub use watcher::Watcher;
