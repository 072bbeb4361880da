//! Every value of the chapter's Formats beside its bytes, and the messages that are signed.

use std::sync::Arc;

use harness::build::institution_key;
use harness::rules::agreement::{
    Subject as MirrorSubject, Vote as MirrorVote, proposal_message, registration_message,
    service_message, vote_message,
};
use harness::rules::wire::{Mirror, WireKind, decode};
use mdsm_core::codec::Wire;
use mdsm_core::consensus::{EpochStart, JournalEntry};
use mdsm_core::crypto::Identified as _;
use mdsm_core::ledger::*;
use mdsm_core::node::Decision;
use mdsm_core::types::*;

use super::scene::{PRODUCER, scene};

const CHAIN: ChainId = ChainId::new([0xc1; 32]);
const HASH: Digest = Digest::new([0xd1; 32]);
const SIGNATURE: Signature = Signature::new([0xe1; 64]);
const EPOCH: [u8; 4] = [0x34, 0x33, 0x32, 0x31];
const VIEW: [u8; 8] = [8, 7, 6, 5, 4, 3, 2, 1];

fn vote(subject: Subject) -> Vote {
    Vote { epoch: Epoch::new(0x3132_3334), view: View::new(0x0102_0304_0506_0708), subject }
}

/// Its bytes are those drawn, both decoders take them, and the id is their digest.
fn drawn<T: Wire + PartialEq + std::fmt::Debug>(kind: WireKind, value: &T, body: &[&[u8]]) {
    let bytes = [&kind.tag()[..], &[1], &body.concat()].concat();
    assert_eq!(value.to_bytes(), bytes, "{kind}");
    assert_eq!(T::from_bytes(&bytes).as_ref(), Ok(value), "{kind}");
    assert_eq!(decode(kind, &bytes).unwrap().encode(), bytes, "{kind}");
    assert_eq!(value.id(), mdsm_core::crypto::sha256(&bytes), "{kind}");
}

fn nested<T: Wire>(value: &T) -> Vec<u8> {
    value.to_bytes()[5..].to_vec()
}

fn subjects() -> [(Subject, Vec<u8>); 4] {
    let with = |tag: u8| [&[tag][..], &[0xd1; 32]].concat();
    [
        (Subject::Notarize(HASH), with(1)),
        (Subject::Nullify, vec![2]),
        (Subject::Finalize(HASH), with(3)),
        (Subject::Anchor(HASH), with(4)),
    ]
}

#[test]
fn votes_and_certificates_are_encoded_as_drawn() {
    for (subject, bytes) in subjects() {
        let signer = InstitutionId::new(0x1112_1314);
        let signed = SignedVote { vote: vote(subject), signer, signature: SIGNATURE };
        let parts: [&[u8]; 5] = [&EPOCH, &VIEW, &bytes, &[0x14, 0x13, 0x12, 0x11], &[0xe1; 64]];
        drawn(WireKind::SignedVote, &signed, &parts);
        let seats = [(0, SIGNATURE), (9, Signature::new([0xe2; 64]))];
        let certificate = Certificate::assemble(vote(subject), 20, &seats).unwrap();
        let map = [3, 0, 0, 0, 0b1, 0b10, 0];
        let parts: [&[u8]; 7] =
            [&EPOCH, &VIEW, &bytes, &map, &[2, 0, 0, 0], &[0xe1; 64], &[0xe2; 64]];
        drawn(WireKind::Certificate, &certificate, &parts);
    }
}

#[test]
fn a_vote_is_signed_over_82_bytes_as_drawn() {
    let key = institution_key(PRODUCER);
    for ((subject, mirror), tag) in [
        (Subject::Notarize(HASH), MirrorSubject::Notarize([0xd1; 32])),
        (Subject::Nullify, MirrorSubject::Nullify),
        (Subject::Finalize(HASH), MirrorSubject::Finalize([0xd1; 32])),
        (Subject::Anchor(HASH), MirrorSubject::Anchor([0xd1; 32])),
    ]
    .into_iter()
    .zip(1..)
    {
        let digest = if tag == 2 { [0; 32] } else { [0xd1; 32] };
        let expected = [b"MVOT\x01", &[0xc1; 32][..], &EPOCH, &VIEW, &[tag], &digest].concat();
        assert_eq!(expected.len(), 82);
        assert_eq!(vote(subject).message(&CHAIN).to_vec(), expected);
        let mirror =
            MirrorVote { epoch: 0x3132_3334, view: 0x0102_0304_0506_0708, subject: mirror };
        assert_eq!(vote_message(CHAIN.as_bytes(), &mirror), expected);
        let signed = vote(subject).sign(&CHAIN, PRODUCER, &key);
        assert_eq!(signed.signature, key.sign(&expected));
    }
}

