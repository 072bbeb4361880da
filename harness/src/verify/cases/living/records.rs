//! Records flow while a producer and an auditor are killed and started again, then clients of different kinds are
//! asked the same. [CON-7] [DDB-1] [ANC-2] [CLI-1] [CLI-2] [CLI-4]

use std::collections::BTreeSet;
use std::sync::{Arc, mpsc};
use std::time::Instant;

use mdsm_core::anchoring::{ChainParameters, HeaderChain, examine};
use mdsm_core::client::{Known, Question, full};
use mdsm_core::codec::Wire as _;
use mdsm_core::crypto::sign::SigningKey;
use mdsm_core::ledger::{Content, Envelope, MediaType, Metadata, Record, ResourceType};
use mdsm_core::params::ANCHOR_CONFIRMATIONS;
use mdsm_core::runtime::settings::NodeFile;
use mdsm_core::runtime::{Books, Home};
use mdsm_core::service::{AskError, Asker, LightClient, Shelf};
use mdsm_core::types::{ChainId, Height, InstitutionId, RecordId, Timestamp};
use rand_chacha::rand_core::Rng as _;

use super::super::super::world::World;
use super::super::{Case, Check, Fault, Means, hold, text};
use super::Stage;

/// Records that flow.
const RECORDS: u32 = 120;
/// Records under way at any moment, the moment of a kill among them.
const SENDERS: u32 = 4;
/// A producer, and when it is killed and started again, counted in records that were answered or given up.
const PRODUCER: (u32, usize, usize) = (2, 30, 70);
/// An auditor, the same.
const AUDITOR: (u32, usize, usize) = (6, 50, 90);

pub(super) fn case(means: &Means) -> Case {
    let means = means.clone();
    Case {
        id: "living.processes".to_owned(),
        title: "eight processes on sockets book what they acknowledged though a producer and an auditor are killed, \
                anchor it, and clients of different kinds answer alike"
            .to_owned(),
        requirements: &["DDB-1.8", "ANC-2.2", "CLI-1.1", "CLI-2.1", "CLI-2.2", "CLI-4.1", "CLI-4.2"],
        check: Box::new(move |world: &World| {
            let (stage, key) = (Stage::set(&means)?, Arc::new(key(world)));
            Scene { stage, key, acknowledged: BTreeSet::new() }.play()
        }),
    }
}

/// The patient's key.
fn key(world: &World) -> SigningKey {
    let mut seed = [0; 32];
    world.seed.stream("living").fill_bytes(&mut seed);
    SigningKey::from_seed(&seed)
}

struct Scene {
    stage: Stage,
    key: Arc<SigningKey>,
    acknowledged: BTreeSet<RecordId>,
}

impl Scene {
    fn play(&mut self) -> Check {
        let mut client =
            LightClient::open(self.stage.fleet.local().network(), None).map_err(text)?;
        self.flow()?;
        let acknowledged = self.acknowledged.len();
        self.until("every institution answers again", |scene| Ok(scene.stage.answering() == 8))?;
        let mut at = Height::new(0);
        self.until("every acknowledged record is booked", |scene| {
            at = scene.follow(&mut client)?;
            let booked = scene.booked(&mut client, at)?;
            Ok(scene.acknowledged.is_subset(&booked))
        })?;
        let receipts = self.receipts(&mut client)?;
        let alike = self.full_answers_alike(&mut client)?;
        let seconds = self.stage.began.elapsed().as_secs();
        Ok(format!(
            "{acknowledged} of {RECORDS} records were acknowledged, and each is booked; {receipts} receipts hold \
             against Bitcoin's headers; {alike}; {seconds} s"
        ))
    }

    /// Looks again and again, until it is so or it has taken too long.
    fn until(
        &mut self,
        what: &str,
        mut is_so: impl FnMut(&mut Self) -> Result<bool, Fault>,
    ) -> Result<(), Fault> {
        let started = Instant::now();
        while !is_so(self)? {
            self.stage.pause(what, started)?;
        }
        Ok(())
    }

    /// Several senders give records to the institutions in turn, while two of these are killed and started again. What
    /// those two do not acknowledge may be lost; the other six acknowledge everything.
    fn flow(&mut self) -> Result<(), Fault> {
        let network = self.stage.fleet.local().network();
        let (chain, created) = (network.genesis.chain_id(), network.genesis.started_at);
        let asker = LightClient::open(network, None).map_err(text)?.asker().clone();
        let webs = self.stage.webs();
        let envelopes: Vec<Envelope> = (0..RECORDS)
            .zip(webs.iter().cycle())
            .map(|(number, (delegate, _))| record(number, created, &self.key, &chain, *delegate))
            .collect::<Result<_, _>>()?;
        let (told, answers) = mpsc::channel();
        for sender in 0..SENDERS {
            let (asker, told, key) = (asker.clone(), told.clone(), self.key.clone());
            let mine = envelopes.iter().zip(webs.iter().cycle().cloned());
            let mine = mine.skip(sender as usize).step_by(SENDERS as usize);
            let mine: Vec<_> = mine.map(|(envelope, (_, web))| (envelope.clone(), web)).collect();
            self.stage.fleet.runtime().spawn(async move {
                for (envelope, web) in mine {
                    let (id, to) = (envelope.record.id(), envelope.booked_by);
                    let sent = send(&asker, &web, &key, envelope).await;
                    // Nobody listens any more when the case has ended.
                    let _ = told.send((id, to, sent));
                }
            });
        }
        drop(told);
        let dead = [PRODUCER, AUDITOR];
        for number in 0.. {
            for (id, killed, started) in dead {
                let id = InstitutionId::new(id);
                if number == killed {
                    self.stage.fleet.kill(id);
                }
                if number == started {
                    self.stage.fleet.launch(id).map_err(Fault::Undecided)?;
                }
            }
            let Ok((id, to, sent)) = answers.recv() else { break };
            match sent {
                Ok(()) => _ = self.acknowledged.insert(id),
                Err(_) if dead.iter().any(|(dead, ..)| to == InstitutionId::new(*dead)) => {}
                Err(why) => {
                    return Err(format!("institution {to} did not acknowledge {id}: {why}").into());
                }
            }
        }
        Ok(())
    }

