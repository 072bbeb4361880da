//! Votes become certificates; certificates lead on. [CON-6] [CON-7]

use std::sync::Arc;

use super::interface::{Audience, Effect};
use super::journal::JournalEntry;
use super::machine::Consensus;
use super::rules::Rules;
use super::tally::Counted;
use crate::ledger::{Certificate, SignedVote, Subject, Vote, double_votes};
use crate::types::{Digest, InstitutionId, View};

impl<R: Rules> Consensus<R> {
    pub(super) fn on_vote(&mut self, signed: &SignedVote, effects: &mut Vec<Effect>) {
        let vote = signed.vote;
        if !self.rules.is_of(self.epoch(), vote.epoch) || !self.hears(vote.view) {
            return;
        }
        let Some(seat) = self.seat_of(signed.signer) else { return };
        let seats = self.committees.auditors.len();
        let slot = self.slots.entry(vote.view).or_default();
        let votes = match slot.tally.count(&self.rules, seats, seat, signed) {
            Counted::Again => return,
            Counted::Contradiction(evidence) => return effects.push(Effect::Convict(evidence)),
            Counted::Votes(votes) => votes,
        };
        if votes < self.rules.quorum(seats) || slot.certificate(&vote.subject).is_some() {
            return;
        }
        let signatures = slot.tally.signatures(&self.rules, &vote.subject);
        if let Some(certificate) = Certificate::assemble(vote, seats, &signatures) {
            self.on_certificate(Arc::new(certificate), effects);
        }
    }

    pub(super) fn on_certificate(
        &mut self,
        certificate: Arc<Certificate>,
        effects: &mut Vec<Effect>,
    ) {
        let vote = certificate.vote;
        let view = vote.view;
        if !self.rules.is_of(self.epoch(), vote.epoch)
            || view < self.finalized.0
            || view == View::new(0)
            || matches!(vote.subject, Subject::Anchor(_))
        {
            return;
        }
        if let Some(held) = self.slots.get(&view).and_then(|slot| slot.certificate(&vote.subject)) {
            if held.vote != vote {
                self.convict(&held.clone(), &certificate, effects);
            } else if self.widens(&vote) {
                self.widen(&certificate);
            }
            return;
        }
        self.convict_excluded(&certificate, effects);
        self.persist(JournalEntry::Certified(certificate.clone()), effects);
        self.slot(view).keep(certificate.clone());
        if self.rules.passes_on() {
            self.pass_on(certificate.clone(), effects);
        }
        match vote.subject {
            Subject::Notarize(hash) => self.finalize(view, hash, effects),
            Subject::Finalize(hash) => self.on_final(view, hash, certificate, effects),
            Subject::Nullify | Subject::Anchor(_) => {}
        }
        let next = view.next().filter(|_| self.rules.enters(self.view, view));
        match next {
            Some(next) => self.enter(next, effects),
            None => {
                self.resume(effects);
                // It may have been one of several that a proposal lacks.
                if self.is_lacked(view) {
                    self.ask_for_parents(effects);
                }
            }
        }
    }

    /// Whether this node leads the view behind a notarization, and so puts that into its block.
    //= harness/spec/committees.md#com-6-earning-and-losing
    //# COM-6.13 (ours): A producer SHOULD put into the certificate of the parent every signature that it
    //# holds.
    pub(super) fn widens(&self, vote: &Vote) -> bool {
        let next = vote.view.next().unwrap_or(vote.view);
        let leader = self.committees.leader(next).institution;
        matches!(vote.subject, Subject::Notarize(_)) && leader == self.membership.me
    }

    /// Adds the signatures of another certificate for the same vote.
    fn widen(&mut self, certificate: &Certificate) {
        let seats = self.committees.auditors.len();
        let Some(slot) = self.slots.get_mut(&certificate.vote.view) else { return };
        let Some(held) = &slot.notarization else { return };
        if let Some(wide) = held.widened(seats, &held.lacks_of(certificate)) {
            slot.notarization = Some(Arc::new(wide));
        }
    }

    /// Votes to finalize a notarized block, if the rules allow it.
    pub(super) fn finalize(&mut self, view: View, hash: Digest, effects: &mut Vec<Effect>) {
        if !self.votes() {
            return;
        }
        let slot = self.slots.entry(view).or_default();
        let notarized = slot.notarization.as_ref().and_then(|n| n.vote.subject.digest());
        if self.rules.may_finalize(&slot.own, notarized, &hash) {
            slot.own.finalized = Some(hash);
            self.cast(view, Subject::Finalize(hash), effects);
        }
    }

