//! What a node has to find again to go on, to answer its peers and to issue receipts. [CON-7] [ANC-2]
//!
//! ```text
//! table         key                                  value
//! Decisions     height of its last block, big endian  final blocks and what proves them final (MDCN)
//! Heights       hash of a block                      height u64, little endian
//! Kept          height | hash, as in Blocks          proposal (MPRP); its Items stand in Items
//! Certificates  epoch u32 big endian                 certificate of the anchor (MCRT)
//! DataBlocks    epoch | index, each u32 big endian   data block (MDBL)
//! Committees    epoch u32 big endian                 committees and what holds them against an anchor (MRCM)
//! ```
//! Decisions and committees belong to floors above this one and stand here as bytes: whoever reads one
//! compares it with the blocks and the anchor that name it. Items of a block that was kept and never became
//! final stay: they are few, and an Item has the same name in a later block.

use super::Store;
use super::batch::{Batch, Table};
use super::error::StoreError;
use super::rows::{Rows, block_key, decode, named};
use crate::codec::Wire;
use crate::ledger::{Certificate, DataBlock, Item, Proposal};
use crate::types::{Digest, Epoch, Height};

/// Rows read at a time.
const PAGE_ROWS: usize = 256;

impl<S: Store> Rows<S> {
    /// Adds final blocks, as bytes, under the height of the last of them; the hashes are those of its blocks
    /// from the last down. They are found again when the batch with the last block is durable.
    ///
    /// What a damaged store has lost comes again from others, whose decisions end at other blocks: none that ended
    /// between the first and the last one is left.
    pub fn put_decision(batch: &mut Batch, last: Height, hashes: &[Digest], decision: Vec<u8>) {
        for (height, hash) in (0..=last.get()).rev().zip(hashes) {
            batch.put(Table::Heights, *hash.as_bytes(), height.to_le_bytes());
            if height < last.get() {
                batch.delete(Table::Decisions, height.to_be_bytes());
            }
        }
        batch.put(Table::Decisions, last.get().to_be_bytes(), decision);
    }

    /// The first decision that leads above a height, with the height of its last block.
    pub fn decision_above(&self, height: Height) -> Result<Option<(Height, Vec<u8>)>, StoreError> {
        let from = height.get().saturating_add(1).to_be_bytes();
        let page = self.store().scan(Table::Decisions, &[], Some(&from), 1)?;
        let Some((key, value)) = page.rows.into_iter().next() else { return Ok(None) };
        let last = key[..].try_into().map(u64::from_be_bytes);
        let last = last.map_err(|_| StoreError::damaged(Table::Decisions, &key, "no height"))?;
        Ok(Some((Height::new(last), value)))
    }

    /// Height of a final block.
    pub fn height_of(&self, hash: &Digest) -> Result<Option<Height>, StoreError> {
        let Some(value) = self.store().get(Table::Heights, hash.as_bytes())? else {
            return Ok(None);
        };
        let height = value[..].try_into().map(u64::from_le_bytes);
        let damaged = |_| StoreError::damaged(Table::Heights, hash.as_bytes(), "no height");
        Ok(Some(Height::new(height.map_err(damaged)?)))
    }

    /// Adds a block that this node is about to vote for, with its Items.
    pub fn put_kept<'a>(
        batch: &mut Batch,
        proposal: &Proposal,
        items: impl IntoIterator<Item = &'a Item>,
    ) {
        let key = block_key(proposal.signed.header.height, &proposal.signed.hash());
        batch.put(Table::Kept, key, proposal.to_bytes());
        items.into_iter().for_each(|item| Self::put_item(batch, item));
    }

    /// Removes a kept block. Which there are is for the caller to know: to look for them among the rows that were
    /// removed before would take longer with every block.
    pub fn drop_kept(batch: &mut Batch, height: Height, hash: &Digest) {
        batch.delete(Table::Kept, block_key(height, hash));
    }

    /// All kept blocks, the lowest first, with their Items.
    pub fn kept(&self) -> Result<Vec<(Proposal, Vec<Item>)>, StoreError> {
        let (mut kept, mut from) = (Vec::new(), None);
        loop {
            let page = self.store().scan(Table::Kept, &[], from.as_deref(), PAGE_ROWS)?;
            for (key, value) in &page.rows {
                let proposal: Proposal = decode(Table::Kept, key, value)?;
                let header = &proposal.signed.header;
                if *key != block_key(header.height, &proposal.signed.hash()) {
                    return Err(StoreError::damaged(Table::Kept, key, "it is another block"));
                }
                let booked = proposal.payload.item_block.as_ref();
                let roots = booked.map_or(&[][..], |booked| &booked.items);
                let items = self.items(roots)?;
                kept.push((proposal, items));
            }
            from = page.next;
            if from.is_none() {
                return Ok(kept);
            }
        }
    }

    /// Items by their roots; one that is missing is damage, because a block that stands here names it.
    pub fn items(&self, roots: &[Digest]) -> Result<Vec<Item>, StoreError> {
        let found = |root: &Digest| {
            let missing = || StoreError::damaged(Table::Items, root.as_bytes(), "a block names it");
            self.item(root)?.ok_or_else(missing)
        };
        roots.iter().map(found).collect()
    }

    /// Adds the certificate of an epoch's anchor.
    pub fn put_certificate(batch: &mut Batch, certificate: &Certificate) {
        let key = certificate.vote.epoch.get().to_be_bytes();
        batch.put(Table::Certificates, key, certificate.to_bytes());
    }

    /// The certificate of an epoch's anchor.
    pub fn certificate(&self, epoch: Epoch) -> Result<Option<Certificate>, StoreError> {
        let certificate = self.value(Table::Certificates, &epoch.get().to_be_bytes())?;
        named(certificate, "a certificate", &epoch, |found: &Certificate| found.vote.epoch)
    }

    /// Adds the data blocks of a window.
    pub fn put_data_blocks(batch: &mut Batch, data_blocks: &[DataBlock]) {
        for block in data_blocks {
            batch.put(Table::DataBlocks, data_block_key(block), block.to_bytes());
        }
    }

    /// The data blocks of a window, in order.
    pub fn data_blocks(&self, epoch: Epoch) -> Result<Vec<DataBlock>, StoreError> {
        let (prefix, mut from) = (epoch.get().to_be_bytes(), None);
        let mut found = Vec::new();
        loop {
            let page = self.store().scan(Table::DataBlocks, &prefix, from.as_deref(), PAGE_ROWS)?;
            for (key, value) in &page.rows {
                let block: DataBlock = decode(Table::DataBlocks, key, value)?;
                if *key != data_block_key(&block) {
                    let why = "it is another data block";
                    return Err(StoreError::damaged(Table::DataBlocks, key, why));
                }
                found.push(block);
            }
            from = page.next;
            if from.is_none() {
                return Ok(found);
            }
        }
    }

    /// Adds the committees of an epoch.
    pub fn put_committees(batch: &mut Batch, epoch: Epoch, committees: Vec<u8>) {
        batch.put(Table::Committees, epoch.get().to_be_bytes(), committees);
    }

    /// The committees of an epoch, as bytes.
    pub fn committees(&self, epoch: Epoch) -> Result<Option<Vec<u8>>, StoreError> {
        self.store().get(Table::Committees, &epoch.get().to_be_bytes())
    }
}

fn data_block_key(block: &DataBlock) -> Vec<u8> {
    [block.epoch.get().to_be_bytes(), block.index.to_be_bytes()].concat()
}
