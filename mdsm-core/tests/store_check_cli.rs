//! `mdsm store check` as an operator calls it. [DDB-1.9] [DDB-1.10]
#![cfg(all(feature = "network", not(mdsm_loom)))]
#![expect(clippy::unwrap_used, reason = "a test that cannot set its scene has failed")]

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use mdsm_core::crypto::sha256;
use mdsm_core::environment::Secret;
use mdsm_core::runtime::settings::ObjectSettings;
use mdsm_core::runtime::{Books, Home, Journal, objects_of};
use mdsm_core::types::Timestamp;

/// A process that is being started holds the locks of this one until its program runs: tests that start processes take
/// turns.
static TURNS: Mutex<()> = Mutex::new(());

fn check(home: &Path, more: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mdsm"));
    let output = command.args(["store", "check"]).arg(home).args(more).output().unwrap();
    let bytes = [&output.stdout[..], &output.stderr[..]].concat();
    (output.status.code(), String::from_utf8(bytes).unwrap())
}

fn put(settings: &ObjectSettings, home: &Home, file: &[u8]) {
    let objects = objects_of(settings, &home.objects()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(objects.put(&sha256(file), file)).unwrap();
}

#[test]
fn ddb_1_9_what_is_damaged_is_told_by_name_and_what_is_in_use_is_left_alone() {
    let _turn = TURNS.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("home");
    let no_home = |why: &str| {
        let (code, text) = check(&directory, &[]);
        assert_eq!(code, Some(4), "{text}");
        assert!(
            text.contains(&format!("home: {why}; the home of an institution is the ")),
            "{text}"
        );
        assert!(!text.contains("stopped"), "nothing runs where nothing is: {text}");
    };
    no_home("is not there");
    assert!(!directory.exists(), "and none was made");
    fs::create_dir(&directory).unwrap();
    no_home("has no secret, no consensus.log and no store");
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 0, "nothing was made in it");
    let home = Home::create(&directory, &Secret::from_seed([7; 32])).unwrap();
    put(&ObjectSettings::default(), &home, b"a file");
    let (code, text) = check(&directory, &[]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("files    1, in 1 copies of 6 bytes"), "{text}");

    let (journal, _) = Journal::open(directory.join("consensus.log"), Timestamp::new(1)).unwrap();
    let (code, text) = check(&directory, &[]);
    assert_eq!(code, Some(4), "{text}");
    assert!(text.contains("consensus.log is open elsewhere; a node that runs"), "{text}");
    drop(journal);
    let (books, _) = Books::open(&home.store()).unwrap();
    let (code, text) = check(&directory, &[]);
    assert!(code == Some(4) && text.contains("witness.log is open elsewhere"), "{text}");
    drop(books);

    let digest = sha256(b"a file").to_string();
    fs::write(home.objects().join(&digest[..2]).join(&digest), b"b file").unwrap();
    let (code, text) = check(&directory, &[]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains(&format!("damaged  file {digest} in ")), "{text}");
    let found = sha256(b"b file");
    assert!(text.contains(&format!("damaged, 6 bytes with digest {found}")), "{text}");
    fs::remove_file(directory.join("consensus.log")).unwrap();
    fs::remove_dir_all(home.store().join("rows")).unwrap();
    let (code, text) = check(&directory, &[]);
    assert_eq!(code, Some(1), "{text}");
    for part in ["consensus.log: missing", "rows: missing", "3 things are damaged"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn ddb_1_9_files_are_looked_for_where_the_settings_say() {
    let _turn = TURNS.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("home");
    let home = Home::create(&directory, &Secret::from_seed([7; 32])).unwrap();
    let settings = "institution = 7\nhome = \"home\"\nnetwork = \"n\"\nlisten = \"[::1]:1\"\n\
                    [objects]\ndirectories = [\"d0\", \"d1\"]\n";
    let file = folder.path().join("node.toml");
    fs::write(&file, settings).unwrap();
    let directories = vec![folder.path().join("d0"), folder.path().join("d1")];
    put(&ObjectSettings { directories, ..ObjectSettings::default() }, &home, b"a file");
    let more = ["--settings", file.to_str().unwrap()];
    let (code, text) = check(&directory, &more);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("files    1, in 2 copies"), "{text}");
    let digest = sha256(b"a file").to_string();
    let copy = folder.path().join("d1").join(&digest[..2]).join(&digest);
    fs::remove_file(copy).unwrap();
    let (code, text) = check(&directory, &more);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains(&format!("file {digest} in ")) && text.contains("d1: missing"), "{text}");
    // A disk that is not mounted is not replaced by an empty directory.
    fs::remove_dir_all(folder.path().join("d0")).unwrap();
    let (code, text) = check(&directory, &more);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("d0: missing, no file was read\n"), "{text}");
    assert!(!folder.path().join("d0").exists());
}
