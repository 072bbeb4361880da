//! Whether evidence convicts, judged by the drawings alone. [CON-6] [CON-7] [COM-4]

use super::super::agreement::{
    Evidence, Fault, ItemPlace, PlacedBooking, SignedHeader, SignedVote, Subject, Summary,
    proposal_message, vote_message,
};
use super::super::bounds::hold;
use super::super::ids::{id, owner_message, record_id};
use super::super::merkle::{climb, level_root};
use super::super::mirror::{BlockHeader, Bytes32, ContentRef, ItemBlockHeader};
use super::super::roster::Offence;
use super::super::wire::Mirror;
use super::certificate;
use super::log::Signatures;

/// Who is who, as the chain has it before the block that carries the evidence.
pub struct Roll<'a> {
    /// The network.
    pub chain_id: Bytes32,
    /// The key of an institution.
    pub key_of: &'a dyn Fn(u32) -> Option<Bytes32>,
    /// Auditors of an epoch that is remembered, by seat.
    pub auditors_of: &'a dyn Fn(u32) -> Option<Vec<(u32, Bytes32)>>,
    /// The curve.
    pub signatures: &'a dyn Signatures,
}

impl Roll<'_> {
    /// The offence that is proved.
    pub fn judge(&self, evidence: &Evidence) -> Result<Offence, String> {
        match evidence {
            Evidence::Proposals { first, second } => {
                let of =
                    |one: &SignedHeader| (one.header.producer, one.header.epoch, one.header.view);
                hold(
                    of(first) == of(second),
                    "the two proposals are not of one producer and view",
                )?;
                hold(first.header != second.header, "the two proposals are one")?;
                self.proposed(first)?;
                self.proposed(second)?;
                Ok(offence(of(first), 1))
            }
            Evidence::Votes { first, second } => {
                let of = |one: &SignedVote| (one.signer, one.vote.epoch, one.vote.view);
                hold(of(first) == of(second), "the two votes are not of one voter and view")?;
                let kind = match (&first.vote.subject, &second.vote.subject) {
                    (Subject::Notarize(one), Subject::Notarize(other)) if one != other => 2,
                    (Subject::Nullify, Subject::Finalize(_))
                    | (Subject::Finalize(_), Subject::Nullify) => 3,
                    (Subject::Finalize(one), Subject::Finalize(other)) if one != other => 4,
                    (Subject::Anchor(one), Subject::Anchor(other))
                        if one != other && first.vote.view == 0 =>
                    {
                        7
                    }
                    _ => return Err("an honest voter may cast both votes".to_owned()),
                };
                self.voted(first)?;
                self.voted(second)?;
                Ok(offence(of(first), kind))
            }
            Evidence::Block { header, fault } => {
                self.proposed(header)?;
                self.breaks(&header.header, fault)?;
                let BlockHeader { producer, epoch, view, .. } = header.header;
                Ok(offence((producer, epoch, view), 5))
            }
            Evidence::Audit { header, fault, vote } => {
                let hash = id(&header.header.clone().into());
                let same =
                    (vote.vote.epoch, vote.vote.view) == (header.header.epoch, header.header.view);
                hold(
                    same && vote.vote.subject == Subject::Notarize(hash),
                    "the vote is for another block",
                )?;
                hold(header.header.chain_id == self.chain_id, "the block is of another network")?;
                self.voted(vote)?;
                self.breaks(&header.header, fault)?;
                Ok(offence((vote.signer, vote.vote.epoch, vote.vote.view), 6))
            }
        }
    }

    fn proposed(&self, signed: &SignedHeader) -> Result<(), String> {
        hold(signed.header.chain_id == self.chain_id, "the proposal is of another network")?;
        let key = (self.key_of)(signed.header.producer).ok_or("the accused is not registered")?;
        let message = proposal_message(&signed.header);
        let is_by = self.signatures.holds(&key, &message, &signed.signature);
        hold(is_by, "the accused did not sign the proposal")
    }

    fn voted(&self, signed: &SignedVote) -> Result<(), String> {
        let key = (self.key_of)(signed.signer).ok_or("the accused is not registered")?;
        let message = vote_message(&self.chain_id, &signed.vote);
        let is_by = self.signatures.holds(&key, &message, &signed.signature);
        hold(is_by, "the accused did not sign the vote")
    }

    fn breaks(&self, header: &BlockHeader, fault: &Fault) -> Result<(), String> {
        let is_broken = match fault {
            Fault::Header => header.view <= header.parent_view,
            Fault::Parent(parent) => {
                hold(
                    id(&parent.clone().into()) == header.parent,
                    "another block is shown as parent",
                )?;
                let is_first = header.parent_view == 0;
                let epoch = if is_first { parent.epoch.checked_add(1) } else { Some(parent.epoch) };
                epoch != Some(header.epoch)
                    || (!is_first && parent.view != header.parent_view)
                    || parent.height.checked_add(1) != Some(header.height)
                    || header.timestamp <= parent.timestamp
            }
            Fault::Certificate { summary, certificate } => {
                let named = committed(header, summary)?.parent_certificate;
                let shown = id(&Mirror::from(certificate.clone()));
                hold(named == Some(shown), "the block carries another certificate")?;
                let auditors =
                    (self.auditors_of)(header.epoch).ok_or("the committee is forgotten")?;
                let vote = &certificate.vote;
                let certifies = (vote.epoch, vote.view) == (header.epoch, header.parent_view)
                    && vote.subject == Subject::Notarize(header.parent);
                let chain_id = &self.chain_id;
                !certifies
                    || certificate::holds(certificate, &auditors, chain_id, self.signatures)
                        .is_err()
            }
            Fault::ItemBlock(summary) => {
                let inner = item_block(header, summary)?;
                (inner.chain_id, inner.height, inner.producer)
                    != (header.chain_id, header.height, header.producer)
                    || inner.closed_at > header.timestamp
            }
            Fault::Item { summary, place, records, tree } => {
                let count = usize::try_from(*records).map_err(|_| "too many records")?;
                let item = level_root(1, count, tree);
                stands(&item_block(header, summary)?, place, &item)?;
                !(1..=10).contains(records)
            }
            Fault::Booking { summary, booking } => {
                placed(&item_block(header, summary)?, booking)?;
                let booking = &booking.booking;
                let is_inline = matches!(booking.content, ContentRef::Inline(_));
                let id = record_id(&booking.owner, &booking.metadata, &booking.content);
                let message = owner_message(&header.chain_id, &id);
                let signature = &booking.owner_signature;
                booking.metadata.created > header.timestamp.saturating_add(120_000)
                    || (is_inline && booking.metadata.size > 102_400)
                    || !self.signatures.is_sound(&booking.owner)
                    || !self.signatures.holds(&booking.owner, &message, signature)
            }
            Fault::Repeated { summary, first, second } => {
                let inner = item_block(header, summary)?;
                placed(&inner, first)?;
                placed(&inner, second)?;
                let at = |one: &PlacedBooking| (one.item.index, one.record.index);
                let id = |one: &PlacedBooking| {
                    record_id(&one.booking.owner, &one.booking.metadata, &one.booking.content)
                };
                at(first) != at(second) && id(first) == id(second)
            }
        };
        hold(is_broken, "the block keeps the rule that it is said to break")
    }
}

