//! The network of a demonstration: its files, its node of Bitcoin, its institutions.

use std::fs::File;
use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use mdsm_core::anchoring::funding_script;
use mdsm_core::params::{PAPER, SMALL};
use mdsm_core::runtime::settings::{NetworkFile, NodeFile};
use mdsm_core::runtime::{Home, funding_key};
use mdsm_core::service::{Local, Pace, Regtest, Served};

use super::{DemoOptions, fault};
use crate::Failure;

/// Time between two blocks of Bitcoin, in turns: six of them are past before the next freeze.
const BLOCK_TURNS: u32 = 10;

/// The network while it runs.
pub(super) struct Stage {
    local: Local,
    bitcoin: Regtest,
    institutions: Institutions,
    pace: Pace,
    started: Instant,
}

/// Who runs the institutions.
enum Institutions {
    /// This process.
    Here(Vec<Served>),
    /// One process each; it ends with its standard input.
    Processes(Vec<Child>),
}

impl Stage {
    pub(super) async fn set(options: &DemoOptions, folder: PathBuf) -> Result<Self, Failure> {
        let started = Instant::now();
        let (seats, pace) =
            if options.paper { (PAPER, Pace::PAPER) } else { (SMALL, Pace::WATCHED) };
        let bitcoin = match &options.bitcoin {
            Some(url) => Regtest::attach(url).await,
            None => Regtest::start().await,
        };
        let mut bitcoin = bitcoin.map_err(fault)?;
        let local = Local::create(folder, seats, pace, Some(bitcoin.url())).map_err(fault)?;
        let mut scripts = Vec::new();
        for member in &local.network().members {
            let file = NodeFile::read(local.settings(member.founder.institution)).map_err(fault)?;
            let (_, secret) = Home::open(&file.home).map_err(fault)?;
            scripts.push(funding_script(&funding_key(&secret)));
        }
        bitcoin.fund(&scripts).await.map_err(fault)?;
        bitcoin.mine_every(Duration::from_millis((pace.turn_ms * BLOCK_TURNS).into()));
        let institutions = match options.processes {
            true => Institutions::Processes(launch(&local)?),
            false => Institutions::Here(serve(&local).await?),
        };
        Ok(Self { local, bitcoin, institutions, pace, started })
    }

    pub(super) fn network(&self) -> &NetworkFile {
        self.local.network()
    }

    pub(super) fn bitcoin(&self) -> &Regtest {
        &self.bitcoin
    }

    /// Where the institutions are, in words.
    pub(super) fn place(&self) -> &'static str {
        match self.institutions {
            Institutions::Here(_) => "in this process",
            Institutions::Processes(_) => "as processes of their own",
        }
    }

    /// Time of a turn.
    pub(super) fn turn(&self) -> Duration {
        Duration::from_millis(self.pace.turn_ms.into())
    }

    /// How long a chapter of the story may take before it has failed: it may wait for two freezes, and for the
    /// blocks of Bitcoin above.
    pub(super) fn patience(&self) -> Duration {
        Duration::from_secs(60) + Duration::from_millis(self.pace.window_ms.into()) * 3
    }

    pub(super) fn say(&self, words: &str) {
        println!("{:>6.1} s  {words}", self.started.elapsed().as_secs_f64());
    }

    /// What to try next; the page is opened for whoever sits at a terminal.
    pub(super) fn hints(&self, opens: bool) {
        let folder = self.local.folder().display();
        println!("\nThe network runs until you press Ctrl-C; its files are in {folder}. Try next:");
        if let Some(web) = self.network().members.first().and_then(|it| it.web.as_ref()) {
            println!("  the page, with a key of your own:  {web}/");
            println!("  the interface, described:          {web}/openapi.json");
            println!("  numbers for an operator:           {web}/metrics");
            if opens && std::io::stdout().is_terminal() {
                open(web);
            }
        }
        println!("  mdsm keys person me.secret");
        println!("  mdsm record add FILE --key me.secret --network {folder}/network.toml");
        println!(
            "  and what it says next; a reader with another key: mdsm request, then mdsm grant, open, revoke"
        );
    }

    /// Stops everything, in order.
    pub(super) async fn clear(self) -> Result<(), Failure> {
        match self.institutions {
            Institutions::Here(served) => {
                for one in served {
                    one.stop().await.map_err(fault)?;
                }
            }
            Institutions::Processes(mut children) => {
                // All are told before any is waited for.
                children.iter_mut().for_each(|child| drop(child.stdin.take()));
                for mut child in children {
                    let ended = child.wait().map_err(fault)?;
                    if !ended.success() {
                        return Err(Failure::Fault(format!("an institution ended with {ended}")));
                    }
                }
            }
        }
        self.bitcoin.stop().await;
        Ok(())
    }
}

async fn serve(local: &Local) -> Result<Vec<Served>, Failure> {
    let mut served = Vec::new();
    for member in &local.network().members {
        let file = NodeFile::read(local.settings(member.founder.institution)).map_err(fault)?;
        served.push(Served::start(&file).await.map_err(fault)?);
    }
    Ok(served)
}

fn launch(local: &Local) -> Result<Vec<Child>, Failure> {
    let program = std::env::current_exe().map_err(fault)?;
    let mut children = Vec::new();
    for member in &local.network().members {
        let id = member.founder.institution;
        let log = File::create(local.folder().join(format!("node-{id}.log"))).map_err(fault)?;
        let mut command = Command::new(&program);
        command.arg("node").arg(local.settings(id)).arg("--while-stdin");
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(log);
        children.push(command.spawn().map_err(fault)?);
    }
    Ok(children)
}

/// Has the system open a page. Where it cannot, the address stands in the hints.
fn open(web: &str) {
    let opener = match std::env::consts::OS {
        "macos" => "open",
        "windows" => "explorer",
        _ => "xdg-open",
    };
    let mut command = Command::new(opener);
    command.arg(format!("{web}/")).stdin(Stdio::null()).stdout(Stdio::null());
    if let Err(error) = command.stderr(Stdio::null()).spawn() {
        tracing::info!(%error, opener, "the page was not opened");
    }
}
