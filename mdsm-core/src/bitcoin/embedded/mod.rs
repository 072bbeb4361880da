//! A Bitcoin regtest chain in the process: real transactions, signatures, proof of work and headers,
//! without a network. [ANC-1] [ANC-3]
//!
//! It checks what a node would check of the transactions it takes (inputs exist, are mature and
//! unspent, values add up, signatures hold, fees suffice, also for what is replaced), so that an anchor it
//! accepts is one that a node would. Blocks can be removed, as in a reorganisation, and others mined in
//! their place. Simulated: only pay-to-witness-public-key-hash coins that are in a block are spent, and
//! the chain is the one that was mined last; time is an argument.

mod block;
mod chain;
mod mempool;
#[cfg(feature = "network")]
mod serve;

pub use chain::EmbeddedChain;
pub use mempool::SubmitError;
#[cfg(feature = "network")]
pub use serve::{EmbeddedNode, Refused, ServedChain};
