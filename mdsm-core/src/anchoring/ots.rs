//! A receipt as a standard OpenTimestamps file. [ANC-2]
//!
//! The steps lead from the digest of the very file, plain or sealed, to the Merkle root of a Bitcoin
//! block, so that any OpenTimestamps tool checks it without knowing MDSM. Format: python-opentimestamps,
//! `DetachedTimestampFile`, version 1, read there and in its test files. Operations used: 0xF0 append,
//! 0xF1 prepend, 0x08 SHA-256; one attestation, `BitcoinBlockHeader`.

use thiserror::Error;

use crate::codec::{Encode, prefix};
use crate::ledger::{
    ANCHOR_OUTPUT_BYTES, AnchorOutput, ContentRef, LevelPath, Receipt, ReceiptError,
};
use crate::types::Digest;

const MAGIC: &[u8] = b"\x00OpenTimestamps\x00\x00Proof\x00\xbf\x89\xe2\xe8\x84\xe8\x92\x94\x01";
const OP_SHA256: u8 = 0x08;
const OP_APPEND: u8 = 0xf0;
const OP_PREPEND: u8 = 0xf1;
const ATTESTATION: u8 = 0x00;
const BITCOIN_BLOCK_HEADER: [u8; 8] = [0x05, 0x88, 0x96, 0x0d, 0x73, 0xd7, 0x19, 0x01];

/// A receipt that cannot be written as an OpenTimestamps file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum OtsError {
    /// The path leads nowhere.
    #[error(transparent)]
    Receipt(#[from] ReceiptError),
    /// The anchor is not in a block yet.
    #[error("receipt.bitcoin: absent, the anchor is not in a block yet")]
    NotAnchored,
    /// The transaction does not hold the receipt's anchor.
    #[error("receipt.bitcoin.transaction: does not hold the anchor of this receipt")]
    Transaction,
}

/// Writes the file. Its digest is that of the content, inline or sealed.
pub fn opentimestamps(receipt: &Receipt) -> Result<Vec<u8>, OtsError> {
    let proof = receipt.bitcoin.as_ref().ok_or(OtsError::NotAnchored)?;
    //= harness/spec/anchoring.md#anc-2-receipt
    //# ANC-2.14 (ours): A receipt with a Bitcoin part MUST be exportable as an OpenTimestamps file
    //# that leads from the digest in the content reference to the Merkle root of the Bitcoin block.
    let mut steps = Steps::new(receipt.booking.content.digest());
    let (before, after) = around_content(receipt);
    steps.prepend(&before).append(&after).sha256();
    for LevelPath { level, index, size, siblings } in receipt.level_paths()? {
        if level as u8 > 1 {
            steps.prepend(&[0x00]).sha256(); // the root below, hashed as a leaf
        }
        climb(&mut steps, index, size, siblings);
        let mut head = vec![0x02, level as u8];
        size.encode(&mut head);
        steps.prepend(&head).sha256();
    }
    let mut head = prefix(*b"MANR").to_vec();
    receipt.chain_id.encode(&mut head);
    receipt.epoch.encode(&mut head);
    steps.prepend(&head).append(receipt.context.as_bytes()).sha256();
    let (before, after) = around_root(receipt, &proof.transaction)?;
    steps.prepend(before).append(after).sha256().sha256();
    for (level, sibling) in proof.branch.iter().enumerate() {
        if proof.transaction_index >> level & 1 == 0 {
            steps.append(sibling.as_bytes());
        } else {
            steps.prepend(sibling.as_bytes());
        }
        steps.sha256().sha256();
    }
    Ok(steps.attest(proof.height))
}

/// The bytes before and after the content's digest in the leaf.
fn around_content(receipt: &Receipt) -> (Vec<u8>, Vec<u8>) {
    let booking = &receipt.booking;
    let mut before = vec![0x00];
    before.extend_from_slice(&prefix(*b"MBKG"));
    booking.owner.encode(&mut before);
    booking.metadata.encode(&mut before);
    before.push(u8::from(matches!(booking.content, ContentRef::Stored(_))));
    let mut after = Vec::new();
    booking.owner_signature.encode(&mut after);
    booking.booked_by.encode(&mut after);
    (before, after)
}

/// The bytes before and after the anchor root in the transaction.
fn around_root<'a>(
    receipt: &Receipt,
    transaction: &'a [u8],
) -> Result<(&'a [u8], &'a [u8]), OtsError> {
    // What a verifier refuses must not be handed to other tools in a form that they accept.
    super::proof::anchor_output(transaction).map_err(|_| OtsError::Transaction)?;
    let payload = AnchorOutput { epoch: receipt.epoch, root: receipt.anchor_root()? }.to_bytes();
    let start = transaction
        .windows(ANCHOR_OUTPUT_BYTES)
        .position(|window| window == payload)
        .ok_or(OtsError::Transaction)?;
    let end = start + ANCHOR_OUTPUT_BYTES;
    Ok((&transaction[..end - Digest::BYTES], &transaction[end..]))
}

/// The steps of an inclusion path: on which side a sibling stands follows from index and size.
fn climb(steps: &mut Steps, index: u32, size: u32, siblings: &[Digest]) {
    let (mut index, mut last) = (index, size - 1);
    for sibling in siblings {
        // An odd last node has no sibling on its level and moves up as it is.
        while index & 1 == 0 && index == last {
            index >>= 1;
            last >>= 1;
        }
        if index & 1 == 1 {
            let mut left = vec![0x01];
            left.extend_from_slice(sibling.as_bytes());
            steps.prepend(&left).sha256();
        } else {
            steps.prepend(&[0x01]).append(sibling.as_bytes()).sha256();
        }
        index >>= 1;
        last >>= 1;
    }
}

/// The file while it grows.
struct Steps(Vec<u8>);

impl Steps {
    fn new(digest: &Digest) -> Self {
        let mut file = MAGIC.to_vec();
        file.push(OP_SHA256);
        file.extend_from_slice(digest.as_bytes());
        Self(file)
    }

    fn append(&mut self, bytes: &[u8]) -> &mut Self {
        self.operation(OP_APPEND, bytes)
    }

    fn prepend(&mut self, bytes: &[u8]) -> &mut Self {
        self.operation(OP_PREPEND, bytes)
    }

    fn sha256(&mut self) -> &mut Self {
        self.0.push(OP_SHA256);
        self
    }

    fn operation(&mut self, tag: u8, bytes: &[u8]) -> &mut Self {
        // The format has no operation with an empty operand.
        if !bytes.is_empty() {
            self.0.push(tag);
            self.bytes(bytes);
        }
        self
    }

    fn attest(mut self, height: u32) -> Vec<u8> {
        self.0.push(ATTESTATION);
        self.0.extend_from_slice(&BITCOIN_BLOCK_HEADER);
        let mut payload = Self(Vec::new());
        payload.varuint(height.into());
        self.bytes(&payload.0);
        self.0
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.varuint(u64::try_from(bytes.len()).expect("usize fits in u64"));
        self.0.extend_from_slice(bytes);
    }

    /// Little-endian base 128.
    fn varuint(&mut self, mut value: u64) {
        loop {
            let [low, ..] = value.to_le_bytes();
            value >>= 7;
            if value == 0 {
                self.0.push(low & 0x7f);
                return;
            }
            self.0.push(low | 0x80);
        }
    }
}
