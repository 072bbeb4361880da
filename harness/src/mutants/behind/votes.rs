//! Wrong certificates. [CON-7]

use serde_json::{Value, json};

use super::{Wrong, reject};
use crate::conformance::class::Class;
use crate::conformance::reference::Answer;
use crate::conformance::value::{Field, FieldError};
use crate::rules::agreement::{Certificate, vote_message};
use crate::rules::ed25519::holds;
use crate::rules::ledger::{faulty, quorum};
use crate::rules::wire::{Mirror, WireKind, decode};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Bug {
    None,
    OneLess,
    TwoThirds,
    All,
    Padded,
    LongBitmap,
    BitsTurned,
    MoreSignatures,
    FewerSignatures,
    FirstSignature,
    LastSignature,
    Unchained,
}

pub(super) const MUTANTS: &[(&str, Wrong)] = &[
    ("certificate-one-less", |op, args| Bug::OneLess.answer(op, args)),
    ("certificate-two-thirds", |op, args| Bug::TwoThirds.answer(op, args)),
    ("certificate-all", |op, args| Bug::All.answer(op, args)),
    ("certificate-padded", |op, args| Bug::Padded.answer(op, args)),
    ("certificate-long-bitmap", |op, args| Bug::LongBitmap.answer(op, args)),
    ("certificate-bits-turned", |op, args| Bug::BitsTurned.answer(op, args)),
    ("certificate-more-signatures", |op, args| Bug::MoreSignatures.answer(op, args)),
    ("certificate-fewer-signatures", |op, args| Bug::FewerSignatures.answer(op, args)),
    ("certificate-first-signature", |op, args| Bug::FirstSignature.answer(op, args)),
    ("certificate-last-signature", |op, args| Bug::LastSignature.answer(op, args)),
    ("certificate-unchained", |op, args| Bug::Unchained.answer(op, args)),
];

impl Bug {
    pub(super) fn answer(self, op: &str, args: &Value) -> Option<Answer> {
        if op != "certificate.check" {
            return None;
        }
        let field = Field::whole("args", args);
        let bytes = field.get("certificate").ok()?.bytes().ok()?;
        // What does not decode is the reference's to name.
        let Mirror::Certificate(certificate) = decode(WireKind::Certificate, &bytes).ok()? else {
            return None;
        };
        let chain = field.get("chain_id").ok()?.array().ok()?;
        let seats = field.get("seats").ok()?.each(|seat| {
            let id: u32 = seat.get("institution")?.integer()?;
            Ok::<_, FieldError>((id, seat.get("key")?.array()?))
        });
        Some(match self.check(&certificate, &chain, &seats.ok()?) {
            Ok(signers) => Answer::Ok(json!({"signers": signers})),
            Err(class) => reject(class),
        })
    }

    fn check(
        self,
        certificate: &Certificate,
        chain: &[u8; 32],
        seats: &[(u32, [u8; 32])],
    ) -> Result<Vec<u32>, Class> {
        let map = &certificate.signers;
        let (whole, is_long) = (seats.len().div_ceil(8), self == Self::LongBitmap);
        if map.len() < whole || map.len() > whole && !is_long {
            return Err(Class::Outsider);
        }
        let mut signers = Vec::new();
        for place in 0..8 * map.len() {
            let bit = if self == Self::BitsTurned { 7 - place % 8 } else { place % 8 };
            if map[place / 8] >> bit & 1 == 0 {
                continue;
            }
            match seats.get(place) {
                Some(seat) => signers.push(*seat),
                None if self == Self::Padded && place < 8 * whole => {}
                None => return Err(Class::Outsider),
            }
        }
        let given = &certificate.signatures;
        let is_count = match self {
            Self::MoreSignatures => given.len() >= signers.len(),
            Self::FewerSignatures => given.len() <= signers.len(),
            _ => given.len() == signers.len(),
        };
        if !is_count {
            return Err(Class::Rule);
        }
        if signers.len() < self.needed(seats.len()) {
            return Err(Class::Quorum);
        }
        let mut message = vote_message(chain, &certificate.vote);
        if self == Self::Unchained {
            message.drain(5..37);
        }
        let checked = match self {
            Self::FirstSignature => 1,
            Self::LastSignature => given.len().saturating_sub(1),
            _ => given.len(),
        };
        let mut pairs = signers.iter().zip(given).take(checked);
        if !pairs.all(|((_, key), signature)| holds(key, &message, signature)) {
            return Err(Class::Signature);
        }
        Ok(signers.into_iter().map(|(id, _)| id).collect())
    }

    fn needed(self, seats: usize) -> usize {
        match self {
            Self::OneLess => quorum(seats).saturating_sub(1),
            Self::TwoThirds => 2 * faulty(seats) + 1,
            Self::All => seats,
            _ => quorum(seats),
        }
    }
}
