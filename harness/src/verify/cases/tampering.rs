//! Something is changed at each level between content and Bitcoin; each change is refused.

use mdsm_core::anchoring::{
    ChainParameters, ConfirmError, Existed, HeaderChain, ProofError, examine,
};
use mdsm_core::codec::Wire as _;
use mdsm_core::ledger::{ContentRef, EnvelopeError, Receipt};
use mdsm_core::params::ANCHOR_CONFIRMATIONS;
use mdsm_core::types::{Blob, ChainId, Digest, Epoch, InstitutionId, List, Signature, Timestamp};

use super::super::world::World;
use super::{Case, Check, Fault, case, hold, nothing, refused, text};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(
            "tampering.every-byte",
            "a receipt with any byte changed, added or cut is refused",
            &["ANC-2", "STO-11"],
            every_byte,
        ),
        case("tampering.content", "another content is refused", &["STO-6", "STO-11"], content),
        case(
            "tampering.record",
            "a changed owner, metadata, digest, signature or delegate is refused",
            &["STO-2", "STO-11"],
            record,
        ),
        case(
            "tampering.item",
            "another place in the Item, and another neighbour, are refused",
            &["STO-11"],
            |w| level(w, 0),
        ),
        case(
            "tampering.item-block",
            "another place in the Item block, and another neighbour, are refused",
            &["STO-11"],
            |w| level(w, 1),
        ),
        case(
            "tampering.data-block",
            "another place in the data block, and another neighbour, are refused",
            &["STO-11"],
            |w| level(w, 2),
        ),
        case(
            "tampering.window",
            "another place in the window, and another neighbour, are refused",
            &["STO-11"],
            |w| level(w, 3),
        ),
        case(
            "tampering.anchor",
            "another chain, epoch or context is refused",
            &["STO-13", "ANC-2"],
            anchor,
        ),
        case(
            "tampering.bitcoin",
            "another transaction, index, branch or height is refused",
            &["ANC-2"],
            bitcoin,
        ),
        case(
            "tampering.swap",
            "the anchor of another window is refused",
            &["ANC-2", "STO-13"],
            swap,
        ),
    ]
}

/// Why a stranger refuses a receipt.
#[derive(Debug)]
enum Refused {
    Bytes,
    Proof(ProofError),
    Confirm(ConfirmError),
}

fn verify(world: &World, bytes: &[u8]) -> Result<Existed, Refused> {
    let headers = HeaderChain::from_bytes(&world.headers, ChainParameters::Regtest)
        .expect("the case for headers fails as well");
    let receipt = Receipt::from_bytes(bytes).map_err(|_| Refused::Bytes)?;
    examine(&receipt, None)
        .map_err(Refused::Proof)?
        .confirm(&headers, ANCHOR_CONFIRMATIONS)
        .map_err(Refused::Confirm)
}

/// Receipts to tamper with: one with the longest path, and one of each kind of content.
fn samples(world: &World) -> Result<Vec<Receipt>, Fault> {
    let receipts: Vec<Receipt> = world
        .receipts
        .iter()
        .map(|issued| Receipt::from_bytes(&issued.bytes).map_err(text))
        .collect::<Result<_, _>>()?;
    let longest = receipts.iter().max_by_key(|receipt| receipt.path.len());
    let of_kind = |stored: bool| {
        receipts
            .iter()
            .find(|receipt| matches!(receipt.booking.content, ContentRef::Stored(_)) == stored)
    };
    let samples: Vec<Receipt> =
        [longest, of_kind(false), of_kind(true)].into_iter().flatten().cloned().collect();
    if samples.is_empty() {
        return Err(nothing("there is no receipt"));
    }
    for sample in &samples {
        verify(world, &sample.to_bytes()).map_err(|error| format!("untouched: {error:?}"))?;
    }
    Ok(samples)
}

fn every_byte(world: &World) -> Check {
    let mut tried = 0;
    for sample in samples(world)? {
        let bytes = sample.to_bytes();
        for at in 0..bytes.len() {
            for mask in [0x01, 0x80, 0xff] {
                let mut changed = bytes.clone();
                changed[at] ^= mask;
                hold(verify(world, &changed).is_err(), || {
                    format!("byte {at} changed by {mask:#04x}: accepted")
                })?;
                tried += 1;
            }
            hold(verify(world, &bytes[..at]).is_err(), || format!("cut at {at}: accepted"))?;
        }
        let longer = [&bytes[..], &[0]].concat();
        hold(verify(world, &longer).is_err(), || "a byte added: accepted".to_owned())?;
    }
    Ok(format!("{tried} changes"))
}

