//! Reads all that an institution has on its disk, and names what is damaged. [DDB-1.9] [DDB-1.10]
//!
//! The log of consensus, every row of the store against its digest, and every block against its parent, its
//! payload, its Items and the places of its records. Files: [`Objects::check`](crate::objects::Objects::check).
//!
//! Of certificates and signatures nothing is said here: a damaged one is a damaged row, and a node that starts
//! holds them against the network. Opening a store that a crash has torn mends it as a node would.

use super::books::{Books, BooksError};
use super::home::{Home, HomeError};
use super::journal::{Journal, JournalError};
use crate::ledger::{Item, Proposal};
use crate::log::LogError;
use crate::store::{Loss, StoreError, Table};
use crate::types::{Digest, Height, OwnerId};

/// Heights that are tried one by one behind a row that cannot be read; no decision holds more blocks.
const HEIGHTS_MAX: u64 = 65_536;

/// What was found on a disk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inspection {
    /// Things that the log of consensus remembers.
    pub remembered: u64,
    /// Acknowledged commits of the store.
    pub commits: u64,
    /// Blocks of the chain.
    pub blocks: u64,
    /// Items of these blocks.
    pub items: u64,
    /// Records in them.
    pub records: u64,
    /// What is wrong, a line each.
    pub damaged: Vec<String>,
}

/// Reads everything in a home. A node that runs keeps its log locked: it is stopped before.
///
/// # Errors
/// When a file is open elsewhere, or [`HomeError::NoHome`].
pub fn inspect(home: &Home) -> Result<Inspection, HomeError> {
    let mut inspection = Inspection::default();
    let (journal, store) = (home.journal(), home.store());
    home.check()?;
    if !journal.exists() {
        inspection.tell(format!("{}: missing", journal.display()));
    } else {
        match Journal::check(&journal) {
            Ok(held) => inspection.remembered = held,
            Err(error @ JournalError::Log(LogError::Locked { .. })) => return Err(error.into()),
            Err(error) => inspection.tell(format!("log of consensus: {error}")),
        }
    }
    // Opening makes what is not there, and then nothing would be missing.
    for part in ["rows", "witness.log"].map(|part| store.join(part)) {
        if !part.exists() {
            inspection.tell(format!("{}: missing", part.display()));
            return Ok(inspection);
        }
    }
    match Books::open(&store) {
        Ok((books, opened)) => {
            inspection.commits = opened.commits;
            inspection.rows(&books);
            inspection.chain(&books);
        }
        Err(error @ StoreError::Witness(LogError::Locked { .. })) => return Err(error.into()),
        Err(error) => inspection.tell(format!("store: cannot be opened: {error}")),
    }
    Ok(inspection)
}

impl Inspection {
    fn tell(&mut self, what: String) {
        // A row is read on several ways, and told once.
        if !self.damaged.contains(&what) {
            self.damaged.push(what);
        }
    }

    //= harness/spec/database.md#ddb-1-encrypted-files-durable-store
    //# DDB-1.10 (ours): A node that opens a damaged or shortened store MUST report which heights and
    //# which records are lost.
    fn rows(&mut self, books: &Books) {
        match books.rows().store().check() {
            Ok(lost) => lost.iter().for_each(|loss| self.tell(line(loss))),
            Err(error) => self.tell(format!("store: cannot be read: {error}")),
        }
    }

    fn chain(&mut self, books: &Books) {
        let (mut height, mut parent) = (0_u64, None);
        let mut tried = 0;
        loop {
            match books.decision_above(Height::new(height)) {
                Ok(None) => return,
                Ok(Some(decision)) => {
                    tried = 0;
                    for block in decision.blocks.iter() {
                        self.block(books, block, height, parent);
                        height = block.signed.header.height.get();
                        parent = Some(block.signed.hash());
                    }
                }
                Err(error) => {
                    self.tell(format!("chain above height {height}: {error}"));
                    // What follows is looked at, without the link to what is lost.
                    height = match error {
                        BooksError::Decision { last, .. } => last.get().max(height + 1),
                        BooksError::Store(_) => height + 1,
                    };
                    (parent, tried) = (None, tried + 1);
                    if tried > HEIGHTS_MAX {
                        return;
                    }
                }
            }
        }
    }

