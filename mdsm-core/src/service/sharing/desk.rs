//! An institution's own exchange: its intake, its books and a vault. [CLI-1] [PRE-7] [DDB-3]

use std::sync::{Arc, RwLockReadGuard};

use tokio::sync::watch;

use super::exchange::{Exchange, ExchangeError, Tip, Vault, Watch};
use crate::access::{Delivered, KeyRecord, Permit, Refusal};
use crate::client::{Dealing, Register};
use crate::ledger::{Booking, Content, Envelope, Service};
use crate::node::{Refusal as Turned, ServiceState};
use crate::runtime::{Institution, Intake, Status, SubmitError};
use crate::service::shelf::Shelf;
use crate::types::{ChainId, Digest, Height, InstitutionId, OwnerId, RecordId};

/// Where those who share are served.
#[derive(Debug)]
pub struct Desk<V> {
    me: InstitutionId,
    shelf: Arc<Shelf>,
    intake: Intake,
    status: watch::Receiver<Status>,
    vault: V,
}

impl<V: Vault> Desk<V> {
    /// The desk of an institution that runs.
    pub fn new(institution: &Institution, shelf: Arc<Shelf>, vault: V) -> Self {
        Self {
            me: institution.me(),
            shelf,
            intake: institution.intake().clone(),
            status: institution.status(),
            vault,
        }
    }

    /// The register at the last final block.
    fn register(&self) -> Result<RwLockReadGuard<'_, Register>, ExchangeError> {
        let head = self.status.borrow().height;
        self.shelf.register(head).map_err(|error| ExchangeError::Away { why: error.to_string() })
    }
}

impl<V: Vault> Vault for Desk<V> {
    async fn put(&self, bytes: Vec<u8>) -> Result<Digest, ExchangeError> {
        self.vault.put(bytes).await
    }

    async fn has(&self, digest: Digest) -> Result<bool, ExchangeError> {
        self.vault.has(digest).await
    }

    async fn get(&self, digest: Digest) -> Result<Option<Vec<u8>>, ExchangeError> {
        self.vault.get(digest).await
    }
}

impl<V: Vault> Exchange for Desk<V> {
    fn chain(&self) -> ChainId {
        *self.shelf.chain()
    }

    fn delegate(&self) -> InstitutionId {
        self.me
    }

    async fn request(&self, owner: OwnerId) -> Result<(), ExchangeError> {
        Ok(self.intake.request(owner).await?)
    }

    async fn submit(&self, envelope: Envelope) -> Result<RecordId, ExchangeError> {
        let is_file_stored = match envelope.record.content() {
            Content::Inline(_) => true,
            Content::Stored(digest) => self.vault.has(*digest).await?,
        };
        Ok(self.intake.submit(envelope, is_file_stored).await?)
    }

    async fn report(&self, service: Service) -> Result<ServiceState, ExchangeError> {
        Ok(self.intake.report(service).await?)
    }

    async fn tip(&self) -> Result<Tip, ExchangeError> {
        let status = self.status.borrow();
        Ok(Tip { height: status.height, epoch: status.epoch })
    }

    async fn above(&self, height: Height) -> Result<(), ExchangeError> {
        let mut status = self.status.clone();
        let waited = status.wait_for(|now| now.height > height).await;
        waited.map(|_| ()).map_err(|_| ExchangeError::Stopping)
    }

    async fn record(&self, id: RecordId) -> Result<Option<Booking>, ExchangeError> {
        let found = self.shelf.books().rows().record(&id);
        let found = found.map_err(|error| ExchangeError::Away { why: error.to_string() })?;
        Ok(found.map(|(_, envelope)| envelope.booking()))
    }

    async fn keys_of(&self, owner: OwnerId) -> Result<Option<KeyRecord>, ExchangeError> {
        let register = self.register()?;
        Ok(register.keys_of(&owner, register.height()).map(|declared| declared.keys))
    }

    async fn dealing(&self, id: RecordId) -> Result<Option<Dealing>, ExchangeError> {
        let register = self.register()?;
        Ok(register.dealing(&id).and_then(|dealing| dealing.at(register.height())))
    }

    async fn dealings_of(&self, person: OwnerId) -> Result<Vec<Dealing>, ExchangeError> {
        let register = self.register()?;
        let dealings = register.dealings_of(&person);
        Ok(dealings.filter_map(|dealing| dealing.at(register.height())).collect())
    }

    async fn deliveries_for(&self, reader_key: Digest) -> Result<Vec<Delivered>, ExchangeError> {
        Ok(self.register()?.deliveries_for(&reader_key).collect())
    }
}

impl<V: Vault> Watch for Desk<V> {
    fn has_seat(&self, key: &OwnerId) -> Result<bool, ExchangeError> {
        let epoch = self.status.borrow().epoch;
        let roster = self.shelf.roster(epoch);
        let roster = roster.map_err(|error| ExchangeError::Away { why: error.to_string() })?;
        let seated = roster.committees.electorate().any(|seat| seat.key == *key);
        Ok(seated)
    }

    fn bidding(&self) -> Result<Vec<Dealing>, ExchangeError> {
        Ok(self.register()?.bidding().cloned().collect())
    }

    fn duties(&self, key: &OwnerId) -> Result<Vec<Dealing>, ExchangeError> {
        Ok(self.register()?.duties(key).cloned().collect())
    }

    fn permit(
        &self,
        grant: &RecordId,
        record: &RecordId,
        key: &OwnerId,
    ) -> Result<Result<Permit, Refusal>, ExchangeError> {
        Ok(self.register()?.permit(grant, record, key))
    }
}

impl From<SubmitError> for ExchangeError {
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::Refused(Turned::Repeated { record }) => Self::Repeated { record },
            SubmitError::Refused(turned @ Turned::Full { .. }) => {
                Self::Away { why: turned.to_string() }
            }
            SubmitError::Stopping => Self::Stopping,
            other => Self::Refused { why: other.to_string() },
        }
    }
}
