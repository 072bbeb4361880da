//! The books of a full client, as its answers and those who share look them up. [CLI-1]
//!
//! Everything is in the store but the register of acts and keys, which is made anew at a start and kept up with
//! each question: a small entry for each act, and time in proportion to the chain, once.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use thiserror::Error;

use crate::client::full::Located;
use crate::client::{Dealing, Declared, Finality, Hexed, Library, Register, RosterStep};
use crate::codec::{DecodeError, Wire};
use crate::ledger::{BitcoinProof, Block, BlockHeader, Item, Receipt};
use crate::node::Decision;
use crate::roster::{FoundError, Roster, RosterCommitment};
use crate::runtime::settings::NetworkFile;
use crate::runtime::{Books, BooksError};
use crate::store::StoreError;
use crate::types::{ChainId, Digest, Epoch, Height, InstitutionId, OwnerId, RecordId};

/// What answers are looked up in.
#[derive(Debug)]
pub struct Shelf {
    chain: ChainId,
    institution: InstitutionId,
    first: RosterCommitment,
    books: Arc<Books>,
    register: RwLock<Register>,
    /// The first epoch whose anchor was not certified when somebody looked last.
    certified: AtomicU32,
}

/// Why a look-up fails.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ShelfError {
    /// The books.
    #[error(transparent)]
    Books(#[from] BooksError),
    /// Committees that are none.
    #[error("committees of epoch {epoch}: {error}")]
    Committees {
        /// Of which epoch.
        epoch: Epoch,
        /// What is wrong.
        error: DecodeError,
    },
    /// Committees that are missing.
    #[error("committees of epoch {epoch} are missing")]
    NoCommittees {
        /// Of which epoch.
        epoch: Epoch,
    },
}

impl From<StoreError> for ShelfError {
    fn from(error: StoreError) -> Self {
        Self::Books(error.into())
    }
}

/// The books as one answer sees them.
#[derive(Debug)]
pub struct View<'a> {
    shelf: &'a Shelf,
    head: Height,
    /// The way of an anchor into Bitcoin, for a receipt of its epoch.
    bitcoin: Option<(Epoch, BitcoinProof)>,
}

impl Shelf {
    /// The books of an institution.
    pub fn new(
        institution: InstitutionId,
        network: &NetworkFile,
        books: Arc<Books>,
    ) -> Result<Self, FoundError> {
        let genesis = &network.genesis;
        let roster = Roster::found(&network.founders(), genesis.producers, genesis.auditors)?;
        Ok(Self {
            chain: genesis.chain_id(),
            institution,
            first: roster.commitment(),
            books,
            register: RwLock::default(),
            certified: AtomicU32::new(0),
        })
    }

    /// The network.
    #[must_use]
    pub fn chain(&self) -> &ChainId {
        &self.chain
    }

    /// The books below.
    #[must_use]
    pub fn books(&self) -> &Arc<Books> {
        &self.books
    }

    /// The books up to a height that is on the disk; `bitcoin` for a receipt of that epoch.
    pub fn at(
        &self,
        head: Height,
        bitcoin: Option<(Epoch, BitcoinProof)>,
    ) -> Result<View<'_>, ShelfError> {
        self.catch_up(head)?;
        Ok(View { shelf: self, head, bitcoin })
    }

    /// The register at a height that is on the disk, or above.
    pub fn register(&self, head: Height) -> Result<RwLockReadGuard<'_, Register>, ShelfError> {
        self.catch_up(head)?;
        Ok(self.seen())
    }

    fn seen(&self) -> RwLockReadGuard<'_, Register> {
        // A block is taken in as a whole; after a panic in the middle acts may be missing, never others there.
        self.register.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Committees of an epoch.
    pub fn roster(&self, epoch: Epoch) -> Result<RosterCommitment, ShelfError> {
        if epoch == Epoch::new(0) {
            return Ok(self.first.clone());
        }
        let bytes = self.books.rows().committees(epoch)?;
        let bytes = bytes.ok_or(ShelfError::NoCommittees { epoch })?;
        let wrong = |error| ShelfError::Committees { epoch, error };
        RosterCommitment::from_bytes(&bytes).map_err(wrong)
    }

    /// Takes in the acts of blocks up to a height.
    fn catch_up(&self, head: Height) -> Result<(), ShelfError> {
        if self.seen().height() >= head {
            return Ok(());
        }
        let mut register = self.register.write().unwrap_or_else(PoisonError::into_inner);
        while register.height() < head {
            let Some(commit) = self.books.commit_above(register.height())? else { break };
            for (block, items) in commit.decision.blocks.iter().zip(&commit.items) {
                let header = &block.signed.header;
                let committees = self.roster(header.epoch)?.committees;
                let booked = |id: &RecordId| {
                    let (locator, envelope) = self.books.rows().record(id).ok().flatten()?;
                    Some((*envelope.record.owner(), locator.height))
                };
                let items = items.iter().map(Arc::as_ref);
                register.book(header.height, items, &committees, booked);
            }
        }
        Ok(())
    }

    fn decision_at(&self, height: Height) -> Result<Option<Decision>, ShelfError> {
        let below = Height::new(height.get().saturating_sub(1));
        let decision = self.books.decision_above(below)?;
        let holds = |decision: &Decision| {
            decision.blocks.iter().any(|block| block.signed.header.height == height)
        };
        Ok(decision.filter(holds))
    }
}

