//! What the machine is told, what it asks for, and why it refuses. [ANC-3]
//!
//! Transaction ids and block hashes are in the order in which Bitcoin hashes, like
//! [`Claim::transaction_id`](super::super::Claim). The driver's part:
//! - it tells every block in order, and all of one reorganisation (removed blocks from the tip down,
//!   then added blocks up) before the next [`Input::Time`], because only then money is spent;
//! - a [`Sighting`] is what [`sighting`](super::super::sighting) makes of a transaction, so that what
//!   counts here is what a verifier of receipts takes;
//! - a [`Request`] with a number that it has answered before gets the same answer again.

use thiserror::Error;

use super::fee::FeeRate;
use crate::ledger::{AnchorOutput, AnchorReport};
use crate::types::{Digest, Epoch, InstitutionId};

/// What the machine is told.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Input {
    /// The anchor certificate of an epoch exists and was checked.
    Certified {
        /// The epoch and the root that was certified.
        output: AnchorOutput,
        /// The producers of the epoch, from the leader of its last block on, in turn.
        duty: Vec<InstitutionId>,
    },
    /// After a restart: a transaction of ours from before it, which may still be mined.
    Resumed {
        /// What it says.
        sighting: Sighting,
        /// What it pays.
        rate: FeeRate,
    },
    /// What the node's own view of Bitcoin shows.
    Bitcoin(Bitcoin),
    /// The chain says that an anchor is in a block: a hint.
    Reported(AnchorReport),
    /// Nothing but time has passed.
    Time,
}

/// What the node's own view of Bitcoin shows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Bitcoin {
    /// A block was added on top.
    Connected {
        /// The block.
        block: BlockRef,
        /// Its transactions that could be anchors.
        sightings: Vec<Sighting>,
    },
    /// The block on top was removed.
    Disconnected(BlockRef),
    /// A transaction in a block that was told before, found by looking for it.
    Found {
        /// The transaction.
        sighting: Sighting,
        /// Height of its block.
        height: u32,
        /// Hash of its block.
        block: Digest,
    },
    /// A transaction waits for a block.
    Unconfirmed(Sighting),
    /// A transaction waits no longer, and is in no block.
    Dropped(Digest),
    /// What a transaction should pay to be mined soon.
    Estimate(FeeRate),
    /// A submission was taken.
    Accepted {
        /// Of which epoch.
        epoch: Epoch,
        /// Number of the request.
        number: u32,
        /// The transaction.
        txid: Digest,
    },
    /// A submission was refused.
    Refused {
        /// Of which epoch.
        epoch: Epoch,
        /// Number of the request.
        number: u32,
        /// Why.
        refusal: Refusal,
    },
}

/// A block of Bitcoin and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BlockRef {
    /// Its height.
    pub height: u32,
    /// Its hash.
    pub hash: Digest,
    /// Hash of the block below.
    pub parent: Digest,
}

/// A transaction that says something of an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sighting {
    /// The transaction.
    pub txid: Digest,
    /// What its MDSM output says.
    pub output: AnchorOutput,
}

/// Why a submission was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// Pays too little, for a node of Bitcoin or for what it replaces.
    Fee,
    /// Its coin is gone: spent in a block, or made in a block that was removed.
    Coin,
    /// There is no coin to pay with.
    Empty,
    /// Anything else.
    Other,
}

/// An anchor in a block; the lowest comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Height of the block.
    pub height: u32,
    /// Hash of the block.
    pub block: Digest,
    /// The transaction.
    pub txid: Digest,
}

