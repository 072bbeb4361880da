//! Carrying out what a node asks for. So far: the log of consensus, and the
//! watcher of Bitcoin. [CON-7] [ANC-3]

pub mod bitcoin;
mod journal;

pub use journal::{Journal, JournalError, Kept};
