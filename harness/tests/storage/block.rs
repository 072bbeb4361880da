//! STO-2.6, STO-8.7 and STO-9: blocks that must not be followed.

use harness::build::{self, DELEGATE, Network, START_MS, key};
use mdsm_core::chain::BlockError;
use mdsm_core::codec::{PREFIX_BYTES, Wire as _};
use mdsm_core::crypto::sign::{KeyError, SignatureError};
use mdsm_core::ledger::*;
use mdsm_core::types::*;

/// A block around a changed Item block, its payload hashed anew.
fn around(network: &Network, change: impl FnOnce(&mut ItemBlock), items: &[Item]) -> Block {
    let mut item_block = network.item_block(6_000, items);
    change(&mut item_block);
    network.block(6_000, Some(item_block))
}

#[test]
fn sto_2_6_a_record_is_booked_once() {
    //= harness/spec/storage.md#sto-2-record-signature-acceptance
    //= type=test
    //# STO-2.6 (ours): A record id MUST occur at most once on the finalized chain.
    //= harness/spec/consensus.md#con-4-audit
    //= type=test
    //# CON-4.6 (ours): A block that repeats a record id of its own chain MUST be refused.
    let mut network = Network::new();
    let items = network.new_items(20);
    let block = network.block_of(6_000, &items);
    let booked = network.add(&block, &items).unwrap().booked;
    assert_eq!(booked.len(), 20);
    let id = network.chain.id();

    // Once more in a later block, by another delegate, in another Item.
    let again = Envelope { booked_by: InstitutionId::new(3), ..build::envelope(&id, 13) };
    let later = [build::item(&id, 100..109), build::item_of(vec![again])];
    let block = network.block_of(12_000, &later);
    let repeated = |item, record, at: usize| BlockError::Repeated { item, record, id: booked[at] };
    assert_eq!(network.check(&block, &later), Err(repeated(1, 0, 13)));

    // Twice in one block.
    let fresh = build::envelope(&id, 200);
    let twice = [
        build::item_of(vec![fresh.clone(), build::envelope(&id, 201)]),
        build::item_of(vec![build::envelope(&id, 202), fresh.clone()]),
    ];
    let block = network.block_of(12_000, &twice);
    let refused = BlockError::Repeated { item: 1, record: 1, id: fresh.record.id() };
    assert_eq!(network.check(&block, &twice), Err(refused));
    let once = &twice[..1];
    assert_eq!(network.check(&network.block_of(12_000, once), once), Ok(()));
}

#[test]
fn sto_2_records_are_checked_before_they_are_booked() {
    //= harness/spec/storage.md#sto-2-record-signature-acceptance
    //= type=test
    //# STO-2.3 (ours): A record MUST be refused unless the Ed25519 signature in its envelope holds
    //# under its owner's key over the 69 bytes drawn as Owner's message.
    let mut network = Network::new();
    // One record alone, and batches of them: the one that was not signed is named wherever it stands.
    for count in [1, 4, 23] {
        let sound = network.new_items(count);
        assert_eq!(network.check(&network.block_of(6_000, &sound), &sound), Ok(()));
        for (item, record) in (0..sound.len()).zip([0, 6, 2]) {
            let mut items = sound.clone();
            let mut records = items[item].records.clone().into_vec();
            let record = record.min(records.len() - 1);
            let mut signature = *records[record].owner_signature.as_bytes();
            signature[40] ^= 1;
            records[record].owner_signature = Signature::new(signature);
            items[item] = build::item_of(records);
            let error = EnvelopeError::Signature(SignatureError);
            let refused = Err(BlockError::Envelope { item, record, error });
            assert_eq!(network.check(&network.block_of(6_000, &items), &items), refused);
        }
    }
}

