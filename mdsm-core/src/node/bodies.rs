//! Blocks that are not final: their payloads, their Items, and the chain behind each of them. [CON-4]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::index::Above;
use super::interface::{Effect, Timer};
use super::limits::{BODIES_MAX, ITEMS_BYTES_MAX, ITEMS_MAX, PROPOSALS_MAX, WANT_ITEMS_MAX};
use super::machine::Node;
use super::message::Message;
use crate::chain::{Applied, Chain};
use crate::codec::Wire as _;
use crate::consensus::{self, Audience, Rules};
use crate::crypto::sign::{Scheme, Signed};
use crate::ledger::{Block, BlockHeader, Item, Proposal, SealedHeader, SignedHeader, faulty_max};
use crate::params::BLOCK_AHEAD_MS_MAX;
use crate::types::{Digest, Height, InstitutionId, RecordId, View};

/// What is at hand above the last final block.
#[derive(Clone, Debug, Default)]
pub(super) struct Bodies {
    proposals: BTreeMap<Digest, Arc<Proposal>>,
    items: BTreeMap<Digest, Arc<Item>>,
    branches: BTreeMap<Digest, Branch>,
    /// Blocks that consensus waits for.
    checking: BTreeMap<Digest, Check>,
    /// Items that blocks were found to lack, by block; a block that lacks nothing more is not among them.
    lacking: BTreeMap<Digest, BTreeSet<Digest>>,
    /// Blocks that were asked for; others are taken from nobody but their leader.
    wanted: BTreeSet<Digest>,
    /// Blocks and Items that were asked for since the view or the last retry began: whatever arrives,
    /// nothing is asked for twice in that time.
    asked: BTreeSet<Digest>,
    item_bytes: usize,
}

/// A block that was checked, and the chain behind it.
#[derive(Clone, Debug)]
pub(super) struct Branch {
    pub(super) proposal: Arc<Proposal>,
    pub(super) items: Vec<Arc<Item>>,
    pub(super) chain: Arc<Chain>,
    pub(super) applied: Arc<Applied>,
    pub(super) records: Arc<BTreeSet<RecordId>>,
    pub(super) is_closing: bool,
}

/// A check that consensus waits for.
#[derive(Clone, Copy, Debug)]
struct Check {
    view: View,
    patience: Patience,
}

/// Whether Items that a block lacks are asked for. They come right behind the block; asking at once would
/// have each of them sent three times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Patience {
    /// Nothing was found to be missing yet.
    Fresh,
    /// They are given time to come.
    Waiting,
    /// They have had it.
    Over,
}

/// What keeps a block from being checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// The block itself or an ancestor.
    Block(Digest),
    /// Items of it.
    Items(Vec<Digest>, InstitutionId),
    /// Nothing: it must not be on the chain.
    Invalid,
}

impl Bodies {
    pub(super) fn begin(&mut self, hash: Digest, view: View) {
        self.checking.insert(hash, Check { view, patience: Patience::Fresh });
    }

    pub(super) fn proposal(&self, hash: &Digest) -> Option<&Arc<Proposal>> {
        self.proposals.get(hash)
    }

    pub(super) fn proposals(&self) -> impl Iterator<Item = (&Digest, &Arc<Proposal>)> {
        self.proposals.iter()
    }

    pub(super) fn item(&self, root: &Digest) -> Option<&Arc<Item>> {
        self.items.get(root)
    }

    pub(super) fn branch(&self, hash: &Digest) -> Option<&Branch> {
        self.branches.get(hash)
    }

    /// Keeps a proposal; the lowest go when there are too many, and never those that are checked.
    pub(super) fn keep(&mut self, hash: Digest, proposal: Arc<Proposal>) {
        if self.proposals.len() >= BODIES_MAX {
            let place =
                |proposal: &Proposal| (proposal.signed.header.epoch, proposal.signed.header.view);
            let spare = self.proposals.iter().filter(|(hash, _)| !self.branches.contains_key(hash));
            let lowest = spare.min_by_key(|(_, other)| place(other)).map(|(hash, _)| *hash);
            let Some(lowest) = lowest else { return };
            self.proposals.remove(&lowest);
            self.lacking.remove(&lowest);
        }
        self.proposals.insert(hash, proposal);
    }

