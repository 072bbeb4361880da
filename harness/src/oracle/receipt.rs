//! A receipt up to Bitcoin's headers, beside the rules. [ANC-2] [STO-11]

use std::sync::LazyLock;

use mdsm_core::anchoring::{ChainParameters, HeaderChain, ProofError, examine, opentimestamps};
use mdsm_core::codec::Wire as _;
use mdsm_core::crypto::sign::{check_key, verify};
use mdsm_core::ledger;
use mdsm_core::types::{OwnerId, Signature};

use super::{Verdict, claim, decode};
use crate::generate::sound::sound;
use crate::rules::headers::{genesis, mine};
use crate::rules::merkle::sha256;
use crate::rules::mirror::{Bytes32, Receipt};
use crate::rules::ots::interpret;
use crate::rules::receipt::{self as rules, Fault, anchor_root_of, bitcoin_root};
use crate::rules::wire::{self, Mirror, WireKind};
use crate::seed::Seed;

/// Holds decoding, the anchor root, the first failing check and the confirmation to the rules.
///
/// An input rarely carries a good signature, behind which the checks of the Bitcoin part stand. So
/// the Bitcoin part is examined a second time as part of a receipt that is otherwise sound.
pub fn receipt(bytes: &[u8]) -> Verdict {
    decode(WireKind::Receipt, bytes)?;
    let Ok(Mirror::Receipt(given)) = wire::decode(WireKind::Receipt, bytes) else { return Ok(()) };
    examined(&given, None)?;
    let other = sha256(&[b"another content"]);
    examined(&given, Some(&other))?;
    let mut grafted = SOUND.clone();
    grafted.bitcoin = given.bitcoin;
    examined(&grafted, None)
}

static SOUND: LazyLock<Receipt> =
    LazyLock::new(|| sound(&mut Seed::new(1).stream("oracle/receipt")).receipt);

fn examined(receipt: &Receipt, content: Option<&[u8]>) -> Verdict {
    let bytes = Mirror::from(receipt.clone()).encode();
    let decoded = ledger::Receipt::from_bytes(&bytes)
        .map_err(|error| format!("Receipt: what the rules accept is refused: {error}"))?;
    let root = decoded.anchor_root().ok().map(|root| *root.as_bytes());
    let root_expected = anchor_root_of(receipt);
    claim(root == root_expected, || {
        format!("Receipt: anchor root {root:02x?} where the rules have {root_expected:02x?}")
    })?;
    let found = examine(&decoded, content);
    let outcome = match &found {
        Ok(claimed) => Ok(*claimed.anchor_root.as_bytes()),
        Err(error) => Err(fault(error)),
    };
    let expected = expected(receipt, content);
    claim(outcome == expected, || {
        format!("Receipt: examined as {found:?} where the rules have {expected:02x?}")
    })?;
    let Ok(claimed) = found else { return Ok(()) };
    let file = opentimestamps(&decoded).map_err(|error| format!("Receipt: sound, yet {error}"))?;
    stamped(receipt, &file)?;
    confirmed(receipt, &claimed)
}

/// The rules' answer; the digest of a content given is compared before the signature is checked.
fn expected(receipt: &Receipt, content: Option<&[u8]>) -> Result<Bytes32, Fault> {
    anchor_root_of(receipt).ok_or(Fault::WrongShape)?;
    match content {
        Some(content) if rules::content_digest(receipt) != sha256(&[content]) => {
            Err(Fault::AnotherContent)
        }
        _ => rules::examine(receipt, signature_holds(receipt)),
    }
}

/// The signature over the rules' message; only the arithmetic of the curve is the reference's.
fn signature_holds(receipt: &Receipt) -> bool {
    let owner = OwnerId::new(receipt.booking.owner);
    let signature = Signature::new(receipt.booking.owner_signature);
    check_key(&owner).is_ok() && verify(&owner, &rules::signed_message(receipt), &signature).is_ok()
}

fn fault(error: &ProofError) -> Fault {
    match error {
        ProofError::Shape(_) => Fault::WrongShape,
        ProofError::Content { .. } => Fault::AnotherContent,
        ProofError::Owner(_) => Fault::BadSignature,
        ProofError::NotAnchored => Fault::NotAnchored,
        ProofError::InnerNode
        | ProofError::Transaction
        | ProofError::Outputs { .. }
        | ProofError::Output(_) => Fault::BadTransaction,
        ProofError::Epoch { .. } => Fault::AnotherEpoch,
        ProofError::Root { .. } => Fault::AnotherRoot,
    }
}

/// The OpenTimestamps file leads from the content's digest to the same root as the proof.
fn stamped(receipt: &Receipt, file: &[u8]) -> Verdict {
    let stamp = interpret(file).map_err(|error| format!("OpenTimestamps: {error}"))?;
    let Some(proof) = &receipt.bitcoin else { return Ok(()) };
    let leads_there = bitcoin_root(proof).is_none_or(|root| stamp.message == root);
    let is_whole = stamp.digest == rules::content_digest(receipt)
        && stamp.height == u64::from(proof.height)
        && leads_there;
    claim(is_whole, || format!("OpenTimestamps: {stamp:02x?} for another receipt"))
}

/// A chain whose block 1 has the root that the proof leads to confirms it there, once, and nowhere
/// else.
fn confirmed(receipt: &Receipt, claimed: &mdsm_core::anchoring::Claim<'_>) -> Verdict {
    let Some(proof) = &receipt.bitcoin else {
        return Err("Receipt: sound without a Bitcoin part".to_owned());
    };
    let root = bitcoin_root(proof);
    let first = genesis();
    let block = mine(&first, &root.unwrap_or([0; 32]));
    let chain = HeaderChain::from_bytes(&[first, block].concat(), ChainParameters::Regtest)
        .map_err(|error| format!("headers: a chain by the rules is refused: {error}"))?;
    let holds = root.is_some() && proof.height == 1;
    let existed = claimed.confirm(&chain, 1);
    claim(existed.is_ok() == holds, || {
        format!("Receipt: confirmed as {existed:?}, the rules say {holds}")
    })?;
    claim(claimed.confirm(&chain, 2).is_err(), || "Receipt: 1 confirmation passes for 2".to_owned())
}
