//! A small network with real signatures and a virtual clock, without faults but a few.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::super::*;
use crate::consensus::{Audience, JournalEntry, Protocol};
use crate::crypto::sign::{Ed25519, SigningKey};
use crate::ledger::{
    Content, Envelope, Genesis, Item, MediaType, Metadata, Proposal, Record, ResourceType,
    SignedHeader, Subject, Vote,
};
use crate::roster::{Founder, Roster};
use crate::types::{Digest, Height, InstitutionId, RecordId, Text, Timestamp};

pub(super) const START: i64 = 1_200_000;
const LINK_MS: i64 = 5;

pub(super) fn key(institution: u32) -> SigningKey {
    let mut seed = [5; 32];
    seed[..4].copy_from_slice(&institution.to_le_bytes());
    SigningKey::from_seed(&seed)
}

/// Ten institutions, the lowest ids best: 4 produce, 4 audit, 2 are full clients.
pub(super) fn founders() -> Vec<Founder> {
    (1..=10)
        .map(|id| Founder {
            institution: InstitutionId::new(id),
            key: key(id).owner(),
            rating: 90 - u8::try_from(id).unwrap(),
            centre: 1,
        })
        .collect()
}

pub(super) fn genesis() -> Genesis {
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

pub(super) fn config(me: InstitutionId) -> NodeConfig {
    NodeConfig { me, delay_ms: 100 }
}

pub(super) fn start(founders: &[Founder]) -> Start<'_> {
    Start { genesis: genesis(), founders }
}

#[derive(Default)]
pub(super) struct Disk {
    pub(super) journal: Vec<JournalEntry>,
    pub(super) commits: Vec<Commit>,
    pub(super) accepted: Vec<Envelope>,
    pub(super) blocks: Vec<(Arc<Proposal>, Vec<Arc<Item>>)>,
    /// Everything that was stored or cast, in order, with the time.
    pub(super) events: Vec<(i64, Event)>,
}

/// What a node did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Event {
    Stored(JournalEntry),
    Cast(Vote),
    Kept(Digest),
    AskedForAnchor,
    Committed(Height),
}

pub(super) struct Network {
    pub(super) nodes: BTreeMap<InstitutionId, Node>,
    pub(super) disks: BTreeMap<InstitutionId, Disk>,
    queue: BTreeMap<(i64, u64), (InstitutionId, Input)>,
    sequence: u64,
    pub(super) now: i64,
    pub(super) acknowledged: BTreeSet<RecordId>,
    pub(super) certified: BTreeSet<(InstitutionId, Digest)>,
    /// By how much the clock of a node is behind.
    pub(super) behind_ms: BTreeMap<InstitutionId, i64>,
    /// Whether votes on anchors are lost on their way.
    pub(super) loses_anchor_votes: bool,
}

impl Network {
    pub(super) fn new() -> Self {
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
            behind_ms: BTreeMap::new(),
            loses_anchor_votes: false,
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

    pub(super) fn feed(&mut self, id: InstitutionId, input: Input) {
        let Some(node) = self.nodes.get_mut(&id) else { return };
        let mut effects = Vec::new();
        let behind_ms = self.behind_ms.get(&id).copied().unwrap_or(0);
        node.step(Timestamp::new(self.now - behind_ms), input, &mut effects);
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

    pub(super) fn carry_out(&mut self, id: InstitutionId, effects: Vec<Effect>) {
        for effect in effects {
            let disk = self.disks.get_mut(&id).unwrap();
            match effect {
                Effect::Persist(entry) => {
                    disk.events.push((self.now, Event::Stored(entry.clone())));
                    disk.journal.push(entry);
                }
                Effect::Keep { proposal, items } => {
                    disk.events.push((self.now, Event::Kept(proposal.signed.hash())));
                    disk.blocks.push((proposal, items));
                }
                Effect::Accept(envelope) => disk.accepted.push(envelope.into_inner()),
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
                    disk.events.push((self.now, Event::Cast(vote)));
                    let chain = self.nodes[&id].chain().id();
                    let message = Message::Vote(vote.sign(&chain, id, &key(id.get())));
                    let is_lost =
                        self.loses_anchor_votes && matches!(vote.subject, Subject::Anchor(_));
                    if !is_lost {
                        self.send(id, to, &message);
                    }
                    self.feed(id, Input::Message { from: id, message });
                }
                Effect::Send { to, message } => {
                    if matches!(message, Message::WantAnchor(_)) {
                        disk.events.push((self.now, Event::AskedForAnchor));
                    }
                    self.send(id, to, &message);
                }
                Effect::Arm { timer, after_ms } => {
                    self.enqueue(self.now + i64::from(after_ms), id, Input::Timeout(timer));
                }
                Effect::Commit(commit) => {
                    disk.events.push((self.now, Event::Committed(commit.height)));
                    disk.commits.push(*commit);
                }
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
            if self.nodes.get_mut(&id).unwrap().may_answer(to, &message) {
                self.send(id, Audience::One(to), &message);
            }
        }
    }

    pub(super) fn run_until(&mut self, ms: i64) {
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

    pub(super) fn book(&mut self, delegate: u32, number: u32) -> RecordId {
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
