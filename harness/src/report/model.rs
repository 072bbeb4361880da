//! What a report says. Plain data: times, counts and the machine arrive as values.

use serde::{Deserialize, Serialize};

use crate::seed::Seed;
use crate::verdict::{Counts, Exit, Outcome, UndecidedPolicy};

use super::conformance::but_for;
use super::{Conformance, Measurement};

/// A whole report; the shape of `report.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Version of this shape; see `reports/schema.json`.
    pub format: u32,
    /// The verdict on what was tested.
    pub verdict: Exit,
    /// The exit code, after `--undecided`.
    pub exit: u8,
    /// How many cases ended how.
    pub counts: Counts,
    /// What ran, where and when.
    #[serde(flatten)]
    pub run: Run,
    /// The results, in the order in which they were tested.
    pub chapters: Vec<Chapter>,
    /// Verdicts on an implementation behind an adapter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conformance: Option<Conformance>,
}

/// What ran, where and when; enough to run it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Name of the program or implementation under test.
    pub program: String,
    /// Its version.
    pub version: String,
    /// Commit of the harness; empty when it is not known.
    pub commit: String,
    /// Every random draw follows from it.
    pub seed: Seed,
    /// Command line that repeats the run when it is pasted.
    pub command: String,
    /// The machine.
    pub machine: Machine,
    /// Begin, in milliseconds since 1970 UTC.
    pub started_ms: i64,
    /// End, in milliseconds since 1970 UTC.
    pub ended_ms: i64,
    /// What an undecided run means to the pipeline.
    pub undecided: UndecidedPolicy,
}

/// The machine that a run was made on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    /// Operating system.
    pub os: String,
    /// Instruction set.
    pub arch: String,
    /// Model name of the processor.
    pub cpu: String,
    /// Hardware threads that this process may use.
    pub threads: u32,
    /// Compiler that built the harness.
    pub compiler: String,
}

/// A part of the run, such as a rule book or a suite.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chapter {
    /// Short stable name.
    pub id: String,
    /// Title for people.
    pub title: String,
    /// Cases, in the order in which they ran.
    pub cases: Vec<Case>,
    /// Numbers that were measured; they inform and decide nothing.
    pub measurements: Vec<Measurement>,
    /// Lines that a reader should know.
    pub facts: Vec<Fact>,
}

/// One case and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// Stable name, unique in the report.
    pub id: String,
    /// The claim that was put to the test.
    pub title: String,
    /// Ids of the requirements that it tests.
    pub requirements: Vec<String>,
    /// What became of it.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// What was seen: expected and found, the transcript; may be empty.
    pub detail: String,
    /// Microseconds it took.
    pub duration_us: u64,
    /// Command line that repeats this case alone when it is pasted; may be empty.
    pub rerun: String,
}

/// A line that a reader should know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fact {
    /// What it is about.
    pub key: String,
    /// What is to be known.
    pub value: String,
}

/// A reason for which cases did not run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skip<'a> {
    /// Why.
    pub reason: &'a str,
    /// The command that lets them run next time, where a missing tool is the reason.
    pub install: Option<&'a str>,
    /// How many they are.
    pub cases: u64,
}

impl Report {
    /// Version of the shape that this program writes.
    pub const FORMAT: u32 = 1;

    /// Why cases did not run, in the order of their first case.
    #[must_use]
    pub fn skips(&self) -> Vec<Skip<'_>> {
        let mut skips: Vec<Skip<'_>> = Vec::new();
        for case in self.chapters.iter().flat_map(|chapter| &chapter.cases) {
            let Outcome::Skipped { reason, install } = &case.outcome else { continue };
            let install = install.as_deref();
            match skips.iter_mut().find(|skip| skip.reason == reason && skip.install == install) {
                Some(skip) => skip.cases += 1,
                None => skips.push(Skip { reason, install, cases: 1 }),
            }
        }
        skips
    }

    /// Counts the cases against the number that was planned, and judges.
    ///
    /// A case that was planned and is in no chapter is our own fault: what did not run, for
    /// whatever reason, has to appear as skipped.
    #[must_use]
    pub fn new(run: Run, planned: u64, chapters: Vec<Chapter>) -> Self {
        let mut counts = Counts::planned(planned);
        let cases = chapters.iter().flat_map(|chapter| &chapter.cases);
        cases.for_each(|case| counts.add(&case.outcome));
        let verdict = counts.verdict();
        let exit = verdict.under(run.undecided).code();
        let conformance = None;
        Self { format: Self::FORMAT, verdict, exit, counts, run, chapters, conformance }
    }

    /// The cases that somebody has to look at, the gravest outcomes first.
    #[must_use]
    pub fn attention(&self) -> Vec<&Case> {
        let cases = || self.chapters.iter().flat_map(|chapter| &chapter.cases);
        let by_outcome = Outcome::GRAVEST_FIRST.iter();
        by_outcome
            .flat_map(|outcome| cases().filter(move |case| case.outcome == *outcome))
            .collect()
    }

    /// The verdict in some words, with what was excused: `conforms; 19 failures excused, 3 sentences violated`.
    #[must_use]
    pub fn headline(&self) -> String {
        match self.but_for() {
            Some(but_for) => format!("{}; {but_for}", self.verdict),
            None => self.verdict.to_string(),
        }
    }

    /// What was excused, where that made the verdict.
    fn but_for(&self) -> Option<String> {
        let violated = self.conformance.as_ref().map_or(0, Conformance::violated);
        let excused = self.counts.known_failing;
        (self.verdict == Exit::Conforms && excused > 0).then(|| but_for(excused, violated))
    }

    /// The verdict in one sentence, with the numbers behind it.
    #[must_use]
    pub fn sentence(&self) -> String {
        let Counts { run, failed, undecided, adapter_broke, own_fault, .. } = self.counts;
        let mut sentence = match (self.verdict, self.counts.check()) {
            (Exit::OwnFault, Err(error)) => format!("The harness failed: {error}."),
            (Exit::OwnFault, Ok(())) => {
                format!("The harness itself failed in {own_fault} of {run} cases.")
            }
            (Exit::DoesNotConform, _) => format!("{failed} of {run} cases that ran broke a rule."),
            (Exit::AdapterBroke, _) => {
                format!("The adapter broke in {adapter_broke} of {run} cases.")
            }
            (Exit::Undecided, _) => {
                format!("{undecided} of {run} cases that ran allow no judgement.")
            }
            (Exit::NothingTested, _) => "No case ran, so nothing is known.".to_owned(),
            (Exit::Conforms, _) => match self.but_for() {
                Some(but_for) => format!("{run} cases passed; {but_for}."),
                None => format!("Every rule held in all {run} cases that ran."),
            },
        };
        if self.exit != self.verdict.code() {
            sentence.push_str(&format!(" The exit code is {} by --undecided=warn.", self.exit));
        }
        sentence
    }
}

