//! Carrying out what a node asks for. So far: the log of consensus. [CON-7]

mod journal;

pub use journal::{Journal, JournalError, Kept};
