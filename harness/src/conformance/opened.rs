//! What `reset` says of a network of profile `mdsm-1`. Spec: PROTOCOL.md, "`reset` with a network".

use mdsm_core::codec::Wire as _;
use mdsm_core::consensus::Protocol;
use mdsm_core::types::InstitutionId;
use serde_json::{Value, json};

use super::value;
use crate::simulation::cluster::STARTED_MS;
use crate::simulation::node::Setup;

/// The network in which the adapter has one node, that of institution `me`.
pub(super) fn network(setup: &Setup<Protocol>, node: u16, me: u32) -> Value {
    let shape = setup.scale.shape;
    let institution = |founder: &mdsm_core::roster::Founder| {
        let (id, rating) = (founder.institution.get(), founder.rating);
        json!({"institution": id, "rating": rating, "centre": founder.centre})
    };
    let key = |id: u32| {
        let key = setup.keys.institution(InstitutionId::new(id));
        json!({"institution": id, "key": value::bytes(key.as_bytes())})
    };
    let producers: Vec<u32> = (1..=shape.producers).collect();
    let auditors: Vec<u32> = (shape.producers + 1..=shape.institutions()).collect();
    let seed = setup.keys.secret(InstitutionId::new(me));
    json!({
        "profile": "mdsm-1",
        "started_at": value::decimal(STARTED_MS),
        "turn_ms": shape.turn_ms,
        "minute_ms": setup.genesis.minute_ms,
        "window_ms": shape.epoch_ms,
        "delay_ms": shape.delay_ms,
        "institutions": setup.founders.iter().map(institution).collect::<Vec<_>>(),
        "producers": producers,
        "auditors": auditors,
        "nodes": [{"node": node, "institution": me, "seed": value::bytes(seed)}],
        "genesis": value::bytes(setup.genesis.to_bytes()),
        "keys": (1..=setup.scale.founders()).map(key).collect::<Vec<_>>(),
    })
}
