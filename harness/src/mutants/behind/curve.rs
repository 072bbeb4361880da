//! Wrong signatures. [STO-2]

use curve25519_dalek::Scalar;
use curve25519_dalek::constants::ED25519_BASEPOINT_POINT;
use curve25519_dalek::traits::IsIdentity as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha512};

use super::{Wrong, reject, rejection_of};
use crate::conformance::class::Class;
use crate::conformance::reference::{self, Answer};
use crate::conformance::value::{Field, FieldError, bytes};
use crate::rules::ed25519::{challenge, expand, holds, is_sound, joined, point, public};
use crate::rules::ids;
use crate::rules::mirror::Envelope;
use crate::rules::wire::{Mirror, WireKind, decode};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Bug {
    None,
    Cofactorless,
    BatchCofactorless,
    BatchFirst,
    BatchEmpty,
    LargeS,
    CanonicalOnly,
    SmallOrderR,
    SmallOrderKey,
    Prehashed,
    NonceFixed,
}

pub(super) const MUTANTS: &[(&str, Wrong)] = &[
    ("ed25519-cofactorless", |op, args| Bug::Cofactorless.answer(op, args)),
    ("ed25519-batch-cofactorless", |op, args| Bug::BatchCofactorless.answer(op, args)),
    ("ed25519-batch-first", |op, args| Bug::BatchFirst.answer(op, args)),
    ("ed25519-batch-empty", |op, args| Bug::BatchEmpty.answer(op, args)),
    ("ed25519-large-s", |op, args| Bug::LargeS.answer(op, args)),
    ("ed25519-canonical-only", |op, args| Bug::CanonicalOnly.answer(op, args)),
    ("ed25519-small-order-r", |op, args| Bug::SmallOrderR.answer(op, args)),
    ("ed25519-small-order-key", |op, args| Bug::SmallOrderKey.answer(op, args)),
    ("ed25519-prehashed", |op, args| Bug::Prehashed.answer(op, args)),
    ("ed25519-nonce-fixed", |op, args| Bug::NonceFixed.answer(op, args)),
    ("envelope-untagged", |op, args| signed(op, args, |message| message[5..].to_vec())),
    ("envelope-unchained", |op, args| {
        signed(op, args, |message| [&message[..5], &message[37..]].concat())
    }),
    ("envelope-signature-unchecked", |op, args| {
        let (Class::Signature, _) = rejection_of("envelope.check", op, args)? else { return None };
        Some(taken(&envelope(args)?))
    }),
    ("envelope-key-unchecked", |op, args| {
        let (Class::Key, _) = rejection_of("envelope.check", op, args)? else { return None };
        let (envelope, message) = (envelope(args)?, message(args)?);
        let is_by = holds(&envelope.record.owner, &message, &envelope.owner_signature);
        is_by.then(|| taken(&envelope))
    }),
];

/// Refuses an envelope whose signature is not over these bytes.
fn signed(op: &str, args: &Value, change: fn(&[u8]) -> Vec<u8>) -> Option<Answer> {
    if op != "envelope.check" {
        return None;
    }
    match reference::answer(op, args) {
        Answer::Ok(_) | Answer::Reject { class: Class::Signature, .. } => {}
        _ => return None,
    }
    let (envelope, message) = (envelope(args)?, message(args)?);
    let is_by = holds(&envelope.record.owner, &change(&message), &envelope.owner_signature);
    Some(if is_by { taken(&envelope) } else { reject(Class::Signature) })
}

fn envelope(args: &Value) -> Option<Envelope> {
    let bytes = Field::whole("args", args).get("envelope").ok()?.bytes().ok()?;
    match decode(WireKind::Envelope, &bytes).ok()? {
        Mirror::Envelope(envelope) => Some(envelope),
        _ => None,
    }
}

fn id(envelope: &Envelope) -> [u8; 32] {
    let record = &envelope.record;
    ids::record_id(&record.owner, &record.metadata, &ids::content_ref(&record.content))
}

fn message(args: &Value) -> Option<Vec<u8>> {
    let chain = Field::whole("args", args).get("chain_id").ok()?.array().ok()?;
    Some(ids::owner_message(&chain, &id(&envelope(args)?)))
}

fn taken(envelope: &Envelope) -> Answer {
    Answer::Ok(json!({"record_id": bytes(id(envelope))}))
}

/// A signature and what it is under.
struct Statement {
    key: [u8; 32],
    message: Vec<u8>,
    signature: [u8; 64],
}

