//! The reader's side: asks, opens, and finds out who re-encrypted wrongly. [PRE-3] [PRE-6] [PRE-8]

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::super::error::{DeliveryFault, SharingError};
use super::super::exchange::Exchange;
use super::{Person, granted, lattice, over, sealed};
use crate::access::{Act, Delivered, Dispute, Records, Request};
use crate::client::{Blame, Dealing, Granted};
use crate::codec::Wire as _;
use crate::environment::draw;
use crate::reencryption::{
    Admitted, Approvals, Capsule, Delivery, Offer, Parcel, ParcelPublicKey, Purpose, Variant, open,
};
use crate::service::sharing::fetch;
use crate::types::{Digest, OwnerId, RecordId};

/// What a proxy delivers, in words.
const DELIVERY: &str = "delivery";

impl Person {
    /// Asks an owner for some of its records.
    //= harness/spec/reencryption.md#pre-3-request-and-grant
    //# PRE-3.1 (paper): A reader MUST be able to ask an owner for a part of the owner's records.
    pub async fn ask(
        &self,
        exchange: &impl Exchange,
        owner: OwnerId,
        records: BTreeSet<RecordId>,
        variant: Variant,
    ) -> Result<RecordId, SharingError> {
        let keys = exchange.keys_of(owner).await?.ok_or(SharingError::NoKeys { owner })?;
        let receiver: ParcelPublicKey = fetch::value(exchange, "parcel key", keys.parcels).await?;
        let offer = Offer::new(&self.secret, keys.lattice, variant, &draw()?);
        let reader_key = offer.reader;
        //= harness/spec/reencryption.md#pre-3-request-and-grant
        //# PRE-3.5 (ours): Key material between two parties MUST travel encrypted and authenticated
        //# to its receiver.
        let parcel = Parcel::seal(Purpose::Offer, &offer, &self.signing, &receiver, draw()?)?;
        let offer = exchange.put(parcel.to_bytes()).await?;
        if variant == Variant::Public {
            // A proxy needs it, whether or not this person has declared it.
            exchange.put(self.public.to_bytes()).await?;
        }
        let first = records.first().copied();
        let records = Records::new(records).map_err(|_| SharingError::NotNow {
            grant: first.unwrap_or(RecordId::new([0; 32])),
            why: "a request has at most 64 files",
        })?;
        self.act(exchange, Act::Request(Request { owner, reader_key, offer, records })).await
    }

    /// The newest grant under which a record was delivered to this person by its owner, of those that hold and have
    /// nothing held against the delivery.
    ///
    /// # Errors
    /// [`SharingError::NotNow`] with what became of the newest one when there is none that can be used any more.
    pub async fn received(
        &self,
        exchange: &impl Exchange,
        id: RecordId,
    ) -> Result<Option<RecordId>, SharingError> {
        let dealings = exchange.dealings_of(self.id()).await?.into_iter();
        // Behind the dealings: what has ended in them is over at this height.
        let height = exchange.tip().await?.height;
        // An owner opens its files without a grant, whatever it has granted to itself.
        let mine =
            dealings.filter(|dealing| dealing.reader == self.id() && dealing.owner != self.id());
        let delivered = |granted: &Granted| {
            granted.delivery.as_ref().is_some_and(|handed| handed.files.contains_key(&id))
        };
        let mut granted: Vec<Granted> =
            mine.filter_map(|dealing| dealing.grant).filter(delivered).collect();
        granted.sort_unstable_by_key(|granted| Reverse(granted.act.place));
        let useless = |granted: &Granted| {
            let blame = granted.blame(height).map(|blame| match blame {
                Blame::Disputed => "is in dispute",
                Blame::Wrong => "was served wrongly",
            });
            over(granted, height).or(blame)
        };
        if let Some(usable) = granted.iter().find(|granted| useless(granted).is_none()) {
            return Ok(Some(usable.act.id));
        }
        match granted.first().and_then(|newest| Some((newest.act.id, useless(newest)?))) {
            Some((grant, why)) => Err(SharingError::NotNow { grant, why }),
            None => Ok(None),
        }
    }

