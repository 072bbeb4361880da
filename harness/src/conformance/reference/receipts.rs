//! `receipt.verify`, `anchor.read`. [ANC-1] [ANC-2]

use bitcoin::hashes::Hash as _;
use mdsm_core::anchoring::{
    ChainParameters, Existed, HeaderChain, ProofError, anchor_output, examine,
};
use mdsm_core::ledger::{AnchorOutput, Receipt};
use mdsm_core::params::{ANCHOR_CONFIRMATIONS, RECEIPT_TRANSACTION_BYTES_MAX};
use serde_json::json;

use super::super::class::Class;
use super::super::value::{Field, bytes};
use super::signatures::unsound;
use super::{Outcome, Refusal, reject, wire};

pub(super) fn verify(args: &Field<'_>) -> Outcome {
    let receipt: Receipt = wire(&args.get("receipt")?)?;
    let headers = args.get("headers")?.bytes()?;
    let content = args.find("content")?.map(|content| content.bytes()).transpose()?;
    let claim = examine(&receipt, content.as_deref()).or_else(unproven)?;
    let headers = HeaderChain::from_bytes(&headers, ChainParameters::Regtest)
        .or_else(|error| reject(Class::Headers, error))?;
    let existed = claim.confirm(&headers, ANCHOR_CONFIRMATIONS);
    let Existed { record_id, block_hash, .. } =
        existed.or_else(|error| reject(Class::Headers, error))?;
    Ok(json!({
        "record_id": bytes(record_id.as_bytes()),
        "epoch": receipt.epoch.get(),
        "anchor_root": bytes(claim.anchor_root.as_bytes()),
        "block": bytes(block_hash.to_byte_array()),
    }))
}

fn unproven<T>(error: ProofError) -> Result<T, Refusal> {
    let class = match error {
        ProofError::Owner(error) => return unsound(error),
        ProofError::Shape(_) => Class::Shape,
        ProofError::Content { .. } => Class::Content,
        ProofError::NotAnchored => Class::Unanchored,
        ProofError::InnerNode
        | ProofError::Transaction
        | ProofError::Outputs { .. }
        | ProofError::Output(_) => Class::Transaction,
        ProofError::Epoch { .. } => Class::Epoch,
        ProofError::Root { .. } => Class::Root,
    };
    reject(class, error)
}

pub(super) fn anchor(args: &Field<'_>) -> Outcome {
    let transaction = args.get("transaction")?.bytes()?;
    // In a receipt the bound is the decoder's.
    if transaction.len() > RECEIPT_TRANSACTION_BYTES_MAX {
        return reject(Class::Transaction, format!("{} bytes are too many", transaction.len()));
    }
    let AnchorOutput { epoch, root } = anchor_output(&transaction).or_else(unproven)?;
    Ok(json!({"epoch": epoch.get(), "root": bytes(root.as_bytes())}))
}
