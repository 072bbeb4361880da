//! Every fault of a block: shown where it is, and not where it is not.

use harness::build::{self, Draft, Flaw, bookings, flawed, item_place, placed, sealed};
use mdsm_core::chain::BlockError;
use mdsm_core::codec::Wire as _;
use mdsm_core::crypto::Identified as _;
use mdsm_core::ledger::{
    Evidence, EvidenceError, Fault, FaultError, Item, OffenceKind, Payload, SignedVote,
};
use mdsm_core::merkle::{Tree, leaf_hash};
use mdsm_core::types::{Epoch, InstitutionId, Signature, View};

use super::scene::{PRODUCER, Scene, check, offence, scene};

const KEPT: Result<mdsm_core::ledger::Offence, EvidenceError> =
    Err(EvidenceError::Fault(FaultError::Kept));
const ELSEWHERE: Result<mdsm_core::ledger::Offence, EvidenceError> =
    Err(EvidenceError::Fault(FaultError::Elsewhere));

/// A fault of each kind, filled with what the sound block holds.
fn of_the_sound_block(Scene { draft, .. }: &Scene) -> Vec<Fault> {
    let Draft { parent, block, items } = draft;
    let summary = block.payload.summary();
    let certificate = block.payload.parent_certificate.clone().unwrap();
    let leaves: Vec<_> = items.iter().map(bookings).collect();
    let roots: Vec<_> = items.iter().map(Item::root).collect();
    let at = |item, record| placed(&leaves, &roots, item, record);
    let tree = |item: usize| {
        Tree::from_hashes(leaves[item].iter().map(|booking| booking.leaf_hash()).collect()).root()
    };
    let mut all = vec![
        Fault::Header,
        Fault::Parent(parent.unwrap()),
        Fault::Certificate { summary, certificate },
        Fault::ItemBlock(summary),
        Fault::Repeated { summary, first: at(0, 0), second: at(0, 0) },
        Fault::Repeated { summary, first: at(0, 1), second: at(2, 1) },
        Fault::Repeated { summary, first: at(1, 8), second: at(1, 9) },
    ];
    for (item, records) in [(0, 10), (1, 10), (2, 5)] {
        let place = item_place(&roots, item);
        all.push(Fault::Item { summary, place, records, tree: tree(item) });
        for record in 0..leaves[item].len() {
            all.push(Fault::Booking { summary, booking: at(item, record) });
        }
    }
    all
}

#[test]
fn con_7_9_a_sound_block_has_no_fault() {
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //= type=test
    //# CON-7.9 (ours): Evidence MUST NOT exist against an institution that follows the protocol.
    let scene = scene();
    assert_eq!(scene.network.check(&scene.draft.block, &scene.draft.items), Ok(()));
    let faults = of_the_sound_block(&scene);
    assert_eq!(faults.len(), 7 + 3 + 25);
    for fault in faults {
        assert_eq!(scene.convict(&scene.draft.block, fault.clone()), KEPT, "{fault:?}");
    }
}

#[test]
fn every_flaw_convicts_the_producer_and_whoever_voted_for_it() {
    let scene = scene();
    let auditor = InstitutionId::new(6);
    for flaw in Flaw::ALL {
        let made = flawed(&scene.draft, flaw).unwrap();
        let view = made.block.header.view.get();
        let convicted = offence(PRODUCER, view, OffenceKind::InvalidBlock);
        assert_eq!(scene.convict(&made.block, made.fault.clone()), Ok(convicted), "{flaw:?}");

        let (header, vote) =
            (scene.signed(&made.block), scene.roll.notarize(auditor, &made.block.header));
        let fault = Box::new(made.fault);
        let audit = Evidence::Audit { header, fault: fault.clone(), vote };
        let convicted = offence(auditor, view, OffenceKind::WrongAudit);
        assert_eq!(check(&audit, &scene.roll), Ok(convicted), "{flaw:?}");
        // It travels.
        for evidence in [audit, Evidence::Block { header, fault }] {
            assert_eq!(Evidence::from_bytes(&evidence.to_bytes()).unwrap(), evidence, "{flaw:?}");
        }
    }
}

