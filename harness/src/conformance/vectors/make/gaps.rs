//! What the other files leave open: one fault each, with everything behind it sound, so that a verifier which
//! passes this one check over accepts. [STO-4] [STO-11] [ANC-2] [CON-7]

use mdsm_core::ledger::{BlockHeader, Evidence, Fault};
use mdsm_core::types::Timestamp;
use serde_json::json;

use super::super::super::class::Class;
use super::super::shape::VectorFile;
use super::evidence::Scene;
use super::trees::Claim;
use super::{Maker, bytes, codec, list_of_bytes, named, receipts, stream};
use crate::build::{Flaw, flawed};
use crate::generate::sound::Sound;
use crate::generate::values::{Scale, value};
use crate::rules::headers::{HEADER_BYTES, Header, genesis, hash, mine};
use crate::rules::merkle::{root, sha256};
use crate::rules::mirror::{BitcoinProof, ContentRef, Encryption, Receipt};
use crate::rules::receipt::anchor_root_of;
use crate::rules::wire::{Mirror, WireKind};

pub(super) fn made() -> VectorFile {
    let mut maker = Maker::new(
        "gaps",
        "What the other files leave open: one fault each, with all that comes behind it sound. Each was added for a wrong implementation that passed everything else.",
    );
    let flags = [
        (
            "one-check-missing",
            "one check is left out, and nothing behind it refuses what it would have refused",
            "what is wrong in one point only is taken",
        ),
        (
            "honest-convicted",
            "what an honest institution signs is taken for an offence",
            "whoever follows the protocol loses its seat",
        ),
        (
            "offence-missed",
            "an offence is seen only where something else holds as well",
            "whoever cheats keeps its seat",
        ),
    ];
    for (name, bug, effect) in flags {
        maker.flag(name, bug, effect, None);
    }
    maker.finding(&["one-check-missing"]);
    values(&mut maker);
    paths(&mut maker);
    receipts(&mut maker);
    headers(&mut maker);
    evidence(&mut maker);
    maker.done()
}

fn values(maker: &mut Maker) {
    let mut refused = |id: &str, kind: WireKind, encoded: &[u8], classes: &[Class], of: &str| {
        let id = format!("decode.{id}");
        maker.invalid(id, "decode", codec::args(kind, encoded), classes, &[of]);
    };
    let empty = codec::bare(Vec::new()).encode();
    let classes = [Class::Bound, Class::Rule];
    refused("MENV.content-and-size-0", WireKind::Envelope, &empty, &classes, "STO-4.4");
    for (id, is_stored) in [("MBKG.stored-yet-plain", true), ("MBKG.inline-yet-encrypted", false)] {
        let encoded = booked(is_stored, !is_stored).encode();
        refused(id, WireKind::Booking, &encoded, &[Class::Rule], "STO-5.3");
    }
}

/// A booking by digest, or of content in place, with an encryption or without.
fn booked(is_stored: bool, is_encrypted: bool) -> Mirror {
    let mut drawn = value(WireKind::Booking, Scale::Small, &mut stream("gaps"));
    if let Mirror::Booking(booking) = &mut drawn {
        let digest = named("content");
        booking.content =
            if is_stored { ContentRef::Stored(digest) } else { ContentRef::Inline(digest) };
        booking.metadata.size = 1_000;
        booking.metadata.encryption =
            is_encrypted.then(|| Encryption { scheme: 1, key_id: named("key") });
    }
    drawn
}

