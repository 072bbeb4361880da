//! Views, parents and closing blocks, as the chain takes them.

use harness::build::{DELEGATE, Network, Roll, sealed};
use mdsm_core::chain::{Applied, BlockError, Chain};
use mdsm_core::crypto::Identified as _;
use mdsm_core::ledger::{
    AnchorReport, Block, Certificate, Events, Evidence, Payload, Registration, Service,
    ServiceKind, Subject,
};
use mdsm_core::types::{ChainId, Digest, Epoch, Height, InstitutionId, List, RecordId, View};

/// A network whose first epoch has ended with its second block.
fn ended() -> Network {
    let mut network = Network::new();
    network.turn(6_000, 12);
    assert!(network.turn(600_000, 3).frozen.is_some());
    network
}

/// All that a closing block must leave as it is.
fn state(chain: &Chain) -> impl PartialEq + std::fmt::Debug + use<> {
    let ends = (chain.head(), chain.height(), chain.timestamp(), chain.epoch(), chain.mark());
    (ends, chain.totals(), chain.state_digest())
}

#[test]
fn con_4_5_a_block_extends_its_parent_in_every_field() {
    //= harness/spec/consensus.md#con-4-audit
    //= type=test
    //# CON-4.5 (ours): A block MUST be refused unless its height is one above its parent's, its
    //# parent and chain are the ones it extends, and its payload has the digest in its header.
    let mut network = Network::new();
    network.turn(6_000, 2);
    let items = network.new_items(2);
    let sound = network.block_of(12_000, &items);
    assert_eq!(network.check(&sound, &items), Ok(()));
    let with = |edit: &dyn Fn(&mut Block)| {
        let mut other = sound.clone();
        edit(&mut other);
        network.check(&other, &items)
    };
    let (chain, digest) = (ChainId::new([1; 32]), Digest::new([1; 32]));
    assert_eq!(
        with(&|b| b.header.chain_id = chain),
        Err(BlockError::ChainId { found: chain, expected: network.chain.id() })
    );
    assert_eq!(
        with(&|b| b.header.parent = digest),
        Err(BlockError::Parent { found: digest, expected: network.chain.head() })
    );
    for height in [0, 1, 3, u64::MAX] {
        let (found, expected) = (Height::new(height), Height::new(2));
        let refused = Err(BlockError::Height { found, expected });
        assert_eq!(with(&|b| b.header.height = found), refused);
    }
    assert_eq!(
        with(&|b| b.header.payload = digest),
        Err(BlockError::Payload { found: digest, expected: sound.payload.commitment() })
    );
    let idle = Payload::default();
    let refused = BlockError::Payload { found: sound.header.payload, expected: idle.commitment() };
    assert_eq!(with(&|b| b.payload = Payload::default()), Err(refused));
}

#[test]
fn con_5_3_a_view_is_above_its_parents_which_the_header_names() {
    let mut network = Network::new();
    let first = network.block(6_000, None);
    let with = |network: &Network, block: &Block, view, parent_view| {
        let mut block = block.clone();
        (block.header.view, block.header.parent_view) = (View::new(view), View::new(parent_view));
        block.header.producer = network.chain.leader(block.header.view);
        network.check(&block, &[])
    };
    let wrong = |found, expected| {
        let (found, expected) = (View::new(found), View::new(expected));
        Err(BlockError::ParentView { found, expected })
    };
    let low = |found, parent| {
        Err(BlockError::View { found: View::new(found), parent: View::new(parent) })
    };
    // The first of an epoch: any view from 1 on.
    for view in [1, 2, 900, u64::MAX] {
        assert_eq!(with(&network, &first, view, 0), Ok(()));
    }
    assert_eq!(with(&network, &first, 0, 0), low(0, 0));
    assert_eq!(with(&network, &first, 2, 1), wrong(1, 0));
    // Views that were skipped stay skipped.
    let mut skipping = first;
    skipping.header.view = View::new(5);
    skipping.header.producer = network.chain.leader(View::new(5));
    network.add(&skipping, &[]).unwrap();
    let second = network.block(12_000, None);
    assert_eq!((second.header.view, second.header.parent_view), (View::new(6), View::new(5)));
    for view in [6, 7, u64::MAX] {
        assert_eq!(with(&network, &second, view, 5), Ok(()));
    }
    assert_eq!(with(&network, &second, 5, 5), low(5, 5));
    assert_eq!(with(&network, &second, 1, 5), low(1, 5));
    for parent_view in [0, 4, 6] {
        assert_eq!(with(&network, &second, 7, parent_view), wrong(parent_view, 5));
    }
}

