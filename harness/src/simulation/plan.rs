//! What befalls a run, drawn from a seed: each seed draws which faults are on, so that every kind also
//! meets runs without the others ("swarm testing").

use std::collections::BTreeMap;

use rand_chacha::ChaCha12Rng;

use super::cluster::Shape;
use super::strategies::Name;
use super::world::{Control, Crash, Links, Node};
use crate::seed::{Draw as _, Seed};

/// Milliseconds that a node is down, and a link cut, at most. In a run of a day a fault that lasted its
/// share of the run would leave nothing up.
const DOWN_MS_MAX: u32 = 240_000;
const CUT_MS_MAX: u32 = 1_200_000;
/// Milliseconds of a run for which one draw of cuts is made.
const CUTS_EVERY_MS: u32 = 6 * 3_600_000;

/// One run, in full.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The seed that draws what is drawn on the way.
    pub seed: Seed,
    /// The network.
    pub shape: Shape,
    /// Links while faults happen.
    pub links: Links,
    /// What befalls it, by time.
    pub controls: Vec<(u64, Control)>,
    /// Who deviates, and how.
    pub faulty: BTreeMap<u32, Name>,
    /// Institutions that run twice with one key.
    pub twins: Vec<u32>,
    /// Clocks: how many milliseconds ahead, and how many thousandths too fast.
    pub clocks: Vec<(i64, i32)>,
    /// Faults end here.
    pub heal_ms: u64,
    /// The run ends here, unless life shows earlier.
    pub end_ms: u64,
}

/// Which faults a seed may draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Faults {
    /// Loss, duplicates, late messages.
    pub links: bool,
    /// Partitions and one-way cuts.
    pub cuts: bool,
    /// Crashes.
    pub crashes: bool,
    /// Lost fsyncs.
    pub disks: bool,
    /// Clocks that are off.
    pub clocks: bool,
    /// Faulty institutions.
    pub strategies: bool,
}

impl Faults {
    /// All of them.
    pub const ALL: Self = Self {
        links: true,
        cuts: true,
        crashes: true,
        disks: true,
        clocks: true,
        strategies: true,
    };
    /// None.
    pub const NONE: Self = Self {
        links: false,
        cuts: false,
        crashes: false,
        disks: false,
        clocks: false,
        strategies: false,
    };
}

impl std::fmt::Display for Faults {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let all = [
            (self.links, "links"),
            (self.cuts, "cuts"),
            (self.crashes, "crashes"),
            (self.disks, "disks"),
            (self.clocks, "clocks"),
            (self.strategies, "strategies"),
        ];
        let on: Vec<&str> = all.iter().filter(|(is_on, _)| *is_on).map(|(_, name)| *name).collect();
        f.write_str(if on.is_empty() { "none" } else { "" })?;
        f.write_str(&on.join(","))
    }
}

impl std::str::FromStr for Faults {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut faults = Self::NONE;
        for word in text.split(',').filter(|word| !word.is_empty()) {
            match word {
                "all" => faults = Self::ALL,
                "none" => faults = Self::NONE,
                "links" => faults.links = true,
                "cuts" => faults.cuts = true,
                "crashes" => faults.crashes = true,
                "disks" => (faults.crashes, faults.disks) = (true, true),
                "clocks" => faults.clocks = true,
                "strategies" => faults.strategies = true,
                other => {
                    return Err(format!(
                        "`{other}` is no fault; there are links, cuts, crashes, disks, clocks, strategies, all, none"
                    ));
                }
            }
        }
        Ok(faults)
    }
}

/// Links without faults.
#[must_use]
pub fn calm(shape: &Shape) -> Links {
    let jitter_ms = shape.delay_ms / 2;
    Links { base_ms: 5.min(shape.delay_ms), jitter_ms, loss: 0, twice: 0, late: 0, late_ms: 0 }
}

