//! Sequences of steps: one auditor, and the harness in the place of everybody else. What it votes for is
//! held against the rules; all other messages of its are its own affair. [CON-4] [CON-6] [CON-7]
//!
//! Epoch 0 of a network of four producers and four auditors: institution 1 leads view 1, institution 2 view
//! 2; three auditors are a quorum.

use std::rc::Rc;

use mdsm_core::chain::Chain;
use mdsm_core::codec::Wire as _;
use mdsm_core::consensus::Protocol;
use mdsm_core::crypto::sign::SigningKey;
use mdsm_core::ledger::{BlockHeader, Payload, Proposal, SignedHeader, Subject, Vote};
use mdsm_core::node::Message;
use mdsm_core::types::{Digest, Epoch, Height, InstitutionId, Timestamp, View};

use super::super::port::Port;
use super::super::result::{Did, Seen};
use super::run::network;
use crate::conformance::case::{Case, Check};
use crate::conformance::protocol::{MIXED_NETWORK, Step};
use crate::conformance::subject::{Interrupt, Subject as Tested};
use crate::seed::Seed;
use crate::simulation::cluster::STARTED_MS;
use crate::simulation::node::{Scale, Setup};

/// The institution under test, and its number.
const ME: u32 = 6;
const NODE: u16 = 0;
/// The other auditors.
const OTHERS: [u32; 3] = [5, 7, 8];
/// Milliseconds into the network at which proposals come.
const PROPOSED_MS: u64 = 1_100;

type Judged = Result<String, Interrupt>;

