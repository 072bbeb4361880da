//! Damage to any file of a store is without effect or reported, never a wrong or a missing row.
//! [DDB-1.9] [DDB-1.10]
#![cfg(all(feature = "node", not(mdsm_loom)))]
#![expect(clippy::unwrap_used, reason = "a failure here is a failure of the test")]

mod store_support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use mdsm_core::store::{Batch, Checked, Lsm, Memory, Store, StoreError, Table};
use store_support::{Model, Seeded, open};

/// The damaged places follow from it.
const SEED: u64 = 0x4d44_534d;

/// Tables that the rows of the test lie in.
const TABLES: [Table; 3] = [Table::Accepted, Table::Items, Table::Owners];

/// Makes a store with rows in table files, in files of large values, and in the journal; among them
/// rows that were written twice and rows that were removed, before and after the tables were written.
fn make(directory: &Path) -> Model {
    let mut random = Seeded(SEED);
    let mut model = Model::new();
    for stage in 0..3 {
        let (store, _) = open(directory).unwrap();
        for _ in 0..30 {
            let mut batch = Batch::new();
            for _ in 0..=random.below(4) {
                let table = TABLES[random.below(TABLES.len())];
                let key = vec![0x11, u8::try_from(random.below(120)).unwrap()];
                if random.below(5) == 0 {
                    batch.delete(table, key.clone());
                    model.remove(&(table, key));
                } else {
                    let bytes = if random.below(20) == 0 { 20_000 } else { 20 + random.below(300) };
                    let value = vec![u8::try_from(random.below(256)).unwrap(); bytes];
                    batch.put(table, key.clone(), value.clone());
                    model.insert((table, key), value);
                }
            }
            store.commit(batch).unwrap();
        }
        if stage < 2 {
            store.store().flush().unwrap();
        }
    }
    // The engine gives a new journal 64 MiB of nothing and cuts it off at the next opening.
    drop(open(directory).unwrap());
    model
}

/// All files below a directory, relative to it.
fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![directory.to_path_buf()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.push(path.strip_prefix(directory).unwrap().to_path_buf());
            }
        }
    }
    found.sort();
    found
}

fn copy(from: &Path, to: &Path) {
    for directory in files(from).iter().filter_map(|file| file.parent()) {
        fs::create_dir_all(to.join(directory)).unwrap();
    }
    // The engine expects its directories also when they are empty.
    for keyspace in fs::read_dir(from.join("rows/keyspaces")).unwrap() {
        let name = keyspace.unwrap().file_name();
        for part in ["tables", "blobs"] {
            if from.join("rows/keyspaces").join(&name).join(part).is_dir() {
                fs::create_dir_all(to.join("rows/keyspaces").join(&name).join(part)).unwrap();
            }
        }
    }
    for file in files(from) {
        fs::copy(from.join(&file), to.join(&file)).unwrap();
    }
}

#[derive(Clone, Copy, Debug)]
enum Damage {
    Flip { byte: usize, bit: u8 },
    Zero { from: usize, bytes: usize },
    Cut { length: usize },
    Remove,
}

impl Damage {
    /// Damages a file; whether that changed anything.
    fn apply(self, file: &Path) -> bool {
        let before = fs::read(file).unwrap();
        let mut after = before.clone();
        match self {
            Self::Flip { byte, bit } => after[byte] ^= 1 << bit,
            Self::Zero { from, bytes } => {
                let end = (from + bytes).min(after.len());
                after[from..end].fill(0);
            }
            Self::Cut { length } => after.truncate(length),
            Self::Remove => {
                fs::remove_file(file).unwrap();
                return true;
            }
        }
        fs::write(file, &after).unwrap();
        before != after
    }
}

/// Places in a file, spread over all of it, more of them where damage is known to be silent.
fn damages(file: &Path, bytes: usize, random: &mut Seeded) -> Vec<Damage> {
    let mut damages = vec![Damage::Remove];
    if bytes == 0 {
        return damages;
    }
    let is_journal =
        file.extension().is_some_and(|extension| extension == "jnl" || extension == "log");
    let flips = if is_journal { 220 } else { 40 };
    for index in 0..flips {
        // One in each of as many equal parts of the file.
        let byte = (bytes * index + random.below(bytes)) / flips;
        damages.push(Damage::Flip { byte, bit: u8::try_from(random.below(8)).unwrap() });
    }
    for _ in 0..6 {
        damages.push(Damage::Zero { from: random.below(bytes), bytes: 64 });
        damages.push(Damage::Cut { length: random.below(bytes) });
    }
    damages.push(Damage::Zero { from: 0, bytes });
    damages.push(Damage::Cut { length: 0 });
    damages
}

/// Damages that are tried, at least.
const DAMAGES_MIN: usize = 1_000;

/// What came of a damage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    WithoutEffect,
    OpeningRefused,
    ReportedAtOpening,
    ReadingRefused,
}

