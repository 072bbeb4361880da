//! What a block carries beside records, as the chain takes and refuses it; and what it does to credit.

use std::collections::{BTreeMap, BTreeSet};

use harness::build::{self, Network, Roll, institution_key};
use mdsm_core::chain::{BlockError, EventError, RecordIndex};
use mdsm_core::crypto::Identified as _;
use mdsm_core::crypto::sign::SigningKey;
use mdsm_core::ledger::{
    AnchorReport, Block, Certificate, CertificateError, Events, Evidence, EvidenceError,
    OffenceKind, Payload, Registration, RegistrationError, Service, ServiceKind, SignedVote,
    Signers, Subject, Vote,
};
use mdsm_core::roster::amounts::{AUDIT, BLOCK, FRAUD, MISS, SERVICE, START_PER_POINT};
use mdsm_core::roster::{
    Cause, CreditChange, ExpulsionCause, Place, RegistrationRefused, RosterError,
};
use mdsm_core::types::{
    ChainId, Digest, Epoch, InstitutionId, List, OwnerId, RecordId, Signature, View,
};

/// An index with grants: to which institution, by which owner.
#[derive(Debug, Default)]
struct Grants(BTreeMap<(RecordId, InstitutionId), OwnerId>);

impl RecordIndex for Grants {
    fn contains(&self, record: &RecordId) -> bool {
        self.0.keys().any(|(grant, _)| grant == record)
    }

    fn client_of(&self, grant: &RecordId, institution: InstitutionId) -> Option<OwnerId> {
        self.0.get(&(*grant, institution)).copied()
    }
}

fn id(number: u32) -> InstitutionId {
    InstitutionId::new(number)
}

fn with(events: Events) -> Payload {
    Payload { events, ..Payload::default() }
}

fn evidence(all: Vec<Evidence>) -> Payload {
    with(Events { evidence: List::new(all).unwrap(), ..Events::default() })
}

fn registrations(all: Vec<Registration>) -> Payload {
    with(Events { registrations: List::new(all).unwrap(), ..Events::default() })
}

fn services(all: Vec<Service>) -> Payload {
    with(Events { services: List::new(all).unwrap(), ..Events::default() })
}

/// The next block, a second after the last one.
fn next(network: &Network, payload: Payload) -> Block {
    let ms = network.chain.timestamp().get() - build::START_MS + 1_000;
    network.block_with(ms, payload)
}

/// Why a block with this payload may not be the next one, if it may not.
fn refusal(network: &Network, index: &impl RecordIndex, payload: Payload) -> Option<EventError> {
    match network.chain.check(&next(network, payload), &[], index) {
        Ok(_) => None,
        Err(BlockError::Event(error)) => Some(error),
        Err(other) => panic!("refused for something else: {other}"),
    }
}

/// The same for a payload without receipts of service.
fn why(network: &Network, payload: Payload) -> Option<EventError> {
    refusal(network, &network.booked, payload)
}

fn certified(certificate: Certificate) -> Payload {
    Payload { parent_certificate: Some(certificate), ..Payload::default() }
}

