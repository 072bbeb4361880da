//! How long an append stands still while a turn of 100,000 records closes. [STO-12]
//!
//! Appenders accept records as a delegate does (signature checked, leaf hashed) and append them; each
//! call of `append` is timed. Meanwhile one thread closes the turn, makes its Items and hashes their
//! roots. Counted is every append that overlaps the closing. Two controls stand beside: nobody
//! closes; and somebody closes a turn that nobody appends to, which costs the appenders the same
//! processor time and memory traffic, so that what remains is the structure's own doing.
//!
//! Rounds of all rows are interleaved, so that a disturbance of the machine strikes them alike.
//!
//! `cargo run --release -p benches --bin stall [ROUNDS]`

mod round;
mod table;

use std::process::ExitCode;

use benches::freezing::{Held, Popped, Swapped};
use mdsm_core::freezing::{Accepted, Handoff};

use round::{Place, Samples, record};

/// Appending threads; the closer is one more.
const THREADS: [usize; 3] = [1, 2, 4];
const ROUNDS: usize = 20;

/// The rows of a table, in order; the second is what the others are held against.
const ROWS: [&str; 8] = [
    "control: handoff, nobody closes",
    "control: handoff, another turn is closed",
    "handoff, hashed after closing",
    "handoff of boxes, hashed after closing",
    "Mutex<Vec>, swapped under the lock",
    "Mutex<Vec> of boxes, swapped under the lock",
    "Mutex<Vec>, hashed under the lock",
    "SegQueue, popped",
];

fn main() -> ExitCode {
    let rounds = match std::env::args().nth(1).map(|text| text.parse()) {
        None => ROUNDS,
        Some(Ok(rounds)) if rounds > 0 => rounds,
        Some(_) => {
            eprintln!("usage: stall [ROUNDS], at least 1");
            return ExitCode::from(4);
        }
    };
    let template = record();
    let handoff = Handoff::<Accepted>::default();
    let boxes = Handoff::<Box<Accepted>>::default();
    let (swapped, held, popped) = (Swapped::default(), Held::default(), Popped::default());
    let handoff = Place { turn: &handoff, unpack: |record| record };
    let boxes = Place { turn: &boxes, unpack: |record: Box<Accepted>| *record };
    let other = Handoff::<Accepted>::default();
    let other = Place { turn: &other, ..handoff };
    let swapped = Place { turn: &swapped, unpack: |record| record };
    let swapped_boxes = Swapped::default();
    let swapped_boxes = Place { turn: &swapped_boxes, unpack: boxes.unpack };
    let held = Place { turn: &held, unpack: |record| record };
    let popped = Place { turn: &popped, unpack: |record| record };
    let bytes = size_of::<Accepted>();
    println!("a turn of 100,000 records closes, {rounds} rounds, {bytes} bytes a record in memory");
    for threads in THREADS {
        let mut rows: [Samples; ROWS.len()] = std::array::from_fn(|_| Samples::default());
        for _ in 0..rounds {
            let [nobody, elsewhere, ours, boxed, swap, swap_boxed, lock, pop] = &mut rows;
            handoff.left_open(nobody, threads, &template);
            handoff.beside(other, elsewhere, threads, &template);
            handoff.closed(ours, threads, &template);
            boxes.closed(boxed, threads, &template);
            swapped.closed(swap, threads, &template);
            swapped_boxes.closed(swap_boxed, threads, &template);
            held.closed(lock, threads, &template);
            popped.closed(pop, threads, &template);
        }
        table::print(threads, &ROWS, &mut rows);
    }
    ExitCode::SUCCESS
}
