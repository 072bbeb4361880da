//! Two decoders, one answer: the reference and borsh with bounds. [STO-1] [PRE-1]
//!
//! Claims: both accept or both refuse; what was accepted encodes to the very bytes it came from, in
//! both, with equal ids and roots; a refusal names a field of the value and a byte of the input.

use mdsm_core::access::{Act, KeyRecord};
use mdsm_core::codec::{DecodeErrorKind, Wire};
use mdsm_core::consensus::JournalEntry;
use mdsm_core::crypto::Identified;
use mdsm_core::ledger;
use mdsm_core::node::{Decision, Message};
use mdsm_core::reencryption::{
    Approval, Approvals, Capsule, Delivery, Offer, Parcel, ParcelPublicKey, PublicKey, ReKey,
    SpentOffers,
};
use mdsm_core::roster::RosterCommitment;
use mdsm_core::types::Digest;

use super::{Verdict, claim};
use crate::rules::ids::derived;
use crate::rules::mirror::Bytes32;
use crate::rules::wire::{self, WireKind};

/// What a decoder made of some bytes.
pub type Answer = Result<Accepted, Refused>;

/// A value, by what can be seen of it from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Its encoding.
    pub bytes: Vec<u8>,
    /// Its digests, named and ordered as in [`derived`].
    pub digests: Vec<(&'static str, Bytes32)>,
}

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Path of the field.
    pub field: String,
    /// Byte of the fault.
    pub offset: usize,
    /// The kind of fault.
    pub kind: DecodeErrorKind,
}

/// Holds the reference to the rules on these bytes.
pub fn decode(kind: WireKind, bytes: &[u8]) -> Verdict {
    judge(kind, bytes, &reference(kind, bytes))
}

/// Holds the answer of any decoder to the rules.
pub fn judge(kind: WireKind, bytes: &[u8], answer: &Answer) -> Verdict {
    match (answer, wire::decode(kind, bytes)) {
        (Ok(accepted), Ok(mirror)) => {
            claim(accepted.bytes == bytes, || {
                format!("{kind}: accepted, yet encodes to other bytes")
            })?;
            claim(mirror.encode() == bytes, || {
                format!("{kind}: the rules accept and encode to other bytes")
            })?;
            let expected = derived(&mirror);
            claim(accepted.digests == expected, || {
                format!(
                    "{kind}: digests {:02x?} where the spec has {expected:02x?}",
                    accepted.digests
                )
            })
        }
        (Err(refused), Err(_)) => {
            let names_value = refused.field.split(['.', '[']).next() == Some(kind.name());
            claim(names_value, || {
                format!("{kind}: a refusal names the field `{}`", refused.field)
            })?;
            claim(refused.offset <= bytes.len(), || {
                format!("{kind}: byte {} of {} is named", refused.offset, bytes.len())
            })?;
            claim(!refused.kind.to_string().is_empty(), || {
                format!("{kind}: a refusal without words")
            })
        }
        (Ok(_), Err(why)) => Err(format!("{kind}: accepted, but the rules refuse: {why}")),
        (Err(Refused { field, offset, kind: fault }), Ok(_)) => {
            Err(format!("{kind}: refused at {field}, byte {offset}: {fault}; the rules accept"))
        }
    }
}

