//! Durable ingest of one institution before consensus: signed records from their bytes to the answer that
//! says they are on the disk, beside the ceiling of hashing them and checking their signatures. [STO-2] [DDB-1]
//!
//! The institution has no seat and no links: what is measured is decoding, signatures, the node's pool, the
//! store with its syncs, and the answers. `cargo run --release -p benches --features network --bin ingest [RECORDS] [DIRECTORY] [CONTENT BYTES]`.
//! There are two ceilings. One is the same decoding, hashing and batches of signatures on all cores and nothing
//! else; the other is the disk: the bytes of the records written once to one file, with a sync every 4 MiB.
//! Rounds of all take turns; a row has the fastest of each, and the time of all cores that a record took in it,
//! which other work on the machine changes least.

use std::fs::File;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Instant;

use mdsm_core::chain::Genesis;
use mdsm_core::codec::Wire as _;
use mdsm_core::crypto::sign::SigningKey;
use mdsm_core::environment::{Clock, Secret};
use mdsm_core::ledger::{Content, Envelope, MediaType, Metadata, Record, ResourceType};
use mdsm_core::node::{NodeConfig, Start};
use mdsm_core::params::{MINUTE_MS, SMALL, TURN_MS, WINDOW_MS};
use mdsm_core::roster::{Founder, Roster};
use mdsm_core::runtime::{Driver, Home, Intake, Links, Metrics, Order, Parts, Prechecked};
use mdsm_core::types::{ChainId, InstitutionId, Text, Timestamp};
use tokio::sync::mpsc;

/// The institution that is measured: the first without a seat.
const ME: u32 = 9;
/// Records on their way at a time.
const IN_FLIGHT: usize = 2_048;
/// Records in one batch of signatures.
const BATCH: usize = 256;
/// Rounds of which the fastest counts.
const ROUNDS: usize = 3;
/// Patients: so many that no two records of a batch share a key, which would make its check cheaper.
const OWNERS: u32 = 1_024;
/// Content bytes of a record, and how many records of a size are sent: as many as the pool has room for, and
/// of small ones so many that a round takes seconds.
const ROWS: [(usize, usize); 5] =
    [(100, 150_000), (1_024, 96_000), (8_192, 15_000), (65_536, 2_000), (102_400, 1_280)];
/// Bytes between two syncs of the disk's ceiling: more no longer makes it faster.
const SYNCED_BYTES: usize = 4 * 1_024 * 1_024;

/// What came of a round.
#[derive(Clone, Copy, Default)]
struct Run {
    /// Records a second.
    rate: f64,
    /// Microseconds of a core for each record, of the whole process and of the kernel for it.
    core_us: f64,
}

impl Run {
    fn faster(self, other: Self) -> Self {
        if other.rate > self.rate { other } else { self }
    }
}

/// Measures a round of so many records.
struct Watch {
    began: Instant,
    core_us: f64,
}

impl Watch {
    fn start() -> Self {
        Self { began: Instant::now(), core_us: core_us() }
    }

    fn stop(self, records: usize) -> Run {
        let records = records as f64;
        let rate = records / self.began.elapsed().as_secs_f64();
        Run { rate, core_us: (core_us() - self.core_us) / records }
    }
}

/// Microseconds that this process has spent on cores; 0 where the system does not say.
fn core_us() -> f64 {
    /// Of user and system time: `_SC_CLK_TCK`, which is 100 on every Linux.
    const US_OF_A_TICK: f64 = 10_000.0;
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name, in parentheses, may hold anything.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: f64 = fields.skip(11).take(2).filter_map(|it| it.parse::<f64>().ok()).sum();
    ticks * US_OF_A_TICK
}

/// Links to nobody.
struct Nowhere;

impl Links for Nowhere {
    fn send(&self, _: InstitutionId, _: Arc<[u8]>) {}

