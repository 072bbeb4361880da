//! Ledger values in a store: found by their names, and an owner's records without anybody else's.
//! [STO-2] [STO-6] [STO-7] [DDB-1] [DDB-2] [DDB-3]
#![cfg(all(feature = "node", not(mdsm_loom)))]
#![expect(clippy::unwrap_used, reason = "a failure here is a failure of the test")]

use std::sync::Mutex;

use mdsm_core::codec::Wire;
use mdsm_core::crypto::{sha256, sign::SigningKey};
use mdsm_core::ledger::{
    Anchor, Block, BlockHeader, Content, Envelope, Item, ItemBlock, ItemBlockHeader, Level,
    MediaType, Metadata, Payload, Record, ResourceType, Verified, root_of,
};
use mdsm_core::store::{Batch, Checked, Locator, Memory, Page, Rows, Store, StoreError, Table};
use mdsm_core::types::{
    ChainId, Digest, Epoch, Height, InstitutionId, List, OwnerId, RecordId, Timestamp, View,
};

const CHAIN: ChainId = ChainId::new([9; 32]);

fn owner(seed: u8) -> OwnerId {
    SigningKey::from_seed(&[seed; 32]).owner()
}

fn envelope(seed: u8, text: &str) -> Verified<Envelope> {
    let key = SigningKey::from_seed(&[seed; 32]);
    let metadata = Metadata::new(
        ResourceType::new("Observation").unwrap(),
        MediaType::new("text/plain").unwrap(),
        Timestamp::new(1_000),
        text.len() as u64,
    );
    let record = Record::new(key.owner(), metadata, Content::inline(text).unwrap()).unwrap();
    Envelope::sign(record, &CHAIN, &key, InstitutionId::new(7)).verify(&CHAIN).unwrap()
}

/// A block at a height whose Items hold the envelopes, three in each.
fn block(height: u64, envelopes: &[Verified<Envelope>]) -> (Block, Vec<Item>) {
    let items: Vec<Item> = envelopes
        .chunks(3)
        .map(|chunk| Item {
            records: List::new(chunk.iter().map(|one| one.get().clone()).collect()).unwrap(),
        })
        .collect();
    let (height, producer, timestamp) =
        (Height::new(height), InstitutionId::new(7), Timestamp::new(6_000));
    let roots: Vec<_> = items.iter().map(Item::root).collect();
    let header = ItemBlockHeader {
        chain_id: CHAIN,
        height,
        producer,
        closed_at: timestamp,
        root: root_of(Level::ItemBlock, &roots),
    };
    let roots = List::new(roots).unwrap();
    let payload =
        Payload { item_block: Some(ItemBlock { header, items: roots }), ..Payload::default() };
    let header = BlockHeader {
        chain_id: CHAIN,
        epoch: Epoch::new(0),
        view: View::new(1),
        height,
        parent: Digest::new([1; 32]),
        parent_view: View::new(0),
        timestamp,
        producer,
        payload: payload.commitment(),
    };
    (Block { header, payload }, items)
}

fn ids(envelopes: &[Verified<Envelope>]) -> Vec<RecordId> {
    let mut ids: Vec<RecordId> = envelopes.iter().map(|one| *one.record_id()).collect();
    ids.sort();
    ids
}

/// Notes which rows are handed out.
#[derive(Default)]
struct Counting {
    below: Memory,
    read: Mutex<Vec<(Table, Vec<u8>)>>,
}

impl Store for Counting {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.read.lock().unwrap().push((table, key.to_vec()));
        self.below.get(table, key)
    }

    fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        self.below.commit(batch)
    }

    fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        from: Option<&[u8]>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        let page = self.below.scan(table, prefix, from, limit)?;
        let keys = page.rows.iter().map(|(key, _)| (table, key.clone()));
        self.read.lock().unwrap().extend(keys);
        Ok(page)
    }
}

