//! Wrong data blocks and freezes. [STO-12] [STO-13] [CON-8]

use serde_json::{Value, json};

use super::{Wrong, rejection_of, result_of};
use crate::conformance::reference::Answer;
use crate::conformance::value::{Field, FieldError, bytes, list_of_bytes};
use crate::rules::ids::{data_block_root, window_root};
use crate::rules::mirror::{DataBlock, Window};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Bug {
    None,
    Nine,
    Eleven,
    RemainderLost,
    RemainderCarried,
    AtOnce,
    OwnLater,
    Once,
    Newest,
    MinuteElapsed,
    MarkPassed,
    MarkAtOnce,
    MarkSlides,
    GapMany,
    EmptySkipped,
    WaitingLost,
}

pub(super) const MUTANTS: &[(&str, Wrong)] = &[
    ("windows-nine", |op, args| Bug::Nine.answer(op, args)),
    ("windows-eleven", |op, args| Bug::Eleven.answer(op, args)),
    ("windows-remainder-lost", |op, args| Bug::RemainderLost.answer(op, args)),
    ("windows-remainder-carried", |op, args| Bug::RemainderCarried.answer(op, args)),
    ("windows-at-once", |op, args| Bug::AtOnce.answer(op, args)),
    ("windows-own-later", |op, args| Bug::OwnLater.answer(op, args)),
    ("windows-once", |op, args| Bug::Once.answer(op, args)),
    ("windows-newest", |op, args| Bug::Newest.answer(op, args)),
    ("windows-minute-elapsed", |op, args| Bug::MinuteElapsed.answer(op, args)),
    ("windows-mark-passed", |op, args| Bug::MarkPassed.answer(op, args)),
    ("windows-mark-at-once", |op, args| Bug::MarkAtOnce.answer(op, args)),
    ("windows-mark-slides", |op, args| Bug::MarkSlides.answer(op, args)),
    ("windows-gap-many", |op, args| Bug::GapMany.answer(op, args)),
    ("windows-empty-skipped", |op, args| Bug::EmptySkipped.answer(op, args)),
    ("windows-time-equal", |op, args| {
        let past = refused(op, args)?;
        let is_sound = past.is_start_sound() && past.are_periods_sound();
        (is_sound && past.rises(|one, next| one <= next)).then(|| past.told(Bug::None))
    }),
    ("windows-start-anywhere", |op, args| {
        let past = refused(op, args)?;
        let is_sound = past.are_periods_sound() && past.rises(|one, next| one < next);
        is_sound.then(|| past.told(Bug::None))
    }),
    ("windows-periods-any", |op, args| {
        let past = refused(op, args)?;
        let is_sound = past.minute_ms > 0 && past.window_ms > 0 && past.is_start_sound();
        (is_sound && past.rises(|one, next| one < next)).then(|| past.told(Bug::None))
    }),
];

fn refused(op: &str, args: &Value) -> Option<Past> {
    rejection_of("windows", op, args)?;
    Past::of(args, "item_block").ok()
}

impl Bug {
    pub(super) fn answer(self, op: &str, args: &Value) -> Option<Answer> {
        result_of("windows", op, args)?;
        Some(Past::of(args, "item_block").ok()?.told(self))
    }
}

/// A chain as far as freezing is concerned.
pub(super) struct Past {
    started_at: i64,
    minute_ms: i64,
    window_ms: i64,
    /// Time, and the root of the Item block.
    blocks: Vec<(i64, Option<[u8; 32]>)>,
}

/// What a block brings about: numbers of the blocks in each data block, and whether it ends an epoch.
pub(super) type Effect = (Vec<Vec<usize>>, bool);

impl Past {
    /// The chain in the arguments; `has_items` holds no root, so that a number stands for it.
    pub(super) fn of(args: &Value, item_block: &str) -> Result<Self, FieldError> {
        let field = Field::whole("args", args);
        let blocks = field.get("blocks")?.each(|block| {
            let timestamp: i64 = block.get("timestamp")?.decimal()?;
            let root = match block.find(item_block)? {
                Some(root) if item_block == "has_items" => root.yes()?.then_some([0; 32]),
                Some(root) => Some(root.array()?),
                None => None,
            };
            Ok::<_, FieldError>((timestamp, root))
        })?;
        let (minute_ms, window_ms): (u32, u32) =
            (field.get("minute_ms")?.integer()?, field.get("window_ms")?.integer()?);
        Ok(Self {
            started_at: field.get("started_at")?.decimal()?,
            minute_ms: minute_ms.into(),
            window_ms: window_ms.into(),
            blocks,
        })
    }

