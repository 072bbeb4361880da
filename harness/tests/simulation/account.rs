//! Too many faulty auditors break agreement, and what honest nodes hold names them. [CON-7]

use std::collections::BTreeMap;

use harness::seed::Seed;
use harness::simulation::cluster::Shape;
use harness::simulation::plan::{Faults, Plan};
use harness::simulation::run::Run;
use harness::simulation::strategies::Name;
use harness::simulation::world::{Control, Node};
use mdsm_core::consensus::Protocol;

/// All producers and so many auditors collude, while honest nodes of even and odd numbers do not hear
/// each other.
fn split(shape: Shape, colluders: u32) -> Plan {
    let mut plan = Plan::draw(Seed::new(7), shape, Faults::NONE, 30_000, 0);
    plan.faulty = (1..=shape.producers).map(|id| (id, Name::Colluder)).collect::<BTreeMap<_, _>>();
    let last = shape.institutions();
    plan.faulty.extend((0..colluders).map(|back| (last - back, Name::Colluder)));
    let honest: Vec<u32> = (1..=last).filter(|id| !plan.faulty.contains_key(id)).collect();
    for from in &honest {
        for to in &honest {
            if from % 2 != to % 2 {
                let node = |id: u32| Node::try_from(id - 1).expect("16 bits fit");
                plan.controls.push((0, Control::Cut(node(*from), node(*to), true)));
            }
        }
    }
    plan.end_ms = 0;
    plan
}

#[test]
fn con_7_8_more_than_f_colluders_break_agreement_and_are_named() {
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //= type=test
    //# CON-7.8 (ours): Two conflicting finalizations MUST yield signed evidence against at least n - 2 f
    //# auditors.
    for shape in [Shape::SMALL, Shape::N7] {
        let mut plan = split(shape, shape.faulty_max() + 1);
        plan.heal_ms = 20_000;
        let mut run = Run::new(plan, Protocol, false);
        run.go();
        let claims: Vec<&str> = run.outcome().breaches.iter().map(|b| b.claim).collect();
        assert!(claims.contains(&"logs"), "{shape:?}: two histories are final: {claims:?}");
        run.held_to_account().unwrap();
        let needed = usize::try_from(shape.auditors - 2 * shape.faulty_max()).unwrap();
        assert!(run.outcome().authors.len() >= needed, "{:?}", run.outcome().authors);
    }
}

#[test]
fn con_7_6_f_colluders_break_nothing() {
    for shape in [Shape::SMALL, Shape::N7] {
        let mut run = Run::new(split(shape, shape.faulty_max()), Protocol, false);
        run.go();
        assert_eq!(run.outcome().breaches, [], "{shape:?}");
    }
}
