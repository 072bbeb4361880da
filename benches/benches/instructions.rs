//! Instructions of every workload, for the gate: the same count on every run.
//!
//! Counted by gungraun, the present name of iai-callgrind, under valgrind. valgrind hides SHA-NI and
//! AVX-512, so these are the counts of the portable paths; never build them for the native CPU.
//!
//! `cargo bench -p benches --bench instructions`

#[path = "instructions/merkle.rs"]
mod merkle;

use merkle::group as merkle_group;

gungraun::main!(library_benchmark_groups = merkle_group);
