//! Wrong verifiers of receipts and readers of anchors. [ANC-1] [ANC-2]

use serde_json::{Value, json};

use super::bitcoin::{Skip, anchor_output, headers};
use super::{Wrong, changed, reject, rejection_of, result_of};
use crate::conformance::class::Class;
use crate::conformance::reference::Answer;
use crate::conformance::value::{Field, bytes};
use crate::rules::ed25519::{holds, is_sound};
use crate::rules::headers::hash;
use crate::rules::ids::record_id;
use crate::rules::merkle::{path_len, sha256};
use crate::rules::mirror::{BitcoinProof, Receipt};
use crate::rules::receipt::{anchor_root_of, content_digest, signed_message};
use crate::rules::wire::{Mirror, WireKind, decode};

pub(super) const MUTANTS: &[(&str, Wrong)] = &[
    ("receipt-content-unchecked", |op, args| receipt(op, args, Skip::Content)),
    ("receipt-signature-unchecked", |op, args| receipt(op, args, Skip::Signature)),
    ("receipt-unanchored", |op, args| receipt(op, args, Skip::Bitcoin)),
    ("receipt-path-longer", |op, args| receipt(op, args, Skip::PathEnd)),
    ("receipt-two-outputs", |op, args| receipt(op, args, Skip::FirstOutput)),
    ("receipt-output-version", |op, args| receipt(op, args, Skip::Version)),
    ("receipt-epoch-unchecked", |op, args| receipt(op, args, Skip::Epoch)),
    ("receipt-root-unchecked", |op, args| receipt(op, args, Skip::Root)),
    ("receipt-branch-unchecked", |op, args| receipt(op, args, Skip::Branch)),
    ("receipt-index-bits", |op, args| receipt(op, args, Skip::IndexBits)),
    ("receipt-twin", |op, args| receipt(op, args, Skip::Twin)),
    ("receipt-any-genesis", |op, args| receipt(op, args, Skip::Genesis)),
    ("receipt-unlinked", |op, args| receipt(op, args, Skip::Links)),
    ("receipt-any-bits", |op, args| receipt(op, args, Skip::Bits)),
    ("receipt-no-work", |op, args| receipt(op, args, Skip::Work)),
    ("receipt-five-deep", |op, args| receipt(op, args, Skip::Depth)),
    ("receipt-depth-from-zero", |op, args| {
        result_of("receipt.verify", op, args)?;
        let field = Field::whole("args", args);
        let receipt = receipt_of(&field)?;
        let above = field.get("headers").ok()?.bytes().ok()?.len() / 80;
        let height = usize::try_from(receipt.bitcoin?.height).ok()?;
        (above.checked_sub(height + 1)? < 6).then(|| reject(Class::Headers))
    }),
    ("receipt-part-of-header", |op, args| receipt(op, args, Skip::PartOfHeader)),
    ("anchor-two-outputs", |op, args| anchor(op, args, Skip::LastOutput)),
    ("anchor-other-version-uncounted", |op, args| anchor(op, args, Skip::OtherVersions)),
    ("anchor-version-unchecked", |op, args| anchor(op, args, Skip::Version)),
    ("anchor-epoch-big-endian", |op, args| {
        changed("anchor.read", op, args, |result| {
            let epoch = result["epoch"].as_u64().and_then(|epoch| u32::try_from(epoch).ok());
            result["epoch"] = json!(epoch.unwrap_or_default().swap_bytes());
        })
    }),
    ("anchor-found-anywhere", |op, args| {
        rejection_of("anchor.read", op, args)?;
        let transaction = Field::whole("args", args).get("transaction").ok()?.bytes().ok()?;
        let at = transaction.windows(5).position(|five| five == b"MDSM\x01")?;
        let epoch = transaction.get(at + 5..at + 9)?.try_into().ok()?;
        let root = transaction.get(at + 9..at + 41)?;
        Some(Answer::Ok(json!({"epoch": u32::from_le_bytes(epoch), "root": bytes(root)})))
    }),
    ("anchor-longer-script", |op, args| anchor(op, args, Skip::LongScript)),
    ("anchor-long-push", |op, args| anchor(op, args, Skip::LongPush)),
    ("anchor-witness", |op, args| anchor(op, args, Skip::Witness)),
    ("anchor-trailing", |op, args| anchor(op, args, Skip::Trailing)),
];

