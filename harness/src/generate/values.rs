//! Random valid values of every wire type, from a seed. [STO-1] [STO-3] [STO-4] [STO-8]
//!
//! Valid for a decoder: within all bounds, which are hit often, on both sides: empty and full lists,
//! the shortest and the longest text, metadata of exactly 2,048 bytes. Keys, digests and signatures
//! are random bytes; receipts that hold up to Bitcoin come from `sound`.

use std::collections::BTreeMap;

use rand_chacha::rand_core::Rng;

use super::{acts, sharing};
use crate::rules::mirror::{
    Anchor, BitcoinProof, Block, BlockHeader, Booking, Bytes32, Code, Content, ContentRef,
    DataBlock, Encryption, Envelope, Genesis, Item, ItemBlock, ItemBlockHeader, Metadata, Payload,
    Position, Receipt, Record, Relation, Window,
};
use crate::rules::wire::{Mirror, WireKind, body};
use crate::seed::Draw;

/// How large values may become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Up to some hundred bytes where the type allows it, for seeds of a fuzzer.
    Small,
    /// Up to every bound: content of 102,400 bytes, 16,384 Items, 65,536 data blocks.
    Full,
}

/// A valid value of a kind.
pub fn value(kind: WireKind, scale: Scale, draw: &mut impl Rng) -> Mirror {
    let mut values = Values { draw, scale };
    match kind {
        WireKind::Genesis => values.genesis().into(),
        WireKind::Record => values.record().into(),
        WireKind::Envelope => values.envelope().into(),
        WireKind::Booking => values.booking().into(),
        WireKind::Item => values.item().into(),
        WireKind::ItemBlock => values.item_block().into(),
        WireKind::Payload => values.payload().into(),
        WireKind::BlockHeader => values.block_header().into(),
        WireKind::Block => {
            Block { header: values.block_header(), payload: values.payload() }.into()
        }
        WireKind::DataBlock => values.data_block().into(),
        WireKind::Window => values.window().into(),
        WireKind::Anchor => values.anchor().into(),
        WireKind::Receipt => values.receipt().into(),
        WireKind::SignedVote
        | WireKind::Certificate
        | WireKind::Proposal
        | WireKind::Evidence
        | WireKind::Events
        | WireKind::Summary
        | WireKind::Registration
        | WireKind::Service
        | WireKind::Decision
        | WireKind::JournalEntry => values.agreement(kind),
        WireKind::Message => values.message().into(),
        WireKind::RosterCommitment => values.roster_commitment().into(),
        WireKind::Act => acts::value(scale, draw).into(),
        other => sharing::value(other, scale, draw),
    }
}

/// Metadata for a content of `size` bytes, stored or inline.
pub fn metadata(size: u64, stored: bool, scale: Scale, draw: &mut impl Rng) -> Metadata {
    Values { draw, scale }.metadata(size, stored)
}

const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const MEDIA: &str = "abcdefghijklmnopqrstuvwxyz0123456789!#$&^_.+-";
const LANGUAGE: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-";
const METADATA_BYTES: usize = 2_048;

pub(super) struct Values<'a, R> {
    pub(super) draw: &'a mut R,
    scale: Scale,
}

impl<'a, R: Rng> Values<'a, R> {
    pub(super) fn small(draw: &'a mut R) -> Self {
        Self { draw, scale: Scale::Small }
    }

