//! Layers L2 and L3 in profile `paper`: nodes that lie are found, each by the claim that its lie breaks.

use std::sync::atomic::{AtomicU64, Ordering};

use harness::conformance::network::{Asked, Claim, Scenario};
use harness::conformance::subject::Interrupt;
use serde_json::{Value, json};

use crate::nodes::{against, flip, institution, run, seen};

const CALM: Asked = Asked::Alone(Scenario::Calm, Claim::Agrees);

#[test]
fn the_reference_conforms_while_it_crashes_and_while_a_producer_runs_twice() {
    for scenario in [Scenario::Crashes, Scenario::TwinProducer] {
        let (ran, ended) = run(Asked::Alone(scenario, Claim::Agrees), |_, _, _| {});
        assert_eq!(ended, Ok(()));
        for claim in Claim::ALL {
            let said = ran.judge(Asked::Alone(scenario, claim)).unwrap();
            assert!(said.starts_with("1 runs: "), "{said}");
            assert!(!said.contains("NOT DETERMINISTIC"), "{said}");
        }
    }
}

/// Lies that each break another claim, told at once.
#[test]
fn each_lie_is_found_by_its_claim() {
    let (ran, ended) = run(CALM, |network, step, reply| {
        let who = institution(network, step);
        for block in seen(reply, "final") {
            if who == 3 && block["height"] == "7" {
                flip(block, "block");
            }
            if block["height"] == "9" {
                block.insert("auditors".to_owned(), json!([5]));
            }
            if block["height"] == "11" {
                block.insert("producer".to_owned(), json!(9));
            }
            for record in block["records"].as_array_mut().unwrap() {
                record["booked_by"] = json!(10);
            }
        }
        for window in seen(reply, "frozen") {
            if who == 4 {
                flip(window, "root");
                window["credit"][0]["points"] = json!("1");
                window["producers"].as_array_mut().unwrap().swap(0, 1);
            }
        }
        seen(reply, "anchor").for_each(|anchor| flip(anchor, "root"));
    });
    assert_eq!(ended, Ok(()));
    for (claim, words) in [
        (Claim::Agrees, "institution 3 finalizes another block at height 7"),
        (Claim::Books, "said to be booked by 10, which never accepted it"),
        (Claim::TakesTurns, "block 11 is by 9, who has no producer's seat"),
        (Claim::Audits, "block 9 names the auditors {5}"),
        (Claim::Freezes, "institution 4 freezes window 0 otherwise"),
        (Claim::Anchors, "another root than the frozen one"),
        (Claim::Counts, "9 signed 1 blocks, counted are 0"),
        (Claim::Credits, "institution 4 has other credit at window 0"),
        (Claim::Seats, "institution 4 has other committees behind window 0"),
    ] {
        let said = against(&ran, Asked::Alone(Scenario::Calm, claim)).unwrap_or_default();
        assert!(said.contains(words), "{claim:?}: {said}");
    }
    assert_eq!(against(&ran, Asked::Alone(Scenario::Calm, Claim::Lives)), None);
}

#[test]
fn credit_that_does_not_move_and_windows_that_end_anywhere_are_found() {
    let (ran, ended) = run(CALM, |_, _, reply| {
        for window in seen(reply, "frozen") {
            for account in window["credit"].as_array_mut().unwrap() {
                account["points"] = json!("50");
            }
            let last: u64 = window["last"].as_str().unwrap().parse().unwrap();
            window.insert("last".to_owned(), json!((last - 5).to_string()));
        }
    });
    assert_eq!(ended, Ok(()));
    let credits = against(&ran, Asked::Alone(Scenario::Calm, Claim::Credits)).unwrap();
    assert!(credits.contains("for each point of the rating"), "{credits}");
    let freezes = against(&ran, Asked::Alone(Scenario::Calm, Claim::Freezes)).unwrap();
    assert!(freezes.contains("which the times of the blocks do not say"), "{freezes}");
}

#[test]
fn nodes_that_say_nothing_do_not_live() {
    let (ran, ended) = run(CALM, |_, _, reply| {
        reply.remove("outbox");
    });
    assert_eq!(ended, Ok(()));
    let said = against(&ran, Asked::Alone(Scenario::Calm, Claim::Lives)).unwrap();
    assert!(said.contains("not every node is at block"), "{said}");
}

#[test]
fn an_adapter_that_is_not_deterministic_is_called_so_and_judged_all_the_same() {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let (ran, ended) = run(CALM, |_, _, reply| {
        reply.insert("extra".to_owned(), json!(COUNT.fetch_add(1, Ordering::Relaxed)));
    });
    assert_eq!(ended, Ok(()));
    let said = ran.judge(CALM).unwrap();
    assert!(said.contains("NOT DETERMINISTIC: seeds 1"), "{said}");
}

#[test]
fn what_departs_from_the_page_ends_the_scenario_and_is_named() {
    let shape = |lie| match run(CALM, lie).1 {
        Err(Interrupt::Broken(what)) => what,
        other => panic!("{other:?}"),
    };
    let timers = shape(|_, _, reply| {
        reply.insert("timers".to_owned(), json!([{"timer": 1, "after_ms": 1}]));
    });
    assert!(timers.contains("of node 0: ok.timers[0].timer: a string is expected"), "{timers}");
    let seen = shape(|_, _, reply| {
        reply.insert("seen".to_owned(), json!([{"final": {"height": 1}}]));
    });
    assert!(seen.contains("ok.seen[0].final: the field `block` is missing"), "{seen}");
    let disk = shape(|_, _, reply| {
        let megabyte = "00".repeat(1 << 20);
        reply.insert("append".to_owned(), Value::from(vec![megabyte; 5]));
    });
    assert!(disk.contains("keeps 5243200 bytes, 4194304 at most"), "{disk}");
    let storm = shape(|_, _, reply| {
        let many = json!({"to": (1..=10).collect::<Vec<u32>>(), "message": "00"});
        reply.insert("outbox".to_owned(), Value::from(vec![many; 4_096]));
    });
    assert!(storm.contains("at most 500000 messages and timers"), "{storm}");
    let restless = shape(|_, _, reply| {
        reply.insert("timers".to_owned(), json!([{"timer": "0", "after_ms": 0}]));
    });
    assert!(restless.contains("at most 50000 steps"), "{restless}");
}
