//! One node and every order in which votes reach it, one by one: what the level of certificates takes
//! for granted. A certificate rests on distinct voters that voted for one thing; nobody is accused of
//! what it did not do; a contradiction that is heard leaves evidence.
//!
//! Voters are interchangeable, so they are numbered by their first vote. Each may cast every vote, and
//! each vote may come again. Malformed certificates are offered in every state and must be refused.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use mdsm_core::consensus::{Consensus, Effect, Input, Intake, Membership, Rules, Timing};
use mdsm_core::crypto::sha256;
use mdsm_core::crypto::sign::Scheme;
use mdsm_core::ledger::{Certificate, Evidence, SignedVote, Signers, Subject, Vote, quorum};
use mdsm_core::roster::{Committees, Seat};
use mdsm_core::types::{ChainId, Digest, Epoch, InstitutionId, List, OwnerId, Signature, View};
use serde::{Deserialize, Serialize};

use super::nodes::Claim;
use super::search::Watch;

const CHAIN: ChainId = ChainId::new([7; 32]);
const GENESIS: Digest = Digest::new([1; 32]);
const VIEW: View = View::new(1);
const FIRST: u32 = 11;
/// Votes that a voter chooses from.
const KINDS: u8 = 3;

/// What is searched at the level of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Messages {
    /// Auditors.
    pub voters: u8,
    /// Which three votes everybody may cast: 0 two notarize votes and nullify, 1 notarize, nullify and
    /// finalize, 2 two finalize votes and nullify. More than three at once is too much to order.
    pub set: u8,
    /// Whether votes pass the intake; they are handed to the machine at once otherwise.
    pub intake: bool,
}

/// How it ended.
#[derive(Clone, Debug)]
pub struct Heard {
    /// States.
    pub states: u64,
    /// Transitions.
    pub transitions: u64,
    /// Accusations.
    pub accusations: u64,
    /// Certificates that came about.
    pub certificates: u64,
    /// Malformed certificates that were refused.
    pub refused: u64,
    /// Seconds of the processor.
    pub cpu_s: f64,
    /// The claim that does not hold, and the votes that led there: seat, number of the vote.
    pub broken: Option<(Claim, Vec<(u8, u8)>)>,
}

/// Signatures of which everybody can tell whether they hold, and that nobody but the checks here makes.
#[derive(Clone, Copy, Debug)]
struct Ideal;

fn sign(key: &OwnerId, message: &[u8]) -> Signature {
    let digest = sha256(&[key.as_bytes(), message].concat());
    let mut bytes = [0; 64];
    bytes[..32].copy_from_slice(digest.as_bytes());
    Signature::new(bytes)
}

