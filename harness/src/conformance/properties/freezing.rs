//! Data blocks by the minute and windows by the ten minutes. [STO-10] [STO-12] [STO-13]

use serde_json::json;

use super::draw::{draws, field};
use super::{Property, claim};
use crate::conformance::sentences::REFERENCE;
use crate::conformance::subject::{Interrupt, Subject};
use crate::seed::Draw as _;

pub(super) const PROPERTIES: &[Property] = &[
    Property {
        id: "paper.minutes.tens-and-freezes",
        title: "data blocks hold 10 Item blocks but for the one that closes a window; each is in one, in order",
        requirements: &["STO-10.1", "STO-12.1", "STO-13.1", "CON-8.1"],
        ops: &["paper.minutes"],
        check: tens_and_freezes,
    },
    Property {
        id: "paper.minutes.the-past-stays",
        title: "later blocks change nothing about data blocks and windows that were formed before",
        requirements: &["STO-13.1", "COM-9.1"],
        ops: &["paper.minutes"],
        check: the_past_stays,
    },
];

const STARTED_AT: i64 = 1_700_000_400_000;
const MINUTE_MS: u32 = 60_000;
const WINDOW_MS: u32 = 600_000;

#[derive(Debug)]
struct Formed {
    data_blocks: Vec<Vec<usize>>,
    windows: Vec<Vec<usize>>,
}

fn formed(subject: &mut Subject<'_>, blocks: &[(i64, bool)]) -> Result<Formed, Interrupt> {
    let list: Vec<_> = blocks
        .iter()
        .map(|(timestamp, has_items)| json!({"timestamp": timestamp.to_string(), "has_items": has_items}))
        .collect();
    let args = json!({
        "started_at": STARTED_AT.to_string(), "minute_ms": MINUTE_MS, "window_ms": WINDOW_MS, "blocks": list,
    });
    let result = subject.call("paper.minutes", args)?;
    let indices = |name: &str| {
        field(&result, name, |list| {
            list.each(|list| {
                list.each(|index| {
                    index.integer::<u32>().map(|index| usize::try_from(index).unwrap_or(usize::MAX))
                })
            })
        })
    };
    Ok(Formed { data_blocks: indices("data_blocks")?, windows: indices("windows")? })
}

/// A chain at the paper's pace with idle turns, missed turns and a pause of some minutes.
fn chain(subject: &Subject<'_>) -> Vec<(i64, bool)> {
    let mut draw = draws(subject);
    let mut blocks = Vec::new();
    let mut now = STARTED_AT;
    let idle = *draw.pick(&[1, 3, 8]);
    let turns = 260 + draw.below(80);
    for _ in 0..turns {
        now += 6_000 * i64::from(1 + draw.below(10) / 9);
        if draw.below(120) == 0 {
            now += 60_000 * i64::from(draw.between(2, 5));
        }
        blocks.push((now, draw.below(10) >= idle));
    }
    blocks
}

fn tens_and_freezes(subject: &mut Subject<'_>) -> Result<String, Interrupt> {
    let blocks = chain(subject);
    let Formed { data_blocks, windows } = formed(subject, &blocks)?;
    let reading =
        subject.hello().readings.get("AMB-STO-12").map_or(REFERENCE, String::as_str).to_owned();
    let minute = |at: usize| blocks[at].0.div_euclid(MINUTE_MS.into());
    let of_items: Vec<usize> = (0..blocks.len()).filter(|at| blocks[*at].1).collect();
    let placed: Vec<usize> = data_blocks.concat();
    claim(of_items.starts_with(&placed), || {
        "Item blocks are not taken in order, each once, into data blocks".to_owned()
    })?;
    let frozen: Vec<usize> = windows.concat();
    claim(frozen.iter().copied().eq(0..frozen.len()) && frozen.len() <= data_blocks.len(), || {
        "data blocks are not taken in order, each once, into windows".to_owned()
    })?;
    let mut last_of_window: Vec<usize> = Vec::new();
    let mut taken = 0;
    for window in &windows {
        taken += window.len();
        last_of_window.extend(taken.checked_sub(1).filter(|_| !window.is_empty()));
    }
    for (at, block) in data_blocks.iter().enumerate() {
        let closes = last_of_window.contains(&at);
        let is_right = match reading.as_str() {
            "R2" => (1..=10).contains(&block.len()),
            _ => block.len() == 10 || closes && (1..10).contains(&block.len()),
        };
        claim(is_right, || format!("data block {at} holds {} Item blocks", block.len()))?;
    }
    // Marks that lie behind some block have frozen a window each, but for marks that one pause skipped.
    let last = blocks.last().map_or(STARTED_AT, |(timestamp, _)| *timestamp);
    let marks = (last - STARTED_AT) / i64::from(WINDOW_MS);
    let count = i64::try_from(windows.len()).unwrap_or(i64::MAX);
    claim(count >= 1 && count <= marks, || {
        format!("{count} windows where {marks} marks have passed")
    })?;
    // Ten Item blocks that existed at the check of a minute are in a data block.
    let waiting = &of_items[placed.len()..];
    let now = minute(blocks.len() - 1);
    let due = waiting.iter().filter(|at| minute(**at) < now).count();
    claim(due < 10, || format!("{due} Item blocks of past minutes are in no data block"))?;
    Ok(format!(
        "{} blocks, {} data blocks, {} windows",
        blocks.len(),
        data_blocks.len(),
        windows.len()
    ))
}

fn the_past_stays(subject: &mut Subject<'_>) -> Result<String, Interrupt> {
    let blocks = chain(subject);
    let whole = formed(subject, &blocks)?;
    let cuts = [blocks.len() / 4, blocks.len() / 2, blocks.len() - 1];
    for cut in cuts {
        let part = formed(subject, &blocks[..cut])?;
        claim(whole.data_blocks.starts_with(&part.data_blocks), || {
            format!("data blocks of the first {cut} blocks change with what comes behind")
        })?;
        claim(whole.windows.starts_with(&part.windows), || {
            format!("windows of the first {cut} blocks change with what comes behind")
        })?;
    }
    Ok(format!("{} prefixes of {} blocks", cuts.len(), blocks.len()))
}
