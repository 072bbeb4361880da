//! Counts `benches::signatures`.

use std::hint::black_box;

use benches::fixture::owner;
use benches::signatures::{self, Signed, message};
use gungraun::{library_benchmark, library_benchmark_group};
use mdsm_core::crypto::sign::SigningKey;
use mdsm_core::types::Signature;

#[library_benchmark(setup = owner)]
#[bench::one(1)]
fn signatures_sign(key: SigningKey) -> Signature {
    black_box(signatures::sign(black_box(&key), black_box(&message(1))))
}

#[library_benchmark(setup = signatures::signed)]
#[bench::one(1)]
fn signatures_check(signed: Vec<Signed>) -> bool {
    black_box(signatures::check_each(black_box(&signed)))
}

// Many batches a workload: the verifier's hash map is seeded by addresses, which any change of the
// code moves, and with the order of its keys go the coefficients. One batch of 10 varies by 0.6 %.
#[library_benchmark(setup = signatures::batches)]
#[bench::of_10(16, 10)]
#[bench::of_64(4, 64)]
fn signatures_check_batches(batches: Vec<Vec<Signed>>) -> bool {
    batches.iter().all(|signed| black_box(signatures::check_batch(black_box(signed))))
}

library_benchmark_group!(
    name = group,
    benchmarks = [signatures_sign, signatures_check, signatures_check_batches]
);