#[test]
fn con_7_1_a_parent_certificate_is_held_against_the_auditors_of_the_epoch() {
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //= type=test
    //# CON-7.1 (ours): A certificate MUST hold valid signatures of at least n - f distinct members
    //# of the auditing committee of its epoch.
    let mut network = Network::new();
    network.turn(6_000, 0);
    let roll = Roll::new(network.chain.id(), 4);
    let vote = roll.notarization(&network.tip().unwrap()).vote;
    for seats in [vec![0, 1, 2], vec![0, 1, 3], vec![1, 2, 3], vec![0, 1, 2, 3]] {
        assert_eq!(why(&network, certified(roll.certificate(vote, seats))), None);
    }
    // Sound, but for something else than the parent.
    let hash = network.chain.head();
    for other in [
        Vote { epoch: Epoch::new(1), ..vote },
        Vote { view: View::new(2), ..vote },
        Vote { view: View::new(0), ..vote },
        Vote { subject: Subject::Notarize(Digest::new([1; 32])), ..vote },
        Vote { subject: Subject::Finalize(hash), ..vote },
        Vote { subject: Subject::Anchor(hash), ..vote },
        Vote { subject: Subject::Nullify, ..vote },
    ] {
        let certificate = certified(roll.certificate(other, 0..4));
        assert_eq!(why(&network, certificate), Some(EventError::Parent), "{other:?}");
    }
    // For the parent, but by too few, by others, or out of shape.
    let wrong = |certificate, error| {
        assert_eq!(why(&network, certified(certificate)), Some(EventError::Certificate(error)));
    };
    let few = |found| CertificateError::Quorum { found, quorum: 3, seats: 4 };
    wrong(roll.certificate(vote, 0..2), few(2));
    wrong(roll.certificate(vote, [3]), few(1));
    let of_producers = Roll { producers: 0, ..roll };
    wrong(of_producers.certificate(vote, 0..3), CertificateError::Signature);
    let three = roll.certificate(vote, 0..3);
    let padded = Certificate {
        signers: Signers::of(8, [0, 1, 2, 7]).unwrap(),
        signatures: roll.certificate(vote, 0..4).signatures,
        ..three.clone()
    };
    wrong(padded, CertificateError::Padding { seat: 7, seats: 4 });
    let long = Certificate { signers: Signers::of(12, [0, 1, 2]).unwrap(), ..three.clone() };
    wrong(long, CertificateError::Bitmap { bytes: 2, bytes_expected: 1, seats: 4 });
    let one_twice = three.signatures[0];
    let signatures = List::new(vec![one_twice; 3]).unwrap();
    wrong(Certificate { signatures, ..three }, CertificateError::Signature);
}

#[test]
fn the_first_block_of_an_epoch_carries_no_certificate() {
    let mut network = Network::new();
    let roll = Roll::new(network.chain.id(), 4);
    let of_genesis = Roll::subject_in(0, Subject::Notarize(network.chain.head()));
    let carried = certified(roll.certificate(of_genesis, 0..4));
    assert_eq!(why(&network, carried), Some(EventError::Parent));
    network.turn(600_000, 0);
    let last = network.tip().unwrap();
    let sound = roll.notarization(&last).vote;
    let renamed = Vote { epoch: Epoch::new(1), view: View::new(0), ..sound };
    for vote in [sound, renamed] {
        let carried = certified(roll.certificate(vote, 0..4));
        assert_eq!(why(&network, carried), Some(EventError::Parent), "{vote:?}");
    }
    assert_eq!(why(&network, Payload::default()), None);
}

/// A vote of auditor 6 for some block of a view.
fn vote(network: &Network, epoch: u32, view: u64, block: u8) -> SignedVote {
    let roll = Roll::new(network.chain.id(), 4);
    let subject = Subject::Notarize(Digest::new([block; 32]));
    roll.vote(id(6), Vote { epoch: Epoch::new(epoch), view: View::new(view), subject })
}

fn double(network: &Network, epoch: u32, view: u64, blocks: (u8, u8)) -> Evidence {
    let cast = |block| vote(network, epoch, view, block);
    Evidence::Votes { first: cast(blocks.0), second: cast(blocks.1) }
}

#[test]
fn com_6_4_an_offence_is_charged_once() {
    //= harness/spec/committees.md#com-6-earning-and-losing
    //= type=test
    //# COM-6.4 (ours): One offence MUST be charged once, however often its evidence is handed in.
    let mut network = Network::new();
    let proof = |network: &Network, view, blocks| double(network, 0, view, blocks);
    let repeated =
        |index| Some(EventError::Roster(RosterError::Repeated { what: "offence", index }));
    let first = proof(&network, 1, (1, 2));
    for again in [(1, 2), (2, 1), (1, 3), (4, 5)] {
        let again = proof(&network, 1, again);
        assert_eq!(why(&network, evidence(vec![first.clone(), again])), repeated(1));
    }
    let other_view = proof(&network, 2, (1, 2));
    assert_eq!(why(&network, evidence(vec![first.clone(), other_view.clone()])), None);
    let block = next(&network, evidence(vec![first.clone()]));
    let charged = network.add(&block, &[]).unwrap().credit;
    assert_eq!(charged.iter().filter(|change| change.amount == FRAUD).count(), 1);
    for again in [first.clone(), proof(&network, 1, (8, 9))] {
        assert_eq!(why(&network, evidence(vec![again.clone()])), repeated(0));
        assert_eq!(why(&network, evidence(vec![other_view.clone(), again])), repeated(1));
    }
    // It is remembered while it may be reported, and no longer reported behind that.
    network.turn(600_000, 0);
    assert_eq!(why(&network, evidence(vec![first.clone()])), repeated(0));
    network.turn(1_200_000, 0);
    let (what, index) = ("offence", 0);
    let old = RosterError::Epoch { what, index, found: Epoch::new(0), open: Epoch::new(2) };
    assert_eq!(why(&network, evidence(vec![first])), Some(EventError::Roster(old)));
    let early = double(&network, 3, 1, (1, 2));
    let early_refused =
        RosterError::Epoch { what, index, found: Epoch::new(3), open: Epoch::new(2) };
    assert_eq!(why(&network, evidence(vec![early])), Some(EventError::Roster(early_refused)));
}

