//! Encodings with one fault each, which every decoder has to refuse. [STO-1] [STO-3] [STO-8]

use rand_chacha::rand_core::Rng;

use super::values::{Scale, value};
use super::{acts, agreement, clients, messages, sharing};
use crate::rules::mirror::{
    Bytes32, Code, Content, Encryption, Metadata, Payload, Record, Relation,
};
use crate::rules::wire::{Mirror, WireKind};

/// Bytes that are no encoding, and what is wrong with them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spoilt {
    /// The fault, usable as the name of a file.
    pub fault: &'static str,
    /// Whether the fault is a bound or a rule of one field rather than one of the encoding.
    pub is_rule: bool,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// One encoding for every fault that a kind can have. `Small` leaves out those above some KB.
pub fn spoilt(kind: WireKind, scale: Scale, draw: &mut impl Rng) -> Vec<Spoilt> {
    let mut all = Vec::new();
    let mut push = |fault, bytes| all.push(Spoilt { fault, is_rule: false, bytes });
    let sound = complete(kind, draw);
    let bytes = sound.encode();
    push("empty", Vec::new());
    push("truncated-by-one", bytes[..bytes.len() - 1].to_vec());
    push("truncated-in-prefix", bytes[..4].to_vec());
    push("truncated-in-half", bytes[..bytes.len() / 2].to_vec());
    push("trailing", [&bytes[..], &[0]].concat());
    push("wrong-tag", [b"MZZZ", &bytes[4..]].concat());
    push("lower-case-tag", [&bytes[..4].to_ascii_lowercase()[..], &bytes[4..]].concat());
    push("version-2", [&bytes[..4], &[2], &bytes[5..]].concat());
    push("version-0", [&bytes[..4], &[0], &bytes[5..]].concat());
    marked_text(&sound, &mut push);
    marked_extensions(&sound, &mut push);
    marked_lists(&sound, scale, &mut push);
    sharing::marked(&sound, &mut push);
    agreement::marked(&sound, &mut push);
    acts::marked(&sound, &mut push);
    messages::marked(&sound, scale, &mut push);
    clients::marked(&sound, scale, &mut push);
    let mut push = |fault, bytes| all.push(Spoilt { fault, is_rule: true, bytes });
    for &(fault, edit) in METADATA {
        edited(&sound, fault, metadata_of, edit, &mut push);
    }
    for &(fault, edit) in RECORD {
        edited(&sound, fault, record_of, edit, &mut push);
    }
    if scale == Scale::Full {
        edited(&sound, "content-above-limit", record_of, content_above_limit, &mut push);
    }
    all
}

/// A value that has the optional parts which faults are put into.
fn complete(kind: WireKind, draw: &mut impl Rng) -> Mirror {
    loop {
        let mut value = value(kind, Scale::Small, draw);
        let is_complete = match kind {
            WireKind::Payload | WireKind::Block | WireKind::Proposal => {
                items_of(&mut value).is_some()
            }
            WireKind::Receipt => branch_of(&mut value).is_some(),
            _ => true,
        };
        if is_complete {
            return value;
        }
    }
}

