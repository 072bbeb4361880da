//! Eight institutions that sign for real, one chain, and its books in memory.

use std::collections::BTreeMap;
use std::convert::Infallible;

use crate::access::Act;
use crate::chain::{Chain, Genesis};
use crate::client::full::Located;
use crate::client::{
    Answer, Dealing, Declared, Finality, Hexed, Known, Library, Light, Question, Refused, Register,
    RosterStep, full,
};
use crate::crypto::sign::SigningKey;
use crate::ledger::{
    Anchor, Block, BlockHeader, Certificate, Content, DataBlock, Envelope, Issuer, Item, ItemBlock,
    ItemBlockHeader, MediaType, Metadata, Payload, Receipt, Record, ResourceType, Subject, Vote,
    quorum,
};
use crate::roster::{Founder, Roster, RosterCommitment};
use crate::types::{
    ChainId, Digest, Epoch, Height, InstitutionId, List, OwnerId, RecordId, Text, Timestamp, View,
};

const START: i64 = 1_200_000;
const TURN_MS: i64 = 1_000;

pub(super) fn key(of: u32) -> SigningKey {
    let mut seed = [9; 32];
    seed[..4].copy_from_slice(&of.to_le_bytes());
    SigningKey::from_seed(&seed)
}

pub(super) fn owner(of: u32) -> OwnerId {
    key(of).owner()
}

/// A frozen epoch.
struct Frozen {
    anchor: Anchor,
    data_blocks: Vec<DataBlock>,
    item_blocks: Vec<ItemBlock>,
    step: RosterStep,
}

/// Books of an institution, all of them honest.
pub(super) struct World {
    pub(super) chain: Chain,
    pub(super) institution: InstitutionId,
    first: RosterCommitment,
    blocks: Vec<Block>,
    items: BTreeMap<Digest, Item>,
    finality: Vec<Finality>,
    located: BTreeMap<RecordId, (OwnerId, Located)>,
    frozen: Vec<Frozen>,
    pub(super) register: Register,
    open_item_blocks: Vec<ItemBlock>,
    open_data_blocks: Vec<DataBlock>,
    /// Epochs whose anchors are not certified yet, at the end.
    pub(super) uncertified: u32,
}

pub(super) fn genesis(name: &str) -> (Genesis, Vec<Founder>) {
    let founder = |id: u32| Founder {
        institution: InstitutionId::new(id),
        key: owner(id),
        rating: 90 - u8::try_from(id).unwrap(),
        centre: 1,
    };
    let founders: Vec<Founder> = (1..=9).map(founder).collect();
    let genesis = Genesis {
        name: Text::new(name).unwrap(),
        started_at: Timestamp::new(START),
        turn_ms: 1_000,
        minute_ms: 5_000,
        window_ms: 10_000,
        producers: 4,
        auditors: 4,
        committees: Roster::found(&founders, 4, 4).unwrap().digest(),
        registrar: owner(99),
    };
    (genesis, founders)
}

impl World {
    pub(super) fn new() -> Self {
        let (genesis, founders) = genesis("clients");
        let chain = Chain::new(genesis, &founders).unwrap();
        let first = chain.roster().commitment();
        Self {
            chain,
            institution: InstitutionId::new(5),
            first,
            blocks: Vec::new(),
            items: BTreeMap::new(),
            finality: Vec::new(),
            located: BTreeMap::new(),
            frozen: Vec::new(),
            register: Register::default(),
            open_item_blocks: Vec::new(),
            open_data_blocks: Vec::new(),
            uncertified: 0,
        }
    }

    pub(super) fn record(&self, of: u32, content: &[u8]) -> Envelope {
        let kind = ResourceType::new("DiagnosticReport").unwrap();
        let media = MediaType::new("text/plain").unwrap();
        let size = u64::try_from(content.len()).unwrap();
        let metadata = Metadata::new(kind, media, Timestamp::new(START), size);
        let record = Record::new(owner(of), metadata, Content::inline(content).unwrap()).unwrap();
        Envelope::sign(record, &self.chain.id(), &key(of), InstitutionId::new(2))
    }

    pub(super) fn act(&self, of: u32, act: &Act) -> Envelope {
        self.envelope(of, act.to_record(owner(of), Timestamp::new(START)).unwrap())
    }

    pub(super) fn envelope(&self, of: u32, record: Record) -> Envelope {
        Envelope::sign(record, &self.chain.id(), &key(of), InstitutionId::new(2))
    }

    /// One more final block with these Items. A block of whose finality `above` more blocks say is
    /// certified by the last of them only.
    pub(super) fn turn(&mut self, items: &[Vec<Envelope>]) -> Height {
        self.turns(&[items.to_vec()])
    }

