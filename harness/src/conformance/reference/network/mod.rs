//! The reference behind `step`: real nodes with real signatures, one institution each.
//!
//! The node, its driver and its disk are those of our own simulator; here its actions become the reply and
//! its entries bytes. Bitcoin is a chain within this process: it stands outside of every node, as the
//! wallet does, so neither is lost in a crash.

mod entries;
mod node;

use std::collections::BTreeMap;
use std::rc::Rc;

use mdsm_core::codec::Wire as _;
use mdsm_core::consensus::Protocol;
use mdsm_core::crypto::sign::SigningKey;
use mdsm_core::ledger::Genesis;
use mdsm_core::roster::Founder;
use mdsm_core::types::{InstitutionId, OwnerId};
use serde_json::{Map, Value};

use self::node::Served;
use super::super::value::{Field, FieldError};
use crate::seed::Seed;
use crate::simulation::cluster::Shape;
use crate::simulation::node::{Keys, Load, Scale, Setup};

/// The profiles in which nodes are served.
pub const PROFILES: &[&str] = &["paper", "mdsm-1"];

/// Users of our own simulator that there are none of here.
const NO_LOAD: Load = Load { tick_ms: 1_000, records: 0, sharing_ms: u32::MAX, bytes: 0 };

/// The nodes of a network.
#[derive(Default)]
pub struct Nodes {
    nodes: BTreeMap<u16, Served>,
}

impl Nodes {
    /// Opens a network: its nodes have not woken up yet.
    ///
    /// # Errors
    /// The field that is not as the page says.
    pub fn open(network: &Field<'_>, seed: [u8; 32]) -> Result<Self, FieldError> {
        let profile = network.get("profile")?;
        let scale = scale(network)?;
        let alone = match profile.text()? {
            "paper" => Some(alone(network, scale, seed)?),
            "mdsm-1" => None,
            _ => return Err(profile.wrong("neither paper nor mdsm-1")),
        };
        let node = |one: &Field<'_>| -> Result<(u16, Served), FieldError> {
            let institution = InstitutionId::new(one.get("institution")?.integer()?);
            let setup = match &alone {
                Some(setup) => setup.clone(),
                None => among_others(network, scale, one.get("seed")?.array()?, seed)?,
            };
            Ok((one.get("node")?.integer()?, Served::new(&setup, institution)))
        };
        let nodes: Vec<(u16, Served)> = network.get("nodes")?.each(node)?;
        Ok(Self { nodes: nodes.into_iter().collect() })
    }

    /// Takes a step.
    ///
    /// # Errors
    /// The field that is not as the page says.
    pub fn step(&mut self, request: &Field<'_>) -> Result<Map<String, Value>, FieldError> {
        self.node(request)?.step(request)
    }

    /// Forgets what a node did not append.
    ///
    /// # Errors
    /// The field that is not as the page says.
    pub fn crash(&mut self, request: &Field<'_>) -> Result<(), FieldError> {
        self.node(request)?.crash();
        Ok(())
    }

    fn node(&mut self, request: &Field<'_>) -> Result<&mut Served, FieldError> {
        let node = request.get("node")?;
        let number: u16 = node.integer()?;
        self.nodes.get_mut(&number).ok_or_else(|| node.wrong("the network has no such node"))
    }
}

fn scale(network: &Field<'_>) -> Result<Scale, FieldError> {
    let count = |name: &str| -> Result<u32, FieldError> {
        let field = network.get(name)?;
        let list = field.list()?;
        u32::try_from(list.len()).map_err(|_| field.wrong("too long"))
    };
    let (producers, auditors) = (count("producers")?, count("auditors")?);
    let shape = Shape {
        producers,
        auditors,
        turn_ms: network.get("turn_ms")?.integer()?,
        delay_ms: network.get("delay_ms")?.integer()?,
        epoch_ms: network.get("window_ms")?.integer()?,
    };
    let institutions = count("institutions")?;
    let full = institutions.saturating_sub(shape.institutions());
    let block_ms = shape.turn_ms.saturating_mul(3);
    Ok(Scale { shape, full, load: NO_LOAD, block_ms, reorganised: 0, is_thorough: false })
}

fn word(seed: [u8; 32]) -> Seed {
    let mut word = [0; 8];
    word.copy_from_slice(&seed[..8]);
    Seed::new(u64::from_le_bytes(word))
}

fn founders(network: &Field<'_>, keys: &Keys) -> Result<Vec<Founder>, FieldError> {
    network.get("institutions")?.each(|one: &Field<'_>| {
        let institution = InstitutionId::new(one.get("institution")?.integer()?);
        Ok(Founder {
            institution,
            key: keys.institution(institution),
            rating: one.get("rating")?.integer()?,
            centre: one.get("centre")?.integer()?,
        })
    })
}

/// Nodes among themselves, with keys of their own making.
fn alone(
    network: &Field<'_>,
    scale: Scale,
    seed: [u8; 32],
) -> Result<Rc<Setup<Protocol>>, FieldError> {
    let seed = word(seed);
    let keys = Keys::new(scale.newcomer(), 1, seed.get(), true);
    let founders = founders(network, &keys)?;
    Ok(Setup::of(Protocol, scale, keys, founders, seed))
}

/// A node among others, of which it knows public keys.
fn among_others(
    network: &Field<'_>,
    scale: Scale,
    secret: [u8; 32],
    seed: [u8; 32],
) -> Result<Rc<Setup<Protocol>>, FieldError> {
    let key = |one: &Field<'_>| -> Result<(InstitutionId, OwnerId), FieldError> {
        let institution = InstitutionId::new(one.get("institution")?.integer()?);
        Ok((institution, OwnerId::new(one.get("key")?.array()?)))
    };
    let others = network.get("keys")?.each(key)?;
    let keys = Keys::of(&others.into_iter().collect(), SigningKey::from_seed(&secret));
    let founders = founders(network, &keys)?;
    let genesis = network.get("genesis")?;
    let decoded = Genesis::from_bytes(&genesis.bytes()?);
    let decoded = decoded.map_err(|error| genesis.wrong(error))?;
    Ok(Setup::with(Protocol, scale, keys, decoded, founders, word(seed)))
}
