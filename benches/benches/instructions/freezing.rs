//! Counts `benches::freezing`, on one thread.

use std::hint::black_box;

use benches::freezing;
use gungraun::{library_benchmark, library_benchmark_group};
use mdsm_core::freezing::Handoff;
use mdsm_core::types::Digest;

#[library_benchmark(setup = freezing::handoff)]
#[bench::records_10k(10_000)]
fn handoff_append((handoff, records): (Handoff<Digest>, Vec<Digest>)) -> usize {
    black_box(freezing::append_all(black_box(&handoff), black_box(&records)))
}

#[library_benchmark(setup = freezing::full_handoff)]
#[bench::records_10k(10_000)]
fn handoff_close(handoff: Handoff<Digest>) -> Vec<Digest> {
    black_box(freezing::close(black_box(&handoff)))
}

library_benchmark_group!(name = group, benchmarks = [handoff_append, handoff_close]);
