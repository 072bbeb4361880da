//! Who asks, in which network, and how what comes of it is said.

use std::io::Write as _;
use std::path::PathBuf;

use clap::Args;
use mdsm_core::crypto::sign::SigningKey;
use mdsm_core::environment::Secret;
use mdsm_core::reencryption::Set;
use mdsm_core::runtime::settings::NetworkFile;
use mdsm_core::service::sharing::{self, ExchangeError, Remote, SharingError};
use mdsm_core::service::{LightClient, Objection};
use mdsm_core::types::InstitutionId;

use crate::{Failure, keys};

/// Who asks, and in which network.
#[derive(Args)]
pub(crate) struct Asking {
    /// The secret of the person, as `mdsm keys person` made it. What must not be done twice with it is kept beside it,
    /// in SECRET.spent.
    #[arg(long, value_name = "SECRET")]
    key: PathBuf,
    /// The file of the network.
    #[arg(long, value_name = "FILE")]
    network: PathBuf,
    /// Where headers and rosters are kept between two runs; by default SECRET.light, so that users of one machine do
    /// not stand in each other's way.
    #[arg(long, value_name = "FILE")]
    memory: Option<PathBuf>,
}

/// Who asks, and who is to book.
#[derive(Args)]
pub(crate) struct Booking {
    #[command(flatten)]
    asking: Asking,
    /// The institution that books and stores; by default the first that offers an interface.
    #[arg(long, value_name = "ID")]
    at: Option<u32>,
}

/// One who asks.
pub(crate) struct Person {
    pub(crate) key: SigningKey,
    pub(crate) network: NetworkFile,
    pub(crate) client: LightClient,
}

/// One who shares.
pub(crate) struct Party {
    pub(crate) person: sharing::Person,
    pub(crate) remote: Remote,
}

impl Asking {
    pub(crate) fn person(&self) -> Result<Person, Failure> {
        self.open(&self.secret()?)
    }

    fn secret(&self) -> Result<Secret, Failure> {
        keys::read(&self.key)
    }

    fn open(&self, secret: &Secret) -> Result<Person, Failure> {
        let key = secret.signing();
        let network = NetworkFile::read(&self.network).map_err(fault)?;
        let memory = self.memory.clone().unwrap_or_else(|| self.beside("light"));
        let client = LightClient::open(&network, Some(memory)).map_err(fault)?;
        Ok(Person { key, network, client })
    }

    /// A file beside the secret, named after it with all of its name: `a.x` and `a.y` have different ones, and none is
    /// the secret of somebody else.
    fn beside(&self, what: &str) -> PathBuf {
        let mut name = self.key.clone().into_os_string();
        name.push(".");
        name.push(what);
        name.into()
    }

    /// The options as they are typed again.
    pub(crate) fn typed(&self) -> String {
        format!("--key {} --network {}", self.key.display(), self.network.display())
    }
}

impl Booking {
    pub(crate) fn party(&self) -> Result<Party, Failure> {
        let secret = self.asking.secret()?;
        let Person { key, network, client } = self.asking.open(&secret)?;
        let at = self.at.map(InstitutionId::new);
        let remote = Remote::new(&network, client, key, at)
            .map_err(|error| Failure::Fault(format!("--at: {error}")))?;
        let spent = self.asking.beside("spent");
        let person = sharing::Person::new(&secret, Set::S704, &spent).map_err(not_done)?;
        Ok(Party { person, remote })
    }

    /// An institution of the network, named by an option.
    pub(crate) fn member(&self, option: &str, id: u32) -> Result<InstitutionId, Failure> {
        let (network, id) =
            (NetworkFile::read(&self.asking.network).map_err(fault)?, InstitutionId::new(id));
        let unknown =
            || fault(format!("{option}: institution {id}: is not in the file of the network"));
        network.member(id).map(|_| id).ok_or_else(unknown)
    }

    pub(crate) fn asking(&self) -> &Asking {
        &self.asking
    }

    /// The options as they are typed again.
    pub(crate) fn typed(&self) -> String {
        let at = self.at.map(|id| format!(" --at {id}")).unwrap_or_default();
        format!("{}{at}", self.asking.typed())
    }
}

pub(crate) fn block_on(work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(fault)?.block_on(work)
}

/// Names those whose answers were not used.
pub(crate) fn complain(objections: &[Objection]) {
    for objection in objections {
        eprintln!("not used: {objection}");
    }
}

pub(crate) fn say(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let said = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    said.map_err(|error| Failure::Fault(format!("stdout: {error}")))
}

/// A number of things, in the words for one of them or for several.
pub(crate) fn counted(count: usize, one: &str, several: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { several })
}

pub(crate) fn not_believed(error: impl std::fmt::Display) -> Failure {
    Failure::Unknown(format!(
        "{error}\n  nothing is known by this, least of all that there is nothing; see that the institutions in the \
         file of the network run, with `web` in their own settings, and can be reached, and ask again"
    ))
}

/// Why a step of a sharing was not taken.
pub(crate) fn not_done(error: impl Into<SharingError>) -> Failure {
    let error = error.into();
    match &error {
        SharingError::Spent(_) | SharingError::Entropy(_) => Failure::Fault(error.to_string()),
        // What was tried is in the reason, and the kind of failure is said before it.
        SharingError::Exchange(ExchangeError::Unproven { why } | ExchangeError::Away { why }) => {
            not_believed(why)
        }
        SharingError::Exchange(ExchangeError::Refused { why }) => Failure::Refused(why.clone()),
        SharingError::Waits { .. } | SharingError::Exchange(ExchangeError::Stands { .. }) => {
            Failure::Refused(format!(
                "{error}\n  a chain stands while more than a third of its auditors are away; what was accepted is kept, and \
                 is booked when the chain goes on; see that the institutions in the file of the network run, and ask again"
            ))
        }
        _ => Failure::Refused(error.to_string()),
    }
}

pub(crate) fn fault(error: impl std::fmt::Display) -> Failure {
    Failure::Fault(error.to_string())
}
