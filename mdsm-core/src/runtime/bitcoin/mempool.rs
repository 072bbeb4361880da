//! Transactions that wait for a block. [ANC-3]
//!
//! What others have there is told for the operator; what is ours is told when it is dropped. At most 64
//! unknown transactions are read in one look, so a full memory pool is gone through in many.

use std::collections::BTreeSet;

use bitcoin::Txid;
use bitcoin::hashes::Hash as _;

use super::check;
use super::watch::{Trouble, Watch};
use crate::anchoring::machine::Bitcoin;
use crate::anchoring::sighting;
use crate::bitcoin::RpcError;
use crate::types::Digest;

/// Transactions that are read in one look.
const READ_MAX: usize = 64;
/// Transactions of others that are followed.
const WAITING_MAX: usize = 4_096;
/// Looks in which an own transaction that never showed may be missing: it is not in the pool at once.
const MISSED_MAX: u32 = 2;

impl Watch {
    pub(super) async fn look_at_pool(&mut self) -> Result<(), Trouble> {
        let ids = match self.rpc.mempool().await {
            Ok(ids) => ids,
            // Then it is not looked at; blocks are what counts.
            Err(RpcError::TooLarge { .. }) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let id_of = |id: &Txid| Digest::new(id.to_byte_array());
        let all: BTreeSet<Digest> = ids.iter().map(id_of).collect();
        self.pool.retain(|id| all.contains(id));
        let fresh: Vec<&Txid> = ids.iter().filter(|id| !self.pool.contains(&id_of(id))).collect();
        for id in fresh.into_iter().take(READ_MAX) {
            let transaction = match self.rpc.transaction(id).await {
                Ok(transaction) => transaction,
                // Gone since, mined or replaced.
                Err(RpcError::Refused { .. }) => continue,
                Err(error) => return Err(error.into()),
            };
            check::transaction(&transaction, id)?;
            self.pool.insert(id_of(id));
            if let Some(sighting) = sighting(&transaction)
                && self.waiting.len() < WAITING_MAX
                && self.waiting.insert(sighting.txid)
            {
                self.missed.remove(&sighting.txid);
                self.tell(Bitcoin::Unconfirmed(sighting)).await?;
            }
        }
        self.drop_missing(&all).await
    }

    async fn drop_missing(&mut self, all: &BTreeSet<Digest>) -> Result<(), Trouble> {
        let is_gone = |id: &Digest| !all.contains(id);
        let mut gone: Vec<Digest> = self.waiting.iter().copied().filter(is_gone).collect();
        let own: Vec<Digest> = self.book.live().map(|made| made.sighting.txid).collect();
        self.missed.retain(|id, _| own.contains(id));
        for id in own {
            if all.contains(&id) || self.told.holds(&id) {
                self.missed.remove(&id);
            } else if !self.waiting.contains(&id) {
                let missed = self.missed.entry(id).or_default();
                *missed = missed.saturating_add(1);
                if *missed == MISSED_MAX {
                    gone.push(id);
                }
            }
        }
        // A block that came meanwhile may hold them: the next look knows.
        if gone.is_empty() || !self.is_at_tip().await? {
            return Ok(());
        }
        for id in gone {
            self.waiting.remove(&id);
            if !self.told.holds(&id) {
                self.tell(Bitcoin::Dropped(id)).await?;
            }
        }
        Ok(())
    }
}
