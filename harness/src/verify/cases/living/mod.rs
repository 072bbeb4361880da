//! Networks of real processes on loopback. [CON-7] [DDB-1] [ANC-2] [CLI-1] [CLI-2] [CLI-4] [PRE-3..8]
//!
//! What is simulated: who mines Bitcoin's blocks, and how fast. Time is real, so these cases wait for freezes and for
//! blocks; how long that may take has a bound, behind which a case is undecided.

mod proxy;
mod records;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use mdsm_core::client::Question;
use mdsm_core::params::SMALL;
use mdsm_core::service::{LightClient, Pace};
use mdsm_core::types::InstitutionId;
use tempfile::TempDir;

use super::{Case, Fault, Means};
use crate::living::Fleet;
use crate::stop::Stop;

/// How long anything may take; a freeze is ten seconds, and six blocks as long.
const PATIENCE: Duration = Duration::from_secs(90);
/// Time between two looks.
const LOOK: Duration = Duration::from_millis(100);
/// Time between two blocks of Bitcoin.
const BLOCK: Duration = Duration::from_millis(500);

pub(super) fn cases(means: &Means) -> Vec<Case> {
    vec![records::case(means), proxy::case(means)]
}

/// Eight institutions, a process each.
struct Stage {
    fleet: Fleet,
    began: Instant,
    stop: Stop,
    /// Goes after the processes that work in it.
    folder: TempDir,
}

impl Stage {
    /// Starts all of them, and waits until they answer.
    fn set(means: &Means) -> Result<Self, Fault> {
        let folder = tempfile::tempdir().map_err(|error| Fault::Undecided(error.to_string()))?;
        let (program, network) = (PathBuf::from(&means.program), folder.path().join("network"));
        let fleet = Fleet::start(&program, &network, SMALL, Pace::WATCHED, BLOCK);
        let fleet = fleet.map_err(Fault::Undecided)?;
        let mut stage = Self { fleet, folder, began: Instant::now(), stop: means.stop.clone() };
        stage.all_answer()?;
        Ok(stage)
    }

    fn all_answer(&mut self) -> Result<(), Fault> {
        let (all, started) = (self.webs().len(), Instant::now());
        while self.answering() < all {
            self.pause("every institution answers", started)?;
        }
        Ok(())
    }

    /// Waits a little for what began to be waited for at an instant, unless that is hopeless.
    fn pause(&mut self, what: &str, since: Instant) -> Result<(), Fault> {
        if let Some(how) = self.fleet.fallen() {
            return Err(how.into());
        }
        if let Some(reason) = self.stop.reason() {
            return Err(Fault::Undecided(reason));
        }
        if since.elapsed() > PATIENCE {
            let limit = PATIENCE.as_secs();
            return Err(Fault::Undecided(format!("{what}: not within {limit} s")));
        }
        self.fleet.runtime().block_on(async { tokio::time::sleep(LOOK).await });
        Ok(())
    }

    fn webs(&self) -> Vec<(InstitutionId, String)> {
        let members = self.fleet.local().network().members.iter();
        members.filter_map(|it| Some((it.founder.institution, it.web.clone()?))).collect()
    }

    fn answering(&self) -> usize {
        let Ok(client) = LightClient::open(self.fleet.local().network(), None) else { return 0 };
        let line = Question::Status.line();
        let asked = self.webs().into_iter().filter(|(_, web)| {
            self.fleet.runtime().block_on(client.asker().get(web, &line, None)).is_ok()
        });
        asked.count()
    }
}
