//! Auditors that deviate.

use std::collections::BTreeSet;
use std::rc::Rc;

use mdsm_core::consensus::Rules;
use mdsm_core::crypto::Identified as _;
use mdsm_core::ledger::{BlockHeader, Subject, Vote};
use mdsm_core::types::{Digest, Epoch, Timestamp, View};

use super::deviant::{Me, Out, Strategy};
use super::leaders::vote_for_proposal;
use crate::simulation::cluster::{Body, Wire};
use crate::simulation::world::To;

/// Casts no votes.
#[derive(Debug, Default)]
pub(super) struct Withholder;

impl<R: Rules> Strategy<R> for Withholder {
    fn send(&mut self, me: &mut Me<'_, R>, to: To, message: Rc<Wire>, out: &mut Out<R>) {
        match me.own_vote(&message) {
            Some(_) => *me.acted += 1,
            None => me.pass(to, message, out),
        }
    }
}

/// Casts votes late.
#[derive(Debug, Default)]
pub(super) struct LateVoter {
    kept: Vec<(To, Rc<Wire>)>,
    ticks: u32,
}

impl<R: Rules> Strategy<R> for LateVoter {
    fn send(&mut self, me: &mut Me<'_, R>, to: To, message: Rc<Wire>, out: &mut Out<R>) {
        match me.own_vote(&message) {
            Some(_) => self.kept.push((to, message)),
            None => me.pass(to, message, out),
        }
    }

    fn tick(&mut self, me: &mut Me<'_, R>, out: &mut Out<R>) -> bool {
        self.ticks += 1;
        if self.ticks.is_multiple_of(8) {
            for (to, message) in self.kept.drain(..) {
                *me.acted += 1;
                me.pass(to, message, out);
            }
        }
        false
    }
}

