//! Every amount of credit, with the threshold and the limits. [COM-5] [COM-6] [COM-7]
//!
//! Chosen by the simulation in `harness/tests/committees/amounts.rs`; the relations that two
//! sentences rest on are held by the compiler below. Spec: committees, "Amounts".

/// Points that a rating has at most. [COM-1]
pub const RATING_MAX: u8 = 100;

/// Credit at the start, for each point of the rating.
pub const START_PER_POINT: i64 = 500;

/// The most credit that an institution can have; what would pass it is not earned.
pub const CREDIT_MAX: i64 = 100_000;

/// Below it a seat is lost at the next freeze.
pub const THRESHOLD: i64 = -60_000;

/// For a finalized block that carries its parent's certificate or is the first of its epoch.
pub const BLOCK: i64 = 100;

/// For a signature in a parent certificate.
pub const AUDIT: i64 = 1;

/// For a service that its client confirms.
pub const SERVICE: i64 = 10;

/// For a missed turn.
pub const MISS: i64 = -200;

/// For an epoch with fewer than a third of the audits.
pub const ABSENCE: i64 = -200;

/// For an offence that evidence proves.
pub const FRAUD: i64 = -200_000;

/// Missed turns that one institution is charged in one epoch, at most.
pub const MISSES_CHARGED_MAX: u32 = 2;

/// Services that one institution is credited in one epoch, at most.
pub const SERVICES_CREDITED_MAX: u32 = 10;

/// Certificates that the blocks of an epoch must have carried before absence is judged.
pub const CERTIFICATES_MIN: u32 = 10;

/// An auditor is absent when its audits, times this, are fewer than the certificates.
pub const PRESENCE_DIVISOR: u32 = 3;

/// Changes of one freeze, at most, and never more than faulty auditors are tolerated. [COM-7]
pub const CHANGES_MAX: usize = 6;

/// Auditors of any network, at least. [COM-2]
pub const AUDITORS_MIN: usize = 4;

/// Epochs that one day of 24 hours can touch.
pub const DAY_EPOCHS: i64 = 145;

/// Epochs that what a block reports may lie back, and that it is remembered for: the open one and
/// the one before it have two committees whose keys are at hand.
pub(super) const EPOCHS_BACK: u32 = 1;

//= harness/spec/committees.md#com-6-earning-and-losing
//# COM-6.5 (ours): A producer that misses every turn of one day and is otherwise honest MUST NOT
//# fall below the threshold by it.
const _: () = assert!(
    DAY_EPOCHS * MISSES_CHARGED_MAX as i64 * MISS >= THRESHOLD,
    "a day without a turn leaves even credit 0 at the threshold or above"
);
//= harness/spec/committees.md#com-6-earning-and-losing
//# COM-6.7 (ours): An auditor that is absent for one day and is otherwise honest MUST NOT fall
//# below the threshold by it.
const _: () = assert!(
    DAY_EPOCHS * ABSENCE >= THRESHOLD,
    "a day without an audit leaves even credit 0 at the threshold or above"
);
//= harness/spec/committees.md#com-6-earning-and-losing
//# COM-6.6 (ours): Proven fraud MUST cost enough to put any institution below the threshold at once.
const _: () = assert!(CREDIT_MAX + FRAUD < THRESHOLD, "no credit outweighs one fraud");
const _: () = assert!(
    START_PER_POINT * RATING_MAX as i64 <= CREDIT_MAX,
    "the best rating leaves something to earn"
);
const _: () = assert!(
    2 * SERVICES_CREDITED_MAX as i64 * SERVICE <= -MISS,
    "service does not make up for one missed turn an epoch"
);
