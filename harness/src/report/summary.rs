//! `summary.md`: the report in GitHub-flavoured Markdown, for the summary of a CI step.
//!
//! Servers cut such a summary (GitHub at 1 MiB), so lists stop at a number and say what is missing.

use std::fmt::Write as _;

use super::Skip;

use super::format::{count, duration, first_line, number, one_line, shortened, utc};
use super::{Measurement, Report, Sense, Status};

const CASES_MAX: usize = 50;
const CHARACTERS_MAX: usize = 300;

/// The report as Markdown.
#[must_use]
pub fn summary(report: &Report) -> String {
    let mut out = String::new();
    let program = escaped(&report.run.program);
    line(&mut out, format_args!("# {program}: {}\n", report.headline()));
    line(&mut out, format_args!("{} Exit code {}.\n", escaped(&report.sentence()), report.exit));
    conformance(&mut out, report);
    chapters(&mut out, report);
    attention(&mut out, report);
    skipped(&mut out, report);
    measurements(&mut out, report);
    repeat(&mut out, report);
    out
}

fn conformance(out: &mut String, report: &Report) {
    let Some(conformance) = &report.conformance else { return };
    for profile in &conformance.profiles {
        line(out, format_args!("- {}", escaped(&profile.sentence())));
    }
    for reading in &conformance.readings {
        let (declared, means) =
            (format!("{}={}", reading.point, reading.declared), &reading.interoperation);
        line(out, format_args!("- {}: {}", code(&declared), escaped(means)));
    }
    out.push('\n');
    let against: Vec<_> = [Status::Violated, Status::Ambiguous]
        .into_iter()
        .flat_map(|status| conformance.with(status))
        .collect();
    if !against.is_empty() {
        out.push_str(
            "| sentence | of | status | what it says | cases against it |\n|---|---|---|---|---|\n",
        );
    }
    for sentence in against.iter().take(CASES_MAX) {
        let cases: Vec<String> = sentence.against.iter().map(|case| code(case)).collect();
        let text = escaped(&shortened(&sentence.text, CHARACTERS_MAX));
        let (id, source) = (escaped(&sentence.id), escaped(&sentence.source));
        let status = sentence.status.word();
        line(out, format_args!("| {id} | {source} | {status} | {text} | {} |", cases.join(", ")));
    }
    if !against.is_empty() {
        out.push('\n');
    }
}

fn chapters(out: &mut String, report: &Report) {
    out.push_str(
        "| chapter | run | passed | failed | undecided | adapter broke | own fault | unsupported \
         | known-failing | skipped | all | took |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n",
    );
    let mut took_us = 0u64;
    for chapter in report.chapters.iter().filter(|chapter| !chapter.cases.is_empty()) {
        let title = escaped(&chapter.title);
        took_us = took_us.saturating_add(chapter.duration_us());
        row(out, &title, &chapter.counts(), &duration(chapter.duration_us()));
    }
    row(out, "**total**", &report.counts, &duration(took_us));
    out.push('\n');
}

fn row(out: &mut String, title: &str, counts: &crate::verdict::Counts, took: &str) {
    let numbers = [
        counts.run,
        counts.passed,
        counts.failed,
        counts.undecided,
        counts.adapter_broke,
        counts.own_fault,
        counts.unsupported,
        counts.known_failing,
        counts.skipped,
        counts.all,
    ];
    let numbers = numbers.map(count).join(" | ");
    line(out, format_args!("| {title} | {numbers} | {took} |"));
}

fn attention(out: &mut String, report: &Report) {
    let cases = report.attention();
    if cases.is_empty() {
        return;
    }
    out.push_str("## What needs attention\n\n| outcome | case | what was seen | repeat |\n|---|---|---|---|\n");
    for case in cases.iter().take(CASES_MAX) {
        let seen = first_line(&case.detail, CHARACTERS_MAX);
        let seen = if seen.is_empty() { shortened(&case.title, CHARACTERS_MAX) } else { seen };
        let log = case.log_end(1);
        let log = log.first().map(|line| format!("; its log ends with: {line}"));
        let seen = seen + &shortened(&log.unwrap_or_default(), CHARACTERS_MAX);
        let (id, rerun) = (code(&case.id), code(&case.rerun));
        line(
            out,
            format_args!("| {} | {id} | {} | {rerun} |", case.outcome.word(), escaped(&seen)),
        );
    }
    if cases.len() > CASES_MAX {
        let more = cases.len() - CASES_MAX;
        line(out, format_args!("\n{more} more are in `index.html`."));
    }
    out.push('\n');
}

/// Why cases did not run, each reason once, with the command that would let them.
fn skipped(out: &mut String, report: &Report) {
    let skips = report.skips();
    if skips.is_empty() {
        return;
    }
    out.push_str("## Skipped\n\n");
    for Skip { reason, install, cases } in skips.iter().take(CASES_MAX) {
        let reason = escaped(&shortened(reason, CHARACTERS_MAX));
        match install {
            Some(install) => {
                line(out, format_args!("- {cases}: {reason}; to run: {}", code(install)))
            }
            None => line(out, format_args!("- {cases}: {reason}")),
        }
    }
    if skips.len() > CASES_MAX {
        line(out, format_args!("- {} more reasons are in `index.html`", skips.len() - CASES_MAX));
    }
    out.push('\n');
}

