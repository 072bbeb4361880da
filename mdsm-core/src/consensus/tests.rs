//! A few nodes, every message delivered in order, real signatures. Faults, disorder and lost messages
//! are the business of the harness.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::*;
use crate::crypto::Identified;
use crate::crypto::sign::{Ed25519, SigningKey};
use crate::ledger::{
    BlockHeader, Certificate, Payload, SealedHeader, SignedHeader, SignedVote, Subject, Vote,
};
use crate::roster::{Committees, Seat};
use crate::types::{ChainId, Digest, Epoch, Height, InstitutionId, Timestamp, View};

const CHAIN: ChainId = ChainId::new([7; 32]);
const GENESIS: Digest = Digest::new([1; 32]);
const TIMING: Timing = Timing { turn_ms: 0, delay_ms: 100 };

fn key(institution: u32) -> SigningKey {
    let mut seed = [3; 32];
    seed[..4].copy_from_slice(&institution.to_le_bytes());
    SigningKey::from_seed(&seed)
}

/// Producers 1 to 3, auditors 11 to 14.
fn committees() -> Arc<Committees> {
    let seat = |id| Seat { institution: InstitutionId::new(id), key: key(id).owner() };
    let (producers, auditors) = ((1..=3).map(seat).collect(), (11..=14).map(seat).collect());
    Arc::new(Committees { epoch: Epoch::new(0), producers, auditors, offset: 0 })
}

fn header(view: u64, parent_view: u64, parent: Digest) -> BlockHeader {
    let leader = committees().leader(View::new(view)).institution;
    BlockHeader {
        chain_id: CHAIN,
        epoch: Epoch::new(0),
        view: View::new(view),
        height: Height::new(view),
        parent,
        parent_view: View::new(parent_view),
        timestamp: Timestamp::new(i64::try_from(view).unwrap()),
        producer: leader,
        payload: Payload::default().commitment(),
    }
}

#[derive(Clone)]
enum Wire {
    Proposal(SignedHeader),
    Vote(SignedVote),
    Certificate(Arc<Certificate>),
}

struct Node {
    consensus: Consensus,
    intake: Intake,
    journal: Vec<JournalEntry>,
    finalized: Vec<(View, Digest)>,
    timers: Vec<Timer>,
}

struct Cluster {
    nodes: BTreeMap<InstitutionId, Node>,
    mail: VecDeque<(InstitutionId, InstitutionId, Wire)>,
    /// Who is switched off.
    down: Vec<u32>,
}

impl Cluster {
    fn new(down: &[u32]) -> Self {
        let ids = [1, 2, 3, 11, 12, 13, 14].map(InstitutionId::new);
        let node = |id: &InstitutionId| {
            let membership = Membership::new(&committees(), *id);
            let consensus = Consensus::new(Protocol, TIMING, committees(), membership, GENESIS);
            let (intake, journal) = (Intake::default(), Vec::new());
            let node =
                Node { consensus, intake, journal, finalized: Vec::new(), timers: Vec::new() };
            (*id, node)
        };
        let nodes = ids.iter().map(node).collect();
        let mut cluster = Self { nodes, mail: VecDeque::new(), down: down.to_vec() };
        for id in ids.into_iter().filter(|id| !down.contains(&id.get())) {
            let mut effects = Vec::new();
            cluster.nodes.get_mut(&id).unwrap().consensus.start(&mut effects);
            cluster.carry_out(id, effects);
        }
        cluster
    }

    fn feed(&mut self, id: InstitutionId, input: Input) {
        let effects = self.nodes.get_mut(&id).unwrap().consensus.effects_of(input);
        self.carry_out(id, effects);
    }

