//! The register of readings as a table: which readings a point has, how each gets on with the reference's,
//! and which cases depend on it.

use std::fmt::Write as _;
use std::sync::LazyLock;

use super::case::{Case, Check};
use super::sentences::{self, REFERENCE};
use super::vectors::{Expect, Vector};

/// How an implementation with another reading gets on with one that has the reference's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Beside {
    /// Each takes what the other makes.
    Both,
    /// What it makes is taken; it does not take all that the reference makes.
    IsRead,
    /// It takes what the reference makes; not all that it makes is taken.
    Reads,
    /// The same facts in other bytes, of which one can be made from the other.
    Converts,
    /// They do not work together.
    No,
}

impl Beside {
    /// All, as the register writes them.
    pub const ALL: [(Self, &str); 5] = [
        (Self::Both, "both"),
        (Self::IsRead, "is read"),
        (Self::Reads, "reads"),
        (Self::Converts, "converts"),
        (Self::No, "no"),
    ];

    fn read(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == word).map(|(beside, _)| *beside)
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Both => "works with the reference's, both ways",
            Self::IsRead => "is read by the reference's, and does not read all of that",
            Self::Reads => "reads the reference's, and not all of it is read there",
            Self::Converts => "holds the same facts in other bytes, which convert",
            Self::No => "does not work with the reference's",
        }
    }
}

/// A point of the register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Point {
    /// `AMB-STO-4`.
    pub id: &'static str,
    /// What it is about.
    pub title: &'static str,
    /// What the paper is there: silent, unclear, or a defect.
    pub kind: &'static str,
    /// The other readings, as `R2`, in order.
    pub others: Vec<(&'static str, Beside)>,
}

/// The points, as the table at the head of the register has them.
#[must_use]
pub fn points() -> &'static [Point] {
    const REGISTER: &str = include_str!("../../spec/ambiguities.md");
    static ALL: LazyLock<Vec<Point>> = LazyLock::new(|| REGISTER.lines().filter_map(row).collect());
    &ALL
}

fn row(line: &'static str) -> Option<Point> {
    let cells: Vec<&str> = line.split('|').map(str::trim).collect();
    let [_, id, title, kind, _, beside, _] = cells[..] else { return None };
    let other = |part: &'static str| {
        let (reading, word) = part.trim().split_once(' ')?;
        Some((reading, Beside::read(word)?))
    };
    let others: Option<Vec<_>> = beside.split(',').map(other).collect();
    id.starts_with("AMB-").then_some(Point { id, title, kind, others: others? })
}

/// The cases whose expectation hangs on the reading of a point.
fn dependent<'a>(id: &str, cases: &'a [Case]) -> Vec<&'a str> {
    let hangs = |vector: &Vector| match &vector.expect {
        Expect::Ambiguous { point, .. } => point == id,
        _ => false,
    };
    let is_of = |case: &&Case| match &case.check {
        Check::Vector(vector) => hangs(vector),
        _ => false,
    };
    cases.iter().filter(is_of).map(|case| case.id.as_str()).collect()
}

/// The cases about the requirement that a point is about, of which `AMB-STO-4` names STO-4.
fn about<'a>(id: &str, cases: &'a [Case]) -> Vec<&'a str> {
    let requirement = format!("{}.", id.trim_start_matches("AMB-"));
    let is_about = |case: &&Case| case.requirements.iter().any(|id| id.starts_with(&requirement));
    cases.iter().filter(is_about).map(|case| case.id.as_str()).collect()
}

/// All points in one table, or one point with its readings and its cases. None for any other name.
#[must_use]
pub fn explain(name: &str, cases: &[Case]) -> Option<String> {
    if name == "readings" {
        return Some(table(cases));
    }
    let point = points().iter().find(|point| point.id == name)?;
    let mut text = format!("{}\n\n", sentences::point(name)?.trim_start_matches("## "));
    let mut line = |line: &str| writeln!(text, "{line}").expect("writing to a string succeeds");
    line(&format!("{REFERENCE} is the reference's, and the only one in profile mdsm-1."));
    for (reading, beside) in &point.others {
        line(&format!("{reading} {}.", beside.words()));
    }
    let (dependent, about) = (dependent(name, cases), about(name, cases));
    line("");
    if dependent.is_empty() {
        line("No case has an expectation for each reading.");
    } else {
        line(&format!("{} cases have an expectation for each reading:", dependent.len()));
        dependent.iter().for_each(|case| line(&format!("  {case}")));
    }
    let requirement = name.trim_start_matches("AMB-");
    line(&format!("{} cases are about {requirement}.", about.len()));
    Some(text)
}

