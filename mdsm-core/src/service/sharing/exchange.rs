//! What those who share stand on: a chain that books and answers, and a vault. [CON-1] [DDB-3]

use std::future::Future;

use thiserror::Error;

use crate::access::{Delivered, KeyRecord, Permit, Refusal};
use crate::client::Dealing;
use crate::ledger::{Booking, Envelope, Service};
use crate::node::ServiceState;
use crate::types::{ChainId, Digest, Epoch, Height, InstitutionId, OwnerId, RecordId};

/// How far the chain is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tip {
    /// Height of the last final block.
    pub height: Height,
    /// The epoch that is open.
    pub epoch: Epoch,
}

/// Why an exchange did not do what it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ExchangeError {
    /// The record is there already: whoever sent it before was heard.
    #[error("record {record}: is booked or accepted already")]
    Repeated {
        /// The record.
        record: RecordId,
    },
    /// It said no.
    #[error("refused: {why}")]
    Refused {
        /// In its words.
        why: String,
    },
    /// It cannot be reached, or its own parts cannot; it may work later.
    #[error("not reached: {why}")]
    Away {
        /// In its words.
        why: String,
    },
    /// Something was answered that is not proven, or proven to be false.
    #[error("not believed: {why}")]
    Unproven {
        /// Why not.
        why: String,
    },
    /// The chain does not go on.
    #[error("the chain stands: no block above {height} has become final in {waited_s} s")]
    Stands {
        /// Height of the last final block.
        height: Height,
        /// Seconds that were waited.
        waited_s: u64,
    },
    /// It is stopping and answers nobody any more.
    #[error("the institution is stopping")]
    Stopping,
}

/// Objects by the SHA-256 of their bytes.
pub trait Vault: Send + Sync {
    /// Stores an object; returns when it is durable. Storing it again changes nothing.
    fn put(&self, bytes: Vec<u8>) -> impl Future<Output = Result<Digest, ExchangeError>> + Send;

    /// Whether an object is there.
    fn has(&self, digest: Digest) -> impl Future<Output = Result<bool, ExchangeError>> + Send;

    /// An object; `None` where there is none.
    fn get(
        &self,
        digest: Digest,
    ) -> impl Future<Output = Result<Option<Vec<u8>>, ExchangeError>> + Send;
}

/// A network as one who shares sees it, through one institution. Answers are those of the final chain.
///
/// [`Desk`](super::Desk) is that of an institution, which believes itself. Whoever trusts no institution asks
/// through [`Remote`](super::Remote), which checks proofs and is told what concerns the one who asks; bytes of the
/// vault are compared with their digests wherever they come from.
pub trait Exchange: Vault {
    /// The network.
    fn chain(&self) -> ChainId;

    /// The institution that books what is sent here.
    fn delegate(&self) -> InstitutionId;

    /// Asks for the booking of records of an owner.
    fn request(&self, owner: OwnerId) -> impl Future<Output = Result<(), ExchangeError>> + Send;

    /// Sends a record; returns when it is accepted.
    fn submit(
        &self,
        envelope: Envelope,
    ) -> impl Future<Output = Result<RecordId, ExchangeError>> + Send;

    /// Sends a receipt of service, and says how it stands; sent again it changes nothing.
    fn report(
        &self,
        service: Service,
    ) -> impl Future<Output = Result<ServiceState, ExchangeError>> + Send;

    /// How far the chain is.
    fn tip(&self) -> impl Future<Output = Result<Tip, ExchangeError>> + Send;

    /// Returns when the chain is above a height. One who trusts no institution does not wait for ever for a chain that
    /// stands.
    fn above(&self, height: Height) -> impl Future<Output = Result<(), ExchangeError>> + Send;

    /// A booked record.
    fn record(
        &self,
        id: RecordId,
    ) -> impl Future<Output = Result<Option<Booking>, ExchangeError>> + Send;

    /// The keys that somebody has declared last.
    fn keys_of(
        &self,
        owner: OwnerId,
    ) -> impl Future<Output = Result<Option<KeyRecord>, ExchangeError>> + Send;

    /// What the chain says of a request, named by itself or by the grant that answers it, until it is long over and
    /// where it concerns the one who asks.
    fn dealing(
        &self,
        id: RecordId,
    ) -> impl Future<Output = Result<Option<Dealing>, ExchangeError>> + Send;

    /// Dealings of somebody, as owner or as reader; of others than the one who asks, those with it.
    fn dealings_of(
        &self,
        person: OwnerId,
    ) -> impl Future<Output = Result<Vec<Dealing>, ExchangeError>> + Send;

    /// What is stored under a key of the one who asks.
    fn deliveries_for(
        &self,
        reader_key: Digest,
    ) -> impl Future<Output = Result<Vec<Delivered>, ExchangeError>> + Send;
}

/// The same for an institution that serves, which keeps the whole chain.
pub trait Watch: Exchange {
    /// Whether the holder of a key has a seat now.
    fn has_seat(&self, key: &OwnerId) -> Result<bool, ExchangeError>;

    /// Grants that wait for bids.
    fn bidding(&self) -> Result<Vec<Dealing>, ExchangeError>;

    /// Grants that hold and wait for the delivery of this key's holder.
    fn duties(&self, key: &OwnerId) -> Result<Vec<Dealing>, ExchangeError>;

    /// Whether the holder of a key may re-encrypt a record's capsule now.
    fn permit(
        &self,
        grant: &RecordId,
        record: &RecordId,
        key: &OwnerId,
    ) -> Result<Result<Permit, Refusal>, ExchangeError>;
}
