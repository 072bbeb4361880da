//! Roots and proofs of windows, as opaque bytes. [STO-1] [STO-9] to [STO-11]

use rand_chacha::ChaCha12Rng;
use serde_json::{Map, Value, json};

use super::draw::{bytes, draws, field};
use super::{Property, claim};
use crate::conformance::subject::{Interrupt, Subject};
use crate::conformance::value;
use crate::seed::Draw as _;

pub(super) const PROPERTIES: &[Property] = &[
    Property {
        id: "paper.window.a-change-shows-above-and-nowhere-else",
        title: "another byte in one record changes the roots above it, and no other root",
        requirements: &["STO-11.1", "STO-10.2", "STO-1.1"],
        ops: &["paper.window"],
        check: a_change_shows,
    },
    Property {
        id: "paper.window.lists-have-one-root-each",
        title: "a list with its last record, Item or block repeated, or two of them exchanged, has another root",
        requirements: &["STO-11.1"],
        ops: &["paper.window"],
        check: one_root_each,
    },
    Property {
        id: "paper.prove.every-record",
        title: "every record has a proof of the length that the trees allow, which holds for it and nothing else",
        requirements: &["STO-11.2"],
        ops: &["paper.window", "paper.prove", "paper.verify"],
        check: every_record,
    },
];

/// A record: owner, time, content.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Record {
    owner: Vec<u8>,
    created: u64,
    content: Vec<u8>,
}

impl Record {
    fn draw(draw: &mut ChaCha12Rng) -> Self {
        let length = draw.between(1, 40);
        Self {
            owner: bytes(draw, 32),
            created: 1_600_000_000_000 + u64::from(draw.below(1 << 30)),
            content: bytes(draw, usize::try_from(length).unwrap_or(1)),
        }
    }

    fn json(&self) -> Value {
        let Self { owner, created, content } = self;
        json!({"owner": value::bytes(owner), "created": created.to_string(), "content": value::bytes(content)})
    }
}

type Item = Vec<Record>;
type ItemBlock = Vec<Item>;
type DataBlock = Vec<ItemBlock>;

/// Data blocks, of Item blocks, of Items, of records.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Window(Vec<DataBlock>);

impl Window {
    /// A small window with every level at several sizes; all data blocks but the last have 10 Item blocks.
    fn draw(draw: &mut ChaCha12Rng) -> Self {
        let item = |draw: &mut ChaCha12Rng| {
            let size = draw.between(1, 4);
            (0..size).map(|_| Record::draw(draw)).collect::<Item>()
        };
        let block = |draw: &mut ChaCha12Rng| {
            let size = draw.between(1, 3);
            (0..size).map(|_| item(draw)).collect::<ItemBlock>()
        };
        let last = draw.between(1, 9);
        let mut blocks: Vec<DataBlock> = Vec::new();
        for size in [10, last] {
            blocks.push((0..size).map(|_| block(draw)).collect());
        }
        Self(blocks)
    }

    fn json(&self) -> Value {
        let items = |block: &ItemBlock| -> Value {
            block.iter().map(|item| item.iter().map(Record::json).collect::<Value>()).collect()
        };
        self.0.iter().map(|data| data.iter().map(items).collect::<Value>()).collect()
    }

    /// The indices of every record.
    fn places(&self) -> Vec<[usize; 4]> {
        let mut places = Vec::new();
        for (data, blocks) in self.0.iter().enumerate() {
            for (block, items) in blocks.iter().enumerate() {
                for (item, records) in items.iter().enumerate() {
                    places.extend((0..records.len()).map(|record| [data, block, item, record]));
                }
            }
        }
        places
    }

    fn record(&self, [data, block, item, record]: [usize; 4]) -> &Record {
        &self.0[data][block][item][record]
    }

    fn record_mut(&mut self, [data, block, item, record]: [usize; 4]) -> &mut Record {
        &mut self.0[data][block][item][record]
    }

    /// Hashes that a path to a record may have.
    fn hashes_max(&self, [data, block, item, _]: [usize; 4]) -> u32 {
        let sizes = [
            self.0.len(),
            self.0[data].len(),
            self.0[data][block].len(),
            self.0[data][block][item].len(),
        ];
        sizes.iter().map(|size| size.next_power_of_two().trailing_zeros()).sum()
    }
}

/// Roots of a window, by level.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Roots {
    window: Vec<u8>,
    data_blocks: Vec<Vec<u8>>,
    item_blocks: Vec<Vec<Vec<u8>>>,
    items: Vec<Vec<Vec<Vec<u8>>>>,
}

impl Roots {
    fn read(result: &Map<String, Value>, window: &Window) -> Result<Self, Interrupt> {
        let roots = Self {
            window: field(result, "window", |root| root.bytes())?,
            data_blocks: field(result, "data_blocks", |list| list.each(|root| root.bytes()))?,
            item_blocks: field(result, "item_blocks", |list| {
                list.each(|list| list.each(|root| root.bytes()))
            })?,
            items: field(result, "items", |list| {
                list.each(|list| list.each(|list| list.each(|root| root.bytes())))
            })?,
        };
        let has_shape =
            roots.data_blocks.len() == window.0.len()
                && roots.item_blocks.iter().map(Vec::len).eq(window.0.iter().map(Vec::len))
                && roots.items.len() == window.0.len()
                && roots.items.iter().zip(&window.0).all(|(roots, blocks)| {
                    roots.iter().map(Vec::len).eq(blocks.iter().map(Vec::len))
                });
        claim(has_shape, || "the roots have another shape than the window".to_owned())?;
        Ok(roots)
    }

    fn of(subject: &mut Subject<'_>, window: &Window) -> Result<Self, Interrupt> {
        let result = subject.call("paper.window", json!({"records": window.json()}))?;
        Self::read(&result, window)
    }
}

