//! What the tests of the store share: a process that writes until it is stopped, and seeds.
#![allow(dead_code, clippy::allow_attributes, reason = "each test file uses a part of it")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};

use mdsm_core::crypto::sha256;
use mdsm_core::store::{Batch, Checked, Lsm, Opened, Store, StoreError, Table};

/// Directory in which the child writes; unset in every other process.
pub(crate) const CHILD_DIRECTORY: &str = "MDSM_STORE_CHILD_DIRECTORY";
/// What the child puts before its keys, so that those of all rounds differ.
pub(crate) const CHILD_ROUND: &str = "MDSM_STORE_CHILD_ROUND";
/// Bytes of the largest value the child writes.
pub(crate) const CHILD_VALUE_BYTES: &str = "MDSM_STORE_CHILD_VALUE_BYTES";

/// Commits of the child between two that write table files; 0 for never.
pub(crate) const CHILD_FLUSH: &str = "MDSM_STORE_CHILD_FLUSH";

/// This test program, told to run the ignored test `child_writer` alone.
pub(crate) fn child(directory: &Path, round: usize, value_bytes: usize, flush: u64) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "child_writer", "--ignored", "--nocapture", "--test-threads=1"]);
    command.env(CHILD_DIRECTORY, directory).env(CHILD_ROUND, round.to_string());
    command.env(CHILD_VALUE_BYTES, value_bytes.to_string());
    command.env(CHILD_FLUSH, flush.to_string());
    command
}

/// Writes with three threads until it is killed or a commit fails; says what was acknowledged.
///
/// Commit i of a thread puts row i and, every fifth time, removes row i - 3 with it.
pub(crate) fn run_child() {
    let Some(directory) = std::env::var_os(CHILD_DIRECTORY) else { return };
    let round = std::env::var(CHILD_ROUND).unwrap();
    let value_bytes: usize = std::env::var(CHILD_VALUE_BYTES).unwrap().parse().unwrap();
    let flush: u64 = std::env::var(CHILD_FLUSH).unwrap().parse().unwrap();
    say("@opening");
    let store = match Checked::open_directory(directory) {
        Ok((store, _)) => store,
        Err(error) => return say(&format!("@failed {error}")),
    };
    let commits = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for thread in 0..3 {
            let (store, round, commits) = (&store, &round, &commits);
            scope.spawn(move || {
                for number in 0_u64.. {
                    let key = |number: u64| format!("{round}.{thread}.{number}");
                    let mut batch = Batch::new();
                    batch.put(Table::Items, key(number), value_of(&key(number), value_bytes));
                    let is_removing = number % 5 == 4;
                    if is_removing {
                        batch.delete(Table::Items, key(number - 3));
                    }
                    if let Err(error) = store.commit(batch) {
                        return say(&format!("@failed {error}"));
                    }
                    say(&format!("@ack {}", key(number)));
                    // Table files are written meanwhile, so that kills hit that as well.
                    let commits = commits.fetch_add(1, Ordering::Relaxed) + 1;
                    if flush != 0
                        && commits.is_multiple_of(flush)
                        && let Err(error) = store.store().flush()
                    {
                        return say(&format!("@failed {error}"));
                    }
                }
            });
        }
    });
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    // Nobody may be listening any more.
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// The value of a row, up to `bytes_max` bytes, from its key.
pub(crate) fn value_of(key: &str, bytes_max: usize) -> Vec<u8> {
    let seed = sha256(key.as_bytes());
    let bytes = usize::from(u16::from_le_bytes([seed.as_bytes()[0], seed.as_bytes()[1]]));
    seed.as_bytes().iter().copied().cycle().take(bytes % bytes_max + 1).collect()
}

/// Rows that the child had acknowledged.
#[derive(Default)]
pub(crate) struct Acknowledged {
    rows: BTreeSet<String>,
}

impl Acknowledged {
    /// Takes a line of the child's output; whether it was an acknowledgement.
    pub(crate) fn take(&mut self, line: &str) -> bool {
        let Some((_, key)) = line.split_once("@ack ") else { return false };
        assert!(self.rows.insert(key.to_owned()), "{key} was acknowledged twice");
        true
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Every acknowledged row is there with its value, every acknowledged removal has happened, and
    /// of the commits that were under way each has happened as a whole or not at all.
    pub(crate) fn check(&self, store: &impl Store, value_bytes: usize) {
        for key in &self.rows {
            let found = store.get(Table::Items, key.as_bytes()).unwrap();
            let (thread, number) = key.rsplit_once('.').unwrap();
            let number: u64 = number.parse().unwrap();
            let remover = (number % 5 == 1).then(|| format!("{thread}.{}", number + 3));
            let is_removed = match &remover {
                Some(remover) if self.rows.contains(remover) => true,
                Some(remover) => store.get(Table::Items, remover.as_bytes()).unwrap().is_some(),
                None => false,
            };
            if is_removed {
                assert_eq!(found, None, "{key} was removed");
            } else {
                assert_eq!(found, Some(value_of(key, value_bytes)), "{key} was acknowledged");
            }
        }
    }
}

/// Random numbers from a seed: splitmix64.
pub(crate) struct Seeded(pub u64);

impl Seeded {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `end`, which is not 0.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }
}

/// What a store should hold.
pub(crate) type Model = BTreeMap<(Table, Vec<u8>), Vec<u8>>;

/// Opens, and closes behind itself.
pub(crate) fn open(directory: &Path) -> Result<(Checked<Lsm>, Opened), StoreError> {
    Checked::open_directory(directory)
}
