//! The cases of `verify`, chapter by chapter, and how one is judged.

mod consensus;
mod database;
mod files;
mod freezing;
mod headers;
mod integrity;
#[cfg(feature = "living")]
mod living;
mod receipts;
mod sharing;
mod storage;
mod tampering;

use std::path::PathBuf;

use super::world::World;
use crate::input::{Input, Refusal};
use crate::stop::Stop;
use crate::verdict::Outcome;

/// What a check found: what was seen, or why it did not pass.
pub(super) type Check = Result<String, Fault>;

/// A check, made once the network has run.
type Checker = Box<dyn Fn(&World) -> Check>;

/// One claim, and the check that could refute it.
pub(super) struct Case {
    /// Stable name.
    pub(super) id: String,
    /// The claim.
    pub(super) title: String,
    /// Requirements that it tests.
    pub(super) requirements: &'static [&'static str],
    /// The check.
    pub(super) check: Checker,
}

/// Why a case did not pass.
pub(super) enum Fault {
    /// The claim is refuted.
    Broken(String),
    /// The check could not be made.
    Undecided(String),
}

impl From<String> for Fault {
    fn from(what: String) -> Self {
        Self::Broken(what)
    }
}

impl From<&str> for Fault {
    fn from(what: &str) -> Self {
        Self::Broken(what.to_owned())
    }
}

impl Fault {
    /// Names the part of the claim that it is about.
    fn about(self, what: &str) -> Self {
        match self {
            Self::Broken(text) => Self::Broken(format!("{what}: {text}")),
            Self::Undecided(text) => Self::Undecided(format!("{what}: {text}")),
        }
    }

    /// Outcome and detail of a case.
    pub(super) fn outcome(self) -> (Outcome, String) {
        match self {
            Self::Broken(what) => (Outcome::Fail, what),
            Self::Undecided(why) => (Outcome::Undecided, why),
        }
    }
}

/// A part of the run.
pub(super) struct Part {
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    pub(super) cases: Vec<Case>,
}

/// What a case needs that starts processes.
#[derive(Clone)]
pub(super) struct Means {
    /// This program.
    program: PathBuf,
    /// When to give up.
    stop: Stop,
}

impl Means {
    pub(super) fn new(program: &str, stop: &Stop) -> Self {
        Self { program: program.into(), stop: stop.clone() }
    }
}

/// All cases. What files there are is known before the network runs.
pub(super) fn all(inputs: &[Input], refusals: &[Refusal], means: &Means) -> Vec<Part> {
    #[cfg_attr(
        not(feature = "living"),
        expect(unused_mut, reason = "the last part needs processes")
    )]
    let mut parts = vec![
        Part {
            id: "files",
            title: "Files: from a medical file to a receipt and back",
            cases: files::cases(inputs, refusals),
        },
        Part { id: "storage", title: "Storage: records to windows", cases: storage::cases() },
        Part {
            id: "freezing",
            title: "Freezing: turns that close while others append",
            cases: freezing::cases(),
        },
        Part {
            id: "integrity",
            title: "Integrity: Merkle trees under random attack",
            cases: integrity::cases(),
        },
        Part { id: "receipts", title: "Receipts: checked by a stranger", cases: receipts::cases() },
        Part {
            id: "tampering",
            title: "Tampering: refused at every level",
            cases: tampering::cases(),
        },
        Part {
            id: "headers",
            title: "Bitcoin headers: no other chain will do",
            cases: headers::cases(),
        },
        Part {
            id: "database",
            title: "Database: nothing acknowledged is lost",
            cases: database::cases(),
        },
        Part {
            id: "sharing",
            title: "Sharing: through a proxy that cannot read",
            cases: sharing::cases(inputs, means),
        },
        Part {
            id: "consensus",
            title: "Consensus: explored, simulated, broken on purpose",
            cases: consensus::cases(means),
        },
    ];
    #[cfg(feature = "living")]
    parts.push(Part {
        id: "living",
        title: "Living network: processes, sockets, disks, clients",
        cases: living::cases(means),
    });
    parts
}

/// A case with a fixed name.
fn case(
    id: &str,
    title: &str,
    requirements: &'static [&'static str],
    check: fn(&World) -> Check,
) -> Case {
    Case { id: id.to_owned(), title: title.to_owned(), requirements, check: Box::new(check) }
}

/// Fails with `what` unless the claim holds.
fn hold(claim: bool, what: impl FnOnce() -> String) -> Result<(), Fault> {
    if claim { Ok(()) } else { Err(Fault::Broken(what())) }
}

/// The claim was not put to the test: the files of this run do not lead to what it is about.
fn nothing(why: &str) -> Fault {
    Fault::Undecided(format!("{why}: the case shows nothing"))
}

/// Text of an error, for those checks in which any error refutes the claim.
pub(super) fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// Holds a refusal to the one that is expected.
fn refused<T, E: std::fmt::Debug>(
    what: &str,
    result: Result<T, E>,
    expected: impl FnOnce(&E) -> bool,
) -> Result<(), Fault> {
    match result {
        Ok(_) => Err(Fault::Broken(format!("{what}: accepted"))),
        Err(error) if expected(&error) => Ok(()),
        Err(error) => Err(Fault::Broken(format!("{what}: refused for another reason: {error:?}"))),
    }
}
