//! Making blocks. [CON-2] [CON-3] [STO-3] [STO-9]

use std::collections::BTreeSet;
use std::sync::Arc;

use super::bodies::{Branch, Missing};
use super::interface::{Effect, Timer};
use super::machine::Node;
use super::message::Message;
use crate::chain::{BlockError, Chain, RecordIndex};
use crate::consensus::{self, Audience, Rules};
use crate::crypto::sign::Scheme;
use crate::freezing::{Accepted, close_turn};
use crate::ledger::{Block, BlockHeader, Events, Item, Payload, Proposal, SignedHeader};
use crate::params::{CREATED_AHEAD_MS_MAX, ITEM_RECORDS_MAX, TURN_ITEMS_MAX};
use crate::types::{Digest, Signature, Timestamp, View};

impl<S: Scheme + Clone, R: Rules> Node<S, R> {
    /// Makes the block that consensus asks for, if the parent is at hand.
    pub(super) fn build(
        &mut self,
        view: View,
        parent_view: View,
        parent: Digest,
        effects: &mut Vec<Effect>,
    ) {
        if parent != self.chain.head()
            && let Err(missing) = self.examine(parent)
        {
            // The turn is not lost if it arrives in time.
            self.unbuilt = Some((view, parent_view, parent));
            return self.ask_for(missing, effects);
        }
        let Some(chain) = self.chain_at(&parent) else {
            return self.ask_for(Missing::Block(parent), effects);
        };
        let epoch = self.consensus.epoch();
        let is_closing = chain.epoch() != epoch;
        //= harness/spec/consensus.md#con-8-clock
        //# CON-8.6 (ours): A producer MUST stamp its block with the reading of its own clock and wait
        //# until that is above the stamp of the parent.
        let timestamp = self.now;
        if timestamp <= chain.tip_timestamp() {
            return self.wait_above(chain.tip_timestamp(), view, effects);
        }
        let Some(height) = chain.next_height() else { return };
        let header = BlockHeader {
            chain_id: chain.id(),
            epoch,
            view,
            height,
            parent,
            parent_view,
            timestamp,
            producer: self.config.me,
            payload: Payload::default().commitment(),
        };
        let (block, items) = if is_closing {
            //= harness/spec/storage.md#sto-13-freeze
            //# STO-13.4 (ours): A block that descends from the last block of its own epoch MUST carry
            //# an empty payload and change no state.
            (Block { header, payload: Payload::default() }, Vec::new())
        } else {
            self.fill(&chain, header)
        };
        self.keep_own(&chain, block, items, is_closing, effects);
    }

    /// Has the turn end again when the clock is past a time.
    fn wait_above(&self, time: Timestamp, view: View, effects: &mut Vec<Effect>) {
        let kind = consensus::TimerKind::Turn;
        let timer = consensus::Timer { epoch: self.consensus.epoch(), view, kind };
        let wait_ms = time.get().saturating_sub(self.now.get()).saturating_add(1);
        let after_ms = u32::try_from(wait_ms).unwrap_or(u32::MAX);
        effects.push(Effect::Arm { timer: Timer::Consensus(timer), after_ms });
    }

