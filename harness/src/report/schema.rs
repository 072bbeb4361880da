//! Holds a `report.json` against `reports/schema.json`.
//!
//! Knows the keywords that our schema uses and stops at any other, so that the schema cannot
//! promise something which nobody checks.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::Value;
use thiserror::Error;

/// The first place where a report departs from the schema.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{at}: {problem}")]
pub struct SchemaError {
    /// JSON pointer into the report; empty for the whole.
    pub at: String,
    /// What is wrong there.
    pub problem: String,
}

/// Checks a parsed `report.json` against the schema of this version.
///
/// # Errors
/// The first departure found.
pub fn validate(report: &Value) -> Result<(), SchemaError> {
    let schema: Value = serde_json::from_str(SCHEMA).expect("the schema in the source is JSON");
    Validator { schema: &schema, seen: BTreeSet::new() }.check(&schema, "", report)
}

/// Checks any value against a schema that uses no other keywords than ours.
///
/// # Errors
/// The first departure found.
pub fn validate_by(schema: &Value, value: &Value) -> Result<(), SchemaError> {
    Validator { schema, seen: BTreeSet::new() }.check(schema, "", value)
}

const SCHEMA: &str = include_str!("../../../reports/schema.json");

struct Validator<'a> {
    schema: &'a Value,
    /// Properties of the schema that a report had: `name of the definition.property`.
    seen: BTreeSet<String>,
}

impl<'a> Validator<'a> {
    fn check(&mut self, rules: &'a Value, at: &str, value: &Value) -> Result<(), SchemaError> {
        self.check_named(rules, "report", at, value)
    }

    fn check_named(
        &mut self,
        rules: &'a Value,
        name: &str,
        at: &str,
        value: &Value,
    ) -> Result<(), SchemaError> {
        let wrong = |problem: String| Err(SchemaError { at: at.to_owned(), problem });
        let Some(rules) = rules.as_object() else {
            return match rules.as_bool() {
                Some(true) => Ok(()),
                _ => wrong("is not allowed here".to_owned()),
            };
        };
        for (keyword, rule) in rules {
            match keyword.as_str() {
                "$schema" | "$defs" | "title" | "description" | "then" | "else" => {}
                "$ref" => {
                    let name = text(rule).strip_prefix("#/$defs/").expect("a local reference");
                    self.check_named(&self.schema["$defs"][name], name, at, value)?;
                }
                "type" => {
                    let types = rule.as_array().map_or(std::slice::from_ref(rule), Vec::as_slice);
                    if !types.iter().any(|kind| is(text(kind), value)) {
                        return wrong(format!("is not of type {rule}"));
                    }
                }
                "const" if value != rule => return wrong(format!("is not {rule}")),
                "enum" if !list(rule).contains(value) => {
                    return wrong(format!("is none of {rule}"));
                }
                "minimum" if value.as_f64() < rule.as_f64() => {
                    return wrong(format!("is below {rule}"));
                }
                "maximum" if value.as_f64() > rule.as_f64() => {
                    return wrong(format!("is above {rule}"));
                }
                "const" | "enum" | "minimum" | "maximum" => {}
                "required" => {
                    if let Some(field) =
                        list(rule).iter().find(|name| value.get(text(name)).is_none())
                    {
                        return wrong(format!("lacks {field}"));
                    }
                }
                "properties" => {
                    for (field, rules) in rule.as_object().expect("properties by name") {
                        if let Some(value) = value.get(field) {
                            self.seen.insert(format!("{name}.{field}"));
                            let at = format!("{at}/{field}");
                            self.check_named(rules, field, &at, value)?;
                        }
                    }
                }
                "additionalProperties" => {
                    let known = &rules["properties"];
                    let mut fields = value.as_object().into_iter().flatten();
                    if let Some((field, _)) = fields.find(|(field, _)| known.get(field).is_none()) {
                        return wrong(format!("has the unknown field {field:?}"));
                    }
                }
                "items" => {
                    let mut place = String::new();
                    for (index, value) in value.as_array().into_iter().flatten().enumerate() {
                        place.clear();
                        write!(place, "{at}/{index}").expect("writing to a string succeeds");
                        self.check_named(rule, name, &place, value)?;
                    }
                }
                "if" => {
                    let holds = self.check_named(rule, name, at, value).is_ok();
                    let branch = if holds { "then" } else { "else" };
                    if let Some(rules) = rules.get(branch) {
                        self.check_named(rules, name, at, value)?;
                    }
                }
                unknown => unreachable!("the schema uses {unknown}, which is not checked"),
            }
        }
        Ok(())
    }
}

