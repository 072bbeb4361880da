//! What a living node takes from the machine it runs on: time, randomness, its secret, and files. [CON-8]

mod clock;
mod entropy;
mod files;
mod keyring;

pub use clock::Clock;
pub use entropy::{EntropyError, draw};
pub use files::replace;
pub use keyring::{Secret, SecretError};
