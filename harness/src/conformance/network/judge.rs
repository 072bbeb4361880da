//! Looks on and judges by what nodes let be seen.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::claims::Claim;
use super::clients::Board;
use super::host::{Actor, Wire};
use super::result::{Account, Block, Seen, Window};
use super::scenario::{SHAPE, Scenario};
use crate::simulation::world::{Node, Observer, To};

/// Breaches of one claim that are told.
const TOLD: usize = 3;

/// Ratings of institutions.
pub(super) type Ratings = BTreeMap<u32, i64>;

/// Looks on.
pub(super) struct Judge {
    scenario: Scenario,
    started_at: i64,
    ratings: Ratings,
    /// Who each node is; the last one, the clients, is nobody.
    institutions: Vec<u32>,
    twins: BTreeSet<u32>,
    board: Rc<RefCell<Board>>,
    /// By height.
    chain: BTreeMap<u64, Rc<Block>>,
    /// Height that each node has reported.
    pub heights: BTreeMap<Node, u64>,
    windows: BTreeMap<u32, Rc<Window>>,
    /// Nodes that have not finalized or frozen anything since they woke up: what they did in the step in
    /// which they crashed was not seen.
    woken: BTreeMap<Node, (bool, bool)>,
    /// Nodes that have woken up.
    lives: BTreeSet<Node>,
    /// Windows that each node has reported.
    pub frozen: BTreeMap<Node, u32>,
    anchors: BTreeMap<u32, BTreeMap<Vec<u8>, BTreeSet<u32>>>,
    /// By whom each record was accepted.
    accepted: BTreeMap<[u8; 32], BTreeSet<u32>>,
    booked: BTreeMap<[u8; 32], u32>,
    /// What broke, the first of each claim.
    pub breaches: BTreeMap<Claim, Vec<String>>,
}

impl Judge {
    pub(super) fn new(
        scenario: Scenario,
        started_at: i64,
        ratings: Ratings,
        institutions: Vec<u32>,
        board: &Rc<RefCell<Board>>,
    ) -> Self {
        Self {
            scenario,
            started_at,
            ratings,
            institutions,
            twins: scenario.twins().into_iter().collect(),
            board: board.clone(),
            chain: BTreeMap::new(),
            heights: BTreeMap::new(),
            windows: BTreeMap::new(),
            woken: BTreeMap::new(),
            lives: BTreeSet::new(),
            frozen: BTreeMap::new(),
            anchors: BTreeMap::new(),
            accepted: BTreeMap::new(),
            booked: BTreeMap::new(),
            breaches: BTreeMap::new(),
        }
    }

    fn broken(&mut self, claim: Claim, what: impl FnOnce() -> String) {
        let told = self.breaches.entry(claim).or_default();
        if told.len() < TOLD {
            told.push(what());
        }
    }

