//! When to stop: SIGTERM, SIGINT, or the deadline. The run then writes what it has.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGINT, SIGTERM};

/// Asked between any two steps that take time.
#[derive(Clone, Debug)]
pub struct Stop {
    signalled: Arc<AtomicBool>,
    deadline: Option<(Instant, Duration)>,
}

impl Stop {
    /// Stops at the deadline, if there is one, and at no signal.
    #[must_use]
    pub fn after(deadline: Option<Duration>) -> Self {
        let deadline = deadline.map(|limit| (Instant::now(), limit));
        Self { signalled: Arc::default(), deadline }
    }

    /// Stops at SIGTERM and SIGINT too; a second one kills as usual.
    ///
    /// # Errors
    /// When the signals cannot be caught.
    pub fn listen(self) -> io::Result<Self> {
        for signal in [SIGTERM, SIGINT] {
            signal_hook::flag::register_conditional_shutdown(signal, 4, self.signalled.clone())?;
            signal_hook::flag::register(signal, self.signalled.clone())?;
        }
        Ok(self)
    }

    /// Why to stop now, or `None` to go on.
    #[must_use]
    pub fn reason(&self) -> Option<String> {
        if self.signalled.load(Ordering::Relaxed) {
            return Some("stopped by a signal".to_owned());
        }
        let (started, limit) = self.deadline?;
        (started.elapsed() >= limit)
            .then(|| format!("the deadline of {} s has passed", limit.as_secs()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_that_has_passed_is_a_reason() {
        assert_eq!(Stop::after(None).reason(), None);
        assert_eq!(Stop::after(Some(Duration::from_secs(3_600))).reason(), None);
        assert!(Stop::after(Some(Duration::ZERO)).reason().is_some());
    }

    #[test]
    fn a_signal_is_a_reason() {
        let stop = Stop::after(None).listen().unwrap();
        assert_eq!(stop.reason(), None);
        signal_hook::low_level::raise(SIGTERM).unwrap();
        assert!(stop.reason().is_some());
    }
}
