//! Bitcoin, from the inside: a regtest chain in the process. [ANC-1]

pub mod embedded;

pub use embedded::{EmbeddedChain, SubmitError};