#[test]
fn evidence_that_proves_nothing_is_refused_where_it_stands() {
    let network = Network::new();
    let sound = double(&network, 0, 1, (1, 2));
    let (a, b) = (vote(&network, 0, 1, 1), vote(&network, 0, 1, 2));
    let votes = |first, second| Evidence::Votes { first, second };
    let spoilt = SignedVote { signature: Signature::new([7; 64]), ..b };
    let stranger = |vote: SignedVote| Roll::new(network.chain.id(), 4).vote(id(99), vote.vote);
    for (nothing, error) in [
        (votes(a, a), EvidenceError::NoConflict),
        (votes(a, vote(&network, 0, 2, 2)), EvidenceError::NoConflict),
        (votes(a, SignedVote { signer: id(7), ..b }), EvidenceError::NoConflict),
        (votes(a, spoilt), EvidenceError::Signature { institution: id(6) }),
        (votes(stranger(a), stranger(b)), EvidenceError::Unknown { institution: id(99) }),
    ] {
        let alone = Some(EventError::Evidence { index: 0, error });
        assert_eq!(why(&network, evidence(vec![nothing.clone()])), alone);
        let behind = Some(EventError::Evidence { index: 1, error });
        assert_eq!(why(&network, evidence(vec![sound.clone(), nothing])), behind);
    }
}

fn joining(network: &Network, number: u32, key: &SigningKey) -> Registration {
    Registration::sign(&network.chain.id(), id(number), (80, 1), key, &build::registrar())
}

#[test]
fn com_3_1_an_institution_is_there_from_its_registration_on() {
    //= harness/spec/committees.md#com-3-registration
    //= type=test
    //# COM-3.1 (paper): An institution MUST register on line with its public key before it can
    //# become a delegate.
    let mut network = Network::new();
    let key = institution_key(id(40));
    assert!(network.chain.roster().institution(id(40)).is_none());
    let block = next(&network, registrations(vec![joining(&network, 40, &key)]));
    network.add(&block, &[]).unwrap();
    assert_eq!(network.chain.roster().key_of(id(40)), Some(&key.owner()));
    // Without the body that rates, of another network, or altered: nobody joins.
    let (chain, other) = (network.chain.id(), institution_key(id(41)));
    let itself = Registration::sign(&chain, id(41), (80, 1), &other, &other);
    let abroad = ChainId::new([9; 32]);
    let abroad = Registration::sign(&abroad, id(41), (80, 1), &other, &build::registrar());
    let better = Registration { rating: 99, ..joining(&network, 41, &other) };
    for (refused, error) in [
        (itself, RegistrationError::Approval),
        (abroad, RegistrationError::Signature),
        (better, RegistrationError::Signature),
    ] {
        let found = why(&network, registrations(vec![refused]));
        assert_eq!(found, Some(EventError::Registration { index: 0, error }));
    }
}

