//! The oracles on credit and on bytes see what they are meant to see.

use harness::oracle::consensus::{credit, wire};
use harness::seed::Seed;
use harness::simulation::cluster::Shape;
use harness::simulation::plan::{Faults, Plan};
use harness::simulation::run::{Run, run as simulate};
use harness::simulation::strategies::Name;
use mdsm_core::consensus::Protocol;
use mdsm_core::ledger::{Offence, SignedVote, Subject, Vote};
use mdsm_core::types::{Epoch, InstitutionId, Signature, View};

/// A run in which turns are skipped and an offence is shown.
fn ran() -> Run<Protocol> {
    let mut plan = Plan::draw(Seed::new(1), Shape::SMALL, Faults::NONE, 19_000, 0);
    plan.faulty.extend([(8, Name::DoubleFinalizer), (2, Name::Mute), (3, Name::Equivocator)]);
    let mut run = Run::new(plan, Protocol, false);
    run.go();
    assert_eq!(run.outcome().breaches, []);
    run
}

#[test]
fn com_6_credit_is_the_sum_of_its_items_over_a_chain_with_skipped_turns_and_offences() {
    let history = ran().judge.history;
    let epoch = &history.epochs[&Epoch::new(0)];
    assert!(history.chain.len() > 5 && !epoch.evidence.is_empty(), "{:?}", history.chain);
    assert_eq!(credit(&history, epoch), Ok(()));
    // Another order of turns is another leader, so the chain is none of this epoch's.
    let mut other = epoch.clone();
    other.offset += 1;
    assert!(credit(&history, &other).unwrap_err().contains("leads"));
    // An offence of nobody.
    let mut other = epoch.clone();
    let (offence, evidence) = other.evidence.pop_first().unwrap();
    let nobody = Offence { institution: InstitutionId::new(77), ..offence };
    other.evidence.insert(nobody, evidence);
    assert!(credit(&history, &other).unwrap_err().contains("unknown"));
}

#[test]
fn sto_1_a_signed_vote_with_any_byte_changed_is_refused_and_one_that_is_taken_is_noticed() {
    let run = ran();
    let host = &run.world.host(7).host;
    let vote = Vote { epoch: Epoch::new(0), view: View::new(3), subject: Subject::Nullify };
    let signed = host.signed(vote);
    let setup = host.setup();
    let holds = |changed: &SignedVote| {
        let id = changed.signer;
        let is_known = (1..=setup.shape.institutions()).contains(&id.get());
        is_known && changed.holds(&setup.chain, &setup.signatures.owner(id), &setup.signatures)
    };
    let every = (0..200).flat_map(|place| [(place, 1), (place, 0x80), (place, 0xff)]);
    assert_eq!(wire(&signed, every.clone(), holds), Ok(()));
    // Whoever ignores a signature, or a field that it covers, takes changed bytes.
    assert!(wire(&signed, every.clone(), |_| true).unwrap_err().contains("is taken"));
    let blind = |changed: &SignedVote| holds(&SignedVote { vote, ..*changed });
    assert!(wire(&signed, every.clone(), blind).unwrap_err().contains("is taken"));
    let forged = SignedVote { signature: Signature::new([0; 64]), ..signed };
    assert_eq!(wire(&forged, every, holds), Ok(()));
    let calm = |seed| Plan::draw(Seed::new(seed), Shape::SMALL, Faults::NONE, 60_000, 0);
    let altered: u64 = (1..4).map(|seed| simulate(&calm(seed), Protocol).counts.altered).sum();
    assert!(altered > 10, "{altered} messages were changed");
}
