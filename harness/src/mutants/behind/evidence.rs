//! Wrong judges of evidence. [CON-7] [COM-4]

use serde_json::{Value, json};

use super::{Wrong, changed, reject, rejection_of, result_of};
use crate::conformance::class::Class;
use crate::conformance::reference::Answer;
use crate::conformance::value::{Field, FieldError, decimal};
use crate::rules::agreement::{
    Evidence, Fault, ItemPlace, PlacedBooking, SignedHeader, SignedVote, Subject, proposal_message,
    vote_message,
};
use crate::rules::ed25519::{holds, is_sound};
use crate::rules::ids::{id, owner_message, record_id};
use crate::rules::merkle::{climb, level_root};
use crate::rules::mirror::{BlockHeader, ContentRef, ItemBlockHeader};
use crate::rules::wire::{Mirror, WireKind, decode};

const OP: &str = "evidence.judge";

pub(super) const MUTANTS: &[(&str, Wrong)] = &[
    ("evidence-equal-votes", |op, args| {
        votes(op, args, |first, second| {
            let kind = match first.vote.subject {
                Subject::Notarize(_) => 2,
                Subject::Nullify => 3,
                Subject::Finalize(_) => 4,
                Subject::Anchor(_) => 7,
            };
            (first == second).then_some(kind)
        })
    }),
    ("evidence-equal-proposals", |op, args| {
        let roll = Roll::rejected(op, args, Class::Unproven)?;
        let Evidence::Proposals { first, second } = &roll.evidence else { return None };
        let is_one = first.header == second.header && roll.has_proposed(first);
        (is_one && roll.has_proposed(second)).then(|| charged(&first.header, 1))
    }),
    ("evidence-other-epoch", |op, args| {
        votes(op, args, |first, second| {
            let is_other = first.vote.epoch != second.vote.epoch;
            let is_rest = (first.signer, first.vote.view) == (second.signer, second.vote.view);
            conflict(first, second).filter(|_| is_other && is_rest)
        })
    }),
    ("evidence-other-view", |op, args| {
        votes(op, args, |first, second| {
            let is_other = first.vote.view != second.vote.view;
            let is_rest = (first.signer, first.vote.epoch) == (second.signer, second.vote.epoch);
            conflict(first, second).filter(|_| is_other && is_rest)
        })
    }),
    ("evidence-other-signer", |op, args| {
        votes(op, args, |first, second| {
            let at = |one: &SignedVote| (one.vote.epoch, one.vote.view);
            let is_other = first.signer != second.signer && at(first) == at(second);
            conflict(first, second).filter(|_| is_other)
        })
    }),
    ("evidence-notarize-nullify", |op, args| {
        votes(op, args, |first, second| {
            let subjects = (&first.vote.subject, &second.vote.subject);
            let is_both = matches!(
                subjects,
                (Subject::Notarize(_), Subject::Nullify) | (Subject::Nullify, Subject::Notarize(_))
            );
            (is_both && place(first) == place(second)).then_some(3)
        })
    }),
    ("evidence-notarize-finalize", |op, args| {
        votes(op, args, |first, second| match (&first.vote.subject, &second.vote.subject) {
            (Subject::Notarize(one), Subject::Finalize(other))
            | (Subject::Finalize(one), Subject::Notarize(other)) => {
                (one != other && place(first) == place(second)).then_some(4)
            }
            _ => None,
        })
    }),
    ("evidence-anchor-view", |op, args| {
        votes(op, args, |first, second| match (&first.vote.subject, &second.vote.subject) {
            (Subject::Anchor(one), Subject::Anchor(other)) => {
                (one != other && place(first) == place(second)).then_some(7)
            }
            _ => None,
        })
    }),
    ("evidence-second-unsigned", |op, args| {
        let roll = Roll::rejected(op, args, Class::Signature)?;
        match &roll.evidence {
            Evidence::Votes { first, second } => {
                let kind = conflict(first, second)?;
                let is_one = place(first) == place(second) && roll.has_voted(first);
                is_one.then(|| convicted(place(first), kind))
            }
            Evidence::Proposals { first, second } => {
                let at =
                    |one: &SignedHeader| (one.header.producer, one.header.epoch, one.header.view);
                let is_two = at(first) == at(second) && first.header != second.header;
                (is_two && roll.has_proposed(first)).then(|| charged(&first.header, 1))
            }
            _ => None,
        }
    }),
    ("evidence-foreign-proposals", |op, args| {
        let roll = Roll::rejected(op, args, Class::Unproven)?;
        let Evidence::Proposals { first, second } = &roll.evidence else { return None };
        let at = |one: &SignedHeader| (one.header.producer, one.header.epoch, one.header.view);
        let is_two = at(first) == at(second) && first.header != second.header;
        let is_by = roll.has_proposed(first) && roll.has_proposed(second);
        (is_two && is_by).then(|| charged(&first.header, 1))
    }),
    ("evidence-stranger", |op, args| {
        let roll = Roll::rejected(op, args, Class::Outsider)?;
        match &roll.evidence {
            Evidence::Votes { first, second } => {
                let kind = conflict(first, second)?;
                (place(first) == place(second)).then(|| convicted(place(first), kind))
            }
            Evidence::Proposals { first, .. } => Some(charged(&first.header, 1)),
            Evidence::Block { header, .. } => Some(charged(&header.header, 5)),
            Evidence::Audit { vote, .. } => Some(convicted(place(vote), 6)),
        }
    }),
    ("evidence-finalize-missed", |op, args| {
        (result_of(OP, op, args)?["kind"] == 4).then(|| reject(Class::Unproven))
    }),
    ("evidence-kinds-mixed", |op, args| {
        changed(OP, op, args, |result| {
            if result["kind"] == 3 {
                result["kind"] = json!(4);
            }
        })
    }),
    ("evidence-audit-blames-producer", |op, args| {
        let result = result_of(OP, op, args)?;
        let Evidence::Audit { header, .. } = Roll::of(args)?.evidence else { return None };
        (result["kind"] == 6).then(|| charged(&header.header, 6))
    }),
    ("evidence-audit-signed-header", |op, args| {
        result_of(OP, op, args)?;
        let roll = Roll::of(args)?;
        let Evidence::Audit { header, .. } = &roll.evidence else { return None };
        (!roll.has_proposed(header)).then(|| reject(Class::Signature))
    }),
    ("evidence-audit-other-block", |op, args| {
        let roll = Roll::rejected(op, args, Class::Unproven)?;
        let Evidence::Audit { header, vote, fault } = &roll.evidence else { return None };
        let at = (header.header.epoch, header.header.view);
        let is_vote = at == (vote.vote.epoch, vote.vote.view)
            && matches!(vote.vote.subject, Subject::Notarize(_));
        // What is shown of the block has to be wrong all the same; the simplest fault will do.
        let is_wrong = match &**fault {
            Fault::Header => header.header.view <= header.header.parent_view,
            _ => true,
        };
        (is_vote && is_wrong && roll.has_voted(vote)).then(|| convicted(place(vote), 6))
    }),
    ("evidence-leader-only", |op, args| {
        let result = result_of(OP, op, args)?;
        let roll = Roll::of(args)?;
        let field = Field::whole("args", args);
        let offset: u64 = field.get("offset").ok()?.decimal().ok()?;
        let Evidence::Proposals { first, .. } = &roll.evidence else { return None };
        let seats = u64::try_from(roll.producers.len()).ok()?;
        let seat = (offset % seats + first.header.view.checked_sub(1)? % seats) % seats;
        let (leader, _) = roll.producers.get(usize::try_from(seat).ok()?)?;
        (result["institution"] != *leader).then(|| reject(Class::Unproven))
    }),
    ("evidence-fault-unchecked", |op, args| {
        let roll = Roll::rejected(op, args, Class::Unproven)?;
        match &roll.evidence {
            Evidence::Block { header, .. } if roll.is_ours(header) => {
                roll.has_proposed(header).then(|| charged(&header.header, 5))
            }
            Evidence::Audit { header, vote, .. } if roll.is_ours(header) => {
                let is_for = is_for(vote, &header.header) && roll.has_voted(vote);
                is_for.then(|| convicted(place(vote), 6))
            }
            _ => None,
        }
    }),
    ("evidence-time-equal", |op, args| {
        result_of(OP, op, args)?;
        let roll = Roll::of(args)?;
        let (header, fault) = roll.fault()?;
        let Fault::Parent(parent) = fault else { return None };
        let is_first = header.parent_view == 0;
        let epoch = if is_first { parent.epoch.checked_add(1) } else { Some(parent.epoch) };
        let is_only_time = epoch == Some(header.epoch)
            && (is_first || parent.view == header.parent_view)
            && parent.height.checked_add(1) == Some(header.height)
            && header.timestamp == parent.timestamp;
        is_only_time.then(|| reject(Class::Unproven))
    }),
    ("evidence-created-margin", |op, args| {
        let roll = Roll::rejected(op, args, Class::Unproven)?;
        let (header, Fault::Booking { booking, .. }) = roll.fault()? else { return None };
        let margin = header.timestamp.checked_add(120_000)?;
        (booking.booking.metadata.created == margin).then(|| roll.convict())?
    }),
    ("evidence-path-unchecked", |op, args| {
        let roll = Roll::rejected(op, args, Class::Unproven)?;
        let (header, Fault::Booking { booking, .. }) = roll.fault()? else { return None };
        let booking = &booking.booking;
        let id = record_id(&booking.owner, &booking.metadata, &booking.content);
        let message = owner_message(&header.chain_id, &id);
        let is_inline = matches!(booking.content, ContentRef::Inline(_));
        let is_wrong = booking.metadata.created > header.timestamp.saturating_add(120_000)
            || is_inline && booking.metadata.size > 102_400
            || !is_sound(&booking.owner)
            || !holds(&booking.owner, &message, &booking.owner_signature);
        is_wrong.then(|| roll.convict())?
    }),
    ("evidence-same-place", |op, args| {
        let roll = Roll::rejected(op, args, Class::Unproven)?;
        let (_, Fault::Repeated { summary, first, second }) = roll.fault()? else { return None };
        let inner = summary.item_block.clone()?;
        let is_one = first == second && stands(&inner, first).is_some();
        is_one.then(|| roll.convict())?
    }),
];

