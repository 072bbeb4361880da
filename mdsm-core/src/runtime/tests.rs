//! A network of 4 + 4 institutions in this process, on real disks, over channels in the place of links.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use super::*;
use crate::chain::Genesis;
use crate::crypto::sign::SigningKey;
use crate::environment::{Clock, Secret};
use crate::ledger::{Content, Envelope, MediaType, Metadata, Record, ResourceType};
use crate::node::{Effect, Input, NodeConfig, Refusal, Start, Submission};
use crate::params::SMALL;
use crate::roster::{Founder, Roster};
use crate::types::{ChainId, Height, InstitutionId, RecordId, Text, Timestamp};

mod alone;

const TURN_MS: u32 = 50;
const INSTITUTIONS: u32 = 8;
/// Far beyond what anything here takes; a test that waits so long has failed.
const PATIENCE: Duration = Duration::from_secs(60);

type Mailboxes = Arc<Mutex<BTreeMap<InstitutionId, mpsc::UnboundedSender<Sent>>>>;
type Sent = (InstitutionId, Arc<[u8]>);

/// Channels to everybody who is there.
struct Channels {
    me: InstitutionId,
    mailboxes: Mailboxes,
}

impl Links for Channels {
    fn send(&self, to: InstitutionId, message: Arc<[u8]>) {
        let mailboxes = self.mailboxes.lock().unwrap_or_else(PoisonError::into_inner);
        let sent = mailboxes.get(&to).map(|mailbox| mailbox.send((self.me, message)));
        drop(sent);
    }

    fn connected(&self) -> usize {
        self.mailboxes.lock().unwrap_or_else(PoisonError::into_inner).len() - 1
    }
}

struct Network {
    genesis: Genesis,
    founders: Vec<Founder>,
    mailboxes: Mailboxes,
    folder: tempfile::TempDir,
}

/// An institution that runs.
struct Running {
    orders: mpsc::Sender<Order>,
    intake: Intake,
    status: watch::Receiver<Status>,
    driver: JoinHandle<Result<(), DiskError>>,
    books: Arc<Books>,
    metrics: Arc<Metrics>,
    warnings: Vec<String>,
}

fn secret(institution: u32) -> Secret {
    let mut seed = [0x5a; 32];
    seed[..4].copy_from_slice(&institution.to_le_bytes());
    Secret::from_seed(seed)
}

impl Network {
    fn new() -> Self {
        Self::of_turns(TURN_MS)
    }

    fn of_turns(turn_ms: u32) -> Self {
        let founder = |id: u32| Founder {
            institution: InstitutionId::new(id),
            key: secret(id).signing().owner(),
            rating: u8::try_from(100 - id).unwrap(),
            centre: 10,
        };
        let founders: Vec<Founder> = (1..=INSTITUTIONS).map(founder).collect();
        let roster = Roster::found(&founders, SMALL.producers, SMALL.auditors).unwrap();
        let window_ms = turn_ms * 40;
        let now = Clock::new().now().get();
        let genesis = Genesis {
            name: Text::new("channels").unwrap(),
            started_at: Timestamp::new(now - now % i64::from(window_ms)),
            turn_ms,
            minute_ms: turn_ms * 10,
            window_ms,
            producers: SMALL.producers,
            auditors: SMALL.auditors,
            committees: roster.digest(),
            registrar: secret(0).signing().owner(),
        };
        let folder = tempfile::tempdir().unwrap();
        let network = Self { genesis, founders, mailboxes: Mailboxes::default(), folder };
        for id in 1..=INSTITUTIONS {
            Home::create(network.directory(id), &secret(id)).unwrap();
        }
        network
    }

    fn directory(&self, id: u32) -> std::path::PathBuf {
        self.folder.path().join(id.to_string())
    }

    fn chain(&self) -> ChainId {
        self.genesis.chain_id()
    }

