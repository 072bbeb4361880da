//! Records from end to end: whole nodes with real signatures in one process, from the owner's signature to
//! the block that is final everywhere. [CON-1] [CON-2] [CON-4]
//!
//! `cargo bench -p harness --bench blocks`. One measurement is one turn; its time is CPU time of all nodes
//! together, as they run one after another. Disks are left out. Divided by the number of institutions it
//! is what one of them spends.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput};
use harness::build::{Live, inline, key};

/// A turn of these networks, milliseconds.
const TURN_MS: i64 = 1_000;
/// Content of a record: a laboratory report or a short letter.
const RECORD_BYTES: usize = 1_024;

/// A network with a supply of records, each of them another one.
struct Load {
    live: Live,
    delegates: u32,
    booked: u32,
}

impl Load {
    fn new(live: Live) -> Self {
        let delegates = u32::from(live.genesis.producers);
        let mut load = Self { live, delegates, booked: 0 };
        load.turn(0);
        load
    }

    /// Submits so many records, spread over the delegates, and lets a turn pass.
    fn turn(&mut self, records: u32) -> u64 {
        for _ in 0..records {
            let mut content = [b'r'; RECORD_BYTES];
            content[..4].copy_from_slice(&self.booked.to_le_bytes());
            let owner = key(1 + u8::try_from(self.booked % 50).unwrap_or(0));
            let delegate = 1 + self.booked % self.delegates;
            self.live.book(delegate, inline(&owner, &content), &owner);
            self.booked += 1;
        }
        let until_ms = self.live.ms() + TURN_MS;
        self.live.run_until(until_ms);
        self.final_records()
    }

    /// Records that are final at the first institution.
    fn final_records(&self) -> u64 {
        let disk = self.live.disks.values().next();
        let commits = disk.into_iter().flat_map(|disk| &disk.commits);
        commits.flat_map(|commit| &commit.booked).map(|block| block.len() as u64).sum()
    }
}

fn blocks(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("records, end to end, real signatures");
    group.sample_size(10);
    for (name, live) in [("4+4", Live::new as fn() -> Live), ("101+20", Live::of_paper)] {
        for records in [0, 100, 1_000] {
            let mut load = Load::new(live());
            let mut last = None;
            group.throughput(Throughput::Elements(records.max(1).into()));
            group.bench_function(BenchmarkId::new(name, records), |b| {
                b.iter(|| last = Some(black_box(load.turn(records))));
            });
            // What is not final is not measured: at most the last three turns are under way.
            let (submitted, under_way) = (u64::from(load.booked), u64::from(3 * records));
            let is_measured = last.is_none_or(|last| last + under_way >= submitted);
            assert!(is_measured, "{name}: {last:?} of {submitted} are final");
        }
    }
    group.finish();
}

criterion::criterion_group!(groups, blocks);
criterion::criterion_main!(groups);
