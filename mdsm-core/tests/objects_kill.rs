//! Files whose writer is killed in the middle, and files for which there is no room. [DDB-1.8] [DDB-2.4]
#![cfg(all(feature = "network", unix, not(mdsm_loom)))]
#![expect(clippy::unwrap_used, reason = "a failure here is a failure of the test")]

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use mdsm_core::crypto::sha256;
use mdsm_core::objects::{Bounds, Objects, PIECE_BYTES};
use mdsm_core::types::Digest;

const BYTES_MAX: usize = 64 * 1_024 * 1_024;
const DISKS: &str = "MDSM_TEST_DISKS";
const DIGEST: &str = "MDSM_TEST_DIGEST";

/// A process that is being started holds the locks of this one until its program runs: tests that start processes take
/// turns.
static TURNS: Mutex<()> = Mutex::new(());

fn disks(folder: &Path) -> Vec<PathBuf> {
    (0..2).map(|disk| folder.join(disk.to_string())).collect()
}

fn open(folder: &Path) -> Objects {
    Objects::in_directories(&disks(folder), 2, Bounds::default()).unwrap()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

fn file(pieces: usize, more: usize) -> Vec<u8> {
    (0..pieces * PIECE_BYTES + more).map(|at| u8::try_from(at * 7 % 251).unwrap()).collect()
}

/// Names in all folders of a disk.
fn names(disk: &Path) -> Vec<String> {
    let folders = std::fs::read_dir(disk).unwrap().map(|it| it.unwrap().path());
    let inside = folders.filter(|it| it.is_dir()).flat_map(|it| std::fs::read_dir(it).unwrap());
    inside.map(|it| it.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
#[ignore = "no test of its own: the tests below start it as a process that is killed or has no room, in the lane of all tests"]
fn child_writer() {
    let folder = PathBuf::from(std::env::var_os(DISKS).unwrap());
    let digest: Digest = std::env::var(DIGEST).unwrap().parse().unwrap();
    let objects = open(&folder);
    // It says when a piece has gone to the disks: then it asks for the first byte of the next.
    let (reader, mut writer) = tokio::io::duplex(1 << 16);
    let feed = std::thread::spawn(move || {
        let mut input = std::io::stdin().lock();
        let (mut block, mut fed) = (vec![0; 1 << 16], 0_usize);
        runtime().block_on(async {
            loop {
                let read = std::io::Read::read(&mut input, &mut block).unwrap();
                if read == 0 {
                    return;
                }
                tokio::io::AsyncWriteExt::write_all(&mut writer, &block[..read]).await.unwrap();
                fed += read;
                if fed / PIECE_BYTES > (fed - read) / PIECE_BYTES {
                    println!("@piece {}", fed / PIECE_BYTES);
                }
            }
        });
    });
    match runtime().block_on(objects.put_from(&digest, reader)) {
        Ok(stored) => println!("@stored {}", stored.copies),
        Err(error) => println!("@failed {error}"),
    }
    // Without the reader the feed would wait for ever; the process ends here.
    drop(feed);
    std::process::exit(0);
}

fn child(folder: &Path, digest: &Digest, kib: Option<u32>) -> Command {
    let limit = kib.map_or(String::new(), |kib| format!("trap '' XFSZ; ulimit -f {}; ", 2 * kib));
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{limit}exec \"$@\""), "sh"]);
    command.arg(std::env::current_exe().unwrap());
    command.args(["child_writer", "--exact", "--ignored", "--nocapture"]);
    command.env(DISKS, folder).env(DIGEST, digest.to_string());
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    command
}

#[test]
fn ddb_2_4_a_killed_writer_leaves_nothing_that_could_be_taken_for_a_file() {
    let _turn = TURNS.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = tempfile::tempdir().unwrap();
    let bytes = file(3, 1_000);
    let digest = sha256(&bytes);
    // Killed after so many pieces; after three all but the last bytes lie there.
    for pieces in 1..=3_usize {
        let mut process = child(folder.path(), &digest, None).spawn().unwrap();
        let mut input = process.stdin.take().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let sent = bytes[..pieces * PIECE_BYTES + 500].to_vec();
        // It stays open: the file has not ended.
        let feeding = std::thread::spawn(move || {
            input.write_all(&sent).unwrap();
            input
        });
        let wanted = format!("@piece {pieces}");
        let mut seen = false;
        for line in lines {
            let line = line.unwrap();
            assert!(!line.contains("@stored") && !line.contains("@failed"), "{line}");
            if line.contains(&wanted) {
                seen = true;
                break;
            }
        }
        assert!(seen, "the child ended by itself");
        let input = feeding.join().unwrap();
        process.kill().unwrap();
        assert!(!process.wait().unwrap().success(), "it was killed");
        drop(input);
        if pieces > 1 {
            let half = format!("{digest}#1");
            assert_eq!(names(&disks(folder.path())[0]), [half], "it was in the middle of it");
        }
        let objects = open(folder.path());
        assert_eq!(names(&disks(folder.path())[0]), Vec::<String>::new());
        assert_eq!(runtime().block_on(objects.get(&digest, BYTES_MAX)), Ok(None));
    }
    let objects = open(folder.path());
    assert_eq!(runtime().block_on(objects.put(&digest, &bytes)).unwrap().copies, 2);
    assert_eq!(runtime().block_on(objects.get(&digest, BYTES_MAX)), Ok(Some(bytes)));
}

#[test]
fn ddb_2_4_a_file_for_which_there_is_no_room_is_refused_and_leaves_nothing() {
    let _turn = TURNS.lock().unwrap_or_else(PoisonError::into_inner);
    //= harness/spec/database.md#ddb-2-copies
    //= type=test
    //# DDB-2.4 (ours): A file MUST count as stored only when the storage has acknowledged it with
    //# the number of copies configured, which is 2 at least.
    let folder = tempfile::tempdir().unwrap();
    // At once, in the middle, and just not; then it fits.
    let (large, small) = (file(2, 5_000), file(0, 900_000));
    for (bytes, kib, fits) in [
        (&large, 4_000, false),
        (&large, 12_000, false),
        (&large, 16_384, false),
        (&large, 17_000, true),
        (&small, 800, false),
        (&small, 900, true),
    ] {
        let digest = sha256(bytes);
        let mut process = child(folder.path(), &digest, Some(kib)).spawn().unwrap();
        let mut input = process.stdin.take().unwrap();
        let bytes_sent = bytes.clone();
        let feeding = std::thread::spawn(move || {
            // The reader may have given up by then.
            let _ = input.write_all(&bytes_sent);
        });
        let output = process.wait_with_output().unwrap();
        feeding.join().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let objects = open(folder.path());
        let found = runtime().block_on(objects.get(&digest, BYTES_MAX)).unwrap();
        if fits {
            assert!(text.contains("@stored 2"), "{kib} KiB: {text}");
            assert_eq!(found.as_ref(), Some(bytes));
            continue;
        }
        assert!(
            text.contains(&format!("@failed file {digest}: 0 of 2 copies are durable")),
            "{text}"
        );
        for disk in disks(folder.path()) {
            assert!(text.contains(&format!("{}: could not write", disk.display())), "{text}");
            let left =
                names(&disk).into_iter().filter(|name| name.starts_with(&digest.to_string()));
            assert_eq!(left.count(), 0, "{kib} KiB");
        }
        assert!(text.contains("File too large") && text.contains("(attempts: 1)"), "{text}");
        assert_eq!(found, None);
    }
}
