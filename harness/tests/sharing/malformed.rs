//! A capsule whose c1 was chosen reads the owner's key, row by row; so an owner recomputes before it signs.

use mdsm_core::crypto::sign::SigningKey;
use mdsm_core::reencryption::{
    Admission, AdmitError, Approval, ApproveError, Capsule, Delivery, Message, ReencryptError, Set,
    Variant, WarmKey, approve, bare,
};
use mdsm_core::types::Digest;

use super::scene::{
    GRANT, KEY_ID, Party, coins, nearest, one_hop, proxy, secret_entries, with_words,
};

/// 2^11 in one word of c1: after re-encryption each column holds 2^11 times an entry of that row.
const STEP: i32 = 1 << 11;

fn chosen(owner: Digest, set: Set, row: usize) -> Capsule {
    let mut words = vec![0; set.parameters().capsule_words()];
    words[row] = STEP.cast_unsigned();
    Capsule::new(set, 0, KEY_ID, [owner; 2], words).unwrap()
}

/// What the last reader makes of some answers: the mean, divided by the step. The message is all zeros.
fn vote(reader: &Party, answers: &[Capsule]) -> Vec<i32> {
    let nothing = Message::new([0; 32]);
    let noises: Vec<Vec<i32>> =
        answers.iter().map(|capsule| bare::noise(&reader.secret, capsule, &nothing)).collect();
    let count = i32::try_from(noises.len()).unwrap();
    let sum = |column: usize| noises.iter().map(|noise| noise[column]).sum::<i32>();
    (0..noises[0].len()).map(|column| nearest(sum(column), STEP * count)).collect()
}

#[test]
fn pre_3_3_a_chosen_capsule_reads_rows_of_the_owners_key() {
    // Two thirds of the hop's noise comes from digits that this capsule does not have: few queries do.
    for (set, rows, queries) in [(Set::Toy16, 16, 1), (Set::S704, 3, 3)] {
        let (owner, reader) = (Party::new(set, 1), Party::new(set, 2));
        let key = owner.grant(&reader, Variant::Public, 4);
        let warm = WarmKey::new(&key, Some(&reader.public)).unwrap();
        let secret = secret_entries(&owner.secret);
        for (row, entries) in secret.iter().enumerate().take(rows) {
            let capsule = chosen(owner.name(), set, row);
            let ask = |number| bare::reencrypt(&warm, &capsule, &coins(number));
            let answers: Vec<Capsule> = (0..queries).map(ask).collect();
            assert_eq!(vote(&reader, &answers), *entries, "{set:?}, row {row}");
        }
    }
}

#[test]
fn pre_3_3_and_so_it_does_after_a_second_hop() {
    let set = Set::S704;
    let [owner, reader, last] = [1, 2, 3].map(|number| Party::new(set, number));
    let (first, second) =
        (owner.grant(&reader, Variant::Public, 4), reader.grant(&last, Variant::Public, 5));
    let first = WarmKey::new(&first, Some(&reader.public)).unwrap();
    let second = WarmKey::new(&second, Some(&last.public)).unwrap();
    let capsule = chosen(owner.name(), set, 700);
    let ask = |number| {
        let once = bare::reencrypt(&first, &capsule, &coins(number));
        bare::reencrypt(&second, &once, &coins(1_000 + number))
    };
    let answers: Vec<Capsule> = (0..24).map(ask).collect();
    assert_eq!(vote(&last, &answers), secret_entries(&owner.secret)[700]);
}

