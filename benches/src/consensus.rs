//! Consensus with real signatures: a certificate checked, and views of a whole network in one process.
//! [CON-7]
//!
//! In a view every auditor checks the proposal and a quorum of votes of each phase, in batches; a
//! certificate that it holds already costs it nothing. Producers check the certificates that lead to
//! their own turn.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use mdsm_core::consensus::{
    Audience, Consensus, Effect, Input, Intake, Membership, Protocol, TimerKind, Timing,
};
use mdsm_core::crypto::sign::{Ed25519, SigningKey};
use mdsm_core::ledger::{
    BlockHeader, Certificate, Payload, SealedHeader, SignedHeader, SignedVote, Subject, Vote,
    quorum,
};
use mdsm_core::roster::{Committees, Seat};
use mdsm_core::types::{ChainId, Digest, Epoch, Height, InstitutionId, OwnerId, Timestamp, View};

const CHAIN: ChainId = ChainId::new([7; 32]);

fn key(number: u32) -> SigningKey {
    let mut seed = [0x33; 32];
    seed[..4].copy_from_slice(&number.to_le_bytes());
    SigningKey::from_seed(&seed)
}

/// A certificate of an electorate, with its keys.
#[derive(Clone, Debug)]
pub struct Certified {
    certificate: Certificate,
    keys: Vec<OwnerId>,
}

/// Certificates of different views, each by a quorum of `seats`.
///
/// # Panics
/// Never: a quorum of an electorate that is not empty signs.
#[must_use]
pub fn certificates(count: u64, seats: u32) -> Vec<Certified> {
    let keys: Vec<SigningKey> = (0..seats).map(key).collect();
    let quorum = quorum(keys.len());
    let certified = |view: u64| {
        let subject = Subject::Notarize(Digest::new([9; 32]));
        let vote = Vote { epoch: Epoch::new(0), view: View::new(view), subject };
        let message = vote.message(&CHAIN);
        let signed: Vec<_> = (0..quorum).map(|seat| (seat, keys[seat].sign(&message))).collect();
        let certificate = Certificate::assemble(vote, keys.len(), &signed);
        let certificate = certificate.expect("a quorum in the order of its seats");
        Certified { certificate, keys: keys.iter().map(SigningKey::owner).collect() }
    };
    (1..=count).map(certified).collect()
}

/// The work: shape, quorum and signatures.
#[must_use]
pub fn check(certified: &Certified) -> bool {
    certified.certificate.check(&CHAIN, &certified.keys, &Ed25519).is_ok()
}

#[derive(Clone, Debug)]
enum Letter {
    Proposal(Arc<SealedHeader>),
    Vote(SignedVote),
    Certificate(Arc<Certificate>),
}

/// A network without faults, every message delivered in order.
pub struct Network {
    nodes: BTreeMap<InstitutionId, (Consensus, Intake, SigningKey)>,
    committees: Arc<Committees>,
    mail: VecDeque<(InstitutionId, InstitutionId, Letter)>,
    /// Views of which the first auditor knows that they are final.
    finals: u64,
}

impl Network {
    /// So many producers, then so many auditors.
    #[must_use]
    pub fn new(producers: u32, auditors: u32) -> Self {
        let seat = |id| Seat { institution: InstitutionId::new(id), key: key(id).owner() };
        let committees = Arc::new(Committees {
            epoch: Epoch::new(0),
            producers: (0..producers).map(seat).collect(),
            auditors: (producers..producers + auditors).map(seat).collect(),
            offset: 0,
        });
        let timing = Timing { turn_ms: 0, delay_ms: 1_000 };
        let node = |id: u32| {
            let institution = InstitutionId::new(id);
            let membership = Membership::new(&committees, institution);
            let genesis = Digest::new([1; 32]);
            let machine = Consensus::new(Protocol, timing, committees.clone(), membership, genesis);
            (institution, (machine, Intake::default(), key(id)))
        };
        let nodes = (0..producers + auditors).map(node).collect();
        let mut network = Self { nodes, committees, mail: VecDeque::new(), finals: 0 };
        let ids: Vec<InstitutionId> = network.nodes.keys().copied().collect();
        for id in ids {
            let mut effects = Vec::new();
            if let Some((machine, ..)) = network.nodes.get_mut(&id) {
                machine.start(&mut effects);
            }
            network.carry_out(id, effects);
        }
        network
    }

