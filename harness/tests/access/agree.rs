//! The machine against the naive retelling: every effect and every answer, over random histories.

use std::collections::{BTreeMap, BTreeSet};

use harness::generate::acts::{TIGHT, history, owners, record, somebody};
use harness::rules::access::{Past, Step};
use harness::rules::acts;
use harness::rules::wire::Mirror;
use harness::seed::Seed;
use mdsm_core::access::{Access, AccessEvent, Act, ActKind, Lapse, Registry};
use mdsm_core::codec::Wire as _;
use mdsm_core::params::AccessLimits;
use mdsm_core::types::{Digest, Height, InstitutionId, OwnerId, RecordId};
use proptest::prelude::*;

fn limits() -> AccessLimits {
    let count = |count: usize| u32::try_from(count).unwrap();
    AccessLimits {
        requests_max: count(TIGHT.requests),
        grants_max: count(TIGHT.grants),
        bids_max: count(TIGHT.bids),
        request_blocks: TIGHT.request_blocks,
        grant_blocks: TIGHT.grant_blocks,
        dispute_blocks: TIGHT.dispute_blocks,
        confirm_blocks: TIGHT.confirm_blocks,
    }
}

#[derive(Clone)]
struct Known {
    seats: BTreeMap<OwnerId, InstitutionId>,
    owners: BTreeMap<RecordId, OwnerId>,
}

impl Registry for Known {
    fn institution_of(&self, key: &OwnerId) -> Option<InstitutionId> {
        self.seats.get(key).copied()
    }

    fn owner_of(&self, record: &RecordId) -> Option<OwnerId> {
        self.owners.get(record).copied()
    }
}

/// Both tellings of one history.
struct Two {
    past: Past,
    access: Access,
    known: Known,
    grants: BTreeSet<RecordId>,
    /// How often each act had effect and had none.
    counts: BTreeMap<(ActKind, bool), u32>,
}

impl Two {
    fn new() -> Self {
        let of = owners().into_iter();
        let owners = of.map(|(id, owner)| (RecordId::new(id), OwnerId::new(owner))).collect();
        Self {
            past: Past::new(TIGHT, harness::generate::acts::owners()),
            access: Access::new(limits()),
            known: Known { seats: BTreeMap::new(), owners },
            grants: BTreeSet::new(),
            counts: BTreeMap::new(),
        }
    }

    fn take(&mut self, step: &Step) -> Result<(), String> {
        if let Step::Reach(height) = step {
            let expected = self.past.lapsing(*height);
            let lapsed = self.access.advance(Height::new(*height));
            let lapsed = lapsed.into_iter().map(|lapse| match lapse {
                Lapse::Request(request) => (0, *request.as_bytes()),
                Lapse::Grant(grant) => (1, *grant.as_bytes()),
                Lapse::Dispute(grant) => (2, *grant.as_bytes()),
            });
            same("lapses", lapsed.collect(), expected)?;
        }
        let expected = self.past.take(step);
        match step {
            Step::Reach(_) => {}
            Step::Seats(seats) => {
                let seats = seats.iter();
                let seats =
                    seats.map(|(key, seat)| (OwnerId::new(*key), InstitutionId::new(*seat)));
                self.known.seats = seats.collect();
            }
            Step::Book { record, signer, act } => {
                let (record, signer) = (RecordId::new(*record), OwnerId::new(*signer));
                let act = of_mirror(act);
                let before = self.access.clone();
                let applied = self.access.apply(record, &signer, &act, &self.known);
                if applied.is_ok() != expected {
                    return Err(format!("{applied:?} where effect is {expected}: {act:?}"));
                }
                if applied.is_err() && self.access != before {
                    return Err(format!("{applied:?} left a trace"));
                }
                if let Ok(AccessEvent::Granted { grant, .. }) = applied {
                    self.grants.insert(grant);
                }
                *self.counts.entry((act.kind(), expected)).or_default() += 1;
            }
        }
        self.answers()
    }

