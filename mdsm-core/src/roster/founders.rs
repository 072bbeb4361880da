//! Founders of a network from a file that people write, TOML or CSV. [COM-1]
//!
//! ```text
//! [[institution]]              id,key,rating,centre
//! id = 7                       7,3d40..,88,1200
//! key = "3d40.."
//! rating = 88
//! centre = 1200
//! ```
//! Only text becomes values here; what founders must be among themselves, [`Roster::found`] checks.
//! It stands with feature `node`, for the `toml` crate: two small crates beside those that borsh's
//! derive brings anyway, and errors with their place. CSV is read by hand: four fields without
//! quotes.
//!
//! [`Roster::found`]: super::Roster::found

use std::ops::Range;
use std::str::FromStr;

use serde::Deserialize;
use thiserror::Error;
use toml::Spanned;

use super::amounts::RATING_MAX;
use super::rating::Founder;
use crate::types::{HexError, InstitutionId, OwnerId};

const HEADER: &str = "id,key,rating,centre";
const FIELDS: [&str; 4] = ["id", "key", "rating", "centre"];

/// A file that names no founders.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}: {problem}")]
pub struct FoundersError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong there.
    pub problem: FoundersProblem,
}

/// What is wrong in a file of founders.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FoundersProblem {
    /// The first line of the CSV is another.
    #[error("the first line is not `{HEADER}`")]
    Header,
    /// Too few or too many fields.
    #[error("{found} fields where there are 4: {HEADER}")]
    Fields {
        /// Fields found.
        found: usize,
    },
    /// Not a number in plain digits, or beyond the limit.
    #[error("{field}: `{found}` is not a number from 0 to {max}")]
    Number {
        /// The field.
        field: &'static str,
        /// What stands there.
        found: String,
        /// The limit.
        max: u32,
    },
    /// Not a key.
    #[error("key: {0}")]
    Key(HexError),
    /// Not TOML, or not of the shape above.
    #[error("{0}")]
    Toml(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    institution: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: Spanned<i64>,
    key: Spanned<String>,
    rating: Spanned<i64>,
    centre: Spanned<i64>,
}

/// Reads founders from TOML.
pub fn founders_from_toml(text: &str) -> Result<Vec<Founder>, FoundersError> {
    let line_of = |span: Range<usize>| {
        1 + text.as_bytes()[..span.start.min(text.len())].iter().filter(|b| **b == b'\n').count()
    };
    let file: File = toml::from_str(text).map_err(|error| FoundersError {
        line: error.span().map_or(1, line_of),
        problem: FoundersProblem::Toml(error.message().to_owned()),
    })?;
    let at = |line: usize| move |problem| FoundersError { line, problem };
    let number = |value: &Spanned<i64>, field, max| {
        u32::try_from(*value.get_ref())
            .ok()
            .filter(|number| *number <= max)
            .ok_or_else(|| FoundersProblem::Number {
                field,
                found: value.get_ref().to_string(),
                max,
            })
            .map_err(at(line_of(value.span())))
    };
    file.institution
        .iter()
        .map(|entry| {
            Ok(Founder {
                institution: InstitutionId::new(number(&entry.id, FIELDS[0], u32::MAX)?),
                key: key(entry.key.get_ref()).map_err(at(line_of(entry.key.span())))?,
                rating: points(number(&entry.rating, FIELDS[2], RATING_MAX.into())?),
                centre: number(&entry.centre, FIELDS[3], u32::MAX)?,
            })
        })
        .collect()
}

/// Reads founders from CSV: the header, then one founder a line.
pub fn founders_from_csv(text: &str) -> Result<Vec<Founder>, FoundersError> {
    let mut lines = (1..).zip(text.lines());
    if lines.next().map(|(_, header)| header) != Some(HEADER) {
        return Err(FoundersError { line: 1, problem: FoundersProblem::Header });
    }
    lines
        .map(|(line, row)| founder(row).map_err(|problem| FoundersError { line, problem }))
        .collect()
}

fn founder(row: &str) -> Result<Founder, FoundersProblem> {
    let fields: Vec<&str> = row.split(',').collect();
    let [id, owner, rating, centre] = fields[..] else {
        return Err(FoundersProblem::Fields { found: fields.len() });
    };
    Ok(Founder {
        institution: InstitutionId::new(digits(FIELDS[0], id, u32::MAX)?),
        key: key(owner)?,
        rating: points(digits(FIELDS[2], rating, RATING_MAX.into())?),
        centre: digits(FIELDS[3], centre, u32::MAX)?,
    })
}

