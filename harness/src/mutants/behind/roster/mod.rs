//! Wrong credit and wrong committees. [COM-1] to [COM-7]
//!
//! `state` is the roster with a mistake in it; here steps are read and told.

mod state;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use self::state::{Bug, Wrong as Roster};
use super::{Wrong, result_of};
use crate::conformance::reference::Answer;
use crate::conformance::value::{Field, FieldError, bytes, decimal};
use crate::rules::ed25519::is_sound;
use crate::rules::merkle::sha256;
use crate::rules::roster::{Block, Change, Joining, Offence, Service};

pub(super) const MUTANTS: &[(&str, Wrong)] = &[
    ("roster-block-free", |op, args| Bug::BlockFree.answer(op, args)),
    ("roster-audit-free", |op, args| Bug::AuditFree.answer(op, args)),
    ("roster-service-free", |op, args| Bug::ServiceFree.answer(op, args)),
    ("roster-miss-paid", |op, args| Bug::MissPaid.answer(op, args)),
    ("roster-fraud-cheap", |op, args| Bug::FraudCheap.answer(op, args)),
    ("roster-start-equal", |op, args| Bug::StartEqual.answer(op, args)),
    ("roster-floor-zero", |op, args| Bug::FloorZero.answer(op, args)),
    ("roster-no-ceiling", |op, args| Bug::NoCeiling.answer(op, args)),
    ("roster-misses-uncapped", |op, args| Bug::MissesUncapped.answer(op, args)),
    ("roster-services-uncapped", |op, args| Bug::ServicesUncapped.answer(op, args)),
    ("roster-certificate-optional", |op, args| Bug::CertificateOptional.answer(op, args)),
    ("roster-miss-charged-to-producer", |op, args| Bug::MissToProducer.answer(op, args)),
    ("roster-gap-once", |op, args| Bug::GapOnce.answer(op, args)),
    ("roster-everybody-audits", |op, args| Bug::EverybodyAudits.answer(op, args)),
    ("roster-absence-half", |op, args| Bug::AbsenceHalf.answer(op, args)),
    ("roster-absence-always", |op, args| Bug::AbsenceAlways.answer(op, args)),
    ("roster-offence-twice", |op, args| Bug::OffenceTwice.answer(op, args)),
    ("roster-service-twice", |op, args| Bug::ServiceTwice.answer(op, args)),
    ("roster-offence-old", |op, args| Bug::OffenceOld.answer(op, args)),
    ("roster-offence-bars-nobody", |op, args| Bug::BarsNobody.answer(op, args)),
    ("roster-miss-bars", |op, args| Bug::MissBars.answer(op, args)),
    ("roster-any-leader", |op, args| Bug::AnyLeader.answer(op, args)),
    ("roster-signers-any-order", |op, args| Bug::SignersAnyOrder.answer(op, args)),
    ("roster-outsider-signs", |op, args| Bug::OutsiderSigns.answer(op, args)),
    ("roster-key-shared", |op, args| Bug::KeyShared.answer(op, args)),
    ("roster-id-taken", |op, args| Bug::IdTaken.answer(op, args)),
    ("roster-rating-unbounded", |op, args| Bug::RatingUnbounded.answer(op, args)),
    ("roster-small-order-key", |op, args| Bug::SmallOrderKey.answer(op, args)),
    ("roster-threshold-inclusive", |op, args| Bug::ThresholdInclusive.answer(op, args)),
    ("roster-tie-highest", |op, args| Bug::TieHighest.answer(op, args)),
    ("roster-worst-promoted", |op, args| Bug::WorstPromoted.answer(op, args)),
    ("roster-outsider-promoted", |op, args| Bug::OutsiderPromoted.answer(op, args)),
    ("roster-seat-tie-highest", |op, args| Bug::SeatTieHighest.answer(op, args)),
    ("roster-seat-left-empty", |op, args| Bug::SeatLeftEmpty.answer(op, args)),
    ("roster-auditors-stay", |op, args| Bug::AuditorsStay.answer(op, args)),
    ("roster-changes-unbounded", |op, args| Bug::ChangesUnbounded.answer(op, args)),
    ("roster-changes-six", |op, args| Bug::ChangesSix.answer(op, args)),
    ("roster-fraud-waits", |op, args| Bug::FraudWaits.answer(op, args)),
    ("roster-last-four-go", |op, args| Bug::LastFourGo.answer(op, args)),
    ("roster-seats-never-return", |op, args| Bug::SeatsNeverReturn.answer(op, args)),
    ("roster-guilty-promoted", |op, args| Bug::GuiltyPromoted.answer(op, args)),
    ("roster-turns-restart", |op, args| Bug::TurnsRestart.answer(op, args)),
    ("roster-last-leads-again", |op, args| Bug::LastLeadsAgain.answer(op, args)),
    ("roster-rank-by-centre", |op, args| Bug::RankByCentre.answer(op, args)),
    ("roster-rank-tie-highest", |op, args| Bug::RankTieHighest.answer(op, args)),
];

