//! How a certified anchor gets into Bitcoin and stays there: a pure machine. [ANC-1] [ANC-3]
//!
//! `step(now, input, &mut effects)`; coins, keys, clock and Bitcoin are the driver's. Invariants: one
//! root for an epoch, whatever arrives; nothing is submitted before the anchor certificate; of one
//! submitter and epoch at most one transaction can be mined; final is never below 6 confirmations;
//! memory is bounded by `params`, whatever Bitcoin shows. Nothing waits for the machine: an anchor that
//! is late is one more open epoch, and consensus does not read it.

mod case;
mod duty;
mod fee;
mod message;
mod submitter;
#[cfg(test)]
mod tests;

pub use case::Stage;
pub use duty::Duty;
pub use fee::FeeRate;
pub use message::{
    Alarm, Bitcoin, BlockRef, Effect, Input, Means, Place, Refusal, Request, Sighting, StepError,
};
pub use submitter::Submitter;
