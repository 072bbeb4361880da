//! The file of own transactions: written before one is submitted, read after a restart. [ANC-3]
//!
//! A log of [`crate::log`] with four kinds of entries: a transaction that was made, an anchor that is
//! final, one that no longer is, and the coins as of a block. Invariant: a transaction that a Bitcoin
//! node may have seen stands in the file. A file that is damaged is not opened: whoever goes on without it may
//! pay twice, so that is the operator's decision. Cost: one `fdatasync` for each transaction, one for each
//! 144 blocks.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use bitcoin::consensus::{deserialize, serialize};
use bitcoin::hashes::Hash as _;
use bitcoin::{Amount, OutPoint, Transaction, Txid};
use thiserror::Error;

use super::coins::{COINS_MAX, Coin, Coins};
use crate::anchoring::machine::{FeeRate, Place, Sighting};
use crate::codec::{Decode, DecodeError, DecodeErrorKind, Encode, Reader, Wire, wire_struct};
use crate::ledger::AnchorOutput;
use crate::log::{Log, LogError};
use crate::params::{ANCHOR_FINAL_KEPT, RECEIPT_TRANSACTION_BYTES_MAX};
use crate::types::{Blob, Digest, Epoch, List};

/// States of the coins that are remembered, in case that the last ones are of another branch.
const CHECKPOINTS_KEPT: usize = 8;

/// A file that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BookError {
    /// The file.
    #[error(transparent)]
    Log(#[from] LogError),
    /// An entry that verifies is none of this file.
    #[error("{file}: entry {sequence}: {error}")]
    Entry {
        /// The file.
        file: String,
        /// Number of the entry.
        sequence: u64,
        /// Why.
        error: DecodeError,
    },
}

/// A transaction of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Made {
    pub(super) sighting: Sighting,
    pub(super) rate: FeeRate,
    pub(super) coin: (OutPoint, Amount),
    pub(super) transaction: Transaction,
}

/// The coins as of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Checkpoint {
    pub(super) height: u32,
    pub(super) block: Digest,
    pub(super) coins: Coins,
}

