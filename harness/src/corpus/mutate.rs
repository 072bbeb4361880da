//! Mutations that know the format: what a fuzzer that flips bytes finds only by luck.

use super::Target;
use crate::generate::alter::altered_once;
use crate::generate::sound::sound;
use crate::generate::spoil::spoilt;
use crate::generate::values::{Scale, value};
use crate::rules::agreement::commitment;
use crate::rules::mirror::Receipt;
use crate::rules::wire::{Mirror, WireKind, decode};
use crate::seed::{Draw, Seed};

/// Another input for a target, made from `bytes` and a seed; `None` when this seed, or this target,
/// leaves the mutation to the fuzzer. The canary gets no help.
#[must_use]
pub fn mutated(target: Target, bytes: &[u8], seed: u32) -> Option<Vec<u8>> {
    let mut draw = Seed::new(seed.into()).stream("corpus/mutate");
    if !draw.chance(1, 8) {
        return None;
    }
    let kind = match target {
        Target::Wire(kind) => kind,
        Target::ReceiptExamine => WireKind::Receipt,
        _ => return None,
    };
    if target == Target::ReceiptExamine && draw.chance(1, 2) {
        return Some(Mirror::from(altered_once(&mut draw).receipt).encode());
    }
    match draw.below(3) {
        0 => Some(value(kind, Scale::Small, &mut draw).encode()),
        1 => {
            let faults = spoilt(kind, Scale::Small, &mut draw);
            Some(draw.pick(&faults).bytes.clone())
        }
        _ => mended(&decode(kind, bytes).ok()?, &mut draw),
    }
}

/// A valid value whose parts are made to agree again after bytes were flipped in one of them, so
/// that checks behind the first comparison are reached.
fn mended(value: &Mirror, draw: &mut impl rand_chacha::rand_core::Rng) -> Option<Vec<u8>> {
    let mut value = value.clone();
    match &mut value {
        Mirror::Block(block) => {
            block.header.payload = commitment(&block.payload);
        }
        Mirror::Proposal(proposal) => {
            proposal.signed.header.payload = commitment(&proposal.payload);
        }
        Mirror::Receipt(receipt) => {
            let Receipt { chain_id, booking, position, path, .. } = sound(draw).receipt;
            (receipt.chain_id, receipt.booking) = (chain_id, booking);
            (receipt.position, receipt.path) = (position, path);
        }
        _ => return None,
    }
    Some(value.encode())
}
