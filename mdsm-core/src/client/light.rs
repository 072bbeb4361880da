//! A light client: it stores no records and believes no answer. [CLI-2]

use super::answer::{
    Answer, BlockProof, Finality, ReceiptAnswer, RecordAnswer, RecordProof, RecordsAnswer,
    RosterAnswer, StatusAnswer,
};
use super::caller::Speaker;
use super::headers::Headers;
use super::known::{Known, Listed, Receipted, Records, Status};
use super::proof;
use super::question::{Place, Question};
use super::refused::{Check, Refused};
use super::rosters::Rosters;
use crate::crypto::Identified;
use crate::ledger::{BlockHeader, Genesis, GenesisError, faulty_max};
use crate::roster::Committees;
use crate::types::{ChainId, Epoch, Height, InstitutionId, OwnerId, RecordId, Timestamp, View};

/// What a light client knows: the genesis, rosters, headers. Its keys stay with its caller.
//= harness/spec/clients.md#cli-2-light-client
//# CLI-2.1 (paper): A light client MUST answer from other nodes without storing records itself.
//= harness/spec/clients.md#cli-2-light-client
//# CLI-2.5 (ours): A light client MUST keep headers and its own keys only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Light {
    genesis: Genesis,
    chain: ChainId,
    pub(super) rosters: Rosters,
    pub(super) headers: Headers,
}

impl Light {
    /// Knows nothing but what the members of a network agreed on.
    pub fn new(genesis: Genesis) -> Result<Self, GenesisError> {
        genesis.check()?;
        let chain = genesis.chain_id();
        Ok(Self { genesis, chain, rosters: Rosters::default(), headers: Headers::default() })
    }

    /// The network.
    #[must_use]
    pub fn chain_id(&self) -> ChainId {
        self.chain
    }

    /// What to ask next to learn who serves. When the answer teaches nothing, all is known that is
    /// certified.
    #[must_use]
    pub fn next_roster(&self) -> Question {
        Question::Roster { from: self.rosters.open_epoch() }
    }

    /// The first epoch whose anchor is not known to be certified; its committees are known.
    #[must_use]
    pub fn open_epoch(&self) -> Epoch {
        self.rosters.open_epoch()
    }

    /// The newest committees known; nothing before the first roster.
    #[must_use]
    pub fn committees(&self) -> Option<&Committees> {
        self.rosters.newest()
    }

    /// Height and time of the highest block known to be final.
    #[must_use]
    pub fn tip(&self) -> Option<(Height, Timestamp)> {
        self.headers.tip().map(|header| (header.height, header.timestamp))
    }

    /// Auditors that have to answer alike for an answer to count: one more than may be faulty.
    #[must_use]
    pub fn auditors_needed(&self) -> usize {
        let seats = self.committees().map_or(0, |committees| committees.auditors.len());
        faulty_max(seats) + 1
    }

    /// Goes on along the roster chain.
    pub fn learn_roster(&mut self, answer: &RosterAnswer) -> Result<(), Refused> {
        self.rosters.learn(&self.genesis, &self.chain, answer)
    }

    /// The auditor that gave an answer, by its signature under question and answer.
    pub fn hear(&self, line: &str, body: &[u8], by: &Speaker) -> Result<InstitutionId, Refused> {
        let auditors = self.committees().map_or(&[][..], |committees| &committees.auditors);
        let institution = by.institution;
        let seat = auditors.iter().find(|seat| seat.institution == institution);
        let seat = seat.ok_or_else(|| {
            let why =
                format!("institution {institution} is no auditor of epoch {}", self.open_epoch());
            Check::Speaker.refuses(why)
        })?;
        by.check(&self.chain, line, body, &seat.key)
            .map_err(|error| Check::Speaker.refuses(error.to_string()))?;
        Ok(institution)
    }