/// Takes two votes for a double vote that the reference takes for none.
fn votes(
    op: &str,
    args: &Value,
    kind: impl FnOnce(&SignedVote, &SignedVote) -> Option<u8>,
) -> Option<Answer> {
    let roll = Roll::rejected(op, args, Class::Unproven)?;
    let Evidence::Votes { first, second } = &roll.evidence else { return None };
    let kind = kind(first, second)?;
    let is_by = roll.has_voted(first) && roll.has_voted(second);
    is_by.then(|| convicted(place(first), kind))
}

/// Voter, epoch and view.
fn place(one: &SignedVote) -> (u32, u32, u64) {
    (one.signer, one.vote.epoch, one.vote.view)
}

/// The kind of offence that two subjects are, wherever the votes were cast.
fn conflict(first: &SignedVote, second: &SignedVote) -> Option<u8> {
    match (&first.vote.subject, &second.vote.subject) {
        (Subject::Notarize(one), Subject::Notarize(other)) if one != other => Some(2),
        (Subject::Nullify, Subject::Finalize(_)) | (Subject::Finalize(_), Subject::Nullify) => {
            Some(3)
        }
        (Subject::Finalize(one), Subject::Finalize(other)) if one != other => Some(4),
        (Subject::Anchor(one), Subject::Anchor(other)) if one != other => Some(7),
        _ => None,
    }
}

