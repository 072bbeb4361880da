//! Looks on: the oracles of our own simulator for its nodes, and the node under test against their chain.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use mdsm_core::chain::Chain;
use mdsm_core::consensus::Protocol;
use mdsm_core::ledger::Anchor;
use mdsm_core::node::Commit;
use mdsm_core::types::InstitutionId;

use super::super::result::{Account, Block, Seen as Told, Window};
use super::actor::{Entry, Mixed, Seen};
use super::claims::MixedClaim;
use crate::simulation::node::{self, Judge, Wire};
use crate::simulation::world::{Node, Observer, To};

/// Breaches of one claim that are told.
const TOLD: usize = 3;

/// Looks on.
pub(super) struct MixedJudge {
    /// Judges our own nodes.
    pub own: Judge<Protocol>,
    tested: Node,
    institution: InstitutionId,
    /// Chains behind the end of each epoch.
    ends: BTreeMap<u32, Arc<Chain>>,
    anchors: BTreeMap<u32, Anchor>,
    /// Producers of final blocks, and times, by height.
    blocks: BTreeMap<u64, (u32, i64)>,
    /// What the node under test finalized and froze.
    pub finals: BTreeMap<u64, Rc<Block>>,
    /// By number.
    pub windows: BTreeMap<u32, Rc<Window>>,
    latest: Option<Arc<Chain>>,
    /// What broke.
    pub breaches: BTreeMap<MixedClaim, Vec<String>>,
}

impl MixedJudge {
    pub(super) fn new(own: Judge<Protocol>, tested: Node, institution: InstitutionId) -> Self {
        Self {
            own,
            tested,
            institution,
            ends: BTreeMap::new(),
            anchors: BTreeMap::new(),
            blocks: BTreeMap::new(),
            finals: BTreeMap::new(),
            windows: BTreeMap::new(),
            latest: None,
            breaches: BTreeMap::new(),
        }
    }

    /// The highest block of the others that the node under test finalized.
    pub(super) fn reached(&self) -> u64 {
        let own = self.own.books.height();
        self.finals.range(..=own).next_back().map_or(0, |(height, _)| *height)
    }

    /// A claim does not hold.
    pub(super) fn broken(&mut self, claim: MixedClaim, what: String) {
        let told = self.breaches.entry(claim).or_default();
        if told.len() < TOLD {
            told.push(what);
        }
    }

    fn moved(&mut self, commit: &Commit, chain: &Arc<Chain>) {
        for block in commit.decision.blocks.iter() {
            let header = &block.signed.header;
            let known = (header.producer.get(), header.timestamp.get());
            self.blocks.insert(header.height.get(), known);
        }
        if self.latest.as_ref().is_none_or(|latest| latest.height() < chain.height()) {
            self.latest = Some(chain.clone());
        }
        let ended = chain.roster().committees().epoch.get().checked_sub(1);
        if let Some(ended) = ended {
            self.ends.entry(ended).or_insert_with(|| chain.clone());
        }
    }

    /// Judges what can be judged at the end only.
    pub(super) fn conclude(&mut self, is_calm: bool) {
        self.own.conclude();
        for breach in self.own.history.breaches.clone() {
            self.broken(MixedClaim::OthersHold, format!("{}: {}", breach.claim, breach.what));
        }
        let me = self.institution;
        let offences: Vec<String> = self
            .own
            .convicted
            .iter()
            .filter(|offence| offence.institution == me)
            .map(|offence| format!("{offence:?}"))
            .collect();
        for offence in offences {
            self.broken(MixedClaim::KeepsRules, format!("others can prove {offence}"));
        }
        self.judge_blocks(is_calm);
        self.judge_windows();
        if is_calm {
            self.judge_share();
        }
    }

    /// Where it crashes, what it did in that step was not seen.
    fn judge_blocks(&mut self, is_calm: bool) {
        let mut wrong = Vec::new();
        let mut next = 1;
        for (height, block) in &self.finals {
            if is_calm && *height != next {
                wrong.push(format!("it finalizes height {height} where {next} is next"));
            }
            next = height.saturating_add(1);
            let name = self.own.books.hash(*height);
            // At most the block that it makes final now is not with the others yet.
            let is_early = *height == self.own.books.height().saturating_add(1);
            let is_same = name.map_or(is_early, |name| name.as_bytes()[..] == block.name[..])
                && self
                    .blocks
                    .get(height)
                    .is_none_or(|known| *known == (block.producer, block.timestamp));
            if !is_same {
                wrong.push(format!("it finalizes another block at height {height}"));
            }
        }
        for what in wrong {
            self.broken(MixedClaim::Agrees, what);
        }
    }