    fn carry_out(&mut self, id: InstitutionId, effects: Vec<Effect>) {
        let everyone: Vec<_> = self.nodes.keys().copied().filter(|other| *other != id).collect();
        let auditors = everyone.iter().copied().filter(|other| other.get() > 10);
        let auditors: Vec<_> = auditors.collect();
        for effect in effects {
            let node = self.nodes.get_mut(&id).unwrap();
            match effect {
                Effect::Persist(entry) => node.journal.push(entry),
                Effect::Propose(header) => {
                    let signed = SignedHeader::sign(*header, &key(id.get()));
                    let send = everyone.iter().map(|to| (id, *to, Wire::Proposal(signed)));
                    self.mail.extend(send);
                }
                Effect::Cast(vote) => {
                    let signed = vote.sign(&CHAIN, id, &key(id.get()));
                    self.mail.extend(auditors.iter().map(|to| (id, *to, Wire::Vote(signed))));
                    self.mail.push_back((id, id, Wire::Vote(signed)));
                }
                Effect::Publish { certificate, to } => {
                    let to = match to {
                        Audience::Everyone => everyone.clone(),
                        Audience::Auditors { and } => [&auditors[..], &[and]].concat(),
                        Audience::One(one) => vec![one],
                    };
                    let wire = Wire::Certificate(certificate);
                    self.mail.extend(to.into_iter().map(|to| (id, to, wire.clone())));
                }
                Effect::Build { view, parent_view, parent } => {
                    let header = header(view.get(), parent_view.get(), parent);
                    self.feed(id, Input::Built(Arc::new(header)));
                }
                Effect::Validate { view, hash } => {
                    self.feed(id, Input::Validated { view, hash, is_valid: true });
                }
                Effect::Arm { timer, .. } if timer.kind == TimerKind::Turn => {
                    self.feed(id, Input::Timeout(timer));
                }
                Effect::Arm { timer, .. } => node.timers.push(timer),
                Effect::Finalized(certificate) => {
                    let hash = *certificate.vote.subject.digest().unwrap();
                    node.finalized.push((certificate.vote.view, hash));
                }
                Effect::Ask { .. } => {}
                Effect::Convict(evidence) => panic!("all are honest: {evidence:?}"),
            }
        }
    }

    fn deliver(&mut self, steps: usize) {
        for _ in 0..steps {
            let Some((from, to, wire)) = self.mail.pop_front() else { return };
            if self.down.contains(&to.get()) || self.down.contains(&from.get()) {
                continue;
            }
            let Some(node) = self.nodes.get_mut(&to) else { continue };
            let inputs = match wire {
                Wire::Proposal(signed) => {
                    let signed = SealedHeader::new(signed);
                    let sound = node.intake.proposal(&signed, &node.consensus, &Ed25519).is_ok();
                    if sound { vec![Input::Proposal(Arc::new(signed))] } else { vec![] }
                }
                Wire::Vote(signed) => {
                    let taken = node.intake.vote(from, signed, &node.consensus, &CHAIN, &Ed25519);
                    taken.unwrap_or_default().votes.into_iter().map(Input::Vote).collect()
                }
                Wire::Certificate(certificate) => {
                    let sound =
                        node.intake.certificate(&certificate, &node.consensus, &CHAIN, &Ed25519);
                    if sound == Ok(true) { vec![Input::Certificate(certificate)] } else { vec![] }
                }
            };
            for input in inputs {
                self.feed(to, input);
            }
        }
    }

    /// Fires every timer that waits for the nodes' views, as if much time had passed.
    fn time_out(&mut self) {
        let ids: Vec<_> = self.nodes.keys().copied().collect();
        for id in ids {
            let timers = std::mem::take(&mut self.nodes.get_mut(&id).unwrap().timers);
            if !self.down.contains(&id.get()) {
                timers.into_iter().for_each(|timer| self.feed(id, Input::Timeout(timer)));
            }
        }
    }
}

#[test]
fn blocks_become_final_one_after_another() {
    let mut cluster = Cluster::new(&[]);
    cluster.deliver(20_000);
    for node in cluster.nodes.values() {
        let views: Vec<u64> = node.finalized.iter().map(|(view, _)| view.get()).collect();
        assert!(views.len() > 20, "{} final", views.len());
        assert!(views.is_sorted(), "{views:?}");
    }
    let by_view = |node: &Node| node.finalized.iter().copied().collect::<BTreeMap<_, _>>();
    let first = by_view(cluster.nodes.values().next().unwrap());
    for node in cluster.nodes.values() {
        assert!(by_view(node).iter().all(|(view, hash)| first.get(view).is_none_or(|h| h == hash)));
    }
}

