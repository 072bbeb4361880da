//! One report of a run, four ways: a page for people, JSON and JUnit for pipelines, Markdown for
//! a step summary; and a table for the terminal.
//!
//! Every view leads with the verdict and ends with machine, seed, commit and the command that
//! repeats the run. Texts in a report come from programs under test, so no view trusts them: what
//! has a meaning in the view's language is escaped, and control characters are shown, not sent.

mod bundle;
mod conformance;
mod diff;
mod format;
mod html;
mod json;
mod junit;
mod measurement;
mod model;
mod plot;
mod requirements;
mod schema;
mod summary;
mod table;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod wellformed;

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

pub use bundle::{Bundle, BundleError};
pub use conformance::{Conformance, ProfileVerdict, Reading, SentenceVerdict, Status};
pub use diff::{Change, Diff, diff};
pub use format::date;
pub use html::html;
pub use json::{json, parse};
pub use junit::junit;
pub use measurement::{Measurement, Sense, Target};
pub use model::{Case, Chapter, Fact, Machine, Report, Run, Skip};
pub use requirements::{RequirementCounts, by_requirement};
pub use schema::{SchemaError, validate, validate_by};
pub use summary::summary;
pub use table::table;

/// Writes `index.html`, `report.json`, `junit.xml` and `summary.md` into `dir`, which is made if
/// it is absent.
///
/// Each file is written in full beside its place, synced, and renamed, so that a reader sees the
/// old file or the new one, also when the program is killed. All are written before the first is
/// renamed, so that a full disk leaves the old report whole.
///
/// # Errors
/// The first error of the file system; what was written beside is removed again.
pub fn write(dir: &Path, report: &Report) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    let files = [
        ("index.html", html(report)),
        ("report.json", json(report)),
        ("junit.xml", junit(report)),
        ("summary.md", summary(report)),
    ];
    let mut written = Vec::new();
    let result = write_beside(dir, &files, &mut written)
        .and_then(|()| written.iter().try_for_each(|(from, to)| fs::rename(from, to)));
    if result.is_err() {
        for (partial, _) in &written {
            // The first error is the one to tell; a file that was renamed is gone already.
            drop(fs::remove_file(partial));
        }
    }
    result
}

fn write_beside(
    dir: &Path,
    files: &[(&str, String)],
    written: &mut Vec<(PathBuf, PathBuf)>,
) -> io::Result<()> {
    for (name, content) in files {
        // Two runs that write to one directory do not write to one file.
        let partial = dir.join(format!(".{name}.{}.partial", std::process::id()));
        written.push((partial.clone(), dir.join(name)));
        let mut file = File::create(&partial)?;
        file.write_all(content.as_bytes())?;
        file.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn the_four_files_appear_and_nothing_else() {
        let scratch = tempfile::tempdir().unwrap();
        let dir = scratch.path().join("deep/latest");
        for _ in 0..2 {
            write(&dir, &fixture::report()).unwrap();
            assert_eq!(names(&dir), ["index.html", "junit.xml", "report.json", "summary.md"]);
        }
        let stored = fs::read(dir.join("report.json")).unwrap();
        assert_eq!(parse(&stored).unwrap(), fixture::report());
    }

    #[test]
    fn no_text_acts_on_the_reader_of_any_view() {
        let report = fixture::drowned();
        for view in [html(&report), junit(&report), summary(&report), table(&report)] {
            let acts = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
            assert_eq!(view.chars().find(|c| acts(*c)), None, "{view}");
        }
        wellformed::check(&html(&report));
        wellformed::check(&junit(&report));
        let text = table(&report);
        assert!(text.lines().all(|line| !line.starts_with("-->")), "a text broke its line: {text}");
        assert!(summary(&report).lines().all(|line| !line.starts_with("--")));
    }

    #[test]
    fn a_failed_write_leaves_no_partial_file() {
        let scratch = tempfile::tempdir().unwrap();
        // A directory in the place of a file: the rename cannot succeed.
        fs::create_dir_all(scratch.path().join("junit.xml/full")).unwrap();
        assert!(write(scratch.path(), &fixture::report()).is_err());
        assert!(names(scratch.path()).iter().all(|name| !name.ends_with(".partial")));
    }
}