#[test]
fn com_3_5_a_taken_or_barred_key_is_refused() {
    //= harness/spec/committees.md#com-3-registration
    //= type=test
    //# COM-3.2 (paper): A registered institution MUST get an id that no other institution has or
    //# had.
    //= harness/spec/committees.md#com-3-registration
    //= type=test
    //# COM-3.5 (ours): A registration with a key that is already registered, barred or of small
    //# order MUST be refused.
    let mut network = Network::new();
    let refused =
        |index, reason| Some(EventError::Roster(RosterError::Registration { index, reason }));
    let (new, newer) = (institution_key(id(40)), institution_key(id(41)));
    let taken = |number| RegistrationRefused::Id { institution: id(number) };
    let key_of = |number, key: &SigningKey| RegistrationRefused::KeyTaken {
        key: key.owner(),
        holder: id(number),
    };
    let one = joining(&network, 40, &new);
    let check = |network: &Network, all: &[Registration]| why(network, registrations(all.to_vec()));
    assert_eq!(check(&network, &[one, joining(&network, 41, &newer)]), None);
    assert_eq!(check(&network, &[joining(&network, 3, &new)]), refused(0, taken(3)));
    assert_eq!(check(&network, &[one, joining(&network, 40, &newer)]), refused(1, taken(40)));
    let of_three = institution_key(id(3));
    let stolen = joining(&network, 40, &of_three);
    assert_eq!(check(&network, &[stolen]), refused(0, key_of(3, &of_three)));
    assert_eq!(check(&network, &[one, joining(&network, 41, &new)]), refused(1, key_of(40, &new)));
    let fraud = evidence(vec![double(&network, 0, 1, (1, 2))]);
    let mut payload = fraud;
    payload.events.registrations = List::new(vec![one]).unwrap();
    let block = next(&network, payload);
    network.add(&block, &[]).unwrap();
    assert_eq!(check(&network, &[one]), refused(0, taken(40)), "once");
    let of_six = institution_key(id(6));
    let barred = RegistrationRefused::KeyBarred { key: of_six.owner() };
    assert_eq!(check(&network, &[joining(&network, 42, &of_six)]), refused(0, barred));
}

const GRANT: RecordId = RecordId::new([7; 32]);

/// A receipt of service of institution 10 by owner `owner`.
fn served(network: &Network, epoch: u32, kind: ServiceKind, owner: u8) -> Service {
    let (chain, client) = (network.chain.id(), build::key(owner));
    Service::sign(&chain, GRANT, Epoch::new(epoch), (id(10), kind), &client)
}

/// Owner 3 granted institution 10.
fn grants() -> Grants {
    Grants([((GRANT, id(10)), build::key(3).owner())].into())
}

#[test]
fn com_6_3_minted_receipts_of_service_are_refused() {
    //= harness/spec/committees.md#com-6-earning-and-losing
    //= type=test
    //# COM-6.3 (ours): Service MUST raise credit only through a receipt that its client signed, at
    //# most once for each grant and epoch.
    let (network, grants) = (Network::new(), grants());
    let sound = served(&network, 0, ServiceKind::Query, 3);
    let check = |index: &Grants, all: &[Service]| refusal(&network, index, services(all.to_vec()));
    assert_eq!(check(&grants, &[sound]), None);
    let without = |index| Some(EventError::Grant { index });
    // Nobody granted: not even to the institution itself, or to its friends.
    assert_eq!(check(&Grants::default(), &[sound]), without(0));
    let booked: BTreeSet<RecordId> = [GRANT].into();
    let only_booked = refusal(&network, &booked, services(vec![sound]));
    assert_eq!(only_booked, without(0), "a booked record that is no grant");
    let friend = served(&network, 0, ServiceKind::Query, 4);
    assert_eq!(check(&grants, &[sound, friend]), without(1), "another owner signed");
    let client = institution_key(id(10));
    let (chain, kind) = (network.chain.id(), ServiceKind::Query);
    let itself = Service::sign(&chain, GRANT, Epoch::new(0), (id(10), kind), &client);
    assert_eq!(check(&grants, &[itself]), without(0));
    let elsewhere = Service::sign(&chain, GRANT, Epoch::new(0), (id(9), kind), &build::key(3));
    assert_eq!(check(&grants, &[elsewhere]), without(0), "another institution served");
    let other_grant = Service { grant: RecordId::new([8; 32]), ..sound };
    assert_eq!(check(&grants, &[other_grant]), without(0));
    // The right client, and a signature that is not its own or for something else.
    for forged in [
        Service { signature: Signature::new([9; 64]), ..sound },
        Service { signature: friend.signature, ..sound },
        Service { kind: ServiceKind::Reencryption, ..sound },
        Service { epoch: Epoch::new(1), ..sound },
    ] {
        assert_eq!(check(&grants, &[forged]), Some(EventError::Service { index: 0 }));
    }
}

