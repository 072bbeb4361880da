//! Every value of the format: sound, at its limits, and with one fault each. [STO-1] [STO-3] [STO-4] [STO-8]

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::super::super::class::Class;
use super::super::shape::{Expect, VectorFile};
use super::faults::judged;
use super::{Maker, bytes, named, stream};
use crate::generate::messages::of_each_kind;
use crate::generate::spoil::{Spoilt, spoilt};
use crate::generate::values::{Scale, value};
use crate::rules::ids::derived;
use crate::rules::mirror::{
    Act, Content, ContentRef, DataBlock, Encryption, Item, ItemBlock, Window,
};
use crate::rules::wire::{Mirror, WireKind, body};

/// Bytes of a drawn value that a file has room for.
const VALUE_BYTES_MAX: usize = 2_500;
/// Sound values of each kind.
const SOUND: usize = 3;
/// Streams of which the one with the fewest bytes is taken.
const DRAWS: usize = 24;

pub(super) fn made() -> VectorFile {
    let mut maker = Maker::new(
        "codec",
        "Decoding: every tag of the format, sound values, values at their limits, and encodings with one fault each.",
    );
    flags(&mut maker);
    for kind in WireKind::ALL {
        match kind {
            WireKind::Message => messages(&mut maker),
            kind => sound(&mut maker, *kind),
        }
    }
    limits(&mut maker);
    for kind in WireKind::ALL {
        faulty(&mut maker, *kind);
    }
    maker.done()
}

fn flags(maker: &mut Maker) {
    let flags = [
        (
            "end-unchecked",
            "bytes that end inside a value are taken",
            "one value has many encodings, and many hashes",
        ),
        (
            "trailing-accepted",
            "bytes behind a value are passed over",
            "one value has many encodings, and many hashes",
        ),
        (
            "prefix-ignored",
            "tag or version are not compared",
            "a value of one type passes for one of another",
        ),
        (
            "count-believed",
            "memory is taken for as many elements as a count announces",
            "one message of some bytes ends the node",
        ),
        (
            "order-unchecked",
            "keys of a map or set may stand in any order, or twice",
            "one value has many encodings, as with most libraries for borsh",
        ),
        (
            "text-unchecked",
            "characters of a text are not looked at",
            "names and control characters get into what cannot be erased",
        ),
        (
            "bound-unchecked",
            "a count, a length or a number may leave its bounds",
            "nodes that check the bound split from those that do not",
        ),
        (
            "fields-uncompared",
            "fields that contradict each other are taken",
            "a ciphertext is taken for a plaintext, or the other way round",
        ),
        (
            "variant-lenient",
            "an unknown tag counts as a known one",
            "one value has many encodings, and a later version is misread",
        ),
    ];
    for (name, bug, effect) in flags {
        maker.flag(name, bug, effect, None);
    }
    maker.flag(
        "limit-off-by-one",
        "the largest or smallest value that is allowed is refused",
        "a record admitted by one node is refused by the next",
        None,
    );
}

/// `decode` and what it yields of a value.
pub(super) fn decoded(value: &Mirror) -> (Value, Value) {
    let encoded = value.encode();
    let names: BTreeMap<&str, &str> =
        [("id of the booking", "booking_id"), ("id of the capsule", "capsule_id")].into();
    let digests: Map<String, Value> = derived(value)
        .into_iter()
        .map(|(name, digest)| {
            let known = names.get(name).map(|name| (*name).to_owned());
            (known.unwrap_or_else(|| name.replace(' ', "_")), bytes(digest))
        })
        .collect();
    (args(value.kind(), &encoded), json!({"bytes": bytes(&encoded), "digests": digests}))
}

fn tag(kind: WireKind) -> String {
    kind.tag().iter().copied().map(char::from).collect()
}

pub(super) fn args(kind: WireKind, encoded: &[u8]) -> Value {
    json!({"tag": tag(kind), "bytes": bytes(encoded)})
}

