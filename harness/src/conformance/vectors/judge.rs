//! Holding an answer to an expectation.

use serde_json::Value;

use super::super::reference::Answer;
use super::super::value::read_bytes;
use super::shape::Expect;

/// Says where the answer departs from what is expected; `reading` names the reading that is declared
/// for a point of the register.
pub fn judge(
    expect: &Expect,
    reading: &dyn Fn(&str) -> String,
    answer: &Answer,
) -> Result<(), String> {
    match (expect, answer) {
        (Expect::Ambiguous { point, readings }, _) => {
            let declared = reading(point);
            let expect = readings.get(&declared);
            let none = || format!("{point}={declared} is no reading of this vector");
            judge(expect.ok_or_else(none)?, reading, answer)
        }
        (_, Answer::Unsupported(why)) => Err(format!("unsupported: {why}")),
        (_, Answer::Malformed(why)) => Err(format!("the call is malformed: {why}")),
        (Expect::Valid(ok), Answer::Ok(found)) => holds(ok, found, "ok"),
        (Expect::Valid(_), Answer::Reject { class, detail }) => {
            Err(format!("refused as {class}, though it is valid: {detail}"))
        }
        (Expect::Invalid(_), Answer::Ok(_)) => Err("accepted, though it is invalid".to_owned()),
        (Expect::Invalid(classes), Answer::Reject { class, detail }) => {
            if classes.contains(class) {
                return Ok(());
            }
            let fit: Vec<&str> = classes.iter().map(|class| class.name()).collect();
            Err(format!("refused as {class}, where {} fit: {detail}", fit.join(", ")))
        }
    }
}

/// Whether a result holds all that is expected of it.
fn holds(expected: &Value, found: &Value, at: &str) -> Result<(), String> {
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => {
            expected.iter().try_for_each(|(name, expected)| {
                let at = format!("{at}.{name}");
                let found = found.get(name).ok_or_else(|| format!("{at} is missing"))?;
                holds(expected, found, &at)
            })
        }
        (Value::Array(expected), Value::Array(found)) => {
            if expected.len() != found.len() {
                let (long, wanted) = (found.len(), expected.len());
                return Err(format!("{at} has {long} elements, {wanted} are expected"));
            }
            let mut pairs = expected.iter().zip(found).enumerate();
            let each = |(index, (one, other))| holds(one, other, &format!("{at}[{index}]"));
            pairs.try_for_each(each)
        }
        (Value::String(one), Value::String(other)) if same_bytes(one, other) => Ok(()),
        _ if expected == found => Ok(()),
        _ => Err(format!("{at} is {}, expected is {}", shown(found), shown(expected))),
    }
}

/// Bytes may be written as hex or as base64.
fn same_bytes(one: &str, other: &str) -> bool {
    let is_base64 = |text: &str| text.starts_with("b64:");
    (is_base64(one) || is_base64(other))
        && read_bytes(one).is_some_and(|bytes| read_bytes(other) == Some(bytes))
}

fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(200) {
        Some((end, _)) => format!("{}..", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::class::Class;
    use super::*;

    fn found(expected: Value, answer: Value) -> Result<(), String> {
        judge(&Expect::Valid(expected), &|_| "R1".to_owned(), &Answer::Ok(answer))
    }

    #[test]
    fn what_is_not_expected_is_not_judged_and_all_else_is() {
        assert_eq!(found(json!({"a": "00"}), json!({"a": "00", "b": 1})), Ok(()));
        assert_eq!(found(json!({"a": "00"}), json!({"a": "b64:AA=="})), Ok(()));
        for wrong in [json!({}), json!({"a": "01"}), json!({"a": "b64:AQ=="}), json!({"a": 0})] {
            assert!(found(json!({"a": "00"}), wrong.clone()).is_err(), "{wrong}");
        }
        assert!(found(json!({"a": [1, 2]}), json!({"a": [1]})).is_err());
        assert!(found(json!({"a": [1, 2]}), json!({"a": [2, 1]})).is_err());
    }

    #[test]
    fn a_rejection_is_held_to_its_classes_and_to_the_reading_declared() {
        let refuse = |class| Answer::Reject { class, detail: String::new() };
        let readings = [
            ("R1".to_owned(), Expect::Invalid(vec![Class::Bound])),
            ("R2".to_owned(), Expect::Valid(json!({}))),
        ];
        let expect = Expect::Ambiguous { point: "AMB-STO-4".to_owned(), readings: readings.into() };
        let by = |reading: &str, answer| judge(&expect, &|_| reading.to_owned(), answer);
        assert_eq!(by("R1", &refuse(Class::Bound)), Ok(()));
        assert!(by("R1", &refuse(Class::Rule)).is_err());
        assert!(by("R2", &refuse(Class::Bound)).is_err());
        assert_eq!(by("R2", &Answer::Ok(json!({}))), Ok(()));
        assert!(by("R3", &Answer::Ok(json!({}))).is_err());
        assert!(by("R1", &Answer::Unsupported(String::new())).is_err());
    }
}
