//! STO-10.4 and STO-10.7: what one turn carries.

use harness::build::{self, DELEGATE, Network, START_MS};
use mdsm_core::chain::BlockError;
use mdsm_core::codec::{DecodeErrorKind, Wire as _};
use mdsm_core::freezing::{Accepted, Turn, close_turn};
use mdsm_core::ledger::{Envelope, Item, ItemBlock, Payload};
use mdsm_core::params::{TURN_ITEM_BYTES_MAX, TURN_ITEMS_MAX};
use mdsm_core::types::{BoundError, ChainId, Digest, Height, List, Timestamp};

use super::drawn::{chain_id, u32_of};

#[test]
fn sto_10_4_a_turn_carries_at_most_16384_items() {
    //= harness/spec/storage.md#sto-10-data-block-and-trees
    //= type=test
    //# STO-10.4 (ours): A turn MUST carry at most 16,384 Items whose encodings together hold at
    //# most 33,554,432 bytes.
    assert_eq!(TURN_ITEMS_MAX, 16_384);
    let one = build::envelope(&chain_id(), 1).verify(&chain_id()).unwrap();
    let turn = close_turn(vec![Accepted::new(one); 163_843]);
    assert_eq!((turn.items.len(), turn.carried.len()), (16_384, 3));

    let head = [&b"MIBL\x01"[..], &[0; 84]].concat();
    let named = |count: usize| [&head, &u32_of(count)[..], &vec![0; 32 * count]].concat();
    assert_eq!(ItemBlock::from_bytes(&named(16_384)).unwrap().items.len(), 16_384);
    let error = ItemBlock::from_bytes(&named(16_385)).unwrap_err();
    assert_eq!(error.field(), "ItemBlock.items");
    let bound = BoundError::Count { count: 16_385, count_min: 1, count_max: 16_384 };
    assert_eq!(error.kind, DecodeErrorKind::Bound(bound.clone()));
    let made = List::<Digest, 1, 16_384>::new(vec![Digest::new([0; 32]); 16_385]);
    assert_eq!(made, Err(bound));
}

/// Signed records whose Items of ten hold exactly so many bytes together.
fn of_bytes(chain: &ChainId, bytes: usize) -> Vec<Envelope> {
    let owner = build::key(1);
    let sign = |number: usize, content: usize| {
        let mut content = vec![0x5a; content];
        content[..4].copy_from_slice(&u32_of(number));
        let record = build::inline(&owner, &content);
        Envelope::sign(record, chain, &owner, DELEGATE)
    };
    let frame = 9;
    let around = build::item_of(vec![sign(0, 100)]).to_bytes().len() - frame - 100;
    let largest = around + 102_400;
    let mut envelopes = Vec::new();
    let mut left = bytes;
    while left > 0 {
        if envelopes.len() % 10 == 0 {
            left -= frame;
        }
        // What stays must itself be a record, of 100 bytes at least.
        let next = if left >= largest + frame + around + 100 { largest } else { left };
        let next = if next > largest { left / 2 } else { next };
        envelopes.push(sign(envelopes.len(), next - around));
        left -= next;
    }
    envelopes
}

fn items_of(turn: &Turn) -> Vec<Item> {
    turn.items.iter().map(|sealed| sealed.item.clone()).collect()
}

#[test]
fn sto_10_4_the_items_of_a_turn_hold_at_most_32_mebibytes() {
    //= harness/spec/storage.md#sto-10-data-block-and-trees
    //= type=test
    //# STO-10.4 (ours): A turn MUST carry at most 16,384 Items whose encodings together hold at
    //# most 33,554,432 bytes.
    assert_eq!(TURN_ITEM_BYTES_MAX, 33_554_432);
    let network = Network::new();
    let id = network.chain.id();
    let close = |bytes: usize| {
        let envelopes = Envelope::verify_all(of_bytes(&id, bytes), &id, [1; 32]);
        close_turn(envelopes.into_iter().map(|envelope| Accepted::new(envelope.unwrap())))
    };
    let full = close(33_554_432);
    let items = items_of(&full);
    assert!(full.carried.is_empty());
    assert_eq!(items.iter().map(|item| item.to_bytes().len()).sum::<usize>(), 33_554_432);
    let block = network.block_of(6_000, &items);
    assert_eq!(network.check(&block, &items), Ok(()));

    let over = close(33_554_433);
    assert!(!over.carried.is_empty(), "the last Item waits for the next turn");
    // A producer that packs it all the same is refused.
    let carried = over.carried.iter().map(|record| record.envelope().get().clone()).collect();
    let items = [items_of(&over), vec![build::item_of(carried)]].concat();
    let block = network.block_of(6_000, &items);
    let refused = BlockError::TurnBytes { bytes: 33_554_433, bytes_max: 33_554_432 };
    assert_eq!(network.check(&block, &items), Err(refused));
}

#[test]
fn sto_10_7_an_idle_turn_carries_no_item_block() {
    //= harness/spec/storage.md#sto-10-data-block-and-trees
    //= type=test
    //# STO-10.7 (ours): A turn without closed Items MUST NOT carry an Item block.
    let idle = close_turn([]);
    assert!(idle.items.is_empty());
    let block = |turn: &Turn| {
        turn.item_block(chain_id(), Height::new(1), DELEGATE, Timestamp::new(START_MS))
    };
    assert_eq!(block(&idle), None);
    let one = Accepted::new(build::envelope(&chain_id(), 1).verify(&chain_id()).unwrap());
    assert_eq!(block(&close_turn([one])).unwrap().items.len(), 1);

    // An Item block without Items cannot be received,
    let empty = [&b"MPAY\x01\x01"[..], &[0; 84], &u32_of(0)].concat();
    let error = Payload::from_bytes(&empty).unwrap_err();
    assert_eq!(error.field(), "Payload.item_block.items");
    // and a block without one cannot bring Items along.
    let mut network = Network::new();
    let items = network.new_items(3);
    let idle = network.block(6_000, None);
    let refused = BlockError::ItemCount { found: 1, expected: 0 };
    assert_eq!(network.check(&idle, &items), Err(refused));
    assert_eq!(network.check(&idle, &[]), Ok(()));
}
