//! Random values of what travels when a file is shared, valid for a decoder, and encodings of them
//! with one fault each. [PRE-1] [PRE-3]
//!
//! Of set Toy16, whose keys have some KB; now and then of another set where the scale is full.

use rand_chacha::rand_core::Rng;

use super::spoil::{Push, replaced};
use super::values::Scale;
use crate::rules::mirror::{
    Approval, Approvals, Capsule, Delivery, KeyRecord, Offer, Parcel, ParcelPublicKey, PublicKey,
    ReKey, SpentOffers,
};
use crate::rules::sharing::{capsule_bytes, key_bytes, rows_bytes, shape};
use crate::rules::wire::{Mirror, WireKind};
use crate::seed::Draw;

/// A valid value of a kind that belongs to sharing.
///
/// # Panics
/// For any other kind.
pub(super) fn value(kind: WireKind, scale: Scale, draw: &mut impl Rng) -> Mirror {
    let mut values = Values { draw };
    match kind {
        WireKind::PublicKey => {
            let set = values.set(scale);
            PublicKey { set, words: values.words(key_bytes(set)) }.into()
        }
        WireKind::Capsule => values.capsule(scale).into(),
        WireKind::Offer => {
            let (set, variant) = (values.set(scale), values.below(2));
            let [owner, reader, seed] = values.names();
            let words = values.words(rows_bytes(set, variant));
            Offer { set, variant, owner, reader, seed, words }.into()
        }
        WireKind::ReKey => {
            let (set, variant, grant) = (values.set(scale), values.below(2), values.bytes());
            let [owner, reader, seed] = values.names();
            let words = values.words(rows_bytes(set, variant));
            ReKey { set, variant, grant, owner, reader, seed, words }.into()
        }
        WireKind::Approval => values.approval().into(),
        WireKind::Approvals => values.approvals(scale).into(),
        WireKind::KeyRecord => {
            KeyRecord { lattice: values.bytes(), parcels: values.bytes() }.into()
        }
        WireKind::Delivery => {
            let [grant, before, proxy] = values.names();
            let (capsule, signature) = (values.capsule(scale), values.bytes());
            Delivery { grant, before, capsule, proxy, signature }.into()
        }
        WireKind::SpentOffers => {
            let count = values.draw.below(if scale == Scale::Small { 6 } else { 400 });
            let mut offers: Vec<_> = (0..count).map(|_| values.bytes()).collect();
            offers.sort_unstable();
            SpentOffers { offers }.into()
        }
        WireKind::Parcel => values.parcel(scale).into(),
        WireKind::ParcelPublicKey => values.parcel_public_key().into(),
        other => panic!("{other} has nothing to do with sharing"),
    }
}

struct Values<'a, R> {
    draw: &'a mut R,
}

impl<R: Rng> Values<'_, R> {
    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.draw.fill_bytes(&mut bytes);
        bytes
    }

    fn names(&mut self) -> [[u8; 32]; 3] {
        [(); 3].map(|()| self.bytes())
    }

    fn below(&mut self, bound: u32) -> u8 {
        u8::try_from(self.draw.below(bound)).expect("a small bound")
    }

    fn set(&mut self, scale: Scale) -> u8 {
        if scale == Scale::Full && self.draw.chance(1, 8) { self.below(8) } else { 0 }
    }

    fn words(&mut self, bytes: Option<usize>) -> Vec<u8> {
        let mut words = vec![0; bytes.expect("a set and a variant that exist")];
        self.draw.fill_bytes(&mut words);
        words
    }

    fn capsule(&mut self, scale: Scale) -> Capsule {
        let set = self.set(scale);
        let hops_max = shape(set).expect("a set that exists").hops_max;
        let hop = self.below(u32::from(hops_max) + 1);
        let [key_id, owner, holder] = self.names();
        Capsule { set, hop, key_id, owner, holder, words: self.words(capsule_bytes(set)) }
    }

    fn approval(&mut self) -> Approval {
        let [capsule, key, owner] = self.names();
        Approval { capsule, key, owner, signature: self.bytes() }
    }

    fn approvals(&mut self, scale: Scale) -> Approvals {
        let most = if scale == Scale::Small { 3 } else { 64 };
        let count = if self.draw.chance(1, 4) { most } else { self.draw.between(1, most) };
        let mut approvals: Vec<_> = (0..count).map(|_| self.approval()).collect();
        approvals.sort_unstable_by_key(|approval| approval.capsule);
        Approvals { approvals }
    }

    fn parcel(&mut self, scale: Scale) -> Parcel {
        let sealed = if scale == Scale::Small { 40 } else { 5_000 };
        let sealed = usize::try_from(self.draw.below(sealed)).expect("a small number");
        let (purpose, [sender, receiver, _]) = (self.below(2) + 1, self.names());
        let (encapsulated, sealed) = (self.words(Some(1_120)), self.words(Some(16 + sealed)));
        Parcel { purpose, sender, receiver, encapsulated, sealed, signature: self.bytes() }
    }

    fn parcel_public_key(&mut self) -> ParcelPublicKey {
        let mut key: [u8; 1_216] = self.bytes();
        for three in key[..1_152].chunks_mut(3) {
            let (low, high) = (self.draw.below(3_329), self.draw.below(3_329));
            three.copy_from_slice(&(low | high << 12).to_le_bytes()[..3]);
        }
        ParcelPublicKey { key: Box::new(key) }
    }
}