pub(super) type Push<'a> = &'a mut dyn FnMut(&'static str, Vec<u8>);

fn edited<T>(
    sound: &Mirror,
    fault: &'static str,
    part_of: fn(&mut Mirror) -> Option<&mut T>,
    edit: fn(&mut T),
    push: Push<'_>,
) {
    let mut value = sound.clone();
    if let Some(part) = part_of(&mut value) {
        edit(part);
        push(fault, value.encode());
    }
}

/// The metadata in a value.
pub fn metadata_of(value: &mut Mirror) -> Option<&mut Metadata> {
    match value {
        Mirror::Booking(booking) => Some(&mut booking.metadata),
        Mirror::Receipt(receipt) => Some(&mut receipt.booking.metadata),
        other => record_of(other).map(|record| &mut record.metadata),
    }
}

/// The record in a value.
pub fn record_of(value: &mut Mirror) -> Option<&mut Record> {
    match value {
        Mirror::Record(record) => Some(record),
        Mirror::Envelope(envelope) => Some(&mut envelope.record),
        Mirror::Item(item) => item.records.last_mut().map(|envelope| &mut envelope.record),
        _ => None,
    }
}

/// The payload in a value.
pub(super) fn payload_of(value: &mut Mirror) -> Option<&mut Payload> {
    match value {
        Mirror::Payload(payload) => Some(payload),
        Mirror::Block(block) => Some(&mut block.payload),
        Mirror::Proposal(proposal) => Some(&mut proposal.payload),
        _ => None,
    }
}

type Edit<T> = (&'static str, fn(&mut T));

const METADATA: &[Edit<Metadata>] = &[
    ("resource-type-empty", |m| m.resource_type.clear()),
    ("resource-type-65", |m| m.resource_type = "A".repeat(65)),
    ("resource-type-lower", |m| m.resource_type = "observation".into()),
    ("resource-type-digit", |m| m.resource_type = "Type1".into()),
    ("media-type-bare", |m| m.content_type = "text".into()),
    ("media-type-two-slashes", |m| m.content_type = "a/b/c".into()),
    ("media-type-upper", |m| m.content_type = "Text/plain".into()),
    ("media-type-no-subtype", |m| m.content_type = "text/;a".into()),
    ("created-before-1970", |m| m.created = -1),
    ("created-after-9999", |m| m.created = 253_402_300_800_000),
    ("offset-841", |m| m.tz_offset_min = Some(841)),
    ("offset-minus-841", |m| m.tz_offset_min = Some(-841)),
    ("size-0", |m| m.size = 0),
    ("code-system-0", |m| m.kind = Some(Code { system: 0, code: "x".into() })),
    ("code-system-5", |m| m.category = Some(Code { system: 5, code: "x".into() })),
    ("code-empty", |m| m.kind = Some(Code { system: 1, code: String::new() })),
    ("code-19", |m| m.category = Some(Code { system: 1, code: "x".repeat(19) })),
    ("status-0", |m| m.status = 0),
    ("status-4", |m| m.status = 4),
    ("relation-5", |m| m.relates_to = Some(Relation { relation: 5, record: [0; 32] })),
    ("format-97", |m| m.format = Some("x".repeat(97))),
    ("language-1", |m| m.language = Some("e".into())),
    ("language-underscore", |m| m.language = Some("en_GB".into())),
    ("activity-5", |m| m.activity = 5),
    ("security-4", |m| m.security = [4].into()),
    ("security-four-labels", |m| m.security = [0, 1, 2, 3].into()),
    ("scheme-2", |m| m.encryption = Some(Encryption { scheme: 2, key_id: [0; 32] })),
    ("ext-9", |m| m.ext = (0..9u8).map(|n| (n.to_string(), vec![])).collect()),
    ("ext-key-empty", |m| m.ext = [(String::new(), vec![])].into()),
    ("ext-key-33", |m| m.ext = [("k".repeat(33), vec![])].into()),
    ("ext-value-257", |m| m.ext = [("k".into(), vec![0; 257])].into()),
    ("metadata-above-limit", |m| m.ext = (0..8u8).map(|n| (n.to_string(), vec![0; 256])).collect()),
];

const RECORD: &[Edit<Record>] = &[
    ("content-empty", |r| r.content = Content::Inline(vec![])),
    ("content-another-size", |r| {
        r.metadata.encryption = None;
        r.metadata.size = 2;
        r.content = Content::Inline(vec![1; 3]);
    }),
    ("inline-yet-encrypted", |r| {
        r.metadata.encryption = Some(Encryption { scheme: 1, key_id: [0; 32] });
        r.metadata.size = 3;
        r.content = Content::Inline(vec![1; 3]);
    }),
    ("stored-yet-plain", |r| {
        r.metadata.encryption = None;
        r.content = Content::Stored([1; 32]);
    }),
];

fn content_above_limit(record: &mut Record) {
    record.metadata.encryption = None;
    record.metadata.size = 102_401;
    record.content = Content::Inline(vec![1; 102_401]);
}

/// Puts a text in a place where its bytes are found again, then breaks it.
fn marked_text(sound: &Mirror, push: Push<'_>) {
    let mut value = sound.clone();
    let mark = "Spoiltmark";
    if let Mirror::Genesis(genesis) = &mut value {
        genesis.name = mark.into();
        let long = "x".repeat(65);
        let mut beyond = value.clone();
        if let Mirror::Genesis(genesis) = &mut beyond {
            genesis.name = long;
        }
        push("name-65", beyond.encode());
    } else if let Some(metadata) = metadata_of(&mut value) {
        metadata.resource_type = mark.into();
    } else {
        return;
    }
    let bytes = value.encode();
    let at = position(&bytes, mark.as_bytes());
    push("text-not-utf-8", replaced(&bytes, at + 1, &[0xff]));
    push("text-not-ascii", replaced(&bytes, at + 1, "\u{e9}".as_bytes()));
    push("text-control", replaced(&bytes, at + 1, &[0x1f]));
    push("text-delete", replaced(&bytes, at + 1, &[0x7f]));
    push("text-count-max", replaced(&bytes, at - 4, &[0xff; 4]));
    push(
        "text-count-beyond-end",
        replaced(&bytes, at - 4, &60_u32.to_le_bytes())[..at + 9].to_vec(),
    );
}

/// Sets and maps out of order, options and contents with tags that stand for nothing.
fn marked_extensions(sound: &Mirror, push: Push<'_>) {
    let mut value = sound.clone();
    let Some(metadata) = metadata_of(&mut value) else { return };
    let (one, two) = ("spoilt-a", "spoilt-b");
    metadata.ext = [(one.into(), vec![1]), (two.into(), vec![2])].into();
    metadata.security = [1, 3].into();
    let consent = [0xc0; 32];
    metadata.consent = Some(consent);
    let bytes = value.encode();
    let (first, second) = (position(&bytes, one.as_bytes()), position(&bytes, two.as_bytes()));
    push(
        "ext-unsorted",
        replaced(&replaced(&bytes, first, two.as_bytes()), second, one.as_bytes()),
    );
    push("ext-duplicate", replaced(&bytes, second, one.as_bytes()));
    push("ext-count-max", replaced(&bytes, first - 8, &[0xff; 4]));
    push("ext-key-count-max", replaced(&bytes, first - 4, &[0xff; 4]));
    push("ext-value-count-max", replaced(&bytes, first + 8, &[0xff; 4]));
    let consent = position(&bytes, &consent);
    push("option-tag-2", replaced(&bytes, consent - 1, &[2]));
    push("security-unsorted", replaced(&bytes, consent - 3, &[3, 1]));
    push("security-duplicate", replaced(&bytes, consent - 3, &[3, 3]));
    push("security-count-max", replaced(&bytes, consent - 7, &[0xff; 4]));
    // The content follows the value of the last extension.
    push("content-tag-2", replaced(&bytes, second + 13, &[2]));
}

/// Lists of digests and of envelopes with more, fewer or pretended elements.
fn marked_lists(sound: &Mirror, scale: Scale, push: Push<'_>) {
    let mark: Bytes32 = [0xd1; 32];
    let lists: &[(ListOf, usize, usize)] = &[
        (items_of, 1, 16_384),
        (item_blocks_of, 1, 10),
        (data_blocks_of, 0, 65_536),
        (path_of, 0, 64),
        (branch_of, 0, 24),
    ];
    for &(list_of, least, most) in lists {
        let mut value = sound.clone();
        let Some(list) = list_of(&mut value) else { continue };
        *list = vec![mark];
        let bytes = value.encode();
        let at = position(&bytes, &mark);
        push("list-count-max", replaced(&bytes, at - 4, &[0xff; 4]));
        push(
            "list-count-one-more",
            replaced(&bytes, at - 4, &2_u32.to_le_bytes())[..at + 32].to_vec(),
        );
        if least > 0 {
            *list_of(&mut value).expect("the same value") = Vec::new();
            push("list-empty", value.encode());
        }
        if scale == Scale::Full || most < 100 {
            *list_of(&mut value).expect("the same value") = vec![mark; most + 1];
            push("list-above-limit", value.encode());
        }
    }
    if let Mirror::Item(item) = sound {
        let with = |count: usize| {
            let mut item = item.clone();
            item.records = vec![item.records[0].clone(); count];
            Mirror::from(item).encode()
        };
        push("list-empty", with(0));
        push("list-above-limit", with(11));
        push("list-count-max", replaced(&with(1), 5, &[0xff; 4]));
    }
    if let Mirror::Receipt(receipt) = sound {
        let mut receipt = receipt.clone();
        if let Some(proof) = &mut receipt.bitcoin {
            proof.transaction = vec![0; 4_097];
            push("transaction-above-limit", Mirror::from(receipt).encode());
        }
    }
}

/// Where a list of digests stands in a value.
type ListOf = fn(&mut Mirror) -> Option<&mut Vec<Bytes32>>;

fn items_of(value: &mut Mirror) -> Option<&mut Vec<Bytes32>> {
    match value {
        Mirror::ItemBlock(block) => Some(&mut block.items),
        other => payload_of(other)?.item_block.as_mut().map(|block| &mut block.items),
    }
}

fn item_blocks_of(value: &mut Mirror) -> Option<&mut Vec<Bytes32>> {
    if let Mirror::DataBlock(block) = value { Some(&mut block.item_blocks) } else { None }
}

fn data_blocks_of(value: &mut Mirror) -> Option<&mut Vec<Bytes32>> {
    if let Mirror::Window(window) = value { Some(&mut window.data_blocks) } else { None }
}

fn path_of(value: &mut Mirror) -> Option<&mut Vec<Bytes32>> {
    if let Mirror::Receipt(receipt) = value { Some(&mut receipt.path) } else { None }
}

fn branch_of(value: &mut Mirror) -> Option<&mut Vec<Bytes32>> {
    match value {
        Mirror::Receipt(receipt) => receipt.bitcoin.as_mut().map(|proof| &mut proof.branch),
        _ => None,
    }
}

fn position(bytes: &[u8], mark: &[u8]) -> usize {
    bytes.windows(mark.len()).position(|window| window == mark).expect("the mark was put in")
}

pub(super) fn replaced(bytes: &[u8], at: usize, by: &[u8]) -> Vec<u8> {
    [&bytes[..at], by, &bytes[at + by.len()..]].concat()
}
