//! One operation on a secret that the last argument chooses, for `.ci/constant-time` to trace.
//!
//! `constant_time OPERATION BYTE`, where BYTE is one character; everything that is not secret stays the
//! same whatever it is. Two operations are canaries: they leak on purpose, and must be told apart.
//! Toy16 keeps the traces short: the code is the same for every set modulo 2^16.

use std::hint::black_box;
use std::process::ExitCode;

use mdsm_core::crypto::sign::SigningKey;
use mdsm_core::reencryption::{
    ApproveError, Capsule, Message, Noise, Offer, OpenError, ProxySecret, PublicKey, SecretKey,
    Set, SpentOffers, Variant, WarmKey, approve, bare, encapsulate, generate, open,
};
use mdsm_core::types::{Digest, KeyId};

/// Takes the secret.
type Operation = fn(u8);

const KEY_ID: KeyId = KeyId::new([4; 32]);

/// Every operation with its name; `.ci/constant-time` reads the names from here.
const OPERATIONS: [(&str, Operation); 16] = [
    ("draw-frodo-640", |secret| draw(Set::S704.parameters().noise, secret)),
    ("draw-frodo-976", |secret| draw(Set::S976.parameters().noise, secret)),
    ("draw-frodo-1344", |secret| draw(Set::S1344.parameters().noise, secret)),
    ("draw-binomial", |secret| draw(Noise::Binomial, secret)),
    ("draw-flood", |secret| drop(black_box(bare::draw_flood(Set::Toy16, &[secret; 32], 513)))),
    ("draw-flood-binomial", |secret| {
        drop(black_box(bare::draw_flood(Set::H1152, &[secret; 32], 513)))
    }),
    ("generate", |secret| drop(black_box(generate(Set::Toy16, &[secret; 32])))),
    ("encapsulate", |secret| drop(black_box(encapsulate(&owner().1, KEY_ID, &message(secret))))),
    ("decrypt", decrypt),
    ("approve-refuses", approve_refuses),
    ("open-refuses", open_refuses),
    ("open", opens),
    ("offer-and-accept", offer_and_accept),
    ("reencrypt", reencrypt),
    ("canary-table", canary_table),
    ("canary-early-exit", canary_early_exit),
];

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().unwrap_or_default();
    if name == "list" {
        OPERATIONS.iter().for_each(|(name, _)| println!("{name}"));
        return ExitCode::SUCCESS;
    }
    let secret = arguments.next().and_then(|text| text.bytes().next());
    let operation = OPERATIONS.iter().find(|(known, _)| *known == name);
    let (Some((_, operation)), Some(secret)) = (operation, secret) else {
        eprintln!("usage: constant_time list, or constant_time OPERATION BYTE");
        return ExitCode::from(4);
    };
    operation(secret);
    ExitCode::SUCCESS
}

fn owner() -> (SecretKey, PublicKey) {
    generate(Set::Toy16, &[1; 32])
}

fn message(secret: u8) -> Message {
    Message::new([secret; 32])
}

/// More values than one filling of the stream gives, and an end that fills no register.
fn draw(law: Noise, secret: u8) {
    let count = 64 * 8 + 15;
    black_box(bare::draw(law, &[secret; 32], count));
}

/// One capsule under every secret key.
fn decrypt(secret: u8) {
    let (capsule, _) = encapsulate(&owner().1, KEY_ID, &message(7));
    let (key, _) = generate(Set::Toy16, &[secret; 32]);
    black_box(bare::decrypt(&key, &capsule));
}

/// The words are compared to their end, wherever the first one is wrong.
fn approve_refuses(secret: u8) {
    let (key, public) = owner();
    let (capsule, _) = encapsulate(&public, KEY_ID, &message(7));
    let mut words = capsule.words().to_vec();
    // Of the message's words, by a loop over all of them: the lowest bit, which changes no message.
    for (place, word) in (0..64).zip(&mut words[16..]) {
        *word ^= u32::from(black_box(place == secret % 64));
    }
    let changed = Capsule::new(Set::Toy16, 0, KEY_ID, [public.digest(); 2], words);
    let changed = changed.expect("as many words as before");
    let refused = approve((&key, &public), &changed, &SigningKey::from_seed(&[5; 32]));
    assert_eq!(refused.err(), Some(ApproveError::Malformed));
}

/// A capsule of somebody else, under every secret key.
fn open_refuses(secret: u8) {
    let (_, public) = owner();
    let (capsule, _) = encapsulate(&public, KEY_ID, &message(7));
    let (key, _) = generate(Set::Toy16, &[secret; 32]);
    let refused = open(&key, &public, &capsule, &capsule);
    assert_eq!(refused.err(), Some(OpenError::NotTheOriginal));
}

/// Every message, opened.
fn opens(secret: u8) {
    let (key, public) = owner();
    let (capsule, _) = encapsulate(&public, KEY_ID, &message(secret));
    assert!(black_box(open(&key, &public, &capsule, &capsule)).is_ok());
}

/// Both halves of a re-encryption key, of every reader.
fn offer_and_accept(secret: u8) {
    let (key, public) = owner();
    let (reader, _) = generate(Set::Toy16, &[secret; 32]);
    let offer = Offer::new(&reader, public.digest(), Variant::Public, &[3; 32]);
    let accepted = offer.accept(&key, Digest::new([6; 32]), &mut SpentOffers::default());
    assert!(black_box(accepted).is_ok());
}

/// The noise of every proxy.
fn reencrypt(secret: u8) {
    let ((key, public), (reader, reader_public)) = (owner(), generate(Set::Toy16, &[2; 32]));
    let signing = SigningKey::from_seed(&[5; 32]);
    let (capsule, _) = encapsulate(&public, KEY_ID, &message(7));
    let (approval, _) = approve((&key, &public), &capsule, &signing).expect("sealed above");
    let admission = approval.check(&signing.owner(), public.digest()).expect("signed above");
    let admitted = admission.admit(capsule).expect("the capsule approved");
    let offer = Offer::new(&reader, public.digest(), Variant::Public, &[3; 32]);
    let rekey = offer.accept(&key, Digest::new([6; 32]), &mut SpentOffers::default());
    let rekey = rekey.expect("offered to this owner");
    let warm = WarmKey::new(&rekey, Some(&reader_public)).expect("the reader's key");
    let capsule = warm.reencrypt(&ProxySecret::new([secret; 32]), &admitted);
    assert!(black_box(capsule).is_ok());
}

/// Leaks by an address: a table is read at a secret place.
fn canary_table(secret: u8) {
    let table: [u8; 256] = std::array::from_fn(|at| u8::try_from(at % 251).expect("below 251"));
    black_box(black_box(&table)[usize::from(black_box(secret))]);
}

/// Leaks by a branch alone: stops at the first byte that differs, which is put there by no address.
fn canary_early_exit(secret: u8) {
    let mut other = [7; 64];
    for (place, byte) in (0..).zip(&mut other) {
        *byte ^= u8::from(black_box(place == secret % 64));
    }
    black_box(black_box(&[7; 64]).iter().zip(black_box(&other)).all(|(one, other)| one == other));
}
