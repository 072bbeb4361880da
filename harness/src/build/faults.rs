//! Blocks that break one rule each, with the proof of it: what a faulty producer signs and what its
//! auditors show the others. [CON-6] [CON-7]
//!
//! A flaw is built into a sound draft and sealed again, so that nothing else is wrong in the block.
//! Records are signed with Ed25519 by owners of `build::key`.

use mdsm_core::codec::{PREFIX_BYTES, Wire as _};
use mdsm_core::crypto::sha256;
use mdsm_core::ledger::{
    Block, BlockHeader, Booking, Certificate, Content, Envelope, Fault, Item, ItemBlock,
    ItemBlockHeader, ItemPlace, Level, Metadata, Payload, PlacedBooking, Record, RecordPlace,
    Signers, Subject, Vote, level_root, root_of,
};
use mdsm_core::merkle::{Tree, empty_root};
use mdsm_core::params::{CREATED_AHEAD_MS_MAX, INLINE_CONTENT_BYTES_MAX};
use mdsm_core::types::{ChainId, Digest, Height, InstitutionId, List, Signature, Timestamp, View};

use super::{DELEGATE, envelope, key, metadata};
use crate::rules::ids::owner_message;

/// A rule to break.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flaw {
    /// The view of the parent is the block's own.
    Header,
    /// Two above its parent.
    ParentHeight,
    /// Not later than its parent.
    ParentTime,
    /// Another view of the parent than it has.
    ParentView,
    /// The first of an epoch in the middle of one, or the other way round.
    ParentEpoch,
    /// A certificate for another block.
    CertificateBlock,
    /// A certificate for another view.
    CertificateView,
    /// A certificate for another epoch.
    CertificateEpoch,
    /// A certificate that does not notarize.
    CertificateSubject,
    /// A certificate with one signer.
    CertificateQuorum,
    /// A certificate with a signature that does not hold.
    CertificateSignature,
    /// The Item block names another network.
    ItemBlockChain,
    /// The Item block names another height.
    ItemBlockHeight,
    /// The Item block names another producer.
    ItemBlockProducer,
    /// The Item block is closed after the block.
    ItemBlockClosed,
    /// An Item without records, which nobody can send.
    ItemEmpty,
    /// An Item of eleven records, which nobody can send.
    ItemOfEleven,
    /// A record that its owner did not sign.
    RecordSignature,
    /// A record under a key of small order.
    RecordKey,
    /// A record from the future.
    RecordFuture,
    /// A record of more inline content than fits, which nobody can send.
    RecordSize,
    /// One record twice in one Item.
    RepeatedInItem,
    /// One record in two Items.
    RepeatedInBlock,
}

/// What a producer has before it signs; the parent is `None` at height 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Header of the parent.
    pub parent: Option<BlockHeader>,
    /// The block.
    pub block: Block,
    /// Its Items.
    pub items: Vec<Item>,
}

/// A block with a flaw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flawed {
    /// The block.
    pub block: Block,
    /// Its Items, but for one that has no encoding.
    pub items: Vec<Item>,
    /// The proof.
    pub fault: Fault,
}

impl Flaw {
    /// Every flaw.
    pub const ALL: [Self; 23] = [
        Self::Header,
        Self::ParentHeight,
        Self::ParentTime,
        Self::ParentView,
        Self::ParentEpoch,
        Self::CertificateBlock,
        Self::CertificateView,
        Self::CertificateEpoch,
        Self::CertificateSubject,
        Self::CertificateQuorum,
        Self::CertificateSignature,
        Self::ItemBlockChain,
        Self::ItemBlockHeight,
        Self::ItemBlockProducer,
        Self::ItemBlockClosed,
        Self::ItemEmpty,
        Self::ItemOfEleven,
        Self::RecordSignature,
        Self::RecordKey,
        Self::RecordFuture,
        Self::RecordSize,
        Self::RepeatedInItem,
        Self::RepeatedInBlock,
    ];

    /// Whether an Item of the block has no encoding, so that the block can be signed but not sent.
    #[must_use]
    pub fn is_unsendable(self) -> bool {
        matches!(self, Self::ItemEmpty | Self::ItemOfEleven | Self::RecordSize)
    }
}

/// Records of the appended Item are numbered from here.
const FLAWED_RECORDS: u32 = 4_000_000_000;

