//! A small network with real signatures and a virtual clock, without faults: records flow, epochs end,
//! a node comes back. Faults are the business of the harness.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::*;
use crate::consensus::{Audience, JournalEntry, Protocol};
use crate::crypto::sign::{Ed25519, SigningKey};
use crate::ledger::{
    Content, Envelope, Genesis, Item, MediaType, Metadata, Proposal, Record, ResourceType,
    SignedHeader, Subject,
};
use crate::roster::{Founder, Roster};
use crate::types::{Digest, InstitutionId, RecordId, Text, Timestamp};

const START: i64 = 1_200_000;
const LINK_MS: i64 = 5;

fn key(institution: u32) -> SigningKey {
    let mut seed = [5; 32];
    seed[..4].copy_from_slice(&institution.to_le_bytes());
    SigningKey::from_seed(&seed)
}

/// Ten institutions, the lowest ids best: 4 produce, 4 audit, 2 are full clients.
fn founders() -> Vec<Founder> {
    (1..=10)
        .map(|id| Founder {
            institution: InstitutionId::new(id),
            key: key(id).owner(),
            rating: 90 - u8::try_from(id).unwrap(),
            centre: 1,
        })
        .collect()
}

fn genesis() -> Genesis {
    let committees = Roster::found(&founders(), 4, 4).unwrap().digest();
    Genesis {
        name: Text::new("node").unwrap(),
        started_at: Timestamp::new(START),
        turn_ms: 1_000,
        minute_ms: 10_000,
        window_ms: 60_000,
        producers: 4,
        auditors: 4,
        committees,
        registrar: key(99).owner(),
    }
}

fn config(me: InstitutionId) -> NodeConfig {
    NodeConfig { me, delay_ms: 100 }
}

fn start(founders: &[Founder]) -> Start<'_> {
    Start { genesis: genesis(), founders }
}

#[derive(Default)]
struct Disk {
    journal: Vec<JournalEntry>,
    commits: Vec<Commit>,
    accepted: Vec<Envelope>,
    blocks: Vec<(Arc<Proposal>, Vec<Arc<Item>>)>,
}

struct Network {
    nodes: BTreeMap<InstitutionId, Node>,
    disks: BTreeMap<InstitutionId, Disk>,
    queue: BTreeMap<(i64, u64), (InstitutionId, Input)>,
    sequence: u64,
    now: i64,
    acknowledged: BTreeSet<RecordId>,
    certified: BTreeSet<(InstitutionId, Digest)>,
}

impl Network {
    fn new() -> Self {
        let founders = founders();
        let ids = founders.iter().map(|founder| founder.institution);
        let node = |id| {
            Node::new(config(id), &start(&founders), Ed25519, Protocol).expect("a sound start")
        };
        let mut network = Self {
            nodes: ids.clone().map(|id| (id, node(id))).collect(),
            disks: ids.clone().map(|id| (id, Disk::default())).collect(),
            queue: BTreeMap::new(),
            sequence: 0,
            now: START,
            acknowledged: BTreeSet::new(),
            certified: BTreeSet::new(),
        };
        for id in ids {
            let mut effects = Vec::new();
            let now = Timestamp::new(START);
            network.nodes.get_mut(&id).unwrap().start(now, &mut effects);
            network.carry_out(id, effects);
        }
        network
    }

    fn enqueue(&mut self, at: i64, to: InstitutionId, input: Input) {
        self.sequence += 1;
        self.queue.insert((at, self.sequence), (to, input));
    }

    fn feed(&mut self, id: InstitutionId, input: Input) {
        let Some(node) = self.nodes.get_mut(&id) else { return };
        let mut effects = Vec::new();
        node.step(Timestamp::new(self.now), input, &mut effects);
        self.carry_out(id, effects);
    }

    fn send(&mut self, from: InstitutionId, to: Audience, message: &Message) {
        let committees = self.nodes[&from].consensus().committees().clone();
        let auditors = committees.auditors.iter().map(|seat| seat.institution);
        let to: BTreeSet<InstitutionId> = match to {
            Audience::Everyone => self.nodes.keys().copied().collect(),
            Audience::Auditors { and } => auditors.chain([and]).collect(),
            Audience::One(one) => [one].into(),
        };
        for to in to.into_iter().filter(|to| *to != from) {
            let message = message.clone();
            self.enqueue(self.now + LINK_MS, to, Input::Message { from, message });
        }
    }