#[test]
fn con_4_5_a_flawed_block_that_can_be_sent_is_refused() {
    let scene = scene();
    for flaw in Flaw::ALL.into_iter().filter(|flaw| !flaw.is_unsendable()) {
        let made = flawed(&scene.draft, flaw).unwrap();
        let refused = scene.network.check(&made.block, &made.items);
        assert!(refused.is_err(), "{flaw:?}");
    }
}

#[test]
fn a_flaw_is_no_fault_of_another_block() {
    let scene = scene();
    for flaw in Flaw::ALL {
        let fault = flawed(&scene.draft, flaw).unwrap().fault;
        let expected = match fault {
            Fault::Header | Fault::Parent(_) => KEPT,
            _ => ELSEWHERE,
        };
        assert_eq!(scene.convict(&scene.draft.block, fault), expected, "{flaw:?}");
    }
}

#[test]
fn a_block_is_only_blamed_by_its_signature_and_its_vote() {
    let scene = scene();
    let auditor = InstitutionId::new(6);
    let made = flawed(&scene.draft, Flaw::RecordFuture).unwrap();
    let (header, fault) = (scene.signed(&made.block), Box::new(made.fault));
    let block = |header| check(&Evidence::Block { header, fault: fault.clone() }, &scene.roll);
    assert!(block(header).is_ok());
    let mut forged = header;
    forged.signature = Signature::new([7; 64]);
    assert_eq!(block(forged), Err(EvidenceError::Signature { institution: PRODUCER }));
    let mut stranger = header.header;
    stranger.producer = InstitutionId::new(99);
    let unknown = EvidenceError::Unknown { institution: stranger.producer };
    assert_eq!(block(scene.roll.signed(stranger)), Err(unknown));
    let mut abroad = header.header;
    abroad.chain_id = mdsm_core::types::ChainId::new([1; 32]);
    assert_eq!(block(scene.roll.signed(abroad)), Err(EvidenceError::ChainId));

    // A wrong audit needs no signature of the producer, but the right vote.
    let vote = scene.roll.notarize(auditor, &made.block.header);
    let audit =
        |header, vote| check(&Evidence::Audit { header, fault: fault.clone(), vote }, &scene.roll);
    assert!(audit(forged, vote).is_ok());
    let hash = made.block.hash();
    let with = |change: &dyn Fn(&mut mdsm_core::ledger::Vote)| {
        let mut other = vote.vote;
        change(&mut other);
        audit(header, scene.roll.vote(auditor, other))
    };
    use mdsm_core::ledger::Subject;
    let other = Err(EvidenceError::OtherBlock);
    assert_eq!(with(&|vote| vote.subject = Subject::Notarize(scene.draft.block.hash())), other);
    assert_eq!(with(&|vote| vote.subject = Subject::Finalize(hash)), other);
    assert_eq!(with(&|vote| vote.subject = Subject::Nullify), other);
    assert_eq!(with(&|vote| vote.view = View::new(9)), other);
    assert_eq!(with(&|vote| vote.epoch = Epoch::new(1)), other);
    let wrong = SignedVote { signature: Signature::new([7; 64]), ..vote };
    assert_eq!(audit(header, wrong), Err(EvidenceError::Signature { institution: auditor }));
    let stranger = SignedVote { signer: InstitutionId::new(99), ..vote };
    let unknown = EvidenceError::Unknown { institution: stranger.signer };
    assert_eq!(audit(header, stranger), Err(unknown));
    // A vote for a sound block is no wrong audit.
    let sound = scene.draft.block.clone();
    for fault in of_the_sound_block(&scene) {
        let vote = scene.roll.notarize(auditor, &sound.header);
        let fault = Box::new(fault);
        let audit = Evidence::Audit { header: scene.signed(&sound), fault, vote };
        assert_eq!(check(&audit, &scene.roll), KEPT);
    }
}

