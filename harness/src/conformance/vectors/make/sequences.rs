//! What an auditor that is alone with the harness must and must never vote for. [CON-4] [CON-6] [CON-7]
//!
//! Epoch 0 of a network of four producers and four auditors: institution 1 leads view 1, institution 2 view
//! 2; three auditors are a quorum. The node under test is auditor 6. Messages, hashes and signatures come
//! from `rules`.

mod blocks;
mod items;
mod votes;

use std::sync::Arc;

use serde_json::Value;

use super::super::sequence::{Deed, Kind, Move, NODE, Rule, Sequence, SequenceFile, What};
use super::super::shape::Flag;
use crate::conformance::opened;
use crate::rules::agreement::{
    SignedHeader, Subject, Vote, commitment, no_events, proposal_message, vote_message,
};
use crate::rules::ids::id;
use crate::rules::messages::Message;
use crate::rules::mirror::{BlockHeader, Bytes32, Certificate, Payload, Proposal, SignedVote};
use crate::rules::wire::{Mirror, WireKind, decode};
use crate::rules::{ed25519, merkle};
use crate::seed::Seed;
use crate::simulation::cluster::STARTED_MS;
use crate::simulation::node::{Scale, Setup};

/// The institution under test.
const ME: u32 = 6;
/// The auditors, in order of seats.
const AUDITORS: [u32; 4] = [5, 6, 7, 8];
/// The other auditors.
const OTHERS: [u32; 3] = [5, 7, 8];
/// Milliseconds into the network at which proposals come.
const PROPOSED_MS: i64 = 1_100;
/// Milliseconds into the network at which every node has given up view 1: ten turns.
const GIVEN_UP_MS: i64 = 10_000;
/// Producers' payloads are empty.
const IDLE: Payload = Payload { item_block: None, parent_certificate: None, events: no_events() };

/// The file of sequences.
#[must_use]
pub fn made() -> SequenceFile {
    let scene = Scene::new();
    let mut sequences = blocks::sequences(&scene);
    sequences.extend(items::sequences(&scene));
    sequences.extend(votes::sequences(&scene));
    let flag = |(name, bug, effect): (&str, &str, &str)| {
        let (bug, effect) = (bug.to_owned(), effect.to_owned());
        (name.to_owned(), Flag { bug, effect, see: None })
    };
    SequenceFile {
        about: "Sequences of steps of one auditor; whoever runs them stands in the place of everybody else."
            .to_owned(),
        network: scene.network,
        flags: FLAGS.into_iter().map(flag).collect(),
        sequences,
    }
}

const FLAGS: [(&str, &str, &str); 9] = [
    ("votes-twice", "a vote is not remembered", "two blocks of one view become final"),
    (
        "vote-not-stored",
        "a vote is sent before it is on the disk",
        "behind a crash the auditor votes against itself, and two blocks become final",
    ),
    (
        "quorum-miscounted",
        "votes are counted and not voters, or too few are enough",
        "a minority makes blocks final, or a faulty auditor alone",
    ),
    (
        "signature-unchecked",
        "signatures of votes or proposals are not checked",
        "whoever reaches the node speaks for everybody",
    ),
    (
        "vote-out-of-place",
        "view, chain or block of a vote are not compared",
        "votes for one thing certify another one",
    ),
    (
        "header-unchecked",
        "a field of a header is not checked",
        "a block that breaks the rules becomes final",
    ),
    (
        "items-unchecked",
        "a vote does not wait for the Items of a block, or a point of them is not checked",
        "records that nobody may book, or that nobody has, become final",
    ),
    (
        "view-skipped",
        "a view is left behind without a certificate",
        "two blocks of one height become final",
    ),
    (
        "stops-at-nonsense",
        "what makes no sense ends the node or its view",
        "one faulty node stops the others",
    ),
];

/// The network, and the keys of everybody in it.
struct Scene {
    network: Arc<Value>,
    chain_id: Bytes32,
    /// Seeds of institutions 1, 2 and so on.
    secrets: Vec<Bytes32>,
}

