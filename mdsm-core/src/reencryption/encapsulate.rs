//! Sealing and unsealing the key of a file. [PRE-1]

use ndarray::ArrayView2;
use zeroize::Zeroizing;

use super::capsule::Capsule;
use super::expand::Coins;
use super::kernel::Backend;
use super::keys::{PublicKey, SecretKey, product};
use super::message::Message;
use super::setup::Setup;
use super::wiped::Wiped;
use crate::codec::prefix;
use crate::crypto::seal::ContentKey;
use crate::crypto::sha256_parts;
use crate::types::{Digest, KeyId};

/// Seals a fresh message for the owner of `public`, and gives the key of the file that it stands for.
///
/// The message must be 32 fresh random bytes. Everything else follows from it, so that whoever knows
/// it can make the capsule again.
//= harness/spec/reencryption.md#pre-1-scheme
//# PRE-1.4 (ours): A file MUST be encrypted under a 256-bit key of its own, and only that key enters
//# a capsule.
#[must_use]
pub fn encapsulate(public: &PublicKey, key_id: KeyId, message: &Message) -> (Capsule, ContentKey) {
    let parameters = public.set().parameters();
    let coins = Zeroizing::new(
        *sha256_parts(&[
            &prefix(*b"MENC"),
            &[parameters.set as u8],
            public.digest().as_bytes(),
            key_id.as_bytes(),
            message.as_bytes(),
        ])
        .as_bytes(),
    );
    let coins = Coins::new(&coins);
    let (dimension, columns) = (parameters.dimension, parameters.columns);
    let mut noise = Wiped::zeros(1, dimension);
    parameters.noise.draw(coins.stream(0), noise.entries_mut());
    // c1 = e1 A + e2
    let a = &Setup::of(parameters.set).packed;
    let mut c1 = Wiped::zeros(1, a.stride());
    let backend = Backend::detect();
    backend.add_product(&noise, 0..dimension, a, &mut c1);
    let mut words = Vec::with_capacity(parameters.capsule_words());
    words.extend_from_slice(&c1.entries_mut()[..dimension]);
    parameters.noise.add_to(coins.stream(1), &mut words);
    // c2 = e1 P + e3 + message
    // Without e3 and the message it would give the message away.
    let mut c2 = Wiped::zeros(1, public.matrix.stride());
    backend.add_product(&noise, 0..dimension, &public.matrix, &mut c2);
    words.extend_from_slice(&c2.entries_mut()[..columns]);
    parameters.noise.add_to(coins.stream(2), &mut words[dimension..]);
    message.add_to(parameters, &mut words[dimension..]);
    words.iter_mut().for_each(|word| *word &= parameters.modulus.mask());
    let capsule = Capsule::new(parameters.set, 0, key_id, [public.digest(); 2], words)
        .expect("as many words as a capsule has, reduced");
    (capsule, content_key(key_id, message))
}

/// The key of the file; the same however often the capsule was re-encrypted.
pub(super) fn content_key(key_id: KeyId, message: &Message) -> ContentKey {
    ContentKey::new(*content_key_digest(key_id, message).as_bytes())
}

pub(super) fn content_key_digest(key_id: KeyId, message: &Message) -> Digest {
    sha256_parts(&[&prefix(*b"MKEM"), key_id.as_bytes(), message.as_bytes()])
}

/// c1 S + c2, not reduced: the message under noise.
pub(super) fn noisy_message(secret: &SecretKey, capsule: &Capsule) -> Wiped<Vec<u32>> {
    let c1 = ArrayView2::from_shape((1, capsule.c1().len()), capsule.c1()).expect("one row");
    let sums = product(c1, &secret.matrix);
    let words = capsule.c2().iter().zip(sums.iter());
    Wiped::new(
        words
            .map(|(word, sum)| word.wrapping_add(*sum) & capsule.parameters().modulus.mask())
            .collect(),
    )
}
