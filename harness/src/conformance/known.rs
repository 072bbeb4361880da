//! Failures that are known: a file in the user's repository, with a reason and an end for each.
//!
//! ```toml
//! [[known]]
//! case = "merkle.verify.*"          # an id; * stands for any run of characters
//! reason = "path length is not checked yet"
//! issue = "https://..."             # optional
//! expires = "2027-01-31"            # from this day on the entry fails
//! ```
//!
//! An entry that has nothing to excuse is stale and fails the run, and so does one that has expired: a list
//! that only grows hides what it was made for. One that still has the reason it was written with fails the
//! run too: a list that nobody has read explains nothing.

use serde::Deserialize;
use thiserror::Error;

use crate::glob;

/// Bytes of such a file, at most.
const BYTES_MAX: usize = 1 << 20;
/// How a reason begins that nobody has put in the place of ours.
const UNEXPLAINED: &str = "not explained yet";

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    /// Which cases.
    pub case: String,
    /// Why they fail.
    pub reason: String,
    /// Where it is discussed.
    pub issue: Option<String>,
    /// The first day on which it no longer counts, `YYYY-MM-DD`.
    pub expires: String,
}

/// All entries.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownFailing {
    /// In order.
    #[serde(default)]
    pub known: Vec<Known>,
}

/// A file that is none.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum KnownError {
    /// Too large.
    #[error("{bytes} bytes, at most {BYTES_MAX}")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// Not TOML, or of another shape.
    #[error("{0}")]
    Shape(String),
    /// A field is empty.
    #[error("entry {entry} (case {case:?}): `{field}` is empty")]
    Empty {
        /// From 1.
        entry: usize,
        /// Its case.
        case: String,
        /// The field.
        field: &'static str,
    },
    /// No date.
    #[error("entry {entry} (case {case:?}): expires = {found:?}, expected YYYY-MM-DD")]
    Date {
        /// From 1.
        entry: usize,
        /// Its case.
        case: String,
        /// What stands there.
        found: String,
    },
}

impl KnownFailing {
    /// Reads a file.
    ///
    /// # Errors
    /// What is wrong with it, and in which entry.
    pub fn parse(text: &str) -> Result<Self, KnownError> {
        if text.len() > BYTES_MAX {
            return Err(KnownError::TooLarge { bytes: text.len() });
        }
        let list: Self =
            toml::from_str(text).map_err(|error| KnownError::Shape(error.to_string()))?;
        for (entry, known) in (1..).zip(&list.known) {
            let case = known.case.clone();
            for (field, value) in [("case", &known.case), ("reason", &known.reason)] {
                if value.trim().is_empty() {
                    return Err(KnownError::Empty { entry, case, field });
                }
            }
            if !is_date(&known.expires) {
                return Err(KnownError::Date { entry, case, found: known.expires.clone() });
            }
        }
        Ok(list)
    }

    /// The first entry that excuses a case on a day.
    #[must_use]
    pub fn excuse(&self, case: &str, today: &str) -> Option<(usize, &Known)> {
        let mut entries = self.known.iter().enumerate();
        entries
            .find(|(_, known)| glob::matches(&known.case, case) && today < known.expires.as_str())
    }
}

impl Known {
    /// Whether its time is over.
    #[must_use]
    pub fn has_expired(&self, today: &str) -> bool {
        today >= self.expires.as_str()
    }

    /// Whether somebody has said why.
    #[must_use]
    pub fn is_explained(&self) -> bool {
        !self.reason.trim_start().starts_with(UNEXPLAINED)
    }
}

/// The file for cases that fail now. Each gets a reason that asks for a better one.
#[must_use]
pub fn write<'a>(
    failing: impl IntoIterator<Item = (&'a str, &'a str)>,
    today: &str,
    expires: &str,
) -> String {
    let mut text = format!(
        "# Written by mdsm-harness on {today}. Say why each case fails, and until when that may be:\n\
         # an entry that is \"{UNEXPLAINED}\" fails the run.\n"
    );
    for (case, detail) in failing {
        let reason = format!("{UNEXPLAINED}: {}", detail.lines().next().unwrap_or_default());
        text.push_str(&format!(
            "\n[[known]]\ncase = {}\nreason = {}\nexpires = \"{expires}\"\n",
            quoted(case),
            quoted(&reason)
        ));
    }
    text
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    let escaped = text.chars().map(|c| match c {
        '"' | '\\' => format!("\\{c}"),
        c if c.is_control() => format!("\\u{:04X}", u32::from(c)),
        c => c.to_string(),
    });
    format!("\"{}\"", escaped.collect::<String>())
}

/// `YYYY-MM-DD`; dates of this shape compare like texts.
fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let number = |part: &str, digits: usize| {
        let is_plain = part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit());
        is_plain.then(|| part.parse::<u32>().ok()).flatten()
    };
    let [year, month, day] = parts[..] else { return false };
    let of = (number(year, 4), number(month, 2), number(day, 2));
    matches!(of, (Some(_), Some(1..=12), Some(1..=31)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: &str =
        "[[known]]\ncase = \"merkle.*\"\nreason = \"soon\"\nexpires = \"2027-01-31\"\n";

    #[test]
    fn an_entry_excuses_until_its_day() {
        let list = KnownFailing::parse(SOUND).unwrap();
        assert_eq!(list.excuse("merkle.root.one", "2027-01-30").unwrap().0, 0);
        assert_eq!(list.excuse("merkle.root.one", "2027-01-31"), None);
        assert_eq!(list.excuse("decode.MITM", "2027-01-30"), None);
        assert!(
            list.known[0].has_expired("2027-02-01") && !list.known[0].has_expired("2026-12-31")
        );
    }

    #[test]
    fn what_is_wrong_with_a_file_is_named() {
        for (text, words) in [
            (
                SOUND.replace("2027-01-31", "soon"),
                "entry 1 (case \"merkle.*\"): expires = \"soon\", expected YYYY-MM-DD",
            ),
            (SOUND.replace("2027-01-31", "2027-13-01"), "expected YYYY-MM-DD"),
            (SOUND.replace("\"soon\"", "\" \""), "entry 1 (case \"merkle.*\"): `reason` is empty"),
            (SOUND.replace("reason", "why"), "unknown field `why`"),
            (SOUND.replace("expires = \"2027-01-31\"\n", ""), "missing field `expires`"),
            ("known = 3".to_owned(), "expected"),
            ("#".repeat(BYTES_MAX + 1), "at most 1048576"),
        ] {
            let error = KnownFailing::parse(&text).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let text = write(
            [("a.b", "line \"one\"\nline two"), ("c\\d", "\u{1}")],
            "2026-11-26",
            "2026-12-26",
        );
        let list = KnownFailing::parse(&text).unwrap();
        assert_eq!(list.known.len(), 2);
        assert_eq!(list.known[0].reason, "not explained yet: line \"one\"");
        assert!(list.known.iter().all(|known| !known.is_explained()));
        assert!(KnownFailing::parse(SOUND).unwrap().known[0].is_explained());
        assert_eq!(list.known[1].case, "c\\d");
        assert_eq!(
            KnownFailing::parse(&write([], "2026-11-26", "2026-12-26")).unwrap(),
            KnownFailing::default()
        );
    }
}
