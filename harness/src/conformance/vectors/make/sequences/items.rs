//! Blocks that carry an Item: an auditor holds all of it against the rules before it votes. [CON-4] [STO-9]

use std::collections::{BTreeMap, BTreeSet};

use super::{
    About, BlockHeader, Deed, Kind, Message, PROPOSED_MS, Payload, Proposal, STARTED_MS, Scene,
    Sequence, SignedHeader, Story, commitment, no_events, notarize, proposal_message,
};
use crate::rules::ed25519;
use crate::rules::ids::{content_ref, item_block_root, item_root, owner_message, record_id};
use crate::rules::merkle::sha256;
use crate::rules::mirror::{
    Bytes32, Content, Envelope, Item, ItemBlock, ItemBlockHeader, Metadata, Record,
};

/// A block of view 1 with what it carries.
#[derive(Clone)]
struct Carried {
    header: BlockHeader,
    block: ItemBlock,
    item: Item,
}

pub(super) fn sequences(scene: &Scene) -> Vec<Sequence> {
    let mut all = vec![sound(scene), withheld(scene)];
    all.extend(wrong(scene));
    all
}

/// A note of an owner, booked by the leader.
fn envelope(chain_id: &Bytes32, owner: &str) -> Envelope {
    made_at(STARTED_MS, chain_id, owner)
}

fn made_at(created: i64, chain_id: &Bytes32, owner: &str) -> Envelope {
    let seed = sha256(&[b"owner ", owner.as_bytes()]);
    let content = Content::Inline(owner.as_bytes().to_vec());
    let metadata = Metadata {
        resource_type: "Observation".to_owned(),
        content_type: "text/plain".to_owned(),
        created,
        tz_offset_min: None,
        size: u64::try_from(owner.len()).expect("a short text"),
        kind: None,
        category: None,
        status: 1,
        relates_to: None,
        format: None,
        language: None,
        custodian: None,
        author: None,
        activity: 1,
        security: BTreeSet::new(),
        consent: None,
        encryption: None,
        ext: BTreeMap::new(),
    };
    let record = Record { owner: ed25519::public(&seed), metadata, content };
    let id = record_id(&record.owner, &record.metadata, &content_ref(&record.content));
    let owner_signature = ed25519::sign(&seed, &owner_message(chain_id, &id));
    Envelope { record, owner_signature, booked_by: 1 }
}

impl Carried {
    fn new(scene: &Scene, records: Vec<Envelope>) -> Self {
        let item = Item { records };
        let header = ItemBlockHeader {
            chain_id: scene.chain_id,
            height: 1,
            producer: 1,
            closed_at: STARTED_MS + PROPOSED_MS,
            root: [0; 32],
        };
        let mut block = ItemBlock { header, items: vec![item_root(&item)] };
        block.header.root = item_block_root(&block);
        Self { header: scene.header(1), block, item }.bound()
    }

    /// The header commits to what is carried.
    fn bound(mut self) -> Self {
        self.header.payload = commitment(&self.payload());
        self
    }

    fn payload(&self) -> Payload {
        let item_block = Some(self.block.clone());
        Payload { item_block, parent_certificate: None, events: no_events() }
    }

    fn proposal(&self, scene: &Scene) -> Message {
        let signature = scene.sign(1, &proposal_message(&self.header));
        let signed = SignedHeader { header: self.header.clone(), signature };
        Message::Proposal(Proposal { signed, payload: self.payload() })
    }
}

fn sound(scene: &Scene) -> Sequence {
    let about = About {
        id: "items-are-checked-and-voted-for",
        title: "a block whose Items have come and are sound gets a vote",
        of: &["CON-4.3", "CON-5.2", "STO-9.3"],
        flags: &[],
    };
    let mut story = Story::proposing(scene, &about);
    let latest = made_at(STARTED_MS + PROPOSED_MS + 120_000, &scene.chain_id, "Ben");
    let carried = Carried::new(scene, vec![envelope(&scene.chain_id, "Anna"), latest]);
    story.hear(1, &carried.proposal(scene));
    story.not_yet(any_notarize(), "it votes for a block whose Items it has not seen");
    story.hear(1, &Message::Item(carried.item.clone()));
    story.voted(&notarize(&carried.header), "it has the Items and does not vote for the block");
    story.done()
}

