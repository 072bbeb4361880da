//! Durable ingest of one institution before consensus: signed records from their bytes to the answer that
//! says they are on the disk, beside the ceiling of hashing them and checking their signatures. [STO-2] [DDB-1]
//!
//! The institution has no seat and no links: what is measured is decoding, signatures, the node's pool, the
//! store with its syncs, and the answers. `cargo run --release -p benches --features network --bin ingest [RECORDS] [DIRECTORY]`.
//! The ceiling is the same decoding, hashing and batches of signatures on all cores and nothing else. Rounds of
//! both take turns; a row has the fastest of each.

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
/// Content bytes of a record, and how many records of a size are sent: as many as the pool has room for.
const ROWS: [(usize, usize); 5] =
    [(100, 40_000), (1_024, 40_000), (8_192, 8_000), (65_536, 1_200), (102_400, 800)];

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
    let share = arguments.next().and_then(|it| it.parse::<usize>().ok()).unwrap_or(40_000);
    let folder = arguments.next().unwrap_or_else(|| "target/ingest".to_owned());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    println!("cores: {cores}; records a second; fastest of {ROUNDS} rounds that take turns");
    println!("| content bytes | records | ingest | ceiling | of the ceiling | MB/s | syncs |");
    println!("|--:|--:|--:|--:|--:|--:|--:|");
    for (bytes, records) in ROWS {
        let records = records.min(share);
        let network = network();
        let envelopes = envelopes(&network.0, bytes, records);
        let (mut best, mut ceiling, mut syncs) = (0.0_f64, 0.0_f64, 0);
        for round in 0..ROUNDS {
            let directory = format!("{folder}/{bytes}-{round}");
            let (rate, synced) = ingest(&network, &directory, &envelopes, cores);
            if rate > best {
                (best, syncs) = (rate, synced);
            }
            ceiling = ceiling.max(limit(&network.0.chain_id(), &envelopes, cores));
            // What was written stays until here, and is nobody's to keep.
            if let Err(error) = std::fs::remove_dir_all(&directory) {
                eprintln!("{directory}: {error}");
            }
        }
        println!(
            "| {bytes} | {records} | {best:.0} | {ceiling:.0} | {:.0}% | {:.1} | {syncs} |",
            100.0 * best / ceiling,
            best * envelopes[0].len() as f64 / 1e6,
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

/// Records a second from bytes to answers, and syncs.
fn ingest(
    network: &(Genesis, Vec<Founder>),
    directory: &str,
    envelopes: &[Vec<u8>],
    cores: usize,
) -> (f64, i64) {
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
        let driver = tokio::spawn(Driver::new(parts, roused.effects).run(taken));
        let intake = Intake::start(network.0.chain_id(), orders.clone(), cores);
        for number in 0..OWNERS {
            intake.request(owner(number).owner()).await.expect("the driver runs");
        }
        let shares: Vec<Vec<Vec<u8>>> =
            envelopes.chunks(envelopes.len().div_ceil(IN_FLIGHT)).map(<[_]>::to_vec).collect();
        let started = Instant::now();
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
        let rate = envelopes.len() as f64 / started.elapsed().as_secs_f64();
        orders.send(Order::Stop).await.expect("the driver runs");
        driver.await.expect("the driver ends").expect("the disk holds");
        (rate, metrics.syncs())
    })
}

/// Records a second that are decoded, hashed and checked, on all cores, with nothing else done.
fn limit(chain: &ChainId, envelopes: &[Vec<u8>], cores: usize) -> f64 {
    let started = Instant::now();
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
    envelopes.len() as f64 / started.elapsed().as_secs_f64()
}