#[test]
fn con_5_1_a_view_belongs_to_its_leader_alone() {
    //= harness/spec/consensus.md#con-5-turns
    //= type=test
    //# CON-5.1 (paper): Producers MUST take turns to produce blocks.
    let mut network = Network::new();
    for (view, leader) in [(1, 1), (2, 2), (3, 3), (4, 4), (5, 1), (90, 2), (u64::MAX, 3)] {
        let mut block = network.block(6_000, None);
        let (view, leader) = (View::new(view), InstitutionId::new(leader));
        block.header.view = view;
        for found in (0..=11).map(InstitutionId::new) {
            block.header.producer = found;
            let refused = BlockError::Producer { found, leader, view };
            let expected = if found == leader { Ok(()) } else { Err(refused) };
            assert_eq!(network.check(&block, &[]), expected);
        }
    }
    // The turn goes on behind the freeze: view 2 was the last of the epoch, closing blocks count not.
    network.turn(6_000, 1);
    network.turn(600_000, 1);
    let closing = network.closing(606_000, Payload::default());
    assert_eq!((closing.header.view, closing.header.producer.get()), (View::new(3), 3));
    network.add(&closing, &[]).unwrap();
    let first = network.block(660_000, None);
    assert_eq!((first.header.view, first.header.producer.get()), (View::new(1), 3));
    assert_eq!(network.check(&first, &[]), Ok(()));
    let mut stolen = first;
    stolen.header.producer = InstitutionId::new(1);
    assert!(matches!(network.check(&stolen, &[]), Err(BlockError::Producer { .. })));
}

#[test]
fn sto_13_4_closing_blocks_follow_one_another_and_change_nothing() {
    //= harness/spec/storage.md#sto-13-freeze
    //= type=test
    //# STO-13.4 (ours): A block that descends from the last block of its own epoch MUST carry an
    //# empty payload and change no state.
    let mut network = ended();
    let before = state(&network.chain);
    for number in 1..=4 {
        let parent = network.tip().unwrap();
        let closing = network.closing(600_000 + 6_000 * number, Payload::default());
        assert_eq!(closing.header.epoch, Epoch::new(0));
        assert_eq!((closing.header.parent, closing.header.parent_view), (parent.id(), parent.view));
        // Once only, and not above another one than the last.
        let mut beside = closing.clone();
        beside.header.parent = network.chain.head();
        assert_eq!(network.check(&beside, &[]).is_err(), number > 1);
        assert_eq!(network.add(&closing, &[]), Ok(Applied::default()));
        assert!(network.check(&closing, &[]).is_err(), "the block follows once");
        assert_eq!(state(&network.chain), before, "closing block {number}");
    }
    // They are held to their parents like all others.
    let sound = network.closing(660_000, Payload::default());
    assert_eq!(network.check(&sound, &[]), Ok(()));
    let tip = network.tip().unwrap();
    let with = |edit: &dyn Fn(&mut mdsm_core::ledger::BlockHeader)| {
        let mut other = sound.clone();
        edit(&mut other.header);
        network.check(&other, &[])
    };
    let parent_view = |found| {
        let (found, expected) = (View::new(found), tip.view);
        Err(BlockError::ParentView { found, expected })
    };
    assert_eq!(with(&|h| h.parent_view = View::new(0)), parent_view(0));
    let low = Err(BlockError::View { found: tip.view, parent: tip.view });
    assert_eq!(with(&|h| h.view = tip.view), low);
    assert!(matches!(with(&|h| h.height = tip.height), Err(BlockError::Height { .. })));
    assert!(matches!(with(&|h| h.timestamp = tip.timestamp), Err(BlockError::Timestamp { .. })));
    let closed = Epoch::new(7);
    assert!(matches!(with(&|h| h.epoch = closed), Err(BlockError::Epoch { .. })));
}