#[test]
fn sto_2_5_a_key_of_small_order_is_refused_in_a_batch_too() {
    //= harness/spec/storage.md#sto-2-record-signature-acceptance
    //= type=test
    //# STO-2.5 (ours): A record whose owner key is not a point of the curve or is of small order
    //# MUST be refused.
    let mut network = Network::new();
    let mut items = network.new_items(8);
    let mut records = items[0].records.clone().into_vec();
    // The neutral point signs anything with R itself and S = 0.
    let mut neutral = [0; 64];
    neutral[0] = 1;
    let mut bytes = records[5].to_bytes();
    let (at, end) = (PREFIX_BYTES, bytes.len() - 4);
    bytes[at..at + 32].copy_from_slice(&neutral[..32]);
    bytes[end - 64..end].copy_from_slice(&neutral);
    records[5] = Envelope::from_bytes(&bytes).unwrap();
    items[0] = build::item_of(records);
    let error = EnvelopeError::Owner(KeyError::SmallOrder);
    let refused = Err(BlockError::Envelope { item: 0, record: 5, error });
    assert_eq!(network.check(&network.block_of(6_000, &items), &items), refused);
}

#[test]
fn sto_8_7_a_record_from_the_future_is_refused() {
    //= harness/spec/storage.md#sto-8-metadata
    //= type=test
    //# STO-8.7 (ours): A record whose time of creation lies more than 120,000 milliseconds after
    //# the timestamp of the block that carries it MUST be refused.
    let mut network = Network::new();
    let made = |network: &Network, ms: i64| {
        let created = Timestamp::new(START_MS + ms);
        let metadata = Metadata { created, ..build::metadata(1) };
        let content = Content::inline([1]).unwrap();
        let record = Record::new(key(1).owner(), metadata, content).unwrap();
        let signed = Envelope::sign(record, &network.chain.id(), &key(1), DELEGATE);
        [build::item(&network.chain.id(), [1, 2]), build::item_of(vec![signed])]
    };
    for ms in [6_001 + 120_000, 600_000] {
        let items = made(&network, ms);
        let refused = BlockError::CreatedAhead {
            item: 1,
            record: 0,
            created: Timestamp::new(START_MS + ms),
            timestamp: Timestamp::new(START_MS + 6_000),
        };
        assert_eq!(network.check(&network.block_of(6_000, &items), &items), Err(refused));
    }
    for ms in [-6_000_000, 0, 6_000, 6_000 + 120_000] {
        let items = made(&network, ms);
        assert_eq!(network.check(&network.block_of(6_000, &items), &items), Ok(()), "{ms}");
    }
    let items = made(&network, 6_000 + 120_000);
    network.add(&network.block_of(6_000, &items), &items).unwrap();
}

#[test]
fn com_3_6_a_record_under_the_id_of_nobody_is_refused() {
    //= harness/spec/committees.md#com-3-registration
    //= type=test
    //# COM-3.6 (ours): A record MUST be refused in a block behind whose parent the delegate it names
    //# is not registered.
    let network = Network::new();
    let id = network.chain.id();
    let by = |number| {
        let booked_by = InstitutionId::new(number);
        let named = Envelope { booked_by, ..build::envelope(&id, 11) };
        [build::item(&id, [1, 2]), build::item_of(vec![build::envelope(&id, 10), named])]
    };
    for number in [0, 9_999, u32::MAX] {
        let (items, found) = (by(number), InstitutionId::new(number));
        let refused = BlockError::Delegate { item: 1, record: 1, found };
        assert_eq!(network.check(&network.block_of(6_000, &items), &items), Err(refused));
    }
    for founder in build::founders() {
        let items = by(founder.institution.get());
        assert_eq!(network.check(&network.block_of(6_000, &items), &items), Ok(()));
    }
}

#[test]
fn sto_9_1_an_item_block_is_a_header_and_hashes() {
    //= harness/spec/storage.md#sto-9-item-block
    //= type=test
    //# STO-9.1 (paper): An Item block MUST hold a header and the hashes of its Items and nothing
    //# else.
    let mut network = Network::new();
    for count in [1, 2, 7] {
        // The same number of Items, however much they hold, gives the same number of bytes.
        let small = network.new_items(10 * count);
        let large = |byte: u32| {
            let record = build::inline(&key(1), &vec![byte.to_le_bytes()[0]; 50_000]);
            build::item_of(vec![Envelope::sign(record, &network.chain.id(), &key(1), DELEGATE)])
        };
        let large: Vec<Item> = (0..count).map(large).collect();
        for items in [&small, &large] {
            let bytes = network.item_block(6_000, items).to_bytes();
            assert_eq!(bytes.len(), 93 + 32 * items.len());
            let roots: Vec<u8> = items.iter().flat_map(|item| *item.root().as_bytes()).collect();
            assert_eq!(bytes[93..], roots);
            assert!(ItemBlock::from_bytes(&[&bytes[..], &[0; 32]].concat()).is_err());
        }
    }
}

