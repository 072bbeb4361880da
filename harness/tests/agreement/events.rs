//! Registrations, receipts of service and proposals: who must have signed them.

use harness::build::{self, Roll, institution_key};
use mdsm_core::crypto::sign::{Ed25519, KeyError, SigningKey};
use mdsm_core::ledger::{
    Payload, Proposal, ProposalError, Registration, RegistrationError, Service, ServiceKind,
    SignedHeader,
};
use mdsm_core::types::{ChainId, Digest, Epoch, InstitutionId, OwnerId, RecordId, Signature};

use super::scene::{PRODUCER, scene};

const CHAIN: ChainId = ChainId::new([5; 32]);
const ID: InstitutionId = InstitutionId::new(40);

fn registrar() -> SigningKey {
    build::registrar()
}

fn registration(rating: u8) -> Registration {
    Registration::sign(&CHAIN, ID, (rating, 900), &institution_key(ID), &registrar())
}

fn verdict(registration: &Registration) -> Result<(), RegistrationError> {
    registration.check(&CHAIN, &registrar().owner(), &Ed25519)
}

#[test]
fn com_3_1_a_registration_holds_with_both_signatures_only() {
    let sound = registration(88);
    assert_eq!(verdict(&sound), Ok(()));
    let spoilt = Signature::new([9; 64]);
    let unsigned = Registration { signature: spoilt, ..sound };
    assert_eq!(verdict(&unsigned), Err(RegistrationError::Signature));
    let unapproved = Registration { approval: spoilt, ..sound };
    assert_eq!(verdict(&unapproved), Err(RegistrationError::Approval));
    let swapped = Registration { signature: sound.approval, approval: sound.signature, ..sound };
    assert_eq!(verdict(&swapped), Err(RegistrationError::Signature));
    // Approved by itself.
    let key = institution_key(ID);
    let itself = Registration::sign(&CHAIN, ID, (88, 900), &key, &key);
    assert_eq!(verdict(&itself), Err(RegistrationError::Approval));
    assert_eq!(itself.check(&CHAIN, &key.owner(), &Ed25519), Ok(()), "the registrar of another");
    let abroad = ChainId::new([6; 32]);
    let refused = sound.check(&abroad, &registrar().owner(), &Ed25519);
    assert_eq!(refused, Err(RegistrationError::Signature));
}

#[test]
fn com_3_1_every_field_of_a_registration_is_signed() {
    let sound = registration(88);
    let changed = [
        Registration { institution: InstitutionId::new(41), ..sound },
        Registration { key: institution_key(InstitutionId::new(41)).owner(), ..sound },
        Registration { rating: 89, ..sound },
        Registration { centre: 901, ..sound },
    ];
    for other in changed {
        assert_eq!(verdict(&other), Err(RegistrationError::Signature), "{other:?}");
    }
}

#[test]
fn com_1_1_a_rating_has_100_points_at_most() {
    for rating in [0, 1, 99, 100] {
        assert_eq!(verdict(&registration(rating)), Ok(()));
    }
    for rating in [101, 255] {
        assert_eq!(verdict(&registration(rating)), Err(RegistrationError::Rating { rating }));
    }
}

#[test]
fn com_3_5_a_key_of_small_order_or_none_is_refused_though_its_signature_holds() {
    let mut identity = [0; 32];
    identity[0] = 1;
    let mut signature = [0; 64];
    signature[0] = 1;
    let small = Registration {
        key: OwnerId::new(identity),
        signature: Signature::new(signature),
        ..registration(88)
    };
    let approval = registrar().sign(&small.message(&CHAIN));
    let small = Registration { approval, ..small };
    assert_eq!(verdict(&small), Err(RegistrationError::Key(KeyError::SmallOrder)));
    let mut none = [0; 32];
    none[0] = 2;
    let none = Registration { key: OwnerId::new(none), ..small };
    assert_eq!(verdict(&none), Err(RegistrationError::Key(KeyError::NotAPoint)));
}

