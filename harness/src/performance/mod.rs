//! The performance gate on instruction counts: `perf record` and `perf compare`.
//!
//! The workloads of package `benches` run under valgrind, which counts the same instructions on every
//! run, however busy the machine is. `record` writes the counts to `reports/baseline/instructions.json`;
//! `compare` counts again and fails a workload that grew by 1 % or more.
//!
//! Counts depend on tools and processor as well as on the code. So the file carries a fingerprint of
//! what does not come from the commit; where it differs from this machine's, the base revision is
//! built and counted here instead. What comes from the commit (`Cargo.lock`, the profiles) is what
//! the gate judges: it is noted, and no reason to look away.
//!
//! Invariant: a case passes only where two counts of one fingerprint were compared. A missing tool
//! skips, a base that cannot be had leaves undecided, a workload without a base count is skipped, one
//! that has vanished fails.

mod baseline;
mod checkout;
mod count;
mod fingerprint;
mod judge;
mod options;
mod process;
mod tools;
mod workspace;

use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::report::{Report, Run};

use self::baseline::Baseline;
use self::checkout::Checkout;
use self::count::{Build, Workloads, count};
use self::fingerprint::Fingerprint;
use self::tools::Tools;

pub use self::baseline::BASELINE_PATH;
pub use self::judge::Comparison;
pub use self::options::{CompareOptions, RecordOptions};

/// Why there is nothing to report: our own fault, or that of the command line.
#[derive(Debug, Error)]
pub enum PerformanceError {
    /// Not inside a checkout of this repository.
    #[error("no checkout of this repository in or above {0}: run it inside one")]
    Workspace(String),
    /// A file cannot be read or written.
    #[error("{path}: {error}")]
    File {
        /// The file.
        path: String,
        /// Why.
        error: std::io::Error,
    },
    /// The baseline is not one of this program.
    #[error("{path}: {reason}; `perf record` writes a new one")]
    Baseline {
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
    /// A tool that is asked for its version does not answer as it should.
    #[error("{0}")]
    Tool(String),
    /// A tool is absent, and nothing can be recorded without it.
    #[error("{reason}; install it: {install}")]
    Missing {
        /// What is absent.
        reason: String,
        /// The command that installs it.
        install: String,
    },
    /// The workloads do not build or do not run.
    #[error("the workloads cannot be counted: {0}")]
    Count(String),
}

/// Counts every workload and writes the baseline. Gives the number of workloads.
///
/// # Errors
/// Why nothing was written.
pub fn record(options: &RecordOptions, quiet: bool) -> Result<usize, PerformanceError> {
    let root = workspace::root()?;
    let path = baseline_path(&root, options.baseline.as_ref());
    let tools = tools::find(&root)?.map_err(|missing| PerformanceError::Missing {
        reason: missing.reason,
        install: missing.install,
    })?;
    let fingerprint = Fingerprint::gather(&root, &tools)?;
    let workloads = count_head(&root, None, quiet)?;
    let recorded = workloads.len();
    Baseline::new(&root, fingerprint, &workloads)?.write(&path)?;
    Ok(recorded)
}

/// Counts every workload and holds it against the baseline, or against the base revision.
///
/// # Errors
/// Why nothing can be said about the code at hand. What keeps only the base from being had is part
/// of the comparison: undecided.
pub fn compare(options: &CompareOptions, quiet: bool) -> Result<Comparison, PerformanceError> {
    let root = workspace::root()?;
    let path = baseline_path(&root, options.baseline.as_ref());
    let stored = Baseline::read(&path)?;
    if let (Some(asked), None) = (&options.baseline, &stored) {
        let (path, error) = (asked.display().to_string(), std::io::ErrorKind::NotFound.into());
        return Err(PerformanceError::File { path, error });
    }
    let name =
        options.baseline.as_ref().map_or(BASELINE_PATH.into(), |path| path.to_string_lossy());
    let tools = match tools::find(&root)? {
        Ok(tools) => tools,
        Err(missing) => return Ok(Comparison::skipped(stored.as_ref(), &missing)),
    };
    let here = Fingerprint::gather(&root, &tools)?;
    let head = count_head(&root, options.bench_features.as_deref(), quiet)?;
    let why_built = match (&options.base, &stored) {
        (Some(_), _) => "asked for by --base".to_owned(),
        (None, None) => format!("{name} is absent"),
        (None, Some(stored)) => match here.differences(&stored.fingerprint) {
            none if none.is_empty() => {
                let mut comparison = Comparison::of(&stored.workloads, &head, &name);
                comparison.note_settings(&stored.settings_changed(&root)?);
                return Ok(comparison);
            }
            differences => format!("{name} is of other tools: {}", differences.join("; ")),
        },
    };
    Ok(match count_base(&root, options.base.as_deref(), &tools, &here, quiet) {
        Ok((revision, base)) => {
            let base = base.into_iter().map(|(id, workload)| (id, workload.instructions)).collect();
            let mut comparison =
                Comparison::of(&base, &head, &format!("revision {revision}, counted here"));
            comparison.note("why the base was built", why_built);
            comparison
        }
        Err(reason) => Comparison::undecided(&head, &format!("{why_built}; {reason}")),
    })
}

impl Comparison {
    /// The report on it; every case is repeated by the run's command.
    #[must_use]
    pub fn into_report(self, run: Run) -> Report {
        let planned = self.planned;
        let mut chapter = self.chapter;
        chapter.cases.iter_mut().for_each(|case| case.rerun.clone_from(&run.command));
        Report::new(run, planned, vec![chapter])
    }
}

fn baseline_path(root: &Path, asked: Option<&PathBuf>) -> PathBuf {
    asked.map_or_else(|| root.join(BASELINE_PATH), PathBuf::clone)
}

fn count_head(
    root: &Path,
    features: Option<&str>,
    quiet: bool,
) -> Result<Workloads, PerformanceError> {
    say(quiet, "counting the instructions of every workload");
    let build = Build { root, target_dir: None, features };
    count(&build, quiet).map_err(PerformanceError::Count)
}

/// The base revision and its counts; why not, in words, where they cannot be had.
fn count_base(
    root: &Path,
    base: Option<&str>,
    tools: &Tools,
    here: &Fingerprint,
    quiet: bool,
) -> Result<(String, Workloads), String> {
    let revision = checkout::base_revision(root, base)?;
    say(quiet, &format!("building the base revision {revision}"));
    let checkout = Checkout::new(root, &revision)?;
    // A revision may pin another compiler, and then the counts differ for that reason alone.
    let there = Fingerprint::gather(checkout.root(), tools).map_err(|error| error.to_string())?;
    let differences = there.differences(here);
    if !differences.is_empty() {
        return Err(format!("revision {revision} is of other tools: {}", differences.join("; ")));
    }
    let target_dir = checkout.target_dir();
    let build = Build { root: checkout.root(), target_dir: Some(&target_dir), features: None };
    let base = count(&build, quiet).map_err(|why| format!("revision {revision}: {why}"))?;
    Ok((revision, base))
}

fn say(quiet: bool, what: &str) {
    if !quiet {
        crate::output::note(format!("perf: {what}"));
    }
}