    fn start(&self, id: u32) -> Running {
        let (me, scheme) = (InstitutionId::new(id), Prechecked::default());
        let (parts, effects, warnings) = self.parts(me, scheme.clone());
        let (books, metrics) = (parts.disk.books().clone(), parts.metrics.clone());
        let (orders, taken) = mpsc::channel(1_024);
        let mut letters = self.mailbox(me);
        let peers = Peers::new(self.chain(), scheme, orders.clone(), metrics.clone());
        tokio::spawn(async move {
            while let Some((from, bytes)) = letters.recv().await {
                if !peers.take(from, &bytes, ()).await {
                    return;
                }
            }
        });
        let driver = Driver::new(parts, effects);
        let status = driver.status();
        let intake = Intake::start(self.chain(), orders.clone(), 2);
        let driver = tokio::spawn(driver.run(taken));
        Running { orders, intake, status, driver, books, metrics, warnings }
    }

    /// Where messages for an institution arrive.
    fn mailbox(&self, me: InstitutionId) -> mpsc::UnboundedReceiver<Sent> {
        let (mailbox, letters) = mpsc::unbounded_channel();
        self.mailboxes.lock().unwrap().insert(me, mailbox);
        letters
    }

    /// What a driver works with, from the disk; the node's first effects, and warnings.
    fn parts(
        &self,
        me: InstitutionId,
        scheme: Prechecked,
    ) -> (Parts<Channels>, Vec<Effect>, Vec<String>) {
        let (home, secret) = Home::open(self.directory(me.get())).unwrap();
        let start = Start { genesis: self.genesis.clone(), founders: &self.founders };
        let clock = Clock::new();
        let config = NodeConfig { me, delay_ms: 20 };
        let roused = home.rouse(config, &start, scheme, clock.now()).unwrap();
        let parts = Parts {
            node: roused.node,
            key: secret.signing(),
            clock,
            disk: roused.disk,
            links: Channels { me, mailboxes: self.mailboxes.clone() },
            others: self.founders.iter().map(|f| f.institution).filter(|it| *it != me).collect(),
            anchors: mpsc::unbounded_channel().0,
            metrics: Arc::new(Metrics::default()),
        };
        (parts, roused.effects, roused.warnings)
    }

    fn envelope(&self, owner: &SigningKey, number: u32, delegate: u32) -> Envelope {
        self.envelope_of(owner, format!("record {number}").into_bytes(), delegate)
    }

    fn envelope_of(&self, owner: &SigningKey, content: Vec<u8>, delegate: u32) -> Envelope {
        let kind = ResourceType::new("Observation").unwrap();
        let media = MediaType::new("text/plain").unwrap();
        let bytes = u64::try_from(content.len()).unwrap();
        let metadata = Metadata::new(kind, media, self.genesis.started_at, bytes);
        let record =
            Record::new(owner.owner(), metadata, Content::inline(content).unwrap()).unwrap();
        Envelope::sign(record, &self.chain(), owner, InstitutionId::new(delegate))
    }
}

impl Running {
    async fn until(&self, what: &str, reached: impl Fn(&Status) -> bool) {
        let mut status = self.status.clone();
        let waited = tokio::time::timeout(PATIENCE, status.wait_for(|now| reached(now))).await;
        // What it gives is a lock, behind which a driver may wait, and behind that whoever looks again.
        let is_reached = waited.is_ok_and(|it| it.is_ok());
        assert!(is_reached, "{what} was not reached: {:?}", *self.status.borrow());
    }

    /// Stops in order.
    async fn stop(self) {
        self.orders.send(Order::Stop).await.unwrap();
        self.driver.await.unwrap().unwrap();
    }

    /// Ends between two steps, whatever is under way.
    async fn kill(self) {
        self.driver.abort();
        assert!(self.driver.await.unwrap_err().is_cancelled());
    }
}

async fn booked(
    network: &Network,
    at: &Running,
    owner: &SigningKey,
    numbers: std::ops::Range<u32>,
) -> Vec<RecordId> {
    at.intake.request(owner.owner()).await.unwrap();
    let me = at.status.borrow().institution.get();
    let mut ids = Vec::new();
    for number in numbers {
        ids.push(at.intake.submit(network.envelope(owner, number, me), true).await.unwrap());
    }
    ids
}

