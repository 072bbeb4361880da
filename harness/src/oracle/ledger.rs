//! What a node says beside what its log yields. [COM-9] [STO-12] [STO-13] [ANC-1]
//!
//! Claims: of each final block head, state, committees, credit with every item of its change,
//! records, acts with effect and data blocks are those of the log (I10); a change of credit is the
//! sum of its items (I11); every data block but the last of a window holds ten Item blocks, and
//! each Item block stands in one (I15); anchors are those of the log, one an epoch, in order (I16);
//! the questions about access have the answers that the log yields.

mod claims;

use std::collections::{BTreeMap, BTreeSet};

use mdsm_core::crypto::sign::{self, Scheme};
use mdsm_core::types::{OwnerId, Signature};

use crate::rules::ids::data_block_root;
use crate::rules::ledger::{Log, Signatures, Told, retell};
use crate::rules::mirror::{Anchor, Bytes32, DataBlock};
use crate::rules::wire::{Mirror, WireKind, decode};

pub use claims::{AccessClaims, Claims, HeightClaim, Reading, Serving, claims, log_of};

use super::{Verdict, claim};

/// The signatures of a scheme.
#[derive(Clone, Copy, Debug)]
pub struct By<S>(pub S);

impl<S: Scheme> Signatures for By<S> {
    fn holds(&self, key: &Bytes32, message: &[u8], signature: &[u8; 64]) -> bool {
        self.0.holds(&OwnerId::new(*key), message, &Signature::new(*signature))
    }

    fn is_sound(&self, key: &Bytes32) -> bool {
        sign::check_key(&OwnerId::new(*key)).is_ok()
    }
}

/// Holds the log to the rules, and the claims to the log.
///
/// # Errors
/// When either breaks, with the height and what it is.
pub fn ledger(log: &Log, claims: &Claims, signatures: &dyn Signatures) -> Result<Told, String> {
    let told = retell(log, signatures)?;
    if let Some(violation) = &told.violation {
        return Err(format!("log: {violation}"));
    }
    beside(&told, claims)?;
    Ok(told)
}

/// Holds claims to what a log yields.
///
/// # Errors
/// When they part, with the height and what it is.
pub fn beside(told: &Told, claims: &Claims) -> Verdict {
    let (found, expected) = (claims.heights.len(), told.blocks.len());
    claim(found == expected, || format!("claims: {found} blocks where the log has {expected}"))?;
    let mut credit = claims.founded.clone();
    for (says, yields) in claims.heights.iter().zip(&told.blocks) {
        let at = |what: &str| format!("block {}: {what}", yields.height);
        claim(says.height == yields.height, || at("another height"))?;
        claim(says.head == yields.head, || at("another head"))?;
        sums(says, &mut credit).map_err(|what| at(&what))?;
        for (id, credit) in &yields.credit {
            let found = says.credit.get(id);
            claim(found == Some(credit), || {
                at(&format!("credit of {id} is {found:?} where the log yields {credit}"))
            })?;
        }
        claim(says.credit.len() == yields.credit.len(), || at("credit of somebody unknown"))?;
        claim(says.changes == yields.changes, || at("other items of changes of credit"))?;
        claim(says.committees == yields.committees, || at("other committees"))?;
        claim(says.booked == yields.booked, || at("other records booked"))?;
        let acts = (says.acts, yields.acts.len());
        claim(acts.0 == acts.1, || {
            at(&format!("{} acts with effect, the log has {}", acts.0, acts.1))
        })?;
        cut(&says.cut, &yields.cut).map_err(|what| at(&what))?;
        claim(says.state == yields.state, || at("another digest of the state"))?;
    }
    whole(told, claims)?;
    anchors(told, claims)?;
    access(told, &claims.access)
}

/// The items of a change add up, beginning with the founders.
fn sums(says: &HeightClaim, credit: &mut BTreeMap<u32, i64>) -> Verdict {
    for (id, _, amount) in &says.changes {
        *credit.entry(*id).or_default() += amount;
    }
    for (id, sum) in credit.iter() {
        let found = says.credit.get(id).copied();
        claim(found == Some(*sum), || {
            format!("credit of {id} is {found:?} where the items add up to {sum}")
        })?;
    }
    Ok(())
}

