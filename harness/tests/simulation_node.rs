//! Whole nodes under all faults: committed seeds, seconds. [CON-1] [CON-2] [CON-3] [CON-6] [CON-7] [CON-8] [STO-2]
#![expect(clippy::unwrap_used, reason = "a failure here is a failure of the test")]

use std::collections::{BTreeMap, BTreeSet};

use harness::seed::Seed;
use harness::simulation::node::{Books, Deed, NodePlan, Outcome, Run, Scale, Setup, run};
use harness::simulation::plan::Faults;
use harness::simulation::strategies::Name;
use mdsm_core::consensus::{JournalEntry, Own, Protocol, Rules};
use mdsm_core::ledger::OffenceKind;
use mdsm_core::node::{Commit, Journal, Recovered};
use mdsm_core::roster::{Cause, CreditChange};
use mdsm_core::types::{Epoch, InstitutionId};

const HEAL_MS: u64 = 40_000;
const END_MS: u64 = 70_000;

fn plan(seed: u64, faults: Faults) -> NodePlan {
    NodePlan::draw(Seed::new(seed), Scale::SMALL, faults, HEAL_MS, END_MS)
}

fn breaches(outcome: &Outcome) -> Vec<String> {
    let text =
        |breach: &harness::oracle::consensus::Breach| format!("{}: {}", breach.claim, breach.what);
    outcome.breaches.iter().map(text).collect()
}

/// A faulty producer, institution 1, and nothing else.
fn with(deed: Deed, institution: u32, seed: u64) -> Outcome {
    let mut plan = plan(seed, Faults::NONE);
    plan.deeds.insert(institution, deed);
    run(&plan, Protocol)
}

#[test]
fn whole_nodes_keep_every_claim_under_all_faults_and_go_on_once_they_end() {
    //= harness/spec/consensus.md#con-1-request-and-acceptance
    //= type=test
    //# CON-1.4 (ours): An accepted record that no finalized block carries MUST stay in the pool of its
    //# delegate.
    //= harness/spec/consensus.md#con-6-replacement-within-a-turn
    //= type=test
    //# CON-6.4 (ours): The records of a nullified block MUST be bookable by a later one.
    //= harness/spec/consensus.md#con-8-clock
    //= type=test
    //# CON-8.4 (ours): The first block of an epoch MUST have the last block of the epoch before it as
    //# parent.
    let mut all: BTreeMap<&str, u64> = BTreeMap::new();
    // 2, 3, 5, 21, 40 and 43 found bugs once.
    for seed in [2, 3, 5, 6, 9, 15, 21, 25, 36, 40, 43, 45] {
        let outcome = run(&plan(seed, Faults::ALL), Protocol);
        assert_eq!(breaches(&outcome), Vec::<String>::new(), "seed {seed}");
        for (what, count) in outcome.sometimes {
            *all.entry(what).or_default() += count;
        }
    }
    // A run in which nothing happens shows nothing.
    for what in [
        "epoch without data blocks",
        "epoch with several data blocks",
        "evidence booked",
        "offence charged",
        "delegate expelled",
        "newcomer seated",
        "service credited",
        "records behind a nullified view",
        "record of a nullified block booked",
        "caught up over an epoch",
        "anchor final",
        "anchor reorganised and final again",
        "lost log came back",
        "registration booked",
        "act: delivered",
    ] {
        assert!(all.get(what).is_some_and(|count| *count > 0), "{what} never happened: {all:#?}");
    }
}

#[test]
fn equal_seeds_give_equal_runs_and_other_seeds_others() {
    let [one, again, other] = [6, 6, 7].map(|seed| run(&plan(seed, Faults::ALL), Protocol));
    assert_eq!(one, again);
    assert_ne!(one.digest, other.digest);
}

#[test]
fn real_signatures_give_the_same_chain_of_claims() {
    let mut plan = NodePlan::draw(Seed::new(4), Scale::SMALL, Faults::NONE, 8_000, 12_000);
    plan.is_real = true;
    let outcome = run(&plan, Protocol);
    assert_eq!(breaches(&outcome), Vec::<String>::new());
    assert!(outcome.height >= 8 && outcome.records >= 5, "{outcome:?}");
}

