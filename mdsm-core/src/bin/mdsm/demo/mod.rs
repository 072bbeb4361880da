//! `mdsm demo`: a whole network on one machine, and its story as it happens.
//!
//! Institutions run in this process or as processes of their own; the story is told by people who ask them over
//! HTTP, so it is the same for both, and shows what anybody's client sees.

mod stage;
mod story;

use std::path::PathBuf;

use clap::Args;

use crate::Failure;
use crate::logs::{Level, show_logs};
use crate::node::stopped;
use stage::Stage;

/// `mdsm demo`.
#[derive(Args)]
pub(crate) struct DemoOptions {
    /// The paper's network, 101 producers and 20 auditors, at the paper's pace: a freeze every ten minutes.
    #[arg(long)]
    paper: bool,
    /// A process for each institution, with a log of its own beside its settings.
    #[arg(long)]
    processes: bool,
    /// Where everything is kept; by default in a folder that goes when the program ends.
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// A node of Bitcoin on its own regtest network, `http://USER:PASSWORD@HOST:PORT`, instead of the chain in this
    /// process. Blocks are mined on it.
    #[arg(long, value_name = "URL")]
    bitcoin: Option<String>,
    /// Do not open the page in a browser; it is opened only where somebody sits at a terminal.
    #[arg(long)]
    no_open: bool,
    /// End when the story is told instead of waiting for Ctrl-C.
    #[arg(long)]
    once: bool,
    /// What to tell of the nodes' work beside the story, on standard error.
    #[arg(long, value_enum, default_value_t = Level::Error)]
    log: Level,
}

pub(crate) fn run(options: &DemoOptions) -> Result<(), Failure> {
    show_logs(options.log);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(fault)?;
    let kept = tempfile::tempdir().map_err(fault)?;
    let folder = options.folder.clone().unwrap_or_else(|| kept.path().join("network"));
    runtime.block_on(tell(options, folder))
}

async fn tell(options: &DemoOptions, folder: PathBuf) -> Result<(), Failure> {
    let stage = Stage::set(options, folder).await?;
    let told = tokio::select! {
        told = story::tell(&stage) => told.map(|()| true),
        // Whoever has seen enough need not wait for the end.
        () = stopped() => Ok(false),
    };
    if matches!(told, Ok(true)) && !options.once {
        stage.hints(!options.no_open);
        stopped().await;
    }
    stage.clear().await?;
    told.map(|_| ())
}

fn fault(error: impl std::fmt::Display) -> Failure {
    Failure::Fault(error.to_string())
}