#[test]
fn con_6_1_an_absent_producer_is_replaced_by_the_next_in_turn() {
    //= harness/spec/consensus.md#con-6-replacement-within-a-turn
    //= type=test
    //# CON-6.1 (paper): A delegate that misses its turn MUST be replaced by the next delegate in turn.
    let mut cluster = Cluster::new(&[2]);
    for _ in 0..6 {
        cluster.deliver(5_000);
        cluster.time_out();
    }
    let finalized = &cluster.nodes[&InstitutionId::new(11)].finalized;
    let leader = |view: &View| committees().leader(*view).institution.get();
    assert!(finalized.len() >= 6, "{finalized:?}");
    assert!(finalized.iter().all(|(view, _)| leader(view) != 2), "{finalized:?}");
    assert!(finalized.iter().any(|(view, _)| leader(view) == 3), "{finalized:?}");
}

#[test]
fn one_absent_auditor_of_four_stops_nothing_and_two_stop_everything() {
    let mut cluster = Cluster::new(&[13]);
    cluster.deliver(20_000);
    assert!(cluster.nodes[&InstitutionId::new(11)].finalized.len() > 10);
    let mut cluster = Cluster::new(&[13, 14]);
    for _ in 0..5 {
        cluster.deliver(20_000);
        cluster.time_out();
    }
    assert!(cluster.nodes[&InstitutionId::new(11)].finalized.is_empty());
}

#[test]
fn a_node_comes_back_from_its_journal_as_it_was() {
    let mut cluster = Cluster::new(&[]);
    cluster.deliver(3_000);
    for (id, node) in &cluster.nodes {
        let membership = Membership::new(&committees(), *id);
        let mut again = Consensus::new(Protocol, TIMING, committees(), membership, GENESIS);
        let mut effects = Vec::new();
        again.recover(&node.journal, &mut effects).unwrap();
        assert_eq!(again.view(), node.consensus.view());
        assert_eq!(again.finalized(), node.consensus.finalized());
        let own = |consensus: &Consensus| {
            let done = consensus.slots().map(|(view, slot)| (view, slot.own));
            done.filter(|(_, own)| *own != Own::default()).collect::<BTreeMap<_, _>>()
        };
        assert_eq!(own(&again), own(&node.consensus));
        let is_new = |effect: &Effect| matches!(effect, Effect::Persist(_));
        assert!(!effects.iter().any(is_new), "nothing that is not stored already: {effects:?}");
    }
}

#[test]
fn votes_that_mean_nothing_are_refused_by_name() {
    let mut cluster = Cluster::new(&[]);
    cluster.deliver(2_000);
    let node = cluster.nodes.get_mut(&InstitutionId::new(11)).unwrap();
    let view = node.consensus.view();
    let hash = Digest::new([9; 32]);
    let vote = Vote { epoch: Epoch::new(0), view, subject: Subject::Notarize(hash) };
    let mut take = |from: u32, signer: u32, vote: Vote| {
        let signed = vote.sign(&CHAIN, InstitutionId::new(signer), &key(signer));
        node.intake.vote(InstitutionId::new(from), signed, &node.consensus, &CHAIN, &Ed25519)
    };
    let id = InstitutionId::new;
    assert_eq!(take(12, 13, vote), Err(IntakeError::Sender { signer: id(13), from: id(12) }));
    let outsider = |institution| IntakeError::Outsider { institution, epoch: Epoch::new(0) };
    assert_eq!(take(2, 2, vote), Err(outsider(id(2))));
    assert_eq!(take(99, 99, vote), Err(outsider(id(99))));
    let other = Vote { epoch: Epoch::new(1), ..vote };
    let epoch = IntakeError::Epoch { found: Epoch::new(1), expected: Epoch::new(0) };
    assert_eq!(take(12, 12, other), Err(epoch));
    let far = View::new(view.get() + VIEWS_AHEAD + 1);
    let refused = take(12, 12, Vote { view: far, ..vote });
    assert!(matches!(refused, Err(IntakeError::View { found, .. }) if found == far));
    let anchor = Vote { subject: Subject::Anchor(hash), ..vote };
    assert_eq!(take(12, 12, anchor), Err(IntakeError::Subject));
}