//= harness/spec/consensus.md#con-4-audit
//= type=test
//# CON-4.3 (ours): An auditor MUST NOT vote for a block before it holds and has checked every Item
//# of that block.
#[test]
fn blocks_with_flaws_and_blocks_without_their_items_are_never_final() {
    for deed in [Deed::Flaws, Deed::ItemWithholder, Deed::Shared(Name::TimeShifter)] {
        let outcome = with(deed, 1, 11);
        assert_eq!(breaches(&outcome), Vec::<String>::new(), "{deed}");
        let acted: u64 = outcome.acted.iter().map(|(_, acted)| acted).sum();
        assert!(acted > 3, "{deed} acted {acted} times");
    }
}

#[test]
fn a_double_voter_is_booked_and_charged_and_loses_its_seat() {
    let outcome = with(Deed::Shared(Name::DoubleVoter), 7, 12);
    assert_eq!(breaches(&outcome), Vec::<String>::new());
    for what in ["offence shown", "evidence booked", "offence charged", "delegate expelled"] {
        let happened = outcome.sometimes.get(what).is_some_and(|count| *count > 0);
        assert!(happened, "{what}: {:#?}", outcome.sometimes);
    }
}

/// A run with some faulty institutions and nothing else.
fn accused(deeds: &[(u32, Deed)], seed: u64) -> Run<Protocol> {
    let mut plan = plan(seed, Faults::NONE);
    plan.deeds.extend(deeds.iter().copied());
    let mut run = Run::new(plan, Protocol);
    run.play();
    run.judge.conclude();
    let breaches: Vec<_> = run.judge.history.breaches.iter().collect();
    assert!(breaches.is_empty(), "{breaches:?}");
    run
}

/// Offences booked on the chain of an honest institution. Whoever committed one is charged in that block,
/// and has no seat behind the next freeze; behind the one after it where a committee of four, of which a
/// freeze changes one (COM-7.9), has a second culprit.
fn booked(run: &Run<Protocol>) -> BTreeSet<(u32, OffenceKind)> {
    let (_, host) = run.honest().next().unwrap();
    let commits: Vec<&Commit> = host.commits().iter().map(|commit| &**commit).collect();
    let end = host.node().chain().epoch();
    let seated_in = |epoch: Epoch| {
        let is_before = |commit: &&Commit| commit.decision.blocks[0].signed.header.epoch < epoch;
        let mut node = run.setup.node(InstitutionId::new(1));
        let stored = Recovered {
            commits: commits.iter().copied().take_while(is_before),
            certificate_of: |_| None,
            journal: Journal::Whole(&[]),
            blocks: Vec::new(),
            accepted: Vec::new(),
        };
        node.recover(host.clock(), stored, &mut Vec::new()).unwrap();
        let committees = node.chain().roster().committees().clone();
        assert_eq!(committees.epoch, epoch);
        committees
    };
    let culprits = u32::try_from(run.plan.deeds.len()).unwrap();
    let mut booked = BTreeSet::new();
    for commit in &commits {
        for (block, credit) in commit.decision.blocks.iter().zip(&commit.credit) {
            for evidence in block.payload.events.evidence.iter() {
                let offence = evidence.claim().unwrap();
                let is_charged = credit.iter().any(|change| {
                    change.institution == offence.institution
                        && change.cause == Cause::Offended(offence.kind)
                });
                assert!(is_charged, "{offence:?}");
                let barred = Epoch::new(block.signed.header.epoch.get() + culprits);
                if barred <= end && booked.insert((offence.institution.get(), offence.kind)) {
                    let seat = seated_in(barred).seat_of(offence.institution);
                    assert_eq!(seat, None, "{offence:?}");
                }
            }
        }
    }
    booked
}

#[test]
fn con_7_25_producers_of_flawed_blocks_and_their_auditor_are_booked_and_barred() {
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //= type=test
    //# CON-7.25 (ours): A node that finds a breach in a signed block which evidence can show MUST send
    //# that evidence to both committees, and likewise evidence against every auditor whose vote to
    //# notarize the block it holds or receives.
    let run = accused(&[(1, Deed::Flaws)], 31);
    // Whoever sends its proposal again with another flaw has made two of them.
    let of_one = [(1, OffenceKind::InvalidBlock), (1, OffenceKind::DoubleProposal)];
    let found = booked(&run);
    assert!(found.contains(&of_one[0]) && found.is_subset(&of_one.into()), "{found:?}");
    let run = accused(&[(1, Deed::Flaws), (7, Deed::Shared(Name::LazyAuditor))], 31);
    let found = booked(&run);
    let of_seven = found.iter().filter(|(culprit, _)| *culprit == 7).map(|(_, kind)| *kind);
    assert!(
        found.contains(&of_one[0]) && of_seven.clone().any(|kind| kind == OffenceKind::WrongAudit)
    );
    // It votes for both of two proposals as well.
    let of_auditor = [OffenceKind::WrongAudit, OffenceKind::DoubleNotarize];
    assert!(of_seven.clone().all(|kind| of_auditor.contains(&kind)), "{found:?}");
}

