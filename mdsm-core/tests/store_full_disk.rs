//! A full disk is an error that says so, and takes nothing away that was acknowledged. [DDB-1.8]
#![cfg(all(feature = "node", not(mdsm_loom)))]
#![expect(clippy::unwrap_used, reason = "a failure here is a failure of the test")]

mod store_support;

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use store_support::{Acknowledged, child, open, run_child};

const VALUE_BYTES: usize = 6_000;

#[test]
#[ignore = "no test of its own: the tests below start it as a process whose disk fills up, in the lane of all tests"]
fn child_writer() {
    run_child();
}

/// How a disk is made to fill up.
#[derive(Clone, Copy, Debug)]
enum Limit {
    /// A file system in memory of this many KiB, in a mount namespace of its own.
    Mount(u32),
    /// No file may grow beyond this many KiB.
    FileSize(u32),
}

/// Writes until the disk is full, and gives the whole output; the store is then in `directory`.
fn fill(directory: &Path, scratch: &Path, limit: Limit, flush: u64) -> String {
    let (script, in_scratch) = match limit {
        // The mount vanishes with the namespace, so the store is copied out of it before.
        Limit::Mount(kib) => (
            format!(
                "mount -t tmpfs -o size={kib}k none \"$SCRATCH\" && \"$@\" && \
                 cp -r --sparse=always \"$SCRATCH\"/store/. \"$KEEP\""
            ),
            true,
        ),
        Limit::FileSize(kib) => {
            (format!("trap '' XFSZ; ulimit -f {}; exec \"$@\"", 2 * kib), false)
        }
    };
    let writer = child(
        &if in_scratch { scratch.join("store") } else { directory.to_path_buf() },
        0,
        VALUE_BYTES,
        flush,
    );
    let mut command = if in_scratch {
        let mut command = Command::new("unshare");
        command.arg("-rm").arg("sh");
        command
    } else {
        Command::new("sh")
    };
    command.args(["-c", &script, "sh"]).arg(writer.get_program()).args(writer.get_args());
    for (name, value) in writer.get_envs() {
        command.env(name, value.unwrap());
    }
    let output = command.env("SCRATCH", scratch).env("KEEP", directory).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success(),
        "{limit:?}: {text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    text
}

/// Says what is not tested here. Not by a macro, whose words the runner of the tests keeps to itself.
fn skipped(why: &str) {
    std::io::stderr().write_all(format!("SKIPPED full disk: {why}\n").as_bytes()).unwrap();
}

/// Whether a file system can be mounted without privileges.
fn can_mount(scratch: &Path) -> bool {
    Command::new("unshare")
        .args(["-rm", "mount", "-t", "tmpfs", "-o", "size=64k", "none"])
        .arg(scratch)
        .output()
        .is_ok_and(|output| output.status.success())
}

#[test]
fn ddb_1_8_a_full_disk_is_reported_and_takes_nothing_acknowledged_away() {
    if !cfg!(unix) {
        skipped("needs unshare or ulimit");
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let mut limits = vec![(Limit::FileSize(400), 0), (Limit::FileSize(900), 64)];
    if can_mount(scratch.path()) {
        // Without table files the commit itself meets the full disk, else often a thread of the
        // engine does.
        limits.extend([300, 1_111, 2_048].map(|kib| (Limit::Mount(kib), 0)));
        limits.extend([300, 800, 1_500, 3_000].map(|kib| (Limit::Mount(kib), 32)));
    } else {
        skipped("no small tmpfs can be mounted here, which `unshare -rm` would");
    }
    for (limit, flush) in limits {
        let directory = tempfile::tempdir().unwrap();
        if matches!(limit, Limit::FileSize(_)) {
            // The second opening cuts off the 64 MiB of nothing that a new journal starts with.
            drop(open(directory.path()).unwrap());
            drop(open(directory.path()).unwrap());
        }
        let output = fill(directory.path(), scratch.path(), limit, flush);
        let mut acknowledged = Acknowledged::default();
        let failures: Vec<&str> = output
            .lines()
            .filter(|line| !acknowledged.take(line) && line.contains("@failed"))
            .collect();
        println!("{limit:?}: {} acknowledged, then {:?}", acknowledged.len(), failures[0]);
        assert!(acknowledged.len() > 10, "{limit:?}: {output}");
        let mut words = vec!["No space left", "File too large"];
        if flush != 0 {
            words.push("the disk may be full");
        }
        for failure in failures {
            assert!(words.iter().any(|words| failure.contains(words)), "{limit:?}: {failure}");
        }
        let (store, opened) = open(directory.path()).unwrap();
        assert_eq!((opened.lost, opened.suspicious), (vec![], vec![]), "{limit:?}");
        acknowledged.check(&store, VALUE_BYTES);
        assert_eq!(store.check().unwrap(), []);
    }
}