fn content(world: &World) -> Check {
    let mut tried = 0;
    for sample in samples(world)? {
        for content in [&b""[..], b"another content"] {
            refused("another content", examine(&sample, Some(content)), |error| {
                matches!(error, ProofError::Content { .. })
            })?;
            tried += 1;
        }
    }
    Ok(format!("{tried} contents"))
}

/// Changes samples and holds each refusal to what is expected.
fn change(
    world: &World,
    what: &str,
    change: impl Fn(&mut Receipt),
    expected: impl Fn(&Refused) -> bool,
) -> Result<(), Fault> {
    for sample in samples(world)? {
        let mut changed = sample.clone();
        change(&mut changed);
        if changed == sample {
            return Err(format!("{what}: nothing was changed").into());
        }
        refused(what, verify(world, &changed.to_bytes()), &expected)?;
    }
    Ok(())
}

fn is_owner(refused: &Refused) -> bool {
    matches!(refused, Refused::Proof(ProofError::Owner(_)))
}

fn is_root(refused: &Refused) -> bool {
    matches!(refused, Refused::Proof(ProofError::Root { .. }))
}

fn record(world: &World) -> Check {
    let signature = |refused: &Refused| {
        matches!(refused, Refused::Proof(ProofError::Owner(EnvelopeError::Signature(_))))
    };
    change(
        world,
        "metadata",
        |r| r.booking.metadata.created = Timestamp::new(r.booking.metadata.created.get() ^ 1),
        signature,
    )?;
    change(world, "size", |r| r.booking.metadata.size += 1, signature)?;
    change(
        world,
        "digest",
        |r| {
            r.booking.content = match r.booking.content {
                ContentRef::Inline(_) => ContentRef::Inline(Digest::new([5; 32])),
                ContentRef::Stored(_) => ContentRef::Stored(Digest::new([5; 32])),
            }
        },
        signature,
    )?;
    change(world, "signature", |r| r.booking.owner_signature = Signature::new([7; 64]), signature)?;
    let other = super::super::intake::owners(crate::seed::Seed::new(world.seed.get() ^ 1));
    change(world, "owner", move |r| r.booking.owner = other[0].owner(), is_owner)?;
    change(world, "small order", |r| r.booking.owner = small_order(), is_owner)?;
    change(
        world,
        "delegate",
        |r| r.booking.booked_by = InstitutionId::new(r.booking.booked_by.get() + 1),
        is_root,
    )?;
    Ok("7 fields".to_owned())
}

fn small_order() -> mdsm_core::types::OwnerId {
    let mut identity = [0; 32];
    identity[0] = 1;
    mdsm_core::types::OwnerId::new(identity)
}

fn level(world: &World, level: usize) -> Check {
    let mut tried = 0;
    for sample in samples(world)? {
        let paths = sample.level_paths().map_err(text)?;
        let start: usize = paths[..level].iter().map(|path| path.siblings.len()).sum();
        for at in start..start + paths[level].siblings.len() {
            let mut path = sample.path.to_vec();
            path[at] = Digest::new([u8::try_from(at).unwrap_or(u8::MAX); 32]);
            tamper(
                world,
                &sample,
                "another neighbour",
                |r| r.path = List::new(path.clone()).expect("as long as before"),
                is_root,
            )?;
            tried += 1;
        }
        let (index, size) = (paths[level].index, paths[level].size);
        if size > 1 {
            let other = if index == 0 { 1 } else { index - 1 };
            tamper(
                world,
                &sample,
                "another place",
                |r| place(r, level, other, size),
                |error| is_root(error) || is_shape(error),
            )?;
            tried += 1;
        }
        tamper(world, &sample, "a place outside", |r| place(r, level, size, size), is_shape)?;
        tamper(
            world,
            &sample,
            "more leaves",
            |r| place(r, level, index, size + 1),
            |error| is_root(error) || is_shape(error) || matches!(error, Refused::Bytes),
        )?;
        tried += 2;
    }
    Ok(format!("{tried} changes"))
}

fn tamper(
    world: &World,
    sample: &Receipt,
    what: &str,
    change: impl FnOnce(&mut Receipt),
    expected: impl Fn(&Refused) -> bool,
) -> Result<(), Fault> {
    let mut changed = sample.clone();
    change(&mut changed);
    refused(what, verify(world, &changed.to_bytes()), expected)
}

