//! Ranking, credit and replacement, without a word on ids and amounts. [COM-1] [COM-2] [COM-6] [COM-7]
//!
//! The roster takes blocks and not wishes: events and points are brought about by blocks that cause
//! them. Two things that the paper has no word for stay out of sight: at most 6 seats change in one
//! freeze, and an institution pays for two missed turns an epoch.

use std::collections::{BTreeMap, BTreeSet};

use mdsm_core::crypto::sha256;
use mdsm_core::crypto::sign::SigningKey;
use mdsm_core::ledger::{Offence, OffenceKind};
use mdsm_core::params::PAPER;
use mdsm_core::roster::{CreditChange, Facts, Founder, Place, Roster, Seat, ServiceFact, amounts};
use mdsm_core::types::{InstitutionId, OwnerId, RecordId, View};
use serde_json::{Value, json};

use super::super::super::class::Class;
use super::super::super::value::{Field, decimal};
use super::super::{Outcome, Refusal, ids, institution, reject};

/// A key for an institution of which only the id is known.
fn key(institution: InstitutionId) -> OwnerId {
    SigningKey::from_seed(sha256(&institution.get().to_le_bytes()).as_bytes()).owner()
}

fn seated(seats: &[Seat]) -> Value {
    ids(seats.iter().map(|seat| seat.institution))
}

pub(crate) fn rank(args: &Field<'_>) -> Outcome {
    let founders = args.get("institutions")?.each(|one| {
        let institution = institution(&one.get("institution")?)?;
        let (rating, centre) = (one.get("rating")?.integer()?, one.get("centre")?.integer()?);
        Ok::<_, Refusal>(Founder { institution, key: key(institution), rating, centre })
    })?;
    let roster = Roster::found(&founders, PAPER.producers, PAPER.auditors)
        .or_else(|error| reject(Class::Refused, error))?;
    let seats = roster.committees();
    Ok(json!({"producers": seated(&seats.producers), "auditors": seated(&seats.auditors)}))
}

/// Ids that nobody has, from the highest on: they rank behind everybody.
fn strangers(taken: &BTreeSet<InstitutionId>) -> impl Iterator<Item = InstitutionId> {
    let all = (0..=u32::MAX).rev().map(InstitutionId::new);
    all.filter(move |id| !taken.contains(id))
}

/// A block that says nothing and earns its producer nothing.
fn idle(producer: InstitutionId, view: u64) -> Facts<'static> {
    Facts {
        view: View::new(view),
        parent_view: View::new(view - 1),
        producer,
        carries_parent_certificate: false,
        signers: &[],
        offences: &[],
        services: &[],
        registrations: &[],
    }
}

fn numbered(number: usize) -> RecordId {
    RecordId::new(*sha256(&number.to_le_bytes()).as_bytes())
}

pub(crate) fn credit(args: &Field<'_>) -> Outcome {
    let mut founders = args.get("institutions")?.each(|one| {
        let institution = institution(&one.get("institution")?)?;
        let rating = one.get("rating")?.integer()?;
        Ok::<_, Refusal>(Founder { institution, key: key(institution), rating, centre: 1 })
    })?;
    let named: BTreeSet<InstitutionId> = founders.iter().map(|one| one.institution).collect();
    let turns = u16::try_from(founders.len()).ok().filter(|turns| *turns > 0);
    let Some(turns) = turns else { return reject(Class::Bound, "1 to 65,535 institutions") };
    // Everybody named produces, so that everybody can miss a turn; four others audit.
    let others = strangers(&named).take(amounts::AUDITORS_MIN);
    founders.extend(others.map(|id| Founder {
        institution: id,
        key: key(id),
        rating: 0,
        centre: 0,
    }));
    let auditors = u16::try_from(amounts::AUDITORS_MIN).unwrap_or(u16::MAX);
    let mut roster =
        Roster::found(&founders, turns, auditors).or_else(|error| reject(Class::Refused, error))?;
    let mut points: BTreeMap<InstitutionId, i64> = BTreeMap::new();
    for one in roster.institutions().iter().filter(|one| named.contains(&one.id)) {
        points.insert(one.id, one.credit.get());
    }
    for (number, event) in args.get("events")?.list()?.iter().enumerate() {
        let who = institution(&event.get("institution")?)?;
        if !named.contains(&who) {
            return reject(Class::Refused, format!("event {number}: {who} is not named"));
        }
        for CreditChange { institution, amount, .. } in happen(&mut roster, event, who, number)? {
            *points.entry(institution).or_default() += amount;
        }
    }
    let written = points
        .iter()
        .filter(|(id, _)| named.contains(id))
        .map(|(id, points)| json!({"institution": id.get(), "points": decimal(points)}));
    Ok(json!({"credit": written.collect::<Value>()}))
}

