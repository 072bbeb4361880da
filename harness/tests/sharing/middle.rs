//! What the chain of signatures does not stop: a proxy of an earlier hop that works with a later reader.
//!
//! The owner of a capsule recomputes it; whoever holds it after a hop cannot, for its noise is the
//! proxy's. So a first proxy can add a chosen multiple of u_i to c1. The message stays, the holder opens the
//! file, every signature holds, and the last reader finds the multiple times row i of the holder's key
//! in the noise. A stated limit, like the tests of reactions in `tampering`; one who holds a capsule and
//! fears it seals the message anew instead of letting the capsule hop on.

use mdsm_core::reencryption::{Delivery, Set, Variant, WarmKey, bare, open};

use super::scene::{
    GRANT, Party, message, nearest, proxy, sealed_with, secret_entries, with_words,
};

const STEP: i32 = 150;

#[test]
fn an_earlier_proxy_and_a_later_reader_read_the_key_between_them() {
    let [owner, middle, last] = [1, 2, 3].map(|number| Party::new(Set::Toy16, number));
    let evil = Party::new(Set::Toy16, 9).signing;
    let first = owner.grant(&middle, Variant::Public, 4);
    let first = WarmKey::new(&first, Some(&middle.public)).unwrap();
    let second = middle.grant(&last, Variant::Public, 5);
    let second = WarmKey::new(&second, Some(&last.public)).unwrap();
    let row = 5;
    let count = 60;
    let mut sums = [0i32; 64];
    for number in 0..count {
        let (capsule, content) = owner.capsule(number);
        let admitted = owner.admitted(&capsule);
        let honest = first.reencrypt(&proxy(), &admitted).unwrap();
        let mut words = honest.words().to_vec();
        words[row] = words[row].wrapping_add(STEP.cast_unsigned()) & 0xffff;
        let delivery = Delivery::sign(GRANT, &admitted, with_words(&honest, words), &evil);
        let expected = [GRANT, middle.name()];
        let onward = delivery.check(&evil.owner(), expected, &admitted).unwrap();
        let opened = open(&middle.secret, &owner.public, &capsule, &delivery.capsule).unwrap();
        assert_eq!(sealed_with(&opened), sealed_with(&content), "the holder notices nothing");
        let received = second.reencrypt(&proxy(), &onward).unwrap();
        let noise = bare::noise(&last.secret, &received, &message(number));
        sums.iter_mut().zip(noise).for_each(|(sum, noise)| *sum += noise);
    }
    let read: Vec<i32> = sums.iter().map(|sum| nearest(*sum, STEP * i32::from(count))).collect();
    assert_eq!(read, secret_entries(&middle.secret)[row]);
}
