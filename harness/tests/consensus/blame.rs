//! Evidence that nodes make of what they are sent: E5 and E6 for every flaw that can be shown, E1 for
//! blocks that went to different nodes.

use std::collections::BTreeMap;
use std::sync::Arc;

use harness::build::{Draft, Flaw, Flawed, Roll, flawed, institution_key, sealed};
use harness::oracle::ledger::By;
use harness::rules::ledger::Roll as Naive;
use harness::rules::wire::{Mirror, WireKind, decode};
use mdsm_core::codec::Wire as _;
use mdsm_core::consensus::Audience;
use mdsm_core::crypto::sign::Ed25519;
use mdsm_core::ledger::{
    Block, BlockHeader, Evidence, Fault, Item, Offence, OffenceKind, Payload, Proposal, Registry,
    SignedHeader, Subject, Vote,
};
use mdsm_core::node::{Effect, Event, Message};
use mdsm_core::types::{Digest, Epoch, InstitutionId, Timestamp, View};

use crate::scene::{Scene, cast, id, vote};

/// View of the block under test.
const VIEW: u64 = 3;
const LEADER: u32 = 3;

fn notarize(hash: Digest) -> Vote {
    vote(VIEW, Subject::Notarize(hash))
}

/// Two blocks are final; the third has three Items and the certificate of the second.
fn scene() -> (Scene, Draft) {
    let mut scene = Scene::new();
    for view in 1..VIEW {
        let ms = 6_000 * i64::try_from(view).unwrap();
        scene.ms = ms;
        let items = scene.network.new_items(3);
        let block = scene.network.block_of(ms, &items);
        scene.propose(&block, &items);
        scene.certify(vote(view, Subject::Notarize(block.hash())), [0, 1, 2]);
        scene.certify(vote(view, Subject::Finalize(block.hash())), [0, 1, 2]);
        scene.network.add(&block, &items).unwrap();
    }
    assert_eq!(scene.node.chain().head(), scene.network.chain.head());
    scene.ms = 6_000 * i64::try_from(VIEW).unwrap();
    let parent = scene.network.tip().unwrap();
    let items = scene.network.new_items(25);
    let roll = Roll::new(scene.network.chain.id(), 4);
    let payload = Payload {
        parent_certificate: Some(roll.notarization(&parent)),
        ..scene.network.block_of(scene.ms, &items).payload
    };
    let block = scene.network.block_with(scene.ms, payload);
    assert_eq!(block.header.producer, id(LEADER));
    (scene, Draft { parent: Some(parent), block, items })
}

fn offence(institution: u32, kind: OffenceKind) -> Offence {
    let (epoch, view) = (Epoch::new(0), View::new(VIEW));
    Offence { institution: id(institution), epoch, view, kind }
}

/// What the node convicts of in these effects. Each piece holds by the chain's rules and by those written
/// from the spec alone, and goes to everybody.
fn convicted(scene: &Scene, effects: &[Effect]) -> BTreeMap<Offence, Evidence> {
    let mut all = BTreeMap::new();
    for effect in effects {
        let Effect::Convict(evidence) = effect else { continue };
        let chain = &**scene.node.chain();
        let proved = evidence.check(chain, &Ed25519).unwrap();
        assert_eq!(naive(chain, evidence), Ok(proved));
        let is_sent = effects.iter().any(|effect| {
            let Effect::Send { to: Audience::Everyone, message } = effect else { return false };
            matches!(message, Message::Event(Event::Evidence(sent)) if **sent == **evidence)
        });
        assert!(is_sent, "{proved:?}");
        assert_eq!(all.insert(proved, (**evidence).clone()), None, "twice");
    }
    all
}

/// What the rules that are written from the spec alone make of evidence.
fn naive(registry: &impl Registry, evidence: &Evidence) -> Result<Offence, String> {
    let key = |institution| registry.key_of(institution).map(|key| *key.as_bytes());
    let auditors = |epoch| {
        let keys = registry.auditors_of(Epoch::new(epoch))?;
        Some((5..).zip(keys.iter().map(|key| *key.as_bytes())).collect())
    };
    let roll = Naive {
        chain_id: *registry.chain_id().as_bytes(),
        key_of: &|institution| key(InstitutionId::new(institution)),
        auditors_of: &auditors,
        signatures: &By(Ed25519),
    };
    let Mirror::Evidence(mirror) = decode(WireKind::Evidence, &evidence.to_bytes())? else {
        return Err("no evidence".to_owned());
    };
    let found = roll.judge(&mirror)?;
    let kind = OffenceKind::ALL[usize::from(found.kind) - 1];
    let (epoch, view) = (Epoch::new(found.epoch), View::new(found.view));
    Ok(Offence { institution: id(found.institution), epoch, view, kind })
}

