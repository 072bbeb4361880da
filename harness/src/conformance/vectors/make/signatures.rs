//! Ed25519: the answers of RFC 8032, and every point on which ordinary libraries differ. [STO-2] [STO-7]

use curve25519_dalek::Scalar;
use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION};
use curve25519_dalek::edwards::EdwardsPoint;
use serde_json::{Value, json};

use super::super::super::class::Class;
use super::super::super::value::read_bytes;
use super::super::shape::{Expect, VectorFile};
use super::{Maker, bytes, named};
use crate::rules::ed25519::{
    ORDER, Signature, challenge, expand, holds, is_sound, joined, point, public, sign,
};
use crate::rules::mirror::Bytes32;

const MESSAGE: &[u8] = b"mdsm";

/// Seed, key, message and signature of RFC 8032, section 7.1, tests 1 to 3.
const RFC_8032: [[&str; 4]; 3] = [
    [
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ],
    [
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ],
    [
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ],
];

pub(super) fn made() -> VectorFile {
    let mut maker = Maker::new(
        "signatures",
        "Ed25519 by ZIP-215. The flag zip215 marks what a library for RFC 8032 may judge in another way: a capability of its own.",
    );
    let zip = Some("https://zips.z.cash/zip-0215");
    maker.flag(
        "zip215",
        "signatures are judged by other rules than ZIP-215",
        "two honest nodes judge one record differently and the chain splits; some libraries even differ between single and batch checks",
        zip,
    );
    maker.flag(
        "s-unreduced",
        "an S at or above the order of the group is taken",
        "whoever sees a signature makes a second one for the same message",
        Some("https://www.rfc-editor.org/rfc/rfc8032#section-8.4"),
    );
    maker.flag(
        "small-order-key",
        "a key of small order, or one that is no point, may own records",
        "one signature fits every message, so that its owner can deny any record",
        Some("https://eprint.iacr.org/2020/1244"),
    );
    maker.flag(
        "signature-unchecked",
        "a signature is not compared with key and message",
        "anybody books in anybody's name",
        None,
    );
    ordinary(&mut maker);
    keys(&mut maker);
    nonces(&mut maker);
    scalars(&mut maker);
    batches(&mut maker);
    maker.done()
}

fn args(key: &Bytes32, message: &[u8], signature: &Signature) -> Value {
    json!({"key": bytes(key), "message": bytes(message), "signature": bytes(signature)})
}

fn ordinary(maker: &mut Maker) {
    maker.finding(&["signature-unchecked"]);
    for (number, [seed, key, message, signature]) in (1..).zip(RFC_8032) {
        let args = json!({"seed": seed, "message": message});
        let ok = json!({"key": key, "signature": signature});
        maker.valid(
            format!("ed25519.sign.rfc8032-{number}"),
            "ed25519.sign",
            args,
            ok,
            &["STO-2.3"],
        );
        let args = json!({"key": key, "message": message, "signature": signature});
        let id = format!("ed25519.verify.rfc8032-{number}");
        maker.valid(id, "ed25519.verify", args, json!({}), &["STO-2.3"]);
        let longer = json!({"key": key, "message": format!("{message}00"), "signature": signature});
        let id = format!("ed25519.verify.rfc8032-{number}-longer-message");
        maker.invalid(id, "ed25519.verify", longer, &[Class::Signature], &["STO-2.3"]);
    }
    for length in [0, 63, 64, 69, 128, 1_000] {
        let (seed, message) = (named("signer"), vec![0x5a; length]);
        let args = json!({"seed": bytes(seed), "message": bytes(&message)});
        let ok = json!({"key": bytes(public(&seed)), "signature": bytes(sign(&seed, &message))});
        maker.valid(format!("ed25519.sign.{length}-bytes"), "ed25519.sign", args, ok, &["STO-2.3"]);
    }
    let seed = named("signer");
    let (key, signature) = (public(&seed), sign(&seed, MESSAGE));
    let mut wrong = |id: &str, key: &Bytes32, message: &[u8], signature: &Signature| {
        assert!(!holds(key, message, signature), "{id}");
        let (id, args) = (format!("ed25519.verify.{id}"), args(key, message, signature));
        maker.invalid(id, "ed25519.verify", args, &[Class::Signature], &["STO-2.3"]);
    };
    wrong("another-key", &public(&named("another signer")), MESSAGE, &signature);
    wrong("another-message", &key, b"mdsn", &signature);
    wrong("empty-message", &key, b"", &signature);
    for bit in [0, 7, 254, 256, 263, 500, 511] {
        let mut flipped = signature;
        flipped[bit / 8] ^= 1 << (bit % 8);
        wrong(&format!("bit-{bit}-flipped"), &key, MESSAGE, &flipped);
    }
    wrong("zeros", &key, MESSAGE, &[0; 64]);
    let mut halves = signature;
    halves.rotate_left(32);
    wrong("halves-swapped", &key, MESSAGE, &halves);
}

