//! Sound receipts with one change each, for every check of the spec's table "Order of checks" that a
//! receipt can fail by itself. [ANC-2]

use rand_chacha::rand_core::Rng;

use super::sound::sound;
use crate::rules::mirror::{BitcoinProof, Position, Receipt};
use crate::rules::receipt::Fault;
use crate::seed::Draw;

/// A sound receipt with one change.
#[derive(Clone, Debug)]
pub struct Altered {
    /// The change, usable as the name of a file.
    pub name: &'static str,
    /// The receipt.
    pub receipt: Receipt,
    /// The first check of the spec that fails, if the receipt fails one by itself.
    pub fault: Option<Fault>,
}

/// Every change, each to another sound receipt.
pub fn altered(draw: &mut impl Rng) -> Vec<Altered> {
    ALTERATIONS.iter().map(|alteration| apply(alteration, draw)).collect()
}

/// One change, drawn.
pub fn altered_once(draw: &mut impl Rng) -> Altered {
    let alteration = draw.pick(ALTERATIONS);
    apply(alteration, draw)
}

fn apply(&(name, alter, fault): &Alteration, draw: &mut impl Rng) -> Altered {
    let mut receipt = sound(draw).receipt;
    alter(&mut receipt);
    Altered { name, receipt, fault }
}

type Alteration = (&'static str, fn(&mut Receipt), Option<Fault>);

const ALTERATIONS: &[Alteration] = &[
    ("window-size-0", |r| r.position.window_size = 0, Some(Fault::WrongShape)),
    ("index-is-size", |r| r.position.item_index = r.position.item_size, Some(Fault::WrongShape)),
    ("path-longer", |r| r.path.push([0; 32]), Some(Fault::WrongShape)),
    ("item-of-11", |r| sole_but(r, |p| p.item_size = 11, 4), Some(Fault::WrongShape)),
    ("block-of-16385", |r| sole_but(r, |p| p.block_size = 16_385, 15), Some(Fault::WrongShape)),
    ("data-of-11", |r| sole_but(r, |p| p.data_size = 11, 4), Some(Fault::WrongShape)),
    ("window-of-65537", |r| sole_but(r, |p| p.window_size = 65_537, 17), Some(Fault::WrongShape)),
    ("signature-bit", |r| r.booking.owner_signature[3] ^= 1, Some(Fault::BadSignature)),
    ("another-chain", |r| r.chain_id[0] ^= 1, Some(Fault::BadSignature)),
    ("small-order-owner", |r| r.booking.owner = [0; 32], Some(Fault::BadSignature)),
    ("not-anchored", |r| r.bitcoin = None, Some(Fault::NotAnchored)),
    ("transaction-empty", |r| transaction(r).clear(), Some(Fault::BadTransaction)),
    ("transaction-64", |r| transaction(r).resize(64, 0), Some(Fault::BadTransaction)),
    ("transaction-cut", |r| transaction(r).truncate(100), Some(Fault::BadTransaction)),
    ("transaction-trailing", |r| transaction(r).push(0), Some(Fault::BadTransaction)),
    ("with-witness", with_witness, Some(Fault::BadTransaction)),
    ("no-output", |r| replace(r, b"MDSM", b"MDSN"), Some(Fault::BadTransaction)),
    ("two-outputs", two_outputs, Some(Fault::BadTransaction)),
    ("output-version-2", |r| replace(r, b"MDSM\x01", b"MDSM\x02"), Some(Fault::BadTransaction)),
    (
        "pushdata1",
        |r| replace(r, b"\x2b\x6a\x29", b"\x2c\x6a\x4c\x29"),
        Some(Fault::BadTransaction),
    ),
    ("longer-count", |r| replace(r, b"\x2b\x6a", b"\xfd\x2b\x00\x6a"), Some(Fault::BadTransaction)),
    ("another-epoch", |r| replace_epoch(r), Some(Fault::AnotherEpoch)),
    ("another-context", |r| r.context[0] ^= 1, Some(Fault::AnotherRoot)),
    ("index-beyond-branch", |r| proof(r).tx_index = u32::MAX, None),
    ("another-height", |r| proof(r).height = 2, None),
];

fn proof(receipt: &mut Receipt) -> &mut BitcoinProof {
    receipt.bitcoin.as_mut().expect("a sound receipt has a Bitcoin part")
}

fn transaction(receipt: &mut Receipt) -> &mut Vec<u8> {
    &mut proof(receipt).transaction
}

/// One leaf on every level but one, whose size is above its bound, with a path as long as it asks.
fn sole_but(receipt: &mut Receipt, enlarge: fn(&mut Position), hashes: usize) {
    receipt.position = Position {
        item_index: 0,
        item_size: 1,
        block_index: 0,
        block_size: 1,
        data_index: 0,
        data_size: 1,
        window_index: 0,
        window_size: 1,
    };
    enlarge(&mut receipt.position);
    receipt.path = vec![[0x5a; 32]; hashes];
}

/// Marker and flag before the inputs, one empty stack item before the lock time.
fn with_witness(receipt: &mut Receipt) {
    let transaction = transaction(receipt);
    let lock_time = transaction.len() - 4;
    transaction.splice(lock_time..lock_time, [1, 0]);
    transaction.splice(4..4, [0, 1]);
}

fn replace(receipt: &mut Receipt, old: &[u8], new: &[u8]) {
    let transaction = transaction(receipt);
    let at = transaction.windows(old.len()).position(|window| window == old);
    let at = at.expect("the transaction is built in this file");
    transaction.splice(at..at + old.len(), new.iter().copied());
}

/// Turns the change, 0x00 and a push of 20 bytes, into an output that opens with `MDSM`.
fn two_outputs(receipt: &mut Receipt) {
    let transaction = transaction(receipt);
    let at = transaction.windows(3).position(|window| window == [0x16, 0x00, 0x14]);
    let at = at.expect("the transaction is built in this file");
    transaction.splice(at + 1..at + 7, *b"\x6a\x14MDSM");
}

fn replace_epoch(receipt: &mut Receipt) {
    let old = [b"MDSM\x01", &receipt.epoch.to_le_bytes()[..]].concat();
    let new = [b"MDSM\x01", &(receipt.epoch ^ 1).to_le_bytes()[..]].concat();
    replace(receipt, &old, &new);
}