impl Library for View<'_> {
    type Error = ShelfError;

    fn chain_id(&self) -> ChainId {
        self.shelf.chain
    }

    fn institution(&self) -> InstitutionId {
        self.shelf.institution
    }

    fn head(&self) -> Result<Height, ShelfError> {
        Ok(self.head)
    }

    fn certified(&self) -> Result<Epoch, ShelfError> {
        let mut epoch = self.shelf.certified.load(Ordering::Relaxed);
        while self.shelf.books.rows().certificate(Epoch::new(epoch))?.is_some() {
            epoch += 1;
        }
        self.shelf.certified.fetch_max(epoch, Ordering::Relaxed);
        Ok(Epoch::new(epoch))
    }

    fn records_of(&self, owner: &OwnerId) -> Result<Vec<(RecordId, Located)>, ShelfError> {
        let (mut found, mut from): (Vec<_>, Option<RecordId>) = (Vec::new(), None);
        loop {
            let (page, next) =
                self.shelf.books.rows().records_of(owner, from.as_ref(), PAGE_ROWS)?;
            found.extend(page.into_iter().map(|(id, locator)| {
                let (height, item, index) = (locator.height, locator.item, locator.index);
                (id, Located { height, item, index })
            }));
            from = next;
            if from.is_none() {
                return Ok(found);
            }
        }
    }

    fn locate(&self, id: &RecordId) -> Result<Option<Located>, ShelfError> {
        let locator = self.shelf.books.rows().locate(id)?;
        Ok(locator.map(|locator| {
            let (height, item, index) = (locator.height, locator.item, locator.index);
            Located { height, item, index }
        }))
    }

    fn block(&self, height: Height) -> Result<Option<Block>, ShelfError> {
        let Some(decision) = self.shelf.decision_at(height)? else { return Ok(None) };
        let blocks = decision.blocks.into_vec().into_iter();
        Ok(blocks
            .map(crate::ledger::Proposal::into_block)
            .find(|block| block.header.height == height))
    }

    fn item(&self, root: &Digest) -> Result<Option<Item>, ShelfError> {
        Ok(self.shelf.books.rows().item(root)?)
    }

    fn finality(&self, height: Height) -> Result<Option<Finality>, ShelfError> {
        let Some(decision) = self.shelf.decision_at(height)? else { return Ok(None) };
        let blocks = decision.blocks.iter().map(|block| block.signed.header);
        let closing = decision.closing.iter().map(|signed| signed.header);
        let headers: Vec<BlockHeader> = blocks.chain(closing).collect();
        Ok(Finality::of(height, headers, decision.certificate))
    }

    fn first_roster(&self) -> Result<RosterCommitment, ShelfError> {
        Ok(self.shelf.first.clone())
    }

    fn roster_step(&self, epoch: Epoch) -> Result<Option<RosterStep>, ShelfError> {
        let rows = self.shelf.books.rows();
        let (Some(anchor), Some(certificate)) = (rows.anchor(epoch)?, rows.certificate(epoch)?)
        else {
            return Ok(None);
        };
        let Some(next) = epoch.next() else { return Ok(None) };
        let next = Hexed(self.shelf.roster(next)?);
        Ok(Some(RosterStep { anchor: Hexed(anchor), certificate: Hexed(certificate), next }))
    }

    fn dealings_of(&self, person: &OwnerId) -> Result<Vec<Dealing>, ShelfError> {
        Ok(self.shelf.seen().dealings_of(person).cloned().collect())
    }

    fn keys_of(&self, owner: &OwnerId, at: Height) -> Result<Option<Declared>, ShelfError> {
        Ok(self.shelf.seen().keys_of(owner, at).copied())
    }

    fn receipt(&self, id: &RecordId) -> Result<Option<Receipt>, ShelfError> {
        let Some(mut receipt) = self.shelf.books.receipt(id)? else { return Ok(None) };
        let bitcoin = self.bitcoin.as_ref().filter(|(epoch, _)| *epoch == receipt.epoch);
        receipt.bitcoin = bitcoin.map(|(_, proof)| proof.clone());
        Ok(Some(receipt))
    }
}

/// Rows read at a time.
const PAGE_ROWS: usize = 1_024;