/// Every spelling of a point of small order: eight canonical ones, and six with y at or above the prime
/// or with a sign that x = 0 does not have.
fn small_order() -> Vec<(String, Bytes32)> {
    let ends = [(0x01, 0x80), (0xec, 0xff), (0xed, 0x7f), (0xed, 0xff), (0xee, 0x7f), (0xee, 0xff)];
    let others = ends.map(|(low, high)| {
        let mut bytes = [if low == 0x01 { 0 } else { 0xff }; 32];
        (bytes[0], bytes[31]) = (low, high);
        bytes
    });
    let canonical = EIGHT_TORSION.iter().map(|point| point.compress().to_bytes());
    let canonical = (0..).zip(canonical).map(|(at, bytes)| (format!("torsion-{at}"), bytes));
    let others = (0..).zip(others).map(|(at, bytes)| (format!("non-canonical-{at}"), bytes));
    canonical.chain(others).collect()
}

fn keys(maker: &mut Maker) {
    maker.finding(&["small-order-key"]);
    let mut identity = [0; 64];
    identity[0] = 1;
    for (name, key) in small_order() {
        assert!(!is_sound(&key) && holds(&key, MESSAGE, &identity), "{name}");
        let args = args(&key, MESSAGE, &identity);
        let id = format!("ed25519.verify.key-{name}");
        maker.invalid(id, "ed25519.verify", args, &[Class::Key], &["STO-2.5"]);
    }
    let (mut found, signature) = (0, sign(&named("signer"), MESSAGE));
    for low in 2..=255u8 {
        let mut key = [0; 32];
        key[0] = low;
        if point(&key).is_none() && found < 3 {
            found += 1;
            let id = format!("ed25519.verify.key-no-point-{found}");
            let args = args(&key, MESSAGE, &signature);
            maker.invalid(id, "ed25519.verify", args, &[Class::Key], &["STO-2.5"]);
        }
    }
    // y = p + 3 and so on: other spellings of points whose discrete logarithm nobody knows.
    maker.finding(&["zip215"]);
    for low in 0xf0..=0xff_u8 {
        let mut key = [0xff; 32];
        (key[0], key[31]) = (low, 0x7f);
        if is_sound(&key) {
            let id = format!("ed25519.verify.key-non-canonical-{low:02x}");
            let args = args(&key, MESSAGE, &signature);
            maker.invalid(
                id,
                "ed25519.verify",
                args,
                &[Class::Signature, Class::Key],
                &["STO-2.4"],
            );
        }
    }
}

/// A signature of which R is `r` plus the nonce's point, by a key that is `a` plus the secret's point.
fn with_torsion(
    seed: &Bytes32,
    (nonce, r): (Scalar, Option<Bytes32>),
    a: EdwardsPoint,
) -> (Bytes32, Signature) {
    let secret = expand(seed).0;
    let key = (ED25519_BASEPOINT_POINT * secret + a).compress().to_bytes();
    let spelt = r.and_then(|bytes| Some((bytes, point(&bytes)?)));
    let r = match spelt {
        // The very spelling, where there is no nonce.
        Some((bytes, _)) if nonce == Scalar::ZERO => bytes,
        Some((_, torsion)) => (ED25519_BASEPOINT_POINT * nonce + torsion).compress().to_bytes(),
        None => (ED25519_BASEPOINT_POINT * nonce).compress().to_bytes(),
    };
    let s = nonce + challenge(&r, &key, MESSAGE) * secret;
    (key, joined(r, s.to_bytes()))
}

