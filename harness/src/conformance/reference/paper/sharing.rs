//! Re-encryption with keys and ciphertexts that only the reference reads, of set Toy16. [PRE-1] [PRE-3]
//!
//! A private key is its seed; what the proxy gets is the reader's public key, which the printed matrix
//! holds as well, and behind it the re-encryption key.

use mdsm_core::codec::Wire as _;
use mdsm_core::reencryption::{
    Capsule, Message, Offer, PublicKey, ReKey, SecretKey, Set, SpentOffers, Variant, encapsulate,
    generate,
};
use mdsm_core::types::{Digest, KeyId};
use serde_json::json;

use super::super::super::class::Class;
use super::super::super::value::{Field, bytes};
use super::super::sharing::{opened, re_encrypted};
use super::super::{Outcome, Refusal, reject, wire};

/// Bytes of a public key of the set.
const READER_BYTES: usize = 2_054;

fn seed(args: &Field<'_>) -> Result<[u8; 32], Refusal> {
    Ok(args.get("seed")?.array()?)
}

fn private(args: &Field<'_>) -> Result<(SecretKey, PublicKey), Refusal> {
    // Opaque to the harness: bytes of another length are no key of ours, and no fault of the call.
    match args.get("private")?.bytes()?.try_into() {
        Ok(seed) => Ok(generate(Set::Toy16, &seed)),
        Err(other) => {
            let other: Vec<u8> = other;
            reject(Class::Key, format!("a private key has 32 bytes, {} were given", other.len()))
        }
    }
}

pub(crate) fn keys(args: &Field<'_>) -> Outcome {
    let seed = seed(args)?;
    let (_, public) = generate(Set::Toy16, &seed);
    Ok(json!({"public": bytes(public.to_bytes()), "private": bytes(seed)}))
}

pub(crate) fn encrypt(args: &Field<'_>) -> Outcome {
    let public: PublicKey = wire(&args.get("public")?)?;
    let message = Message::new(args.get("message")?.array()?);
    let (capsule, _) = encapsulate(&public, KeyId::new(seed(args)?), &message);
    Ok(json!({"ciphertext": bytes(capsule.to_bytes())}))
}

pub(crate) fn decrypt(args: &Field<'_>) -> Outcome {
    let (secret, public) = private(args)?;
    let capsule: Capsule = wire(&args.get("ciphertext")?)?;
    let message = opened(&secret, &public, &capsule)?;
    Ok(json!({"message": bytes(message.as_bytes())}))
}

pub(crate) fn offer(args: &Field<'_>) -> Outcome {
    let ((secret, _), owner): (_, PublicKey) = (private(args)?, wire(&args.get("public")?)?);
    let offer = Offer::new(&secret, owner.digest(), Variant::Public, &seed(args)?);
    Ok(json!({"offer": bytes(offer.to_bytes())}))
}

pub(crate) fn rekey(args: &Field<'_>) -> Outcome {
    let ((secret, _), reader): (_, PublicKey) = (private(args)?, wire(&args.get("public")?)?);
    let offer: Offer = wire(&args.get("offer")?)?;
    if offer.reader != reader.digest() {
        return reject(Class::Refused, "the offer is of another reader");
    }
    let rekey = offer.accept(&secret, Digest::new(seed(args)?), &mut SpentOffers::default());
    let rekey = rekey.or_else(|error| reject(Class::Refused, error))?;
    Ok(json!({"rekey": bytes([reader.to_bytes(), rekey.to_bytes()].concat())}))
}

pub(crate) fn re_encrypt(args: &Field<'_>) -> Outcome {
    let both = args.get("rekey")?.bytes()?;
    let Some((reader, rekey)) = both.split_at_checked(READER_BYTES) else {
        return reject(Class::Truncated, "less than a reader's key");
    };
    let (reader, rekey) = (PublicKey::from_bytes(reader)?, ReKey::from_bytes(rekey)?);
    let capsule =
        re_encrypted(&rekey, Some(&reader), wire(&args.get("ciphertext")?)?, seed(args)?)?;
    Ok(json!({"ciphertext": bytes(capsule.to_bytes())}))
}
