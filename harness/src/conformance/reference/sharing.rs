//! `pre.*`: re-encryption, every set. [PRE-1] [PRE-2] [PRE-3]
//!
//! The core re-encrypts only what its owner approved and what proxies have signed for. That is asked
//! elsewhere; here one throw-away key stands in for the owner and for the proxies before.

use mdsm_core::codec::{Wire as _, prefix};
use mdsm_core::crypto::sign::SigningKey;
use mdsm_core::crypto::{Identified as _, sha256};
use mdsm_core::reencryption::{
    AdmitError, Admitted, Approval, Capsule, Delivery, Message, Offer, ProxySecret, PublicKey,
    ReKey, SecretKey, Set, SpentOffers, Variant, WarmKey, approve, bare, encapsulate, generate,
};
use mdsm_core::types::{Digest, KeyId};
use serde_json::json;

use super::super::class::Class;
use super::super::value::{Field, bytes};
use super::{Outcome, Refusal, digest, key, reject, wire};

fn pair(args: &Field<'_>) -> Result<(SecretKey, PublicKey), Refusal> {
    let number: i64 = args.get("set")?.integer()?;
    let seed = args.get("seed")?.array()?;
    let Some(set) = Set::ALL.iter().find(|set| i64::from(**set as u8) == number) else {
        return reject(Class::Bound, format!("set {number} does not exist"));
    };
    Ok(generate(*set, &seed))
}

pub(super) fn key_gen(args: &Field<'_>) -> Outcome {
    let (_, public) = pair(args)?;
    Ok(json!({"public_key": bytes(public.to_bytes())}))
}

pub(super) fn encaps(args: &Field<'_>) -> Outcome {
    let public: PublicKey = wire(&args.get("public_key")?)?;
    let key_id = KeyId::new(args.get("key_id")?.array()?);
    let message = Message::new(args.get("message")?.array()?);
    let (capsule, _) = encapsulate(&public, key_id, &message);
    let digest = sha256(bare::content_key(key_id, &message).as_bytes());
    Ok(json!({"capsule": bytes(capsule.to_bytes()), "digest": bytes(digest.as_bytes())}))
}

pub(super) fn decaps(args: &Field<'_>) -> Outcome {
    let (secret, public) = pair(args)?;
    let message = opened(&secret, &public, &wire(&args.get("capsule")?)?)?;
    Ok(json!({"message": bytes(message.as_bytes())}))
}

/// What a capsule holds. A fresh one is made again and compared; of one that has made hops only the
/// owner's original could say whether it is sound.
pub(super) fn opened(
    secret: &SecretKey,
    public: &PublicKey,
    capsule: &Capsule,
) -> Result<Message, Refusal> {
    if capsule.set() != secret.set() {
        return reject(Class::Authentication, "the key is of another set than the capsule");
    }
    if capsule.hop() == 0 {
        approve((secret, public), capsule, &stand_in())
            .or_else(|error| reject(Class::Authentication, error))?;
    }
    Ok(bare::decrypt(secret, capsule))
}

pub(super) fn offer(args: &Field<'_>) -> Outcome {
    let (secret, _) = pair(args)?;
    let (owner, coins) = (digest(&args.get("owner")?)?, args.get("coins")?.array()?);
    let variant = match args.get("variant")?.integer::<i64>()? {
        0 => Variant::Public,
        1 => Variant::KeyPrivate,
        other => return reject(Class::Bound, format!("variant {other}, there are 0 and 1")),
    };
    let offer = Offer::new(&secret, owner, variant, &coins);
    Ok(json!({"offer": bytes(offer.to_bytes())}))
}

pub(super) fn accept(args: &Field<'_>) -> Outcome {
    let (secret, _) = pair(args)?;
    let (offer, grant): (Offer, _) = (wire(&args.get("offer")?)?, digest(&args.get("grant")?)?);
    let rekey = offer.accept(&secret, grant, &mut SpentOffers::default());
    let rekey = rekey.or_else(|error| reject(Class::Refused, error))?;
    Ok(json!({"rekey": bytes(rekey.to_bytes())}))
}

