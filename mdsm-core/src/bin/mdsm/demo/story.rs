//! What happens in a demonstration, as a patient sees it who asks by a light client and believes nobody.

use std::time::Instant;

use mdsm_core::anchoring::{ChainParameters, HeaderChain, examine};
use mdsm_core::client::{Known, Question, Standing};
use mdsm_core::environment::{Clock, Secret, draw};
use mdsm_core::ledger::{Content, Envelope, MediaType, Metadata, Receipt, Record, ResourceType};
use mdsm_core::params::ANCHOR_CONFIRMATIONS;
use mdsm_core::reencryption::Set;
use mdsm_core::service::LightClient;
use mdsm_core::service::sharing::{Exchange as _, Label, Person, Remote, story};
use mdsm_core::types::{Height, RecordId};

use super::fault;
use super::stage::Stage;
use crate::Failure;

/// Tells it all: records, a freeze, an anchor, receipts, a shared file.
pub(super) async fn tell(stage: &Stage) -> Result<(), Failure> {
    let genesis = &stage.network().genesis;
    stage.say(&format!(
        "{} producers and {} auditors run {}; the network is {}",
        genesis.producers,
        genesis.auditors,
        stage.place(),
        genesis.chain_id()
    ));
    let patient = Secret::from_seed(draw().map_err(fault)?);
    let client = LightClient::open(stage.network(), None).map_err(fault)?;
    let mut watcher = Onlooker { stage, client, patient: &patient };
    watcher.first_block().await?;
    let ids = visit(stage, &patient).await?;
    watcher.booked(&ids).await?;
    watcher.certified(&ids).await?;
    watcher.anchored(&ids).await?;
    share(stage, &patient).await
}

/// A patient's light client.
struct Onlooker<'a> {
    stage: &'a Stage,
    client: LightClient,
    patient: &'a Secret,
}

impl Onlooker<'_> {
    /// Looks once a turn until something is there. Who does not answer may answer yet.
    async fn until<T>(
        &mut self,
        what: &str,
        mut look: impl AsyncFnMut(&mut Self) -> Result<Option<T>, Failure>,
    ) -> Result<T, Failure> {
        let deadline = Instant::now() + self.stage.patience();
        loop {
            let seen = look(self).await;
            if let Ok(Some(seen)) = seen {
                return Ok(seen);
            }
            if Instant::now() >= deadline {
                let seconds = self.stage.patience().as_secs();
                let last = seen.err().map(|failure| match failure {
                    Failure::Refused(why) | Failure::Unknown(why) | Failure::Fault(why) => why,
                });
                let last = last.map(|why| format!(": {why}")).unwrap_or_default();
                return Err(Failure::Refused(format!("{what}: not within {seconds} s{last}")));
            }
            tokio::time::sleep(self.stage.turn()).await;
        }
    }

    async fn follow(&mut self) -> Result<Height, Failure> {
        self.client.follow().await.map_err(refused)
    }

    async fn first_block(&mut self) -> Result<(), Failure> {
        let height = self.until("a final block", async |it: &mut Self| {
            Ok(Some(it.follow().await?).filter(|height| height.get() > 0))
        });
        let height = height.await?;
        let needed = self.client.light().auditors_needed();
        self.stage.say(&format!("block {height} is final; so say {needed} auditors, with proof"));
        Ok(())
    }

    /// How far the records have come, the one that is least far; nothing while one is not booked.
    async fn standing(&mut self, ids: &[RecordId]) -> Result<Option<Standing>, Failure> {
        let at = self.follow().await?;
        let listed = self.client.records(&self.patient.signing(), at).await;
        let listed = listed.map_err(refused)?.0.records;
        let of = |id: &RecordId| listed.iter().find(|one| one.id == *id).map(|one| one.standing);
        Ok(ids.iter().map(of).collect::<Option<Vec<_>>>().and_then(|all| all.into_iter().min()))
    }

    async fn booked(&mut self, ids: &[RecordId]) -> Result<(), Failure> {
        self.until("booked", async |it: &mut Self| it.standing(ids).await).await?;
        self.stage.say("they are booked in a final block, and the patient's client has checked it");
        Ok(())
    }

    async fn certified(&mut self, ids: &[RecordId]) -> Result<(), Failure> {
        let epoch = self.until("certified", async |it: &mut Self| {
            let standing = it.standing(ids).await?;
            Ok(standing.and_then(|standing| match standing {
                Standing::Anchored(epoch) => Some(epoch),
                Standing::Final(_) => None,
            }))
        });
        let epoch = epoch.await?;
        let words = "is frozen, and both committees have certified its anchor";
        self.stage.say(&format!("epoch {epoch} {words}"));
        Ok(())
    }

    async fn anchored(&mut self, ids: &[RecordId]) -> Result<(), Failure> {
        let mut receipts = Vec::new();
        for id in ids {
            let receipt =
                self.until("anchored in Bitcoin", async |it: &mut Self| it.receipt(*id).await);
            receipts.push(receipt.await?);
        }
        // Of the node of Bitcoin itself: no institution is believed.
        let headers = self.stage.bitcoin().headers().await.map_err(fault)?;
        let headers = HeaderChain::from_bytes(&headers, ChainParameters::Regtest).map_err(fault)?;
        for receipt in &receipts {
            let claim = examine(receipt, None).map_err(refused)?;
            claim.confirm(&headers, ANCHOR_CONFIRMATIONS).map_err(refused)?;
        }
        self.stage.say(&format!(
            "Bitcoin holds the anchor {ANCHOR_CONFIRMATIONS} blocks deep: {} receipts hold, with nothing but Bitcoin's \
             block headers",
            receipts.len()
        ));
        Ok(())
    }

    /// A receipt with its way into Bitcoin, of whoever has it first.
    async fn receipt(&mut self, id: RecordId) -> Result<Option<Receipt>, Failure> {
        let at = self.follow().await?;
        let question = Question::Receipt { id, at };
        let answered = self.client.ask(&question, &self.patient.signing()).await;
        let receipts = answered.map_err(refused)?.heard.into_iter().filter_map(|heard| {
            let Known::Receipt(Some(receipted)) = heard.known else { return None };
            receipted.receipt.filter(|receipt| receipt.bitcoin.is_some())
        });
        Ok(receipts.into_iter().next())
    }
}

