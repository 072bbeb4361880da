//! Times `benches::signatures`.

use benches::fixture::owner;
use benches::signatures::{BATCHES, check_batch, check_each, message, sign, signed};
use criterion::{BenchmarkId, Criterion, Throughput};

pub(crate) fn group(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("signatures");
    group.sample_size(20).throughput(Throughput::Elements(1));
    let (key, text, one) = (owner(1), message(1), signed(1));
    group.bench_function("sign", |bencher| bencher.iter(|| sign(&key, &text)));
    group.bench_function("check", |bencher| bencher.iter(|| check_each(&one)));
    for count in BATCHES {
        group.throughput(Throughput::Elements(count));
        let signed = signed(count);
        group.bench_with_input(BenchmarkId::new("check batch", count), &signed, |b, signed| {
            b.iter(|| check_batch(signed));
        });
    }
    group.finish();
}
