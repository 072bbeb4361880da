//! IronCore's transform encryption over a 256-bit pairing curve; the plaintext is a field element
//! that is hashed to the key.
//!
//! The library has a 480-bit curve too, several times slower; the faster one is measured.

use std::rc::Rc;

use recrypt::api::{
    CryptoOps, DefaultRng, Ed25519, Ed25519Ops, EncryptedValue, Hashable, KeyGenOps, Plaintext,
    PrivateKey, PublicKey, RandomBytes, Recrypt, Sha256, SigningKeypair, TransformKey,
};

use super::scheme::{Operation, Scheme, Security};
use crate::turns::Work;

struct Parties {
    api: Recrypt<Sha256, Ed25519, RandomBytes<DefaultRng>>,
    owner: PrivateKey,
    owner_public: PublicKey,
    signer: SigningKeypair,
    reader: PrivateKey,
    reader_public: PublicKey,
    key: Plaintext,
}

impl Parties {
    fn new() -> Self {
        let api = Recrypt::new();
        let pair = || api.generate_key_pair().expect("a random key is valid");
        let ((owner, owner_public), (reader, reader_public)) = (pair(), pair());
        Self {
            owner,
            owner_public,
            signer: api.generate_ed25519_key_pair(),
            reader,
            reader_public,
            key: api.gen_plaintext(),
            api,
        }
    }

    fn encapsulate(&self) -> EncryptedValue {
        let sealed = self.api.encrypt(&self.key, &self.owner_public, &self.signer);
        sealed.expect("the owner's key is a point of the curve")
    }

    fn rekey(&self) -> TransformKey {
        let (owner, reader) = (&self.owner, &self.reader_public);
        let rekey = self.api.generate_transform_key(owner, reader, &self.signer);
        rekey.expect("the reader's key is a point of the curve")
    }

    fn reencrypt(&self, capsule: &EncryptedValue, rekey: &TransformKey) -> EncryptedValue {
        let moved = self.api.transform(capsule.clone(), rekey.clone(), &self.signer);
        moved.expect("capsule and key carry valid signatures")
    }

    fn decapsulate(&self, capsule: &EncryptedValue) -> Option<Plaintext> {
        self.api.decrypt(capsule.clone(), &self.reader).ok()
    }

    fn opens(&self) -> bool {
        let moved = self.reencrypt(&self.encapsulate(), &self.rekey());
        self.decapsulate(&moved).as_ref() == Some(&self.key)
    }
}

/// Transform encryption.
pub(super) fn scheme() -> Scheme {
    let parties = Rc::new(Parties::new());
    let (capsule, rekey) = (parties.encapsulate(), parties.rekey());
    let moved = parties.reencrypt(&capsule, &rekey);
    Scheme {
        name: "recrypt 0.16.0, 256-bit".into(),
        beside: "S704",
        capsule_bytes: bytes(&capsule),
        reencrypted_bytes: Some(bytes(&moved)),
        // The library has no wire form: what it signs, and the signature.
        rekey_bytes: Some(rekey.to_bytes().len() + rekey.signature().bytes().len()),
        keys: 1,
        security: Security {
            // A BN curve over 256 bits, since the tower number field sieve.
            classical_bits: 100,
            notion: "CCA claimed".into(),
            post_quantum: false,
        },
        heavy: None,
        opens: {
            let parties = parties.clone();
            Box::new(move || parties.opens())
        },
        works: vec![
            (Operation::KeyGen, {
                let parties = parties.clone();
                Work::repeated(move || parties.api.generate_key_pair())
            }),
            (Operation::Encapsulate, {
                let parties = parties.clone();
                Work::repeated(move || parties.encapsulate())
            }),
            (Operation::ReKey, {
                let parties = parties.clone();
                Work::repeated(move || parties.rekey())
            }),
            (Operation::Reencrypt, {
                let parties = parties.clone();
                Work::repeated(move || parties.reencrypt(&capsule, &rekey))
            }),
            (Operation::Decapsulate, Work::repeated(move || parties.decapsulate(&moved))),
        ],
    }
}

/// The parts of a capsule, end to end; the library has no wire form.
fn bytes(capsule: &EncryptedValue) -> usize {
    let point = PublicKey::ENCODED_SIZE_BYTES;
    match capsule {
        EncryptedValue::EncryptedOnceValue {
            encrypted_message,
            auth_hash,
            public_signing_key,
            signature,
            ..
        } => {
            point
                + encrypted_message.bytes().len()
                + auth_hash.bytes().len()
                + public_signing_key.bytes().len()
                + signature.bytes().len()
        }
        EncryptedValue::TransformedValue {
            encrypted_message,
            auth_hash,
            transform_blocks,
            public_signing_key,
            signature,
            ..
        } => {
            let block = transform_blocks.first();
            let blocks = 2 * point
                + block.encrypted_temp_key().bytes().len()
                + block.encrypted_random_transform_temp_key().bytes().len();
            point
                + encrypted_message.bytes().len()
                + auth_hash.bytes().len()
                + blocks
                + public_signing_key.bytes().len()
                + signature.bytes().len()
        }
    }
}
