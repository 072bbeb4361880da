//! Receipts up to Bitcoin's headers, each fault of the table Order of checks, and anchors in
//! transactions. [ANC-1] [ANC-2]

use serde_json::{Value, json};

use super::super::super::class::Class;
use super::super::shape::VectorFile;
use super::{Maker, bytes, stream};
use crate::generate::alter::altered;
use crate::generate::sound::{Sound, sound};
use crate::rules::headers::{HEADER_BYTES, Header, hash, mine};
use crate::rules::ids::record_id;
use crate::rules::mirror::{Bytes32, Receipt};
use crate::rules::receipt::{Fault, anchor_root_of, bitcoin_root};
use crate::rules::transaction::anchor_output;
use crate::rules::wire::Mirror;

pub(super) fn made() -> VectorFile {
    let mut maker = Maker::new(
        "receipts",
        "Receipts, from a record up to Bitcoin's headers, with one fault each; regtest, 6 confirmations. And anchors in transactions.",
    );
    let flags = [
        (
            "shape-unchecked",
            "positions, sizes and the length of the path are not compared",
            "a proof for one place passes for another",
            None,
        ),
        (
            "content-unchecked",
            "the content at hand is not compared with the receipt",
            "a receipt is shown for another file",
            None,
        ),
        (
            "owner-unchecked",
            "the owner's key or signature is not checked",
            "anybody's record is shown as one of the owner's",
            None,
        ),
        (
            "transaction-lenient",
            "a transaction in another form, or with several anchors, is taken",
            "one transaction serves two histories, or an inner node of Bitcoin's tree passes for a transaction",
            Some("CVE-2017-12842"),
        ),
        (
            "root-unchecked",
            "epoch or root of the transaction are not compared",
            "a receipt for a record that was never anchored",
            None,
        ),
        (
            "headers-unchecked",
            "link, bits, work or genesis of the headers are not checked",
            "a chain that anybody makes passes for Bitcoin",
            None,
        ),
        (
            "branch-unchecked",
            "the way from the transaction to the header is not checked",
            "a transaction that was never mined passes",
            Some("CVE-2012-2459"),
        ),
        (
            "depth-unchecked",
            "confirmations are not counted, or counted from another block",
            "a reorganisation of Bitcoin takes the proof away",
            None,
        ),
        (
            "checks-out-of-order",
            "a later check is reported in the place of the first that fails",
            "the holder of a receipt looks for the fault in the wrong place",
            None,
        ),
    ];
    for (name, bug, effect, see) in flags {
        maker.flag(name, bug, effect, see);
    }
    valid(&mut maker);
    faulty(&mut maker);
    headers(&mut maker);
    order(&mut maker);
    anchors(&mut maker);
    maker.done()
}

/// A sound receipt, the smallest of some, with headers that bury its block deep enough.
pub(super) fn deep(label: &str) -> Sound {
    let drawn = (0..12).map(|at| sound(&mut stream(&format!("receipts/{label}/{at}"))));
    let size = |sound: &Sound| Mirror::from(sound.receipt.clone()).encode().len();
    let mut found = drawn.min_by_key(size).unwrap_or_else(|| sound(&mut stream(label)));
    found.headers = buried(&found.headers, 4);
    found
}

/// So many more headers.
pub(super) fn buried(headers: &[u8], more: u8) -> Vec<u8> {
    let mut headers = headers.to_vec();
    for number in 0..more {
        let last = last_of(&headers);
        headers.extend(mine(&last, &[number; 32]));
    }
    headers
}

fn last_of(headers: &[u8]) -> Header {
    *headers.last_chunk::<HEADER_BYTES>().expect("a whole header")
}

pub(super) fn args(receipt: &Receipt, headers: &[u8], content: Option<&[u8]>) -> Value {
    let mut args = json!({
        "receipt": bytes(Mirror::from(receipt.clone()).encode()),
        "headers": bytes(headers),
    });
    if let Some(content) = content {
        args["content"] = bytes(content);
    }
    args
}

pub(super) fn ok(receipt: &Receipt, headers: &[u8]) -> Value {
    let booking = &receipt.booking;
    let root = anchor_root_of(receipt).expect("a sound receipt");
    json!({
        "record_id": bytes(record_id(&booking.owner, &booking.metadata, &booking.content)),
        "epoch": receipt.epoch,
        "anchor_root": bytes(root),
        "block": bytes(hash(&headers[HEADER_BYTES..2 * HEADER_BYTES])),
    })
}

