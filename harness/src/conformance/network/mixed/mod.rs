//! Profile `mdsm-1`: one node of the adapter among nodes of the reference, some of which may deviate. Real
//! signatures; messages are `MMSG`.
//!
//! What the other nodes do is judged by the oracles of our own simulator, for which the node under test may
//! be as faulty as any. The node itself is held against their chain, and against what they can prove.

mod actor;
mod claims;
mod judge;
mod run;
mod scenario;

pub use claims::MixedClaim;
pub(super) use claims::cases;
pub(super) use run::run;
pub use scenario::Mixture;
