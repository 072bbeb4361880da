//! Times `benches::reencryption`.

use benches::reencryption::{
    BATCHES, SETS, accept, admit, check_approvals, cold, delivered, key_pair, offer, reencrypt,
    seal, sharing, unseal, warm,
};
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput};
use mdsm_core::reencryption::Backend;

pub(crate) fn group(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("reencryption");
    group.sample_size(20).throughput(Throughput::Elements(1));
    for set in SETS {
        let name = set.parameters().name;
        let one = sharing(set, 1);
        let received = delivered(&one);
        let id = |what: &str| BenchmarkId::new(what, name);
        group.bench_function(id("key pair"), |bencher| bencher.iter(|| key_pair(set)));
        group.bench_function(id("encapsulate"), |bencher| bencher.iter(|| seal(&one)));
        group.bench_function(id("offer"), |bencher| {
            bencher.iter(|| offer(&one.reader.0, &one.owner.1));
        });
        group.bench_function(id("accept an offer"), |bencher| {
            let fresh = || offer(&one.reader.0, &one.owner.1);
            bencher.iter_batched(fresh, |offer| accept(&one.owner.0, offer), BatchSize::LargeInput);
        });
        group.bench_function(id("check an approval"), |bencher| {
            bencher.iter(|| check_approvals(&one));
        });
        group.bench_function(id("decode and admit"), |bencher| bencher.iter(|| admit(&one)));
        group.bench_function(id("re-encrypt, cold"), |bencher| {
            let key = cold(&one);
            bencher.iter(|| reencrypt(&one, &key));
        });
        group.bench_function(id("open"), |bencher| bencher.iter(|| unseal(&one, &received)));
        for backend in Backend::available() {
            let key = warm(&one, backend);
            group.bench_function(id(&format!("re-encrypt, warm, {backend:?}")), |bencher| {
                bencher.iter(|| reencrypt(&one, &key));
            });
        }
    }
    for set in SETS {
        for batch in BATCHES {
            group.throughput(Throughput::Elements(batch.try_into().expect("a small batch")));
            let name = set.parameters().name;
            let sharing = sharing(set, batch);
            let key = warm(&sharing, Backend::detect());
            group.bench_function(
                BenchmarkId::new(format!("re-encrypt a batch, {name}"), batch),
                |b| {
                    b.iter(|| reencrypt(&sharing, &key));
                },
            );
        }
    }
    group.finish();
}