fn sound(maker: &mut Maker, kind: WireKind) {
    maker.finding(&[]);
    let mut drawn = 0;
    let most = if value(kind, Scale::Small, &mut stream("size")).encode().len() > VALUE_BYTES_MAX {
        1
    } else {
        SOUND
    };
    for attempt in 0..DRAWS {
        let mut draw = stream(&format!("codec/{}/sound/{attempt}", kind.name()));
        let value = value(kind, Scale::Small, &mut draw);
        let fits = value.encode().len() <= VALUE_BYTES_MAX || most == 1;
        if fits && drawn < most {
            drawn += 1;
            let (args, ok) = decoded(&value);
            let id = format!("decode.{}.sound-{drawn}", tag(kind));
            let of = [&["STO-1.2"], shown(kind)].concat();
            maker.valid(id, "decode", args, ok, &of);
        }
    }
}

/// A message of each kind, the shortest of those that are drawn.
fn messages(maker: &mut Maker) {
    maker.finding(&[]);
    let drawn: Vec<Vec<Mirror>> = (0..DRAWS)
        .map(|attempt| {
            let mut draw = stream(&format!("codec/Message/sound/{attempt}"));
            of_each_kind(&mut draw).into_iter().map(Mirror::from).collect()
        })
        .collect();
    for number in 1..=15 {
        let of_kind = drawn.iter().filter_map(|all| all.get(number - 1));
        let Some(shortest) = of_kind.min_by_key(|value| value.encode().len()) else { continue };
        let (args, ok) = decoded(shortest);
        let id = format!("decode.MMSG.kind-{number}");
        maker.valid(id, "decode", args, ok, &["STO-1.2"]);
    }
}

/// Sentences that a sound value shows beside the general one.
fn shown(kind: WireKind) -> &'static [&'static str] {
    match kind {
        WireKind::Record => &["STO-2.1", "STO-8.1"],
        WireKind::Booking => &["STO-2.2"],
        WireKind::Item => &["STO-10.6"],
        WireKind::ItemBlock => &["STO-9.1", "STO-1.1", "STO-10.2"],
        WireKind::DataBlock => &["STO-1.1", "STO-10.2", "STO-10.6"],
        WireKind::Window => &["STO-1.1", "STO-10.2", "STO-10.6"],
        WireKind::Anchor => &["STO-13.6"],
        WireKind::Receipt => &["ANC-2.3"],
        WireKind::Block | WireKind::Proposal => &["CON-2.2"],
        WireKind::Capsule | WireKind::PublicKey => &["PRE-1.7"],
        _ => &[],
    }
}

fn faulty(maker: &mut Maker, kind: WireKind) {
    let drawn = (0..DRAWS).map(|attempt| {
        let mut draw = stream(&format!("codec/{}/spoilt/{attempt}", kind.name()));
        spoilt(kind, Scale::Small, &mut draw)
    });
    let size = |all: &Vec<Spoilt>| all.iter().map(|one| one.bytes.len()).sum::<usize>();
    let all = drawn.min_by_key(size).unwrap_or_default();
    let mut seen = BTreeSet::new();
    for Spoilt { fault, is_rule, bytes } in all {
        if is_left_out(kind, fault, is_rule, bytes.len()) || !seen.insert(fault) {
            continue;
        }
        let (classes, requirement, flag) = judged(fault);
        let id = format!("decode.{}.{fault}", tag(kind));
        let requirement = sentence(kind, fault).unwrap_or(requirement);
        if kind == WireKind::Item && fault == "list-empty" {
            // The bytes of an empty Item, for those whose Items may be empty.
            maker.finding(&["bound-unchecked"]);
            let invalid = || Expect::Invalid(vec![Class::Bound]);
            let readings = [("R1", invalid()), ("R2", invalid()), ("R3", Expect::Valid(json!({})))];
            let call = ("decode", args(kind, &bytes));
            maker.ambiguous(&id, call, "AMB-STO-3", readings, &["STO-3.2"]);
            continue;
        }
        maker.finding(&[flag]);
        maker.invalid(id, "decode", args(kind, &bytes), classes, &[requirement]);
    }
}

