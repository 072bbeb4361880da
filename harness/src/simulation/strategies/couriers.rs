//! Nodes that deviate in what they pass on, and in what they remember.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use mdsm_core::consensus::Rules;
use mdsm_core::ledger::{Certificate, Subject, Vote, quorum};
use mdsm_core::types::Signature;

use super::deviant::{Me, Out, Strategy};
use crate::seed::Draw as _;
use crate::simulation::cluster::{Body, Wire};
use crate::simulation::world::To;

/// Shows its votes to one node and passes nothing on.
#[derive(Debug, Default)]
pub(super) struct CertificateWithholder;

impl<R: Rules> Strategy<R> for CertificateWithholder {
    fn send(&mut self, me: &mut Me<'_, R>, to: To, message: Rc<Wire>, out: &mut Out<R>) {
        match &message.body {
            Body::Certificate(_) => *me.acted += 1,
            Body::Vote(signed) => {
                let auditors = me.host.auditors();
                let at =
                    usize::try_from(signed.vote.view.get()).unwrap_or(0) % auditors.len().max(1);
                if let Some(one) = auditors.get(at) {
                    *me.acted += 1;
                    me.pass(To::One(*one), message.clone(), out);
                }
            }
            _ => me.pass(to, message, out),
        }
    }
}

/// Sends to half of the others.
#[derive(Debug, Default)]
pub(super) struct SelectiveSender;

impl<R: Rules> Strategy<R> for SelectiveSender {
    fn send(&mut self, me: &mut Me<'_, R>, to: To, message: Rc<Wire>, out: &mut Out<R>) {
        let parity = me.host.me().get() % 2;
        let some = me.those(&to, |one| one % 2 != parity);
        *me.acted += 1;
        me.pass(some, message, out);
    }
}

/// Keeps everything back, then sends it at once.
#[derive(Debug, Default)]
pub(super) struct SilentThenBurst {
    kept: Vec<(To, Rc<Wire>)>,
    ticks: u32,
}

impl<R: Rules> Strategy<R> for SilentThenBurst {
    fn send(&mut self, _: &mut Me<'_, R>, to: To, message: Rc<Wire>, _: &mut Out<R>) {
        if self.kept.len() < 4_000 {
            self.kept.push((to, message));
        }
    }

    fn tick(&mut self, me: &mut Me<'_, R>, out: &mut Out<R>) -> bool {
        self.ticks += 1;
        if self.ticks.is_multiple_of(50) {
            for (to, message) in self.kept.drain(..) {
                *me.acted += 1;
                me.pass(to, message, out);
            }
        }
        false
    }
}

/// Sends old messages again.
#[derive(Debug, Default)]
pub(super) struct Replayer {
    own: Vec<Rc<Wire>>,
}

impl<R: Rules> Strategy<R> for Replayer {
    fn send(&mut self, me: &mut Me<'_, R>, to: To, message: Rc<Wire>, out: &mut Out<R>) {
        if self.own.len() < 400 {
            self.own.push(message.clone());
        }
        me.pass(to, message, out);
    }

    fn tick(&mut self, me: &mut Me<'_, R>, out: &mut Out<R>) -> bool {
        let to = me.all();
        for old in [&self.own[..], me.heard] {
            if !old.is_empty() {
                *me.acted += 1;
                let message = me.random.pick(old).clone();
                me.pass(to.clone(), message, out);
            }
        }
        false
    }
}

/// Sends everything three times.
#[derive(Debug, Default)]
pub(super) struct Stutterer;

impl<R: Rules> Strategy<R> for Stutterer {
    fn send(&mut self, me: &mut Me<'_, R>, to: To, message: Rc<Wire>, out: &mut Out<R>) {
        *me.acted += 1;
        for _ in 0..3 {
            me.pass(to.clone(), message.clone(), out);
        }
    }
}

/// Sends nothing.
#[derive(Debug, Default)]
pub(super) struct Mute;

impl<R: Rules> Strategy<R> for Mute {
    fn send(&mut self, me: &mut Me<'_, R>, _: To, _: Rc<Wire>, _: &mut Out<R>) {
        *me.acted += 1;
    }
}

/// Publishes certificates without those whom it dislikes: the lowest seats.
#[derive(Debug, Default)]
pub(super) struct BitmapCensor {
    votes: BTreeMap<Vote, BTreeMap<usize, Signature>>,
}

impl<R: Rules> Strategy<R> for BitmapCensor {
    fn send(&mut self, me: &mut Me<'_, R>, to: To, message: Rc<Wire>, out: &mut Out<R>) {
        if let Body::Certificate(certificate) = &message.body {
            let seats = me.host.consensus().committees().auditors.len();
            let known = self.votes.get(&certificate.vote);
            let cast: Vec<_> = known.into_iter().flatten().map(|(seat, s)| (*seat, *s)).collect();
            let liked = cast.len().checked_sub(quorum(seats)).and_then(|from| cast.get(from..));
            let made =
                liked.and_then(|liked| Certificate::assemble(certificate.vote, seats, liked));
            if let Some(made) = made {
                return me.say(to, Body::Certificate(Arc::new(made)), out);
            }
        }
        me.pass(to, message, out);
    }

    fn hear(&mut self, me: &mut Me<'_, R>, _: u32, message: &Rc<Wire>, _: &mut Out<R>) -> bool {
        if let Body::Vote(signed) = &message.body {
            let is_of_blocks = !matches!(signed.vote.subject, Subject::Anchor(_));
            if let (Some(seat), true) = (me.host.consensus().seat_of(signed.signer), is_of_blocks) {
                self.votes.entry(signed.vote).or_default().insert(seat, signed.signature);
            }
            while self.votes.len() > 32 {
                self.votes.pop_first();
            }
        }
        true
    }
}

/// Forgets what it signed.
#[derive(Debug, Default)]
pub(super) struct Amnesiac {
    ticks: u32,
}

impl<R: Rules> Strategy<R> for Amnesiac {
    fn tick(&mut self, me: &mut Me<'_, R>, _: &mut Out<R>) -> bool {
        self.ticks += 1;
        let forgets = self.ticks.is_multiple_of(15);
        *me.acted += u64::from(forgets);
        forgets
    }
}