    /// A block with the records and events that wait.
    //= harness/spec/consensus.md#con-2-booking-into-an-item
    //# CON-2.1 (paper): The delegate on duty MUST put each accepted record under its owner's key into an
    //# Item and sign.
    fn fill(&mut self, chain: &Chain, header: BlockHeader) -> (Block, Vec<Item>) {
        let turn = close_turn(self.records_for(chain, &header));
        let item_block =
            turn.item_block(chain.id(), header.height, header.producer, header.timestamp);
        let items: Vec<Item> = turn.items.into_iter().map(|sealed| sealed.item).collect();
        let slot = self.consensus.slots().find(|(view, _)| *view == header.parent_view);
        let notarization = slot.and_then(|(_, slot)| slot.notarization.as_ref());
        let parent_certificate = notarization
            .filter(|_| header.parent_view > View::new(0))
            .map(|certificate| (**certificate).clone());
        let index = self.index_at(&header.parent);
        let mut events = self.events.pick(&index);
        let payload = |events: Events| Payload {
            item_block: item_block.clone(),
            parent_certificate: parent_certificate.clone(),
            events,
        };
        let with = |payload: Payload| {
            let header = BlockHeader { payload: payload.commitment(), ..header };
            Block { header, payload }
        };
        if !events.is_empty() {
            let is_refused = |events: &Events| {
                let block = with(Payload { events: events.clone(), ..Payload::default() });
                let checked = chain.check_by(&block, &[], &index, &self.scheme);
                matches!(checked, Err(BlockError::Event(_)))
            };
            if is_refused(&events) {
                let mut waiting = self.events.clone();
                waiting.purge(&index, is_refused);
                events = waiting.pick(&index);
                if is_refused(&events) {
                    events = waiting.pick_few(&index);
                }
                self.events = waiting;
            }
        }
        (with(payload(events)), items)
    }

    /// Records that may stand in this block, oldest first.
    //= harness/spec/consensus.md#con-6-replacement-within-a-turn
    //# CON-6.4 (ours): The records of a nullified block MUST be bookable by a later one.
    fn records_for(&self, chain: &Chain, header: &BlockHeader) -> Vec<Accepted> {
        let index = self.index_at(&header.parent);
        let latest = header.timestamp.get().saturating_add(CREATED_AHEAD_MS_MAX);
        let mut chosen = BTreeSet::new();
        self.pool
            .iter()
            .filter(|waiting| {
                let envelope = waiting.accepted.envelope();
                envelope.get().record.metadata().created.get() <= latest
                    && !index.contains(envelope.record_id())
                    && chain.is_registered(envelope.get().booked_by)
                    && chosen.insert(*envelope.record_id())
            })
            .take(TURN_ITEMS_MAX * ITEM_RECORDS_MAX)
            .map(|waiting| waiting.accepted.clone())
            .collect()
    }

    /// Keeps the own block with the chain behind it, and tells consensus.
    fn keep_own(
        &mut self,
        chain: &Chain,
        block: Block,
        items: Vec<Item>,
        is_closing: bool,
        effects: &mut Vec<Effect>,
    ) {
        let header = block.header;
        let hash = block.hash();
        let index = self.index_at(&header.parent);
        // Checked in full, as the auditors will: a wrong block that it signs costs a producer its seat.
        let Ok(checked) = chain.check_by(&block, &items, &index, &self.scheme) else { return };
        let records = Arc::new(checked.record_ids().iter().copied().collect());
        let mut next = chain.clone();
        let applied = Arc::new(next.apply(checked));
        let unsigned = SignedHeader { header, signature: Signature::new([0; 64]) };
        let proposal = Arc::new(Proposal { signed: unsigned, payload: block.payload });
        let items: Vec<Arc<Item>> = items.into_iter().map(Arc::new).collect();
        for item in &items {
            let _ = self.bodies.keep_item(item.root(), item.clone());
        }
        let chain = Arc::new(next);
        let branch = Branch { proposal, items, chain, applied, records, is_closing };
        self.bodies.keep_branch(hash, branch);
        self.drive(consensus::Input::Built(Arc::new(header)), effects);
    }

    /// Sends the own proposal, and its Items to those who check them.
    //= harness/spec/consensus.md#con-3-item-confirmation
    //# CON-3.1 (paper): The delegate on duty MUST broadcast the confirmation of each Item.
    pub(super) fn propose(&mut self, header: &BlockHeader, effects: &mut Vec<Effect>) {
        let hash = crate::crypto::Identified::id(header);
        // After a crash the body is gone; then the turn is missed, and nothing is signed twice.
        let Some(branch) = self.bodies.branch(&hash) else { return };
        let payload = Arc::new(branch.proposal.payload.clone());
        effects.push(Effect::Propose { header: *header, payload });
        for item in &branch.items {
            let to = Audience::Auditors { and: self.config.me };
            effects.push(Effect::Send { to, message: Message::Item(item.clone()) });
        }
    }
}