    fn carry_out(&mut self, id: InstitutionId, effects: Vec<Effect>) {
        for effect in effects {
            let disk = self.disks.get_mut(&id).unwrap();
            match effect {
                Effect::Persist(entry) => disk.journal.push(entry),
                Effect::Keep { proposal, items } => disk.blocks.push((proposal, items)),
                Effect::Accept(envelope) => disk.accepted.push((*envelope).clone()),
                Effect::Acknowledge(record) => {
                    self.acknowledged.insert(record);
                }
                Effect::Refuse(refusal) => panic!("{refusal}"),
                Effect::Propose { header, payload } => {
                    let signed = SignedHeader::sign(header, &key(id.get()));
                    let proposal = Arc::new(Proposal { signed, payload: (*payload).clone() });
                    let message = Message::Proposal(proposal);
                    self.send(id, Audience::Everyone, &message);
                    self.feed(id, Input::Message { from: id, message });
                }
                Effect::Cast { vote, to } => {
                    let chain = self.nodes[&id].chain().id();
                    let message = Message::Vote(vote.sign(&chain, id, &key(id.get())));
                    self.send(id, to, &message);
                    self.feed(id, Input::Message { from: id, message });
                }
                Effect::Send { to, message } => self.send(id, to, &message),
                Effect::Arm { timer, after_ms } => {
                    self.enqueue(self.now + i64::from(after_ms), id, Input::Timeout(timer));
                }
                Effect::Commit(commit) => disk.commits.push(*commit),
                Effect::Certified(certificate) => {
                    let root = *certificate.vote.subject.digest().unwrap();
                    self.certified.insert((id, root));
                }
                Effect::Serve { to, wanted } => self.serve(id, to, &wanted),
                Effect::Frozen(_) | Effect::Anchor(_) => {}
                Effect::AnchorRefused(error) => panic!("{error}"),
                Effect::Convict(evidence) => panic!("all are honest: {evidence:?}"),
            }
        }
    }

    fn serve(&mut self, id: InstitutionId, to: InstitutionId, wanted: &Wanted) {
        let commits = &self.disks[&id].commits;
        let mut messages = Vec::new();
        match wanted {
            Wanted::Decision { after } => {
                let last = |commit: &Commit| {
                    commit.decision.blocks.last().map(|block| block.signed.header.height)
                };
                let found = commits.iter().filter(|commit| last(commit) > Some(*after)).take(8);
                messages.extend(found.map(|commit| Message::Decision(commit.decision.clone())));
            }
            Wanted::Items(roots) => {
                let items = commits.iter().flat_map(|commit| commit.items.iter().flatten());
                let wanted = items.filter(|item| roots.contains(&item.root()));
                messages.extend(wanted.map(|item| Message::Item(item.clone())));
            }
            Wanted::Block(hash) => {
                let holds = |commit: &&Commit| {
                    commit.decision.blocks.iter().any(|block| block.signed.hash() == *hash)
                };
                let found = commits.iter().find(holds);
                messages.extend(found.map(|commit| Message::Decision(commit.decision.clone())));
            }
            Wanted::Anchor(epoch) => {
                let entries = self.disks[&id].journal.iter().filter_map(|entry| match entry {
                    JournalEntry::Certified(certificate) => Some(certificate.clone()),
                    _ => None,
                });
                let anchors = entries.filter(|certificate| {
                    let subject = certificate.vote.subject;
                    certificate.vote.epoch == *epoch && matches!(subject, Subject::Anchor(_))
                });
                messages.extend(anchors.map(Message::Certificate));
            }
        }
        for message in messages {
            self.send(id, Audience::One(to), &message);
        }
    }

    fn run_until(&mut self, ms: i64) {
        while let Some(((at, sequence), _)) = self.queue.first_key_value() {
            if *at > START + ms {
                break;
            }
            let place = (*at, *sequence);
            let (to, input) = self.queue.remove(&place).unwrap();
            self.now = place.0;
            self.feed(to, input);
        }
        self.now = START + ms;
    }