fn valid(maker: &mut Maker) {
    for number in 0..4 {
        let Sound { receipt, headers, content } = deep(&format!("valid/{number}"));
        let content = (number % 2 == 0).then_some(&content[..]);
        let (args, ok) = (args(&receipt, &headers, content), ok(&receipt, &headers));
        let id = format!("receipt.verify.sound-{number}");
        maker.valid(id, "receipt.verify", args, ok, &["ANC-2.1"]);
    }
    maker.finding(&["depth-unchecked"]);
    let Sound { receipt, headers, .. } = deep("depth");
    let deeper = buried(&headers, 3);
    let ok = ok(&receipt, &headers);
    let id = "receipt.verify.nine-confirmations";
    maker.valid(id, "receipt.verify", args(&receipt, &deeper, None), ok, &["ANC-2.12"]);
    for confirmations in [1, 5] {
        let few = &headers[..(1 + confirmations) * HEADER_BYTES];
        let args = args(&receipt, few, None);
        let id = format!("receipt.verify.confirmations-{confirmations}");
        maker.invalid(id, "receipt.verify", args, &[Class::Headers], &["ANC-2.12"]);
    }
}

/// Class, sentence and flag of a fault in the receipt itself.
fn judged(fault: Fault) -> (&'static [Class], &'static str, &'static str) {
    match fault {
        Fault::WrongShape => (&[Class::Shape], "STO-11.3", "shape-unchecked"),
        Fault::AnotherContent => (&[Class::Content], "ANC-2.2", "content-unchecked"),
        Fault::BadSignature => (&[Class::Signature], "STO-2.3", "owner-unchecked"),
        Fault::NotAnchored => (&[Class::Unanchored], "ANC-2.2", "root-unchecked"),
        Fault::BadTransaction => (&[Class::Transaction], "ANC-2.5", "transaction-lenient"),
        Fault::AnotherEpoch => (&[Class::Epoch], "ANC-2.7", "root-unchecked"),
        Fault::AnotherRoot => (&[Class::Root], "ANC-2.7", "root-unchecked"),
    }
}

type Change = fn(&mut Receipt);

fn faulty(maker: &mut Maker) {
    let Sound { headers, .. } = deep("faulty");
    let names: Vec<&'static str> =
        altered(&mut stream("receipts/names")).iter().map(|one| one.name).collect();
    for (at, name) in names.iter().enumerate() {
        let drawn = (0..6).map(|attempt| {
            altered(&mut stream(&format!("receipts/altered/{attempt}"))).swap_remove(at)
        });
        let size = |one: &crate::generate::alter::Altered| one.receipt.path.len();
        let Some(altered) = drawn.min_by_key(size) else { continue };
        // A fault in Bitcoin's data is left to the headers.
        let Some(fault) = altered.fault else { continue };
        let (classes, sentence, flag) = judged(fault);
        let classes = if *name == "small-order-owner" { &[Class::Key] } else { classes };
        maker.finding(&[flag]);
        let args = args(&altered.receipt, &headers, None);
        maker.invalid(
            format!("receipt.verify.{name}"),
            "receipt.verify",
            args,
            classes,
            &[sentence],
        );
    }
    maker.finding(&["content-unchecked"]);
    let Sound { receipt, headers, content } = deep("content");
    let longer = [&content[..], b" "].concat();
    for (id, other) in [("empty", &b""[..]), ("another", b"another file"), ("longer", &longer)] {
        let args = args(&receipt, &headers, Some(other));
        let id = format!("receipt.verify.content-{id}");
        maker.invalid(id, "receipt.verify", args, &[Class::Content], &["ANC-2.2"]);
    }
    maker.finding(&["root-unchecked"]);
    let changes: [(&str, Change); 4] = [
        ("delegate", |r| r.booking.booked_by ^= 1),
        ("first-of-path", |r| r.path[0][0] ^= 1),
        ("second-of-path", |r| r.path[1][0] ^= 1),
        ("last-of-path", |r| *r.path.last_mut().expect("a path") = [9; 32]),
    ];
    for (id, change) in changes {
        let Sound { mut receipt, headers, .. } = deep("root");
        change(&mut receipt);
        let args = args(&receipt, &headers, None);
        let id = format!("receipt.verify.another-{id}");
        maker.invalid(id, "receipt.verify", args, &[Class::Root], &["STO-11.1", "ANC-2.7"]);
    }
}