/// Hands a driver records of so many bytes before it runs; the syncs that it took for all of them.
async fn syncs_of(records: usize, bytes: usize) -> i64 {
    // No turn ends meanwhile, which would be stored too.
    let network = Network::of_turns(3_600_000);
    let (orders, taken) = mpsc::channel(records + 2);
    let owner = SigningKey::from_seed(&[1; 32]);
    orders.send(Order::Input(Box::new(Input::Request(owner.owner())))).await.unwrap();
    let mut answers = Vec::new();
    for number in 0..records {
        let mut content = vec![0; bytes];
        content[..8].copy_from_slice(&number.to_le_bytes());
        let envelope = network.envelope_of(&owner, content, 1).verify(&network.chain()).unwrap();
        let (client, answered) = oneshot::channel();
        let submission = Submission { envelope, is_file_stored: false };
        orders.send(Order::Submit { submission, answer: Answer::new(client) }).await.unwrap();
        answers.push(answered);
    }
    orders.send(Order::Stop).await.unwrap();
    let me = InstitutionId::new(1);
    let _letters = network.mailbox(me);
    let (parts, effects, _) = network.parts(me, Prechecked::default());
    let metrics = parts.metrics.clone();
    Driver::new(parts, effects).run(taken).await.unwrap();
    for answered in answers {
        answered.await.unwrap().unwrap();
    }
    metrics.syncs()
}

