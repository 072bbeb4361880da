//! Integers with a meaning.

use std::fmt;

macro_rules! quantity {
    ($(#[$doc:meta])* $name:ident, $integer:ty) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name($integer);

        impl $name {
            /// Wraps the integer.
            #[must_use]
            pub const fn new(value: $integer) -> Self {
                Self(value)
            }

            /// The integer.
            #[must_use]
            pub const fn get(self) -> $integer {
                self.0
            }

            /// The next value, or `None` at the end of the range.
            #[must_use]
            pub const fn next(self) -> Option<Self> {
                match self.0.checked_add(1) {
                    Some(value) => Some(Self(value)),
                    None => None,
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

quantity!(
    /// The unique 32-bit id that a registered institution gets. [COM-3]
    InstitutionId,
    u32
);
quantity!(
    /// Blocks between the genesis and this block, on the finalized chain.
    Height,
    u64
);
quantity!(
    /// Number of a window of ten minutes and of the committees that serve in it; the first is 0.
    Epoch,
    u32
);
quantity!(
    /// Number of an attempt to produce a block within an epoch; the first is 1.
    View,
    u64
);
quantity!(
    /// Milliseconds since 1970-01-01T00:00:00Z, by the clock of the protocol.
    Timestamp,
    i64
);

impl Timestamp {
    /// The first multiple of `period_ms` that lies strictly above this time.
    ///
    /// `None` when it lies beyond the range of the type, or when `period_ms` is 0.
    #[must_use]
    pub fn next_multiple(self, period_ms: u32) -> Option<Self> {
        let period_ms = i64::from(period_ms);
        let periods = self.0.checked_div_euclid(period_ms)?;
        Some(Self(periods.checked_add(1)?.checked_mul(period_ms)?))
    }

    /// Number of whole periods of `period_ms` since 1970, rounded down.
    ///
    /// # Panics
    /// When `period_ms` is 0; a genesis with such a period is refused before it gets here.
    #[must_use]
    pub fn period(self, period_ms: u32) -> i64 {
        self.0.div_euclid(i64::from(period_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_multiple_lies_strictly_above() {
        let next = |ms: i64| Timestamp::new(ms).next_multiple(600_000).map(Timestamp::get);
        assert_eq!(next(0), Some(600_000));
        assert_eq!(next(599_999), Some(600_000));
        assert_eq!(next(600_000), Some(1_200_000));
        assert_eq!(next(-1), Some(0));
        assert_eq!(next(i64::MAX), None);
        assert_eq!(Timestamp::new(1).next_multiple(0), None);
    }
}