fn table(cases: &[Case]) -> String {
    let mut text = format!(
        "{REFERENCE} is the reference's reading everywhere. What another reading is beside it:\n\n\
         | point | about | the paper | beside {REFERENCE} | cases by reading |\n|---|---|---|---|---|\n"
    );
    for Point { id, title, kind, others } in points() {
        let word = |beside: &Beside| {
            Beside::ALL.iter().find(|(known, _)| known == beside).map_or("", |(_, word)| word)
        };
        let beside: Vec<String> =
            others.iter().map(|(reading, beside)| format!("{reading} {}", word(beside))).collect();
        let cases = dependent(id, cases).len();
        let _ = writeln!(text, "| {id} | {title} | {kind} | {} | {cases} |", beside.join(", "));
    }
    text.push('\n');
    for (beside, word) in Beside::ALL {
        let _ = writeln!(text, "{word}: {}", beside.words());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::cases;

    #[test]
    fn every_point_has_a_row_and_every_other_reading_a_word_in_it() {
        let register = include_str!("../../spec/ambiguities.md");
        let sections: Vec<&str> = register
            .lines()
            .filter_map(|line| line.strip_prefix("## "))
            .filter_map(|line| line.split(' ').next())
            .collect();
        let rows: Vec<&str> = points().iter().map(|point| point.id).collect();
        assert_eq!(rows, sections);
        for point in points() {
            let others: Vec<&str> = point.others.iter().map(|(reading, _)| *reading).collect();
            let mut readings = sentences::readings(point.id);
            readings.retain(|reading| *reading != REFERENCE);
            assert_eq!(others, readings, "{}", point.id);
            assert!(["silent", "unclear", "defect"].contains(&point.kind), "{}", point.id);
            let heading = format!("{} {}", point.id, point.title);
            assert!(sentences::point(point.id).unwrap().contains(&heading), "{heading}");
        }
    }

    #[test]
    fn a_word_that_is_none_is_no_row() {
        assert_eq!(
            row("| AMB-X-1 | About | silent | R1 | R2 reads, R3 no |").unwrap().others.len(),
            2
        );
        assert_eq!(row("| AMB-X-1 | About | silent | R1 | R2 perhaps |"), None);
        assert_eq!(row("| id | point | kind | reference | beside it |"), None);
    }

    #[test]
    fn the_table_has_a_row_for_each_point_and_counts_its_cases() {
        let cases = cases::all();
        let text = explain("readings", &cases).unwrap();
        for point in points() {
            assert!(text.contains(&format!("| {} | {} |", point.id, point.title)), "{}", point.id);
        }
        let of = |id: &str| dependent(id, &cases);
        assert!(text.contains("R2 is read, R3 is read, R4 is read | 3 |"), "{text}");
        assert!(of("AMB-STO-4").contains(&"paper.admit.100001-bytes"));
        assert!(of("AMB-ANC-2").is_empty());
    }

    #[test]
    fn a_point_shows_its_readings_and_the_cases_that_hang_on_it() {
        let cases = cases::all();
        let text = explain("AMB-STO-3", &cases).unwrap();
        for words in [
            "- R3: at most 10, empty Items allowed.",
            "R3 reads the reference's, and not all of it is read there.",
            "  paper.items.25\n",
            "cases are about STO-3.",
        ] {
            assert!(text.contains(words), "{words}: {text}");
        }
        assert_eq!(explain("AMB-STO-99", &cases), None);
        assert_eq!(explain("merkle.path.0-of-10", &cases), None);
    }
}