impl Case {
    /// The last lines, at most so many, of the log of an adapter that broke, as its transcript shows them.
    #[must_use]
    pub fn log_end(&self, lines_max: usize) -> Vec<&str> {
        if self.outcome != Outcome::AdapterBroke {
            return Vec::new();
        }
        // The first of these lines is the title of the log.
        let lines: Vec<&str> =
            self.detail.lines().filter_map(|line| line.strip_prefix("# ")).skip(1).collect();
        lines[lines.len().saturating_sub(lines_max)..].to_vec()
    }
}

impl Chapter {
    /// A chapter without content.
    #[must_use]
    pub fn new(id: impl Into<String>, title: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            title: title.into(),
            cases: Vec::new(),
            measurements: Vec::new(),
            facts: Vec::new(),
        }
    }

    /// How its cases ended; closes by construction.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let planned = u64::try_from(self.cases.len()).expect("a length fits in 64 bits");
        let mut counts = Counts::planned(planned);
        self.cases.iter().for_each(|case| counts.add(&case.outcome));
        counts
    }

    /// Microseconds that its cases took together.
    #[must_use]
    pub fn duration_us(&self) -> u64 {
        self.cases.iter().fold(0, |sum, case| sum.saturating_add(case.duration_us))
    }

    /// Adds a line that a reader should know.
    pub fn fact(&mut self, key: impl Into<String>, value: impl Into<String>) {
        self.facts.push(Fact { key: key.into(), value: value.into() });
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;

    #[test]
    fn a_planned_case_that_is_in_no_chapter_is_our_own_fault() {
        let report = Report { conformance: None, ..fixture::report() };
        let all = report.counts.all;
        let again = Report::new(report.run.clone(), all, report.chapters.clone());
        assert_eq!(again, report);
        for planned in [all - 1, all + 1] {
            let lost = Report::new(report.run.clone(), planned, report.chapters.clone());
            assert_eq!((lost.verdict, lost.exit), (Exit::OwnFault, 4));
            assert!(lost.sentence().contains("counts do not close"));
        }
    }

    #[test]
    fn the_gravest_cases_come_first_and_those_that_passed_do_not_come() {
        let report = fixture::report();
        let ids: Vec<&str> = report.attention().iter().map(|case| case.id.as_str()).collect();
        assert_eq!(ids, ["storage/own", "storage/hostile", "storage/broke", "storage/undecided"]);
    }

    #[test]
    fn what_is_excused_is_told_with_the_verdict_and_not_every_rule_held() {
        let mut chapter = Chapter::new("one", "One");
        chapter.cases.push(fixture::case("a", Outcome::Pass));
        assert_eq!(Report::new(fixture::run(), 1, vec![chapter.clone()]).headline(), "conforms");
        chapter.cases.push(fixture::case("b", Outcome::KnownFailing));
        let mut report = Report::new(fixture::run(), 2, vec![chapter]);
        assert_eq!(report.headline(), "conforms; 1 failure excused");
        report.conformance = fixture::report().conformance;
        assert_eq!(report.headline(), "conforms; 1 failure excused, 1 sentence violated");
        assert_eq!(report.sentence(), "1 cases passed; 1 failure excused, 1 sentence violated.");
    }

    #[test]
    fn every_verdict_has_its_sentence() {
        for (outcome, verdict, words) in [
            (Outcome::Pass, Exit::Conforms, "all 1 cases"),
            (Outcome::Fail, Exit::DoesNotConform, "1 of 1 cases that ran broke a rule"),
            (Outcome::Undecided, Exit::Undecided, "no judgement. The exit code is 0"),
            (Outcome::AdapterBroke, Exit::AdapterBroke, "adapter broke in 1"),
            (Outcome::OwnFault, Exit::OwnFault, "itself failed in 1"),
            (Outcome::Unsupported, Exit::NothingTested, "No case ran"),
        ] {
            let mut chapter = Chapter::new("one", "One");
            chapter.cases.push(fixture::case("a", outcome));
            let run = Run { undecided: UndecidedPolicy::Warn, ..fixture::run() };
            let report = Report::new(run, 1, vec![chapter]);
            assert_eq!(report.verdict, verdict);
            assert!(report.sentence().contains(words), "{}", report.sentence());
        }
    }
}