fn headers(maker: &mut Maker) {
    let Sound { receipt, headers, .. } = deep("headers");
    let mut wrong = |flag, id: &str, receipt: &Receipt, headers: &[u8], of: &str| {
        maker.finding(&[flag]);
        let (id, args) = (format!("receipt.verify.{id}"), args(receipt, headers, None));
        maker.invalid(id, "receipt.verify", args, &[Class::Headers], &[of]);
    };
    let flag = "headers-unchecked";
    wrong(flag, "no-headers", &receipt, &[], "ANC-2.9");
    wrong(flag, "half-a-header", &receipt, &headers[..headers.len() - 1], "ANC-2.9");
    wrong(flag, "without-genesis", &receipt, &headers[HEADER_BYTES..], "ANC-2.9");
    let with = |at: usize, by: &[u8]| {
        let mut headers = headers.clone();
        headers[at..at + by.len()].copy_from_slice(by);
        headers
    };
    wrong(flag, "another-genesis", &receipt, &with(68, &[0]), "ANC-2.9");
    let last = headers.len() - HEADER_BYTES;
    wrong(flag, "broken-link", &receipt, &with(last + 4, &[0; 32]), "ANC-2.9");
    let gap = [&headers[..3 * HEADER_BYTES], &headers[4 * HEADER_BYTES..]].concat();
    wrong(flag, "a-header-left-out", &receipt, &gap, "ANC-2.9");
    wrong(
        flag,
        "bits-of-mainnet",
        &receipt,
        &with(last + 72, &[0xff, 0xff, 0x00, 0x1d]),
        "ANC-2.10",
    );
    wrong(flag, "easier-bits", &receipt, &with(last + 72, &[0xff, 0xff, 0x7f, 0x21]), "ANC-2.10");
    let lazy = (0..u32::MAX).map(|nonce| with(last + 76, &nonce.to_le_bytes()));
    let lazy = lazy.into_iter().find(|headers| !crate::rules::headers::has_work(&last_of(headers)));
    wrong(flag, "no-work", &receipt, &lazy.unwrap_or_default(), "ANC-2.11");

    let changed = |change: &dyn Fn(&mut crate::rules::mirror::BitcoinProof)| {
        let mut receipt = receipt.clone();
        change(receipt.bitcoin.as_mut().expect("a sound receipt"));
        receipt
    };
    let flag = "branch-unchecked";
    wrong(flag, "height-of-another-block", &changed(&|p| p.height = 2), &headers, "ANC-2.8");
    wrong(flag, "height-of-genesis", &changed(&|p| p.height = 0), &headers, "ANC-2.8");
    for height in [8, 1_000_000, u32::MAX] {
        let id = format!("height-{height}-beyond-the-headers");
        wrong(flag, &id, &changed(&|p| p.height = height), &headers, "ANC-2.8");
    }
    wrong(flag, "longer-branch", &changed(&|p| p.branch.push([1; 32])), &headers, "ANC-2.8");
    let beyond = changed(&|p| p.tx_index |= 1 << p.branch.len());
    wrong(flag, "index-beyond-the-branch", &beyond, &headers, "ANC-2.8");
    wrong(flag, "index-max", &changed(&|p| p.tx_index = u32::MAX), &headers, "ANC-2.8");
    // Bitcoin repeats an odd last node: the branch fits behind the last transaction as well.
    let base = changed(&|p| (p.branch, p.tx_index) = (vec![], 0));
    let id: Bytes32 = bitcoin_root(base.bitcoin.as_ref().expect("a proof")).expect("no branch");
    let paired = changed(&|p| (p.branch, p.tx_index) = (vec![id], 0));
    let root = bitcoin_root(paired.bitcoin.as_ref().expect("a proof")).expect("the left one");
    let first: Header = headers[..HEADER_BYTES].try_into().expect("a whole header");
    let block = mine(&first, &root);
    let repeated = buried(&[first, block].concat(), 5);
    maker.valid(
        "receipt.verify.paired-with-itself",
        "receipt.verify",
        args(&paired, &repeated, None),
        ok(&paired, &repeated),
        &["ANC-2.8"],
    );
    maker.finding(&["branch-unchecked"]);
    let right = changed(&|p| (p.branch, p.tx_index) = (vec![id], 1));
    let args = args(&right, &repeated, None);
    let id = "receipt.verify.repeated-behind-the-last";
    maker.invalid(id, "receipt.verify", args, &[Class::Headers], &["ANC-2.8"]);
}