fn convicted((institution, epoch, view): (u32, u32, u64), kind: u8) -> Answer {
    let view = decimal(view);
    Answer::Ok(json!({"institution": institution, "epoch": epoch, "view": view, "kind": kind}))
}

fn charged(header: &BlockHeader, kind: u8) -> Answer {
    convicted((header.producer, header.epoch, header.view), kind)
}

fn is_for(vote: &SignedVote, header: &BlockHeader) -> bool {
    let hash = id(&header.clone().into());
    (vote.vote.epoch, vote.vote.view) == (header.epoch, header.view)
        && vote.vote.subject == Subject::Notarize(hash)
}

/// Whether a booking stands in an Item block.
fn stands(inner: &ItemBlockHeader, placed: &PlacedBooking) -> Option<()> {
    let (index, size) = (usize::from(placed.record.index), usize::from(placed.record.size));
    let leaf = Mirror::from(placed.booking.clone()).encode();
    let item = level_root(1, size, &climb(&leaf, index, size, &placed.record.path)?);
    let ItemPlace { index, size, path } = &placed.item;
    let (index, size) = (usize::from(*index), usize::from(*size));
    (level_root(2, size, &climb(&item, index, size, path)?) == inner.root).then_some(())
}

/// Evidence, and who is who.
struct Roll {
    chain: [u8; 32],
    producers: Vec<(u32, [u8; 32])>,
    auditors: Vec<(u32, [u8; 32])>,
    evidence: Evidence,
}