#[test]
fn com_6_3_a_receipt_of_service_holds_under_its_client_for_what_it_says() {
    let client = build::key(3);
    let grant = RecordId::new([7; 32]);
    let (epoch, kind) = (Epoch::new(2), ServiceKind::Reencryption);
    let sound = Service::sign(&CHAIN, grant, epoch, (ID, kind), &client);
    assert!(sound.holds(&CHAIN, &Ed25519));
    assert!(!sound.holds(&ChainId::new([6; 32]), &Ed25519), "another network");
    let changed = [
        Service { grant: RecordId::new([8; 32]), ..sound },
        Service { epoch: Epoch::new(3), ..sound },
        Service { institution: InstitutionId::new(41), ..sound },
        Service { kind: ServiceKind::Query, ..sound },
        Service { client: build::key(4).owner(), ..sound },
        Service { signature: Signature::new([9; 64]), ..sound },
    ];
    for other in changed {
        assert!(!other.holds(&CHAIN, &Ed25519), "{other:?}");
    }
}

#[test]
fn con_2_2_a_proposal_is_signed_over_the_hash_of_its_block() {
    //= harness/spec/consensus.md#con-2-booking-into-an-item
    //= type=test
    //# CON-2.2 (ours): The signature of the delegate MUST be the one over the hash of the block
    //# that carries the Item.
    let scene = scene();
    let block = scene.draft.block.clone();
    let key = institution_key(PRODUCER);
    let hash = *block.hash().as_bytes();
    let over = |message: &[u8]| SignedHeader { header: block.header, signature: key.sign(message) };
    let holds = |signed: SignedHeader| {
        let proposal = Proposal { signed, payload: block.payload.clone() };
        assert_eq!(signed.hash(), block.hash());
        proposal.check(&key.owner(), &Ed25519)
    };
    assert_eq!(holds(over(&[&b"MPRO\x01"[..], &hash].concat())), Ok(()));
    assert_eq!(holds(scene.roll.signed(block.header)), Ok(()));
    // Over anything else: the bare hash, another tag, another version, another block, its payload.
    let mut other = hash;
    other[31] ^= 1;
    let payload = block.header.payload.as_bytes();
    for message in [
        hash.to_vec(),
        [&b"MVOT\x01"[..], &hash].concat(),
        [&b"MPRO\x02"[..], &hash].concat(),
        [&b"MPRO\x01"[..], &other].concat(),
        [&b"MPRO\x01"[..], payload].concat(),
    ] {
        assert_eq!(holds(over(&message)), Err(ProposalError::Signature), "{message:02x?}");
    }
    let proposal = |payload| Proposal { signed: scene.roll.signed(block.header), payload };
    let stranger = Roll { producers: 5, ..scene.roll };
    let key_of_another = institution_key(InstitutionId::new(stranger.producers)).owner();
    let refused = proposal(block.payload.clone()).check(&key_of_another, &Ed25519);
    assert_eq!(refused, Err(ProposalError::Signature));
    // The payload belongs to it: every part of it.
    let whole = block.payload.clone();
    let mut item_block = whole.item_block.clone().unwrap();
    item_block.header.root = Digest::new([1; 32]);
    let mut events = whole.events.clone();
    let report = mdsm_core::ledger::AnchorReport {
        epoch: Epoch::new(0),
        txid: Digest::new([2; 32]),
        height: 1,
    };
    events.anchored = mdsm_core::types::List::new(vec![report]).unwrap();
    for payload in [
        Payload { item_block: Some(item_block), ..whole.clone() },
        Payload { item_block: None, ..whole.clone() },
        Payload { parent_certificate: None, ..whole.clone() },
        Payload { events, ..whole.clone() },
    ] {
        let expected = payload.commitment();
        let refused = proposal(payload).check(&key.owner(), &Ed25519);
        assert_eq!(refused, Err(ProposalError::Payload { found: block.header.payload, expected }));
    }
    assert_eq!(proposal(whole).into_block(), block);
}
