//! `mdsm node`: one institution of a network.

use std::path::PathBuf;

use clap::Args;
use mdsm_core::runtime::settings::{NodeFile, Setting};
use mdsm_core::service::{Served, input_end};

use crate::Failure;
use crate::logs::{Level, show_logs};

/// `mdsm node`. A flag outweighs its variable of the environment, and that the file; `--set` outweighs the file alone.
#[derive(Args)]
pub(crate) struct NodeOptions {
    /// Settings of the institution, TOML.
    settings: PathBuf,
    /// Which institution it is.
    #[arg(long, env = "MDSM_INSTITUTION", value_name = "ID")]
    institution: Option<u32>,
    /// Its home, as `mdsm keys institution` made it.
    #[arg(long, env = "MDSM_HOME", value_name = "DIR")]
    home: Option<PathBuf>,
    /// The file of the network.
    #[arg(long, env = "MDSM_NETWORK", value_name = "FILE")]
    network: Option<PathBuf>,
    /// Where links are answered.
    #[arg(long, env = "MDSM_LISTEN", value_name = "HOST:PORT")]
    listen: Option<String>,
    /// Where the interface is offered.
    #[arg(long, env = "MDSM_WEB", value_name = "HOST:PORT")]
    web: Option<String>,
    /// Where its node of Bitcoin answers; user and password may stand in it. The file says in [bitcoin] of which network
    /// it is, or `--set bitcoin.network=mainnet` does.
    #[arg(long, env = "MDSM_BITCOIN", value_name = "URL")]
    bitcoin: Option<String>,
    /// Any value of the file, such as objects.copies=2 or bitcoin.poll_ms=1000; several, or with a ; between them.
    /// A path is relative to the file.
    #[arg(long, env = "MDSM_SET", value_name = "KEY=VALUE", value_delimiter = ';')]
    set: Vec<Setting>,
    /// What to tell of its work, on standard error.
    #[arg(long, env = "MDSM_LOG", value_enum, default_value_t = Level::Info)]
    log: Level,
    /// End when standard input does: whoever started it is gone.
    #[arg(long, hide = true)]
    while_stdin: bool,
}

impl NodeOptions {
    /// The file, and what outweighs it.
    fn settings(&self) -> Result<NodeFile, Failure> {
        let mut set = self.set.clone();
        set.extend(self.institution.map(|id| Setting::new("institution", id)));
        for (key, path) in [("home", &self.home), ("network", &self.network)] {
            let Some(path) = path else { continue };
            // Relative to where the command was typed, and not to the file.
            let path = std::path::absolute(path)
                .map_err(|error| Failure::Fault(format!("--{key}: {}: {error}", path.display())))?;
            let Some(path) = path.to_str() else {
                return Err(Failure::Fault(format!("--{key}: {} is not UTF-8", path.display())));
            };
            set.push(Setting::new(key, path));
        }
        let texts = [("listen", &self.listen), ("web", &self.web), ("bitcoin.url", &self.bitcoin)];
        for (key, text) in texts {
            set.extend(text.as_deref().map(|text| Setting::new(key, text)));
        }
        NodeFile::read_with(&self.settings, &set).map_err(|error| Failure::Fault(error.to_string()))
    }
}

pub(crate) fn run(options: &NodeOptions) -> Result<(), Failure> {
    show_logs(options.log);
    let settings = options.settings()?;
    let fault = |error: &dyn std::fmt::Display| Failure::Fault(error.to_string());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| fault(&error))?;
    let orphaned = options.while_stdin.then(input_end);
    let ended = runtime.block_on(async {
        // Before it starts, so that whoever is asked to end while it starts ends as it should.
        let stopped = stopped();
        let stop = async {
            match orphaned {
                Some(orphaned) => tokio::select! {
                    () = stopped => {}
                    () = orphaned => {}
                },
                None => stopped.await,
            }
        };
        Served::start(&settings).await?.until(stop).await
    });
    ended.map_err(|error| fault(&error))
}

/// Listens from now on, and returns when the process is asked to end.
pub(crate) fn stopped() -> impl Future<Output = ()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{Signal, SignalKind, signal};
        // Without a handler the signal ends the process as it always does.
        let [mut terminated, mut interrupted] =
            [SignalKind::terminate(), SignalKind::interrupt()].map(|kind| signal(kind).ok());
        async fn received(signal: &mut Option<Signal>) {
            match signal {
                Some(signal) => _ = signal.recv().await,
                None => std::future::pending().await,
            }
        }
        async move {
            tokio::select! {
                () = received(&mut terminated) => {}
                () = received(&mut interrupted) => {}
            }
        }
    }
    #[cfg(not(unix))]
    async {
        drop(tokio::signal::ctrl_c().await);
    }
}