impl Roll {
    fn of(args: &Value) -> Option<Self> {
        let field = Field::whole("args", args);
        let seats = |name: &str| {
            field.get(name)?.each(|seat| {
                let id: u32 = seat.get("institution")?.integer()?;
                Ok::<_, FieldError>((id, seat.get("key")?.array()?))
            })
        };
        let bytes = field.get("evidence").ok()?.bytes().ok()?;
        let Mirror::Evidence(evidence) = decode(WireKind::Evidence, &bytes).ok()? else {
            return None;
        };
        Some(Self {
            chain: field.get("chain_id").ok()?.array().ok()?,
            producers: seats("producers").ok()?,
            auditors: seats("auditors").ok()?,
            evidence,
        })
    }

    /// What the reference rejects as this class.
    fn rejected(op: &str, args: &Value, class: Class) -> Option<Self> {
        let (found, _) = rejection_of(OP, op, args)?;
        if found == class { Self::of(args) } else { None }
    }

    fn key(&self, institution: u32) -> Option<&[u8; 32]> {
        let mut all = self.producers.iter().chain(&self.auditors);
        all.find(|(id, _)| *id == institution).map(|(_, key)| key)
    }

    fn is_ours(&self, signed: &SignedHeader) -> bool {
        signed.header.chain_id == self.chain
    }

    fn has_proposed(&self, signed: &SignedHeader) -> bool {
        let message = proposal_message(&signed.header);
        let key = self.key(signed.header.producer);
        key.is_some_and(|key| holds(key, &message, &signed.signature))
    }

    fn has_voted(&self, signed: &SignedVote) -> bool {
        let message = vote_message(&self.chain, &signed.vote);
        self.key(signed.signer).is_some_and(|key| holds(key, &message, &signed.signature))
    }

    fn fault(&self) -> Option<(&BlockHeader, &Fault)> {
        match &self.evidence {
            Evidence::Block { header, fault } | Evidence::Audit { header, fault, .. } => {
                Some((&header.header, fault))
            }
            _ => None,
        }
    }

    /// Convicts whoever signed the block that is said to be wrong.
    fn convict(&self) -> Option<Answer> {
        match &self.evidence {
            Evidence::Block { header, .. } => {
                self.has_proposed(header).then(|| charged(&header.header, 5))
            }
            Evidence::Audit { header, vote, .. } => {
                let is_for = is_for(vote, &header.header) && self.has_voted(vote);
                is_for.then(|| convicted(place(vote), 6))
            }
            _ => None,
        }
    }
}
