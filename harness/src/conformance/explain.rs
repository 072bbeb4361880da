//! `explain`: what a case asks, what it expects, and which sentences it tests.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::case::{Case, Check, Expect, Expectation};
use super::protocol::Request;
use super::sentences;

/// A case in words. With `full`, inputs as they are; else long ones are shortened.
#[must_use]
pub fn explain(case: &Case, full: bool) -> String {
    let mut text = String::new();
    let mut line = |line: &str| writeln!(text, "{line}").expect("writing to a string succeeds");
    line(&format!("{}: {}", case.id, case.title));
    line(&format!("profile {}; operations: {}", case.profile().name(), case.ops.join(", ")));
    for id in &case.requirements {
        match sentences::sentence(id) {
            Some(sentence) => {
                line(&format!("{id} (spec/{}.md): {}", sentence.chapter, sentence.text))
            }
            None => line(&format!("{id}: (no sentence of the spec)")),
        }
    }
    match &case.check {
        Check::Property(_) => {
            line("");
            line(
                "A property: several calls with inputs drawn from the seed, whose results have to fit each",
            );
            line("other. `check --only` with this id shows every line that goes over the pipes.");
        }
        Check::Vector(asked) => {
            for flag in &asked.flags {
                line(&format!("finds: {flag}"));
            }
            line("");
            let request = Request::Call { op: asked.op.clone(), args: asked.args.clone() };
            let said = [(request.line(1), String::new())];
            let detail = if full {
                super::transcript::Detail::Full
            } else {
                super::transcript::Detail::Redacted
            };
            let shown = super::transcript::text(&said, &[], detail);
            line(shown.trim_end_matches("< \n").trim_end());
            match &asked.expect {
                Expect::Plain(expectation) => line(&format!("expected: {}", expected(expectation))),
                Expect::ByReading { point, readings } => {
                    for (reading, expectation) in readings {
                        line(&format!(
                            "expected under {point}={reading}: {}",
                            expected(expectation)
                        ));
                    }
                }
            }
        }
    }
    text
}

fn expected(expectation: &Expectation) -> String {
    match expectation {
        Expectation::Valid(Value::Object(fields)) if fields.is_empty() => "ok".to_owned(),
        Expectation::Valid(ok) => format!("ok with {}", json!(ok)),
        Expectation::Invalid(classes) => {
            let classes: Vec<&str> = classes.iter().map(|class| class.name()).collect();
            format!("a rejection, as {}", classes.join(" or "))
        }
    }
}
