//! Judging counts. Pure: two sets of counts in, a chapter of the report out.

use std::collections::{BTreeMap, BTreeSet};

use crate::report::{Case, Chapter, Measurement};
use crate::verdict::Outcome;

use super::baseline::Baseline;
use super::count::Workloads;
use super::tools::Missing;

/// Growth that fails, and shrinking that makes a baseline stale, in percent.
const LIMIT_PERCENT: u128 = 1;
/// The name of the case where no workload is known.
const ALL: &str = "all";

/// What became of every workload.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// A case and a measurement a workload.
    pub chapter: Chapter,
    /// Cases that there have to be, counted apart from them.
    pub planned: u64,
}

impl Comparison {
    /// Holds the counts of `head` against those of `base`, which is called `against`.
    pub(super) fn of(base: &BTreeMap<String, u64>, head: &Workloads, against: &str) -> Self {
        let ids: BTreeSet<&String> = base.keys().chain(head.keys()).collect();
        let mut comparison = Self::planned_for(ids.len());
        comparison.note("compared with", against);
        let mut stale = Vec::new();
        for id in ids {
            let (old, new) = (base.get(id).copied(), head.get(id));
            let instructions = new.map(|workload| workload.instructions);
            let (outcome, detail) = match (old, instructions) {
                (Some(old), Some(new)) => {
                    let change = format!("{old} -> {new} instructions, {}", percent(old, new));
                    let outcome = if grew(old, new) { Outcome::Fail } else { Outcome::Pass };
                    if shrank(old, new) {
                        stale.push(format!("{id} ({})", percent(old, new)));
                    }
                    (outcome, format!("{id}: {change}"))
                }
                (Some(old), None) => {
                    (Outcome::Fail, format!("{id}: {old} instructions -> gone; {against} has it"))
                }
                (None, _) => (
                    Outcome::skipped(format!(
                        "new: {against} has no count of it; `mdsm-harness perf record` adds it"
                    )),
                    String::new(),
                ),
            };
            let duration_us = new.map_or(0, |workload| workload.duration_us);
            comparison.case(id, outcome, detail, duration_us);
            if let Some(new) = instructions {
                let change = old.map_or("new".to_owned(), |old| percent(old, new));
                comparison.measure(id, new, change);
            }
        }
        if !stale.is_empty() {
            comparison.note(
                "baseline is stale",
                format!("fewer instructions, run `mdsm-harness perf record`: {}", stale.join(", ")),
            );
        }
        comparison
    }

    /// Counted, and nothing to compare with.
    pub(super) fn undecided(head: &Workloads, reason: &str) -> Self {
        let mut comparison = Self::planned_for(head.len());
        for (id, workload) in head {
            comparison.case(id, Outcome::Undecided, reason.to_owned(), workload.duration_us);
            comparison.measure(id, workload.instructions, "nothing to compare with".to_owned());
        }
        comparison
    }

    /// Not counted: a case for each workload that the baseline names, so that it shows how much is
    /// missing.
    pub(super) fn skipped(baseline: Option<&Baseline>, missing: &Missing) -> Self {
        let known = baseline.into_iter().flat_map(|baseline| baseline.workloads.keys());
        let mut ids: Vec<&str> = known.map(String::as_str).collect();
        if ids.is_empty() {
            ids.push(ALL);
        }
        let mut comparison = Self::planned_for(ids.len());
        for id in ids {
            let outcome = Outcome::missing_tool(missing.reason.clone(), missing.install.clone());
            comparison.case(id, outcome, String::new(), 0);
        }
        comparison
    }

    /// Adds a line that a reader should know.
    pub(super) fn note(&mut self, key: &str, value: impl Into<String>) {
        self.chapter.fact(key, value);
    }

    /// Says what has changed since the baseline besides the code, to look there first.
    pub(super) fn note_settings(&mut self, changed: &[&str]) {
        if !changed.is_empty() {
            self.note("changed since the baseline", changed.join(", "));
        }
    }