#[test]
fn a_forged_vote_spoils_no_certificate_and_names_its_sender() {
    let mut cluster = Cluster::new(&[]);
    cluster.deliver(2_000);
    let node = cluster.nodes.get_mut(&InstitutionId::new(11)).unwrap();
    let view = View::new(node.consensus.view().get() + 1);
    let vote = Vote { epoch: Epoch::new(0), view, subject: Subject::Nullify };
    let mut take = |signer: u32, with: u32| {
        let signed = vote.sign(&CHAIN, InstitutionId::new(signer), &key(with));
        let from = InstitutionId::new(signer);
        node.intake.vote(from, signed, &node.consensus, &CHAIN, &Ed25519).unwrap()
    };
    assert_eq!(take(12, 12), Taken::default());
    assert_eq!(take(12, 12), Taken::default(), "a repeated vote is no second vote");
    assert_eq!(take(13, 99), Taken::default());
    let taken = take(14, 14);
    assert_eq!(taken.forgers, [InstitutionId::new(13)]);
    assert_eq!(taken.votes.len(), 2);
}

#[test]
fn a_voter_that_contradicts_itself_is_convicted_and_counted_once() {
    let mut cluster = Cluster::new(&[]);
    cluster.deliver(2_000);
    let node = cluster.nodes.get_mut(&InstitutionId::new(11)).unwrap();
    let view = View::new(node.consensus.view().get() + 1);
    let liar = InstitutionId::new(12);
    let vote = |byte| {
        let subject = Subject::Notarize(Digest::new([byte; 32]));
        Vote { epoch: Epoch::new(0), view, subject }.sign(&CHAIN, liar, &key(12))
    };
    let mut effects = Vec::new();
    for byte in [8, 9] {
        let taken = node.intake.vote(liar, vote(byte), &node.consensus, &CHAIN, &Ed25519);
        for signed in taken.unwrap().votes {
            node.consensus.step(Input::Vote(signed), &mut effects);
        }
    }
    let [Effect::Convict(evidence)] = &effects[..] else { panic!("{effects:?}") };
    let claim = evidence.claim().unwrap();
    assert_eq!((claim.institution, claim.view), (liar, view));
}

#[test]
fn journal_entries_survive_their_encoding() {
    use crate::codec::Wire as _;
    let mut cluster = Cluster::new(&[]);
    cluster.deliver(1_000);
    let journal = &cluster.nodes[&InstitutionId::new(11)].journal;
    assert!(journal.len() > 8);
    for entry in journal {
        assert_eq!(JournalEntry::from_bytes(&entry.to_bytes()).as_ref(), Ok(entry));
    }
    assert_eq!(header(1, 0, GENESIS).id(), header(1, 0, GENESIS).id());
}

#[test]
fn a_node_that_is_left_behind_does_not_depend_on_the_auditor_on_duty() {
    let mut cluster = Cluster::new(&[]);
    cluster.deliver(300);
    for id in [1, 2, 3].map(InstitutionId::new) {
        let node = cluster.nodes.get_mut(&id).unwrap();
        let (epoch, view) = (node.consensus.epoch(), node.consensus.view());
        let retry = Timer { epoch, view, kind: TimerKind::Retry };
        let asked = node.consensus.effects_of(Input::Timeout(retry)).into_iter().any(|effect| {
            matches!(effect, Effect::Ask { to: Audience::Auditors { .. }, view: of, .. } if of == view)
        });
        assert!(asked, "{id} asks every auditor");
    }
}

#[test]
fn an_auditor_asks_at_once_for_the_certificates_that_a_proposal_lacks() {
    let me = InstitutionId::new(11);
    let membership = Membership::new(&committees(), me);
    let mut late = Consensus::new(Protocol, TIMING, committees(), membership, GENESIS);
    late.start(&mut Vec::new());
    // View 2 is nullified here, and what view 1 notarized is not known.
    let vote = Vote { epoch: Epoch::new(0), view: View::new(2), subject: Subject::Nullify };
    let message = vote.message(&CHAIN);
    let signed: Vec<_> =
        [11, 12, 13].map(|id| key(id).sign(&message)).into_iter().enumerate().collect();
    let nullified = Certificate::assemble(vote, 4, &signed).unwrap();
    late.step(Input::Certificate(Arc::new(nullified)), &mut Vec::new());
    assert_eq!(late.view(), View::new(3));
    let proposal = SignedHeader::sign(header(3, 1, Digest::new([5; 32])), &key(3));
    let effects = late.effects_of(Input::Proposal(Arc::new(SealedHeader::new(proposal))));
    let to = Audience::One(InstitutionId::new(3));
    let ask = Effect::Ask { to, epoch: Epoch::new(0), view: View::new(1) };
    assert!(effects.contains(&ask), "{effects:?}");
}
