//! Places that a record or an Item does not stand at.

use harness::build::{Flaw, bookings, flawed, item_place, placed};
use mdsm_core::ledger::{EvidenceError, Fault, FaultError, Item, PlacedBooking, Summary};
use mdsm_core::merkle::{leaf_hash, node_hash};
use mdsm_core::types::{Digest, List};

use super::scene::{Scene, scene};

type Edit = (&'static str, fn(&mut PlacedBooking));

/// Every way to misplace the second record of the last Item: of 2, in 4 Items.
const MISPLACED: [Edit; 17] = [
    ("another record", |at| at.record.index = 0),
    ("beyond the Item", |at| at.record.index = 2),
    ("a larger Item", |at| at.record.size = 3),
    ("a smaller Item", |at| at.record.size = 1),
    ("an Item of none", |at| at.record.size = 0),
    ("an Item of eleven", |at| at.record.size = 11),
    ("another Item", |at| at.item.index = 2),
    ("beyond the block", |at| at.item.index = 4),
    ("a larger block", |at| at.item.size = 5),
    ("a smaller block", |at| at.item.size = 3),
    ("a block of none", |at| at.item.size = 0),
    ("a shorter path in the Item", |at| at.record.path = List::default()),
    ("a longer path in the Item", |at| {
        at.record.path =
            List::new([&at.record.path[..], &[Digest::new([0; 32])]].concat()).unwrap();
    }),
    ("a shorter path in the block", |at| {
        at.item.path = List::new(at.item.path[..1].to_vec()).unwrap();
    }),
    ("a longer path in the block", |at| {
        at.item.path = List::new([&at.item.path[..], &[Digest::new([0; 32])]].concat()).unwrap();
    }),
    ("a path upside down", |at| {
        at.item.path = List::new(at.item.path.iter().rev().copied().collect()).unwrap();
    }),
    ("another booking", |at| at.booking.metadata.size += 1),
];

fn elsewhere(scene: &Scene, block: &mdsm_core::ledger::Block, fault: Fault, what: &str) {
    let refused = Err(EvidenceError::Fault(FaultError::Elsewhere));
    assert_eq!(scene.convict(block, fault), refused, "{what}");
}

#[test]
fn con_7_9_a_record_is_no_fault_at_a_place_where_it_does_not_stand() {
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //= type=test
    //# CON-7.9 (ours): Evidence MUST NOT exist against an institution that follows the protocol.
    let scene = scene();
    let made = flawed(&scene.draft, Flaw::RecordFuture).unwrap();
    let Fault::Booking { summary, booking } = made.fault.clone() else { panic!("a booking") };
    assert_eq!((booking.item.index, booking.item.size), (3, 4), "as the table needs it");
    assert_eq!((booking.record.index, booking.record.size), (1, 2), "as the table needs it");
    assert!(scene.convict(&made.block, made.fault).is_ok());
    for (what, misplace) in MISPLACED {
        let mut other = booking.clone();
        misplace(&mut other);
        assert_ne!(other, booking, "{what}");
        elsewhere(&scene, &made.block, Fault::Booking { summary, booking: other.clone() }, what);
        // Both places of a repeated record are looked at.
        let (first, second) = (booking.clone(), other);
        let there = Fault::Repeated { summary, first: first.clone(), second: second.clone() };
        elsewhere(&scene, &made.block, there, what);
        let back = Fault::Repeated { summary, first: second, second: first };
        elsewhere(&scene, &made.block, back, what);
    }
}

#[test]
fn an_item_is_no_fault_at_a_place_where_it_does_not_stand() {
    let scene = scene();
    let made = flawed(&scene.draft, Flaw::ItemOfEleven).unwrap();
    let Fault::Item { summary, place, records, tree } = made.fault.clone() else {
        panic!("an Item")
    };
    assert!(scene.convict(&made.block, made.fault).is_ok());
    for (what, records) in [("no records", 0), ("twelve", 12), ("ten", 10), ("many", u32::MAX)] {
        let fault = Fault::Item { summary, place: place.clone(), records, tree };
        elsewhere(&scene, &made.block, fault, what);
    }
    let fault = Fault::Item { summary, place: place.clone(), records, tree: leaf_hash(b"other") };
    elsewhere(&scene, &made.block, fault, "another tree");
    for index in (0..place.size).filter(|index| *index != place.index) {
        let place = mdsm_core::ledger::ItemPlace { index, ..place.clone() };
        elsewhere(&scene, &made.block, Fault::Item { summary, place, records, tree }, "index");
    }
    // The root of the tree of Items, offered as that of an Item block of one Item.
    let roots: Vec<Digest> = scene.draft.items.iter().map(Item::root).collect();
    let left = node_hash(&leaf_hash(roots[0].as_bytes()), &leaf_hash(roots[1].as_bytes()));
    let inner = mdsm_core::ledger::ItemPlace { index: 0, size: 1, path: List::default() };
    let fault = Fault::Item { summary, place: inner, records: 0, tree: left };
    elsewhere(&scene, &made.block, fault, "an inner node as a leaf");
}

#[test]
fn a_summary_that_is_not_the_headers_shows_nothing() {
    let scene = scene();
    let sound = &scene.draft.block;
    let own = sound.payload.summary();
    let roots: Vec<Digest> = scene.draft.items.iter().map(Item::root).collect();
    let leaves: Vec<_> = scene.draft.items.iter().map(bookings).collect();
    let booking = placed(&leaves, &roots, 0, 0);
    let mut closed_late = own.item_block.unwrap();
    closed_late.closed_at = sound.header.timestamp;
    closed_late.height = closed_late.height.next().unwrap();
    let others = [
        ("another Item block", Summary { item_block: Some(closed_late), ..own }),
        ("no Item block", Summary { item_block: None, ..own }),
        ("no certificate", Summary { parent_certificate: None, ..own }),
        ("other events", Summary { events: Digest::new([1; 32]), ..own }),
    ];
    for (what, summary) in others {
        let certificate = sound.payload.parent_certificate.clone().unwrap();
        let (place, tree) = (item_place(&roots, 0), leaf_hash(b"a tree"));
        let faults = [
            Fault::Certificate { summary, certificate },
            Fault::ItemBlock(summary),
            Fault::Item { summary, place, records: 0, tree },
            Fault::Booking { summary, booking: booking.clone() },
            Fault::Repeated { summary, first: booking.clone(), second: booking.clone() },
        ];
        for fault in faults {
            elsewhere(&scene, sound, fault, what);
        }
    }
    // An idle block has no Item block to blame.
    let idle = scene.network.block(12_000, None);
    elsewhere(&scene, &idle, Fault::ItemBlock(idle.payload.summary()), "idle");
}
