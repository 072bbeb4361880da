//! What changed between two reports: cases, sentences, verdicts.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::verdict::Outcome;

use super::format::{first_line, one_line};
use super::{Case, Report};

/// Characters of what was seen.
const SEEN_MAX: usize = 120;

/// A case in two reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change<'a> {
    /// Its outcome is another one.
    Outcome(&'a Case, &'a Case),
    /// It is new.
    Added(&'a Case),
    /// It is gone.
    Removed(&'a Case),
}

/// Everything that changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Diff<'a> {
    /// The older one.
    pub old: &'a Report,
    /// The newer one.
    pub new: &'a Report,
    /// Cases, by id.
    pub changes: Vec<Change<'a>>,
}

/// Compares two reports.
#[must_use]
pub fn diff<'a>(old: &'a Report, new: &'a Report) -> Diff<'a> {
    let by_id = |report: &'a Report| -> BTreeMap<&'a str, &'a Case> {
        let cases = report.chapters.iter().flat_map(|chapter| &chapter.cases);
        cases.map(|case| (case.id.as_str(), case)).collect()
    };
    let (before, after) = (by_id(old), by_id(new));
    let mut changes = Vec::new();
    for (id, case) in &before {
        match after.get(id) {
            None => changes.push(Change::Removed(case)),
            Some(now) if now.outcome.word() != case.outcome.word() => {
                changes.push(Change::Outcome(case, now));
            }
            Some(_) => {}
        }
    }
    let added = after.iter().filter(|(id, _)| !before.contains_key(*id));
    changes.extend(added.map(|(_, case)| Change::Added(case)));
    Diff { old, new, changes }
}

impl Diff<'_> {
    /// Whether something that needs attention is there that was not before.
    #[must_use]
    pub fn is_worse(&self) -> bool {
        self.changes.iter().any(|change| match change {
            // Whatever is no longer a pass is worse, also where it is excused or no longer offered.
            Change::Outcome(before, now) => {
                before.outcome == Outcome::Pass || now.outcome.needs_attention()
            }
            Change::Added(now) => now.outcome.needs_attention(),
            // What is gone could have failed.
            Change::Removed(case) => !case.outcome.needs_attention(),
        })
    }

    /// For people, a line for each change; the worst is not sorted out, ids are in order.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        let mut line =
            |line: String| writeln!(text, "{line}").expect("writing to a string succeeds");
        for change in &self.changes {
            line(match change {
                Change::Outcome(before, now) => {
                    let seen = first_line(&now.detail, SEEN_MAX);
                    let (before, after) = (before.outcome.word(), now.outcome.word());
                    format!("{before} -> {after}: {} {seen}", one_line(&now.id))
                }
                Change::Added(case) => {
                    format!("new {}: {}", case.outcome.word(), one_line(&case.id))
                }
                Change::Removed(case) => {
                    format!("gone, was {}: {}", case.outcome.word(), one_line(&case.id))
                }
            });
        }
        let of = |report: &Report| {
            format!("{} {}", one_line(&report.run.program), one_line(&report.run.version))
        };
        line(format!(
            "{}: {} -> {}: {}",
            of(self.old),
            self.old.headline(),
            of(self.new),
            self.new.headline()
        ));
        line(format!("{} cases changed", self.changes.len()));
        text
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Chapter, fixture};
    use super::*;

    fn report(cases: &[(&str, Outcome)]) -> Report {
        let mut chapter = Chapter::new("c", "C");
        chapter.cases =
            cases.iter().map(|(id, outcome)| fixture::case(id, outcome.clone())).collect();
        Report::new(fixture::run(), cases.len() as u64, vec![chapter])
    }

    #[test]
    fn outcomes_that_changed_and_cases_that_came_and_went_are_told() {
        let old = report(&[("a", Outcome::Pass), ("b", Outcome::Fail), ("c", Outcome::Pass)]);
        let new = report(&[("a", Outcome::Fail), ("b", Outcome::Pass), ("d", Outcome::Pass)]);
        let found = diff(&old, &new);
        assert_eq!(found.changes.len(), 4);
        assert!(found.is_worse());
        let text = found.text();
        for words in [
            "pass -> fail: a",
            "fail -> pass: b",
            "gone, was pass: c",
            "new pass: d",
            "4 cases changed",
        ] {
            assert!(text.contains(words), "{text}");
        }
        let better = report(&[("a", Outcome::Pass), ("b", Outcome::Pass), ("c", Outcome::Pass)]);
        assert!(!diff(&old, &better).is_worse());
        assert!(diff(&old, &old).changes.is_empty());
    }

    #[test]
    fn what_passed_and_is_excused_or_not_offered_now_is_worse() {
        let of = |outcome: &Outcome| report(&[("a", outcome.clone())]);
        let is_worse = |old: &Outcome, new: &Outcome| diff(&of(old), &of(new)).is_worse();
        for now in [Outcome::KnownFailing, Outcome::Unsupported, Outcome::skipped("no time")] {
            assert!(is_worse(&Outcome::Pass, &now), "{now:?}");
            assert!(!is_worse(&now, &Outcome::Pass), "{now:?}");
            assert!(!is_worse(&Outcome::Fail, &now), "{now:?}");
        }
    }
}
