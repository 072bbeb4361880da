//! Who produces, who audits, and how standing changes: ranking, registration, credit, committees and
//! turns, as a pure function of genesis and finalized blocks. [COM-1] to [COM-7] [COM-9] [CON-5]
//!
//! ```text
//! founders -> rank -> first committees                                    rating, institutions
//! block    -> check -> apply: credit, counters, registrations             facts, apply, registration
//! last block of an epoch -> freeze: expulsions, promotions, next turn     replacement, turn, committee
//! ```
//! Invariants: the sum of all [`CreditChange`]s of an institution, the first from its rating, is its
//! credit; committees change in [`Roster::freeze`] only; no institution has two seats; equal
//! histories give equal values and equal bytes.
//! Deviations from the paper: it gives signs where `amounts` gives numbers, and names no end to
//! credit, which has an upper end here so that one fraud suffices (spec: committees, "Amounts").
//!
//! Cost for 150 institutions: clone about 18 KiB; a block walks the signers, the skipped seats and
//! its events, each with one binary search.

pub mod amounts;

mod apply;
mod commitment;
mod committee;
mod credit;
mod facts;
#[cfg(feature = "node")]
mod founders;
mod institutions;
mod performance;
mod rating;
mod registration;
mod replacement;

mod seen;
mod state;
mod turn;

pub use commitment::RosterCommitment;
pub use committee::{Committees, Place, Seat};
pub use credit::{Cause, Credit, CreditChange};
pub use facts::{Facts, RosterError, ServiceFact};
#[cfg(feature = "node")]
pub use founders::{FoundersError, FoundersProblem, founders_from_csv, founders_from_toml};
pub use institutions::{FoundError, Institution, Roster};
pub use performance::Performance;
pub use rating::{Founder, ranked};
pub use registration::{RegistrationFact, RegistrationRefused};
pub use replacement::{Expulsion, ExpulsionCause, FreezeReport};
