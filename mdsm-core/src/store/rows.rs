//! Ledger values as rows, and back. [STO-2] [STO-6] [STO-7] [DDB-1] [DDB-2] [DDB-3]
//!
//! ```text
//! table     key                             value
//! Accepted  record id                       envelope (MENV), until it is booked
//! Records   record id                       locator
//! Items     root                            Item (MITM)
//! Blocks    height u64 big endian | hash    block (MBLK)
//! Owners    owner | record id               locator
//! Objects   SHA-256 of the bytes            sealed file (MFIL)
//! Anchors   epoch u32 big endian            anchor (MANC)
//! further ones in `history`
//! locator   "MLOC" 1 | height u64 | Item root [32] | index in the Item u8
//! ```
//! Invariant: what is read has the name it was asked for by, computed anew from its bytes. [DDB-1.9]

use super::Store;
use super::batch::{Batch, Table};
use super::checked::Checked;
use super::error::StoreError;
use crate::codec::{Wire, wire_struct};
use crate::crypto::sha256;
use crate::ledger::{Anchor, Block, Envelope, Item, Verified};
use crate::types::{Digest, Epoch, Height, OwnerId, RecordId};

/// Where a booked record stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Locator {
    /// Height of the block that books it.
    pub height: Height,
    /// Root of its Item.
    pub item: Digest,
    /// Its index in the Item.
    pub index: u8,
}

wire_struct!(Locator { height, item, index });

impl Wire for Locator {
    const TAG: [u8; 4] = *b"MLOC";
    const NAME: &'static str = "Locator";
}

/// Some records in the order of their ids, and the id at which to go on.
pub type Found<T> = (Vec<(RecordId, T)>, Option<RecordId>);

/// Ledger values in a store.
#[derive(Debug)]
pub struct Rows<S> {
    store: S,
}

impl<S: Store> Rows<S> {
    /// Reads and writes a store.
    pub fn new(store: S) -> Self {
        Self { store }
    }

    /// The store.
    pub fn store(&self) -> &S {
        &self.store
    }

    /// Adds an envelope that is accepted when the batch is durable, not before. [STO-2.7]
    pub fn put_accepted(batch: &mut Batch, envelope: &Verified<Envelope>) {
        //= harness/spec/storage.md#sto-2-record-signature-acceptance
        //# STO-2.7 (ours): A delegate MUST have stored a record durably before it acknowledges that
        //# record as accepted.
        batch.put(Table::Accepted, *envelope.record_id().as_bytes(), envelope.to_bytes());
    }

    /// An envelope that is accepted and not booked.
    pub fn accepted(&self, id: &RecordId) -> Result<Option<Envelope>, StoreError> {
        let envelope: Option<Envelope> = self.value(Table::Accepted, id.as_bytes())?;
        named(envelope, "an envelope", id, |envelope| envelope.record.id())
    }

    /// At most `limit` accepted envelopes in the order of their ids, from `from` on, and the id at
    /// which to go on: the pool, after a restart.
    pub fn accepted_from(
        &self,
        from: Option<&RecordId>,
        limit: usize,
    ) -> Result<Found<Envelope>, StoreError> {
        let from = from.map(RecordId::as_bytes);
        let page = self.store.scan(Table::Accepted, &[], from.map(|id| &id[..]), limit)?;
        let mut found = Vec::new();
        for (key, value) in &page.rows {
            let id = record_id(Table::Accepted, key, key)?;
            let envelope = named(
                Some(decode::<Envelope>(Table::Accepted, key, value)?),
                "an envelope",
                &id,
                |envelope| envelope.record.id(),
            )?;
            found.extend(envelope.map(|envelope| (id, envelope)));
        }
        let next = page.next.map(|key| record_id(Table::Accepted, &key, &key)).transpose()?;
        Ok((found, next))
    }

    /// Adds an Item.
    pub fn put_item(batch: &mut Batch, item: &Item) {
        batch.put(Table::Items, *item.root().as_bytes(), item.to_bytes());
    }

    /// The Item with a root.
    pub fn item(&self, root: &Digest) -> Result<Option<Item>, StoreError> {
        named(self.value(Table::Items, root.as_bytes())?, "an Item", root, Item::root)
    }

    /// Adds a block.
    pub fn put_block(batch: &mut Batch, block: &Block) {
        let key = block_key(block.header.height, &block.hash());
        batch.put(Table::Blocks, key, block.to_bytes());
    }

    /// The block with a height and a hash.
    pub fn block(&self, height: Height, hash: &Digest) -> Result<Option<Block>, StoreError> {
        let block = self.value(Table::Blocks, &block_key(height, hash))?;
        named(block, "a block", hash, Block::hash)
    }

