//! One record from a note to a receipt that Bitcoin confirms.

use std::collections::BTreeSet;

use bitcoin::Amount;
use bitcoin::secp256k1::SecretKey;
use mdsm_core::anchoring::{Funding, anchor_transaction, funding_script};
use mdsm_core::bitcoin::EmbeddedChain;
use mdsm_core::chain::Chain;
use mdsm_core::crypto::sign::SigningKey;
use mdsm_core::freezing::{Accepted, close_turn};
use mdsm_core::ledger::{
    AnchorOutput, Block, BlockHeader, Content, Envelope, Genesis, Issuer, MediaType, Metadata,
    Payload, Receipt, Record, ResourceType,
};
use mdsm_core::roster::{Founder, Roster};
use mdsm_core::types::{Digest, InstitutionId, OwnerId, Text, Timestamp, View};

/// The content of the record.
pub(crate) const NOTE: &[u8] = b"a clinical note";

/// A receipt for `NOTE`, and the headers that confirm it six deep. `others` transactions stand
/// between the coinbase and the anchor in its block.
pub(crate) fn receipt(others: u32) -> (Receipt, Vec<u8>) {
    let founder = |number: u8| Founder {
        institution: InstitutionId::new(3 + u32::from(number)),
        key: SigningKey::from_seed(&[10 + number; 32]).owner(),
        rating: 100 - number,
        centre: 0,
    };
    let founders: Vec<Founder> = (0..8).map(founder).collect();
    let genesis = Genesis {
        name: Text::new("test").unwrap(),
        started_at: Timestamp::new(600_000),
        turn_ms: 6_000,
        minute_ms: 60_000,
        window_ms: 600_000,
        producers: 4,
        auditors: 4,
        committees: Roster::found(&founders, 4, 4).unwrap().digest(),
        registrar: OwnerId::new([0; 32]),
    };
    let mut chain = Chain::new(genesis, &founders).unwrap();
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
    let payload = Payload { item_block: item_block.clone(), ..Payload::default() };
    let header = BlockHeader {
        chain_id: chain.id(),
        epoch: chain.epoch(),
        view: View::new(1),
        height,
        parent: chain.head(),
        parent_view: View::new(0),
        timestamp,
        producer: delegate,
        payload: payload.commitment(),
    };
    let block = Block { header, payload };
    let checked = chain.check(&block, &items, &BTreeSet::new()).unwrap();
    let frozen = chain.apply(checked).frozen.expect("the block is at the mark");

    let (mut bitcoin, key) = (EmbeddedChain::new(), SecretKey::from_slice(&[1; 32]).unwrap());
    let script = funding_script(&key);
    for _ in 0..101 + others {
        bitcoin.mine(&script, 0);
    }
    let mut submit = |root| {
        let (outpoint, value) = bitcoin.coin(&script).unwrap();
        let output = AnchorOutput { epoch: frozen.anchor.epoch, root };
        let funding = Funding { outpoint, value, fee: Amount::from_sat(500), key };
        bitcoin.submit(anchor_transaction(&output, &funding).unwrap()).unwrap()
    };
    for other in 0..others {
        submit(Digest::new([u8::try_from(other).unwrap(); 32]));
    }
    let id = submit(frozen.anchor.root());
    for _ in 0..6 {
        bitcoin.mine(&script, 0);
    }
    let issuer = Issuer::new(&frozen.anchor, &frozen.data_blocks, &[item_block.unwrap()]).unwrap();
    let mut receipt = issuer.issue(&items[0], 0).unwrap();
    receipt.bitcoin = bitcoin.proof(&id);
    (receipt, bitcoin.headers())
}