    fn follow(&self, client: &mut LightClient) -> Result<Height, Fault> {
        let height = self.stage.fleet.runtime().block_on(client.follow());
        height.map_err(|error| Fault::Broken(format!("light client: {error}")))
    }

    fn booked(&self, client: &mut LightClient, at: Height) -> Result<BTreeSet<RecordId>, Fault> {
        let records = self.stage.fleet.runtime().block_on(client.records(&self.key, at));
        let (records, _) = records.map_err(|error| Fault::Broken(format!("records: {error}")))?;
        Ok(records.records.iter().map(|listed| listed.id).collect())
    }

    /// Every acknowledged record gets a receipt that holds with nothing but headers.
    fn receipts(&mut self, client: &mut LightClient) -> Result<usize, Fault> {
        let mut waiting: Vec<RecordId> = self.acknowledged.iter().copied().collect();
        self.until("every record has a receipt down to Bitcoin", |scene| {
            let at = scene.follow(client)?;
            while let Some(id) = waiting.last().copied() {
                let question = Question::Receipt { id, at };
                let asked = scene.stage.fleet.runtime().block_on(client.ask(&question, &scene.key));
                let answered =
                    asked.map_err(|error| Fault::Broken(format!("receipt of {id}: {error}")))?;
                let receipt = answered.heard.iter().find_map(|heard| match &heard.known {
                    Known::Receipt(Some(receipted)) => {
                        receipted.receipt.clone().filter(|it| it.bitcoin.is_some())
                    }
                    _ => None,
                });
                let Some(receipt) = receipt else { return Ok(false) };
                let claim = examine(&receipt, None).map_err(text)?;
                // Asked for after the receipt, which may lie in a block that was found just now.
                let headers = scene.stage.fleet.headers().map_err(text)?;
                let headers = HeaderChain::from_bytes(&headers, ChainParameters::Regtest);
                let headers = headers.map_err(text)?;
                let held = claim.confirm(&headers, ANCHOR_CONFIRMATIONS);
                held.map_err(|error| Fault::Broken(format!("receipt of {id}: {error}")))?;
                waiting.pop();
            }
            Ok(true)
        })?;
        Ok(self.acknowledged.len())
    }

    /// The full client, from its own books and without a proof, says what the light client was shown.
    fn full_answers_alike(&mut self, client: &mut LightClient) -> Check {
        let (owner, at) = (self.key.owner(), self.follow(client)?);
        let (light, _) = self
            .stage
            .fleet
            .runtime()
            .block_on(client.records(&self.key, at))
            .map_err(|error| Fault::Broken(format!("records: {error}")))?;
        let institutions = self.stage.fleet.institutions();
        for id in &institutions {
            self.stage.fleet.kill(*id);
        }
        for id in &institutions {
            let settings = NodeFile::read(self.stage.fleet.local().settings(*id)).map_err(text)?;
            let (home, _) = Home::open(settings.home).map_err(text)?;
            let (books, opened) = Books::open(&home.store()).map_err(text)?;
            hold(opened.lost.is_empty(), || format!("institution {id} lost {:?}", opened.lost))?;
            let shelf = Shelf::new(*id, self.stage.fleet.local().network(), Arc::new(books));
            let shelf = shelf.map_err(text)?;
            let view = shelf.at(at, None).map_err(text)?;
            let question = Question::Records { owner, at, after: None };
            let known = full::known(&view, &question, Some(&owner)).map_err(text)?;
            let Known::Records(full) = known else {
                return Err(format!("institution {id} answers something else").into());
            };
            let first: Vec<RecordId> = light.records.iter().map(|it| it.id).collect();
            let own: Vec<RecordId> = full.records.iter().map(|it| it.id).collect();
            let is_all = full.next.is_some() || own.len() == first.len();
            hold(first.starts_with(&own) && is_all && !own.is_empty(), || {
                format!(
                    "institution {id} lists {} records, the light client {}",
                    own.len(),
                    first.len()
                )
            })?;
        }
        Ok(format!(
            "the light client and {} full clients list the same records",
            institutions.len()
        ))
    }
}

/// Declares the patient to an institution and hands it a record.
async fn send(
    asker: &Asker,
    web: &str,
    key: &SigningKey,
    envelope: Envelope,
) -> Result<(), AskError> {
    asker.post(web, "/v1/requests", Some(key), Vec::new()).await?;
    asker.post(web, "/v1/records", None, envelope.to_bytes()).await?;
    Ok(())
}

fn record(
    number: u32,
    created: Timestamp,
    key: &SigningKey,
    chain: &ChainId,
    delegate: InstitutionId,
) -> Result<Envelope, Fault> {
    let words = format!("{{\"resourceType\":\"Observation\",\"id\":\"{number}\"}}").into_bytes();
    let kind = ResourceType::new("Observation").map_err(text)?;
    let media = MediaType::new("application/fhir+json").map_err(text)?;
    let bytes = u64::try_from(words.len()).map_err(text)?;
    let metadata = Metadata::new(kind, media, created, bytes);
    let content = Content::inline(words).map_err(text)?;
    let record = Record::new(key.owner(), metadata, content).map_err(text)?;
    Ok(Envelope::sign(record, chain, key, delegate))
}