fn paths(maker: &mut Maker) {
    let mut beyond = |id: &str, claim: Claim, index: usize| {
        let args = claim.with(|claim| claim.index = index).json();
        maker.invalid(
            format!("merkle.verify.{id}"),
            "merkle.verify",
            args,
            &[Class::Shape],
            &["STO-11.3"],
        );
    };
    beyond("index-is-size-with-the-first-path", Claim::sound(2, 0, 4), 4);
    beyond("second-of-a-sole-leaf", Claim::sound(2, 0, 1), 1);
    // The largest tree of each level, and one leaf more.
    for (level, most) in [(1, 10), (2, 16_384), (3, 10), (4, 65_536)] {
        let id = format!("merkle.verify.last-of-{most}-at-level-{level}");
        let args = Claim::sound(level, most - 1, most).json();
        maker.valid(id, "merkle.verify", args, json!({}), &["STO-10.5"]);
        let id = format!("merkle.verify.last-of-{}-at-level-{level}", most + 1);
        let args = Claim::sound(level, most, most + 1).json();
        let classes = [Class::Shape, Class::Root];
        maker.invalid(id, "merkle.verify", args, &classes, &["STO-10.5"]);
    }
    // Large trees whose halves are no powers of two, to leaves whose paths have other lengths there.
    for (level, index, size) in [(2, 700, 1_000), (2, 12_288, 12_345), (4, 40_000, 65_535)] {
        let id = format!("merkle.verify.sound-{level}-{index}-of-{size}");
        let args = Claim::sound(level, index, size).json();
        maker.valid(id, "merkle.verify", args, json!({}), &["STO-10.3"]);
    }
    for count in [100, 1_000] {
        let leaves = vec![Vec::new(); count];
        let args = json!({"leaves": list_of_bytes(&leaves)});
        let ok = json!({"root": bytes(root(&leaves))});
        let id = format!("merkle.root.of-{count}-without-bytes");
        maker.valid(id, "merkle.root", args, ok, &["STO-10.3"]);
    }
    for level in [0, 5, 255] {
        let id = format!("merkle.verify.level-{level}");
        let args = Claim::sound(level, 2, 4).json();
        let classes = [Class::Bound, Class::Shape];
        maker.invalid(id, "merkle.verify", args, &classes, &["STO-10.5"]);
    }
    for byte in [0, 1, 15, 16, 30, 31] {
        let id = format!("merkle.verify.root-of-another-byte-{byte}");
        let args = Claim::sound(2, 4, 9).with(|claim| claim.root[byte] ^= 1).json();
        maker.invalid(id, "merkle.verify", args, &[Class::Root], &["STO-11.1"]);
    }
    // So long a leaf comes as base64.
    let leaf = named("leaf").repeat(200);
    let args = json!({"leaves": list_of_bytes([&leaf])});
    let ok = json!({"root": bytes(root(&[leaf]))});
    maker.valid("merkle.root.leaf-of-6400-bytes", "merkle.root", args, ok, &["STO-10.3"]);
}

/// The script of an MDSM output.
fn script(version: u8, epoch: u32, root: &[u8; 32]) -> Vec<u8> {
    [b"\x6a\x29MDSM", &[version][..], &epoch.to_le_bytes(), root].concat()
}

/// A transaction with these outputs.
fn transaction(scripts: &[Vec<u8>]) -> Vec<u8> {
    let length = |length: usize| u8::try_from(length).expect("a short script, and few of them");
    let output = |script: &Vec<u8>| [&[0; 8], &[length(script.len())][..], script].concat();
    let outputs: Vec<u8> = scripts.iter().flat_map(output).collect();
    let count = [length(scripts.len())];
    let parts: [&[u8]; 8] =
        [&[2, 0, 0, 0], &[1], &[7; 36], &[0], &[0xff; 4], &count, &outputs, &[0; 4]];
    parts.concat()
}

/// Puts a receipt's anchor into a transaction that is alone in its block, six deep behind a first header.
fn mined(receipt: &mut Receipt, scripts: &[Vec<u8>], first: &Header) -> Vec<u8> {
    let transaction = transaction(scripts);
    let root = sha256(&[&sha256(&[&transaction])]);
    receipt.bitcoin = Some(BitcoinProof { height: 1, transaction, tx_index: 0, branch: vec![] });
    receipts::buried(&[*first, mine(first, &root)].concat(), 5)
}

/// The same, with the output that belongs there.
fn anchored(receipt: &mut Receipt) -> Vec<u8> {
    let root = anchor_root_of(receipt).expect("a receipt of the right shape");
    let scripts = [script(1, receipt.epoch, &root)];
    mined(receipt, &scripts, &genesis())
}

fn receipts(maker: &mut Maker) {
    let Sound { receipt: sound, .. } = receipts::deep("gaps");
    let mut receipt = sound.clone();
    let headers = anchored(&mut receipt);
    maker.finding(&[]);
    maker.valid(
        "receipt.verify.alone-in-its-block",
        "receipt.verify",
        receipts::args(&receipt, &headers, None),
        receipts::ok(&receipt, &headers),
        &["ANC-2.8"],
    );
    maker.finding(&["one-check-missing"]);
    let mut wrong = |id: &str, receipt: &Receipt, headers: &[u8], class: Class, of: &str| {
        let args = receipts::args(receipt, headers, None);
        maker.invalid(format!("receipt.verify.{id}"), "receipt.verify", args, &[class], &[of]);
    };
    let mut longer = receipt.clone();
    longer.path.push([7; 32]);
    wrong("anchored-with-a-longer-path", &longer, &headers, Class::Shape, "STO-11.3");
    let mut forged = sound.clone();
    forged.booking.owner_signature[3] ^= 1;
    let headers = anchored(&mut forged);
    wrong("anchored-unsigned", &forged, &headers, Class::Signature, "STO-2.3");
    let mut small = sound.clone();
    (small.booking.owner, small.booking.owner_signature) = ([0; 32], [0; 64]);
    // R = identity and S = 0 hold under the identity for every message.
    (small.booking.owner[0], small.booking.owner_signature[0]) = (1, 1);
    let headers = anchored(&mut small);
    wrong("anchored-under-a-key-of-small-order", &small, &headers, Class::Key, "STO-2.5");

    let (epoch, root) = (sound.epoch, anchor_root_of(&sound).expect("a sound receipt"));
    let (right, other) = (script(1, epoch, &root), script(1, epoch, &[7; 32]));
    let outputs = [
        ("output-of-another-epoch", vec![script(1, epoch ^ 1, &root)], Class::Epoch, "ANC-2.7"),
        ("output-of-another-root", vec![other.clone()], Class::Root, "ANC-2.7"),
        ("output-of-version-2", vec![script(2, epoch, &root)], Class::Transaction, "ANC-2.6"),
        ("right-output-first", vec![right.clone(), other.clone()], Class::Transaction, "ANC-2.6"),
        ("right-output-last", vec![other, right.clone()], Class::Transaction, "ANC-2.6"),
        (
            "output-of-version-2-beside",
            vec![right, script(2, epoch, &root)],
            Class::Transaction,
            "ANC-2.6",
        ),
    ];
    for (id, scripts, class, of) in outputs {
        let mut receipt = sound.clone();
        let headers = mined(&mut receipt, &scripts, &genesis());
        wrong(&format!("mined-{id}"), &receipt, &headers, class, of);
    }
}

