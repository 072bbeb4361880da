//! The finalized log of real nodes told anew by naive code, and planted changes of it that must be
//! found. [COM-4] [COM-5] [COM-9] [CON-5] [CON-8] [STO-12]
#![expect(clippy::unwrap_used, reason = "a failure here is a failure of the test")]

mod agrees;
mod claimed;
mod forge;
mod planted;
mod planted_epochs;
mod planted_events;
mod receipts;
mod story;
