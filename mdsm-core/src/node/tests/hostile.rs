//! What one faulty institution must not be able to do to a node that follows the protocol.

use std::sync::Arc;

use super::super::*;
use super::network::{Network, START, config, founders, key, start};
use crate::consensus::Protocol;
use crate::crypto::sign::Ed25519;
use crate::ledger::{
    BlockHeader, Content, Envelope, Evidence, Fault, Item, ItemBlock, ItemBlockHeader, MediaType,
    Metadata, Offence, Payload, Proposal, Record, ResourceType, SignedHeader, SignedVote, Subject,
    Vote,
};
use crate::params::INLINE_CONTENT_BYTES_MAX;
use crate::types::{Digest, Epoch, Height, InstitutionId, List, Signature, Timestamp, View};

/// An auditor before anything happened.
fn auditor() -> Node {
    let me = InstitutionId::new(5);
    let mut node = Node::new(config(me), &start(&founders()), Ed25519, Protocol).unwrap();
    assert!(node.consensus().seat_of(me).is_some());
    node.start(Timestamp::new(START), &mut Vec::new());
    node
}

fn step(node: &mut Node, from: u32, message: Message) -> Vec<Effect> {
    let mut effects = Vec::new();
    let input = Input::Message { from: InstitutionId::new(from), message };
    node.step(Timestamp::new(START + 2_000), input, &mut effects);
    effects
}

#[test]
fn con_2_2_a_block_without_its_producers_signature_is_not_committed() {
    //= harness/spec/consensus.md#con-2-booking-into-an-item
    //= type=test
    //# CON-2.2 (ours): The signature of the delegate MUST be the one over the hash of the block that
    //# carries the Item.
    let mut network = Network::new();
    network.run_until(20_000);
    let commits = network.disks[&InstitutionId::new(9)].commits.clone();
    assert!(commits.len() > 3);
    let forged = |commit: &Commit| {
        let mut decision = (*commit.decision).clone();
        let blocks = decision.blocks.iter().map(|block| {
            let signature = Signature::new([7; 64]);
            Proposal { signed: SignedHeader { signature, ..block.signed }, ..block.clone() }
        });
        decision.blocks = List::new(blocks.collect()).unwrap();
        Message::Decision(Arc::new(decision))
    };
    let mut node = auditor();
    let mut stored = Vec::new();
    let mut take = |effects: Vec<Effect>| {
        stored.extend(effects.into_iter().filter_map(|effect| match effect {
            Effect::Commit(commit) => Some(commit),
            _ => None,
        }));
    };
    for commit in &commits {
        take(step(&mut node, 10, forged(commit)));
        take(step(&mut node, 6, Message::Decision(commit.decision.clone())));
    }
    assert_eq!(stored.len(), commits.len(), "what others tell is taken all the same");
    for block in stored.iter().flat_map(|commit| commit.decision.blocks.iter()) {
        let producer = key(block.signed.header.producer.get()).owner();
        assert!(block.signed.holds(&producer, &Ed25519), "block is signed");
    }
}

#[test]
fn con_2_2_a_block_that_was_asked_for_bears_its_producers_signature() {
    let mut network = Network::new();
    network.run_until(20_000);
    let commits = network.disks[&InstitutionId::new(9)].commits.clone();
    let (mut node, last) = (auditor(), commits.last().unwrap());
    let certificate = Arc::new(last.decision.certificate.clone());
    step(&mut node, 6, Message::Certificate(certificate));
    let blocks = commits.iter().rev().flat_map(|commit| commit.decision.blocks.iter().rev());
    let mut stored = Vec::new();
    for block in blocks {
        let signature = Signature::new([7; 64]);
        let forged =
            Proposal { signed: SignedHeader { signature, ..block.signed }, ..block.clone() };
        stored.extend(step(&mut node, 10, Message::Proposal(Arc::new(forged))));
        stored.extend(step(&mut node, 6, Message::Proposal(Arc::new(block.clone()))));
    }
    let commits = stored.iter().filter_map(|effect| match effect {
        Effect::Commit(commit) => Some(commit),
        _ => None,
    });
    let blocks: Vec<_> = commits.flat_map(|commit| commit.decision.blocks.iter()).collect();
    assert_eq!(node.chain().height(), last.height_of_last(), "it caught up");
    for block in blocks {
        let producer = key(block.signed.header.producer.get()).owner();
        assert!(block.signed.holds(&producer, &Ed25519), "block is signed");
    }
}