/// What the reference makes of the bytes.
pub fn reference(kind: WireKind, bytes: &[u8]) -> Answer {
    match kind {
        WireKind::Genesis => {
            answer(bytes, |v: &ledger::Genesis| vec![("chain id", *v.chain_id().as_bytes())])
        }
        WireKind::Record => {
            answer(bytes, |v: &ledger::Record| vec![("record id", *v.id().as_bytes())])
        }
        WireKind::Envelope => answer(bytes, |v: &ledger::Envelope| {
            vec![("id of the booking", *v.booking().id().as_bytes())]
        }),
        WireKind::Booking => answer(bytes, |v: &ledger::Booking| {
            vec![("record id", *v.record_id().as_bytes()), ("leaf", *v.leaf_hash().as_bytes())]
        }),
        WireKind::Item => {
            answer(bytes, |v: &ledger::Item| vec![("level root", *v.root().as_bytes())])
        }
        WireKind::ItemBlock => {
            answer(bytes, |v: &ledger::ItemBlock| vec![("level root", *v.root().as_bytes())])
        }
        WireKind::Payload => {
            answer(bytes, |v: &ledger::Payload| vec![("commitment", *v.commitment().as_bytes())])
        }
        WireKind::BlockHeader => answer(bytes, |_: &ledger::BlockHeader| vec![]),
        WireKind::Block => answer(bytes, |v: &ledger::Block| vec![("hash", *v.hash().as_bytes())]),
        WireKind::DataBlock => {
            answer(bytes, |v: &ledger::DataBlock| vec![("level root", *v.root().as_bytes())])
        }
        WireKind::Window => {
            answer(bytes, |v: &ledger::Window| vec![("level root", *v.root().as_bytes())])
        }
        WireKind::Anchor => {
            answer(bytes, |v: &ledger::Anchor| vec![("anchor root", *v.root().as_bytes())])
        }
        WireKind::Receipt => answer(bytes, |_: &ledger::Receipt| vec![]),
        WireKind::PublicKey => answer(bytes, |v: &PublicKey| named(v.digest())),
        WireKind::Capsule => answer(bytes, |_: &Capsule| vec![]),
        WireKind::Offer => answer(bytes, |_: &Offer| vec![]),
        WireKind::ReKey => answer(bytes, |v: &ReKey| named(v.digest())),
        WireKind::Approval => answer(bytes, |_: &Approval| vec![]),
        WireKind::Delivery => {
            answer(bytes, |v: &Delivery| vec![("id of the capsule", *v.capsule.id().as_bytes())])
        }
        WireKind::SpentOffers => answer(bytes, |_: &SpentOffers| vec![]),
        WireKind::Parcel => answer(bytes, |_: &Parcel| vec![]),
        WireKind::ParcelPublicKey => answer(bytes, |v: &ParcelPublicKey| named(v.digest())),
        WireKind::SignedVote => answer(bytes, |_: &ledger::SignedVote| vec![]),
        WireKind::Certificate => answer(bytes, |_: &ledger::Certificate| vec![]),
        WireKind::Proposal => {
            answer(bytes, |v: &ledger::Proposal| vec![("hash", *v.signed.hash().as_bytes())])
        }
        WireKind::Evidence => answer(bytes, |_: &ledger::Evidence| vec![]),
        WireKind::Events => answer(bytes, |_: &ledger::Events| vec![]),
        WireKind::Summary => answer(bytes, |_: &ledger::Summary| vec![]),
        WireKind::Registration => answer(bytes, |_: &ledger::Registration| vec![]),
        WireKind::Service => answer(bytes, |_: &ledger::Service| vec![]),
        WireKind::Act => answer(bytes, |_: &Act| vec![]),
        WireKind::Decision => answer(bytes, |_: &Decision| vec![]),
        WireKind::JournalEntry => answer(bytes, |_: &JournalEntry| vec![]),
        WireKind::Message => answer(bytes, |_: &Message| vec![]),
        WireKind::KeyRecord => answer(bytes, |_: &KeyRecord| vec![]),
        WireKind::Approvals => answer(bytes, |_: &Approvals| vec![]),
        WireKind::RosterCommitment => {
            answer(bytes, |v: &RosterCommitment| vec![("committees", *v.digest().as_bytes())])
        }
    }
}

fn named(digest: Digest) -> Vec<(&'static str, Bytes32)> {
    vec![("name", *digest.as_bytes())]
}

fn answer<T: Wire>(
    bytes: &[u8],
    digests: impl FnOnce(&T) -> Vec<(&'static str, Bytes32)>,
) -> Answer {
    match T::from_bytes(bytes) {
        Ok(value) => {
            let mut all = vec![("id", *value.id().as_bytes())];
            all.extend(digests(&value));
            Ok(Accepted { bytes: value.to_bytes(), digests: all })
        }
        Err(error) => Err(Refused { field: error.field(), offset: error.offset, kind: error.kind }),
    }
}