    /// At most `limit` blocks of a height, in the order of their hashes.
    pub fn blocks_at(&self, height: Height, limit: usize) -> Result<Vec<Block>, StoreError> {
        let page = self.store.scan(Table::Blocks, &height.get().to_be_bytes(), None, limit)?;
        let mut blocks = Vec::new();
        for (key, value) in &page.rows {
            let block: Block = decode(Table::Blocks, key, value)?;
            let expected = block_key(block.header.height, &block.hash());
            if *key != expected {
                return Err(StoreError::damaged(Table::Blocks, key, "it is another block"));
            }
            blocks.push(block);
        }
        Ok(blocks)
    }

    /// Adds all that the finalization of a block makes known: block, Items, where each record
    /// stands, and which records each owner has; the records leave the pool of accepted ones.
    ///
    /// # Errors
    /// [`StoreError::WrongName`] when the Items are not those of the block, in order.
    pub fn put_finalized(
        batch: &mut Batch,
        block: &Block,
        items: &[Item],
    ) -> Result<(), StoreError> {
        let booked = block.payload.item_block.as_ref().map_or(&[][..], |booked| &booked.items);
        let wrong = |what, expected: String, found: String| {
            Err(StoreError::WrongName { what, expected, found })
        };
        if booked.len() != items.len() {
            let (expected, found) = (items.len().to_string(), booked.len().to_string());
            return wrong("number of Items of a block", expected, found);
        }
        Self::put_block(batch, block);
        for (item, root) in items.iter().zip(booked) {
            if item.root() != *root {
                return wrong("an Item of a block", item.root().to_string(), root.to_string());
            }
            batch.put(Table::Items, *root.as_bytes(), item.to_bytes());
            for (index, envelope) in (0..).zip(item.records.iter()) {
                let id = envelope.record.id();
                let locator = Locator { height: block.header.height, item: *root, index };
                let owner = owner_key(envelope.record.owner(), &id);
                //= harness/spec/storage.md#sto-2-record-signature-acceptance
                //# STO-2.8 (ours): A node MUST NOT report a record as booked before the block that
                //# carries it is finalized.
                batch.put(Table::Owners, owner, locator.to_bytes());
                batch.put(Table::Records, *id.as_bytes(), locator.to_bytes());
                batch.delete(Table::Accepted, *id.as_bytes());
            }
        }
        Ok(())
    }

    /// Where a booked record stands.
    pub fn locate(&self, id: &RecordId) -> Result<Option<Locator>, StoreError> {
        self.value(Table::Records, id.as_bytes())
    }

    /// A booked record, with where it stands.
    pub fn record(&self, id: &RecordId) -> Result<Option<(Locator, Envelope)>, StoreError> {
        let Some(locator) = self.locate(id)? else { return Ok(None) };
        let missing = |why| StoreError::damaged(Table::Items, locator.item.as_bytes(), why);
        let item = self.item(&locator.item)?.ok_or_else(|| missing("a record lies in it"))?;
        let envelope = item.records.get(usize::from(locator.index)).cloned();
        let envelope = envelope.ok_or_else(|| missing("it has no such record"))?;
        let envelope = named(Some(envelope), "a record", id, |envelope| envelope.record.id())?;
        Ok(envelope.map(|envelope| (locator, envelope)))
    }

    /// At most `limit` booked records of an owner in the order of their ids, from `from` on, and the
    /// id at which to go on. Reads rows of this owner only. [STO-7.2] [STO-7.3]
    pub fn records_of(
        &self,
        owner: &OwnerId,
        from: Option<&RecordId>,
        limit: usize,
    ) -> Result<Found<Locator>, StoreError> {
        let from = from.map(|id| owner_key(owner, id));
        //= harness/spec/storage.md#sto-7-owner
        //# STO-7.2 (paper): A look-up by an owner's public key MUST yield every booked record of
        //# this owner and no record of another.
        //= harness/spec/storage.md#sto-7-owner
        //# STO-7.3 (paper): A look-up by an owner's public key SHOULD NOT read records of other
        //# owners.
        let page = self.store.scan(Table::Owners, owner.as_bytes(), from.as_deref(), limit)?;
        let id = |key: &[u8]| record_id(Table::Owners, key, &key[OwnerId::BYTES..]);
        let mut found = Vec::new();
        for (key, value) in &page.rows {
            found.push((id(key)?, decode(Table::Owners, key, value)?));
        }
        Ok((found, page.next.map(|key| id(&key)).transpose()?))
    }