/// Sends the given votes instead of, or beside, its own.
fn twist<R: Rules>(
    me: &mut Me<'_, R>,
    to: To,
    message: Rc<Wire>,
    out: &mut Out<R>,
    subjects: impl FnOnce(&Me<'_, R>, View, Subject) -> Vec<Subject>,
) {
    let vote = me.own_vote(&message).map(|signed| signed.vote);
    let Some(vote) = vote.filter(|vote| !matches!(vote.subject, Subject::Anchor(_))) else {
        return me.pass(to, message, out);
    };
    let subjects = subjects(me, vote.view, vote.subject);
    for subject in subjects {
        let body = me.vote(vote.view, subject);
        me.say(to.clone(), body, out);
    }
}

/// Nullifies what it should notarize.
#[derive(Debug, Default)]
pub(super) struct NullifyOnly;

impl<R: Rules> Strategy<R> for NullifyOnly {
    fn send(&mut self, me: &mut Me<'_, R>, to: To, message: Rc<Wire>, out: &mut Out<R>) {
        twist(me, to, message, out, |_, _, _| vec![Subject::Nullify]);
    }
}

/// Casts every vote there is.
#[derive(Debug, Default)]
pub(super) struct DoubleVoter;

impl<R: Rules> Strategy<R> for DoubleVoter {
    fn send(&mut self, me: &mut Me<'_, R>, to: To, message: Rc<Wire>, out: &mut Out<R>) {
        twist(me, to, message, out, |_, _, subject| match subject.digest() {
            Some(hash) => {
                vec![Subject::Notarize(*hash), Subject::Finalize(*hash), Subject::Nullify]
            }
            None => vec![Subject::Nullify, Subject::Finalize(Digest::new([0xd0; 32]))],
        });
    }

    fn hear(&mut self, me: &mut Me<'_, R>, _: u32, message: &Rc<Wire>, out: &mut Out<R>) -> bool {
        vote_for_proposal(me, message, out);
        true
    }
}

/// Finalizes and nullifies one view.
#[derive(Debug, Default)]
pub(super) struct DoubleFinalizer;

impl<R: Rules> Strategy<R> for DoubleFinalizer {
    fn send(&mut self, me: &mut Me<'_, R>, to: To, message: Rc<Wire>, out: &mut Out<R>) {
        twist(me, to, message, out, |me, view, subject| {
            let slot = me.host.consensus().slots().find(|(at, _)| *at == view);
            let notarized = slot.and_then(|(_, slot)| slot.own.notarized);
            match subject {
                Subject::Finalize(_) => vec![Subject::Nullify, subject],
                Subject::Nullify => {
                    let finalize = notarized.map(Subject::Finalize);
                    [Some(subject), finalize].into_iter().flatten().collect()
                }
                other => vec![other],
            }
        });
    }
}

/// Notarizes without a look.
#[derive(Debug, Default)]
pub(super) struct LazyAuditor;

impl<R: Rules> Strategy<R> for LazyAuditor {
    fn hear(&mut self, me: &mut Me<'_, R>, _: u32, message: &Rc<Wire>, out: &mut Out<R>) -> bool {
        vote_for_proposal(me, message, out);
        true
    }
}

/// Votes in the epochs before and behind.
#[derive(Debug, Default)]
pub(super) struct EpochStraddler;

impl<R: Rules> Strategy<R> for EpochStraddler {
    fn send(&mut self, me: &mut Me<'_, R>, to: To, message: Rc<Wire>, out: &mut Out<R>) {
        if let Some(vote) = me.own_vote(&message).map(|signed| signed.vote) {
            let epoch = vote.epoch.get();
            for other in [epoch.checked_sub(1), epoch.checked_add(1)].into_iter().flatten() {
                let body = me.vote_in(Epoch::new(other), vote.view, vote.subject);
                me.say(to.clone(), body, out);
            }
        }
        me.pass(to, message, out);
    }

    fn tick(&mut self, me: &mut Me<'_, R>, out: &mut Out<R>) -> bool {
        // The last block of the epoch before, judged again by the committee of this one.
        let genesis = me.host.chain().genesis;
        let to = me.auditors();
        for subject in [Subject::Notarize(genesis), Subject::Finalize(genesis)] {
            let body = me.vote(me.host.consensus().view(), subject);
            me.say(to.clone(), body, out);
        }
        false
    }
}

/// Signs two anchors.
#[derive(Debug, Default)]
pub(super) struct AnchorEquivocator;

impl<R: Rules> Strategy<R> for AnchorEquivocator {
    fn send(&mut self, me: &mut Me<'_, R>, to: To, message: Rc<Wire>, out: &mut Out<R>) {
        let vote = me.own_vote(&message).map(|signed| signed.vote);
        me.pass(to.clone(), message, out);
        if let Some(vote) = vote.filter(|vote| matches!(vote.subject, Subject::Anchor(_))) {
            let body = me.vote_in(vote.epoch, vote.view, Subject::Anchor(Digest::new([0xa2; 32])));
            me.say(to, body, out);
        }
    }
}

/// Votes for everything, to those who were shown it: enough of them break agreement.
///
/// Institutions with even numbers are shown one history, those with odd numbers another. A colluding
/// leader tries times until the hash of a block tells every colluder for which of them it is.
#[derive(Debug, Default)]
pub(super) struct Colluder {
    said: BTreeSet<Vote>,
}

fn is_for(hash: &Digest) -> u32 {
    u32::from(hash.as_bytes()[0] % 2)
}

impl<R: Rules> Strategy<R> for Colluder {
    fn send(&mut self, me: &mut Me<'_, R>, to: To, message: Rc<Wire>, out: &mut Out<R>) {
        let own = me.own_proposal(&message).map(|signed| signed.header);
        let Some(header) = own else {
            // Its own honest votes and what it knows would warn the others.
            return match &message.body {
                Body::Vote(_) | Body::Certificate(_) => {}
                _ => me.pass(to, message, out),
            };
        };
        for parity in [0, 1] {
            let shifted = (0..64).map(|shift| {
                let timestamp = Timestamp::new(header.timestamp.get() + shift);
                BlockHeader { timestamp, ..header }
            });
            if let Some(block) = shifted.into_iter().find(|block| is_for(&block.id()) == parity) {
                let half = me.those(&to, |one| one % 2 == parity);
                let body = me.proposal(block);
                me.say(half, body, out);
            }
        }
    }

    fn hear(&mut self, me: &mut Me<'_, R>, _: u32, message: &Rc<Wire>, out: &mut Out<R>) -> bool {
        let vote = match &message.body {
            Body::Vote(signed) => signed.vote,
            _ => return true,
        };
        if matches!(vote.subject, Subject::Anchor(_)) || !self.said.insert(vote) {
            return true;
        }
        if let Some(hash) = vote.subject.digest() {
            let all = me.auditors();
            let half = me.those(&all, |one| one % 2 == is_for(hash));
            let body = me.vote_in(vote.epoch, vote.view, vote.subject);
            me.say(half, body, out);
        }
        true
    }
}