    fn connected(&self) -> usize {
        0
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let share = arguments.next().and_then(|it| it.parse::<usize>().ok()).unwrap_or(usize::MAX);
    let folder = arguments.next().unwrap_or_else(|| "target/ingest".to_owned());
    let only = arguments.next().and_then(|it| it.parse::<usize>().ok());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    println!("cores: {cores}; records a second; fastest of {ROUNDS} rounds that take turns");
    println!(
        "| content bytes | records | ingest | signatures and hashes | of these | the disk | of that | MB/s | syncs | us of a core: ingest | signatures and hashes |"
    );
    println!("|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
    for (bytes, records) in ROWS.into_iter().filter(|row| only.is_none_or(|only| only == row.0)) {
        let records = records.min(share);
        let network = network();
        let envelopes = envelopes(&network.0, bytes, records);
        let (mut best, mut ceiling, mut disk) = (Run::default(), Run::default(), Run::default());
        let mut syncs = 0;
        for round in 0..ROUNDS {
            let directory = format!("{folder}/{bytes}-{round}");
            let (run, synced) = ingest(&network, &directory, &envelopes, cores);
            if run.rate > best.rate {
                (best, syncs) = (run, synced);
            }
            ceiling = ceiling.faster(limit(&network.0.chain_id(), &envelopes, cores));
            disk = disk.faster(written(&format!("{directory}/alone"), &envelopes));
            // What was written stays until here, and is nobody's to keep.
            if let Err(error) = std::fs::remove_dir_all(&directory) {
                eprintln!("{directory}: {error}");
            }
        }
        println!(
            "| {bytes} | {records} | {:.0} | {:.0} | {:.0}% | {:.0} | {:.0}% | {:.1} | {syncs} | {:.1} | {:.1} |",
            best.rate,
            ceiling.rate,
            100.0 * best.rate / ceiling.rate,
            disk.rate,
            100.0 * best.rate / disk.rate,
            best.rate * envelopes[0].len() as f64 / 1e6,
            best.core_us,
            ceiling.core_us,
        );
    }
}

fn secret(id: u32) -> Secret {
    let mut seed = [3; 32];
    seed[..4].copy_from_slice(&id.to_le_bytes());
    Secret::from_seed(seed)
}

fn owner(number: u32) -> SigningKey {
    let mut seed = [4; 32];
    seed[..4].copy_from_slice(&number.to_le_bytes());
    SigningKey::from_seed(&seed)
}

fn network() -> (Genesis, Vec<Founder>) {
    let founder = |id: u32| Founder {
        institution: InstitutionId::new(id),
        key: secret(id).signing().owner(),
        rating: u8::try_from(100 - id).unwrap_or(0),
        centre: 10,
    };
    let founders: Vec<Founder> = (1..=ME).map(founder).collect();
    let roster = Roster::found(&founders, SMALL.producers, SMALL.auditors);
    let now = Clock::new().now().get();
    let genesis = Genesis {
        name: Text::new("ingest").expect("six letters"),
        started_at: Timestamp::new(now - now % i64::from(WINDOW_MS)),
        turn_ms: TURN_MS,
        minute_ms: MINUTE_MS,
        window_ms: WINDOW_MS,
        producers: SMALL.producers,
        auditors: SMALL.auditors,
        committees: roster.expect("nine founders fill eight seats").digest(),
        registrar: secret(0).signing().owner(),
    };
    (genesis, founders)
}

/// Signed records as bytes, all different, of many owners.
fn envelopes(genesis: &Genesis, bytes: usize, records: usize) -> Vec<Vec<u8>> {
    let chain = genesis.chain_id();
    let owners: Vec<SigningKey> = (0..OWNERS).map(owner).collect();
    let one = |number: usize| {
        let mut content = vec![0x20; bytes];
        content[..8].copy_from_slice(&number.to_le_bytes());
        let kind = ResourceType::new("Observation").expect("letters");
        let media = MediaType::new("text/plain").expect("a type and a subtype");
        let metadata = Metadata::new(kind, media, genesis.started_at, bytes as u64);
        let owner = &owners[number % owners.len()];
        let content = Content::inline(content).expect("within the bound");
        let record = Record::new(owner.owner(), metadata, content).expect("a plain record");
        Envelope::sign(record, &chain, owner, InstitutionId::new(ME)).to_bytes()
    };
    (0..records).map(one).collect()
}

/// From bytes to answers, and syncs.
fn ingest(
    network: &(Genesis, Vec<Founder>),
    directory: &str,
    envelopes: &[Vec<u8>],
    cores: usize,
) -> (Run, i64) {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(cores).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let home = Home::create(directory, &secret(ME)).expect("a directory that is not there");
        let (clock, scheme) = (Clock::new(), Prechecked::default());
        let config = NodeConfig { me: InstitutionId::new(ME), delay_ms: 500 };
        let start = Start { genesis: network.0.clone(), founders: &network.1 };
        let roused = home.rouse(config, &start, scheme, clock.now()).expect("a new home");
        let metrics = Arc::new(Metrics::default());
        let parts = Parts {
            node: roused.node,
            key: secret(ME).signing(),
            clock,
            disk: roused.disk,
            links: Nowhere,
            others: network.1.iter().map(|founder| founder.institution).collect(),
            anchors: mpsc::unbounded_channel().0,
            metrics: metrics.clone(),
        };
        let (orders, taken) = mpsc::channel(4_096);
        // As in an institution: it waits for its disk on a thread of its own, and the clients do not.
        let driver = Driver::new(parts, roused.effects);
        let run = move || {
            let mut runtime = tokio::runtime::Builder::new_current_thread();
            runtime.enable_time().build().expect("a runtime").block_on(driver.run(taken))
        };
        let named = std::thread::Builder::new().name("driver".to_owned());
        let driver = named.spawn(run).expect("a thread");
        let intake = Intake::start(network.0.chain_id(), orders.clone(), cores);
        for number in 0..OWNERS {
            intake.request(owner(number).owner()).await.expect("the driver runs");
        }
        let shares: Vec<Vec<Vec<u8>>> =
            envelopes.chunks(envelopes.len().div_ceil(IN_FLIGHT)).map(<[_]>::to_vec).collect();
        let watch = Watch::start();
        let clients: Vec<_> = shares
            .into_iter()
            .map(|share| {
                let intake = intake.clone();
                tokio::spawn(async move {
                    for bytes in share {
                        let envelope = Envelope::from_bytes(&bytes).expect("made above");
                        intake.submit(envelope, true).await.expect("accepted");
                    }
                })
            })
            .collect();
        for client in clients {
            client.await.expect("a client ends");
        }
        let run = watch.stop(envelopes.len());
        orders.send(Order::Stop).await.expect("the driver runs");
        driver.join().expect("the driver ends").expect("the disk holds");
        (run, metrics.syncs())
    })
}

