//! Layers L2 and L3: nodes of an implementation inside our simulator, which owns clock, links, disks and
//! randomness. Spec: `PROTOCOL.md`, "Networks".
//!
//! ```text
//! scenario -> plan of a seed -> world (simulation::world) of actors: nodes behind the port, clients
//!             port: one step a request, one reply; what goes over it is folded into the run's digest
//!             judge: looks at observations only -> breaches, by claim
//! mixed:      one node of the adapter among nodes of the reference, profile mdsm-1
//! sequences:  one node and stored moves (vectors::sequence), the harness in the place of everybody else
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
mod sequences;

pub use claims::Claim;
pub use mixed::{MixedClaim, Mixture};
pub use outcome::{Asked, Networks, Ran};
pub use scenario::Scenario;
pub use sequences::follow;

use super::case::Case;

/// A case for each scenario and claim.
#[must_use]
pub fn cases() -> Vec<Case> {
    let mut cases = claims::cases();
    cases.extend(sequences::cases());
    cases.extend(mixed::cases());
    cases
}
