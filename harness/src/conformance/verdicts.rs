//! From cases to sentences and profiles.

use std::collections::BTreeMap;

use super::protocol::Hello;
use super::sentences::{self, Profile, REFERENCE, Sentence};
use crate::report::{self, Conformance, ProfileVerdict, Reading, SentenceVerdict, Status};
use crate::verdict::{Counts, Exit, Outcome};

/// Cases that are named against a sentence.
const AGAINST_MAX: usize = 5;

/// A case with the profile that asks for it.
pub(super) type Of<'a> = (Profile, &'a report::Case);

/// Verdicts on an implementation, for these profiles.
#[must_use]
pub(super) fn conformance(
    command: &[String],
    hello: &Hello,
    cases: &[Of<'_>],
    profiles: &[Profile],
) -> Conformance {
    let (profiles, sentences) = verdicts(cases, profiles);
    Conformance {
        adapter: command.to_vec(),
        language: hello.language.clone().unwrap_or_default(),
        ops: hello.ops.iter().cloned().collect(),
        profiles,
        sentences,
        readings: readings(hello),
    }
}

/// What follows from the cases alone.
pub(super) fn verdicts(
    cases: &[Of<'_>],
    profiles: &[Profile],
) -> (Vec<ProfileVerdict>, Vec<SentenceVerdict>) {
    let judged: Vec<(Profile, BTreeMap<&str, Seen>)> =
        profiles.iter().map(|profile| (*profile, seen(cases, *profile))).collect();
    let verdicts = judged.iter().map(|(profile, seen)| profile_verdict(*profile, cases, seen));
    let widest = judged.last().map(|(_, seen)| seen);
    let sentence = |sentence: &Sentence| {
        let found = widest.and_then(|seen| seen.get(sentence.id.as_str()));
        let (status, cases, against) = found
            .map_or((Status::NotExercised, 0, Vec::new()), |seen| {
                (seen.status(), seen.cases, seen.against.clone())
            });
        SentenceVerdict {
            id: sentence.id.clone(),
            source: source(sentence.profile).to_owned(),
            status,
            text: sentence.text.clone(),
            cases,
            against,
        }
    };
    let asked = |one: &&Sentence| profiles.iter().any(|profile| one.profile <= *profile);
    let all = sentences::sentences().iter();
    (verdicts.collect(), all.filter(asked).map(sentence).collect())
}

const fn source(profile: Profile) -> &'static str {
    match profile {
        Profile::Paper => "paper",
        Profile::Mdsm1 => "ours",
    }
}

fn readings(hello: &Hello) -> Vec<Reading> {
    let others = hello.readings.iter().filter(|(_, reading)| *reading != REFERENCE);
    let reading = |(point, declared): (&String, &String)| Reading {
        point: point.clone(),
        declared: declared.clone(),
        interoperation: match sentences::interoperation(point) {
            Some(words) if sentences::readings(point).contains(&declared.as_str()) => {
                words.to_owned()
            }
            _ => "the register has no such reading".to_owned(),
        },
    };
    others.map(reading).collect()
}

/// What cases showed of one sentence.
#[derive(Clone, Debug, Default)]
struct Seen {
    cases: u64,
    met: u64,
    violated: u64,
    ambiguous: u64,
    against: Vec<String>,
}

impl Seen {
    fn status(&self) -> Status {
        match self {
            Self { violated: 1.., .. } => Status::Violated,
            Self { ambiguous: 1.., .. } => Status::Ambiguous,
            Self { met: 1.., .. } => Status::Met,
            _ => Status::NotExercised,
        }
    }
}

fn seen<'a>(cases: &[Of<'a>], profile: Profile) -> BTreeMap<&'a str, Seen> {
    let mut all: BTreeMap<&str, Seen> = BTreeMap::new();
    for (_, case) in cases.iter().filter(|(of, _)| *of <= profile) {
        for requirement in &case.requirements {
            let seen = all.entry(requirement).or_default();
            seen.cases += 1;
            let is_against = match case.outcome {
                Outcome::Pass => {
                    seen.met += 1;
                    false
                }
                // What is known to fail is excused, not met.
                Outcome::Fail | Outcome::KnownFailing => {
                    seen.violated += 1;
                    true
                }
                Outcome::Undecided => {
                    seen.ambiguous += 1;
                    true
                }
                _ => false,
            };
            if is_against && seen.against.len() < AGAINST_MAX {
                seen.against.push(case.id.clone());
            }
        }
    }
    all
}

