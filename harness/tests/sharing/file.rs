//! One file from owner to reader, and what is refused once its key is at hand.

use mdsm_core::codec::{DecodeErrorKind, Wire as _};
use mdsm_core::crypto::seal::{
    self, ContentKey, HEADER_BYTES, OpenError, SealCoins, TRAILER_BYTES,
};
use mdsm_core::reencryption::{
    Capsule, Offer, ReKey, Set, SpentOffers, Variant, WarmKey, bare, encapsulate, open,
};
use mdsm_core::types::{Digest, KeyId};

use super::scene::{GRANT, KEY_ID, Party, message, one_hop, proxy, sealed_with};

const COINS: SealCoins = SealCoins { nonce_prefix: [3; 19], salt: [4; 16] };
const CHUNK: usize = 65_536 + 16;

fn place(offset: usize) -> u64 {
    offset.try_into().unwrap()
}

fn seal_file(content: &[u8], key: &ContentKey) -> Vec<u8> {
    seal::seal(content, key, COINS).unwrap()
}

#[test]
fn pre_1_1_a_file_goes_from_owner_to_reader() {
    //= harness/spec/reencryption.md#pre-1-scheme
    //= type=test
    //# PRE-1.1 (paper): The scheme MUST provide key generation, encryption, decryption, generation
    //# of re-encryption keys and re-encryption under LWE.
    //= harness/spec/reencryption.md#pre-3-request-and-grant
    //= type=test
    //# PRE-3.2 (paper): The owner MUST encrypt the part asked for and make a re-encryption key from
    //# itself to that reader.
    //= harness/spec/reencryption.md#pre-6-reading
    //= type=test
    //# PRE-6.1 (paper): The reader MUST be able to decrypt with its own private key only.
    for set in [Set::Toy16, Set::S704, Set::H1152] {
        let [owner, reader, other] = [1, 2, 3].map(|number| Party::new(set, number));
        let (capsule, key) = owner.capsule(1);
        let content: Vec<u8> = (0..251).cycle().take(100_000).collect();
        let file = seal_file(&content, &key);
        let offer = Offer::new(&reader.secret, owner.name(), Variant::Public, &[4; 32]);
        let rekey = offer.accept(&owner.secret, GRANT, &mut SpentOffers::default()).unwrap();
        assert_eq!(
            (rekey.owner(), rekey.reader(), rekey.grant()),
            (owner.name(), reader.name(), GRANT)
        );
        let rekey = ReKey::from_bytes(&rekey.to_bytes()).unwrap();
        let warm = WarmKey::new(&rekey, Some(&reader.public)).unwrap();
        let received = warm.reencrypt(&proxy(), &owner.admitted(&capsule)).unwrap();
        // The reader's secret and public things; no other secret will do.
        let opened = open(&reader.secret, &owner.public, &capsule, &received).unwrap();
        assert_eq!(seal::open(&file, &opened), Ok(content));
        for wrong in [&owner, &other] {
            assert!(open(&wrong.secret, &owner.public, &capsule, &received).is_err());
        }
        assert_eq!(bare::decrypt(&reader.secret, &received).as_bytes(), message(1).as_bytes());
        assert_ne!(received.words(), capsule.words());
        assert_eq!([received.owner, received.holder], [owner.name(), reader.name()]);
    }
}

#[test]
fn pre_1_4_only_the_key_of_the_file_enters_a_capsule() {
    //= harness/spec/reencryption.md#pre-1-scheme
    //= type=test
    //# PRE-1.4 (ours): A file MUST be encrypted under a 256-bit key of its own, and only that key
    //# enters a capsule.
    let owner = Party::new(Set::Toy16, 1);
    // A capsule is made of 32 bytes and a name, and is as long whatever the file is.
    let (capsule, key) = owner.capsule(1);
    assert_eq!(capsule.to_bytes().len(), 263);
    // Each message and each name gives a key of its own, the same for whoever is the owner.
    let of = |owner: &Party, key_id, number| {
        sealed_with(&encapsulate(&owner.public, key_id, &message(number)).1)
    };
    let other_id = KeyId::new([1; 32]);
    let keys = [of(&owner, KEY_ID, 1), of(&owner, KEY_ID, 2), of(&owner, other_id, 1)];
    assert!(keys[0] != keys[1] && keys[1] != keys[2] && keys[0] != keys[2]);
    assert_eq!(keys[0], sealed_with(&key));
    assert_eq!(of(&Party::new(Set::Toy16, 2), KEY_ID, 1), keys[0]);
    let file = seal_file(b"findings", &key);
    let second = encapsulate(&owner.public, KEY_ID, &message(2)).1;
    let offset = place(file.len() - TRAILER_BYTES);
    assert_eq!(seal::open(&file, &second), Err(OpenError::Trailer { chunks: 1, offset }));
}

