//! Random schedules of everything that can happen, the oracle of `watch`, and machines with one rule
//! broken that it has to find.

use std::cell::RefCell;
use std::collections::BTreeMap;

use mdsm_core::anchoring::machine::{Bitcoin, FeeRate, Input, Stage};
use mdsm_core::ledger::AnchorReport;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use super::fault::{FAULTS, Fault};
use super::scene::{MINUTE, World, forged, output};

const EPOCHS: u32 = 5;

#[derive(Clone, Debug)]
enum Happening {
    Certify(u32),
    /// Another root for an epoch.
    Second(u32),
    Wait(i64),
    Mine,
    /// A block with only what pays this much.
    MineAbove(u32),
    /// Blocks removed; whether the other branch holds what waits.
    Reorganise(u32, bool),
    /// A stranger writes a forged root, or copies the right one.
    Forge(u32),
    Copy(u32),
    Silence(usize, bool),
    Restart(usize),
    FalseReport(u32),
    Estimate(u32),
}

fn happening() -> impl Strategy<Value = Happening> {
    use Happening::*;
    prop_oneof![
        3 => (0..EPOCHS).prop_map(Certify),
        1 => (0..EPOCHS).prop_map(Second),
        6 => (1..90_i64).prop_map(|minutes| Wait(minutes * MINUTE)),
        6 => Just(Mine),
        3 => (0..30_000_u32).prop_map(MineAbove),
        3 => (1..=8_u32, any::<bool>()).prop_map(|(depth, holds)| Reorganise(depth, holds)),
        1 => (0..EPOCHS).prop_map(Forge),
        1 => (0..EPOCHS).prop_map(Copy),
        2 => (0..3_usize, any::<bool>()).prop_map(|(index, silent)| Silence(index, silent)),
        1 => (0..3_usize).prop_map(Restart),
        1 => (0..EPOCHS).prop_map(FalseReport),
        1 => (0..250_000_u32).prop_map(Estimate),
    ]
}

fn play(fault: Fault, schedule: &[Happening]) -> World {
    let mut world = World::with(3, fault);
    for happening in schedule {
        match *happening {
            Happening::Certify(epoch) => world.certify(epoch),
            Happening::Second(epoch) => {
                if world.certified.iter().any(|known| known.epoch.get() == epoch) {
                    world.certify_as(forged(epoch, 0xdd));
                }
            }
            Happening::Wait(ms) => world.wait(ms),
            Happening::Mine => {
                world.mine();
            }
            Happening::MineAbove(rate) => {
                let script = world.miner.script.clone();
                world.chain.mine_if(&script, 0, |transaction, fee| {
                    let size = u64::try_from(transaction.vsize()).unwrap();
                    fee.to_sat() * 1_000 >= u64::from(rate) * size
                });
                world.wait(10 * MINUTE);
            }
            Happening::Reorganise(depth, holds) => world.reorganise(depth, |_| holds),
            Happening::Forge(epoch) => {
                world.strange(&forged(epoch, 0xee));
            }
            Happening::Copy(epoch) => {
                world.strange(&output(epoch));
            }
            Happening::Silence(index, silent) => world.producers[index].is_silent = silent,
            Happening::Restart(index) => world.restart(index),
            Happening::FalseReport(epoch) => {
                let output = output(epoch);
                let (txid, height) = (output.root, world.chain.height());
                world.reports.push(AnchorReport { epoch: output.epoch, txid, height });
            }
            Happening::Estimate(rate) => {
                for index in 0..world.producers.len() {
                    let estimate = Bitcoin::Estimate(FeeRate::new(rate));
                    world.tell(index, Input::Bitcoin(estimate));
                }
            }
        }
    }
    world
}

/// First let things go wrong and see that nothing forbidden is done; then let all be well and see that
/// every certified anchor gets final.
fn judge(fault: Fault, schedule: &[Happening]) -> (World, Vec<String>) {
    let mut world = play(fault, schedule);
    for producer in &mut world.producers {
        producer.is_silent = false;
    }
    // Four times round, in hours, and six blocks.
    for _ in 0..(4 * 3 * 6 + 6) {
        world.mine();
    }
    let mut wrong = world.watch.wrong.clone();
    for output in &world.certified {
        for index in 0..world.producers.len() {
            let stage = world.stage(index, output.epoch.get());
            let Stage::Final(place) = stage else {
                wrong.push(format!("producer {index}: epoch {} is {stage:?}", output.epoch));
                continue;
            };
            let stands = world.find(&place.txid).map(|found| (found.0.output, found.1));
            let is_told = world.watch.finals.get(&(index, output.epoch)) == Some(&place);
            if stands != Some((*output, place)) || !is_told {
                wrong.push(format!("producer {index}: final at {place:?}, found {stands:?}"));
            }
        }
    }
    (world, wrong)
}

fn runner(cases: u32, seed: u8) -> TestRunner {
    let config =
        Config { cases, failure_persistence: None, max_shrink_iters: 60, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]))
}

fn schedules() -> impl Strategy<Value = Vec<Happening>> {
    prop::collection::vec(happening(), 1..60)
}

#[test]
fn anchors_are_right_under_every_schedule_and_final_once_bitcoin_confirms() {
    let sometimes: RefCell<BTreeMap<&'static str, u64>> = RefCell::default();
    let result = runner(96, 4).run(&schedules(), |schedule| {
        let (world, wrong) = judge(Fault::None, &schedule);
        for (name, count) in world.watch.sometimes {
            *sometimes.borrow_mut().entry(name).or_default() += count;
        }
        if wrong.is_empty() { Ok(()) } else { Err(TestCaseError::fail(wrong.join("\n"))) }
    });
    if let Err(TestError::Fail(why, schedule)) = result {
        panic!("{why}\nschedule: {schedule:?}");
    }
    // Everything that can be asked for was asked for.
    let sometimes = sometimes.into_inner();
    println!("{sometimes:?}");
    for name in
        ["new", "replaced", "again", "final", "foreign", "alarm", "look", "release", "report"]
    {
        assert!(sometimes.contains_key(name), "{name}: {sometimes:?}");
    }
}

/// The canary: a machine with one rule broken does not pass.
#[test]
fn a_machine_with_one_rule_broken_is_found() {
    for fault in FAULTS {
        let cases = RefCell::new(0);
        let result = runner(64, 4).run(&schedules(), |schedule| {
            *cases.borrow_mut() += 1;
            let (_, wrong) = judge(fault, &schedule);
            if wrong.is_empty() { Ok(()) } else { Err(TestCaseError::fail(wrong[0].clone())) }
        });
        let Err(TestError::Fail(why, schedule)) = result else {
            panic!("{fault:?} passes {} schedules", cases.into_inner());
        };
        let expected = match fault {
            Fault::None => unreachable!("not among the faults"),
            Fault::Hasty => "final below six confirmations",
            Fault::TwoFaced => "submitted another root",
            Fault::Spender => "live for epoch",
            Fault::Greedy => "submitted what stands in a block",
            Fault::Credulous => "final without an anchor",
            Fault::Early => "submitted before the certificate",
            Fault::Lazy => "is Waiting",
        };
        println!("{fault:?}: {} steps: {why}", schedule.len());
        assert!(why.to_string().contains(expected), "{fault:?}: {why}");
    }
}