#[test]
fn pre_3_3_the_owner_does_not_approve_it() {
    //= harness/spec/reencryption.md#pre-3-request-and-grant
    //= type=test
    //# PRE-3.3 (ours): An owner MUST check a capsule by recomputing it before the capsule may be
    //# re-encrypted.
    let (owner, reader) = (Party::new(Set::Toy16, 1), Party::new(Set::Toy16, 2));
    let refusal = |capsule: &Capsule| {
        approve((&owner.secret, &owner.public), capsule, &owner.signing).unwrap_err()
    };
    for row in 0..16 {
        assert_eq!(refusal(&chosen(owner.name(), Set::Toy16, row)), ApproveError::Malformed);
    }
    // Nor a sound capsule with any bit of any word changed, of which most decrypt as before.
    let (sound, _) = owner.capsule(1);
    for place in 0..sound.words().len() {
        for bit in 0..16 {
            let mut words = sound.words().to_vec();
            words[place] ^= 1 << bit;
            let changed = with_words(&sound, words);
            assert_eq!(refusal(&changed), ApproveError::Malformed, "bit {bit} of word {place}");
        }
    }
    // Nor under another name of the file, nor one that has made a hop, nor another's.
    let mut renamed = sound.clone();
    renamed.key_id = mdsm_core::types::KeyId::new([0; 32]);
    assert_eq!(refusal(&renamed), ApproveError::Malformed);
    let key = owner.name();
    let hopped = one_hop(&owner, &reader, &sound);
    let another = ApproveError::AnotherKey { capsule: reader.name(), key };
    assert_eq!(refusal(&hopped), another);
    assert_eq!(refusal(&reader.capsule(1).0), another);
    let large = chosen(key, Set::S704, 0);
    assert_eq!(refusal(&large), ApproveError::AnotherKey { capsule: key, key });
}

#[test]
fn pre_3_3_nor_does_a_proxy_admit_what_the_owner_did_not_approve() {
    let (owner, mallory) = (Party::new(Set::Toy16, 1), Party::new(Set::Toy16, 2));
    let (sound, _) = owner.capsule(1);
    let approval = owner.approve(&sound);
    let harmful = chosen(owner.name(), Set::Toy16, 3);
    let (owner_id, stranger_id) = (owner.signing.owner(), mallory.signing.owner());

    // The approval of another capsule,
    let admission = owner.admission(&sound);
    let refused = admission.admit(harmful.clone()).unwrap_err();
    let capsule = digest(&harmful);
    assert_eq!(refused, AdmitError::AnotherCapsule { capsule, approved: digest(&sound) });
    // with the digest put in, or signed by somebody else,
    let forged = Approval { capsule, ..approval.clone() };
    let signature = Err(AdmitError::Signature { signer: owner_id });
    assert_eq!(forged.check(&owner_id, owner.name()), signature);
    let by_stranger = sign(&harmful, owner.name(), &mallory.signing);
    assert_eq!(by_stranger.check(&owner_id, owner.name()), signature);
    let claimed = Approval { owner: owner_id, ..by_stranger };
    assert_eq!(claimed.check(&owner_id, owner.name()), signature);
    // by a stranger under its own name: whose lattice key is another.
    let (key, signer) = (owner.name(), mallory.name());
    let own = sign(&harmful, signer, &mallory.signing).check(&stranger_id, signer).unwrap();
    let another = |capsule| Err(AdmitError::AnotherOwner { capsule, signer });
    assert_eq!(own.admit(harmful.clone()), another(key));
    let not_its_key = sign(&harmful, key, &mallory.signing).check(&stranger_id, signer);
    assert_eq!(not_its_key, another(key).map(|_| unreachable!("an error")));
    // Nor does it help to call oneself the owner of a capsule that somebody else holds.
    let mut mixed = harmful;
    mixed.owner = signer;
    let own = sign(&mixed, signer, &mallory.signing).check(&stranger_id, signer).unwrap();
    assert_eq!(own.admit(mixed), another(key));
}