/// What the machine asks the driver to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Tell from now on every transaction whose MDSM output names this epoch, and those before.
    Watch(AnchorOutput),
    /// Tell whether the transaction of this report is in Bitcoin.
    Look(AnchorReport),
    /// Make, sign and submit a transaction.
    Submit(Request),
    /// This transaction is needed no longer; its coin is free for another.
    Release {
        /// The epoch.
        epoch: Epoch,
        /// The transaction.
        txid: Digest,
    },
    /// Put this into the next block of ours, unless the chain has it by then.
    Report(AnchorReport),
    /// The anchor of an epoch is final.
    Final {
        /// Epoch and root.
        output: AnchorOutput,
        /// Where it stands.
        place: Place,
    },
    /// Something else than our chain wrote down another root for an epoch.
    Foreign {
        /// What was seen.
        sighting: Sighting,
        /// Height of its block; none while it waits for one.
        height: Option<u32>,
        /// The certified root.
        expected: Digest,
    },
    /// The operator should know.
    Alarm(Alarm),
}

/// What an operator should know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
pub enum Alarm {
    /// Bitcoin removed an anchor that was final: receipts with this block hold no longer.
    #[error("epoch {}: the block at {} with its final anchor was removed", output.epoch, place.height)]
    FinalRemoved {
        /// Epoch and root.
        output: AnchorOutput,
        /// Where it stood.
        place: Place,
    },
    /// The fee cannot rise any further.
    #[error("epoch {epoch}: the fee is at its limit, {rate}")]
    FeeLimit {
        /// The epoch.
        epoch: Epoch,
        /// What was paid last.
        rate: FeeRate,
    },
    /// No coin to pay with.
    #[error("epoch {epoch}: no coin to pay for the anchor")]
    Empty {
        /// The epoch.
        epoch: Epoch,
    },
    /// So many foreign outputs that they are only counted from here on.
    #[error("epoch {epoch}: {count} foreign outputs, further ones are only counted")]
    ManyForeign {
        /// The epoch.
        epoch: Epoch,
        /// How many so far.
        count: u32,
    },
}

/// One submission that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Request {
    /// What the transaction says.
    pub output: AnchorOutput,
    /// Number of the request within the epoch; the answer names it.
    pub number: u32,
    /// What the transaction pays.
    pub rate: FeeRate,
    /// From which coin.
    pub means: Means,
}

/// Which transaction is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Means {
    /// A new one, from any free coin.
    New,
    /// One that spends the coin of this one and pays more.
    Replace(Digest),
    /// This very one, once more.
    Again(Digest),
}

/// An input that the machine refuses; its state is as before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
pub enum StepError {
    /// Another root for an epoch that has one.
    #[error("epoch {epoch} is certified with root {held}, refused is root {refused}")]
    TwoRoots {
        /// The epoch.
        epoch: Epoch,
        /// The root that the epoch has.
        held: Digest,
        /// The other one.
        refused: Digest,
    },
    /// Nobody has the duty.
    #[error("epoch {epoch} has no producer on duty")]
    NoDuty {
        /// The epoch.
        epoch: Epoch,
    },
    /// Too many epochs without a final anchor; to be offered again later.
    #[error("epoch {epoch}: {open} epochs wait for their anchor, {open_max} may")]
    Full {
        /// The epoch.
        epoch: Epoch,
        /// How many wait.
        open: usize,
        /// How many may.
        open_max: usize,
    },
    /// Too old to be opened.
    #[error("epoch {epoch}: up to {forgotten} epochs are final and forgotten")]
    Past {
        /// The epoch.
        epoch: Epoch,
        /// Last one that was forgotten.
        forgotten: Epoch,
    },
    /// Not certified, so there is nothing of ours to resume.
    #[error("epoch {epoch} is not open")]
    NotOpen {
        /// The epoch.
        epoch: Epoch,
    },
    /// A block that does not fit the tip.
    #[error("block {found} at {height} does not fit the tip {tip} at {tip_height}")]
    Tip {
        /// Height of the block told.
        height: u32,
        /// The hash that should be the tip's.
        found: Digest,
        /// Height of the tip.
        tip_height: u32,
        /// Hash of the tip.
        tip: Digest,
    },
    /// A block was named before the first one was told, or above the tip.
    #[error("block {block} at {height} is not known yet")]
    Unknown {
        /// Height of the block.
        height: u32,
        /// Its hash.
        block: Digest,
    },
}