    /// Blocks that become final together; gives the height of the first.
    pub(super) fn turns(&mut self, blocks: &[Vec<Vec<Envelope>>]) -> Height {
        let first = self.chain.next_height().unwrap();
        let mut headers: Vec<BlockHeader> = Vec::new();
        let committees = self.chain.roster().committees().clone();
        for items in blocks {
            headers.push(self.propose(items));
        }
        let tip = *headers.last().unwrap();
        let vote =
            Vote { epoch: tip.epoch, view: tip.view, subject: Subject::Finalize(hash(&tip)) };
        let auditors: Vec<_> = committees.auditors.iter().map(|s| s.institution).collect();
        let certificate = self.certificate(vote, &auditors);
        for header in &headers {
            let proof = Finality::of(header.height, headers.clone(), certificate.clone());
            self.finality.push(proof.unwrap());
        }
        first
    }

    /// As many signatures as are needed, by the last of the electorate.
    pub(super) fn certificate(&self, vote: Vote, electorate: &[InstitutionId]) -> Certificate {
        let message = vote.message(&self.chain.id());
        let skipped = electorate.len() - quorum(electorate.len());
        let seats = electorate.iter().enumerate().skip(skipped);
        let signed: Vec<_> = seats.map(|(at, id)| (at, key(id.get()).sign(&message))).collect();
        Certificate::assemble(vote, electorate.len(), &signed).unwrap()
    }

    fn propose(&mut self, items: &[Vec<Envelope>]) -> BlockHeader {
        let items: Vec<Item> =
            items.iter().map(|held| Item { records: List::new(held.clone()).unwrap() }).collect();
        let chain = &self.chain;
        let committees = chain.roster().committees().clone();
        let is_first = chain.opened_at().0 == chain.head();
        let parent_view = if is_first { View::new(0) } else { chain.head_view() };
        let view = parent_view.next().unwrap();
        let height = chain.next_height().unwrap();
        let timestamp = Timestamp::new(chain.timestamp().get() + TURN_MS);
        let (chain_id, producer) = (chain.id(), chain.leader(view));
        let roots: Vec<Digest> = items.iter().map(Item::root).collect();
        let item_block = (!items.is_empty()).then(|| {
            let root = Digest::new([0; 32]);
            let header = ItemBlockHeader { chain_id, height, producer, closed_at: timestamp, root };
            let mut block = ItemBlock { header, items: List::new(roots.clone()).unwrap() };
            block.header.root = block.root();
            block
        });
        let auditors: Vec<_> = committees.auditors.iter().map(|s| s.institution).collect();
        let subject = Subject::Notarize(chain.head());
        let notarize = Vote { epoch: chain.epoch(), view: parent_view, subject };
        let parent_certificate = (!is_first).then(|| self.certificate(notarize, &auditors));
        let payload =
            Payload { item_block: item_block.clone(), parent_certificate, ..Payload::default() };
        let header = BlockHeader {
            chain_id,
            epoch: chain.epoch(),
            view,
            height,
            parent: chain.head(),
            parent_view,
            timestamp,
            producer,
            payload: payload.commitment(),
        };
        let block = Block { header, payload };
        let booked: std::collections::BTreeSet<RecordId> = self.located.keys().copied().collect();
        let checked = self.chain.check(&block, &items, &booked).unwrap();
        let applied = {
            let mut next = self.chain.clone();
            let applied = next.apply(checked);
            self.chain = next;
            applied
        };
        for (item, root) in items.iter().zip(&roots) {
            for (index, envelope) in (0..).zip(item.records.iter()) {
                let at = Located { height, item: *root, index };
                self.located.insert(envelope.record.id(), (*envelope.record.owner(), at));
            }
        }
        // The books hold the block by now, as a store may.
        let located = &self.located;
        let look_up = |id: &RecordId| located.get(id).map(|(owner, at)| (*owner, at.height));
        self.register.book(height, &items, &committees, look_up);
        self.items.extend(roots.into_iter().zip(items));
        self.blocks.push(block);
        self.open_item_blocks.extend(item_block);
        self.open_data_blocks.extend(applied.data_blocks);
        if let Some(frozen) = applied.frozen {
            let anchor = frozen.anchor;
            let subject = Subject::Anchor(anchor.root());
            let vote = Vote { epoch: anchor.epoch, view: View::new(0), subject };
            let electorate: Vec<_> = committees.electorate().map(|s| s.institution).collect();
            let step = RosterStep {
                anchor: Hexed(anchor),
                certificate: Hexed(self.certificate(vote, &electorate)),
                next: Hexed(self.chain.roster().commitment()),
            };
            let data_blocks = std::mem::take(&mut self.open_data_blocks);
            let item_blocks = std::mem::take(&mut self.open_item_blocks);
            self.frozen.push(Frozen { anchor, data_blocks, item_blocks, step });
        }
        header
    }

