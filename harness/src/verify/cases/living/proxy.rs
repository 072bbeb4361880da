//! People share a file over HTTP, each with a light client, once through an honest proxy and once through one that
//! re-encrypts wrongly. [PRE-3] [PRE-4] [PRE-5] [PRE-6] [PRE-8]

use std::path::Path;
use std::time::Instant;

use mdsm_core::access::Finding;
use mdsm_core::client::Granted;
use mdsm_core::environment::{Clock, Secret};
use mdsm_core::ledger::{MediaType, ResourceType, Service, ServiceKind};
use mdsm_core::node::{NodeConfig, Start};
use mdsm_core::reencryption::{OpenError, Set, Variant};
use mdsm_core::runtime::settings::{NetworkFile, NodeFile};
use mdsm_core::runtime::{Home, Prechecked};
use mdsm_core::service::LightClient;
use mdsm_core::service::sharing::{
    DeliveryFault, Exchange, ExchangeError, Label, Person, Remote, SharingError, Terms, until,
};
use mdsm_core::types::{Height, InstitutionId, RecordId};
use rand_chacha::rand_core::Rng as _;

use super::super::super::world::World;
use super::super::{Case, Check, Fault, Means, hold, text};
use super::{PATIENCE, Stage};
use crate::living::ProxyKind;

/// The proxy that does its work.
const HONEST: InstitutionId = InstitutionId::new(5);
/// The one that does not.
const CROOK: InstitutionId = InstitutionId::new(6);
/// Whose books are looked at in the end.
const WITNESS: InstitutionId = InstitutionId::new(8);
/// Blocks for which a grant holds: longer than the case.
const BLOCKS: u64 = 100_000;
/// Blocks after which a receipt of service should be booked.
const SOON: u64 = 20;

pub(super) fn case(means: &Means) -> Case {
    let means = means.clone();
    Case {
        id: "living.proxy".to_owned(),
        title: "people share over HTTP through a process each; a proxy that re-encrypts wrongly is found out, disputed \
                and confirmed, and earns nothing"
            .to_owned(),
        requirements: &[
            "PRE-3.1", "PRE-3.2", "PRE-3.6", "PRE-4.1", "PRE-4.2", "PRE-5.1", "PRE-5.3", "PRE-6.1", "PRE-6.2",
            "PRE-8.1", "PRE-8.3", "COM-6.14", "DDB-3.2", "CLI-2.3",
        ],
        check: Box::new(move |world: &World| {
            let mut stage = Stage::set(&means)?;
            stage.fleet.kill(CROOK);
            stage.fleet.launch_with(CROOK, ProxyKind::Wrong).map_err(Fault::Undecided)?;
            stage.all_answer()?;
            let (mut seeds, mut stream) = ([[0; 32]; 2], world.seed.stream("living.proxy"));
            seeds.iter_mut().for_each(|seed| stream.fill_bytes(seed));
            play(&mut stage, seeds)
        }),
    }
}

fn play(stage: &mut Stage, seeds: [[u8; 32]; 2]) -> Check {
    let network = stage.fleet.local().network().clone();
    let share = share(&network, stage.folder.path(), seeds);
    let shared = stage.fleet.runtime();
    let shared = shared.block_on(async { tokio::time::timeout(PATIENCE, share).await });
    let late = |_| Fault::Undecided(format!("sharing: not within {} s", PATIENCE.as_secs()));
    let patient = shared.map_err(late)??;
    let started = Instant::now();
    let judged = loop {
        let soon = async {
            let tip = patient.tip().await?.height.get();
            patient.above(Height::new(tip.saturating_add(SOON))).await
        };
        stage.fleet.runtime().block_on(soon).map_err(text)?;
        stage.fleet.kill(WITNESS);
        let judged = judged(stage, &network)?;
        if judged.services[0] > 0 {
            break judged;
        }
        stage.fleet.launch(WITNESS).map_err(Fault::Undecided)?;
        stage.pause("the honest proxy's service is booked", started)?;
    };
    let Judged { services: [honest, crook], wrong } = judged;
    hold((honest, crook, wrong) == (1, 0, [0, 1]), || {
        format!(
            "services credited: {honest} to the honest proxy, {crook} to the other one; wrong deliveries counted: {wrong:?}"
        )
    })?;
    Ok(format!(
        "the reader opened what institution {HONEST} had re-encrypted, and found out institution {CROOK}; 1 service was \
         credited to the first, none to the second, which has 1 wrong delivery on record; {} s",
        stage.began.elapsed().as_secs()
    ))
}

/// Somebody who believes no institution.
struct Somebody {
    person: Person,
    remote: Remote,
}

impl Somebody {
    fn new(
        network: &NetworkFile,
        folder: &Path,
        (name, seed): (&str, [u8; 32]),
    ) -> Result<Self, Fault> {
        let secret = Secret::from_seed(seed);
        let client = LightClient::open(network, None).map_err(text)?;
        let remote = Remote::new(network, client, secret.signing(), None).map_err(text)?;
        let person = Person::new(&secret, Set::S704, &folder.join(name)).map_err(text)?;
        Ok(Self { person, remote })
    }

    /// Waits for something that a grant has come to.
    async fn sees<T>(
        &self,
        grant: RecordId,
        look: impl Fn(Granted) -> Option<T>,
    ) -> Result<T, Fault> {
        let look = &look;
        let seen = until(&self.remote, async |x| {
            Ok(x.dealing(grant).await?.and_then(|dealing| dealing.grant).and_then(look))
        });
        Ok(seen.await.map_err(text)?)
    }
}

