//! How a faulty node deviates, each way by name. A faulty node runs the honest code; its strategy changes
//! what it sends and hears, and signs what it likes with its own key, never with another's.
//!
//! Whether a strategy did anything is counted, so that a run in which nothing happened shows.

mod couriers;
mod deviant;
mod leaders;
mod liars;
mod name;
mod scoped;
mod voters;

pub use deviant::{Deviant, Me, Out, Strategy};
pub use name::{Name, NameError};