    fn book(&mut self, delegate: u32, number: u32) -> RecordId {
        let (owner, delegate) = (key(1_000 + number % 7), InstitutionId::new(delegate));
        let content = number.to_le_bytes().to_vec();
        let kind = ResourceType::new("Binary").unwrap();
        let media = MediaType::new("text/plain").unwrap();
        let metadata = Metadata::new(kind, media, Timestamp::new(START), 4);
        let record =
            Record::new(owner.owner(), metadata, Content::inline(content).unwrap()).unwrap();
        let chain = self.nodes[&delegate].chain().id();
        let envelope = Envelope::sign(record, &chain, &owner, delegate).verify(&chain).unwrap();
        let id = *envelope.record_id();
        self.feed(delegate, Input::Request(owner.owner()));
        let submission = Submission { envelope, is_file_stored: false };
        self.feed(delegate, Input::Submit(submission));
        id
    }
}

#[test]
fn records_are_booked_by_everybody_and_epochs_end_with_a_certified_anchor() {
    let mut network = Network::new();
    let mut submitted = BTreeSet::new();
    for step in 0..150_u32 {
        network.run_until(i64::from(step) * 1_000);
        // By any delegate, an auditor too, whoever leads.
        submitted.insert(network.book(1 + step % 8, step));
    }
    network.run_until(200_000);
    assert_eq!(network.acknowledged, submitted);
    let first = network.nodes.values().next().unwrap();
    assert_eq!(first.booked().len(), submitted.len());
    assert_eq!(first.chain().epoch().get(), 3);
    for node in network.nodes.values() {
        assert_eq!(node.chain().state_digest(), first.chain().state_digest());
        assert_eq!(node.chain().head(), first.chain().head());
        assert_eq!(node.waiting(), 0, "node {}", node.me());
        assert!(node.sizes().iter().all(|size| *size < 20), "{:?}", node.sizes());
    }
    let roots: BTreeSet<_> = network.certified.iter().map(|(_, root)| *root).collect();
    assert_eq!(roots.len(), 3);
    assert_eq!(network.certified.len(), 3 * network.nodes.len(), "everybody holds each anchor");
    for disk in network.disks.values() {
        let blocks = disk.commits.iter().flat_map(|commit| commit.decision.blocks.iter());
        let mut heights = Vec::new();
        for block in blocks {
            let producer = block.signed.header.producer.get();
            assert!(block.signed.holds(&key(producer).owner(), &Ed25519), "block is signed");
            heights.push(block.signed.header.height.get());
        }
        assert!(heights.iter().zip(1..).all(|(found, height)| *found == height), "{heights:?}");
    }
    // In a network without faults every producer gets its turns and nobody misses one.
    let roster = first.chain().roster();
    for institution in &roster.institutions()[..4] {
        assert!(institution.performance.blocks_signed > 40, "{institution:?}");
        assert_eq!(institution.performance.blocks_missed, 0, "{institution:?}");
    }
    assert!(roster.institutions()[4].performance.audits_done > 100);
}

#[test]
fn a_node_that_was_down_for_two_epochs_catches_up_from_its_disk_and_the_others() {
    let mut network = Network::new();
    network.book(1, 0);
    network.run_until(20_000);
    for down in [InstitutionId::new(7), InstitutionId::new(2)] {
        network.nodes.remove(&down);
        for number in 1..40 {
            let now = network.now - START;
            network.run_until(now + 3_000);
            network.book(if down.get() == 2 { 1 } else { 3 }, down.get() * 100 + number);
        }
        let founders = founders();
        let mut node = Node::new(config(down), &start(&founders), Ed25519, Protocol).unwrap();
        let disk = &network.disks[&down];
        let stored = Recovered {
            commits: &disk.commits,
            journal: Journal::Whole(&disk.journal),
            blocks: disk.blocks.clone(),
            accepted: disk.accepted.clone(),
        };
        let mut effects = Vec::new();
        node.recover(Timestamp::new(network.now), stored, &mut effects).unwrap();
        network.nodes.insert(down, node);
        network.carry_out(down, effects);
        let now = network.now - START;
        network.run_until(now + 40_000);
        let reference = &network.nodes[&InstitutionId::new(9)];
        let back = &network.nodes[&down];
        let place = |node: &Node| {
            let chain = node.chain();
            (chain.height(), chain.epoch(), node.consensus().view(), chain.head())
        };
        assert_eq!(place(back), place(reference), "node {down}");
        assert_eq!(back.chain().state_digest(), reference.chain().state_digest());
        assert_eq!(back.booked().len(), reference.booked().len());
    }
}