#[test]
fn a_block_may_come_at_most_two_minutes_before_its_records_and_not_one_millisecond_more() {
    let scene = scene();
    let header = &scene.draft.block.header;
    for (ahead, is_fault) in [(119_999, false), (120_000, false), (120_001, true)] {
        let mut record = build::metadata(5);
        record.created = mdsm_core::types::Timestamp::new(header.timestamp.get() + ahead);
        let content = mdsm_core::ledger::Content::inline(*b"later").unwrap();
        let owner = build::key(1);
        let record = mdsm_core::ledger::Record::new(owner.owner(), record, content).unwrap();
        let envelope =
            mdsm_core::ledger::Envelope::sign(record, &header.chain_id, &owner, PRODUCER);
        let items = [build::item_of(vec![envelope])];
        let block = scene.network.block_of(12_000, &items);
        let leaves = [bookings(&items[0])];
        let booking = placed(&leaves, &[items[0].root()], 0, 0);
        let fault = Fault::Booking { summary: block.payload.summary(), booking };
        assert_eq!(scene.convict(&block, fault).is_ok(), is_fault, "{ahead}");
        let refused = scene.network.check(&block, &items);
        assert_eq!(matches!(refused, Err(BlockError::CreatedAhead { .. })), is_fault, "{ahead}");
    }
}

#[test]
fn the_first_block_of_an_epoch_is_held_to_the_last_of_the_one_before() {
    let mut scene = scene();
    scene.network.turn(600_000, 2);
    let parent = scene.network.tip().unwrap();
    let first = scene.network.block(606_000, None);
    assert_eq!((first.header.parent, first.header.parent_view), (parent.id(), View::new(0)));
    assert_eq!(scene.convict(&first, Fault::Parent(parent)), KEPT);
    let draft = Draft { parent: Some(parent), block: first.clone(), items: vec![] };
    for flaw in [Flaw::ParentHeight, Flaw::ParentTime, Flaw::ParentView, Flaw::ParentEpoch] {
        let made = flawed(&draft, flaw).unwrap();
        assert!(scene.convict(&made.block, made.fault).is_ok(), "{flaw:?}");
        assert!(scene.network.check(&made.block, &[]).is_err(), "{flaw:?}");
    }
    let mut skipped = first.header;
    skipped.epoch = Epoch::new(2);
    let skipped = sealed(skipped, Payload::default());
    assert!(scene.convict(&skipped, Fault::Parent(parent)).is_ok());
    assert_eq!(scene.convict(&first, Fault::Parent(first.header)), ELSEWHERE, "no parent of it");
}

#[test]
fn a_certificate_is_no_fault_while_the_committee_is_unknown() {
    let mut scene = scene();
    let made = flawed(&scene.draft, Flaw::CertificateQuorum).unwrap();
    assert!(scene.convict(&made.block, made.fault.clone()).is_ok());
    let mut later = made.block.header;
    later.epoch = Epoch::new(7);
    let later = sealed(later, made.block.payload.clone());
    scene.roll.last = Epoch::new(6);
    let refused = Err(EvidenceError::Fault(FaultError::Committee));
    assert_eq!(scene.convict(&later, made.fault.clone()), refused);
    scene.roll.last = Epoch::new(7);
    assert!(scene.convict(&later, made.fault).is_ok());
    // A payload without a certificate has none that could be wrong.
    let sound = &scene.draft.block;
    let payload = Payload { parent_certificate: None, ..sound.payload.clone() };
    let certificate = sound.payload.parent_certificate.clone().unwrap();
    let fault = Fault::Certificate { summary: payload.summary(), certificate };
    assert_eq!(scene.convict(&sealed(sound.header, payload), fault), ELSEWHERE);
}

#[test]
fn the_preimage_of_a_root_is_a_fault_at_0_and_11_records_only() {
    let scene = scene();
    let header = &scene.draft.block.header;
    for records in (0..=12).chain([255, 256, u32::MAX]) {
        let tree = mdsm_core::crypto::sha256(b"any tree");
        let root = mdsm_core::ledger::level_root(mdsm_core::ledger::Level::Item, records, &tree);
        let mut payload = scene.draft.block.payload.clone();
        let roots = vec![leaf_hash(b"another Item"), root];
        let item_block = payload.item_block.as_mut().unwrap();
        item_block.header.root =
            mdsm_core::ledger::root_of(mdsm_core::ledger::Level::ItemBlock, &roots);
        let place = item_place(&roots, 1);
        let block = sealed(*header, payload);
        let fault = Fault::Item { summary: block.payload.summary(), place, records, tree };
        let is_fault = !(1..=10).contains(&records);
        let expected = offence(PRODUCER, header.view.get(), OffenceKind::InvalidBlock);
        let expected = if is_fault { Ok(expected) } else { KEPT };
        assert_eq!(scene.convict(&block, fault), expected, "{records}");
    }
}