#[test]
fn con_7_26_a_leader_that_proposes_a_block_to_each_half_is_booked_and_barred() {
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //= type=test
    //# CON-7.26 (ours): An auditor that holds a proposal for a view and receives a vote to notarize
    //# another block of that view MUST ask the voter for the other one.
    let run = accused(&[(2, Deed::Shared(Name::Equivocator))], 13);
    assert_eq!(booked(&run), [(2, OffenceKind::DoubleProposal)].into());
}

#[test]
fn a_lazy_auditor_and_double_signers_break_nothing() {
    for name in [Name::LazyAuditor, Name::AnchorEquivocator, Name::DoubleFinalizer] {
        let outcome = with(Deed::Shared(name), 7, 13);
        assert_eq!(breaches(&outcome), Vec::<String>::new(), "{name}");
    }
    let outcome = with(Deed::Shared(Name::Equivocator), 2, 13);
    assert_eq!(breaches(&outcome), Vec::<String>::new());
}

/// The protocol, but for one rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Mutant {
    ForgetsVotes,
    ForgetsProposals,
    VotesTwice,
}

impl Rules for Mutant {
    fn stores(&self, entry: &JournalEntry) -> bool {
        match entry {
            JournalEntry::Voted(_) => *self != Self::ForgetsVotes,
            JournalEntry::Proposed(_) => *self != Self::ForgetsProposals,
            _ => true,
        }
    }

    fn may_nullify(&self, own: &Own, in_view: bool) -> bool {
        *self == Self::VotesTwice || Protocol.may_nullify(own, in_view)
    }
}

#[test]
fn nodes_that_break_a_rule_are_found() {
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //= type=test
    //# CON-7.14 (ours): A producer MUST NOT sign two blocks of one view, also not across a restart.
    for (mutant, claims) in [
        (Mutant::ForgetsVotes, ["stored first", "honesty"]),
        (Mutant::VotesTwice, ["honesty", "stored first"]),
        (Mutant::ForgetsProposals, ["honesty", "honesty"]),
    ] {
        let found = (1..12).any(|seed| {
            let outcome = run(&plan(seed, Faults::ALL), mutant);
            outcome.breaches.iter().any(|breach| claims.contains(&breach.claim))
        });
        assert!(found, "{mutant:?} is not found");
    }
}

//= harness/spec/committees.md#com-6-earning-and-losing
//= type=test
//# COM-6.11 (ours): The total change of an institution's credit MUST be the sum of the
//# listed items, each with its cause.
#[test]
fn a_node_that_tells_of_other_changes_is_found() {
    let mut run = Run::new(plan(9, Faults::NONE), Protocol);
    run.play();
    let (_, host) = run.honest().next().unwrap();
    let (commits, chain) = (host.commits(), host.node().chain().clone());
    let books = || {
        let setup: &Setup<Protocol> = &run.setup;
        let node = setup.node(InstitutionId::new(1));
        let committees = node.chain().roster().committees().clone();
        Books::new(&setup.genesis, &setup.founders, committees, InstitutionId::new(11), true)
    };
    let feed = |spoilt: usize| {
        let mut books = books();
        for (at, commit) in commits.iter().enumerate() {
            let mut commit = (**commit).clone();
            if at == spoilt {
                let change: &mut CreditChange = &mut commit.credit[0][0];
                change.amount += 1;
            }
            books.moved(&commit.into(), &chain)?;
        }
        // The same blocks once more, from a node that tells the truth.
        commits.iter().try_for_each(|commit| books.moved(commit, &chain).map(|_| ()))
    };
    assert_eq!(feed(usize::MAX), Ok(()));
    assert!(feed(5).is_err(), "a changed log is found");
}
