//! The files of a network on one machine: a home for each institution, settings, free ports. [COM-2]

use std::fs;
use std::io::{self, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::chain::Genesis;
use crate::environment::{Clock, EntropyError, Secret, draw};
use crate::params::{MINUTE_MS, Preset, TURN_MS, WINDOW_MS};
use crate::roster::{FoundError, Founder, Roster};
use crate::runtime::settings::{Member, NetworkFile};
use crate::runtime::{Home, HomeError, link_secret};
use crate::types::{InstitutionId, Text, Timestamp};

/// Where everything on one machine is answered.
pub const LOOPBACK: Ipv4Addr = Ipv4Addr::LOCALHOST;

/// How fast a network goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Milliseconds of a turn.
    pub turn_ms: u32,
    /// Milliseconds of a minute.
    pub minute_ms: u32,
    /// Milliseconds of a window.
    pub window_ms: u32,
    /// Milliseconds that a message takes, as far as anybody assumes.
    pub delay_ms: u32,
}

impl Pace {
    /// The paper's: turns of six seconds, a freeze every ten minutes.
    pub const PAPER: Self =
        Self { turn_ms: TURN_MS, minute_ms: MINUTE_MS, window_ms: WINDOW_MS, delay_ms: 500 };

    /// For somebody who watches: sixty times as fast, a freeze every ten seconds.
    pub const WATCHED: Self =
        Self { turn_ms: 100, minute_ms: 1_000, window_ms: 10_000, delay_ms: 50 };
}

/// A network on one machine.
#[derive(Clone, Debug)]
pub struct Local {
    folder: PathBuf,
    network: NetworkFile,
}

/// Files that cannot be made.
#[derive(Debug, Error)]
pub enum LocalError {
    /// The operating system refused.
    #[error("{}: {source}", path.display())]
    File {
        /// File or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// No free port.
    #[error("no free port on {LOOPBACK}: {0}")]
    Port(io::Error),
    /// A home.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// No randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// The members make no committees.
    #[error(transparent)]
    Found(#[from] FoundError),
}

impl Local {
    /// Makes the files in a folder that is empty or not there: one institution for each seat, the best rated
    /// first, each with links and interface on a free port, and with this node of Bitcoin.
    pub fn create(
        folder: impl Into<PathBuf>,
        seats: Preset,
        pace: Pace,
        bitcoin: Option<&str>,
    ) -> Result<Self, LocalError> {
        let folder = folder.into();
        let failed = |path: &Path| {
            let path = path.to_path_buf();
            move |source| LocalError::File { path: path.clone(), source }
        };
        fs::create_dir_all(&folder).map_err(failed(&folder))?;
        let count = u32::from(seats.producers) + u32::from(seats.auditors);
        // All ports are held until all are known, so that none is given twice.
        let mut held = Vec::new();
        let mut members = Vec::new();
        for id in 1..=count {
            let secret = Secret::from_seed(draw()?);
            Home::create(folder.join(format!("home-{id}")), &secret)?;
            let founder = Founder {
                institution: InstitutionId::new(id),
                key: secret.signing().owner(),
                rating: 100,
                centre: count - id,
            };
            let mut port = || -> Result<u16, LocalError> {
                let listener = TcpListener::bind((LOOPBACK, 0)).map_err(LocalError::Port)?;
                let port = listener.local_addr().map_err(LocalError::Port)?.port();
                held.push(listener);
                Ok(port)
            };
            members.push(Member {
                founder,
                link: link_secret(&secret).public(),
                address: format!("{LOOPBACK}:{}", port()?),
                web: Some(format!("http://{LOOPBACK}:{}", port()?)),
            });
        }
        let network = NetworkFile { genesis: genesis(&members, seats, pace)?, members };
        let text = network.to_text();
        let file = folder.join("network.toml");
        fs::write(&file, text).map_err(failed(&file))?;
        let local = Self { folder, network };
        for member in &local.network.members {
            let file = local.settings(member.founder.institution);
            write(&file, &settings(member, pace, bitcoin)).map_err(failed(&file))?;
        }
        Ok(local)
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The network.
    #[must_use]
    pub fn network(&self) -> &NetworkFile {
        &self.network
    }

    /// The file of the network.
    #[must_use]
    pub fn network_file(&self) -> PathBuf {
        self.folder.join("network.toml")
    }

    /// The settings of an institution.
    #[must_use]
    pub fn settings(&self, institution: InstitutionId) -> PathBuf {
        self.folder.join(format!("node-{institution}.toml"))
    }
}

/// Writes a file that only its owner can read: the address of a node of Bitcoin has its password in it.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text.as_bytes())
}

fn genesis(members: &[Member], seats: Preset, pace: Pace) -> Result<Genesis, LocalError> {
    let founders: Vec<Founder> = members.iter().map(|member| member.founder).collect();
    let roster = Roster::found(&founders, seats.producers, seats.auditors)?;
    let now = Clock::new().now().get();
    Ok(Genesis {
        name: Text::new("local").expect("five letters"),
        started_at: Timestamp::new(now - now % i64::from(pace.window_ms)),
        turn_ms: pace.turn_ms,
        minute_ms: pace.minute_ms,
        window_ms: pace.window_ms,
        producers: seats.producers,
        auditors: seats.auditors,
        committees: roster.digest(),
        registrar: Secret::from_seed(draw()?).signing().owner(),
    })
}

fn settings(member: &Member, pace: Pace, bitcoin: Option<&str>) -> String {
    let Member { founder, address, web, .. } = member;
    let id = founder.institution;
    let mut text = format!(
        "institution = {id}\nhome = \"home-{id}\"\nnetwork = \"network.toml\"\nlisten = \"{address}\"\n\
         delay_ms = {}\n",
        pace.delay_ms
    );
    let web = web.as_ref().and_then(|web| web.strip_prefix("http://"));
    text.extend(web.map(|web| format!("web = \"{web}\"\n")));
    // One machine has no two disks for certain; two folders show how copies are made.
    text +=
        &format!("\n[objects]\ndirectories = [\"home-{id}/objects-1\", \"home-{id}/objects-2\"]\n");
    let poll_ms = (pace.window_ms / 40).clamp(100, 5_000);
    text.extend(bitcoin.map(|url| {
        format!("\n[bitcoin]\nurl = \"{url}\"\nnetwork = \"regtest\"\npoll_ms = {poll_ms}\n")
    }));
    text
}
