//! Lines of the adapter protocol: requests as they are written, replies as they are read.
//!
//! Spec: `harness/PROTOCOL.md`. A reply is judged field by field; what departs from the page is named with
//! the field and what belongs there.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use serde_json::{Map, Value, json};
use thiserror::Error;

use super::class::Class;
use super::value;

/// The version of the protocol that this harness speaks.
pub const VERSION: u64 = 1;
/// The set of cases.
pub const SUITE: &str = "2026.11";
/// Bytes of a reply, at most.
pub const REPLY_BYTES_MAX: usize = 8 << 20;
/// Bytes of a request, at most.
pub const REQUEST_BYTES_MAX: usize = 1 << 20;
/// Bytes of a request that a node gets its disk back with, at most.
pub const STEP_BYTES_MAX: usize = 9 << 20;

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Who are you?
    Hello,
    /// Forget.
    Reset {
        /// What random draws follow from.
        seed: [u8; 32],
        /// A network to be part of.
        network: Option<Value>,
    },
    /// Something happens to a node.
    Step(Box<Step>),
    /// A node loses everything but what it appended.
    Crash {
        /// Which.
        node: u16,
    },
    /// An operation.
    Call {
        /// Its name.
        op: String,
        /// What it works on.
        args: Value,
    },
    /// End.
    Bye,
}

