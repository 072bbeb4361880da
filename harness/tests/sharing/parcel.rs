//! Key material on its way: for one receiver, from one sender, for one purpose, unchanged or not at all.

use mdsm_core::codec::{DecodeErrorKind, Wire};
use mdsm_core::reencryption::{
    Offer, Parcel, ParcelError, ParcelKey, ParcelPublicKey, Purpose, ReKey, Set, Variant,
};
use mdsm_core::types::Digest;

use super::scene::Party;

struct Sent {
    parcel: Parcel,
    receiver: ParcelKey,
    sender: Party,
    offer: Vec<u8>,
}

fn sent() -> Sent {
    let [owner, sender] = [1, 2].map(|number| Party::new(Set::Toy16, number));
    let receiver = ParcelKey::from_seed(&[8; 32]);
    let offer = Offer::new(&sender.secret, owner.name(), Variant::Public, &[4; 32]);
    let sealed = Parcel::seal(Purpose::Offer, &offer, &sender.signing, receiver.public(), [9; 32]);
    Sent { parcel: sealed.unwrap(), receiver, sender, offer: offer.to_bytes() }
}

impl Sent {
    fn open(&self, parcel: &Parcel) -> Result<Vec<u8>, ParcelError> {
        let opened: Result<Offer, _> =
            parcel.open(Purpose::Offer, &self.sender.signing.owner(), &self.receiver);
        opened.map(|offer| offer.to_bytes())
    }
}

#[test]
fn pre_3_5_a_parcel_opens_for_its_receiver_only() {
    //= harness/spec/reencryption.md#pre-3-request-and-grant
    //= type=test
    //# PRE-3.5 (ours): Key material between two parties MUST travel encrypted and authenticated
    //# to its receiver.
    let sent = sent();
    let bytes = sent.parcel.to_bytes();
    assert_eq!(sent.open(&Parcel::from_bytes(&bytes).unwrap()), Ok(sent.offer.clone()));
    // Encrypted: no 16 bytes of what it holds stand in it. Of one seed one parcel, of another another.
    let held: std::collections::HashSet<&[u8]> = sent.offer.windows(16).collect();
    assert!(bytes.windows(16).all(|window| !held.contains(window)));

    let owner = sent.sender.signing.owner();
    let another =
        |sender, receiver| ParcelError::Another { purpose: Purpose::Offer, sender, receiver };
    let receiver = sent.receiver.public().digest();
    let wrong: Result<Offer, _> =
        sent.parcel.open(Purpose::Offer, &owner, &ParcelKey::from_seed(&[7; 32]));
    assert_eq!(wrong.unwrap_err(), another(owner, receiver));
    let stranger = Party::new(Set::Toy16, 3).signing;
    let wrong: Result<Offer, _> =
        sent.parcel.open(Purpose::Offer, &stranger.owner(), &sent.receiver);
    assert_eq!(wrong.unwrap_err(), another(owner, receiver));
    let wrong: Result<ReKey, _> = sent.parcel.open(Purpose::ReKey, &owner, &sent.receiver);
    assert_eq!(wrong.unwrap_err(), another(owner, receiver));
    // With the envelope rewritten to match, the signature does not.
    let other = ParcelKey::from_seed(&[7; 32]);
    let mut rewritten = sent.parcel.clone();
    rewritten.receiver = other.public().digest();
    let wrong: Result<Offer, _> = rewritten.open(Purpose::Offer, &owner, &other);
    assert_eq!(wrong.unwrap_err(), ParcelError::Signature);
    let mut rewritten = sent.parcel.clone();
    rewritten.sender = stranger.owner();
    let wrong: Result<Offer, _> = rewritten.open(Purpose::Offer, &stranger.owner(), &sent.receiver);
    assert_eq!(wrong.unwrap_err(), ParcelError::Signature);
    let mut rewritten = sent.parcel.clone();
    rewritten.purpose = Purpose::ReKey;
    let wrong: Result<ReKey, _> = rewritten.open(Purpose::ReKey, &owner, &sent.receiver);
    assert_eq!(wrong.unwrap_err(), ParcelError::Signature);
    // Signed anew by a thief who puts its own name on it, the seal does not open.
    let stolen = resigned(&sent.parcel, &stranger, |_| {});
    let wrong: Result<Offer, _> = stolen.open(Purpose::Offer, &stranger.owner(), &sent.receiver);
    assert_eq!(wrong.unwrap_err(), ParcelError::Seal);
}

/// Where the parts of a parcel with a Toy16 offer begin, in its encoding.
const ENCAPSULATED: usize = 5 + 1 + 32 + 32 + 4;
const SEALED: usize = ENCAPSULATED + 1_120 + 4;

/// The parcel with other bytes, under a signature by `signing` in its own name.
fn resigned(
    parcel: &Parcel,
    signing: &mdsm_core::crypto::sign::SigningKey,
    change: impl Fn(&mut Vec<u8>),
) -> Parcel {
    let mut bytes = parcel.to_bytes();
    bytes[6..38].copy_from_slice(signing.owner().as_bytes());
    change(&mut bytes);
    let end = bytes.len() - 64;
    let content = mdsm_core::crypto::sha256_parts(&[
        &bytes[ENCAPSULATED..ENCAPSULATED + 1_120],
        &bytes[SEALED..end],
    ]);
    let label = [&b"MPCS\x01MPCL\x01"[..], &bytes[5..70]].concat();
    let signature = signing.sign(&[&label[..], content.as_bytes()].concat());
    bytes[end..].copy_from_slice(signature.as_bytes());
    Parcel::from_bytes(&bytes).unwrap()
}

