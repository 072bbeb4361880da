//! An institution as a process, and a network of them on one machine. [CLI-1]
//!
//! `runtime` and `web` do not know each other; what both together are stands here, for the program `mdsm` and
//! for tests that need real processes.

mod ask;
mod files;
mod interface;
mod light;
mod local;
mod process;
mod regtest;
pub mod sharing;
mod shelf;

pub use ask::{AskError, Asker, Told};
pub use files::Files;
pub use interface::Interface;
pub use light::{Answered, LightClient, LightError, Objection, Why};
pub use local::{LOOPBACK, Local, LocalError, Pace};
pub use process::{ProcessError, Served, bitcoin_of, input_end};
pub use regtest::{Regtest, RegtestError};
pub use shelf::{Shelf, ShelfError, View};

#[cfg(test)]
mod liars;
#[cfg(test)]
mod tests;
