//! An institution under load is killed, by signal 9, 200 times at random moments, and runs out of disk. Whatever it
//! acknowledged is there when it is opened again. [DDB-1] [STO-2]
//!
//! The institution is this program once more: it opens its home as a node does, takes records as fast as it
//! can and writes the id of each one that was acknowledged to its standard output. It has no links, so nothing
//! is booked, and all that was accepted has to be in its pool.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "what cannot be done fails the test")]

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use mdsm_core::chain::Genesis;
use mdsm_core::crypto::sign::SigningKey;
use mdsm_core::environment::{Clock, Secret};
use mdsm_core::ledger::{Content, Envelope, MediaType, Metadata, Record, ResourceType};
use mdsm_core::node::{NodeConfig, Start};
use mdsm_core::params::{MINUTE_MS, SMALL, TURN_MS, WINDOW_MS};
use mdsm_core::roster::{Founder, Roster};
use mdsm_core::runtime::{Books, Driver, Home, Intake, Links, Metrics, Parts, Prechecked};
use mdsm_core::types::{InstitutionId, RecordId, Text, Timestamp};
use tokio::sync::mpsc;

/// The variable that names the home to a child.
const HOME: &str = "MDSM_TEST_HOME";
/// The variable that says how many bytes the content of a record has at least.
const BYTES: &str = "MDSM_TEST_BYTES";
const KILLS: u32 = 200;
/// Acknowledged records before a kill, at most.
const ACKNOWLEDGED_MAX: u64 = 60;
/// Clients of a child, each with one record on its way.
const CLIENTS: u32 = 16;
const ME: u32 = 9;

/// A process that is being started holds the locks of this one until its program runs: tests that start processes take
/// turns.
static TURNS: Mutex<()> = Mutex::new(());

struct Nowhere;

impl Links for Nowhere {
    fn send(&self, _: InstitutionId, _: Arc<[u8]>) {}

    fn connected(&self) -> usize {
        0
    }
}

fn secret(id: u32) -> Secret {
    let mut seed = [6; 32];
    seed[..4].copy_from_slice(&id.to_le_bytes());
    Secret::from_seed(seed)
}

fn network() -> (Genesis, Vec<Founder>) {
    let founder = |id: u32| Founder {
        institution: InstitutionId::new(id),
        key: secret(id).signing().owner(),
        rating: 100,
        centre: 100 - id,
    };
    let founders: Vec<Founder> = (1..=ME).map(founder).collect();
    let roster = Roster::found(&founders, SMALL.producers, SMALL.auditors).unwrap();
    let started_at = 1_764_000_000_000;
    let genesis = Genesis {
        name: Text::new("kills").unwrap(),
        started_at: Timestamp::new(started_at - started_at % i64::from(WINDOW_MS)),
        turn_ms: TURN_MS,
        minute_ms: MINUTE_MS,
        window_ms: WINDOW_MS,
        producers: SMALL.producers,
        auditors: SMALL.auditors,
        committees: roster.digest(),
        registrar: secret(0).signing().owner(),
    };
    (genesis, founders)
}

#[test]
#[ignore = "no test of its own: the test below starts it as a process and kills it, in the lane of all tests"]
fn institution() {
    let Some(home) = std::env::var_os(HOME) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(take_records(PathBuf::from(home)));
}

async fn take_records(home: PathBuf) {
    let (genesis, founders) = network();
    let (home, secret) = Home::open(home).unwrap();
    let (clock, scheme) = (Clock::new(), Prechecked::default());
    let start = Start { genesis: genesis.clone(), founders: &founders };
    let config = NodeConfig { me: InstitutionId::new(ME), delay_ms: 500 };
    let roused = home.rouse(config, &start, scheme, clock.now()).unwrap();
    assert!(roused.warnings.is_empty() && roused.opened.lost.is_empty(), "{roused:?}");
    let began = roused.node.waiting();
    let parts = Parts {
        node: roused.node,
        key: secret.signing(),
        clock,
        disk: roused.disk,
        links: Nowhere,
        others: Vec::new(),
        anchors: mpsc::unbounded_channel().0,
        metrics: Arc::new(Metrics::default()),
    };
    let (orders, taken) = mpsc::channel(1_024);
    let driver = tokio::spawn(Driver::new(parts, roused.effects).run(taken));
    let bytes = std::env::var(BYTES).map_or(0, |bytes| bytes.parse().unwrap());
    let intake = Intake::start(genesis.chain_id(), orders, 2);
    let owner = SigningKey::from_seed(&[1; 32]);
    intake.request(owner.owner()).await.unwrap();
    let chain = genesis.chain_id();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| {
            let (intake, owner) = (intake.clone(), SigningKey::from_seed(&[1; 32]));
            tokio::spawn(async move {
                for number in 0_u32.. {
                    // Unlike any record of an earlier life: it began with another number of records.
                    let words = format!("{began} {client} {number:<bytes$}");
                    let kind = ResourceType::new("Observation").unwrap();
                    let media = MediaType::new("text/plain").unwrap();
                    let metadata =
                        Metadata::new(kind, media, Timestamp::new(0), words.len() as u64);
                    let content = Content::inline(words.into_bytes()).unwrap();
                    let record = Record::new(owner.owner(), metadata, content).unwrap();
                    let envelope = Envelope::sign(record, &chain, &owner, InstitutionId::new(ME));
                    // The driver says why.
                    let Ok(id) = intake.submit(envelope, true).await else { return };
                    // One write a line, so that a kill leaves no half of one that counts.
                    let mut output = std::io::stdout().lock();
                    output.write_all(format!("acknowledged {id}\n").as_bytes()).unwrap();
                    output.flush().unwrap();
                }
            })
        })
        .collect();
    for client in clients {
        client.await.unwrap();
    }
    drop(intake);
    println!("ended: {}", driver.await.unwrap().unwrap_err());
}

