//! One run of a network: files in, receipts out. The cases then look at what came out.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use mdsm_core::freezing::{Accepted, Handoff};
use mdsm_core::ledger::Envelope;
use mdsm_core::types::RecordId;

use super::archive::Archive;
use super::intake::{Intake, Taken, owners};
use super::producer::{Issued, Producer, STARTED_AT, genesis};
use crate::input::{Input, Refusal};
use crate::progress::Progress;
use crate::seed::Seed;
use crate::stop::Stop;

/// What a run of the network left behind.
pub(super) struct World {
    pub(super) seed: Seed,
    pub(super) producer: Producer,
    pub(super) archive: Archive,
    pub(super) taken: Vec<Taken>,
    pub(super) refusals: Vec<Refusal>,
    pub(super) receipts: Vec<Issued>,
    /// Record -> index of its receipt.
    receipt_of: BTreeMap<RecordId, usize>,
    /// Booked record -> indices of its block, Item and place.
    place_of: BTreeMap<RecordId, (usize, usize, usize)>,
    /// Bitcoin's headers, as a stranger gets them.
    pub(super) headers: Vec<u8>,
    pub(super) jobs: usize,
    pub(super) ingest_time: Duration,
    pub(super) total_time: Duration,
}

/// Windows that are frozen at least; the last one stays idle.
const WINDOWS_MIN: usize = 3;
/// Records after which turns close, in rounds: some turns stay below an Item, some fill several.
const TURN_RECORDS: [usize; 6] = [1, 12, 2, 33, 5, 13];
/// Turns over which the files are spread at most, so that the first windows hold them.
const BUSY_TURNS_MAX: usize = 150;

impl World {
    /// Books all inputs with `jobs` threads, freezes, anchors and issues receipts.
    pub(super) fn run(
        seed: Seed,
        inputs: &[Input],
        refusals: Vec<Refusal>,
        jobs: usize,
        progress: &Progress,
        stop: &Stop,
    ) -> Result<Self, String> {
        let started = Instant::now();
        let archive = Archive::open()?;
        let mut producer = Producer::new()?;
        let handoff = Handoff::default();
        // The first turn closes before anything is accepted: an idle turn.
        producer.close_turn(&handoff, &archive)?;
        let intake = Intake {
            seed,
            chain_id: genesis().chain_id(),
            owners: owners(seed),
            created: STARTED_AT,
            archive: &archive,
            one_large: Mutex::new(()),
        };
        let mut refusals = refusals;
        let (taken, ingest_time) =
            ingest(&intake, inputs, jobs, &handoff, &mut producer, &mut refusals, progress, stop)?;
        progress.start("freeze", 0);
        while producer.windows.len() < WINDOWS_MIN
            || producer.carried() > 0
            || in_open_window(&producer)
        {
            producer.close_turn(&handoff, &archive)?;
        }
        progress.start("receipts", 0);
        let receipts = producer.receipts()?;
        let receipt_of = (0..).zip(&receipts).map(|(at, issued)| (issued.record_id, at)).collect();
        let place_of = places(&producer);
        let headers = producer.bitcoin.headers();
        Ok(Self {
            seed,
            producer,
            archive,
            taken,
            refusals,
            receipts,
            receipt_of,
            place_of,
            headers,
            jobs,
            ingest_time,
            total_time: started.elapsed(),
        })
    }
}

impl World {
    /// The receipt of a record.
    pub(super) fn receipt(&self, record: &RecordId) -> Option<&Issued> {
        self.receipt_of.get(record).map(|at| &self.receipts[*at])
    }

    /// A record as the chain holds it.
    pub(super) fn envelope(&self, record: &RecordId) -> Option<&Envelope> {
        let (block, item, place) = self.place_of.get(record)?;
        self.producer.finalized[*block].items[*item].records.get(*place)
    }
}

