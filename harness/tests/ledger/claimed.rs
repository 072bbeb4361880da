//! Planted changes of what a node says: each is found, in words that name it.

use harness::oracle::ledger::{By, Claims, ledger};
use harness::rules::ids::{data_block_root, window_root};
use harness::rules::mirror::{Anchor, Window};
use harness::rules::roster::Why;
use harness::rules::wire::{Mirror, WireKind, decode};
use mdsm_core::crypto::sign::Ed25519;

use super::forge::told;
use super::story::{DOUBLE_VOTER, SILENT, STORY};

type Planted = (&'static str, &'static str, fn(&mut Claims));

/// The block in which something was charged or credited to an institution.
fn block_of(claims: &Claims, id: u32, why: Why) -> usize {
    let is = |change: &(u32, Why, i64)| change.0 == id && change.1 == why;
    claims.heights.iter().position(|one| one.changes.iter().any(is)).unwrap()
}

/// Adds to the credit of an institution from a block on.
fn add(claims: &mut Claims, from: usize, id: u32, amount: i64) {
    for says in &mut claims.heights[from..] {
        *says.credit.get_mut(&id).unwrap() += amount;
    }
}

fn anchor(claims: &mut Claims, epoch: usize, change: impl FnOnce(&mut Anchor)) {
    let Ok(Mirror::Anchor(mut says)) = decode(WireKind::Anchor, &claims.anchors[epoch]) else {
        panic!("another kind")
    };
    change(&mut says);
    claims.anchors[epoch] = Mirror::from(says).encode();
}

/// Cuts the first data block after nine Item blocks; the tenth goes into the next one.
fn nine(claims: &mut Claims) {
    let blocks = &told().epochs[0].data_blocks;
    let mut roots: Vec<_> = blocks.iter().flat_map(|block| block.item_blocks.clone()).collect();
    let mut says = blocks.clone();
    for (at, block) in says.iter_mut().enumerate() {
        let size = if at == 0 { 9 } else { roots.len().min(10) };
        block.item_blocks = roots.drain(..size).collect();
    }
    let mut next = says.iter();
    for height in claims.heights.iter_mut().filter(|one| !one.cut.is_empty()).take(blocks.len()) {
        let cut = next.by_ref().take(height.cut.len()).cloned();
        height.cut = cut.map(|block| Mirror::from(block).encode()).collect();
    }
    let data_blocks = says.iter().map(data_block_root).collect();
    let window = window_root(&Window { epoch: 0, data_blocks });
    anchor(claims, 0, |anchor| anchor.window = window);
}

