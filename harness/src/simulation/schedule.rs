//! A run as text: one line for everything that deviates from a run without faults. What is not named
//! does not happen; every message that no line names takes the nominal time.
//!
//! ```text
//! mdsm schedule 1
//! network producers 4 auditors 4 turn 1000 delay 200 epoch 20000
//! seed 17                         the coins of strategies
//! rules QuorumTooSmall            the rule that is broken, if one is
//! signatures real                 Ed25519; ideal ones without this line
//! links 6 0 100 0 0 6000          base jitter loss twice late late_ms; drawn unless `scripted`
//! scripted                        messages do as the lines below say
//! until 4000 9000                 faults end, the run ends
//! clock 3 -120 12                 institution, milliseconds ahead, thousandths too fast
//! faulty 5 Equivocator
//! twin 8
//! at 1200 crash 3 torn            node
//! at 1500 restart 3
//! lose 1 5 00c0ffee00c0ffee 0     from, to, mark, attempt; what it says behind `#`
//! take 1 5 00c0ffee00c0ffee 0 250 milliseconds; a second number is a second copy, so much later
//! ```

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::broken::Broken;
use super::cluster::Shape;
use super::plan::Plan;
use super::world::{Control, Crash, Fate, Fault, Links, Node};
use crate::seed::Seed;

/// A plan with the fate of single messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// The plan.
    pub plan: Plan,
    /// The broken rule, if one is.
    pub rules: Option<Broken>,
    /// Whether signatures are real ones. What tells messages apart depends on it.
    pub is_real: bool,
    /// Fates of single messages; nothing when links are drawn.
    pub script: Option<BTreeMap<Fault, Fate>>,
    /// What messages say, for people.
    pub labels: BTreeMap<u64, String>,
}

/// Hours that faults may last: ten years.
pub const HOURS_MAX: u64 = 87_600;
/// Milliseconds that a run may take: these hours and a minute without faults.
const END_MS_MAX: u64 = HOURS_MAX * 3_600_000 + 60_000;

const CRASHES: [(Crash, &str); 4] = [
    (Crash::Clean, "clean"),
    (Crash::AfterWrite, "after-write"),
    (Crash::Torn, "torn"),
    (Crash::LostSync, "lost-sync"),
];

impl Schedule {
    /// A plan as it is.
    #[must_use]
    pub fn new(plan: Plan, rules: Option<Broken>) -> Self {
        Self { plan, rules, is_real: false, script: None, labels: BTreeMap::new() }
    }