fn places(producer: &Producer) -> BTreeMap<RecordId, (usize, usize, usize)> {
    let mut places = BTreeMap::new();
    for (block, finalized) in producer.finalized.iter().enumerate() {
        let ids = finalized.applied.booked.iter();
        let in_items = finalized
            .items
            .iter()
            .enumerate()
            .flat_map(|(item, records)| (0..records.records.len()).map(move |at| (item, at)));
        places.extend(ids.zip(in_items).map(|(id, (item, place))| (*id, (block, item, place))));
    }
    places
}

/// Whether records are finalized that no window holds yet.
fn in_open_window(producer: &Producer) -> bool {
    let start = producer.windows.last().map_or(0, |window| window.blocks.end);
    producer.finalized[start..].iter().any(|finalized| !finalized.items.is_empty())
}

#[expect(clippy::too_many_arguments, reason = "one call; a struct would only rename them")]
fn ingest(
    intake: &Intake<'_>,
    inputs: &[Input],
    jobs: usize,
    handoff: &Handoff<Accepted>,
    producer: &mut Producer,
    refusals: &mut Vec<Refusal>,
    progress: &Progress,
    stop: &Stop,
) -> Result<(Vec<Taken>, Duration), String> {
    let started = Instant::now();
    progress.start("book files", inputs.len());
    let mut turns = turn_records(inputs.len());
    let mut left = turns.next().unwrap_or(1);
    let mut taken = Vec::with_capacity(inputs.len());
    let mut absorb = |result: Result<Taken, Refusal>| {
        progress.step();
        match result {
            Ok(file) => taken.push(file),
            Err(refusal) => refusals.push(refusal),
        }
        left -= 1;
        if left == 0 {
            producer.close_turn(handoff, intake.archive)?;
            left = turns.next().unwrap_or(1);
        }
        Ok::<(), String>(())
    };
    if jobs == 1 {
        // In one thread the seed alone decides which turn a record falls into.
        let until_stopped = inputs.iter().enumerate().take_while(|_| stop.reason().is_none());
        for (index, input) in until_stopped {
            absorb(take(intake, handoff, index, input))?;
        }
    } else {
        let next = AtomicUsize::new(0);
        // A bound: those who book wait for the one who closes rather than run far ahead of it.
        let (sender, results) = mpsc::sync_channel(jobs);
        thread::scope(|scope| {
            for _ in 0..jobs {
                let (sender, next) = (sender.clone(), &next);
                scope.spawn(move || {
                    while stop.reason().is_none() {
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        let Some(input) = inputs.get(index) else { break };
                        // The receiver is gone only when closing a turn failed; that ends the run.
                        if sender.send(take(intake, handoff, index, input)).is_err() {
                            break;
                        }
                    }
                });
            }
            drop(sender);
            // Turns close while the other threads append.
            results.into_iter().try_for_each(&mut absorb)
        })?;
    }
    taken.sort_by_key(|file| file.input);
    Ok((taken, started.elapsed()))
}

/// Takes one file and appends its record to the open turn.
fn take(
    intake: &Intake<'_>,
    handoff: &Handoff<Accepted>,
    index: usize,
    input: &Input,
) -> Result<Taken, Refusal> {
    let (taken, accepted) =
        intake.take(index, input).map_err(|reason| Refusal { name: input.name.clone(), reason })?;
    append(handoff, accepted);
    Ok(taken)
}

/// How many records each turn waits for, without end. Few files make short turns, so that there are
/// enough of them to fill a data block.
fn turn_records(files: usize) -> impl Iterator<Item = usize> {
    let in_round: usize = TURN_RECORDS.iter().sum();
    let rounds = BUSY_TURNS_MAX / TURN_RECORDS.len();
    let factor = files.div_ceil(in_round * rounds).max(1);
    let divisor = (in_round * 8).div_ceil(files.max(1)).max(1);
    TURN_RECORDS.into_iter().cycle().map(move |records| (records * factor / divisor).max(1))
}

/// A turn has 163,840 slots and closes every few files, so a full one frees itself at once.
fn append(handoff: &Handoff<Accepted>, accepted: Accepted) {
    let mut record = accepted;
    while let Err(refused) = handoff.append(record) {
        record = refused;
        thread::yield_now();
    }
}