/// Opens a damaged store and reads all of it; panics when a wrong value, or nothing in the place of
/// a row, comes without a report.
fn judge(directory: &Path, model: &Model, what: &str) -> Outcome {
    let (store, opened) = match open(directory) {
        Ok(opened) => opened,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return Outcome::OpeningRefused;
        }
    };
    let mut refused = Vec::new();
    for table in TABLES {
        for key in (0..=255).map(|key| vec![0x11, key]) {
            let name = (table, key);
            match store.get(table, &name.1) {
                Ok(found) => assert_eq!(found.as_ref(), model.get(&name), "{what}: {name:02x?}"),
                Err(error) => {
                    let key = format!("11{:02x}", name.1[1]);
                    assert!(error.to_string().contains(&key), "{what}: {error} names no row");
                    refused.push(name);
                }
            }
        }
        let expected: Vec<_> = model
            .iter()
            .filter(|((of, _), _)| *of == table)
            .map(|((_, key), value)| (key.clone(), value.clone()))
            .collect();
        if let Ok(page) = store.scan(table, &[0x11], None, 1_000) {
            assert_eq!((page.rows, page.next), (expected, None), "{what}: scan of {table:?}");
        }
    }
    // The walk over everything finds at least what reading found, of rows that were ever written.
    let found = store.check().unwrap();
    for name in &refused {
        let is_found = found.iter().any(|loss| (loss.table, &loss.key) == (name.0, &name.1));
        assert!(is_found || !model.contains_key(name), "{what}: check passes over {name:02x?}");
    }
    for loss in &opened.lost {
        assert!(refused.contains(&(loss.table, loss.key.clone())), "{what}: {loss:?} can be read");
    }
    match (opened.lost.is_empty() && opened.torn.is_none(), refused.is_empty()) {
        (false, _) => Outcome::ReportedAtOpening,
        (true, false) => Outcome::ReadingRefused,
        (true, true) => Outcome::WithoutEffect,
    }
}

#[test]
fn ddb_1_10_damage_anywhere_is_reported_or_without_effect() {
    //= harness/spec/database.md#ddb-1-encrypted-files-durable-store
    //= type=test
    //# DDB-1.10 (ours): A node that opens a damaged or shortened store MUST report which heights
    //# and which records are lost.
    //= harness/spec/database.md#ddb-1-encrypted-files-durable-store
    //= type=test
    //# DDB-1.9 (ours): A node MUST compare whatever it reads from its store with the digest under
    //# which it is known, and report a difference instead of the value.
    let whole = tempfile::tempdir().unwrap();
    let model = make(whole.path());
    let mut random = Seeded(SEED);
    let mut outcomes: BTreeMap<(String, Outcome), usize> = BTreeMap::new();
    let undamaged = tempfile::tempdir().unwrap();
    copy(whole.path(), undamaged.path());
    assert_eq!(judge(undamaged.path(), &model, "undamaged"), Outcome::WithoutEffect);

    for file in files(whole.path()) {
        let bytes = usize::try_from(fs::metadata(whole.path().join(&file)).unwrap().len()).unwrap();
        for damage in damages(&file, bytes, &mut random) {
            let damaged = tempfile::tempdir().unwrap();
            copy(whole.path(), damaged.path());
            if !damage.apply(&damaged.path().join(&file)) {
                continue;
            }
            let what = format!("seed {SEED:#x}, {} ({bytes} bytes), {damage:?}", file.display());
            let outcome = judge(damaged.path(), &model, &what);
            *outcomes.entry((file.display().to_string(), outcome)).or_default() += 1;
        }
    }
    let mut kinds: BTreeMap<Outcome, usize> = BTreeMap::new();
    for ((file, outcome), count) in &outcomes {
        println!("{count:4} {outcome:?} {file}");
        *kinds.entry(*outcome).or_default() += count;
    }
    println!("{kinds:?}");
    // Each way to end has been seen, so that none of the checks above is empty.
    assert_eq!(kinds.len(), 4, "{kinds:?}");
    assert!(kinds.values().sum::<usize>() >= DAMAGES_MIN, "{kinds:?}");
}

/// The canary: without witness and digests the same damage goes unnoticed, and rows are missing.
#[test]
fn the_engine_alone_loses_rows_without_a_word() {
    let directory = tempfile::tempdir().unwrap();
    let model = make(directory.path());
    let journal = files(directory.path())
        .into_iter()
        .find(|file| file.extension().is_some_and(|extension| extension == "jnl"))
        .unwrap();
    let path = directory.path().join(journal);
    // The kind of the first entry of a batch becomes one that does not exist.
    let bytes = fs::read(&path).unwrap();
    let end_of_batch = b"FJL\x03";
    let batch = bytes.len() * 3 / 4
        + bytes[bytes.len() * 3 / 4..].windows(4).position(|found| found == end_of_batch).unwrap();
    assert!(Damage::Flip { byte: batch + 4, bit: 6 }.apply(&path));
    let store = Lsm::open(directory.path().join("rows")).unwrap();
    let missing = model.keys().filter(|(table, key)| store.get(*table, key) == Ok(None)).count();
    drop(store);
    assert!(missing > 0, "the engine has learnt to keep rows behind a damaged place");

    let (store, opened) = open(directory.path()).unwrap();
    assert!(opened.lost.len() >= missing);
    // What was lost is fetched elsewhere and written again; then it is read, also after a restart.
    for loss in &opened.lost {
        let lost = store.get(loss.table, &loss.key);
        assert!(matches!(lost, Err(StoreError::Lost { .. })), "{lost:?}");
        let mut batch = Batch::new();
        match model.get(&(loss.table, loss.key.clone())) {
            Some(value) => batch.put(loss.table, loss.key.clone(), value.clone()),
            None => batch.delete(loss.table, loss.key.clone()),
        }
        store.commit(batch).unwrap();
    }
    for round in 0..2 {
        for ((table, key), value) in &model {
            assert_eq!(store.get(*table, key).unwrap().as_ref(), Some(value), "round {round}");
        }
        assert_eq!(store.check().unwrap(), []);
    }
    drop(store);
    let (_, opened) = open(directory.path()).unwrap();
    assert_eq!(opened.lost, []);
    assert!(!opened.suspicious.is_empty(), "the lost commits stay lost, their rows are not");
}

