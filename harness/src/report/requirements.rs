//! The same results by requirement: a verdict for each.

use std::collections::BTreeMap;

use crate::verdict::Counts;

use super::Report;

/// How the cases of one requirement ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequirementCounts {
    /// Id of the requirement, such as `STO-10`.
    pub requirement: String,
    /// Its cases; their verdict is the requirement's.
    pub counts: Counts,
}

/// Counts the cases by requirement; `STO-2` comes before `STO-10`.
///
/// A case that names several requirements counts for each, and one that names a requirement twice
/// counts once, so these counts do not add up to those of the report.
#[must_use]
pub fn by_requirement(report: &Report) -> Vec<RequirementCounts> {
    let mut found: BTreeMap<(String, u64, String), Counts> = BTreeMap::new();
    for case in report.chapters.iter().flat_map(|chapter| &chapter.cases) {
        let mut named: Vec<&String> = case.requirements.iter().collect();
        named.sort();
        named.dedup();
        for requirement in named {
            let counts = found.entry(place(requirement)).or_default();
            counts.all += 1;
            counts.add(&case.outcome);
        }
    }
    let ordered = found.into_iter();
    ordered.map(|((_, _, requirement), counts)| RequirementCounts { requirement, counts }).collect()
}

/// Sorts by the name before the first number, then by that number, then by the whole id.
fn place(id: &str) -> (String, u64, String) {
    let digit = |character: char| character.is_ascii_digit();
    let start = id.find(digit).unwrap_or(id.len());
    let end = id[start..].find(|character| !digit(character)).map_or(id.len(), |end| start + end);
    (id[..start].to_owned(), id[start..end].parse().unwrap_or(u64::MAX), id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::{Chapter, fixture};
    use super::*;
    use crate::verdict::{Exit, Outcome};

    #[test]
    fn each_requirement_has_its_own_verdict_in_natural_order() {
        let mut chapter = Chapter::new("c", "C");
        for (id, outcome, requirements) in [
            ("1", Outcome::Pass, vec!["STO-10", "STO-2"]),
            ("2", Outcome::Fail, vec!["STO-10", "STO-10"]),
            ("3", Outcome::Unsupported, vec!["COM-1", "STO-10.4", "odd", "N-99999999999999999999"]),
        ] {
            let requirements = requirements.into_iter().map(str::to_owned).collect();
            chapter.cases.push(super::super::Case { requirements, ..fixture::case(id, outcome) });
        }
        let found = by_requirement(&Report::new(fixture::run(), 3, vec![chapter]));
        let found: Vec<(&str, u64, Exit)> = found
            .iter()
            .map(|found| (found.requirement.as_str(), found.counts.all, found.counts.verdict()))
            .collect();
        assert_eq!(
            found,
            [
                ("COM-1", 1, Exit::NothingTested),
                ("N-99999999999999999999", 1, Exit::NothingTested),
                ("STO-2", 1, Exit::Conforms),
                ("STO-10", 2, Exit::DoesNotConform),
                ("STO-10.4", 1, Exit::NothingTested),
                ("odd", 1, Exit::NothingTested),
            ]
        );
    }
}
