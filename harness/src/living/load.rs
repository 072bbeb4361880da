//! A network of real processes under load: what it books, how fast, and what that costs. [CON-7] [DDB-1] [STO-2]
//!
//! Signed records go over HTTP to every producer; each that was acknowledged must be final at every institution, and
//! a light client must prove it. Signatures, sockets, disks and syncs are real. The records are signed before the
//! clock starts; clients and institutions share the machine, so the processors that each used are said beside.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

use mdsm_core::client::{Known, Question};
use mdsm_core::codec::Wire as _;
use mdsm_core::crypto::sign::SigningKey;
use mdsm_core::ledger::{Content, Envelope, MediaType, Metadata, Record, ResourceType};
use mdsm_core::params::SMALL;
use mdsm_core::service::{AskError, Asker, LightClient, Pace};
use mdsm_core::types::{InstitutionId, RecordId};
use tokio::task::JoinSet;

use super::Fleet;

/// How long anything may take before the measurement is given up.
const PATIENCE: Duration = Duration::from_secs(120);
/// Time between two looks at the numbers of an institution.
const LOOK: Duration = Duration::from_millis(50);
/// Whose records they are.
const OWNERS: usize = 16;
/// Turns of a window.
const WINDOW_TURNS: u32 = 100;

/// What is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// Records.
    pub records: usize,
    /// Bytes of the content of each.
    pub bytes: usize,
    /// Clients, each with one record on its way.
    pub clients: usize,
    /// Milliseconds of a turn.
    pub turn_ms: u32,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Carried {
    /// Records that were acknowledged; all of them are final.
    pub records: usize,
    /// Bytes of their encodings.
    pub bytes: u64,
    /// Seconds from the first record sent to the last one acknowledged.
    pub accepted_s: f64,
    /// Seconds from the first record sent until the last one was final everywhere.
    pub final_s: f64,
    /// Blocks that became final meanwhile.
    pub blocks: u64,
    /// Views that passed meanwhile; those without a block were given up.
    pub views: u64,
    /// Records that institutions were too full for; their clients sent them again.
    pub refused: u64,
    /// Seconds of a core that were used; nothing where the system does not say.
    pub used: Option<Used>,
    /// Records that a light client has proven at the end.
    pub proven: usize,
}

/// Seconds of a core, by who used them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Used {
    /// The institutions.
    pub institutions: f64,
    /// This process, which has the clients and mines.
    pub clients: f64,
    /// Everything on this machine, those two and other programs.
    pub all: f64,
}

/// Numbers of one institution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Numbers {
    blocks: u64,
    booked: u64,
    view: u64,
}

/// Runs a network under load.
///
/// # Errors
/// In words, when it does not start, or when an acknowledged record does not become final.
pub fn run(program: &Path, load: Load) -> Result<Carried, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let turn_ms = load.turn_ms;
    let window_ms = turn_ms * WINDOW_TURNS;
    let pace = Pace { turn_ms, minute_ms: window_ms / 10, window_ms, delay_ms: turn_ms / 2 };
    let block = Duration::from_secs(1);
    let mut fleet = Fleet::start(program, &folder.path().join("network"), SMALL, pace, block)?;
    let scene = Scene::set(&fleet, load)?;
    let handle = fleet.runtime().handle().clone();
    handle.block_on(scene.ready(&mut fleet))?;
    let before = used(&fleet);
    let started = Instant::now();
    let (first, sent) = handle.block_on(async {
        let first = scene.numbers(0).await?;
        Ok::<_, String>((first, scene.send().await?))
    })?;
    let accepted_s = started.elapsed().as_secs_f64();
    let acknowledged: usize = sent.ids.values().map(BTreeSet::len).sum();
    let last = handle.block_on(scene.booked(&mut fleet, acknowledged))?;
    let final_s = started.elapsed().as_secs_f64();
    let after = used(&fleet);
    let proven = handle.block_on(scene.prove(&sent.ids))?;
    Ok(Carried {
        records: acknowledged,
        bytes: sent.bytes,
        accepted_s,
        final_s,
        blocks: last.blocks - first.blocks,
        views: last.view.saturating_sub(first.view),
        refused: sent.refused,
        used: before.zip(after).map(|(before, after)| Used {
            institutions: after.institutions - before.institutions,
            clients: after.clients - before.clients,
            all: after.all - before.all,
        }),
        proven,
    })
}