fn measurements(out: &mut String, report: &Report) {
    let chapters = report.chapters.iter();
    let held: Vec<&Measurement> = chapters
        .flat_map(|chapter| &chapter.measurements)
        .filter(|measurement| measurement.target.is_some())
        .collect();
    if held.is_empty() {
        return;
    }
    out.push_str("## Measurements with a target\n\n| what | value | target | unit | verdict |\n|---|--:|--:|---|---|\n");
    for measurement in held {
        let value = measurement.value.map_or("not measured".to_owned(), number);
        let target = measurement.target.map_or(String::new(), |target| match target.sense {
            Sense::AtLeast => format!("≥ {}", number(target.value)),
            Sense::AtMost => format!("≤ {}", number(target.value)),
        });
        let verdict = match measurement.meets() {
            Some(true) => "meets",
            Some(false) => "**misses**",
            None => "",
        };
        let (name, unit) = (escaped(&measurement.name), escaped(&measurement.unit));
        line(out, format_args!("| {name} | {value} | {target} | {unit} | {verdict} |"));
    }
    out.push('\n');
}

fn repeat(out: &mut String, report: &Report) {
    let run = &report.run;
    let (machine, command) = (&run.machine, code(&run.command));
    let commit = if run.commit.is_empty() { "unknown".to_owned() } else { code(&run.commit) };
    line(out, format_args!("Repeat with {command}; seed {}, commit {commit}.", run.seed));
    line(
        out,
        format_args!(
            "{} {}, {}, {} threads, {}, {}; started {}.",
            escaped(&run.program),
            escaped(&run.version),
            escaped(&machine.cpu),
            machine.threads,
            escaped(&machine.os),
            escaped(&machine.compiler),
            utc(run.started_ms),
        ),
    );
}

fn line(out: &mut String, content: std::fmt::Arguments<'_>) {
    writeln!(out, "{content}").expect("writing to a string succeeds");
}

/// One line in which no character has a meaning for Markdown or HTML.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for character in one_line(text).chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '#' | '!' | '|' | '~' => {
                out.push('\\');
                out.push(character);
            }
            _ => out.push(character),
        }
    }
    out
}

/// A code span that also holds inside a table; nothing for an empty text.
fn code(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    // A table splits cells before it looks for code, and takes the backslash away again.
    let text = one_line(text).replace('|', "\\|");
    let longest = text.split(|character| character != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let space = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{space}{text}{space}{fence}")
}

#[cfg(test)]
mod tests {
    use super::super::{Chapter, fixture};
    use super::*;
    use crate::verdict::Outcome;

    #[test]
    fn the_summary_leads_with_the_verdict_and_ends_with_how_to_repeat() {
        let text = summary(&fixture::report());
        assert!(text.starts_with("# reference &lt;mdsm&gt;: the harness failed\n"));
        assert!(text.contains("| **total** | 5 | 1 | 1 | 1 | 1 | 1 | 1 | 1 | 2 | 9 | 11.1 ms |"));
        assert!(text.contains("to run: `apt-get install chromium`\n"));
        assert!(text.contains("| ingest | 45,500 | ≥ 30,000 | records/s | meets |"));
        assert!(text.contains("| verify a receipt | 31.5 | ≤ 20 | µs | **misses** |"));
        assert!(!text.contains("no target"));
        let last = text.trim_end().lines().rev().nth(1).unwrap();
        assert!(last.starts_with("Repeat with `mdsm-harness verify --seed 18446744073709551615"));
    }

    #[test]
    fn every_table_row_has_as_many_cells_as_its_head() {
        let text = summary(&fixture::report());
        let cells = |line: &str| line.replace("\\|", "").matches('|').count();
        let mut head = 0;
        let mut rows = 0;
        for line in text.lines() {
            match (line.starts_with('|'), head) {
                (true, 0) => head = cells(line),
                (true, _) => assert_eq!(cells(line), head, "{line}"),
                (false, _) => head = 0,
            }
            rows += usize::from(line.starts_with('|'));
        }
        assert!(rows > 12, "{rows} rows");
    }

    #[test]
    fn texts_mean_nothing_to_markdown() {
        let hostile = escaped(fixture::HOSTILE);
        assert!(hostile.starts_with(
            "&lt;script&gt;alert\\(\"1\"\\)&lt;/script&gt; &amp; 'x' \\| \\`y\\` \\*z\\*"
        ));
        assert!(!hostile.contains('\n') && !hostile.contains('\u{1b}'));
        assert_eq!(code("a|b"), "`a\\|b`");
        assert_eq!(code("a`b"), "``a`b``");
        assert_eq!(code("``"), "``` `` ```");
        assert_eq!(code(""), "");
    }

    #[test]
    fn long_lists_are_cut_and_say_so() {
        let mut chapter = Chapter::new("c", "C");
        chapter.cases = (0..53).map(|n| fixture::case(&format!("n{n}"), Outcome::Fail)).collect();
        let text = summary(&Report::new(fixture::run(), 53, vec![chapter]));
        assert_eq!(text.matches("| fail |").count(), 50);
        assert!(text.contains("3 more are in `index.html`."));
    }
}
