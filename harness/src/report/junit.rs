//! `junit.xml` for CI servers: a suite per chapter, a test case per case.
//!
//! Failed is `failure`; a broken adapter, our own fault and undecided are `error`; what did not
//! run to a result is `skipped`, and so is undecided where it only warns. A run whose exit code is
//! not 0 never looks green: if no case shows why, one more suite does.

use std::fmt::Write as _;

use crate::verdict::{Outcome, UndecidedPolicy};

use super::format::{first_line, utc, visible};
use super::{Case, Report};

/// The report as JUnit XML.
#[must_use]
pub fn junit(report: &Report) -> String {
    let mut suites = String::new();
    let mut total = Tally::default();
    for chapter in report.chapters.iter().filter(|chapter| !chapter.cases.is_empty()) {
        let mut cases = String::new();
        let mut tally = Tally::default();
        for case in &chapter.cases {
            let mark = mark(&case.outcome, report.run.undecided);
            tally.add(mark, case.duration_us);
            cases.push_str(&test_case(&chapter.id, case, mark));
        }
        suites.push_str(&suite(report, &chapter.title, tally, &cases));
        total.merge(tally);
    }
    if report.exit != 0 && total.failures + total.errors == 0 {
        let mut tally = Tally::default();
        tally.add(Mark::Error, 0);
        let message = attribute(&report.sentence());
        let case = format!(
            "    <testcase classname=\"verdict\" name=\"verdict\" time=\"0.000000\">\n      \
             <error type=\"verdict\" message=\"{message}\"/>\n    </testcase>\n"
        );
        suites.push_str(&suite(report, "verdict", tally, &case));
        total.merge(tally);
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"{}\" {total}>\n{suites}</testsuites>\n",
        attribute(&report.run.program),
    )
}

/// How JUnit sees an outcome.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Passed,
    Failure,
    Error,
    Skipped,
}

fn mark(outcome: &Outcome, policy: UndecidedPolicy) -> Mark {
    match (outcome, policy) {
        (Outcome::Pass, _) => Mark::Passed,
        (Outcome::Fail, _) => Mark::Failure,
        (Outcome::AdapterBroke | Outcome::OwnFault, _)
        | (Outcome::Undecided, UndecidedPolicy::Fail) => Mark::Error,
        (Outcome::Undecided, UndecidedPolicy::Warn)
        | (Outcome::Unsupported | Outcome::KnownFailing | Outcome::Skipped { .. }, _) => {
            Mark::Skipped
        }
    }
}

#[derive(Clone, Copy, Default)]
struct Tally {
    tests: u64,
    failures: u64,
    errors: u64,
    skipped: u64,
    duration_us: u64,
}

impl Tally {
    fn add(&mut self, mark: Mark, duration_us: u64) {
        self.tests += 1;
        self.failures += u64::from(mark == Mark::Failure);
        self.errors += u64::from(mark == Mark::Error);
        self.skipped += u64::from(mark == Mark::Skipped);
        self.duration_us = self.duration_us.saturating_add(duration_us);
    }

    fn merge(&mut self, other: Self) {
        self.tests += other.tests;
        self.failures += other.failures;
        self.errors += other.errors;
        self.skipped += other.skipped;
        self.duration_us = self.duration_us.saturating_add(other.duration_us);
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"{}\"",
            self.tests,
            self.failures,
            self.errors,
            self.skipped,
            seconds(self.duration_us),
        )
    }
}

fn suite(report: &Report, title: &str, tally: Tally, cases: &str) -> String {
    let started = utc(report.run.started_ms);
    format!(
        "  <testsuite name=\"{}\" {tally} timestamp=\"{}\">\n{cases}  </testsuite>\n",
        attribute(title),
        // The schema that most servers follow takes no zone.
        started.trim_end_matches('Z'),
    )
}

fn test_case(chapter: &str, case: &Case, mark: Mark) -> String {
    let mut xml = format!(
        "    <testcase classname=\"{}\" name=\"{}\" time=\"{}\">\n",
        attribute(chapter),
        attribute(&case.id),
        seconds(case.duration_us),
    );
    if !case.requirements.is_empty() {
        xml.push_str("      <properties>\n");
        for requirement in &case.requirements {
            let requirement = attribute(requirement);
            line(
                &mut xml,
                format_args!("        <property name=\"requirement\" value=\"{requirement}\"/>"),
            );
        }
        xml.push_str("      </properties>\n");
    }
    let kind = case.outcome.word();
    match mark {
        Mark::Passed => {}
        Mark::Failure | Mark::Error => {
            let element = if mark == Mark::Failure { "failure" } else { "error" };
            let message = attribute(&message(case));
            let detail = content(&case.detail);
            line(
                &mut xml,
                format_args!(
                    "      <{element} type=\"{kind}\" message=\"{message}\">{detail}</{element}>"
                ),
            );
        }
        Mark::Skipped => {
            let message = attribute(&format!("{kind}: {}", message(case)));
            line(&mut xml, format_args!("      <skipped message=\"{message}\"/>"));
        }
    }
    if mark != Mark::Passed && !case.rerun.is_empty() {
        let rerun = content(&case.rerun);
        line(&mut xml, format_args!("      <system-out>repeat with: {rerun}</system-out>"));
    }
    xml.push_str("    </testcase>\n");
    xml
}

