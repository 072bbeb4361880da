//! Time of every workload, for the reader. A shared machine makes it noisy: nothing is gated on it.
//!
//! `cargo bench -p benches --bench time`

#[path = "time/chain.rs"]
mod chain;
#[path = "time/codec.rs"]
mod codec;
#[path = "time/consensus.rs"]
mod consensus;
#[path = "time/freezing.rs"]
mod freezing;
#[path = "time/ledger.rs"]
mod ledger;
#[path = "time/merkle.rs"]
mod merkle;
#[path = "time/reencryption.rs"]
mod reencryption;
#[path = "time/seal.rs"]
mod seal;
#[path = "time/signatures.rs"]
mod signatures;

criterion::criterion_group!(
    groups,
    chain::group,
    codec::group,
    consensus::group,
    freezing::group,
    ledger::group,
    merkle::group,
    reencryption::group,
    seal::group,
    signatures::group
);
criterion::criterion_main!(groups);