const PLANTED: &[Planted] = &[
    ("credit off by one", "credit of 4", |claims| add(claims, 20, 4, 1)),
    ("credit off by one with an item for it", "credit of 4 is", |claims| {
        add(claims, 20, 4, 1);
        claims.heights[20].changes.push((4, Why::Block, 1));
    }),
    ("a miss not charged", "credit of 3 is", |claims| {
        let at = block_of(claims, SILENT, Why::Miss);
        claims.heights[at].changes.retain(|change| change.1 != Why::Miss);
        add(claims, at, SILENT, 200);
    }),
    ("a third miss charged", "credit of 3 is", |claims| {
        let at = block_of(claims, SILENT, Why::Miss);
        claims.heights[at + 8].changes.push((SILENT, Why::Miss, -200));
        add(claims, at + 8, SILENT, -200);
    }),
    ("an offence charged twice", "credit of 6 is", |claims| {
        let at = block_of(claims, DOUBLE_VOTER, Why::Offence(2));
        claims.heights[at + 1].changes.push((DOUBLE_VOTER, Why::Offence(2), -200_000));
        add(claims, at + 1, DOUBLE_VOTER, -200_000);
    }),
    ("an item hidden", "the items add up", |claims| {
        let at = block_of(claims, DOUBLE_VOTER, Why::Offence(2));
        claims.heights[at].changes.retain(|change| change.0 != DOUBLE_VOTER);
    }),
    ("an item under another name", "other items", |claims| {
        let at = block_of(claims, DOUBLE_VOTER, Why::Offence(2));
        let changes = &mut claims.heights[at].changes;
        changes.iter_mut().filter(|one| one.1 == Why::Offence(2)).for_each(|one| one.1 = Why::Miss);
    }),
    ("wrong successor", "other committees", |claims| {
        let last = usize::try_from(told().epochs[1].last).unwrap();
        claims.heights[last - 1].committees = claims.heights[last - 2].committees;
    }),
    ("wrong successor in an anchor", "other next committees", |claims| {
        anchor(claims, 1, |anchor| {
            anchor.next_committees = told().epochs[0].anchor.next_committees
        });
    }),
    ("data block of nine", "data blocks of [9] Item blocks", nine),
    ("an Item block in two data blocks", "other data blocks", |claims| {
        let says = claims.heights.iter_mut().find(|one| !one.cut.is_empty()).unwrap();
        let Ok(Mirror::DataBlock(mut block)) = decode(WireKind::DataBlock, &says.cut[0]) else {
            panic!("another kind")
        };
        block.item_blocks[3] = block.item_blocks[2];
        says.cut[0] = Mirror::from(block).encode();
    }),
    ("a data block not cut", "data blocks of [] Item blocks", |claims| {
        claims.heights.iter_mut().find(|one| !one.cut.is_empty()).unwrap().cut.clear();
    }),
    ("window of another epoch", "another window", |claims| {
        anchor(claims, 1, |anchor| anchor.window = told().epochs[0].anchor.window);
    }),
    ("head of another epoch", "another head", |claims| {
        anchor(claims, 1, |anchor| anchor.head = told().epochs[0].anchor.head);
    }),
    ("state of another epoch", "another state", |claims| {
        anchor(claims, 1, |anchor| anchor.state = told().epochs[0].anchor.state);
    }),
    ("anchors out of order", "names epoch 1", |claims| claims.anchors.swap(0, 1)),
    ("an anchor too few", "anchors where", |claims| {
        claims.anchors.pop();
    }),
    ("state digest", "digest of the state", |claims| claims.heights[30].state[0] ^= 1),
    ("another head", "another head", |claims| claims.heights[30].head[0] ^= 1),
    ("a block too few", "blocks where the log has", |claims| {
        claims.heights.pop();
    }),
    ("a record not booked", "other records booked", |claims| {
        claims.heights[30].booked.clear();
    }),
    ("an act with effect that had none", "acts with effect", |claims| {
        let delivered = claims.heights.iter_mut().find(|one| one.acts > 0).unwrap();
        delivered.acts += 1;
    }),
    ("a revoked grant that still reads", "readings of an owner", |claims| {
        let grant = *STORY.grants[1].as_bytes();
        let of = claims.access.readings.values_mut().find(|of| !of.is_empty()).unwrap();
        let reading = *of.first().unwrap();
        of.insert((grant, reading.1, reading.2, false));
    }),
    ("a reading withheld", "readings of an owner", |claims| {
        claims.access.readings.values_mut().for_each(std::collections::BTreeSet::clear);
    }),
    ("another proxy", "access: service", |claims| {
        let of = claims.access.services.get_mut(STORY.grants[0].as_bytes()).unwrap();
        of.as_mut().unwrap().1 = Some(2);
    }),
    ("a grant that waits for bids", "wait for bids", |claims| {
        claims.access.bidding.insert(*STORY.grants[0].as_bytes());
    }),
];

#[test]
fn com_9_1_changes_of_what_a_node_says_are_found() {
    for (name, words, change) in PLANTED {
        let mut claims = STORY.claims.clone();
        change(&mut claims);
        assert_ne!(claims, STORY.claims, "{name}");
        let verdict = harness::oracle::ledger::beside(told(), &claims);
        let what = verdict.expect_err(name);
        assert!(what.contains(words), "{name}: {what}");
    }
}

#[test]
fn a_broken_log_is_told_with_its_height() {
    let mut log = STORY.log.clone();
    log.decisions.remove(5);
    let what = ledger(&log, &STORY.claims, &By(Ed25519)).unwrap_err();
    assert!(what.starts_with("log: block 6: "), "{what}");
}
