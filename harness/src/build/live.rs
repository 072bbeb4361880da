//! A network of real nodes with real signatures under a virtual clock, and what one of them wrote
//! down.
//!
//! Without faults but the chosen ones: a producer that does not propose, one that proposes twice,
//! an auditor that votes twice. Messages arrive in the order of their times, so equal calls give
//! equal logs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use mdsm_core::consensus::{Audience, Protocol};
use mdsm_core::crypto::sign::{Ed25519, SigningKey};
use mdsm_core::ledger::{
    BlockHeader, Certificate, Envelope, Genesis, Item, Payload, Proposal, Record, SignedHeader,
    Subject, Vote,
};
use mdsm_core::node::{
    Commit, Effect, Event, Input, Message, Node, NodeConfig, Start, Submission, Wanted,
};
use mdsm_core::params::{PAPER, Preset};
use mdsm_core::roster::{Founder, Roster};
use mdsm_core::types::{Digest, InstitutionId, RecordId, Timestamp};

use super::{START_MS, after_start, founders, founders_of, genesis, institution_key};

/// Milliseconds that a message takes.
const LINK_MS: i64 = 5;

/// What a node wrote down.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    /// Final blocks, in order.
    pub commits: Vec<Commit>,
    /// Certificates of anchors, in the order in which they came.
    pub anchors: Vec<Arc<Certificate>>,
    /// Anchors of the epochs that have ended, in order.
    pub frozen: Vec<mdsm_core::ledger::Anchor>,
}

/// What institutions do wrong.
#[derive(Clone, Debug, Default)]
pub struct Wrongs {
    /// Producers that propose nothing.
    pub silent: BTreeSet<InstitutionId>,
    /// Auditors that vote for another block too, the next time that they vote for one.
    pub votes_twice: BTreeSet<InstitutionId>,
    /// Producers that propose another block too, the next time that they propose one.
    pub proposes_twice: BTreeSet<InstitutionId>,
}

/// The network.
#[derive(Clone, Debug)]
pub struct Live {
    /// What its members agreed on.
    pub genesis: Genesis,
    /// Who was there from the start.
    pub founders: Vec<Founder>,
    /// Each institution.
    pub nodes: BTreeMap<InstitutionId, Node>,
    /// What each wrote down.
    pub disks: BTreeMap<InstitutionId, Disk>,
    /// What they do wrong from now on.
    pub wrongs: Wrongs,
    queue: BTreeMap<(i64, u64), (InstitutionId, Input)>,
    sequence: u64,
    now: i64,
}

impl Default for Live {
    fn default() -> Self {
        Self::new()
    }
}

impl Live {
    /// Turns of a second, minutes of ten, windows of thirty: the institutions of the small network.
    ///
    /// # Panics
    /// Never: the genesis is sound.
    #[must_use]
    pub fn new() -> Self {
        let genesis = Genesis { turn_ms: 1_000, minute_ms: 10_000, window_ms: 30_000, ..genesis() };
        Self::of(genesis, founders())
    }

    /// The paper's committees and nobody else, with the times of the small network.
    ///
    /// # Panics
    /// Never: the founders fill the seats.
    #[must_use]
    pub fn of_paper() -> Self {
        let Preset { producers, auditors } = PAPER;
        let founders = founders_of(u32::from(producers) + u32::from(auditors));
        let roster = Roster::found(&founders, producers, auditors);
        let committees = roster.expect("a founder for each seat").digest();
        Self::of(Genesis { producers, auditors, committees, ..Self::new().genesis }, founders)
    }

    fn of(genesis: Genesis, founders: Vec<Founder>) -> Self {
        let start = Start { genesis: genesis.clone(), founders: &founders };
        let ids: Vec<InstitutionId> = founders.iter().map(|one| one.institution).collect();
        let node = |me: InstitutionId| {
            let config = NodeConfig { me, delay_ms: 100 };
            Node::new(config, &start, Ed25519, Protocol).expect("a sound genesis")
        };
        let nodes = ids.iter().map(|id| (*id, node(*id))).collect();
        let disks = ids.iter().map(|id| (*id, Disk::default())).collect();
        let (queue, wrongs) = (BTreeMap::new(), Wrongs::default());
        let mut live =
            Self { genesis, founders, nodes, disks, wrongs, queue, sequence: 0, now: START_MS };
        for id in ids {
            let mut effects = Vec::new();
            if let Some(node) = live.nodes.get_mut(&id) {
                node.start(after_start(0), &mut effects);
            }
            live.carry_out(id, effects);
        }
        live
    }

    /// Milliseconds since the start.
    #[must_use]
    pub fn ms(&self) -> i64 {
        self.now - START_MS
    }

    /// Lets everything happen up to so many milliseconds after the start.
    pub fn run_until(&mut self, ms: i64) {
        while let Some(first) = self.queue.first_entry() {
            let (at, _) = *first.key();
            if at > START_MS + ms {
                break;
            }
            let (to, input) = first.remove();
            self.now = at;
            self.feed(to, input);
        }
        self.now = START_MS + ms;
    }

