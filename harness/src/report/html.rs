//! `index.html`: one page that opens offline. Style inside, plots as SVG, no script, no reference
//! to anything outside, and a policy that forbids the browser to follow one.
//!
//! The template escapes every text; control characters are made visible in the page as a whole,
//! so that no text can be forgotten. The page is also well-formed XML.

use askama::Template;

use crate::verdict::{Counts, Exit, Outcome};

use super::format::{count, duration, number, utc, visible};
use super::plot::{self, Chart};
use super::{
    Case, Chapter, Conformance, Fact, Measurement, Report, Run, Sense, SentenceVerdict, Status,
    by_requirement,
};

/// The report as a page.
#[must_use]
pub fn html(report: &Report) -> String {
    let page = Page {
        run: &report.run,
        headline: report.headline(),
        class: verdict_class(report.verdict),
        exit: report.exit,
        sentence: report.sentence(),
        counts: cells(&report.counts),
        attention: attention(report),
        conformance: report.conformance.as_ref(),
        statuses: report.conformance.as_ref().map_or_else(Vec::new, status_views),
        requirements: requirement_rows(report),
        chapters: report.chapters.iter().enumerate().map(chapter_view).collect(),
        started: utc(report.run.started_ms),
        took: took(&report.run),
    };
    visible(&page.render().expect("writing to a string succeeds"))
}

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    run: &'a Run,
    headline: String,
    class: &'static str,
    exit: u8,
    sentence: String,
    counts: Vec<Cell>,
    attention: Vec<CaseView<'a>>,
    conformance: Option<&'a Conformance>,
    statuses: Vec<StatusView<'a>>,
    requirements: Vec<RequirementRow>,
    chapters: Vec<ChapterView<'a>>,
    started: String,
    took: String,
}

struct Cell {
    name: &'static str,
    value: String,
    class: &'static str,
}

struct StatusView<'a> {
    word: &'static str,
    is_against: bool,
    sentences: Vec<&'a SentenceVerdict>,
}

struct RequirementRow {
    id: String,
    verdict: &'static str,
    class: &'static str,
    cells: Vec<Cell>,
}

struct ChapterView<'a> {
    number: usize,
    title: &'a str,
    tally: String,
    facts: &'a [Fact],
    chart: Option<Chart>,
    measurements: Vec<MeasurementRow<'a>>,
    not_passed: Vec<CaseView<'a>>,
    passed: Vec<CaseView<'a>>,
}

struct CaseView<'a> {
    case: &'a Case,
    anchor: String,
    word: &'static str,
    class: &'static str,
    requirements: String,
    reason: &'a str,
    install: &'a str,
    took: String,
}

struct MeasurementRow<'a> {
    measurement: &'a Measurement,
    value: String,
    target: String,
    verdict: &'static str,
    class: &'static str,
}

fn status_views(conformance: &Conformance) -> Vec<StatusView<'_>> {
    let view = |status: Status| StatusView {
        word: status.word(),
        is_against: status.is_against(),
        sentences: conformance.with(status).collect(),
    };
    let views = Status::ALL.into_iter().map(view);
    views.filter(|view| !view.sentences.is_empty()).collect()
}

fn chapter_view((index, chapter): (usize, &Chapter)) -> ChapterView<'_> {
    let (passed, not_passed) =
        case_views(index, chapter).partition(|view| view.case.outcome == Outcome::Pass);
    let counts = chapter.counts();
    let tally: Vec<String> = cells(&counts)
        .into_iter()
        .filter(|cell| cell.value != "0" && !matches!(cell.name, "all" | "run"))
        .map(|cell| format!("{} {}", cell.value, cell.name))
        .collect();
    ChapterView {
        number: index + 1,
        title: &chapter.title,
        tally: tally.join(", "),
        facts: &chapter.facts,
        chart: plot::chart(&chapter.measurements),
        measurements: chapter.measurements.iter().map(measurement_row).collect(),
        not_passed,
        passed,
    }
}

fn attention(report: &Report) -> Vec<CaseView<'_>> {
    let views = || {
        let chapters = report.chapters.iter().enumerate();
        chapters.flat_map(|(index, chapter)| case_views(index, chapter))
    };
    let by_outcome = Outcome::GRAVEST_FIRST.iter();
    by_outcome
        .flat_map(|outcome| views().filter(move |view| view.case.outcome == *outcome))
        .collect()
}

fn case_views(chapter: usize, in_chapter: &Chapter) -> impl Iterator<Item = CaseView<'_>> {
    in_chapter.cases.iter().enumerate().map(move |(index, case)| {
        let (reason, install) = match &case.outcome {
            Outcome::Skipped { reason, install } => {
                (reason.as_str(), install.as_deref().unwrap_or_default())
            }
            _ => ("", ""),
        };
        CaseView {
            case,
            anchor: format!("case-{}-{}", chapter + 1, index + 1),
            word: case.outcome.word(),
            class: outcome_class(&case.outcome),
            requirements: case.requirements.join(", "),
            reason,
            install,
            took: duration(case.duration_us),
        }
    })
}

fn requirement_rows(report: &Report) -> Vec<RequirementRow> {
    let found = by_requirement(report).into_iter();
    found
        .map(|found| {
            let verdict = found.counts.verdict();
            RequirementRow {
                id: found.requirement,
                verdict: match verdict {
                    Exit::Conforms => "holds",
                    Exit::DoesNotConform => "broken",
                    Exit::Undecided => "undecided",
                    Exit::AdapterBroke => "adapter broke",
                    Exit::OwnFault => "harness failed",
                    Exit::NothingTested => "not tested",
                },
                class: verdict_class(verdict),
                cells: cells(&found.counts),
            }
        })
        .collect()
}

