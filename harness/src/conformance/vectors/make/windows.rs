//! What the minutes cut and what the marks freeze: quiet, busy, late and idle chains. [STO-12] [STO-13] [CON-8]

use serde_json::{Value, json};

use super::super::super::class::Class;
use super::super::shape::VectorFile;
use super::{Maker, bytes, decimal, list_of_bytes, named, stream};
use crate::rules::chain::{Effect, Finalized, Periods, effects};
use crate::rules::ids::data_block_root;
use crate::seed::Draw as _;

pub(super) fn made() -> VectorFile {
    let mut maker = Maker::new(
        "windows",
        "Cutting and freezing: which Item blocks become data blocks at which block, and which windows freeze, from the times of finalized blocks.",
    );
    let flags = [
        (
            "minute-misread",
            "the check of a minute takes place at another block, or forgets the block's own Item block",
            "two nodes form different data blocks of one chain",
        ),
        (
            "remainder-mishandled",
            "fewer than 10 Item blocks are cut early, kept over a freeze, or lost",
            "what was final is not anchored",
        ),
        (
            "mark-misread",
            "an epoch ends at another block than the first at or past its mark",
            "two nodes freeze different windows",
        ),
        (
            "gap-mishandled",
            "a gap of several minutes or windows is made up for by several checks or freezes",
            "empty windows, or windows with other contents",
        ),
        (
            "genesis-unchecked",
            "periods and start of a network are not held to each other",
            "marks that no minute meets",
        ),
        (
            "time-unchecked",
            "a block need not be later than the one before",
            "the clock of the protocol runs backwards",
        ),
    ];
    for (name, bug, effect) in flags {
        maker.flag(name, bug, effect, None);
    }
    for (flag, id, steps, of) in schedules() {
        maker.finding(&[flag]);
        let blocks = blocks(&steps);
        let (args, ok) = (args(PAPER, &blocks), written(PAPER, &blocks));
        let of = [of, "CON-8.1", "CON-8.2"];
        maker.valid(format!("windows.{id}"), "windows", args, ok, &of);
    }
    let other = Periods { started_at: 0, minute_ms: 7, window_ms: 21 };
    let small: Vec<(i64, bool)> = (0..30).map(|at| (1 + at % 3, at % 4 != 3)).collect();
    let blocks = blocks_from(0, &small);
    maker.finding(&["mark-misread"]);
    let (args, ok) = (self::args(other, &blocks), written(other, &blocks));
    maker.valid("windows.other-periods", "windows", args, ok, &["STO-13.3"]);
    refused(&mut maker);
    maker.done()
}

/// The paper's periods, from a start that is a mark.
const PAPER: Periods =
    Periods { started_at: 1_767_225_600_000, minute_ms: 60_000, window_ms: 600_000 };

/// Milliseconds since the block before, and whether the block carries an Item block.
type Steps = Vec<(i64, bool)>;

fn schedules() -> Vec<(&'static str, String, Steps, &'static str)> {
    let (minute, remainder, mark, gap) =
        ("minute-misread", "remainder-mishandled", "mark-misread", "gap-mishandled");
    let steady = |count: usize| vec![(6_000, true); count];
    let mut all: Vec<(&'static str, String, Steps, &'static str)> = vec![
        (minute, "ten-turns-make-a-data-block".into(), steady(11), "STO-12.1"),
        (minute, "nine-turns-make-none".into(), steady(9), "STO-12.1"),
        (
            minute,
            "own-item-block-counts".into(),
            [vec![(100, true); 9], vec![(60_000, true)]].concat(),
            "STO-12.2",
        ),
        (minute, "ten-in-one-minute-wait-for-its-end".into(), vec![(100, true); 15], "STO-12.2"),
        (
            minute,
            "twenty-five-in-one-minute".into(),
            [vec![(100, true); 24], vec![(60_000, true)]].concat(),
            "STO-12.3",
        ),
        (
            minute,
            "last-millisecond-of-a-minute".into(),
            [vec![(100, true); 10], vec![(58_999, true), (1, false)]].concat(),
            "STO-12.2",
        ),
        (minute, "idle-turns".into(), (0..40).map(|at| (6_000, at % 3 == 0)).collect(), "STO-12.2"),
        (mark, "a-window-of-the-paper".into(), steady(101), "STO-13.1"),
        (
            mark,
            "exactly-at-the-mark".into(),
            vec![(599_999, true), (1, true), (6_000, true)],
            "STO-13.2",
        ),
        (
            mark,
            "a-millisecond-before-and-after".into(),
            vec![(599_999, true), (2, true), (599_998, true), (1, true)],
            "STO-13.2",
        ),
        (
            mark,
            "blocks-at-two-marks".into(),
            vec![(600_000, true), (600_000, true), (600_000, false)],
            "STO-13.3",
        ),
        (
            mark,
            "late-block-shifts-no-mark".into(),
            vec![(700_000, true), (499_999, true), (1, true)],
            "STO-13.3",
        ),
        (
            remainder,
            "one-item-block-in-a-window".into(),
            vec![(6_000, true), (594_000, false)],
            "STO-12.4",
        ),
        (
            remainder,
            "nine-item-blocks-in-a-window".into(),
            [steady(9), vec![(546_000, false)]].concat(),
            "STO-12.4",
        ),
        (
            remainder,
            "last-block-takes-the-rest".into(),
            [steady(13), vec![(522_000, true)]].concat(),
            "STO-12.4",
        ),
        (
            remainder,
            "last-block-cuts-tens-and-the-rest".into(),
            [vec![(100, true); 27], vec![(597_300, true)]].concat(),
            "STO-12.5",
        ),
        (
            remainder,
            "nothing-is-kept-over-a-freeze".into(),
            [steady(5), vec![(570_000, true)], steady(11)].concat(),
            "STO-12.5",
        ),
        (gap, "empty-window".into(), vec![(600_000, false)], "STO-13.5"),
        (
            gap,
            "empty-windows".into(),
            vec![(600_000, false), (600_000, false), (6_000, true)],
            "STO-13.5",
        ),
        (
            gap,
            "gap-of-minutes".into(),
            [vec![(100, true); 12], vec![(300_000, true)]].concat(),
            "STO-12.3",
        ),
        (
            gap,
            "gap-of-windows-is-one-epoch".into(),
            vec![(6_000, true), (3_000_000, true), (6_000, true), (600_000, true)],
            "STO-13.3",
        ),
        (
            gap,
            "first-block-years-later".into(),
            vec![(315_360_000_000, true), (6_000, true)],
            "STO-13.3",
        ),
    ];
    for seed in 0..5 {
        let mut draw = stream(&format!("windows/{seed}"));
        let gaps = [1, 5_999, 6_000, 6_000, 6_000, 6_001, 12_000, 30_000, 59_999, 60_000, 180_000];
        let mut step = || (*draw.pick(&gaps), draw.chance(3, 4));
        all.push((minute, format!("drawn-{seed}"), (0..60).map(|_| step()).collect(), "STO-12.6"));
    }
    all
}

