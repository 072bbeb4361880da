//! One place that names the primitives of concurrency: std's, or loom's under `--cfg mdsm_loom`.
//!
//! The flag is private on purpose: a bare `--cfg loom` would reach dependencies and take
//! `tokio::net` away.

#[cfg(not(mdsm_loom))]
pub(crate) use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

#[cfg(mdsm_loom)]
pub(crate) use loom::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

/// Lets another thread go on while this one waits for a slot that is being written.
pub(crate) fn wait() {
    #[cfg(not(mdsm_loom))]
    std::thread::yield_now();
    #[cfg(mdsm_loom)]
    loom::thread::yield_now();
}

/// A cell whose accesses loom checks.
#[derive(Debug)]
pub(crate) struct Cell<T>(
    #[cfg(not(mdsm_loom))] std::cell::UnsafeCell<T>,
    #[cfg(mdsm_loom)] loom::cell::UnsafeCell<T>,
);

impl<T> Cell<T> {
    /// Wraps the value.
    pub(crate) fn new(value: T) -> Self {
        #[cfg(not(mdsm_loom))]
        return Self(std::cell::UnsafeCell::new(value));
        #[cfg(mdsm_loom)]
        return Self(loom::cell::UnsafeCell::new(value));
    }

    /// Hands a pointer to the value to `access`; the caller owes the exclusion.
    pub(crate) fn with_mut<R>(&self, access: impl FnOnce(*mut T) -> R) -> R {
        #[cfg(not(mdsm_loom))]
        return access(self.0.get());
        #[cfg(mdsm_loom)]
        return self.0.with_mut(access);
    }
}