/// A number in plain digits: `parse` alone would also take a sign.
fn digits(field: &'static str, text: &str, max: u32) -> Result<u32, FoundersProblem> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = if is_plain { u32::from_str(text).ok() } else { None };
    number.filter(|number| *number <= max).ok_or_else(|| FoundersProblem::Number {
        field,
        found: shown(text),
        max,
    })
}

fn key(text: &str) -> Result<OwnerId, FoundersProblem> {
    text.parse().map_err(FoundersProblem::Key)
}

fn points(number: u32) -> u8 {
    u8::try_from(number).expect("the limit of the field is checked before")
}

/// The start of what somebody wrote, so that an error stays one line.
fn shown(text: &str) -> String {
    text.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";

    fn csv(row: &str) -> Result<Vec<Founder>, FoundersError> {
        founders_from_csv(&format!("{HEADER}\n7,{KEY},88,1200\n{row}\n"))
    }

    fn toml(entry: &str) -> Result<Vec<Founder>, FoundersError> {
        founders_from_toml(&format!("# founders\n[[institution]]\n{entry}"))
    }

    #[test]
    fn both_forms_give_the_same_founder() {
        let entry = format!("id = 7\nkey = \"{KEY}\"\nrating = 88\ncentre = 1200\n");
        let founder = Founder {
            institution: InstitutionId::new(7),
            key: KEY.parse().unwrap(),
            rating: 88,
            centre: 1_200,
        };
        assert_eq!(toml(&entry), Ok(vec![founder]));
        assert_eq!(founders_from_csv(&format!("{HEADER}\n7,{KEY},88,1200")), Ok(vec![founder]));
        let windows = format!("{HEADER}\r\n7,{KEY},88,1200\r\n");
        assert_eq!(founders_from_csv(&windows), Ok(vec![founder]));
    }

    #[test]
    fn errors_of_csv_name_line_field_and_limit() {
        for (row, message) in [
            (format!("7,{KEY},101,1"), "line 3: rating: `101` is not a number from 0 to 100"),
            (format!("7,{KEY},-1,1"), "line 3: rating: `-1` is not a number from 0 to 100"),
            (format!("+7,{KEY},1,1"), "line 3: id: `+7` is not a number from 0 to 4294967295"),
            (
                format!("7,{KEY},1,4294967296"),
                "line 3: centre: `4294967296` is not a number from 0 to 4294967295",
            ),
            (format!("7,{KEY},1,"), "line 3: centre: `` is not a number from 0 to 4294967295"),
            (format!("7,{KEY},1"), "line 3: 3 fields where there are 4: id,key,rating,centre"),
            (String::new(), "line 3: 1 fields where there are 4: id,key,rating,centre"),
            ("7,3d,1,1".to_owned(), "line 3: key: 2 characters where 64 hex digits are expected"),
            (
                format!("7,3d{},1,1", "é".repeat(62)),
                "line 3: key: character 2 is not a lower-case hex digit",
            ),
        ] {
            assert_eq!(csv(&row).unwrap_err().to_string(), message, "{row}");
        }
        let none = founders_from_csv("").unwrap_err().to_string();
        assert_eq!(none, "line 1: the first line is not `id,key,rating,centre`");
    }

    #[test]
    fn errors_of_toml_name_line_field_and_limit() {
        let entry = |id: &str, key: &str, rating: &str, centre: &str| {
            format!("id = {id}\nkey = \"{key}\"\nrating = {rating}\ncentre = {centre}\n")
        };
        for (text, start) in [
            (entry("7", KEY, "101", "1"), "line 5: rating: `101` is not a number from 0 to 100"),
            (entry("-7", KEY, "1", "1"), "line 3: id: `-7` is not a number from 0 to 4294967295"),
            (entry("7", "3d", "1", "1"), "line 4: key: 2 characters where 64"),
            (entry("7", KEY, "1", "\"x\""), "line 6: invalid type: string"),
            (entry("7", KEY, "1", "1\nname = 1"), "line 7: unknown field `name`"),
            ("id = 7\n".to_owned(), "line 2: missing field `key`"),
            ("id = \n".to_owned(), "line 3: "),
        ] {
            let message = toml(&text).unwrap_err().to_string();
            assert!(message.starts_with(start), "{message}");
        }
        assert!(founders_from_toml("").unwrap_err().to_string().contains("institution"));
    }
}