/// What would say a second time what another vector says.
fn is_left_out(kind: WireKind, fault: &str, is_rule: bool, bytes: usize) -> bool {
    // Rules of fields are the same wherever a record stands; two values that hold one show them.
    let shows_rules = matches!(kind, WireKind::Envelope | WireKind::Booking);
    let of_rules = ["text-control", "text-delete", "text-not-ascii"];
    let twice = ["lower-case-tag", "truncated-in-prefix", "version-0"];
    let of_large = ["truncated-by-one", "trailing", "wrong-tag", "set-9", "variant-2"];
    let of_lengths = ["set-of-another-length", "variant-of-another-length"];
    let is_of_rules = is_rule && !fault.starts_with("content") || of_rules.contains(&fault);
    let is_large = bytes > 2 * VALUE_BYTES_MAX;
    is_of_rules && !shows_rules
        || twice.contains(&fault) && kind != WireKind::Envelope
        || is_large && !of_large.contains(&fault) && !of_lengths.contains(&fault)
}

/// A sentence that asks for more than the general one.
fn sentence(kind: WireKind, fault: &str) -> Option<&'static str> {
    match (kind, fault) {
        (WireKind::Item, "list-above-limit") => Some("STO-3.1"),
        (WireKind::ItemBlock | WireKind::Payload | WireKind::Block, "list-above-limit") => {
            Some("STO-10.4")
        }
        (WireKind::DataBlock, "list-above-limit") => Some("STO-10.1"),
        (WireKind::Receipt, "transaction-above-limit") => Some("ANC-2.5"),
        (WireKind::Receipt, "list-above-limit") => Some("ANC-2.8"),
        _ => None,
    }
}

/// A drawn value of a kind, changed.
fn changed(kind: WireKind, change: impl Fn(&mut Mirror)) -> Mirror {
    let mut value = value(kind, Scale::Small, &mut stream("codec/limits"));
    change(&mut value);
    value
}

/// An envelope that carries its content, and nothing that is optional.
pub(super) fn bare(content: Vec<u8>) -> Mirror {
    changed(WireKind::Envelope, |value| {
        let Mirror::Envelope(envelope) = value else { return };
        let metadata = &mut envelope.record.metadata;
        metadata.encryption = None;
        metadata.size = u64::try_from(content.len()).unwrap_or(u64::MAX);
        metadata.ext.clear();
        envelope.record.content = Content::Inline(content.clone());
    })
}

fn limits(maker: &mut Maker) {
    maker.finding(&["limit-off-by-one"]);
    let mut limit = |id: &str, value: &Mirror, of: &str| {
        let (args, ok) = decoded(value);
        maker.valid(format!("decode.limit.{id}"), "decode", args, ok, &[of]);
    };
    limit("content-1", &bare(vec![7]), "STO-4.1");
    let Mirror::Envelope(envelope) = bare(vec![7]) else { return };
    let item = |records| Mirror::from(Item { records: vec![envelope.clone(); records] });
    for records in [1, 9, 10] {
        limit(&format!("item-of-{records}"), &item(records), "STO-3.1");
    }
    limit("metadata-2048", &metadata_of_2048(), "STO-8.3");
    texts(&mut limit);
    let digests = |count: usize| (0..count).map(|n| named(&n.to_string())).collect::<Vec<_>>();
    let block = |count| DataBlock { epoch: 1, index: 2, item_blocks: digests(count) };
    limit("data-block-of-10", &block(10).into(), "STO-10.1");
    limit("data-block-of-1", &block(1).into(), "STO-10.1");
    limit("window-of-0", &Window { epoch: 1, data_blocks: vec![] }.into(), "STO-13.5");
    let Mirror::ItemBlock(of) = changed(WireKind::ItemBlock, |_| ()) else { return };
    let block = |count| ItemBlock { header: of.header.clone(), items: digests(count) };
    limit("item-block-of-1", &block(1).into(), "STO-10.4");
    let files = |count: usize| digests(count).into_iter().map(|id| (id, named("file"))).collect();
    let delivery =
        |count| Mirror::from(Act::Delivery { grant: named("grant"), files: files(count) });
    limit("files-of-64", &delivery(64), "STO-1.3");
    let nine = item(9);
    let (args, ok) = decoded(&nine);
    maker.finding(&[]);
    let readings = [
        ("R1", Expect::Valid(ok.clone())),
        ("R2", Expect::Invalid(vec![Class::Bound, Class::Rule])),
        ("R3", Expect::Valid(ok)),
    ];
    maker.ambiguous(
        "decode.MITM.nine-records",
        ("decode", args),
        "AMB-STO-3",
        readings,
        &["STO-3.1"],
    );
}