fn cut(says: &[Vec<u8>], yields: &[DataBlock]) -> Verdict {
    let mut found = Vec::new();
    for bytes in says {
        let Mirror::DataBlock(block) = decode(WireKind::DataBlock, bytes)? else {
            return Err("a data block of another kind".to_owned());
        };
        found.push(block);
    }
    let sizes = |blocks: &[DataBlock]| -> Vec<usize> {
        blocks.iter().map(|block| block.item_blocks.len()).collect()
    };
    let (says, expected) = (sizes(&found), sizes(yields));
    claim(says == expected, || {
        format!("data blocks of {says:?} Item blocks where the log yields {expected:?}")
    })?;
    claim(found == yields, || "other data blocks".to_owned())
}

/// Each Item block of an epoch stands in one data block, and all but the last hold ten.
fn whole(told: &Told, claims: &Claims) -> Verdict {
    for epoch in &told.epochs {
        let of_epoch = told.blocks.iter().zip(&claims.heights);
        let of_epoch = of_epoch.filter(|(block, _)| block.epoch == epoch.seats.epoch);
        let cut: Vec<&Vec<u8>> = of_epoch.flat_map(|(_, says)| &says.cut).collect();
        let mut seen = BTreeSet::new();
        let mut roots = Vec::new();
        for (at, bytes) in cut.iter().enumerate() {
            let Mirror::DataBlock(block) = decode(WireKind::DataBlock, bytes)? else { continue };
            let count = block.item_blocks.len();
            let is_last = at + 1 == cut.len();
            let last = epoch.last;
            claim(count == 10 || is_last, || {
                format!("block {last}: a data block of {count} in the middle")
            })?;
            claim(block.item_blocks.iter().all(|root| seen.insert(*root)), || {
                format!("block {last}: an Item block stands in two data blocks")
            })?;
            roots.push(data_block_root(&block));
        }
        claim(roots == epoch.window.data_blocks, || {
            format!("block {}: the data blocks are not those of the window", epoch.last)
        })?;
    }
    Ok(())
}

fn anchors(told: &Told, claims: &Claims) -> Verdict {
    let (found, expected) = (claims.anchors.len(), told.epochs.len());
    claim(found == expected, || format!("{found} anchors where {expected} epochs have ended"))?;
    for (bytes, epoch) in claims.anchors.iter().zip(&told.epochs) {
        let number = epoch.seats.epoch;
        let at = |what: &str| format!("block {}: the anchor of epoch {number} {what}", epoch.last);
        let Mirror::Anchor(says) = decode(WireKind::Anchor, bytes)? else {
            return Err(at("is of another kind"));
        };
        let yields = &epoch.anchor;
        let Anchor { chain_id, epoch, window, head, state, next_committees } = &says;
        claim(*chain_id == yields.chain_id, || at("names another network"))?;
        claim(*epoch == yields.epoch, || at(&format!("names epoch {epoch}")))?;
        claim(*window == yields.window, || at("has another window"))?;
        claim(*head == yields.head, || at("has another head"))?;
        claim(*next_committees == yields.next_committees, || at("has other next committees"))?;
        claim(*state == yields.state, || at("has another state"))?;
    }
    Ok(())
}

fn access(told: &Told, claims: &AccessClaims) -> Verdict {
    for (owner, says) in &claims.readings {
        let yields = told.access.readings(owner);
        claim(*says == yields, || {
            let (found, expected) = (says.len(), yields.len());
            format!("access: {found} readings of an owner are not the {expected} of the log")
        })?;
    }
    for (grant, says) in &claims.services {
        let yields = told.access.service(grant);
        claim(*says == yields, || {
            format!("access: service {says:?} where the log has {yields:?}")
        })?;
    }
    claim(claims.bidding == told.access.bidding(), || {
        "access: other grants wait for bids".to_owned()
    })
}