pub(super) fn re_encrypt(args: &Field<'_>) -> Outcome {
    let (rekey, capsule): (ReKey, _) = (wire(&args.get("rekey")?)?, wire(&args.get("capsule")?)?);
    let reader = args.find("reader")?.map(|reader| wire::<PublicKey>(&reader)).transpose()?;
    let secret = args.get("secret")?.array()?;
    let capsule = re_encrypted(&rekey, reader.as_ref(), capsule, secret)?;
    Ok(json!({"capsule": bytes(capsule.to_bytes())}))
}

pub(super) fn re_encrypted(
    rekey: &ReKey,
    reader: Option<&PublicKey>,
    capsule: Capsule,
    secret: [u8; 32],
) -> Result<Capsule, Refusal> {
    let warm = WarmKey::cold(rekey, reader).or_else(|error| reject(Class::Refused, error))?;
    let admitted = admitted(capsule).or_else(|error| reject(Class::Refused, error))?;
    warm.reencrypt(&ProxySecret::new(secret), &admitted)
        .or_else(|error| reject(Class::Refused, error))
}

/// What came out is signed as it is; what went in is taken as approved.
pub(super) fn deliver(args: &Field<'_>) -> Outcome {
    let (seed, grant) = (args.get("seed")?.array()?, digest(&args.get("grant")?)?);
    let (before, capsule): (Capsule, _) =
        (wire(&args.get("before")?)?, wire(&args.get("capsule")?)?);
    let before = admitted(before).or_else(|error| reject(Class::Refused, error))?;
    let delivery = Delivery::sign(grant, &before, capsule, &SigningKey::from_seed(&seed));
    Ok(json!({"delivery": bytes(delivery.to_bytes())}))
}

pub(super) fn check_delivery(args: &Field<'_>) -> Outcome {
    let (proxy, grant) = (key(&args.get("proxy")?)?, digest(&args.get("grant")?)?);
    let (reader, before) = (digest(&args.get("reader")?)?, wire(&args.get("before")?)?);
    let delivery: Delivery = wire(&args.get("delivery")?)?;
    let before = admitted(before).or_else(|error| reject(Class::Refused, error))?;
    let checked = delivery.check(&proxy, [grant, reader], &before);
    checked.or_else(|error| match error {
        AdmitError::Signature { .. } => reject(Class::Signature, error),
        _ => reject(Class::Refused, error),
    })?;
    Ok(json!({}))
}

fn stand_in() -> SigningKey {
    SigningKey::from_seed(&[0x0f; 32])
}

/// Has the capsule approved, and each of its hops signed for.
fn admitted(capsule: Capsule) -> Result<Admitted, AdmitError> {
    let (signing, lattice_key) = (stand_in(), capsule.owner);
    let (signer, grant) = (signing.owner(), Digest::new([0; 32]));
    let earlier = |hop: u8, holder: Digest| {
        let words = capsule.words().to_vec();
        Capsule::new(capsule.set(), hop, capsule.key_id, [capsule.owner, holder], words)
            .expect("a capsule with fewer hops than one that was decoded")
    };
    let original = match capsule.hop() {
        0 => capsule.clone(),
        _ => earlier(0, lattice_key),
    };
    let statement =
        [&prefix(*b"MAPM")[..], original.id().as_bytes(), lattice_key.as_bytes()].concat();
    let approval = Approval {
        capsule: original.id(),
        key: lattice_key,
        owner: signer,
        signature: signing.sign(&statement),
    };
    let mut before = approval.check(&signer, lattice_key)?.admit(original)?;
    for hop in 1..=capsule.hop() {
        let next =
            if hop == capsule.hop() { capsule.clone() } else { earlier(hop, capsule.holder) };
        let delivery = Delivery::sign(grant, &before, next, &signing);
        before = delivery.check(&signer, [grant, capsule.holder], &before)?;
    }
    Ok(before)
}
