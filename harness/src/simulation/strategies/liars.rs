//! Nodes that send what cannot be true.

use std::rc::Rc;
use std::sync::Arc;

use mdsm_core::consensus::Rules;
use mdsm_core::ledger::{
    BlockHeader, Certificate, SignedHeader, SignedVote, Subject, Vote, quorum,
};
use mdsm_core::types::{Digest, Epoch, Height, InstitutionId, Signature, Timestamp, View};

use super::deviant::{Me, Out, Strategy};
use crate::seed::Draw as _;
use crate::simulation::cluster::{Block, Body, Wire};
use crate::simulation::world::To;

/// Ticks between two bursts.
const PAUSE: u32 = 8;

/// Signatures that do not hold.
#[derive(Debug, Default)]
pub(super) struct Forger;

impl<R: Rules> Strategy<R> for Forger {
    fn send(&mut self, me: &mut Me<'_, R>, to: To, message: Rc<Wire>, out: &mut Out<R>) {
        let signature = Signature::new([0x66; 64]);
        match &message.body {
            Body::Vote(signed) => me.say(to, Body::Vote(SignedVote { signature, ..*signed }), out),
            Body::Proposal(block) => {
                let forged = Arc::new(Block::new(SignedHeader { signature, ..***block }));
                me.say(to, Body::Proposal(forged), out);
            }
            _ => me.pass(to, message, out),
        }
    }
}

/// Certificates without a quorum.
#[derive(Debug, Default)]
pub(super) struct ForgedCertificate {
    ticks: u32,
}

impl<R: Rules> Strategy<R> for ForgedCertificate {
    fn tick(&mut self, me: &mut Me<'_, R>, out: &mut Out<R>) -> bool {
        self.ticks += 1;
        if self.ticks % PAUSE != 1 {
            return false;
        }
        let consensus = me.host.consensus();
        let (epoch, view) = (consensus.epoch(), consensus.view());
        let seats = consensus.committees().auditors.len();
        let hash = Digest::new([0xfc; 32]);
        let to = me.all();
        for subject in [Subject::Notarize(hash), Subject::Nullify, Subject::Finalize(hash)] {
            let vote = Vote { epoch, view, subject };
            let own = me.host.signed(vote).signature;
            let few = [(0, own)];
            let padded: Vec<_> = (0..quorum(seats)).map(|seat| (seat, own)).collect();
            let other: Vec<_> = (0..seats + 8).map(|seat| (seat, own)).collect();
            for (seats, signed) in [(seats, &few[..]), (seats, &padded), (seats + 8, &other)] {
                if let Some(made) = Certificate::assemble(vote, seats, signed) {
                    me.say(to.clone(), Body::Certificate(Arc::new(made)), out);
                }
            }
        }
        false
    }
}

/// Speaks in the names of others.
#[derive(Debug, Default)]
pub(super) struct Impersonator {
    ticks: u32,
}

impl<R: Rules> Strategy<R> for Impersonator {
    fn tick(&mut self, me: &mut Me<'_, R>, out: &mut Out<R>) -> bool {
        self.ticks += 1;
        if self.ticks % PAUSE != 1 {
            return false;
        }
        let consensus = me.host.consensus();
        let view = consensus.view();
        let leader = consensus.committees().leader(view).institution;
        let hash = Digest::new([0x1a; 32]);
        let to = me.all();
        let own = me.host.signed(Vote {
            epoch: consensus.epoch(),
            view,
            subject: Subject::Notarize(hash),
        });
        let others: Vec<u32> = me.host.auditors().to_vec();
        for other in others {
            let signer = InstitutionId::new(other);
            me.say(to.clone(), Body::Vote(SignedVote { signer, ..own }), out);
        }
        let chain = me.host.chain();
        let header = BlockHeader {
            chain_id: me.host.setup().chain,
            epoch: chain.committees.epoch,
            view,
            height: Height::new(chain.base.0.get() + 1),
            parent: chain.genesis,
            parent_view: View::new(0),
            timestamp: Timestamp::new(me.host.clock_ms()),
            producer: leader,
            payload: Digest::new([1; 32]),
        };
        let in_turn = me.proposal(header);
        let out_of_turn = me.proposal(BlockHeader { producer: me.host.me(), ..header });
        me.say(to.clone(), in_turn, out);
        me.say(to, out_of_turn, out);
        false
    }
}

/// Views far ahead.
#[derive(Debug, Default)]
pub(super) struct FarViewFlooder {
    next: u64,
    ticks: u32,
}

