//! Whole institutions in the simulated world: [`mdsm_core::node::Node`] unchanged, with users,
//! Bitcoin, disks and faults around it. [CON-1] to [CON-8] [COM-6] [ANC-3] [STO-2]
//!
//! | file | what |
//! |---|---|
//! | `setup`, `keys` | the network and its keys; what is outside of every node |
//! | `host`, `disk`, `actor` | the driver of one node, its disk and its crashes |
//! | `users`, `deal`, `board` | records, acts of access, receipts, a registration |
//! | `bitcoin` | blocks, reorganisations, and each node's view of them |
//! | `puppet`, `flaws` | faulty nodes: the strategies of consensus, bad blocks, withheld Items |
//! | `judge`, `books`, `run` | what must hold, and one run from a plan |
//! | `campaign` | many seeds, in shards |

mod actor;
mod archive;
mod bitcoin;
mod board;
mod books;
pub mod campaign;
mod deal;
mod disk;
mod flaws;
mod host;
mod judge;
mod keys;
mod puppet;
mod run;
mod setup;
mod users;
mod wire;

pub use actor::{Actor, NodeActor};
pub use books::{Books, Sometimes};
pub use disk::Saved;
pub use flaws::Deed;
pub use host::{Entry, HostTimer, NodeHost, Seen};
pub use judge::Judge;
pub use keys::Keys;
pub use puppet::Puppet;
pub use run::{NodePlan, Outcome, Run, run};
pub use setup::{Load, Scale, Setup};
pub use users::Users;
pub use wire::{Body, Wire};

/// What somebody in the world does.
pub type Action<R> = super::world::Action<Actor<R>>;
