//! Times `benches::chain`.

use benches::chain::{RECORDS, check_and_apply, step};
use criterion::{BatchSize, Criterion, Throughput};

pub(crate) fn group(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("chain");
    group.sample_size(20).throughput(Throughput::Elements(RECORDS));
    let step = step();
    group.bench_function("check and apply a block of 100 records", |bencher| {
        bencher.iter_batched_ref(
            || step.chain.clone(),
            |chain| check_and_apply(chain, &step),
            BatchSize::SmallInput,
        );
    });
    group.finish();
}
