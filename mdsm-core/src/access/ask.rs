//! What can be asked of the machine. [PRE-4] [PRE-5] [PRE-7] [PRE-8]

use thiserror::Error;

use super::act::Files;
use super::error::AccessError;
use super::state::{Access, Granted, Stage};
use crate::types::{Digest, Height, InstitutionId, OwnerId, RecordId};

/// That a reader may read a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reading {
    /// The record.
    pub record: RecordId,
    /// Who may read it.
    pub reader: OwnerId,
    /// Key of the reader.
    pub reader_key: Digest,
    /// The grant that allows it.
    pub grant: RecordId,
    /// Last height at which it does.
    pub until: Height,
    /// Whether a proxy has delivered.
    pub is_delivered: bool,
}

/// That a proxy may re-encrypt a capsule, and with which key for whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Permit {
    /// Digest of the approved capsule of the record.
    pub capsule: Digest,
    /// Digest of the lattice key that it is under.
    pub owner_key: Digest,
    /// Name of the reader in what comes out.
    pub reader_key: Digest,
    /// Digest of the re-encryption key.
    pub rekey: Digest,
    /// Digest of the parcel that brought it.
    pub parcel: Digest,
    /// Last height at which it may.
    pub until: Height,
}

/// Why a proxy must not re-encrypt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The grant does not allow it now.
    #[error(transparent)]
    Grant(#[from] AccessError),
    /// The grant is about other records.
    #[error("{record} is no record of the grant")]
    AnotherRecord {
        /// The record.
        record: RecordId,
    },
}

/// A delivered file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Delivered {
    /// The grant.
    pub grant: RecordId,
    /// The record.
    pub record: RecordId,
    /// Digest of the signed delivery, by which its bytes are found.
    pub delivery: Digest,
    /// Whose grant it is.
    pub owner: OwnerId,
    /// Key of the proxy that signed it.
    pub proxy: OwnerId,
}