impl Request {
    /// The line, without LF.
    #[must_use]
    pub fn line(&self, id: u64) -> String {
        // Adapters in languages without JSON rely on this order.
        match self {
            Self::Hello => {
                format!(r#"{{"id":{id},"verb":"hello","protocol":[{VERSION}],"suite":"{SUITE}"}}"#)
            }
            Self::Reset { seed, network } => {
                let seed = value::bytes(seed);
                let network = network.as_ref().map(|network| format!(r#","network":{network}"#));
                let network = network.unwrap_or_default();
                format!(r#"{{"id":{id},"verb":"reset","seed":{seed}{network}}}"#)
            }
            Self::Step(step) => format!(r#"{{"id":{id},"verb":"step"{}}}"#, step.fields()),
            Self::Crash { node } => format!(r#"{{"id":{id},"verb":"crash","node":{node}}}"#),
            Self::Call { op, args } => {
                format!(r#"{{"id":{id},"verb":"call","op":{},"args":{args}}}"#, json!(op))
            }
            Self::Bye => format!(r#"{{"id":{id},"verb":"bye"}}"#),
        }
    }

    /// The verb, with the operation of a call.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Hello => "hello".to_owned(),
            Self::Reset { .. } => "reset".to_owned(),
            Self::Step(step) => format!("step of node {}", step.node),
            Self::Crash { node } => format!("crash of node {node}"),
            Self::Call { op, .. } => format!("call {op}"),
            Self::Bye => "bye".to_owned(),
        }
    }
}

/// What happens to a node. What there is nothing of is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// Which node.
    pub node: u16,
    /// Its clock, milliseconds since 1970.
    pub now: i64,
    /// All randomness that it has.
    pub random: [u8; 32],
    /// It wakes up with what is on its disk.
    pub start: Option<Vec<Rc<[u8]>>>,
    /// Messages, with the institutions that sent them.
    pub inbox: Vec<(u32, Rc<[u8]>)>,
    /// Timers that rang.
    pub timers: Vec<String>,
    /// What clients ask.
    pub requests: Vec<Value>,
}

impl Step {
    /// Its fields as they are written, each behind a comma.
    fn fields(&self) -> String {
        let Self { node, now, random, start, inbox, timers, requests } = self;
        let random = value::bytes(random);
        let mut text = format!(r#","node":{node},"now":"{now}","random":{random}"#);
        let mut field = |name: &str, value: Value| {
            text.push_str(&format!(r#","{name}":{value}"#));
        };
        if let Some(durable) = start {
            field("start", json!({"durable": value::list_of_bytes(durable)}));
        }
        if !inbox.is_empty() {
            let one = |(from, message): &(u32, Rc<[u8]>)| json!({"from": from, "message": value::bytes(message)});
            field("inbox", inbox.iter().map(one).collect());
        }
        if !timers.is_empty() {
            field("timers", json!(timers));
        }
        if !requests.is_empty() {
            field("requests", json!(requests));
        }
        text
    }
}

/// What a reply says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// A result.
    Ok(Map<String, Value>),
    /// The input is wrong.
    Reject {
        /// How.
        class: Class,
        /// In words.
        detail: String,
    },
    /// Not offered, and why.
    Unsupported(String),
}

/// A line that is no reply.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ReplyError {
    /// Not JSON, or not an object.
    #[error("{0}")]
    Garbage(String),
    /// JSON of another shape.
    #[error("`{field}`: {found} where {expected} belongs")]
    Shape {
        /// Path of the field, empty for the whole.
        field: String,
        /// What belongs there.
        expected: String,
        /// What stands there.
        found: String,
    },
}

impl ReplyError {
    fn shape(field: &str, expected: &str, found: Option<&Value>) -> Self {
        let found = found.map_or_else(|| "nothing".to_owned(), shown);
        Self::Shape { field: field.to_owned(), expected: expected.to_owned(), found }
    }
}

/// A value as it is shown in a message: its type, and itself where it is short.
#[must_use]
pub fn shown(value: &Value) -> String {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    let text = value.to_string();
    if text.len() <= 48 { format!("{kind} {text}") } else { kind.to_owned() }
}

impl Reply {
    /// Reads the reply to the request of this id.
    ///
    /// # Errors
    /// What departs from the page.
    pub fn parse(line: &[u8], id: u64) -> Result<Self, ReplyError> {
        let mut reply = object(line)?;
        let is_ours = reply.get("id").and_then(Value::as_u64) == Some(id);
        if !is_ours {
            return Err(ReplyError::shape("id", &id.to_string(), reply.get("id")));
        }
        let kinds: Vec<&str> = ["ok", "reject", "unsupported"]
            .into_iter()
            .filter(|kind| reply.contains_key(*kind))
            .collect();
        let [kind] = kinds[..] else {
            return Err(ReplyError::Shape {
                field: String::new(),
                expected: "exactly one of `ok`, `reject` and `unsupported`".to_owned(),
                found: if kinds.is_empty() { "none".to_owned() } else { kinds.join(" and ") },
            });
        };
        let value = reply.remove(kind).unwrap_or_default();
        no_null(kind, &value)?;
        match (kind, value) {
            ("ok", Value::Object(result)) => Ok(Self::Ok(result)),
            ("unsupported", Value::String(why)) => Ok(Self::Unsupported(why)),
            ("reject", Value::Object(reject)) => rejection(&reject),
            ("unsupported", other) => Err(ReplyError::shape(kind, "a string", Some(&other))),
            (_, other) => Err(ReplyError::shape(kind, "an object", Some(&other))),
        }
    }
}

fn object(line: &[u8]) -> Result<Map<String, Value>, ReplyError> {
    if line.starts_with(b"\xef\xbb\xbf") {
        return Err(ReplyError::Garbage("the line begins with a byte order mark".to_owned()));
    }
    match serde_json::from_slice(line) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(other) => {
            Err(ReplyError::Garbage(format!("{} where a JSON object belongs", shown(&other))))
        }
        Err(error) => {
            let text: String = String::from_utf8_lossy(line).chars().take(80).collect();
            Err(ReplyError::Garbage(format!("no JSON ({error}): {text:?}")))
        }
    }
}

/// Null occurs nowhere in the protocol; nor do fractions.
fn no_null(at: &str, value: &Value) -> Result<(), ReplyError> {
    match value {
        Value::Null => Err(ReplyError::shape(at, "a value (null occurs nowhere)", Some(value))),
        Value::Number(number) if !number.is_i64() && !number.is_u64() => {
            Err(ReplyError::shape(at, "an integer", Some(value)))
        }
        Value::Array(values) => (0..)
            .zip(values)
            .try_for_each(|(index, value)| no_null(&format!("{at}[{index}]"), value)),
        Value::Object(fields) => {
            fields.iter().try_for_each(|(name, value)| no_null(&format!("{at}.{name}"), value))
        }
        _ => Ok(()),
    }
}

fn rejection(reject: &Map<String, Value>) -> Result<Reply, ReplyError> {
    let class = reject.get("class");
    let known = class.and_then(Value::as_str).and_then(|name| name.parse().ok());
    let class = known
        .ok_or_else(|| ReplyError::shape("reject.class", "a class of the closed list", class))?;
    let detail = match reject.get("detail") {
        None => String::new(),
        Some(Value::String(detail)) => detail.clone(),
        Some(other) => return Err(ReplyError::shape("reject.detail", "a string", Some(other))),
    };
    Ok(Reply::Reject { class, detail })
}

/// Who an adapter says that it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hello {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its language, if it says.
    pub language: Option<String>,
    /// The operations that it answers.
    pub ops: BTreeSet<String>,
    /// The profiles in which it runs nodes.
    pub networks: BTreeSet<String>,
    /// The readings that it declares, by point of the register.
    pub readings: BTreeMap<String, String>,
}

impl Hello {
    /// Reads the result of `hello`.
    ///
    /// # Errors
    /// The field that departs from the page.
    pub fn read(ok: &Map<String, Value>) -> Result<Self, ReplyError> {
        let text = |field: &str| {
            let value = ok.get(field);
            let text = value.and_then(Value::as_str).map(str::to_owned);
            text.ok_or_else(|| ReplyError::shape(&format!("ok.{field}"), "a string", value))
        };
        if ok.get("protocol").and_then(Value::as_u64) != Some(VERSION) {
            return Err(ReplyError::shape("ok.protocol", &VERSION.to_string(), ok.get("protocol")));
        }
        let ops = names("ops", ok.get("ops"))?;
        let networks = match ok.get("networks") {
            None => BTreeSet::new(),
            listed => names("networks", listed)?,
        };
        let mut readings = BTreeMap::new();
        match ok.get("readings") {
            None => {}
            Some(Value::Object(declared)) => {
                for (point, reading) in declared {
                    let at = format!("ok.readings.{point}");
                    let reading = reading
                        .as_str()
                        .ok_or_else(|| ReplyError::shape(&at, "a string", Some(reading)))?;
                    readings.insert(point.clone(), reading.to_owned());
                }
            }
            other => return Err(ReplyError::shape("ok.readings", "an object", other)),
        }
        let language = ok.get("language").map(|_| text("language")).transpose()?;
        let (name, version) = (text("name")?, text("version")?);
        Ok(Self { name, version, language, ops, networks, readings })
    }

    /// Operations that are not among those that the protocol knows; their names are probably misspelt.
    #[must_use]
    pub fn unknown_ops(&self, known: &BTreeSet<String>) -> Vec<&str> {
        self.ops.iter().filter(|op| !known.contains(*op)).map(String::as_str).collect()
    }

    /// Whether an operation, or a network that stands for one, is offered.
    #[must_use]
    pub fn offers(&self, op: &str) -> bool {
        match op {
            PAPER_NETWORK => self.networks.contains("paper"),
            MIXED_NETWORK => self.networks.contains("mdsm-1"),
            op => self.ops.contains(op),
        }
    }
}

/// What cases of networks in profile `paper` need.
pub const PAPER_NETWORK: &str = "paper.network";
/// What cases of networks in profile `mdsm-1` need.
pub const MIXED_NETWORK: &str = "network";

fn names(field: &str, value: Option<&Value>) -> Result<BTreeSet<String>, ReplyError> {
    let Some(Value::Array(list)) = value else {
        return Err(ReplyError::shape(&format!("ok.{field}"), "a list of strings", value));
    };
    let mut names = BTreeSet::new();
    for (index, name) in list.iter().enumerate() {
        let at = format!("ok.{field}[{index}]");
        let text = name.as_str().ok_or_else(|| ReplyError::shape(&at, "a string", Some(name)))?;
        names.insert(text.to_owned());
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Reply, String> {
        Reply::parse(line.as_bytes(), 7).map_err(|error| error.to_string())
    }

    #[test]
    fn requests_are_written_as_the_page_says() {
        let args = json!({"b": [1, "x y"], "a": true});
        let call = Request::Call { op: "merkle.root".to_owned(), args };
        let line = r#"{"id":7,"verb":"call","op":"merkle.root","args":{"a":true,"b":[1,"x y"]}}"#;
        assert_eq!(call.line(7), line);
        let hello = r#"{"id":1,"verb":"hello","protocol":[1],"suite":"2026.11"}"#;
        assert_eq!(Request::Hello.line(1), hello);
        assert!(Request::Reset { seed: [0xab; 32], network: None }.line(2).ends_with(
            r#","seed":"abababababababababababababababababababababababababababababababab"}"#
        ));
        assert_eq!(Request::Bye.line(3), r#"{"id":3,"verb":"bye"}"#);
    }

    #[test]
    fn the_three_kinds_of_reply_are_read() {
        assert_eq!(parse(r#"{"id":7,"ok":{}}"#), Ok(Reply::Ok(Map::new())));
        let detail = String::new();
        assert_eq!(
            parse(r#"{"reject":{"class":"bound"},"id":7,"other":1}"#),
            Ok(Reply::Reject { class: Class::Bound, detail })
        );
        assert_eq!(
            parse("{\"id\":7,\"unsupported\":\"no\"}\r"),
            Ok(Reply::Unsupported("no".to_owned()))
        );
    }

    #[test]
    fn what_departs_from_the_page_is_named() {
        for (line, words) in [
            ("hello", "no JSON"),
            ("", "no JSON"),
            ("[1]", "a list [1] where a JSON object belongs"),
            ("\u{feff}{\"id\":7,\"ok\":{}}", "byte order mark"),
            (r#"{"id":8,"ok":{}}"#, "`id`: a number 8 where 7 belongs"),
            (r#"{"ok":{}}"#, "`id`: nothing where 7 belongs"),
            (r#"{"id":"7","ok":{}}"#, "`id`: a string"),
            (r#"{"id":7}"#, "none where exactly one of"),
            (r#"{"id":7,"ok":{},"reject":{"class":"tag"}}"#, "ok and reject where exactly one of"),
            (r#"{"id":7,"ok":[]}"#, "`ok`: a list [] where an object belongs"),
            (r#"{"id":7,"unsupported":1}"#, "`unsupported`: a number 1 where a string belongs"),
            (r#"{"id":7,"reject":{"class":"odd"}}"#, "`reject.class`: a string \"odd\""),
            (r#"{"id":7,"reject":{}}"#, "`reject.class`: nothing"),
            (r#"{"id":7,"ok":{"a":[{"b":null}]}}"#, "`ok.a[0].b`: null"),
            (r#"{"id":7,"ok":{"a":1.5}}"#, "`ok.a`: a number 1.5 where an integer belongs"),
        ] {
            let error = parse(line).unwrap_err();
            assert!(error.contains(words), "{line}: {error}");
        }
    }

    #[test]
    fn a_hello_names_the_field_that_is_wrong() {
        let hello = |text: &str| {
            let Ok(Value::Object(ok)) = serde_json::from_str(text) else { panic!("{text}") };
            Hello::read(&ok).map_err(|error| error.to_string())
        };
        let sound = r#"{"protocol":1,"name":"n","version":"1","ops":["decode"],"readings":{"AMB-STO-4":"R2"}}"#;
        let read = hello(sound).unwrap();
        assert_eq!(read.readings["AMB-STO-4"], "R2");
        assert!(read.ops.contains("decode") && read.language.is_none());
        for (from, to, words) in [
            ("\"protocol\":1", "\"protocol\":2", "`ok.protocol`: a number 2 where 1 belongs"),
            ("[\"decode\"]", "[1]", "`ok.ops[0]`: a number 1 where a string belongs"),
            ("[\"decode\"]", "\"decode\"", "`ok.ops`: a string"),
            ("\"R2\"", "2", "`ok.readings.AMB-STO-4`: a number 2"),
            ("\"name\":\"n\",", "", "`ok.name`: nothing where a string belongs"),
        ] {
            let error = hello(&sound.replace(from, to)).unwrap_err();
            assert!(error.contains(words), "{from}: {error}");
        }
    }
}
