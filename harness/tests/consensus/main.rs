//! What a node makes of messages that mean no good: votes, proposals, floods. [CON-4] [CON-6] [CON-7]

mod flood;
mod proposals;
mod scene;
mod votes;
