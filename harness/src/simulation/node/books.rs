//! The chain as the first honest node had it, and what every other node must agree with. [COM-9] [STO-12]
//!
//! Credit is added up from its items, records are counted, windows are cut again by the naive rules.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use mdsm_core::access::AccessEvent;
use mdsm_core::chain::Chain;
use mdsm_core::crypto::Identified as _;
use mdsm_core::ledger::{Anchor, Genesis, Proposal};
use mdsm_core::node::Commit;
use mdsm_core::roster::{Cause, Committees, CreditChange, Founder};
use mdsm_core::types::{Digest, Epoch, InstitutionId, RecordId, View};

use crate::rules::chain::{Finalized, Periods, effects};

/// How often something interesting happened.
pub type Sometimes = BTreeMap<&'static str, u64>;

/// States that are kept for comparison.
const STATES: usize = 256;
/// Blocks that are cut again by the naive rules, whose time grows with the square.
const NAIVE_BLOCKS: usize = 300;
/// Points of a rating start with so much credit (spec: committees, "Amounts").
const CREDIT_PER_POINT: i64 = 500;

/// What one block brought about.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    hash: Digest,
    booked: Vec<RecordId>,
    acts: Vec<AccessEvent>,
    credit: Vec<CreditChange>,
}

/// The chain and what it brought about.
#[derive(Debug)]
pub struct Books {
    is_thorough: bool,
    periods: Periods,
    newcomer: InstitutionId,
    entries: Vec<Entry>,
    finalized: Vec<Finalized>,
    states: BTreeMap<u64, Arc<Chain>>,
    /// Where each record stands.
    pub records: BTreeMap<RecordId, u64>,
    credit: BTreeMap<InstitutionId, i64>,
    /// By epoch.
    pub anchors: BTreeMap<Epoch, Anchor>,
    /// Who has a seat in the open epoch.
    pub committees: Arc<Committees>,
    /// Epochs that ended: hash, height and view of the last block.
    pub ended: Vec<(Digest, u64, View)>,
    data_blocks: u64,
    last: Option<Rc<Commit>>,
    /// What happened.
    pub sometimes: Sometimes,
}

impl Books {
    /// Books of a network.
    #[must_use]
    pub fn new(
        genesis: &Genesis,
        founders: &[Founder],
        committees: Arc<Committees>,
        newcomer: InstitutionId,
        is_thorough: bool,
    ) -> Self {
        let start =
            |founder: &Founder| (founder.institution, i64::from(founder.rating) * CREDIT_PER_POINT);
        Self {
            is_thorough,
            periods: Periods {
                started_at: genesis.started_at.get(),
                minute_ms: genesis.minute_ms,
                window_ms: genesis.window_ms,
            },
            newcomer,
            entries: Vec::new(),
            finalized: Vec::new(),
            states: BTreeMap::new(),
            records: BTreeMap::new(),
            credit: founders.iter().map(start).collect(),
            anchors: BTreeMap::new(),
            committees,
            ended: Vec::new(),
            data_blocks: 0,
            last: None,
            sometimes: Sometimes::new(),
        }
    }

    /// Height of the chain.
    #[must_use]
    pub fn height(&self) -> u64 {
        self.entries.len() as u64
    }

    /// The open epoch.
    #[must_use]
    pub fn open(&self) -> Epoch {
        self.committees.epoch
    }

    /// Counts something that should happen sometimes.
    pub fn count(&mut self, what: &'static str) {
        *self.sometimes.entry(what).or_default() += 1;
    }

    /// A node has committed blocks and is where this chain is; whether an epoch ended that none had
    /// ended before.
    pub fn moved(&mut self, commit: &Rc<Commit>, chain: &Arc<Chain>) -> Result<bool, String> {
        let is_known = self.last.as_ref().is_some_and(|last| Rc::ptr_eq(last, commit));
        if !is_known {
            for (at, block) in commit.decision.blocks.iter().enumerate() {
                self.block(commit, at, block)?;
            }
            self.last = Some(commit.clone());
        }
        let height = chain.height().get();
        let is_first = !self.states.contains_key(&height) && height == self.height();
        let known = self.states.entry(height).or_insert_with(|| chain.clone());
        let compares = self.is_thorough || chain.epoch() != chain_epoch_before(known);
        if compares && !Arc::ptr_eq(known, chain) && **known != **chain {
            return Err(format!("at height {height} two nodes have different states"));
        }
        while self.states.len() > STATES {
            self.states.pop_first();
        }
        if is_first && chain.epoch() > self.open() {
            return self.opens(chain).map(|()| true);
        }
        Ok(false)
    }

    fn block(&mut self, commit: &Commit, at: usize, block: &Proposal) -> Result<(), String> {
        let header = &block.signed.header;
        let height = header.height.get();
        let place = usize::try_from(height - 1).unwrap_or(usize::MAX);
        let entry = Entry {
            hash: header.id(),
            booked: commit.booked[at].clone(),
            acts: commit.acts[at].clone(),
            credit: commit.credit[at].clone(),
        };
        if let Some(known) = self.entries.get(place) {
            return if *known == entry {
                Ok(())
            } else {
                Err(format!("block {height} brought about other things at another node"))
            };
        }
        if place != self.entries.len() {
            return Err(format!("block {height} comes behind {}", self.entries.len()));
        }
        self.book(height, &entry, block)?;
        self.tally(&entry, block);
        let item_block = block.payload.item_block.as_ref();
        self.finalized.push(Finalized {
            timestamp: header.timestamp.get(),
            item_block: item_block.map(|inner| *inner.header.root.as_bytes()),
        });
        self.entries.push(entry);
        Ok(())
    }

