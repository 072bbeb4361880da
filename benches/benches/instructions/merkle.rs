//! Counts `benches::merkle`.

use std::hint::black_box;

use benches::merkle::{self, Claim};
use gungraun::{library_benchmark, library_benchmark_group};
use mdsm_core::merkle::Tree;
use mdsm_core::types::Digest;

#[library_benchmark(setup = merkle::leaves)]
#[bench::item(10)]
#[bench::turn(16_384)]
fn merkle_root(leaves: Vec<Digest>) -> Digest {
    black_box(merkle::root(black_box(&leaves)))
}

#[library_benchmark(setup = merkle::tree)]
#[bench::turn(16_384)]
fn merkle_prove(tree: Tree) -> Option<Vec<Digest>> {
    black_box(merkle::prove(black_box(&tree)))
}

#[library_benchmark(setup = merkle::claim)]
#[bench::turn(16_384)]
fn merkle_verify(claim: Option<Claim>) -> bool {
    black_box(black_box(&claim).as_ref().is_some_and(merkle::verify))
}

library_benchmark_group!(name = group, benchmarks = [merkle_root, merkle_prove, merkle_verify]);
