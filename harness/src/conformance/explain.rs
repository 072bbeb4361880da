//! `explain`: what a case asks, what it expects, and which sentences it tests.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::LazyLock;

use serde_json::Value;

use super::case::{Case, Check};
use super::judge;
use super::protocol::Request;
use super::sentences;
use super::value;
use super::vectors::{self, Deed, Expect, Flag, Rule, What};
use crate::rules::messages::Message;
use crate::rules::wire::{Mirror, WireKind, decode};

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
        Check::Sequence(sequence) => {
            for flag in flags_of(&case.id, &sequence.flags) {
                line(&format!("finds: {}; it leads to: {}", flag.bug, flag.effect));
            }
            line("");
            line(
                "Steps of one auditor, the harness in the place of everybody else: PROTOCOL.md, Sequences, and",
            );
            line(
                "vectors/sequences.json. `check --only` with this id shows every line that goes over the pipes.",
            );
            for (number, one) in (1..).zip(&sequence.moves) {
                line(&format!("{number:>3}. {}", told(&one.what)));
                for (word, rules) in [("must", &one.must), ("must never", &one.never)] {
                    for rule in rules {
                        line(&format!(
                            "     by now {word}: {}; else: {}",
                            deed(rule),
                            rule.otherwise
                        ));
                    }
                }
            }
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
            asked.due().iter().for_each(|due| line(due));
        }
        Check::Vector(asked) => {
            for flag in flags_of(&case.id, &asked.flags) {
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

/// What the file in which a case stands says of its flags: each file has words of its own for them.
fn flags_of<'a>(id: &'a str, flags: &'a [String]) -> impl Iterator<Item = &'static Flag> {
    let file = FILES.iter().find(|file| file.ids.contains(id));
    flags.iter().filter_map(move |name| file?.flags.get(name))
}

/// Cases and flags of a file of vectors.
struct File {
    ids: BTreeSet<String>,
    flags: BTreeMap<String, Flag>,
}

static FILES: LazyLock<Vec<File>> = LazyLock::new(|| {
    let calls = vectors::files().into_iter().map(|file| File {
        ids: file.vectors.into_iter().map(|one| one.id).collect(),
        flags: file.flags,
    });
    let sequences = vectors::sequences();
    let steps = File {
        ids: sequences.sequences.into_iter().map(|one| one.id).collect(),
        flags: sequences.flags,
    };
    calls.chain([steps]).collect()
});

/// A move in words.
fn told(what: &What) -> String {
    match what {
        What::Start { now, .. } => format!("at {now} the node wakes up with what it has kept"),
        What::Step { now, inbox, .. } => {
            let one = |(from, message): &(u32, Vec<u8>)| {
                format!("{} from {from}, {} bytes", kind(message), message.len())
            };
            let inbox: Vec<String> = inbox.iter().map(one).collect();
            format!("at {now} it hears: {}", inbox.join(", "))
        }
        What::Ring { until, .. } => format!("time passes until {until}; its timers ring"),
        What::Crash => "it crashes".to_owned(),
    }
}

/// What a message is, by its first bytes.
fn kind(message: &[u8]) -> &'static str {
    match decode(WireKind::Message, message) {
        Ok(Mirror::Message(Message::Proposal(_))) => "a proposal",
        Ok(Mirror::Message(Message::Vote(_))) => "a vote",
        Ok(Mirror::Message(Message::Certificate(_))) => "a certificate",
        Ok(_) => "a message",
        Err(_) => "what is no message",
    }
}

/// What a rule asks for, in words.
fn deed(rule: &Rule) -> String {
    let named = |block: &[u8; 32]| value::bytes(block).as_str().unwrap_or_default().to_owned();
    match &rule.deed {
        Deed::Message(message) => format!("it sends {} of {} bytes", kind(message), message.len()),
        Deed::Vote { kind, view, block, other_than } => {
            let which = match (block, other_than) {
                (Some(block), _) => format!(" for {}", named(block)),
                (None, Some(other)) => format!(" for another block than {}", named(other)),
                (None, None) => String::new(),
            };
            format!("it votes to {} in view {view}{which}", kind.name())
        }
        Deed::Final { block: Some(block) } => format!("{} is final", named(block)),
        Deed::Final { block: None } => "a block is final".to_owned(),
    }
}

fn expected(expect: &Expect) -> String {
    match expect {
        Expect::Valid(Value::Object(fields)) if fields.is_empty() => "ok".to_owned(),
        Expect::Valid(ok) => format!("ok with {ok}"),
        Expect::Invalid(classes) => format!("a rejection, as {}", judge::any_of(classes)),
        Expect::Ambiguous { point, .. } => format!("by the reading of {point}"),
    }
}
