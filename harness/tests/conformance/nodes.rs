//! The reference's nodes in this process, and what a lie makes of their replies.

use harness::conformance::adapter::Fault;
use harness::conformance::case::Check;
use harness::conformance::cases;
use harness::conformance::network::{Asked, Networks, follow};
use harness::conformance::protocol::{Hello, Reply, Request};
use harness::conformance::reference::network::{Nodes, PROFILES};
use harness::conformance::subject::{Answers, Interrupt, Subject};
use harness::conformance::value::Field;
use harness::seed::Seed;
use serde_json::{Map, Value};

/// Changes the reply of a step, given the network that was opened and the step.
pub(crate) type Lie = fn(network: &Value, step: &Value, reply: &mut Map<String, Value>);

/// The reference's nodes, told of by a liar.
struct Liar {
    nodes: Nodes,
    network: Value,
    lie: Lie,
}

impl Answers for Liar {
    fn ask(&mut self, request: &Request) -> Result<Reply, Fault> {
        let line: Value = serde_json::from_str(&request.line(1)).unwrap();
        let field = Field::whole("request", &line);
        Ok(Reply::Ok(match request {
            Request::Reset { seed, network: Some(network) } => {
                self.nodes = Nodes::open(&Field::whole("network", network), *seed).unwrap();
                self.network = network.clone();
                Map::new()
            }
            Request::Step(_) => {
                let mut reply = self.nodes.step(&field).unwrap();
                (self.lie)(&self.network, &line, &mut reply);
                reply
            }
            Request::Crash { .. } => {
                self.nodes.crash(&field).unwrap();
                Map::new()
            }
            _ => Map::new(),
        }))
    }
}

/// Takes the steps of a sequence.
pub(crate) fn sequence(id: &str, lie: Lie) -> Result<String, Interrupt> {
    let found = cases::all().into_iter().find_map(|case| match case.check {
        Check::Sequence(sequence) if case.id == id => Some(sequence),
        _ => None,
    });
    asked(lie, |subject| follow(subject, &found.unwrap()))
}

fn asked<T>(lie: Lie, ask: impl FnOnce(&mut Subject<'_>) -> T) -> T {
    let networks = PROFILES.iter().map(|profile| (*profile).to_owned()).collect();
    let hello = Hello { networks, ..Hello::default() };
    let mut liar = Liar { nodes: Nodes::default(), network: Value::Null, lie };
    ask(&mut Subject::new(&mut liar, &hello, Seed::new(1), "networks"))
}

/// Runs the scenario of a claim, once with each of the seeds and once more.
pub(crate) fn run(asked: Asked, lie: Lie) -> (Networks, Result<(), Interrupt>) {
    let mut ran = Networks::new(1);
    let ended = self::asked(lie, |subject| ran.run(subject, asked, Seed::new(1)));
    (ran, ended)
}

/// What is said against a claim.
pub(crate) fn against(ran: &Networks, asked: Asked) -> Option<String> {
    match ran.judge(asked) {
        Ok(_) => None,
        Err(Interrupt::Broken(what)) => Some(what),
        Err(other) => panic!("{other:?}"),
    }
}

/// The observations of a kind in a reply.
pub(crate) fn seen<'a>(
    reply: &'a mut Map<String, Value>,
    kind: &'a str,
) -> impl Iterator<Item = &'a mut Map<String, Value>> {
    let seen = reply.get_mut("seen").and_then(Value::as_array_mut);
    seen.into_iter().flatten().filter_map(move |one| one.get_mut(kind)?.as_object_mut())
}

/// The institution that a step is of.
pub(crate) fn institution(network: &Value, step: &Value) -> u64 {
    let nodes = network["nodes"].as_array().unwrap();
    let node = nodes.iter().find(|node| node["node"] == step["node"]).unwrap();
    node["institution"].as_u64().unwrap()
}

/// Another digest in the place of the one in a field.
pub(crate) fn flip(object: &mut Map<String, Value>, field: &str) {
    object.insert(field.to_owned(), Value::String("ee".repeat(32)));
}
