//! A mutant as a subject in this process, and the first case that kills it.

use std::time::Instant;

use serde_json::Map;

use super::Behind;
use crate::conformance::adapter::Fault;
use crate::conformance::case::{Case, Check};
use crate::conformance::judge::{Judged, judge};
use crate::conformance::protocol::{Hello, Reply, Request};
use crate::conformance::reference::{Answer, OPS};
use crate::conformance::subject::{Answers, Interrupt, Subject};
use crate::seed::Seed;

/// A mutant that answers requests.
struct Local<'a>(&'a Behind);

impl Answers for Local<'_> {
    fn ask(&mut self, request: &Request) -> Result<Reply, Fault> {
        let Request::Call { op, args } = request else { return Ok(Reply::Ok(Map::new())) };
        Ok(match self.0.answer(op, args) {
            Answer::Ok(serde_json::Value::Object(result)) => Reply::Ok(result),
            Answer::Reject { class, detail } => Reply::Reject { class, detail },
            Answer::Unsupported(why) => Reply::Unsupported(why),
            // Behind the protocol the program would end here.
            Answer::Ok(other) => return Err(died(op, format!("{other} is no object"))),
            Answer::Malformed(what) => return Err(died(op, what)),
        })
    }
}

fn died(op: &str, status: String) -> Fault {
    Fault::Died { status, request: format!("call {op}") }
}

/// Whether one call decides or several that have to fit each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// One call.
    Vector,
    /// Several calls.
    Property,
}

impl Stage {
    /// Both, in the order of the cases.
    pub const ALL: [Self; 2] = [Self::Vector, Self::Property];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Vector => "vector",
            Self::Property => "property",
        }
    }

    /// The stage of a case; networks have none, for these mutants run no nodes.
    #[must_use]
    pub fn of(case: &Case) -> Option<Self> {
        match case.check {
            Check::Vector(_) => Some(Self::Vector),
            Check::Property(_) => Some(Self::Property),
            Check::Sequence(_) | Check::Network(_) => None,
        }
    }
}

/// How a stage ended for a mutant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kill {
    /// The stage.
    pub stage: Stage,
    /// The first case that noticed it, and what it says.
    pub case: Option<(String, String)>,
    /// Cases that were put to it, the last one included.
    pub asked: usize,
    /// Time until then.
    pub micros: u128,
}

/// What every mutant says of itself: the reference's operations, no readings.
#[must_use]
pub fn hello(mutant: &Behind) -> Hello {
    Hello {
        name: mutant.name.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ops: OPS.iter().map(|op| (*op).to_owned()).collect(),
        ..Hello::default()
    }
}

/// Puts the cases of a stage to a mutant, until one of them notices it. Those that ask nothing in which the
/// mistake could show are left out.
#[must_use]
pub fn kill(mutant: &Behind, stage: Stage, cases: &[Case]) -> Kill {
    let (hello, started) = (hello(mutant), Instant::now());
    let mut asked = 0;
    let mut found = None;
    let concern = |case: &&Case| case.ops.iter().any(|op| mutant.is_of(op));
    for case in cases.iter().filter(|case| Stage::of(case) == Some(stage)).filter(concern) {
        asked += 1;
        if let Some(what) = fails(mutant, &hello, case) {
            found = Some((case.id.clone(), what));
            break;
        }
    }
    Kill { stage, case: found, asked, micros: started.elapsed().as_micros() }
}

/// What a case has against a mutant.
fn fails(mutant: &Behind, hello: &Hello, case: &Case) -> Option<String> {
    let mut local = Local(mutant);
    let mut subject = Subject::new(&mut local, hello, Seed::new(1), &case.id);
    let result = match &case.check {
        Check::Vector(vector) => {
            let reply = subject.ask(&vector.op, vector.args.clone());
            reply.map(|reply| match judge(vector, &reply, hello) {
                Judged::Held { .. } => None,
                Judged::Broken(what) | Judged::Undeclared(what) => Some(what),
            })
        }
        Check::Property(property) => property(&mut subject).map(|_| None),
        Check::Sequence(_) | Check::Network(_) => Ok(None),
    };
    match result {
        Ok(what) => what,
        Err(Interrupt::Fault(fault)) => Some(fault.to_string()),
        Err(Interrupt::Broken(what)) => Some(what),
        Err(Interrupt::Unsupported(what) | Interrupt::Undecided(what)) => Some(what),
    }
}
