//! The producers' part: closing turns, making blocks, freezing, anchoring, issuing receipts. [STO-12]
//! [STO-13] [ANC-1]
//!
//! Time is the protocol's: turn `n` closes at `n` turns after the start, however fast that goes.
//! Consensus is not in this chapter: each block counts as finalized once `Chain::check` takes it, and all
//! auditors sign for it.

use std::collections::{BTreeSet, VecDeque};

use bitcoin::Amount;
use bitcoin::secp256k1::SecretKey;

use mdsm_core::anchoring::{Funding, anchor_transaction, funding_script};
use mdsm_core::bitcoin::EmbeddedChain;
use mdsm_core::chain::{Applied, Chain, Frozen};
use mdsm_core::codec::Wire as _;
use mdsm_core::crypto::sign::SigningKey;
use mdsm_core::freezing::{Accepted, Handoff, close_turn};
use mdsm_core::ledger::{
    AnchorOutput, BitcoinProof, Block, BlockHeader, Certificate, Genesis, Issuer, Item, ItemBlock,
    Payload, Subject, Vote,
};
use mdsm_core::params::{ANCHOR_CONFIRMATIONS, MINUTE_MS, SMALL, TURN_MS, WINDOW_MS};
use mdsm_core::types::{Height, InstitutionId, RecordId, Text, Timestamp, View};

use super::archive::Archive;
use crate::build::{committees, founders, institution_key};

/// 2026-01-01T00:00:00Z, a mark.
pub(super) const STARTED_AT: Timestamp = Timestamp::new(1_767_225_600_000);

/// A block that counts, with what it brought about.
#[derive(Debug)]
pub(super) struct Finalized {
    pub(super) block: Block,
    pub(super) items: Vec<Item>,
    pub(super) applied: Applied,
}

/// A frozen window and the way of its anchor into Bitcoin.
#[derive(Debug)]
pub(super) struct FrozenWindow {
    pub(super) frozen: Frozen,
    pub(super) item_blocks: Vec<ItemBlock>,
    pub(super) proof: BitcoinProof,
    /// First and last finalized block of the epoch, as a range of indices.
    pub(super) blocks: std::ops::Range<usize>,
}

/// A receipt as it was handed out.
#[derive(Debug)]
pub(super) struct Issued {
    pub(super) record_id: RecordId,
    pub(super) bytes: Vec<u8>,
}

/// Everything that the producers hold.
pub(super) struct Producer {
    pub(super) chain: Chain,
    pub(super) booked: BTreeSet<RecordId>,
    pub(super) finalized: Vec<Finalized>,
    pub(super) windows: Vec<FrozenWindow>,
    pub(super) bitcoin: EmbeddedChain,
    wallet: SecretKey,
    carried: VecDeque<Accepted>,
    turn: u32,
    /// View of the head, 0 before the first block of an epoch.
    parent_view: View,
}

/// The network that `verify` runs.
pub(super) fn genesis() -> Genesis {
    Genesis {
        name: Text::new("verify").expect("a short text"),
        started_at: STARTED_AT,
        turn_ms: TURN_MS,
        minute_ms: MINUTE_MS,
        window_ms: WINDOW_MS,
        producers: SMALL.producers,
        auditors: SMALL.auditors,
        committees: committees(),
        registrar: SigningKey::from_seed(&[1; 32]).owner(),
    }
}

impl Producer {
    pub(super) fn new() -> Result<Self, String> {
        let chain = Chain::new(genesis(), &founders()).map_err(|error| error.to_string())?;
        let wallet = SecretKey::from_slice(&[1; 32]).map_err(|error| error.to_string())?;
        let mut bitcoin = EmbeddedChain::new();
        for _ in 0..=bitcoin::constants::COINBASE_MATURITY {
            bitcoin.mine(&funding_script(&wallet), 0);
        }
        Ok(Self {
            chain,
            booked: BTreeSet::new(),
            finalized: Vec::new(),
            windows: Vec::new(),
            bitcoin,
            wallet,
            carried: VecDeque::new(),
            turn: 0,
            parent_view: View::new(0),
        })
    }

    /// Records that were appended and did not fit into a turn yet.
    pub(super) fn carried(&self) -> usize {
        self.carried.len()
    }

    /// Closes the open turn and makes its block; freezes and anchors if the epoch ends with it.
    pub(super) fn close_turn(
        &mut self,
        handoff: &Handoff<Accepted>,
        archive: &Archive,
    ) -> Result<(), String> {
        let closed = handoff.close().map_err(|error| error.to_string())?;
        let turn = close_turn(self.carried.drain(..).chain(closed.records));
        self.carried = turn.carried.clone();
        self.turn += 1;
        let timestamp = STARTED_AT.get() + i64::from(self.turn) * i64::from(TURN_MS);
        let timestamp = Timestamp::new(timestamp);
        let height = self.chain.height().next().ok_or("no height is left")?;
        let producer = self.chain.leader(View::new(self.parent_view.get() + 1));
        let item_block = turn.item_block(self.chain.id(), height, producer, timestamp);
        let items: Vec<Item> = turn.items.into_iter().map(|sealed| sealed.item).collect();
        let parent_certificate = self.notarization();
        let payload = Payload { item_block, parent_certificate, ..Payload::default() };
        let block = self.block(height, timestamp, producer, payload);
        self.finalize(block, items, archive)
    }