    /// The text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let Plan { seed, shape, links, controls, faulty, twins, clocks, heal_ms, end_ms } =
            &self.plan;
        let mut text = String::from("mdsm schedule 1\n");
        let Shape { producers, auditors, turn_ms, delay_ms, epoch_ms } = shape;
        let mut line = |line: String| {
            let _ = writeln!(text, "{line}");
        };
        line(format!(
            "network producers {producers} auditors {auditors} turn {turn_ms} delay {delay_ms} epoch {epoch_ms}"
        ));
        line(format!("seed {seed}"));
        if let Some(rules) = self.rules {
            line(format!("rules {rules}"));
        }
        if self.is_real {
            line("signatures real".to_owned());
        }
        let Links { base_ms, jitter_ms, loss, twice, late, late_ms } = links;
        line(format!("links {base_ms} {jitter_ms} {loss} {twice} {late} {late_ms}"));
        line(format!("until {heal_ms} {end_ms}"));
        for (institution, (ahead, rate)) in (1..).zip(clocks).filter(|(_, clock)| **clock != (0, 0))
        {
            line(format!("clock {institution} {ahead} {rate}"));
        }
        faulty.iter().for_each(|(id, name)| line(format!("faulty {id} {name}")));
        twins.iter().for_each(|id| line(format!("twin {id}")));
        for (at, control) in controls {
            match control {
                Control::Crash(node, kind) => {
                    let name = CRASHES.iter().find(|(crash, _)| crash == kind).map_or("", |c| c.1);
                    line(format!("at {at} crash {node} {name}"));
                }
                Control::Restart(node) => line(format!("at {at} restart {node}")),
                Control::Cut(from, to, true) => line(format!("at {at} cut {from} {to}")),
                Control::Cut(from, to, false) => line(format!("at {at} mend {from} {to}")),
                Control::Links(_) | Control::Heal => {}
            }
        }
        if let Some(script) = &self.script {
            line("scripted".to_owned());
            for (Fault { from, to, mark, attempt }, fate) in script {
                let label = self.labels.get(mark).map(|l| format!("  # {l}")).unwrap_or_default();
                line(match fate {
                    Fate::Lost => format!("lose {from} {to} {mark:016x} {attempt}{label}"),
                    Fate::Comes { after_ms, again_ms: None } => {
                        format!("take {from} {to} {mark:016x} {attempt} {after_ms}{label}")
                    }
                    Fate::Comes { after_ms, again_ms: Some(again) } => {
                        format!("take {from} {to} {mark:016x} {attempt} {after_ms} {again}{label}")
                    }
                });
            }
        }
        text
    }

    /// Reads what [`Self::to_text`] wrote.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut lines =
            (1..).zip(text.lines().map(|line| line.split('#').next().unwrap_or("").trim()));
        match lines.next() {
            Some((_, "mdsm schedule 1")) => {}
            _ => return Err("line 1: `mdsm schedule 1` is expected".to_owned()),
        }
        let plan = Plan {
            seed: Seed::new(0),
            shape: Shape::SMALL,
            links: super::plan::calm(&Shape::SMALL),
            controls: Vec::new(),
            faulty: BTreeMap::new(),
            twins: Vec::new(),
            clocks: Vec::new(),
            heal_ms: 0,
            end_ms: 0,
        };
        let mut schedule = Self::new(plan, None);
        for (number, line) in lines.filter(|(_, line)| !line.is_empty()) {
            let words: Vec<&str> = line.split_whitespace().collect();
            schedule.read(&words).map_err(|why| format!("line {number}: `{line}`: {why}"))?;
        }
        Ok(schedule)
    }

    fn read(&mut self, words: &[&str]) -> Result<(), String> {
        let plan = &mut self.plan;
        match words {
            ["network", "producers", p, "auditors", a, "turn", t, "delay", d, "epoch", e] => {
                plan.shape = Shape {
                    producers: number(p)?,
                    auditors: number(a)?,
                    turn_ms: number(t)?,
                    delay_ms: number(d)?,
                    epoch_ms: number(e)?,
                };
                let Shape { producers, auditors, epoch_ms, .. } = plan.shape;
                let institutions = producers.saturating_add(auditors);
                if producers == 0 || auditors == 0 || institutions > 1_000 {
                    return Err("1 to 1,000 institutions of both kinds".to_owned());
                }
                if epoch_ms == 0 {
                    return Err("epoch 0 where 1 millisecond is the least".to_owned());
                }
                plan.clocks = vec![(0, 0); institutions as usize];
            }
            ["seed", seed] => plan.seed = seed.parse().map_err(|e| format!("{e}"))?,
            ["rules", rules] => self.rules = Some(rules.parse()?),
            ["signatures", "real"] => self.is_real = true,
            ["links", base, jitter, loss, twice, late, late_ms] => {
                plan.links = Links {
                    base_ms: number(base)?,
                    jitter_ms: number(jitter)?,
                    loss: number(loss)?,
                    twice: number(twice)?,
                    late: number(late)?,
                    late_ms: number(late_ms)?,
                };
            }
            ["until", heal, end] => {
                (plan.heal_ms, plan.end_ms) = (number(heal)?, number(end)?);
                if plan.end_ms > END_MS_MAX {
                    return Err(format!(
                        "{} ms where a run takes at most {END_MS_MAX}",
                        plan.end_ms
                    ));
                }
                if plan.heal_ms > plan.end_ms {
                    return Err("the run ends before the faults do".to_owned());
                }
            }
            ["clock", id, ahead, rate] => {
                let at = number::<usize>(id)?.wrapping_sub(1);
                let clock = plan.clocks.get_mut(at).ok_or("no such institution")?;
                *clock = (number(ahead)?, number(rate)?);
            }
            ["faulty", id, name] => {
                let name = name.parse().map_err(|e| format!("{e}"))?;
                plan.faulty.insert(number(id)?, name);
            }
            ["twin", id] => plan.twins.push(number(id)?),
            ["at", at, "crash", node, kind] => {
                let crash = CRASHES.iter().find(|(_, name)| name == kind).ok_or("no such crash")?.0;
                plan.controls.push((number(at)?, Control::Crash(number(node)?, crash)));
            }
            ["at", at, "restart", node] => {
                plan.controls.push((number(at)?, Control::Restart(number(node)?)));
            }
            ["at", at, word @ ("cut" | "mend"), from, to] => {
                let control = Control::Cut(number(from)?, number(to)?, *word == "cut");
                plan.controls.push((number(at)?, control));
            }
            ["scripted"] => self.script = Some(BTreeMap::new()),
            [word @ ("lose" | "take"), from, to, mark, attempt, rest @ ..] => {
                let mark = u64::from_str_radix(mark, 16).map_err(|_| "the mark is no hex")?;
                let (from, to) = (number::<Node>(from)?, number::<Node>(to)?);
                let fault = Fault { from, to, mark, attempt: number(attempt)? };
                let fate = match (*word, rest) {
                    ("lose", []) => Fate::Lost,
                    ("take", [after]) => Fate::Comes { after_ms: number(after)?, again_ms: None },
                    ("take", [after, again]) => {
                        Fate::Comes { after_ms: number(after)?, again_ms: Some(number(again)?) }
                    }
                    _ => return Err("wrong number of words".to_owned()),
                };
                self.script.as_mut().ok_or("before `scripted`")?.insert(fault, fate);
            }
            _ => return Err("no line of a schedule".to_owned()),
        }
        Ok(())
    }
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("`{text}` is no number that fits"))
}
