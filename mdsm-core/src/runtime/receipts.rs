//! Receipts from what is stored: the trees of a frozen window, and a record's way through them. [ANC-2] [STO-11]
//!
//! Cost: the trees of a window are built from its blocks, two hashes an Item, and kept for the windows asked for
//! last; a receipt from them is a look-up.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::books::{Books, BooksError};
use crate::ledger::{Issuer, ItemBlock, Receipt};
use crate::types::{Epoch, Height, RecordId};

/// Windows whose trees are kept.
const WINDOWS_KEPT: usize = 4;

/// The trees of the windows that were asked for last.
#[derive(Debug, Default)]
pub(super) struct Windows {
    latest: Mutex<VecDeque<(Epoch, Arc<Issuer>)>>,
}

impl Windows {
    fn latest(&self) -> MutexGuard<'_, VecDeque<(Epoch, Arc<Issuer>)>> {
        // Entries are whole whatever a thread that panicked was about to add.
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, epoch: Epoch) -> Option<Arc<Issuer>> {
        self.latest().iter().find(|(of, _)| *of == epoch).map(|(_, issuer)| issuer.clone())
    }

    fn keep(&self, epoch: Epoch, issuer: Arc<Issuer>) {
        let mut latest = self.latest();
        latest.push_front((epoch, issuer));
        latest.truncate(WINDOWS_KEPT);
    }
}

impl Books {
    /// The receipt of a booked record, without its way into Bitcoin; `None` when the record is not booked, or
    /// its epoch is not over.
    pub fn receipt(&self, id: &RecordId) -> Result<Option<Receipt>, BooksError> {
        let Some(locator) = self.rows().locate(id)? else { return Ok(None) };
        let Some(epoch) = self.epoch_at(locator.height)? else { return Ok(None) };
        let Some(issuer) = self.issuer(epoch)? else { return Ok(None) };
        let items = self.rows().items(&[locator.item])?;
        let wrong = |error| inconsistent(locator.height, error);
        let issued = issuer.issue(&items[0], usize::from(locator.index)).map_err(wrong)?;
        Ok(Some(issued))
    }

    /// The trees of a frozen window.
    fn issuer(&self, epoch: Epoch) -> Result<Option<Arc<Issuer>>, BooksError> {
        if let Some(known) = self.windows().get(epoch) {
            return Ok(Some(known));
        }
        let Some(anchor) = self.rows().anchor(epoch)? else { return Ok(None) };
        let Some(last) = self.rows().height_of(&anchor.head)? else { return Ok(None) };
        let first = match epoch.get().checked_sub(1) {
            None => Height::new(1),
            Some(before) => match self.rows().anchor(Epoch::new(before))? {
                None => return Ok(None),
                Some(anchor) => match self.rows().height_of(&anchor.head)? {
                    None => return Ok(None),
                    Some(height) => Height::new(height.get() + 1),
                },
            },
        };
        let mut item_blocks: Vec<ItemBlock> = Vec::new();
        let mut height = first;
        while height <= last {
            let Some(decision) = self.decision_above(Height::new(height.get() - 1))? else {
                return Ok(None);
            };
            let blocks = decision.blocks.into_vec();
            height = blocks.last().map_or(last, |block| block.signed.header.height);
            height = Height::new(height.get() + 1);
            item_blocks.extend(blocks.into_iter().filter_map(|block| block.payload.item_block));
        }
        let data_blocks = self.rows().data_blocks(epoch)?;
        let wrong = |error| inconsistent(last, error);
        let issuer = Arc::new(Issuer::new(&anchor, &data_blocks, &item_blocks).map_err(wrong)?);
        self.windows().keep(epoch, issuer.clone());
        Ok(Some(issuer))
    }

    /// The epoch of the final block at a height.
    pub fn epoch_at(&self, height: Height) -> Result<Option<Epoch>, BooksError> {
        let decision = self.decision_above(Height::new(height.get().saturating_sub(1)))?;
        let blocks = decision.map(|decision| decision.blocks.into_vec()).unwrap_or_default();
        let headers = blocks.iter().map(|block| block.signed.header);
        Ok(headers.into_iter().find(|it| it.height == height).map(|it| it.epoch))
    }
}

fn inconsistent(last: Height, why: impl ToString) -> BooksError {
    BooksError::Decision { last, why: why.to_string() }
}