    /// The work: goes on until so many further views are final.
    pub fn views(&mut self, count: u64) -> u64 {
        let until = self.finals + count;
        while self.finals < until {
            let Some((from, to, letter)) = self.mail.pop_front() else { break };
            self.deliver(from, to, letter);
        }
        self.finals
    }

    fn deliver(&mut self, from: InstitutionId, to: InstitutionId, letter: Letter) {
        let Some((machine, intake, _)) = self.nodes.get_mut(&to) else { return };
        let inputs = match letter {
            Letter::Proposal(sealed) => match intake.proposal(&sealed, machine, &Ed25519) {
                Ok(()) => vec![Input::Proposal(sealed)],
                Err(_) => Vec::new(),
            },
            Letter::Vote(signed) => {
                let taken = intake.vote(from, signed, machine, &CHAIN, &Ed25519);
                taken.unwrap_or_default().votes.into_iter().map(Input::Vote).collect()
            }
            Letter::Certificate(certificate) => {
                match intake.certificate(&certificate, machine, &CHAIN, &Ed25519) {
                    Ok(true) => vec![Input::Certificate(certificate)],
                    _ => Vec::new(),
                }
            }
        };
        for input in inputs {
            self.feed(to, input);
        }
    }

    fn feed(&mut self, id: InstitutionId, input: Input) {
        let Some((machine, ..)) = self.nodes.get_mut(&id) else { return };
        let effects = machine.effects_of(input);
        self.carry_out(id, effects);
    }

    fn send(&mut self, from: InstitutionId, to: Audience, letter: &Letter) {
        let committees = self.committees.clone();
        let auditors = committees.auditors.iter().map(|seat| seat.institution);
        let producers = committees.producers.iter().map(|seat| seat.institution);
        let to: Vec<InstitutionId> = match to {
            Audience::Everyone => auditors.chain(producers).collect(),
            Audience::Auditors { and } => auditors.chain([and]).collect(),
            Audience::One(one) => vec![one],
        };
        let others = to.into_iter().filter(|to| *to != from);
        self.mail.extend(others.map(|to| (from, to, letter.clone())));
    }

    fn carry_out(&mut self, id: InstitutionId, effects: Vec<Effect>) {
        let first = self.committees.auditors[0].institution;
        for effect in effects {
            match effect {
                Effect::Build { view, parent_view, parent } => {
                    let header = header(id, view, parent_view, parent);
                    self.feed(id, Input::Built(Arc::new(header)));
                }
                Effect::Propose(header) => {
                    let signed = SignedHeader::sign(*header, &self.nodes[&id].2);
                    let sealed = Arc::new(SealedHeader::new(signed));
                    self.send(id, Audience::Auditors { and: id }, &Letter::Proposal(sealed));
                }
                Effect::Cast(vote) => {
                    let signed = vote.sign(&CHAIN, id, &self.nodes[&id].2);
                    self.send(id, Audience::Auditors { and: id }, &Letter::Vote(signed));
                    self.mail.push_back((id, id, Letter::Vote(signed)));
                }
                Effect::Publish { certificate, to } => {
                    self.send(id, to, &Letter::Certificate(certificate));
                }
                Effect::Validate { view, hash } => {
                    self.feed(id, Input::Validated { view, hash, is_valid: true });
                }
                Effect::Arm { timer, .. } if timer.kind == TimerKind::Turn => {
                    self.feed(id, Input::Timeout(timer));
                }
                Effect::Finalized(_) if id == first => self.finals += 1,
                Effect::Persist(_)
                | Effect::Finalized(_)
                | Effect::Arm { .. }
                | Effect::Ask { .. }
                | Effect::Convict(_) => {}
            }
        }
    }
}

fn header(producer: InstitutionId, view: View, parent_view: View, parent: Digest) -> BlockHeader {
    BlockHeader {
        chain_id: CHAIN,
        epoch: Epoch::new(0),
        view,
        height: Height::new(view.get()),
        parent,
        parent_view,
        timestamp: Timestamp::new(0),
        producer,
        payload: Payload::default().commitment(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workloads_do_their_work() {
        for seats in [4, 20, 121] {
            let mut certified = certificates(1, seats);
            assert!(check(&certified[0]), "{seats}");
            certified[0].keys.reverse();
            assert!(!check(&certified[0]), "{seats}");
        }
        let mut network = Network::new(5, 4);
        assert_eq!(network.views(20), 20, "every view of a network without faults is final");
    }
}