    fn claim(&mut self, claim: Claim, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.broken(claim, what);
        }
    }

    fn institution(&self, node: Node) -> u32 {
        self.institutions.get(usize::from(node)).copied().unwrap_or(0)
    }

    /// Whether a node's word counts: it runs once.
    pub(super) fn is_honest(&self, node: Node) -> bool {
        !self.twins.contains(&self.institution(node))
    }

    /// Blocks that are final.
    pub(super) fn height(&self) -> u64 {
        self.chain.last_key_value().map_or(0, |(height, _)| *height)
    }

    /// Records that are final.
    pub(super) fn records(&self) -> u64 {
        self.booked.len() as u64
    }

    /// Windows that are frozen.
    pub(super) fn windows(&self) -> u64 {
        self.windows.len() as u64
    }

    /// Accepted records that are not final.
    pub(super) fn unbooked(&self) -> usize {
        self.accepted.keys().filter(|content| !self.booked.contains_key(*content)).count()
    }

    fn accepted(&mut self, node: Node, content: [u8; 32]) {
        let institution = self.institution(node);
        let is_known = self.board.borrow().submitted.contains(&content);
        self.claim(Claim::Books, is_known, || {
            format!("institution {institution} accepts a record that nobody sent")
        });
        self.board.borrow_mut().accepted.insert(content);
        self.accepted.entry(content).or_default().insert(institution);
    }

    fn finalized(&mut self, node: Node, block: &Rc<Block>) {
        let before = self.heights.get(&node).copied().unwrap_or(0);
        let who = self.institution(node);
        let may_skip = std::mem::take(&mut self.woken.entry(node).or_default().0);
        if block.height == 0 || block.height > before.saturating_add(1) && !may_skip {
            let height = block.height;
            self.broken(Claim::Agrees, || {
                format!("institution {who} finalizes height {height} behind {before}")
            });
            return;
        }
        self.heights.insert(node, before.max(block.height));
        match self.chain.get(&block.height) {
            Some(known) => {
                let is_same = known.name == block.name
                    && (known.producer, known.timestamp) == (block.producer, block.timestamp)
                    && known.records == block.records;
                let height = block.height;
                self.claim(Claim::Agrees, is_same, || {
                    format!("institution {who} finalizes another block at height {height}")
                });
            }
            None => {
                self.chain.insert(block.height, block.clone());
                self.book(block);
            }
        }
    }

    fn book(&mut self, block: &Block) {
        let height = block.height;
        for (content, by) in &block.records {
            let is_known = self.board.borrow().submitted.contains(content);
            self.claim(Claim::Books, is_known, || {
                format!("block {height} holds a record that nobody sent")
            });
            let again = self.booked.insert(*content, *by);
            self.claim(Claim::Books, again.is_none(), || {
                format!("block {height} holds a record that an earlier block holds")
            });
            let accepted = self.accepted.get(content);
            let is_by = accepted.is_some_and(|all| all.contains(by));
            // A node that crashed as it accepted has not let it be seen; a twin's word is not heard.
            let may_be_unseen = self.scenario.crashes() || self.twins.contains(by);
            self.claim(Claim::Books, is_by || may_be_unseen, || {
                format!(
                    "a record of block {height} is said to be booked by {by}, which never accepted it"
                )
            });
        }
    }

    fn frozen(&mut self, node: Node, window: &Rc<Window>) {
        let before = self.frozen.get(&node).copied().unwrap_or(0);
        let (who, number) = (self.institution(node), window.window);
        let may_skip = std::mem::take(&mut self.woken.entry(node).or_default().1);
        if number > before && !may_skip {
            self.broken(Claim::Freezes, || {
                format!("institution {who} freezes window {number} where {before} is next")
            });
            return;
        }
        self.frozen.insert(node, before.max(number.saturating_add(1)));
        match self.windows.get(&number).cloned() {
            Some(known) => {
                let is_same = (&known.root, known.last) == (&window.root, window.last);
                self.claim(Claim::Freezes, is_same, || {
                    format!("institution {who} freezes window {number} otherwise than others")
                });
                self.claim(Claim::Credits, known.credit == window.credit, || {
                    let one = known.credit.iter().zip(&window.credit);
                    let first = one.into_iter().find(|(one, other)| one != other);
                    format!("institution {who} has other credit at window {number}: {first:?}")
                });
                let are_same =
                    (&known.producers, &known.auditors) == (&window.producers, &window.auditors);
                self.claim(Claim::Seats, are_same, || {
                    format!("institution {who} has other committees behind window {number}")
                });
            }
            None => {
                self.windows.insert(number, window.clone());
            }
        }
    }

    /// Judges what can be judged at the end only. `alive` tells whether life showed in time.
    pub(super) fn conclude(&mut self, alive: Result<(), String>) {
        if let Err(what) = alive {
            self.broken(Claim::Lives, || what);
        }
        let (submitted, booked) = (self.board.borrow().submitted.len(), self.booked.len());
        // A network that is well takes what it is given; one that is not takes something.
        let due = if self.scenario == Scenario::Calm { submitted / 2 } else { 1 };
        self.claim(Claim::Books, booked >= due, || {
            format!("clients sent {submitted} records, and {booked} became final")
        });
        let unbooked = self.unbooked();
        self.claim(Claim::Books, unbooked == 0, || {
            format!("{unbooked} accepted records are not final at the end")
        });
        self.judge_times();
        self.judge_seats();
        self.judge_turns();
        self.judge_anchors();
        let windows = self.windows.clone();
        windows.values().for_each(|window| self.judge_accounts(window));
    }

    /// The committees of a block: those from the start, or those of the last freeze below it.
    fn committees(&self, height: u64) -> (Vec<u32>, Vec<u32>) {
        let behind = self.windows.values().rev().find(|window| window.last < height);
        behind.map_or_else(first_committees, |one| (one.producers.clone(), one.auditors.clone()))
    }

    fn judge_times(&mut self) {
        let times: BTreeMap<u64, i64> =
            self.chain.iter().map(|(height, block)| (*height, block.timestamp)).collect();
        let grow = times.values().is_sorted_by(|one, next| one < next);
        self.claim(Claim::Freezes, grow, || "times of blocks do not grow".to_owned());
        let span = i64::from(SHAPE.epoch_ms);
        let time_of = |height: u64| {
            let time = if height == 0 { Some(&self.started_at) } else { times.get(&height) };
            time.map(|time| time.saturating_sub(self.started_at).div_euclid(span))
        };
        let mut wrong = Vec::new();
        let mut before = 0_u64;
        for window in self.windows.values() {
            // No mark lies within a window, and one lies at its end.
            let next = before.saturating_add(1);
            let first = if next == window.last { before } else { next };
            let inside = (time_of(first), time_of(window.last.saturating_sub(1)));
            let behind = time_of(window.last.saturating_add(1));
            let is_right = window.last > before
                && inside.0 == inside.1
                && behind.is_none_or(|behind| Some(behind) > inside.1);
            if !is_right {
                wrong.push(format!(
                    "window {} ends with block {}, which the times of the blocks do not say",
                    window.window, window.last
                ));
            }
            before = window.last.max(before);
        }
        for what in wrong {
            self.broken(Claim::Freezes, || what);
        }
    }

    fn judge_turns(&mut self) {
        let chain = self.chain.clone();
        let absent = self.scenario.absent();
        let mut last: Option<(Vec<u32>, u32)> = None;
        for block in chain.values() {
            let (producers, auditors) = self.committees(block.height);
            let (height, producer) = (block.height, block.producer);
            self.claim(Claim::TakesTurns, producers.contains(&producer), || {
                format!("block {height} is by {producer}, who has no producer's seat")
            });
            if let Some((of, before)) = last.filter(|_| self.scenario.is_punctual())
                && of == producers
            {
                let next = after(&producers, before, &absent);
                self.claim(Claim::TakesTurns, next == Some(producer), || {
                    format!(
                        "block {height} is by {producer}; behind {before} it is the turn of {next:?}"
                    )
                });
            }
            last = Some((producers, producer));
            let names: BTreeSet<u32> = block.auditors.iter().copied().collect();
            let are_seated = names.iter().all(|name| auditors.contains(name));
            let are_enough = names.len() * 2 > auditors.len();
            let is_once = names.len() == block.auditors.len();
            self.claim(Claim::Audits, are_seated && are_enough && is_once, || {
                format!("block {height} names the auditors {names:?} where {auditors:?} have seats")
            });
        }
        if self.scenario == Scenario::Calm {
            let (_, auditors) = first_committees();
            let idle = auditors
                .iter()
                .find(|one| !chain.values().any(|block| block.auditors.contains(one)));
            self.claim(Claim::Audits, idle.is_none(), || {
                format!("auditor {idle:?} stands behind no block")
            });
        }
    }

    fn judge_anchors(&mut self) {
        // The last window may be on its way.
        let due = self.windows.len().saturating_sub(1);
        let windows = self.windows.clone();
        for (at, window) in windows.values().enumerate() {
            let number = window.window;
            let mut roots = self.anchors.get(&number).cloned().unwrap_or_default();
            // What only a twin says is nobody's fault but its own.
            let twins = &self.twins;
            roots.retain(|root, by| *root == window.root || !by.is_subset(twins));
            let is_one = roots.keys().all(|root| *root == window.root);
            self.claim(Claim::Anchors, is_one, || {
                format!("another root than the frozen one is handed to Bitcoin for window {number}")
            });
            self.claim(Claim::Anchors, at >= due || !roots.is_empty(), || {
                format!("nobody hands the root of window {number} to Bitcoin")
            });
            let (old, _) = self.committees(window.last);
            let may = |one: &u32| old.contains(one) || window.producers.contains(one);
            let other = roots.values().flatten().find(|one| !may(one)).copied();
            self.claim(Claim::Anchors, other.is_none(), || {
                format!("window {number} is anchored by {other:?}, who has no producer's seat")
            });
        }
        let unknown = self.anchors.keys().find(|number| !windows.contains_key(number));
        if let Some(number) = unknown.copied() {
            self.broken(Claim::Anchors, || {
                format!("window {number} is anchored and frozen nowhere")
            });
        }
    }

    fn judge_accounts(&mut self, window: &Window) {
        let number = window.window;
        let ids: Vec<u32> = window.credit.iter().map(|account| account.institution).collect();
        let all: Vec<u32> = self.ratings.keys().copied().collect();
        self.claim(Claim::Credits, ids == all, || {
            format!("window {number} tells the credit of {ids:?}, everybody is {all:?}")
        });
        let (first_producers, _) = first_committees();
        let absent = self.scenario.absent();
        let unit = self.unit(window);
        self.claim(Claim::Credits, unit.is_ok(), || {
            format!("window {number}: {}", unit.clone().err().unwrap_or_default())
        });
        for account in &window.credit {
            let Account { institution, points, signed, missed, .. } = *account;
            let made = self
                .chain
                .values()
                .filter(|block| block.height <= window.last && block.producer == institution);
            let made = made.count();
            self.claim(Claim::Counts, made == signed as usize, || {
                format!("window {number}: {institution} signed {made} blocks, counted are {signed}")
            });
            let Ok(Some(unit)) = unit else { continue };
            let rating = self.ratings.get(&institution).copied().unwrap_or(0);
            let start = rating.saturating_mul(unit);
            let is_good = missed == 0 && signed > 0 && !self.twins.contains(&institution);
            self.claim(Claim::Credits, !is_good || points > start, || {
                format!(
                    "window {number}: {institution} signed {signed} and missed none, began with {start}, has {points}"
                )
            });
            if absent.contains(&institution) && first_producers.contains(&institution) {
                self.claim(Claim::Counts, missed > 0 && signed == 0, || {
                    format!("window {number}: {institution} is absent, missed are {missed}")
                });
                self.claim(Claim::Credits, points < start, || {
                    format!(
                        "window {number}: {institution} is absent, began with {start}, has {points}"
                    )
                });
            }
        }
    }

    /// What a point of the rating is worth: whoever never had a seat and did nothing still has what it
    /// began with.
    fn unit(&self, window: &Window) -> Result<Option<i64>, String> {
        let (producers, auditors) = first_committees();
        let later = self.windows.values().flat_map(|one| one.producers.iter().chain(&one.auditors));
        let seated: BTreeSet<u32> =
            producers.into_iter().chain(auditors).chain(later.copied()).collect();
        let mut unit = None;
        for account in &window.credit {
            let Account { institution, points, signed, missed, audited } = *account;
            if seated.contains(&institution) || (signed, missed, audited) != (0, 0, 0) {
                continue;
            }
            let rating = self.ratings.get(&institution).copied().unwrap_or(1);
            let own = points.checked_div(rating).filter(|own| own * rating == points && *own > 0);
            if own.is_none() || unit.is_some_and(|unit| Some(unit) != own) {
                return Err(format!(
                    "{institution} did nothing, is rated {rating} and has {points} points, where others have {unit:?} for each point of the rating"
                ));
            }
            unit = own;
        }
        Ok(unit)
    }

    fn judge_seats(&mut self) {
        let (mut producers, mut auditors) = first_committees();
        for window in self.windows.clone().into_values() {
            let number = window.window;
            let seats: Vec<u32> =
                window.producers.iter().chain(&window.auditors).copied().collect();
            let distinct: BTreeSet<u32> = seats.iter().copied().collect();
            let is_full = window.producers.len() == producers.len()
                && window.auditors.len() == auditors.len()
                && distinct.len() == seats.len();
            self.claim(Claim::Seats, is_full, || {
                format!("behind window {number} the seats are {seats:?}, two of one or too few")
            });
            let points = |one: u32| {
                window.credit.iter().find(|account| account.institution == one).map(|a| a.points)
            };
            let risen = window.producers.iter().filter(|one| !producers.contains(one));
            for one in risen {
                // Whoever stays an auditor has no more than whoever has moved up.
                let left = auditors.iter().filter(|other| window.auditors.contains(other));
                let better = left.into_iter().find(|other| points(**other) > points(*one));
                let was_auditor = auditors.contains(one);
                self.claim(Claim::Seats, was_auditor && better.is_none(), || {
                    format!("behind window {number} {one} moves up, {better:?} has more credit")
                });
            }
            (producers, auditors) = (window.producers.clone(), window.auditors.clone());
        }
    }
}

