//! What an implementation is asked, and what is expected of it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::class::Class;
use super::protocol::{Hello, Reply};
use super::sentences::{Profile, REFERENCE};
use super::subject::{Interrupt, Subject};
use super::value;

/// One case.
pub struct Case {
    /// Stable name.
    pub id: String,
    /// The claim.
    pub title: String,
    /// Ids of sentences.
    pub requirements: Vec<String>,
    /// The operations that it needs.
    pub ops: Vec<String>,
    /// What is done.
    pub check: Check,
}

/// How a case is judged.
pub enum Check {
    /// One call.
    Vector(Box<Asked>),
    /// Several calls, whose results have to fit each other.
    Property(fn(&mut Subject<'_>) -> Result<String, Interrupt>),
}

/// One call and what is expected.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// The operation.
    pub op: String,
    /// Its arguments.
    pub args: Value,
    /// What is expected.
    pub expect: Expect,
    /// Kinds of bug that it finds, with what they lead to.
    pub flags: Vec<String>,
}

/// What is expected of one call.
#[derive(Clone, Debug, PartialEq)]
pub enum Expect {
    /// The same of everybody.
    Plain(Expectation),
    /// By the reading that is declared of a point.
    ByReading {
        /// The point of the register.
        point: String,
        /// By reading.
        readings: BTreeMap<String, Expectation>,
    },
}

/// A result or a rejection.
#[derive(Clone, Debug, PartialEq)]
pub enum Expectation {
    /// A result that holds this; fields that are not named are not judged.
    Valid(Value),
    /// A rejection, with one of these classes.
    Invalid(Vec<Class>),
}

/// What was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judged {
    /// As expected; a rejection says whether its class fits.
    Held {
        /// For a rejection.
        class_fits: Option<bool>,
    },
    /// Not so.
    Broken(String),
    /// It behaves as another reading says, and declares none.
    Undeclared(String),
}

impl Case {
    /// The lowest profile that asks for it.
    #[must_use]
    pub fn profile(&self) -> Profile {
        let is_neutral = !self.ops.is_empty() && self.ops.iter().all(|op| op.starts_with("paper."));
        if is_neutral { Profile::Paper } else { Profile::Mdsm1 }
    }
}

impl Asked {
    /// Holds a reply against what is expected.
    #[must_use]
    pub fn judge(&self, reply: &Reply, hello: &Hello) -> Judged {
        let (point, readings) = match &self.expect {
            Expect::Plain(expectation) => {
                return judged(expectation.unmet(reply), reply, expectation);
            }
            Expect::ByReading { point, readings } => (point, readings),
        };
        // Profile mdsm-1 knows one reading; only neutral operations follow what is declared.
        let declared = hello.readings.get(point).filter(|_| self.op.starts_with("paper."));
        let reading = declared.map_or(REFERENCE, String::as_str);
        let Some(expectation) = readings.get(reading) else {
            return Judged::Broken(format!("{point}={reading} is declared, which no vector knows"));
        };
        let Some(unmet) = expectation.unmet(reply) else { return judged(None, reply, expectation) };
        let other = readings.iter().find(|(_, expectation)| expectation.unmet(reply).is_none());
        match (other, declared) {
            (Some((other, _)), None) if self.op.starts_with("paper.") => {
                Judged::Undeclared(format!("behaves as {point}={other}, which is not declared"))
            }
            (Some((other, _)), _) => {
                Judged::Broken(format!("{unmet}; held to {point}={reading}, behaves as {other}"))
            }
            (None, _) => Judged::Broken(format!("{unmet}; held to {point}={reading}")),
        }
    }
}

fn judged(unmet: Option<String>, reply: &Reply, expectation: &Expectation) -> Judged {
    match (unmet, reply, expectation) {
        (Some(unmet), _, _) => Judged::Broken(unmet),
        (None, Reply::Reject { class, .. }, Expectation::Invalid(classes)) => {
            Judged::Held { class_fits: Some(classes.contains(class)) }
        }
        (None, _, _) => Judged::Held { class_fits: None },
    }
}

impl Expectation {
    /// What about a reply is not as expected.
    fn unmet(&self, reply: &Reply) -> Option<String> {
        match (self, reply) {
            (Self::Valid(expected), Reply::Ok(found)) => {
                departs("ok", expected, &Value::Object(found.clone()))
            }
            (Self::Invalid(_), Reply::Reject { .. }) => None,
            (Self::Valid(_), Reply::Reject { class, detail }) => {
                Some(format!("valid, but rejected as {class}: {detail}"))
            }
            (Self::Invalid(classes), Reply::Ok(found)) => {
                let classes: Vec<&str> = classes.iter().map(|class| class.name()).collect();
                let found = short(&Value::Object(found.clone()));
                Some(format!("invalid ({}), but accepted: {found}", classes.join(" or ")))
            }
            (_, Reply::Unsupported(why)) => Some(format!("unsupported: {why}")),
        }
    }
}

/// The first place where a result departs from what it has to hold.
fn departs(at: &str, expected: &Value, found: &Value) -> Option<String> {
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => {
            expected.iter().find_map(|(name, expected)| match found.get(name) {
                Some(found) => departs(&format!("{at}.{name}"), expected, found),
                None => Some(format!("{at}.{name} is missing")),
            })
        }
        (Value::Array(expected), Value::Array(found)) => {
            if expected.len() != found.len() {
                let (expected, found) = (expected.len(), found.len());
                return Some(format!("{at}: {found} elements where {expected} are expected"));
            }
            let mut pairs = (0..).zip(expected.iter().zip(found));
            pairs.find_map(|(index, (expected, found))| {
                departs(&format!("{at}[{index}]"), expected, found)
            })
        }
        (Value::String(one), Value::String(other)) if are_equal(one, other) => None,
        _ if expected == found => None,
        _ => Some(format!("{at}: {} where {} is expected", short(found), short(expected))),
    }
}

/// Bytes may stand there as hex or as base64.
fn are_equal(one: &str, other: &str) -> bool {
    one == other
        || value::read_bytes(one).is_some_and(|bytes| value::read_bytes(other) == Some(bytes))
}

fn short(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(160) {
        Some((at, _)) => format!("{}... ({} characters)", &text[..at], text.chars().count()),
        None => text,
    }
}
