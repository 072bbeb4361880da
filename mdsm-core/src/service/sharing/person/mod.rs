//! A person as owner and as reader: what it does, and what it looks at before it does it.
//! [PRE-3] [PRE-4] [PRE-6] [PRE-7] [PRE-8]
//!
//! All keys follow from one secret. What an owner has to find later, the capsule of a file, is named beside
//! the file's record.

mod owner;
pub(super) mod reader;
mod settle;

use std::path::Path;

pub use settle::{Reached, Terms};

use super::error::SharingError;
use super::exchange::{Exchange, ExchangeError};
use super::fetch;
use super::spent::SpentBook;
use crate::access::{Act, KeyRecord};
use crate::client::{Dealing, Granted, Step};
use crate::codec::Wire as _;
use crate::crypto::sign::SigningKey;
use crate::environment::{Clock, Secret};
use crate::ledger::{Booking, Envelope, MediaType, Metadata, Record, ResourceType};
use crate::reencryption::{ParcelKey, PublicKey, SecretKey, Set, generate};
use crate::types::{Digest, Height, OwnerId, RecordId, Timestamp};

/// What a file is, beside its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// FHIR resource type.
    pub resource_type: ResourceType,
    /// Media type.
    pub content_type: MediaType,
}

/// Somebody with a secret.
#[derive(Debug)]
pub struct Person {
    signing: SigningKey,
    secret: SecretKey,
    public: PublicKey,
    parcels: ParcelKey,
    spent: SpentBook,
    clock: Clock,
}

impl Person {
    /// The person of a secret; `spent` is the file with the offers that it has accepted.
    pub fn new(secret: &Secret, set: Set, spent: &Path) -> Result<Self, SharingError> {
        let (lattice, public) = generate(set, &secret.derive("lattice"));
        Ok(Self {
            signing: secret.signing(),
            secret: lattice,
            public,
            parcels: ParcelKey::from_seed(&secret.derive("parcels")),
            spent: SpentBook::open(spent)?,
            clock: Clock::new(),
        })
    }

    /// The key that signs, by which the person is known.
    #[must_use]
    pub fn id(&self) -> OwnerId {
        self.signing.owner()
    }

    /// Public keys of this person.
    #[must_use]
    pub fn keys(&self) -> KeyRecord {
        KeyRecord { lattice: self.public.digest(), parcels: self.parcels.public().digest() }
    }

    /// Declares the public keys, unless they are declared.
    pub async fn declare(&self, exchange: &impl Exchange) -> Result<(), SharingError> {
        exchange.put(self.public.to_bytes()).await?;
        exchange.put(self.parcels.public().to_bytes()).await?;
        if exchange.keys_of(self.id()).await? == Some(self.keys()) {
            return Ok(());
        }
        let record = self.keys().to_record(self.id(), self.clock.now())?;
        self.book(exchange, record).await?;
        Ok(())
    }

    /// Signs a record and has it accepted.
    async fn book(
        &self,
        exchange: &impl Exchange,
        record: Record,
    ) -> Result<RecordId, SharingError> {
        Ok(book(exchange, record, &self.signing).await?)
    }

    async fn act(&self, exchange: &impl Exchange, act: Act) -> Result<RecordId, SharingError> {
        //= harness/spec/reencryption.md#pre-3-request-and-grant
        //# PRE-3.6 (ours): Request, grant, bid, choice, delivery and revocation MUST be signed and
        //# booked as ordinary records.
        let record = act.to_record(self.id(), self.clock.now())?;
        self.book(exchange, record).await
    }
}

/// Signs a record and has it accepted by the institution of an exchange. A record that was accepted before is
/// accepted.
pub(super) async fn book(
    exchange: &impl Exchange,
    record: Record,
    key: &SigningKey,
) -> Result<RecordId, ExchangeError> {
    let envelope = Envelope::sign(record, &exchange.chain(), key, exchange.delegate());
    exchange.request(key.owner()).await?;
    match exchange.submit(envelope).await {
        Err(ExchangeError::Repeated { record }) => Ok(record),
        other => other,
    }
}

