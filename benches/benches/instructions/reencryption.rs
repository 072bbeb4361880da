//! Counts `benches::reencryption` on the backends that valgrind shows: plain code and AVX2.

use std::hint::black_box;

use benches::reencryption::{self, Sharing};
use gungraun::{library_benchmark, library_benchmark_group};
use mdsm_core::reencryption::{Backend, Capsule, PublicKey, ReKey, SecretKey, Set};

fn one(set: Set) -> Sharing {
    reencryption::sharing(set, 1)
}

fn batch(set: Set) -> Sharing {
    reencryption::sharing(set, 12)
}

fn received(set: Set) -> (Sharing, (Capsule, Capsule)) {
    let sharing = one(set);
    let received = reencryption::delivered(&sharing);
    (sharing, received)
}

// The matrix A is expanded before anything is counted.
fn expanded(set: Set) -> Set {
    let _ = one(set);
    set
}

#[library_benchmark(setup = expanded)]
#[bench::s704(Set::S704)]
fn reencryption_key_pair(set: Set) -> (SecretKey, PublicKey) {
    black_box(reencryption::key_pair(black_box(set)))
}

#[library_benchmark(setup = one)]
#[bench::s704(Set::S704)]
fn reencryption_encapsulate(sharing: Sharing) -> Capsule {
    black_box(reencryption::seal(black_box(&sharing)))
}

#[library_benchmark(setup = one)]
#[bench::s704(Set::S704)]
fn reencryption_rekey(sharing: Sharing) -> ReKey {
    let offer = reencryption::offer(&sharing.reader.0, &sharing.owner.1);
    black_box(reencryption::accept(&sharing.owner.0, black_box(offer)))
}

// Warming the key is part of the count; twelve capsules are most of it.
#[library_benchmark(setup = batch)]
#[bench::s704(Set::S704)]
fn reencryption_batch_portable(sharing: Sharing) -> Vec<Vec<u8>> {
    let key = reencryption::warm(&sharing, Backend::Portable);
    black_box(reencryption::reencrypt(black_box(&sharing), &key))
}

#[library_benchmark(setup = batch)]
#[bench::s704(Set::S704)]
fn reencryption_batch(sharing: Sharing) -> Vec<Vec<u8>> {
    let key = reencryption::warm(&sharing, Backend::detect());
    black_box(reencryption::reencrypt(black_box(&sharing), &key))
}

#[library_benchmark(setup = batch)]
#[bench::w1152_b3(Set::W1152B3)]
fn reencryption_batch_24(sharing: Sharing) -> Vec<Vec<u8>> {
    let key = reencryption::warm(&sharing, Backend::detect());
    black_box(reencryption::reencrypt(black_box(&sharing), &key))
}

#[library_benchmark(setup = one)]
#[bench::s704(Set::S704)]
fn reencryption_cold(sharing: Sharing) -> Vec<Vec<u8>> {
    black_box(reencryption::reencrypt(black_box(&sharing), &reencryption::cold(&sharing)))
}

#[library_benchmark(setup = received)]
#[bench::s704(Set::S704)]
fn reencryption_open((sharing, received): (Sharing, (Capsule, Capsule))) -> bool {
    black_box(reencryption::unseal(black_box(&sharing), black_box(&received)))
}

library_benchmark_group!(
    name = group,
    benchmarks = [
        reencryption_key_pair,
        reencryption_encapsulate,
        reencryption_rekey,
        reencryption_batch_portable,
        reencryption_batch,
        reencryption_batch_24,
        reencryption_cold,
        reencryption_open
    ]
);
