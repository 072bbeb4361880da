//! Times `benches::consensus`.

use benches::consensus::{Network, certificates, check};
use criterion::{BenchmarkId, Criterion, Throughput};

/// Views in one measurement, so that the start of a network does not count.
const VIEWS: u64 = 10;

pub(crate) fn group(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("consensus");
    group.sample_size(10).throughput(Throughput::Elements(1));
    for seats in [4, 20, 121] {
        let certified = certificates(1, seats);
        group.bench_with_input(
            BenchmarkId::new("certificate", seats),
            &certified,
            |b, certified| {
                b.iter(|| check(&certified[0]));
            },
        );
    }
    group.throughput(Throughput::Elements(VIEWS));
    for (producers, auditors) in [(4, 4), (4, 20), (101, 20)] {
        let mut network = Network::new(producers, auditors);
        network.views(VIEWS);
        group.bench_function(
            BenchmarkId::new("views, real signatures", format!("{producers}+{auditors}")),
            |b| {
                b.iter(|| network.views(VIEWS));
            },
        );
    }
    group.finish();
}