impl Scene {
    fn new() -> Self {
        use mdsm_core::codec::Wire as _;
        let setup = Setup::new(mdsm_core::consensus::Protocol, Scale::SMALL, Seed::new(7), true);
        let network = Arc::new(opened::network(&setup, NODE, ME));
        let genesis = decode(WireKind::Genesis, &setup.genesis.to_bytes());
        let genesis = genesis.expect("the genesis of the simulator is one");
        let secret = |id| setup.keys.secret(mdsm_core::types::InstitutionId::new(id));
        Self { network, chain_id: id(&genesis), secrets: (1..=8).map(secret).collect() }
    }

    /// Signs for an institution.
    fn sign(&self, who: u32, message: &[u8]) -> [u8; 64] {
        let place = usize::try_from(who - 1).expect("a small number");
        ed25519::sign(&self.secrets[place], message)
    }

    /// The header of an empty block of a view on top of the genesis, stamped when it is proposed.
    fn header(&self, view: u64) -> BlockHeader {
        BlockHeader {
            chain_id: self.chain_id,
            epoch: 0,
            view,
            height: 1,
            // Above the genesis stands its own id.
            parent: self.chain_id,
            parent_view: 0,
            timestamp: STARTED_MS + PROPOSED_MS,
            producer: u32::try_from(view).expect("a small number"),
            payload: commitment(&IDLE),
        }
    }

    /// A block of view 2 on top of one of view 1.
    fn above(&self, parent: &BlockHeader) -> BlockHeader {
        let (height, timestamp) = (parent.height + 1, parent.timestamp + 1);
        let above =
            BlockHeader { parent: hash(parent), parent_view: parent.view, ..self.header(2) };
        BlockHeader { height, timestamp, ..above }
    }

    /// A block with the signature of somebody.
    fn signed_by(&self, who: u32, header: &BlockHeader) -> Message {
        let signature = self.sign(who, &proposal_message(header));
        let signed = SignedHeader { header: header.clone(), signature };
        Message::Proposal(Proposal { signed, payload: IDLE })
    }

    /// A vote, signed by `by` in the name of `who` for a chain.
    fn vote(&self, chain_id: &Bytes32, who: u32, by: u32, vote: &Vote) -> SignedVote {
        let signature = self.sign(by, &vote_message(chain_id, vote));
        SignedVote { vote: vote.clone(), signer: who, signature }
    }

    /// A certificate of a vote by auditors, in order of seats; the bits are those of the seats.
    fn certificate(&self, vote: &Vote, bits: u8, by: &[u32]) -> Message {
        let sign = |who: &u32| self.sign(*who, &vote_message(&self.chain_id, vote));
        let signatures = by.iter().map(sign).collect();
        Message::Certificate(Certificate { vote: vote.clone(), signers: vec![bits], signatures })
    }
}

/// The name of a block.
fn hash(header: &BlockHeader) -> Bytes32 {
    id(&Mirror::from(header.clone()))
}

fn notarize(header: &BlockHeader) -> Vote {
    Vote { epoch: header.epoch, view: header.view, subject: Subject::Notarize(hash(header)) }
}

fn finalize(header: &BlockHeader) -> Vote {
    Vote { epoch: header.epoch, view: header.view, subject: Subject::Finalize(hash(header)) }
}

fn nullify(view: u64) -> Vote {
    Vote { epoch: 0, view, subject: Subject::Nullify }
}

/// What a sequence is about.
struct About<'a> {
    id: &'a str,
    title: &'a str,
    of: &'a [&'a str],
    flags: &'a [&'a str],
}

/// A sequence that is being written.
struct Story<'a> {
    scene: &'a Scene,
    now: i64,
    sequence: Sequence,
}

impl<'a> Story<'a> {
    /// The node wakes up for the first time.
    fn new(scene: &'a Scene, about: &About<'_>) -> Self {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let sequence = Sequence {
            id: format!("sequence.{}", about.id),
            title: about.title.to_owned(),
            is_negative: false,
            requirements: texts(about.of),
            flags: texts(about.flags),
            network: scene.network.clone(),
            moves: Vec::new(),
        };
        let mut story = Self { scene, now: STARTED_MS, sequence };
        story.start();
        story
    }