/// A booking of a sealed file with metadata that takes all its room.
fn metadata_of_2048() -> Mirror {
    changed(WireKind::Booking, |value| {
        let Mirror::Booking(booking) = value else { return };
        booking.content = ContentRef::Stored(named("file"));
        let metadata = &mut booking.metadata;
        metadata.encryption = Some(Encryption { scheme: 1, key_id: named("key") });
        metadata.ext = (0..8u8).map(|n| (n.to_string(), vec![n; 256])).collect();
        for value in 0..8u8 {
            let excess = body(metadata).len().saturating_sub(2_048);
            let Some(value) = metadata.ext.get_mut(&value.to_string()) else { continue };
            value.truncate(value.len().saturating_sub(excess));
        }
        assert_eq!(body(metadata).len(), 2_048, "metadata that takes all its room");
    })
}

/// Texts and numbers of metadata at their ends.
fn texts(limit: &mut impl FnMut(&str, &Mirror, &str)) {
    type Edit = fn(&mut crate::rules::mirror::Metadata);
    let edits: [(&str, Edit, &str); 14] = [
        ("resource-type-1", |m| m.resource_type = "A".into(), "STO-8.4"),
        ("resource-type-64", |m| m.resource_type = "Z".repeat(64), "STO-8.4"),
        ("media-type-127", |m| m.content_type = format!("a/{}", "b".repeat(125)), "STO-8.4"),
        ("media-type-3", |m| m.content_type = "a/b".into(), "STO-8.4"),
        ("media-type-parameters", |m| m.content_type = "a/b;~ /".into(), "STO-8.4"),
        ("created-0", |m| m.created = 0, "STO-8.2"),
        ("created-9999", |m| m.created = 253_402_300_799_999, "STO-8.2"),
        ("offset-840", |m| m.tz_offset_min = Some(840), "STO-8.4"),
        ("offset-minus-840", |m| m.tz_offset_min = Some(-840), "STO-8.4"),
        ("format-96", |m| m.format = Some("~".repeat(96)), "STO-8.4"),
        ("language-2", |m| m.language = Some("en".into()), "STO-8.4"),
        ("language-35", |m| m.language = Some("a-".repeat(17) + "a"), "STO-8.4"),
        ("security-3", |m| m.security = [1, 2, 3].into(), "STO-8.5"),
        (
            "ext-8",
            |m| m.ext = (0..8u8).map(|n| (n.to_string().repeat(32), vec![n; 20])).collect(),
            "STO-8.6",
        ),
    ];
    for (id, edit, of) in edits {
        let mut value = bare(vec![7]);
        if let Mirror::Envelope(envelope) = &mut value {
            let metadata = &mut envelope.record.metadata;
            (metadata.format, metadata.language) = (None, None);
            edit(metadata);
        }
        limit(id, &value, of);
    }
}