    fn judge_windows(&mut self) {
        // The last one may be on its way.
        let due = self.anchors.len().saturating_sub(1);
        let seen = self.anchors.keys().filter(|number| self.windows.contains_key(number)).count();
        if seen < due {
            let what = format!("the others froze {} windows, it {seen}", self.anchors.len());
            self.broken(MixedClaim::Freezes, what.clone());
            self.broken(MixedClaim::Credits, what);
        }
        for (number, window) in self.windows.clone() {
            let Some(anchor) = self.anchors.get(&number) else { continue };
            if anchor.root().as_bytes()[..] != window.root[..] {
                self.broken(MixedClaim::Freezes, format!("it freezes window {number} otherwise"));
            }
            let Some(chain) = self.ends.get(&number).cloned() else { continue };
            let roster = chain.roster();
            let mut accounts: Vec<Account> = roster
                .institutions()
                .iter()
                .map(|one| Account {
                    institution: one.id.get(),
                    points: one.credit.get(),
                    signed: count(one.performance.blocks_signed),
                    missed: count(one.performance.blocks_missed),
                    audited: count(one.performance.audits_done),
                })
                .collect();
            accounts.sort_unstable_by_key(|account| account.institution);
            // The state that is kept may be some blocks behind the freeze.
            if chain.height().get() == window.last && accounts != window.credit {
                let other = accounts.iter().zip(&window.credit).find(|(one, other)| one != other);
                self.broken(
                    MixedClaim::Credits,
                    format!("behind window {number} it has other credit: {other:?}"),
                );
            }
            let committees = roster.committees();
            let ids = |seats: &[mdsm_core::roster::Seat]| -> Vec<u32> {
                seats.iter().map(|seat| seat.institution.get()).collect()
            };
            let are_same = ids(&committees.producers) == window.producers
                && ids(&committees.auditors) == window.auditors;
            if !are_same && committees.epoch.get().checked_sub(1) == Some(number) {
                self.broken(
                    MixedClaim::Credits,
                    format!("behind window {number} it seats other committees"),
                );
            }
        }
    }

    fn judge_share(&mut self) {
        let Some(chain) = self.latest.clone() else { return };
        let Some(own) = chain.roster().institution(self.institution) else { return };
        let did = own.performance;
        let is_producer = did.blocks_signed > 0 || did.blocks_missed > 0;
        let holds = if is_producer { did.blocks_missed == 0 } else { did.audits_done > 0 };
        if !holds {
            self.broken(
                MixedClaim::TakesPart,
                format!(
                    "it signed {} blocks, missed {} turns and audited {} blocks",
                    did.blocks_signed, did.blocks_missed, did.audits_done
                ),
            );
        }
    }
}

fn count(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

type Own = node::Actor<Protocol>;

impl Observer<Mixed<'_, '_>> for MixedJudge {
    fn sent(&mut self, now_ms: u64, node: Node, to: &To, message: &Rc<Wire>) {
        <Judge<Protocol> as Observer<Own>>::sent(&mut self.own, now_ms, node, to, message);
    }

    fn wrote(&mut self, now_ms: u64, node: Node, entry: &Entry) {
        if let Entry::Own(entry) = entry {
            <Judge<Protocol> as Observer<Own>>::wrote(&mut self.own, now_ms, node, entry);
        }
    }

    fn saw(&mut self, now_ms: u64, node: Node, observation: Seen) {
        match observation {
            Seen::Own(seen) => {
                if self.own.is_honest(node) {
                    match &seen {
                        node::Seen::Moved(commit, chain) => self.moved(commit, chain),
                        node::Seen::Frozen(anchor) => {
                            self.anchors.insert(anchor.epoch.get(), *anchor);
                        }
                        _ => {}
                    }
                }
                <Judge<Protocol> as Observer<Own>>::saw(&mut self.own, now_ms, node, seen);
            }
            Seen::Tested(told) if node == self.tested => match told {
                Told::Final(block) => {
                    let known = self.finals.entry(block.height).or_insert_with(|| block.clone());
                    if known.name != block.name {
                        let what = format!("it takes back the block at height {}", block.height);
                        self.broken(MixedClaim::Agrees, what);
                    }
                }
                Told::Frozen(window) => {
                    self.windows.entry(window.window).or_insert(window);
                }
                Told::Accepted { .. } | Told::Anchor { .. } | Told::Woke => {}
            },
            Seen::Tested(_) => {}
        }
    }

    fn lost(&mut self, now_ms: u64, node: Node) {
        <Judge<Protocol> as Observer<Own>>::lost(&mut self.own, now_ms, node);
    }
}