/// The whole way up to the receipts of service; gives the patient's sight of the
/// network.
async fn share(
    network: &NetworkFile,
    folder: &Path,
    [patients, doctors]: [[u8; 32]; 2],
) -> Result<Remote, Fault> {
    let mut patient = Somebody::new(network, folder, ("patient", patients))?;
    let doctor = Somebody::new(network, folder, ("doctor", doctors))?;
    let file = b"A chest radiograph would stand here. ".repeat(1_000);
    let record = added(&patient, &file).await?;
    let sound = granted(&mut patient, &doctor, record, HONEST).await?;
    let wrong = granted(&mut patient, &doctor, record, CROOK).await?;
    for grant in [sound, wrong] {
        doctor.sees(grant, |it| it.delivery).await?;
    }
    let Somebody { person: reader, remote: practice } = &doctor;
    let opened = reader.open(practice, sound, record).await.map_err(text)?;
    hold(opened == file, || "the reader opens another file".to_owned())?;
    let found = reader.open(practice, wrong, record).await.map(|_| ());
    let is_found = matches!(
        found,
        Err(SharingError::Delivery { fault: DeliveryFault::Wrong(OpenError::NotTheOriginal), .. })
    );
    hold(is_found, || format!("the wrong delivery is taken for {found:?}"))?;
    let undisputed = reader.dispute(practice, sound, record).await;
    hold(matches!(undisputed, Err(SharingError::Sound { .. })), || {
        format!("the sound delivery is disputed: {undisputed:?}")
    })?;
    reader.dispute(practice, wrong, record).await.map_err(text)?;

    patient.sees(wrong, |it| it.dispute).await?;
    let Somebody { person: owner, remote: home } = &patient;
    let early = owner.reward(home, wrong).await;
    hold(matches!(early, Err(SharingError::NotNow { .. })), || {
        format!("a reward while the delivery is in dispute: {early:?}")
    })?;
    owner.confirm(home, wrong, Finding::Wrong).await.map_err(text)?;
    patient.sees(wrong, |it| it.confirmation).await?;

    // A receipt of service is judged by what was booked before its epoch, so the finding counts from the next one on.
    let epoch = home.tip().await.map_err(text)?.epoch;
    let next = until(home, async |x| Ok((x.tip().await?.epoch > epoch).then_some(())));
    next.await.map_err(text)?;
    owner.reward(home, sound).await.map_err(text)?;
    // The patient's own client signs none for the other one; no institution takes one that is signed all the same.
    let (epoch, served) =
        (home.tip().await.map_err(text)?.epoch, (CROOK, ServiceKind::Reencryption));
    let key = Secret::from_seed(patients).signing();
    let bought = Service::sign(&home.chain(), wrong, epoch, served, &key);
    let unearned = home.report(bought).await;
    hold(matches!(unearned, Err(ExchangeError::Refused { .. })), || {
        format!("a receipt for the wrong delivery: {unearned:?}")
    })?;
    Ok(patient.remote)
}

async fn added(patient: &Somebody, file: &[u8]) -> Result<RecordId, Fault> {
    let Somebody { person, remote } = patient;
    let label = Label {
        resource_type: ResourceType::new("ImagingStudy").map_err(text)?,
        content_type: MediaType::new("application/dicom").map_err(text)?,
    };
    person.declare(remote).await.map_err(text)?;
    let record = person.add(remote, label, file).await.map_err(text)?;
    until(remote, async |x| Ok(x.record(record).await?)).await.map_err(text)?;
    until(remote, async |x| Ok(x.keys_of(person.id()).await?)).await.map_err(text)?;
    Ok(record)
}

async fn granted(
    patient: &mut Somebody,
    doctor: &Somebody,
    record: RecordId,
    proxy: InstitutionId,
) -> Result<RecordId, Fault> {
    let owner = patient.person.id();
    let asked = doctor.person.ask(&doctor.remote, owner, [record].into(), Variant::Public);
    let request = asked.await.map_err(text)?;
    until(&patient.remote, async |x| Ok(x.dealing(request).await?)).await.map_err(text)?;
    let terms = Terms { records: [record].into(), blocks: BLOCKS, proxy: Some(proxy) };
    let settled = patient.person.settle(&patient.remote, request, &terms, |_| {}).await;
    Ok(settled.map_err(text)?)
}

/// What the chain says of both proxies, the honest one first.
struct Judged {
    services: [u64; 2],
    wrong: [u64; 2],
}

/// Reads it from the books of an institution that does not run.
fn judged(stage: &Stage, network: &NetworkFile) -> Result<Judged, Fault> {
    let settings = NodeFile::read(stage.fleet.local().settings(WITNESS)).map_err(text)?;
    let (home, _) = Home::open(settings.home).map_err(text)?;
    let founders = network.founders();
    let config = NodeConfig { me: WITNESS, delay_ms: settings.delay_ms };
    let start = Start { genesis: network.genesis.clone(), founders: &founders };
    let roused = home.rouse(config, &start, Prechecked::default(), Clock::new().now());
    let node = roused.map_err(text)?.node;
    let (roster, access) = (node.chain().roster(), node.booked().access());
    let both = [HONEST, CROOK];
    let services = both.map(|id| roster.institution(id).map_or(0, |it| it.performance.services));
    Ok(Judged { services, wrong: both.map(|id| access.wrong_deliveries(id)) })
}