impl Statement {
    fn of(field: &Field<'_>) -> Result<Self, FieldError> {
        Ok(Self {
            key: field.get("key")?.array()?,
            message: field.get("message")?.bytes()?,
            signature: field.get("signature")?.array()?,
        })
    }
}

impl Bug {
    pub(super) fn answer(self, op: &str, args: &Value) -> Option<Answer> {
        self.call(op, &Field::whole("args", args)).ok().flatten()
    }

    fn call(self, op: &str, field: &Field<'_>) -> Result<Option<Answer>, FieldError> {
        let told = |judged: Result<(), Class>| match judged {
            Ok(()) => Answer::Ok(json!({})),
            Err(class) => reject(class),
        };
        Ok(Some(match op {
            "ed25519.sign" => {
                let (seed, message) = (field.get("seed")?.array()?, field.get("message")?.bytes()?);
                let signature = self.sign(&seed, &self.message(&message));
                Answer::Ok(json!({"key": bytes(public(&seed)), "signature": bytes(signature)}))
            }
            "ed25519.verify" => {
                let one = Statement::of(field)?;
                told(self.key(&one).and_then(|()| self.verify(&one, false)))
            }
            "ed25519.verify_batch" => {
                let items = field.get("items")?.each(Statement::of)?;
                if items.is_empty() && self == Self::BatchEmpty {
                    return Ok(Some(reject(Class::Signature)));
                }
                let checked = if self == Self::BatchFirst { 1 } else { items.len() };
                let keys = items.iter().try_for_each(|one| self.key(one));
                let all =
                    |()| items.iter().take(checked).try_for_each(|one| self.verify(one, true));
                told(keys.and_then(all))
            }
            _ => return Ok(None),
        }))
    }

    fn message(self, message: &[u8]) -> Vec<u8> {
        if self == Self::Prehashed { Sha512::digest(message).to_vec() } else { message.to_vec() }
    }

    fn sign(self, seed: &[u8; 32], message: &[u8]) -> [u8; 64] {
        let (secret, prefix) = expand(seed);
        let drawn: &[u8] = if self == Self::NonceFixed { &[] } else { message };
        let nonce: [u8; 64] = Sha512::digest([&prefix, drawn].concat()).into();
        let nonce = Scalar::from_bytes_mod_order_wide(&nonce);
        let r = (ED25519_BASEPOINT_POINT * nonce).compress().to_bytes();
        joined(r, (nonce + challenge(&r, &public(seed), message) * secret).to_bytes())
    }

    fn key(self, one: &Statement) -> Result<(), Class> {
        let is_acceptable = match self {
            Self::SmallOrderKey => point(&one.key).is_some(),
            Self::CanonicalOnly => is_sound(&one.key) && is_canonical(&one.key),
            _ => is_sound(&one.key),
        };
        if is_acceptable { Ok(()) } else { Err(Class::Key) }
    }

    fn verify(self, one: &Statement, is_batch: bool) -> Result<(), Class> {
        let (mut r, mut s) = ([0; 32], [0; 32]);
        r.copy_from_slice(&one.signature[..32]);
        s.copy_from_slice(&one.signature[32..]);
        let (Some(key), Some(point_r)) = (point(&one.key), point(&r)) else {
            return Err(Class::Signature);
        };
        let reduced = Option::<Scalar>::from(Scalar::from_canonical_bytes(s));
        let scalar = match self {
            Self::LargeS => Some(Scalar::from_bytes_mod_order(s)),
            _ => reduced,
        };
        let scalar = scalar.ok_or(Class::Signature)?;
        let is_refused = match self {
            Self::CanonicalOnly => !is_canonical(&r),
            Self::SmallOrderR => point_r.mul_by_cofactor().is_identity(),
            _ => false,
        };
        let k = challenge(&r, &one.key, &self.message(&one.message));
        let left = ED25519_BASEPOINT_POINT * scalar - key * k - point_r;
        let is_exact = self == Self::Cofactorless || is_batch && self == Self::BatchCofactorless;
        let is_zero =
            if is_exact { left.is_identity() } else { left.mul_by_cofactor().is_identity() };
        if is_zero && !is_refused { Ok(()) } else { Err(Class::Signature) }
    }
}

fn is_canonical(bytes: &[u8; 32]) -> bool {
    point(bytes).is_some_and(|point| point.compress().to_bytes() == *bytes)
}
