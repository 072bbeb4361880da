//! The table that ends a run on the terminal: chapters, what needs attention, the verdict last,
//! where the eye is.

use std::fmt::Write as _;

use crate::verdict::Counts;

use super::Report;
use super::format::{count, duration, first_line, one_line, shortened};
use super::{Reading, Skip, Status};

const CASES_MAX: usize = 20;
const TITLE_CHARACTERS_MAX: usize = 32;
const DETAIL_CHARACTERS_MAX: usize = 100;
/// Of the log of an adapter that broke: a line of it says why.
const LOG_LINES_MAX: usize = 5;
const LOG_CHARACTERS_MAX: usize = 512;

/// The report as plain text, without colours; every line ends with a line feed.
#[must_use]
pub fn table(report: &Report) -> String {
    let mut out = String::new();
    out.push_str(&chapters(report));
    attention(&mut out, report);
    skipped(&mut out, report);
    conformance(&mut out, report);
    let Counts { run, unsupported, known_failing, skipped, all, .. } = report.counts;
    line(
        &mut out,
        format_args!(
            "\n{run} run + {unsupported} unsupported + {known_failing} known-failing + {skipped} skipped = {all}"
        ),
    );
    line(&mut out, format_args!("repeat: {}", one_line(&report.run.command)));
    line(
        &mut out,
        format_args!(
            "{}: {} (exit code {}). {}",
            one_line(&report.run.program),
            report.verdict,
            report.exit,
            one_line(&report.sentence())
        ),
    );
    out
}

/// A verdict for each profile, and what decided against sentences.
fn conformance(out: &mut String, report: &Report) {
    let Some(conformance) = &report.conformance else { return };
    out.push('\n');
    for status in [Status::Violated, Status::Ambiguous] {
        for sentence in conformance.with(status).take(CASES_MAX) {
            let text = shortened(&one_line(&sentence.text), DETAIL_CHARACTERS_MAX);
            line(
                out,
                format_args!(
                    "{:<10} {} ({}): {text}",
                    status.word(),
                    one_line(&sentence.id),
                    one_line(&sentence.source)
                ),
            );
        }
    }
    for reading in &conformance.readings {
        let Reading { point, declared, interoperation } = reading;
        let interoperation = one_line(interoperation);
        line(
            out,
            format_args!("reading    {}={}: {interoperation}", one_line(point), one_line(declared)),
        );
    }
    for profile in &conformance.profiles {
        line(out, format_args!("{}", one_line(&profile.sentence())));
    }
}

fn chapters(report: &Report) -> String {
    let head = [
        "chapter", "run", "pass", "fail", "undec", "broke", "own", "unsup", "known", "skip", "time",
    ];
    let mut rows = vec![head.map(str::to_owned)];
    let mut took_us = 0u64;
    for chapter in report.chapters.iter().filter(|chapter| !chapter.cases.is_empty()) {
        let title = shortened(&one_line(&chapter.title), TITLE_CHARACTERS_MAX);
        took_us = took_us.saturating_add(chapter.duration_us());
        rows.push(cells(title, &chapter.counts(), chapter.duration_us()));
    }
    rows.push(cells("total".to_owned(), &report.counts, took_us));

    let widths: Vec<usize> = (0..head.len())
        .map(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0))
        .collect();
    let mut out = String::new();
    for row in rows {
        let mut text = String::new();
        for (index, (cell, width)) in row.iter().zip(&widths).enumerate() {
            // Names to the left, numbers to the right.
            match index {
                0 => write!(text, "{cell:<width$}"),
                _ => write!(text, "  {cell:>width$}"),
            }
            .expect("writing to a string succeeds");
        }
        line(&mut out, format_args!("{}", text.trim_end()));
    }
    out
}

fn cells(title: String, counts: &Counts, took_us: u64) -> [String; 11] {
    [
        title,
        count(counts.run),
        count(counts.passed),
        count(counts.failed),
        count(counts.undecided),
        count(counts.adapter_broke),
        count(counts.own_fault),
        count(counts.unsupported),
        count(counts.known_failing),
        count(counts.skipped),
        duration(took_us),
    ]
}

fn attention(out: &mut String, report: &Report) {
    let found = report.attention();
    for case in found.iter().take(CASES_MAX) {
        let seen = first_line(&case.detail, DETAIL_CHARACTERS_MAX);
        let seen = if seen.is_empty() {
            shortened(&one_line(&case.title), DETAIL_CHARACTERS_MAX)
        } else {
            seen
        };
        line(out, format_args!("\n{} {}: {seen}", case.outcome.word(), one_line(&case.id)));
        for entry in case.log_end(LOG_LINES_MAX) {
            let entry = shortened(&one_line(entry), LOG_CHARACTERS_MAX);
            line(out, format_args!("  its log: {entry}"));
        }
        if !case.rerun.is_empty() {
            line(out, format_args!("  repeat: {}", one_line(&case.rerun)));
        }
    }
    if found.len() > CASES_MAX {
        line(out, format_args!("\n{} more in the report", found.len() - CASES_MAX));
    }
}

/// Why cases did not run, each reason once, with the command that would let them.
fn skipped(out: &mut String, report: &Report) {
    let skips = report.skips();
    for Skip { reason, install, cases } in skips.iter().take(CASES_MAX) {
        let reason = shortened(&one_line(reason), DETAIL_CHARACTERS_MAX);
        line(out, format_args!("\nskipped {cases}: {reason}"));
        if let Some(install) = install {
            line(out, format_args!("  to run: {}", one_line(install)));
        }
    }
    if skips.len() > CASES_MAX {
        line(out, format_args!("\n{} more reasons in the report", skips.len() - CASES_MAX));
    }
}

fn line(out: &mut String, content: std::fmt::Arguments<'_>) {
    writeln!(out, "{content}").expect("writing to a string succeeds");
}

#[cfg(test)]
mod tests {
    use super::super::{Chapter, fixture};
    use super::*;
    use crate::verdict::Outcome;

    #[test]
    fn the_table_ends_with_the_verdict_and_its_columns_line_up() {
        let text = table(&fixture::report());
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[..3],
            [
                "chapter          run  pass  fail  undec  broke  own  unsup  known  skip     time",
                "Storage & Items    5     1     1      1      1    1      1      1     2  11.1 ms",
                "total              5     1     1      1      1    1      1      1     2  11.1 ms",
            ]
        );
        assert!(text.contains("\n5 run + 1 unsupported + 1 known-failing + 2 skipped = 9\n"));
        assert!(text.contains("\nundecided storage/undecided: the claim of storage/undecided\n"));
        assert!(text.contains("\n  repeat: mdsm-harness verify --case 'storage/broke'\n"));
        assert!(text.contains("\n  to run: apt-get install chromium\n"));
        assert_eq!(
            *lines.last().unwrap(),
            "reference <mdsm>: the harness failed (exit code 4). The harness itself failed in 1 of 5 cases."
        );
    }

    #[test]
    fn a_program_under_test_cannot_steer_the_terminal() {
        let text = table(&fixture::report());
        assert!(text.chars().all(|character| character == '\n' || !character.is_control()));
        assert!(!text.contains('\u{202e}'));
    }

    #[test]
    fn long_lists_are_cut_and_say_so() {
        let mut chapter = Chapter::new("c", "C");
        chapter.cases = (0..22).map(|n| fixture::case(&format!("n{n}"), Outcome::Fail)).collect();
        let text = table(&Report::new(fixture::run(), 22, vec![chapter]));
        assert_eq!(text.matches("\nfail n").count(), 20);
        assert!(text.contains("\n2 more in the report\n"));
    }
}
