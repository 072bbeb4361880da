//! Prints one table: every implementation, ns per leaf, beside ct-merkle and the SHA unit's limit.
//!
//! The implementations take turns, and each shows its fastest turn: on a shared machine the minimum
//! is the only number that two runs agree on.

use std::hint::black_box;

use peers::limit;
use peers::proofs::{CLAIMS, Prover, places, provers};
use peers::roots::{Leaves, PEERS};
use peers::turns::{Turn, fastest};

fn main() {
    let limit = limit_ns();
    match limit {
        Some(ns) => println!(
            "limit: {ns:.1} ns a compression, lanes in flight; 3 a leaf are {:.1} ns",
            3.0 * ns
        ),
        None => println!("limit: this CPU has no SHA extensions"),
    }
    for log2 in [10, 16, 20] {
        roots(log2, limit);
    }
    proofs(20);
}

/// Nanoseconds of one compression, at the best number of lanes.
fn limit_ns() -> Option<f64> {
    const RUNS: u32 = 100;
    let blocks = limit::blocks();
    let mut turns: Vec<Turn> = Vec::new();
    for way in limit::ways() {
        let blocks = &blocks;
        turns.push(Box::new(move || {
            for _ in 0..RUNS {
                black_box(way(black_box(blocks)));
            }
        }));
    }
    let per_turn = f64::from(RUNS) * limit::BLOCKS as f64;
    let fastest = fastest(&mut turns, 200);
    fastest.into_iter().map(|ns| ns / per_turn).reduce(f64::min)
}

fn roots(log2: u32, limit: Option<f64>) {
    let leaves = Leaves::new(1 << log2);
    let repeats = (1 << 16) >> log2.min(16);
    let mut turns: Vec<Turn> = Vec::new();
    for peer in &PEERS {
        let leaves = &leaves;
        turns.push(Box::new(move || {
            for _ in 0..repeats {
                black_box((peer.root)(black_box(leaves)));
            }
        }));
    }
    let samples = if log2 < 20 { 30 } else { 10 };
    let fastest = fastest(&mut turns, samples);
    let per_leaf = |ns: f64| ns / f64::from(repeats) / f64::from(1u32 << log2);
    let ct = PEERS.iter().position(|peer| peer.name == "ct-merkle").map(|at| fastest[at]);
    println!("\nroot over 2^{log2} leaves of 32 bytes, fastest of {samples} turns");
    println!(
        "{:12} {:>12} {:>10} {:>14} {:>14}",
        "", "compressions", "ns/leaf", "x ct-merkle", "x limit (3)"
    );
    for (peer, ns) in PEERS.iter().zip(&fastest) {
        let against_ct = ct.map_or(String::new(), |ct| format!("{:.2}", ct / ns));
        let against_limit =
            limit.map_or(String::new(), |limit| format!("{:.2}", per_leaf(*ns) / (3.0 * limit)));
        println!(
            "{:12} {:>12} {:>10.1} {against_ct:>14} {against_limit:>14}",
            peer.name,
            peer.compressions,
            per_leaf(*ns)
        );
    }
}

fn proofs(log2: u32) {
    let provers = provers(1 << log2);
    let places = places(1 << log2);
    let made = each(&provers, 20, places.len(), |prover| {
        places.iter().for_each(|at| (prover.prove)(*at));
    });
    let verified = each(&provers, 200, CLAIMS, |prover| {
        let accepted = (0..CLAIMS).all(|claim| (prover.verify)(claim));
        assert!(accepted, "{} refuses its own proof", prover.name);
    });
    println!("\none proof in a tree of 2^{log2} leaves, random leaves");
    println!("{:12} {:>10} {:>14}", "", "made, ns", "verified, ns");
    for ((prover, made), verified) in provers.iter().zip(made).zip(verified) {
        println!("{:12} {made:>10.0} {verified:>14.0}", prover.name);
    }
}

/// Every prover's fastest turn, in ns for each of the `count` things that `work` does.
fn each(provers: &[Prover], samples: usize, count: usize, work: impl Fn(&Prover)) -> Vec<f64> {
    let work = &work;
    let mut turns: Vec<Turn> = Vec::new();
    for prover in provers {
        turns.push(Box::new(move || work(prover)));
    }
    let mut fastest = fastest(&mut turns, samples);
    fastest.iter_mut().for_each(|ns| *ns /= count as f64);
    fastest
}