    /// Opens a file that was delivered to this person.
    pub async fn open(
        &self,
        exchange: &impl Exchange,
        grant: RecordId,
        id: RecordId,
    ) -> Result<Vec<u8>, SharingError> {
        let (dealing, granted) = self.mine(exchange, grant).await?;
        let delivered = found(exchange, &dealing, grant, id).await?;
        let owner = lattice(exchange, granted.owner_key).await?;
        let before = approved(exchange, &dealing, &granted, id).await?;
        let wrong = |fault| SharingError::Delivery { record: id, fault };
        let bytes = fetch::bytes(exchange, DELIVERY, delivered.delivery).await?;
        let delivery = Delivery::from_bytes(&bytes);
        let delivery = delivery.map_err(|error| wrong(DeliveryFault::Malformed(error)))?;
        let names = [Digest::new(*grant.as_bytes()), dealing.reader_key];
        let checked = delivery.check(&delivered.proxy, names, &before);
        checked.map_err(|error| wrong(DeliveryFault::Another(error)))?;
        //= harness/spec/reencryption.md#pre-8-wrong-re-encryption
        //# PRE-8.1 (paper): A proxy that re-encrypts wrongly MUST be found out.
        let key = open(&self.secret, &owner, before.capsule(), &delivery.capsule)
            .map_err(|error| wrong(DeliveryFault::Wrong(error)))?;
        let (booking, sealed) = sealed(exchange, id).await?;
        Ok(booking.open(&sealed, &key)?)
    }

    /// Disputes a delivery that is wrong, or that the vault does not have; one that opens is not disputed.
    pub async fn dispute(
        &self,
        exchange: &impl Exchange,
        grant: RecordId,
        id: RecordId,
    ) -> Result<RecordId, SharingError> {
        let (dealing, granted) = self.mine(exchange, grant).await?;
        if granted.dispute.is_some() {
            return Err(SharingError::NotNow { grant, why: "was disputed before" });
        }
        match self.open(exchange, grant, id).await {
            Err(SharingError::Delivery { .. } | SharingError::Missing { what: DELIVERY, .. }) => {}
            Err(other) => return Err(other),
            Ok(_) => return Err(SharingError::Sound { record: id }),
        }
        let delivery = found(exchange, &dealing, grant, id).await?.delivery;
        self.act(exchange, Act::Dispute(Dispute { grant, record: id, delivery })).await
    }

    async fn mine(
        &self,
        exchange: &impl Exchange,
        grant: RecordId,
    ) -> Result<(Dealing, Granted), SharingError> {
        let found = granted(exchange, grant).await?;
        let is_mine = found.0.reader == self.id();
        if is_mine { Ok(found) } else { Err(SharingError::NotMine { what: "grant", id: grant }) }
    }
}

/// What lies under the reader's key for a record.
async fn found(
    exchange: &impl Exchange,
    dealing: &Dealing,
    grant: RecordId,
    id: RecordId,
) -> Result<Delivered, SharingError> {
    //= harness/spec/database.md#ddb-3-finding
    //# DDB-3.2 (paper): Re-encrypted data MUST be found by the public key of its reader.
    let delivered = exchange.deliveries_for(dealing.reader_key).await?;
    let mut delivered = delivered.into_iter().filter(|it| (it.grant, it.record) == (grant, id));
    delivered.next().ok_or(SharingError::NotNow { grant, why: "has no delivery of this record" })
}

/// The owner's capsule of a record of a grant, with the owner's word that it may be re-encrypted.
pub(in crate::service::sharing) async fn approved(
    exchange: &impl Exchange,
    dealing: &Dealing,
    granted: &Granted,
    id: RecordId,
) -> Result<Admitted, SharingError> {
    let capsule = granted.files.get(&id).ok_or(SharingError::AnotherRecord { record: id })?;
    let none = || SharingError::NoApproval { grant: granted.act.id, record: id };
    //= harness/spec/reencryption.md#pre-3-request-and-grant
    //# PRE-3.13 (ours): The record of a grant MUST name the approvals of its capsules as drawn under Keys
    //# and capsules in the vault.
    let approvals = granted.approvals.ok_or_else(none)?;
    let approvals: Approvals = fetch::value(exchange, "approvals", approvals).await?;
    let approval = approvals.of(capsule).ok_or_else(none)?;
    let admission = approval.check(&dealing.owner, granted.owner_key)?;
    let capsule: Capsule = fetch::value(exchange, "capsule", *capsule).await?;
    Ok(admission.admit(capsule)?)
}
