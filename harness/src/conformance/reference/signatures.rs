//! `ed25519.*`, `envelope.check`, `certificate.check`, `evidence.judge`. [STO-2] [CON-6] [CON-7]

use mdsm_core::crypto::sign::{
    Ed25519, KeyError, Scheme as _, Signed, SigningKey, check_key, verify,
};
use mdsm_core::ledger::{
    Certificate, CertificateError, Envelope, EnvelopeError, Evidence, EvidenceError, Offence,
    Registry,
};
use mdsm_core::types::{ChainId, Epoch, InstitutionId, OwnerId, Signature};
use serde_json::json;

use super::super::class::Class;
use super::super::value::{Field, bytes, decimal};
use super::{Outcome, Refusal, epoch, ids, institution, key, reject, wire};

pub(super) fn sign(args: &Field<'_>) -> Outcome {
    let secret = SigningKey::from_seed(&args.get("seed")?.array()?);
    let signature = secret.sign(&args.get("message")?.bytes()?);
    let (key, signature) = (bytes(secret.owner().as_bytes()), bytes(signature.as_bytes()));
    Ok(json!({"key": key, "signature": signature}))
}

/// A signature and what it is under.
struct Statement {
    key: OwnerId,
    message: Vec<u8>,
    signature: Signature,
}

fn statement(field: &Field<'_>) -> Result<Statement, Refusal> {
    Ok(Statement {
        key: key(&field.get("key")?)?,
        message: field.get("message")?.bytes()?,
        signature: Signature::new(field.get("signature")?.array()?),
    })
}

/// Keys that may not own records may not sign either.
fn acceptable(key: &OwnerId) -> Result<(), Refusal> {
    check_key(key).or_else(|error: KeyError| reject(Class::Key, error))
}

pub(super) fn verify_one(args: &Field<'_>) -> Outcome {
    let Statement { key, message, signature } = statement(args)?;
    acceptable(&key)?;
    verify(&key, &message, &signature).or_else(|error| reject(Class::Signature, error))?;
    Ok(json!({}))
}

pub(super) fn verify_all(args: &Field<'_>) -> Outcome {
    let items = args.get("items")?.each(statement)?;
    items.iter().try_for_each(|item| acceptable(&item.key))?;
    let signed: Vec<Signed<'_>> = items
        .iter()
        .map(|Statement { key, message, signature }| Signed { key, message, signature })
        .collect();
    if !Ed25519.all_hold(&signed) {
        return reject(Class::Signature, "one of them does not hold");
    }
    Ok(json!({}))
}

pub(super) fn chain_id(args: &Field<'_>) -> Result<ChainId, Refusal> {
    Ok(ChainId::new(args.get("chain_id")?.array()?))
}

pub(super) fn envelope(args: &Field<'_>) -> Outcome {
    let (chain, envelope): (_, Envelope) = (chain_id(args)?, wire(&args.get("envelope")?)?);
    let id = envelope.check(&chain).or_else(unsound)?;
    Ok(json!({"record_id": bytes(id.as_bytes())}))
}

pub(super) fn unsound<T>(error: EnvelopeError) -> Result<T, Refusal> {
    let class = match error {
        EnvelopeError::Owner(_) => Class::Key,
        EnvelopeError::Signature(_) => Class::Signature,
    };
    reject(class, error)
}

/// Institutions and their keys, in the order of their seats.
fn seats(field: &Field<'_>) -> Result<Vec<(InstitutionId, OwnerId)>, Refusal> {
    field.each(|seat| Ok((institution(&seat.get("institution")?)?, key(&seat.get("key")?)?)))
}

pub(super) fn certificate(args: &Field<'_>) -> Outcome {
    let (chain, seats) = (chain_id(args)?, seats(&args.get("seats")?)?);
    let certificate: Certificate = wire(&args.get("certificate")?)?;
    let (electorate, keys): (Vec<_>, Vec<_>) = seats.into_iter().unzip();
    certificate.check(&chain, &keys, &Ed25519).or_else(|error| {
        let class = match error {
            CertificateError::Bitmap { .. } | CertificateError::Padding { .. } => Class::Outsider,
            CertificateError::Count { .. } | CertificateError::AnchorView { .. } => Class::Rule,
            CertificateError::Quorum { .. } => Class::Quorum,
            CertificateError::Signature => Class::Signature,
        };
        reject(class, error)
    })?;
    let signers = certificate.signers_of(&electorate).map(|(signer, _)| signer);
    Ok(json!({"signers": ids(signers)}))
}

/// The committees of one epoch.
struct Seats {
    chain: ChainId,
    epoch: Epoch,
    producers: Vec<(InstitutionId, OwnerId)>,
    auditors: Vec<(InstitutionId, OwnerId)>,
}

impl Registry for Seats {
    fn chain_id(&self) -> ChainId {
        self.chain
    }

    fn key_of(&self, institution: InstitutionId) -> Option<OwnerId> {
        let mut all = self.producers.iter().chain(&self.auditors);
        all.find(|(id, _)| *id == institution).map(|(_, key)| *key)
    }

    fn auditors_of(&self, epoch: Epoch) -> Option<Vec<OwnerId>> {
        let keys = || self.auditors.iter().map(|(_, key)| *key).collect();
        (epoch == self.epoch).then(keys)
    }
}

pub(super) fn evidence(args: &Field<'_>) -> Outcome {
    let registry = Seats {
        chain: chain_id(args)?,
        epoch: epoch(&args.get("epoch")?)?,
        producers: seats(&args.get("producers")?)?,
        auditors: seats(&args.get("auditors")?)?,
    };
    // Who led is no part of any proof; the argument is there for those who hold it to be.
    args.get("offset")?.decimal::<u64>()?;
    let evidence: Evidence = wire(&args.get("evidence")?)?;
    let offence = evidence.check(&registry, &Ed25519).or_else(|error| {
        let class = match error {
            EvidenceError::Unknown { .. } => Class::Outsider,
            EvidenceError::Signature { .. } => Class::Signature,
            EvidenceError::NoConflict
            | EvidenceError::ChainId
            | EvidenceError::OtherBlock
            | EvidenceError::Fault(_) => Class::Unproven,
        };
        reject(class, error)
    })?;
    let Offence { institution, epoch, view, kind } = offence;
    Ok(json!({
        "institution": institution.get(),
        "epoch": epoch.get(),
        "view": decimal(view.get()),
        "kind": kind as u8,
    }))
}
