//! Holding a reply against what a vector expects.

use serde_json::Value;

use super::class::Class;
use super::protocol::{Hello, Reply};
use super::sentences::REFERENCE;
use super::value;
use super::vectors::{Expect, Vector};

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

/// Holds a reply against what is expected. Of an ambiguous vector profile `mdsm-1` knows one reading; only
/// neutral operations follow what is declared.
#[must_use]
pub fn judge(vector: &Vector, reply: &Reply, hello: &Hello) -> Judged {
    let Expect::Ambiguous { point, readings } = &vector.expect else {
        return plain(&vector.expect, reply);
    };
    let is_neutral = vector.op.starts_with("paper.");
    let declared = hello.readings.get(point).filter(|_| is_neutral);
    let reading = declared.map_or(REFERENCE, String::as_str);
    let Some(expect) = readings.get(reading) else {
        return Judged::Broken(format!("{point}={reading} is declared, which no vector knows"));
    };
    let Some(unmet) = unmet(expect, reply) else { return plain(expect, reply) };
    let other = readings.iter().find(|(_, expect)| self::unmet(expect, reply).is_none());
    match (other, declared) {
        (Some((other, _)), None) if is_neutral => {
            Judged::Undeclared(format!("behaves as {point}={other}, which is not declared"))
        }
        (Some((other, _)), _) => {
            Judged::Broken(format!("{unmet}; held to {point}={reading}, behaves as {other}"))
        }
        (None, _) => Judged::Broken(format!("{unmet}; held to {point}={reading}")),
    }
}

fn plain(expect: &Expect, reply: &Reply) -> Judged {
    match (unmet(expect, reply), reply, expect) {
        (Some(unmet), _, _) => Judged::Broken(unmet),
        (None, Reply::Reject { class, .. }, Expect::Invalid(classes)) => {
            Judged::Held { class_fits: Some(classes.contains(class)) }
        }
        (None, _, _) => Judged::Held { class_fits: None },
    }
}

/// What about a reply is not as expected.
fn unmet(expect: &Expect, reply: &Reply) -> Option<String> {
    match (expect, reply) {
        (_, Reply::Unsupported(why)) => Some(format!("unsupported: {why}")),
        (Expect::Valid(expected), Reply::Ok(found)) => {
            departs("ok", expected, &Value::Object(found.clone()))
        }
        (Expect::Invalid(_), Reply::Reject { .. }) => None,
        (Expect::Valid(_), Reply::Reject { class, detail }) => {
            Some(format!("valid, but rejected as {class}: {detail}"))
        }
        (Expect::Invalid(classes), Reply::Ok(found)) => {
            let found = short(&Value::Object(found.clone()));
            Some(format!("invalid ({}), but accepted: {found}", any_of(classes)))
        }
        (Expect::Ambiguous { point, .. }, _) => {
            Some(format!("{point}: a reading within a reading"))
        }
    }
}

/// Classes in words.
#[must_use]
pub fn any_of(classes: &[Class]) -> String {
    classes.iter().map(|class| class.name()).collect::<Vec<_>>().join(" or ")
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    fn hello(readings: &[(&str, &str)]) -> Hello {
        let own = |(one, other): &(&str, &str)| ((*one).to_owned(), (*other).to_owned());
        let readings = readings.iter().map(own).collect();
        let (name, version) = (String::new(), String::new());
        Hello { name, version, readings, ..Hello::default() }
    }

    fn vector(op: &str, expect: Expect) -> Vector {
        let (requirements, flags) = (Vec::new(), Vec::new());
        Vector {
            id: "v".to_owned(),
            op: op.to_owned(),
            args: json!({}),
            expect,
            requirements,
            flags,
        }
    }

    fn valid(expected: Value, found: Value) -> Judged {
        let Value::Object(found) = found else { panic!("an object") };
        judge(&vector("decode", Expect::Valid(expected)), &Reply::Ok(found), &hello(&[]))
    }

    fn rejected(class: Class) -> Reply {
        Reply::Reject { class, detail: String::new() }
    }

    const HELD: Judged = Judged::Held { class_fits: None };

    #[test]
    fn what_is_not_expected_is_not_judged_and_all_else_is() {
        assert_eq!(valid(json!({"a": "00"}), json!({"a": "00", "b": 1})), HELD);
        assert_eq!(valid(json!({"a": "00"}), json!({"a": "b64:AA=="})), HELD);
        for wrong in [json!({}), json!({"a": "01"}), json!({"a": "b64:AQ=="}), json!({"a": 0})] {
            assert!(
                matches!(valid(json!({"a": "00"}), wrong.clone()), Judged::Broken(_)),
                "{wrong}"
            );
        }
        for wrong in [json!([1]), json!([2, 1]), json!([1, 2, 3])] {
            let judged = valid(json!({"a": [1, 2]}), json!({"a": wrong.clone()}));
            assert!(matches!(judged, Judged::Broken(_)), "{wrong}");
        }
    }

    #[test]
    fn a_rejection_with_another_class_is_one_and_says_so() {
        let vector = vector("decode", Expect::Invalid(vec![Class::Bound]));
        let judge = |reply: &Reply| judge(&vector, reply, &hello(&[]));
        assert_eq!(judge(&rejected(Class::Bound)), Judged::Held { class_fits: Some(true) });
        assert_eq!(judge(&rejected(Class::Rule)), Judged::Held { class_fits: Some(false) });
        assert!(matches!(judge(&Reply::Ok(serde_json::Map::new())), Judged::Broken(_)));
        assert!(matches!(judge(&Reply::Unsupported(String::new())), Judged::Broken(_)));
    }

    #[test]
    fn an_implementation_is_held_to_the_reading_that_it_declares() {
        let readings: BTreeMap<String, Expect> = [
            ("R1".to_owned(), Expect::Invalid(vec![Class::Bound])),
            ("R2".to_owned(), Expect::Valid(json!({}))),
        ]
        .into();
        let expect = Expect::Ambiguous { point: "AMB-STO-4".to_owned(), readings };
        let (reject, accept) = (rejected(Class::Bound), Reply::Ok(serde_json::Map::new()));
        let neutral = |reply: &Reply, readings: &[(&str, &str)]| {
            judge(&vector("paper.admit", expect.clone()), reply, &hello(readings))
        };
        assert_eq!(neutral(&reject, &[]), Judged::Held { class_fits: Some(true) });
        assert_eq!(neutral(&accept, &[("AMB-STO-4", "R2")]), HELD);
        assert!(matches!(neutral(&accept, &[("AMB-STO-4", "R1")]), Judged::Broken(_)));
        assert!(matches!(neutral(&reject, &[("AMB-STO-4", "R2")]), Judged::Broken(_)));
        assert!(matches!(neutral(&reject, &[("AMB-STO-4", "R9")]), Judged::Broken(_)));
        // It may be declared yet.
        assert!(matches!(neutral(&accept, &[]), Judged::Undeclared(_)));
        // Formats know the reference's reading alone.
        let fixed =
            judge(&vector("decode", expect.clone()), &accept, &hello(&[("AMB-STO-4", "R2")]));
        assert!(matches!(fixed, Judged::Broken(_)));
    }
}
