//! A full client: what it answers from its books, and the proofs of it. [CLI-1] [CLI-4]
//!
//! `look_up` says what is known, `prove` puts the proofs beside it. Both are pure: the books are a
//! [`Library`] that the caller brings.
//!
//! Invariant: every answer is about blocks that can be proven now. A block whose epoch's committees are not
//! certified yet is final for its institution, and not yet for those who only have certificates.
//!
//! Cost of a record: its Item and its block are read, and two trees are built, of at most 10 and 16,384
//! leaves.

mod look_up;
mod prove;

use thiserror::Error;

use super::answer::{Answer, Finality, RosterStep};
use super::dealing::Dealing;
use super::hexed::Hexed;
use super::known::Known;
use super::question::Question;
use super::register::Declared;
use crate::ledger::{Block, BlockHeader, Certificate, Item, Receipt};
use crate::roster::RosterCommitment;
use crate::types::{ChainId, Digest, Epoch, Height, InstitutionId, OwnerId, RecordId};

/// Where a booked record stands, as a store has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Located {
    /// Height of its block.
    pub height: Height,
    /// Root of its Item.
    pub item: Digest,
    /// Its index in the Item.
    pub index: u8,
}

/// The books of a full client. What is looked up is of the finalized chain.
//= harness/spec/clients.md#cli-1-full-client
//# CLI-1.1 (paper): A full client MUST store all records.
pub trait Library {
    /// Why a look-up fails.
    type Error: std::error::Error;

    /// The network.
    fn chain_id(&self) -> ChainId;

    /// Whose full client it is.
    fn institution(&self) -> InstitutionId;

    /// Height of the last block.
    fn head(&self) -> Result<Height, Self::Error>;

    /// The first epoch whose anchor is not certified: committees can be proven up to this one.
    fn certified(&self) -> Result<Epoch, Self::Error>;

    /// All booked records of an owner, in any order.
    fn records_of(&self, owner: &OwnerId) -> Result<Vec<(RecordId, Located)>, Self::Error>;

    /// Where a record is booked.
    fn locate(&self, id: &RecordId) -> Result<Option<Located>, Self::Error>;

    /// The block at a height, from 1 on.
    fn block(&self, height: Height) -> Result<Option<Block>, Self::Error>;

    /// The Item with a root.
    fn item(&self, root: &Digest) -> Result<Option<Item>, Self::Error>;

    /// Why the block at a height is final, see [`Finality::of`].
    fn finality(&self, height: Height) -> Result<Option<Finality>, Self::Error>;

    /// The committees that the genesis names.
    fn first_roster(&self) -> Result<RosterCommitment, Self::Error>;

    /// The end of an epoch whose anchor is certified, and who serves in the next.
    fn roster_step(&self, epoch: Epoch) -> Result<Option<RosterStep>, Self::Error>;

    /// Dealings of somebody as owner or as reader, see [`Register`](super::Register).
    fn dealings_of(&self, person: &OwnerId) -> Result<Vec<Dealing>, Self::Error>;

    /// Keys that somebody has declared last up to a height.
    fn keys_of(&self, owner: &OwnerId, at: Height) -> Result<Option<Declared>, Self::Error>;

    /// The receipt of a record whose epoch's anchor is certified, with its way into Bitcoin if there is one.
    fn receipt(&self, id: &RecordId) -> Result<Option<Receipt>, Self::Error>;
}

/// Why a full client does not answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FullError<E> {
    /// The caller has no business with it.
    #[error("the call is signed neither by the owner nor by a reader with a grant")]
    Denied,
    /// The height asked for cannot be proven yet.
    #[error("at: {at} where {provable} is the highest that can be proven now")]
    Ahead {
        /// Height asked for.
        at: Height,
        /// Highest that can be proven.
        provable: Height,
    },
    /// The books lack something that they should have: nothing is answered in its place.
    #[error("the books lack {0}")]
    Missing(String),
    /// A look-up failed.
    #[error("the books cannot be read: {0}")]
    Library(E),
}

impl<E> From<E> for FullError<E> {
    fn from(error: E) -> Self {
        Self::Library(error)
    }
}

impl Finality {
    /// What proves the block at a height, from the headers of the decision that holds it: its blocks, each
    /// the parent of the next, then its closing blocks. Nothing when none of them has this height.
    #[must_use]
    pub fn of(
        height: Height,
        headers: impl IntoIterator<Item = BlockHeader>,
        certificate: Certificate,
    ) -> Option<Self> {
        let mut headers = headers.into_iter().skip_while(|header| header.height != height);
        let header = Hexed(headers.next()?);
        Some(Self { header, above: headers.map(Hexed).collect(), certificate: Hexed(certificate) })
    }
}

/// What the full client itself knows. `by` is whose signature the call carries.
pub fn known<L: Library>(
    library: &L,
    question: &Question,
    by: Option<&OwnerId>,
) -> Result<Known, FullError<L::Error>> {
    look_up::known(library, question, by)
}

/// The same with its proofs, for others.
//= harness/spec/clients.md#cli-1-full-client
//# CLI-1.2 (paper): An institution MUST be able to offer an interface on its full client to others.
pub fn answer<L: Library>(
    library: &L,
    question: &Question,
    by: Option<&OwnerId>,
) -> Result<Answer, FullError<L::Error>> {
    prove::answer(library, question, by)
}

/// The highest height that can be proven: that of the last block whose epoch's committees follow from
/// certified anchors.
pub fn provable<L: Library>(library: &L) -> Result<Height, FullError<L::Error>> {
    look_up::provable(library)
}

/// What an institution must have, or an error that names it.
fn have<T, E>(found: Option<T>, what: impl FnOnce() -> String) -> Result<T, FullError<E>> {
    found.ok_or_else(|| FullError::Missing(what()))
}