    /// Proposals at hand by the leader of a view.
    fn of_turn(&self, header: &BlockHeader) -> usize {
        let turn = |header: &BlockHeader| (header.epoch, header.view, header.producer);
        let same = |found: &&Arc<Proposal>| turn(&found.signed.header) == turn(header);
        self.proposals.values().filter(same).count()
    }

    /// Whether a proposal at hand names this Item.
    fn names(&self, root: &Digest) -> bool {
        self.lacking.values().any(|lacking| lacking.contains(root)) || self.is_named(root)
    }

    fn is_named(&self, root: &Digest) -> bool {
        self.proposals.values().any(|proposal| {
            proposal.payload.item_block.as_ref().is_some_and(|block| block.items.contains(root))
        })
    }

    /// Keeps an Item. False while every block that lacked it lacks others too: a block of a thousand Items is looked
    /// at when the last of them is there, and not with each.
    pub(super) fn keep_item(&mut self, root: Digest, item: Arc<Item>) -> bool {
        let bytes = item.to_bytes().len();
        // What a block waits for goes before what somebody only proposed, perhaps of a view that never
        // comes.
        if !self.fits(bytes) {
            let needed = self.needed();
            if needed.contains(&root) {
                self.items.retain(|root, _| needed.contains(root));
                self.count_bytes();
            }
        }
        if !self.fits(bytes) {
            return false;
        }
        if self.items.insert(root, item).is_none() {
            self.item_bytes += bytes;
        }
        let (mut was_lacking, before) = (false, self.lacking.len());
        self.lacking.retain(|_, lacking| {
            was_lacking |= lacking.remove(&root);
            !lacking.is_empty()
        });
        !was_lacking || self.lacking.len() < before
    }

    /// Items that were asked for, and those of blocks that consensus waits for.
    fn needed(&self) -> BTreeSet<Digest> {
        let checked = self.checking.keys().filter_map(|hash| self.proposals.get(hash));
        let named = checked.filter_map(|proposal| proposal.payload.item_block.as_ref());
        let named = named.flat_map(|item_block| item_block.items.iter().copied());
        named.chain(self.asked.iter().copied()).collect()
    }

    fn fits(&self, bytes: usize) -> bool {
        self.items.len() < ITEMS_MAX && self.item_bytes + bytes <= ITEMS_BYTES_MAX
    }

    fn count_bytes(&mut self) {
        self.item_bytes = self.items.values().map(|item| item.to_bytes().len()).sum();
    }

    /// Puts the signature to an own proposal that was kept without it.
    fn sign(&mut self, hash: Digest, proposal: &Arc<Proposal>) {
        self.proposals.insert(hash, proposal.clone());
        if let Some(branch) = self.branches.get_mut(&hash) {
            branch.proposal = proposal.clone();
        }
    }

    pub(super) fn keep_branch(&mut self, hash: Digest, branch: Branch) {
        self.proposals.insert(hash, branch.proposal.clone());
        self.branches.insert(hash, branch);
    }

    /// Forgets what no block above the final one can need.
    pub(super) fn prune(&mut self, height: Height, head: &Digest) {
        let is_low = |proposal: &Proposal| proposal.signed.header.height <= height;
        let proposals = &self.proposals;
        self.checking.retain(|hash, _| !proposals.get(hash).is_some_and(|one| is_low(one)));
        self.proposals.retain(|_, proposal| !is_low(proposal));
        self.branches
            .retain(|hash, branch| branch.proposal.signed.header.height > height || hash == head);
        self.branches.remove(head);
        self.lacking.retain(|hash, _| self.proposals.contains_key(hash));
        let named: BTreeSet<Digest> = self
            .proposals
            .values()
            .filter_map(|proposal| proposal.payload.item_block.as_ref())
            .flat_map(|item_block| item_block.items.iter().copied())
            .collect();
        self.items.retain(|root, _| named.contains(root));
        self.count_bytes();
        self.wanted.clear();
    }

    /// From now on everything may be asked for again.
    pub(super) fn ask_anew(&mut self) {
        self.asked.clear();
    }

    /// Forgets everything: another epoch begins.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Proposals, Items and branches, for a measure of memory.
    pub(super) fn sizes(&self) -> [usize; 4] {
        [self.proposals.len(), self.items.len(), self.branches.len(), self.wanted.len()]
    }
}

impl<S: Scheme + Clone, R: Rules> Node<S, R> {
    /// The chain behind a block, or behind the last final one.
    pub(super) fn chain_at(&self, hash: &Digest) -> Option<Arc<Chain>> {
        if *hash == self.chain.head() {
            return Some(self.chain.clone());
        }
        self.bodies.branch(hash).map(|branch| branch.chain.clone())
    }

