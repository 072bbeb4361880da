//! `mdsm node`: one institution of a network.

use std::path::PathBuf;

use clap::Args;
use mdsm_core::runtime::settings::NodeFile;
use mdsm_core::service::{Served, input_end};
use mdsm_core::types::InstitutionId;

use crate::Failure;
use crate::logs::{Level, show_logs};

/// `mdsm node`. A flag outweighs its variable of the environment, and that the file.
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
    /// Where its node of Bitcoin answers; user and password may stand in it. The settings have a section [bitcoin] too,
    /// with the network of that node.
    #[arg(long, env = "MDSM_BITCOIN", value_name = "URL")]
    bitcoin: Option<String>,
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
        let fault = |error: &dyn std::fmt::Display| Failure::Fault(error.to_string());
        let mut settings = NodeFile::read(&self.settings).map_err(|error| fault(&error))?;
        if let Some(id) = self.institution {
            settings.institution = InstitutionId::new(id);
        }
        let put = |to: &mut PathBuf, from: &Option<PathBuf>| {
            if let Some(from) = from {
                to.clone_from(from);
            }
        };
        put(&mut settings.home, &self.home);
        put(&mut settings.network, &self.network);
        if let Some(listen) = &self.listen {
            settings.listen.clone_from(listen);
        }
        settings.web = self.web.clone().or(settings.web);
        if let Some(url) = &self.bitcoin {
            let bitcoin = settings.bitcoin.as_mut().ok_or_else(|| {
                Failure::Fault(format!(
                    "--bitcoin: {}: has no section [bitcoin], which says of which network of Bitcoin that node is; add one \
                     with url, which the flag outweighs, and network = \"mainnet\" or \"regtest\"",
                    self.settings.display()
                ))
            })?;
            bitcoin.url.clone_from(url);
        }
        Ok(settings)
    }
}

pub(crate) fn run(options: &NodeOptions) -> Result<(), Failure> {
    show_logs(options.log);
    let settings = options.settings()?;
    let fault = |error: &dyn std::fmt::Display| Failure::Fault(error.to_string());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| fault(&error))?;
    let orphaned = options.while_stdin.then(input_end);
    let stop = async {
        match orphaned {
            Some(orphaned) => tokio::select! {
                () = stopped() => {}
                () = orphaned => {}
            },
            None => stopped().await,
        }
    };
    let ended = runtime.block_on(async { Served::start(&settings).await?.until(stop).await });
    ended.map_err(|error| fault(&error))
}

/// Returns when the process is asked to end.
pub(crate) async fn stopped() {
    let interrupted = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminated = signal(SignalKind::terminate()).ok();
        let terminated = async {
            match &mut terminated {
                Some(signal) => signal.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = interrupted => {}
            _ = terminated => {}
        }
    }
    #[cfg(not(unix))]
    drop(interrupted.await);
}
