//! Counts `benches::seal`.

use std::hint::black_box;

use benches::seal::{self, Sealing};
use gungraun::{library_benchmark, library_benchmark_group};

#[library_benchmark(setup = seal::sealing)]
#[bench::mib_1(seal::BYTES)]
fn seal_file(sealing: Sealing) -> Option<Vec<u8>> {
    black_box(seal::seal_file(black_box(&sealing)).ok())
}

#[library_benchmark(setup = seal::sealed)]
#[bench::mib_1(seal::BYTES)]
fn open_file((sealing, sealed): (Sealing, Vec<u8>)) -> Option<Vec<u8>> {
    black_box(seal::open_file(black_box(&sealing), black_box(&sealed)).ok())
}

library_benchmark_group!(name = group, benchmarks = [seal_file, open_file]);
