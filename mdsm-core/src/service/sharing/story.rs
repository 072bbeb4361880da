//! The chapter on sharing of a demonstration. [PRE-3] [PRE-4] [PRE-5] [PRE-6] [PRE-7]

use std::collections::BTreeSet;

use super::error::SharingError;
use super::exchange::Exchange;
use super::person::{Label, Person, until};
use crate::reencryption::Variant;
use crate::types::{InstitutionId, RecordId};

/// Blocks for which the patient grants.
const BLOCKS: u64 = 10_000;

/// What came of the story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The file.
    pub record: RecordId,
    /// The grant.
    pub grant: RecordId,
    /// The proxy.
    pub proxy: InstitutionId,
}

/// Tells how a patient shares one file with a doctor and takes it back. Institutions serve meanwhile.
pub async fn story<X: Exchange>(
    exchange: &X,
    (patient, doctor): (&mut Person, &Person),
    (label, file): (Label, &[u8]),
    say: impl Fn(&str),
) -> Result<Told, SharingError> {
    patient.declare(exchange).await?;
    let id = patient.add(exchange, label, file).await?;
    let declared = async |x: &X| Ok(x.keys_of(patient.id()).await?);
    until(exchange, declared).await?;
    until(exchange, async |x| Ok(x.record(id).await?)).await?;
    say(&format!(
        "the patient has sealed a file of {} bytes; chain and vault hold what nobody else can read",
        file.len()
    ));
    let request = doctor.ask(exchange, patient.id(), BTreeSet::from([id]), Variant::Public).await?;
    until(exchange, async |x| Ok(x.dealing(request).await?)).await?;
    say("a doctor asks for it, by a record that everybody sees");
    let grant = patient.grant(exchange, request, &BTreeSet::from([id]), BLOCKS).await?;
    let bids = until(exchange, async |x| {
        let granted = x.dealing(grant).await?.and_then(|dealing| dealing.grant);
        let bids: Option<Vec<InstitutionId>> = granted.map(|it| it.bids.keys().copied().collect());
        Ok(bids.filter(|bids| bids.len() > 1))
    });
    let bids = bids.await?;
    let names: Vec<String> = bids.iter().map(ToString::to_string).collect();
    say(&format!("the patient grants it; institutions {} bid to re-encrypt", names.join(", ")));
    let proxy = bids[0];
    patient.choose(exchange, grant, proxy).await?;
    until(exchange, async |x| {
        let granted = x.dealing(grant).await?.and_then(|dealing| dealing.grant);
        Ok(granted.and_then(|granted| granted.delivery))
    })
    .await?;
    say(&format!(
        "the patient chooses institution {proxy}, which turns the capsule into one for the doctor, \
         and cannot open either"
    ));
    let opened = doctor.open(exchange, grant, id).await?;
    if opened != file {
        return Err(SharingError::AnotherRecord { record: id });
    }
    say(&format!("the doctor opens the file with its own key: {} bytes, the same", opened.len()));
    patient.reward(exchange, grant).await?;
    patient.revoke(exchange, grant).await?;
    until(exchange, async |x| {
        let granted = x.dealing(grant).await?.and_then(|dealing| dealing.grant);
        Ok(granted.and_then(|granted| granted.revocation))
    })
    .await?;
    say("the patient takes the grant back: nothing more is delivered under it");
    Ok(Told { record: id, grant, proxy })
}