#[test]
fn pre_1_7_every_key_and_capsule_names_its_set() {
    //= harness/spec/reencryption.md#pre-1-scheme
    //= type=test
    //# PRE-1.7 (ours): Every key and every capsule MUST name its parameter set, which is one of
    //# S704, S704x3, S976, S1344, W1152-B3, W1792-B3, H1152, Bits704 and Toy16.
    let spec = concat!(env!("CARGO_MANIFEST_DIR"), "/spec/reencryption.md");
    let spec = std::fs::read_to_string(spec).unwrap();
    let names: Vec<&str> = Set::ALL.iter().map(|set| set.parameters().name).collect();
    let mut sentence = vec![
        "S704", "S704x3", "S976", "S1344", "W1152-B3", "W1792-B3", "H1152", "Bits704", "Toy16",
    ];
    sentence.rotate_right(1);
    assert_eq!(names, sentence);
    for set in Set::ALL {
        let p = set.parameters();
        let capsule =
            Capsule::new(*set, 0, KEY_ID, [GRANT; 2], vec![0; p.capsule_words()]).unwrap();
        let (rows, word) = (p.dimension * p.columns, p.modulus.word_bytes());
        let head = |tag: &[u8], rest: usize| [tag, &[1, *set as u8], &vec![0; rest]].concat();
        let public = head(b"MPUB", rows * word);
        let key = head(b"MRKY", 1 + 4 * 32 + p.digits.count * rows * word);
        let offer = head(b"MOFF", 1 + 3 * 32 + p.digits.count * rows * word);
        // As many bytes as the table of the spec has in its last three columns.
        let sizes = [capsule.to_bytes().len(), public.len(), key.len()];
        let row = spec.lines().find(|line| line.starts_with(&format!("| {} |", p.name))).unwrap();
        let cells: Vec<&str> = row.split('|').map(str::trim).rev().skip(1).take(3).collect();
        let stated: Vec<usize> = cells.iter().rev().map(|cell| cell.parse().unwrap()).collect();
        assert_eq!(stated, sizes, "{}", p.name);
        assert_eq!(Capsule::from_bytes(&capsule.to_bytes()).unwrap().set(), *set);
        let public_key = mdsm_core::reencryption::PublicKey::from_bytes(&public).unwrap();
        assert_eq!(public_key.set(), *set);
        assert_eq!(ReKey::from_bytes(&key).unwrap().set(), *set);
        assert_eq!(Offer::from_bytes(&offer).unwrap().set(), *set);
        // Under the name of any other set it is too short or too long, or has too many hops.
        for other in
            Set::ALL.iter().filter(|other| other.parameters().capsule_words() != p.capsule_words())
        {
            let mut bytes = public.clone();
            bytes[5] = *other as u8;
            let error = mdsm_core::reencryption::PublicKey::from_bytes(&bytes).unwrap_err();
            let kind = error.kind;
            let is_length = matches!(
                kind,
                DecodeErrorKind::Truncated { .. } | DecodeErrorKind::Trailing { .. }
            );
            assert!(is_length, "{kind}");
        }
    }
}

#[test]
fn a_file_that_was_changed_or_cut_gives_nothing() {
    let (owner, reader) = (Party::new(Set::Toy16, 1), Party::new(Set::Toy16, 2));
    let (capsule, key) = owner.capsule(1);
    let content: Vec<u8> = (0..251).cycle().take(150_000).collect();
    let file = seal_file(&content, &key);
    let received = one_hop(&owner, &reader, &capsule);
    let key = open(&reader.secret, &owner.public, &capsule, &received).unwrap();
    assert_eq!(seal::open(&file, &key), Ok(content));
    // One byte of each chunk: that chunk is named. What opens is all or nothing.
    for chunk in 0..3 {
        let at = HEADER_BYTES + chunk as usize * CHUNK;
        let mut changed = file.clone();
        changed[at + 77] ^= 1;
        let offset = place(at);
        assert_eq!(seal::open(&changed, &key), Err(OpenError::Chunk { chunk, offset }));
    }
    let mut changed = file.clone();
    *changed.last_mut().unwrap() ^= 1;
    let offset = place(file.len() - TRAILER_BYTES);
    assert_eq!(seal::open(&changed, &key), Err(OpenError::Trailer { chunks: 3, offset }));
    // Cut after the first chunk, after the second, by a byte, to almost nothing.
    for cut in [HEADER_BYTES + CHUNK, HEADER_BYTES + 2 * CHUNK, file.len() - 1, file.len() - 72] {
        assert!(matches!(seal::open(&file[..cut], &key), Err(OpenError::Trailer { .. })), "{cut}");
    }
    let (bytes, bytes_min) = (100, seal::sealed_bytes(1).unwrap());
    let truncated = OpenError::Truncated { bytes, bytes_min };
    assert_eq!(seal::open(&file[..100], &key), Err(truncated));
    assert_ne!(Digest::new([0; 32]), owner.name());
}
