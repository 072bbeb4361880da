//! A frozen window in Bitcoin: receipts with everything that a stranger needs to check them.

use std::sync::LazyLock;

use bitcoin::Amount;
use bitcoin::secp256k1::SecretKey;
use mdsm_core::anchoring::{Funding, anchor_transaction, funding_script};
use mdsm_core::bitcoin::EmbeddedChain;
use mdsm_core::chain::Frozen;
use mdsm_core::crypto::sha256;
use mdsm_core::ledger::{AnchorOutput, BitcoinProof, Issuer, Item, Receipt};
use mdsm_core::params::ANCHOR_CONFIRMATIONS;
use mdsm_core::types::Epoch;

use super::Network;

/// A frozen window, its Items, and a Bitcoin chain that holds its anchor six blocks deep.
#[derive(Debug)]
pub struct Anchored {
    /// What was frozen.
    pub frozen: Frozen,
    /// The window's Items, in order.
    pub items: Vec<Item>,
    /// The way from the anchor root into Bitcoin.
    pub proof: BitcoinProof,
    /// Bitcoin's headers, 80 bytes each.
    pub headers: Vec<u8>,
    issuer: Issuer,
}

impl Anchored {
    /// The receipt of a record, with its way into Bitcoin.
    ///
    /// # Panics
    /// When the window has no such record.
    #[must_use]
    pub fn receipt(&self, item: usize, record: usize) -> Receipt {
        let receipt = self.issuer.issue(&self.items[item], record).expect("a record of the window");
        Receipt { bitcoin: Some(self.proof.clone()), ..receipt }
    }
}

/// A window of 13 Item blocks, two data blocks, 40 Items, the last of them with 3 records; its anchor
/// is transaction 3 of 6 in its Bitcoin block. Built once.
#[must_use]
pub fn anchored() -> &'static Anchored {
    static ANCHORED: LazyLock<Anchored> = LazyLock::new(build);
    &ANCHORED
}

fn build() -> Anchored {
    let mut network = Network::new();
    for turn in 1..=12 {
        network.turn(turn * 6_000, 30);
    }
    let last = network.new_items(33);
    let item_blocks = [&network.item_blocks[..], &[network.item_block(600_000, &last)]].concat();
    let items = [&network.items[..], &last].concat();
    let block = network.block_of(600_000, &last);
    let frozen = network.add(&block, &last).expect("a sound block").frozen;
    let frozen = frozen.expect("the block at the mark ends the epoch");
    let issuer = Issuer::new(&frozen.anchor, &frozen.data_blocks, &item_blocks);

    let mut bitcoin = EmbeddedChain::new();
    let key = SecretKey::from_slice(&[1; 32]).expect("a key");
    let script = funding_script(&key);
    for time_s in 0..106 {
        bitcoin.mine(&script, 1_600_000_000 + time_s);
    }
    let mut ids = Vec::new();
    for number in 0..5 {
        let output = match number {
            2 => AnchorOutput { epoch: frozen.anchor.epoch, root: frozen.anchor.root() },
            _ => AnchorOutput { epoch: Epoch::new(1_000 + number), root: sha256(b"another") },
        };
        let (outpoint, value) = bitcoin.coin(&script).expect("six coins are mature");
        let funding = Funding { outpoint, value, fee: Amount::from_sat(500), key };
        let transaction = anchor_transaction(&output, &funding).expect("50 BTC pay for it");
        ids.push(bitcoin.submit(transaction).expect("a sound transaction"));
    }
    for time_s in 0..ANCHOR_CONFIRMATIONS {
        bitcoin.mine(&script, 1_700_000_000 + time_s);
    }
    Anchored {
        proof: bitcoin.proof(&ids[2]).expect("the anchor was mined"),
        headers: bitcoin.headers(),
        issuer: issuer.expect("the parts are those of the window"),
        frozen,
        items,
    }
}
