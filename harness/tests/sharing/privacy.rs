//! A key that holds the reader's public key names the reader; one that holds fresh rows does not.

use harness::rules::privacy::{named_by, words_of};
use mdsm_core::codec::Wire as _;
use mdsm_core::reencryption::{Offer, Set, Variant, WarmKey, bare};
use mdsm_core::types::Digest;

use super::scene::{Party, one_hop, proxy};

fn readers() -> Vec<Party> {
    (2..8).map(|number| Party::new(Set::Toy16, number)).collect()
}

fn public_keys(readers: &[Party]) -> Vec<Vec<u8>> {
    readers.iter().map(|reader| reader.public.to_bytes()).collect()
}

/// The key as the paper prints it: [[ X, -X S_B + E + S_A ], [ A, P_B ]], row by row. Of A, which is
/// everybody's, any words will do.
fn printed(owner: &Party, reader: &Party, coins: u8) -> Vec<u8> {
    let offer = Offer::new(&reader.secret, owner.name(), Variant::Public, &[coins; 32]);
    let (u, secret) = (bare::offer_words(&offer), bare::secret_words(&owner.secret));
    let x = bare::offer_uniform(&owner.grant(reader, Variant::Public, coins));
    let low = |words: &mut dyn Iterator<Item = u32>| {
        words.flat_map(|word| word.to_le_bytes()[..2].to_vec()).collect::<Vec<u8>>()
    };
    let public = reader.public.to_bytes();
    let mut key = Vec::new();
    for row in 0..16 {
        key.extend(low(&mut x.row(row).iter().copied()));
        let pairs = u.row(row).into_iter().zip(secret.row(row));
        key.extend(low(&mut pairs.map(|(u, secret)| u.wrapping_add(*secret))));
    }
    for row in words_of(&public).chunks(128) {
        key.extend([0x5a; 32]);
        key.extend(row);
    }
    key
}

#[test]
fn pre_9_1_a_printed_key_names_its_reader() {
    //= harness/spec/reencryption.md#pre-9-defect-key-privacy
    //= type=test
    //# PRE-9.1 (ours): The harness MUST show a distinguisher that names the reader of a printed
    //# re-encryption key from the public keys alone.
    let owner = Party::new(Set::Toy16, 1);
    let readers = readers();
    let keys = public_keys(&readers);
    for (number, reader) in readers.iter().enumerate() {
        let key = printed(&owner, reader, 4);
        assert_eq!(named_by(&key, &keys), [number]);
        // Its rows alone do, and without them it is silent: they are what betrays.
        assert_eq!(named_by(&key[16 * 160..], &keys), [number]);
        assert_eq!(named_by(&key[..16 * 160], &keys), [0usize; 0]);
    }
}

#[test]
fn pre_9_3_nothing_is_claimed_for_a_key_that_names_its_reader() {
    //= harness/spec/reencryption.md#pre-9-defect-key-privacy
    //= type=test
    //# PRE-9.3 (ours): The reference MUST NOT claim key privacy for a re-encryption key that holds the
    //# reader's public key.
    // The key of variant Public says who reads, to whoever sees it and in its own words,
    let owner = Party::new(Set::Toy16, 1);
    let readers = readers();
    let keys = public_keys(&readers);
    for (number, reader) in readers.iter().enumerate() {
        let key = owner.grant(reader, Variant::Public, 4);
        assert_eq!(named_by(&key.to_bytes(), &keys), [number]);
        assert!(format!("{key:?}").contains(&reader.name().to_string()));
    }
    // and its documentation says so, and nowhere else more.
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let read = |path: &str| std::fs::read_to_string(format!("{root}/{path}")).unwrap();
    let set = read("mdsm-core/src/reencryption/set.rs");
    let before = set.split("Public = 0").next().unwrap();
    let doc = before.lines().rev().find(|line| line.trim_start().starts_with("///")).unwrap();
    assert!(doc.contains("knows the reader"), "{doc}");
    for path in ["README.md", "mdsm-core/ARCHITECTURE.md", "mdsm-core/src/reencryption/rekey.rs"] {
        let text = read(path).to_lowercase();
        assert!(!text.contains("key-private") && !text.contains("key privacy"), "{path}");
    }
}

#[test]
fn pre_9_2_a_key_private_key_holds_no_public_key() {
    //= harness/spec/reencryption.md#pre-9-defect-key-privacy
    //= type=test
    //# PRE-9.2 (ours): A variant MUST be offered whose re-encryption key holds no public key, with
    //# fresh rows ( X', -X' S_B + E' ) in the place of ( A, P_B ).
    let owner = Party::new(Set::Toy16, 1);
    let readers = readers();
    let keys = public_keys(&readers);
    for reader in &readers {
        let key = owner.grant(reader, Variant::KeyPrivate, 4);
        assert_eq!(named_by(&key.to_bytes(), &keys), [0usize; 0]);
        assert!(!format!("{key:?}").contains(&reader.name().to_string()));
        // What it makes of a capsule names nobody either, and is the reader's.
        let (capsule, _) = owner.capsule(1);
        let warm = WarmKey::new(&key, None).unwrap();
        let received = warm.reencrypt(&proxy(), &owner.admitted(&capsule)).unwrap();
        assert_eq!(named_by(&received.to_bytes(), &keys), [0usize; 0]);
        assert_ne!(named_by(&one_hop(&owner, reader, &capsule).to_bytes(), &keys), [0usize; 0]);
        let opened = mdsm_core::reencryption::open;
        assert!(opened(&reader.secret, &owner.public, &capsule, &received).is_ok());
        // The rows are fresh: (l + 1) n of them, each of X and each of U another than in all before, and
        // zero under the reader's key but for short noise.
        let (x, q) = (bare::offer_uniform(&key), bare::rekey_words(&key));
        assert_eq!((x.dim(), q.dim()), ((64, 16), (64, 64)));
        let secret = bare::secret_words(&reader.secret);
        for row in 48..64 {
            for column in 0..64 {
                let products = x.row(row).into_iter().zip(secret.column(column));
                let sum = products.fold(q[[row, column]], |sum, (x, secret)| {
                    sum.wrapping_add(x.wrapping_mul(*secret))
                });
                let noise = super::scene::centred(Set::Toy16, sum);
                assert!(noise.abs() <= 6, "{noise}");
            }
        }
    }
}

#[test]
fn pre_9_4_its_reader_has_a_pseudonym_for_each_key() {
    //= harness/spec/reencryption.md#pre-9-defect-key-privacy
    //= type=test
    //# PRE-9.4 (ours): A re-encryption key of that variant MUST name its reader by a pseudonym that is
    //# used once.
    let owners = [Party::new(Set::Toy16, 1), Party::new(Set::Toy16, 9)];
    let mut seen: Vec<Digest> = Vec::new();
    for reader in &readers() {
        seen.push(reader.name());
        for owner in &owners {
            for coins in 0..3 {
                let key = owner.grant(reader, Variant::KeyPrivate, coins);
                assert!(!seen.contains(&key.reader()), "a pseudonym twice");
                seen.push(key.reader());
            }
        }
    }
    assert_eq!(seen.len(), 6 * 7);
}
