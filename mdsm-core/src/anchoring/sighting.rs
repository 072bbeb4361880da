//! What a transaction of Bitcoin says of an epoch, if it says anything that counts. [ANC-3]
//!
//! The same check as a verifier's, so that nobody can stop the submitters with a copy of the right root
//! in a transaction from which no receipt can be made.

use bitcoin::consensus::serialize;
use bitcoin::hashes::Hash;
use bitcoin::{Transaction, Witness};

use super::machine::Sighting;
use super::proof::anchor_output;
use crate::params::RECEIPT_TRANSACTION_BYTES_MAX;
use crate::types::Digest;

/// Reads the one MDSM output; `None` when a verifier of receipts would refuse the transaction.
#[must_use]
pub fn sighting(transaction: &Transaction) -> Option<Sighting> {
    //= harness/spec/anchoring.md#anc-3-getting-it-confirmed
    //# ANC-3.7 (ours): A transaction MUST count as an anchor of an epoch only when a verifier of
    //# receipts would take it.
    if transaction.base_size() > RECEIPT_TRANSACTION_BYTES_MAX {
        return None;
    }
    let mut stripped = transaction.clone();
    for input in &mut stripped.input {
        input.witness = Witness::new();
    }
    let output = anchor_output(&serialize(&stripped)).ok()?;
    Some(Sighting { txid: Digest::new(transaction.compute_txid().to_byte_array()), output })
}
