//! Time of every workload, for the reader. A shared machine makes it noisy: nothing is gated on it.
//!
//! `cargo bench -p benches --bench time`

#[path = "time/merkle.rs"]
mod merkle;

criterion::criterion_group!(groups, merkle::group);
criterion::criterion_main!(groups);
