//! A report with every kind of content in it, and with texts that try to break each view.

use crate::seed::Seed;
use crate::verdict::{Exit, Outcome, UndecidedPolicy};

use super::{
    Case, Chapter, Conformance, Machine, Measurement, ProfileVerdict, Reading, Report, Run,
    SentenceVerdict, Status,
};

/// Breaks HTML, XML, Markdown tables, code spans and terminals, where it is not escaped.
pub(super) const HOSTILE: &str = "<script>alert(\"1\")</script> & 'x' | `y` *z* ]]> {{ 1 }}\n\u{1b}[31m\0 \u{202e}evil\r\n--> end";

pub(super) fn run() -> Run {
    Run {
        program: "reference <mdsm>".to_owned(),
        version: "0.1.0".to_owned(),
        commit: "0123456789abcdef".to_owned(),
        seed: Seed::new(u64::MAX),
        command: "mdsm-harness verify --seed 18446744073709551615 --out 'my reports'".to_owned(),
        machine: Machine {
            os: "Linux 6.1".to_owned(),
            arch: "x86_64".to_owned(),
            cpu: "Example & Sons \"Processor\"".to_owned(),
            threads: 2,
            compiler: "rustc 1.95.0".to_owned(),
        },
        started_ms: 1_795_339_800_000,
        ended_ms: 1_795_339_923_456,
        undecided: UndecidedPolicy::Fail,
    }
}

pub(super) fn case(id: &str, outcome: Outcome) -> Case {
    Case {
        id: id.to_owned(),
        title: format!("the claim of {id}"),
        requirements: vec!["STO-3".to_owned(), "STO-10".to_owned()],
        outcome,
        detail: String::new(),
        duration_us: 1_234,
        rerun: format!("mdsm-harness verify --case '{id}'"),
    }
}

pub(super) fn report() -> Report {
    let mut hostile = case("storage/hostile", Outcome::Fail);
    hostile.title = HOSTILE.to_owned();
    hostile.detail = HOSTILE.to_owned();
    hostile.rerun = format!("echo {HOSTILE}");
    hostile.requirements.push(HOSTILE.to_owned());

    let mut storage = Chapter::new("storage", "Storage & Items");
    storage.cases = vec![
        case("storage/pass", Outcome::Pass),
        hostile,
        case("storage/undecided", Outcome::Undecided),
        case("storage/unsupported", Outcome::Unsupported),
        case("storage/known", Outcome::KnownFailing),
        case("storage/skipped", Outcome::skipped("the deadline came <first>")),
        case("storage/tool", Outcome::missing_tool("no browser", "apt-get install chromium")),
        case("storage/broke", Outcome::AdapterBroke),
        case("storage/own", Outcome::OwnFault),
    ];
    storage.fact("profile", "paper");
    storage.fact(HOSTILE, HOSTILE);

    let mut speed = Chapter::new("speed", "Speed");
    speed.measurements = vec![
        Measurement::new("ingest", 45_500.0, "records/s").at_least(30_000.0).note("1 KB, fsynced"),
        Measurement::new("verify a receipt", 31.5, "µs").at_most(20.0),
        Measurement::new("far above", 1e9, "1/s").at_least(1.0),
        Measurement::new("no target", 3.0, "1"),
        Measurement::new(HOSTILE, f64::NAN, HOSTILE).at_most(1.0).note(HOSTILE),
    ];
    let mut report = Report::new(run(), 9, vec![storage, speed]);
    report.conformance = Some(conformance("profile", "STO-3.1"));
    report
}

/// Verdicts with every status; what comes from an adapter is [`HOSTILE`].
fn conformance(word: &str, id: &str) -> Conformance {
    let sentence = |status: Status| SentenceVerdict {
        id: id.to_owned(),
        source: "paper".to_owned(),
        status,
        text: word.to_owned(),
        cases: 2,
        against: vec![HOSTILE.to_owned()],
    };
    let profile = |name: &str, verdict: Exit| ProfileVerdict {
        profile: name.to_owned(),
        verdict,
        sentences: 4,
        exercised: 3,
        violated: 1,
        excused: 1,
    };
    Conformance {
        adapter: vec![HOSTILE.to_owned()],
        language: HOSTILE.to_owned(),
        ops: vec![HOSTILE.to_owned()],
        profiles: vec![
            profile("paper", Exit::DoesNotConform),
            profile("mdsm-1", Exit::AdapterBroke),
        ],
        sentences: Status::ALL.map(sentence).to_vec(),
        readings: vec![Reading {
            point: HOSTILE.to_owned(),
            declared: HOSTILE.to_owned(),
            interoperation: word.to_owned(),
        }],
    }
}

/// A report in which every text is [`HOSTILE`].
pub(super) fn drowned() -> Report {
    let text = || HOSTILE.to_owned();
    // What is cut to its first characters has to be hostile from the first.
    let mut chapter = Chapter::new(HOSTILE, format!("\u{1b}[2J\n--> {HOSTILE}"));
    let outcomes = Outcome::GRAVEST_FIRST.into_iter();
    for outcome in outcomes.chain([
        Outcome::Pass,
        Outcome::Unsupported,
        Outcome::missing_tool(HOSTILE, HOSTILE),
    ]) {
        chapter.cases.push(Case {
            id: text(),
            title: text(),
            requirements: vec![text()],
            outcome,
            detail: text(),
            duration_us: 1,
            rerun: text(),
        });
    }
    chapter.fact(HOSTILE, HOSTILE);
    chapter.measurements =
        vec![Measurement::new(HOSTILE, 1.0, HOSTILE).at_least(2.0).note(HOSTILE)];
    let machine = Machine { os: text(), arch: text(), cpu: text(), threads: 1, compiler: text() };
    let run =
        Run { program: text(), version: text(), commit: text(), command: text(), machine, ..run() };
    let mut report = Report::new(run, 7, vec![chapter]);
    report.conformance = Some(conformance(HOSTILE, HOSTILE));
    report
}
