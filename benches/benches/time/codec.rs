//! Times `benches::codec`.

use benches::codec::{CONTENT_BYTES, decode, encode, encoded_envelope, envelope, receipt};
use criterion::{BenchmarkId, Criterion, Throughput};
use mdsm_core::ledger::{Envelope, Receipt};

pub(crate) fn group(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("codec");
    group.sample_size(20);
    for bytes in CONTENT_BYTES {
        group.throughput(Throughput::Bytes(u64::try_from(bytes).expect("usize fits in u64")));
        let (envelope, encoded) = (envelope(bytes), encoded_envelope(bytes));
        group.bench_with_input(
            BenchmarkId::new("encode envelope", bytes),
            &envelope,
            |b, value| {
                b.iter(|| encode(value));
            },
        );
        group.bench_with_input(BenchmarkId::new("decode envelope", bytes), &encoded, |b, bytes| {
            b.iter(|| decode::<Envelope>(bytes));
        });
    }
    group.throughput(Throughput::Elements(1));
    let receipt = receipt();
    let encoded = encode(&receipt);
    group.bench_function("encode receipt", |bencher| bencher.iter(|| encode(&receipt)));
    group.bench_function("decode receipt", |bencher| {
        bencher.iter(|| decode::<Receipt>(&encoded));
    });
    group.finish();
}