#[test]
fn pre_1_8_hops_that_no_delivery_accounts_for_are_refused() {
    //= harness/spec/reencryption.md#pre-1-scheme
    //= type=test
    //# PRE-1.8 (ours): A capsule that has made hops MUST be refused for re-encryption unless signed
    //# deliveries account for each of them.
    let [owner, reader, last] = [1, 2, 3].map(|number| Party::new(Set::Toy16, number));
    let carrier = SigningKey::from_seed(&[9; 32]);
    let (sound, _) = owner.capsule(1);
    let start = owner.admission(&sound);
    let before = owner.admitted(&sound);
    let once = one_hop(&owner, &reader, &sound);
    let delivery = Delivery::sign(GRANT, &before, once.clone(), &carrier);
    let expected = [GRANT, reader.name()];
    let admitted = delivery.check(&carrier.owner(), expected, &before).unwrap();
    assert_eq!(*admitted.capsule(), once);
    let onward = reader.grant(&last, Variant::Public, 6);
    let onward = WarmKey::new(&onward, Some(&last.public)).unwrap();
    assert_eq!(onward.reencrypt(&proxy(), &admitted).unwrap().hop(), 2);

    // The approval alone is of another capsule. A proxy that signs another number of hops is refused:
    let refused = start.admit(once.clone()).unwrap_err();
    assert!(matches!(refused, AdmitError::AnotherCapsule { .. }), "{refused}");
    for hop in [0, 2] {
        let names = [once.owner, once.holder];
        let other = Capsule::new(Set::Toy16, hop, KEY_ID, names, once.words().to_vec()).unwrap();
        // lowered or raised after it was signed, the signature tells; signed so, the count.
        let changed = Delivery { capsule: other.clone(), ..delivery.clone() };
        let signature = AdmitError::Signature { signer: carrier.owner() };
        assert_eq!(changed.check(&carrier.owner(), expected, &before), Err(signature));
        let signed = Delivery::sign(GRANT, &before, other, &carrier);
        let counted = AdmitError::Hops { hop, known: 1 };
        assert_eq!(signed.check(&carrier.owner(), expected, &before), Err(counted));
    }
    // A link left out: the second delivery does not follow from the approval.
    let twice = onward.reencrypt(&proxy(), &admitted).unwrap();
    let second = Delivery::sign(GRANT, &admitted, twice, &carrier);
    let skipped = AdmitError::AnotherCapsule { capsule: digest(&once), approved: digest(&sound) };
    let expected = [GRANT, last.name()];
    assert_eq!(second.check(&carrier.owner(), expected, &before), Err(skipped));
    assert!(second.check(&carrier.owner(), expected, &admitted).is_ok());
    // A hop that a stranger invents, to a victim who takes no part: not the reader of the grant.
    let victim = Party::new(Set::Toy16, 4);
    let names = [once.owner, victim.name()];
    let invented = Capsule::new(Set::Toy16, 1, KEY_ID, names, once.words().to_vec()).unwrap();
    let invented = Delivery::sign(GRANT, &before, invented, &carrier);
    let unrelated = Err(AdmitError::Unrelated);
    assert_eq!(invented.check(&carrier.owner(), [GRANT, reader.name()], &before), unrelated);
    // Nor may a delivery change the file or the owner.
    for change in 0..2 {
        let mut other = once.clone();
        match change {
            0 => other.key_id = mdsm_core::types::KeyId::new([9; 32]),
            _ => other.owner = victim.name(),
        }
        let changed = Delivery::sign(GRANT, &before, other, &carrier);
        let expected = [GRANT, reader.name()];
        assert_eq!(changed.check(&carrier.owner(), expected, &before), unrelated, "{change}");
    }
    // An owner can approve only what has made none.
    let lied = sign(&once, owner.name(), &owner.signing);
    let lied: Admission = lied.check(&owner.signing.owner(), owner.name()).unwrap();
    assert_eq!(
        lied.admit(once).map_err(|error| matches!(error, AdmitError::Hops { hop: 1, known: 0 })),
        Err(true)
    );
}

#[test]
fn pre_3_3_a_key_for_another_pair_is_no_way_around() {
    let (owner, reader) = (Party::new(Set::Toy16, 1), Party::new(Set::Toy16, 2));
    let key = owner.grant(&reader, Variant::Public, 4);
    let warm = WarmKey::new(&key, Some(&reader.public)).unwrap();
    let (own, _) = reader.capsule(1);
    let refused = warm.reencrypt(&proxy(), &reader.admitted(&own)).unwrap_err();
    assert_eq!(refused, ReencryptError::AnotherPair { key: owner.name(), capsule: reader.name() });
}

fn digest(capsule: &Capsule) -> Digest {
    mdsm_core::crypto::Identified::id(capsule)
}

/// What `approve` signs, signed without asking: MAPM 1, the capsule, the key.
fn sign(capsule: &Capsule, key: Digest, signing: &SigningKey) -> Approval {
    let capsule = digest(capsule);
    let statement = [&b"MAPM\x01"[..], capsule.as_bytes(), key.as_bytes()].concat();
    Approval { capsule, key, owner: signing.owner(), signature: signing.sign(&statement) }
}
