//! Merkle trees, ours and others', in one criterion run with the SHA unit's limit.
//!
//! `cargo bench` here; `cargo run --release` prints the shorter table of fastest turns.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use peers::limit;
use peers::proofs::{CLAIMS, places, provers};
use peers::roots::{Leaves, PEERS};

/// Roots at three sizes; criterion's throughput is leaves per second.
fn roots(criterion: &mut Criterion) {
    for log2 in [10, 16, 20] {
        let mut group = criterion.benchmark_group(format!("root of 2^{log2}"));
        // ct-merkle takes more than a second for 2^20.
        group.sample_size(10);
        group.throughput(Throughput::Elements(1 << log2));
        let leaves = Leaves::new(1 << log2);
        for peer in &PEERS {
            group.bench_with_input(peer.name, &leaves, |bencher, leaves| {
                bencher.iter(|| (peer.root)(leaves));
            });
        }
        group.finish();
    }
}

/// Compressions alone; three of them are a leaf.
fn compressions(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("compression");
    group.throughput(Throughput::Elements(limit::BLOCKS as u64));
    let blocks = limit::blocks();
    for (lanes, way) in (1..).zip(limit::ways()) {
        group.bench_with_input(BenchmarkId::new("lanes", lanes), &blocks, |bencher, blocks| {
            bencher.iter(|| way(blocks));
        });
    }
    group.finish();
}

/// Proofs of random leaves in a tree of 2^20.
fn proofs(criterion: &mut Criterion) {
    let places = places(1 << 20);
    let provers = provers(1 << 20);
    let mut group = criterion.benchmark_group("proof in 2^20");
    for prover in &provers {
        let (mut leaves, mut claims) = (places.iter().cycle(), (0..CLAIMS).cycle());
        group.bench_function(BenchmarkId::new("make", prover.name), |bencher| {
            bencher.iter(|| leaves.next().map(|at| (prover.prove)(*at)));
        });
        group.bench_function(BenchmarkId::new("verify", prover.name), |bencher| {
            bencher.iter(|| claims.next().map(|claim| (prover.verify)(claim)));
        });
    }
    group.finish();
}

criterion_group!(merkle, roots, compressions, proofs);
criterion_main!(merkle);
