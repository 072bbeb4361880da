//! `doctor`: is the adapter itself sound? It judges how the adapter speaks, not what it says.

use std::time::Duration;

use serde_json::{Value, json};

use super::adapter::{Adapter, Fault, Launch};
use super::case::{Case, Check};
use super::network::{Asked, Claim, MixedClaim, Mixture, Networks, Scenario};
use super::protocol::{Hello, Reply, Request};
use super::subject::{Interrupt, Subject};
use super::value::Field;
use crate::seed::Seed;
use crate::verdict::Outcome;

/// Vectors of each operation that are asked.
const CALLS: usize = 3;
/// A start that takes longer is worth a word.
const SLOW: Duration = Duration::from_secs(2);

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at.
    pub what: String,
    /// Whether it is as it should be.
    pub outcome: Outcome,
    /// What was seen, and what to do about it.
    pub seen: String,
}

fn finding(what: &str, outcome: Outcome, seen: impl Into<String>) -> Finding {
    Finding { what: what.to_owned(), outcome, seen: seen.into() }
}

/// Examines an adapter: start, hello, every operation that it names on some vectors, twice in two
/// processes, each network that it offers, an operation that nobody has, reset, bye.
#[must_use]
pub fn examine(launch: &Launch, cases: &[Case]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let started = std::time::Instant::now();
    let (adapter, hello) = match Adapter::start(launch) {
        Ok(started) => started,
        Err((fault, log)) => {
            findings.push(finding("start", Outcome::AdapterBroke, with_hint(&fault, &log)));
            return findings;
        }
    };
    let took = started.elapsed();
    let ms = took.as_millis();
    let slow = if took > SLOW { "; slow: every restart costs this" } else { "" };
    findings.push(finding(
        "start",
        Outcome::Pass,
        format!("said hello three times in {ms} ms{slow}"),
    ));
    findings.push(known_ops(&hello, cases));
    let first = session(launch, adapter, &hello, cases, &mut findings);
    if let (Some(first), Ok((adapter, _))) = (first, Adapter::start(launch)) {
        let mut again = Vec::new();
        let second = session(launch, adapter, &hello, cases, &mut again);
        findings.push(determinism(&hello, &first, second.as_deref()));
    }
    findings
}

fn known_ops(hello: &Hello, cases: &[Case]) -> Finding {
    let known = cases.iter().flat_map(|case| case.ops.iter().cloned()).collect();
    let unknown = hello.unknown_ops(&known);
    let count = hello.ops.len();
    if hello.ops.is_empty() && hello.networks.is_empty() {
        let seen = "hello names neither operations nor networks, so no case can run";
        finding("operations", Outcome::Fail, seen)
    } else if unknown.is_empty() {
        finding("operations", Outcome::Pass, format!("{count} operations, all known"))
    } else {
        let seen =
            format!("unknown: {}; is the name misspelt? They are never asked", unknown.join(", "));
        finding("operations", Outcome::Fail, seen)
    }
}

/// Each network that the adapter offers nodes for runs for a while, twice.
fn networks(adapter: &mut Adapter, hello: &Hello, findings: &mut Vec<Finding>) {
    for name in &hello.networks {
        let what = format!("network {name}");
        let asked = match name.as_str() {
            "paper" => Asked::Alone(Scenario::Calm, Claim::Agrees),
            "mdsm-1" => Asked::Mixed(Mixture::Auditor, MixedClaim::Agrees),
            _ => {
                let seen = "no profile is called that; there are paper and mdsm-1";
                findings.push(finding(&what, Outcome::Fail, seen));
                continue;
            }
        };
        let mut ran = Networks::new(1);
        let mut subject = Subject::new(adapter, hello, Seed::new(1), &what);
        let ended = ran.run(&mut subject, asked, Seed::new(1));
        let (outcome, seen) = match ended.and_then(|()| ran.judge(asked)) {
            Ok(seen) if ran.is_deterministic(asked) => (Outcome::Pass, seen),
            Ok(seen) => (Outcome::Fail, seen),
            // What the nodes are worth is for `check` to say.
            Err(Interrupt::Broken(seen)) if ran.has_ended(asked) => (Outcome::Pass, seen),
            Err(Interrupt::Broken(seen)) => (Outcome::Fail, seen),
            Err(Interrupt::Unsupported(why)) => {
                let seen = format!(
                    "`networks` of hello names it, and a step is answered with unsupported: {why}"
                );
                (Outcome::Undecided, seen)
            }
            Err(Interrupt::Undecided(seen)) => (Outcome::Undecided, seen),
            Err(Interrupt::Fault(fault)) => {
                let seen = with_hint(&fault, &adapter.log());
                findings.push(finding(&what, Outcome::AdapterBroke, seen));
                return;
            }
        };
        findings.push(finding(&what, outcome, seen));
    }
}

type Said = Vec<(String, Result<Reply, String>)>;

