//! What a node makes of messages that mean no good: votes, proposals, floods. [CON-4] [CON-6] [CON-7]

mod clients;
mod clock;
mod flood;
mod proposals;
mod scene;
mod sending;
mod signing;
mod votes;