fn blocks(steps: &[(i64, bool)]) -> Vec<Finalized> {
    blocks_from(PAPER.started_at, steps)
}

fn blocks_from(start: i64, steps: &[(i64, bool)]) -> Vec<Finalized> {
    let mut timestamp = start;
    let mut block = |(number, (gap, carries)): (usize, &(i64, bool))| {
        timestamp += gap;
        let item_block = carries.then(|| named(&format!("Item block {number}")));
        Finalized { timestamp, item_block }
    };
    steps.iter().enumerate().map(&mut block).collect()
}

fn args(periods: Periods, blocks: &[Finalized]) -> Value {
    let block = |Finalized { timestamp, item_block }: &Finalized| {
        let mut block = json!({"timestamp": decimal(timestamp)});
        if let Some(root) = item_block {
            block["item_block"] = bytes(root);
        }
        block
    };
    json!({
        "started_at": decimal(periods.started_at),
        "minute_ms": periods.minute_ms,
        "window_ms": periods.window_ms,
        "blocks": blocks.iter().map(block).collect::<Value>(),
    })
}

fn written(periods: Periods, blocks: &[Finalized]) -> Value {
    let block = |Effect { cut, frozen }: Effect| {
        let mut block = json!({"cut": list_of_bytes(cut.iter().map(data_block_root))});
        if let Some(frozen) = frozen {
            block["frozen"] = bytes(frozen.root);
        }
        block
    };
    json!({"blocks": effects(periods, blocks).into_iter().map(block).collect::<Value>()})
}

fn refused(maker: &mut Maker) {
    maker.finding(&["genesis-unchecked"]);
    let sound = args(PAPER, &blocks(&[(6_000, true)]));
    let periods: [(&str, &str, Value); 7] = [
        ("start-between-marks", "started_at", decimal(PAPER.started_at + 60_000)),
        ("start-a-millisecond-late", "started_at", decimal(PAPER.started_at + 1)),
        ("minute-of-0", "minute_ms", json!(0)),
        ("window-of-0", "window_ms", json!(0)),
        ("minute-does-not-divide-window", "minute_ms", json!(70_000)),
        ("window-shorter-than-minute", "window_ms", json!(30_000)),
        ("window-of-a-minute-and-a-half", "window_ms", json!(90_000)),
    ];
    for (id, field, value) in periods {
        let mut args = sound.clone();
        args[field] = value;
        maker.invalid(format!("windows.{id}"), "windows", args, &[Class::Refused], &["CON-8.3"]);
    }
    maker.finding(&["time-unchecked"]);
    let orders: [(&str, &[(i64, bool)]); 5] = [
        ("first-block-at-the-start", &[(0, true)]),
        ("first-block-before-the-start", &[(-1, true)]),
        ("two-blocks-of-one-time", &[(6_000, true), (0, true)]),
        ("block-before-its-parent", &[(6_000, true), (-1, false)]),
        ("block-at-the-time-of-the-last-of-an-epoch", &[(600_000, true), (0, true)]),
    ];
    for (id, steps) in orders {
        let args = args(PAPER, &blocks(steps));
        maker.invalid(format!("windows.{id}"), "windows", args, &[Class::Refused], &["STO-12.7"]);
    }
}
