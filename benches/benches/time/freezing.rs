//! Times `benches::freezing`: the plain cost of an append. Stalls: the program `stall`.

use std::time::Duration;

use benches::freezing::{
    Popped, Swapped, TURN_RECORDS, Turn, append_together, close, full_handoff,
};
use criterion::measurement::WallTime;
use criterion::{BatchSize, BenchmarkGroup, BenchmarkId, Criterion, Throughput};
use mdsm_core::freezing::Handoff;
use mdsm_core::types::Digest;

pub(crate) fn group(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("freezing");
    let records = u64::try_from(TURN_RECORDS).expect("usize fits in u64");
    group.sample_size(20).throughput(Throughput::Elements(records));
    for threads in [1, 2, 4] {
        append(&mut group, "handoff", threads, &Handoff::default());
        append(&mut group, "Mutex<Vec>", threads, &Swapped::default());
        append(&mut group, "SegQueue", threads, &Popped::default());
    }
    group.bench_function("close handoff", |bencher| {
        let full = || full_handoff(TURN_RECORDS);
        bencher.iter_batched_ref(full, |handoff| close(handoff), BatchSize::LargeInput);
    });
    group.finish();
}

fn append(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    threads: usize,
    turn: &impl Turn<Digest>,
) {
    let id = BenchmarkId::new(format!("append, {name}, threads"), threads);
    group.bench_function(id, |bencher| {
        bencher.iter_custom(|rounds| {
            (0..rounds).map(|_| append_together(turn, threads, TURN_RECORDS)).sum::<Duration>()
        });
    });
}
