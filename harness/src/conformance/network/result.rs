//! What the result of a step says, read field by field.

use std::rc::Rc;

use serde_json::{Map, Value};

use crate::conformance::value::{Field, FieldError};

/// Bytes of a message and of an entry, at most.
const BYTES_MAX: usize = 1 << 20;
/// Elements of a list, at most.
const LIST_MAX: usize = 4_096;
/// Characters of a timer's name, at most.
const NAME_MAX: usize = 64;
/// Heights and windows, at most: far more than a run has.
const COUNT_MAX: u64 = 1_000_000;
/// Times and points, at most, either way: 2^53.
const NUMBER_MAX: u64 = 1 << 53;
/// Bytes of a block's name, at most.
const BLOCK_MAX: usize = 64;

/// What a node wants done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Did {
    /// `append` takes the place of everything before.
    pub replace: bool,
    /// Entries for the disk.
    pub append: Vec<Rc<[u8]>>,
    /// Messages, with institutions.
    pub outbox: Vec<(Vec<u32>, Rc<[u8]>)>,
    /// Timers, with milliseconds.
    pub timers: Vec<(String, u32)>,
    /// What it lets be seen.
    pub seen: Vec<Seen>,
}

/// An observation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// A record is taken.
    Accepted {
        /// The digest of its content.
        content: [u8; 32],
        /// Its id, where records have one.
        record: Option<[u8; 32]>,
    },
    /// A block is final.
    Final(Rc<Block>),
    /// A window is frozen.
    Frozen(Rc<Window>),
    /// It has woken up: the harness says so itself.
    Woke,
    /// A root is handed to Bitcoin.
    Anchor {
        /// Of which window.
        window: u32,
        /// The root.
        root: Vec<u8>,
    },
}

/// A final block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Block {
    pub height: u64,
    pub name: Vec<u8>,
    pub producer: u32,
    pub auditors: Vec<u32>,
    pub timestamp: i64,
    /// Digests of contents, each with the institution that booked it.
    pub records: Vec<([u8; 32], u32)>,
}

/// A frozen window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub window: u32,
    pub last: u64,
    pub root: Vec<u8>,
    pub credit: Vec<Account>,
    pub producers: Vec<u32>,
    pub auditors: Vec<u32>,
}

/// What is known of an institution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Account {
    pub institution: u32,
    pub points: i64,
    pub signed: u32,
    pub missed: u32,
    pub audited: u32,
}

impl Did {
    /// Reads a result.
    ///
    /// # Errors
    /// The field that departs from the page.
    pub(super) fn read(ok: &Map<String, Value>) -> Result<Self, FieldError> {
        let list = |name: &str| -> Result<Vec<Value>, FieldError> {
            let Some(value) = ok.get(name) else { return Ok(Vec::new()) };
            let field = Field::whole(&format!("ok.{name}"), value);
            let list = field.list()?;
            if list.len() > LIST_MAX {
                return Err(field.wrong(format!("{} elements, {LIST_MAX} at most", list.len())));
            }
            Ok(list.iter().map(|one| one.json().clone()).collect())
        };
        let mut did = Self::default();
        if let Some(replace) = ok.get("replace") {
            did.replace = Field::whole("ok.replace", replace).yes()?;
        }
        for (index, value) in list("append")?.iter().enumerate() {
            did.append.push(blob(&Field::whole(&format!("ok.append[{index}]"), value))?);
        }
        for (index, value) in list("outbox")?.iter().enumerate() {
            let field = Field::whole(&format!("ok.outbox[{index}]"), value);
            let to = short(&field.get("to")?, Field::integer)?;
            did.outbox.push((to, blob(&field.get("message")?)?));
        }
        for (index, value) in list("timers")?.iter().enumerate() {
            let field = Field::whole(&format!("ok.timers[{index}]"), value);
            let name = field.get("timer")?;
            let text = name.text()?;
            if text.chars().count() > NAME_MAX {
                return Err(name.wrong(format!("{NAME_MAX} characters at most")));
            }
            did.timers.push((text.to_owned(), field.get("after_ms")?.integer()?));
        }
        for (index, value) in list("seen")?.iter().enumerate() {
            let field = Field::whole(&format!("ok.seen[{index}]"), value);
            did.seen.push(Seen::read(&field)?);
        }
        Ok(did)
    }
}

/// A list of no more elements than a list may have.
fn short<'a, T>(
    field: &Field<'a>,
    read: impl FnMut(&Field<'a>) -> Result<T, FieldError>,
) -> Result<Vec<T>, FieldError> {
    let list = field.list()?;
    if list.len() > LIST_MAX {
        return Err(field.wrong(format!("{} elements, {LIST_MAX} at most", list.len())));
    }
    list.iter().map(read).collect()
}

/// A height or a window.
fn count(field: &Field<'_>, number: u64) -> Result<u64, FieldError> {
    if number > COUNT_MAX {
        return Err(field.wrong(format!("{number}, {COUNT_MAX} at most")));
    }
    Ok(number)
}

/// A time or points.
fn number(field: &Field<'_>) -> Result<i64, FieldError> {
    let number: i64 = field.decimal()?;
    if number.unsigned_abs() > NUMBER_MAX {
        return Err(field.wrong(format!("{number}, {NUMBER_MAX} at most")));
    }
    Ok(number)
}

fn height(field: &Field<'_>) -> Result<u64, FieldError> {
    count(field, field.decimal()?)
}

