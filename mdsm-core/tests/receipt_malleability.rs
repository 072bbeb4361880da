//! Receipts that must not pass though each hash in them is right. [ANC-2]
#![cfg(feature = "node")]
#![expect(clippy::unwrap_used, reason = "a test that cannot set its scene has failed")]

use std::collections::BTreeSet;

use bitcoin::Amount;
use bitcoin::secp256k1::SecretKey;
use mdsm_core::anchoring::{
    ChainParameters, Funding, HeaderChain, anchor_transaction, examine, funding_script,
};
use mdsm_core::bitcoin::EmbeddedChain;
use mdsm_core::chain::Chain;
use mdsm_core::codec::Wire as _;
use mdsm_core::crypto::Identified as _;
use mdsm_core::crypto::sign::SigningKey;
use mdsm_core::freezing::{Accepted, close_turn};
use mdsm_core::ledger::{
    AnchorOutput, Block, BlockHeader, Content, Envelope, Genesis, Issuer, MediaType, Metadata,
    Payload, Receipt, Record, ResourceType,
};
use mdsm_core::types::{Digest, InstitutionId, Text, Timestamp, View};

const NOTE: &[u8] = b"a clinical note";

/// A receipt for `NOTE`, and the headers that confirm it six deep.
fn receipt() -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    let genesis = Genesis {
        name: Text::new("test").unwrap(),
        started_at: Timestamp::new(600_000),
        turn_ms: 6_000,
        minute_ms: 60_000,
        window_ms: 600_000,
        producers: 4,
        auditors: 4,
        committees: Digest::new([0; 32]),
    };
    let mut chain = Chain::new(genesis).unwrap();
    let (owner, delegate) = (SigningKey::from_seed(&[1; 32]), InstitutionId::new(3));
    let metadata = Metadata::new(
        ResourceType::new("Binary").unwrap(),
        MediaType::new("text/plain").unwrap(),
        Timestamp::new(0),
        NOTE.len().try_into().unwrap(),
    );
    let record = Record::new(owner.owner(), metadata, Content::inline(NOTE).unwrap()).unwrap();
    let envelope = Envelope::sign(record, &chain.id(), &owner, delegate);
    let turn = close_turn([Accepted::new(envelope.verify(&chain.id()).unwrap())]);
    let (height, timestamp) = (chain.height().next().unwrap(), chain.mark());
    let item_block = turn.item_block(chain.id(), height, delegate, timestamp);
    let items: Vec<_> = turn.items.into_iter().map(|sealed| sealed.item).collect();
    let payload = Payload { item_block: item_block.clone() };
    let header = BlockHeader {
        chain_id: chain.id(),
        epoch: chain.epoch(),
        view: View::new(1),
        height,
        parent: chain.head(),
        timestamp,
        producer: delegate,
        payload: payload.id(),
    };
    let block = Block { header, payload };
    let checked = chain.check(&block, &items, &BTreeSet::new()).unwrap();
    let frozen = chain.apply(checked).frozen.expect("the block is at the mark");

    let (mut bitcoin, key) = (EmbeddedChain::new(), SecretKey::from_slice(&[1; 32]).unwrap());
    let script = funding_script(&key);
    for _ in 0..103 {
        bitcoin.mine(&script, 0);
    }
    let (outpoint, value) = bitcoin.coin(&script).unwrap();
    let other = AnchorOutput { epoch: frozen.anchor.epoch, root: Digest::new([9; 32]) };
    let f0 = Funding { outpoint, value, fee: Amount::from_sat(500), key };
    bitcoin.submit(anchor_transaction(&other, &f0).unwrap()).unwrap();
    let (outpoint, value) = bitcoin.coin(&script).unwrap();
    let output = AnchorOutput { epoch: frozen.anchor.epoch, root: frozen.anchor.root() };
    let funding = Funding { outpoint, value, fee: Amount::from_sat(500), key };
    let tx = anchor_transaction(&output, &funding).unwrap();
    let full = ::bitcoin::consensus::serialize(&tx);
    let id = bitcoin.submit(tx).unwrap();
    for _ in 0..6 {
        bitcoin.mine(&script, 0);
    }
    let issuer = Issuer::new(&frozen.anchor, &frozen.data_blocks, &[item_block.unwrap()]).unwrap();
    let mut receipt = issuer.issue(&items[0], 0).unwrap();
    receipt.bitcoin = bitcoin.proof(&id);
    (receipt.to_bytes(), bitcoin.headers(), full)
}

#[test]
fn index_of_the_repeated_last_transaction() {
    let (bytes, headers, _) = receipt();
    let headers = HeaderChain::from_bytes(&headers, ChainParameters::Regtest).unwrap();
    let mut r = Receipt::from_bytes(&bytes).unwrap();
    examine(&r, None).unwrap().confirm(&headers, 6).unwrap();
    r.bitcoin.as_mut().unwrap().transaction_index = 3; // the block has transactions 0, 1, 2
    let r = Receipt::from_bytes(&r.to_bytes()).unwrap();
    let got = examine(&r, None).unwrap().confirm(&headers, 6);
    assert!(got.is_err(), "ACCEPTED at index 3 of 3: {got:?}");
}