    /// Checks an answer to a question asked in the name of `by`, and says what is known by it.
    ///
    /// # Errors
    /// [`Refused`] with the check that failed.
    //= harness/spec/clients.md#cli-2-light-client
    //# CLI-2.2 (paper): A light client MUST check every answer itself.
    //= harness/spec/clients.md#cli-2-light-client
    //# CLI-2.4 (ours): A light client MUST report an answer that fails its check as refused, with the
    //# check that failed, and never as an empty answer.
    pub fn check(
        &mut self,
        question: &Question,
        by: Option<&OwnerId>,
        answer: &Answer,
    ) -> Result<Known, Refused> {
        match (question, answer) {
            (Question::Records { owner, at, after }, Answer::Records(answer)) => {
                self.is_reached(*at)?;
                self.records((owner, *at, *after), answer).map(Known::Records)
            }
            (Question::Record { id, at }, Answer::Record(answer)) => {
                self.is_reached(*at)?;
                let RecordAnswer { blocks, records, .. } = answer;
                let found = self.one((id, *at), (&answer.id, answer.at), blocks, records)?;
                Ok(Known::Record(found.map(Box::new)))
            }
            (Question::Sharing { person, role, at, after }, Answer::Sharing(answer)) => {
                self.is_reached(*at)?;
                self.sharing((person, *role), (*at, *after), by, answer).map(Known::Sharing)
            }
            (Question::Keys { owner, at }, Answer::Keys(answer)) => {
                self.is_reached(*at)?;
                self.keys((owner, *at), answer).map(Known::Keys)
            }
            (Question::Receipt { id, at }, Answer::Receipt(answer)) => {
                self.is_reached(*at)?;
                self.receipt((id, *at), answer).map(Known::Receipt)
            }
            (Question::Status, Answer::Status(answer)) => self.status(answer).map(Known::Status),
            _ => Err(Check::Question.refuses("the answer is to another kind of question")),
        }
    }

    fn status(&mut self, answer: &StatusAnswer) -> Result<Status, Refused> {
        Check::Network.holds(answer.chain_id == self.chain, || {
            format!("status: of network {}", answer.chain_id)
        })?;
        let StatusAnswer { institution, head, .. } = *answer;
        let Some(proven) = &answer.proven else {
            let (height, epoch, timestamp) = (Height::new(0), Epoch::new(0), Timestamp::new(0));
            return Ok(Status { institution, height, epoch, timestamp, head });
        };
        self.finality(proven)?;
        let BlockHeader { height, epoch, timestamp, .. } = proven.header.0;
        Ok(Status { institution, height, epoch, timestamp, head })
    }

    fn records(
        &mut self,
        (owner, at, after): (&OwnerId, Height, Option<Place>),
        answer: &RecordsAnswer,
    ) -> Result<Records, Refused> {
        let RecordsAnswer { blocks, records, next, .. } = answer;
        answers_it((owner, at), (&answer.owner, answer.at))?;
        let listed = self.booked(at, blocks, records)?;
        listed.iter().try_for_each(|one| proof::is_of(one, owner))?;
        if let (Some(after), Some(first)) = (after, listed.first()) {
            Check::Order.holds(first.place > after, || {
                format!("record {}: at {}, which is not behind {after}", first.id, first.place)
            })?;
        }
        let last = listed.last().map(|one| one.place);
        Check::Order.holds(next.is_none() || *next == last, || {
            "next: it is not the place of the last record".to_owned()
        })?;
        Ok(Records { owner: *owner, at, records: listed, next: *next })
    }

    /// One record or none, for a question and an answer that name one.
    fn one(
        &mut self,
        (id, at): (&RecordId, Height),
        answered: (&RecordId, Height),
        blocks: &[BlockProof],
        records: &[RecordProof],
    ) -> Result<Option<Listed>, Refused> {
        answers_it((id, at), answered)?;
        let mut listed = self.booked(at, blocks, records)?;
        let is_it = listed.len() <= 1 && listed.iter().all(|one| one.id == *id);
        Check::Question.holds(is_it, || format!("another record than {id}"))?;
        Ok(listed.pop())
    }