#[test]
fn a_parcel_with_any_byte_changed_is_refused() {
    let sent = sent();
    let bytes = sent.parcel.to_bytes();
    // A signature costs 100 us: every byte of the head and the ends, and every 13th in between.
    let near =
        |at: usize| at < ENCAPSULATED + 4 || at.abs_diff(SEALED) < 24 || bytes.len() - at < 90;
    for at in (0..bytes.len()).filter(|at| near(*at) || at % 13 == 0) {
        let mut changed = bytes.clone();
        changed[at] ^= 0x20;
        if let Ok(parcel) = Parcel::from_bytes(&changed) {
            let error = sent.open(&parcel).unwrap_err();
            let named = matches!(error, ParcelError::Another { .. } | ParcelError::Signature);
            assert!(named, "byte {at}: {error}");
        }
    }
    // A sender that signs nonsense gets no further: encapsulation, payload, tag.
    for at in [ENCAPSULATED, ENCAPSULATED + 1_119, SEALED, SEALED + 99, bytes.len() - 65] {
        let parcel = resigned(&sent.parcel, &sent.sender.signing, |bytes| bytes[at] ^= 1);
        assert_eq!(sent.open(&parcel), Err(ParcelError::Seal), "byte {at}");
    }
}

#[test]
fn a_parcel_that_holds_something_else_is_refused() {
    let sent = sent();
    let owner = sent.sender.signing.owner();
    // Sealed as an offer, and it is none: said by the decoder, with field and byte.
    let (capsule, _) = sent.sender.capsule(1);
    let parcel = Parcel::seal(
        Purpose::Offer,
        &capsule,
        &sent.sender.signing,
        sent.receiver.public(),
        [9; 32],
    );
    let Err(ParcelError::Content(error)) = sent.open(&parcel.unwrap()) else { panic!("a refusal") };
    let tag = DecodeErrorKind::Tag { found: *b"MCAP", expected: *b"MOFF" };
    assert_eq!((error.field(), error.offset, error.kind), ("Offer".to_owned(), 0, tag));
    // The right value under the wrong purpose opens as what it was sealed for only.
    let offer = Offer::from_bytes(&sent.offer).unwrap();
    let parcel =
        Parcel::seal(Purpose::ReKey, &offer, &sent.sender.signing, sent.receiver.public(), [9; 32]);
    let parcel = parcel.unwrap();
    assert!(matches!(
        sent.open(&parcel),
        Err(ParcelError::Another { purpose: Purpose::ReKey, .. })
    ));
    let as_key: Result<ReKey, _> = parcel.open(Purpose::ReKey, &owner, &sent.receiver);
    assert!(matches!(as_key, Err(ParcelError::Content(_))));
}

/// Something of any size, to be sealed.
struct Bulk(usize);

impl mdsm_core::codec::Encode for Bulk {
    fn encode(&self, out: &mut Vec<u8>) {
        out.resize(out.len() + self.0, 0);
    }
}

impl mdsm_core::codec::Decode for Bulk {
    fn decode(
        reader: &mut mdsm_core::codec::Reader<'_>,
    ) -> Result<Self, mdsm_core::codec::DecodeError> {
        let left = reader.left();
        reader.take(left).map(|bytes| Self(bytes.len()))
    }
}

impl Wire for Bulk {
    const TAG: [u8; 4] = *b"BULK";
    const NAME: &'static str = "Bulk";
}

#[test]
fn a_parcel_has_a_greatest_size() {
    let sent = sent();
    let bytes_max = 8 * 1_024 * 1_024;
    let seal = |bytes| {
        let value = Bulk(bytes - 5);
        Parcel::seal(Purpose::Offer, &value, &sent.sender.signing, sent.receiver.public(), [9; 32])
    };
    let error = ParcelError::TooLarge { bytes: bytes_max + 1, bytes_max };
    assert_eq!(seal(bytes_max + 1).unwrap_err(), error);
    let largest = seal(bytes_max).unwrap();
    let opened: Bulk =
        largest.open(Purpose::Offer, &sent.sender.signing.owner(), &sent.receiver).unwrap();
    assert_eq!(opened.0, bytes_max - 5);
    // The largest that has to fit: an offer of Bits704 with fresh rows.
    let p = Set::Bits704.parameters();
    let offer = 5 + 2 + 96 + (p.digit_rows() + p.dimension) * p.columns * 2;
    assert!(offer < bytes_max, "{offer}");
}

#[test]
fn bytes_that_are_no_parcel_key_are_refused() {
    let key = ParcelKey::from_seed(&[8; 32]);
    let bytes = key.public().to_bytes();
    assert_eq!(bytes.len(), 5 + 1_216);
    assert_eq!(ParcelPublicKey::from_bytes(&bytes).unwrap(), *key.public());
    assert_ne!(key.public().digest(), Digest::new([0; 32]));
    // A coefficient that is not below 3,329.
    let mut wrong = bytes;
    wrong[5..8].fill(0xff);
    let error = ParcelPublicKey::from_bytes(&wrong).unwrap_err();
    let rule = DecodeErrorKind::Rule { rule: "an X-Wing public key" };
    assert_eq!((error.field(), error.offset, error.kind), ("ParcelPublicKey".to_owned(), 5, rule));
}
