//! model
pub mod bits;
mod certified;
mod config;
mod machines;
mod nodes;
mod search;
mod suffix;
mod universe;
pub use certified::Seen;
pub use config::*;
pub use machines::*;
pub use nodes::*;
pub use search::*;
