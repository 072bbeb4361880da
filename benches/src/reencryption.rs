//! The re-encryption, algorithm by algorithm: from bytes to bytes where that is what a party does.
//! [PRE-1]
//!
//! `benches/peers` holds these times against other schemes, plain products and the machine's limits.

use mdsm_core::codec::Wire as _;
use mdsm_core::crypto::sign::SigningKey;
use mdsm_core::reencryption::{
    Admission, Admitted, Approval, Backend, Capsule, Message, Offer, ProxySecret, PublicKey, ReKey,
    SecretKey, Set, SpentOffers, Variant, WarmKey, approve, encapsulate, generate, open,
};
use mdsm_core::types::{Digest, KeyId, OwnerId};

/// Sets that are timed.
pub const SETS: [Set; 3] = [Set::S704, Set::S976, Set::S1344];
/// Capsules that are re-encrypted together.
pub const BATCHES: [usize; 4] = [1, 12, 48, 192];

const KEY_ID: KeyId = KeyId::new([5; 32]);
const GRANT: Digest = Digest::new([6; 32]);

/// Everybody's keys, and capsules of the owner as they lie in a store.
#[derive(Debug)]
pub struct Sharing {
    /// The owner's key pair.
    pub owner: (SecretKey, PublicKey),
    /// The reader's key pair.
    pub reader: (SecretKey, PublicKey),
    /// From owner to reader.
    pub rekey: ReKey,
    proxy: ProxySecret,
    signer: OwnerId,
    approvals: Vec<Approval>,
    admissions: Vec<Admission>,
    capsules: Vec<Vec<u8>>,
}

/// A message, distinct for each number.
#[must_use]
pub fn message(number: usize) -> Message {
    let mut bytes = [0xa5; 32];
    bytes[..8].copy_from_slice(&(number as u64).to_le_bytes());
    Message::new(bytes)
}

/// Keys, and so many approved capsules.
///
/// # Panics
/// Never.
#[must_use]
pub fn sharing(set: Set, capsules: usize) -> Sharing {
    let owner = generate(set, &[1; 32]);
    let reader = generate(set, &[2; 32]);
    let signing_key = SigningKey::from_seed(&[3; 32]);
    let rekey = accept(&owner.0, offer(&reader.0, &owner.1));
    let capsules = (0..capsules).map(|number| encapsulate(&owner.1, KEY_ID, &message(number)).0);
    let capsules: Vec<Capsule> = capsules.collect();
    let approve = |capsule| {
        approve((&owner.0, &owner.1), capsule, &signing_key).expect("the owner sealed it").0
    };
    let approvals: Vec<Approval> = capsules.iter().map(approve).collect();
    let signer = signing_key.owner();
    let admissions = approvals
        .iter()
        .map(|approval| approval.check(&signer, owner.1.digest()).expect("the owner approved it"));
    Sharing {
        admissions: admissions.collect(),
        capsules: capsules.iter().map(Capsule::to_bytes).collect(),
        proxy: ProxySecret::new([4; 32]),
        owner,
        reader,
        rekey,
        signer,
        approvals,
    }
}

/// The work: a key pair.
#[must_use]
pub fn key_pair(set: Set) -> (SecretKey, PublicKey) {
    generate(set, &[7; 32])
}

/// The work: a capsule for the owner.
#[must_use]
pub fn seal(sharing: &Sharing) -> Capsule {
    encapsulate(&sharing.owner.1, KEY_ID, &message(0)).0
}

/// The work: the reader's part of a re-encryption key.
#[must_use]
pub fn offer(reader: &SecretKey, owner: &PublicKey) -> Offer {
    Offer::new(reader, owner.digest(), Variant::Public, &[8; 32])
}

/// The work: the owner's part of it.
///
/// # Panics
/// Never.
#[must_use]
pub fn accept(owner: &SecretKey, offer: Offer) -> ReKey {
    offer.accept(owner, GRANT, &mut SpentOffers::default()).expect("to this owner, and new")
}

/// A key with X expanded.
///
/// # Panics
/// Never.
#[must_use]
pub fn warm(sharing: &Sharing, backend: Backend) -> WarmKey<'_> {
    let key = WarmKey::new(&sharing.rekey, Some(&sharing.reader.1));
    key.expect("the key is this reader's").on(backend)
}

/// A key whose X stays a seed.
///
/// # Panics
/// Never.
#[must_use]
pub fn cold(sharing: &Sharing) -> WarmKey<'_> {
    WarmKey::cold(&sharing.rekey, Some(&sharing.reader.1)).expect("the key is this reader's")
}

/// The work: signatures under which capsules may be re-encrypted at all.
#[must_use]
pub fn check_approvals(sharing: &Sharing) -> bool {
    let key = sharing.owner.1.digest();
    sharing.approvals.iter().all(|approval| approval.check(&sharing.signer, key).is_ok())
}

/// The work: capsules from the bytes in the store, compared with the digests that were approved.
///
/// # Panics
/// Never.
#[must_use]
pub fn admit(sharing: &Sharing) -> Vec<Admitted> {
    let capsules = sharing.capsules.iter().zip(&sharing.admissions);
    let admitted = capsules.map(|(bytes, admission)| {
        let capsule = Capsule::from_bytes(bytes).expect("a capsule's encoding");
        admission.admit(capsule).expect("the capsule that was approved")
    });
    admitted.collect()
}

/// The work: all capsules, from bytes to bytes.
///
/// # Panics
/// Never.
#[must_use]
pub fn reencrypt(sharing: &Sharing, key: &WarmKey<'_>) -> Vec<Vec<u8>> {
    let capsules = key.reencrypt_all(&sharing.proxy, &admit(sharing));
    capsules.expect("fresh capsules of this owner").iter().map(Capsule::to_bytes).collect()
}

/// The first capsule and what the proxy makes of it.
///
/// # Panics
/// Never.
#[must_use]
pub fn delivered(sharing: &Sharing) -> (Capsule, Capsule) {
    let original = Capsule::from_bytes(&sharing.capsules[0]).expect("a capsule's encoding");
    let received = &reencrypt(sharing, &warm(sharing, Backend::detect()))[0];
    (original, Capsule::from_bytes(received).expect("a capsule's encoding"))
}

/// The work: the reader decrypts, seals again for the owner, and compares.
#[must_use]
pub fn unseal(sharing: &Sharing, (original, received): &(Capsule, Capsule)) -> bool {
    open(&sharing.reader.0, &sharing.owner.1, original, received).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workloads_do_their_work() {
        for set in SETS {
            let sharing = sharing(set, 3);
            assert!(check_approvals(&sharing));
            let expected = reencrypt(&sharing, &warm(&sharing, Backend::detect()));
            assert_eq!(expected.len(), 3);
            for backend in Backend::available() {
                assert_eq!(reencrypt(&sharing, &warm(&sharing, backend)), expected, "{backend:?}");
            }
            assert_eq!(reencrypt(&sharing, &cold(&sharing)), expected);
            assert!(unseal(&sharing, &delivered(&sharing)));
            assert_eq!(key_pair(set).1.set(), set);
            assert_eq!(seal(&sharing).to_bytes(), sharing.capsules[0]);
        }
    }
}
