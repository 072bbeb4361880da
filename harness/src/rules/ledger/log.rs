//! What is handed over: bytes.

use std::collections::BTreeSet;

use borsh::{BorshDeserialize, BorshSerialize};

use super::super::bounds::hold;
use super::super::mirror::{Bytes32, Genesis};
use super::super::roster::Joining;
use super::super::wire::{Mirror, WireKind, decode};

/// A finalized log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// `MGEN`.
    pub genesis: Vec<u8>,
    /// The institutions that the genesis commits to: `count | (id | key | rating u8 | centre u32)`,
    /// each by id, as under the institutions digest.
    pub founders: Vec<u8>,
    /// In order.
    pub decisions: Vec<Decided>,
    /// `MCRT` each, from the first epoch on, as far as there are any.
    pub anchors: Vec<Vec<u8>>,
}

/// A decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// `MDCN`.
    pub decision: Vec<u8>,
    /// `MITM` each: the Items of each block.
    pub items: Vec<Vec<Vec<u8>>>,
}

/// An institution that was there from the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Founder {
    /// Id.
    pub id: u32,
    /// Key.
    pub key: Bytes32,
    /// Points.
    pub rating: u8,
    /// Size of the information centre.
    pub centre: u32,
}

/// What the rules do not compute themselves: the curve.
pub trait Signatures {
    /// Whether a signature holds.
    fn holds(&self, key: &Bytes32, message: &[u8], signature: &[u8; 64]) -> bool;

    /// Whether a key is a point of the curve and not of small order.
    fn is_sound(&self, key: &Bytes32) -> bool;
}

/// The genesis, if a network can start from it. [COM-2] [CON-8]
pub(super) fn genesis(bytes: &[u8]) -> Result<Genesis, String> {
    let Mirror::Genesis(genesis) = decode(WireKind::Genesis, bytes)? else {
        return Err("the genesis is of another kind".to_owned());
    };
    let Genesis { turn_ms, minute_ms, window_ms, .. } = genesis;
    let divides = |part: u32, whole: u32| part > 0 && whole > 0 && whole.is_multiple_of(part);
    let is_whole = divides(turn_ms, minute_ms) && divides(minute_ms, window_ms);
    hold(is_whole, "turn, minute and window do not divide one another")?;
    let is_at_window = genesis.started_at.rem_euclid(window_ms.into()) == 0;
    hold(is_at_window, "the start is no multiple of the window")?;
    hold(genesis.auditors >= 4 && genesis.producers >= 1, "too few seats")?;
    Ok(genesis)
}

/// The founders of a log, if they can be that.
pub(super) fn founders(bytes: &[u8], signatures: &dyn Signatures) -> Result<Vec<Joining>, String> {
    let founders: Vec<Founder> =
        borsh::from_slice(bytes).map_err(|error| format!("the founders are no list: {error}"))?;
    let (mut ids, mut keys) = (BTreeSet::new(), BTreeSet::new());
    let mut joining = Vec::new();
    for Founder { id, key, rating, centre } in founders {
        let key_is_sound = signatures.is_sound(&key);
        hold(key_is_sound && rating <= 100, "a founder may not register")?;
        hold(ids.insert(id) && keys.insert(key), "two founders have one id or key")?;
        joining.push(Joining { id, key, key_is_sound, rating, centre });
    }
    Ok(joining)
}
