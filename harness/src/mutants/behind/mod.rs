//! Wrong implementations behind the adapter protocol: the reference of `conformance`, with one mistake each.
//!
//! `LIST.md` names every mutant, the sentence that it breaks and what is wrong with it. It was written from
//! the requirements and the spec before the cases of the kit were looked at. Here is the code: a function
//! that answers where the mistake shows and says nothing where the reference is right.
//!
//! Left out, because nobody could tell them from the reference:
//! - *the odd node of a level is promoted*: that is the shape of RFC 6962, told level by level;
//! - *a transaction of 64 bytes is taken*: in the form without witness one with an MDSM output has 103 bytes
//!   at least, so such a transaction has no output that counts;
//! - *the index of a data block starts anew or not*: no root commits to it;
//! - *a path is too short*: the hash of a leaf is that of no node, so that the path leads to another root;
//! - *a barred key registers again*: an institution is never forgotten, so that the key is taken;
//! - *a short chunk in the middle of a sealed file*: chunks are found by their size, so there is none.
//!
//! | file | operations |
//! |---|---|
//! | `codec` | `decode`, and what decodes envelopes |
//! | `trees` | `merkle.*` |
//! | `curve` | `ed25519.*`, `envelope.check` |
//! | `votes` | `certificate.check` |
//! | `evidence` | `evidence.judge` |
//! | `bitcoin`, `receipts` | `anchor.read`, `receipt.verify` |
//! | `windows` | `windows` |
//! | `roster` | `roster` |
//! | `access` | `access` |
//! | `files` | `file.*` |
//! | `sharing` | `pre.*` |
//! | `deliveries` | `delivery.*` |
//! | `paper` | `paper.*` |
//! | `local` | a mutant as a subject, and how it is killed |

mod access;
mod bitcoin;
mod codec;
mod curve;
mod deliveries;
mod evidence;
mod files;
mod local;
mod paper;
mod receipts;
mod roster;
mod sharing;
mod trees;
mod votes;
mod windows;

pub use local::{Kill, Stage, hello, kill};

use serde_json::Value;

use crate::conformance::class::Class;
use crate::conformance::reference::{self, Answer};

/// What a mutant answers; nothing where it is right.
type Wrong = fn(&str, &Value) -> Option<Answer>;

/// A wrong implementation.
#[derive(Clone, Copy, Debug)]
pub struct Behind {
    /// Its name.
    pub name: &'static str,
    /// The sentence that it breaks.
    pub requirement: &'static str,
    /// What is wrong, in one line.
    pub rule: &'static str,
    /// How the operations begin in which it shows.
    pub ops: &'static [&'static str],
    wrong: Wrong,
}

impl Behind {
    /// Answers a call.
    #[must_use]
    pub fn answer(&self, op: &str, args: &Value) -> Answer {
        let wrong = if self.is_of(op) { (self.wrong)(op, args) } else { None };
        wrong.unwrap_or_else(|| reference::answer(op, args))
    }

    /// Whether the mistake can show in an operation.
    #[must_use]
    pub fn is_of(&self, op: &str) -> bool {
        self.ops.iter().any(|start| op.starts_with(start))
    }
}

/// The list, row by row: name, sentence, what is wrong.
pub fn listed() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    let rows = include_str!("LIST.md").lines().filter_map(|line| line.strip_prefix("| "));
    // Two lines of heading, of which the second does not open with a blank.
    rows.skip(1).filter_map(|row| {
        let mut cells = row.strip_suffix(" |")?.split(" | ");
        Some((cells.next()?, cells.next()?, cells.next()?))
    })
}

/// Mutants of one file, and how their operations begin.
type Family = (&'static [(&'static str, Wrong)], &'static [&'static str]);

