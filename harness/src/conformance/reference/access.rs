//! `access`: which acts have effect, and who may read in the end. [PRE-3] [PRE-4] [PRE-7] [PRE-8]

use std::collections::{BTreeMap, BTreeSet};

use mdsm_core::access::{Access, Act, Reading, Registry};
use mdsm_core::types::{Height, InstitutionId, OwnerId, RecordId};
use serde_json::{Value, json};

use super::super::value::{Field, bytes};
use super::{Outcome, Refusal, institution, key, wire};

/// What the chain knows besides the acts.
#[derive(Default)]
struct Known {
    owners: BTreeMap<RecordId, OwnerId>,
    seats: BTreeMap<OwnerId, InstitutionId>,
}

impl Registry for Known {
    fn institution_of(&self, key: &OwnerId) -> Option<InstitutionId> {
        self.seats.get(key).copied()
    }

    fn owner_of(&self, record: &RecordId) -> Option<OwnerId> {
        self.owners.get(record).copied()
    }
}

fn record(field: &Field<'_>) -> Result<RecordId, Refusal> {
    Ok(RecordId::new(field.array()?))
}

pub(super) fn access(args: &Field<'_>) -> Outcome {
    let (mut known, mut access, mut effects) = (Known::default(), Access::default(), Vec::new());
    for owned in args.get("owners")?.list()? {
        known.owners.insert(record(&owned.get("record")?)?, key(&owned.get("owner")?)?);
    }
    for step in args.get("steps")?.list()? {
        if let Some(height) = step.find("reach")? {
            access.advance(Height::new(height.decimal()?));
        } else if let Some(seats) = step.find("seats")? {
            let seat = |seat: &Field<'_>| {
                Ok::<_, Refusal>((key(&seat.get("key")?)?, institution(&seat.get("institution")?)?))
            };
            known.seats = seats.each(seat)?.into_iter().collect();
        } else {
            let book = step.get("book")?;
            let (record, signer) = (record(&book.get("record")?)?, key(&book.get("signer")?)?);
            let act: Act = wire(&book.get("act")?)?;
            effects.push(access.apply(record, &signer, &act, &known).is_ok());
        }
    }
    let owners: BTreeSet<OwnerId> = known.owners.values().copied().collect();
    let mut readings: Vec<Reading> =
        owners.iter().flat_map(|owner| access.readings_of(owner)).collect();
    readings.sort_unstable_by_key(|reading| (reading.grant, reading.record));
    let written = readings.iter().map(|Reading { grant, record, reader_key, .. }| {
        json!({
            "grant": bytes(grant.as_bytes()),
            "record": bytes(record.as_bytes()),
            "reader_key": bytes(reader_key.as_bytes()),
        })
    });
    Ok(json!({"steps": effects, "readers": written.collect::<Value>()}))
}