fn is(kind: &str, value: &Value) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        "null" => value.is_null(),
        unknown => unreachable!("the schema uses the type {unknown}, which is not checked"),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().expect("the schema has a text here")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("the schema has a list here")
}

#[cfg(test)]
mod tests {
    use super::super::{fixture, json};
    use super::*;

    fn sample() -> Value {
        serde_json::from_str(&json(&fixture::report())).unwrap()
    }

    /// Every property that the schema declares, named as the validator names those it has seen.
    fn declared(schema: &Value) -> BTreeSet<String> {
        let definitions = schema["$defs"].as_object().unwrap();
        let all = definitions.iter().map(|(name, rules)| (name.as_str(), rules));
        all.chain([("report", schema)])
            .filter_map(|(name, rules)| Some((name, rules.get("properties")?.as_object()?)))
            .flat_map(|(name, fields)| fields.keys().map(move |field| format!("{name}.{field}")))
            .collect()
    }

    #[test]
    fn the_schema_lists_exactly_the_fields_that_reports_have() {
        let schema: Value = serde_json::from_str(SCHEMA).unwrap();
        let mut validator = Validator { schema: &schema, seen: BTreeSet::new() };
        validator.check(&schema, "", &sample()).unwrap();
        assert_eq!(validator.seen, declared(&schema));
    }

    #[test]
    fn every_field_that_is_always_written_is_required() {
        // Those are left out where they do not apply.
        let optional = [
            "case.reason",
            "case.install",
            "measurement.target",
            "profile.excused",
            "report.conformance",
        ];
        let optional = optional.map(str::to_owned);
        let schema: Value = serde_json::from_str(SCHEMA).unwrap();
        let definitions = schema["$defs"].as_object().unwrap();
        let all = definitions.iter().map(|(name, rules)| (name.as_str(), rules));
        let required: BTreeSet<String> = all
            .chain([("report", &schema)])
            .filter_map(|(name, rules)| Some((name, rules.get("required")?)))
            .flat_map(|(name, fields)| {
                list(fields).iter().map(move |field| format!("{name}.{}", text(field)))
            })
            .chain(optional)
            .collect();
        assert_eq!(required, declared(&schema));
    }

    #[test]
    fn departures_are_found_and_named() {
        type Change = fn(&mut Value);
        let changes: [(&str, Change, &str); 11] = [
            ("", |report| drop(report.as_object_mut().unwrap().remove("seed")), "lacks \"seed\""),
            ("", |report| report["extra"] = 1.into(), "unknown field \"extra\""),
            ("/exit", |report| report["exit"] = 6.into(), "above 5"),
            ("/exit", |report| report["exit"] = 0.5.into(), "not of type"),
            ("/format", |report| report["format"] = 2.into(), "is not 1"),
            ("/verdict", |report| report["verdict"] = "good".into(), "none of"),
            ("/counts/run", |report| report["counts"]["run"] = (-1).into(), "below 0"),
            ("/seed", |report| report["seed"] = 7.into(), "not of type"),
            (
                "/chapters/0/cases/0/reason",
                |report| report["chapters"][0]["cases"][0]["reason"] = "x".into(),
                "not allowed",
            ),
            (
                "/chapters/0/cases/0",
                |report| report["chapters"][0]["cases"][0]["outcome"] = "skipped".into(),
                "lacks \"reason\"",
            ),
            (
                "/chapters/0/cases/0/outcome",
                |report| report["chapters"][0]["cases"][0]["outcome"] = "ok".into(),
                "none of",
            ),
        ];
        for (at, change, problem) in changes {
            let mut report = sample();
            change(&mut report);
            let error = validate(&report).unwrap_err();
            assert_eq!(error.at, at, "{error}");
            assert!(error.problem.contains(problem), "{error}");
        }
    }
}
