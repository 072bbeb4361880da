//! The core and the rules, byte by byte, from the same seeds. [PRE-1] [PRE-2]

use harness::rules::lattice::scheme::{Keys, decaps, encaps, encode_public, key_gen};
use harness::rules::lattice::shape::Shape;
use harness::rules::lattice::transform::{accept, offer, re_enc};
use harness::rules::lattice::words::{Matrix, rows, unpacked};
use harness::rules::merkle::sha256;
use mdsm_core::codec::Wire as _;
use mdsm_core::reencryption::{Set, Variant, bare};

use crate::chain::{
    Chain, GRANT, KEY_ID, PROXY, key_seed, message, offer_coins, sealed, sealed_by, shape,
};

/// How much the rules compute for themselves; the products of the big sets take them seconds, so of
/// those they compute some rows, and take the others from what the core has encoded.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rigour {
    All,
    SomeRows,
}

impl Rigour {
    fn rows(self, count: usize) -> Vec<usize> {
        match self {
            Self::All => (0..count).collect(),
            Self::SomeRows => vec![0, 1, count / 3, count / 2 + 1, count - 1],
        }
    }

    /// Holds rows that the rules compute to those at the end of an encoding, and gives all rows.
    fn hold(
        self,
        shape: &Shape,
        count: usize,
        encoded: &[u8],
        what: &str,
        row: impl Fn(usize) -> Vec<i64>,
    ) -> Matrix {
        let row_bytes = shape.columns * shape.word_bytes();
        let words = unpacked(shape, &encoded[encoded.len() - count * row_bytes..]);
        let found = rows(&words, shape.columns);
        for number in self.rows(count) {
            assert_eq!(found[number], row(number), "{} {what}, row {number}", shape.name);
        }
        found
    }
}

fn compare(set: Set, seed: u8, variants: &[Variant], rigour: Rigour) {
    let (chain, shape) = (Chain::new(set, seed, variants), shape(set));
    let name = shape.name;
    let keys: Vec<Keys> =
        (0..chain.keys.len()).map(|number| key_gen(shape, &key_seed(seed, number))).collect();
    let mut publics = Vec::new();
    for ((_, public), keys) in chain.keys.iter().zip(&keys) {
        let encoded = public.to_bytes();
        let p = rigour.hold(shape, shape.n, &encoded, "P", |row| keys.public_row(row));
        assert_eq!(encode_public(shape, &p), encoded, "{name}: public key");
        publics.push(p);
    }
    let (mut capsule, content) = encaps(shape, &publics[0], &KEY_ID, &message(seed));
    assert_eq!(capsule.encode(shape), chain.capsules[0].to_bytes(), "{name}: capsule");
    assert_eq!(sealed_by(content), sealed(&chain.content), "{name}: key of the file");
    for (hop, variant) in variants.iter().enumerate() {
        let digest = |number: usize| sha256(&[&encode_public(shape, &publics[number])]);
        let (owner, reader) = (&keys[hop], &keys[hop + 1]);
        let coins = offer_coins(seed, hop);
        let offering = offer(reader, &digest(hop + 1), &digest(hop), *variant as u8, &coins);
        let encoded = &chain.offers[hop];
        let u = rigour.hold(shape, offering.len(), encoded, "U", |row| offering.row(row));
        let made = offering.with(u);
        assert_eq!(made.encode_offer(shape), *encoded, "{name}: offer {hop}");
        let rekey = accept(owner, &made);
        let encoded = chain.rekeys[hop].to_bytes();
        assert_eq!(rekey.encode_rekey(shape, &GRANT), encoded, "{name}: re-encryption key {hop}");
        let next = re_enc(shape, (&rekey, &GRANT), &publics[hop + 1], &PROXY, &capsule);
        let core = &chain.capsules[hop + 1];
        assert_eq!(next.encode(shape), core.to_bytes(), "{name}: capsule of hop {}", hop + 1);
        let decrypted = *bare::decrypt(&chain.keys[hop + 1].0, core).as_bytes();
        assert_eq!(decaps(shape, &reader.s, &next), decrypted, "{name}: message");
        assert_eq!(decrypted, message(seed), "{name}: message");
        capsule = next;
    }
}

const BOTH: [Variant; 2] = [Variant::Public, Variant::KeyPrivate];

#[test]
fn pre_1_2_the_toy_set_gives_the_bytes_of_the_rules_for_many_seeds() {
    //= harness/spec/reencryption.md#pre-1-scheme
    //= type=test
    //# PRE-1.2 (ours): Every algorithm of the scheme MUST yield the same bytes for the same seeds
    //# and parameter set.
    for seed in 0..=60 {
        compare(Set::Toy16, seed, &BOTH, Rigour::All);
        compare(Set::Toy16, seed, &[Variant::Public; 2], Rigour::All);
    }
}

#[test]
fn pre_1_2_s704_gives_the_bytes_of_the_rules() {
    compare(Set::S704, 1, &BOTH[1..], Rigour::All);
}

#[test]
fn pre_1_2_w1152_b3_gives_the_bytes_of_the_rules() {
    compare(Set::W1152B3, 1, &BOTH[1..], Rigour::All);
}

#[test]
fn pre_1_2_every_set_gives_the_bytes_of_the_rules() {
    for set in Set::ALL {
        compare(*set, 2, &BOTH, Rigour::SomeRows);
    }
}