/// The open file and what it says.
#[derive(Debug)]
pub(super) struct Book {
    log: Log,
    made: BTreeMap<Epoch, Vec<Made>>,
    finals: Arc<Mutex<BTreeMap<Epoch, Place>>>,
    pub(super) checkpoints: Vec<Checkpoint>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Entry {
    Made(MadeRow),
    Final(FinalRow),
    Removed(Epoch),
    Coins(CoinsRow),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct MadeRow {
    epoch: Epoch,
    root: Digest,
    rate: u32,
    value: u64,
    transaction: Blob<0, RECEIPT_TRANSACTION_BYTES_MAX>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct FinalRow {
    epoch: Epoch,
    height: u32,
    block: Digest,
    txid: Digest,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct CoinsRow {
    height: u32,
    block: Digest,
    coins: List<CoinRow, 0, COINS_MAX>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct CoinRow {
    txid: Digest,
    vout: u32,
    value: u64,
    height: u32,
    is_coinbase: u8,
    spent_at: Option<u32>,
}

impl Book {
    /// Opens the file, or makes it.
    pub(super) fn open(path: &Path) -> Result<Self, BookError> {
        let (mut entries, mut wrong) = (Vec::new(), None);
        let visit = |sequence, payload: &[u8]| match Entry::from_bytes(payload) {
            Ok(entry) => entries.push(entry),
            Err(error) => {
                let file = path.display().to_string();
                wrong.get_or_insert(BookError::Entry { file, sequence, error });
            }
        };
        let (log, _) = Log::open_strictly(path, visit)?;
        if let Some(error) = wrong {
            return Err(error);
        }
        let finals = Arc::default();
        let mut book = Self { log, made: BTreeMap::new(), finals, checkpoints: Vec::new() };
        for entry in entries {
            book.take(entry);
        }
        Ok(book)
    }

    /// Where final anchors stand, shared with who asks for proofs.
    pub(super) fn finals(&self) -> Arc<Mutex<BTreeMap<Epoch, Place>>> {
        Arc::clone(&self.finals)
    }

    fn is_final(&self, epoch: &Epoch) -> bool {
        self.finals.lock().unwrap_or_else(PoisonError::into_inner).contains_key(epoch)
    }

    /// Transactions of ours for an epoch, the last one last.
    pub(super) fn of(&self, epoch: Epoch) -> &[Made] {
        self.made.get(&epoch).map_or(&[], Vec::as_slice)
    }

    /// The transaction with this id.
    pub(super) fn made(&self, epoch: Epoch, txid: &Digest) -> Option<&Made> {
        self.of(epoch).iter().find(|made| made.sighting.txid == *txid)
    }

    /// All epochs with a transaction of ours that may still count, final ones of late included.
    pub(super) fn epochs(&self) -> impl Iterator<Item = (Epoch, &[Made])> {
        self.made.iter().map(|(epoch, made)| (*epoch, made.as_slice()))
    }

    /// The last transaction of each epoch without a final anchor.
    pub(super) fn live(&self) -> impl Iterator<Item = &Made> {
        let open = self.made.iter().filter(|(epoch, _)| !self.is_final(epoch));
        open.filter_map(|(_, made)| made.last())
    }

    /// Whether a transaction of another epoch that has no final anchor spends the coin.
    pub(super) fn is_reserved(&self, coin: &OutPoint, epoch: Epoch) -> bool {
        let open = self.made.iter().filter(|(at, _)| **at != epoch && !self.is_final(at));
        open.flat_map(|(_, made)| made).any(|made| made.coin.0 == *coin)
    }

    /// Stores a transaction, before anybody sees it.
    pub(super) fn make(&mut self, made: &Made) -> Result<(), BookError> {
        let Sighting { output: AnchorOutput { epoch, root }, txid } = made.sighting;
        if self.of(epoch).last().is_some_and(|last| last.sighting.txid == txid) {
            return Ok(());
        }
        let transaction = Blob::new(serialize(&made.transaction))
            .expect("one input and two outputs are far below 4,096 bytes");
        let (rate, value) = (made.rate.get(), made.coin.1.to_sat());
        self.append(Entry::Made(MadeRow { epoch, root, rate, value, transaction }))
    }

    /// Stores where an anchor is final.
    pub(super) fn settle(&mut self, epoch: Epoch, place: Place) -> Result<(), BookError> {
        let known = self.finals.lock().unwrap_or_else(PoisonError::into_inner).get(&epoch).copied();
        if known == Some(place) {
            return Ok(());
        }
        let Place { height, block, txid } = place;
        self.append(Entry::Final(FinalRow { epoch, height, block, txid }))
    }

    /// Stores that an anchor is final no longer.
    pub(super) fn unsettle(&mut self, epoch: Epoch) -> Result<(), BookError> {
        if self.is_final(&epoch) { self.append(Entry::Removed(epoch)) } else { Ok(()) }
    }

    /// Stores the coins as of a block.
    pub(super) fn check(&mut self, checkpoint: &Checkpoint) -> Result<(), BookError> {
        let row = |(outpoint, coin): (&OutPoint, &Coin)| CoinRow {
            txid: Digest::new(outpoint.txid.to_byte_array()),
            vout: outpoint.vout,
            value: coin.value.to_sat(),
            height: coin.height,
            is_coinbase: coin.is_coinbase.into(),
            spent_at: coin.spent_at,
        };
        let coins = List::new(checkpoint.coins.coins.iter().map(row).collect())
            .expect("no more coins are held than a list may have");
        let Checkpoint { height, block, .. } = *checkpoint;
        self.append(Entry::Coins(CoinsRow { height, block, coins }))
    }

    fn append(&mut self, entry: Entry) -> Result<(), BookError> {
        self.log.append(&entry.to_bytes())?;
        self.take(entry);
        Ok(())
    }

    fn take(&mut self, entry: Entry) {
        match entry {
            Entry::Made(row) => {
                // The bytes were read from a transaction when they were written or decoded.
                let Some(made) = row.made() else { return };
                self.made.entry(row.epoch).or_default().push(made);
            }
            Entry::Final(FinalRow { epoch, height, block, txid }) => {
                let place = Place { height, block, txid };
                let mut finals = self.finals.lock().unwrap_or_else(PoisonError::into_inner);
                finals.insert(epoch, place);
                // Of the final epochs only those of late can be removed from Bitcoin again.
                let mut late = finals.keys().rev().skip(ANCHOR_FINAL_KEPT);
                if let Some(bound) = late.next().copied() {
                    let is_old = |at: &Epoch| *at <= bound && finals.contains_key(at);
                    self.made.retain(|at, _| !is_old(at));
                }
            }
            Entry::Removed(epoch) => {
                self.finals.lock().unwrap_or_else(PoisonError::into_inner).remove(&epoch);
            }
            Entry::Coins(row) => {
                self.checkpoints.push(row.checkpoint());
                if self.checkpoints.len() > CHECKPOINTS_KEPT {
                    self.checkpoints.remove(0);
                }
            }
        }
    }
}

impl MadeRow {
    fn made(&self) -> Option<Made> {
        let transaction: Transaction = deserialize(&self.transaction).ok()?;
        let coin = transaction.input.first()?.previous_output;
        let output = AnchorOutput { epoch: self.epoch, root: self.root };
        let txid = Digest::new(transaction.compute_txid().to_byte_array());
        Some(Made {
            sighting: Sighting { txid, output },
            rate: FeeRate::new(self.rate),
            coin: (coin, Amount::from_sat(self.value)),
            transaction,
        })
    }

    fn is_sound(&self) -> bool {
        self.made().is_some()
    }
}

impl CoinsRow {
    fn checkpoint(self) -> Checkpoint {
        let coin = |row: CoinRow| {
            let txid = Txid::from_byte_array(*row.txid.as_bytes());
            let value = Amount::from_sat(row.value);
            let CoinRow { vout, height, spent_at, .. } = row;
            let is_coinbase = row.is_coinbase == 1;
            (OutPoint { txid, vout }, Coin { value, height, is_coinbase, spent_at })
        };
        let coins = self.coins.into_vec().into_iter().map(coin).collect();
        let coins = Coins { coins, counted: Some(self.height) };
        Checkpoint { height: self.height, block: self.block, coins }
    }
}

wire_struct!(MadeRow { epoch, root, rate, value, transaction });
wire_struct!(FinalRow { epoch, height, block, txid });
wire_struct!(CoinsRow { height, block, coins });
wire_struct!(CoinRow { txid, vout, value, height, is_coinbase, spent_at });

impl Encode for Entry {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Made(row) => {
                out.push(1);
                row.encode(out);
            }
            Self::Final(row) => {
                out.push(2);
                row.encode(out);
            }
            Self::Removed(epoch) => {
                out.push(3);
                epoch.encode(out);
            }
            Self::Coins(row) => {
                out.push(4);
                row.encode(out);
            }
        }
    }
}

impl Decode for Entry {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let offset = reader.offset();
        let other = |found| DecodeError::new(offset, DecodeErrorKind::Variant { found });
        match reader.array()? {
            [1] => {
                let row: MadeRow = reader.field("made")?;
                if row.is_sound() { Ok(Self::Made(row)) } else { Err(other(1)) }
            }
            [2] => Ok(Self::Final(reader.field("final")?)),
            [3] => Ok(Self::Removed(reader.field("removed")?)),
            [4] => Ok(Self::Coins(reader.field("coins")?)),
            [found] => Err(other(found)),
        }
    }
}

impl Wire for Entry {
    const TAG: [u8; 4] = *b"MBTC";
    const NAME: &'static str = "BitcoinEntry";
}