    fn answers(&self) -> Result<(), String> {
        let (past, access) = (&self.past, &self.access);
        for number in 0..10 {
            let (name, key) = (somebody(number), OwnerId::new(somebody(number)));
            let readings = access.readings_of(&key).map(|reading| {
                let (grant, record) = (*reading.grant.as_bytes(), *reading.record.as_bytes());
                (grant, record, *reading.reader.as_bytes(), reading.is_delivered)
            });
            same("readings", readings.collect(), past.readings(&name))?;
            let stored = access.deliveries_for(&Digest::new(name)).map(|stored| {
                let (grant, record) = (*stored.grant.as_bytes(), *stored.record.as_bytes());
                (grant, record, *stored.delivery.as_bytes())
            });
            same("deliveries", stored.collect(), past.deliveries(&name))?;
            let requests = access.requests_to(&key).map(|request| *request.as_bytes());
            same("requests", requests.collect(), past.requests(&name))?;
            let institution = 100 + u32::from(number);
            let wrong = access.wrong_deliveries(InstitutionId::new(institution));
            same("wrong deliveries", wrong, past.wrong(institution))?;
        }
        let bidding = access.bidding().map(|grant| *grant.as_bytes()).collect();
        same("bidding", bidding, past.bidding())?;
        for grant in &self.grants {
            let owner = access.grant_owner(grant).map(|owner| *owner.as_bytes());
            let institution = |found: Option<InstitutionId>| found.map(InstitutionId::get);
            let proxy = institution(access.chosen_proxy(grant));
            let service = owner.map(|owner| (owner, proxy, institution(access.served_by(grant))));
            same("service", service, past.service(grant.as_bytes()))?;
            for (key, file) in [(3, 0), (4, 1), (5, 2), (6, 3), (7, 4), (8, 5)] {
                let (key, file) = (somebody(key), record(file));
                let permit = access.permit(grant, &RecordId::new(file), &OwnerId::new(key));
                same("permit", permit.is_ok(), past.permits(grant.as_bytes(), &file, &key))?;
            }
        }
        Ok(())
    }
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: T, expected: T) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("{what}: {found:?}, told: {expected:?}")) }
}

fn of_mirror(act: &acts::Act) -> Act {
    Act::from_bytes(&Mirror::from(act.clone()).encode()).unwrap()
}

fn tell(seed: u64, steps: usize) -> Result<Two, String> {
    let mut two = Two::new();
    let history = history(steps, &mut Seed::new(seed).stream("access/history"));
    for (number, step) in history.iter().enumerate() {
        two.take(step).map_err(|broken| format!("seed {seed}, step {number}: {broken}"))?;
    }
    Ok(two)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn machine_and_retelling_agree_on_every_effect_and_answer(seed: u64, steps in 1_usize..160) {
        let two = tell(seed, steps);
        prop_assert_eq!(two.as_ref().err(), None);
        // In the end nothing is left but the counts of wrong deliveries.
        let Two { mut access, past, .. } = two.unwrap();
        access.advance(Height::new(past.height() + 1_000));
        let counted = (100..110).filter(|institution| past.wrong(*institution) > 0).count();
        prop_assert_eq!(access.entries(), counted);
    }

    #[test]
    fn equal_histories_give_equal_machines(seed: u64, blocks in 1_u64..40) {
        // Whether the blocks in between are reached one by one or skipped makes no difference.
        let history = history(60, &mut Seed::new(seed).stream("access/history"));
        let (mut slow, mut fast) = (Access::new(limits()), Two::new());
        for step in &history {
            match step {
                Step::Reach(height) => (fast.past.height()..=*height)
                    .for_each(|between| drop(slow.advance(Height::new(between)))),
                Step::Seats(_) => {}
                Step::Book { record, signer, act } => {
                    let (record, signer) = (RecordId::new(*record), OwnerId::new(*signer));
                    let _ = slow.apply(record, &signer, &of_mirror(act), &fast.known);
                }
            }
            prop_assert_eq!(fast.take(step), Ok(()));
            prop_assert_eq!(&slow, &fast.access);
        }
        let end = Height::new(fast.past.height() + blocks);
        prop_assert_eq!(slow.advance(end), fast.access.advance(end));
        prop_assert_eq!(slow, fast.access);
    }
}

/// Random histories are of use only where everything happens in them.
#[test]
fn the_histories_reach_every_act_with_and_without_effect() {
    let mut counts: BTreeMap<(ActKind, bool), u32> = BTreeMap::new();
    for seed in 0..40 {
        for (act, count) in tell(seed, 150).unwrap().counts {
            *counts.entry(act).or_default() += count;
        }
    }
    println!("{counts:?}");
    for kind in ActKind::ALL {
        for effect in [true, false] {
            let count = counts.get(&(*kind, effect)).copied().unwrap_or(0);
            assert!(count >= 10, "{kind:?}, effect {effect}: {count} times");
        }
    }
}