#[test]
fn sto_7_2_an_owner_has_every_record_of_its_own_and_no_other() {
    //= harness/spec/storage.md#sto-7-owner
    //= type=test
    //# STO-7.2 (paper): A look-up by an owner's public key MUST yield every booked record of this
    //# owner and no record of another.
    let rows = Rows::new(Counting::default());
    let mut of_owner: Vec<Vec<Verified<Envelope>>> = vec![Vec::new(); 3];
    for height in 0..4_u64 {
        let envelopes: Vec<Verified<Envelope>> =
            (0..9_u8).map(|number| envelope(number % 3, &format!("{height} {number}"))).collect();
        for (number, one) in envelopes.iter().enumerate() {
            of_owner[number % 3].push(one.clone());
        }
        let (block, items) = block(height, &envelopes);
        let mut batch = Batch::new();
        Rows::<Memory>::put_finalized(&mut batch, &block, &items).unwrap();
        rows.store().commit(batch).unwrap();
    }
    for (seed, expected) in (0..).zip(&of_owner) {
        let (found, next) = rows.records_of(&owner(seed), None, 1_000).unwrap();
        assert_eq!(next, None);
        let found: Vec<RecordId> = found.into_iter().map(|(id, _)| id).collect();
        assert_eq!(found, ids(expected), "in the order of their ids");
    }
    assert_eq!(rows.records_of(&owner(9), None, 1_000).unwrap(), (vec![], None));
    // Page by page it is the same.
    let (mut paged, mut from) = (Vec::new(), None);
    loop {
        let (page, next) = rows.records_of(&owner(1), from.as_ref(), 5).unwrap();
        assert!(page.len() == 5 || next.is_none());
        paged.extend(page.into_iter().map(|(id, _)| id));
        let Some(next) = next else { break };
        from = Some(next);
    }
    assert_eq!(paged, ids(&of_owner[1]));
    // Every locator leads to the record.
    for (id, locator) in rows.records_of(&owner(2), None, 1_000).unwrap().0 {
        let (located, envelope) = rows.record(&id).unwrap().unwrap();
        assert_eq!((located, envelope.record.id()), (locator, id));
        assert_eq!(*envelope.record.owner(), owner(2));
    }
}

#[test]
fn sto_7_3_a_look_up_by_owner_reads_rows_of_this_owner_only() {
    //= harness/spec/storage.md#sto-7-owner
    //= type=test
    //# STO-7.3 (paper): A look-up by an owner's public key SHOULD NOT read records of other owners.
    let rows = Rows::new(Counting::default());
    let envelopes: Vec<_> = (0..90_u8).map(|n| envelope(n % 30, &n.to_string())).collect();
    let (block, items) = block(0, &envelopes);
    let mut batch = Batch::new();
    Rows::<Memory>::put_finalized(&mut batch, &block, &items).unwrap();
    // Neighbours whose keys differ in their last byte alone.
    for next in [1, 0x80] {
        let mut key = *owner(4).as_bytes();
        key[31] ^= next;
        batch.put(Table::Owners, [&key[..], &[7; 32]].concat(), []);
    }
    rows.store().commit(batch).unwrap();
    let (found, _) = rows.records_of(&owner(4), None, 1_000).unwrap();
    assert_eq!(found.len(), 3);
    let read = rows.store().read.lock().unwrap();
    assert_eq!(read.len(), 3, "as many rows as there are records");
    for (table, key) in read.iter() {
        assert_eq!(*table, Table::Owners);
        assert!(key.starts_with(owner(4).as_bytes()));
    }
}

#[test]
fn sto_2_7_an_accepted_record_is_in_the_pool_after_a_restart_until_it_is_booked() {
    //= harness/spec/storage.md#sto-2-record-signature-acceptance
    //= type=test
    //# STO-2.7 (ours): A delegate MUST have stored a record durably before it acknowledges that
    //# record as accepted.
    let directory = tempfile::tempdir().unwrap();
    let envelopes: Vec<_> = (0..7_u8).map(|n| envelope(n, "pool")).collect();
    {
        let rows = Rows::new(Checked::open_directory(directory.path()).unwrap().0);
        for one in &envelopes {
            let mut batch = Batch::new();
            Rows::<Memory>::put_accepted(&mut batch, one);
            rows.store().commit(batch).unwrap();
        }
    }
    let rows = Rows::new(Checked::open_directory(directory.path()).unwrap().0);
    let (mut pool, mut from) = (Vec::new(), None);
    loop {
        let (page, next) = rows.accepted_from(from.as_ref(), 3).unwrap();
        pool.extend(page.into_iter().map(|(id, _)| id));
        let Some(next) = next else { break };
        from = Some(next);
    }
    assert_eq!(pool, ids(&envelopes));
    let (block, items) = block(5, &envelopes[..4]);
    let mut batch = Batch::new();
    Rows::<Memory>::put_finalized(&mut batch, &block, &items).unwrap();
    rows.store().commit(batch).unwrap();
    let left: Vec<_> =
        rows.accepted_from(None, 9).unwrap().0.into_iter().map(|row| row.0).collect();
    assert_eq!(left, ids(&envelopes[4..]));
    let booked = *envelopes[3].record_id();
    assert_eq!(rows.accepted(&booked).unwrap(), None);
    let item = items[1].root();
    let locator = Locator { height: Height::new(5), item, index: 0 };
    assert_eq!(rows.record(&booked).unwrap().unwrap(), (locator, envelopes[3].get().clone()));
    assert_eq!(rows.locate(envelopes[5].record_id()).unwrap(), None);
}