    fn block(&mut self, books: &Books, block: &Proposal, below: u64, parent: Option<Digest>) {
        let (header, hash) = (&block.signed.header, block.signed.hash());
        let height = header.height;
        self.blocks += 1;
        let mut wrong = |why: String| self.tell(format!("block at height {height}, {hash}: {why}"));
        if parent.is_some_and(|parent| parent != header.parent) {
            wrong(format!("its parent is {}, the block below is another", header.parent));
        }
        if parent.is_some() && below.checked_add(1) != Some(height.get()) {
            wrong(format!("it follows height {below}"));
        }
        if block.payload.commitment() != header.payload {
            wrong("its header commits to another payload".to_owned());
        }
        match books.rows().block(height, &hash) {
            Ok(Some(_)) => {}
            Ok(None) => wrong("its row is missing".to_owned()),
            Err(error) => wrong(error.to_string()),
        }
        match books.rows().height_of(&hash) {
            Ok(Some(found)) if found == height => {}
            Ok(found) => wrong(format!("is found by its hash at {found:?}")),
            Err(error) => wrong(error.to_string()),
        }
        let booked = block.payload.item_block.as_ref();
        for root in booked.into_iter().flat_map(|booked| booked.items.iter()) {
            self.items += 1;
            match books.rows().item(root) {
                Ok(Some(item)) => self.records(books, height, root, &item),
                Ok(None) => self.tell(format!("Item {root} of height {height}: missing")),
                Err(error) => self.tell(format!("Item {root} of height {height}: {error}")),
            }
        }
    }

    fn records(&mut self, books: &Books, height: Height, root: &Digest, item: &Item) {
        for (index, envelope) in (0_u8..).zip(item.records.iter()) {
            self.records += 1;
            let id = envelope.record.id();
            let mut wrong =
                |why: String| self.tell(format!("record {id} of height {height}: {why}"));
            let place = match books.rows().locate(&id) {
                Ok(Some(place)) => place,
                Ok(None) => {
                    wrong("it is not found by its id".to_owned());
                    continue;
                }
                Err(error) => {
                    wrong(error.to_string());
                    continue;
                }
            };
            if (place.height, place.item, place.index) != (height, *root, index) {
                wrong(format!("it is said to stand at {place:?}"));
            }
            match books.rows().records_of(envelope.record.owner(), Some(&id), 1) {
                Ok((found, _)) if found.first() == Some(&(id, place)) => {}
                Ok(_) => wrong("it is not found by its owner".to_owned()),
                Err(error) => wrong(error.to_string()),
            }
        }
    }
}

/// A lost row in words: heights and records by their names.
fn line(loss: &Loss) -> String {
    let Loss { commit, table, key, fault } = loss;
    format!("{}: {fault} (written by commit {commit})", name(*table, key))
}

fn name(table: Table, key: &[u8]) -> String {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let height = || key.first_chunk().map(|height| u64::from_be_bytes(*height));
    let epoch = || key.first_chunk().map(|epoch| u32::from_be_bytes(*epoch));
    let known = match table {
        Table::Accepted => Some(format!("accepted record {}", hex(key))),
        Table::Records => Some(format!("place of record {}", hex(key))),
        Table::Items => Some(format!("Item {}", hex(key))),
        Table::Objects => Some(format!("file {}", hex(key))),
        Table::Heights => Some(format!("height of block {}", hex(key))),
        Table::Blocks => {
            height().map(|height| format!("block at height {height}, {}", hex(&key[8..])))
        }
        Table::Kept => {
            height().map(|height| format!("kept block at height {height}, {}", hex(&key[8..])))
        }
        Table::Decisions => height().map(|height| format!("decision up to height {height}")),
        Table::Owners => key
            .split_at_checked(OwnerId::BYTES)
            .map(|(owner, id)| format!("record {} of owner {}", hex(id), hex(owner))),
        Table::Anchors => epoch().map(|epoch| format!("anchor of epoch {epoch}")),
        Table::Certificates => epoch().map(|epoch| format!("certificate of epoch {epoch}")),
        Table::DataBlocks => {
            epoch().map(|epoch| format!("data block of epoch {epoch}, {}", hex(key)))
        }
        Table::Committees => epoch().map(|epoch| format!("committees of epoch {epoch}")),
        _ => None,
    };
    known.unwrap_or_else(|| format!("row {} of {table:?}", hex(key)))
}
