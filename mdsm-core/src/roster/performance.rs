//! What an institution did, counted from finalized blocks. [COM-4]

/// Counters since the registration.
//= harness/spec/committees.md#com-4-performance-record
//# COM-4.1 (paper): The chain MUST yield for every institution the numbers of blocks signed, missed
//# and wrong, and of audits done and wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Performance {
    /// Finalized blocks that it signed as producer.
    pub blocks_signed: u64,
    /// Turns of its that finalized blocks skipped.
    pub blocks_missed: u64,
    /// Blocks that evidence proves wrong.
    pub blocks_wrong: u64,
    /// Its signatures in parent certificates.
    pub audits_done: u64,
    /// Notarize votes that evidence proves wrong.
    pub audits_wrong: u64,
    /// Other offences: it signed two things that exclude each other.
    pub cheats: u64,
    /// Services that clients confirmed.
    pub services: u64,
}

/// Adds to a counter, which stays at the end of its range: counters decide nothing.
pub(super) fn count(counter: &mut u64, events: u64) {
    *counter = counter.saturating_add(events);
}
