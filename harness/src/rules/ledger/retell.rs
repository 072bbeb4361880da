//! From block to block. [COM-9]

use std::collections::BTreeMap;

use super::super::access::{Limits, Past, Step};
use super::super::agreement::{SignedHeader, Subject, Vote, commitment, no_events};
use super::super::bounds::hold;
use super::super::chain::Finalized;
use super::super::ids::{anchored, id};
use super::super::mirror::{Anchor, Bytes32, Decision, Genesis, Payload, Proposal};
use super::super::roster::{Seats, State, TABLE};
use super::super::wire::{Mirror, WireKind, decode};
use super::acts::act_of;
use super::freeze::{Window0, state_digest};
use super::log::{Decided, Log, Signatures, founders, genesis};
use super::place::{Place, Tip, behind};
use super::told::{Block, Epoch, Told, Violation};
use super::{anchors, certificate, items};

/// Bounds of the spec: reencryption, Access records.
const LIMITS: Limits = Limits {
    requests: 256,
    grants: 4_096,
    bids: 256,
    request_blocks: 432_000,
    grant_blocks: 5_256_000,
    dispute_blocks: 100_800,
    confirm_blocks: 100_800,
};

/// Everything behind some blocks.
pub(super) struct Ledger<'a> {
    pub(super) signatures: &'a dyn Signatures,
    pub(super) genesis: Genesis,
    pub(super) chain_id: Bytes32,
    pub(super) roster: State,
    access: Past,
    /// As it was behind the epoch before.
    pub(super) access_before: Past,
    /// Owner of each booked record.
    owners: BTreeMap<Bytes32, Bytes32>,
    tip: Tip,
    window: Window0,
    /// Records, Items, Item blocks, data blocks.
    totals: [u64; 4],
    blocks: Vec<Block>,
    epochs: Vec<Epoch>,
}

/// Tells the log anew, up to the first rule that it breaks.
///
/// # Errors
/// When genesis and founders start no network.
pub fn retell(log: &Log, signatures: &dyn Signatures) -> Result<Told, String> {
    let mut ledger = Ledger::start(log, signatures)?;
    let mut violation = None;
    for decided in &log.decisions {
        let told = (ledger.blocks.len(), ledger.epochs.len());
        if let Err(broken) = ledger.decided(decided) {
            ledger.blocks.truncate(told.0);
            ledger.epochs.truncate(told.1);
            violation = Some(broken);
            break;
        }
    }
    let anchors = anchors::check(&log.anchors, &mut ledger.epochs, &ledger.chain_id, signatures);
    // A log that breaks off has no epochs for its last anchors.
    let violation = violation.or(anchors.err());
    let Ledger { blocks, epochs, access, roster, .. } = ledger;
    Ok(Told { blocks, epochs, access, seats: roster.seats, violation })
}

impl<'a> Ledger<'a> {
    fn start(log: &Log, signatures: &'a dyn Signatures) -> Result<Self, String> {
        let genesis = genesis(&log.genesis)?;
        let founders = founders(&log.founders, signatures)?;
        let seats = usize::from(genesis.producers) + usize::from(genesis.auditors);
        hold(founders.len() >= seats, "there are fewer founders than seats")?;
        let roster = State::found(TABLE, &founders, genesis.producers, genesis.auditors);
        hold(roster.digest() == genesis.committees, "the genesis names other founders")?;
        let chain_id = id(&Mirror::from(genesis.clone()));
        let tip = Tip { hash: chain_id, height: 0, timestamp: genesis.started_at, view: 0 };
        let access = Past::new(LIMITS, BTreeMap::new());
        Ok(Self {
            signatures,
            window: Window0::open(&genesis, genesis.started_at, 0),
            chain_id,
            roster,
            access_before: access.clone(),
            access,
            owners: BTreeMap::new(),
            tip,
            totals: [0; 4],
            blocks: Vec::new(),
            epochs: Vec::new(),
            genesis,
        })
    }

    fn decided(&mut self, decided: &Decided) -> Result<(), Violation> {
        let next = self.tip.height + 1;
        let broken = |height: u64| move |what: String| Violation { height, what };
        let decision = match decode(WireKind::Decision, &decided.decision) {
            Ok(Mirror::Decision(decision)) => decision,
            Ok(_) => return Err(broken(next)("a decision of another kind".to_owned())),
            Err(why) => return Err(broken(next)(format!("no decision: {why}"))),
        };
        let Decision { blocks, closing, certificate } = &decision;
        let each =
            hold(blocks.len() == decided.items.len(), "not one list of Items for each block");
        each.map_err(broken(next))?;
        let seats = self.roster.seats.clone();
        let auditors = self.seated(&seats.auditors);
        for (proposal, items) in blocks.iter().zip(&decided.items) {
            let height = self.tip.height + 1;
            let is_of_epoch = self.roster.seats.epoch == seats.epoch;
            let one_epoch = hold(is_of_epoch, "a block stands behind the last one of the epoch");
            one_epoch.and_then(|()| self.block(proposal, items)).map_err(broken(height))?;
        }
        let mut last = blocks.last().map_or(self.tip, |last| behind(&last.signed.header));
        let has_ended = self.roster.seats.epoch != seats.epoch;
        for header in closing {
            let what = hold(has_ended, "a closing block stands behind a block that ends no epoch");
            let checked = what.and_then(|()| self.closing(header, &seats, last));
            checked.map_err(|what| broken(last.height + 1)(format!("closing block: {what}")))?;
            last = behind(&header.header);
        }
        let vote =
            Vote { epoch: seats.epoch, view: last.view, subject: Subject::Finalize(last.hash) };
        certificate::check(certificate, &vote, &auditors, &self.chain_id, self.signatures)
            .map(|_| ())
            .map_err(|what| broken(last.height)(format!("finalization: {what}")))
    }