/// Records are decoded, hashed and checked, on all cores, with nothing else done.
fn limit(chain: &ChainId, envelopes: &[Vec<u8>], cores: usize) -> Run {
    let watch = Watch::start();
    std::thread::scope(|scope| {
        for part in envelopes.chunks(envelopes.len().div_ceil(cores)) {
            scope.spawn(move || {
                for batch in part.chunks(BATCH) {
                    let decoded =
                        batch.iter().map(|bytes| Envelope::from_bytes(bytes).expect("made above"));
                    let checked = Envelope::verify_all(decoded.collect(), chain, [7; 32]);
                    assert!(checked.iter().all(Result::is_ok), "made above");
                }
            });
        }
    });
    watch.stop(envelopes.len())
}

/// Records are written and synced, with nothing else done.
fn written(path: &str, envelopes: &[Vec<u8>]) -> Run {
    let mut file = File::create(path).expect("a file in the directory of a round");
    let mut buffer = Vec::with_capacity(2 * SYNCED_BYTES);
    let watch = Watch::start();
    for (at, envelope) in envelopes.iter().enumerate() {
        buffer.extend_from_slice(envelope);
        if buffer.len() >= SYNCED_BYTES || at + 1 == envelopes.len() {
            file.write_all(&buffer).and_then(|()| file.sync_data()).expect("the disk holds");
            buffer.clear();
        }
    }
    watch.stop(envelopes.len())
}