fn nonces(maker: &mut Maker) {
    maker.finding(&["zip215"]);
    let (seed, none) = (named("signer"), EIGHT_TORSION[0]);
    let nonce = Scalar::from_bytes_mod_order(named("nonce"));
    let spelt = |point: &EdwardsPoint| Some(point.compress().to_bytes());
    let mut all = Vec::new();
    for (name, r) in small_order() {
        all.push((format!("r-{name}"), with_torsion(&seed, (Scalar::ZERO, Some(r)), none)));
    }
    for (at, torsion) in EIGHT_TORSION.iter().enumerate().skip(1) {
        let of_r = with_torsion(&seed, (nonce, spelt(torsion)), none);
        all.push((format!("r-of-mixed-order-{at}"), of_r));
        let of_key = with_torsion(&seed, (nonce, None), *torsion);
        all.push((format!("key-of-mixed-order-{at}"), of_key));
    }
    let both = with_torsion(&seed, (nonce, spelt(&EIGHT_TORSION[3])), EIGHT_TORSION[5]);
    all.push(("key-and-r-of-mixed-order".to_owned(), both));
    for (name, (key, signature)) in all {
        assert!(holds(&key, MESSAGE, &signature) && is_sound(&key), "{name}");
        let (id, args) = (format!("ed25519.verify.{name}"), args(&key, MESSAGE, &signature));
        if !name.starts_with("r-non-canonical") {
            maker.valid(id, "ed25519.verify", args, json!({}), &["STO-2.4"]);
            continue;
        }
        // RFC 8032, 5.1.3 refuses to decode such a point, and so does every stricter rule.
        let readings =
            [("R1", Expect::Valid(json!({}))), ("R2", Expect::Invalid(vec![Class::Signature]))];
        maker.ambiguous(&id, ("ed25519.verify", args), "AMB-STO-7", readings, &["STO-2.4"]);
    }
}

fn scalars(maker: &mut Maker) {
    maker.finding(&["s-unreduced"]);
    let seed = named("signer");
    let (key, signature) = (public(&seed), sign(&seed, MESSAGE));
    let (mut r, mut s) = ([0; 32], [0; 32]);
    r.copy_from_slice(&signature[..32]);
    s.copy_from_slice(&signature[32..]);
    let mut sum = s;
    for times in 1..=15u8 {
        let mut carry = 0;
        for (byte, order) in sum.iter_mut().zip(ORDER) {
            let total = u16::from(*byte) + u16::from(order) + carry;
            *byte = total.to_le_bytes()[0];
            carry = total >> 8;
        }
        // Some libraries look at the highest three bits only.
        if carry == 0 && [1, 2, 7, 8, 15].contains(&times) {
            let args = args(&key, MESSAGE, &joined(r, sum));
            let id = format!("ed25519.verify.s-plus-{times}-orders");
            maker.invalid(id, "ed25519.verify", args, &[Class::Signature], &["STO-2.4"]);
        }
    }
    // R is the neutral point and S the order, which is 0: sound but for the spelling of S.
    let (key, made) = with_torsion(&seed, (Scalar::ZERO, None), EIGHT_TORSION[0]);
    r.copy_from_slice(&made[..32]);
    let cases = [("s-is-the-order", ORDER), ("s-all-ones", [0xff; 32])];
    for (id, s) in cases {
        let args = args(&key, MESSAGE, &joined(r, s));
        maker.invalid(
            format!("ed25519.verify.{id}"),
            "ed25519.verify",
            args,
            &[Class::Signature],
            &["STO-2.4"],
        );
    }
    maker.finding(&["signature-unchecked"]);
    let mut no_point = [0; 32];
    no_point[0] = 2;
    let args = args(&key, MESSAGE, &joined(no_point, s));
    maker.invalid(
        "ed25519.verify.r-is-no-point",
        "ed25519.verify",
        args,
        &[Class::Signature],
        &["STO-2.4"],
    );
}

