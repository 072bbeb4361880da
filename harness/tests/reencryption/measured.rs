//! The noise that capsules really have, beside the formula. [PRE-1]

use harness::rules::lattice::noise::{deviation, standard_error};
use mdsm_core::crypto::Identified as _;
use mdsm_core::reencryption::{
    Message, Offer, ReKey, Set, SpentOffers, Variant, WarmKey, bare, encapsulate, generate,
};
use mdsm_core::types::{Digest, KeyId};

use crate::chain::{GRANT, bytes, key_seed, offer_coins, shape};

/// What a measured deviation may differ from the formula by.
const TOLERANCE: f64 = 0.02;

/// Chains of keys, and capsules that go through each.
fn samples(set: Set) -> (usize, usize) {
    match set {
        Set::Toy16 => (60, 30),
        // Columns are few, keys are dear.
        Set::W1152B3 | Set::W1792B3 | Set::H1152 => (2, 160),
        // Half of what its digits add is the same for all capsules of a chain.
        Set::Bits704 => (5, 30),
        _ => (3, 36),
    }
}

/// Sums of squares of the noise after 0, 1, 2.. hops, in all columns of all capsules of one chain of keys.
fn squares(set: Set, number: usize, capsules: usize) -> Vec<f64> {
    let hops = set.parameters().hops_max();
    let seed = u8::try_from(number).unwrap();
    let keys: Vec<_> = (0..=hops).map(|key| generate(set, &key_seed(seed, key))).collect();
    let rekeys: Vec<ReKey> = (0..hops)
        .map(|hop| {
            let (owner, reader) = (&keys[hop], &keys[hop + 1]);
            let coins = offer_coins(seed, hop);
            let offer = Offer::new(&reader.0, owner.1.digest(), Variant::Public, &coins);
            offer.accept(&owner.0, Digest::new(GRANT), &mut SpentOffers::default()).unwrap()
        })
        .collect();
    let warm: Vec<_> =
        (0..hops).map(|hop| WarmKey::new(&rekeys[hop], Some(&keys[hop + 1].1)).unwrap()).collect();
    let mut squares = vec![0.0; hops + 1];
    for capsule in 0..capsules {
        let message = Message::new(bytes(seed, capsule));
        let (mut capsule, _) = encapsulate(&keys[0].1, KeyId::new(bytes(0x77, capsule)), &message);
        for (hop, square) in squares.iter_mut().enumerate() {
            if hop > 0 {
                let coins = *capsule.id().as_bytes();
                capsule = bare::reencrypt(&warm[hop - 1], &capsule, &coins);
            }
            let noise = bare::noise(&keys[hop].0, &capsule, &message);
            *square += noise.iter().map(|noise| f64::from(*noise).powi(2)).sum::<f64>();
        }
    }
    squares
}

fn measure(set: Set) {
    let (shape, (keys, capsules)) = (shape(set), samples(set));
    let hops = set.parameters().hops_max();
    let mut sums = vec![0.0; hops + 1];
    for number in 0..keys {
        for (sum, square) in sums.iter_mut().zip(squares(set, number, capsules)) {
            *sum += square;
        }
    }
    let values = keys * capsules * shape.columns;
    for (hop, sum) in sums.iter().enumerate() {
        let (measured, formula) = ((sum / values as f64).sqrt(), deviation(shape, hop));
        let (off, error) = (measured / formula - 1.0, standard_error(shape, hop, keys, capsules));
        println!(
            "{} after {hop} hops: {measured:.1} measured, {formula:.1} by the formula, {:+.2}% off, \
             standard error {:.2}%, {values} values",
            shape.name,
            100.0 * off,
            100.0 * error,
        );
        assert!(4.0 * error < TOLERANCE, "{}: too few values", shape.name);
        assert!(off.abs() < TOLERANCE, "{}: the formula is off", shape.name);
    }
}

#[test]
fn pre_1_10_measured_noise_is_that_of_the_formula() {
    for set in Set::ALL.iter().filter(|set| set.parameters().hops_max() < 10) {
        measure(*set);
    }
}

#[test]
fn pre_1_10_measured_noise_of_ten_hops_is_that_of_the_formula() {
    for set in Set::ALL.iter().filter(|set| set.parameters().hops_max() == 10) {
        measure(*set);
    }
}
