//! What goes into a node and what comes out.

use std::sync::Arc;

use thiserror::Error;

use super::message::{Decision, Event, Message};
use crate::access::AccessEvent;
use crate::anchoring::machine::{self, Sighting};
use crate::chain::Frozen;
use crate::consensus::{self, Audience, JournalEntry};
use crate::ledger::{
    Anchor, BlockHeader, Certificate, Envelope, Evidence, Item, Payload, Proposal, Verified, Vote,
};
use crate::roster::CreditChange;
use crate::types::{Digest, Epoch, Height, InstitutionId, OwnerId, RecordId, Timestamp};

/// Something happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A message arrived over an authenticated link. An own vote comes back this way.
    Message {
        /// Who sent it.
        from: InstitutionId,
        /// What it says.
        message: Message,
    },
    /// Time has passed.
    Timeout(Timer),
    /// Step 1: a client asks for the booking of records of this owner. [CON-1]
    Request(OwnerId),
    /// Step 4: a client sends its record. [CON-1]
    Submit(Submission),
    /// An event from a client or from the operator.
    Event(Event),
    /// What the node's own view of Bitcoin shows.
    Bitcoin(machine::Bitcoin),
    /// After a restart: an anchor transaction of this node from before it, which may still be mined; of
    /// several of one epoch the one that Bitcoin has or that waits, else the last.
    Resumed {
        /// What it says.
        sighting: Sighting,
        /// What it pays.
        rate: machine::FeeRate,
    },
}

/// A record on its way in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    /// The record, checked.
    pub envelope: Verified<Envelope>,
    /// Whether the vault has acknowledged the file of a record that is booked by digest.
    pub is_file_stored: bool,
}

/// Why a record is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The owner did not ask, or too many did since.
    #[error("record {record}: its owner has no accepted request here")]
    NotRequested {
        /// The record.
        record: RecordId,
    },
    /// It names another delegate.
    #[error("record {record}: to be booked by {named}, this is {me}")]
    Delegate {
        /// The record.
        record: RecordId,
        /// Delegate named.
        named: InstitutionId,
        /// This one.
        me: InstitutionId,
    },
    /// It is booked, or waits already.
    #[error("record {record}: is booked or accepted already")]
    Repeated {
        /// The record.
        record: RecordId,
    },
    /// Its file is not in the vault.
    #[error("record {record}: the vault has not acknowledged its file")]
    NoFile {
        /// The record.
        record: RecordId,
    },
    /// There is no room.
    #[error(
        "record {record}: {records} records of {bytes} bytes wait, which is all there is room for"
    )]
    Full {
        /// The record.
        record: RecordId,
        /// Records that wait.
        records: usize,
        /// Their bytes.
        bytes: usize,
    },
}

/// How a receipt of service stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceState {
    /// It waits for a block that may carry it, which may take until the next epoch. It is in memory only.
    Waiting,
    /// The chain has one for its grant and epoch.
    Booked,
}

/// Something is to be done, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Store in the log; a barrier.
    Persist(JournalEntry),
    /// Store a record that is accepted; a barrier.
    Accept(Verified<Envelope>),
    /// Store a block that this node is about to vote for, with its Items; a barrier. It may go when the
    /// node commits its height.
    Keep {
        /// The block.
        proposal: Arc<Proposal>,
        /// Its Items.
        items: Vec<Arc<Item>>,
    },
    /// Tell the client that its record is accepted.
    Acknowledge(RecordId),
    /// Tell the client that its record is not taken.
    Refuse(Refusal),
    /// Sign this header and send it with its payload to everybody.
    Propose {
        /// The header.
        header: BlockHeader,
        /// What it commits to.
        payload: Arc<Payload>,
    },
    /// Sign this vote, send it, and hand it back as a message from this node.
    Cast {
        /// The vote.
        vote: Vote,
        /// To whom.
        to: Audience,
    },
    /// Send.
    Send {
        /// To whom.
        to: Audience,
        /// What.
        message: Message,
    },
    /// Answer from the store of committed blocks, if it has what is wanted, with each message that
    /// [`Node::may_answer`](super::Node::may_answer) lets pass.
    Serve {
        /// Whom.
        to: InstitutionId,
        /// What.
        wanted: Wanted,
    },
    /// Hand the timer back after so many milliseconds.
    Arm {
        /// The timer.
        timer: Timer,
        /// How long from now.
        after_ms: u32,
    },
    /// Store final blocks; the node has moved on.
    Commit(Box<Commit>),
    /// An epoch is frozen with this anchor.
    Frozen(Anchor),
    /// An anchor is certified: now the producer on duty may submit it.
    Certified(Arc<Certificate>),
    /// Do what the machine that anchors asks for.
    Anchor(machine::Effect),
    /// It refused an input: two roots for one epoch, or Bitcoin told out of order.
    AnchorRefused(machine::StepError),
    /// Somebody was caught; an observation, the node has passed the evidence on.
    Convict(Box<Evidence>),
}

