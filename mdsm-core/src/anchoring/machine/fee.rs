//! What an anchor pays, and how that rises. [ANC-3]
//!
//! Rates are satoshi for 1,000 virtual bytes, as Bitcoin's nodes state them.

use std::fmt;

use crate::params::{ANCHOR_FEE_MAX, ANCHOR_FEE_MIN, ANCHOR_FEE_STEP};

/// Satoshi for 1,000 virtual bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FeeRate(u32);

impl FeeRate {
    /// The least that is relayed.
    pub const MIN: Self = Self(ANCHOR_FEE_MIN);
    /// The most that an anchor pays.
    pub const MAX: Self = Self(ANCHOR_FEE_MAX);

    /// Wraps the integer.
    #[must_use]
    pub const fn new(satoshi_per_kvb: u32) -> Self {
        Self(satoshi_per_kvb)
    }

    /// The integer.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }

    /// What a transaction of this size pays, rounded up.
    #[must_use]
    pub fn fee(self, virtual_bytes: u32) -> u64 {
        (u64::from(self.0) * u64::from(virtual_bytes)).div_ceil(1_000)
    }

    /// What the first transaction pays: the estimate, within bounds.
    pub(super) fn first(estimate: Self) -> Self {
        estimate.clamp(Self::MIN, Self::MAX)
    }

    /// What the next one pays: half as much again or the estimate, whichever is more, at most the
    /// limit. `None` when that would be less than a whole step more.
    //= harness/spec/anchoring.md#anc-3-getting-it-confirmed
    //# ANC-3.12 (ours): A submitter MUST choose fee rates and waiting times by the table Fee
    //# schedule.
    pub(super) fn raised(self, estimate: Self) -> Option<Self> {
        let step = self.0.saturating_add(ANCHOR_FEE_STEP);
        let half = self.0.saturating_add(self.0 / 2);
        let next = half.max(step).max(estimate.0).min(ANCHOR_FEE_MAX);
        (next >= step).then_some(Self(next))
    }
}

impl fmt::Display for FeeRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} sat/kvB", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anc_3_12_the_fee_rises_by_half_to_its_limit() {
        //= harness/spec/anchoring.md#anc-3-getting-it-confirmed
        //= type=test
        //# ANC-3.12 (ours): A submitter MUST choose fee rates and waiting times by the table Fee
        //# schedule.
        let quiet = FeeRate::new(0);
        let mut rate = FeeRate::first(quiet);
        let mut schedule = vec![rate.get()];
        while let Some(next) = rate.raised(quiet) {
            schedule.push(next.get());
            rate = next;
        }
        let drawn = [
            1_000, 3_000, 5_000, 7_500, 11_250, 16_875, 25_312, 37_968, 56_952, 85_428, 128_142,
            192_213, 200_000,
        ];
        assert_eq!(schedule, drawn);
        assert_eq!(FeeRate::first(FeeRate::new(9_000)).get(), 9_000);
        assert_eq!(FeeRate::first(FeeRate::new(u32::MAX)), FeeRate::MAX);
        let jump = FeeRate::new(5_000).raised(FeeRate::new(60_000));
        assert_eq!(jump, Some(FeeRate::new(60_000)), "the estimate, where it is higher");
        assert_eq!(FeeRate::new(198_000).raised(quiet), Some(FeeRate::MAX));
        assert_eq!(FeeRate::new(198_001).raised(quiet), None, "less than a step to the limit");
        assert_eq!(FeeRate::new(u32::MAX).raised(quiet), None);
    }

    #[test]
    fn a_fee_is_rounded_up() {
        assert_eq!(FeeRate::new(1_000).fee(153), 153);
        assert_eq!(FeeRate::new(1_001).fee(153), 154);
        assert_eq!(FeeRate::new(u32::MAX).fee(u32::MAX), 18_446_744_065_119_618);
    }
}