/// One process from its first call to bye; nothing where it broke.
fn session(
    launch: &Launch,
    mut adapter: Adapter,
    hello: &Hello,
    cases: &[Case],
    findings: &mut Vec<Finding>,
) -> Option<Said> {
    let mut said: Said = Vec::new();
    for op in &hello.ops {
        let asked = cases.iter().filter_map(|case| match &case.check {
            Check::Vector(asked) if asked.op == *op => Some((&case.id, asked)),
            _ => None,
        });
        for (id, asked) in asked.take(CALLS) {
            let request = Request::Call { op: asked.op.clone(), args: asked.args.clone() };
            match adapter.ask(&request) {
                Ok(reply) => {
                    if let Some(problem) = fields(&reply) {
                        findings.push(finding(op, Outcome::Fail, format!("{id}: {problem}")));
                    }
                    said.push((id.clone(), Ok(reply)));
                }
                Err(fault) => {
                    findings.push(finding(
                        op,
                        Outcome::AdapterBroke,
                        format!("{id}: {}", with_hint(&fault, &adapter.log())),
                    ));
                    said.push((id.clone(), Err(fault.kind().to_owned())));
                    // A fault ends the process; the next operation gets a new one.
                    adapter = Adapter::start(launch).ok()?.0;
                }
            }
        }
        let is_sound = !findings.iter().any(|finding| finding.what == *op);
        if is_sound {
            let calls = said
                .iter()
                .filter(|(id, _)| cases.iter().any(|case| case.id == *id && case.ops.contains(op)))
                .count();
            findings.push(finding(
                op,
                Outcome::Pass,
                format!("{calls} calls, every reply of the right shape"),
            ));
        }
    }
    networks(&mut adapter, hello, findings);
    findings.push(odd_op(&mut adapter));
    findings.push(match adapter.ask(&Request::Reset { seed: [7; 32], network: None }) {
        Ok(Reply::Ok(_)) => finding("reset", Outcome::Pass, "ok"),
        Ok(_) => finding("reset", Outcome::Fail, "reset is answered with ok, always"),
        Err(fault) => finding("reset", Outcome::AdapterBroke, with_hint(&fault, &adapter.log())),
    });
    findings.push(match adapter.bye() {
        Ok(()) => finding("bye", Outcome::Pass, "ended with exit code 0"),
        Err(fault) => finding("bye", Outcome::AdapterBroke, fault.to_string()),
    });
    Some(said)
}

/// An operation that nobody has is unsupported; an adapter that answers it answers anything.
fn odd_op(adapter: &mut Adapter) -> Finding {
    let request = Request::Call { op: "doctor.no-such-operation".to_owned(), args: json!({}) };
    match adapter.ask(&request) {
        Ok(Reply::Unsupported(_)) => {
            finding("unknown operation", Outcome::Pass, "answered with unsupported")
        }
        Ok(_) => {
            let seen = "an operation that nobody has is answered; it has to be `unsupported`";
            finding("unknown operation", Outcome::Fail, seen)
        }
        Err(fault) => {
            finding("unknown operation", Outcome::AdapterBroke, with_hint(&fault, &adapter.log()))
        }
    }
}

/// Fields of a result that cannot be what the page says: strings where the page has bytes are lower-case
/// hex, and numbers above 32 bits are strings.
fn fields(reply: &Reply) -> Option<String> {
    let Reply::Ok(result) = reply else { return None };
    let bytes = [
        "root",
        "key",
        "signature",
        "digest",
        "record_id",
        "anchor_root",
        "state",
        "file",
        "capsule",
    ];
    for (name, value) in result {
        let field = Field::whole(&format!("ok.{name}"), value);
        if bytes.contains(&name.as_str())
            && let Err(error) = field.bytes()
        {
            return Some(error.to_string());
        }
        if let Some(problem) = large(&format!("ok.{name}"), value) {
            return Some(problem);
        }
    }
    None
}

fn large(at: &str, value: &Value) -> Option<String> {
    match value {
        Value::Number(number)
            if number.as_i64().is_none_or(|number| number.unsigned_abs() > u64::from(u32::MAX)) =>
        {
            Some(format!("{at}: {number} as a number; integers above 32 bits are decimal strings"))
        }
        Value::Array(values) => {
            (0..).zip(values).find_map(|(index, value)| large(&format!("{at}[{index}]"), value))
        }
        Value::Object(fields) => {
            fields.iter().find_map(|(name, value)| large(&format!("{at}.{name}"), value))
        }
        _ => None,
    }
}

fn determinism(
    hello: &Hello,
    first: &Said,
    second: Option<&[(String, Result<Reply, String>)]>,
) -> Finding {
    let differs =
        second.and_then(|second| first.iter().zip(second).find(|(one, other)| one != other));
    match (second, differs) {
        (None, _) => finding("determinism", Outcome::Undecided, "the second process broke"),
        (_, Some(((id, _), _))) => {
            let seen = format!(
                "{id}: two processes reply differently to one request; use the seed of `reset` and nothing else"
            );
            finding("determinism", Outcome::Fail, seen)
        }
        _ if first.is_empty() && hello.networks.is_empty() => {
            finding("determinism", Outcome::Undecided, "nothing was asked that could differ")
        }
        _ if first.is_empty() => finding(
            "determinism",
            Outcome::Pass,
            "no operation to ask twice; each network above ran twice",
        ),
        _ => finding(
            "determinism",
            Outcome::Pass,
            format!("{} replies, equal in two processes", first.len()),
        ),
    }
}

/// A fault with what usually causes it, and the log.
fn with_hint(fault: &Fault, log: &[String]) -> String {
    let hint = match fault {
        Fault::Start(_) => "\nhint: what stands behind `--` is run as it is, without a shell",
        Fault::Died { .. } => {
            "\nhint: the log below is its standard error; an exception that is no rejection may end it, but not on valid input"
        }
        Fault::Late { .. } => {
            "\nhint: write LF behind each reply and flush; Python: print(..., flush=True); C: fflush(stdout)"
        }
        Fault::Garbage { .. } | Fault::Noise { .. } => {
            "\nhint: only replies go to standard output; logs and banners to standard error"
        }
        Fault::Endless { .. } => "\nhint: one reply is one line",
        Fault::Shape { .. } | Fault::Memory { .. } | Fault::Bye(_) | Fault::Stopped(_) => "",
    };
    let log = match log {
        [] => String::new(),
        lines => format!("\nits log ends with:\n  {}", lines.join("\n  ")),
    };
    format!("{fault}{hint}{log}")
}