/// What a peer wants from the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Items by their roots.
    Items(Vec<Digest>),
    /// The certificate of an epoch's anchor.
    Anchor(Epoch),
    /// The decision that contains the block with this hash.
    Block(Digest),
    /// The decision that contains the block above this height.
    Decision {
        /// The asker's height.
        after: Height,
    },
}

/// Final blocks with all that they brought about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// The blocks and what proves them final.
    pub decision: Arc<Decision>,
    /// Items of each block, in order.
    pub items: Vec<Vec<Arc<Item>>>,
    /// Height of the first block.
    pub height: Height,
    /// Records booked by each block.
    pub booked: Vec<Vec<RecordId>>,
    /// What the acts of each block brought about.
    pub acts: Vec<Vec<AccessEvent>>,
    /// Changes of credit by each block.
    pub credit: Vec<Vec<CreditChange>>,
    /// Time of the last block.
    pub timestamp: Timestamp,
    /// The window, if the last block ended its epoch.
    pub frozen: Option<Box<Frozen>>,
}

/// A decision whose Items are not those that its blocks name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{found} Items for blocks that name {named}")]
pub struct CommitError {
    /// Items that the blocks name.
    pub named: usize,
    /// Items given.
    pub found: usize,
}

impl Commit {
    /// A commit as it comes from a store: the decision and the Items of all its blocks, in order. What it
    /// brought about is not kept with it; replaying works that out again.
    pub fn stored(decision: Decision, items: Vec<Arc<Item>>) -> Result<Self, CommitError> {
        let count = |block: &Proposal| {
            block.payload.item_block.as_ref().map_or(0, |booked| booked.items.len())
        };
        let (named, found) = (decision.blocks.iter().map(count).sum(), items.len());
        if named != found {
            return Err(CommitError { named, found });
        }
        let mut items = items.into_iter();
        let of_block = |block| items.by_ref().take(count(block)).collect::<Vec<_>>();
        let items: Vec<_> = decision.blocks.iter().map(of_block).collect();
        let booked = items.iter().map(|items| {
            let records = items.iter().flat_map(|item| item.records.iter());
            records.map(|envelope| envelope.record.id()).collect()
        });
        let header = |block: Option<&Proposal>| block.map(|block| block.signed.header);
        let (first, last) = (header(decision.blocks.first()), header(decision.blocks.last()));
        Ok(Self {
            booked: booked.collect(),
            acts: vec![Vec::new(); items.len()],
            credit: vec![Vec::new(); items.len()],
            height: first.map_or(Height::new(0), |header| header.height),
            timestamp: last.map_or(Timestamp::new(0), |header| header.timestamp),
            items,
            decision: Arc::new(decision),
            frozen: None,
        })
    }
}

/// A timer of the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Timer {
    /// Of consensus.
    Consensus(consensus::Timer),
    /// Items of a block that is checked should be here by now.
    Items,
    /// Votes for an anchor are sent again until it is certified.
    Ballots,
    /// Anchors that wait for Bitcoin are looked at.
    Anchors,
}
