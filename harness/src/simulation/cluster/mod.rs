//! Consensus nodes on a chain that is as small as it can be: a block says that it is good or bad, an
//! epoch lasts some seconds, and one producer and one auditor change seats at each freeze.
//!
//! Seam: `world::Host` is all that the world knows, so a host over the whole node takes the place of
//! [`Actor`] without a change to world, strategies' names, schedules or oracles.

mod actor;
mod chain;
mod host;
mod serve;
mod setup;
mod signatures;
mod wire;

pub use actor::Actor;
pub use chain::{BAD, Blocks, Chain, EMPTY, FirstBytes, Past};
pub use host::{ConsensusHost, Entry, HostTimer, Seen};
pub use setup::{GENESIS, STARTED_MS, Setup, Shape};
pub use signatures::Signatures;
pub use wire::{Block, Body, Wire};

/// What a cluster node does.
pub type Action<R> = super::world::Action<Actor<R>>;