    /// A light client that has followed the rosters and seen the head.
    pub(super) fn light(&self) -> Light {
        let mut light = Light::new(self.chain.genesis().clone()).unwrap();
        loop {
            let question = light.next_roster();
            let Ok(Answer::Roster(answer)) = full::answer(self, &question, None) else { panic!() };
            let before = light.open_epoch();
            light.learn_roster(&answer).unwrap();
            if light.open_epoch() == before {
                break;
            }
        }
        let answer = full::answer(self, &Question::Status, None).unwrap();
        light.check(&Question::Status, None, &answer).unwrap();
        light
    }

    /// The answer through JSON, as a light client gets it.
    pub(super) fn answer(&self, question: &Question, by: u32) -> Answer {
        let answer = full::answer(self, question, Some(&owner(by))).unwrap();
        serde_json::from_str(&serde_json::to_string(&answer).unwrap()).unwrap()
    }

    pub(super) fn known(&self, question: &Question, by: u32) -> Known {
        full::known(self, question, Some(&owner(by))).unwrap()
    }

    /// What a light client makes of the answer.
    pub(super) fn checked(&self, question: &Question, by: u32) -> Result<Known, Refused> {
        self.light().check(question, Some(&owner(by)), &self.answer(question, by))
    }

    pub(super) fn head(&self) -> Height {
        self.chain.height()
    }
}

fn hash(header: &BlockHeader) -> Digest {
    crate::crypto::Identified::id(header)
}

fn at(height: Height) -> Option<usize> {
    usize::try_from(height.get()).ok()?.checked_sub(1)
}

impl Library for World {
    type Error = Infallible;

    fn chain_id(&self) -> ChainId {
        self.chain.id()
    }

    fn institution(&self) -> InstitutionId {
        self.institution
    }

    fn head(&self) -> Result<Height, Infallible> {
        Ok(self.chain.height())
    }

    fn certified(&self) -> Result<Epoch, Infallible> {
        let frozen = u32::try_from(self.frozen.len()).unwrap();
        Ok(Epoch::new(frozen - self.uncertified))
    }

    fn records_of(&self, owner: &OwnerId) -> Result<Vec<(RecordId, Located)>, Infallible> {
        let all = self.located.iter();
        Ok(all.filter(|(_, (of, _))| of == owner).map(|(id, (_, at))| (*id, *at)).collect())
    }

    fn locate(&self, id: &RecordId) -> Result<Option<Located>, Infallible> {
        Ok(self.located.get(id).map(|(_, at)| *at))
    }

    fn block(&self, height: Height) -> Result<Option<Block>, Infallible> {
        Ok(at(height).and_then(|at| self.blocks.get(at).cloned()))
    }

    fn item(&self, root: &Digest) -> Result<Option<Item>, Infallible> {
        Ok(self.items.get(root).cloned())
    }

    fn finality(&self, height: Height) -> Result<Option<Finality>, Infallible> {
        Ok(at(height).and_then(|at| self.finality.get(at).cloned()))
    }

    fn first_roster(&self) -> Result<RosterCommitment, Infallible> {
        Ok(self.first.clone())
    }

    fn roster_step(&self, epoch: Epoch) -> Result<Option<RosterStep>, Infallible> {
        let at = usize::try_from(epoch.get()).unwrap();
        Ok(self.frozen.get(at).map(|frozen| frozen.step.clone()))
    }

    fn dealings_of(&self, person: &OwnerId) -> Result<Vec<Dealing>, Infallible> {
        Ok(self.register.dealings_of(person).cloned().collect())
    }

    fn keys_of(&self, owner: &OwnerId, at: Height) -> Result<Option<Declared>, Infallible> {
        Ok(self.register.keys_of(owner, at).copied())
    }

    fn receipt(&self, id: &RecordId) -> Result<Option<Receipt>, Infallible> {
        let Some((_, located)) = self.located.get(id) else { return Ok(None) };
        let epoch = self.block(located.height)?.unwrap().header.epoch;
        let Some(frozen) = self.frozen.get(usize::try_from(epoch.get()).unwrap()) else {
            return Ok(None);
        };
        let issuer = Issuer::new(&frozen.anchor, &frozen.data_blocks, &frozen.item_blocks).unwrap();
        let item = &self.items[&located.item];
        Ok(Some(issuer.issue(item, located.index.into()).unwrap()))
    }
}