    fn planned_for(cases: usize) -> Self {
        let planned = u64::try_from(cases).expect("a length fits in 64 bits");
        Self { chapter: Chapter::new("performance", "Instructions of every workload"), planned }
    }

    fn case(&mut self, id: &str, outcome: Outcome, detail: String, duration_us: u64) {
        self.chapter.cases.push(Case {
            id: format!("performance/instructions/{id}"),
            title: format!("{id} takes less than {LIMIT_PERCENT} % more instructions"),
            requirements: Vec::new(),
            outcome,
            detail,
            duration_us,
            rerun: String::new(),
        });
    }

    fn measure(&mut self, id: &str, instructions: u64, note: String) {
        let measurement = Measurement::new(id, float(instructions), "instructions");
        self.chapter.measurements.push(measurement.note(note));
    }
}

/// Whether `new` is at least 1 % above `old`.
fn grew(old: u64, new: u64) -> bool {
    u128::from(new) * 100 >= u128::from(old) * (100 + LIMIT_PERCENT)
}

/// Whether `new` is at least 1 % below `old`.
fn shrank(old: u64, new: u64) -> bool {
    u128::from(new) * 100 <= u128::from(old) * (100 - LIMIT_PERCENT)
}

/// `+2.041 %`, rounded towards zero, so that what is shown as 1 % has reached it; `equal`.
fn percent(old: u64, new: u64) -> String {
    if old == new {
        return "equal".to_owned();
    }
    let sign = if new < old { '-' } else { '+' };
    let thousandths = u128::from(old.abs_diff(new)) * 100_000 / u128::from(old.max(1));
    format!("{sign}{}.{:03} %", thousandths / 1_000, thousandths % 1_000)
}

/// The count as a float: exact up to 2^53, which no workload reaches.
fn float(instructions: u64) -> f64 {
    let low = u32::try_from(instructions & u64::from(u32::MAX)).expect("32 bits");
    let high = u32::try_from(instructions >> 32).expect("32 bits");
    f64::from(high).mul_add(4_294_967_296.0, f64::from(low))
}

#[cfg(test)]
mod tests {
    use super::super::baseline::tests::sample as baseline;
    use super::super::count::Workload;
    use super::*;
    use crate::report::{Machine, Report, Run};
    use crate::seed::Seed;
    use crate::verdict::{Exit, UndecidedPolicy};

    fn base(counts: &[(&str, u64)]) -> BTreeMap<String, u64> {
        counts.iter().map(|(id, count)| ((*id).to_owned(), *count)).collect()
    }

    fn head(counts: &[(&str, u64)]) -> Workloads {
        let workload = |instructions| Workload { instructions, duration_us: 7 };
        counts.iter().map(|(id, count)| ((*id).to_owned(), workload(*count))).collect()
    }

    fn report(comparison: Comparison) -> Report {
        let machine = Machine {
            os: "Linux".to_owned(),
            arch: "x86_64".to_owned(),
            cpu: "any".to_owned(),
            threads: 2,
            compiler: "rustc".to_owned(),
        };
        comparison.into_report(Run {
            program: "benches".to_owned(),
            version: "0.1.0".to_owned(),
            commit: String::new(),
            seed: Seed::new(0),
            command: "mdsm-harness perf compare".to_owned(),
            machine,
            started_ms: 0,
            ended_ms: 1,
            undecided: UndecidedPolicy::Fail,
        })
    }

    fn exit_of(old: &[(&str, u64)], new: &[(&str, u64)]) -> Exit {
        report(Comparison::of(&base(old), &head(new), "base")).verdict
    }

    #[test]
    fn equal_counts_pass() {
        let counts = [("a", 1), ("b", 223_422), ("c", u64::MAX)];
        let report = report(Comparison::of(&base(&counts), &head(&counts), "base"));
        assert_eq!((report.verdict, report.counts.passed), (Exit::Conforms, 3));
        assert!(report.chapters[0].facts.iter().all(|fact| fact.key == "compared with"));
    }

