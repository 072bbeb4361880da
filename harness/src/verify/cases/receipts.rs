//! Receipts, checked with nothing but their bytes and Bitcoin's headers.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use mdsm_core::anchoring::{ChainParameters, HeaderChain, examine, opentimestamps};
use mdsm_core::codec::Wire as _;
use mdsm_core::ledger::{Content, Receipt, document_reference, provenance};
use mdsm_core::params::ANCHOR_CONFIRMATIONS;

use super::super::world::World;
use super::{Case, Check, case, hold, nothing, text};
use crate::rules;
use crate::rules::wire::{Mirror, WireKind};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(
            "receipts.offline",
            "every receipt verifies from its bytes and the headers alone",
            &["ANC-2", "STO-11"],
            offline,
        ),
        case(
            "receipts.naive",
            "the naive rules compute the same anchor root from every receipt",
            &["ANC-2", "STO-10", "STO-11"],
            naive,
        ),
        case(
            "receipts.no-content",
            "no receipt carries the content of its record",
            &["ANC-2"],
            no_content,
        ),
        case(
            "receipts.opentimestamps",
            "the steps of the OpenTimestamps file lead to the block's Merkle root",
            &["ANC-2"],
            ots,
        ),
        case(
            "receipts.fhir",
            "every booking is a DocumentReference and a Provenance of FHIR R4",
            &["STO-8"],
            fhir,
        ),
    ]
}

fn offline(world: &World) -> Check {
    let headers =
        HeaderChain::from_bytes(&world.headers, ChainParameters::Regtest).map_err(text)?;
    let mut ids = BTreeSet::new();
    let (mut largest, mut smallest, mut bitcoin) = (0, usize::MAX, 0);
    let mut fastest = Duration::MAX;
    for issued in &world.receipts {
        let started = Instant::now();
        let receipt = Receipt::from_bytes(&issued.bytes).map_err(text)?;
        let claim = examine(&receipt, None).map_err(text)?;
        let existed = claim.confirm(&headers, ANCHOR_CONFIRMATIONS).map_err(text)?;
        fastest = fastest.min(started.elapsed());
        hold(existed.record_id == issued.record_id, || {
            format!("{} proves another record", issued.record_id)
        })?;
        ids.insert(existed.record_id);
        let whole = issued.bytes.len();
        let unanchored = Receipt { bitcoin: None, ..receipt }.to_bytes().len();
        largest = largest.max(unanchored);
        smallest = smallest.min(unanchored);
        bitcoin = bitcoin.max(whole - unanchored);
    }
    hold(ids.len() == world.taken.len(), || {
        format!("{} of {} records have receipts", ids.len(), world.taken.len())
    })?;
    Ok(format!(
        "{} receipts of {smallest} to {largest} bytes and {bitcoin} for Bitcoin; the fastest took {} us, owner's signature included",
        ids.len(),
        fastest.as_micros()
    ))
}

fn naive(world: &World) -> Check {
    for issued in &world.receipts {
        let receipt = Receipt::from_bytes(&issued.bytes).map_err(text)?;
        let Mirror::Receipt(mirror) = rules::wire::decode(WireKind::Receipt, &issued.bytes)? else {
            return Err("the naive decoder read something else".into());
        };
        let root = rules::receipt::anchor_root_of(&mirror).ok_or("the naive path leads nowhere")?;
        let ours = receipt.anchor_root().map_err(text)?;
        hold(*ours.as_bytes() == root, || format!("{}: {ours}", issued.record_id))?;
    }
    Ok(format!("{} receipts", world.receipts.len()))
}

fn no_content(world: &World) -> Check {
    let mut looked = 0;
    for finalized in &world.producer.finalized {
        for envelope in finalized.items.iter().flat_map(|item| item.records.iter()) {
            let Content::Inline(content) = envelope.record.content() else { continue };
            // Shorter contents may occur by chance.
            if content.len() < 16 {
                continue;
            }
            let id = envelope.record.id();
            let receipt = &world.receipt(&id).ok_or("a record has no receipt")?.bytes;
            let shows = receipt.windows(16).any(|run| run == &content[..16]);
            hold(!shows, || format!("the receipt of {id} shows its content"))?;
            looked += 1;
        }
    }
    if looked == 0 {
        return Err(nothing("no content is inline"));
    }
    Ok(format!("{looked} receipts of inline contents"))
}

fn ots(world: &World) -> Check {
    let (mut files, mut largest) = (0, 0);
    for issued in &world.receipts {
        let receipt = Receipt::from_bytes(&issued.bytes).map_err(text)?;
        let file = opentimestamps(&receipt).map_err(text)?;
        let end = rules::ots::interpret(&file).map_err(text)?;
        hold(end.digest == *receipt.booking.content.digest().as_bytes(), || {
            "it stamps another file".to_owned()
        })?;
        let block =
            u32::try_from(end.height).ok().and_then(|height| world.producer.bitcoin.block(height));
        let block = block.ok_or("it names no block")?;
        let root: [u8; 32] = *AsRef::<[u8; 32]>::as_ref(&block.header.merkle_root);
        hold(end.message == root, || format!("{}: leads elsewhere", issued.record_id))?;
        largest = largest.max(file.len());
        files += 1;
    }
    Ok(format!("{files} files, the largest of {largest} bytes"))
}

fn fhir(world: &World) -> Check {
    for issued in &world.receipts {
        let booking = Receipt::from_bytes(&issued.bytes).map_err(text)?.booking;
        let reference = document_reference(&booking);
        for pointer in [
            "/resourceType",
            "/status",
            "/content/0/attachment/contentType",
            "/content/0/attachment/creation",
        ] {
            hold(reference.pointer(pointer).is_some_and(|value| value.is_string()), || {
                format!("DocumentReference lacks {pointer}")
            })?;
        }
        let provenance = provenance(&booking);
        for pointer in ["/target/0/identifier/value", "/recorded", "/agent/0/who/identifier/value"]
        {
            hold(provenance.pointer(pointer).is_some_and(|value| value.is_string()), || {
                format!("Provenance lacks {pointer}")
            })?;
        }
    }
    Ok(format!("{} bookings", world.receipts.len()))
}