#[test]
fn com_6_3_a_service_counts_once_for_each_grant_and_epoch() {
    //= harness/spec/committees.md#com-6-earning-and-losing
    //= type=test
    //# COM-6.3 (ours): Service MUST raise credit only through a receipt that its client signed, at
    //# most once for each grant and epoch.
    let (mut network, grants) = (Network::new(), grants());
    let repeated =
        |index| Some(EventError::Roster(RosterError::Repeated { what: "service", index }));
    let (query, other) = (ServiceKind::Query, ServiceKind::Reencryption);
    let of = |network: &Network, epoch, kind| served(network, epoch, kind, 3);
    let first = of(&network, 0, query);
    for kind in [query, other] {
        let both = services(vec![first, of(&network, 0, kind)]);
        assert_eq!(refusal(&network, &grants, both), repeated(1));
    }
    let block = next(&network, services(vec![first]));
    network.add_by(&block, &[], &grants).unwrap();
    assert_eq!(refusal(&network, &grants, services(vec![first])), repeated(0));
    assert_eq!(refusal(&network, &grants, services(vec![of(&network, 0, other)])), repeated(0));
    network.turn(600_000, 0);
    assert_eq!(refusal(&network, &grants, services(vec![first])), repeated(0), "an epoch later");
    let second = of(&network, 1, query);
    assert_eq!(refusal(&network, &grants, services(vec![second])), None, "of another epoch");
    network.turn(1_200_000, 0);
    for (found, receipt) in [(0, first), (3, of(&network, 3, query))] {
        let (what, index, open) = ("service", 0, Epoch::new(2));
        let error = RosterError::Epoch { what, index, found: Epoch::new(found), open };
        let refused = refusal(&network, &grants, services(vec![receipt]));
        assert_eq!(refused, Some(EventError::Roster(error)));
    }
    assert_eq!(refusal(&network, &grants, services(vec![second])), None);
}

#[test]
fn reports_of_anchors_are_of_ended_epochs_in_ascending_order() {
    let mut network = Network::new();
    network.turn(600_000, 0);
    network.turn(1_200_000, 0);
    let reports = |epochs: &[u32]| {
        let report = |epoch: &u32| AnchorReport {
            epoch: Epoch::new(*epoch),
            txid: Digest::new([1; 32]),
            height: 1,
        };
        let anchored = List::new(epochs.iter().map(report).collect()).unwrap();
        why(&network, with(Events { anchored, ..Events::default() }))
    };
    let wrong = |index, epoch| Some(EventError::Anchored { index, epoch: Epoch::new(epoch) });
    for sound in [&[0][..], &[1], &[0, 1]] {
        assert_eq!(reports(sound), None);
    }
    assert_eq!(reports(&[2]), wrong(0, 2), "open");
    assert_eq!(reports(&[0, 1, 2]), wrong(2, 2));
    assert_eq!(reports(&[u32::MAX]), wrong(0, u32::MAX));
    assert_eq!(reports(&[1, 0]), wrong(1, 0));
    assert_eq!(reports(&[1, 1]), wrong(1, 1));
}

fn credits(network: &Network) -> BTreeMap<InstitutionId, i64> {
    let all = network.chain.roster().institutions().iter();
    all.map(|one| (one.id, one.credit.get())).collect()
}

