//! Parcels that were changed on their way, by strangers and by their own sender. [PRE-3]
//!
//! Input: the first byte chooses. Even: the rest is a parcel. Odd: steps of five bytes that change an
//! honest one; in half of these its sender signs the outcome, so that the seal alone stands.
//!
//! Claims: an honest parcel opens, for its purpose, its sender and its receiver; nothing else does.

use std::sync::LazyLock;

use mdsm_core::codec::Wire as _;
use mdsm_core::crypto::sign::SigningKey;
use mdsm_core::reencryption::{
    Offer, Parcel, ParcelError, ParcelKey, Purpose, ReKey, Set, SpentOffers, Variant, generate,
};
use mdsm_core::types::Digest;

use super::{Verdict, claim};
use crate::rules::merkle::sha256;
use crate::rules::mirror;
use crate::rules::wire::{self, Mirror, WireKind};

struct Post {
    reader: SigningKey,
    owner: SigningKey,
    of_owner: ParcelKey,
    of_proxy: ParcelKey,
    /// An offer from reader to owner, and a key from owner to proxy.
    honest: [Vec<u8>; 2],
}

static POST: LazyLock<Post> = LazyLock::new(|| {
    let (reader, owner) = (SigningKey::from_seed(&[1; 32]), SigningKey::from_seed(&[2; 32]));
    let (of_owner, of_proxy) = (ParcelKey::from_seed(&[3; 32]), ParcelKey::from_seed(&[4; 32]));
    let [pair, other] = [5, 6].map(|seed| generate(Set::Toy16, &[seed; 32]));
    let offer = Offer::new(&other.0, pair.1.digest(), Variant::Public, &[7; 32]);
    let sent = Parcel::seal(Purpose::Offer, &offer, &reader, of_owner.public(), [8; 32]);
    let rekey = offer.accept(&pair.0, Digest::new([9; 32]), &mut SpentOffers::default());
    let rekey = rekey.expect("an offer to this owner");
    let kept = Parcel::seal(Purpose::ReKey, &rekey, &owner, of_proxy.public(), [10; 32]);
    let honest = [sent, kept].map(|parcel| parcel.expect("a small value").to_bytes());
    Post { reader, owner, of_owner, of_proxy, honest }
});

/// The honest parcels, for seeds.
#[must_use]
pub fn honest_parcels() -> Vec<Vec<u8>> {
    POST.honest.to_vec()
}

/// Holds opening to the claims.
pub fn parcel_open(bytes: &[u8]) -> Verdict {
    let post = &*POST;
    let Some((&choice, rest)) = bytes.split_first() else { return Ok(()) };
    if choice % 2 == 0 {
        return opened(post, rest, false);
    }
    let which = usize::from(choice >> 1) % 2;
    let changed = rearranged(&post.honest[which], &post.honest[1 - which], rest);
    if choice & 4 == 0 {
        return opened(post, &changed, false);
    }
    let sender = [&post.reader, &post.owner][which];
    match signed_again(&changed, sender) {
        Some(changed) => opened(post, &changed, true),
        None => opened(post, &changed, false),
    }
}

fn opened(post: &Post, bytes: &[u8], signature_holds: bool) -> Verdict {
    let Ok(parcel) = Parcel::from_bytes(bytes) else { return Ok(()) };
    let offer: Result<Offer, _> = parcel.open(Purpose::Offer, &post.reader.owner(), &post.of_owner);
    let rekey: Result<ReKey, _> = parcel.open(Purpose::ReKey, &post.owner.owner(), &post.of_proxy);
    let found = [offer.is_ok(), rekey.is_ok()];
    let expected = [0, 1].map(|which| post.honest[which] == bytes);
    claim(found == expected, || {
        format!("parcel_open: {found:?} opened, {expected:?} are as they were sent")
    })?;
    // What is addressed rightly and signed by its sender fails for its seal.
    if signature_holds && !expected.contains(&true) {
        let errors = [offer.err(), rekey.err()];
        let sealed = errors
            .iter()
            .flatten()
            .all(|error| matches!(error, ParcelError::Another { .. } | ParcelError::Seal));
        claim(sealed, || format!("parcel_open: {errors:?}, though its sender signed it"))?;
    }
    let crossed: Result<Offer, _> =
        parcel.open(Purpose::ReKey, &post.owner.owner(), &post.of_proxy);
    claim(crossed.is_err(), || "parcel_open: a key is taken for an offer".to_owned())
}

/// The same bytes with a signature of their sender, if they are a parcel.
fn signed_again(bytes: &[u8], sender: &SigningKey) -> Option<Vec<u8>> {
    let Ok(Mirror::Parcel(mut parcel)) = wire::decode(WireKind::Parcel, bytes) else { return None };
    parcel.sender = *sender.owner().as_bytes();
    let mirror::Parcel { purpose, receiver, encapsulated, sealed, .. } = &parcel;
    let content = sha256(&[encapsulated, sealed]);
    let statement = [b"MPCS\x01MPCL\x01", &[*purpose][..], &parcel.sender, receiver, &content];
    parcel.signature = *sender.sign(&statement.concat()).as_bytes();
    Some(Mirror::from(parcel).encode())
}

/// Changes bytes, cuts, lengthens, and takes parts of the other parcel.
fn rearranged(parcel: &[u8], other: &[u8], steps: &[u8]) -> Vec<u8> {
    let mut bytes = parcel.to_vec();
    for step in steps.chunks_exact(5).take(8) {
        let number = |at: usize| usize::from(u16::from_le_bytes([step[at], step[at + 1]]));
        let (at, count) = (number(1) % (bytes.len() + 1), number(3));
        match step[0] % 5 {
            0 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= step[3];
                }
            }
            1 => bytes.truncate(at),
            2 => bytes.push(step[3]),
            3 => {
                let end = bytes.len().min(other.len()).min(at + count);
                if at < end {
                    bytes[at..end].copy_from_slice(&other[at..end]);
                }
            }
            _ => {
                let end = bytes.len().min(at + count % 64);
                bytes[at..end].reverse();
            }
        }
    }
    bytes
}