/// Reads an anchor that the reference does not take.
fn anchor(op: &str, args: &Value, skip: Skip) -> Option<Answer> {
    rejection_of("anchor.read", op, args)?;
    let transaction = Field::whole("args", args).get("transaction").ok()?.bytes().ok()?;
    let (epoch, root) = anchor_output(&transaction, skip)?;
    Some(Answer::Ok(json!({"epoch": epoch, "root": bytes(root)})))
}

fn receipt_of(field: &Field<'_>) -> Option<Receipt> {
    match decode(WireKind::Receipt, &field.get("receipt").ok()?.bytes().ok()?).ok()? {
        Mirror::Receipt(receipt) => Some(receipt),
        _ => None,
    }
}

/// Takes a receipt that fails this check only.
fn receipt(op: &str, args: &Value, skip: Skip) -> Option<Answer> {
    rejection_of("receipt.verify", op, args)?;
    let field = Field::whole("args", args);
    let mut receipt = receipt_of(&field)?;
    if skip == Skip::PathEnd {
        let position = &receipt.position;
        let levels = [
            (u32::from(position.item_index), u32::from(position.item_size)),
            (position.block_index.into(), position.block_size.into()),
            (position.data_index.into(), position.data_size.into()),
            (position.window_index, position.window_size),
        ];
        let mut hashes = 0;
        for (index, size) in levels {
            hashes += path_len(index.try_into().ok()?, size.try_into().ok()?)?;
        }
        receipt.path.truncate(hashes);
    }
    let root = anchor_root_of(&receipt)?;
    if let Some(content) = field.find("content").ok()?
        && sha256(&[&content.bytes().ok()?]) != content_digest(&receipt)
        && skip != Skip::Content
    {
        return None;
    }
    let booking = &receipt.booking;
    let message = signed_message(&receipt);
    let is_signed = holds(&booking.owner, &message, &booking.owner_signature);
    if !is_sound(&booking.owner) || !is_signed && skip != Skip::Signature {
        return None;
    }
    let mut found = json!({
        "record_id": bytes(record_id(&booking.owner, &booking.metadata, &booking.content)),
        "epoch": receipt.epoch,
        "anchor_root": bytes(root),
        "block": bytes([0; 32]),
    });
    let Some(proof) = &receipt.bitcoin else {
        return (skip == Skip::Bitcoin).then_some(Answer::Ok(found));
    };
    let (epoch, anchored) = anchor_output(&proof.transaction, skip)?;
    if epoch != receipt.epoch && skip != Skip::Epoch || anchored != root && skip != Skip::Root {
        return None;
    }
    let all = field.get("headers").ok()?.bytes().ok()?;
    let headers = headers(&all, skip)?;
    let height = usize::try_from(proof.height).ok()?;
    let header = headers.get(height)?;
    if bitcoin_root(proof, skip)? != header[36..68] && skip != Skip::Branch {
        return None;
    }
    if headers.len() - height < if skip == Skip::Depth { 5 } else { 6 } {
        return None;
    }
    found["block"] = bytes(hash(header));
    Some(Answer::Ok(found))
}

fn bitcoin_root(proof: &BitcoinProof, skip: Skip) -> Option<[u8; 32]> {
    let twice = |parts: &[&[u8]]| sha256(&[&sha256(parts)]);
    let (mut node, mut index) = (twice(&[&proof.transaction]), proof.tx_index);
    for sibling in &proof.branch {
        let is_right = index % 2 == 1;
        if is_right && *sibling == node && skip != Skip::Twin {
            return None;
        }
        node = if is_right { twice(&[sibling, &node]) } else { twice(&[&node, sibling]) };
        index /= 2;
    }
    (index == 0 || matches!(skip, Skip::IndexBits | Skip::Branch)).then_some(node)
}