fn measurement_row(measurement: &Measurement) -> MeasurementRow<'_> {
    let (verdict, class) = match measurement.meets() {
        Some(true) => ("meets", "good"),
        Some(false) => ("misses", "bad"),
        None => ("", ""),
    };
    MeasurementRow {
        measurement,
        value: measurement.value.map_or("not measured".to_owned(), number),
        target: measurement.target.map_or(String::new(), |target| match target.sense {
            Sense::AtLeast => format!("≥ {}", number(target.value)),
            Sense::AtMost => format!("≤ {}", number(target.value)),
        }),
        verdict,
        class,
    }
}

fn cells(counts: &Counts) -> Vec<Cell> {
    let cell = |name, value, class| {
        let class = if value == 0 { "none" } else { class };
        Cell { name, value: count(value), class }
    };
    vec![
        cell("run", counts.run, ""),
        cell("passed", counts.passed, "good"),
        cell("failed", counts.failed, "bad"),
        cell("undecided", counts.undecided, "open"),
        cell("adapter broke", counts.adapter_broke, "bad"),
        cell("own fault", counts.own_fault, "bad"),
        cell("unsupported", counts.unsupported, "open"),
        cell("known-failing", counts.known_failing, "open"),
        cell("skipped", counts.skipped, "open"),
        cell("all", counts.all, ""),
    ]
}

fn took(run: &Run) -> String {
    let ms = run.ended_ms.saturating_sub(run.started_ms);
    u64::try_from(ms).map_or("unknown".to_owned(), |ms| duration(ms.saturating_mul(1_000)))
}

fn verdict_class(verdict: Exit) -> &'static str {
    match verdict {
        Exit::Conforms => "good",
        Exit::DoesNotConform | Exit::AdapterBroke | Exit::OwnFault => "bad",
        Exit::Undecided | Exit::NothingTested => "open",
    }
}

fn outcome_class(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Pass => "good",
        Outcome::Fail | Outcome::AdapterBroke | Outcome::OwnFault => "bad",
        _ => "open",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::{fixture, wellformed};
    use super::*;

    #[test]
    fn the_page_is_well_formed_and_stands_alone() {
        let page = html(&fixture::report());
        let tags = wellformed::check(&page);
        let names: BTreeSet<&str> = tags.iter().map(|(name, _)| name.as_str()).collect();
        for outside in ["script", "link", "img", "iframe", "object", "embed", "base", "form"] {
            assert!(!names.contains(outside), "{outside}");
        }
        let mut ids = BTreeSet::new();
        for (name, value) in tags.iter().flat_map(|(_, attributes)| attributes) {
            assert!(!name.starts_with("on"), "{name}");
            match name.as_str() {
                "src" | "srcset" | "action" => panic!("{name} refers to the outside"),
                "href" => assert!(value.starts_with('#'), "{value}"),
                "id" => assert!(ids.insert(value), "{value} twice"),
                _ => {}
            }
        }
        for (name, value) in tags.iter().flat_map(|(_, attributes)| attributes) {
            if name == "href" {
                assert!(ids.contains(&value[1..].to_owned()), "{value} leads nowhere");
            }
        }
        assert!(!page.contains("url(") && !page.contains("@import") && !page.contains("http:"));
    }

    #[test]
    fn tables_have_captions_and_headings_and_the_page_a_language() {
        let tags = wellformed::check(&html(&fixture::report()));
        let count = |name: &str| tags.iter().filter(|(tag, _)| tag == name).count();
        assert_eq!(tags[0], ("html".to_owned(), vec![("lang".to_owned(), "en".to_owned())]));
        assert_eq!(count("h1"), 1);
        assert!(count("table") > 3);
        assert_eq!(count("table"), count("caption"));
        assert_eq!(count("svg"), 1);
        for (_, attributes) in tags.iter().filter(|(tag, _)| tag == "th") {
            assert!(attributes.iter().any(|(name, _)| name == "scope"), "{attributes:?}");
        }
        let svg = tags.iter().find(|(tag, _)| tag == "svg").unwrap();
        assert!(svg.1.iter().any(|(name, _)| name == "aria-label"));
    }

    #[test]
    fn the_verdict_leads_then_failures_then_chapters_then_how_to_repeat() {
        let page = html(&fixture::report());
        let at = |needle: &str| page.find(needle).unwrap_or_else(|| panic!("{needle}"));
        let places = [
            at("<h1"),
            at(": the harness failed</h1>"),
            at("4 cases need attention"),
            at("<details open=\"\" id=\"case-1-9\""),
            at("<details open=\"\" id=\"case-1-2\""),
            at("<details open=\"\" id=\"case-1-8\""),
            at("<details open=\"\" id=\"case-1-3\""),
            at("A verdict for each requirement"),
            at("1. Storage &#38; Items"),
            at("2. Speed"),
            at("How to repeat this run"),
            at("--seed 18446744073709551615"),
            at("0123456789abcdef"),
        ];
        assert!(places.is_sorted(), "{places:?}");
    }

    #[test]
    fn texts_are_shown_and_never_obeyed() {
        let page = html(&fixture::report());
        assert!(!page.contains("<script") && !page.contains("alert(\""));
        assert!(
            page.contains("&#60;script&#62;alert(&#34;1&#34;)&#60;/script&#62; &#38; &#39;x&#39;")
        );
        assert!(page.contains("\\x1b[31m\\x00 \\u{202e}evil\\x0d\n--&#62; end"));
        assert!(page.contains("apt-get install chromium"));
    }

    #[test]
    fn a_run_without_cases_has_a_page_too() {
        let page = html(&Report::new(fixture::run(), 0, Vec::new()));
        wellformed::check(&page);
        assert!(page.contains("nothing was tested") && !page.contains("need attention"));
    }
}
