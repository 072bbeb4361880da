//! Fresh coins for every re-encryption of one capsule average away; coins that follow from it do not.

use mdsm_core::codec::Wire as _;
use mdsm_core::reencryption::{Capsule, Delivery, ProxySecret, ReKey, Set, Variant, WarmKey, bare};
use mdsm_core::types::Digest;

use super::scene::{GRANT, KEY_ID, Party, centred, coins, message, proxy};

/// Digits of a word of Toy16, by their definition: rounded to multiples of 16, then base 16 from -8 to 7.
fn digits(word: u32) -> [i32; 3] {
    let mut rest = i32::try_from(((word + 8) >> 4) & 0xfff).unwrap();
    [(); 3].map(|()| {
        let digit = (rest + 8).rem_euclid(16) - 8;
        rest = (rest - digit) / 16;
        digit
    })
}

/// Noise of a re-encryption without any of the proxy's: that of the capsule, digits times E, rounding.
fn deterministic(key: &ReKey, reader: &Party, capsule: &Capsule, number: u8) -> Vec<i32> {
    let (x, q) = (bare::offer_uniform(key), bare::rekey_words(key));
    let of_words: Vec<[i32; 3]> = capsule.c1().iter().map(|word| digits(*word)).collect();
    let digit = |row: usize| of_words[row % 16][row / 16].cast_unsigned();
    let product = |column: &dyn Fn(usize) -> u32| {
        (0..48).fold(0u32, |sum, row| sum.wrapping_add(digit(row).wrapping_mul(column(row))))
    };
    let c1 = (0..16).map(|at| product(&|row| x[[row, at]]));
    let c2 = (0..64).map(|at| product(&|row| q[[row, at]]).wrapping_add(capsule.c2()[at]));
    let words = c1.chain(c2).map(|word| word & 0xffff).collect();
    let clean = Capsule::new(Set::Toy16, 1, KEY_ID, [capsule.owner, reader.name()], words).unwrap();
    bare::noise(&reader.secret, &clean, &message(number))
}

#[test]
fn pre_5_4_fresh_coins_average_away() {
    let (owner, reader) = (Party::new(Set::Toy16, 1), Party::new(Set::Toy16, 2));
    let key = owner.grant(&reader, Variant::Public, 4);
    let warm = WarmKey::new(&key, Some(&reader.public)).unwrap();
    let (capsule, _) = owner.capsule(1);
    let kept = deterministic(&key, &reader, &capsule, 1);
    assert!(kept.iter().any(|noise| noise.abs() > 50), "digits times E are large: {kept:?}");
    let mut sums = vec![0i32; 64];
    let mut deviation = Vec::new();
    for (before, until) in [(0, 64), (64, 16_384)] {
        for number in before..until {
            let answer = bare::reencrypt(&warm, &capsule, &coins(number));
            let noise = bare::noise(&reader.secret, &answer, &message(1));
            sums.iter_mut().zip(noise).for_each(|(sum, noise)| *sum += noise);
        }
        let mean = |sum: &i32| f64::from(*sum) / f64::from(until);
        let squares =
            sums.iter().zip(&kept).map(|(sum, kept)| (mean(sum) - f64::from(*kept)).powi(2));
        deviation.push((squares.sum::<f64>() / 64.0).sqrt());
    }
    // 256 times as many answers: a sixteenth of the deviation, and then the very numbers.
    let ratio = deviation[0] / deviation[1];
    assert!((12.0..21.0).contains(&ratio), "{deviation:?}");
    let rounded: Vec<i32> = sums.iter().map(|sum| super::scene::nearest(*sum, 16_384)).collect();
    assert_eq!(rounded, kept);
    // They are the reader's own E, and rounding times the owner's key: one linear equation in its key
    // for each column, of a capsule that the reader may have made itself.
}

#[test]
fn pre_5_4_coins_follow_from_secret_key_capsule_and_hop() {
    //= harness/spec/reencryption.md#pre-5-re-encryption
    //= type=test
    //# PRE-5.4 (ours): The random values of a re-encryption MUST follow from the proxy's secret, the
    //# re-encryption key, the capsule and the hop.
    let (owner, reader) = (Party::new(Set::Toy16, 1), Party::new(Set::Toy16, 2));
    let key = owner.grant(&reader, Variant::Public, 4);
    let warm = WarmKey::new(&key, Some(&reader.public)).unwrap();
    let (capsule, _) = owner.capsule(1);
    let admitted = owner.admitted(&capsule);
    let answer = warm.reencrypt(&proxy(), &admitted).unwrap();
    let fresh = |secret: u8| ProxySecret::new([secret; 32]);
    // Again, by another proxy object, with a key that travelled, cold, in a batch: the same bytes.
    let travelled = ReKey::from_bytes(&key.to_bytes()).unwrap();
    let cold = WarmKey::cold(&travelled, Some(&reader.public)).unwrap();
    for again in [
        warm.reencrypt(&proxy(), &admitted).unwrap(),
        cold.reencrypt(&fresh(0x66), &admitted).unwrap(),
        warm.reencrypt_all(&proxy(), &vec![admitted.clone(); 100]).unwrap().remove(99),
    ] {
        assert_eq!(again, answer);
    }
    // Noise alone, so that equal coins would show: what is left when the rest is taken off.
    let noise = |answer: &Capsule, key: &ReKey, capsule: &Capsule, number| {
        let all = bare::noise(&reader.secret, answer, &message(number));
        let kept = deterministic(key, &reader, capsule, number);
        all.iter().zip(kept).map(|(all, kept)| all - kept).collect::<Vec<i32>>()
    };
    let first = noise(&answer, &key, &capsule, 1);
    assert!(first.iter().all(|noise| noise.abs() < 100) && first.iter().any(|noise| *noise != 0));
    let mut seen = vec![first];
    // Another secret,
    let other = warm.reencrypt(&fresh(1), &admitted).unwrap();
    seen.push(noise(&other, &key, &capsule, 1));
    // another key, be it for another grant only,
    let mut bytes = key.to_bytes();
    bytes[7] ^= 1;
    let regranted = ReKey::from_bytes(&bytes).unwrap();
    assert_ne!(regranted.grant(), GRANT);
    let again = WarmKey::new(&regranted, Some(&reader.public)).unwrap();
    let other = again.reencrypt(&proxy(), &admitted).unwrap();
    seen.push(noise(&other, &key, &capsule, 1));
    // another capsule,
    let (second, _) = owner.capsule(2);
    let other = warm.reencrypt(&proxy(), &owner.admitted(&second)).unwrap();
    seen.push(noise(&other, &key, &second, 2));
    // the same words after a hop.
    let words = capsule.words().to_vec();
    let hopped = Capsule::new(Set::Toy16, 1, KEY_ID, [owner.name(); 2], words).unwrap();
    let delivery = Delivery::sign(Digest::new([1; 32]), &admitted, hopped, &owner.signing);
    let expected = [Digest::new([1; 32]), owner.name()];
    let onward = delivery.check(&owner.signing.owner(), expected, &admitted).unwrap();
    let other = warm.reencrypt(&proxy(), &onward).unwrap();
    seen.push(noise(&other, &key, &capsule, 1));
    for (at, one) in seen.iter().enumerate() {
        assert!(seen[..at].iter().all(|other| other != one), "coins {at} were met before");
    }
    assert_eq!(centred(Set::Toy16, 0xffff), -1);
}
