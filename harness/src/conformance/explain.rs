//! `explain`: what a case asks, what it expects, and which sentences it tests.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::LazyLock;

use serde_json::Value;

use super::case::{Case, Check};
use super::judge;
use super::protocol::Request;
use super::sentences;
use super::vectors::{self, Expect, Flag};

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
        Check::Sequence(_) => {
            line("");
            line(
                "Steps of one auditor, the harness in the place of everybody else: PROTOCOL.md, Networks.",
            );
            line("`check --only` with this id shows every line that goes over the pipes.");
        }
        Check::Network(asked) => {
            line("");
            line(&format!(
                "A network of four producers, four auditors and two institutions without a seat, for 65 s of its time: {}.",
                asked.about()
            ));
            line(
                "Nodes are driven by `step`, as PROTOCOL.md says under Networks; each seed runs twice.",
            );
        }
        Check::Vector(asked) => {
            for flag in asked.flags.iter().filter_map(|name| FLAGS.get(name)) {
                let see = flag.see.as_ref().map(|see| format!(" ({see})")).unwrap_or_default();
                line(&format!("finds: {}; it leads to: {}{see}", flag.bug, flag.effect));
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
                Expect::Ambiguous { point, readings } => {
                    for (reading, expect) in readings {
                        line(&format!("expected under {point}={reading}: {}", expected(expect)));
                    }
                }
                expect => line(&format!("expected: {}", expected(expect))),
            }
        }
    }
    text
}

/// What the files of vectors say of their flags.
static FLAGS: LazyLock<BTreeMap<String, Flag>> =
    LazyLock::new(|| vectors::files().into_iter().flat_map(|file| file.flags).collect());

fn expected(expect: &Expect) -> String {
    match expect {
        Expect::Valid(Value::Object(fields)) if fields.is_empty() => "ok".to_owned(),
        Expect::Valid(ok) => format!("ok with {ok}"),
        Expect::Invalid(classes) => format!("a rejection, as {}", judge::any_of(classes)),
        Expect::Ambiguous { point, .. } => format!("by the reading of {point}"),
    }
}
