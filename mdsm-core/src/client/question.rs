//! What can be asked, and the line of HTTP that asks it. [CLI-1] [CLI-4]

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::types::{Epoch, Height, OwnerId, RecordId};

/// Where a record is booked: places ascend in the order of booking. Written `height.item.index`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Height of the block.
    pub height: Height,
    /// Index of the Item in its Item block.
    pub item: u16,
    /// Index of the record in its Item.
    pub index: u8,
}

/// A side of a dealing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Whose records they are.
    Owner,
    /// Who asks to read them.
    Reader,
}

/// A question. Those with a height are about the chain up to there, so that they have one answer.
//= harness/spec/clients.md#cli-4-one-answer
//# CLI-4.1 (paper): The three clients MUST give the same answer to the same question at the same
//# finalized height.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Question {
    /// Records of an owner, behind a place.
    Records {
        /// Whose.
        owner: OwnerId,
        /// The height.
        at: Height,
        /// Where the page before ended.
        after: Option<Place>,
    },
    /// One record.
    Record {
        /// Which.
        id: RecordId,
        /// The height.
        at: Height,
    },
    /// Dealings of an owner or of a reader, behind a request's place: who may read which records, who has asked
    /// to, and who bids to re-encrypt.
    Sharing {
        /// Whose.
        person: OwnerId,
        /// On which side.
        role: Role,
        /// The height.
        at: Height,
        /// Where the page before ended.
        after: Option<Place>,
    },
    /// The keys that somebody has declared last.
    Keys {
        /// Who.
        owner: OwnerId,
        /// The height.
        at: Height,
    },
    /// The receipt of a record.
    Receipt {
        /// Which.
        id: RecordId,
        /// The height.
        at: Height,
    },
    /// Where the chain stands.
    Status,
    /// Who produces and audits, from an epoch on.
    Roster {
        /// The epoch.
        from: Epoch,
    },
}

/// A line that asks nothing.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum QuestionError {
    /// No such path.
    #[error("path: nothing is asked by it")]
    Path,
    /// A part of the path or a value behind the question mark is not what belongs there.
    #[error("{field}: {why}")]
    Field {
        /// Which.
        field: &'static str,
        /// What is wrong.
        why: String,
    },
    /// A name behind the question mark is unknown here, or there twice.
    #[error("query: `{name}` is unknown here or there twice")]
    Query {
        /// The name, at most its first 32 characters.
        name: String,
    },
}

impl Question {
    /// Path and query that ask it, as they are signed.
    #[must_use]
    pub fn line(&self) -> String {
        match self {
            Self::Records { owner, at, after } => {
                format!("/v1/owners/{owner}/records?at={at}{}", behind(*after))
            }
            Self::Record { id, at } => format!("/v1/records/{id}?at={at}"),
            Self::Sharing { person, role: Role::Owner, at, after } => {
                format!("/v1/owners/{person}/readers?at={at}{}", behind(*after))
            }
            Self::Sharing { person, role: Role::Reader, at, after } => {
                format!("/v1/readers/{person}/grants?at={at}{}", behind(*after))
            }
            Self::Keys { owner, at } => format!("/v1/owners/{owner}/keys?at={at}"),
            Self::Receipt { id, at } => format!("/v1/records/{id}/receipt?at={at}"),
            Self::Status => "/v1/status".to_owned(),
            Self::Roster { from } => format!("/v1/roster?from={from}"),
        }
    }

    /// Reads path and query. Where no height is named, `head` is meant.
    pub fn from_line(line: &str, head: Height) -> Result<Self, QuestionError> {
        let (path, query) = line.split_once('?').unwrap_or((line, ""));
        let steps: Vec<&str> = path.split('/').collect();
        let mut query = Query::read(query)?;
        let question = match steps[..] {
            ["", "v1", "owners", owner, "records"] => {
                let owner = field("owner", owner)?;
                let (at, after) = (query.take("at")?.unwrap_or(head), query.take("after")?);
                Self::Records { owner, at, after }
            }
            ["", "v1", "owners", person, "readers"] => {
                let (person, role) = (field("owner", person)?, Role::Owner);
                let (at, after) = (query.take("at")?.unwrap_or(head), query.take("after")?);
                Self::Sharing { person, role, at, after }
            }
            ["", "v1", "readers", person, "grants"] => {
                let (person, role) = (field("reader", person)?, Role::Reader);
                let (at, after) = (query.take("at")?.unwrap_or(head), query.take("after")?);
                Self::Sharing { person, role, at, after }
            }
            ["", "v1", "owners", owner, "keys"] => {
                Self::Keys { owner: field("owner", owner)?, at: query.take("at")?.unwrap_or(head) }
            }
            ["", "v1", "records", id] => {
                Self::Record { id: field("id", id)?, at: query.take("at")?.unwrap_or(head) }
            }
            ["", "v1", "records", id, "receipt"] => {
                Self::Receipt { id: field("id", id)?, at: query.take("at")?.unwrap_or(head) }
            }
            ["", "v1", "status"] => Self::Status,
            ["", "v1", "roster"] => {
                Self::Roster { from: query.take("from")?.unwrap_or(Epoch::new(0)) }
            }
            _ => return Err(QuestionError::Path),
        };
        query.finish()?;
        Ok(question)
    }

    /// Whether anybody may ask: what is about nobody's records.
    #[must_use]
    pub fn is_public(&self) -> bool {
        matches!(self, Self::Status | Self::Roster { .. })
    }
}

fn behind(after: Option<Place>) -> String {
    after.map(|place| format!("&after={place}")).unwrap_or_default()
}

/// What stands behind the question mark, each name once.
struct Query<'a>(Vec<(&'a str, &'a str)>);