#[test]
fn sto_13_4_a_closing_block_with_anything_in_it_is_refused() {
    //= harness/spec/storage.md#sto-13-freeze
    //= type=test
    //# STO-13.4 (ours): A block that descends from the last block of its own epoch MUST carry an
    //# empty payload and change no state.
    let mut network = ended();
    let roll = Roll::new(network.chain.id(), 4);
    let items = network.new_items(2);
    let tip = network.tip().unwrap();
    let certificate: Certificate = roll.notarization(&tip);
    let [a, b] = [1, 2].map(|byte| Subject::Notarize(Digest::new([byte; 32])));
    let voter = InstitutionId::new(6);
    let cast = |subject| roll.vote(voter, Roll::subject_in(1, subject));
    let registration = Registration::sign(
        &network.chain.id(),
        InstitutionId::new(40),
        (80, 1),
        &harness::build::institution_key(InstitutionId::new(40)),
        &harness::build::registrar(),
    );
    let service = Service::sign(
        &network.chain.id(),
        RecordId::new([1; 32]),
        Epoch::new(0),
        (DELEGATE, ServiceKind::Query),
        &harness::build::key(1),
    );
    let report = AnchorReport { epoch: Epoch::new(0), txid: Digest::new([3; 32]), height: 5 };
    let of = |events| Payload { events, ..Payload::default() };
    let votes = Evidence::Votes { first: cast(a), second: cast(b) };
    let payloads = [
        ("Items", network.block_of(606_000, &items).payload),
        (
            "the certificate of its parent",
            Payload { parent_certificate: Some(certificate), ..Payload::default() },
        ),
        ("evidence", of(Events { evidence: List::new(vec![votes]).unwrap(), ..Events::default() })),
        (
            "a registration",
            of(Events {
                registrations: List::new(vec![registration]).unwrap(),
                ..Events::default()
            }),
        ),
        (
            "a receipt of service",
            of(Events { services: List::new(vec![service]).unwrap(), ..Events::default() }),
        ),
        (
            "a report",
            of(Events { anchored: List::new(vec![report]).unwrap(), ..Events::default() }),
        ),
    ];
    for (what, payload) in payloads {
        let carried = if payload.item_block.is_some() { &items[..] } else { &[] };
        let closing = network.closing(606_000, payload);
        assert_eq!(network.check(&closing, carried), Err(BlockError::Closing), "{what}");
    }
    let empty = network.closing(606_000, Payload::default());
    assert_eq!(network.check(&empty, &items), Err(BlockError::Closing), "Items beside it");
    assert_eq!(network.check(&empty, &[]), Ok(()));
}

#[test]
fn con_8_4_an_epoch_goes_on_from_the_last_block_and_not_from_a_closing_one() {
    //= harness/spec/consensus.md#con-8-clock
    //= type=test
    //# CON-8.4 (ours): The first block of an epoch MUST have the last block of the epoch before it
    //# as parent.
    for closing_blocks in 0..4 {
        let mut network = ended();
        let (last, height) = (network.chain.head(), network.chain.height());
        for number in 1..=closing_blocks {
            let closing = network.closing(600_000 + 6_000 * number, Payload::default());
            network.add(&closing, &[]).unwrap();
        }
        let items = network.new_items(2);
        let first = network.block_of(660_000, &items);
        assert_eq!((first.header.epoch, first.header.parent), (Epoch::new(1), last));
        assert_eq!(first.header.height, height.next().unwrap());
        assert_eq!(network.check(&first, &items), Ok(()));
        // Above a closing block, or above the genesis.
        let tip = network.tip().unwrap();
        for parent in [tip.id(), Digest::new(*network.chain.id().as_bytes())] {
            let mut other = first.header;
            other.parent = parent;
            let other = sealed(other, first.payload.clone());
            let refused = BlockError::Parent { found: parent, expected: last };
            let expected = if parent == last { Ok(()) } else { Err(refused) };
            assert_eq!(network.check(&other, &items), expected);
        }
        let mut view = first.clone();
        (view.header.view, view.header.parent_view) = (View::new(9), tip.view);
        let (found, expected) = (tip.view, View::new(0));
        assert_eq!(network.check(&view, &items), Err(BlockError::ParentView { found, expected }));
        assert_eq!(network.add(&first, &items).unwrap().booked.len(), 2);
        // No closing block comes late.
        let late = network.closing(666_000, Payload::default());
        let mut of_the_first = late.clone();
        of_the_first.header.epoch = Epoch::new(0);
        let refused = BlockError::Epoch { found: Epoch::new(0), expected: Epoch::new(1) };
        assert_eq!(network.check(&of_the_first, &[]), Err(refused));
    }
}
