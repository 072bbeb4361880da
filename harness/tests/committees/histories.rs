//! Random histories: the code beside the rules, and what no history may do.

use std::collections::BTreeSet;

use harness::generate::history::{self, Habits, Words};
use harness::rules::roster::Why;
use harness::seed::{Draw, Seed};
use mdsm_core::types::{InstitutionId, View};
use proptest::prelude::*;

use super::beside::Beside;

/// Committees of the histories: founders, producers, auditors. In the first nobody stands outside.
const SIZES: [(usize, u16, u16); 5] = [(8, 4, 4), (9, 4, 4), (13, 5, 7), (30, 7, 10), (60, 11, 20)];

/// What a run must have seen, so that it proves something.
#[derive(Debug, Default)]
struct Seen {
    refused: u32,
    frozen: u32,
    expelled: u32,
    for_credit: u32,
    promoted: u32,
    seated: u32,
    queued: u32,
    absent: u32,
    shrunk: u32,
    grown: u32,
    returned: u32,
}

impl Seen {
    /// Gives a block to both and holds the outcome to what holds of every history.
    fn step(
        &mut self,
        beside: &mut Beside,
        words: &Words,
        habits: Habits,
        out: &mut BTreeSet<u32>,
    ) {
        let before = beside.clone();
        let outcome = beside.drawn(words, habits);
        let (old, new) = (before.roster.committees(), beside.roster.committees());
        self.refused += u32::from(outcome.is_refused);
        let Some(freeze) = outcome.freeze else {
            assert_eq!(old, new, "committees change at a freeze only");
            return;
        };
        let count = |list: &[u32]| u32::try_from(list.len()).unwrap();
        self.frozen += 1;
        self.expelled += count(&freeze.expelled);
        self.promoted += count(&freeze.promoted);
        self.seated += count(&freeze.seated);
        self.queued += count(&freeze.queued);
        self.absent += u32::from(freeze.changes.iter().any(|one| one.1 == Why::Absence));
        let barred = |id: &&u32| beside.rules.barred.contains(id);
        self.for_credit += count(&freeze.expelled) - {
            u32::try_from(freeze.expelled.iter().filter(barred).count()).unwrap()
        };
        self.returned +=
            u32::try_from(freeze.seated.iter().filter(|id| out.contains(id)).count()).unwrap();
        out.extend(&freeze.expelled);
        self.shrunk += u32::from(new.electorate().len() < old.electorate().len());
        self.grown += u32::from(new.electorate().len() > old.electorate().len());

        let members: BTreeSet<_> = new.electorate().map(|seat| seat.institution).collect();
        assert_eq!(members.len(), new.electorate().len(), "nobody sits twice");
        let joined: BTreeSet<_> = old.electorate().map(|seat| seat.institution).collect();
        let changes = members.difference(&joined).count();
        let limit = 6.min((old.auditors.len() - 1) / 3);
        assert!(changes <= limit, "{changes} of {limit}");
        let stay = old.auditors.iter().filter(|seat| new.auditors.contains(seat)).count();
        assert!(old.auditors.len() - stay <= limit, "auditors overlap");
        assert!(new.auditors.len() >= 4 && !new.producers.is_empty());
        for entered in freeze.seated.iter().chain(&freeze.promoted) {
            assert!(!beside.rules.barred.contains(entered), "{entered} is barred");
            assert!(beside.rules.credit[entered] >= beside.rules.table.threshold);
        }
        assert_eq!(beside.roster.previous_committees(), Some(old));
        turn_goes_on(&before, beside);
    }
}

/// Behind a freeze the turn is of whoever sits where it would have gone on; if seats went, of the next
/// that still sits.
fn turn_goes_on(before: &Beside, after: &Beside) {
    // Every view of a chain is signed or missed, so counters tell the view of the last block.
    let views = |beside: &Beside| -> u64 {
        beside.rules.counters.values().map(|one| one[0] + one[1]).sum()
    };
    let last = before.parent_view + views(after) - views(before);
    let (old, new) = (before.roster.committees(), after.roster.committees());
    let first = new.leader(View::new(1)).institution;
    let turns = (1..=old.producers.len()).map(|turn| {
        let view = View::new(last + u64::try_from(turn).unwrap());
        old.leader(view).institution
    });
    let sits = |id: &InstitutionId| new.producers.iter().any(|seat| seat.institution == *id);
    if old.producers.len() == new.producers.len() {
        let turn = turns.clone().next().unwrap();
        let seat = old.producers.iter().position(|seat| seat.institution == turn).unwrap();
        assert_eq!(first, new.producers[seat].institution, "nobody is left out");
    } else if old.producers.iter().any(|seat| seat.institution == first) {
        assert_eq!(turns.clone().find(sits), Some(first), "nobody is left out");
    }
}

