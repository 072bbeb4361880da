//! Links: how long a message takes, and whether it comes at all. One way at a time.
//!
//! What happens to a message is a function of the seed and of the message, so it does not depend on
//! what happened to others. A schedule replaces the function by a list of what deviates.

use std::collections::BTreeMap;

use super::{Node, mix};

/// How links behave, apart from those that are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Links {
    /// Milliseconds that every message takes.
    pub base_ms: u32,
    /// Milliseconds more, up to this many, each equally likely.
    pub jitter_ms: u32,
    /// Of a thousand messages so many are lost.
    pub loss: u32,
    /// Of a thousand messages so many come twice.
    pub twice: u32,
    /// Of a thousand messages so many come late, by up to `late_ms`.
    pub late: u32,
    /// How late.
    pub late_ms: u32,
}

/// What happens to a message on one link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is lost.
    Lost,
    /// It comes after so many milliseconds, and again after so many more.
    Comes {
        /// Milliseconds on the way.
        after_ms: u32,
        /// The second copy.
        again_ms: Option<u32>,
    },
}

/// A message on a link, as a schedule names it: its mark, and the how manieth of this mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// The sender.
    pub from: Node,
    /// The receiver.
    pub to: Node,
    /// What it says.
    pub mark: u64,
    /// The first is 0.
    pub attempt: u32,
}

/// All links.
#[derive(Debug)]
pub struct Network {
    /// How links behave now.
    pub links: Links,
    key: u64,
    nodes: usize,
    /// By sender and receiver.
    cut: Vec<bool>,
    /// Instead of draws.
    script: Option<BTreeMap<Fault, Fate>>,
    /// What was not nominal, when it is recorded.
    record: Option<Vec<(Fault, Fate)>>,
    attempts: BTreeMap<(Node, Node, u64), u32>,
}

impl Network {
    /// Links of a seed.
    #[must_use]
    pub fn new(nodes: usize, key: u64, links: Links) -> Self {
        Self {
            links,
            key,
            nodes,
            cut: vec![false; nodes * nodes],
            script: None,
            record: None,
            attempts: BTreeMap::new(),
        }
    }

    /// Follows a script: what it does not name takes `links.base_ms`.
    pub fn follow(&mut self, script: BTreeMap<Fault, Fate>) {
        self.script = Some(script);
    }

    /// Records what is not nominal from now on.
    pub fn record(&mut self) {
        self.record = Some(Vec::new());
    }

    /// What was recorded.
    pub fn take_record(&mut self) -> Vec<(Fault, Fate)> {
        self.record.take().unwrap_or_default()
    }

    /// Cuts or mends one direction of a link.
    pub fn cut(&mut self, from: Node, to: Node, is_cut: bool) {
        let at = self.at(from, to);
        self.cut[at] = is_cut;
    }

    /// Mends every link.
    pub fn mend(&mut self) {
        self.cut.fill(false);
    }

    fn at(&self, from: Node, to: Node) -> usize {
        usize::from(from) * self.nodes + usize::from(to)
    }

    /// What happens to a message that is sent at a time.
    #[inline]
    pub fn fate(&mut self, now_ms: u64, from: Node, to: Node, mark: u64) -> Fate {
        if self.script.is_none() && self.record.is_none() {
            return self.draw(now_ms, from, to, mark);
        }
        let count = self.attempts.entry((from, to, mark)).or_default();
        let fault = Fault { from, to, mark, attempt: *count };
        *count += 1;
        if let Some(script) = &self.script {
            let nominal = Fate::Comes { after_ms: self.links.base_ms, again_ms: None };
            return script.get(&fault).copied().unwrap_or(nominal);
        }
        let fate = self.draw(now_ms, from, to, mark);
        let is_nominal = fate == Fate::Comes { after_ms: self.links.base_ms, again_ms: None };
        if let Some(record) = self.record.as_mut().filter(|_| !is_nominal) {
            record.push((fault, fate));
        }
        fate
    }

    #[inline]
    fn draw(&self, now_ms: u64, from: Node, to: Node, mark: u64) -> Fate {
        if self.cut[self.at(from, to)] {
            return Fate::Lost;
        }
        let links = &self.links;
        let link = u64::from(from) << 16 | u64::from(to);
        let draw = mix(mix(self.key ^ mark, now_ms), link);
        let per_mille =
            |shift: u32| u32::try_from(((draw >> shift & 0xffff) * 1_000) >> 16).unwrap_or(0);
        if per_mille(0) < links.loss {
            return Fate::Lost;
        }
        let scaled = |span: u32, shift: u32| {
            u32::try_from(((draw >> shift & 0xffff) * (u64::from(span) + 1)) >> 16).unwrap_or(0)
        };
        let mut after_ms = links.base_ms + scaled(links.jitter_ms, 16);
        if links.late + links.twice == 0 {
            return Fate::Comes { after_ms, again_ms: None };
        }
        if per_mille(32) < links.late {
            after_ms += scaled(links.late_ms, 24);
        }
        let again_ms =
            (per_mille(48) < links.twice).then(|| scaled(links.jitter_ms.max(links.base_ms), 8));
        Fate::Comes { after_ms, again_ms }
    }
}