/// Two faults, of which the first in the table is the one to report.
fn order(maker: &mut Maker) {
    maker.finding(&["checks-out-of-order"]);
    let faults: [(&str, Class, Change); 7] = [
        ("shape", Class::Shape, |r| r.path.push([0; 32])),
        ("content", Class::Content, |_| ()),
        ("signature", Class::Signature, |r| r.booking.owner_signature[3] ^= 1),
        ("unanchored", Class::Unanchored, |r| r.bitcoin = None),
        ("transaction", Class::Transaction, |r| {
            if let Some(proof) = &mut r.bitcoin {
                proof.transaction.push(0);
            }
        }),
        ("epoch", Class::Epoch, |r| r.epoch ^= 1),
        ("root", Class::Root, |r| r.context[0] ^= 1),
    ];
    for (at, (first, class, change)) in faults.iter().enumerate() {
        let Sound { receipt, .. } = deep("order");
        // All that come later, and headers that are none.
        let mut receipt = receipt;
        for (name, _, later) in &faults[at + 1..] {
            if *name != "unanchored" {
                later(&mut receipt);
            }
        }
        change(&mut receipt);
        let content = (*first == "content" || *first == "shape").then_some(&b"another"[..]);
        let args = args(&receipt, &[], content);
        let id = format!("receipt.verify.{first}-before-all-later");
        maker.invalid(id, "receipt.verify", args, &[*class], &["ANC-2.2"]);
    }
}

fn anchors(maker: &mut Maker) {
    for number in 0..3 {
        let Sound { receipt, .. } = deep(&format!("anchor/{number}"));
        let transaction = receipt.bitcoin.expect("a sound receipt").transaction;
        let (epoch, root) = anchor_output(&transaction).expect("a sound transaction");
        let ok = json!({"epoch": epoch, "root": bytes(root)});
        let args = json!({"transaction": bytes(&transaction)});
        let id = format!("anchor.read.sound-{number}");
        maker.valid(id, "anchor.read", args, ok, &["ANC-1.2"]);
    }
    maker.finding(&["transaction-lenient"]);
    for altered in altered(&mut stream("receipts/anchors")) {
        if altered.fault != Some(Fault::BadTransaction) {
            continue;
        }
        let Some(proof) = altered.receipt.bitcoin else { continue };
        let of = match altered.name {
            "transaction-64" => "ANC-2.4",
            "no-output" | "two-outputs" => "ANC-2.6",
            "output-version-2" | "pushdata1" => "ANC-1.2",
            _ => "ANC-2.5",
        };
        let args = json!({"transaction": bytes(proof.transaction)});
        let id = format!("anchor.read.{}", altered.name);
        maker.invalid(id, "anchor.read", args, &[Class::Transaction], &[of]);
    }
    let Sound { receipt, .. } = deep("anchor/long");
    let transaction = receipt.bitcoin.expect("a sound receipt").transaction;
    // A longer script of the input: 4,096 bytes fit, one more does not.
    let script = |bytes: usize| {
        let count = u16::try_from(bytes).expect("some thousand bytes").to_le_bytes();
        let head = [&transaction[..41], &[0xfd], &count].concat();
        [&head[..], &vec![0x51; bytes], &transaction[42..]].concat()
    };
    let room = 4_096 - (transaction.len() + 2);
    let (fits, too_long) = (script(room), script(room + 1));
    assert_eq!((fits.len(), too_long.len()), (4_096, 4_097), "the bound and one more");
    let (epoch, root) = anchor_output(&fits).expect("a longer script changes no output");
    let ok = json!({"epoch": epoch, "root": bytes(root)});
    let args = json!({"transaction": bytes(fits)});
    maker.valid("anchor.read.4096-bytes", "anchor.read", args, ok, &["ANC-2.5"]);
    let args = json!({"transaction": bytes(too_long)});
    maker.invalid(
        "anchor.read.4097-bytes",
        "anchor.read",
        args,
        &[Class::Transaction],
        &["ANC-2.5"],
    );
}
