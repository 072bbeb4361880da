//! What institutions sign to agree: what it proves and what it does not. [CON-2] [CON-7] [COM-3]
#![expect(clippy::unwrap_used, reason = "a failure here is a failure of the test")]

mod certificate;
mod closing;
mod drawn;
mod events;
mod faults;
mod journal;
mod messages;
mod on_chain;
mod places;
mod scene;
mod statements;
