//! Settings: what the members of a network share, and what one institution decides for itself. [COM-1] [CON-8]

mod error;
mod network;
mod node;
mod setting;

pub use error::SettingsError;
pub use network::{Member, NetworkFile};
pub use node::{BitcoinSettings, NodeFile, ObjectSettings, S3Settings};
pub use setting::Setting;
