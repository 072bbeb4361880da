//! Times `benches::ledger`, and prints how large a receipt is.

use benches::fixture::{CHAIN, Detail, item};
use benches::ledger::{
    RECEIPT_BYTES_MAX, booking, claim, issue, issuing, item_root, leaf_hash, receipt_bytes,
    verify_owner, verify_to_anchor,
};
use criterion::Criterion;

pub(crate) fn group(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("ledger");
    group.sample_size(20);
    let booking = booking(Detail::Typical);
    group.bench_function("leaf hash", |bencher| bencher.iter(|| leaf_hash(&booking)));
    let item = item(&CHAIN, 1);
    group.bench_function("Item root", |bencher| bencher.iter(|| item_root(&item)));
    let issuing = issuing(100);
    group.bench_function("issue a receipt", |bencher| bencher.iter(|| issue(&issuing)));
    let claim = claim(Detail::Typical);
    group.bench_function("verify a receipt to the anchor root", |bencher| {
        bencher.iter(|| verify_to_anchor(&claim));
    });
    group.bench_function("verify the owner's signature", |bencher| {
        bencher.iter(|| verify_owner(&claim.receipt));
    });
    group.finish();
    print_sizes();
}

fn print_sizes() {
    println!("receipt from a window of 1,000,000 records, bytes:");
    println!("  metadata   without metadata   to the anchor root   into Bitcoin");
    for detail in [Detail::Least, Detail::Typical, Detail::Sealed] {
        let bytes = receipt_bytes(detail);
        let without = bytes.to_anchor - bytes.metadata;
        println!(
            "  {:>8}   {without:>16}   {:>18}   {:>12}   ({detail:?})",
            bytes.metadata, bytes.to_anchor, bytes.to_bitcoin
        );
    }
    println!("  limits: {RECEIPT_BYTES_MAX} without metadata, 1,024 to the anchor root");
}