trait LastHeight {
    fn height_of_last(&self) -> Height;
}

impl LastHeight for Commit {
    fn height_of_last(&self) -> Height {
        self.decision.blocks.last().unwrap().signed.header.height
    }
}

fn leader(node: &Node, view: u64) -> u32 {
    node.consensus().committees().leader(View::new(view)).institution.get()
}

/// A header of the leader of a view; its parent is nowhere.
fn header(node: &Node, view: u64, number: i64) -> BlockHeader {
    BlockHeader {
        chain_id: node.chain().id(),
        epoch: Epoch::new(0),
        view: View::new(view),
        height: Height::new(u64::MAX),
        parent: Digest::new([9; 32]),
        parent_view: View::new(1),
        timestamp: Timestamp::new(START + number),
        producer: InstitutionId::new(leader(node, view)),
        payload: Payload::default().commitment(),
    }
}

fn proposal(header: BlockHeader, payload: Payload) -> Message {
    let signed = SignedHeader::sign(header, &key(header.producer.get()));
    Message::Proposal(Arc::new(Proposal { signed, payload }))
}

/// What the honest leader of view 1 proposes, and its Item.
fn first_block() -> (Arc<Proposal>, Vec<Arc<Item>>) {
    let mut network = Network::new();
    network.book(leader(&network.nodes[&InstitutionId::new(5)], 1), 0);
    network.run_until(10_000);
    let commit = &network.disks[&InstitutionId::new(5)].commits[0];
    let block = commit.decision.blocks.first().unwrap().clone();
    assert_eq!((block.signed.header.view.get(), commit.items[0].len()), (1, 1));
    (Arc::new(block), commit.items[0].clone())
}

fn notarizes(effects: &[Effect], hash: Digest) -> bool {
    effects.iter().any(|effect| {
        matches!(effect, Effect::Cast { vote, .. } if vote.subject == Subject::Notarize(hash))
    })
}

#[test]
fn a_leader_that_proposes_without_end_fills_no_memory_and_drives_nobody_out() {
    let (block, items) = first_block();
    let mut node = auditor();
    let hash = block.signed.hash();
    step(&mut node, block.signed.header.producer.get(), Message::Proposal(block));
    for number in 0..300 {
        let header = header(&node, 3, number);
        step(&mut node, header.producer.get(), proposal(header, Payload::default()));
    }
    let [_, _, proposals, ..] = node.sizes();
    assert!(proposals <= 3, "{proposals} proposals, two of them of view 3 at most");
    assert!(notarizes(&step(&mut node, 6, Message::Item(items[0].clone())), hash));
}

/// An Item of so many records of this size, signed by nobody.
fn item_of(number: u32, records: u32, bytes: usize) -> Item {
    let envelope = |record: u32| {
        let mut content = vec![0; bytes];
        content[..4].copy_from_slice(&number.to_le_bytes());
        content[4..8].copy_from_slice(&record.to_le_bytes());
        let kind = ResourceType::new("Binary").unwrap();
        let media = MediaType::new("text/plain").unwrap();
        let metadata = Metadata::new(kind, media, Timestamp::new(START), bytes as u64);
        let record =
            Record::new(key(1).owner(), metadata, Content::inline(content).unwrap()).unwrap();
        let owner_signature = Signature::new([0; 64]);
        Envelope { record, owner_signature, booked_by: InstitutionId::new(1) }
    };
    Item { records: List::new((0..records).map(envelope).collect()).unwrap() }
}

