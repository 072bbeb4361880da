//! From an anchor root into Bitcoin and back: the transaction that carries it, the check of a
//! receipt against block headers, and the OpenTimestamps file. Pure. [ANC-1] [ANC-2] [ANC-3]

mod headers;
pub mod machine;
mod ots;
mod proof;
mod sighting;
mod transaction;

pub use headers::{ChainParameters, HeaderChain, HeaderError, HeaderFault, WorkError};
pub use ots::{OtsError, opentimestamps};
pub use proof::{Claim, ConfirmError, Existed, ProofError, anchor_output, examine, examine_digest};
pub use sighting::sighting;
pub use transaction::{Funding, FundingError, anchor_transaction, funding_script};
