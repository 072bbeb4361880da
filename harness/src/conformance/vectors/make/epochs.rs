//! Histories of hundreds of epochs, as vectors that are made when they are asked and never stored. [COM-6] [COM-7]

use super::super::shape::Vector;
use super::Maker;
use super::roster_story::{Story, member};
use crate::rules::roster::{Block, Joining, Offence, TABLE};

/// The long histories.
#[must_use]
pub fn histories() -> Vec<Vector> {
    let mut maker = Maker::new("epochs", "Histories of the roster that are too long to be stored.");
    upper_end(&mut maker);
    absent(&mut maker);
    fraud(&mut maker);
    maker.done().vectors
}

/// One producer and four auditors, and nobody else.
fn smallest(ratings: [u8; 5]) -> Vec<Joining> {
    (1..=5).zip(ratings).map(|(id, rating)| member(id, rating, 10 - id)).collect()
}

/// A block behind one of the same epoch, so that nothing is earned by being the first.
fn behind(story: &Story, view: u64, certificate: Option<Vec<u32>>) -> Block {
    let producer = story.state.leader(view);
    Block { view, parent_view: 1, producer, certificate, ..Block::default() }
}

fn offence(story: &Story, institution: u32) -> Offence {
    Offence { institution, epoch: story.state.seats.epoch, view: 1, kind: 5 }
}

fn upper_end(maker: &mut Maker) {
    let mut story = Story::new(smallest([100, 50, 50, 50, 50]), 1, 4);
    for _ in 0..=(TABLE.most - 100 * TABLE.start) / TABLE.block + 10 {
        let block = Block { certificate: None, ..story.next() };
        let certificate = (block.parent_view > 0).then(Vec::new);
        story.take(Block { certificate, ..block });
    }
    let credit = story.state.credit[&1];
    assert_eq!(credit, TABLE.most, "the producer has reached the upper end");
    let block = Block { offences: vec![offence(&story, 1)], ..story.next() };
    story.take(block).freeze().write(maker, "credit-has-an-upper-end", &["COM-6.6"]);
}

/// Auditors that are absent sink, and keep their seats as long as nobody can fill them.
fn absent(maker: &mut Maker) {
    let founders = [50, 50, 0, 0, 0, 0];
    let founders = (1..=6).zip(founders).map(|(id, rating)| member(id, rating, 10 - id)).collect();
    let mut story = Story::new(founders, 2, 4);
    for _ in 0..=TABLE.threshold / TABLE.absence {
        for _ in 0..10 {
            let block = behind(&story, 2, Some(Vec::new()));
            story.take(block);
        }
        story.freeze();
    }
    let all = [3, 4, 5, 6].map(|id| story.state.credit[&id]);
    assert!(all.iter().all(|credit| *credit < TABLE.threshold), "the auditors are below: {all:?}");
    let block = behind(&story, 2, None);
    let (offences, joining) = (vec![offence(&story, 1)], vec![member(20, 10, 1)]);
    story.take(Block { offences, joining, ..block }).freeze();
    assert_eq!(story.state.seats.producers, [2], "the seat went");
    let id = "auditors-below-the-threshold-do-not-move-up";
    story.write(maker, id, &["COM-7.12"]);
}

/// A silent producer that nobody can replace sinks below what fraud leaves to an auditor.
fn fraud(maker: &mut Maker) {
    let mut story = Story::new(smallest([100, 100, 100, 100, 100]), 1, 4);
    let of_fraud = 100 * TABLE.start + TABLE.fraud;
    while story.state.credit[&1] >= of_fraud {
        // Views 2 and 3 are its own as well.
        let block = behind(&story, 4, None);
        story.take(block).freeze();
    }
    let block = behind(&story, 4, None);
    let (offences, joining) = (vec![offence(&story, 3)], vec![member(20, 10, 1)]);
    story.take(Block { offences, joining, ..block }).freeze();
    assert_eq!(story.state.seats.producers, [1], "the producer waits");
    assert!(!story.state.seats.auditors.contains(&3), "the auditor went");
    story.write(maker, "fraud-goes-first", &["COM-7.5"]);
}