/// Who sends what to whom.
struct Scene {
    load: Load,
    asker: Asker,
    network: mdsm_core::runtime::settings::NetworkFile,
    owners: Vec<SigningKey>,
    /// Interfaces; the producers first.
    webs: Vec<String>,
    /// Encoded envelopes for each client, with their owners and ids.
    shares: Vec<Vec<(usize, RecordId, Vec<u8>)>>,
}

/// What was acknowledged, by owner.
#[derive(Default)]
struct Sent {
    ids: BTreeMap<usize, BTreeSet<RecordId>>,
    bytes: u64,
    refused: u64,
}

impl Scene {
    fn set(fleet: &Fleet, load: Load) -> Result<Self, String> {
        let network = fleet.local().network().clone();
        let chain = network.genesis.chain_id();
        let webs = network.members.iter().filter_map(|member| member.web.clone()).collect();
        let owners: Vec<SigningKey> = (0_u8..).take(OWNERS).map(owner).collect();
        let producers = usize::from(SMALL.producers);
        let mut shares = vec![Vec::new(); load.clients.max(1)];
        for number in 0..load.records {
            let client = number % shares.len();
            let (whose, delegate) = (number % owners.len(), client % producers);
            let delegate = network.members[delegate].founder.institution;
            let envelope = envelope(&owners[whose], number, load.bytes, (&chain, delegate))?;
            shares[client].push((whose, envelope.record.id(), envelope.to_bytes()));
        }
        Ok(Self { load, asker: Asker::new(chain), network, owners, webs, shares })
    }

    /// Waits until everybody answers, and asks all producers to book for all owners.
    async fn ready(&self, fleet: &mut Fleet) -> Result<(), String> {
        self.until("a first block everywhere", fleet, |numbers| numbers.blocks > 0).await?;
        for web in &self.webs[..usize::from(SMALL.producers)] {
            for owner in &self.owners {
                let asked = self.asker.post(web, "/v1/requests", Some(owner), Vec::new()).await;
                asked.map_err(|error| error.to_string())?;
            }
        }
        Ok(())
    }

    /// Sends everything.
    async fn send(&self) -> Result<Sent, String> {
        let mut clients = JoinSet::new();
        let pause = Duration::from_millis(self.load.turn_ms.into());
        for (client, share) in self.shares.iter().enumerate() {
            let web = self.webs[client % usize::from(SMALL.producers)].clone();
            let (asker, share) = (self.asker.clone(), share.clone());
            clients.spawn(async move {
                let mut sent = Sent::default();
                for (whose, id, bytes) in share {
                    let length = bytes.len() as u64;
                    loop {
                        match asker.post(&web, "/v1/records", None, bytes.clone()).await {
                            Ok(_) => break,
                            // It has no room: its pool empties with the next blocks.
                            Err(AskError::Declined { status: 503, .. }) => {
                                sent.refused += 1;
                                tokio::time::sleep(pause).await;
                            }
                            Err(error) => return Err(format!("record {id}: {error}")),
                        }
                    }
                    sent.ids.entry(whose).or_default().insert(id);
                    sent.bytes += length;
                }
                Ok(sent)
            });
        }
        let mut all = Sent::default();
        while let Some(sent) = clients.join_next().await {
            let sent = sent.map_err(|error| error.to_string())??;
            for (whose, ids) in sent.ids {
                all.ids.entry(whose).or_default().extend(ids);
            }
            all.bytes += sent.bytes;
            all.refused += sent.refused;
        }
        Ok(all)
    }

    /// Waits until every institution has booked so many records; the numbers of the first.
    async fn booked(&self, fleet: &mut Fleet, records: usize) -> Result<Numbers, String> {
        let records = records as u64;
        self.until("every record final everywhere", fleet, |numbers| numbers.booked >= records)
            .await?;
        self.numbers(0).await
    }