#[test]
fn proposals_are_encoded_and_signed_as_drawn() {
    let scene = scene();
    let Block { header, payload } = scene.draft.block;
    let signed = scene.roll.signed(header);
    let (head, body) = (nested(&header), nested(&payload));
    assert_eq!(head.len(), 136);
    let proposal = Proposal { signed, payload };
    drawn(WireKind::Proposal, &proposal, &[&head, signed.signature.as_bytes(), &body]);
    let message = [&b"MPRO\x01"[..], header.id().as_bytes()].concat();
    assert_eq!(SignedHeader::message(&header.id()).to_vec(), message);
    let Ok(Mirror::Proposal(mirror)) = decode(WireKind::Proposal, &proposal.to_bytes()) else {
        panic!("a proposal")
    };
    assert_eq!(proposal_message(&mirror.signed.header), message);
}

#[test]
fn a_payload_is_committed_to_by_its_summary_as_drawn() {
    let payload = scene().draft.block.payload;
    let item_block = payload.item_block.as_ref().unwrap();
    let header = &nested(item_block)[..84];
    let certificate = payload.parent_certificate.as_ref().unwrap();
    let (certified, events) = (certificate.id(), payload.events.id());
    let parts: [&[u8]; 5] = [&[1], header, &[1], certified.as_bytes(), events.as_bytes()];
    drawn(WireKind::Summary, &payload.summary(), &parts);
    assert_eq!(payload.commitment(), payload.summary().id());
    let parts: [&[u8]; 5] =
        [&[1], &nested(item_block), &[1], &nested(certificate), &nested(&payload.events)];
    drawn(WireKind::Payload, &payload, &parts);
    let idle = Payload::default();
    drawn(WireKind::Payload, &idle, &[&[0, 0], &[0; 16]]);
    drawn(WireKind::Summary, &idle.summary(), &[&[0, 0], idle.events.id().as_bytes()]);
}

#[test]
fn events_are_encoded_as_drawn_and_signed_as_drawn() {
    let registration = Registration {
        institution: InstitutionId::new(0x1112_1314),
        key: OwnerId::new([0xa1; 32]),
        rating: 99,
        centre: 0x2122_2324,
        signature: SIGNATURE,
        approval: Signature::new([0xe2; 64]),
    };
    let (id, centre) = ([0x14, 0x13, 0x12, 0x11], [0x24, 0x23, 0x22, 0x21]);
    let parts: [&[u8]; 6] = [&id, &[0xa1; 32], &[99], &centre, &[0xe1; 64], &[0xe2; 64]];
    drawn(WireKind::Registration, &registration, &parts);
    let of_both = [b"MREG\x01", &[0xc1; 32][..], &id, &[0xa1; 32], &[99], &centre].concat();
    assert_eq!((of_both.len(), registration.message(&CHAIN)), (78, of_both.clone()));

    let service = Service {
        grant: RecordId::new([0xa2; 32]),
        epoch: Epoch::new(0x3132_3334),
        institution: InstitutionId::new(0x1112_1314),
        kind: ServiceKind::Query,
        client: OwnerId::new([0xa3; 32]),
        signature: SIGNATURE,
    };
    let body: [&[u8]; 6] = [&[0xa2; 32], &EPOCH, &id, &[2], &[0xa3; 32], &[0xe1; 64]];
    drawn(WireKind::Service, &service, &body);
    let of_client = [b"MSRV\x01", &[0xc1; 32][..], &[0xa2; 32], &EPOCH, &id, &[2]].concat();
    assert_eq!((of_client.len(), service.message(&CHAIN).to_vec()), (78, of_client.clone()));

    let report = AnchorReport { epoch: Epoch::new(7), txid: HASH, height: 840_000 };
    let signed =
        SignedVote { vote: vote(Subject::Nullify), signer: PRODUCER, signature: SIGNATURE };
    let evidence = Evidence::Votes { first: signed, second: signed };
    let events = Events {
        evidence: List::new(vec![evidence.clone()]).unwrap(),
        registrations: List::new(vec![registration]).unwrap(),
        services: List::new(vec![service, service]).unwrap(),
        anchored: List::new(vec![report]).unwrap(),
    };
    let (one, two) = ([1, 0, 0, 0], [2, 0, 0, 0]);
    let height = 840_000_u32.to_le_bytes();
    let (registered, served) = (nested(&registration), nested(&service));
    let parts: [&[u8]; 10] = [
        &one,
        &nested(&evidence),
        &one,
        &registered,
        &two,
        &served,
        &served,
        &one,
        &[7, 0, 0, 0],
        &[&[0xd1; 32][..], &height].concat(),
    ];
    drawn(WireKind::Events, &events, &parts);
    let Ok(Mirror::Events(mirror)) = decode(WireKind::Events, &events.to_bytes()) else {
        panic!("events")
    };
    assert_eq!(registration_message(CHAIN.as_bytes(), &mirror.registrations[0]), of_both);
    assert_eq!(service_message(CHAIN.as_bytes(), &mirror.services[1]), of_client);
}

