//! Inputs in any order, sound or not: a driver that is confused, a Bitcoin that lies.

use std::collections::BTreeMap;

use mdsm_core::anchoring::machine::{
    Bitcoin, BlockRef, Effect, FeeRate, Input, Refusal, Sighting, Submitter,
};
use mdsm_core::ledger::{AnchorOutput, AnchorReport};
use mdsm_core::types::{Digest, Epoch, InstitutionId, Timestamp};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::scene::{forged, output};

/// What an input is made of: which, three small numbers, and the time.
type Raw = (u8, u8, u8, u8, i64);

fn digest(kind: u8, number: u8) -> Digest {
    let mut bytes = [kind; 32];
    bytes[0] = number;
    Digest::new(bytes)
}

fn said(epoch: u8, root: u8) -> AnchorOutput {
    let epoch = u32::from(epoch % 4);
    if root.is_multiple_of(3) { forged(epoch, root) } else { output(epoch) }
}

/// Half of the blocks stand on the tip, or are it.
fn input((which, a, b, c, _): Raw, below: &[BlockRef]) -> Input {
    let tip = below.last().copied();
    let sighting = Sighting { txid: digest(1, b % 8), output: said(a, c) };
    let epoch = Epoch::new(u32::from(a % 4));
    let number = u32::from(b % 6);
    match which % 13 {
        0 => Input::Certified {
            output: said(a, b),
            duty: (0..u32::from(c % 4)).map(InstitutionId::new).collect(),
        },
        1 => Input::Resumed { sighting, rate: FeeRate::new(u32::from(b) * 1_000) },
        2..=4 => {
            let (height, parent) = match tip {
                Some(tip) if which % 2 == 0 => (tip.height.wrapping_add(1), tip.hash),
                _ => (u32::MAX - u32::from(a % 3), digest(2, b % 4)),
            };
            let block = BlockRef { height, hash: digest(3, c), parent };
            let sightings = vec![sighting; usize::from(c % 3)];
            Input::Bitcoin(Bitcoin::Connected { block, sightings })
        }
        5 => {
            let stranger = BlockRef { height: 0, hash: digest(3, c), parent: digest(3, b) };
            Input::Bitcoin(Bitcoin::Disconnected(tip.unwrap_or(stranger)))
        }
        6 => {
            let (height, block) = (u32::from(b), digest(3, c));
            Input::Bitcoin(Bitcoin::Found { sighting, height, block })
        }
        7 => Input::Bitcoin(Bitcoin::Dropped(digest(1, b % 8))),
        8 => Input::Bitcoin(Bitcoin::Accepted { epoch, number, txid: digest(1, c % 8) }),
        9 => {
            let all = [Refusal::Fee, Refusal::Coin, Refusal::Empty, Refusal::Other];
            let refusal = all[usize::from(c % 4)];
            Input::Bitcoin(Bitcoin::Refused { epoch, number, refusal })
        }
        10 => {
            let (txid, height) = (digest(1, b % 8), u32::from(c));
            Input::Reported(AnchorReport { epoch, txid, height })
        }
        11 => Input::Bitcoin(Bitcoin::Estimate(FeeRate::new(u32::from(c) << 24))),
        _ => Input::Time,
    }
}

#[test]
fn inputs_in_any_order_neither_panic_nor_make_two_roots_nor_hurry_finality() {
    let config = Config { cases: 512, failure_persistence: None, ..Config::default() };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[8; 32]);
    let times = prop_oneof![Just(i64::MIN), Just(i64::MAX), -9_000_000..9_000_000_i64];
    let raw = (any::<u8>(), any::<u8>(), any::<u8>(), any::<u8>(), times);
    let mut sometimes: BTreeMap<&str, u32> = BTreeMap::new();
    let counted = std::cell::RefCell::new(&mut sometimes);
    let result = TestRunner::new_with_rng(config, rng).run(
        &prop::collection::vec(raw, 1..200),
        |schedule| {
            let mut machine = Submitter::new(InstitutionId::new(0));
            let mut roots: BTreeMap<Epoch, Digest> = BTreeMap::new();
            let (mut blocks, mut tip): (Vec<BlockRef>, u32) = (Vec::new(), 0);
            for raw in schedule {
                let input = input(raw, &blocks);
                let (before, mut effects) = (machine.clone(), Vec::new());
                let result = machine.step(Timestamp::new(raw.4), input.clone(), &mut effects);
                if result.is_err() {
                    prop_assert!(machine == before && effects.is_empty(), "{result:?}");
                    *counted.borrow_mut().entry("refused").or_default() += 1;
                    continue;
                }
                match &input {
                    Input::Certified { output, .. } => {
                        roots.entry(output.epoch).or_insert(output.root);
                    }
                    Input::Bitcoin(Bitcoin::Connected { block, .. }) => {
                        tip = block.height;
                        blocks.push(*block);
                    }
                    Input::Bitcoin(Bitcoin::Disconnected(block)) => {
                        tip = block.height - 1;
                        blocks.pop();
                    }
                    _ => {}
                }
                for effect in &effects {
                    match effect {
                        Effect::Submit(request) => {
                            let AnchorOutput { epoch, root } = request.output;
                            prop_assert_eq!(roots.get(&epoch), Some(&root));
                            *counted.borrow_mut().entry("submit").or_default() += 1;
                        }
                        Effect::Final { output, place } => {
                            prop_assert_eq!(roots.get(&output.epoch), Some(&output.root));
                            prop_assert!(tip - place.height >= 5, "{place:?} below {tip}");
                            *counted.borrow_mut().entry("final").or_default() += 1;
                        }
                        _ => {}
                    }
                }
                prop_assert!(machine.held() <= 4);
            }
            Ok(())
        },
    );
    assert_eq!(result, Ok(()));
    println!("{sometimes:?}");
    for name in ["refused", "submit", "final"] {
        assert!(sometimes.contains_key(name), "{name}: {sometimes:?}");
    }
}