    /// Hands a delegate a record of this owner.
    ///
    /// # Panics
    /// When the record is not sound.
    pub fn book(&mut self, delegate: u32, record: Record, owner: &SigningKey) -> RecordId {
        let delegate = InstitutionId::new(delegate);
        let chain = self.genesis.chain_id();
        let envelope = Envelope::sign(record, &chain, owner, delegate);
        let envelope = envelope.verify(&chain).expect("a sound record");
        let id = *envelope.record_id();
        self.feed(delegate, Input::Request(owner.owner()));
        self.feed(delegate, Input::Submit(Submission { envelope, is_file_stored: false }));
        id
    }

    /// Hands an institution something that a block should carry.
    pub fn tell(&mut self, institution: u32, event: Event) {
        self.feed(InstitutionId::new(institution), Input::Event(event));
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
            match effect {
                Effect::Propose { header, payload } => self.propose(id, header, &payload),
                Effect::Cast { vote, to } => self.cast(id, vote, to),
                Effect::Send { to, message } => self.send(id, to, &message),
                Effect::Arm { timer, after_ms } => {
                    self.enqueue(self.now + i64::from(after_ms), id, Input::Timeout(timer));
                }
                Effect::Serve { to, wanted } => self.serve(id, to, &wanted),
                Effect::Commit(commit) => self.disk(id).commits.push(*commit),
                Effect::Certified(certificate) => self.disk(id).anchors.push(certificate),
                Effect::Frozen(anchor) => self.disk(id).frozen.push(anchor),
                Effect::Persist(_)
                | Effect::Accept(_)
                | Effect::Keep { .. }
                | Effect::Acknowledge(_)
                | Effect::Refuse(_)
                | Effect::Anchor(_)
                | Effect::AnchorRefused(_)
                | Effect::Convict(_) => {}
            }
        }
    }

    fn disk(&mut self, id: InstitutionId) -> &mut Disk {
        self.disks.entry(id).or_default()
    }

    fn propose(&mut self, id: InstitutionId, header: BlockHeader, payload: &Payload) {
        if self.wrongs.silent.contains(&id) {
            return;
        }
        let mut headers = vec![header];
        if self.wrongs.proposes_twice.remove(&id) {
            let timestamp = Timestamp::new(header.timestamp.get() + 1);
            headers.push(BlockHeader { timestamp, ..header });
        }
        for header in headers {
            let signed = SignedHeader::sign(header, &institution_key(id));
            let proposal = Arc::new(Proposal { signed, payload: payload.clone() });
            let message = Message::Proposal(proposal);
            self.send(id, Audience::Everyone, &message);
            self.feed(id, Input::Message { from: id, message });
        }
    }

    fn cast(&mut self, id: InstitutionId, vote: Vote, to: Audience) {
        let mut votes = vec![vote];
        if matches!(vote.subject, Subject::Notarize(_)) && self.wrongs.votes_twice.remove(&id) {
            votes.push(Vote { subject: Subject::Notarize(Digest::new([0xbb; 32])), ..vote });
        }
        for vote in votes {
            let signed = vote.sign(&self.genesis.chain_id(), id, &institution_key(id));
            let message = Message::Vote(signed);
            self.send(id, to, &message);
            self.feed(id, Input::Message { from: id, message });
        }
    }

    fn serve(&mut self, id: InstitutionId, to: InstitutionId, wanted: &Wanted) {
        let Some(disk) = self.disks.get(&id) else { return };
        let mut messages = Vec::new();
        match wanted {
            Wanted::Decision { after } => {
                let is_above = |commit: &&Commit| {
                    commit.decision.blocks.iter().any(|one| one.signed.header.height > *after)
                };
                let found = disk.commits.iter().filter(is_above).take(8);
                messages.extend(found.map(|commit| Message::Decision(commit.decision.clone())));
            }
            Wanted::Items(roots) => {
                let items = items_of(disk.commits.iter().rev(), roots);
                messages.extend(items.into_iter().map(Message::Item));
            }
            Wanted::Block(hash) => {
                let holds = |commit: &&Commit| {
                    commit.decision.blocks.iter().any(|block| block.signed.hash() == *hash)
                };
                let found = disk.commits.iter().find(holds);
                messages.extend(found.map(|commit| Message::Decision(commit.decision.clone())));
            }
            Wanted::Anchor(epoch) => {
                let of = disk.anchors.iter().filter(|anchor| anchor.vote.epoch == *epoch);
                messages.extend(of.cloned().map(Message::Certificate));
            }
        }
        for message in messages {
            if self.nodes.get_mut(&id).is_some_and(|node| node.may_answer(to, &message)) {
                self.send(id, Audience::One(to), &message);
            }
        }
    }
}

/// The Items of these roots among blocks, the first of which are most likely to hold them. Roots stand in
/// the payloads: nothing is hashed here.
pub fn items_of<'a>(
    commits: impl IntoIterator<Item = &'a Commit>,
    roots: &[Digest],
) -> Vec<Arc<Item>> {
    let mut found = Vec::new();
    let blocks = commits
        .into_iter()
        .flat_map(|commit| commit.decision.blocks.iter().zip(commit.items.iter()));
    for (block, items) in blocks {
        if found.len() == roots.len() {
            break;
        }
        let Some(item_block) = &block.payload.item_block else { continue };
        let named = item_block.items.iter().zip(items);
        found.extend(named.filter(|(root, _)| roots.contains(root)).map(|(_, item)| item.clone()));
    }
    found
}
