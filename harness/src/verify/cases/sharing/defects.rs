//! The two defects of the paper's section, shown: its key does not decrypt, and it names its reader.
//! [PRE-2] [PRE-9]

use mdsm_core::codec::Wire as _;
use mdsm_core::reencryption::{Offer, ReKey, Set, SpentOffers, Variant, generate};
use mdsm_core::types::Digest;

use super::super::super::world::World;
use super::super::{Check, Fault, hold, text};
use super::answers::bytes;
use crate::rules::lattice::printed;
use crate::rules::lattice::scheme::{decrypted_bits, encaps, key_gen};
use crate::rules::lattice::shape::SHAPES;
use crate::rules::privacy::named_by;

/// Capsules that go through the printed key, 256 bits each.
const CAPSULES: usize = 4;
/// Public keys that everybody knows.
const READERS: usize = 8;

pub(super) fn printed_key(world: &World) -> Check {
    let mut draw = world.seed.stream("verify/sharing/printed-key");
    let shape = SHAPES.iter().find(|shape| shape.number == Set::S704 as u8);
    let shape = shape.ok_or("the rules know no set S704")?;
    let [owner, reader] = [(); 2].map(|()| key_gen(shape, &bytes(&mut draw)));
    let [owner_public, reader_public] = [owner.public(), reader.public()];
    let key = printed::Key::new((&owner, &reader), &bytes(&mut draw));
    let [mut fresh, mut after] = [0usize; 2];
    for _ in 0..CAPSULES {
        let message = bytes(&mut draw);
        let wrong = |found: Vec<bool>| {
            let bit = |place: usize| message[place / 8] >> (place % 8) & 1 == 1;
            found.iter().enumerate().filter(|(place, found)| **found != bit(*place)).count()
        };
        let (capsule, _) = encaps(shape, &owner_public, &bytes(&mut draw), &message);
        fresh += wrong(decrypted_bits(shape, &owner.s, &capsule.c1, &capsule.c2));
        let (c1, c2) = key.re_encrypt(&reader_public, &bytes(&mut draw), &capsule);
        after += wrong(decrypted_bits(shape, &reader.s, &c1, &c2));
    }
    let bits = 256 * CAPSULES;
    hold(fresh == 0, || format!("{fresh} of {bits} bits are wrong before re-encryption"))?;
    // 1,024 fair coins leave this range once in 10^10 runs.
    hold((bits * 2 / 5..=bits * 3 / 5).contains(&after), || {
        format!("{after} of {bits} bits are wrong after it: not about half")
    })?;
    Ok(format!("{after} of {bits} bits wrong after re-encryption, none before"))
}

pub(super) fn named_reader(world: &World) -> Check {
    let mut draw = world.seed.stream("verify/sharing/named-reader");
    let owner = generate(Set::Toy16, &bytes(&mut draw));
    let readers: Vec<_> = (0..READERS).map(|_| generate(Set::Toy16, &bytes(&mut draw))).collect();
    let public_keys: Vec<Vec<u8>> = readers.iter().map(|(_, public)| public.to_bytes()).collect();
    let mut key = |reader: usize, variant: Variant| -> Result<Vec<u8>, Fault> {
        let offer = Offer::new(&readers[reader].0, owner.1.digest(), variant, &bytes(&mut draw));
        let grant = Digest::new(bytes(&mut draw));
        let key: ReKey =
            offer.accept(&owner.0, grant, &mut SpentOffers::default()).map_err(text)?;
        Ok(key.to_bytes())
    };
    for reader in 0..READERS {
        let named = named_by(&key(reader, Variant::Public)?, &public_keys);
        hold(named == [reader], || format!("key of reader {reader}: {named:?} are named"))?;
        let named = named_by(&key(reader, Variant::KeyPrivate)?, &public_keys);
        hold(named.is_empty(), || format!("private key of reader {reader}: {named:?} are named"))?;
    }
    Ok(format!("{READERS} of {READERS} readers named by their keys, none by a private one"))
}