    pub(super) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.draw.fill_bytes(&mut bytes);
        bytes
    }

    /// The least, the largest or any number; any in the lower part where the scale is small.
    pub(super) fn count(&mut self, low: u32, high: u32, high_small: u32) -> usize {
        let high = if self.scale == Scale::Small { high.min(high_small) } else { high };
        let count = match self.draw.below(8) {
            0 => low,
            1 => high,
            _ => self.draw.between(low, high.min(low + 12)),
        };
        usize::try_from(count).expect("a bound of the format")
    }

    pub(super) fn digests(&mut self, low: u32, high: u32) -> Vec<Bytes32> {
        // Full lists of up to 2 MiB are drawn rarely: one of them costs as much as a thousand others.
        let high = if high > 100 && !self.draw.chance(1, 8) { 40 } else { high };
        (0..self.count(low, high, 12)).map(|_| self.bytes()).collect()
    }

    fn text(&mut self, alphabet: &str, low: u32, high: u32) -> String {
        let characters = self.count(low, high, 40);
        (0..characters).map(|_| char::from(*self.draw.pick(alphabet.as_bytes()))).collect()
    }

    fn printable(&mut self, low: u32, high: u32) -> String {
        let characters = self.count(low, high, 24);
        let printable = |draw: &mut R| u8::try_from(draw.between(0x20, 0x7e)).expect("one byte");
        (0..characters).map(|_| char::from(printable(self.draw))).collect()
    }

    pub(super) fn maybe<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.draw.chance(1, 2).then(|| make(self))
    }

    pub(super) fn one_to(&mut self, high: u32) -> u8 {
        u8::try_from(self.draw.between(1, high)).expect("a tag")
    }

    fn code(&mut self) -> Code {
        Code { system: self.one_to(4), code: self.printable(1, 18) }
    }

    fn media_type(&mut self) -> String {
        let (kind, subtype) = (self.text(MEDIA, 1, 40), self.text(MEDIA, 1, 40));
        let parameters =
            self.maybe(|values| format!(";{}", values.printable(0, 45))).unwrap_or_default();
        format!("{kind}/{subtype}{parameters}")
    }

    fn time(&mut self) -> i64 {
        let any = i64::try_from(self.draw.next_u64() >> 1).expect("63 bits");
        match self.draw.below(6) {
            0 => 0,
            1 => 253_402_300_799_999,
            _ => any % 253_402_300_800_000,
        }
    }

    fn offset(&mut self) -> i16 {
        let minutes = i16::try_from(self.draw.below(1_681)).expect("up to 1,680") - 840;
        *self.draw.pick(&[-840, 840, 0, minutes])
    }

    fn metadata(&mut self, size: u64, stored: bool) -> Metadata {
        let capital = self.text(&LETTERS[..26], 1, 1);
        let mut metadata = Metadata {
            resource_type: capital + &self.text(LETTERS, 0, 63),
            content_type: self.media_type(),
            created: self.time(),
            tz_offset_min: self.maybe(Self::offset),
            size,
            kind: self.maybe(Self::code),
            category: self.maybe(Self::code),
            status: self.one_to(3),
            relates_to: self
                .maybe(|values| Relation { relation: values.one_to(4), record: values.bytes() }),
            format: self.maybe(|values| values.printable(1, 96)),
            language: self.maybe(|values| values.text(LANGUAGE, 2, 35)),
            custodian: self.maybe(Self::bytes),
            author: self.maybe(Self::bytes),
            activity: self.one_to(4),
            security: (0..self.draw.below(4)).map(|_| self.one_to(3)).collect(),
            consent: self.maybe(Self::bytes),
            encryption: stored.then(|| Encryption { scheme: 1, key_id: self.bytes() }),
            ext: BTreeMap::new(),
        };
        for _ in 0..self.count(0, 8, 3) {
            let value = vec![0xee; self.count(0, 256, 20)];
            metadata.ext.insert(self.printable(1, 32), value);
        }
        self.fit(&mut metadata);
        metadata
    }

    /// Shortens extensions until the metadata fits; sometimes it then holds exactly 2,048 bytes.
    fn fit(&mut self, metadata: &mut Metadata) {
        if self.scale == Scale::Full && self.draw.chance(1, 8) {
            for key in "abcdefgh".chars().skip(metadata.ext.len()) {
                metadata.ext.insert(format!("zz{key}"), Vec::new());
            }
            metadata.ext.values_mut().for_each(|value| value.resize(256, 0xff));
        }
        while let Some(excess) = body(metadata).len().checked_sub(METADATA_BYTES + 1) {
            let mut last = metadata.ext.last_entry().expect("without extensions it always fits");
            match last.get().len().checked_sub(excess + 1) {
                Some(bytes) => last.get_mut().truncate(bytes),
                None => drop(last.remove()),
            }
        }
    }

    fn record(&mut self) -> Record {
        if self.draw.chance(1, 3) {
            let any = self.draw.next_u64();
            let size = *self.draw.pick(&[1, u64::MAX, any.max(1)]);
            let metadata = self.metadata(size, true);
            return Record {
                owner: self.bytes(),
                metadata,
                content: Content::Stored(self.bytes()),
            };
        }
        let mut content = vec![0; self.count(1, 102_400, 40)];
        self.draw.fill_bytes(&mut content);
        let size = u64::try_from(content.len()).expect("a small file");
        Record {
            owner: self.bytes(),
            metadata: self.metadata(size, false),
            content: Content::Inline(content),
        }
    }

    pub(super) fn envelope(&mut self) -> Envelope {
        Envelope {
            record: self.record(),
            owner_signature: self.bytes(),
            booked_by: self.draw.next_u32(),
        }
    }

    pub(super) fn booking(&mut self) -> Booking {
        let stored = self.draw.chance(1, 2);
        let size = self.draw.next_u64().max(1);
        let metadata = self.metadata(size, stored);
        let digest = self.bytes();
        Booking {
            owner: self.bytes(),
            metadata,
            content: if stored { ContentRef::Stored(digest) } else { ContentRef::Inline(digest) },
            owner_signature: self.bytes(),
            booked_by: self.draw.next_u32(),
        }
    }

    pub(super) fn item(&mut self) -> Item {
        Item { records: (0..self.count(1, 10, 3)).map(|_| self.envelope()).collect() }
    }

    pub(super) fn item_block_header(&mut self) -> ItemBlockHeader {
        ItemBlockHeader {
            chain_id: self.bytes(),
            height: self.draw.next_u64(),
            producer: self.draw.next_u32(),
            closed_at: i64::from_le_bytes(self.bytes()),
            root: self.bytes(),
        }
    }

    fn item_block(&mut self) -> ItemBlock {
        ItemBlock { header: self.item_block_header(), items: self.digests(1, 16_384) }
    }

    pub(super) fn payload(&mut self) -> Payload {
        Payload {
            item_block: self.maybe(Self::item_block),
            parent_certificate: self.maybe(Self::certificate),
            events: self.events(),
        }
    }

    pub(super) fn block_header(&mut self) -> BlockHeader {
        BlockHeader {
            chain_id: self.bytes(),
            epoch: self.draw.next_u32(),
            view: self.draw.next_u64(),
            height: self.draw.next_u64(),
            parent: self.bytes(),
            parent_view: self.draw.next_u64(),
            timestamp: i64::from_le_bytes(self.bytes()),
            producer: self.draw.next_u32(),
            payload: self.bytes(),
        }
    }

    fn genesis(&mut self) -> Genesis {
        Genesis {
            name: self.printable(0, 64),
            started_at: i64::from_le_bytes(self.bytes()),
            turn_ms: self.draw.next_u32(),
            minute_ms: self.draw.next_u32(),
            window_ms: self.draw.next_u32(),
            producers: u16::from_le_bytes(self.bytes()),
            auditors: u16::from_le_bytes(self.bytes()),
            committees: self.bytes(),
            registrar: self.bytes(),
        }
    }

    fn data_block(&mut self) -> DataBlock {
        let (epoch, index) = (self.draw.next_u32(), self.draw.next_u32());
        DataBlock { epoch, index, item_blocks: self.digests(1, 10) }
    }

    fn window(&mut self) -> Window {
        Window { epoch: self.draw.next_u32(), data_blocks: self.digests(0, 65_536) }
    }

    fn anchor(&mut self) -> Anchor {
        Anchor {
            chain_id: self.bytes(),
            epoch: self.draw.next_u32(),
            window: self.bytes(),
            head: self.bytes(),
            state: self.bytes(),
            next_committees: self.bytes(),
        }
    }

    fn receipt(&mut self) -> Receipt {
        Receipt {
            chain_id: self.bytes(),
            epoch: self.draw.next_u32(),
            booking: self.booking(),
            position: Position {
                item_index: u8::from_le_bytes(self.bytes()),
                item_size: u8::from_le_bytes(self.bytes()),
                block_index: u16::from_le_bytes(self.bytes()),
                block_size: u16::from_le_bytes(self.bytes()),
                data_index: u8::from_le_bytes(self.bytes()),
                data_size: u8::from_le_bytes(self.bytes()),
                window_index: self.draw.next_u32(),
                window_size: self.draw.next_u32(),
            },
            path: self.digests(0, 64),
            context: self.bytes(),
            bitcoin: self.maybe(|values| {
                let mut transaction = vec![0; values.count(0, 4_096, 200)];
                values.draw.fill_bytes(&mut transaction);
                BitcoinProof {
                    height: values.draw.next_u32(),
                    transaction,
                    tx_index: values.draw.next_u32(),
                    branch: values.digests(0, 24),
                }
            }),
        }
    }
}
