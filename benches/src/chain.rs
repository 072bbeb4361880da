//! A block of the chain: checking it with all its Items, and applying it. [STO-12] [STO-13] [CON-4]
//!
//! What an auditor does before it votes, and what every node does on finalization.

use std::collections::BTreeSet;

use mdsm_core::chain::{Applied, BlockError, Chain, Genesis};
use mdsm_core::crypto::sign::SigningKey;
use mdsm_core::ledger::{
    Block, BlockHeader, Item, ItemBlock, ItemBlockHeader, Level, Payload, root_of,
};
use mdsm_core::params::{MINUTE_MS, SMALL, TURN_MS, WINDOW_MS};
use mdsm_core::roster::{Founder, Roster};
use mdsm_core::types::{
    Digest, Epoch, Height, InstitutionId, List, OwnerId, RecordId, Text, Timestamp, View,
};

use crate::fixture::{BOOKED_BY, CREATED, item};

/// Records of the block that is measured.
pub const RECORDS: u64 = 100;

/// A chain and the block that follows.
#[derive(Clone, Debug)]
pub struct Step {
    /// The state before the block.
    pub chain: Chain,
    block: Block,
    items: Vec<Item>,
}

/// The first block of a network, with ten Items of ten records.
///
/// # Panics
/// Never.
#[must_use]
pub fn step() -> Step {
    let chain = Chain::new(genesis(), &founders()).expect("a genesis that follows the rules");
    let items: Vec<Item> = (0..RECORDS / 10).map(|number| item(&chain.id(), number)).collect();
    let roots: Vec<Digest> = items.iter().map(Item::root).collect();
    let height = Height::new(1);
    let timestamp = Timestamp::new(chain.timestamp().get() + i64::from(TURN_MS));
    let item_block = ItemBlock {
        header: ItemBlockHeader {
            chain_id: chain.id(),
            height,
            producer: BOOKED_BY,
            closed_at: timestamp,
            root: root_of(Level::ItemBlock, &roots),
        },
        items: List::new(roots).expect("ten Items are a turn"),
    };
    let payload = Payload { item_block: Some(item_block), ..Payload::default() };
    let header = BlockHeader {
        chain_id: chain.id(),
        epoch: Epoch::new(0),
        view: View::new(1),
        height,
        parent: chain.head(),
        parent_view: View::new(0),
        timestamp,
        producer: BOOKED_BY,
        payload: payload.commitment(),
    };
    Step { chain, block: Block { header, payload }, items }
}

/// The work: check the block against the state, and move the state to it.
///
/// # Errors
/// Why the block must not follow; never here.
pub fn check_and_apply(chain: &mut Chain, step: &Step) -> Result<Applied, BlockError> {
    let checked = chain.check(&step.block, &step.items, &BTreeSet::<RecordId>::new())?;
    let applied = chain.apply(checked);
    Ok(applied)
}

/// Eight institutions; the one that books comes first.
fn founders() -> Vec<Founder> {
    let founder = |number: u8| Founder {
        institution: InstitutionId::new(BOOKED_BY.get() + u32::from(number)),
        key: SigningKey::from_seed(&[number + 1; 32]).owner(),
        rating: 100 - number,
        centre: 0,
    };
    (0..8).map(founder).collect()
}

fn committees() -> Digest {
    let roster = Roster::found(&founders(), SMALL.producers, SMALL.auditors);
    roster.expect("eight founders for eight seats").digest()
}

fn genesis() -> Genesis {
    Genesis {
        name: Text::new("benches").expect("a short name"),
        started_at: Timestamp::new(CREATED.get() - CREATED.get() % i64::from(WINDOW_MS)),
        turn_ms: TURN_MS,
        minute_ms: MINUTE_MS,
        window_ms: WINDOW_MS,
        producers: SMALL.producers,
        auditors: SMALL.auditors,
        committees: committees(),
        registrar: OwnerId::new([0; 32]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workload_does_its_work() {
        let step = step();
        let mut chain = step.chain.clone();
        let applied = check_and_apply(&mut chain, &step).unwrap();
        assert_eq!(u64::try_from(applied.booked.len()), Ok(RECORDS));
        assert_eq!(chain.totals().records, RECORDS);
        assert!(check_and_apply(&mut chain, &step).is_err(), "the block follows once");
    }
}