#[tokio::test]
async fn what_waits_for_the_disk_is_bounded_by_its_bytes() {
    // The same orders, taken together both times.
    let (small, large) = (syncs_of(100, 8).await, syncs_of(100, 100_000).await);
    let more = 100 * 100_000 / (4 * 1_024 * 1_024);
    assert_eq!(large - small, more, "small records take {small}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn records_are_booked_epochs_end_and_anchors_are_certified() {
    //= harness/spec/clients.md#cli-1-full-client
    //= type=test
    //# CLI-1.1 (paper): A full client MUST store all records.
    let network = Network::new();
    let running: Vec<Running> = (1..=INSTITUTIONS).map(|id| network.start(id)).collect();
    let owner = SigningKey::from_seed(&[9; 32]);
    let ids = booked(&network, &running[0], &owner, 0..25).await;
    for one in &running {
        one.until("25 records and a certified anchor", |now| {
            now.records >= 25 && now.certified.is_some() && now.epoch.get() >= 1
        })
        .await;
        let found = one.books.rows().records_of(&owner.owner(), None, 100).unwrap().0;
        let mut expected = ids.clone();
        expected.sort_unstable();
        assert_eq!(found.into_iter().map(|(id, _)| id).collect::<Vec<_>>(), expected);
        assert_eq!(one.metrics.garbage.get(), 0);
    }
    assert!(running[0].metrics.text().contains("mdsm_records_accepted_total 25"));
    for one in running {
        one.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_not_signed_or_not_asked_for_is_refused_with_the_reason() {
    let network = Network::new();
    let running: Vec<Running> = (1..=INSTITUTIONS).map(|id| network.start(id)).collect();
    let (owner, intake) = (SigningKey::from_seed(&[9; 32]), &running[0].intake);
    let record = |number| network.envelope(&owner, number, 1);
    let early = intake.submit(record(0), true).await;
    assert!(matches!(early, Err(SubmitError::Refused(Refusal::NotRequested { .. }))), "{early:?}");
    intake.request(owner.owner()).await.unwrap();
    let mut forged = record(1);
    forged.owner_signature = record(2).owner_signature;
    let (forged, sound) = tokio::join!(intake.submit(forged, true), intake.submit(record(2), true));
    assert!(matches!(forged, Err(SubmitError::Envelope(_))), "{forged:?}");
    assert!(sound.is_ok(), "{sound:?}");
    let again = intake.submit(record(2), true).await;
    assert!(matches!(again, Err(SubmitError::Refused(Refusal::Repeated { .. }))), "{again:?}");
    for one in running {
        one.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ddb_1_8_what_was_acknowledged_is_there_after_all_were_killed() {
    //= harness/spec/database.md#ddb-1-encrypted-files-durable-store
    //= type=test
    //# DDB-1.8 (ours): Every record acknowledged as accepted MUST be found after the process is killed
    //# at any moment and started again.
    let network = Network::new();
    let owner = SigningKey::from_seed(&[9; 32]);
    let (mut acknowledged, mut height) = (Vec::new(), 0);
    for round in 0..4 {
        let running: Vec<Running> = (1..=INSTITUTIONS).map(|id| network.start(id)).collect();
        let lost: Vec<&String> = running.iter().flat_map(|one| &one.warnings).collect();
        assert!(lost.is_empty(), "{lost:?}");
        running[2].until("the height before", |now| now.height.get() >= height).await;
        acknowledged
            .extend(booked(&network, &running[2], &owner, round * 10..round * 10 + 10).await);
        // Killed while some of them are booked and some are on their way.
        running[2].until("a block more", |now| now.height.get() > height).await;
        height = running[2].status.borrow().height.get();
        for one in running {
            one.kill().await;
        }
    }
    let running: Vec<Running> = (1..=INSTITUTIONS).map(|id| network.start(id)).collect();
    let all = acknowledged.len() as u64;
    for one in &running {
        one.until("all records", |now| now.records >= all).await;
        for id in &acknowledged {
            assert!(one.books.rows().record(id).unwrap().is_some(), "{id}");
        }
    }
    for one in running {
        let (books, status) = (one.books.clone(), one.status.clone());
        one.stop().await;
        let height = status.borrow().height;
        let kept = books.rows().kept().unwrap();
        let final_ones = kept.iter().filter(|(block, _)| block.signed.header.height <= height);
        assert_eq!(final_ones.count(), 0, "blocks that are final are kept as if they were not");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_institution_whose_log_or_store_is_damaged_says_so_and_catches_up() {
    let network = Network::new();
    let mut running: Vec<Running> = (1..=INSTITUTIONS).map(|id| network.start(id)).collect();
    let owner = SigningKey::from_seed(&[9; 32]);
    booked(&network, &running[0], &owner, 0..5).await;
    running[7].until("an epoch", |now| now.epoch.get() >= 1).await;
    running.pop().unwrap().stop().await;
    let damaged = network.directory(INSTITUTIONS);
    flip(&damaged.join("consensus.log"), 200);
    booked(&network, &running[0], &owner, 5..10).await;
    running[0].until("ten records", |now| now.records >= 10).await;
    let height = running[0].status.borrow().height.get();
    let back = network.start(INSTITUTIONS);
    assert!(back.warnings.iter().any(|it| it.contains("begins anew")), "{:?}", back.warnings);
    back.until("the others", |now| now.height.get() >= height && now.records >= 10).await;
    back.stop().await;
    // All of the store is gone but the home is not.
    std::fs::remove_dir_all(damaged.join("store")).unwrap();
    let back = network.start(INSTITUTIONS);
    back.until("the others again", |now| now.height.get() >= height && now.records >= 10).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn con_7_5_an_institution_that_lost_its_store_but_not_its_log_votes_in_no_epoch_twice() {
    let network = Network::new();
    let running: Vec<Running> = (1..=INSTITUTIONS).map(|id| network.start(id)).collect();
    for one in &running {
        one.until("a later epoch", |now| now.epoch.get() >= 1 && now.view.get() > 1).await;
    }
    for one in running {
        one.stop().await;
    }
    std::fs::remove_dir_all(network.directory(INSTITUTIONS).join("store")).unwrap();
    // What it voted for in that epoch stands in the log, and the chain for which it did is gone.
    for _ in 0..2 {
        let back = network.start(INSTITUTIONS);
        assert!(back.warnings.iter().any(|it| it.contains("does not vote")), "{:?}", back.warnings);
        back.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn con_7_5_a_log_that_is_empty_or_older_than_the_chain_votes_in_no_epoch_twice() {
    let network = Network::new();
    let running: Vec<Running> = (1..=INSTITUTIONS).map(|id| network.start(id)).collect();
    let log = network.directory(INSTITUTIONS).join("consensus.log");
    let auditor = running.last().unwrap();
    auditor.until("a block", |now| now.height.get() >= 1).await;
    let older = std::fs::read(&log).unwrap();
    // The log may have been an epoch ahead of what is known by now, and a chain that has just frozen needs but the one
    // before.
    let later = auditor.status.borrow().epoch.get() + 3;
    for one in &running {
        one.until("a later epoch", |now| now.epoch.get() >= later).await;
    }
    for one in running {
        one.stop().await;
    }
    let whole = std::fs::read(&log).unwrap();
    for (log_is, says_so) in [(&Vec::new(), true), (&older, true), (&whole, false)] {
        std::fs::write(&log, log_is).unwrap();
        let back = network.start(INSTITUTIONS);
        let told = back.warnings.iter().any(|it| it.contains("does not vote"));
        assert_eq!(told, says_so, "{} bytes: {:?}", log_is.len(), back.warnings);
        back.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_store_whose_rows_are_lost_is_whole_again_when_it_has_caught_up() {
    let network = Network::new();
    let mut running: Vec<Running> = (1..=INSTITUTIONS).map(|id| network.start(id)).collect();
    let owner = SigningKey::from_seed(&[9; 32]);
    booked(&network, &running[0], &owner, 0..5).await;
    running[7].until("an epoch", |now| now.epoch.get() >= 1).await;
    running.pop().unwrap().stop().await;
    std::fs::remove_dir_all(network.directory(INSTITUTIONS).join("store/rows")).unwrap();
    let height = running[0].status.borrow().height.get();
    let back = network.start(INSTITUTIONS);
    assert!(back.warnings.iter().any(|it| it.contains("fetched anew")), "{:?}", back.warnings);
    back.until("the others", |now| now.height.get() >= height).await;
    let books = back.books.clone();
    back.stop().await;
    let (mut above, mut last) = (Height::new(0), None);
    while let Some(commit) = books.commit_above(above).unwrap() {
        above = commit.decision.blocks.last().unwrap().signed.header.height;
        last = Some(above);
    }
    assert!(last.unwrap().get() >= height);
    drop(books);
    let again = network.start(INSTITUTIONS);
    assert!(!again.warnings.iter().any(|it| it.contains("fetched anew")), "{:?}", again.warnings);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_store_that_is_lost_within_the_first_epoch_costs_no_vote() {
    // The clock says when the first epoch ends; one that ended meanwhile is not what is asked about.
    let network = loop {
        let network = Network::of_turns(4 * TURN_MS);
        let mut epochs = Vec::new();
        let running: Vec<Running> = (1..=INSTITUTIONS).map(|id| network.start(id)).collect();
        for one in &running {
            one.until("three blocks", |now| now.height.get() >= 3).await;
        }
        for one in running {
            let status = one.status.clone();
            one.stop().await;
            epochs.push(status.borrow().epoch.get());
        }
        if epochs.iter().all(|epoch| *epoch == 0) {
            break network;
        }
    };
    std::fs::remove_dir_all(network.directory(6).join("store")).unwrap();
    // Three of four auditors: each of them is needed.
    let running: Vec<Running> = (1..INSTITUTIONS).map(|id| network.start(id)).collect();
    let height = running.iter().map(|one| one.status.borrow().height.get()).max().unwrap();
    for one in &running {
        one.until("two blocks more", |now| now.height.get() >= height + 2).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ddb_1_10_a_disk_that_is_inspected_hides_no_damage() {
    //= harness/spec/database.md#ddb-1-encrypted-files-durable-store
    //= type=test
    //# DDB-1.10 (ours): A node that opens a damaged or shortened store MUST report which heights and
    //# which records are lost.
    let network = Network::new();
    let running: Vec<Running> = (1..=INSTITUTIONS).map(|id| network.start(id)).collect();
    let owner = SigningKey::from_seed(&[9; 32]);
    let ids = booked(&network, &running[0], &owner, 0..12).await;
    for one in &running {
        one.until("12 records and an epoch", |now| now.records >= 12 && now.epoch.get() >= 1).await;
    }
    let height = running[0].status.borrow().height.get();
    for one in running {
        one.stop().await;
    }
    // The engine cuts the journal to its length at the second opening.
    for _ in 0..2 {
        drop(inspect(&Home::at(network.directory(1))).unwrap());
    }
    let sound = inspect(&Home::at(network.directory(1))).unwrap();
    assert_eq!((sound.records, &sound.damaged), (12, &vec![]));
    assert!(sound.blocks >= height && sound.remembered > 0 && sound.items >= 2, "{sound:?}");
    let home = network.directory(1);
    let mut files = vec![home.join("consensus.log"), home.join("store/witness.log")];
    collect(&home.join("store/rows"), &mut files);
    let (mut state, mut told, mut harmless) = (0x4d44_534d_u64, 0, 0);
    let mut named = String::new();
    // Where the rows of records lie in a file differs from run to run: so many rounds as it takes to hit one.
    let is_named = |named: &str| {
        named.contains("height ") && ids.iter().any(|id| named.contains(&id.to_string()))
    };
    for round in 0..2_000 {
        if round >= 60 && is_named(&named) {
            break;
        }
        let copy = network.folder.path().join(format!("copy{round}"));
        copy_all(&home, &copy);
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let file = &files[round % files.len()];
        let damaged = copy.join(file.strip_prefix(&home).unwrap());
        let length = std::fs::metadata(&damaged).unwrap().len();
        if length == 0 {
            continue;
        }
        let at = usize::try_from((state >> 16) % length).unwrap();
        if round % 7 == 6 {
            std::fs::OpenOptions::new()
                .write(true)
                .open(&damaged)
                .unwrap()
                .set_len(at as u64)
                .unwrap();
        } else {
            flip(&damaged, at);
        }
        let found = inspect(&Home::at(&copy)).unwrap();
        if found.damaged.is_empty() {
            // Nothing may be missing without a word, but what a crash may cut off a log.
            let what = format!("round {round}, byte {at} of {}", damaged.display());
            assert_eq!((found.blocks, found.records), (sound.blocks, sound.records), "{what}");
            harmless += 1;
        } else {
            named.push_str(&found.damaged.join("\n"));
            told += 1;
        }
        std::fs::remove_dir_all(&copy).unwrap();
    }
    println!("{told} told, {harmless} harmless");
    assert!(told >= 20, "{told} told, {harmless} harmless");
    assert!(is_named(&named), "{named}");
}

fn collect(directory: &Path, files: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { collect(&path, files) } else { files.push(path) }
    }
    files.sort();
}

fn copy_all(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_all(&path, &target);
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}

fn flip(file: &Path, at: usize) {
    let mut bytes = std::fs::read(file).unwrap();
    bytes[at] ^= 0x10;
    std::fs::write(file, bytes).unwrap();
}

#[tokio::test]
async fn bytes_that_are_no_message_are_counted_and_passed_over() {
    let (orders, mut taken) = mpsc::channel(4);
    let metrics = Arc::new(Metrics::default());
    let peers = Peers::new(ChainId::new([1; 32]), Prechecked::default(), orders, metrics.clone());
    assert!(peers.take(InstitutionId::new(3), b"MMSG\x01\xff", ()).await);
    assert_eq!(metrics.garbage.get(), 1);
    assert!(taken.try_recv().is_err(), "nothing goes on to the node");
    drop(taken);
    let ask = crate::node::Message::WantDecision { after: Height::new(0) };
    assert!(!peers.take(InstitutionId::new(3), &crate::codec::Wire::to_bytes(&ask), ()).await);
}

#[test]
fn a_home_is_made_once() {
    let folder = tempfile::tempdir().unwrap();
    let (home, made) = (folder.path().join("home"), secret(1));
    Home::create(&home, &made).unwrap();
    assert!(matches!(Home::create(&home, &made), Err(HomeError::NotEmpty { .. })));
    let (opened, read) = Home::open(&home).unwrap();
    assert_eq!(read.signing().owner(), made.signing().owner());
    assert_eq!(opened.directory(), home);
    assert!(matches!(Home::open(folder.path()), Err(HomeError::Secret(_))));
}
