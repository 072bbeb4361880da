//! Ours, in the sets that the peers are compared with.
//!
//! Signatures and parcels around the algorithms are left out, as they are for the peers. A re-encryption
//! goes from bytes to bytes: decode, compare the digest with the one that was approved, draw coins,
//! multiply, encode. `ReencryptAdmitted` has the digests compared beforehand. `Decapsulate`
//! includes that the reader seals again and compares; `DecapsulateBare` only decrypts.

use mdsm_core::codec::Wire as _;
use mdsm_core::crypto::sign::SigningKey;
use mdsm_core::reencryption::{
    Admission, Admitted, Capsule, Message, Offer, ProxySecret, PublicKey, ReKey, SecretKey, Set,
    SpentOffers, Variant, WarmKey, approve, bare, encapsulate, generate, open,
};
use mdsm_core::types::{Digest, KeyId};

use super::scheme::{BATCH, Heavy, Operation, Scheme, Security};
use crate::turns::Work;

/// The default first.
pub(super) fn schemes() -> Vec<Scheme> {
    vec![
        scheme(Set::S704, "CPA"),
        scheme(Set::S976, "CPA"),
        scheme(Set::S1344, "CPA"),
        scheme(Set::H1152, "HRA heuristic"),
    ]
}

struct Parties {
    owner: (SecretKey, PublicKey),
    reader: (SecretKey, PublicKey),
    signer: SigningKey,
    proxy: ProxySecret,
}

impl Parties {
    fn new(set: Set) -> Self {
        Self {
            owner: generate(set, &[1; 32]),
            reader: generate(set, &[2; 32]),
            signer: SigningKey::from_seed(&[3; 32]),
            proxy: ProxySecret::new([4; 32]),
        }
    }

    fn encapsulate(&self) -> Capsule {
        encapsulate(&self.owner.1, KeyId::new([5; 32]), &Message::new(KEY)).0
    }

    fn admission(&self, capsule: &Capsule) -> Admission {
        let owner = (&self.owner.0, &self.owner.1);
        let (approval, _) = approve(owner, capsule, &self.signer).expect("the owner sealed it");
        let admission = approval.check(&self.signer.owner(), self.owner.1.digest());
        admission.expect("the owner approved it")
    }

    fn rekey(&self) -> ReKey {
        let owner = self.owner.1.digest();
        let offer = Offer::new(&self.reader.0, owner, Variant::Public, &[6; 32]);
        let grant = Digest::new([7; 32]);
        let rekey = offer.accept(&self.owner.0, grant, &mut SpentOffers::default());
        rekey.expect("the offer is to this owner, and new")
    }

    fn warm<'a>(&'a self, rekey: &'a ReKey) -> WarmKey<'a> {
        WarmKey::new(rekey, Some(&self.reader.1)).expect("the key is this reader's")
    }

    fn cold<'a>(&'a self, rekey: &'a ReKey) -> WarmKey<'a> {
        WarmKey::cold(rekey, Some(&self.reader.1)).expect("the key is this reader's")
    }

    fn reencrypt(&self, key: &WarmKey<'_>, stored: &Stored, count: usize) -> Vec<Vec<u8>> {
        let admitted: Vec<Admitted> = (0..count).map(|_| stored.admitted()).collect();
        self.reencrypt_admitted(key, &admitted)
    }

    fn reencrypt_admitted(&self, key: &WarmKey<'_>, admitted: &[Admitted]) -> Vec<Vec<u8>> {
        let capsules = key.reencrypt_all(&self.proxy, admitted).expect("fresh ones of this owner");
        capsules.iter().map(Capsule::to_bytes).collect()
    }

    fn open(&self, original: &Capsule, received: &Capsule) -> bool {
        open(&self.reader.0, &self.owner.1, original, received).is_ok()
    }