#[test]
fn blocks_items_and_anchors_are_found_by_their_names() {
    let rows = Rows::new(Memory::new());
    let (first, items) = block(3, &[envelope(1, "a")]);
    let (second, _) = block(3, &[envelope(2, "b")]);
    let (other, _) = block(4, &[envelope(1, "a")]);
    let anchor = Anchor {
        chain_id: CHAIN,
        epoch: Epoch::new(258),
        window: Digest::new([1; 32]),
        head: Digest::new([2; 32]),
        state: Digest::new([3; 32]),
        next_committees: Digest::new([4; 32]),
    };
    let mut batch = Batch::new();
    for block in [&first, &second, &other] {
        Rows::<Memory>::put_block(&mut batch, block);
    }
    Rows::<Memory>::put_item(&mut batch, &items[0]);
    Rows::<Memory>::put_anchor(&mut batch, &anchor);
    rows.store().commit(batch).unwrap();
    let height = Height::new(3);
    assert_eq!(rows.block(height, &first.hash()).unwrap(), Some(first.clone()));
    assert_eq!(rows.block(Height::new(4), &first.hash()).unwrap(), None);
    let mut at = vec![first.clone(), second];
    at.sort_by_key(Block::hash);
    assert_eq!(rows.blocks_at(height, 9).unwrap(), at);
    assert_eq!(rows.item(&items[0].root()).unwrap(), Some(items[0].clone()));
    assert_eq!(rows.anchor(Epoch::new(258)).unwrap(), Some(anchor));
    assert_eq!(rows.anchor(Epoch::new(2)).unwrap(), None);
    let mut batch = Batch::new();
    let wrong = Rows::<Memory>::put_finalized(&mut batch, &other, &[]);
    assert!(matches!(wrong, Err(StoreError::WrongName { .. })));
}

#[test]
fn ddb_1_9_a_value_under_another_name_is_reported_and_not_returned() {
    //= harness/spec/database.md#ddb-1-encrypted-files-durable-store
    //= type=test
    //# DDB-1.9 (ours): A node MUST compare whatever it reads from its store with the digest under
    //# which it is known, and report a difference instead of the value.
    //= harness/spec/storage.md#sto-6-content-outside-the-record
    //= type=test
    //# STO-6.2 (paper): The digest in the Item MUST serve both as the key under which the stored
    //# file is found and as the check of its integrity.
    let store = Memory::new();
    let (one, other) = (envelope(1, "a"), envelope(1, "b"));
    let (block, items) = block(3, std::slice::from_ref(&one));
    let wrong = Digest::new([5; 32]);
    let mut batch = Batch::new();
    batch.put(Table::Accepted, *other.record_id().as_bytes(), one.get().to_bytes());
    batch.put(Table::Items, *wrong.as_bytes(), items[0].to_bytes());
    let key = [&3_u64.to_be_bytes()[..], wrong.as_bytes()].concat();
    batch.put(Table::Blocks, key, block.to_bytes());
    batch.put(Table::Objects, *wrong.as_bytes(), b"another file");
    store.commit(batch).unwrap();
    let rows = Rows::new(store);
    let is_wrong = |error: StoreError| matches!(error, StoreError::WrongName { .. });
    assert!(is_wrong(rows.accepted(other.record_id()).unwrap_err()));
    assert!(is_wrong(rows.item(&wrong).unwrap_err()));
    assert!(is_wrong(rows.block(Height::new(3), &wrong).unwrap_err()));
    assert!(is_wrong(rows.object(&wrong).unwrap_err()));
    assert!(matches!(rows.blocks_at(Height::new(3), 1), Err(StoreError::Damaged { .. })));
}

#[test]
fn ddb_1_9_a_changed_row_is_reported_and_not_returned() {
    //= harness/spec/database.md#ddb-1-encrypted-files-durable-store
    //= type=test
    //# DDB-1.9 (ours): A node MUST compare whatever it reads from its store with the digest under
    //# which it is known, and report a difference instead of the value.
    let directory = tempfile::tempdir().unwrap();
    let witness = directory.path().join("witness.log");
    let (store, _) = Checked::open(|| Ok(Memory::new()), witness).unwrap();
    let row = |key: u8, value: &[u8]| {
        let mut batch = Batch::new();
        batch.put(Table::Items, [key], value);
        batch
    };
    store.commit(row(1, b"value")).unwrap();
    store.commit(row(2, b"other")).unwrap();
    let [stored, other] =
        [1, 2].map(|key| store.store().get(Table::Items, &[key]).unwrap().unwrap());
    let damaged = |bytes: &[u8]| {
        store.store().commit(row(1, bytes)).unwrap();
        let read = store.get(Table::Items, &[1]);
        let scanned = store.scan(Table::Items, &[], None, 9);
        let is_damaged = |error| matches!(error, Some(StoreError::Damaged { .. }));
        is_damaged(read.err()) && is_damaged(scanned.err())
    };
    for at in 0..stored.len() {
        let mut changed = stored.clone();
        changed[at] ^= 1;
        assert!(damaged(&changed), "byte {at}");
        assert!(damaged(&stored[..at]), "cut at {at}");
    }
    assert!(damaged(&other), "the row of another key");
    assert!(damaged(&[&stored[..], &[0]].concat()), "longer");
    assert!(!damaged(&stored));
}