impl Scheme for Ideal {
    fn holds(&self, key: &OwnerId, message: &[u8], signature: &Signature) -> bool {
        sign(key, message) == *signature
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State<R> {
    machine: Consensus<R>,
    intake: Intake,
    /// Votes that arrived, by seat and number.
    arrived: Vec<u8>,
    /// Of those, the ones that were news when they came.
    noted: Vec<u8>,
    /// Seats that were accused.
    accused: u8,
}

/// The search.
#[derive(Debug)]
struct Model {
    messages: Messages,
    keys: Vec<OwnerId>,
    electorate: Vec<InstitutionId>,
    subjects: [Subject; 3],
}

impl Model {
    fn new(messages: Messages) -> Self {
        let (a, b) = (Digest::new([0xA; 32]), Digest::new([0xB; 32]));
        let subjects = match messages.set {
            0 => [Subject::Notarize(a), Subject::Notarize(b), Subject::Nullify],
            1 => [Subject::Notarize(a), Subject::Nullify, Subject::Finalize(a)],
            _ => [Subject::Finalize(a), Subject::Nullify, Subject::Finalize(b)],
        };
        let electorate =
            (0..u32::from(messages.voters)).map(|at| InstitutionId::new(FIRST + at)).collect();
        let keys = (0..messages.voters).map(|at| OwnerId::new([at + 1; 32])).collect();
        Self { messages, keys, electorate, subjects }
    }

    fn committees(&self) -> Committees {
        let seat = |(institution, key): (&InstitutionId, &OwnerId)| Seat {
            institution: *institution,
            key: *key,
        };
        let auditors = self.electorate.iter().zip(&self.keys).map(seat).collect();
        let producers =
            vec![Seat { institution: InstitutionId::new(1), key: OwnerId::new([0xEE; 32]) }];
        Committees { epoch: Epoch::new(0), producers, auditors, offset: 0 }
    }

    fn vote(&self, number: u8) -> Vote {
        Vote { epoch: Epoch::new(0), view: VIEW, subject: self.subjects[usize::from(number)] }
    }

    fn signed(&self, seat: u8, number: u8) -> SignedVote {
        let (vote, at) = (self.vote(number), usize::from(seat));
        let signature = sign(&self.keys[at], &vote.message(&CHAIN));
        SignedVote { vote, signer: self.electorate[at], signature }
    }

    fn excludes(&self, one: u8, other: u8) -> bool {
        match (self.subjects[usize::from(one)], self.subjects[usize::from(other)]) {
            (Subject::Notarize(a), Subject::Notarize(b))
            | (Subject::Finalize(a), Subject::Finalize(b)) => a != b,
            (Subject::Nullify, Subject::Finalize(_)) | (Subject::Finalize(_), Subject::Nullify) => {
                true
            }
            _ => false,
        }
    }

    /// Lets a vote arrive.
    fn deliver<R: Rules>(
        &self,
        state: &State<R>,
        seat: u8,
        number: u8,
        heard: &mut Heard,
    ) -> (State<R>, Option<Claim>) {
        let mut next = state.clone();
        let (at, signed) = (usize::from(seat), self.signed(seat, number));
        next.arrived[at] |= 1 << number;
        let is_certified = |held: &Option<Arc<Certificate>>| {
            held.as_ref().is_some_and(|held| held.vote == signed.vote)
        };
        let is_held = next.machine.slots().any(|(view, slot)| {
            view == VIEW
                && [&slot.notarization, &slot.nullification, &slot.finalization]
                    .into_iter()
                    .any(is_certified)
        });
        if next.machine.hears(VIEW) && !is_held {
            next.noted[at] |= 1 << number;
        }
        let votes = if self.messages.intake {
            let from = signed.signer;
            let taken =
                next.intake.vote(from, signed, &next.machine, &CHAIN, &Ideal).unwrap_or_default();
            if !taken.forgers.is_empty() {
                return (next, Some(Claim::I12JustAccusation));
            }
            taken.votes
        } else {
            vec![signed]
        };
        let mut effects = Vec::new();
        for vote in votes {
            next.machine.step(Input::Vote(vote), &mut effects);
        }
        let mut broken = None;
        for effect in effects {
            if let Effect::Convict(evidence) = effect {
                heard.accusations += 1;
                broken = broken.or(self.accuse(&mut next, &evidence));
            }
        }
        (next, broken)
    }

    /// Whether the accused did what it is accused of.
    fn accuse<R: Rules>(&self, state: &mut State<R>, evidence: &Evidence) -> Option<Claim> {
        let Evidence::Votes { first, second } = evidence else {
            return Some(Claim::I12JustAccusation);
        };
        let seat = self.electorate.iter().position(|signer| *signer == first.signer);
        let number = |vote: &SignedVote| {
            let at = self.subjects.iter().position(|subject| *subject == vote.vote.subject)?;
            u8::try_from(at).ok()
        };
        let (Some(seat), Some(a), Some(b)) = (seat, number(first), number(second)) else {
            return Some(Claim::I12JustAccusation);
        };
        let did = |number: u8| state.arrived[seat] >> number & 1 == 1;
        let key = &self.keys[seat];
        let holds = [first, second].into_iter().all(|vote| vote.holds(&CHAIN, key, &Ideal));
        let is_just =
            first.signer == second.signer && did(a) && did(b) && self.excludes(a, b) && holds;
        state.accused |= 1 << seat;
        (!is_just).then_some(Claim::I12JustAccusation)
    }

    /// Judges a state by what arrived.
    fn judge<R: Rules>(
        &self,
        state: &State<R>,
        offered: &mut HashSet<(Vec<u8>, usize)>,
        heard: &mut Heard,
    ) -> Option<Claim> {
        let seats = self.keys.len();
        let need = quorum(seats);
        let slot = state.machine.slots().find(|(view, _)| *view == VIEW).map(|(_, slot)| slot);
        let held: Vec<&Arc<Certificate>> = slot
            .into_iter()
            .flat_map(|slot| [&slot.notarization, &slot.nullification, &slot.finalization])
            .flatten()
            .collect();
        for certificate in &held {
            heard.certificates += 1;
            let cast = |seat: usize| {
                self.subjects.iter().zip(0u8..).any(|(subject, number)| {
                    *subject == certificate.vote.subject && state.arrived[seat] >> number & 1 == 1
                })
            };
            let honest =
                certificate.signers.seats().filter(|seat| *seat < seats && cast(*seat)).count();
            let sound = certificate.check(&CHAIN, &self.keys, &Ideal).is_ok();
            if honest < need || honest != certificate.signers.count() || !sound {
                return Some(Claim::I9Certificate);
            }
        }
        for seat in 0..seats {
            let contradicts = (0..KINDS).any(|a| {
                (0..a).any(|b| {
                    let both = 1 << a | 1 << b;
                    state.noted[seat] & both == both && self.excludes(a, b)
                })
            });
            if contradicts && state.accused >> seat & 1 == 0 {
                return Some(Claim::Evidence);
            }
        }
        for number in 0..KINDS {
            let is_for = |seat: &usize| {
                let noted = state.noted[*seat];
                let strays =
                    (0..KINDS).any(|other| noted >> other & 1 == 1 && self.excludes(number, other));
                noted >> number & 1 == 1 && !strays
            };
            let is_held =
                held.iter().any(|held| held.vote.subject == self.subjects[usize::from(number)]);
            if (0..seats).filter(is_for).count() >= need && !is_held && state.machine.hears(VIEW) {
                return Some(Claim::Counted);
            }
        }
        // What arrived and what is held decide about a malformed certificate; the order does not.
        let is_new = self.messages.intake && offered.insert((state.arrived.clone(), held.len()));
        if is_new { self.offer_malformed(state, heard) } else { None }
    }

    /// Offers what is not a certificate; the machine behind the intake must never see it.
    fn offer_malformed<R: Rules>(&self, state: &State<R>, heard: &mut Heard) -> Option<Claim> {
        let seats = self.keys.len();
        let need = quorum(seats);
        for number in 0..KINDS {
            let vote = self.vote(number);
            let cast: Vec<u8> = (0u8..)
                .zip(&state.arrived)
                .filter(|(_, bits)| **bits >> number & 1 == 1)
                .map(|(seat, _)| seat)
                .collect();
            if cast.is_empty() || cast.len() >= need {
                continue;
            }
            let signed: Vec<(usize, Signature)> = cast
                .iter()
                .map(|seat| (usize::from(*seat), self.signed(*seat, number).signature))
                .collect();
            let short = Certificate::assemble(vote, seats, &signed)?;
            let mut forged = signed.clone();
            let missing =
                (0..seats).filter(|seat| !cast.iter().any(|at| usize::from(*at) == *seat));
            forged.extend(
                missing.take(need - signed.len()).map(|seat| (seat, Signature::new([0; 64]))),
            );
            forged.sort_by_key(|(seat, _)| *seat);
            let forged = Certificate::assemble(vote, seats, &forged)?;
            let repeated = std::iter::repeat_n(signed[0].1, need).collect();
            let repeated = Certificate { signatures: List::new(repeated).ok()?, ..short.clone() };
            // Bits behind the last seat, as many as are missing.
            let padding = (seats..8)
                .take(need - cast.len())
                .chain(cast.iter().map(|seat| usize::from(*seat)));
            let signers = Signers::of(8, padding)?;
            let padded = Certificate { signers, signatures: repeated.signatures.clone(), vote };
            let foreign =
                Certificate { vote: Vote { epoch: Epoch::new(1), ..vote }, ..forged.clone() };
            for malformed in [short, forged, repeated, padded, foreign] {
                match state.intake.certificate(&malformed, &state.machine, &CHAIN, &Ideal) {
                    Ok(true) => return Some(Claim::Refused),
                    Ok(false) | Err(_) => heard.refused += 1,
                }
            }
        }
        None
    }
}

/// Searches every order of votes.
pub fn search<R: Rules>(messages: Messages, rules: R) -> Heard {
    let watch = Watch::start();
    let model = Model::new(messages);
    let committees = Arc::new(model.committees());
    let me = Membership::new(&committees, InstitutionId::new(500));
    let timing = Timing { turn_ms: 1, delay_ms: 1 };
    let mut machine = Consensus::new(rules, timing, committees, me, GENESIS);
    machine.start(&mut Vec::new());
    let none = vec![0u8; usize::from(messages.voters)];
    let root = State {
        machine,
        intake: Intake::default(),
        arrived: none.clone(),
        noted: none,
        accused: 0,
    };
    let mut heard = Heard {
        states: 1,
        transitions: 0,
        accusations: 0,
        certificates: 0,
        refused: 0,
        cpu_s: 0.0,
        broken: None,
    };
    let mut offered = HashSet::new();
    let mut visited = HashSet::from([root.clone()]);
    // The way to each state, in the order in which they are found.
    let mut ways: Vec<(usize, u8, u8)> = vec![(0, 0, 0)];
    let mut queue = VecDeque::from([(root, 0usize)]);
    'search: while let Some((state, at)) = queue.pop_front() {
        let newcomer = state.arrived.iter().position(|bits| *bits == 0);
        let known =
            newcomer.map_or(messages.voters, |first| u8::try_from(first + 1).unwrap_or(u8::MAX));
        for (seat, number) in
            (0..known).flat_map(|seat| (0..KINDS).map(move |number| (seat, number)))
        {
            heard.transitions += 1;
            let (next, broken) = model.deliver(&state, seat, number, &mut heard);
            let is_new = !visited.contains(&next);
            let judged = if is_new { model.judge(&next, &mut offered, &mut heard) } else { None };
            let broken = broken.or(judged);
            if is_new || broken.is_some() {
                ways.push((at, seat, number));
                heard.states += 1;
                visited.insert(next.clone());
                queue.push_back((next, ways.len() - 1));
            }
            if let Some(claim) = broken {
                let mut way = Vec::new();
                let mut back = ways.len() - 1;
                while back != 0 {
                    let (before, seat, number) = ways[back];
                    way.push((seat, number));
                    back = before;
                }
                way.reverse();
                heard.broken = Some((claim, way));
                break 'search;
            }
        }
    }
    heard.cpu_s = watch.read().0;
    heard
}
