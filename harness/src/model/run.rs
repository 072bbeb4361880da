//! The command: what is searched by name, and what is told of it.

use mdsm_core::consensus::Rules;
use serde::Serialize;

use super::certified::Seen;
use super::config::Config;
use super::message::{self, Heard, Messages};
use super::nodes::Claim;
use super::search::{Found, Limits, Search, SearchError, Sofar};
use super::trace::Trace;

/// One search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Job {
    /// Certificates: several nodes.
    Certificates(Config),
    /// Messages: one node.
    Messages(Messages),
}

/// Searches that belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// What every change has to pass.
    Ci,
    /// A night.
    Long,
}

impl Preset {
    /// Its searches.
    #[must_use]
    pub fn jobs(self) -> Vec<Job> {
        let config = Config::default();
        match self {
            Self::Ci => {
                let mut jobs = vec![
                    Job::Certificates(Config { crashes: 2, ..config.clone() }),
                    Job::Certificates(Config {
                        voters: 7,
                        byzantine: 2,
                        views: 1,
                        crashes: 1,
                        ..config.clone()
                    }),
                    Job::Certificates(Config {
                        views: 1,
                        values: 1,
                        epochs: 2,
                        crashes: 2,
                        ..config.clone()
                    }),
                    Job::Certificates(Config {
                        views: 1,
                        crashes: 2,
                        amnesia: true,
                        liveness: false,
                        ..config
                    }),
                ];
                for (intake, set) in
                    [(true, 0), (true, 1), (true, 2), (false, 0), (false, 1), (false, 2)]
                {
                    jobs.push(Job::Messages(Messages { voters: 4, set, intake }));
                }
                jobs
            }
            Self::Long => vec![
                // A freeze with closing blocks; whole, unlike the one behind it.
                Job::Certificates(Config {
                    values: 1,
                    crashes: 1,
                    epochs: 2,
                    liveness: false,
                    ..config.clone()
                }),
                Job::Certificates(Config { views: 3, liveness: false, ..config }),
            ],
        }
    }
}

/// What is told of one search.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// What was searched.
    pub title: String,
    /// The level: `certificate` or `message`.
    pub level: &'static str,
    /// The configuration, at the level of certificates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<Config>,
    /// States.
    pub states: u64,
    /// Transitions.
    pub transitions: u64,
    /// Steps from the start to the farthest state.
    pub depth: u32,
    /// Node states, machine states, and how often the machine ran.
    pub node_states: u64,
    /// Machine states.
    pub machine_states: u64,
    /// Times that the machine ran; every other step was looked up.
    pub machine_runs: u64,
    /// Places inside of steps at which a crash was tried.
    pub cuts: u64,
    /// Suffixes in which a new block had to become final.
    pub suffixes: u64,
    /// Rounds of the longest.
    pub suffix_rounds_max: u32,
    /// Seconds of the processor.
    pub cpu_s: f64,
    /// Seconds of the clock.
    pub wall_s: f64,
    /// States per second of the processor.
    pub states_per_cpu_s: f64,
    /// Bytes of the set of states and of what is known about life, for each state.
    pub bytes_per_state: f64,
    /// Of these, bytes of what is known about life.
    pub life_bytes_per_state: f64,
    /// Things that ought to have come up and did not.
    pub never_seen: Vec<&'static str>,
    /// Why the search ended early.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<String>,
    /// The claim that broke.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broken: Option<String>,
}

/// A search and, if a claim broke, the way there.
#[derive(Clone, Debug)]
pub struct Searched {
    /// What is told.
    pub summary: Summary,
    /// The way to the broken claim, at the level of certificates.
    pub trace: Option<Trace>,
    /// The claim.
    pub claim: Option<Claim>,
}

#[expect(clippy::cast_precision_loss, reason = "a rate to be printed")]
fn rate(count: u64, per: f64) -> f64 {
    if per > 0.0 { count as f64 / per } else { 0.0 }
}

impl Job {
    /// Its title.
    #[must_use]
    pub fn title(&self) -> String {
        match self {
            Self::Certificates(config) => config.title(),
            Self::Messages(Messages { voters, set, intake }) => {
                let through = if *intake { "through the intake" } else { "counted at once" };
                format!("votes of {voters} voters, set {set}, {through}")
            }
        }
    }

    /// Searches.
    ///
    /// # Errors
    /// When the configuration is too large.
    pub fn run<R: Rules>(
        &self,
        rules: R,
        name: &str,
        limits: Limits,
        stop: impl FnMut(Sofar) -> Option<String>,
    ) -> Result<Searched, SearchError> {
        match self {
            Self::Certificates(config) => {
                let mut search = Search::new(config, rules, limits)?;
                let found = search.run(stop)?;
                let trace =
                    found.broken.as_ref().map(|(claim, way)| Trace::of(&search, name, *claim, way));
                let claim = trace.as_ref().map(|trace| trace.claim);
                Ok(Searched { summary: self.of_certificates(config, &found), trace, claim })
            }
            Self::Messages(messages) => {
                let heard = message::search(*messages, rules);
                let claim = heard.broken.as_ref().map(|(claim, _)| *claim);
                Ok(Searched { summary: self.of_messages(&heard), trace: None, claim })
            }
        }
    }