fn a_change_shows(subject: &mut Subject<'_>) -> Result<String, Interrupt> {
    let mut draw = draws(subject);
    let window = Window::draw(&mut draw);
    let before = Roots::of(subject, &window)?;
    let again = Roots::of(subject, &window)?;
    claim(before == again, || "the same window has other roots the second time".to_owned())?;
    let places = window.places();
    let changes = 6;
    for change in 0..changes {
        let at = *draw.pick(&places);
        let mut altered = window.clone();
        let record = altered.record_mut(at);
        match change % 3 {
            0 => {
                let byte =
                    usize::try_from(draw.below(u32::try_from(record.content.len()).unwrap_or(1)))
                        .unwrap_or(0);
                record.content[byte] ^= 1 << draw.below(8);
            }
            1 => record.owner[usize::try_from(draw.below(32)).unwrap_or(0)] ^= 1 << draw.below(8),
            _ => record.created += 1,
        }
        let after = Roots::of(subject, &altered)?;
        let [data, block, item, _] = at;
        let mut expected = before.clone();
        let mut differs = true;
        let mut moved = |expected: &mut Vec<u8>, found: &Vec<u8>| {
            differs &= expected != found;
            expected.clone_from(found);
        };
        moved(&mut expected.window, &after.window);
        moved(&mut expected.data_blocks[data], &after.data_blocks[data]);
        moved(&mut expected.item_blocks[data][block], &after.item_blocks[data][block]);
        moved(&mut expected.items[data][block][item], &after.items[data][block][item]);
        claim(differs, || format!("a record changed at {at:?}, and a root above it did not"))?;
        claim(expected == after, || {
            format!("a record changed at {at:?}, and so did a root that is not above it")
        })?;
    }
    Ok(format!("{changes} changes among {} records", places.len()))
}

fn one_root_each(subject: &mut Subject<'_>) -> Result<String, Interrupt> {
    let mut draw = draws(subject);
    let mut asked = 0;
    let mut differ = |one: &Window, other: &Window, what: &str| -> Result<(), Interrupt> {
        let (one, other) = (Roots::of(subject, one)?.window, Roots::of(subject, other)?.window);
        asked += 1;
        claim(one != other, || format!("{what}: two windows have one root"))
    };
    // Three of a kind is the smallest list that a tree with repeated nodes takes for four.
    let records: Vec<Record> = (0..3).map(|_| Record::draw(&mut draw)).collect();
    let of = |records: &[Record]| Window(vec![vec![vec![records.to_vec()]]]);
    let repeated = [&records[..], &records[2..]].concat();
    differ(&of(&records), &of(&repeated), "the last record of an Item repeated")?;
    let exchanged = vec![records[1].clone(), records[0].clone(), records[2].clone()];
    differ(&of(&records), &of(&exchanged), "two records of an Item exchanged")?;
    let items: Vec<Item> = records.iter().map(|record| vec![record.clone()]).collect();
    let of = |items: &[Item]| Window(vec![vec![items.to_vec()]]);
    differ(
        &of(&items),
        &of(&[&items[..], &items[2..]].concat()),
        "the last Item of a block repeated",
    )?;
    let blocks: Vec<ItemBlock> = items.iter().map(|item| vec![item.clone()]).collect();
    let of = |blocks: &[ItemBlock]| Window(vec![blocks.to_vec()]);
    differ(
        &of(&blocks),
        &of(&[&blocks[..], &blocks[2..]].concat()),
        "the last Item block of a data block repeated",
    )?;
    let nested = Window(vec![vec![vec![records.clone()]]]);
    let split = Window(vec![vec![vec![records[..2].to_vec(), records[2..].to_vec()]]]);
    differ(&nested, &split, "three records in one Item, and in two")?;
    Ok(format!("{asked} pairs"))
}

fn every_record(subject: &mut Subject<'_>) -> Result<String, Interrupt> {
    let mut draw = draws(subject);
    let window = Window::draw(&mut draw);
    let root = Roots::of(subject, &window)?.window;
    let places = window.places();
    let chosen: Vec<[usize; 4]> = (0..12).map(|_| *draw.pick(&places)).collect();
    let mut last: Option<(Vec<u8>, &Record)> = None;
    for at in &chosen {
        let args = json!({"records": window.json(), "at": at});
        let result = subject.call("paper.prove", args)?;
        let proof = field(&result, "proof", |proof| proof.bytes())?;
        let hashes: u32 = field(&result, "hashes", |hashes| hashes.integer())?;
        let hashes_max = window.hashes_max(*at);
        claim(hashes <= hashes_max, || {
            format!("the path to {at:?} has {hashes} hashes, {hashes_max} at most")
        })?;
        let record = window.record(*at);
        let verify = |record: &Record, proof: &[u8], root: &[u8]| json!({"record": record.json(), "proof": value::bytes(proof), "window": value::bytes(root)});
        subject.call("paper.verify", verify(record, &proof, &root))?;
        let mut other = record.clone();
        other.content[0] ^= 1;
        subject.rejected(
            "paper.verify",
            verify(&other, &proof, &root),
            "a proof for another content",
        )?;
        let mut elsewhere = root.clone();
        if let Some(byte) = elsewhere.last_mut() {
            *byte ^= 1;
        }
        subject.rejected(
            "paper.verify",
            verify(record, &proof, &elsewhere),
            "a proof under another root",
        )?;
        if let Some((proof, of)) = last.replace((proof, record)).filter(|(_, of)| *of != record) {
            let _ = of;
            subject.rejected(
                "paper.verify",
                verify(record, &proof, &root),
                "another record's proof",
            )?;
        }
    }
    Ok(format!("{} of {} records", chosen.len(), places.len()))
}
