//! The node's own clock. [CON-8]

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::types::Timestamp;

/// The clock of the machine, which never goes back for whoever reads it here: an operator or a time server
/// may set it back, and a node must not live through a moment twice.
#[derive(Debug, Default)]
pub struct Clock {
    latest: AtomicI64,
}

impl Clock {
    /// A clock that was not read yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Milliseconds since 1970, or the highest reading so far when the machine's clock was set back.
    pub fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "this is where time comes from")]
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.read(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    fn read(&self, milliseconds: i64) -> Timestamp {
        let before = self.latest.fetch_max(milliseconds, Ordering::Relaxed);
        Timestamp::new(before.max(milliseconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_was_set_back_stands_still() {
        let clock = Clock::new();
        let read = [5, 9, 3, 9, 10].map(|milliseconds| clock.read(milliseconds).get());
        assert_eq!(read, [5, 9, 9, 9, 10]);
        assert!(clock.now().get() > 1_700_000_000_000, "it is the machine's clock");
    }
}