fn offence((institution, epoch, view): (u32, u32, u64), kind: u8) -> Offence {
    Offence { institution, epoch, view, kind }
}

fn committed<'a>(header: &BlockHeader, summary: &'a Summary) -> Result<&'a Summary, String> {
    let shown = id(&Mirror::from(summary.clone()));
    hold(shown == header.payload, "the block commits to another payload")?;
    Ok(summary)
}

fn item_block(header: &BlockHeader, summary: &Summary) -> Result<ItemBlockHeader, String> {
    let inner = committed(header, summary)?.item_block.clone();
    inner.ok_or_else(|| "the block carries no Item block".to_owned())
}

fn stands(inner: &ItemBlockHeader, place: &ItemPlace, item: &Bytes32) -> Result<(), String> {
    let (index, size) = (usize::from(place.index), usize::from(place.size));
    let tree = climb(item, index, size, &place.path).ok_or("the Item's path leads nowhere")?;
    hold(level_root(2, size, &tree) == inner.root, "the Item stands in another block")
}

fn placed(inner: &ItemBlockHeader, booking: &PlacedBooking) -> Result<(), String> {
    let (index, size) = (usize::from(booking.record.index), usize::from(booking.record.size));
    let leaf = Mirror::from(booking.booking.clone()).encode();
    let tree =
        climb(&leaf, index, size, &booking.record.path).ok_or("the record's path leads nowhere")?;
    stands(inner, &booking.item, &level_root(1, size, &tree))
}
