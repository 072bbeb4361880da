//! Whose clock decides, and from what a network starts. [CON-8]

use harness::build::{self, Network};
use mdsm_core::chain::{Chain, StartError};
use mdsm_core::ledger::{Genesis, GenesisError};

#[test]
fn con_8_2_minutes_and_freezes_follow_the_blocks_and_no_machine() {
    //= harness/spec/consensus.md#con-8-clock
    //= type=test
    //# CON-8.1 (paper): The checks of a minute and the freeze MUST follow the clock of the protocol
    //# and not the clock of one machine.
    //= harness/spec/consensus.md#con-8-clock
    //= type=test
    //# CON-8.2 (ours): The clock of the protocol MUST be the timestamps of the finalized chain.
    // The same blocks applied now and applied later, fast and slow: nothing else goes in.
    let times = [6_000, 59_999, 60_000, 61_000, 300_000, 599_999, 600_001, 700_000, 1_260_000];
    let run = || {
        let mut network = Network::new();
        let applied: Vec<_> = times.iter().map(|ms| network.turn(*ms, 11)).collect();
        (applied, network.chain.state_digest())
    };
    assert_eq!(run(), run());
    let (applied, _) = run();
    let frozen: Vec<usize> = (0..times.len()).filter(|at| applied[*at].frozen.is_some()).collect();
    assert_eq!(frozen, [6, 8], "at the first block past each mark, by its own time");
}

#[test]
fn con_8_3_a_genesis_out_of_step_starts_nothing() {
    //= harness/spec/consensus.md#con-8-clock
    //= type=test
    //# CON-8.3 (ours): A genesis whose start is not a multiple of its window, or whose turn, minute
    //# and window are zero or do not divide one another in this order, MUST be refused.
    let start = |genesis: Genesis| Chain::new(genesis, &build::founders()).map(drop);
    assert_eq!(start(build::genesis()), Ok(()));
    let sound = build::genesis();
    let (turn_ms, minute_ms, window_ms) = (sound.turn_ms, sound.minute_ms, sound.window_ms);
    let periods = |turn_ms, minute_ms, window_ms| {
        let genesis = Genesis { turn_ms, minute_ms, window_ms, ..build::genesis() };
        let refused = GenesisError::Periods { turn_ms, minute_ms, window_ms };
        assert_eq!(start(genesis), Err(StartError::Genesis(refused)));
    };
    periods(0, minute_ms, window_ms);
    periods(turn_ms, 0, window_ms);
    periods(turn_ms, minute_ms, 0);
    periods(7_000, minute_ms, window_ms);
    periods(turn_ms, minute_ms, window_ms + minute_ms / 2);
    for ms in [1, 60_000, -1] {
        let started_at = build::after_start(ms);
        let refused = GenesisError::Start { started_at, window_ms };
        let genesis = Genesis { started_at, ..build::genesis() };
        assert_eq!(start(genesis), Err(StartError::Genesis(refused)));
    }
    // Founders that the genesis does not name.
    let mut founders = build::founders();
    founders[3].rating -= 1;
    let refused = Chain::new(build::genesis(), &founders).map(drop);
    assert!(matches!(refused, Err(StartError::Committees { .. })), "{refused:?}");
}