    fn book(&mut self, height: u64, entry: &Entry, block: &Proposal) -> Result<(), String> {
        for record in &entry.booked {
            if let Some(first) = self.records.insert(*record, height) {
                return Err(format!("record {record} is booked at {first} and at {height}"));
            }
        }
        for change in &entry.credit {
            *self.credit.entry(change.institution).or_default() += change.amount;
        }
        let named = block.payload.item_block.as_ref().map_or(0, |inner| inner.items.len());
        if (named == 0) != entry.booked.is_empty() {
            return Err(format!(
                "block {height}: {named} Items and {} records",
                entry.booked.len()
            ));
        }
        Ok(())
    }

    fn tally(&mut self, entry: &Entry, block: &Proposal) {
        let header = &block.signed.header;
        let events = &block.payload.events;
        let is_behind_gap = header.view.get() > header.parent_view.get() + 1;
        let counts = [
            ("evidence booked", events.evidence.len()),
            ("registration booked", events.registrations.len()),
            ("service booked", events.services.len()),
            ("anchor reported", events.anchored.len()),
            ("records behind a nullified view", if is_behind_gap { entry.booked.len() } else { 0 }),
        ];
        for (what, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
            *self.sometimes.entry(what).or_default() += count as u64;
        }
        for change in &entry.credit {
            match change.cause {
                Cause::Offended(_) => self.count("offence charged"),
                Cause::Served => self.count("service credited"),
                Cause::Absent => self.count("absence charged"),
                Cause::Missed => self.count("missed turn charged"),
                _ => {}
            }
        }
        for act in &entry.acts {
            self.count(name_of(act));
        }
    }

    /// The next epoch begins: credit is added up, and who has which seat is looked at.
    fn opens(&mut self, chain: &Chain) -> Result<(), String> {
        let roster = chain.roster();
        for one in roster.institutions() {
            let sum = self.credit.get(&one.id).copied().unwrap_or_default();
            if sum != one.credit.get() {
                let what = format!("{} has credit {}, its items give {sum}", one.id, one.credit);
                return Err(what);
            }
        }
        let now = roster.committees().clone();
        let sits = |committees: &Committees, id| committees.seat_of(id).is_some();
        let before = self.committees.clone();
        for seat in before.electorate() {
            if !sits(&now, seat.institution) {
                self.count("delegate expelled");
            }
        }
        for seat in now.electorate() {
            if !sits(&before, seat.institution) {
                self.count("replacement seated");
                if seat.institution == self.newcomer {
                    self.count("newcomer seated");
                }
            }
        }
        let total = chain.totals().data_blocks;
        match total - self.data_blocks {
            0 => self.count("epoch without data blocks"),
            1 => self.count("epoch with one data block"),
            _ => self.count("epoch with several data blocks"),
        }
        self.data_blocks = total;
        self.ended.push((chain.head(), chain.height().get(), chain.head_view()));
        self.committees = now;
        Ok(())
    }

    /// A node has frozen an epoch.
    pub fn frozen(&mut self, anchor: &Anchor) -> Result<(), String> {
        let known = self.anchors.entry(anchor.epoch).or_insert(*anchor);
        if known == anchor {
            Ok(())
        } else {
            Err(format!("epoch {} is frozen with two anchors", anchor.epoch))
        }
    }

    /// Windows by the naive rules, as far as they go.
    pub fn windows(&self) -> Result<(), String> {
        let blocks = &self.finalized[..self.finalized.len().min(NAIVE_BLOCKS)];
        for (at, effect) in effects(self.periods, blocks).into_iter().enumerate() {
            let Some(frozen) = effect.frozen else { continue };
            let epoch = Epoch::new(frozen.window.epoch);
            let Some(anchor) = self.anchors.get(&epoch) else { continue };
            let is_last = anchor.head == self.entries[at].hash;
            if !is_last || *anchor.window.as_bytes() != frozen.root {
                return Err(format!("epoch {epoch} ends at another block or with another window"));
            }
        }
        Ok(())
    }

    /// Hash of the block at a height.
    #[must_use]
    pub fn hash(&self, height: u64) -> Option<Digest> {
        let place = usize::try_from(height.checked_sub(1)?).ok()?;
        self.entries.get(place).map(|entry| entry.hash)
    }

    /// Whether a block is on the chain.
    #[must_use]
    pub fn hashes(&self) -> BTreeSet<Digest> {
        self.entries.iter().map(|entry| entry.hash).collect()
    }
}

/// The epoch that the head belongs to.
fn chain_epoch_before(chain: &Chain) -> Epoch {
    let open = chain.epoch();
    if chain.has_ended() { Epoch::new(open.get().saturating_sub(1)) } else { open }
}

fn name_of(act: &AccessEvent) -> &'static str {
    match act {
        AccessEvent::Requested { .. } => "act: requested",
        AccessEvent::Granted { .. } => "act: granted",
        AccessEvent::Bid { .. } => "act: bid",
        AccessEvent::Chosen { .. } => "act: chosen",
        AccessEvent::Delivered { .. } => "act: delivered",
        AccessEvent::Revoked { .. } => "act: revoked",
        AccessEvent::Disputed { .. } => "act: disputed",
        AccessEvent::Cleared { .. } => "act: cleared",
        AccessEvent::WrongDelivery { .. } => "act: wrong delivery",
    }
}
