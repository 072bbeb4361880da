//! Instructions of every workload, for the gate: the same count on every run.
//!
//! Counted by gungraun, the present name of iai-callgrind, under valgrind. valgrind hides SHA-NI and
//! AVX-512, so these are the counts of the portable paths; never build them for the native CPU.
//!
//! `cargo bench -p benches --bench instructions`

#[path = "instructions/chain.rs"]
mod chain;
#[path = "instructions/codec.rs"]
mod codec;
#[path = "instructions/consensus.rs"]
mod consensus;
#[path = "instructions/freezing.rs"]
mod freezing;
#[path = "instructions/ledger.rs"]
mod ledger;
#[path = "instructions/merkle.rs"]
mod merkle;
#[path = "instructions/reencryption.rs"]
mod reencryption;
#[path = "instructions/seal.rs"]
mod seal;
#[path = "instructions/signatures.rs"]
mod signatures;

use chain::group as chain_group;
use codec::group as codec_group;
use consensus::group as consensus_group;
use freezing::group as freezing_group;
// The macro calls itself by its bare name.
use gungraun::main;
use ledger::group as ledger_group;
use merkle::group as merkle_group;
use reencryption::group as reencryption_group;
use seal::group as seal_group;
use signatures::group as signatures_group;

main!(
    library_benchmark_groups = [
        chain_group,
        codec_group,
        consensus_group,
        freezing_group,
        ledger_group,
        merkle_group,
        reencryption_group,
        seal_group,
        signatures_group
    ]
);