/// The roster without a mistake.
pub(super) fn control(op: &str, args: &Value) -> Option<Answer> {
    Bug::None.answer(op, args)
}

impl Bug {
    fn answer(self, op: &str, args: &Value) -> Option<Answer> {
        result_of("roster", op, args)?;
        self.told(&Field::whole("args", args)).ok()
    }

    fn told(self, field: &Field<'_>) -> Result<Answer, FieldError> {
        let founders = field.get("founders")?.each(joining)?;
        let (producers, auditors) =
            (field.get("producers")?.integer()?, field.get("auditors")?.integer()?);
        let mut roster = Roster::found(self, &founders, producers, auditors);
        let steps = field.get("steps")?.each(|step| take(&mut roster, step))?;
        let state = &roster.state;
        Ok(Answer::Ok(json!({
            "steps": steps,
            "committees": bytes(state.digest()),
            "state": bytes(sha256(&[&state.bytes()])),
        })))
    }
}

fn take(roster: &mut Roster, step: &Field<'_>) -> Result<Value, FieldError> {
    if let Some(block) = step.find("block")? {
        let block = self::block(&block)?;
        if roster.refuses(&block) {
            return Ok(json!({"refused": true}));
        }
        return Ok(json!({"credit": credit(&roster.block(&block))}));
    }
    let last_view = step.get("freeze")?.get("last_view")?.decimal()?;
    let freeze = roster.freeze(last_view);
    let seats = &roster.state.seats;
    Ok(json!({
        "credit": credit(&freeze.changes),
        "expelled": freeze.expelled,
        "promoted": freeze.promoted,
        "seated": freeze.seated,
        "producers": seats.producers,
        "auditors": seats.auditors,
    }))
}

fn joining(field: &Field<'_>) -> Result<Joining, FieldError> {
    let key = field.get("key")?.array()?;
    Ok(Joining {
        id: field.get("institution")?.integer()?,
        key,
        key_is_sound: is_sound(&key),
        rating: field.get("rating")?.integer()?,
        centre: field.get("centre")?.integer()?,
    })
}

fn block(field: &Field<'_>) -> Result<Block, FieldError> {
    let certificate = field.find("certificate")?;
    Ok(Block {
        view: field.get("view")?.decimal()?,
        parent_view: field.get("parent_view")?.decimal()?,
        producer: field.get("producer")?.integer()?,
        certificate: certificate.map(|signers| signers.each(Field::integer)).transpose()?,
        offences: field.get("offences")?.each(|one| {
            Ok::<_, FieldError>(Offence {
                institution: one.get("institution")?.integer()?,
                epoch: one.get("epoch")?.integer()?,
                view: one.get("view")?.decimal()?,
                kind: one.get("kind")?.integer()?,
            })
        })?,
        services: field.get("services")?.each(|one| {
            Ok::<_, FieldError>(Service {
                epoch: one.get("epoch")?.integer()?,
                grant: one.get("grant")?.array()?,
                institution: one.get("institution")?.integer()?,
            })
        })?,
        joining: field.get("joining")?.each(joining)?,
    })
}

/// Changes summed by institution, without zeros.
fn credit(changes: &[Change]) -> Value {
    let mut sums: BTreeMap<u32, i64> = BTreeMap::new();
    for (institution, _, amount) in changes {
        *sums.entry(*institution).or_default() += amount;
    }
    let written = sums
        .into_iter()
        .filter(|(_, sum)| *sum != 0)
        .map(|(institution, sum)| json!({"institution": institution, "amount": decimal(sum)}));
    written.collect()
}