#[test]
fn an_anchor_vote_that_names_a_view_is_no_evidence() {
    let (scene, _) = scene();
    let chain = &**scene.node.chain();
    let roll = Roll::new(scene.network.chain.id(), 4);
    let cast = |view, byte| {
        let subject = Subject::Anchor(Digest::new([byte; 32]));
        roll.vote(id(6), vote(view, subject))
    };
    for (one, other, is_evidence) in [(0, 0, true), (1, 1, false), (0, 1, false)] {
        let evidence = Evidence::Votes { first: cast(one, 1), second: cast(other, 2) };
        let proved = evidence.check(chain, &Ed25519);
        assert_eq!(proved.is_ok(), is_evidence, "{one} {other}");
        assert_eq!(naive(chain, &evidence).ok(), proved.ok(), "{one} {other}");
    }
}

fn fault_of(evidence: &Evidence) -> Fault {
    match evidence {
        Evidence::Block { fault, .. } | Evidence::Audit { fault, .. } => (**fault).clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn con_7_25_every_flaw_that_can_be_shown_convicts_the_producer_and_its_voters() {
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //= type=test
    //# CON-7.25 (ours): A node that finds a breach in a signed block which evidence can show MUST send
    //# that evidence to both committees, and likewise evidence against every auditor whose vote to
    //# notarize the block it holds or receives.
    for flaw in Flaw::ALL {
        let (mut scene, draft) = scene();
        let Flawed { block, items, fault } = flawed(&draft, flaw).unwrap();
        // One auditor votes before the block is here, one behind it, and one twice.
        let hash = block.hash();
        let mut effects = scene.vote(6, notarize(hash));
        effects.extend(scene.propose(&block, &items));
        effects.extend(scene.vote(7, notarize(hash)));
        effects.extend(scene.vote(7, notarize(hash)));
        effects.extend(scene.vote(8, vote(VIEW, Subject::Nullify)));
        let convicted = convicted(&scene, &effects);
        if flaw.is_unsendable() {
            assert!(convicted.is_empty(), "{flaw:?}");
            continue;
        }
        let offences: Vec<Offence> = convicted.keys().copied().collect();
        let [producer, six, seven] = [
            offence(LEADER, OffenceKind::InvalidBlock),
            offence(6, OffenceKind::WrongAudit),
            offence(7, OffenceKind::WrongAudit),
        ];
        assert_eq!(offences, [producer, six, seven], "{flaw:?}");
        // The same proof as whoever built the flaw in has at hand.
        if flaw != Flaw::RepeatedInBlock {
            assert_eq!(fault_of(&convicted[&producer]), fault, "{flaw:?}");
        }
        assert!(cast(&effects).iter().all(|cast| *cast == Subject::Nullify), "{flaw:?}");
    }
}

#[test]
fn con_7_9_a_sound_block_and_its_voters_are_not_convicted() {
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //= type=test
    //# CON-7.9 (ours): Evidence MUST NOT exist against an institution that follows the protocol.
    let (mut scene, Draft { block, items, .. }) = scene();
    let hash = block.hash();
    let mut effects = scene.vote(6, notarize(hash));
    effects.extend(scene.propose(&block, &items));
    assert_eq!(cast(&effects), [Subject::Notarize(hash)]);
    effects.extend(scene.vote(7, notarize(hash)));
    effects.extend(scene.certify(notarize(hash), [1, 2, 3]));
    effects.extend(scene.certify(vote(VIEW, Subject::Finalize(hash)), [1, 2, 3]));
    assert_eq!(scene.node.chain().height().get(), VIEW);
    // Refused, but by what the chain holds or the clock shows, which no header commits to.
    let again = scene.network.block_of(scene.ms, &[]);
    let late = BlockHeader { timestamp: Timestamp::new(i64::MAX - 1), ..again.header };
    let late = sealed(late, Payload::default());
    for (block, items) in [(late, Vec::new()), booked_before(&scene)] {
        let (mut scene, _) = self::scene();
        let convicted_of = scene.propose(&block, &items);
        assert_eq!(cast(&convicted_of), [Subject::Nullify]);
        assert!(convicted(&scene, &convicted_of).is_empty());
    }
    assert!(convicted(&scene, &effects).is_empty());
}

/// A block of the view that books a record of the first block once more.
fn booked_before(scene: &Scene) -> (Block, Vec<Item>) {
    let items = scene.network.items[..1].to_vec();
    (scene.network.block_of(scene.ms, &items), items)
}

#[test]
fn con_7_25_signers_of_a_certificate_are_convicted_too() {
    for is_first in [false, true] {
        let (mut scene, draft) = scene();
        let Flawed { block, items, .. } = flawed(&draft, Flaw::RecordSignature).unwrap();
        let hash = block.hash();
        let mut effects = Vec::new();
        if is_first {
            effects.extend(scene.certify(notarize(hash), [1, 2, 3]));
            effects.extend(scene.certify(vote(VIEW, Subject::Finalize(hash)), [1, 2, 3]));
        }
        let producer = block.header.producer;
        let signed = SignedHeader::sign(block.header, &institution_key(producer));
        let proposal = Arc::new(Proposal { signed, payload: block.payload.clone() });
        effects.extend(scene.hear(id(6), Message::Proposal(proposal)));
        for item in &items {
            effects.extend(scene.hear(id(6), Message::Item(Arc::new(item.clone()))));
        }
        if !is_first {
            effects.extend(scene.certify(notarize(hash), [1, 2, 3]));
        }
        let convicted: Vec<Offence> = convicted(&scene, &effects).into_keys().collect();
        let voters = [6, 7, 8].map(|voter| offence(voter, OffenceKind::WrongAudit));
        assert_eq!(convicted[0], offence(LEADER, OffenceKind::InvalidBlock));
        assert_eq!(convicted[1..], voters, "certificate first: {is_first}");
    }
}

#[test]
fn con_7_25_evidence_from_elsewhere_convicts_the_voters_that_this_node_heard() {
    let (mut other, draft) = scene();
    let Flawed { block, items, .. } = flawed(&draft, Flaw::RecordFuture).unwrap();
    let effects = other.propose(&block, &items);
    let evidence = convicted(&other, &effects).into_values().next().unwrap();
    let (mut scene, _) = scene();
    let effects = scene.vote(6, notarize(block.hash()));
    assert!(convicted(&scene, &effects).is_empty(), "it may be sound for all that is known here");
    let message = Message::Event(Event::Evidence(Arc::new(evidence)));
    let effects = scene.hear(id(8), message.clone());
    let convicted_now: Vec<Offence> = convicted(&scene, &effects).into_keys().collect();
    assert_eq!(convicted_now, [offence(6, OffenceKind::WrongAudit)]);
    // Known by now.
    let effects = scene.hear(id(7), message);
    assert!(effects.is_empty(), "{effects:?}");
    let effects = scene.vote(7, notarize(block.hash()));
    let convicted: Vec<Offence> = convicted(&scene, &effects).into_keys().collect();
    assert_eq!(convicted, [offence(7, OffenceKind::WrongAudit)]);
}

/// What is asked for by hash, and whom.
fn wanted(effects: &[Effect]) -> Vec<(InstitutionId, Digest)> {
    let asked = effects.iter().filter_map(|effect| match effect {
        Effect::Send { to: Audience::One(to), message: Message::WantBlock(hash) } => {
            Some((*to, *hash))
        }
        _ => None,
    });
    asked.collect()
}

/// Another block of the same leader and view.
fn rival(block: &Block) -> Block {
    let timestamp = Timestamp::new(block.header.timestamp.get() + 1);
    sealed(BlockHeader { timestamp, ..block.header }, Payload::default())
}

#[test]
fn con_7_26_a_leader_that_shows_a_block_to_each_half_is_caught() {
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //= type=test
    //# CON-7.26 (ours): An auditor that holds a proposal for a view and receives a vote to notarize
    //# another block of that view MUST ask the voter for the other one.
    for votes_first in [false, true] {
        let (mut scene, Draft { block, items, .. }) = scene();
        let other = rival(&block);
        let mut effects = Vec::new();
        if votes_first {
            effects.extend(scene.vote(6, notarize(other.hash())));
            assert_eq!(wanted(&effects), [], "it may be the block that is to come");
        }
        effects.extend(scene.propose(&block, &items));
        effects.extend(scene.vote(7, notarize(block.hash())));
        if !votes_first {
            assert_eq!(wanted(&effects), []);
            effects.extend(scene.vote(6, notarize(other.hash())));
        }
        // However many blocks one voter makes up, it is asked once in a while.
        effects.extend(scene.vote(6, notarize(Digest::new([9; 32]))));
        assert_eq!(wanted(&effects), [(id(6), other.hash())], "votes first: {votes_first}");
        let signed = SignedHeader::sign(other.header, &institution_key(id(LEADER)));
        let proposal = Arc::new(Proposal { signed, payload: other.payload });
        let effects = scene.hear(id(6), Message::Proposal(proposal));
        let convicted: Vec<Offence> = convicted(&scene, &effects).into_keys().collect();
        assert_eq!(convicted, [offence(LEADER, OffenceKind::DoubleProposal)]);
    }
}

#[test]
fn con_7_26_whoever_fetches_the_block_that_became_final_convicts_by_the_one_that_it_was_shown() {
    let (mut scene, Draft { block, items, .. }) = scene();
    let other = rival(&block);
    let mut effects = scene.propose(&block, &items);
    effects.extend(scene.certify(notarize(other.hash()), [1, 2, 3]));
    effects.extend(scene.certify(vote(VIEW, Subject::Finalize(other.hash())), [1, 2, 3]));
    assert!(wanted(&effects).iter().any(|(_, hash)| *hash == other.hash()));
    let signed = SignedHeader::sign(other.header, &institution_key(id(LEADER)));
    let proposal = Arc::new(Proposal { signed, payload: other.payload });
    effects.extend(scene.hear(id(7), Message::Proposal(proposal)));
    assert_eq!(scene.node.chain().head(), signed.hash());
    let convicted: Vec<Offence> = convicted(&scene, &effects).into_keys().collect();
    assert!(convicted.contains(&offence(LEADER, OffenceKind::DoubleProposal)), "{convicted:?}");
}
