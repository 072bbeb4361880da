//! What a living node takes from the machine it runs on: time, randomness, and its secret. [CON-8]

mod clock;
mod entropy;
mod keyring;

pub use clock::Clock;
pub use entropy::{EntropyError, draw};
pub use keyring::{Secret, SecretError};