/// Builds a flaw into a draft. `None` when it has no room for it: a flaw of the parent without one,
/// or of the certificate without one.
///
/// # Panics
/// When the draft is at a bound: of Items, of height, of time.
#[must_use]
pub fn flawed(draft: &Draft, flaw: Flaw) -> Option<Flawed> {
    let Draft { parent, block, items } = draft;
    match flaw {
        Flaw::Header => {
            let mut header = block.header;
            header.parent_view = header.view;
            let block = Block { header, payload: block.payload.clone() };
            Some(Flawed { block, items: items.clone(), fault: Fault::Header })
        }
        Flaw::ParentHeight | Flaw::ParentTime | Flaw::ParentView | Flaw::ParentEpoch => {
            Some(against_parent(draft, flaw, (*parent)?))
        }
        Flaw::CertificateBlock
        | Flaw::CertificateView
        | Flaw::CertificateEpoch
        | Flaw::CertificateSubject
        | Flaw::CertificateQuorum
        | Flaw::CertificateSignature => uncertified(draft, flaw),
        Flaw::ItemBlockChain
        | Flaw::ItemBlockHeight
        | Flaw::ItemBlockProducer
        | Flaw::ItemBlockClosed => Some(in_item_block(draft, flaw)),
        Flaw::ItemEmpty | Flaw::ItemOfEleven => Some(in_item(draft, flaw)),
        _ => Some(in_records(draft, flaw)),
    }
}

fn against_parent(draft: &Draft, flaw: Flaw, parent: BlockHeader) -> Flawed {
    let mut header = draft.block.header;
    match flaw {
        Flaw::ParentHeight => header.height = header.height.next().expect("a short chain"),
        Flaw::ParentTime => header.timestamp = parent.timestamp,
        Flaw::ParentView if header.parent_view.get() > 1 => {
            header.parent_view = View::new(header.parent_view.get() - 1);
        }
        Flaw::ParentView => header.parent_view = View::new(header.parent_view.get() + 1),
        _ if header.parent_view == View::new(0) => header.parent_view = View::new(1),
        _ => header.parent_view = View::new(0),
    }
    let mut payload = draft.block.payload.clone();
    if let Some(item_block) = &mut payload.item_block {
        item_block.header.height = header.height;
        item_block.header.closed_at = item_block.header.closed_at.min(header.timestamp);
    }
    let fault = Fault::Parent(parent);
    Flawed { block: sealed(header, payload), items: draft.items.clone(), fault }
}

fn uncertified(draft: &Draft, flaw: Flaw) -> Option<Flawed> {
    let mut payload = draft.block.payload.clone();
    let mut certificate: Certificate = payload.parent_certificate.take()?;
    let vote = certificate.vote;
    let other = sha256(b"another block");
    match flaw {
        Flaw::CertificateBlock => {
            certificate.vote = Vote { subject: Subject::Notarize(other), ..vote };
        }
        Flaw::CertificateView => {
            certificate.vote = Vote { view: View::new(vote.view.get() ^ 1), ..vote };
        }
        Flaw::CertificateEpoch => certificate.vote.epoch = vote.epoch.next()?,
        Flaw::CertificateSubject => {
            let hash = vote.subject.digest().copied().unwrap_or(other);
            certificate.vote = Vote { subject: Subject::Finalize(hash), ..vote };
        }
        Flaw::CertificateQuorum => {
            let seats: Vec<usize> = certificate.signers.seats().collect();
            let last = seats.last().copied()?;
            certificate.signers = Signers::of(last + 1, [last])?;
            let signature = certificate.signatures.last().copied()?;
            certificate.signatures = List::new(vec![signature]).expect("one signature");
        }
        _ => {
            let mut signatures = certificate.signatures.to_vec();
            signatures[0] = spoilt(&signatures[0]);
            certificate.signatures = List::new(signatures).expect("as many as before");
        }
    }
    payload.parent_certificate = Some(certificate.clone());
    let summary = payload.summary();
    let fault = Fault::Certificate { summary, certificate };
    Some(Flawed { block: sealed(draft.block.header, payload), items: draft.items.clone(), fault })
}