    fn of_certificates(&self, config: &Config, found: &Found) -> Summary {
        Summary {
            title: self.title(),
            level: "certificate",
            config: Some(config.clone()),
            states: found.sofar.states,
            transitions: found.sofar.transitions,
            depth: found.sofar.depth,
            node_states: found.nodes.0,
            machine_states: found.nodes.1,
            machine_runs: found.nodes.2,
            cuts: found.cuts,
            suffixes: found.suffixes.0,
            suffix_rounds_max: found.suffixes.1,
            cpu_s: found.cpu_s,
            wall_s: found.wall_s,
            states_per_cpu_s: rate(found.sofar.states, found.cpu_s),
            bytes_per_state: rate(found.bytes, rate(found.sofar.states, 1.0)),
            life_bytes_per_state: rate(found.life_bytes, rate(found.sofar.states, 1.0)),
            never_seen: if found.stopped.is_none() { missed(config, found) } else { Vec::new() },
            stopped: found.stopped.clone(),
            broken: found.broken.as_ref().map(|(claim, _)| claim.to_string()),
        }
    }

    fn of_messages(&self, heard: &Heard) -> Summary {
        let expected = [
            (heard.accusations > 0, "an accusation"),
            (heard.certificates > 0, "a certificate"),
            (
                heard.refused > 0 || matches!(self, Self::Messages(Messages { intake: false, .. })),
                "a malformed certificate",
            ),
        ];
        Summary {
            title: self.title(),
            level: "message",
            config: None,
            states: heard.states,
            transitions: heard.transitions,
            depth: 0,
            node_states: 0,
            machine_states: 0,
            machine_runs: heard.transitions,
            cuts: 0,
            suffixes: 0,
            suffix_rounds_max: 0,
            cpu_s: heard.cpu_s,
            wall_s: heard.cpu_s,
            states_per_cpu_s: rate(heard.states, heard.cpu_s),
            bytes_per_state: 0.0,
            life_bytes_per_state: 0.0,
            never_seen: expected
                .into_iter()
                .filter(|(is_seen, _)| !is_seen)
                .map(|(_, what)| what)
                .collect(),
            stopped: None,
            broken: heard
                .broken
                .as_ref()
                .map(|(claim, way)| format!("{claim}, after votes (seat, kind) {way:?}")),
        }
    }
}

/// What a search of this configuration comes across when it is not empty.
fn missed(config: &Config, found: &Found) -> Vec<&'static str> {
    let Seen { both, finalized, skipped, chain, second_epoch, closed } = found.seen;
    let reaches_second = config.views > 1;
    let has_epochs = config.epochs > 1;
    let expected = [
        (true, both, "a view that is notarized and nullified"),
        (true, finalized, "a final block"),
        (reaches_second, skipped, "a final block behind a skipped view"),
        (reaches_second || has_epochs, chain, "a final block on a final block"),
        (has_epochs, second_epoch, "a final block of the second epoch"),
        (
            has_epochs && config.views > config.last_from,
            closed,
            "a last block that is final by a closing one",
        ),
        (config.crashes > 0, found.cuts > 0, "a crash inside a step"),
        (config.liveness, found.suffixes.0 > 0, "a suffix"),
    ];
    // An over-fault run ends where a claim breaks.
    let is_whole = found.broken.is_none();
    expected
        .into_iter()
        .filter(|(is_expected, is_seen, _)| is_whole && *is_expected && !is_seen)
        .map(|(_, _, what)| what)
        .collect()
}

impl Summary {
    /// One line.
    #[must_use]
    pub fn line(&self) -> String {
        let verdict = match (&self.broken, &self.stopped, self.never_seen.as_slice()) {
            (Some(broken), _, _) => format!("BROKEN {broken}"),
            (None, Some(why), _) => format!("holds so far; {why}"),
            (None, None, []) => "holds".to_owned(),
            (None, None, missed) => format!("never seen: {}", missed.join(", ")),
        };
        format!(
            "{:<58} {:>11} states {:>12} transitions {:>8.2} cpu-s {:>6.2} M/s  {verdict}",
            self.title,
            self.states,
            self.transitions,
            self.cpu_s,
            self.states_per_cpu_s / 1e6
        )
    }
}

/// The summaries as a table for people.
#[must_use]
pub fn markdown(summaries: &[Summary], command: &str, commit: &str, machine: &str) -> String {
    let mut text = format!(
        "# Model checker\n\nCommand: `{command}`  \nCommit: {commit}  \nMachine: {machine}\n\n\
         | configuration | states | transitions | suffixes | machine runs | cpu s | M states / cpu s | bytes a state | verdict |\n\
         |---|---|---|---|---|---|---|---|---|\n"
    );
    for summary in summaries {
        let verdict = match (&summary.broken, &summary.stopped) {
            (Some(broken), _) => broken.clone(),
            (None, Some(why)) => format!("holds so far; {why}"),
            (None, None) => "holds".to_owned(),
        };
        text.push_str(&format!(
            "| {} | {} | {} | {} | {} | {:.1} | {:.2} | {:.1} | {verdict} |\n",
            summary.title,
            summary.states,
            summary.transitions,
            summary.suffixes,
            summary.machine_runs,
            summary.cpu_s,
            summary.states_per_cpu_s / 1e6,
            summary.bytes_per_state,
        ));
    }
    text
}