#[test]
fn items_that_nobody_asked_for_keep_none_out_that_a_block_waits_for() {
    let (block, items) = first_block();
    let mut node = auditor();
    let large = (0..140).map(|number| item_of(number, 10, INLINE_CONTENT_BYTES_MAX));
    let rest = [INLINE_CONTENT_BYTES_MAX, 10_000, 1_000, 8];
    let rest = rest.iter().flat_map(|bytes| (200..220).map(|number| item_of(number, 1, *bytes)));
    let junk: Vec<Arc<Item>> = large.chain(rest).map(Arc::new).collect();
    let roots: Vec<Digest> = junk.iter().map(|item| item.root()).collect();
    let header = header(&node, 3, 0);
    let inner = ItemBlockHeader {
        chain_id: header.chain_id,
        height: header.height,
        producer: header.producer,
        closed_at: header.timestamp,
        root: Digest::new([0; 32]),
    };
    let mut item_block = ItemBlock { header: inner, items: List::new(roots).unwrap() };
    item_block.header.root = item_block.root();
    let payload = Payload { item_block: Some(item_block), ..Payload::default() };
    let header = BlockHeader { payload: payload.commitment(), ..header };
    let from = header.producer.get();
    step(&mut node, from, proposal(header, payload));
    for item in junk {
        step(&mut node, from, Message::Item(item));
    }
    let hash = block.signed.hash();
    step(&mut node, block.signed.header.producer.get(), Message::Proposal(block));
    assert!(notarizes(&step(&mut node, 6, Message::Item(items[0].clone())), hash));
}

fn convicted(effects: &[Effect]) -> Vec<Offence> {
    let evidence = effects.iter().filter_map(|effect| match effect {
        Effect::Convict(evidence) => evidence.claim(),
        _ => None,
    });
    evidence.collect()
}

/// A header that breaks a rule by itself, and says so.
fn wrong(node: &Node, by: u32, epoch: u32, view: u64) -> BlockHeader {
    BlockHeader {
        epoch: Epoch::new(epoch),
        view: View::new(view),
        parent_view: View::new(view),
        producer: InstitutionId::new(by),
        ..header(node, 3, 0)
    }
}

fn show(evidence: Evidence) -> Message {
    Message::Event(Event::Evidence(Arc::new(evidence)))
}

#[test]
fn con_7_25_who_confesses_to_everything_hides_nobody_elses_fault() {
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //= type=test
    //# CON-7.25 (ours): A node that finds a breach in a signed block which evidence can show MUST send
    //# that evidence to both committees, and likewise evidence against every auditor whose vote to
    //# notarize the block it holds or receives.
    for (epoch, views) in [(u32::MAX, 1_000_000), (1, 1_000_000), (0, 1_000_000)] {
        let mut node = auditor();
        for view in views..views + 1_100 {
            let signed = SignedHeader::sign(wrong(&node, 10, epoch, view), &key(10));
            let fault = Box::new(Fault::Header);
            step(&mut node, 10, show(Evidence::Block { header: signed, fault }));
        }
        let by = leader(&node, 3);
        let header = wrong(&node, by, 0, 3);
        let effects = step(&mut node, by, proposal(header, Payload::default()));
        let offenders: Vec<u32> =
            convicted(&effects).iter().map(|offence| offence.institution.get()).collect();
        assert_eq!(offenders, [by], "epoch {epoch}");
    }
}

#[test]
fn con_7_25_an_auditor_that_confesses_does_not_hide_the_producer() {
    let mut node = auditor();
    let by = leader(&node, 3);
    let header = wrong(&node, by, 0, 3);
    let signed = SignedHeader::sign(header, &key(by));
    let subject = Subject::Notarize(signed.hash());
    let vote = Vote { epoch: Epoch::new(0), view: View::new(3), subject };
    let vote: SignedVote = vote.sign(&node.chain().id(), InstitutionId::new(6), &key(6));
    // In evidence against a voter nobody looks at the producer's signature.
    let unsigned = SignedHeader { signature: Signature::new([0; 64]), ..signed };
    let fault = Box::new(Fault::Header);
    step(&mut node, 6, show(Evidence::Audit { header: unsigned, fault, vote }));
    let effects = step(&mut node, by, proposal(header, Payload::default()));
    let offenders: Vec<u32> =
        convicted(&effects).iter().map(|offence| offence.institution.get()).collect();
    assert_eq!(offenders, [by]);
}

