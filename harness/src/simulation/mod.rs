//! A whole network in one thread: nodes, links, disks and clocks that follow from a seed. [EVA-1]
//!
//! | folder | what |
//! |---|---|
//! | `world` | time, links, disks and crashes; knows nothing of what the nodes do |
//! | `cluster` | consensus nodes on a small chain, with ideal or real signatures |
//! | `node` | whole institutions with users, Bitcoin and disks |
//! | `strategies` | how a faulty node deviates, each by name |
//! | `run`, `campaign` | one seed, and many of them |
//! | `schedule`, `shrink` | a run as readable text, and the shortest that still fails |
//! | `twins`, `scopes` | systematic searches for attacks |
//!
//! Invariant: equal seeds and settings give equal runs, delivery by delivery; a digest shows it.
//! Invariant: what happens to a message follows from the seed, its sender, its receiver, what it says
//! and when it is sent, never from the order of draws. So a schedule with fewer faults leaves the
//! others as they were, and shrinking converges.

pub mod broken;
pub mod campaign;
pub mod cluster;
pub mod judge;
pub mod node;
pub mod plan;
pub mod run;
pub mod schedule;
pub mod scopes;
pub mod shrink;
pub mod strategies;
pub mod twins;
pub mod world;