    #[test]
    fn canary_one_percent_is_caught_and_less_is_not() {
        for old in [1_000, 10_000, 223_400, 167_089_500, u64::MAX / 2 / 100 * 100] {
            let one = old / 100;
            assert_eq!(exit_of(&[("a", old)], &[("a", old + one)]), Exit::DoesNotConform, "{old}");
            let less = one * 99 / 100;
            assert_eq!(exit_of(&[("a", old)], &[("a", old + less)]), Exit::Conforms, "{old}");
            assert_eq!(exit_of(&[("a", old)], &[("a", old + one - 1)]), Exit::Conforms, "{old}");
        }
    }

    #[test]
    fn a_failure_names_the_workload_both_counts_and_the_change() {
        let (old, new) = ([("a", 50), ("root", 1_000)], [("a", 50), ("root", 1_023)]);
        let report = report(Comparison::of(&base(&old), &head(&new), "base"));
        let failed = report.attention();
        assert_eq!(failed.len(), 1);
        assert_eq!(failed[0].id, "performance/instructions/root");
        assert_eq!(failed[0].detail, "root: 1000 -> 1023 instructions, +2.300 %");
        assert_eq!(failed[0].rerun, "mdsm-harness perf compare");
    }

    #[test]
    fn a_workload_that_shrank_passes_and_makes_the_baseline_stale() {
        let comparison = Comparison::of(&base(&[("a", 1_000)]), &head(&[("a", 990)]), "base");
        let stale = comparison.chapter.facts.iter().find(|fact| fact.key == "baseline is stale");
        assert!(stale.unwrap().value.contains("a (-1.000 %)"));
        assert_eq!(report(comparison).verdict, Exit::Conforms);
        let comparison = Comparison::of(&base(&[("a", 1_000)]), &head(&[("a", 991)]), "base");
        assert_eq!(comparison.chapter.facts.len(), 1);
    }

    #[test]
    fn a_new_workload_is_skipped_and_a_vanished_one_fails() {
        let report_of = |old: &[_], new: &[_]| report(Comparison::of(&base(old), &head(new), "b"));
        let grown = report_of(&[("a", 5)], &[("a", 5), ("new", 9)]);
        assert_eq!((grown.verdict, grown.counts.skipped), (Exit::Conforms, 1));
        let gone = report_of(&[("a", 5), ("old", 9)], &[("a", 5)]);
        assert_eq!((gone.verdict, gone.counts.failed), (Exit::DoesNotConform, 1));
        assert!(gone.attention()[0].detail.contains("old: 9 instructions -> gone"));
        assert_eq!(report_of(&[], &[("new", 9)]).verdict, Exit::NothingTested);
    }

    #[test]
    fn without_a_base_nothing_passes() {
        let report = report(Comparison::undecided(&head(&[("a", 5), ("b", 6)]), "no git"));
        assert_eq!((report.verdict, report.counts.undecided), (Exit::Undecided, 2));
        assert_eq!(report.attention()[0].detail, "no git");
    }

    #[test]
    fn without_a_tool_every_known_workload_is_skipped() {
        let missing = Missing { reason: "no valgrind".to_owned(), install: "get it".to_owned() };
        for baseline in [Some(baseline()), None] {
            let report = report(Comparison::skipped(baseline.as_ref(), &missing));
            assert_eq!((report.verdict, report.counts.skipped), (Exit::NothingTested, 1));
            let outcome = &report.chapters[0].cases[0].outcome;
            assert_eq!(*outcome, Outcome::missing_tool("no valgrind", "get it"));
        }
    }

    #[test]
    fn percents_and_floats_are_exact() {
        assert_eq!(percent(1_000, 1_010), "+1.000 %");
        assert_eq!(percent(100_000, 100_999), "+0.999 %");
        assert_eq!(percent(10_000_000, 9_900_001), "-0.999 %");
        assert_eq!(percent(5, 5), "equal");
        for count in [0, 1, 167_089_585, 1 << 32, (1 << 53) - 1] {
            assert_eq!(format!("{:.0}", float(count)), count.to_string());
        }
    }
}