fn in_item_block(draft: &Draft, flaw: Flaw) -> Flawed {
    let header = draft.block.header;
    let mut items = draft.items.clone();
    if items.is_empty() {
        items.push(super::item(&header.chain_id, [FLAWED_RECORDS]));
    }
    let roots = items.iter().map(Item::root).collect();
    let mut payload = carrying(draft, roots);
    let inner = &mut payload.item_block.as_mut().expect("it carries Items").header;
    match flaw {
        Flaw::ItemBlockChain => inner.chain_id = ChainId::new(*sha256(b"network").as_bytes()),
        Flaw::ItemBlockHeight => inner.height = Height::new(inner.height.get() + 1),
        Flaw::ItemBlockProducer => {
            inner.producer = InstitutionId::new(inner.producer.get() ^ 1);
        }
        _ => inner.closed_at = Timestamp::new(header.timestamp.get() + 1),
    }
    let fault = Fault::ItemBlock(payload.summary());
    Flawed { block: sealed(header, payload), items, fault }
}

fn in_item(draft: &Draft, flaw: Flaw) -> Flawed {
    let chain = draft.block.header.chain_id;
    let records = if flaw == Flaw::ItemEmpty { 0 } else { 11 };
    let bookings: Vec<Booking> =
        (0..records).map(|number| envelope(&chain, FLAWED_RECORDS + number).booking()).collect();
    let tree = tree_of(&bookings).map_or_else(empty_root, |tree| tree.root());
    let mut roots: Vec<Digest> = draft.items.iter().map(Item::root).collect();
    roots.push(level_root(Level::Item, records, &tree));
    let place = item_place(&roots, roots.len() - 1);
    let payload = carrying(draft, roots);
    let fault = Fault::Item { summary: payload.summary(), place, records, tree };
    Flawed { block: sealed(draft.block.header, payload), items: draft.items.clone(), fault }
}

fn in_records(draft: &Draft, flaw: Flaw) -> Flawed {
    let header = draft.block.header;
    let (one, other) = (
        envelope(&header.chain_id, FLAWED_RECORDS),
        envelope(&header.chain_id, FLAWED_RECORDS + 1),
    );
    let mut appended: Vec<Vec<Envelope>> = match flaw {
        Flaw::RecordSignature => {
            let owner_signature = spoilt(&other.owner_signature);
            vec![vec![one, Envelope { owner_signature, ..other }]]
        }
        Flaw::RecordKey => vec![vec![one, of_small_order(&other)]],
        Flaw::RecordFuture => vec![vec![one, of_the_future(&header)]],
        Flaw::RepeatedInItem => vec![vec![one.clone(), other, one]],
        Flaw::RepeatedInBlock => vec![vec![one.clone(), other.clone()], vec![other, one]],
        _ => vec![vec![one, other]],
    };
    let mut items = draft.items.clone();
    let first_appended = items.len();
    let mut leaves: Vec<Vec<Booking>> = items.iter().map(bookings).collect();
    leaves.extend(appended.iter().map(|item| item.iter().map(Envelope::booking).collect()));
    if flaw == Flaw::RecordSize {
        // Signed by its owner, so that nothing but the size is wrong.
        let most = u64::try_from(INLINE_CONTENT_BYTES_MAX).expect("a small number");
        let booking = leaves.last_mut().and_then(|item| item.last_mut()).expect("two records");
        booking.metadata.size = most + 1;
        let message = owner_message(header.chain_id.as_bytes(), booking.record_id().as_bytes());
        booking.owner_signature = key(owner_number(FLAWED_RECORDS + 1)).sign(&message);
        appended.clear();
    }
    items.extend(appended.into_iter().map(super::item_of));
    let roots: Vec<Digest> = leaves.iter().map(|item| root_of_item(item)).collect();
    let payload = carrying(draft, roots.clone());
    let summary = payload.summary();
    let at = |item: usize, record: usize| placed(&leaves, &roots, item, record);
    let last = leaves.len() - 1;
    let fault = match flaw {
        Flaw::RepeatedInItem => {
            Fault::Repeated { summary, first: at(last, 0), second: at(last, 2) }
        }
        Flaw::RepeatedInBlock => {
            Fault::Repeated { summary, first: at(first_appended, 0), second: at(last, 1) }
        }
        _ => Fault::Booking { summary, booking: at(last, 1) },
    };
    Flawed { block: sealed(header, payload), items, fault }
}

