//! Why an answer is not believed. [CLI-2]

use thiserror::Error;

/// The checks of an answer, in the order in which they are made on each part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Error)]
pub enum Check {
    /// Who gave the answer signed it.
    #[error("speaker")]
    Speaker,
    /// It answers what was asked.
    #[error("question")]
    Question,
    /// It is about this network.
    #[error("network")]
    Network,
    /// The committees follow from the genesis by certified anchors.
    #[error("roster")]
    Roster,
    /// The header is final by a certificate of its epoch's auditors.
    #[error("finality")]
    Finality,
    /// There is one final block at each height.
    #[error("one history")]
    OneHistory,
    /// The header commits to the payload that was shown.
    #[error("payload")]
    Payload,
    /// The Item is in the Item block of the payload.
    #[error("Item block")]
    ItemBlock,
    /// The booking is in the Item.
    #[error("Item")]
    Item,
    /// The booking has the id under which it is named.
    #[error("record id")]
    RecordId,
    /// It is a record of whom it should be.
    #[error("owner")]
    Owner,
    /// The owner signed the record.
    #[error("owner's signature")]
    OwnerSignature,
    /// The content is what the record names.
    #[error("content")]
    Content,
    /// The records stand in the order of booking.
    #[error("order")]
    Order,
    /// Each act shown has an effect.
    #[error("act")]
    Act,
    /// The receipt leads to the certified anchor.
    #[error("receipt")]
    Receipt,
    /// Enough auditors have answered, and alike.
    #[error("agreement")]
    Agreement,
}

/// An answer that failed a check. It says nothing about what is booked, least of all that nothing is.
//= harness/spec/clients.md#cli-2-light-client
//# CLI-2.4 (ours): A light client MUST report an answer that fails its check as refused, with the
//# check that failed, and never as an empty answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("refused at the check of {check}: {why}")]
pub struct Refused {
    /// The check that failed.
    pub check: Check,
    /// What was found where.
    pub why: String,
}

impl Check {
    /// The refusal by this check.
    pub(super) fn refuses(self, why: impl Into<String>) -> Refused {
        Refused { check: self, why: why.into() }
    }

    /// Passes if the condition holds.
    pub(super) fn holds(self, holds: bool, why: impl FnOnce() -> String) -> Result<(), Refused> {
        if holds { Ok(()) } else { Err(self.refuses(why())) }
    }
}