/// An institution that runs until it ends by itself, with files that cannot grow beyond some MiB; gives what it
/// acknowledged, and its last words.
fn run_out_of_disk(home: &Path) -> (BTreeSet<RecordId>, Option<String>) {
    // A write beyond the limit fails as one on a full disk does, once its signal is ignored.
    const SCRIPT: &str = r#"trap "" XFSZ; ulimit -f 32768; exec "$0" "$@""#;
    let mut command = Command::new("sh");
    command.args(["-c", SCRIPT]).arg(std::env::current_exe().unwrap());
    command.args(["--exact", "institution", "--ignored", "--nocapture"]);
    command.env(HOME, home).env(BYTES, "60000");
    let output = command.stderr(Stdio::inherit()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let acknowledged = text.lines().filter_map(|line| line.strip_prefix("acknowledged "));
    let acknowledged = acknowledged.map(|id| id.parse().unwrap()).collect();
    let last = text.lines().find_map(|line| line.strip_prefix("ended: "));
    (acknowledged, last.map(str::to_owned))
}

/// Runs an institution until it has acknowledged so many records, and kills it; gives what it said until then.
fn run_and_kill(home: &Path, records: u64) -> BTreeSet<RecordId> {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "institution", "--ignored", "--nocapture"]).env(HOME, home);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut acknowledged = BTreeSet::new();
    let mut take = |line: String| {
        let id: Option<RecordId> =
            line.strip_prefix("acknowledged ").and_then(|id| id.parse().ok());
        acknowledged.extend(id);
        acknowledged.len() as u64
    };
    let mut count = 0;
    while count <= records {
        let line = lines.next().expect("it runs until it is killed").unwrap();
        count = take(line);
    }
    // Signal 9, in the middle of whatever it does.
    child.kill().unwrap();
    child.wait().unwrap();
    for line in lines.map_while(Result::ok) {
        take(line);
    }
    acknowledged
}

/// A number below a bound; the same in each run.
fn draw(state: &mut u64, below: u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) % below
}

#[test]
fn ddb_1_8_nothing_acknowledged_is_lost_in_200_kills() {
    let _turn = TURNS.lock().unwrap_or_else(PoisonError::into_inner);
    //= harness/spec/database.md#ddb-1-encrypted-files-durable-store
    //= type=test
    //# DDB-1.8 (ours): Every record acknowledged as accepted MUST be found after the process is killed
    //# at any moment and started again.
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    Home::create(&home, &secret(ME)).unwrap();
    let (mut all, mut seed) = (BTreeSet::new(), 7);
    for kill in 0..KILLS {
        let acknowledged = run_and_kill(&home, draw(&mut seed, ACKNOWLEDGED_MAX));
        assert!(acknowledged.is_disjoint(&all), "kill {kill}: an old record was taken as new");
        let (books, opened) = Books::open(&home.join("store")).unwrap();
        assert!(opened.lost.is_empty(), "kill {kill}: {:?}", opened.lost);
        for id in &acknowledged {
            let found = books.rows().accepted(id).unwrap();
            assert!(found.is_some(), "kill {kill}: record {id} was acknowledged and is gone");
        }
        all.extend(acknowledged);
    }
    let (books, _) = Books::open(&home.join("store")).unwrap();
    let lost: Vec<&RecordId> =
        all.iter().filter(|id| books.rows().accepted(id).unwrap().is_none()).collect();
    assert!(lost.is_empty(), "{lost:?}");
    assert!(all.len() > KILLS as usize * 10, "the load was no load: {} records", all.len());
}

#[test]
fn ddb_1_8_nothing_acknowledged_is_lost_on_a_disk_that_is_full() {
    let _turn = TURNS.lock().unwrap_or_else(PoisonError::into_inner);
    //= harness/spec/database.md#ddb-1-encrypted-files-durable-store
    //= type=test
    //# DDB-1.8 (ours): Every record acknowledged as accepted MUST be found after the process is killed
    //# at any moment and started again.
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    Home::create(&home, &secret(ME)).unwrap();
    let (acknowledged, last) = run_out_of_disk(&home);
    let last = last.expect("it ends by itself, with the error of its disk");
    assert!(last.starts_with("store: "), "{last}");
    assert!(acknowledged.len() > 100, "{} records are not 16 MiB", acknowledged.len());
    // Room again: everything is there, and it goes on.
    let more = run_and_kill(&home, 10);
    let (books, opened) = Books::open(&home.join("store")).unwrap();
    assert!(opened.lost.is_empty(), "{:?}", opened.lost);
    for id in acknowledged.iter().chain(&more) {
        assert!(books.rows().accepted(id).unwrap().is_some(), "record {id} is gone");
    }
    assert!(acknowledged.is_disjoint(&more));
}