/// Who has the seats until the first freeze.
pub(super) fn first_committees() -> (Vec<u32>, Vec<u32>) {
    let auditors = SHAPE.producers + 1..=SHAPE.producers + SHAPE.auditors;
    ((1..=SHAPE.producers).collect(), auditors.collect())
}

/// Whose turn it is behind somebody's, when those who are absent miss theirs.
fn after(producers: &[u32], before: u32, absent: &BTreeSet<u32>) -> Option<u32> {
    let seat = producers.iter().position(|one| *one == before)?;
    let order = producers.iter().cycle().skip(seat + 1).take(producers.len());
    order.copied().find(|one| !absent.contains(one))
}

impl Observer<Actor<'_, '_>> for Judge {
    fn sent(&mut self, _: u64, _: Node, _: &To, _: &Rc<Wire>) {}

    fn wrote(&mut self, _: u64, _: Node, _: &Rc<[u8]>) {}

    fn saw(&mut self, _: u64, node: Node, observation: Seen) {
        if !self.is_honest(node) && !matches!(observation, Seen::Anchor { .. }) {
            return;
        }
        match observation {
            Seen::Woke => {
                // In its first life there was nothing to miss.
                if !self.lives.insert(node) {
                    self.woken.insert(node, (true, true));
                }
            }
            Seen::Accepted { content, .. } => self.accepted(node, content),
            Seen::Final(block) => self.finalized(node, &block),
            Seen::Frozen(window) => self.frozen(node, &window),
            Seen::Anchor { window, root } => {
                let by = self.institution(node);
                self.anchors.entry(window).or_default().entry(root).or_default().insert(by);
            }
        }
    }
}
