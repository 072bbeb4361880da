//! I11: what a final chain does to credit is the sum of its items, and nothing is charged twice. [COM-4]
//! [COM-6]
//!
//! The shipped roster is given what the chain of an epoch says: who produced, whose turns were skipped,
//! who signed the parents' certificates, who was convicted. What it makes of that is counted here.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use mdsm_core::crypto::sign::SigningKey;
use mdsm_core::ledger::{BlockHeader, Offence, Subject};
use mdsm_core::roster::{Cause, CreditChange, Facts, Founder, Roster, RosterError};
use mdsm_core::types::{Digest, Epoch, InstitutionId, OwnerId, View};

use super::{EpochHistory, History};
use crate::oracle::{Verdict, claim};

/// Missed turns that are charged in one epoch (spec: committees, COM-6.8).
const MISSES_MAX: u64 = 2;
/// Institutions that keys are made for.
const KEYS: u32 = 160;

/// Every change of credit is an item, and the items are those of the chain.
pub fn credit(history: &History, epoch: &EpochHistory) -> Verdict {
    let Some(mut roster) = roster(epoch) else { return Ok(()) };
    let start = standing(&roster);
    let mut items: Vec<CreditChange> = Vec::new();
    let mut expected = Expected::default();
    let convicted: Vec<Offence> =
        epoch.evidence.keys().map(|offence| Offence { epoch: Epoch::new(0), ..*offence }).collect();
    let (mut first, mut last) = (true, None);
    for (hash, header) in chain(history, epoch) {
        let certificate = certificate(epoch, &header);
        let signers = certificate.as_deref().unwrap_or_default();
        let facts = Facts {
            view: header.view,
            parent_view: header.parent_view,
            producer: header.producer,
            carries_parent_certificate: certificate.is_some(),
            signers,
            offences: if first { &convicted } else { &[] },
            services: &[],
            registrations: &[],
        };
        roster
            .check(&facts)
            .map_err(|error| format!("epoch {} block {hash}: {error}", epoch.epoch))?;
        items.extend(roster.apply(&facts));
        expected.block(epoch, &header, signers, certificate.is_some());
        last = Some(header);
        first = false;
    }
    if let Some(header) = last {
        expected.offences = convicted.len() as u64;
        refused(&roster, &header, &convicted)?;
    }
    let mut sums = start;
    for item in &items {
        *sums.entry(item.institution).or_default() += item.amount;
    }
    let now = standing(&roster);
    claim(sums == now, || {
        format!("epoch {}: items give {sums:?}, credit is {now:?}", epoch.epoch)
    })?;
    expected.hold(epoch, &items)
}

/// Whatever was charged is refused from then on.
fn refused(roster: &Roster, header: &BlockHeader, charged: &[Offence]) -> Verdict {
    for offence in charged {
        let facts = Facts {
            view: header.view,
            parent_view: header.parent_view,
            producer: header.producer,
            carries_parent_certificate: false,
            signers: &[],
            offences: std::slice::from_ref(offence),
            services: &[],
            registrations: &[],
        };
        let refused = matches!(roster.check(&facts), Err(RosterError::Repeated { .. }));
        claim(refused, || format!("{offence:?} may be charged again"))?;
    }
    Ok(())
}

fn standing(roster: &Roster) -> BTreeMap<InstitutionId, i64> {
    roster.institutions().iter().map(|one| (one.id, one.credit.get())).collect()
}

/// A roster whose first epoch has the seats of this one: the order of turns begins with the first leader.
fn roster(epoch: &EpochHistory) -> Option<Roster> {
    let (producers, auditors) = (epoch.producers.len(), epoch.auditors.len());
    let start = usize::try_from(epoch.offset).ok()? % producers.max(1);
    let turns = epoch.producers[start..].iter().chain(&epoch.producers[..start]);
    let seats: Vec<InstitutionId> = turns.chain(&epoch.auditors).copied().collect();
    let best = u32::try_from(seats.len()).ok()?;
    let founder = |(at, institution): (u32, &InstitutionId)| {
        let key = key(*institution)?;
        Some(Founder { institution: *institution, key, rating: 50, centre: best - at })
    };
    let founders: Vec<Founder> = (0..).zip(&seats).map(founder).collect::<Option<_>>()?;
    let count = |seats: usize| u16::try_from(seats).ok();
    Roster::found(&founders, count(producers)?, count(auditors)?).ok()
}