    fn opens(&self) -> bool {
        let (original, rekey) = (self.encapsulate(), self.rekey());
        let stored = Stored::new(self, &original);
        let received = self.reencrypt(&self.warm(&rekey), &stored, 1);
        let received = Capsule::from_bytes(&received[0]).expect("a capsule");
        let message = bare::decrypt(&self.reader.0, &received);
        message.as_bytes() == &KEY && self.open(&original, &received)
    }
}

/// A capsule as it lies in a store, and that it may be re-encrypted.
struct Stored {
    bytes: Vec<u8>,
    admission: Admission,
}

impl Stored {
    fn new(parties: &Parties, capsule: &Capsule) -> Self {
        Self { bytes: capsule.to_bytes(), admission: parties.admission(capsule) }
    }

    fn admitted(&self) -> Admitted {
        let capsule = Capsule::from_bytes(&self.bytes).expect("a capsule");
        self.admission.admit(capsule).expect("the one that was approved")
    }
}

fn scheme(set: Set, notion: &str) -> Scheme {
    let parameters = set.parameters();
    // They live as long as the process: a warm key borrows from both.
    let parties: &'static Parties = Box::leak(Box::new(Parties::new(set)));
    let rekey: &'static ReKey = Box::leak(Box::new(parties.rekey()));
    let (warm, cold) = (parties.warm(rekey), parties.cold(rekey));
    let capsule = parties.encapsulate();
    let stored: &'static Stored = Box::leak(Box::new(Stored::new(parties, &capsule)));
    let batch = vec![stored.admitted(); BATCH as usize];
    let received = Capsule::from_bytes(&parties.reencrypt(&warm, stored, 1)[0]).expect("a capsule");
    let rows = parameters.digit_rows() + parameters.dimension;
    let words = rows * parameters.capsule_words();
    let [capsule_bytes, reencrypted_bytes] = [&capsule, &received].map(|it| it.to_bytes().len());
    let [bare_received, open_received] = [received.clone(), received];
    let [all, admitted] = [parties.warm(rekey), parties.warm(rekey)];
    Scheme {
        name: parameters.name.into(),
        beside: parameters.name,
        capsule_bytes,
        reencrypted_bytes: Some(reencrypted_bytes),
        rekey_bytes: Some(rekey.to_bytes().len()),
        keys: 1,
        security: Security {
            classical_bits: u16::try_from(parameters.core_svp.0).expect("bits are few"),
            notion: notion.into(),
            post_quantum: true,
        },
        // Modulo 2^24 a multiply-add is several of the limit's, so only 2^16 is held against it.
        heavy: (set != Set::H1152)
            .then_some(Heavy { multiply_adds: words as u64, key_bytes: 2 * words }),
        opens: Box::new(|| parties.opens()),
        works: vec![
            (Operation::KeyGen, Work::repeated(move || generate(set, &[8; 32]))),
            (Operation::Encapsulate, Work::repeated(|| parties.encapsulate())),
            (Operation::ReKey, Work::repeated(|| parties.rekey())),
            (Operation::Reencrypt, Work::repeated(move || parties.reencrypt(&warm, stored, 1))),
            (Operation::ReencryptCold, Work::repeated(move || parties.reencrypt(&cold, stored, 1))),
            (
                Operation::ReencryptBatch,
                Work::repeated(move || parties.reencrypt(&all, stored, BATCH as usize)),
            ),
            (
                Operation::ReencryptAdmitted,
                Work::repeated(move || {
                    for _ in &batch {
                        std::hint::black_box(Capsule::from_bytes(&stored.bytes)).ok();
                    }
                    parties.reencrypt_admitted(&admitted, &batch)
                }),
            ),
            (
                Operation::Decapsulate,
                Work::repeated(move || parties.open(&capsule, &open_received)),
            ),
            (
                Operation::DecapsulateBare,
                Work::repeated(move || bare::decrypt(&parties.reader.0, &bare_received)),
            ),
        ],
    }
}

const KEY: [u8; 32] = [0xa5; 32];