impl Plan {
    /// A run of a seed: faults until `heal_ms`, then none until `end_ms`.
    #[must_use]
    pub fn draw(seed: Seed, shape: Shape, faults: Faults, heal_ms: u64, end_ms: u64) -> Self {
        let mut random = seed.stream("simulation/plan");
        // Every draw happens in every run, so that switching one kind of fault off leaves the others.
        let on: Vec<bool> = (0..6).map(|_| random.chance(2, 3)).collect();
        let faults = Faults {
            links: faults.links && on[0],
            cuts: faults.cuts && on[1],
            crashes: faults.crashes && on[2],
            disks: faults.disks && on[3],
            clocks: faults.clocks && on[4],
            strategies: faults.strategies && on[5],
        };
        Self::drawn(&mut random, seed, shape, faults, (heal_ms, end_ms))
    }

    /// A run of a seed in which every one of these faults is on.
    #[must_use]
    pub fn certain(seed: Seed, shape: Shape, faults: Faults, heal_ms: u64, end_ms: u64) -> Self {
        let mut random = seed.stream("simulation/plan");
        Self::drawn(&mut random, seed, shape, faults, (heal_ms, end_ms))
    }

    fn drawn(
        random: &mut ChaCha12Rng,
        seed: Seed,
        shape: Shape,
        faults: Faults,
        (heal_ms, end_ms): (u64, u64),
    ) -> Self {
        let mut plan = Self {
            seed,
            shape,
            links: calm(&shape),
            controls: Vec::new(),
            faulty: BTreeMap::new(),
            twins: Vec::new(),
            clocks: vec![(0, 0); shape.institutions() as usize],
            heal_ms,
            end_ms,
        };
        plan.draw_links(random, faults.links);
        plan.draw_cuts(&mut seed.stream("simulation/cuts"), faults.cuts);
        plan.draw_clocks(&mut seed.stream("simulation/clocks"), faults.clocks);
        if faults.strategies {
            plan.draw_strategies(&mut seed.stream("simulation/strategies"));
        }
        let crashes = &mut seed.stream("simulation/crashes");
        plan.draw_crashes(crashes, faults.crashes, faults.disks);
        plan.controls.sort_by_key(|(at, _)| *at);
        plan
    }

    fn draw_links(&mut self, random: &mut ChaCha12Rng, is_on: bool) {
        let delay = self.shape.delay_ms;
        let links = Links {
            base_ms: random.between(1, delay / 4 + 1),
            jitter_ms: *random.pick(&[0, delay / 4, delay, delay * 3]),
            loss: *random.pick(&[0, 5, 20, 100, 300]),
            twice: *random.pick(&[0, 10, 100]),
            late: *random.pick(&[0, 10, 50]),
            late_ms: *random.pick(&[delay * 4, delay * 30]),
        };
        if is_on {
            self.links = links;
        }
    }

    fn draw_cuts(&mut self, random: &mut ChaCha12Rng, is_on: bool) {
        let nodes = Node::try_from(self.shape.institutions()).unwrap_or(Node::MAX);
        let heal = u32::try_from(self.heal_ms).unwrap_or(u32::MAX);
        let draws = 1 + heal / CUTS_EVERY_MS;
        for _ in 0..if is_on { draws * random.between(1, 5) } else { 0 } {
            let from_ms = random.below(heal.max(1));
            let to_ms = (from_ms + random.between(100, (heal / 3).min(CUT_MS_MAX) + 100)).min(heal);
            let is_one_way = random.chance(1, 2);
            let side: Vec<bool> = (0..nodes).map(|_| random.chance(1, 2)).collect();
            let one = u16::try_from(random.below(u32::from(nodes))).unwrap_or(0);
            for from in 0..nodes {
                for to in 0..nodes {
                    let crosses = if is_one_way {
                        from == one && side[usize::from(to)]
                    } else {
                        side[usize::from(from)] != side[usize::from(to)]
                    };
                    if crosses {
                        self.controls.push((from_ms.into(), Control::Cut(from, to, true)));
                        self.controls.push((to_ms.into(), Control::Cut(from, to, false)));
                    }
                }
            }
        }
    }

