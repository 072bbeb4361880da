//! What every fuzz target shares: the check of an input and the mutations that know the format.
//!
//! The oracles live in `harness`, where `cargo test` replays the corpus without nightly.

use harness::corpus::{Target, mutated};
use harness::oracle::insist;

pub use libfuzzer_sys;

/// Runs one input through the oracle of a target.
///
/// # Panics
/// When a claim is broken, which is what the fuzzer looks for; and for a name without a target.
pub fn check(name: &str, bytes: &[u8]) {
    insist(target(name).check(bytes));
}

/// Replaces the first `size` bytes of `data` by another input and gives its size.
///
/// # Panics
/// For a name without a target.
pub fn mutate(name: &str, data: &mut [u8], size: usize, size_max: usize, seed: u32) -> usize {
    match mutated(target(name), &data[..size], seed) {
        Some(bytes) if bytes.len() <= size_max => {
            data[..bytes.len()].copy_from_slice(&bytes);
            bytes.len()
        }
        _ => libfuzzer_sys::fuzzer_mutate(data, size, size_max),
    }
}

fn target(name: &str) -> Target {
    Target::of_name(name).expect("a test compares the targets with the list of oracles")
}

/// The body of a fuzz target.
#[macro_export]
macro_rules! target {
    ($name:literal) => {
        $crate::libfuzzer_sys::fuzz_target!(|bytes: &[u8]| $crate::check($name, bytes));
        $crate::libfuzzer_sys::fuzz_mutator!(
            |data: &mut [u8], size: usize, size_max: usize, seed: u32| {
                $crate::mutate($name, data, size, size_max, seed)
            }
        );
    };
}