fn withheld(scene: &Scene) -> Sequence {
    let about = About {
        id: "wrong-items.withheld",
        title: "a block whose Items nobody shows gets no vote",
        of: &["CON-4.3"],
        flags: &["items-unchecked"],
    };
    let mut story = Story::proposing(scene, &about);
    let carried = Carried::new(scene, vec![envelope(&scene.chain_id, "Anna")]);
    let other = Carried::new(scene, vec![envelope(&scene.chain_id, "Ben")]);
    story.hear(1, &carried.proposal(scene));
    story.hear(1, &Message::Item(other.item));
    story.never(any_notarize(), "it votes for a block of which it lacks an Item");
    story.done()
}

fn any_notarize() -> Deed {
    Deed::Vote { kind: Kind::Notarize, view: 1, block: None, other_than: None }
}

/// What is wrong with what a block carries, and its sentence.
type Wrong = (&'static str, &'static str, &'static str, Carried);

fn wrong(scene: &Scene) -> Vec<Sequence> {
    let sound = Carried::new(
        scene,
        vec![envelope(&scene.chain_id, "Anna"), envelope(&scene.chain_id, "Ben")],
    );
    // The header commits to all of it, so only the point in question is wrong.
    let block = |change: fn(&mut ItemBlock)| {
        let mut carried = sound.clone();
        change(&mut carried.block);
        carried.bound()
    };
    let rooted = |change: fn(&mut ItemBlock)| {
        let mut carried = sound.clone();
        change(&mut carried.block);
        carried.block.header.root = item_block_root(&carried.block);
        carried.bound()
    };
    let records = |change: &dyn Fn(&mut Vec<Envelope>)| {
        let mut records = sound.item.records.clone();
        change(&mut records);
        Carried::new(scene, records)
    };
    let all: [Wrong; 10] = [
        (
            "under-another-root",
            "whose Item block has another root in its header",
            "STO-9.3",
            block(|block| block.header.root[0] ^= 1),
        ),
        (
            "of-another-chain",
            "whose Item block is of another chain",
            "STO-9.2",
            rooted(|block| block.header.chain_id = [3; 32]),
        ),
        (
            "of-another-producer",
            "whose Item block is another producer's",
            "STO-9.2",
            rooted(|block| block.header.producer = 2),
        ),
        (
            "of-another-height",
            "whose Item block is of another height",
            "STO-9.2",
            rooted(|block| block.header.height = 2),
        ),
        (
            "closed-after-the-block",
            "whose Item block was closed after it",
            "STO-9.2",
            rooted(|block| block.header.closed_at += 1),
        ),
        (
            "that-their-owner-did-not-sign",
            "with a record that its owner did not sign",
            "CON-4.1",
            records(&|all| all[1].owner_signature[5] ^= 1),
        ),
        (
            "signed-for-another-chain",
            "with a record that was signed for another chain",
            "CON-4.1",
            records(&|all| all[1] = envelope(&[3; 32], "Ben")),
        ),
        (
            "120001-ms-before-its-record",
            "with a record that was made 120,001 ms later",
            "STO-8.7",
            records(&|all| {
                let created = STARTED_MS + PROPOSED_MS + 120_001;
                all[1] = made_at(created, &scene.chain_id, "Ben");
            }),
        ),
        ("twice", "with one record twice", "CON-4.6", records(&|all| all[1] = all[0].clone())),
        (
            "booked-by-nobody",
            "with a record that is booked by an institution that there is not",
            "CON-4.1",
            records(&|all| all[1].booked_by = 77),
        ),
    ];
    let sequence = |(id, what, of, carried): &Wrong| {
        let (id, title) = (format!("wrong-items.{id}"), format!("a block {what} gets no vote"));
        let about = About { id: &id, title: &title, of: &[of], flags: &["items-unchecked"] };
        let mut story = Story::proposing(scene, &about);
        story.hear(1, &carried.proposal(scene));
        story.hear(1, &Message::Item(carried.item.clone()));
        story.never(any_notarize(), &format!("it votes for a block {what}"));
        story.done()
    };
    all.iter().map(sequence).collect()
}
