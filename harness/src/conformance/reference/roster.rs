//! `roster`: credit and committees, block by block and freeze by freeze. [COM-1] to [COM-7] [COM-9]

use std::collections::BTreeMap;

use mdsm_core::crypto::sha256;
use mdsm_core::ledger::{Offence, OffenceKind};
use mdsm_core::roster::{CreditChange, Expulsion, Facts, Founder, Roster, Seat, ServiceFact};
use mdsm_core::types::{InstitutionId, RecordId, View};
use serde_json::{Value, json};

use super::super::class::Class;
use super::super::value::{Field, bytes, decimal};
use super::{Outcome, Refusal, epoch, ids, institution, key, reject};

pub(super) fn roster(args: &Field<'_>) -> Outcome {
    let founders = args.get("founders")?.each(founder)?;
    let (producers, auditors) =
        (args.get("producers")?.integer()?, args.get("auditors")?.integer()?);
    let mut roster = Roster::found(&founders, producers, auditors)
        .or_else(|error| reject(Class::Refused, error))?;
    let steps = args.get("steps")?.each(|step| take(&mut roster, step))?;
    let mut state = Vec::new();
    roster.state_into(&mut state);
    Ok(json!({
        "steps": Value::from(steps),
        "committees": bytes(roster.digest().as_bytes()),
        "state": bytes(sha256(&state).as_bytes()),
    }))
}

fn founder(field: &Field<'_>) -> Result<Founder, Refusal> {
    Ok(Founder {
        institution: institution(&field.get("institution")?)?,
        key: key(&field.get("key")?)?,
        rating: field.get("rating")?.integer()?,
        centre: field.get("centre")?.integer()?,
    })
}

fn view(field: &Field<'_>) -> Result<View, Refusal> {
    Ok(View::new(field.decimal()?))
}

fn take(roster: &mut Roster, step: &Field<'_>) -> Outcome {
    if let Some(block) = step.find("block")? {
        return self::block(roster, &block);
    }
    let report = roster.freeze(view(&step.get("freeze")?.get("last_view")?)?);
    let seats = roster.committees();
    let seated = |seats: &[Seat]| ids(seats.iter().map(|seat| seat.institution));
    let expelled = report.expelled.iter().map(|Expulsion { institution, .. }| *institution);
    Ok(json!({
        "credit": credit(&report.changes),
        "expelled": ids(expelled),
        "promoted": ids(report.promoted.iter().copied()),
        "seated": ids(report.seated.iter().copied()),
        "producers": seated(&seats.producers),
        "auditors": seated(&seats.auditors),
    }))
}

fn block(roster: &mut Roster, block: &Field<'_>) -> Outcome {
    let certificate = block.find("certificate")?;
    let signers = match &certificate {
        Some(signers) => signers.each(institution)?,
        None => Vec::new(),
    };
    let offences = block.get("offences")?.each(offence)?;
    let services = block.get("services")?.each(|service| {
        Ok::<_, Refusal>(ServiceFact {
            grant: RecordId::new(service.get("grant")?.array()?),
            epoch: epoch(&service.get("epoch")?)?,
            institution: institution(&service.get("institution")?)?,
        })
    })?;
    let registrations = block.get("joining")?.each(founder)?;
    let facts = Facts {
        view: view(&block.get("view")?)?,
        parent_view: view(&block.get("parent_view")?)?,
        producer: institution(&block.get("producer")?)?,
        carries_parent_certificate: certificate.is_some(),
        signers: &signers,
        offences: &offences,
        services: &services,
        registrations: &registrations,
    };
    if roster.check(&facts).is_err() {
        return Ok(json!({"refused": true}));
    }
    Ok(json!({"credit": credit(&roster.apply(&facts))}))
}

fn offence(field: &Field<'_>) -> Result<Offence, Refusal> {
    let number: u8 = field.get("kind")?.integer()?;
    let kind = OffenceKind::ALL.iter().find(|kind| **kind as u8 == number);
    Ok(Offence {
        institution: institution(&field.get("institution")?)?,
        epoch: epoch(&field.get("epoch")?)?,
        view: view(&field.get("view")?)?,
        kind: *kind.ok_or_else(|| field.wrong(format!("kind {number}, there are 1 to 7")))?,
    })
}

/// Changes summed by institution, without zeros.
fn credit(changes: &[CreditChange]) -> Value {
    let mut sums: BTreeMap<InstitutionId, i64> = BTreeMap::new();
    for CreditChange { institution, amount, .. } in changes {
        *sums.entry(*institution).or_default() += amount;
    }
    let written = sums.into_iter().filter(|(_, sum)| *sum != 0).map(
        |(institution, sum)| json!({"institution": institution.get(), "amount": decimal(sum)}),
    );
    written.collect()
}