    /// A light client asks for each owner's records; all that was acknowledged must be among them.
    async fn prove(&self, sent: &BTreeMap<usize, BTreeSet<RecordId>>) -> Result<usize, String> {
        let text = |error: &dyn std::fmt::Display| error.to_string();
        let mut client = LightClient::open(&self.network, None).map_err(|error| text(&error))?;
        let at = client.follow().await.map_err(|error| text(&error))?;
        let mut proven = 0;
        for (whose, ids) in sent {
            let key = &self.owners[*whose];
            let (mut found, mut after) = (BTreeSet::new(), None);
            loop {
                let question = Question::Records { owner: key.owner(), at, after };
                let page = client.ask(&question, key).await.map_err(|error| text(&error))?;
                let Known::Records(page) = page.known() else {
                    return Err("the answer is to another kind of question".to_owned());
                };
                found.extend(page.records.iter().map(|listed| listed.id));
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            if let Some(lost) = ids.difference(&found).next() {
                return Err(format!("record {lost} was acknowledged and is not booked"));
            }
            proven += ids.len();
        }
        Ok(proven)
    }

    /// Looks again and again, until all institutions are so far or it has taken too long.
    async fn until(
        &self,
        what: &str,
        fleet: &mut Fleet,
        is_so: impl Fn(Numbers) -> bool,
    ) -> Result<(), String> {
        let deadline = Instant::now() + PATIENCE;
        for institution in 0..self.webs.len() {
            loop {
                if let Some(how) = fleet.fallen() {
                    return Err(how);
                }
                // Who does not answer may answer yet.
                let numbers = self.numbers(institution).await;
                if numbers.as_ref().is_ok_and(|numbers| is_so(*numbers)) {
                    break;
                }
                if Instant::now() >= deadline {
                    let seconds = PATIENCE.as_secs();
                    return Err(format!("{what}: not within {seconds} s, {numbers:?}"));
                }
                tokio::time::sleep(LOOK).await;
            }
        }
        Ok(())
    }

    async fn numbers(&self, institution: usize) -> Result<Numbers, String> {
        let text = self.asker.metrics(&self.webs[institution]).await;
        numbers(&text.map_err(|error| error.to_string())?)
    }
}

fn owner(number: u8) -> SigningKey {
    SigningKey::from_seed(&[number + 1; 32])
}

fn envelope(
    owner: &SigningKey,
    number: usize,
    bytes: usize,
    (chain, delegate): (&mdsm_core::types::ChainId, InstitutionId),
) -> Result<Envelope, String> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    // Unlike any other, and as long as asked for.
    let content = format!("{number:<bytes$}").into_bytes();
    let metadata = Metadata::new(
        ResourceType::new("Observation").map_err(|error| text(&error))?,
        MediaType::new("text/plain").map_err(|error| text(&error))?,
        mdsm_core::types::Timestamp::new(0),
        content.len() as u64,
    );
    let content = Content::inline(content).map_err(|error| text(&error))?;
    let record = Record::new(owner.owner(), metadata, content).map_err(|error| text(&error))?;
    Ok(Envelope::sign(record, chain, owner, delegate))
}

/// The numbers in the metrics of an institution.
fn numbers(metrics: &str) -> Result<Numbers, String> {
    let find = |name: &str| {
        let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        let found = line.and_then(|number| number.trim().parse().ok());
        found.ok_or_else(|| format!("the metrics have no number `{name}`"))
    };
    Ok(Numbers {
        blocks: find("mdsm_blocks_total")?,
        booked: find("mdsm_records_booked_total")?,
        view: find("mdsm_view")?,
    })
}

/// Seconds of a core that were used since these processes and the machine were started.
fn used(fleet: &Fleet) -> Option<Used> {
    let mut institutions = 0.0;
    for process in fleet.processes() {
        institutions += of_process(&format!("/proc/{process}/stat"))?;
    }
    let clients = of_process("/proc/self/stat")?;
    Some(Used { institutions, clients, all: of_machine()? })
}