/// A block that brings the event about, and nothing else.
fn happen(
    roster: &mut Roster,
    event: &Field<'_>,
    who: InstitutionId,
    number: usize,
) -> Result<Vec<CreditChange>, Refusal> {
    let seats = roster.committees().clone();
    let Some(Place::Producer(seat)) = seats.seat_of(who) else {
        return reject(Class::Refused, format!("{who} has no seat"));
    };
    let (seat, turns) = (wide(seat), wide(seats.producers.len()));
    let leader = |view| seats.leader(View::new(view)).institution;
    let (epoch, view) = (seats.epoch, View::new(wide(number)));
    let quiet = idle(leader(2), 2);
    let offence = |kind| [Offence { institution: who, epoch, view, kind }];
    let service = [ServiceFact { grant: numbered(number), epoch, institution: who }];
    let changes = match event.get("kind")?.text()? {
        // The first block of an epoch needs no certificate.
        "booked" => roster.apply(&idle(who, 1)),
        "audited" => roster.apply(&Facts { signers: &[who], ..quiet }),
        "answered" | "re-encrypted" => roster.apply(&Facts { services: &service, ..quiet }),
        "wrong-block" => {
            roster.apply(&Facts { offences: &offence(OffenceKind::InvalidBlock), ..quiet })
        }
        "cheated" => {
            roster.apply(&Facts { offences: &offence(OffenceKind::DoubleProposal), ..quiet })
        }
        "wrong-audit" => {
            roster.apply(&Facts { offences: &offence(OffenceKind::WrongAudit), ..quiet })
        }
        "missed" => {
            // One round later, so that the parent is not the end of an epoch.
            let parent = turns + seat;
            let parent_view = View::new(parent);
            roster.apply(&Facts { parent_view, ..idle(leader(parent + 2), parent + 2) })
        }
        other => return Err(event.wrong(format!("`{other}` is no kind of event")).into()),
    };
    Ok(changes)
}

fn wide(number: usize) -> u64 {
    u64::try_from(number).expect("usize fits in u64")
}

/// An institution, its points, and where it sits: in the order of seats, then those outside.
struct Standing {
    institution: InstitutionId,
    points: i64,
}

fn standings(field: &Field<'_>) -> Result<Vec<Standing>, Refusal> {
    field.each(|one| {
        let institution = institution(&one.get("institution")?)?;
        Ok(Standing { institution, points: one.get("points")?.decimal()? })
    })
}

pub(crate) fn replace(args: &Field<'_>) -> Outcome {
    let (producers, auditors, others) = (
        standings(&args.get("producers")?)?,
        standings(&args.get("auditors")?)?,
        standings(&args.get("others")?)?,
    );
    let threshold: i64 = args.get("threshold")?.decimal()?;
    let seats = |seats: &[Standing]| u16::try_from(seats.len()).unwrap_or(u16::MAX);
    let (producing, auditing) = (seats(&producers), seats(&auditors));
    let all: Vec<Standing> = producers.into_iter().chain(auditors).chain(others).collect();
    // Equal ratings, so that the order of seats is that of the sizes.
    let centres = (0..=u32::MAX).rev();
    let founders: Vec<Founder> = all
        .iter()
        .zip(centres)
        .map(|(Standing { institution, .. }, centre)| Founder {
            institution: *institution,
            key: key(*institution),
            rating: 50,
            centre,
        })
        .collect();
    let mut roster = Roster::found(&founders, producing, auditing)
        .or_else(|error| reject(Class::Refused, error))?;
    bring_about(&mut roster, &all, threshold);
    let report = roster.freeze(View::new(1));
    let seats = roster.committees();
    Ok(json!({
        "producers": seated(&seats.producers),
        "auditors": seated(&seats.auditors),
        "expelled": ids(report.expelled.iter().map(|one| one.institution)),
    }))
}

/// Makes credit stand in the order of the points, with those below the threshold convicted: as many
/// services for each as there are lower points, ten an epoch.
fn bring_about(roster: &mut Roster, all: &[Standing], threshold: i64) {
    let levels: BTreeSet<i64> = all.iter().map(|one| one.points).collect();
    let level = |points: i64| levels.range(..points).count();
    let mut due: BTreeMap<InstitutionId, usize> =
        all.iter().map(|one| (one.institution, level(one.points))).collect();
    let mut number = 0;
    loop {
        let seats = roster.committees().clone();
        let mut services = Vec::new();
        for (institution, left) in &mut due {
            let now = (*left).min(amounts::SERVICES_CREDITED_MAX.try_into().unwrap_or(1));
            *left -= now;
            for _ in 0..now {
                let grant = numbered(number);
                services.push(ServiceFact { grant, epoch: seats.epoch, institution: *institution });
                number += 1;
            }
        }
        let quiet = idle(seats.leader(View::new(2)).institution, 2);
        roster.apply(&Facts { services: &services, ..quiet });
        if due.values().all(|left| *left == 0) {
            let guilty = all.iter().filter(|one| one.points < threshold);
            let offences: Vec<Offence> = guilty
                .map(|one| Offence {
                    institution: one.institution,
                    epoch: seats.epoch,
                    view: View::new(1),
                    kind: OffenceKind::InvalidBlock,
                })
                .collect();
            roster.apply(&Facts { offences: &offences, ..quiet });
            return;
        }
        // Nobody is guilty yet, so nothing changes but the epoch.
        roster.freeze(View::new(wide(seats.producers.len())));
    }
}