#[test]
fn ddb_2_3_a_file_is_stored_under_its_own_digest_and_once() {
    //= harness/spec/storage.md#sto-6-content-outside-the-record
    //= type=test
    //# STO-6.2 (paper): The digest in the Item MUST serve both as the key under which the stored
    //# file is found and as the check of its integrity.
    //= harness/spec/storage.md#sto-6-content-outside-the-record
    //= type=test
    //# STO-6.3 (ours): The digest of a stored file MUST be the SHA-256 digest of the whole sealed
    //# file, from the first byte of its header to the last byte of its trailer.
    let directory = tempfile::tempdir().unwrap();
    let rows = Rows::new(Checked::open_directory(directory.path()).unwrap().0);
    let file = vec![0x5a; 100_000];
    let digest = sha256(&file);
    assert_eq!(rows.object(&digest).unwrap(), None, "absent is no error: DDB-3.4");
    rows.put_object(&digest, &file).unwrap();
    let commits = rows.store().commits();
    rows.put_object(&digest, &file).unwrap();
    assert_eq!(rows.store().commits(), commits, "the second time nothing is written");
    assert_eq!(rows.object(&digest).unwrap(), Some(file.clone()), "found by its digest: DDB-3.1");
    let refused = rows.put_object(&digest, b"a different file");
    assert!(matches!(refused, Err(StoreError::WrongName { .. })));
    assert_eq!(rows.object(&digest).unwrap(), Some(file.clone()));

    // A different file that lies under the digest already is not overwritten.
    let store = Memory::new();
    let mut batch = Batch::new();
    batch.put(Table::Objects, *digest.as_bytes(), b"a different file");
    store.commit(batch).unwrap();
    let refused = Rows::new(store).put_object(&digest, &file);
    assert!(matches!(refused, Err(StoreError::WrongName { .. })));
}

#[test]
fn the_tables_of_the_store_itself_and_what_is_too_large_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let (store, _) = Checked::open_directory(directory.path()).unwrap();
    let mut batch = Batch::new();
    batch.put(Table::Commits, [0; 8], []);
    let reserved = Err(StoreError::Reserved { table: Table::Commits });
    assert_eq!(store.commit(batch), reserved);
    assert!(matches!(store.get(Table::Commits, &[0; 8]), Err(StoreError::Reserved { .. })));
    let mut batch = Batch::new();
    batch.put(Table::Items, [0; 256], []);
    assert!(matches!(store.commit(batch), Err(StoreError::TooLarge { bytes: 256, .. })));
    // Neither stands in the way of the next one.
    let mut batch = Batch::new();
    batch.put(Table::Items, [0; 255], []);
    store.commit(batch).unwrap();
    assert_eq!(store.get(Table::Items, &[0; 255]).unwrap(), Some(vec![]));
}

#[test]
fn sto_2_8_an_accepted_record_is_not_a_booked_one() {
    //= harness/spec/storage.md#sto-2-record-signature-acceptance
    //= type=test
    //# STO-2.8 (ours): A node MUST NOT report a record as booked before the block that carries it is
    //# finalized.
    let rows = Rows::new(Memory::new());
    let accepted = envelope(1, "accepted");
    let (id, owner) = (*accepted.record_id(), owner(1));
    let mut batch = Batch::new();
    Rows::<Memory>::put_accepted(&mut batch, &accepted);
    rows.store().commit(batch).unwrap();
    assert!(rows.accepted(&id).unwrap().is_some());
    assert_eq!((rows.locate(&id).unwrap(), rows.record(&id).unwrap()), (None, None));
    assert_eq!(rows.records_of(&owner, None, 10).unwrap(), (vec![], None));
    let (block, items) = block(1, &[accepted]);
    let mut batch = Batch::new();
    Rows::<Memory>::put_finalized(&mut batch, &block, &items).unwrap();
    rows.store().commit(batch).unwrap();
    assert!(rows.record(&id).unwrap().is_some());
    assert_eq!(rows.records_of(&owner, None, 10).unwrap().0.len(), 1);
    assert!(rows.accepted(&id).unwrap().is_none(), "it left the pool");
}
