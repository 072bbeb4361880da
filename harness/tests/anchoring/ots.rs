//! ANC-2.14: what any OpenTimestamps tool makes of an exported receipt.

use bitcoin::block::Header;
use bitcoin::consensus::deserialize;
use bitcoin::hashes::Hash as _;
use harness::build::{self, DELEGATE, Network, anchored, key};
use harness::rules::ots::interpret;
use mdsm_core::anchoring::{OtsError, opentimestamps};
use mdsm_core::ledger::{Envelope, Issuer, Receipt, ReceiptError};
use mdsm_core::types::{Blob, Digest};

/// The Merkle root in the header of the anchor's block.
fn merkle_root() -> [u8; 32] {
    let header: Header = deserialize(&anchored().headers[80 * 107..80 * 108]).unwrap();
    header.merkle_root.to_byte_array()
}

#[test]
fn anc_2_14_the_steps_lead_from_the_content_to_the_merkle_root() {
    //= harness/spec/anchoring.md#anc-2-receipt
    //= type=test
    //# ANC-2.14 (ours): A receipt with a Bitcoin part MUST be exportable as an OpenTimestamps file
    //# that leads from the digest in the content reference to the Merkle root of the Bitcoin block.
    let mut operations = std::collections::BTreeSet::new();
    for (at, item) in anchored().items.iter().enumerate() {
        for (record, envelope) in item.records.iter().enumerate() {
            let file = opentimestamps(&anchored().receipt(at, record)).unwrap();
            let stamp = interpret(&file).unwrap();
            let digest = *envelope.booking().content.digest().as_bytes();
            assert_eq!(stamp.digest, digest, "of the very file");
            assert_eq!(stamp.message, merkle_root(), "Item {at}, record {record}");
            assert_eq!(stamp.height, 107);
            operations.insert(stamp.operations);
        }
    }
    assert!(operations.len() > 3, "paths of several lengths: {operations:?}");
}

#[test]
fn anc_2_14_a_sealed_file_is_stamped_by_the_digest_of_its_bytes() {
    //= harness/spec/anchoring.md#anc-2-receipt
    //= type=test
    //# ANC-2.14 (ours): A receipt with a Bitcoin part MUST be exportable as an OpenTimestamps file
    //# that leads from the digest in the content reference to the Merkle root of the Bitcoin block.
    let mut network = Network::new();
    let record = build::stored(&key(3), Digest::new([0xb1; 32]), 70_000);
    let signed = Envelope::sign(record, &network.chain.id(), &key(3), DELEGATE);
    let items = [build::item_of(vec![signed])];
    let item_block = network.item_block(600_000, &items);
    let block = network.block_of(600_000, &items);
    let frozen = network.add(&block, &items).unwrap().frozen.unwrap();
    let issuer = Issuer::new(&frozen.anchor, &frozen.data_blocks, &[item_block]).unwrap();
    let bare = issuer.issue(&items[0], 0).unwrap();
    // A transaction with nothing but its anchor, alone in its block.
    let root = frozen.anchor.root();
    let output = mdsm_core::ledger::AnchorOutput { epoch: frozen.anchor.epoch, root };
    let payload = bitcoin::consensus::serialize(&bitcoin::Transaction {
        version: bitcoin::transaction::Version::TWO,
        lock_time: bitcoin::absolute::LockTime::ZERO,
        input: vec![bitcoin::TxIn::default()],
        output: vec![bitcoin::TxOut {
            value: bitcoin::Amount::ZERO,
            script_pubkey: bitcoin::ScriptBuf::new_op_return(output.to_bytes()),
        }],
    });
    let proof = mdsm_core::ledger::BitcoinProof {
        height: 300,
        transaction: Blob::new(payload.clone()).unwrap(),
        transaction_index: 0,
        branch: mdsm_core::types::List::new(vec![]).unwrap(),
    };
    let stamp = interpret(&opentimestamps(&Receipt { bitcoin: Some(proof), ..bare }).unwrap());
    let stamp = stamp.unwrap();
    assert_eq!((stamp.digest, stamp.height), ([0xb1; 32], 300));
    use sha2::{Digest as _, Sha256};
    let twice: [u8; 32] = Sha256::digest(Sha256::digest(payload)).into();
    assert_eq!(stamp.message, twice);
}

#[test]
fn anc_2_14_what_does_not_lead_there_is_not_exported() {
    //= harness/spec/anchoring.md#anc-2-receipt
    //= type=test
    //# ANC-2.14 (ours): A receipt with a Bitcoin part MUST be exportable as an OpenTimestamps file
    //# that leads from the digest in the content reference to the Merkle root of the Bitcoin block.
    let receipt = anchored().receipt(38, 3);
    let bare = Receipt { bitcoin: None, ..receipt.clone() };
    assert_eq!(opentimestamps(&bare), Err(OtsError::NotAnchored));
    let other = Receipt { context: Digest::new([0; 32]), ..receipt.clone() };
    assert_eq!(opentimestamps(&other), Err(OtsError::Transaction));
    let mut outside = receipt.clone();
    outside.position.block_index = 4;
    let refused = opentimestamps(&outside);
    assert!(
        matches!(refused, Err(OtsError::Receipt(ReceiptError::Position { .. }))),
        "{refused:?}"
    );

    // The interpreter is no rubber stamp: whatever is changed, it leads elsewhere or nowhere.
    let file = opentimestamps(&receipt).unwrap();
    let leads_there = |file: &[u8]| {
        interpret(file).is_ok_and(|stamp| stamp.message == merkle_root() && stamp.height == 107)
    };
    assert!(leads_there(&file));
    for at in 0..file.len() {
        let mut changed = file.clone();
        changed[at] ^= 1;
        assert!(!leads_there(&changed), "byte {at}");
        assert!(!leads_there(&file[..at]), "cut at {at}");
    }
}
