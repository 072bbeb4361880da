//! Time: the check is `.ci/constant-time`, which compares complete traces. Here stands what can be held
//! without it: that a draw looks at nothing but its own bytes and at all of its table, and that the
//! comparison goes to the end of the capsule.

use mdsm_core::reencryption::{ApproveError, Noise, Set, approve, bare};

use super::scene::{Party, coins, with_words};

#[test]
fn pre_1_9_samplers_and_comparison_leave_nothing_out() {
    //= harness/spec/reencryption.md#pre-1-scheme
    //= type=test
    //# PRE-1.9 (ours): Sampling of secrets and the comparison of a recomputed capsule MUST NOT branch on
    //# secret values nor use them as an index.
    // A sampler that rejects takes a number of bytes that depends on what it draws: then a longer draw
    // would not begin with the shorter one.
    let laws = [Set::S704, Set::S976, Set::S1344].map(|set| set.parameters().noise);
    for law in laws.into_iter().chain([Noise::Binomial]) {
        for number in 0..20 {
            let long = bare::draw(law, &coins(number), 1_000);
            for count in [1, 15, 16, 17, 511, 513] {
                assert_eq!(bare::draw(law, &coins(number), count), long[..count], "{law:?}");
            }
        }
    }
    // One bit in any place, alone or with the place before it put right, is seen: no early end, none late.
    let owner = Party::new(Set::Toy16, 1);
    let (sound, _) = owner.capsule(1);
    for place in 0..80 {
        for from in [0, place] {
            let mut words = sound.words().to_vec();
            words[from..=place].iter_mut().for_each(|word| *word ^= 1);
            let changed = with_words(&sound, words);
            let refused = approve((&owner.secret, &owner.public), &changed, &owner.signing);
            assert_eq!(refused.unwrap_err(), ApproveError::Malformed, "words {from} to {place}");
        }
    }
    // The lane runs, after the tools that it needs, and holds every law and both canaries.
    let read = |path: &str| {
        std::fs::read_to_string(format!("{}/../{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
    };
    let run = read(".ci/run");
    let (tools, lane) = (run.find("lane tools "), run.find("lane constant-time .ci/constant-time"));
    assert!(lane.is_some() && tools < lane);
    let program = read("benches/src/bin/constant_time.rs");
    for operation in [
        "draw-frodo-640",
        "draw-frodo-976",
        "draw-frodo-1344",
        "draw-binomial",
        "draw-flood",
        "approve-refuses",
        "canary-table",
        "canary-early-exit",
    ] {
        assert!(program.contains(&format!("(\"{operation}\", ")), "{operation}");
    }
}
