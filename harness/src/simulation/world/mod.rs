//! Time, links, disks and crashes around nodes of any kind.

mod disk;
mod hash;
mod host;
mod network;
mod queue;
mod run;
mod slab;

pub use disk::Disk;
pub use hash::{Trace, fold, mix};
pub use host::{Action, Crash, Host, Message, Node, Observer, To};
pub use network::{Fate, Fault, Links, Network};
pub use run::{Control, World};