fn batches(maker: &mut Maker) {
    let item = |seed: &str, message: &[u8]| {
        let seed = named(seed);
        args(&public(&seed), message, &sign(&seed, message))
    };
    let sound = |count: usize| -> Vec<Value> {
        (0..count).map(|number| item(&number.to_string(), MESSAGE)).collect()
    };
    let seed = named("signer");
    let odd: Vec<Value> = small_order()
        .iter()
        .map(|(_, r)| with_torsion(&seed, (Scalar::ZERO, Some(*r)), EIGHT_TORSION[0]))
        .map(|(key, signature)| args(&key, MESSAGE, &signature))
        .collect();
    maker.finding(&["signature-unchecked"]);
    for count in [0, 1, 2, 3, 8] {
        let args = json!({"items": sound(count)});
        let id = format!("ed25519.verify_batch.of-{count}");
        maker.valid(id, "ed25519.verify_batch", args, json!({}), &["STO-2.4"]);
    }
    maker.finding(&["zip215"]);
    for count in [1, 2, 5] {
        // The last ones are those whose R has another spelling.
        let items = [sound(count - 1), odd[odd.len() - count..].to_vec()].concat();
        let id = format!("ed25519.verify_batch.spellings-of-{count}");
        let call = ("ed25519.verify_batch", json!({"items": items}));
        let readings =
            [("R1", Expect::Valid(json!({}))), ("R2", Expect::Invalid(vec![Class::Signature]))];
        maker.ambiguous(&id, call, "AMB-STO-7", readings, &["STO-2.4"]);
    }
    let items = [sound(2), odd[1..8].to_vec()].concat();
    let args = json!({"items": items});
    maker.valid(
        "ed25519.verify_batch.torsion",
        "ed25519.verify_batch",
        args,
        json!({}),
        &["STO-2.4"],
    );
    maker.finding(&["signature-unchecked"]);
    for at in [0, 1, 3] {
        let mut items = sound(4);
        items[at] = item("another", b"mdsn");
        items[at]["message"] = bytes(MESSAGE);
        let id = format!("ed25519.verify_batch.one-of-four-wrong-{at}");
        let args = json!({"items": items});
        maker.invalid(id, "ed25519.verify_batch", args, &[Class::Signature], &["STO-2.4"]);
    }
    // Two errors that cancel each other where the equations are added without random factors.
    let mut items = sound(2);
    cancel(&mut items);
    let args = json!({"items": items});
    maker.invalid(
        "ed25519.verify_batch.errors-that-cancel",
        "ed25519.verify_batch",
        args,
        &[Class::Signature],
        &["STO-2.4"],
    );
    maker.finding(&["small-order-key"]);
    let mut identity = [0; 64];
    identity[0] = 1;
    for at in [1, 9] {
        let mut items = sound(2);
        items.push(self::args(&small_order()[at].1, MESSAGE, &identity));
        let id = format!("ed25519.verify_batch.key-of-small-order-{at}");
        let args = json!({"items": items});
        maker.invalid(id, "ed25519.verify_batch", args, &[Class::Key], &["STO-2.5"]);
    }
}

/// Adds 1 to the first S and takes it from the second.
fn cancel(items: &mut [Value]) {
    for (item, change) in items.iter_mut().zip([Scalar::ONE, -Scalar::ONE]) {
        let text = item["signature"].as_str().unwrap_or_default();
        let signature: Signature =
            read_bytes(text).and_then(|bytes| bytes.try_into().ok()).unwrap_or([0; 64]);
        let (mut r, mut s) = ([0; 32], [0; 32]);
        r.copy_from_slice(&signature[..32]);
        s.copy_from_slice(&signature[32..]);
        let s = Scalar::from_bytes_mod_order(s) + change;
        item["signature"] = bytes(joined(r, s.to_bytes()));
    }
}