    fn receipt(
        &mut self,
        question: (&RecordId, Height),
        answer: &ReceiptAnswer,
    ) -> Result<Option<Box<Receipted>>, Refused> {
        let ReceiptAnswer { id, blocks, records, receipt, .. } = answer;
        let Some(record) = self.one(question, (id, answer.at), blocks, records)? else {
            let why = || format!("record {id}: a receipt of what is not booked");
            Check::Receipt.holds(receipt.is_none(), why)?;
            return Ok(None);
        };
        let epoch = record.standing.epoch();
        let Some(certified) = self.rosters.anchor(epoch) else {
            // A receipt beyond what is certified shows no more than the record's own proof.
            return Ok(Some(Box::new(Receipted { record, receipt: None })));
        };
        let refuses = |why: String| Check::Receipt.refuses(format!("record {id}: {why}"));
        let receipt = receipt.as_ref().map(|receipt| &receipt.0).ok_or_else(|| {
            refuses(format!("there is none, though the anchor of epoch {epoch} is certified"))
        })?;
        let is_of_it = receipt.booking == record.booking
            && receipt.chain_id == self.chain
            && receipt.epoch == epoch;
        Check::Receipt.holds(is_of_it, || format!("record {id}: it is that of another record"))?;
        let root = receipt.anchor_root().map_err(|error| refuses(error.to_string()))?;
        Check::Receipt.holds(root == certified.root, || {
            format!("record {id}: leads to {root}, the certified anchor is {}", certified.root)
        })?;
        Ok(Some(Box::new(Receipted { record, receipt: Some(receipt.clone()) })))
    }

    /// Checks records with their blocks, and that they stand in the order of booking.
    pub(super) fn booked(
        &mut self,
        at: Height,
        blocks: &[BlockProof],
        records: &[RecordProof],
    ) -> Result<Vec<Listed>, Refused> {
        let mut roots = Vec::with_capacity(blocks.len());
        for block in blocks {
            self.finality(&block.finality)?;
            roots.push((block.finality.header.0, proof::item_block_root(block)?));
        }
        let certified = self.rosters.open_epoch();
        let mut listed: Vec<Listed> = Vec::with_capacity(records.len());
        for record in records {
            let block = usize::try_from(record.block).ok().and_then(|index| roots.get(index));
            let (header, root) = block.ok_or_else(|| {
                let why =
                    format!("record {}: block {} is not in the answer", record.id, record.block);
                Check::Question.refuses(why)
            })?;
            let one = proof::record(&self.chain, header, root, record, certified)?;
            Check::Question.holds(one.place.height <= at, || {
                format!("record {}: booked at {}, above height {at}", one.id, one.place)
            })?;
            if let Some(before) = listed.last() {
                Check::Order.holds(before.place < one.place, || {
                    format!("record {}: at {} behind one at {}", one.id, one.place, before.place)
                })?;
            }
            listed.push(one);
        }
        Ok(listed)
    }

    /// Checks that a header is final, unless it is known to be, and keeps what is final by the proof.
    fn finality(&mut self, proof: &Finality) -> Result<(), Refused> {
        let header = &proof.header.0;
        if self.headers.knows(header) {
            return Ok(());
        }
        let committees = self.rosters.of(header.epoch);
        let headers = proof::final_headers(&self.chain, committees, proof)?;
        self.follows_anchor(header)?;
        headers.iter().try_for_each(|header| self.headers.keep(header))
    }

    /// The first block of an epoch extends the last one of the epoch before, which its anchor names.
    fn follows_anchor(&self, header: &BlockHeader) -> Result<(), Refused> {
        let before = header.epoch.get().checked_sub(1).map(Epoch::new);
        let is_first = header.parent_view == View::new(0);
        let expected = match before.filter(|_| is_first) {
            Some(before) => self.rosters.anchor(before).map(|anchor| anchor.head),
            None if is_first => Some(self.genesis.id()),
            None => None,
        };
        Check::OneHistory.holds(expected.is_none_or(|head| head == header.parent), || {
            let (height, epoch) = (header.height, header.epoch);
            format!("block {height}: the first of epoch {epoch} does not extend the anchored head")
        })
    }

    /// A question about a height above all that is known to be final would have any answer.
    fn is_reached(&self, at: Height) -> Result<(), Refused> {
        let tip = self.headers.tip().map_or(Height::new(0), |header| header.height);
        Check::Question.holds(at <= tip, || {
            format!("height {at} is asked for, and {tip} is the highest known to be final")
        })
    }
}

pub(super) fn answers_it<T: PartialEq + std::fmt::Display>(
    (name, at): (&T, Height),
    (answered, answered_at): (&T, Height),
) -> Result<(), Refused> {
    Check::Question.holds(name == answered && at == answered_at, || {
        format!("{name} at height {at} was asked for, {answered} at {answered_at} is answered")
    })
}