    fn draw_crashes(&mut self, random: &mut ChaCha12Rng, is_on: bool, disks: bool) {
        let heal = u32::try_from(self.heal_ms).unwrap_or(u32::MAX);
        let per_minute = *random.pick(&[1, 3, 10]);
        // An institution without its log is as good as absent: together with the faulty auditors they
        // must stay a minority, or nothing need ever become final.
        let faulty = self.faulty.keys().chain(&self.twins).filter(|id| self.shape.audits(**id));
        let spare =
            self.shape.faulty_max().saturating_sub(u32::try_from(faulty.count()).unwrap_or(0));
        let nodes = self.shape.institutions();
        let forgetful: Vec<u32> = (0..spare).map(|_| random.below(nodes)).collect();
        let count = if is_on { (heal / 60_000 + 1) * per_minute } else { 0 };
        for _ in 0..count {
            let node = u16::try_from(random.below(self.shape.institutions())).unwrap_or(0);
            let at_ms = random.below(heal.max(1));
            let down_ms = random.between(1, (heal / 4).min(DOWN_MS_MAX) + 1);
            let kind = match random.below(8) {
                0 | 1 => Crash::Clean,
                2 | 3 => Crash::AfterWrite,
                4 | 5 => Crash::Torn,
                _ => Crash::Clean,
            };
            let (node, kind) = if disks && !forgetful.is_empty() && random.chance(1, 4) {
                (u16::try_from(*random.pick(&forgetful)).unwrap_or(0), Crash::LostSync)
            } else {
                (node, kind)
            };
            self.controls.push((at_ms.into(), Control::Crash(node, kind)));
            let up_ms = (at_ms + down_ms).min(heal);
            self.controls.push((up_ms.into(), Control::Restart(node)));
        }
    }

    fn draw_clocks(&mut self, random: &mut ChaCha12Rng, is_on: bool) {
        for clock in &mut self.clocks {
            let drawn = (i64::from(random.below(1_600)) - 800, random.between(0, 100));
            if is_on {
                *clock = (drawn.0, i32::try_from(drawn.1).unwrap_or(0) - 50);
            }
        }
    }

    /// At most f auditors and any number of producers deviate.
    fn draw_strategies(&mut self, random: &mut ChaCha12Rng) {
        let auditors: Vec<u32> = (self.shape.producers + 1..=self.shape.institutions()).collect();
        let count = random.between(0, self.shape.faulty_max());
        while self.faulty.len() < count as usize {
            self.faulty.insert(*random.pick(&auditors), *random.pick(&Name::ALL));
        }
        let bad_leaders = random.below(self.shape.producers);
        for _ in 0..bad_leaders {
            let producer = random.between(1, self.shape.producers);
            self.faulty.insert(producer, *random.pick(&Name::ALL));
        }
        if random.chance(1, 6) && count > 0 {
            // One of the faulty auditors runs twice instead.
            let twin = *self.faulty.keys().next_back().unwrap_or(&auditors[0]);
            if self.shape.audits(twin) {
                self.faulty.remove(&twin);
                self.twins.push(twin);
            }
        }
    }
}

impl Plan {
    /// Nobody loses its log: the faulty are as many as may be.
    pub fn keep_logs(&mut self) {
        let loses = |control: &Control| matches!(control, Control::Crash(_, Crash::LostSync));
        self.controls.retain(|(_, control)| !loses(control));
    }

    /// The longest run of faulty leaders in the order of turns.
    #[must_use]
    pub fn faulty_in_a_row(&self) -> u64 {
        let producers = 1..=self.shape.producers;
        let is_bad: Vec<bool> =
            producers.map(|p| self.faulty.contains_key(&p) || self.twins.contains(&p)).collect();
        let (mut longest, mut run) = (0, 0);
        for bad in is_bad.iter().chain(&is_bad) {
            run = if *bad { run + 1 } else { 0 };
            longest = longest.max(run);
        }
        longest
    }
}