/// A key that can be registered; what is signed with it does not matter here.
fn key(institution: InstitutionId) -> Option<OwnerId> {
    static MADE: OnceLock<Vec<OwnerId>> = OnceLock::new();
    let made = MADE.get_or_init(|| {
        let key = |id: u32| {
            let mut seed = [0xc4; 32];
            seed[..4].copy_from_slice(&id.to_le_bytes());
            SigningKey::from_seed(&seed).owner()
        };
        (0..KEYS).map(key).collect()
    });
    made.get(usize::try_from(institution.get()).ok()?).copied()
}

/// The final blocks of an epoch, in order.
fn chain<'a>(
    history: &'a History,
    epoch: &'a EpochHistory,
) -> impl Iterator<Item = (Digest, BlockHeader)> + 'a {
    let known = history.chain.range(epoch.genesis.1 + 1..);
    let here = known.map_while(|(_, hash)| epoch.headers.get(hash).map(|header| (*hash, *header)));
    here.take_while(|(_, header)| header.epoch == epoch.epoch)
}

/// Who signed the certificate of a block's parent, by seat, if anybody holds it.
fn certificate(epoch: &EpochHistory, header: &BlockHeader) -> Option<Vec<InstitutionId>> {
    let seen =
        epoch.views.get(&header.parent_view).filter(|_| header.parent_view > View::new(0))?;
    let held = seen.held.get(&Subject::Notarize(header.parent))?;
    Some(held.signers.seats().filter_map(|seat| epoch.auditors.get(seat).copied()).collect())
}

/// Items that a chain is due, counted from its headers.
#[derive(Debug, Default)]
struct Expected {
    booked: BTreeMap<InstitutionId, u64>,
    missed: BTreeMap<InstitutionId, u64>,
    audited: BTreeMap<InstitutionId, u64>,
    offences: u64,
}

impl Expected {
    fn block(
        &mut self,
        epoch: &EpochHistory,
        header: &BlockHeader,
        signers: &[InstitutionId],
        is_certified: bool,
    ) {
        if is_certified || header.parent_view == View::new(0) {
            *self.booked.entry(header.producer).or_default() += 1;
        }
        for view in header.parent_view.get() + 1..header.view.get() {
            *self.missed.entry(epoch.leader(View::new(view))).or_default() += 1;
        }
        for signer in signers {
            *self.audited.entry(*signer).or_default() += 1;
        }
    }

    fn hold(mut self, epoch: &EpochHistory, items: &[CreditChange]) -> Verdict {
        self.missed.values_mut().for_each(|turns| *turns = (*turns).min(MISSES_MAX));
        let count = |is: fn(&Cause) -> bool| {
            let mut found: BTreeMap<InstitutionId, u64> = BTreeMap::new();
            for item in items.iter().filter(|item| is(&item.cause)) {
                *found.entry(item.institution).or_default() += 1;
            }
            found
        };
        let offences = count(|cause| matches!(cause, Cause::Offended(_))).values().sum::<u64>();
        let found = [
            (count(|cause| *cause == Cause::Booked), self.booked, "blocks booked"),
            (count(|cause| *cause == Cause::Missed), self.missed, "turns missed"),
            (count(|cause| *cause == Cause::Audited), self.audited, "audits"),
        ];
        for (found, due, what) in found {
            claim(found == due, || {
                format!("epoch {}: {what}: {found:?} where the chain has {due:?}", epoch.epoch)
            })?;
        }
        claim(offences == self.offences, || {
            format!("epoch {}: {offences} offences charged, {} shown", epoch.epoch, self.offences)
        })
    }
}
