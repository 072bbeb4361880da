//! Times `benches::seal`.

use benches::seal::{
    BYTES, RANGED_BYTES, open_as_stream, open_file, ranged, read_range, seal_as_stream, seal_file,
    sealed,
};
use criterion::{Criterion, Throughput};

pub(crate) fn group(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("seal");
    group.sample_size(20).throughput(Throughput::Bytes(BYTES.try_into().expect("1 MiB")));
    let (sealing, sealed) = sealed(BYTES);
    group.bench_function("seal 1 MiB", |bencher| bencher.iter(|| seal_file(&sealing)));
    group.bench_function("open 1 MiB", |bencher| bencher.iter(|| open_file(&sealing, &sealed)));
    group.bench_function("seal stream 1 MiB", |bencher| bencher.iter(|| seal_as_stream(&sealing)));
    group.bench_function("open stream 1 MiB", |bencher| {
        bencher.iter(|| open_as_stream(&sealing, &sealed));
    });
    let ranged = ranged(RANGED_BYTES);
    group.bench_function("range of 1 MiB", |bencher| bencher.iter(|| read_range(&ranged)));
    group.finish();
}