/// Ticks in a second, on every platform that Linux runs on.
const TICKS: f64 = 100.0;

/// User and system time in the `stat` of a process.
fn of_process(stat: &str) -> Option<f64> {
    let text = std::fs::read_to_string(stat).ok()?;
    // The name of the program may hold anything; it ends with the last bracket.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at)?.parse::<f64>().ok();
    Some((ticks(11)? + ticks(12)?) / TICKS)
}

/// Time in which all cores together were neither idle nor waiting for a disk.
fn of_machine() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/stat").ok()?;
    let fields = text.lines().next()?.strip_prefix("cpu ")?.split_whitespace();
    // User, nice, system, idle, waiting for a disk, two kinds of interrupts, stolen.
    let ticks: Vec<f64> = fields.take(8).filter_map(|field| field.parse().ok()).collect();
    let [user, nice, system, _, _, hard, soft, stolen] = ticks[..] else { return None };
    Some((user + nice + system + hard + soft + stolen) / TICKS)
}

impl Carried {
    /// What limits it, in words.
    #[must_use]
    pub fn limit(&self, load: &Load) -> String {
        let machine = std::thread::available_parallelism().map_or(1.0, |cores| cores.get() as f64);
        let Some(used) = self.used else {
            return "unknown: the system does not say what the processes used".to_owned();
        };
        let share = |seconds: f64| 100.0 * seconds / (self.final_s * machine);
        let own = used.institutions + used.clients;
        let each = |seconds: f64| seconds * 1e6 / self.records.max(1) as f64;
        let (own, all) = (share(own), share(used.all.max(own)));
        let what = if own > BUSY {
            "the processors"
        } else if all > BUSY {
            "the processors, which other programs use too"
        } else {
            "waiting"
        };
        format!(
            "{what}: the network kept {own:.0}% of them busy, everything together {all:.0}%; {:.0} us of a core a \
             record in all eight institutions, {:.0} us in the clients; turns of {} ms, {} views for {} blocks",
            each(used.institutions),
            each(used.clients),
            load.turn_ms,
            self.views,
            self.blocks
        )
    }
}

/// Percent of a machine from which on it counts as busy.
const BUSY: f64 = 80.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_in_metrics_and_nothing_else_is() {
        let text = "# HELP mdsm_blocks Blocks\nmdsm_blocks_total 7\nmdsm_records_booked_total 12\nmdsm_view 9\n# EOF\n";
        assert_eq!(numbers(text), Ok(Numbers { blocks: 7, booked: 12, view: 9 }));
        let missing = numbers("mdsm_blocks_total 7\nmdsm_records_booked_total_not 12\n");
        assert!(missing.unwrap_err().contains("mdsm_records_booked_total"));
    }

    #[test]
    fn a_record_has_the_bytes_asked_for_and_is_unlike_the_others() {
        let chain = mdsm_core::types::ChainId::new([1; 32]);
        let of =
            |number| envelope(&owner(0), number, 1_024, (&chain, InstitutionId::new(1))).unwrap();
        assert_eq!(of(1).record.metadata().size, 1_024);
        assert_ne!(of(1).record.id(), of(2).record.id());
    }

    #[test]
    fn what_is_said_to_limit_follows_from_the_processors() {
        let load = Load { records: 100, bytes: 1, clients: 1, turn_ms: 100 };
        let carried = |used| Carried {
            records: 100,
            bytes: 100,
            accepted_s: 1.0,
            final_s: 1.0,
            blocks: 1,
            views: 1,
            refused: 0,
            used,
            proven: 100,
        };
        assert!(carried(None).limit(&load).starts_with("unknown"));
        let limit = |institutions, all| {
            carried(Some(Used { institutions, clients: 0.0, all })).limit(&load)
        };
        assert!(limit(1e6, 1e6).starts_with("the processors: "));
        assert!(limit(0.0, 1e6).starts_with("the processors, which other programs use too: "));
        assert!(limit(0.0, 0.0).starts_with("waiting: "));
    }
}