fn run(seen: &mut Seen, size: (usize, u16, u16), seed: u64, all: &[Words], habits: &[Habits]) {
    let mut draw = Seed::new(seed).stream("committees/founders");
    let founders = history::founders(size.0, &mut draw);
    let mut beside = Beside::new(&founders, size.1, size.2);
    let mut out = BTreeSet::new();
    for (at, words) in all.iter().enumerate() {
        let habits = habits[at * habits.len() / all.len()];
        seen.step(&mut beside, words, habits, &mut out);
    }
    // Whoever reads the same history again computes the same bytes.
    let mut again = Beside::new(&founders, size.1, size.2);
    for (at, words) in all.iter().enumerate() {
        again.drawn(words, habits[at * habits.len() / all.len()]);
    }
    assert_eq!(again.roster, beside.roster);
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 96,
        rng_seed: prop::test_runner::RngSeed::Fixed(0x636f_6d39),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn com_9_1_the_rules_and_the_code_agree_on_every_history(
        size in prop::sample::select(&SIZES[..]),
        seed in any::<u64>(),
        all in prop::collection::vec(any::<Words>(), 0..160),
        habits in any::<[u32; 2]>(),
    ) {
        //= harness/spec/committees.md#com-9-one-answer
        //= type=test
        //# COM-9.1 (paper): Nodes that hold the same finalized history MUST compute the same credit
        //# and the same committees.
        //= harness/spec/committees.md#com-9-one-answer
        //= type=test
        //# COM-9.4 (ours): The digest of committees and the bytes of the state MUST be those that
        //# section Digests draws.
        //= harness/spec/committees.md#com-6-earning-and-losing
        //= type=test
        //# COM-6.11 (ours): The total change of an institution's credit MUST be the sum of the
        //# listed items, each with its cause.
        // One in eight keeps failing.
        let [silent, absent] = habits.map(|mask| mask & mask.rotate_left(7) & mask.rotate_left(13));
        run(&mut Seen::default(), size, seed, &all, &[Habits { silent, absent }]);
    }
}

#[test]
fn com_9_2_the_long_histories_hold_everything_that_can_happen() {
    //= harness/spec/committees.md#com-9-one-answer
    //= type=test
    //# COM-9.2 (ours): Credit, committees and the order of turns MUST depend on nothing but the
    //# genesis and the finalized chain.
    let mut seen = Seen::default();
    // Size, whether others join, and of how many blocks one keeps its evidence.
    let plans = [
        (SIZES[1], true, 8),
        (SIZES[0], false, 64),
        (SIZES[1], false, 64),
        (SIZES[2], false, 16),
        (SIZES[2], false, 1_000),
        (SIZES[3], true, 32),
    ];
    for (number, (size, joins, one_in)) in (0..).zip(plans) {
        let mut draw = Seed::new(number).stream("committees/histories");
        let all: Vec<Words> = (0..3_000)
            .map(|_| {
                let mut words = history::words(&mut draw);
                words[1] = if draw.chance(1, 4) { 11 } else { 0 };
                words[5] = if draw.chance(1, one_in) { words[5] } else { 0 };
                words[9] = if joins { words[9] } else { 0 };
                words
            })
            .collect();
        let failing = Habits { silent: 0x1249_2492, absent: 0x0924_9249 };
        run(&mut seen, size, number, &all, &[failing, failing, failing, Habits::default()]);
    }
    let Seen { refused, frozen, expelled, for_credit, promoted, seated, queued, absent, .. } = seen;
    assert!(refused > 100 && frozen > 500 && absent > 50, "{seen:?}");
    assert!(expelled > 15 && for_credit > 5 && promoted > 8 && seated > 8, "{seen:?}");
    assert!(queued > 20 && seen.shrunk > 2 && seen.grown > 2 && seen.returned > 0, "{seen:?}");
}
