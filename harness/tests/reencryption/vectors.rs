//! Known answers: what fixed seeds give, in `harness/vectors/reencryption.json`. [PRE-1]
//!
//! Written by `MDSM_WRITE_VECTORS=1 cargo test -p harness --test reencryption vectors`, compared otherwise.
//! The file was made once; every kernel on every CPU has to give the same. Toy16 stands there with all of
//! its words.

use std::fs;
use std::path::Path;

use harness::rules::lattice::random::Uniform;
use harness::rules::lattice::scheme::{encaps, key_gen};
use harness::rules::lattice::shape::Shape;
use harness::rules::lattice::transform::digits;
use harness::rules::lattice::words::{packed, unpacked};
use harness::rules::merkle::sha256;
use mdsm_core::codec::Wire as _;
use mdsm_core::reencryption::{Set, Variant, bare};
use serde_json::{Value, json};

use crate::chain::{
    Chain, GRANT, KEY_ID, PROXY, key_seed, message, offer_coins, sealed, sealed_by, shape,
};

const SEED: u8 = 1;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn hash(bytes: &[u8]) -> String {
    hex(&sha256(&[bytes]))
}

/// Words row by row, packed as they travel.
fn words<'a>(shape: &Shape, words: impl IntoIterator<Item = &'a u32>) -> Vec<u8> {
    let words: Vec<i64> = words.into_iter().copied().map(i64::from).collect();
    packed(shape, &words)
}

fn numbers(values: &[i64]) -> String {
    values.iter().map(i64::to_string).collect::<Vec<_>>().join(" ")
}

/// What one set gives: hashes of the encodings.
fn known(set: Set) -> Value {
    let shape = shape(set);
    let straight = Chain::new(set, SEED, &vec![Variant::Public; set.parameters().hops_max()]);
    let private = Chain::new(set, SEED, &[Variant::KeyPrivate]);
    let public: Vec<String> = straight.keys.iter().map(|(_, key)| hash(&key.to_bytes())).collect();
    // A content key shows nothing of itself: the rules' seals as the core's does.
    let toy = self::shape(Set::Toy16);
    let p = key_gen(toy, &key_seed(SEED, 0)).public();
    let (_, content) = encaps(toy, &p, &KEY_ID, &message(SEED));
    assert_eq!(sealed_by(content), sealed(&straight.content), "the key of the file");
    json!({
        "set": shape.name,
        "A": hash(&words(shape, &bare::common_words(set))),
        "PublicKey": public,
        "Capsule": straight.capsules.iter().map(|c| hash(&c.to_bytes())).collect::<Vec<_>>(),
        "Offer": straight.offers.iter().map(|offer| hash(offer)).collect::<Vec<_>>(),
        "ReKey": straight.rekeys.iter().map(|key| hash(&key.to_bytes())).collect::<Vec<_>>(),
        "KeyPrivate": {
            "Offer": hash(&private.offers[0]),
            "ReKey": hash(&private.rekeys[0].to_bytes()),
            "Capsule": hash(&private.capsules[1].to_bytes()),
        },
        "K": hash(&content),
    })
}

/// Every word of the toy set: rows in hex, words as they travel; digits in decimal, a line for each place.
/// Secrets and digits are the rules', and equal.rs says that they are the core's.
fn toy() -> Value {
    let shape = shape(Set::Toy16);
    let chain = Chain::new(Set::Toy16, SEED, &[Variant::Public; 2]);
    let lines = |rows: &[Vec<i64>]| -> Vec<String> {
        let row = |row: &Vec<i64>| hex(&packed(shape, row));
        rows.iter().map(row).collect()
    };
    let reduced = |rows: &[Vec<i64>]| -> Vec<Vec<i64>> {
        let row = |row: &Vec<i64>| row.iter().map(|word| word.rem_euclid(shape.q())).collect();
        rows.iter().map(row).collect()
    };
    let keys: Vec<Value> = (0..3)
        .map(|number| {
            let keys = key_gen(shape, &key_seed(SEED, number));
            json!({
                "seed": hex(&key_seed(SEED, number)),
                "S": lines(&reduced(&keys.s)),
                "R": lines(&reduced(&keys.r)),
                "P": lines(&keys.public()),
            })
        })
        .collect();
    let a = Uniform::a(shape);
    let capsules: Vec<Value> = chain
        .capsules
        .iter()
        .map(|capsule| {
            let words = unpacked(shape, &capsule.to_bytes()[5 + 2 + 96..]);
            let (c1, c2) = words.split_at(shape.n);
            json!({
                "encoding": hex(&capsule.to_bytes()),
                "c1": hex(&packed(shape, c1)),
                "c2": hex(&packed(shape, c2)),
                "Digits": digits(shape, c1).chunks(shape.n).map(numbers).collect::<Vec<_>>(),
            })
        })
        .collect();
    let hops: Vec<Value> = (0..2)
        .map(|hop| {
            let x = bare::offer_uniform(&chain.rekeys[hop]);
            let x: Vec<String> =
                x.outer_iter().map(|row| hex(&words(shape, &row.to_vec()))).collect();
            let seed = &chain.offers[hop][5 + 2 + 64..][..32];
            json!({
                "coins": hex(&offer_coins(SEED, hop)),
                "seed of X": hex(seed),
                "X": x,
                "Offer": hex(&chain.offers[hop]),
                "ReKey": hex(&chain.rekeys[hop].to_bytes()),
            })
        })
        .collect();
    json!({
        "A": lines(&(0..shape.n).map(|row| a.row(row)).collect::<Vec<_>>()),
        "keys": keys,
        "capsules": capsules,
        "hops": hops,
    })
}

#[test]
fn pre_1_6_stored_vectors_come_out_again() {
    //= harness/spec/reencryption.md#pre-1-scheme
    //= type=test
    //# PRE-1.6 (ours): Every fast kernel MUST yield the same bits as the portable one.
    let found = json!({
        "about": "SHA-256 of encodings; A: of its words, row by row. By tests/reencryption/vectors.rs.",
        "inputs": {
            "key seeds": (0..=10).map(|number| hex(&key_seed(SEED, number))).collect::<Vec<_>>(),
            "offer coins": (0..10).map(|hop| hex(&offer_coins(SEED, hop))).collect::<Vec<_>>(),
            "message": hex(&message(SEED)),
            "key_id": hex(&KEY_ID),
            "grant": hex(&GRANT),
            "proxy secret": hex(&PROXY),
        },
        "sets": Set::ALL.iter().map(|set| known(*set)).collect::<Vec<_>>(),
        "Toy16": toy(),
    });
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/reencryption.json");
    if std::env::var_os("MDSM_WRITE_VECTORS").is_some() {
        let text = serde_json::to_string_pretty(&found).unwrap();
        fs::write(&path, text + "\n").unwrap();
    }
    let stored: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    for (name, stored) in stored.as_object().unwrap() {
        let found = &found[name];
        match stored.as_array() {
            Some(lines) => {
                assert_eq!(found.as_array().map(Vec::len), Some(lines.len()), "{name}");
                for (number, line) in lines.iter().enumerate() {
                    assert_eq!(found[number], *line, "{name}");
                }
            }
            None => assert_eq!(found, stored, "{name}"),
        }
    }
    assert_eq!(found, stored);
}
