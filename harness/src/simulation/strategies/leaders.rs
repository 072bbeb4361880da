//! Leaders that deviate.

use std::rc::Rc;

use mdsm_core::consensus::Rules;
use mdsm_core::crypto::Identified as _;
use mdsm_core::ledger::{BlockHeader, Subject};
use mdsm_core::types::{Height, Timestamp, View};

use super::deviant::{Me, Out, Strategy};
use crate::simulation::cluster::{BAD, Body, Wire};
use crate::simulation::world::To;

/// Proposes two blocks.
#[derive(Debug, Default)]
pub(super) struct Equivocator;

impl<R: Rules> Strategy<R> for Equivocator {
    fn send(&mut self, me: &mut Me<'_, R>, to: To, message: Rc<Wire>, out: &mut Out<R>) {
        let Some(signed) = me.own_proposal(&message) else { return me.pass(to, message, out) };
        let header = signed.header;
        let timestamp = Timestamp::new(header.timestamp.get() + 1);
        let other = BlockHeader { timestamp, ..header };
        let (even, odd) = (me.those(&to, |one| one % 2 == 0), me.those(&to, |one| one % 2 == 1));
        me.pass(even, message.clone(), out);
        let second = me.proposal(other);
        me.say(odd, second, out);
    }

    fn hear(&mut self, me: &mut Me<'_, R>, _: u32, message: &Rc<Wire>, out: &mut Out<R>) -> bool {
        vote_for_proposal(me, message, out);
        true
    }
}

/// Notarizes a proposal as soon as it comes.
pub(super) fn vote_for_proposal<R: Rules>(me: &mut Me<'_, R>, message: &Wire, out: &mut Out<R>) {
    let Body::Proposal(signed) = &message.body else { return };
    if signed.header.epoch == me.host.consensus().epoch() && me.host.consensus().votes() {
        let vote = me.vote(signed.header.view, Subject::Notarize(signed.hash()));
        let to = me.auditors();
        me.say(to, vote, out);
    }
}

/// Sends another header in place of an own proposal.
fn replace<R: Rules>(
    me: &mut Me<'_, R>,
    to: To,
    message: Rc<Wire>,
    out: &mut Out<R>,
    change: impl FnOnce(&mut Me<'_, R>, BlockHeader) -> Option<BlockHeader>,
) {
    let own = me.own_proposal(&message).map(|signed| signed.header);
    match own.and_then(|header| change(me, header)) {
        Some(header) => {
            let body = me.proposal(header);
            me.say(to, body, out);
        }
        None => me.pass(to, message, out),
    }
}

/// Proposes on the genesis of the epoch.
#[derive(Debug, Default)]
pub(super) struct StaleParent;

impl<R: Rules> Strategy<R> for StaleParent {
    fn send(&mut self, me: &mut Me<'_, R>, to: To, message: Rc<Wire>, out: &mut Out<R>) {
        replace(me, to, message, out, |me, header| {
            let chain = me.host.chain();
            let height = Height::new(chain.base.0.get() + 1);
            let (parent, parent_view) = (chain.genesis, View::new(0));
            (header.parent != parent).then_some(BlockHeader {
                parent,
                parent_view,
                height,
                ..header
            })
        });
    }
}

/// Leaves out a block that counts.
#[derive(Debug, Default)]
pub(super) struct GapSkipper;

impl<R: Rules> Strategy<R> for GapSkipper {
    fn send(&mut self, me: &mut Me<'_, R>, to: To, message: Rc<Wire>, out: &mut Out<R>) {
        replace(me, to, message, out, |me, header| {
            let skipped = me.host.chain().block(&header.parent)?.header;
            let height = skipped.height;
            let (parent, parent_view) = (skipped.parent, skipped.parent_view);
            Some(BlockHeader { parent, parent_view, height, ..header })
        });
    }
}

/// Proposes blocks of another time.
#[derive(Debug, Default)]
pub(super) struct TimeShifter;

impl<R: Rules> Strategy<R> for TimeShifter {
    fn send(&mut self, me: &mut Me<'_, R>, to: To, message: Rc<Wire>, out: &mut Out<R>) {
        replace(me, to, message, out, |me, header| {
            let shift = [1_500, 1_990, 60_000, -60_000]
                [usize::from(me.flips(2)) + 2 * usize::from(me.flips(3))];
            let timestamp = Timestamp::new(header.timestamp.get() + shift);
            Some(BlockHeader { timestamp, ..header })
        });
    }
}

/// Proposes what breaks the rules.
#[derive(Debug, Default)]
pub(super) struct InvalidPayload;

impl<R: Rules> Strategy<R> for InvalidPayload {
    fn send(&mut self, me: &mut Me<'_, R>, to: To, message: Rc<Wire>, out: &mut Out<R>) {
        let own = me.own_proposal(&message).map(|signed| signed.header);
        replace(me, to, message, out, |_, header| Some(BlockHeader { payload: BAD, ..header }));
        if let Some(header) = own {
            let bad = BlockHeader { payload: BAD, ..header };
            let (to, vote) = (me.auditors(), me.vote(bad.view, Subject::Notarize(bad.id())));
            me.say(to, vote, out);
        }
    }

    fn hear(&mut self, me: &mut Me<'_, R>, _: u32, message: &Rc<Wire>, out: &mut Out<R>) -> bool {
        vote_for_proposal(me, message, out);
        true
    }
}

/// Proposes late.
#[derive(Debug, Default)]
pub(super) struct SlowLeader {
    kept: Option<(To, Rc<Wire>, u32)>,
}

impl<R: Rules> Strategy<R> for SlowLeader {
    fn send(&mut self, me: &mut Me<'_, R>, to: To, message: Rc<Wire>, out: &mut Out<R>) {
        if me.own_proposal(&message).is_some() {
            *me.acted += 1;
            self.kept = Some((to, message, 2));
        } else {
            me.pass(to, message, out);
        }
    }

    fn tick(&mut self, me: &mut Me<'_, R>, out: &mut Out<R>) -> bool {
        match self.kept.take() {
            Some((to, message, 0)) => me.pass(to, message, out),
            Some((to, message, ticks)) => self.kept = Some((to, message, ticks - 1)),
            None => {}
        }
        false
    }
}
