//! Prints how fast the store commits, beside what the disk allows.
//!
//! ```text
//! cargo run --release -p mdsm-core --example store_rates [directory]
//! ```
//! Rows are 1 KiB. *Floor*: append a row to a file and `fdatasync` it, nothing else. Disks that are
//! shared change their pace, so the floor is measured again beside each row that is held to it.

use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use mdsm_core::store::{Batch, Checked, Lsm, Store, Table};

const ROW_BYTES: usize = 1_024;
const COMMITS: u64 = 2_000;
const THREADS: u64 = 4;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let base = std::env::args_os().nth(1).unwrap_or_else(|| ".".into());
    let directory = tempfile::tempdir_in(base)?;
    let at = |name: &str| directory.path().join(name);

    let mut file = std::fs::File::create(at("floor"))?;
    let mut floor = || {
        rate("floor: write + fdatasync, rows", COMMITS, || {
            for _ in 0..COMMITS {
                file.write_all(&[7; ROW_BYTES])?;
                file.sync_data()?;
            }
            Ok(())
        })
    };
    floor()?;
    let lsm = Lsm::open(at("lsm"))?;
    rate("engine alone, one thread, commits of one row", COMMITS, || {
        (0..COMMITS).try_for_each(|number| Ok(lsm.commit(row(number))?))
    })?;
    drop(lsm);
    let before = floor()?;
    let (store, _) = Checked::open_directory(at("checked"))?;
    let single = rate("checked, one thread, commits of one row", COMMITS, || {
        (0..COMMITS).try_for_each(|number| Ok(store.commit(row(number))?))
    })?;
    let after = floor()?;
    for in_flight in [1, 16, 256, 2_048] {
        let rows = (COMMITS * in_flight).clamp(COMMITS * THREADS, 200_000);
        let before = store.commits();
        let name = format!("checked, {THREADS} threads, each with {in_flight} in flight, rows");
        rate(&name, rows, || many(&store, rows, in_flight))?;
        let commits = store.commits() - before;
        println!("{:>42} rows share a commit", rows / commits);
    }
    floor()?;
    let syncs = f64::midpoint(before, after) / single;
    println!("a checked commit of one thread takes {syncs:.2} syncs of the floor");
    drop(store);
    let mut opened = None;
    rate("opening anew, rows", COMMITS, || {
        opened = Some(Checked::open_directory(at("checked"))?);
        Ok(())
    })?;
    let (store, opened) = opened.ok_or("opened above")?;
    println!("{:>42} commits, {} lost", opened.commits, opened.lost.len());
    check(&store, &at("checked"))
}

/// Holds every row to the witness.
fn check(store: &Checked<Lsm>, directory: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let witness = std::fs::metadata(directory.join("witness.log"))?.len();
    let start = Instant::now();
    let lost = store.check()?;
    let seconds = start.elapsed().as_secs_f64();
    println!("check of everything: {seconds:.2} s, {} lost, witness {witness} bytes", lost.len());
    Ok(())
}

/// Every thread submits a row, and waits for the one that it submitted `in_flight` rows before.
fn many(store: &Checked<Lsm>, rows: u64, in_flight: u64) -> Result<(), Box<dyn std::error::Error>> {
    let next = AtomicU64::new(in_flight << 32);
    let end = (in_flight << 32) + rows;
    let done = std::thread::scope(|scope| {
        let worker = || {
            let mut waiting = std::collections::VecDeque::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= end {
                    return waiting.iter().try_for_each(|ticket| store.wait(ticket));
                }
                waiting.push_back(store.submit(row(number))?);
                if waiting.len() as u64 >= in_flight
                    && let Some(ticket) = waiting.pop_front()
                {
                    store.wait(&ticket)?;
                }
            }
        };
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(worker)).collect();
        threads.into_iter().map(|thread| thread.join()).collect::<Vec<_>>()
    });
    for outcome in done {
        outcome.map_err(|_| "a thread panicked")??;
    }
    Ok(())
}

fn row(number: u64) -> Batch {
    let mut batch = Batch::new();
    batch.put(
        Table::Accepted,
        [[0; 24].as_slice(), &number.to_be_bytes()].concat(),
        [7; ROW_BYTES],
    );
    batch
}

#[expect(clippy::cast_precision_loss, reason = "a rate is printed with few digits")]
fn rate(
    name: &str,
    count: u64,
    mut run: impl FnMut() -> Result<(), Box<dyn std::error::Error>>,
) -> Result<f64, Box<dyn std::error::Error>> {
    let start = Instant::now();
    run()?;
    let rate = count as f64 / start.elapsed().as_secs_f64();
    println!("{rate:>10.0} per s  {name}");
    Ok(rate)
}
