//! Whether the verdicts of a report follow from its cases, by the cases and sentences of this program: what
//! `report verify` asks of a report that somebody else hands over.

use std::collections::BTreeMap;

use super::case::Case;
use super::cases;
use super::sentences::Profile;
use super::verdicts::{Of, verdicts};
use crate::report::{self, Conformance, Report};

/// Groups of cases that a run adds to those of the kit.
const ADDED: [&str; 4] = ["adapter.", "known-failing.", "readings.", "run."];

/// Recomputes the verdict of each profile and of each sentence.
///
/// # Errors
/// The first thing that does not follow, in words.
pub fn follows(report: &Report) -> Result<(), String> {
    let Some(stated) = &report.conformance else { return Ok(()) };
    let profiles = profiles(stated)?;
    let kit = cases::all();
    let found: BTreeMap<&str, &report::Case> =
        cases_of(report).map(|case| (case.id.as_str(), case)).collect();
    if found.len() != cases_of(report).count() {
        return Err("a case is there twice".to_owned());
    }
    let mut judged: Vec<Of<'_>> = Vec::new();
    for case in &kit {
        if let Some(told) = found.get(case.id.as_str()) {
            same(case, told)?;
            judged.push((case.profile(), told));
        } else if profiles.iter().any(|profile| case.profile() <= *profile) && is_whole(report) {
            return Err(format!("{} is missing, and the command asks for all cases", case.id));
        }
    }
    for case in cases_of(report).filter(|case| ADDED.iter().any(|group| case.id.starts_with(group)))
    {
        judged.push((added(case, stated), case));
    }
    if judged.len() != found.len() {
        let known: Vec<&str> = judged.iter().map(|(_, case)| case.id.as_str()).collect();
        let stray = found.keys().find(|id| !known.contains(id)).copied().unwrap_or_default();
        return Err(format!("{stray} is no case of this program, which has {}", kit.len()));
    }
    let (profiles, sentences) = verdicts(&judged, &profiles);
    for (expected, found) in profiles.iter().zip(&stated.profiles) {
        if expected != found {
            return Err(format!(
                "the cases say: {}; the report says: {}",
                expected.sentence(),
                found.sentence()
            ));
        }
    }
    let told = stated.sentences.iter().map(Some).chain(std::iter::repeat(None));
    for (expected, found) in sentences.iter().zip(told) {
        if Some(expected) != found {
            let found = found.map_or("nothing", |found| found.status.word());
            let (id, word) = (&expected.id, expected.status.word());
            return Err(format!(
                "{id}: the cases say {word}, the report {found}, or with other cases"
            ));
        }
    }
    if sentences.len() != stated.sentences.len() {
        return Err("sentences are told that the spec does not have".to_owned());
    }
    Ok(())
}

fn cases_of(report: &Report) -> impl Iterator<Item = &report::Case> {
    report.chapters.iter().flat_map(|chapter| &chapter.cases)
}

fn profiles(stated: &Conformance) -> Result<Vec<Profile>, String> {
    let names: Vec<&str> = stated.profiles.iter().map(|one| one.profile.as_str()).collect();
    let known: Vec<Profile> =
        Profile::ALL.into_iter().filter(|profile| names.contains(&profile.name())).collect();
    if known.is_empty() || known.iter().map(|profile| profile.name()).ne(names.iter().copied()) {
        return Err(format!("profiles {}: expected paper, mdsm-1 or both", names.join(", ")));
    }
    Ok(known)
}

/// Whether a run was to ask every case.
fn is_whole(report: &Report) -> bool {
    let command = &report.run.command;
    let options = command.split_once(" -- ").map_or(command.as_str(), |(options, _)| options);
    !["--only", "--layer"].iter().any(|option| options.contains(&format!(" {option} ")))
}

/// A case tests what it tests, whoever tells of it.
fn same(case: &Case, told: &report::Case) -> Result<(), String> {
    if told.requirements != case.requirements {
        return Err(format!(
            "{} tests {}, the report says {}",
            case.id,
            case.requirements.join(" "),
            told.requirements.join(" ")
        ));
    }
    Ok(())
}

/// Profile `mdsm-1` knows one reading of each point; everything else that a run adds is a fault anywhere.
fn added(case: &report::Case, stated: &Conformance) -> Profile {
    let point = case.id.strip_prefix("readings.").unwrap_or_default();
    let mut readings = stated.readings.iter();
    let is_known = |declared: &str| super::sentences::readings(point).contains(&declared);
    match readings.find(|reading| reading.point == point) {
        Some(reading) if is_known(&reading.declared) => Profile::Mdsm1,
        _ => Profile::Paper,
    }
}

