//! A network of real processes on this machine: started, killed, started again. [CON-7] [DDB-1]
//!
//! Each institution is this program once more, with `institution SETTINGS`: sockets, disks and clocks are real,
//! and a kill is `kill -9`. Bitcoin is the embedded regtest chain of this process, served over its JSON-RPC and
//! mined on a clock. An institution ends with its standard input, so none outlives who started it.

pub mod load;
mod proxy;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use mdsm_core::anchoring::funding_script;
use mdsm_core::params::Preset;
use mdsm_core::runtime::settings::NodeFile;
use mdsm_core::runtime::{Home, funding_key};
use mdsm_core::service::{Local, Pace, Regtest, Served, input_end};
use mdsm_core::types::InstitutionId;
use tokio::runtime::Runtime;

use crate::child::{Child, Pipes};
pub use proxy::ProxyKind;

/// A network and its processes.
#[derive(Debug)]
pub struct Fleet {
    program: PathBuf,
    local: Local,
    bitcoin: Option<Regtest>,
    running: BTreeMap<InstitutionId, (Child, Pipes)>,
    runtime: Runtime,
}

impl Fleet {
    /// Makes the files of a network in a folder and starts a process for each institution; Bitcoin finds a
    /// block each time so much has passed.
    ///
    /// # Errors
    /// In words, when a file cannot be made or a process cannot be started.
    pub fn start(
        program: &Path,
        folder: &Path,
        seats: Preset,
        pace: Pace,
        block: Duration,
    ) -> Result<Self, String> {
        let text = |error: &dyn std::fmt::Display| error.to_string();
        let runtime = Runtime::new().map_err(|error| text(&error))?;
        let (local, bitcoin) = runtime.block_on(async {
            let mut bitcoin = Regtest::start().await.map_err(|error| text(&error))?;
            let local = Local::create(folder, seats, pace, Some(bitcoin.url()))
                .map_err(|error| text(&error))?;
            let scripts = local.network().members.iter().map(|member| {
                let file = NodeFile::read(local.settings(member.founder.institution))
                    .map_err(|error| text(&error))?;
                let (_, secret) = Home::open(file.home).map_err(|error| text(&error))?;
                Ok(funding_script(&funding_key(&secret)))
            });
            let funded = bitcoin.fund(&scripts.collect::<Result<Vec<_>, String>>()?).await;
            funded.map_err(|error| text(&error))?;
            bitcoin.mine_every(block);
            Ok::<_, String>((local, bitcoin))
        })?;
        let mut fleet = Self {
            program: program.to_path_buf(),
            local,
            bitcoin: Some(bitcoin),
            running: BTreeMap::new(),
            runtime,
        };
        for id in fleet.institutions() {
            fleet.launch(id)?;
        }
        Ok(fleet)
    }

    /// All institutions.
    #[must_use]
    pub fn institutions(&self) -> Vec<InstitutionId> {
        self.local.network().members.iter().map(|member| member.founder.institution).collect()
    }

    /// The files.
    #[must_use]
    pub fn local(&self) -> &Local {
        &self.local
    }

    /// Where asynchronous work of this process runs.
    #[must_use]
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// Bitcoin's headers, from the genesis block on.
    ///
    /// # Errors
    /// In words, when its node does not tell them.
    pub fn headers(&self) -> Result<Vec<u8>, String> {
        let Some(bitcoin) = &self.bitcoin else { return Ok(Vec::new()) };
        self.runtime.block_on(bitcoin.headers()).map_err(|error| error.to_string())
    }

    /// Starts the process of an institution that does not run.
    ///
    /// # Errors
    /// In words, when it cannot be started.
    pub fn launch(&mut self, id: InstitutionId) -> Result<(), String> {
        self.launch_with(id, ProxyKind::Honest)
    }

    /// The same with a proxy of another kind.
    ///
    /// # Errors
    /// In words, when it cannot be started.
    pub fn launch_with(&mut self, id: InstitutionId, proxy: ProxyKind) -> Result<(), String> {
        let log = self.local.folder().join(format!("node-{id}.log"));
        let log = std::fs::OpenOptions::new().create(true).append(true).open(&log);
        let log = log.map_err(|error| format!("log of institution {id}: {error}"))?;
        let mut command = Command::new(&self.program);
        command.arg("institution").arg(self.local.settings(id)).stderr(Stdio::from(log));
        if proxy == ProxyKind::Wrong {
            command.arg("--wrong-proxy");
        }
        let started = Child::start(&mut command);
        let started = started.map_err(|error| format!("institution {id}: {error}"))?;
        self.running.insert(id, started);
        Ok(())
    }

    /// Kills the process of an institution, as a loss of power would end it.
    pub fn kill(&mut self, id: InstitutionId) {
        // Dropping ends it, by signal 9.
        drop(self.running.remove(&id));
    }

    /// Ids of the processes that run.
    pub fn processes(&self) -> impl Iterator<Item = u32> {
        self.running.values().map(|(child, _)| child.id())
    }

    /// How an institution ended that should run, if one did.
    pub fn fallen(&mut self) -> Option<String> {
        self.running.iter_mut().find_map(|(id, (child, _))| {
            child.has_ended().map(|how| format!("institution {id} ended: {how}"))
        })
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        self.running.clear();
        if let Some(bitcoin) = self.bitcoin.take() {
            self.runtime.block_on(bitcoin.stop());
        }
    }
}

/// Runs one institution until the standard input ends.
///
/// # Errors
/// In words, when it cannot serve.
pub fn institution(settings: &Path, proxy: ProxyKind) -> Result<(), String> {
    let settings = NodeFile::read(settings).map_err(|error| error.to_string())?;
    let runtime = Runtime::new().map_err(|error| error.to_string())?;
    let ended = runtime.block_on(async {
        let served = Served::start_with(&settings, |secret| proxy.of(secret)).await?;
        served.until(input_end()).await
    });
    ended.map_err(|error| error.to_string())
}