/// Names that any question knows, at most.
const QUERY_NAMES_MAX: usize = 4;

impl<'a> Query<'a> {
    fn read(query: &'a str) -> Result<Self, QuestionError> {
        let mut pairs: Vec<(&str, &str)> = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            if pairs.iter().any(|(known, _)| *known == name) || pairs.len() >= QUERY_NAMES_MAX {
                return Err(QuestionError::Query { name: start(name) });
            }
            pairs.push((name, value));
        }
        Ok(Self(pairs))
    }

    fn take<T: FromText>(&mut self, name: &'static str) -> Result<Option<T>, QuestionError> {
        let Some(at) = self.0.iter().position(|(known, _)| *known == name) else { return Ok(None) };
        field(name, self.0.swap_remove(at).1).map(Some)
    }

    fn finish(self) -> Result<(), QuestionError> {
        let left = self.0.first();
        left.map_or(Ok(()), |(name, _)| Err(QuestionError::Query { name: start(name) }))
    }
}

fn start(text: &str) -> String {
    text.chars().take(32).collect()
}

fn field<T: FromText>(field: &'static str, text: &str) -> Result<T, QuestionError> {
    T::from_text(text).map_err(|why| QuestionError::Field { field, why })
}

/// What a part of a line may be.
trait FromText: Sized {
    fn from_text(text: &str) -> Result<Self, String>;
}

impl FromText for OwnerId {
    fn from_text(text: &str) -> Result<Self, String> {
        text.parse().map_err(|error: crate::types::HexError| error.to_string())
    }
}

impl FromText for RecordId {
    fn from_text(text: &str) -> Result<Self, String> {
        text.parse().map_err(|error: crate::types::HexError| error.to_string())
    }
}

impl FromText for Height {
    fn from_text(text: &str) -> Result<Self, String> {
        digits(text).map(Self::new)
    }
}

impl FromText for Epoch {
    fn from_text(text: &str) -> Result<Self, String> {
        digits(text).map(Self::new)
    }
}

impl FromText for Place {
    fn from_text(text: &str) -> Result<Self, String> {
        text.parse()
    }
}

/// A number in plain digits: `parse` alone would also take a sign, and zeros in front.
fn digits<T: FromStr + ToString>(text: &str) -> Result<T, String> {
    let number = text.parse::<T>().ok().filter(|number| number.to_string() == text);
    number.ok_or_else(|| format!("`{}` is no number in plain digits, or too large", start(text)))
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.split('.');
        let mut next = || parts.next().ok_or_else(|| "height.item.index is expected".to_owned());
        let (height, item, index) = (next()?, next()?, next()?);
        if parts.next().is_some() {
            return Err("height.item.index is expected".to_owned());
        }
        let height = Height::new(digits(height)?);
        Ok(Self { height, item: digits(item)?, index: digits(index)? })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.height, self.item, self.index)
    }
}

impl Serialize for Place {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Place {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Question, QuestionError> {
        Question::from_line(line, Height::new(9))
    }

    #[test]
    fn every_question_comes_back_from_its_line() {
        let (owner, id) = (OwnerId::new([1; 32]), RecordId::new([2; 32]));
        let after = Some(Place { height: Height::new(4), item: 3, index: 9 });
        let at = Height::new(u64::MAX);
        for question in [
            Question::Records { owner, at, after: None },
            Question::Records { owner, at, after },
            Question::Record { id, at },
            Question::Sharing { person: owner, role: Role::Owner, at, after },
            Question::Sharing { person: owner, role: Role::Reader, at, after: None },
            Question::Keys { owner, at },
            Question::Receipt { id, at },
            Question::Status,
            Question::Roster { from: Epoch::new(7) },
        ] {
            assert_eq!(read(&question.line()), Ok(question), "{}", question.line());
        }
        let at = Height::new(9);
        assert_eq!(read(&format!("/v1/records/{id}")), Ok(Question::Record { id, at }));
        assert_eq!(read("/v1/roster"), Ok(Question::Roster { from: Epoch::new(0) }));
    }

    #[test]
    fn what_asks_nothing_is_named() {
        let id = RecordId::new([2; 32]);
        for (line, why) in [
            ("/v1/records".to_owned(), "path: nothing is asked by it"),
            ("/v1/records/../status".to_owned(), "path: nothing"),
            ("v1/status".to_owned(), "path: nothing"),
            ("/v1/status/".to_owned(), "path: nothing"),
            ("/v1/status?at=1".to_owned(), "query: `at` is unknown here"),
            ("/v1/records/2a".to_owned(), "id: 2 characters where 64"),
            (format!("/v1/records/{id}?at=-1"), "at: `-1` is no number"),
            (format!("/v1/records/{id}?at=01"), "at: `01` is no number"),
            (format!("/v1/records/{id}?at=18446744073709551616"), "at: `18446744073709551616`"),
            (format!("/v1/records/{id}?at=1&at=2"), "query: `at` is unknown here or there twice"),
            (format!("/v1/records/{id}?a&b&c&d&e"), "query: `e`"),
            (format!("/v1/owners/{id}/records?after=1.2"), "after: height.item.index"),
            (format!("/v1/owners/{id}/keys?after=1.2.3"), "query: `after` is unknown here"),
            (format!("/v1/owners/{id}/grants"), "path: nothing"),
            ("/v1/readers/2a/grants".to_owned(), "reader: 2 characters where 64"),
            (format!("/v1/owners/{id}/records?after=1.2.256"), "after: `256` is no number"),
        ] {
            let error = read(&line).unwrap_err().to_string();
            assert!(error.starts_with(why), "{line}: {error}");
        }
    }
}
