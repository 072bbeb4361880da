//! Classic delegated proof of stake, as the paper starts from. [COM-8]
//!
//! Stakeholders vote, the willing candidates with the most votes produce in turn, a node follows the
//! longest chain, and a block is irreversible for a node once more than two thirds of the producers
//! have built on it. `network` delays messages and finds delays under which two nodes hold
//! conflicting irreversible blocks, although every delegate follows the rules (the flaw that
//! EOSIO/eos#2718 and steemit/steem#2471 describe).
//!
//! Invariant: everything is a function of its arguments; equal delays give equal nodes.
//! Left out: signatures (a block names its producer truthfully), transactions, and elections on the
//! chain itself (the list of producers is the same for all nodes).

pub mod chain;
pub mod indicator;
pub mod network;
pub mod schedule;
pub mod votes;

pub use chain::{Block, BlockError, Node};
pub use indicator::{Indicator, Limits, Reason, Suggestion};
pub use network::{Conflict, Delays, Message, Network, conflict, search, shrink, story};
pub use schedule::Turns;
pub use votes::{Election, ElectionError, Stakeholder, VoteError};
