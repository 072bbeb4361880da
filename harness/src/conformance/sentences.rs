//! The sentences of the spec, from the chapters in this binary.

use std::sync::LazyLock;

/// Which profile asks for it.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// What the paper itself demands, neutral to formats and consensus.
    Paper,
    /// All sentences, formats included.
    #[serde(rename = "mdsm-1")]
    Mdsm1,
}

impl Profile {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Paper, Self::Mdsm1];

    /// As on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Paper => "paper",
            Self::Mdsm1 => "mdsm-1",
        }
    }
}

/// One normative sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentence {
    /// `STO-3.1`.
    pub id: String,
    /// `paper` for sentences of the paper; profile `mdsm-1` asks for all.
    pub profile: Profile,
    /// Whether it says SHOULD or MAY: breaking it does not fail a profile.
    pub is_advice: bool,
    /// What it says, without its id.
    pub text: String,
    /// Chapter, such as `storage`.
    pub chapter: &'static str,
}

const CHAPTERS: [(&str, &str); 8] = [
    ("storage", include_str!("../../spec/storage.md")),
    ("committees", include_str!("../../spec/committees.md")),
    ("consensus", include_str!("../../spec/consensus.md")),
    ("anchoring", include_str!("../../spec/anchoring.md")),
    ("database", include_str!("../../spec/database.md")),
    ("reencryption", include_str!("../../spec/reencryption.md")),
    ("clients", include_str!("../../spec/clients.md")),
    ("evaluation", include_str!("../../spec/evaluation.md")),
];

/// All sentences, chapter by chapter.
#[must_use]
pub fn sentences() -> &'static [Sentence] {
    static ALL: LazyLock<Vec<Sentence>> = LazyLock::new(|| {
        CHAPTERS
            .iter()
            .flat_map(|(chapter, text)| text.lines().filter_map(|line| read(chapter, line)))
            .collect()
    });
    &ALL
}

/// The sentence of an id.
#[must_use]
pub fn sentence(id: &str) -> Option<&'static Sentence> {
    sentences().iter().find(|sentence| sentence.id == id)
}

/// The sentences of a section, such as `CON-1`; none where no section is called that.
#[must_use]
pub fn section(id: &str) -> Vec<&'static Sentence> {
    let is_in = |one: &&Sentence| one.id.rsplit_once('.').is_some_and(|(section, _)| section == id);
    sentences().iter().filter(is_in).collect()
}

fn read(chapter: &'static str, line: &str) -> Option<Sentence> {
    let sources = [(" (paper): ", Profile::Paper), (" (ours): ", Profile::Mdsm1)];
    let (id, profile, text) = sources.into_iter().find_map(|(mark, profile)| {
        let (id, text) = line.split_once(mark)?;
        Some((id, profile, text))
    })?;
    let is_id = id.len() <= 8 && id.contains('-') && id.contains('.');
    let is_advice = [" SHOULD ", " MAY "].iter().any(|word| text.contains(word));
    let (id, text) = (id.to_owned(), text.to_owned());
    is_id.then_some(Sentence { id, profile, is_advice, text, chapter })
}

/// The part of the register that is about a point.
#[must_use]
pub fn point(id: &str) -> Option<&'static str> {
    const REGISTER: &str = include_str!("../../spec/ambiguities.md");
    let at = REGISTER.find(&format!("\n## {id} "))? + 1;
    let rest = &REGISTER[at..];
    let end = rest[3..].find("\n## ").map_or(rest.len(), |end| end + 3);
    Some(rest[..end].trim_end())
}

/// The readings of a point, as `R1`.
#[must_use]
pub fn readings(id: &str) -> Vec<&'static str> {
    let lines = point(id).unwrap_or_default().lines();
    let readings = lines.filter_map(|line| line.strip_prefix("- ")?.split_once(": "));
    readings.map(|(reading, _)| reading).collect()
}

/// What the register says of readings working together.
#[must_use]
pub fn interoperation(id: &str) -> Option<&'static str> {
    point(id)?.lines().find_map(|line| line.strip_prefix("Interoperation: "))
}

/// The reading of the reference: the register has the same for every point.
pub const REFERENCE: &str = "R1";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_of_the_chapters_are_found() {
        let of = |profile| sentences().iter().filter(|one| one.profile == profile).count();
        assert!(of(Profile::Paper) >= 80 && of(Profile::Mdsm1) >= 200);
        let size = sentence("STO-3.1").unwrap();
        assert_eq!(
            (size.profile, size.is_advice, size.chapter),
            (Profile::Paper, false, "storage")
        );
        assert!(size.text.starts_with("An Item MUST"));
        assert!(sentence("STO-1.7").unwrap().is_advice);
        let first = section("STO-1");
        assert!(first.iter().all(|one| one.id.starts_with("STO-1.")), "and none of STO-10");
        assert_eq!((first[0].id.as_str(), section("STO").len()), ("STO-1.1", 0));
    }

    #[test]
    fn points_of_the_register_are_found_with_their_readings() {
        assert_eq!(readings("AMB-STO-4"), ["R1", "R2", "R3", "R4"]);
        assert!(interoperation("AMB-STO-4").unwrap().starts_with("R1 reads every"));
        assert_eq!((readings("AMB-STO-99"), point("AMB-STO")), (Vec::new(), None));
        let register = include_str!("../../spec/ambiguities.md");
        for line in register.lines().filter(|line| line.starts_with("| AMB-")) {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            assert!(readings(cells[1]).contains(&REFERENCE), "{line}");
            assert_eq!(cells[4], REFERENCE);
        }
    }
}
