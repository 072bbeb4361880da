//! Counts `benches::ledger`.

use std::hint::black_box;

use benches::fixture::{CHAIN, Detail, item};
use benches::ledger::{self, Claim, Issuing};
use gungraun::{library_benchmark, library_benchmark_group};
use mdsm_core::ledger::{Booking, Item, Receipt};
use mdsm_core::types::Digest;

#[library_benchmark(setup = ledger::booking)]
#[bench::typical(Detail::Typical)]
fn ledger_leaf_hash(booking: Booking) -> Digest {
    black_box(ledger::leaf_hash(black_box(&booking)))
}

#[library_benchmark]
#[bench::records_10(item(&CHAIN, 1))]
fn ledger_item_root(item: Item) -> Digest {
    black_box(ledger::item_root(black_box(&item)))
}

// One turn: valgrind would build the trees of a hundred for half a minute.
#[library_benchmark(setup = ledger::issuing)]
#[bench::turn(1)]
fn ledger_issue_receipt(issuing: Issuing) -> Receipt {
    black_box(ledger::issue(black_box(&issuing)))
}

#[library_benchmark(setup = ledger::claim)]
#[bench::million(Detail::Typical)]
fn ledger_verify_receipt(claim: Claim) -> bool {
    black_box(ledger::verify_to_anchor(black_box(&claim)))
}

#[library_benchmark(setup = ledger::claim)]
#[bench::million(Detail::Typical)]
fn ledger_verify_owner(claim: Claim) -> bool {
    black_box(ledger::verify_owner(black_box(&claim.receipt)))
}

library_benchmark_group!(
    name = group,
    benchmarks = [
        ledger_leaf_hash,
        ledger_item_root,
        ledger_issue_receipt,
        ledger_verify_receipt,
        ledger_verify_owner
    ]
);