#[test]
fn ddb_1_10_a_store_beyond_opening_is_named_row_by_row_by_its_witness() {
    //= harness/spec/database.md#ddb-1-encrypted-files-durable-store
    //= type=test
    //# DDB-1.10 (ours): A node that opens a damaged or shortened store MUST report which heights
    //# and which records are lost.
    let directory = tempfile::tempdir().unwrap();
    let model = make(directory.path());
    fs::write(directory.path().join("rows/version"), b"").unwrap();
    assert!(matches!(open(directory.path()), Err(StoreError::Engine { .. })));
    fs::remove_dir_all(directory.path().join("rows")).unwrap();
    let (_, opened) = open(directory.path()).unwrap();
    let lost: Vec<_> = opened.lost.iter().map(|loss| (loss.table, loss.key.clone())).collect();
    assert!(lost.iter().eq(model.keys()), "all rows there were, and no others");
}

#[test]
fn ddb_1_10_a_lost_witness_is_reported_and_the_rows_are_saved() {
    let directory = tempfile::tempdir().unwrap();
    let model = make(directory.path());
    let witness = directory.path().join("witness.log");
    assert!(Damage::Flip { byte: 600, bit: 3 }.apply(&witness));
    let error = open(directory.path()).unwrap_err().to_string();
    assert!(error.contains("witness.log is damaged at byte"), "{error}");
    fs::remove_file(&witness).unwrap();
    let short = StoreError::WitnessShort { witnessed: 0, store_tip: 89 };
    assert_eq!(open(directory.path()).map(|_| ()), Err(short));

    let saved = tempfile::tempdir().unwrap();
    let (store, _) = open(saved.path()).unwrap();
    let salvaged = store.salvage(&Lsm::open(directory.path().join("rows")).unwrap()).unwrap();
    assert_eq!((salvaged.damaged, salvaged.cut_short), (vec![], vec![]));
    assert_eq!(salvaged.rows, model.len() as u64);
    assert_eq!(judge_open(&store, &model), model.len());
}

/// Rows of the model that a store has.
fn judge_open(store: &impl Store, model: &Model) -> usize {
    model
        .iter()
        .filter(|((table, key), value)| store.get(*table, key).unwrap().as_ref() == Some(value))
        .count()
}

/// The digests do not lean on those of the engine: here the store below has none.
#[test]
fn ddb_1_9_a_value_that_changed_below_is_reported_by_get_scan_and_check() {
    let directory = tempfile::tempdir().unwrap();
    let witness = directory.path().join("witness.log");
    let (store, _) = Checked::open(|| Ok(Memory::new()), &witness).unwrap();
    let mut batch = Batch::new();
    batch.put(Table::Items, b"a", b"one");
    batch.put(Table::Items, b"b", b"two");
    store.commit(batch).unwrap();
    let stored = store.store().get(Table::Items, b"a").unwrap().unwrap();
    let mut below = Batch::new();
    below.put(Table::Items, b"b", stored);
    store.store().commit(below).unwrap();

    assert_eq!(store.get(Table::Items, b"a").unwrap().unwrap(), b"one");
    assert!(matches!(store.get(Table::Items, b"b"), Err(StoreError::Damaged { .. })));
    assert!(matches!(store.scan(Table::Items, b"", None, 9), Err(StoreError::Damaged { .. })));
    assert_eq!(store.scan(Table::Items, b"a", None, 9).unwrap().rows.len(), 1);
    let lost = store.check().unwrap();
    assert_eq!(lost.len(), 1);
    assert_eq!((lost[0].table, &lost[0].key[..], lost[0].commit), (Table::Items, &b"b"[..], 0));
    assert!(matches!(store.get(Table::Items, b"b"), Err(StoreError::Lost { .. })));
    let mut batch = Batch::new();
    batch.put(Table::Items, b"b", b"two");
    store.commit(batch).unwrap();
    assert_eq!(store.get(Table::Items, b"b").unwrap().unwrap(), b"two");
    assert_eq!(store.check().unwrap(), []);
}
