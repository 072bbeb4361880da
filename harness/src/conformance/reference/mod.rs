//! The reference behind the protocol: every operation of layer L1, by the code of `mdsm-core`.
//!
//! A pure function: equal calls give equal answers, and nothing is remembered between them. An
//! argument of another type than the page gives is a fault of the harness, not a rejection.

mod access;
mod files;
pub mod network;
mod paper;
mod receipts;
mod roster;
mod sharing;
mod signatures;
mod trees;
mod values;
mod windows;

use mdsm_core::codec::{DecodeError, DecodeErrorKind, Wire};
use mdsm_core::types::{Digest, Epoch, InstitutionId, OwnerId};
use serde_json::Value;

use super::class::Class;
use super::value::{Field, FieldError};

/// What the reference says to a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The result.
    Ok(Value),
    /// The input is wrong.
    Reject {
        /// In which way.
        class: Class,
        /// In words.
        detail: String,
    },
    /// The reference cannot be asked that.
    Unsupported(String),
    /// The call is none: an argument is missing or of another type.
    Malformed(String),
}

/// Every operation, in the order of the page.
pub const OPS: &[&str] = &[
    "decode",
    "merkle.root",
    "merkle.level",
    "merkle.path",
    "merkle.verify",
    "ed25519.sign",
    "ed25519.verify",
    "ed25519.verify_batch",
    "envelope.check",
    "certificate.check",
    "evidence.judge",
    "receipt.verify",
    "anchor.read",
    "windows",
    "roster",
    "access",
    "file.seal",
    "file.open",
    "pre.key_gen",
    "pre.encaps",
    "pre.decaps",
    "pre.offer",
    "pre.accept",
    "pre.re_encrypt",
    "delivery.sign",
    "delivery.check",
    "paper.rank",
    "paper.admit",
    "paper.items",
    "paper.window",
    "paper.prove",
    "paper.verify",
    "paper.minutes",
    "paper.credit",
    "paper.replace",
    "paper.pre.keys",
    "paper.pre.encrypt",
    "paper.pre.decrypt",
    "paper.pre.offer",
    "paper.pre.rekey",
    "paper.pre.re_encrypt",
];

/// Answers a call.
#[must_use]
pub fn answer(op: &str, args: &Value) -> Answer {
    match call(op, &Field::whole("args", args)) {
        Ok(result) => Answer::Ok(result),
        Err(Refusal::Reject(class, detail)) => Answer::Reject { class, detail },
        Err(Refusal::Unsupported(why)) => Answer::Unsupported(why),
        Err(Refusal::Malformed(error)) => Answer::Malformed(error.to_string()),
    }
}

fn call(op: &str, args: &Field<'_>) -> Outcome {
    match op {
        "decode" => values::decode(args),
        "merkle.root" => trees::root(args),
        "merkle.level" => trees::level(args),
        "merkle.path" => trees::path(args),
        "merkle.verify" => trees::verify(args),
        "ed25519.sign" => signatures::sign(args),
        "ed25519.verify" => signatures::verify_one(args),
        "ed25519.verify_batch" => signatures::verify_all(args),
        "envelope.check" => signatures::envelope(args),
        "certificate.check" => signatures::certificate(args),
        "evidence.judge" => signatures::evidence(args),
        "receipt.verify" => receipts::verify(args),
        "anchor.read" => receipts::anchor(args),
        "windows" => windows::windows(args),
        "roster" => roster::roster(args),
        "access" => access::access(args),
        "file.seal" => files::seal_file(args),
        "file.open" => files::open_file(args),
        "pre.key_gen" => sharing::key_gen(args),
        "pre.encaps" => sharing::encaps(args),
        "pre.decaps" => sharing::decaps(args),
        "pre.offer" => sharing::offer(args),
        "pre.accept" => sharing::accept(args),
        "pre.re_encrypt" => sharing::re_encrypt(args),
        "delivery.sign" => sharing::deliver(args),
        "delivery.check" => sharing::check_delivery(args),
        "paper.rank" => paper::rank(args),
        "paper.admit" => paper::admit(args),
        "paper.items" => paper::items(args),
        "paper.window" => paper::window(args),
        "paper.prove" => paper::prove(args),
        "paper.verify" => paper::verify(args),
        "paper.minutes" => paper::minutes(args),
        "paper.credit" => paper::credit(args),
        "paper.replace" => paper::replace(args),
        "paper.pre.keys" => paper::pre_keys(args),
        "paper.pre.encrypt" => paper::pre_encrypt(args),
        "paper.pre.decrypt" => paper::pre_decrypt(args),
        "paper.pre.offer" => paper::pre_offer(args),
        "paper.pre.rekey" => paper::pre_rekey(args),
        "paper.pre.re_encrypt" => paper::pre_re_encrypt(args),
        other => Err(Refusal::Unsupported(format!("no operation is called `{other}`"))),
    }
}

type Outcome = Result<Value, Refusal>;

/// Why there is no result.
enum Refusal {
    Reject(Class, String),
    Unsupported(String),
    Malformed(FieldError),
}

fn reject<T>(class: Class, detail: impl ToString) -> Result<T, Refusal> {
    Err(Refusal::Reject(class, detail.to_string()))
}

impl From<FieldError> for Refusal {
    fn from(error: FieldError) -> Self {
        Self::Malformed(error)
    }
}

impl From<DecodeError> for Refusal {
    fn from(error: DecodeError) -> Self {
        Self::Reject(class_of(&error.kind), error.to_string())
    }
}

fn class_of(kind: &DecodeErrorKind) -> Class {
    match kind {
        DecodeErrorKind::Truncated { .. } => Class::Truncated,
        DecodeErrorKind::Trailing { .. } => Class::Trailing,
        DecodeErrorKind::Tag { .. } => Class::Tag,
        DecodeErrorKind::Version { .. } => Class::Version,
        DecodeErrorKind::Bound(_) => Class::Bound,
        DecodeErrorKind::Variant { .. } => Class::Variant,
        DecodeErrorKind::Order => Class::Order,
        DecodeErrorKind::Rule { .. } => Class::Rule,
    }
}

/// A value in its encoding.
fn wire<T: Wire>(field: &Field<'_>) -> Result<T, Refusal> {
    Ok(T::from_bytes(&field.bytes()?)?)
}

fn digest(field: &Field<'_>) -> Result<Digest, FieldError> {
    field.array().map(Digest::new)
}

fn key(field: &Field<'_>) -> Result<OwnerId, FieldError> {
    field.array().map(OwnerId::new)
}

fn institution(field: &Field<'_>) -> Result<InstitutionId, FieldError> {
    field.integer().map(InstitutionId::new)
}

fn epoch(field: &Field<'_>) -> Result<Epoch, FieldError> {
    field.integer().map(Epoch::new)
}

/// Ids as they are written.
fn ids(institutions: impl IntoIterator<Item = InstitutionId>) -> Value {
    institutions.into_iter().map(|one| Value::from(one.get())).collect()
}