    /// A story in which it is time for proposals of view 1.
    fn proposing(scene: &'a Scene, about: &About<'_>) -> Self {
        let mut story = Self::new(scene, about);
        story.ring(PROPOSED_MS);
        story
    }

    /// A story in which nobody proposed in view 1, and the node has given it up.
    fn given_up(scene: &'a Scene, about: &About<'_>) -> Self {
        let mut story = Self::new(scene, about);
        story.ring(GIVEN_UP_MS);
        story.voted(&nullify(1), "it waits 10 s for a block and does not nullify");
        story
    }

    fn push(&mut self, what: What) {
        let (must, never) = (Vec::new(), Vec::new());
        self.sequence.moves.push(Move { what, must, never });
    }

    /// The randomness of the step that comes: one number for each.
    fn random(&self) -> Bytes32 {
        let number = self.sequence.moves.len().to_le_bytes();
        merkle::sha256(&[b"sequence ", self.sequence.id.as_bytes(), &number])
    }

    fn start(&mut self) {
        let what = What::Start { now: self.now, random: self.random() };
        self.push(what);
    }

    /// Time passes up to so many milliseconds of the network.
    fn ring(&mut self, until_ms: i64) {
        self.now = STARTED_MS + until_ms;
        let what = What::Ring { until: self.now, random: self.random() };
        self.push(what);
    }

    /// It crashes, loses what it did not append, and comes back.
    fn crash(&mut self) {
        self.push(What::Crash);
        self.start();
    }

    fn hear(&mut self, from: u32, message: &Message) {
        self.hear_bytes(from, Mirror::from(message.clone()).encode());
    }

    fn hear_bytes(&mut self, from: u32, message: Vec<u8>) {
        let what =
            What::Step { now: self.now, random: self.random(), inbox: vec![(from, message)] };
        self.push(what);
    }

    /// The producer that a header names proposes it.
    fn propose(&mut self, header: &BlockHeader) {
        let message = self.scene.signed_by(header.producer, header);
        self.hear(header.producer, &message);
    }

    /// Somebody votes.
    fn vote(&mut self, who: u32, vote: &Vote) {
        let signed = self.scene.vote(&self.scene.chain_id, who, who, vote);
        self.hear(who, &Message::Vote(signed));
    }

    fn last(&mut self) -> &mut Move {
        self.sequence.moves.last_mut().expect("a story begins with a start")
    }

    /// By now the node has sent this vote, with the one signature that it can have.
    fn voted(&mut self, vote: &Vote, otherwise: &str) {
        let signed = self.scene.vote(&self.scene.chain_id, ME, ME, vote);
        let deed = Deed::Message(Mirror::from(Message::Vote(signed)).encode());
        let otherwise = otherwise.to_owned();
        self.last().must.push(Rule { deed, otherwise });
    }

    fn is_final(&mut self, block: &BlockHeader, otherwise: &str) {
        let deed = Deed::Final { block: Some(hash(block)) };
        let otherwise = otherwise.to_owned();
        self.last().must.push(Rule { deed, otherwise });
    }

    fn never(&mut self, deed: Deed, otherwise: &str) {
        self.sequence.is_negative = true;
        let otherwise = otherwise.to_owned();
        self.last().never.push(Rule { deed, otherwise });
    }

    /// So far the node has not done something that it may do later: no sequence is negative by that.
    fn not_yet(&mut self, deed: Deed, otherwise: &str) {
        let otherwise = otherwise.to_owned();
        self.last().never.push(Rule { deed, otherwise });
    }

    fn done(self) -> Sequence {
        self.sequence
    }
}

/// A vote for a block in the view that its header names.
fn for_block(kind: Kind, header: &BlockHeader) -> Deed {
    Deed::Vote { kind, view: header.view, block: Some(hash(header)), other_than: None }
}