/// A decoder does not look at the owner, so such a record travels.
fn of_small_order(sound: &Envelope) -> Envelope {
    let (mut identity, mut signature) = ([0; 32], [0; 64]);
    // Under the identity as a key, R = identity and S = 0 hold for every message.
    (identity[0], signature[0]) = (1, 1);
    let bytes = sound.to_bytes();
    let bytes = [&bytes[..PREFIX_BYTES], &identity, &bytes[PREFIX_BYTES + 32..]].concat();
    let envelope = Envelope::from_bytes(&bytes).expect("an owner may be any 32 bytes");
    Envelope { owner_signature: Signature::new(signature), ..envelope }
}

fn of_the_future(header: &BlockHeader) -> Envelope {
    let created = Timestamp::new(header.timestamp.get() + CREATED_AHEAD_MS_MAX + 1);
    let metadata = Metadata { created, ..metadata(8) };
    let content = Content::inline(*b"tomorrow").expect("a few bytes");
    let record = Record::new(key(1).owner(), metadata, content).expect("a sound record");
    Envelope::sign(record, &header.chain_id, &key(1), DELEGATE)
}

fn owner_number(record: u32) -> u8 {
    let [low, ..] = (record % 5).to_le_bytes();
    low + 1
}

fn spoilt(signature: &Signature) -> Signature {
    let mut bytes = *signature.as_bytes();
    bytes[3] ^= 1;
    Signature::new(bytes)
}

/// The payload of the draft with these Items in the place of its own.
fn carrying(draft: &Draft, roots: Vec<Digest>) -> Payload {
    let header = &draft.block.header;
    let inner = ItemBlockHeader {
        chain_id: header.chain_id,
        height: header.height,
        producer: header.producer,
        closed_at: header.timestamp,
        root: root_of(Level::ItemBlock, &roots),
    };
    let items = List::new(roots).expect("the draft has room for two Items more");
    let item_block = Some(ItemBlock { header: inner, items });
    Payload { item_block, ..draft.block.payload.clone() }
}

/// The block of a header and the payload that it is made to commit to.
#[must_use]
pub fn sealed(header: BlockHeader, payload: Payload) -> Block {
    Block { header: BlockHeader { payload: payload.commitment(), ..header }, payload }
}

/// The bookings of an Item.
#[must_use]
pub fn bookings(item: &Item) -> Vec<Booking> {
    item.records.iter().map(Envelope::booking).collect()
}

fn tree_of(bookings: &[Booking]) -> Option<Tree> {
    let hashes: Vec<Digest> = bookings.iter().map(Booking::leaf_hash).collect();
    (!hashes.is_empty()).then(|| Tree::from_hashes(hashes))
}

fn root_of_item(bookings: &[Booking]) -> Digest {
    let tree = tree_of(bookings).map_or_else(empty_root, |tree| tree.root());
    let records = u32::try_from(bookings.len()).expect("a few records");
    level_root(Level::Item, records, &tree)
}

/// Where an Item stands among the roots of an Item block.
///
/// # Panics
/// When there is no such Item.
#[must_use]
pub fn item_place(roots: &[Digest], at: usize) -> ItemPlace {
    let number = |value: usize| u16::try_from(value).expect("16,384 Items at most");
    let path = Tree::from_digests(roots).prove(u64::from(number(at))).expect("it stands there");
    let path = List::new(path).expect("14 levels at most");
    ItemPlace { index: number(at), size: number(roots.len()), path }
}

/// A booking and its way up, given all of the block.
///
/// # Panics
/// When there is no such record.
#[must_use]
pub fn placed(
    leaves: &[Vec<Booking>],
    roots: &[Digest],
    item: usize,
    record: usize,
) -> PlacedBooking {
    let number = |value: usize| u8::try_from(value).expect("11 records at most");
    let tree = tree_of(&leaves[item]).expect("an Item with records");
    let path = tree.prove(u64::from(number(record))).expect("it stands there");
    let path = List::new(path).expect("4 levels at most");
    PlacedBooking {
        booking: leaves[item][record].clone(),
        record: RecordPlace { index: number(record), size: number(leaves[item].len()), path },
        item: item_place(roots, item),
    }
}