    /// A block behind the last one of its epoch: nothing is in it and nothing comes of it.
    fn closing(&self, signed: &SignedHeader, seats: &Seats, tip: Tip) -> Result<(), String> {
        let idle = Payload { item_block: None, parent_certificate: None, events: no_events() };
        self.place(tip, seats, commitment(&idle), signed)
    }

    fn place(
        &self,
        tip: Tip,
        seats: &Seats,
        payload: Bytes32,
        signed: &SignedHeader,
    ) -> Result<(), String> {
        let key_of = |id: u32| self.key_of(id);
        let (chain_id, signatures) = (self.chain_id, self.signatures);
        let window_ms = self.genesis.window_ms;
        Place { chain_id, window_ms, tip, seats, payload, key_of: &key_of, signatures }
            .check(signed)
    }

    fn block(&mut self, proposal: &Proposal, items: &[Vec<u8>]) -> Result<(), String> {
        let header = &proposal.signed.header;
        let payload = commitment(&proposal.payload);
        self.place(self.tip, &self.roster.seats, payload, &proposal.signed)?;
        let key_of = |id: u32| self.key_of(id);
        let records = items::check(proposal, items, &self.owners, &key_of, self.signatures)?;
        let facts = self.facts(proposal)?;
        self.tip = behind(header);
        let acts = self.book(header.height, &records);
        let mut changes = self.roster.block(&facts);
        let count = |elements: usize| u64::try_from(elements).unwrap_or(u64::MAX);
        let item_block = proposal.payload.item_block.as_ref().map(|block| block.header.root);
        let (cut, frozen) = self.window.take(Finalized { timestamp: header.timestamp, item_block });
        let added =
            [records.len(), items.len(), usize::from(item_block.is_some()), cut.len()].map(count);
        self.totals.iter_mut().zip(added).for_each(|(total, added)| *total += added);
        if let Some((window, root)) = frozen {
            let seats = self.roster.seats.clone();
            let electorate = [&seats.producers[..], &seats.auditors].concat();
            let electorate = self.seated(&electorate);
            let freeze = self.roster.freeze(header.view);
            changes.extend(freeze.changes.iter().copied());
            let anchor = Anchor {
                chain_id: self.chain_id,
                epoch: seats.epoch,
                window: root,
                head: self.tip.hash,
                state: state_digest(&self.totals, &self.roster),
                next_committees: self.roster.digest(),
            };
            let next = Window0::open(&self.genesis, header.timestamp, self.roster.seats.epoch);
            let data_blocks = std::mem::replace(&mut self.window, next).data_blocks;
            let (root, last) = (anchored(&anchor), header.height);
            let is_certified = false;
            self.epochs.push(Epoch {
                seats,
                electorate,
                last,
                data_blocks,
                window,
                freeze,
                anchor,
                root,
                is_certified,
            });
            self.access_before = self.access.clone();
            self.tip.view = 0;
        }
        self.blocks.push(Block {
            height: header.height,
            epoch: header.epoch,
            view: header.view,
            timestamp: header.timestamp,
            head: self.tip.hash,
            state: state_digest(&self.totals, &self.roster),
            committees: self.roster.digest(),
            credit: self.roster.credit.clone(),
            changes,
            booked: records.iter().map(|(id, _)| *id).collect(),
            acts,
            cut,
        });
        Ok(())
    }

    /// Books the records, and gives those whose acts had effect.
    fn book(&mut self, height: u64, records: &items::Records) -> Vec<Bytes32> {
        let seats = &self.roster.seats;
        let holders = self.seated(&[&seats.producers[..], &seats.auditors].concat());
        self.access.take(&Step::Seats(holders.into_iter().map(|(id, key)| (key, id)).collect()));
        self.access.take(&Step::Reach(height));
        let mut effective = Vec::new();
        for (id, envelope) in records {
            let signer = envelope.record.owner;
            let act = act_of(&envelope.record);
            let step = act.map(|act| Step::Book { record: *id, signer, act });
            if step.is_some_and(|step| self.access.take(&step)) {
                effective.push(*id);
            }
            self.access.own(*id, signer);
            self.owners.insert(*id, signer);
        }
        effective
    }
}