impl Access {
    /// Who may read which records of an owner at the present height, by grant and record. What other
    /// owners grant is not touched.
    //= harness/spec/reencryption.md#pre-7-revocation
    //# PRE-7.2 (paper): A look-up by an owner's public key MUST yield who may read which of its
    //# records.
    pub fn readings_of(&self, owner: &OwnerId) -> impl Iterator<Item = Reading> + use<'_> {
        let grants = self.by_owner.of(owner).filter_map(|id| Some((id, self.grants.get(id)?)));
        let holding = grants.filter(|(_, granted)| granted.check_holds(self.height).is_ok());
        holding.flat_map(|(grant, granted)| {
            let Granted { reader, reader_key, until, .. } = *granted;
            let is_delivered = granted.stage.delivered().is_some();
            let grant = *grant;
            granted.files.keys().map(move |&record| Reading {
                record,
                reader,
                reader_key,
                grant,
                until,
                is_delivered,
            })
        })
    }

    /// Requests that wait for an owner.
    pub fn requests_to(&self, owner: &OwnerId) -> impl Iterator<Item = &RecordId> + use<'_> {
        self.by_asked.of(owner)
    }

    /// Grants that wait for bids.
    pub fn bidding(&self) -> impl Iterator<Item = &RecordId> + use<'_> {
        self.bidding.iter()
    }

    /// Who has bid for a grant, and where each wants the key sealed to; nobody where it waits no more.
    pub fn bids(
        &self,
        grant: &RecordId,
    ) -> impl Iterator<Item = (InstitutionId, Digest)> + use<'_> {
        let bids = match self.grants.get(grant).map(|granted| &granted.stage) {
            Some(Stage::Bidding(bids)) => Some(bids),
            _ => None,
        };
        let bids = bids.into_iter().flatten();
        bids.map(|(institution, bidder)| (*institution, bidder.parcels))
    }

    /// Whether the holder of a key may re-encrypt a record's capsule under a grant now. A proxy asks
    /// before it does, at the height that it knows to be finalized.
    ///
    /// # Errors
    /// When it is not the proxy of this grant, the grant is over, or not about this record.
    pub fn permit(
        &self,
        grant: &RecordId,
        record: &RecordId,
        key: &OwnerId,
    ) -> Result<Permit, Refusal> {
        let unknown = AccessError::UnknownGrant { grant: *grant };
        let granted = self.grants.get(grant).ok_or(unknown)?;
        //= harness/spec/reencryption.md#pre-7-revocation
        //# PRE-7.3 (ours): A proxy MUST refuse a re-encryption under a grant whose revocation is
        //# finalized.
        granted.check_holds(self.height)?;
        let proxy = granted.stage.proxy().ok_or(AccessError::NotChosen)?;
        if proxy.key != *key {
            let (signer, expected) = (*key, proxy.key);
            return Err(AccessError::AnotherSigner { signer, expected }.into());
        }
        if matches!(granted.stage, Stage::Disputed { .. } | Stage::Settled { is_wrong: true, .. }) {
            return Err(AccessError::AlreadyDisputed.into());
        }
        let capsule = granted.files.get(record);
        let capsule = *capsule.ok_or(Refusal::AnotherRecord { record: *record })?;
        let Granted { owner_key, reader_key, until, .. } = *granted;
        let (rekey, parcel) = (proxy.rekey, proxy.parcel);
        Ok(Permit { capsule, owner_key, reader_key, rekey, parcel, until })
    }

    /// What is stored under a reader's key. A revocation takes nothing of it back; it is forgotten
    /// when the grant is.
    pub fn deliveries_for(&self, reader_key: &Digest) -> impl Iterator<Item = Delivered> + use<'_> {
        let grants = self.by_reader.of(reader_key);
        grants.filter_map(|id| self.deliveries(id)).flatten()
    }

    fn deliveries(&self, grant: &RecordId) -> Option<impl Iterator<Item = Delivered> + use<'_>> {
        let (grant, granted) = self.grants.get_key_value(grant)?;
        let (files, proxy): (&Files, _) = (granted.stage.delivered()?, granted.stage.proxy()?);
        let (grant, owner, proxy) = (*grant, granted.owner, proxy.key);
        Some(files.iter().map(move |(&record, &delivery)| Delivered {
            grant,
            record,
            delivery,
            owner,
            proxy,
        }))
    }

    /// Whose grant it is.
    #[must_use]
    pub fn grant_owner(&self, grant: &RecordId) -> Option<OwnerId> {
        self.grants.get(grant).map(|granted| granted.owner)
    }

    /// The proxy that was chosen, whether or not it has delivered.
    #[must_use]
    pub fn chosen_proxy(&self, grant: &RecordId) -> Option<InstitutionId> {
        Some(self.grants.get(grant)?.stage.proxy()?.institution)
    }

    /// The proxy that has earned the service receipt of a grant: it has delivered, and the delivery
    /// is neither in dispute nor shown to be wrong.
    #[must_use]
    pub fn served_by(&self, grant: &RecordId) -> Option<InstitutionId> {
        match &self.grants.get(grant)?.stage {
            Stage::Delivered { proxy, .. } | Stage::Settled { proxy, is_wrong: false, .. } => {
                Some(proxy.institution)
            }
            _ => None,
        }
    }

    /// Who may sign a receipt of service to an institution under a grant: its owner, once that
    /// institution has earned it. What a chain asks before it takes a receipt.
    #[must_use]
    pub fn client_of(&self, grant: &RecordId, institution: InstitutionId) -> Option<OwnerId> {
        let has_served = self.served_by(grant) == Some(institution);
        self.grant_owner(grant).filter(|_| has_served)
    }

    /// Deliveries of an institution that reader and owner have shown to be wrong, for owners who
    /// choose among bidders.
    #[must_use]
    pub fn wrong_deliveries(&self, institution: InstitutionId) -> u64 {
        self.wrong.get(&institution).copied().unwrap_or(0)
    }
}