fn window(field: &Field<'_>) -> Result<u32, FieldError> {
    let number: u32 = field.integer()?;
    count(field, number.into())?;
    Ok(number)
}

fn blob(field: &Field<'_>) -> Result<Rc<[u8]>, FieldError> {
    let bytes = field.bytes()?;
    if bytes.len() > BYTES_MAX {
        return Err(field.wrong(format!("{} bytes, {BYTES_MAX} at most", bytes.len())));
    }
    Ok(bytes.into())
}

impl Seen {
    fn read(field: &Field<'_>) -> Result<Self, FieldError> {
        if let Some(accepted) = field.find("accepted")? {
            let content = accepted.get("content")?.array()?;
            let record = accepted.find("record")?.map(|record| record.array()).transpose()?;
            return Ok(Self::Accepted { content, record });
        }
        if let Some(block) = field.find("final")? {
            return Ok(Self::Final(Rc::new(Block::read(&block)?)));
        }
        if let Some(window) = field.find("frozen")? {
            return Ok(Self::Frozen(Rc::new(Window::read(&window)?)));
        }
        if let Some(anchor) = field.find("anchor")? {
            let (window, root) = (window(&anchor.get("window")?)?, anchor.get("root")?.bytes()?);
            return Ok(Self::Anchor { window, root });
        }
        Err(field.wrong("none of `accepted`, `final`, `frozen` and `anchor`"))
    }
}

impl Block {
    fn read(field: &Field<'_>) -> Result<Self, FieldError> {
        let name = field.get("block")?;
        let bytes = name.bytes()?;
        if bytes.len() > BLOCK_MAX {
            return Err(name.wrong(format!("{} bytes, {BLOCK_MAX} at most", bytes.len())));
        }
        let record = |one: &Field<'_>| -> Result<([u8; 32], u32), FieldError> {
            Ok((one.get("content")?.array()?, one.get("booked_by")?.integer()?))
        };
        Ok(Self {
            height: height(&field.get("height")?)?,
            name: bytes,
            producer: field.get("producer")?.integer()?,
            auditors: short(&field.get("auditors")?, Field::integer)?,
            timestamp: number(&field.get("timestamp")?)?,
            records: short(&field.get("records")?, record)?,
        })
    }
}

impl Window {
    fn read(field: &Field<'_>) -> Result<Self, FieldError> {
        let account = |one: &Field<'_>| -> Result<Account, FieldError> {
            Ok(Account {
                institution: one.get("institution")?.integer()?,
                points: number(&one.get("points")?)?,
                signed: one.get("signed")?.integer()?,
                missed: one.get("missed")?.integer()?,
                audited: one.get("audited")?.integer()?,
            })
        };
        Ok(Self {
            window: window(&field.get("window")?)?,
            last: height(&field.get("last")?)?,
            root: field.get("root")?.bytes()?,
            credit: short(&field.get("credit")?, account)?,
            producers: short(&field.get("producers")?, Field::integer)?,
            auditors: short(&field.get("auditors")?, Field::integer)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(ok: Value) -> Result<Did, String> {
        let ok = ok.as_object().cloned().unwrap_or_default();
        Did::read(&ok).map_err(|error| error.to_string())
    }

    #[test]
    fn each_field_may_be_left_out_and_is_read_where_it_stands() {
        assert_eq!(read(json!({})), Ok(Did::default()));
        let did = read(json!({
            "replace": true, "append": ["00"], "outbox": [{"to": [1, 2], "message": "ff"}],
            "timers": [{"timer": "t", "after_ms": 5}],
            "seen": [{"anchor": {"window": 3, "root": "aa"}}],
        }));
        let did = did.unwrap();
        assert!(did.replace && did.append.len() == 1);
        assert_eq!(did.outbox[0].0, [1, 2]);
        assert_eq!(did.timers, [("t".to_owned(), 5)]);
        assert_eq!(did.seen, [Seen::Anchor { window: 3, root: vec![0xaa] }]);
    }

    #[test]
    fn what_departs_from_the_page_is_named() {
        for (ok, words) in [
            (json!({"append": "00"}), "ok.append: a list is expected"),
            (json!({"outbox": [{"to": 1, "message": "00"}]}), "ok.outbox[0].to: a list"),
            (json!({"outbox": [{"to": [1]}]}), "ok.outbox[0]: the field `message` is missing"),
            (json!({"timers": [{"timer": "x".repeat(65), "after_ms": 1}]}), "64 characters"),
            (json!({"timers": [{"timer": "x", "after_ms": -1}]}), "ok.timers[0].after_ms: -1"),
            (json!({"seen": [{"odd": 1}]}), "ok.seen[0]: none of"),
            (json!({"seen": [{"accepted": {"content": "00"}}]}), "32 bytes are expected"),
            (json!({"append": vec!["00"; 4_097]}), "4097 elements, 4096 at most"),
            (json!({"outbox": [{"to": vec![1; 4_097], "message": ""}]}), "ok.outbox[0].to: 4097"),
            (json!({"seen": [{"anchor": {"window": u32::MAX, "root": ""}}]}), "1000000 at most"),
            (
                json!({"seen": [{"final": {"height": u64::MAX.to_string(), "block": "00"}}]}),
                "final.height: 18446744073709551615, 1000000 at most",
            ),
            (json!({"append": ["00".repeat((1 << 20) + 1)]}), "1048577 bytes, 1048576 at most"),
        ] {
            let error = read(ok).unwrap_err();
            assert!(error.contains(words), "{error}");
        }
    }
}
