//! `FrodoKEM` by the ISO text: a plain-LWE KEM without re-encryption, the peer of our encapsulation.
//!
//! It expands a matrix of its own for every key, and its capsule has eight rows; ours shares one
//! matrix and has one row. `Decapsulate` opens a fresh capsule.

use std::rc::Rc;

use frodo_kem_rs::Algorithm;

use super::scheme::{Operation, Scheme, Security};
use crate::turns::Work;

/// The three sizes, each beside ours of the same level; the bits are core-SVP by our notes.
pub(super) fn schemes() -> Vec<Scheme> {
    vec![
        scheme(Algorithm::FrodoKem640Aes, "640", "S704", 141),
        scheme(Algorithm::FrodoKem976Aes, "976", "S976", 206),
        scheme(Algorithm::FrodoKem1344Aes, "1344", "S1344", 272),
    ]
}

fn scheme(algorithm: Algorithm, size: &str, beside: &'static str, classical_bits: u16) -> Scheme {
    let params = algorithm.params();
    let (message, salt) = (vec![0xa5; params.message_length], vec![0x5a; params.salt_length]);
    let seed = vec![0x3c; params.key_seed_length];
    let pair = move || {
        let pair = algorithm.generate_keypair_from_seed(&seed);
        pair.expect("the seed has the length asked for")
    };
    let (public, secret) = pair();
    let encapsulate = move || {
        let sealed = algorithm.encapsulate(&public, &message, &salt);
        sealed.expect("message and salt have the lengths asked for")
    };
    let encapsulate = Rc::new(encapsulate);
    let decapsulate = Rc::new(move |capsule: &_| algorithm.decapsulate(&secret, capsule));
    let (capsule, _) = encapsulate();
    Scheme {
        name: format!("frodo-kem-rs 0.9.1, {size}-AES"),
        beside,
        capsule_bytes: params.ciphertext_length,
        reencrypted_bytes: None,
        rekey_bytes: None,
        keys: 1,
        security: Security { classical_bits, notion: "CCA".into(), post_quantum: true },
        heavy: None,
        opens: {
            let (encapsulate, decapsulate) = (encapsulate.clone(), decapsulate.clone());
            Box::new(move || {
                let (capsule, sealed) = encapsulate();
                decapsulate(&capsule).is_ok_and(|(opened, _)| opened == sealed)
            })
        },
        works: vec![
            (Operation::KeyGen, Work::repeated(pair)),
            (Operation::Encapsulate, Work::repeated(move || encapsulate())),
            (Operation::Decapsulate, Work::repeated(move || decapsulate(&capsule))),
        ],
    }
}