impl<R: Rules> Strategy<R> for FarViewFlooder {
    fn tick(&mut self, me: &mut Me<'_, R>, out: &mut Out<R>) -> bool {
        self.ticks += 1;
        if self.ticks % PAUSE != 1 {
            return false;
        }
        let current = me.host.consensus().view().get();
        let to = me.all();
        for step in 0..40 {
            self.next += 1;
            let view = View::new(match step % 4 {
                0 => current + step % 9,
                1 => current + self.next * 1_000,
                2 => u64::MAX - self.next,
                _ => current + 8,
            });
            let mut hash = [0xff; 32];
            hash[..8].copy_from_slice(&self.next.to_le_bytes());
            let hash = Digest::new(hash);
            let subject = match step % 3 {
                0 => Subject::Notarize(hash),
                1 => Subject::Finalize(hash),
                _ => Subject::Nullify,
            };
            let epoch = me.host.consensus().epoch().get() + u32::from(step % 10 == 9);
            let body = me.vote_in(Epoch::new(epoch), view, subject);
            me.say(to.clone(), body, out);
        }
        // Blocks for its own next turns, one after the other.
        for ahead in 0..9 {
            let view = View::new(current + ahead);
            let chain = me.host.chain();
            if chain.committees.leader(view).institution != me.host.me() {
                continue;
            }
            self.next += 1;
            let header = BlockHeader {
                chain_id: me.host.setup().chain,
                epoch: chain.committees.epoch,
                view,
                height: Height::new(self.next),
                parent: Digest::new([0xf1; 32]),
                parent_view: View::new(view.get().saturating_sub(1)),
                timestamp: Timestamp::new(me.host.clock_ms()),
                producer: me.host.me(),
                payload: Digest::new([1; 32]),
            };
            let body = me.proposal(header);
            me.say(to.clone(), body, out);
        }
        false
    }
}

/// Contradictions without end.
#[derive(Debug, Default)]
pub(super) struct EvidenceSpammer {
    count: u8,
    ticks: u32,
}

impl<R: Rules> Strategy<R> for EvidenceSpammer {
    fn tick(&mut self, me: &mut Me<'_, R>, out: &mut Out<R>) -> bool {
        self.ticks += 1;
        if self.ticks % PAUSE != 1 {
            return false;
        }
        let view = me.host.consensus().view();
        let to = me.auditors();
        for _ in 0..10 {
            self.count = self.count.wrapping_add(1);
            let hash = Digest::new([self.count; 32]);
            for subject in [Subject::Notarize(hash), Subject::Finalize(hash), Subject::Nullify] {
                let body = me.vote(view, subject);
                me.say(to.clone(), body, out);
            }
        }
        false
    }
}

/// Small changes to real messages, signed anew.
#[derive(Debug, Default)]
pub(super) struct Mutator;

impl<R: Rules> Strategy<R> for Mutator {
    fn send(&mut self, me: &mut Me<'_, R>, to: To, message: Rc<Wire>, out: &mut Out<R>) {
        if !me.flips(3) {
            return me.pass(to, message, out);
        }
        let nudge = |value: u64, up: bool| if up { value + 1 } else { value.saturating_sub(1) };
        let up = me.flips(2);
        let body = match &message.body {
            Body::Vote(signed) if signed.vote.view > View::new(0) => {
                let Vote { epoch, view, subject } = signed.vote;
                match me.random.below(3) {
                    0 => me.vote_in(epoch, View::new(nudge(view.get(), up).max(1)), subject),
                    1 => me.vote_in(
                        epoch,
                        view,
                        match subject {
                            Subject::Nullify => Subject::Notarize(me.host.chain().tip),
                            _ => Subject::Nullify,
                        },
                    ),
                    _ => me.vote_in(
                        epoch,
                        view,
                        match subject {
                            Subject::Notarize(hash) => Subject::Finalize(hash),
                            other => other,
                        },
                    ),
                }
            }
            Body::Proposal(signed) => {
                let mut header = signed.header;
                match me.random.below(5) {
                    0 => header.view = View::new(nudge(header.view.get(), up).max(1)),
                    1 => header.parent_view = View::new(nudge(header.parent_view.get(), up)),
                    2 => header.height = Height::new(nudge(header.height.get(), up)),
                    3 => header.parent = me.host.chain().tip,
                    _ => header.timestamp = Timestamp::new(header.timestamp.get() + 1),
                }
                me.proposal(header)
            }
            _ => return me.pass(to, message, out),
        };
        // Some see the change and some do not.
        let parity = u32::from(up);
        let (some, rest) =
            (me.those(&to, |one| one % 2 == parity), me.those(&to, |one| one % 2 != parity));
        me.say(some, body, out);
        me.pass(rest, message, out);
    }
}
