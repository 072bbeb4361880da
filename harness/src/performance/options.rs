//! The command line of `perf`.

use std::path::PathBuf;

use clap::Args;

/// Where a baseline is written.
#[derive(Clone, Debug, Default, Args)]
pub struct RecordOptions {
    /// Write this file instead of `reports/baseline/instructions.json` in the checkout.
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
}

/// What a comparison is made with.
#[derive(Clone, Debug, Default, Args)]
pub struct CompareOptions {
    /// Build this revision here and compare with it, whatever the baseline says. Without it: the
    /// baseline, or where that is of other tools, the commit that last changed it.
    #[arg(long, value_name = "REV", conflicts_with = "baseline")]
    pub base: Option<String>,
    /// Read this file instead of `reports/baseline/instructions.json` in the checkout.
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// Cargo features of package benches for the code at hand; `planted-slowdown` shows that the
    /// gate catches one.
    #[arg(long, value_name = "FEATURES")]
    pub bench_features: Option<String>,
}
