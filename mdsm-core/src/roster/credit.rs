//! Credit: a checked integer with an upper end, and the itemised list of what changed it. [COM-5]
//! [COM-6]

use std::fmt;

use super::amounts::{CREDIT_MAX, RATING_MAX, START_PER_POINT};
use crate::ledger::OffenceKind;
use crate::types::InstitutionId;

/// Standing of an institution. It may be negative; it belongs to the institution for good.
//= harness/spec/committees.md#com-5-credit
//# COM-5.3 (paper): Credit MUST NOT be transferable or refundable.
// No operation moves credit: it is only changed, by amounts of the table, for what its owner did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Credit(i64);

impl Credit {
    /// The credit that a rating starts with.
    #[must_use]
    pub(super) fn start(rating: u8) -> Self {
        //= harness/spec/committees.md#com-5-credit
        //# COM-5.1 (paper): Credit MUST start from the rating of the institution.
        Self(i64::from(rating.min(RATING_MAX)) * START_PER_POINT)
    }

    /// The integer.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// Credit after an amount, not above the upper end, and what really changed. `None` when it would
    /// leave the range of the integer.
    //= harness/spec/committees.md#com-5-credit
    //# COM-5.2 (paper): Credit MUST be able to fall below zero.
    pub(super) fn plus(self, amount: i64) -> Option<(Self, i64)> {
        //= harness/spec/committees.md#com-5-credit
        //# COM-5.4 (ours): Credit MUST be computed in integers, with overflow refused rather than
        //# wrapped.
        let sum = self.0.checked_add(amount)?.min(CREDIT_MAX);
        Some((Self(sum), sum.checked_sub(self.0)?))
    }

    #[cfg(test)]
    pub(super) const fn of(value: i64) -> Self {
        Self(value)
    }
}

impl fmt::Display for Credit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Why credit changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// The institution registered; the amount follows from its rating.
    Registered,
    /// Its block became final.
    Booked,
    /// Its turn was skipped.
    Missed,
    /// Its signature stood in a parent certificate.
    Audited,
    /// Evidence proved an offence.
    Offended(OffenceKind),
    /// A client confirmed a service.
    Served,
    /// It audited less than a third of an epoch.
    Absent,
}

/// One item of a change. Amounts of 0 are not listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CreditChange {
    /// Whose credit.
    pub institution: InstitutionId,
    /// Why.
    pub cause: Cause,
    /// By how much.
    pub amount: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn com_5_4_a_sum_out_of_range_is_refused() {
        //= harness/spec/committees.md#com-5-credit
        //= type=test
        //# COM-5.4 (ours): Credit MUST be computed in integers, with overflow refused rather than
        //# wrapped.
        assert_eq!(Credit(i64::MIN).plus(-1), None);
        assert_eq!(Credit(i64::MIN + 1).plus(-1), Some((Credit(i64::MIN), -1)));
    }

    #[test]
    fn what_passes_the_upper_end_is_not_earned() {
        assert_eq!(Credit(CREDIT_MAX - 3).plus(10), Some((Credit(CREDIT_MAX), 3)));
        assert_eq!(Credit(CREDIT_MAX).plus(10), Some((Credit(CREDIT_MAX), 0)));
        assert_eq!(Credit(0).plus(i64::MIN), Some((Credit(i64::MIN), i64::MIN)));
    }
}
