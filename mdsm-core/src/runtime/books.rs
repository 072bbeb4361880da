//! What an institution has on its disk, as values of the ledger and of the node. [DDB-1] [STO-7]
//!
//! One thread writes, any number read meanwhile.

use std::path::Path;
use std::sync::Arc;

use thiserror::Error;

use super::receipts::Windows;
use crate::codec::Wire;
use crate::ledger::Item;
use crate::node::{Commit, CommitError, Decision};
use crate::store::{Checked, Lsm, Opened, Rows, StoreError};
use crate::types::{Digest, Height};

/// The rows of a node's store.
pub type Table = Rows<Checked<Lsm>>;

/// The store of an institution.
#[derive(Debug)]
pub struct Books {
    rows: Table,
    windows: Windows,
}

/// A store from which something cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BooksError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A decision that is none, or not of the blocks that it stands for.
    #[error("decision up to height {last}: {why}")]
    Decision {
        /// Height of its last block.
        last: Height,
        /// What is wrong.
        why: String,
    },
}

impl Books {
    /// Opens or creates the store in a directory, and says what opening it found.
    pub fn open(directory: &Path) -> Result<(Self, Opened), StoreError> {
        let (store, opened) = Checked::open_directory(directory)?;
        Ok((Self { rows: Rows::new(store), windows: Windows::default() }, opened))
    }

    /// The rows.
    #[must_use]
    pub fn rows(&self) -> &Table {
        &self.rows
    }

    pub(super) fn windows(&self) -> &Windows {
        &self.windows
    }

    /// The decision that leads above a height.
    pub fn decision_above(&self, height: Height) -> Result<Option<Decision>, BooksError> {
        let Some((last, bytes)) = self.rows.decision_above(height)? else { return Ok(None) };
        let wrong = |why: String| BooksError::Decision { last, why };
        let decision = Decision::from_bytes(&bytes).map_err(|error| wrong(error.to_string()))?;
        let found = decision.blocks.last().map(|block| block.signed.header.height);
        if found != Some(last) {
            return Err(wrong("is of another height".to_owned()));
        }
        Ok(Some(decision))
    }

    /// The decision that made a block final.
    pub fn decision_of(&self, hash: &Digest) -> Result<Option<Decision>, BooksError> {
        let Some(height) = self.rows.height_of(hash)? else { return Ok(None) };
        let decision = self.decision_above(Height::new(height.get().saturating_sub(1)))?;
        let holds =
            |decision: &Decision| decision.blocks.iter().any(|block| block.signed.hash() == *hash);
        Ok(decision.filter(holds))
    }

    /// The first commit above a height, with all Items of its blocks.
    pub fn commit_above(&self, height: Height) -> Result<Option<Commit>, BooksError> {
        let Some(decision) = self.decision_above(height)? else { return Ok(None) };
        let last = decision.blocks.last().map_or(height, |block| block.signed.header.height);
        let booked = decision.blocks.iter().filter_map(|block| block.payload.item_block.as_ref());
        let roots: Vec<Digest> = booked.flat_map(|booked| booked.items.iter().copied()).collect();
        let items: Vec<Arc<Item>> = self.rows.items(&roots)?.into_iter().map(Arc::new).collect();
        let wrong = |error: CommitError| BooksError::Decision { last, why: error.to_string() };
        Ok(Some(Commit::stored(decision, items).map_err(wrong)?))
    }
}