/// Numbers that stand for nothing, lengths that are not those of the set, lists out of order.
pub(super) fn marked(sound: &Mirror, push: Push<'_>) {
    let bytes = sound.encode();
    let with = |at: usize, by: &[u8]| replaced(&bytes, at, by);
    match sound {
        Mirror::PublicKey(_) => {
            push("set-9", with(5, &[9]));
            push("set-of-another-length", with(5, &[1]));
        }
        Mirror::Capsule(_) => {
            push("set-9", with(5, &[9]));
            push("set-of-another-length", with(5, &[5]));
            push("hop-3", with(6, &[3]));
            push("hop-255", with(6, &[255]));
        }
        Mirror::Offer(_) | Mirror::ReKey(_) => {
            push("set-9", with(5, &[9]));
            push("set-of-another-length", with(5, &[8]));
            push("variant-2", with(6, &[2]));
            push("variant-of-another-length", with(6, &[bytes[6] ^ 1]));
        }
        Mirror::Delivery(_) => {
            push("set-9", with(69, &[9]));
            push("set-of-another-length", with(69, &[1]));
            push("hop-3", with(70, &[3]));
        }
        Mirror::SpentOffers(_) => {
            let of = |offers: Vec<_>| Mirror::from(SpentOffers { offers }).encode();
            push("list-unsorted", of(vec![[2; 32], [1; 32]]));
            push("list-duplicate", of(vec![[1; 32], [1; 32]]));
            push("list-unsorted-at-the-end", of(vec![[1; 32], [3; 32], [2; 32]]));
            push("list-count-max", with(5, &[0xff; 4]));
            push("list-count-above-limit", with(5, &0x10_0001_u32.to_le_bytes()));
            push("list-count-one-more", [&bytes[..5], &[1, 0, 0, 0], &[7; 31]].concat());
        }
        Mirror::Approvals(Approvals { approvals }) => {
            let of = |capsules: Vec<u8>| {
                let of_one = |byte| Approval { capsule: [byte; 32], ..approvals[0].clone() };
                let approvals = capsules.into_iter().map(of_one).collect();
                Mirror::from(Approvals { approvals }).encode()
            };
            push("list-unsorted", of(vec![2, 1]));
            push("list-duplicate", of(vec![1, 1]));
            push("list-unsorted-at-the-end", of(vec![1, 3, 2]));
            push("list-empty", of(vec![]));
            push("list-above-limit", of((1..=65).collect()));
            push("list-count-max", with(5, &[0xff; 4]));
            push("list-count-above-limit", with(5, &65_u32.to_le_bytes()));
        }
        Mirror::Parcel(parcel) => {
            let of = |encapsulated: usize, sealed: usize| {
                let (encapsulated, sealed) = (vec![1; encapsulated], vec![1; sealed]);
                Mirror::from(Parcel { encapsulated, sealed, ..parcel.clone() }).encode()
            };
            push("purpose-0", with(5, &[0]));
            push("purpose-3", with(5, &[3]));
            push("encapsulated-1119", of(1_119, 16));
            push("encapsulated-1121", of(1_121, 16));
            push("sealed-15", of(1_120, 15));
            push("sealed-count-max", with(1_194, &[0xff; 4]));
            push("sealed-count-above-limit", with(1_194, &8_388_625_u32.to_le_bytes()));
        }
        Mirror::ParcelPublicKey(_) => {
            push("coefficient-3329", with(5, &[0x01, 0x0d]));
            push("last-coefficient-4095", with(1_155, &[0xff, 0xff]));
        }
        _ => {}
    }
}
