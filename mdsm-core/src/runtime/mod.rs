//! Runs the node of an institution: carries out what [`Node`](crate::node::Node) asks for. [CON-7]
//!
//! ```text
//! links -> peers (decode, signatures in parallel) -+
//! clients -> intake (signatures in batches) -------+-> orders -> driver -> disk -> links, clients, Bitcoin
//! Bitcoin -----------------------------------------+
//! ```
//! One thread steps the node and waits for its disk; everything else is asynchronous around it.

pub mod bitcoin;
mod books;
mod disk;
mod driver;
mod ending;
mod home;
mod inspect;
mod institution;
mod intake;
mod journal;
mod links;
mod metrics;
mod objects;
mod order;
mod outbox;
mod peers;
mod receipts;
mod serve;
pub mod settings;
mod signatures;
mod status;
mod timers;

pub use books::{Books, BooksError, Table};
pub use disk::{Disk, DiskError};
pub use driver::{Driver, LiveNode, Parts};
pub use ending::EndError;
pub use home::{Home, HomeError, Roused};
pub use inspect::{Inspection, inspect};
pub use institution::{
    BitcoinConfig, Institution, InstitutionConfig, InstitutionError, funding_key, link_secret,
};
pub use intake::{Intake, SubmitError};
pub use journal::{Journal, JournalError, Kept};
pub use links::Links;
pub use metrics::Metrics;
pub use objects::{missing_of, objects_of};
pub use order::{Answer, Order, Room};
pub use peers::Peers;
pub use signatures::Prechecked;
pub use status::Status;

#[cfg(test)]
mod tests;
