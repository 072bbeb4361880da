//! Counts `benches::seal`.

use std::hint::black_box;

use benches::seal::{self, Ranged, Sealing};
use gungraun::{library_benchmark, library_benchmark_group};
use mdsm_core::crypto::seal::{Checked, Sealed};

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

#[library_benchmark(setup = seal::sealing)]
#[bench::mib_1(seal::BYTES)]
fn seal_stream(sealing: Sealing) -> Option<Sealed> {
    black_box(seal::seal_as_stream(black_box(&sealing)).ok())
}

#[library_benchmark(setup = seal::sealed)]
#[bench::mib_1(seal::BYTES)]
fn open_stream((sealing, sealed): (Sealing, Vec<u8>)) -> Option<Checked> {
    black_box(seal::open_as_stream(black_box(&sealing), black_box(&sealed)).ok())
}

#[library_benchmark(setup = seal::ranged)]
#[bench::mib_1_of_16(seal::RANGED_BYTES)]
fn read_range(ranged: Ranged) -> Option<Vec<u8>> {
    black_box(seal::read_range(black_box(&ranged)).ok())
}

library_benchmark_group!(
    name = group,
    benchmarks = [seal_file, open_file, seal_stream, open_stream, read_range]
);