const FAMILIES: &[Family] = &[
    (codec::MUTANTS, &["decode", "envelope.check"]),
    (trees::MUTANTS, &["merkle."]),
    (curve::MUTANTS, &["ed25519.", "envelope."]),
    (votes::MUTANTS, &["certificate."]),
    (evidence::MUTANTS, &["evidence."]),
    (receipts::MUTANTS, &["receipt.", "anchor."]),
    (windows::MUTANTS, &["windows"]),
    (roster::MUTANTS, &["roster"]),
    (access::MUTANTS, &["access"]),
    (files::MUTANTS, &["file."]),
    (sharing::MUTANTS, &["pre."]),
    (deliveries::MUTANTS, &["delivery."]),
    (paper::MUTANTS, &["paper."]),
];

/// The code by name.
fn coded() -> impl Iterator<Item = (&'static str, Wrong, &'static [&'static str])> {
    let each =
        |(mutants, ops): &'static Family| mutants.iter().map(|(name, wrong)| (*name, *wrong, *ops));
    FAMILIES.iter().flat_map(each)
}

/// Where a mutant answers by code of its own, that code without the mistake: no case may notice it, or the
/// case notices the code and not the mistake.
#[must_use]
pub fn controls() -> Vec<Behind> {
    let rule = "nothing is wrong";
    let of = |(name, ops, wrong)| Behind { name, requirement: "", rule, ops, wrong };
    let all: [(_, &[&str], Wrong); 9] = [
        ("control-reference", &[""], |_, _| None),
        ("control-trees", &["merkle."], |op, args| trees::Bug::None.answer(op, args)),
        ("control-curve", &["ed25519."], |op, args| curve::Bug::None.answer(op, args)),
        ("control-votes", &["certificate."], |op, args| votes::Bug::None.answer(op, args)),
        ("control-windows", &["windows"], |op, args| windows::Bug::None.answer(op, args)),
        ("control-roster", &["roster"], roster::control),
        ("control-access", &["access"], |op, args| access::Bug::None.answer(op, args)),
        ("control-files", &["file."], |op, args| files::Bug::None.answer(op, args)),
        ("control-sharing", &["pre."], |op, args| sharing::Bug::None.answer(op, args)),
    ];
    all.map(of).to_vec()
}

/// Every mutant, in the order of the list.
#[must_use]
pub fn all() -> Vec<Behind> {
    let of = |(name, requirement, rule)| {
        let (_, wrong, ops) = coded().find(|(known, ..)| *known == name)?;
        Some(Behind { name, requirement, rule, ops, wrong })
    };
    listed().filter_map(of).collect()
}

/// Names that stand in the list or in the code, and not in both.
#[must_use]
pub fn strays() -> Vec<&'static str> {
    let names: Vec<&str> = listed().map(|(name, ..)| name).collect();
    let coded: Vec<&str> = coded().map(|(name, ..)| name).collect();
    let uncoded = names.iter().filter(|name| !coded.contains(name));
    uncoded.chain(coded.iter().filter(|name| !names.contains(name))).copied().collect()
}

/// A rejection in the words of a mutant.
fn reject(class: Class) -> Answer {
    Answer::Reject { class, detail: "refused".to_owned() }
}

/// The reference's answer, if it is the result of this operation.
fn result_of(name: &str, op: &str, args: &Value) -> Option<Value> {
    if op != name {
        return None;
    }
    match reference::answer(op, args) {
        Answer::Ok(result) => Some(result),
        _ => None,
    }
}

/// How the reference rejects a call of this operation.
fn rejection_of(name: &str, op: &str, args: &Value) -> Option<(Class, String)> {
    if op != name {
        return None;
    }
    match reference::answer(op, args) {
        Answer::Reject { class, detail } => Some((class, detail)),
        _ => None,
    }
}

/// Changes the result of this operation.
fn changed(name: &str, op: &str, args: &Value, change: impl FnOnce(&mut Value)) -> Option<Answer> {
    let mut result = result_of(name, op, args)?;
    change(&mut result);
    Some(Answer::Ok(result))
}

/// Answers the call with other arguments.
fn asked_otherwise(op: &str, args: &Value, change: impl FnOnce(&mut Value)) -> Option<Answer> {
    let mut args = args.clone();
    change(&mut args);
    Some(reference::answer(op, &args))
}
