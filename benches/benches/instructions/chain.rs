//! Counts `benches::chain`.

use std::hint::black_box;

use benches::chain::{self, Step};
use gungraun::{library_benchmark, library_benchmark_group};

#[library_benchmark]
#[bench::records_100(chain::step())]
fn chain_block(step: Step) -> bool {
    let mut chain = step.chain.clone();
    black_box(chain::check_and_apply(black_box(&mut chain), black_box(&step))).is_ok()
}

library_benchmark_group!(name = group, benchmarks = [chain_block]);