    fn on_final(
        &mut self,
        view: View,
        hash: Digest,
        certificate: Arc<Certificate>,
        effects: &mut Vec<Effect>,
    ) {
        if view > self.finalized.0 {
            self.finalized = (view, hash);
            self.slots = self.slots.split_off(&view);
            effects.push(Effect::Finalized(certificate));
        }
    }

    /// Goes on to a view, if it is ahead.
    pub(super) fn enter(&mut self, view: View, effects: &mut Vec<Effect>) {
        if view > self.view {
            self.view = view;
            self.arm(effects);
            self.brief_leader(effects);
            self.resume(effects);
            self.ask_for_parents(effects);
        } else {
            self.resume(effects);
        }
    }

    /// Sends the leader of a view that follows nullified ones what it needs to propose.
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //# CON-7.19 (ours): An auditor MUST send to the leader of the view it is in, on entering it and
    //# whenever something is added, the highest notarization it holds in the epoch, every nullification
    //# above that, and, where it holds no notarization in the epoch, the finalization that ended the
    //# epoch before.
    fn brief_leader(&self, effects: &mut Vec<Effect>) {
        let leader = self.committees.leader(self.view).institution;
        let before = self.view.get().checked_sub(1).map(View::new);
        // The certificate by which the view was entered has just been passed on to this leader.
        let is_told = before.is_none_or(|view| self.notarized(view).is_some());
        let has_news = self.membership.auditor.is_some() && leader != self.membership.me;
        if let Some(before) = before.filter(|_| self.rules.passes_on() && has_news && !is_told) {
            self.publish_way(before, Audience::One(leader), effects);
        }
    }

    /// Does what a new certificate or a new view may have made possible.
    pub(super) fn resume(&mut self, effects: &mut Vec<Effect>) {
        self.consider(effects);
        if self.leads() {
            self.lead(effects);
        }
    }

    /// Auditors tell each other and the leader, so that nothing depends on the one on duty. Nodes that only
    /// listen pass nothing on, except the leader.
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //# CON-7.15 (ours): An auditor, and the leader of the view that it is in, MUST send each certificate
    //# to all auditors of the epoch when it first holds it.
    fn pass_on(&self, certificate: Arc<Certificate>, effects: &mut Vec<Effect>) {
        if self.membership.auditor.is_some() || self.leads() {
            let to = self.audience(&certificate.vote);
            effects.push(Effect::Publish { certificate, to });
        }
    }

    /// The auditor on duty tells everybody what is final; nobody else acts on what leads there.
    fn audience(&self, vote: &Vote) -> Audience {
        let view = vote.view;
        let is_final = matches!(vote.subject, Subject::Finalize(_));
        //= harness/spec/consensus.md#con-5-turns
        //# CON-5.2 (paper): Auditors MUST take turns to check every signed block.
        if is_final && self.committees.auditor_on_duty(view).institution == self.membership.me {
            return Audience::Everyone;
        }
        let next = view.next().unwrap_or(view).max(self.view);
        Audience::Auditors { and: self.committees.leader(next).institution }
    }

    /// Evidence against everybody who signed this certificate and the one that it excludes.
    fn convict_excluded(&self, certificate: &Certificate, effects: &mut Vec<Effect>) {
        let Some(slot) = self.slots.get(&certificate.vote.view) else { return };
        let excluded = match certificate.vote.subject {
            Subject::Nullify => slot.finalization.as_ref(),
            Subject::Finalize(_) => slot.nullification.as_ref(),
            Subject::Notarize(_) | Subject::Anchor(_) => None,
        };
        if let Some(excluded) = excluded {
            self.convict(excluded, certificate, effects);
        }
    }

    fn convict(&self, first: &Certificate, second: &Certificate, effects: &mut Vec<Effect>) {
        let electorate: Vec<InstitutionId> =
            self.committees.auditors.iter().map(|seat| seat.institution).collect();
        let evidence = double_votes(first, second, &electorate);
        effects.extend(evidence.into_iter().map(|one| Effect::Convict(Box::new(one))));
    }
}