    /// What all auditors of the open epoch sign for its last block; nothing before its first.
    fn notarization(&self) -> Option<Certificate> {
        if self.parent_view == View::new(0) {
            return None;
        }
        let subject = Subject::Notarize(self.chain.head());
        let vote = Vote { epoch: self.chain.epoch(), view: self.parent_view, subject };
        let message = vote.message(&self.chain.id());
        let auditors = &self.chain.roster().committees().auditors;
        let keys = auditors.iter().map(|seat| institution_key(seat.institution));
        let signed: Vec<_> = keys.map(|key| key.sign(&message)).enumerate().collect();
        Certificate::assemble(vote, auditors.len(), &signed)
    }

    fn block(
        &self,
        height: Height,
        timestamp: Timestamp,
        producer: InstitutionId,
        payload: Payload,
    ) -> Block {
        let header = BlockHeader {
            chain_id: self.chain.id(),
            epoch: self.chain.epoch(),
            view: View::new(self.parent_view.get() + 1),
            height,
            parent: self.chain.head(),
            parent_view: self.parent_view,
            timestamp,
            producer,
            payload: payload.commitment(),
        };
        Block { header, payload }
    }

    fn finalize(
        &mut self,
        block: Block,
        items: Vec<Item>,
        archive: &Archive,
    ) -> Result<(), String> {
        let block = Block::from_bytes(&block.to_bytes()).map_err(|error| error.to_string())?;
        let checked =
            self.chain.check(&block, &items, &self.booked).map_err(|error| error.to_string())?;
        archive.book(&block, &items)?;
        let applied = self.chain.apply(checked);
        self.booked.extend(applied.booked.iter().copied());
        let frozen = applied.frozen.clone();
        self.parent_view = if frozen.is_some() { View::new(0) } else { block.header.view };
        self.finalized.push(Finalized { block, items, applied });
        match frozen {
            Some(frozen) => self.anchor(frozen, archive),
            None => Ok(()),
        }
    }

    fn anchor(&mut self, frozen: Frozen, archive: &Archive) -> Result<(), String> {
        let output = AnchorOutput { epoch: frozen.anchor.epoch, root: frozen.anchor.root() };
        let script = funding_script(&self.wallet);
        let (outpoint, value) = self.bitcoin.coin(&script).ok_or("the wallet is empty")?;
        let funding = Funding { outpoint, value, fee: Amount::from_sat(1_000), key: self.wallet };
        let transaction =
            anchor_transaction(&output, &funding).map_err(|error| error.to_string())?;
        let id = self.bitcoin.submit(transaction).map_err(|error| error.to_string())?;
        let time_s = u32::try_from(self.chain.timestamp().get() / 1_000).unwrap_or(u32::MAX);
        for _ in 0..ANCHOR_CONFIRMATIONS {
            self.bitcoin.mine(&script, time_s);
        }
        let proof = self.bitcoin.proof(&id).ok_or("the anchor is in no block")?;
        archive.anchor(&frozen.anchor)?;
        let start = self.windows.last().map_or(0, |window| window.blocks.end);
        let blocks = start..self.finalized.len();
        let item_blocks = self.finalized[blocks.clone()]
            .iter()
            .filter_map(|finalized| finalized.block.payload.item_block.clone())
            .collect();
        self.windows.push(FrozenWindow { frozen, item_blocks, proof, blocks });
        Ok(())
    }

    /// The receipts of every record of every frozen window, as bytes.
    pub(super) fn receipts(&self) -> Result<Vec<Issued>, String> {
        let mut receipts = Vec::new();
        for window in &self.windows {
            let issuer =
                Issuer::new(&window.frozen.anchor, &window.frozen.data_blocks, &window.item_blocks)
                    .map_err(|error| error.to_string())?;
            let items = self.finalized[window.blocks.clone()].iter().flat_map(|f| &f.items);
            let records = items.flat_map(|item| (0..item.records.len()).map(move |at| (item, at)));
            for (item, index) in records {
                let mut receipt = issuer.issue(item, index).map_err(|error| error.to_string())?;
                receipt.bitcoin = Some(window.proof.clone());
                let record_id = receipt.booking.record_id();
                receipts.push(Issued { record_id, bytes: receipt.to_bytes() });
            }
        }
        Ok(receipts)
    }
}