fn headers(maker: &mut Maker) {
    let Sound { mut receipt, .. } = receipts::deep("gaps/headers");
    let root = anchor_root_of(&receipt).expect("a sound receipt");
    let scripts = [script(1, receipt.epoch, &root)];
    let mut wrong = |id: &str, receipt: &Receipt, headers: &[u8], of: &str| {
        let args = receipts::args(receipt, headers, None);
        let id = format!("receipt.verify.{id}");
        maker.invalid(id, "receipt.verify", args, &[Class::Headers], &[of]);
    };
    let mut first = genesis();
    first[68] ^= 1;
    let elsewhere = mined(&mut receipt, &scripts, &first);
    wrong("chain-behind-another-genesis", &receipt, &elsewhere, "ANC-2.9");
    let mut headers = mined(&mut receipt, &scripts, &genesis());
    let part = [&headers[..], &[0; HEADER_BYTES - 1]].concat();
    wrong("part-of-a-header-behind", &receipt, &part, "ANC-2.9");
    // A header with work that names another one than stands before it.
    let stranger = mine(&first, &[9; 32]);
    assert_ne!(stranger[4..36], hash(&headers[headers.len() - HEADER_BYTES..]));
    headers.extend(stranger);
    wrong("unlinked-header-with-work", &receipt, &receipts::buried(&headers, 2), "ANC-2.9");
}

fn evidence(maker: &mut Maker) {
    let scene = Scene::new();
    let header = scene.header();
    let later = |header: BlockHeader| Timestamp::new(header.timestamp.get() + 1);
    let other = BlockHeader { timestamp: later(header), ..header };
    let both =
        Evidence::Proposals { first: scene.roll.signed(header), second: scene.roll.signed(other) };
    for offset in 1..4 {
        maker.finding(&["offence-missed"]);
        let mut args = scene.args(&both);
        args["offset"] = json!(offset.to_string());
        let ok = scene.judged(&both).expect("two proposals");
        let id = format!("evidence.judge.e1-whoever-led-{offset}");
        maker.valid(id, "evidence.judge", args, ok, &["CON-7.14", "CON-7.8"]);
    }
    maker.finding(&["honest-convicted"]);
    let mut fails = |id: &str, of: &[&str], header: BlockHeader, fault: Fault| {
        let evidence =
            Evidence::Block { header: scene.roll.signed(header), fault: Box::new(fault) };
        assert!(scene.judged(&evidence).is_err(), "{id}: the rules convict");
        let (id, args) = (format!("evidence.judge.{id}"), scene.args(&evidence));
        maker.invalid(id, "evidence.judge", args, &[Class::Unproven], of);
    };
    let of = |flaw| flawed(&scene.draft, flaw).expect("the draft has room for every flaw");
    // The record is one millisecond too early for the block, so it is in time for one stamped later.
    let future = of(Flaw::RecordFuture);
    let header = future.block.header;
    fails(
        "e5-record-as-far-ahead-as-it-may-be",
        &["CON-7.9", "STO-8.7"],
        BlockHeader { timestamp: later(header), ..header },
        future.fault,
    );
    for (id, flaw) in [("item", Flaw::RepeatedInItem), ("block", Flaw::RepeatedInBlock)] {
        let repeated = of(flaw);
        let Fault::Repeated { summary, first, .. } = repeated.fault else { continue };
        let fault = Fault::Repeated { summary, second: first.clone(), first };
        let id = format!("e5-one-place-shown-twice-in-one-{id}");
        fails(&id, &["CON-7.9"], repeated.block.header, fault);
    }
}