fn line(xml: &mut String, content: std::fmt::Arguments<'_>) {
    writeln!(xml, "{content}").expect("writing to a string succeeds");
}

/// The claim and what came of it, in one line.
fn message(case: &Case) -> String {
    let seen = match &case.outcome {
        Outcome::Skipped { reason, install: Some(install) } => {
            format!("{reason}; install: {install}")
        }
        Outcome::Skipped { reason, install: None } => reason.clone(),
        _ => first_line(&case.detail, 200),
    };
    if seen.is_empty() { case.title.clone() } else { format!("{}: {seen}", case.title) }
}

fn seconds(us: u64) -> String {
    format!("{}.{:06}", us / 1_000_000, us % 1_000_000)
}

/// Escapes for character data.
fn content(text: &str) -> String {
    let text = visible(text).replace('&', "&amp;");
    text.replace('<', "&lt;").replace('>', "&gt;")
}

/// Escapes for an attribute in double quotes, where a parser would turn layout into spaces.
fn attribute(text: &str) -> String {
    let text = content(text).replace('"', "&quot;").replace('\'', "&apos;");
    text.replace('\n', "&#10;").replace('\t', "&#9;")
}

#[cfg(test)]
mod tests {
    use super::super::{Chapter, Run, fixture, wellformed};
    use super::*;

    type Tags = Vec<(String, Vec<(String, String)>)>;

    fn tags(report: &Report) -> Tags {
        wellformed::check(&junit(report))
    }

    fn attribute_of<'a>(tags: &'a Tags, tag: usize, name: &str) -> &'a str {
        let found = tags[tag].1.iter().find(|(attribute, _)| attribute == name);
        &found.unwrap_or_else(|| panic!("{name} in {tags:?}")).1
    }

    fn count(tags: &Tags, name: &str) -> usize {
        tags.iter().filter(|(tag, _)| tag == name).count()
    }

    #[test]
    fn the_numbers_in_the_head_are_those_of_the_elements() {
        let tags = tags(&fixture::report());
        assert_eq!(tags[0].0, "testsuites");
        for (name, attribute, expected) in [
            ("testcase", "tests", 9),
            ("failure", "failures", 1),
            ("error", "errors", 3),
            ("skipped", "skipped", 4),
        ] {
            assert_eq!(count(&tags, name), expected, "{name}");
            assert_eq!(attribute_of(&tags, 0, attribute), expected.to_string());
            assert_eq!(attribute_of(&tags, 1, attribute), expected.to_string());
        }
        assert_eq!(count(&tags, "testsuite"), 1, "a chapter without cases is no suite");
        assert_eq!(count(&tags, "property"), 19);
        assert_eq!(attribute_of(&tags, 0, "time"), "0.011106");
        assert_eq!(attribute_of(&tags, 1, "timestamp"), "2026-11-22T09:30:00");
    }

    #[test]
    fn texts_arrive_as_they_were_or_visibly() {
        let xml = junit(&fixture::report());
        assert!(xml.contains("&lt;script&gt;alert(\"1\")&lt;/script&gt; &amp; 'x'"), "content");
        assert!(xml.contains("&lt;script&gt;alert(&quot;1&quot;)"), "attribute");
        assert!(xml.contains("\\x1b[31m\\x00 \\u{202e}evil\\x0d\n--&gt; end"));
        assert!(xml.contains("no browser; install: apt-get install chromium"));
        assert!(xml.contains("repeat with: mdsm-harness verify --case 'storage/undecided'"));
        assert!(!xml.contains("--case 'storage/pass'"), "what passed needs no repetition");
    }

    #[test]
    fn a_run_that_does_not_exit_with_0_is_never_green() {
        for (planned, chapters) in [
            (0, vec![]),
            (1, vec![]),
            (
                1,
                vec![{
                    let mut chapter = Chapter::new("c", "C");
                    chapter.cases.push(fixture::case("a", Outcome::Unsupported));
                    chapter
                }],
            ),
        ] {
            let report = Report::new(fixture::run(), planned, chapters);
            assert_ne!(report.exit, 0);
            let tags = tags(&report);
            assert_eq!(attribute_of(&tags, 0, "errors"), "1");
            assert_eq!(count(&tags, "error"), 1);
        }
    }

    #[test]
    fn undecided_is_an_error_or_a_skip_and_never_a_pass() {
        let mut chapter = Chapter::new("c", "C");
        chapter.cases.push(fixture::case("a", Outcome::Undecided));
        for (undecided, element) in
            [(UndecidedPolicy::Fail, "error"), (UndecidedPolicy::Warn, "skipped")]
        {
            let run = Run { undecided, ..fixture::run() };
            let tags = tags(&Report::new(run, 1, vec![chapter.clone()]));
            assert_eq!(count(&tags, element), 1);
            assert_eq!(count(&tags, "testcase"), 1);
        }
    }
}