#[test]
fn com_6_11_what_blocks_list_is_the_change_of_every_credit() {
    //= harness/spec/committees.md#com-4-performance-record
    //= type=test
    //# COM-4.1 (paper): The chain MUST yield for every institution the numbers of blocks signed,
    //# missed and wrong, and of audits done and wrong.
    //= harness/spec/committees.md#com-4-performance-record
    //= type=test
    //# COM-4.2 (ours): A turn MUST count as missed exactly when a finalized block names a parent of
    //# an earlier view and so skips the view of that turn.
    //= harness/spec/committees.md#com-4-performance-record
    //= type=test
    //# COM-4.3 (ours): An audit MUST count as done exactly when the auditor's signature stands in
    //# the parent certificate that a finalized block carries.
    //= harness/spec/committees.md#com-6-earning-and-losing
    //= type=test
    //# COM-6.1 (paper): Booking, auditing, answering queries and re-encrypting MUST raise credit.
    //= harness/spec/committees.md#com-6-earning-and-losing
    //= type=test
    //# COM-6.2 (paper): Signing an invalid block, cheating, missing a turn and a wrong audit MUST
    //# lower credit.
    //= harness/spec/committees.md#com-6-earning-and-losing
    //= type=test
    //# COM-6.11 (ours): The total change of an institution's credit MUST be the sum of the listed
    //# items, each with its cause.
    let (mut network, grants) = (Network::new(), grants());
    let roll = Roll::new(network.chain.id(), 4);
    let start = credits(&network);
    let mut sums = start.clone();
    let mut listed: Vec<Vec<(u32, Cause, i64)>> = Vec::new();
    let mut frozen = None;
    // Views 1, 4 and 7; the second block carries everything, the third ends the epoch.
    for (number, view, ms) in [(1, 1, 6_000), (2, 4, 24_000), (3, 7, 600_000)] {
        let mut payload = Payload::default();
        if number == 2 {
            let certificate = roll.notarization(&network.tip().unwrap());
            payload.parent_certificate = Some(certificate);
            let proof = double(&network, 0, 1, (1, 2));
            payload.events.evidence = List::new(vec![proof]).unwrap();
            let new = joining(&network, 40, &institution_key(id(40)));
            payload.events.registrations = List::new(vec![new]).unwrap();
            let receipt = served(&network, 0, ServiceKind::Query, 3);
            payload.events.services = List::new(vec![receipt]).unwrap();
        }
        let mut block = network.block_with(ms, payload);
        block.header.view = View::new(view);
        block.header.producer = network.chain.leader(block.header.view);
        let applied = network.add_by(&block, &[], &grants).unwrap();
        for CreditChange { institution, amount, .. } in &applied.credit {
            *sums.entry(*institution).or_default() += amount;
        }
        assert_eq!(sums, credits(&network), "after block {number}");
        let item = |one: &CreditChange| (one.institution.get(), one.cause, one.amount);
        listed.push(applied.credit.iter().map(item).collect());
        frozen = applied.frozen;
    }
    assert_ne!(start, sums);
    let missed = |number| (number, Cause::Missed, MISS);
    assert_eq!(listed[0], [(1, Cause::Booked, BLOCK)], "the first of its epoch");
    let audited = |number| (number, Cause::Audited, AUDIT);
    let second = [
        (4, Cause::Booked, BLOCK),
        missed(2),
        missed(3),
        audited(5),
        audited(6),
        audited(7),
        (6, Cause::Offended(OffenceKind::DoubleNotarize), FRAUD),
        (10, Cause::Served, SERVICE),
        (40, Cause::Registered, 80 * START_PER_POINT),
    ];
    assert_eq!(listed[1], second);
    assert_eq!(listed[2], [missed(1), missed(2)], "no certificate, nothing earned");
    let did = |number| network.chain.roster().institution(id(number)).unwrap().performance;
    assert_eq!((did(1).blocks_signed, did(1).blocks_missed), (1, 1));
    assert_eq!((did(2).blocks_signed, did(2).blocks_missed), (0, 2));
    assert_eq!((did(3).blocks_signed, did(3).blocks_missed), (1, 1));
    assert_eq!((did(6).audits_done, did(6).cheats, did(8).audits_done), (1, 1, 0));
    assert_eq!((did(10).services, did(40)), (1, Default::default()));
    // The freeze takes the seat from auditor 6, and the best outsider gets it.
    let seats = frozen.expect("the third block is at the mark").seats;
    assert_eq!((seats.expelled.len(), seats.queued.len()), (1, 0));
    let expelled = seats.expelled[0];
    assert_eq!((expelled.institution, expelled.place), (id(6), Place::Auditor(1)));
    assert_eq!(expelled.cause, ExpulsionCause::Fraud);
    assert_eq!((seats.seated, seats.promoted), (vec![id(9)], vec![]));
    let auditors = &network.chain.roster().committees().auditors;
    let now: Vec<u32> = auditors.iter().map(|seat| seat.institution.get()).collect();
    assert_eq!(now, [5, 9, 7, 8]);
    let (head, tip) = (network.chain.head(), network.tip().unwrap());
    assert_eq!(head, tip.id());
}
