//! The algorithms without their guards, for tests and for those who attack the scheme: nothing here
//! asks who may do what, whether a capsule is one, or whether it decrypted rightly. [PRE-1]

use ndarray::Array2;
use zeroize::Zeroizing;

use super::capsule::Capsule;
use super::encapsulate::{content_key_digest, noisy_message};
use super::expand::Coins;
use super::keys::SecretKey;
use super::message::Message;
use super::noise::Noise;
use super::offer::Offer;
use super::reencrypt::{WarmKey, transform};
use super::rekey::ReKey;
use super::set::Set;
use super::setup::Setup;
use crate::types::{Digest, KeyId};

/// The bytes of a file's key, which nothing else hands out.
#[must_use]
pub fn content_key(key_id: KeyId, message: &Message) -> Digest {
    content_key_digest(key_id, message)
}

/// What a capsule says under a secret key; something else if it is another key's.
///
/// # Panics
/// When key and capsule are of different sets.
#[must_use]
pub fn decrypt(secret: &SecretKey, capsule: &Capsule) -> Message {
    assert_eq!(secret.set(), capsule.set());
    Message::of_words(capsule.set().parameters(), &noisy_message(secret, capsule))
}

/// Noise in each column of a capsule that holds a message, from -q/2 to q/2 - 1.
///
/// # Panics
/// When key and capsule are of different sets.
#[must_use]
pub fn noise(secret: &SecretKey, capsule: &Capsule, message: &Message) -> Vec<i32> {
    assert_eq!(secret.set(), capsule.set());
    let parameters = capsule.set().parameters();
    let mut clean = vec![0; parameters.columns];
    message.add_to(parameters, &mut clean);
    let unused = 32 - parameters.modulus.log2();
    let noisy = noisy_message(secret, capsule);
    let difference = noisy.iter().zip(clean).map(|(noisy, clean)| noisy.wrapping_sub(clean));
    difference.map(|word| (word << unused).cast_signed() >> unused).collect()
}

/// Re-encrypts with coins given, whatever the capsule is.
///
/// # Panics
/// When key and capsule are of different sets, or the capsule has made all its hops.
#[must_use]
pub fn reencrypt(key: &WarmKey<'_>, capsule: &Capsule, coins: &[u8; 32]) -> Capsule {
    transform(key, &[(capsule, Zeroizing::new(*coins))]).remove(0)
}

/// So many values of a law, from 32 random bytes: what keys, capsules and coins are drawn by.
#[must_use]
pub fn draw(law: Noise, coins: &[u8; 32], count: usize) -> Vec<i32> {
    let mut words = vec![0; count];
    law.add_to(Coins::new(coins).stream(0), &mut words);
    words.into_iter().map(u32::cast_signed).collect()
}

/// So many values of a set's flood, from 32 random bytes.
#[must_use]
pub fn draw_flood(set: Set, coins: &[u8; 32], count: usize) -> Vec<i32> {
    let (parameters, mut words) = (set.parameters(), vec![0; count]);
    parameters.noise.add_flood_to(Coins::new(coins).stream(0), parameters.flood, &mut words);
    words.into_iter().map(u32::cast_signed).collect()
}

/// A, of the dimension's rows and columns.
#[must_use]
pub fn common_words(set: Set) -> Array2<u32> {
    Setup::of(set).packed.unpacked()
}

/// S, of the dimension's rows and the set's columns, modulo q.
#[must_use]
pub fn secret_words(secret: &SecretKey) -> Array2<u32> {
    secret.matrix.unpacked()
}

/// U = -X S + E, as the reader sends it.
#[must_use]
pub fn offer_words(offer: &Offer) -> Array2<u32> {
    offer.matrix.unpacked()
}

/// The part of a re-encryption key that holds the owner's secret.
#[must_use]
pub fn rekey_words(key: &ReKey) -> Array2<u32> {
    key.matrix.unpacked()
}

/// X, of which key and offer hold only the seed.
#[must_use]
pub fn offer_uniform(key: &ReKey) -> Array2<u32> {
    let mut rows = Array2::zeros((key.matrix.rows(), key.set().parameters().dimension));
    key.uniform().for_each_row(key.matrix.rows(), |row, words| {
        rows.row_mut(row).as_slice_mut().expect("a row is one run").copy_from_slice(words);
    });
    rows
}