#[test]
fn evidence_and_faults_are_encoded_as_drawn() {
    let scene = scene();
    let header = scene.signed(&scene.draft.block);
    let head = [&nested(&header.header)[..], header.signature.as_bytes()].concat();
    let cast =
        SignedVote { vote: vote(Subject::Notarize(HASH)), signer: PRODUCER, signature: SIGNATURE };
    let votes = [nested(&cast), nested(&cast)].concat();
    let kind = WireKind::Evidence;
    let proposals = Evidence::Proposals { first: header, second: header };
    drawn(kind, &proposals, &[&[1], &head, &head]);
    drawn(kind, &Evidence::Votes { first: cast, second: cast }, &[&[2], &votes]);

    let payload = &scene.draft.block.payload;
    let (summary, certificate) = (payload.summary(), payload.parent_certificate.clone().unwrap());
    let (summed, certified) = (nested(&summary), nested(&certificate));
    let envelope = scene.draft.items[0].records[0].clone();
    let path = |count: u8| -> Vec<Digest> { (0..count).map(|n| Digest::new([n; 32])).collect() };
    let hashes = |count: u8| -> Vec<u8> {
        [vec![count, 0, 0, 0], (0..count).flat_map(|n| [n; 32]).collect()].concat()
    };
    let item =
        |index, count| ItemPlace { index, size: 0x4142, path: List::new(path(count)).unwrap() };
    let placed = |index, count| PlacedBooking {
        booking: envelope.booking(),
        record: RecordPlace { index, size: 9, path: List::new(path(count)).unwrap() },
        item: item(0x4344, 14),
    };
    let placed_bytes = |index: u8, count| {
        let place = [&[index, 9][..], &hashes(count), &[0x44, 0x43, 0x42, 0x41]].concat();
        [nested(&envelope.booking()), place, hashes(14)].concat()
    };
    let item_bytes = [&[0x44, 0x43, 0x42, 0x41][..], &hashes(1)].concat();
    let faults: [(Fault, Vec<u8>); 7] = [
        (Fault::Header, vec![1]),
        (Fault::Parent(header.header), [&[2][..], &nested(&header.header)].concat()),
        (Fault::Certificate { summary, certificate }, [&[3][..], &summed, &certified].concat()),
        (Fault::ItemBlock(summary), [&[4][..], &summed].concat()),
        (
            Fault::Item { summary, place: item(0x4344, 1), records: 0x5152_5354, tree: HASH },
            [&[5][..], &summed, &item_bytes, &[0x54, 0x53, 0x52, 0x51], &[0xd1; 32]].concat(),
        ),
        (
            Fault::Booking { summary, booking: placed(3, 8) },
            [&[6][..], &summed, &placed_bytes(3, 8)].concat(),
        ),
        (
            Fault::Repeated { summary, first: placed(0, 0), second: placed(1, 1) },
            [&[7][..], &summed, &placed_bytes(0, 0), &placed_bytes(1, 1)].concat(),
        ),
    ];
    for (fault, bytes) in faults {
        let fault = Box::new(fault);
        let block = Evidence::Block { header, fault: fault.clone() };
        drawn(kind, &block, &[&[3], &head, &bytes]);
        let audit = Evidence::Audit { header, fault, vote: cast };
        drawn(kind, &audit, &[&[4], &head, &bytes, &nested(&cast)]);
    }
}

#[test]
fn decisions_and_entries_of_a_log_are_encoded_as_drawn() {
    let certificate =
        Certificate::assemble(vote(Subject::Finalize(HASH)), 4, &[(1, SIGNATURE)]).unwrap();
    let scene = scene();
    let signed = scene.roll.signed(scene.draft.block.header);
    let proposal = Proposal { signed, payload: Payload::default() };
    let closing = [nested(&signed.header), signed.signature.as_bytes().to_vec()].concat();
    let decision = Decision {
        blocks: List::new(vec![proposal.clone(), proposal.clone()]).unwrap(),
        closing: List::new(vec![signed]).unwrap(),
        certificate: certificate.clone(),
    };
    let (block, proof) = (nested(&proposal), nested(&certificate));
    let parts: [&[u8]; 6] = [&[2, 0, 0, 0], &block, &block, &[1, 0, 0, 0], &closing, &proof];
    drawn(WireKind::Decision, &decision, &parts);

    let kind = WireKind::JournalEntry;
    let start = EpochStart { epoch: Epoch::new(0x3132_3334), genesis: HASH };
    drawn(kind, &JournalEntry::Epoch(start), &[&[1], &EPOCH, &[0xd1; 32]]);
    drawn(kind, &JournalEntry::Proposed(Arc::new(signed.header)), &[&[2], &nested(&signed.header)]);
    for (subject, bytes) in subjects() {
        drawn(kind, &JournalEntry::Voted(vote(subject)), &[&[3], &EPOCH, &VIEW, &bytes]);
    }
    drawn(kind, &JournalEntry::Certified(certificate.into()), &[&[4], &proof]);
    let lost = JournalEntry::Lost(Timestamp::new(-2));
    let minus_two = [&[0xfe][..], &[0xff; 7]].concat();
    drawn(kind, &lost, &[&[5], &minus_two]);
}
