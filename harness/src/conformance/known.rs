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
use crate::verdict::Outcome;

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

/// What a run says of a list: cases and what became of them.
#[derive(Clone, Copy, Debug)]
pub struct Ran<'a> {
    /// Id, outcome, and what was seen.
    pub cases: &'a [(&'a str, &'a Outcome, &'a str)],
    /// Whether only some of the cases were asked.
    pub is_part: bool,
}

/// A file as it is after a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewritten {
    /// The whole of it.
    pub text: String,
    /// Entries that are as they were.
    pub kept: usize,
    /// Cases that got an entry.
    pub added: usize,
    /// `case` of the entries that had nothing to excuse any more.
    pub gone: Vec<String>,
}

impl Known {
    /// Whether it has nothing to excuse today because it is about cases that were not asked, where only a part
    /// was, or not judged.
    #[must_use]
    pub fn is_unasked(&self, ran: Ran<'_>) -> bool {
        let is_skipped = |outcome: &Outcome| matches!(outcome, Outcome::Skipped { .. });
        self.about(ran).any(is_skipped) || ran.is_part && self.about(ran).next().is_none()
    }

    /// Whether it could excuse something in a run, or in a whole one.
    fn is_alive(&self, ran: Ran<'_>) -> bool {
        self.about(ran).any(fails) || self.is_unasked(ran)
    }

    /// What became of the cases that it is about.
    fn about<'a>(&self, ran: Ran<'a>) -> impl Iterator<Item = &'a Outcome> {
        let cases = ran.cases.iter().filter(|(id, ..)| glob::matches(&self.case, id));
        cases.map(|(_, outcome, _)| *outcome)
    }
}

/// Whether an entry is for it, be it excused already.
const fn fails(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Fail | Outcome::AdapterBroke | Outcome::KnownFailing)
}

/// The file for what fails in a run. Entries of the `old` text that still excuse something stay as they were
/// written, comments above them included; the others go; each case without entry gets one, with a reason that
/// asks for a better one.
///
/// # Errors
/// When the old text is none, or has entries that are not written as `[[known]]`.
pub fn rewrite(old: &str, ran: Ran<'_>, today: &str, expires: &str) -> Result<Rewritten, String> {
    let list = KnownFailing::parse(old).map_err(|error| error.to_string())?;
    let (head, entries) = parts(old);
    if entries.len() != list.known.len() {
        return Err("has entries that are not written as [[known]]; they are left alone".to_owned());
    }
    let mut text = head;
    if old.trim().is_empty() {
        text = format!(
            "# Written by mdsm-harness on {today}. Say why each case fails, and until when that may be:\n\
             # an entry that is \"{UNEXPLAINED}\" fails the run.\n"
        );
    }
    let mut gone = Vec::new();
    for (known, entry) in list.known.iter().zip(&entries) {
        if known.is_alive(ran) {
            text.push_str(entry);
        } else {
            gone.push(known.case.clone());
        }
    }
    if !text.ends_with('\n') {
        text.push('\n');
    }
    let has_entry = |id: &str| list.known.iter().any(|known| glob::matches(&known.case, id));
    let failing = ran.cases.iter().filter(|(id, outcome, _)| fails(outcome) && !has_entry(id));
    let mut added = 0;
    for (case, _, detail) in failing {
        let reason = format!("{UNEXPLAINED}: {}", detail.lines().next().unwrap_or_default());
        text.push_str(&format!(
            "\n[[known]]\ncase = {}\nreason = {}\nexpires = \"{expires}\"\n",
            quoted(case),
            quoted(&reason)
        ));
        added += 1;
    }
    Ok(Rewritten { text, kept: entries.len() - gone.len(), added, gone })
}

/// What stands before the first entry, and each entry with the blank lines and comments right above it.
fn parts(text: &str) -> (String, Vec<String>) {
    let (mut parts, mut above) = (vec![String::new()], String::new());
    for line in text.split_inclusive('\n') {
        let bare = line.split('#').next().unwrap_or_default();
        if bare.split_whitespace().collect::<String>() == "[[known]]" {
            parts.push(std::mem::take(&mut above) + line);
        } else if bare.trim().is_empty() {
            // A blank line parts what is above an entry from what is below the one before.
            if line.trim().is_empty() {
                let last = parts.last_mut().expect("the first part is there from the beginning");
                last.push_str(&std::mem::take(&mut above));
            }
            above.push_str(line);
        } else {
            let last = parts.last_mut().expect("the first part is there from the beginning");
            last.push_str(&(std::mem::take(&mut above) + line));
        }
    }
    let last = parts.last_mut().expect("the first part is there from the beginning");
    last.push_str(&above);
    let head = parts.remove(0);
    (head, parts)
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
        let cases = [
            ("a.b", &Outcome::Fail, "line \"one\"\nline two"),
            ("c\\d", &Outcome::AdapterBroke, "\u{1}"),
            ("e", &Outcome::Pass, ""),
        ];
        let text = |cases| {
            let ran = Ran { cases, is_part: false };
            rewrite("", ran, "2026-11-26", "2026-12-26").unwrap().text
        };
        let list = KnownFailing::parse(&text(&cases)).unwrap();
        assert_eq!(list.known.len(), 2);
        assert_eq!(list.known[0].reason, "not explained yet: line \"one\"");
        assert!(list.known.iter().all(|known| !known.is_explained()));
        assert!(KnownFailing::parse(SOUND).unwrap().known[0].is_explained());
        assert_eq!(list.known[1].case, "c\\d");
        assert_eq!(KnownFailing::parse(&text(&[])).unwrap(), KnownFailing::default());
    }

    #[test]
    fn entries_that_still_fail_stay_as_they_were_written() {
        let of = |case: &str| {
            format!(
                "\n# about {case}\n[[known]]  # {case}\ncase = \"{case}\"\nreason = \"soon\"\nexpires = \"2020-01-31\"\n"
            )
        };
        let old = format!("# ours\n{}{}{}{}# end\n", of("a.*"), of("b"), of("c"), of("d"));
        let skipped = Outcome::skipped("no time");
        let cases = [
            ("a.one", &Outcome::KnownFailing, ""),
            ("b", &Outcome::Pass, ""),
            ("c", &skipped, ""),
            ("new", &Outcome::Fail, "seen"),
        ];
        let whole = Ran { cases: &cases, is_part: false };
        let part = Ran { cases: &cases, is_part: true };
        let found = rewrite(&old, part, "2026-11-26", "2026-12-26").unwrap();
        assert_eq!((found.kept, found.added, found.gone), (3, 1, vec!["b".to_owned()]));
        let kept = format!("# ours\n{}{}{}# end\n\n[[known]]\n", of("a.*"), of("c"), of("d"));
        assert!(found.text.starts_with(&kept), "{}", found.text);
        assert_eq!(KnownFailing::parse(&found.text).unwrap().known.len(), 4);
        let found = rewrite(&old, whole, "2026-11-26", "2026-12-26").unwrap();
        assert_eq!(found.gone, ["b", "d"], "all was asked, and no case is called d");
        let inline = "known = [{ case = \"a\", reason = \"r\", expires = \"2999-01-01\" }]";
        let refused = rewrite(inline, whole, "2026-11-26", "2026-12-26").unwrap_err();
        assert!(refused.contains("not written as [[known]]"), "{refused}");
    }
}
