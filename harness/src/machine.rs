//! What a report says of the machine and the program that made it.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::report::Machine;

/// Commit of the harness, marked when the tree had changes; empty when it is not known.
pub const COMMIT: &str = env!("MDSM_COMMIT");

/// This machine.
#[must_use]
pub fn machine() -> Machine {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    Machine {
        os: std::env::consts::OS.to_owned(),
        arch: std::env::consts::ARCH.to_owned(),
        cpu: cpu(),
        threads: u32::try_from(threads).unwrap_or(u32::MAX),
        compiler: env!("MDSM_COMPILER").to_owned(),
    }
}

/// Milliseconds since 1970 by the clock of this machine.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "a report says when it was made; nothing else asks")]
pub fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

fn cpu() -> String {
    let known = std::fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("model name"))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    });
    known.unwrap_or_else(|| "unknown".to_owned())
}