#[test]
fn sto_9_2_the_header_names_chain_height_producer_and_time_of_its_block() {
    //= harness/spec/storage.md#sto-9-item-block
    //= type=test
    //# STO-9.2 (ours): The header of an Item block MUST name the chain, the height and the producer
    //# of the block that carries it, and a closing time not later than its timestamp.
    let mut network = Network::new();
    let items = network.new_items(12);
    let refusal = |change: fn(&mut ItemBlockHeader)| {
        let block = around(&network, |item_block| change(&mut item_block.header), &items);
        network.check(&block, &items)
    };
    let refused = |field| Err(BlockError::ItemBlockHeader { field });
    assert_eq!(refusal(|header| header.chain_id = ChainId::new([1; 32])), refused("chain_id"));
    assert_eq!(refusal(|header| header.height = Height::new(2)), refused("height"));
    assert_eq!(refusal(|header| header.height = Height::new(0)), refused("height"));
    assert_eq!(refusal(|header| header.producer = InstitutionId::new(9)), refused("producer"));
    let later = |header: &mut ItemBlockHeader| header.closed_at = build::after_start(6_001);
    assert_eq!(refusal(later), refused("closed_at"));
    assert_eq!(refusal(|header| header.closed_at = build::after_start(6_000)), Ok(()));
    assert_eq!(refusal(|header| header.closed_at = build::after_start(5_000)), Ok(()));
}

#[test]
fn sto_9_3_the_root_in_the_header_is_that_of_the_hashes_held() {
    //= harness/spec/storage.md#sto-9-item-block
    //= type=test
    //# STO-9.3 (ours): An Item block MUST be refused unless the root in its header is the level
    //# root over the hashes it holds.
    let mut network = Network::new();
    let items = network.new_items(25);
    assert_eq!(items.len(), 3);
    let sound = network.item_block(6_000, &items);
    assert_eq!(network.check(&network.block(6_000, Some(sound.clone())), &items), Ok(()));

    for other in [[0; 32], [0xff; 32]].map(Digest::new) {
        let block = around(&network, |item_block| item_block.header.root = other, &items);
        let refused = BlockError::ItemBlockRoot { found: other, expected: sound.header.root };
        assert_eq!(network.check(&block, &items), Err(refused));
    }

    let mut hashes = sound.items.to_vec();
    hashes.swap(0, 1);
    let swapped = List::new(hashes).unwrap();
    let block = around(&network, |item_block| item_block.items = swapped, &items);
    let refused = network.check(&block, &items).unwrap_err();
    assert!(matches!(refused, BlockError::ItemBlockRoot { .. }), "{refused}");

    // Items at hand that are not the ones named.
    let block = network.block(6_000, Some(sound.clone()));
    let count = |found| Err(BlockError::ItemCount { found, expected: 3 });
    assert_eq!(network.check(&block, &items[..2]), count(2));
    assert_eq!(network.check(&block, &[&items[..], &items[..1]].concat()), count(4));
    let others = [items[0].clone(), items[2].clone(), items[1].clone()];
    let (found, expected) = (items[2].root(), items[1].root());
    assert_eq!(
        network.check(&block, &others),
        Err(BlockError::ItemRoot { index: 1, found, expected })
    );
    // A block whose payload is not the one its header commits to.
    let mut block = block;
    block.payload.item_block = None;
    let (found, expected) = (block.header.payload, block.payload.commitment());
    assert_eq!(network.check(&block, &[]), Err(BlockError::Payload { found, expected }));
}