/// A sequence by its id, its claim and its sentences.
type Sequence =
    (&'static str, &'static str, &'static [&'static str], fn(&mut Tested<'_>) -> Judged);

const SEQUENCES: &[Sequence] = &[
    (
        "sequence.one-vote-a-view",
        "of two blocks of one view an auditor votes for one, also behind a crash",
        &["CON-7.2", "CON-7.4"],
        one_vote,
    ),
    (
        "sequence.quorum-finalizes",
        "a block that three of four auditors notarize and finalize is final, and not before",
        &["CON-7.1", "CON-4.2"],
        quorum,
    ),
    (
        "sequence.too-few-do-not-finalize",
        "two auditors, however often they vote, and institutions that audit nothing make no quorum",
        &["CON-7.1"],
        too_few,
    ),
    (
        "sequence.silent-leader-is-passed-over",
        "a view without a block is nullified, and the next leader's block is voted for",
        &["CON-6.1", "CON-6.3"],
        silent_leader,
    ),
    (
        "sequence.no-finalize-behind-nullify",
        "an auditor that voted to nullify a view does not vote to finalize its block, also behind a crash",
        &["CON-7.3"],
        no_finalize,
    ),
    (
        "sequence.wrong-blocks-get-no-vote",
        "blocks of another leader, chain, parent, height, time or payload get no vote",
        &["CON-4.4", "CON-4.5", "CON-5.3"],
        wrong_blocks,
    ),
];

/// A case for each sequence.
pub(in super::super) fn cases() -> Vec<Case> {
    let case = |(id, title, requirements, check): &Sequence| Case {
        id: (*id).to_owned(),
        title: (*title).to_owned(),
        requirements: requirements.iter().map(|id| (*id).to_owned()).collect(),
        ops: vec![MIXED_NETWORK.to_owned()],
        check: Check::Sequence(*check),
    };
    SEQUENCES.iter().map(case).collect()
}

/// The auditor under test, its disk, its timers, and what it voted for.
struct Scene<'a, 's> {
    port: Port<'a, 's>,
    setup: Rc<Setup<Protocol>>,
    head: Digest,
    now_ms: u64,
    disk: Vec<Rc<[u8]>>,
    timers: Vec<(u64, String)>,
    votes: Vec<Vote>,
    /// Names of blocks that are final.
    finals: Vec<Vec<u8>>,
}

impl<'a, 's> Scene<'a, 's> {
    fn new(subject: &'a mut Tested<'s>) -> Result<Self, Interrupt> {
        let setup = Setup::new(Protocol, Scale::SMALL, Seed::new(7), true);
        let chain = Chain::new(setup.genesis.clone(), &setup.founders);
        let chain = chain.map_err(|error| Interrupt::Undecided(error.to_string()))?;
        let mut port = Port::new(subject);
        port.open(network(&setup, NODE, ME));
        let mut scene = Self {
            port,
            setup,
            head: chain.head(),
            now_ms: 0,
            disk: Vec::new(),
            timers: Vec::new(),
            votes: Vec::new(),
            finals: Vec::new(),
        };
        scene.wake();
        Ok(scene)
    }

    fn step(&mut self, what: Step) {
        let now = STARTED_MS.saturating_add_unsigned(self.now_ms);
        let did = self.port.step(Step { node: NODE, now, random: [9; 32], ..what });
        let Did { replace, append, outbox, timers, seen } = did;
        if replace {
            self.disk.clear();
        }
        self.disk.extend(append);
        for (_, message) in outbox {
            match Message::from_bytes(&message) {
                Ok(Message::Vote(signed)) if signed.signer.get() == ME => {
                    self.votes.push(signed.vote);
                }
                Ok(_) => {}
                Err(error) => self.port.fail(format!("it sends what is no message: {error}")),
            }
        }
        let now_ms = self.now_ms;
        self.timers.extend(
            timers.into_iter().map(|(name, after_ms)| (now_ms + u64::from(after_ms), name)),
        );
        for one in seen {
            if let Seen::Final(block) = one {
                self.finals.push(block.name.clone());
            }
        }
    }

    fn wake(&mut self) {
        let start = Some(self.disk.clone());
        self.step(Step { start, ..Step::default() });
    }

    /// It crashes, loses what it did not append, and comes back.
    fn crash(&mut self) {
        self.port.crash(NODE);
        self.timers.clear();
        self.wake();
    }

    /// Time passes, and timers ring when they are due.
    fn until(&mut self, at_ms: u64) {
        while !self.port.is_broken() {
            let due = self.timers.iter().enumerate().filter(|(_, (due, _))| *due <= at_ms);
            let Some((place, _)) = due.min_by_key(|(_, (due, _))| *due) else { break };
            let (due_ms, name) = self.timers.remove(place);
            self.now_ms = self.now_ms.max(due_ms);
            self.step(Step { timers: vec![name], ..Step::default() });
        }
        self.now_ms = self.now_ms.max(at_ms);
    }

    fn hear(&mut self, from: u32, message: &Message) {
        let inbox = vec![(from, message.to_bytes().into())];
        self.step(Step { inbox, ..Step::default() });
    }

    fn key(&self, of: u32) -> SigningKey {
        SigningKey::from_seed(&self.setup.keys.secret(InstitutionId::new(of)))
    }

    /// The header of an empty block of a view above the start of the chain.
    fn header(&self, view: u64) -> BlockHeader {
        let time = STARTED_MS.saturating_add_unsigned(self.now_ms);
        BlockHeader {
            chain_id: self.setup.chain_id(),
            epoch: Epoch::new(0),
            view: View::new(view),
            height: Height::new(1),
            parent: self.head,
            parent_view: View::new(0),
            timestamp: Timestamp::new(time),
            producer: InstitutionId::new(u32::try_from(view).unwrap_or(0)),
            payload: Payload::default().commitment(),
        }
    }

    /// A producer proposes an empty block; its hash.
    fn propose(&mut self, header: BlockHeader) -> Digest {
        let producer = header.producer.get();
        let signed = SignedHeader::sign(header, &self.key(producer));
        let hash = signed.hash();
        let proposal = Proposal { signed, payload: Payload::default() };
        self.hear(producer, &Message::Proposal(proposal.into()));
        hash
    }

    /// Somebody votes.
    fn vote(&mut self, voter: u32, view: u64, subject: Subject) {
        let vote = Vote { epoch: Epoch::new(0), view: View::new(view), subject };
        let signed = vote.sign(&self.setup.chain_id(), InstitutionId::new(voter), &self.key(voter));
        self.hear(voter, &Message::Vote(signed));
    }

    /// Whether it voted for this in a view.
    fn has_voted(&self, view: u64, subject: Subject) -> bool {
        self.votes.iter().any(|vote| vote.view.get() == view && vote.subject == subject)
    }

    fn claim(&self, holds: bool, what: &str) -> Result<(), Interrupt> {
        let votes = || {
            let shown = self.votes.iter().map(|vote| format!("{} {:?}", vote.view, vote.subject));
            shown.collect::<Vec<_>>().join(", ")
        };
        // What departs from the page comes first: `end` tells it.
        if holds || self.port.is_broken() {
            Ok(())
        } else {
            Err(Interrupt::Broken(format!("{what}; its votes: {}", votes())))
        }
    }

    /// The end of a sequence in which nothing broke the page.
    fn end(mut self) -> Judged {
        let (votes, steps) = (self.votes.len(), self.port.steps);
        match self.port.end() {
            (Some(why), _) => Err(why),
            (None, _) => Ok(format!("{steps} steps, {votes} votes")),
        }
    }
}

fn one_vote(subject: &mut Tested<'_>) -> Judged {
    let mut scene = Scene::new(subject)?;
    scene.until(PROPOSED_MS);
    let header = scene.header(1);
    let first = scene.propose(header);
    let later = Timestamp::new(header.timestamp.get() - 1);
    let other = BlockHeader { timestamp: later, ..header };
    scene.propose(other);
    scene.crash();
    scene.propose(other);
    scene.propose(header);
    let for_it = scene.has_voted(1, Subject::Notarize(first));
    scene.claim(for_it, "it does not vote for the first block of view 1")?;
    let is_other = |vote: &Vote| {
        let is_block = matches!(vote.subject, Subject::Notarize(block) if block != first);
        vote.view.get() == 1 && is_block
    };
    let others = scene.votes.iter().any(is_other);
    scene.claim(!others, "it votes for a second block of view 1")?;
    scene.end()
}

fn quorum(subject: &mut Tested<'_>) -> Judged {
    let mut scene = Scene::new(subject)?;
    scene.until(PROPOSED_MS);
    let header = scene.header(1);
    let block = scene.propose(header);
    scene.vote(OTHERS[0], 1, Subject::Notarize(block));
    scene.claim(
        !scene.has_voted(1, Subject::Finalize(block)),
        "it finalizes before a quorum notarizes",
    )?;
    scene.vote(OTHERS[1], 1, Subject::Notarize(block));
    scene.claim(
        scene.has_voted(1, Subject::Finalize(block)),
        "it does not finalize what a quorum notarized",
    )?;
    scene.vote(OTHERS[0], 1, Subject::Finalize(block));
    scene.claim(scene.finals.is_empty(), "two of four make a block final")?;
    scene.vote(OTHERS[1], 1, Subject::Finalize(block));
    let is_final = scene.finals == [block.as_bytes().to_vec()];
    scene.claim(is_final, "three of four do not make the block final")?;
    scene.end()
}

fn too_few(subject: &mut Tested<'_>) -> Judged {
    let mut scene = Scene::new(subject)?;
    scene.until(PROPOSED_MS);
    let header = scene.header(1);
    let block = scene.propose(header);
    for _ in 0..4 {
        for kind in [Subject::Notarize(block), Subject::Finalize(block)] {
            scene.vote(OTHERS[0], 1, kind);
            // Producers have no vote.
            (1..=4).for_each(|producer| scene.vote(producer, 1, kind));
        }
    }
    let finalizes = scene.has_voted(1, Subject::Finalize(block));
    scene.claim(!finalizes, "two of four notarize, and it votes to finalize")?;
    scene.claim(scene.finals.is_empty(), "one of four finalizes, and the block is final")?;
    scene.end()
}

fn silent_leader(subject: &mut Tested<'_>) -> Judged {
    let mut scene = Scene::new(subject)?;
    scene.until(10_000);
    scene.claim(
        scene.has_voted(1, Subject::Nullify),
        "it waits 10 s for a block and does not nullify",
    )?;
    scene.vote(OTHERS[0], 1, Subject::Nullify);
    let header = scene.header(2);
    let block = scene.propose(header);
    let early = scene.has_voted(2, Subject::Notarize(block));
    scene.claim(!early, "it votes in view 2 before view 1 is nullified")?;
    scene.vote(OTHERS[1], 1, Subject::Nullify);
    let now_ms = scene.now_ms;
    scene.until(now_ms + 100);
    scene.propose(header);
    let votes = scene.has_voted(2, Subject::Notarize(block));
    scene.claim(votes, "view 1 is nullified, and it does not vote for the block of view 2")?;
    scene.end()
}

fn no_finalize(subject: &mut Tested<'_>) -> Judged {
    let mut scene = Scene::new(subject)?;
    scene.until(10_000);
    scene.claim(
        scene.has_voted(1, Subject::Nullify),
        "it waits 10 s for a block and does not nullify",
    )?;
    let header = scene.header(1);
    let block = scene.propose(header);
    scene.crash();
    scene.propose(header);
    OTHERS.into_iter().for_each(|other| scene.vote(other, 1, Subject::Notarize(block)));
    let now_ms = scene.now_ms;
    scene.until(now_ms + 2_000);
    let finalizes = scene.has_voted(1, Subject::Finalize(block));
    scene.claim(!finalizes, "it voted to nullify view 1, and votes to finalize its block")?;
    scene.end()
}

fn wrong_blocks(subject: &mut Tested<'_>) -> Judged {
    let mut scene = Scene::new(subject)?;
    scene.until(PROPOSED_MS);
    let sound = scene.header(1);
    let time = |ms: i64| Timestamp::new(sound.timestamp.get() + ms);
    let wrong = [
        ("of another leader", BlockHeader { producer: InstitutionId::new(2), ..sound }),
        (
            "of another chain",
            BlockHeader { chain_id: mdsm_core::types::ChainId::new([3; 32]), ..sound },
        ),
        ("above no block", BlockHeader { parent: Digest::new([4; 32]), ..sound }),
        ("of height 2", BlockHeader { height: Height::new(2), ..sound }),
        ("before its parent", BlockHeader { timestamp: Timestamp::new(STARTED_MS), ..sound }),
        ("three seconds ahead", BlockHeader { timestamp: time(3_000), ..sound }),
        ("of another payload", BlockHeader { payload: Digest::new([5; 32]), ..sound }),
    ];
    for (what, header) in wrong {
        let block = scene.propose(header);
        let votes = scene.has_voted(1, Subject::Notarize(block));
        scene.claim(!votes, &format!("it votes for a block {what}"))?;
    }
    scene.end()
}
