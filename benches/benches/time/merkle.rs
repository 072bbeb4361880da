//! Times `benches::merkle`.

use benches::merkle::{SIZES, claim, leaves, prove, root, tree, verify};
use criterion::{BenchmarkId, Criterion, Throughput};

pub(crate) fn group(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("merkle");
    // A large root takes 70 ms.
    group.sample_size(20);
    for size in SIZES {
        group.throughput(Throughput::Elements(size));
        let leaves = leaves(size);
        group.bench_with_input(BenchmarkId::new("root", size), &leaves, |bencher, leaves| {
            bencher.iter(|| root(leaves));
        });
    }
    group.throughput(Throughput::Elements(1));
    for size in SIZES {
        let (tree, claim) = (tree(size), claim(size).expect("no size is 0"));
        group.bench_with_input(BenchmarkId::new("prove", size), &tree, |bencher, tree| {
            bencher.iter(|| prove(tree));
        });
        group.bench_with_input(BenchmarkId::new("verify", size), &claim, |bencher, claim| {
            bencher.iter(|| verify(claim));
        });
    }
    group.finish();
}