fn is_shape(refused: &Refused) -> bool {
    matches!(refused, Refused::Proof(ProofError::Shape(_)))
}

fn place(receipt: &mut Receipt, level: usize, index: u32, size: u32) {
    let position = &mut receipt.position;
    let byte = |value: u32| u8::try_from(value).unwrap_or(u8::MAX);
    let short = |value: u32| u16::try_from(value).unwrap_or(u16::MAX);
    match level {
        0 => (position.item_index, position.item_size) = (byte(index), byte(size)),
        1 => (position.block_index, position.block_size) = (short(index), short(size)),
        2 => (position.data_index, position.data_size) = (byte(index), byte(size)),
        _ => (position.window_index, position.window_size) = (index, size),
    }
}

fn anchor(world: &World) -> Check {
    change(world, "context", |r| r.context = Digest::new([6; 32]), is_root)?;
    change(world, "chain", |r| r.chain_id = ChainId::new([6; 32]), is_owner)?;
    let epoch = |refused: &Refused| matches!(refused, Refused::Proof(ProofError::Epoch { .. }));
    change(world, "epoch", |r| r.epoch = Epoch::new(r.epoch.get() + 1), epoch)?;
    change(
        world,
        "not anchored",
        |r| r.bitcoin = None,
        |refused| matches!(refused, Refused::Proof(ProofError::NotAnchored)),
    )?;
    Ok("4 fields".to_owned())
}

fn bitcoin(world: &World) -> Check {
    let edit = |r: &mut Receipt, edit: &dyn Fn(&mut mdsm_core::ledger::BitcoinProof)| {
        if let Some(proof) = &mut r.bitcoin {
            edit(proof);
        }
    };
    let branch =
        |refused: &Refused| matches!(refused, Refused::Confirm(ConfirmError::Branch { .. }));
    // Byte 0 of a transaction is its version: the anchor stays, the id changes.
    change(
        world,
        "transaction",
        |r| {
            edit(r, &|proof| {
                let mut bytes = proof.transaction.to_vec();
                bytes[0] ^= 1;
                proof.transaction = Blob::new(bytes).expect("as long as before");
            })
        },
        branch,
    )?;
    change(world, "index", |r| edit(r, &|proof| proof.transaction_index ^= 1), branch)?;
    change(
        world,
        "index outside",
        |r| edit(r, &|proof| proof.transaction_index = u32::MAX),
        |refused| matches!(refused, Refused::Confirm(ConfirmError::Index { .. })),
    )?;
    change(
        world,
        "branch",
        |r| edit(r, &|proof| proof.branch = List::new(vec![Digest::new([1; 32])]).expect("one")),
        branch,
    )?;
    change(world, "height", |r| edit(r, &|proof| proof.height -= 1), branch)?;
    change(
        world,
        "height beyond",
        |r| edit(r, &|proof| proof.height = u32::MAX),
        |refused| matches!(refused, Refused::Confirm(ConfirmError::Height { .. })),
    )?;
    change(
        world,
        "64 bytes",
        |r| edit(r, &|proof| proof.transaction = Blob::new([0; 64]).expect("64 bytes")),
        |refused| matches!(refused, Refused::Proof(ProofError::InnerNode)),
    )?;
    change(
        world,
        "no transaction",
        |r| edit(r, &|proof| proof.transaction = Blob::new([0; 65]).expect("65 bytes")),
        |refused| matches!(refused, Refused::Proof(ProofError::Transaction)),
    )?;
    Ok("8 changes".to_owned())
}

fn swap(world: &World) -> Check {
    let [first, second, ..] = &world.producer.windows[..] else {
        return Err(nothing("fewer than two windows"));
    };
    for sample in samples(world)? {
        let other = if sample.bitcoin.as_ref() == Some(&first.proof) { second } else { first };
        tamper(
            world,
            &sample,
            "another anchor",
            |r| r.bitcoin = Some(other.proof.clone()),
            |refused| matches!(refused, Refused::Proof(ProofError::Epoch { .. })),
        )?;
        tamper(
            world,
            &sample,
            "another anchor, epoch adjusted",
            |r| {
                r.bitcoin = Some(other.proof.clone());
                r.epoch = other.frozen.anchor.epoch;
            },
            is_root,
        )?;
    }
    Ok("both directions".to_owned())
}