    /// Stores a sealed file under the SHA-256 of its bytes; durable on return. Doing so again
    /// succeeds without effect. [STO-6.3] [DDB-2.3]
    pub fn put_object(&self, digest: &Digest, bytes: &[u8]) -> Result<(), StoreError> {
        //= harness/spec/storage.md#sto-6-content-outside-the-record
        //# STO-6.1 (paper): Content that is too large for an Item, or that its owner wants
        //# encrypted, MUST be stored encrypted in the distributed database, with its digest in the
        //# Item.
        //= harness/spec/storage.md#sto-6-content-outside-the-record
        //# STO-6.3 (ours): The digest of a stored file MUST be the SHA-256 digest of the whole
        //# sealed file, from the first byte of its header to the last byte of its trailer.
        check_name("a sealed file", &sha256(bytes), digest)?;
        match self.object(digest) {
            Ok(Some(_)) => return Ok(()),
            Err(other @ StoreError::WrongName { .. }) => return Err(other),
            // A row that is lost or cannot be read is mended: the bytes at hand are the right ones.
            Ok(None) | Err(_) => {}
        }
        let mut batch = Batch::new();
        batch.put(Table::Objects, *digest.as_bytes(), bytes);
        self.store.commit(batch)
    }

    /// The sealed file with a digest; `None` when it is not stored. [DDB-3.1] [DDB-3.4]
    pub fn object(&self, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
        let bytes = self.store.get(Table::Objects, digest.as_bytes())?;
        //= harness/spec/storage.md#sto-6-content-outside-the-record
        //# STO-6.2 (paper): The digest in the Item MUST serve both as the key under which the
        //# stored file is found and as the check of its integrity.
        named(bytes, "a sealed file", digest, |bytes| sha256(bytes))
    }

    /// Adds the anchor of an epoch.
    pub fn put_anchor(batch: &mut Batch, anchor: &Anchor) {
        batch.put(Table::Anchors, anchor.epoch.get().to_be_bytes(), anchor.to_bytes());
    }

    /// The anchor of an epoch.
    pub fn anchor(&self, epoch: Epoch) -> Result<Option<Anchor>, StoreError> {
        let anchor = self.value(Table::Anchors, &epoch.get().to_be_bytes())?;
        named(anchor, "an anchor", &epoch, |anchor: &Anchor| anchor.epoch)
    }

    pub(super) fn value<T: Wire>(&self, table: Table, key: &[u8]) -> Result<Option<T>, StoreError> {
        self.store.get(table, key)?.map(|value| decode(table, key, &value)).transpose()
    }
}

impl<S: Store> Rows<Checked<S>> {
    /// At most `limit` ids of accepted records in order, from `from` on, and the id at which to go on. That a row is
    /// damaged hides neither its id nor those behind it; one that is missing is not among them.
    pub fn accepted_ids(
        &self,
        from: Option<&RecordId>,
        limit: usize,
    ) -> Result<(Vec<RecordId>, Option<RecordId>), StoreError> {
        let from = from.map(RecordId::as_bytes);
        let page = self.store.store().scan(Table::Accepted, &[], from.map(|id| &id[..]), limit)?;
        let id = |key: &[u8]| record_id(Table::Accepted, key, key);
        let found = page.rows.iter().map(|(key, _)| id(key)).collect::<Result<_, _>>()?;
        Ok((found, page.next.map(|key| id(&key)).transpose()?))
    }
}

/// `height big endian | hash`, so that the order of the keys is that of the heights.
pub(super) fn block_key(height: Height, hash: &Digest) -> Vec<u8> {
    [&height.get().to_be_bytes()[..], hash.as_bytes()].concat()
}

fn owner_key(owner: &OwnerId, id: &RecordId) -> Vec<u8> {
    [&owner.as_bytes()[..], id.as_bytes()].concat()
}

fn record_id(table: Table, key: &[u8], id: &[u8]) -> Result<RecordId, StoreError> {
    let id = id.try_into().map_err(|_| StoreError::damaged(table, key, "no record id"))?;
    Ok(RecordId::new(id))
}

pub(super) fn decode<T: Wire>(table: Table, key: &[u8], value: &[u8]) -> Result<T, StoreError> {
    T::from_bytes(value).map_err(|error| StoreError::damaged(table, key, error))
}

/// The value, if its name is the one it was asked for by.
pub(super) fn named<T, N: PartialEq + ToString>(
    value: Option<T>,
    what: &'static str,
    name: &N,
    name_of: impl Fn(&T) -> N,
) -> Result<Option<T>, StoreError> {
    if let Some(value) = &value {
        check_name(what, &name_of(value), name)?;
    }
    Ok(value)
}

fn check_name<N: PartialEq + ToString>(
    what: &'static str,
    expected: &N,
    found: &N,
) -> Result<(), StoreError> {
    //= harness/spec/database.md#ddb-1-encrypted-files-durable-store
    //# DDB-1.9 (ours): A node MUST compare whatever it reads from its store with the digest under
    //# which it is known, and report a difference instead of the value.
    if expected == found {
        return Ok(());
    }
    let (expected, found) = (expected.to_string(), found.to_string());
    Err(StoreError::WrongName { what, expected, found })
}