/// A visit at the first hospital, which leaves a few records.
async fn visit(stage: &Stage, patient: &Secret) -> Result<Vec<RecordId>, Failure> {
    let hospital = remote(stage, patient, 0)?;
    let key = patient.signing();
    hospital.request(key.owner()).await.map_err(refused)?;
    let mut ids = Vec::new();
    for (kind, words) in [
        ("Observation", "Blood pressure 128/82 mmHg"),
        ("DiagnosticReport", "Chest radiograph: no infiltrate"),
        ("MedicationRequest", "Amoxicillin 500 mg, three times a day, seven days"),
    ] {
        let metadata = Metadata::new(
            ResourceType::new(kind).map_err(fault)?,
            MediaType::new("text/plain").map_err(fault)?,
            Clock::new().now(),
            words.len() as u64,
        );
        let content = Content::inline(words.as_bytes().to_vec()).map_err(fault)?;
        let record = Record::new(key.owner(), metadata, content).map_err(fault)?;
        let envelope = Envelope::sign(record, &hospital.chain(), &key, hospital.delegate());
        ids.push(hospital.submit(envelope).await.map_err(refused)?);
    }
    stage.say(&format!(
        "a hospital has accepted {} records of a patient and signed for each: they are on its disk",
        ids.len()
    ));
    Ok(ids)
}

/// The patient shares a file with a doctor, and takes it back. Each has its records booked where it likes.
async fn share(stage: &Stage, patients: &Secret) -> Result<(), Failure> {
    let spent = tempfile::tempdir().map_err(fault)?;
    let person = |secret: &Secret, name: &str| {
        Person::new(secret, Set::S704, &spent.path().join(name)).map_err(fault)
    };
    let doctors = Secret::from_seed(draw().map_err(fault)?);
    let (mut patient, doctor) = (person(patients, "patient")?, person(&doctors, "doctor")?);
    let (home, practice) = (remote(stage, patients, 0)?, remote(stage, &doctors, 1)?);
    let file = "A chest radiograph would stand here. ".repeat(4_096).into_bytes();
    let label = Label {
        resource_type: ResourceType::new("ImagingStudy").map_err(fault)?,
        content_type: MediaType::new("application/dicom").map_err(fault)?,
    };
    let told = story((&home, &mut patient), (&practice, &doctor), (label, &file), |words| {
        stage.say(words);
    });
    let told = tokio::time::timeout(stage.patience(), told).await;
    let told = told.map_err(|_| Failure::Refused("sharing: it takes too long".to_owned()))?;
    told.map(|_| ()).map_err(refused)
}

/// The network as one person sees it, over HTTP. `delegate` is the place of its hospital among the members.
fn remote(stage: &Stage, secret: &Secret, delegate: usize) -> Result<Remote, Failure> {
    let network = stage.network();
    let client = LightClient::open(network, None).map_err(fault)?;
    let delegate: Option<_> = network.members.get(delegate).map(|it| it.founder.institution);
    Remote::new(network, client, secret.signing(), delegate).map_err(fault)
}

fn refused(error: impl std::fmt::Display) -> Failure {
    Failure::Refused(error.to_string())
}