#[test]
fn who_confesses_to_everything_keeps_no_other_evidence_off_the_chain() {
    let mut network = Network::new();
    network.run_until(3_000);
    let receiver = InstitutionId::new(9);
    // Institution 1 sorts before everybody else.
    for view in 1_000_000..1_001_100 {
        let signed = SignedHeader::sign(wrong(&network.nodes[&receiver], 1, 0, view), &key(1));
        let evidence = Evidence::Block { header: signed, fault: Box::new(Fault::Header) };
        let event = Event::Evidence(Arc::new(evidence));
        network.nodes.values_mut().for_each(|node| {
            let now = Timestamp::new(network.now);
            node.step(now, Input::Event(event.clone()), &mut Vec::new());
        });
    }
    let vote = |subject| Vote { epoch: Epoch::new(0), view: View::new(1), subject };
    let chain = network.nodes[&receiver].chain().id();
    let sign = |subject| vote(subject).sign(&chain, InstitutionId::new(10), &key(10));
    let [first, second] = [[1; 32], [2; 32]].map(|hash| sign(Subject::Notarize(Digest::new(hash))));
    let evidence = Evidence::Votes { first, second };
    network.feed(receiver, Input::Event(Event::Evidence(Arc::new(evidence))));
    network.run_until(10_000);
    let roster = network.nodes[&receiver].chain().roster();
    let cheats = roster.institution(InstitutionId::new(10)).unwrap().performance.cheats;
    assert_eq!(cheats, 1, "booked, whatever else there is");
}

/// A record of somebody that says who accepted it.
fn record_of(node: &Node, number: u32, bytes: usize, booked_by: u32) -> Envelope {
    let record = item_of(number, 1, bytes).records.first().unwrap().record.clone();
    Envelope::sign(record, &node.chain().id(), &key(1), InstitutionId::new(booked_by))
}

#[test]
fn con_2_3_nobody_hands_in_records_under_the_id_of_another_delegate() {
    //= harness/spec/consensus.md#con-2-booking-into-an-item
    //= type=test
    //# CON-2.3 (ours): A record MUST be booked under the id of the delegate that accepted it, whichever
    //# producer leads.
    let mut node = auditor();
    let record = Arc::new(record_of(&node, 0, 8, 2));
    step(&mut node, 10, Message::Records(vec![record.clone()]));
    assert_eq!(node.waiting(), 0, "2 has accepted nothing");
    step(&mut node, 2, Message::Records(vec![record]));
    assert_eq!(node.waiting(), 1);
}

#[test]
fn con_1_4_records_of_another_delegate_leave_room_for_those_of_the_own_clients() {
    let mut node = auditor();
    let room = limits::POOL_BYTES_MAX / INLINE_CONTENT_BYTES_MAX;
    for number in 0..u32::try_from(room).unwrap() + 10 {
        let record = record_of(&node, number, INLINE_CONTENT_BYTES_MAX, 10);
        step(&mut node, 10, Message::Records(vec![Arc::new(record)]));
    }
    let envelope = record_of(&node, u32::MAX, INLINE_CONTENT_BYTES_MAX, 5);
    let envelope = envelope.verify(&node.chain().id()).unwrap();
    let now = Timestamp::new(START + 2_000);
    node.step(now, Input::Request(key(1).owner()), &mut Vec::new());
    let mut effects = Vec::new();
    let submission = Submission { envelope, is_file_stored: false };
    node.step(now, Input::Submit(submission), &mut effects);
    let acknowledged = |effect: &Effect| matches!(effect, Effect::Acknowledge(_));
    assert!(effects.iter().any(acknowledged), "{:?}", effects.first());
}

#[test]
fn con_7_27_a_block_that_was_asked_for_is_taken_although_others_became_final_meanwhile() {
    let mut network = Network::new();
    network.run_until(20_000);
    let commits = network.disks[&InstitutionId::new(9)].commits.clone();
    let (last, before) = commits.split_last().unwrap();
    let mut node = auditor();
    let certificate = Arc::new(last.decision.certificate.clone());
    let effects = step(&mut node, 6, Message::Certificate(certificate));
    let asks =
        |effect: &Effect| matches!(effect, Effect::Send { message: Message::WantBlock(_), .. });
    assert!(effects.iter().any(asks));
    for commit in before {
        step(&mut node, 6, Message::Decision(commit.decision.clone()));
    }
    let blocks: Vec<_> = last.decision.blocks.iter().collect();
    assert_eq!((blocks.len(), last.decision.closing.len()), (1, 0));
    step(&mut node, 7, Message::Proposal(Arc::new(blocks[0].clone())));
    assert_eq!(node.chain().height(), last.height_of_last());
}