    fn is_start_sound(&self) -> bool {
        self.window_ms > 0 && self.started_at.rem_euclid(self.window_ms) == 0
    }

    fn are_periods_sound(&self) -> bool {
        self.minute_ms > 0 && self.window_ms > 0 && self.window_ms % self.minute_ms == 0
    }

    fn rises(&self, follows: impl Fn(i64, i64) -> bool) -> bool {
        let times: Vec<i64> = self.blocks.iter().map(|(time, _)| *time).collect();
        let all = [&[self.started_at], &times[..]].concat();
        all.windows(2).all(|pair| follows(pair[0], pair[1]))
    }

    fn mark(&self, behind: i64, bug: Bug) -> i64 {
        let window = self.window_ms;
        match bug {
            Bug::MarkAtOnce => (behind + window - 1).div_euclid(window) * window,
            Bug::MarkSlides => behind + window,
            _ => (behind.div_euclid(window) + 1) * window,
        }
    }

    pub(super) fn effects(&self, bug: Bug) -> Vec<Effect> {
        let (mut parent, mut mark) = (self.started_at, self.mark(self.started_at, bug));
        let (mut waiting, mut effects): (Vec<usize>, Vec<Effect>) = (Vec::new(), Vec::new());
        let full = match bug {
            Bug::Nine => 9,
            Bug::Eleven => 11,
            _ => 10,
        };
        for (number, (time, root)) in self.blocks.iter().enumerate() {
            let is_last = if bug == Bug::MarkPassed { *time > mark } else { *time >= mark };
            let own = root.map(|_| number);
            if bug != Bug::OwnLater {
                waiting.extend(own);
            }
            let minute = |time: i64| time.div_euclid(self.minute_ms);
            let is_check = match bug {
                Bug::AtOnce => true,
                Bug::MinuteElapsed => time - parent >= self.minute_ms,
                _ => minute(*time) != minute(parent),
            };
            let mut cut: Vec<Vec<usize>> = Vec::new();
            while is_check && waiting.len() >= full && (bug != Bug::Once || cut.is_empty()) {
                let first = if bug == Bug::Newest { waiting.len() - full } else { 0 };
                cut.push(waiting.drain(first..first + full).collect());
            }
            if is_check && bug == Bug::WaitingLost {
                waiting.clear();
            }
            if bug == Bug::OwnLater {
                waiting.extend(own);
            }
            if is_last {
                match bug {
                    Bug::RemainderCarried => {}
                    Bug::RemainderLost => waiting.clear(),
                    _ if waiting.is_empty() => {}
                    _ => cut.push(std::mem::take(&mut waiting)),
                }
                mark = match bug {
                    Bug::GapMany => mark + self.window_ms,
                    _ => self.mark(*time, bug),
                };
            }
            effects.push((cut, is_last));
            parent = *time;
        }
        effects
    }

    fn told(&self, bug: Bug) -> Answer {
        let (mut epoch, mut roots, mut written) = (0, Vec::new(), Vec::new());
        for (cut, is_last) in self.effects(bug) {
            let before = roots.len();
            for numbers in cut {
                let item_blocks =
                    numbers.iter().filter_map(|number| self.blocks[*number].1).collect();
                roots.push(data_block_root(&DataBlock { epoch, index: 0, item_blocks }));
            }
            let mut block = json!({"cut": list_of_bytes(&roots[before..])});
            if is_last {
                let data_blocks = std::mem::take(&mut roots);
                if bug != Bug::EmptySkipped || !data_blocks.is_empty() {
                    block["frozen"] = bytes(window_root(&Window { epoch, data_blocks }));
                }
                epoch += 1;
            }
            written.push(block);
        }
        Answer::Ok(json!({"blocks": written}))
    }
}
