//! Counts `benches::consensus`.

use std::hint::black_box;

use benches::consensus::{Certified, certificates, check};
use gungraun::{library_benchmark, library_benchmark_group};

// Several a workload, for the reason given beside the batches of `signatures`.
#[library_benchmark(setup = certificates)]
#[bench::of_4(1, 4)]
#[bench::of_20(12, 20)]
#[bench::of_121(3, 121)]
fn consensus_certificates(certified: Vec<Certified>) -> bool {
    certified.iter().all(|one| black_box(check(black_box(one))))
}

library_benchmark_group!(name = group, benchmarks = [consensus_certificates]);
