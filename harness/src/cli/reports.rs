//! `report`: work on reports that were written before.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Subcommand;

use harness::conformance::follows::follows;
use harness::conformance::vectors;
use harness::output::{note, print};
use harness::report::{self, Bundle, Report};
use harness::verdict::Exit;

use super::{Common, simulate};

/// Bytes of a file that is read, at most.
const BYTES_MAX: u64 = 1 << 30;

#[derive(Subcommand)]
pub(super) enum Reports {
    /// Add up the reports of shards.
    Merge {
        /// What each shard wrote with --out.
        #[arg(required = true, value_name = "DIR")]
        shards: Vec<PathBuf>,
        #[command(flatten)]
        common: Common,
    },
    /// Say what changed between two reports; exit 1 if something is worse.
    Diff {
        /// A report.json, or the folder that holds it.
        old: PathBuf,
        /// The newer one.
        new: PathBuf,
    },
    /// Put a report, transcripts and the digests of what it was judged with into one file.
    Bundle {
        /// A report.json, or the folder that holds it.
        report: PathBuf,
        /// Transcripts to put in, as `check --transcripts` wrote them.
        #[arg(long, value_name = "DIR")]
        transcripts: Option<PathBuf>,
        /// Where the bundle goes.
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
    },
    /// Check a bundle: digests, schema, counts, that every verdict follows from the cases, and that all views
    /// say the same.
    Verify {
        /// The bundle.
        bundle: PathBuf,
    },
}

pub(super) fn reports(command: &Reports) -> Result<Exit, String> {
    match command {
        Reports::Merge { shards, common } => simulate::merge(shards, common),
        Reports::Diff { old, new } => {
            let (old, new) = (load(old)?, load(new)?);
            let diff = report::diff(&old, &new);
            print(&diff.text())?;
            Ok(if diff.is_worse() { Exit::DoesNotConform } else { Exit::Conforms })
        }
        Reports::Bundle { report, transcripts, to } => {
            let more = transcripts.as_deref().map_or(Ok(BTreeMap::new()), texts)?;
            let bundle = Bundle::new(&load(report)?, vectors::STORED, more);
            let written = fs::write(to, bundle.text());
            written.map_err(|error| format!("--to {}: {error}", to.display()))?;
            print(&format!("{} files, digest {}\n", bundle.files.len(), bundle.digest))?;
            Ok(Exit::Conforms)
        }
        Reports::Verify { bundle } => {
            let text = read(bundle)?;
            let verified =
                Bundle::verify(&text, vectors::STORED).map_err(|error| error.to_string());
            let verified =
                verified.and_then(|(bundle, report)| match bundle.is_of_this_version() {
                    true => follows(&report).map(|()| (bundle, report)),
                    false => Ok((bundle, report)),
                });
            match verified {
                Ok((bundle, report)) => {
                    let of = &report.run;
                    if !bundle.is_of_this_version() {
                        let (by, ours) = (bundle.harness.escape_debug(), env!("CARGO_PKG_VERSION"));
                        note(format!(
                            "written by version {by}; {ours} has other cases and does not judge them again"
                        ));
                    }
                    print(&format!(
                        "the bundle holds: {} files, digest {}\n{} {}: {}\n",
                        bundle.files.len(),
                        bundle.digest,
                        of.program.escape_debug(),
                        of.version.escape_debug(),
                        report.sentence()
                    ))?;
                    Ok(Exit::Conforms)
                }
                Err(error) => {
                    note(format!("{}: {error}", bundle.display()));
                    Ok(Exit::DoesNotConform)
                }
            }
        }
    }
}

fn read(path: &Path) -> Result<String, String> {
    let fault = |error: std::io::Error| format!("{}: {error}", path.display());
    let bytes = fs::metadata(path).map_err(fault)?.len();
    if bytes > BYTES_MAX {
        return Err(format!("{}: {bytes} bytes, at most {BYTES_MAX}", path.display()));
    }
    fs::read_to_string(path).map_err(fault)
}

fn load(path: &Path) -> Result<Report, String> {
    let path = if path.is_dir() { path.join("report.json") } else { path.to_owned() };
    let text = read(&path)?;
    let fault = |error: String| format!("{}: {error}", path.display());
    let value = serde_json::from_str(&text).map_err(|error| fault(error.to_string()))?;
    report::validate(&value).map_err(|error| fault(error.to_string()))?;
    report::parse(text.as_bytes()).map_err(|error| fault(error.to_string()))
}

/// Texts of a folder, as `transcripts/NAME`.
fn texts(folder: &Path) -> Result<BTreeMap<String, String>, String> {
    let fault = |error: std::io::Error| format!("--transcripts {}: {error}", folder.display());
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).map_err(fault)? {
        let entry = entry.map_err(fault)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".txt") {
            found.insert(format!("transcripts/{name}"), read(&entry.path())?);
        }
    }
    Ok(found)
}