    /// The index as a child of this block sees it.
    pub(super) fn index_at(&self, hash: &Digest) -> Above<'_> {
        let mut branch = Vec::new();
        let mut at = *hash;
        while let Some(block) = self.bodies.branch(&at) {
            branch.push(block.records.clone());
            at = block.proposal.signed.header.parent;
        }
        Above { booked: &self.booked, branch }
    }

    /// Checks a block, and its ancestors first, if they are all at hand. Everybody checks everything, also
    /// of a final block: were every auditor faulty, the anchors would still stand for valid blocks.
    //= harness/spec/consensus.md#con-4-audit
    //# CON-4.2 (paper): Nodes other than the auditors MUST update their state from audited blocks.
    pub(super) fn examine(&mut self, hash: Digest) -> Result<(), Missing> {
        if self.bodies.branch(&hash).is_some() {
            return Ok(());
        }
        let proposal = self.bodies.proposal(&hash).ok_or(Missing::Block(hash))?.clone();
        let header = &proposal.signed.header;
        if header.height <= self.chain.height() || self.blame.has(&hash) {
            return Err(Missing::Invalid);
        }
        let parent = header.parent;
        if parent != self.chain.head() {
            self.examine(parent)?;
        }
        if let Some(lacking) = self.bodies.lacking.get(&hash) {
            return Err(Missing::Items(lacking.iter().copied().collect(), header.producer));
        }
        let items = self.items_of(&proposal).inspect_err(|missing| {
            if let Missing::Items(roots, _) = missing {
                self.bodies.lacking.insert(hash, roots.iter().copied().collect());
            }
        })?;
        let chain = self.chain_at(&parent).ok_or(Missing::Block(parent))?;
        let block = Block { header: *header, payload: proposal.payload.clone() };
        let plain: Vec<Item> = items.iter().map(|item| (**item).clone()).collect();
        let index = self.index_at(&parent);
        let checked = chain.check_by(&block, &plain, &index, &self.scheme);
        let checked = match checked {
            Ok(checked) => checked,
            Err(error) => {
                self.blame_block(hash, &proposal, &plain, &error);
                return Err(Missing::Invalid);
            }
        };
        let is_closing = chain.has_ended() && header.epoch != chain.epoch();
        let records = Arc::new(checked.record_ids().iter().copied().collect());
        let mut next = (*chain).clone();
        let applied = Arc::new(next.apply(checked));
        let chain = Arc::new(next);
        let branch = Branch { proposal, items, chain, applied, records, is_closing };
        self.bodies.keep_branch(hash, branch);
        Ok(())
    }

    fn items_of(&self, proposal: &Proposal) -> Result<Vec<Arc<Item>>, Missing> {
        let Some(item_block) = &proposal.payload.item_block else { return Ok(Vec::new()) };
        let mut items = Vec::with_capacity(item_block.items.len());
        let mut missing = Vec::new();
        for root in item_block.items.iter() {
            match self.bodies.item(root) {
                Some(item) => items.push(item.clone()),
                None => missing.push(*root),
            }
        }
        if missing.is_empty() {
            Ok(items)
        } else {
            Err(Missing::Items(missing, proposal.signed.header.producer))
        }
    }

    /// Answers consensus about a block if it can; asks for what is missing if not.
    //= harness/spec/consensus.md#con-4-audit
    //# CON-4.1 (paper): An auditor MUST check every record of a signed block.
    //= harness/spec/consensus.md#con-4-audit
    //# CON-4.3 (ours): An auditor MUST NOT vote for a block before it holds and has checked every Item
    //# of that block.
    pub(super) fn validate(&mut self, hash: Digest, effects: &mut Vec<Effect>) {
        let Some(Check { view, patience }) = self.bodies.checking.get(&hash).copied() else {
            return;
        };
        let is_valid = match self.examine(hash) {
            Ok(()) => !self.is_ahead(&hash),
            Err(Missing::Invalid) => false,
            Err(Missing::Items(..)) if patience != Patience::Over => {
                return self.wait_for_items(hash, patience, effects);
            }
            Err(missing) => return self.ask_for(missing, effects),
        };
        self.bodies.checking.remove(&hash);
        if is_valid && self.consensus.votes() {
            self.keep_for_others(&hash, effects);
        }
        self.drive(consensus::Input::Validated { view, hash, is_valid }, effects);
    }

    fn wait_for_items(&mut self, hash: Digest, patience: Patience, effects: &mut Vec<Effect>) {
        if patience == Patience::Fresh {
            let patience = Patience::Waiting;
            self.bodies.checking.entry(hash).and_modify(|check| check.patience = patience);
            let after_ms = self.config.delay_ms;
            effects.push(Effect::Arm { timer: Timer::Items, after_ms });
        }
    }

    /// Items that blocks lack have had time to come.
    pub(super) fn on_items_time(&mut self, effects: &mut Vec<Effect>) {
        for check in self.bodies.checking.values_mut() {
            if check.patience == Patience::Waiting {
                check.patience = Patience::Over;
            }
        }
        self.validate_all(effects);
    }

    /// A block that is notarized has to outlive the crash of everybody who voted for it: later blocks
    /// extend it.
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //# CON-7.23 (ours): An auditor MUST have stored a block with all its Items before it sends a vote to
    //# notarize that block.
    fn keep_for_others(&self, hash: &Digest, effects: &mut Vec<Effect>) {
        if let Some(Branch { proposal, items, .. }) = self.bodies.branch(hash) {
            let (proposal, items) = (proposal.clone(), items.clone());
            effects.push(Effect::Keep { proposal, items });
        }
    }

    //= harness/spec/consensus.md#con-4-audit
    //# CON-4.4 (ours): An auditor MUST NOT vote for a block whose timestamp is more than 2,000
    //# milliseconds ahead of its own clock.
    fn is_ahead(&self, hash: &Digest) -> bool {
        let latest = self.now.get().saturating_add(BLOCK_AHEAD_MS_MAX);
        let proposal = self.bodies.proposal(hash);
        proposal.is_none_or(|proposal| proposal.signed.header.timestamp.get() > latest)
    }

    /// Tries every block that waits, because something arrived.
    pub(super) fn validate_all(&mut self, effects: &mut Vec<Effect>) {
        let waiting: Vec<Digest> = self.bodies.checking.keys().copied().collect();
        for hash in waiting {
            self.validate(hash, effects);
        }
    }

    pub(super) fn ask_for(&mut self, missing: Missing, effects: &mut Vec<Effect>) {
        match missing {
            Missing::Block(hash) => {
                // Also when the answer is still on its way: what was wanted is forgotten with every block that
                // becomes final.
                if self.bodies.wanted.len() < BODIES_MAX {
                    self.bodies.wanted.insert(hash);
                }
                if !self.bodies.asked.insert(hash) {
                    return;
                }
                //= harness/spec/consensus.md#con-7-safety-life-and-evidence
                //# CON-7.27 (ours): A node that lacks a block which a certificate or another block
                //# names MUST ask f + 1 auditors for it at once, and up to f + 1 of the auditors that
                //# speak to it of a later epoch for what it missed.
                for one in self.some(&hash) {
                    let to = Audience::One(one);
                    effects.push(Effect::Send { to, message: Message::WantBlock(hash) });
                }
            }
            Missing::Items(mut roots, producer) => {
                roots.retain(|root| self.bodies.asked.insert(*root));
                roots.truncate(WANT_ITEMS_MAX);
                if roots.is_empty() {
                    return;
                }
                let first = roots.first().copied();
                let message = Message::WantItems(roots);
                let to = Audience::One(producer);
                effects.push(Effect::Send { to, message: message.clone() });
                // The producer may be the very one who keeps them back.
                let other = first.map(|root| self.somebody(&root)).filter(|one| *one != producer);
                if let Some(other) = other {
                    effects.push(Effect::Send { to: Audience::One(other), message });
                }
            }
            Missing::Invalid => {}
        }
    }

    /// An auditor, another one for each node, digest and view, so that not all ask the same, and the next
    /// one at every repetition, so that nobody depends on one that does not answer.
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //# CON-7.29 (ours): A node that asks again for Items within one view MUST ask another auditor each
    //# time, until it has asked them all.
    pub(super) fn somebody(&self, about: &Digest) -> InstitutionId {
        let me = self.config.me;
        let auditors = self.consensus.committees().auditors.iter().map(|seat| seat.institution);
        let others: Vec<InstitutionId> = auditors.filter(|one| *one != me).collect();
        let [a, b, ..] = *about.as_bytes();
        let start = u64::from(a) << 8 | u64::from(b);
        // A leader comes back every so many views: were the view itself added, it could ask the same
        // auditor in each of its turns.
        let turn = self.consensus.view().get().wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 48;
        let mine = u64::from(me.get() % 65_536);
        let again = self.repetitions % 65_536;
        let length = u64::try_from(others.len()).unwrap_or(u64::MAX).max(1);
        let at = usize::try_from((start + turn + mine + again) % length).unwrap_or(0);
        others.get(at).copied().unwrap_or(me)
    }

    /// So many auditors, from that one on, that not all of them are faulty.
    fn some(&self, about: &Digest) -> Vec<InstitutionId> {
        let auditors = &self.consensus.committees().auditors;
        let first = self.somebody(about);
        let at = self.consensus.seat_of(first).unwrap_or(0);
        let from = auditors.iter().cycle().skip(at).take(auditors.len());
        let others = from.map(|seat| seat.institution).filter(|one| *one != self.config.me);
        others.take(faulty_max(auditors.len()) + 1).collect()
    }

    /// A proposal arrived: its body is kept, its header goes to consensus.
    pub(super) fn on_proposal(&mut self, proposal: Arc<Proposal>, effects: &mut Vec<Effect>) {
        let sealed = SealedHeader::new(proposal.signed);
        let header = &sealed.header;
        if self.intake.proposal(&sealed, &self.consensus, &self.scheme).is_err()
            || !proposal.payload.is_committed_by(&header.payload)
        {
            return;
        }
        let hash = sealed.hash();
        if header.producer == self.config.me {
            self.bodies.sign(hash, &proposal);
        } else if self.bodies.proposal(&hash).is_none() {
            // Two show that the leader is faulty; a third is taken only when a certificate names it.
            if !self.bodies.wanted.remove(&hash) && self.bodies.of_turn(header) >= PROPOSALS_MAX {
                return;
            }
            self.bodies.keep(hash, proposal);
        }
        self.drive(consensus::Input::Proposal(Arc::new(sealed)), effects);
        self.look_at(&hash, effects);
        self.retry_waiting(effects);
    }

    /// A block arrived that was asked for; it is believed because of its hash, and its signature because it
    /// was checked: whoever sent it may have put another one there, which is stored, passed on and convicts
    /// nobody.
    pub(super) fn on_block(&mut self, proposal: Arc<Proposal>, effects: &mut Vec<Effect>) {
        let hash = proposal.signed.hash();
        if self.bodies.wanted.contains(&hash)
            && proposal.payload.is_committed_by(&proposal.signed.header.payload)
            && self.are_signed([&proposal.signed])
        {
            self.bodies.wanted.remove(&hash);
            self.bodies.keep(hash, proposal);
            self.look_at(&hash, effects);
            self.retry_waiting(effects);
        }
    }

    /// Whether the leader of its view signed each of these blocks of the open epoch.
    //= harness/spec/consensus.md#con-2-booking-into-an-item
    //# CON-2.2 (ours): The signature of the delegate MUST be the one over the hash of the block that
    //# carries the Item.
    pub(super) fn are_signed<'a>(
        &self,
        blocks: impl IntoIterator<Item = &'a SignedHeader>,
    ) -> bool {
        let committees = self.consensus.committees();
        let mut messages = Vec::new();
        for signed in blocks {
            let SignedHeader { header, signature } = signed;
            let leader = committees.leader(header.view);
            if header.epoch != committees.epoch || header.producer != leader.institution {
                return false;
            }
            messages.push((leader.key, SignedHeader::message(&signed.hash()), signature));
        }
        let signed =
            messages.iter().map(|(key, message, signature)| Signed { key, message, signature });
        self.scheme.all_hold(&signed.collect::<Vec<_>>())
    }

    /// An Item arrived; only one that a proposal names is kept.
    pub(super) fn on_item(&mut self, item: &Arc<Item>, effects: &mut Vec<Effect>) {
        let root = item.root();
        let is_wanted = self.bodies.item(&root).is_none() && self.bodies.names(&root);
        if is_wanted && self.bodies.keep_item(root, item.clone()) {
            self.retry_waiting(effects);
        }
    }

    fn retry_waiting(&mut self, effects: &mut Vec<Effect>) {
        self.validate_all(effects);
        self.decide(effects);
        if let Some((view, parent_view, parent)) = self.unbuilt.take()
            && view == self.consensus.view()
        {
            self.build(view, parent_view, parent, effects);
        }
    }
}