fn profile_verdict(
    profile: Profile,
    cases: &[Of<'_>],
    seen: &BTreeMap<&str, Seen>,
) -> ProfileVerdict {
    let mut counts = Counts::default();
    for (_, case) in cases.iter().filter(|(of, _)| *of <= profile) {
        counts.all += 1;
        counts.add(&case.outcome);
    }
    let of_profile = sentences::sentences().iter().filter(|sentence| sentence.profile <= profile);
    let statuses: Vec<Status> = of_profile
        .map(|sentence| seen.get(sentence.id.as_str()).map_or(Status::NotExercised, Seen::status))
        .collect();
    let count = |wanted: fn(Status) -> bool| {
        u64::try_from(statuses.iter().filter(|status| wanted(**status)).count()).unwrap_or(u64::MAX)
    };
    let verdict: Exit = counts.verdict();
    ProfileVerdict {
        profile: profile.name().to_owned(),
        verdict,
        sentences: count(|_| true),
        exercised: count(|status| status != Status::NotExercised),
        violated: count(|status| status == Status::Violated),
        excused: counts.known_failing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(id: &str, outcome: Outcome, requirement: &str) -> report::Case {
        report::Case {
            id: id.to_owned(),
            title: String::new(),
            requirements: vec![requirement.to_owned()],
            outcome,
            detail: String::new(),
            duration_us: 0,
            rerun: String::new(),
        }
    }

    fn hello(readings: &[(&str, &str)]) -> Hello {
        let readings =
            readings.iter().map(|(point, reading)| ((*point).to_owned(), (*reading).to_owned()));
        let (name, version) = ("n".to_owned(), "1".to_owned());
        Hello { name, version, readings: readings.collect(), ..Hello::default() }
    }

    #[test]
    fn a_sentence_is_what_its_cases_show_and_a_profile_what_its_sentences_are() {
        let cases = [
            (Profile::Paper, case("1", Outcome::Pass, "STO-3.1")),
            (Profile::Mdsm1, case("2", Outcome::Fail, "STO-3.1")),
            (Profile::Mdsm1, case("3", Outcome::Pass, "STO-3.2")),
            (Profile::Paper, case("4", Outcome::Undecided, "STO-4.2")),
            (Profile::Mdsm1, case("5", Outcome::Unsupported, "STO-4.1")),
        ];
        let cases: Vec<Of<'_>> = cases.iter().map(|(profile, case)| (*profile, case)).collect();
        let found = conformance(&[], &hello(&[]), &cases, &Profile::ALL);
        let status = |id: &str| found.sentences.iter().find(|one| one.id == id).unwrap().status;
        assert_eq!(
            ["STO-3.1", "STO-3.2", "STO-4.2", "STO-4.1", "STO-1.1"].map(status),
            [
                Status::Violated,
                Status::Met,
                Status::Ambiguous,
                Status::NotExercised,
                Status::NotExercised
            ]
        );
        let [paper, all] = &found.profiles[..] else { panic!("two profiles") };
        assert_eq!((paper.exercised, paper.violated, paper.verdict), (2, 0, Exit::Undecided));
        assert_eq!((all.exercised, all.violated, all.verdict), (3, 1, Exit::DoesNotConform));
        assert!(
            all.sentence().starts_with("does not conform to profile mdsm-1, 3 of "),
            "{}",
            all.sentence()
        );
        let paper = conformance(&[], &hello(&[]), &cases, &[Profile::Paper]);
        assert_eq!(paper.sentences.len() as u64, paper.profiles[0].sentences);
        assert!(paper.sentences.iter().all(|sentence| sentence.source == "paper"));
    }

    #[test]
    fn readings_other_than_the_reference_are_told_with_what_works_together() {
        let readings =
            readings(&hello(&[("AMB-STO-4", "R2"), ("AMB-STO-3", "R1"), ("AMB-STO-9", "R9")]));
        assert_eq!(readings.len(), 2);
        assert!(readings[0].interoperation.starts_with("R1 reads every record"));
        assert_eq!(readings[1].interoperation, "the register has no such reading");
    }
}
