//! Umbral over secp256k1, with one proxy: threshold 1 of 1.
//!
//! Its proxy proves what it did, and that cannot be turned off. The reader's check of the proof is
//! left out of `Decapsulate`, though the protocol asks for it; it takes as long again.

use std::rc::Rc;

use umbral_pre::{
    Capsule, DefaultSerialize, PublicKey, SecretKey, Signer, VerifiedCapsuleFrag, VerifiedKeyFrag,
    decrypt_reencrypted, encrypt, generate_kfrags, reencrypt,
};

use super::scheme::{Operation, Scheme, Security};
use crate::turns::Work;

struct Parties {
    owner: SecretKey,
    owner_public: PublicKey,
    signer: Signer,
    reader: SecretKey,
    reader_public: PublicKey,
}

impl Parties {
    fn new() -> Self {
        let (owner, reader) = (SecretKey::random(), SecretKey::random());
        Self {
            owner_public: owner.public_key(),
            owner,
            signer: Signer::new(SecretKey::random()),
            reader_public: reader.public_key(),
            reader,
        }
    }

    fn encapsulate(&self) -> (Capsule, Box<[u8]>) {
        encrypt(&self.owner_public, &KEY).expect("a key of 32 bytes is encrypted")
    }

    fn rekey(&self) -> VerifiedKeyFrag {
        let (owner, reader) = (&self.owner, &self.reader_public);
        let mut frags = generate_kfrags(owner, reader, &self.signer, 1, 1, true, true).into_vec();
        frags.pop().expect("one share was asked for")
    }

    fn decapsulate(
        &self,
        (capsule, ciphertext): &(Capsule, Box<[u8]>),
        frag: VerifiedCapsuleFrag,
    ) -> Option<Box<[u8]>> {
        let (reader, owner) = (&self.reader, &self.owner_public);
        decrypt_reencrypted(reader, owner, capsule, [frag], ciphertext).ok()
    }

    fn opens(&self) -> bool {
        let sealed = self.encapsulate();
        let frag = reencrypt(&sealed.0, self.rekey());
        self.decapsulate(&sealed, frag).as_deref() == Some(&KEY[..])
    }
}

/// Umbral.
pub(super) fn scheme() -> Scheme {
    let parties = Rc::new(Parties::new());
    let sealed = Rc::new(parties.encapsulate());
    let rekey = parties.rekey();
    let frag = reencrypt(&sealed.0, rekey.clone());
    let bytes = |bytes: Result<Box<[u8]>, _>| bytes.map_or(0, |bytes: Box<[u8]>| bytes.len());
    Scheme {
        name: "umbral-pre 0.11.0, with proof".into(),
        beside: "S704",
        capsule_bytes: bytes(sealed.0.to_bytes()),
        reencrypted_bytes: Some(bytes(frag.clone().unverify().to_bytes())),
        rekey_bytes: Some(bytes(rekey.clone().unverify().to_bytes())),
        keys: 1,
        security: Security {
            classical_bits: 128,
            notion: "CCA claimed".into(),
            post_quantum: false,
        },
        heavy: None,
        opens: {
            let parties = parties.clone();
            Box::new(move || parties.opens())
        },
        works: vec![
            (Operation::KeyGen, Work::repeated(|| SecretKey::random().public_key())),
            (Operation::Encapsulate, {
                let parties = parties.clone();
                Work::repeated(move || parties.encapsulate())
            }),
            (Operation::ReKey, {
                let parties = parties.clone();
                Work::repeated(move || parties.rekey())
            }),
            (Operation::Reencrypt, {
                let sealed = sealed.clone();
                Work::repeated(move || reencrypt(&sealed.0, rekey.clone()))
            }),
            (
                Operation::Decapsulate,
                Work::repeated(move || parties.decapsulate(&sealed, frag.clone())),
            ),
        ],
    }
}

const KEY: [u8; 32] = [0xa5; 32];