/// The record of an act with a note beside it.
pub(super) fn noted(
    act: &Act,
    (owner, created): (OwnerId, Timestamp),
    note: impl FnOnce(&mut Metadata),
) -> Result<Record, SharingError> {
    let plain = act.to_record(owner, created)?;
    let mut metadata = plain.metadata().clone();
    note(&mut metadata);
    Ok(Record::new(owner, metadata, plain.content().clone())?)
}

/// A dealing that the chain knows.
pub(super) async fn dealing(
    exchange: &impl Exchange,
    what: &'static str,
    id: RecordId,
) -> Result<Dealing, SharingError> {
    exchange.dealing(id).await?.ok_or(SharingError::NotBooked { what, id })
}

/// A grant that the chain knows.
pub(super) async fn granted(
    exchange: &impl Exchange,
    id: RecordId,
) -> Result<(Dealing, Granted), SharingError> {
    let dealing = dealing(exchange, "grant", id).await?;
    let granted = dealing.grant.clone().filter(|granted| granted.act.id == id);
    let granted = granted.ok_or(SharingError::NotBooked { what: "grant", id })?;
    Ok((dealing, granted))
}

/// A booked record.
pub(super) async fn record(
    exchange: &impl Exchange,
    what: &'static str,
    id: RecordId,
) -> Result<Booking, SharingError> {
    exchange.record(id).await?.ok_or(SharingError::NotBooked { what, id })
}

/// The booking of a file, and the file as it lies in the vault: what a receipt proves.
pub async fn sealed(
    exchange: &impl Exchange,
    id: RecordId,
) -> Result<(Booking, Vec<u8>), SharingError> {
    let booking = record(exchange, "file", id).await?;
    //= harness/spec/database.md#ddb-3-finding
    //# DDB-3.3 (ours): A reader MUST compare a file with the digest it asked for before opening it.
    let sealed = fetch::bytes(exchange, "sealed file", *booking.content.digest()).await?;
    Ok((booking, sealed))
}

/// The lattice key of somebody.
pub(super) async fn lattice(
    exchange: &impl Exchange,
    digest: Digest,
) -> Result<PublicKey, SharingError> {
    fetch::value(exchange, "lattice key", digest).await
}

/// Looks again with each final block, until there is something to see.
pub async fn until<X: Exchange, T>(
    exchange: &X,
    mut look: impl AsyncFnMut(&X) -> Result<Option<T>, SharingError>,
) -> Result<T, SharingError> {
    loop {
        let height = exchange.tip().await?.height;
        if let Some(seen) = look(exchange).await? {
            return Ok(seen);
        }
        exchange.above(height).await?;
    }
}

/// Waits until an act of one's own is booked and what is looked at has come about by it, not by another act; gives
/// where that is.
///
/// # Errors
/// [`SharingError::NoEffect`] when it is booked and came to nothing: nobody waits for it any longer.
/// [`SharingError::Waits`] when the chain stands before it is booked.
pub async fn has_effect<X: Exchange>(
    exchange: &X,
    act: RecordId,
    mut look: impl AsyncFnMut(&X) -> Result<Option<Step>, SharingError>,
) -> Result<Step, SharingError> {
    let seen = until(exchange, async |x| {
        let is_booked = x.record(act).await?.is_some();
        // Behind the record: an act that is booked has had its effect, if it has one.
        match look(x).await?.filter(|step| step.id == act) {
            None if is_booked => Err(SharingError::NoEffect { act }),
            seen => Ok(seen),
        }
    });
    seen.await.map_err(|error| match error {
        SharingError::Exchange(error @ ExchangeError::Stands { .. }) => {
            SharingError::Waits { act, error }
        }
        other => other,
    })
}

/// Why a grant is of no use at a height; `None` while it holds.
pub(super) fn over(granted: &Granted, at: Height) -> Option<&'static str> {
    let why = if granted.revocation.is_some() { "was taken back" } else { "is over" };
    (!granted.holds(at)).then_some(why)
}
