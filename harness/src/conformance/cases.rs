//! All cases, in the order in which they run: vectors by file, then properties, then networks.

use super::case::{Case, Check};
use super::vectors::{self, Expect, Vector};
use super::{network, properties};

/// Every case: each embedded vector is one.
#[must_use]
pub fn all() -> Vec<Case> {
    let mut cases: Vec<Case> = vectors::all().into_iter().map(of_vector).collect();
    cases.extend(properties::all());
    cases.extend(network::cases());
    cases
}

fn of_vector(vector: Vector) -> Case {
    let what = match &vector.expect {
        Expect::Valid(_) => "is answered as the spec says",
        Expect::Invalid(_) => "is rejected",
        Expect::Ambiguous { .. } => "is answered by the reading that is declared",
    };
    Case {
        id: vector.id.clone(),
        title: format!("{} {what}", vector.op),
        requirements: vector.requirements.clone(),
        ops: vec![vector.op.clone()],
        check: Check::Vector(Box::new(vector)),
    }
}
