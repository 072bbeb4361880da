//! Layers L2 and L3: nodes of an implementation inside our simulator, which owns clock, links, disks and
//! randomness. Spec: `PROTOCOL.md`, "Networks".
//!
//! ```text
//! scenario -> plan of a seed -> world (simulation::world) of actors: nodes behind the port, clients
//!             port: one step a request, one reply; what goes over it is folded into the run's digest
//!             judge: looks at observations only -> breaches, by claim
//! mixed:      one node of the adapter among nodes of the reference, profile mdsm-1
//! claims   -> one case for each scenario and claim; each scenario runs once for all of them
//! ```
//!
//! Invariant: a run is a function of its scenario, its seed and the adapter. What befalls a message does not
//! depend on what it says, so an adapter that is not deterministic meets the same schedule.

mod claims;
mod clients;
mod foreign;
mod host;
mod judge;
mod mixed;
mod outcome;
mod port;
mod result;
mod run;
mod scenario;

pub use claims::Claim;
pub use mixed::{MixedClaim, Mixture};
pub use outcome::{Asked, Networks, Ran};
pub use scenario::Scenario;

use super::case::Case;

/// A case for each scenario and claim.
#[must_use]
pub fn cases() -> Vec<Case> {
    let mut cases = claims::cases();
    cases.extend(mixed::sequences());
    cases.extend(mixed::cases());
    cases
}
