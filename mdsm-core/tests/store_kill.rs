//! Whatever was acknowledged is found after the process was killed at any moment. [DDB-1.8] [STO-2.7]
#![cfg(all(feature = "node", not(mdsm_loom)))]
#![expect(clippy::unwrap_used, reason = "a failure here is a failure of the test")]

mod store_support;

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use store_support::{Acknowledged, child, open, run_child};

/// Acknowledgements before the kill; 0 kills while the store is being opened.
const ROUNDS: [usize; 12] = [5, 0, 1, 60, 13, 200, 0, 97, 31, 2, 150, 77];
const VALUE_BYTES: usize = 20_000;

#[test]
#[ignore = "no test of its own: ddb_1_8_whatever_was_acknowledged_survives_kill_9 starts it as a process, in the lane of all tests"]
fn child_writer() {
    run_child();
}

#[test]
fn ddb_1_8_whatever_was_acknowledged_survives_kill_9() {
    //= harness/spec/database.md#ddb-1-encrypted-files-durable-store
    //= type=test
    //# DDB-1.8 (ours): Every record acknowledged as accepted MUST be found after the process is
    //# killed at any moment and started again.
    //= harness/spec/storage.md#sto-2-record-signature-acceptance
    //= type=test
    //# STO-2.7 (ours): A delegate MUST have stored a record durably before it acknowledges that
    //# record as accepted.
    let directory = tempfile::tempdir().unwrap();
    let mut acknowledged = Acknowledged::default();
    let (mut torn, mut healed) = (0, 0);
    for (round, kill_after) in ROUNDS.into_iter().enumerate() {
        let mut process =
            child(directory.path(), round, VALUE_BYTES, 64).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut count = 0;
        for line in lines.by_ref() {
            let line = line.unwrap();
            assert!(!line.contains("@failed"), "round {round}: {line}");
            count += usize::from(acknowledged.take(&line));
            if line.contains("@opening") && kill_after == 0 || count > 0 && count >= kill_after {
                break;
            }
        }
        assert!(count >= kill_after, "round {round}: the child ended by itself");
        process.kill().unwrap();
        // What it said before it died counts as well. A line may have been cut off by the kill, but
        // a line is written at once, and a key that was cut would not be found below.
        for line in lines {
            acknowledged.take(&line.unwrap());
        }
        assert!(!process.wait().unwrap().success(), "it was killed");
        let (store, opened) = open(directory.path()).unwrap();
        assert_eq!((opened.lost, opened.suspicious), (vec![], vec![]), "round {round}");
        torn += usize::from(opened.torn.is_some());
        healed += usize::from(opened.healed.is_some());
        acknowledged.check(&store, VALUE_BYTES);
        assert_eq!(store.check().unwrap(), []);
    }
    let (kills, rows) = (ROUNDS.len(), acknowledged.len());
    println!("{kills} kills, {rows} rows acknowledged and found, {torn} torn, {healed} healed");
    assert!(rows >= ROUNDS.iter().sum());
}