#[cfg(test)]
mod tests {
    use super::super::protocol::Hello;
    use super::super::verdicts::conformance;
    use super::*;
    use crate::report::{Chapter, Status};
    use crate::verdict::{Exit, Outcome};

    /// A report of a run in which a case failed and all others passed.
    fn told(fails: &str, command: &str) -> Report {
        let run = crate::report::Run {
            program: "n".to_owned(),
            version: "1".to_owned(),
            commit: String::new(),
            seed: crate::seed::Seed::new(1),
            command: command.to_owned(),
            machine: crate::machine::machine(),
            started_ms: 0,
            ended_ms: 1,
            undecided: crate::verdict::UndecidedPolicy::Fail,
        };
        let kit = cases::all();
        let case = |case: &Case| report::Case {
            id: case.id.clone(),
            title: case.title.clone(),
            requirements: case.requirements.clone(),
            outcome: if case.id == fails { Outcome::Fail } else { Outcome::Pass },
            detail: String::new(),
            duration_us: 0,
            rerun: String::new(),
        };
        let mut chapter = Chapter::new("all", "all");
        chapter.cases = kit.iter().map(case).collect();
        let of: Vec<Of<'_>> = kit.iter().map(Case::profile).zip(&chapter.cases).collect();
        let hello = serde_json::json!({"protocol": 1, "name": "n", "version": "1", "ops": []});
        let hello = Hello::read(hello.as_object().unwrap()).unwrap();
        let stated = conformance(&["n".to_owned()], &hello, &of, &Profile::ALL);
        let planned = kit.len() as u64;
        let mut report = Report::new(run, planned, vec![chapter]);
        report.conformance = Some(stated);
        report
    }

    const FAILS: &str = "merkle.path.0-of-10";
    const WHOLE: &str = "mdsm-harness check -- n --only x";

    #[test]
    fn what_a_run_says_follows_and_what_is_changed_does_not() {
        assert_eq!(follows(&told(FAILS, WHOLE)), Ok(()));
        let broken = |change: &dyn Fn(&mut Report, &mut Conformance)| {
            let mut report = told(FAILS, WHOLE);
            let mut stated = report.conformance.take().unwrap();
            change(&mut report, &mut stated);
            report.conformance = Some(stated);
            follows(&report).unwrap_err()
        };
        let why = broken(&|_, stated| stated.profiles[1].verdict = Exit::Conforms);
        assert!(why.contains("the cases say: does not conform to profile mdsm-1"), "{why}");
        let why = broken(&|_, stated| stated.profiles[1].violated = 0);
        assert!(why.contains("1 violated; the report says:"), "{why}");
        let why = broken(&|_, stated| {
            let mut all = stated.sentences.iter_mut();
            all.find(|one| one.status == Status::Violated).unwrap().status = Status::Met;
        });
        assert!(why.contains("the cases say violated, the report met"), "{why}");
        let why = broken(&|report, _| {
            let mut all = report.chapters[0].cases.iter_mut();
            all.find(|case| case.id == FAILS).unwrap().requirements = vec!["STO-1.1".to_owned()];
        });
        assert!(why.contains("merkle.path.0-of-10 tests"), "{why}");
        let why = broken(&|report, _| report.chapters[0].cases.retain(|case| case.id != FAILS));
        assert!(why.contains("merkle.path.0-of-10 is missing"), "{why}");
        let why = broken(&|report, _| {
            let twin = report.chapters[0].cases[0].clone();
            report.chapters[0].cases.push(twin);
        });
        assert!(why.contains("twice"), "{why}");
        let why = broken(&|report, _| report.chapters[0].cases[0].id = "no.such".to_owned());
        assert!(why.contains("is missing"), "{why}");
        let why = broken(&|_, stated| stated.profiles.clear());
        assert!(why.contains("expected paper, mdsm-1 or both"), "{why}");
    }

    #[test]
    fn a_part_of_the_cases_is_enough_where_only_a_part_was_asked() {
        let command = "mdsm-harness check --only 'decode.*' -- n";
        let mut report = told("", command);
        report.chapters[0].cases.retain(|case| case.id != FAILS);
        let why = follows(&report).unwrap_err();
        assert!(!why.contains("missing"), "sentences have fewer cases now: {why}");
        report.chapters[0].cases[0].id = "no.such".to_owned();
        assert!(follows(&report).unwrap_err().contains("no.such is no case of this program"));
    }
}
