//! The owner's side: seals, approves, chooses, takes back, answers. [PRE-3] [PRE-4] [PRE-7] [PRE-8]

use std::collections::{BTreeMap, BTreeSet};

use super::super::error::SharingError;
use super::super::exchange::Exchange;
use super::{Label, Person, dealing, granted, noted, record, sealed};
use crate::access::{
    Act, Choice, Confirmation, Files, Finding, Grant, Revocation, capsule_of, note_approvals,
    note_capsule,
};
use crate::client::Blame;
use crate::codec::Wire as _;
use crate::crypto::Identified as _;
use crate::crypto::seal::{SealCoins, seal};
use crate::environment::draw;
use crate::ledger::{Content, Encryption, Metadata, Record, SealScheme, Service, ServiceKind};
use crate::node::ServiceState;
use crate::reencryption::{
    Approvals, Capsule, Message, Offer, Parcel, ParcelPublicKey, Purpose, ReKey, SpentOffers,
    approve, encapsulate, open,
};
use crate::service::sharing::fetch;
use crate::types::{Digest, Height, InstitutionId, KeyId, RecordId};

impl Person {
    /// Seals a file under a fresh key, stores it with the capsule of that key, and has its record accepted.
    pub async fn add(
        &self,
        exchange: &impl Exchange,
        label: Label,
        plaintext: &[u8],
    ) -> Result<RecordId, SharingError> {
        let (key_id, message) = (KeyId::new(draw()?), Message::new(draw()?));
        //= harness/spec/reencryption.md#pre-3-request-and-grant
        //# PRE-3.2 (paper): The owner MUST encrypt the part asked for and make a re-encryption key from
        //# itself to that reader.
        let (capsule, key) = encapsulate(&self.public, key_id, &message);
        let coins = SealCoins { nonce_prefix: draw()?, salt: draw()? };
        let sealed = exchange.put(seal(plaintext, &key, coins)?).await?;
        let capsule = exchange.put(capsule.to_bytes()).await?;
        let bytes = u64::try_from(plaintext.len()).expect("usize fits in u64");
        let Label { resource_type, content_type } = label;
        let mut metadata = Metadata::new(resource_type, content_type, self.clock.now(), bytes);
        metadata.encryption =
            Some(Encryption { scheme: SealScheme::XChaCha20Poly1305File, key_id });
        note_capsule(&mut metadata, capsule);
        let record = Record::new(self.id(), metadata, Content::Stored(sealed))?;
        self.book(exchange, record).await
    }

    /// Has a record accepted that carries its content, which every institution can read.
    pub async fn add_inline(
        &self,
        exchange: &impl Exchange,
        label: Label,
        content: Vec<u8>,
    ) -> Result<RecordId, SharingError> {
        let bytes = u64::try_from(content.len()).expect("usize fits in u64");
        let Label { resource_type, content_type } = label;
        let metadata = Metadata::new(resource_type, content_type, self.clock.now(), bytes);
        let record = Record::new(self.id(), metadata, Content::inline(content)?)?;
        self.book(exchange, record).await
    }

    /// Opens an own file.
    pub async fn read(
        &self,
        exchange: &impl Exchange,
        id: RecordId,
    ) -> Result<Vec<u8>, SharingError> {
        let capsule = self.capsule(exchange, id).await?;
        let key =
            open(&self.secret, &self.public, &capsule, &capsule).map_err(SharingError::Own)?;
        let (booking, sealed) = sealed(exchange, id).await?;
        Ok(booking.open(&sealed, &key)?)
    }

    /// Grants some of what a request asks for, for so many blocks.
    pub async fn grant(
        &self,
        exchange: &impl Exchange,
        request: RecordId,
        records: &BTreeSet<RecordId>,
        blocks: u64,
    ) -> Result<RecordId, SharingError> {
        let dealing = dealing(exchange, "request", request).await?;
        if dealing.owner != self.id() {
            return Err(SharingError::NotMine { what: "request", id: request });
        }
        let (mut files, mut approvals) = (BTreeMap::new(), Vec::new());
        for id in records {
            if !dealing.records.contains(id) {
                return Err(SharingError::AnotherRecord { record: *id });
            }
            let capsule = self.capsule(exchange, *id).await?;
            //= harness/spec/reencryption.md#pre-3-request-and-grant
            //# PRE-3.3 (ours): An owner MUST check a capsule by recomputing it before the capsule may
            //# be re-encrypted.
            let (approval, _) = approve((&self.secret, &self.public), &capsule, &self.signing)?;
            files.insert(*id, approval.capsule);
            approvals.push(approval);
        }
        let approvals = exchange.put(Approvals::new(approvals).to_bytes()).await?;
        let (owner_key, height) = (self.public.digest(), exchange.tip().await?.height);
        let until = Height::new(height.get().saturating_add(blocks));
        let files = Files::new(files).map_err(|_| SharingError::NotNow {
            grant: request,
            why: "a grant has at most 64 files",
        })?;
        let act = Act::Grant(Grant { request, owner_key, until, files });
        let signed_by = (self.id(), self.clock.now());
        let record = noted(&act, signed_by, |metadata| note_approvals(metadata, approvals))?;
        self.book(exchange, record).await
    }

    /// Chooses a bidder, and sends it the re-encryption key.
    //= harness/spec/reencryption.md#pre-4-competition
    //# PRE-4.2 (paper): The owner MUST choose one of the bidders and send the re-encryption key to
    //# that one.
    pub async fn choose(
        &mut self,
        exchange: &impl Exchange,
        grant: RecordId,
        institution: InstitutionId,
    ) -> Result<RecordId, SharingError> {
        let (dealing, granted) = granted(exchange, grant).await?;
        if dealing.owner != self.id() {
            return Err(SharingError::NotMine { what: "grant", id: grant });
        }
        if !granted.holds(exchange.tip().await?.height) {
            return Err(SharingError::NotNow { grant, why: "is over" });
        }
        if granted.choice.is_some() {
            return Err(SharingError::NotNow { grant, why: "has a proxy" });
        }
        let bidder = granted.bids.get(&institution).ok_or(SharingError::NoBid { institution })?;
        let receiver: ParcelPublicKey =
            fetch::value(exchange, "parcel key", bidder.parcels).await?;
        let parcel: Parcel = fetch::value(exchange, "parcel", dealing.offer).await?;
        // Only from the party that has declared the reader's key as its own.
        let offer: Offer = parcel.open(Purpose::Offer, &dealing.reader, &self.parcels)?;
        if offer.reader != dealing.reader_key {
            return Err(SharingError::AnotherKey { what: "reader" });
        }
        let name = Digest::new(*grant.as_bytes());
        let accept = |spent: &mut SpentOffers| -> Result<ReKey, SharingError> {
            Ok(offer.accept(&self.secret, name, spent)?)
        };
        // Its file has the offer before the key made of it leaves.
        let rekey = self.spent.spend(accept)?;
        let parcel = Parcel::seal(Purpose::ReKey, &rekey, &self.signing, &receiver, draw()?)?;
        let parcel = exchange.put(parcel.to_bytes()).await?;
        let rekey = rekey.digest();
        self.act(exchange, Act::Choice(Choice { grant, institution, rekey, parcel })).await
    }

    /// Takes a grant back.
    //= harness/spec/reencryption.md#pre-7-revocation
    //# PRE-7.1 (paper): The owner MUST be able to revoke a grant.
    pub async fn revoke(
        &self,
        exchange: &impl Exchange,
        grant: RecordId,
    ) -> Result<RecordId, SharingError> {
        self.own(exchange, grant).await?;
        self.act(exchange, Act::Revocation(Revocation { grant })).await
    }

    /// Answers the dispute over a delivery.
    pub async fn confirm(
        &self,
        exchange: &impl Exchange,
        grant: RecordId,
        finding: Finding,
    ) -> Result<RecordId, SharingError> {
        let granted = self.own(exchange, grant).await?;
        if granted.blame(exchange.tip().await?.height) != Some(Blame::Disputed) {
            return Err(SharingError::NotNow { grant, why: "is not in dispute" });
        }
        self.act(exchange, Act::Confirmation(Confirmation { grant, finding })).await
    }

    /// Signs that the proxy of a grant has served, for which it earns credit once the chain has booked that, from the
    /// epoch after the delivery on; not while something is held against it.
    //= harness/spec/reencryption.md#pre-5-re-encryption
    //# PRE-5.3 (paper): The proxy MUST earn credit for a delivery.
    pub async fn reward(
        &self,
        exchange: &impl Exchange,
        grant: RecordId,
    ) -> Result<(Service, ServiceState), SharingError> {
        let granted = self.own(exchange, grant).await?;
        let proxy = granted.choice.filter(|_| granted.delivery.is_some());
        let proxy = proxy.ok_or(SharingError::NotNow { grant, why: "has no delivery" })?;
        let tip = exchange.tip().await?;
        let why = match granted.blame(tip.height) {
            None => None,
            Some(Blame::Disputed) => Some("is in dispute"),
            Some(Blame::Wrong) => Some("was served wrongly"),
        };
        if let Some(why) = why {
            return Err(SharingError::NotNow { grant, why });
        }
        let served = (proxy.institution, ServiceKind::Reencryption);
        let service = Service::sign(&exchange.chain(), grant, tip.epoch, served, &self.signing);
        Ok((service, exchange.report(service).await?))
    }

    async fn own(
        &self,
        exchange: &impl Exchange,
        grant: RecordId,
    ) -> Result<super::Granted, SharingError> {
        let (dealing, granted) = granted(exchange, grant).await?;
        let is_mine = dealing.owner == self.id();
        if is_mine { Ok(granted) } else { Err(SharingError::NotMine { what: "grant", id: grant }) }
    }

    /// The capsule of an own file.
    async fn capsule(
        &self,
        exchange: &impl Exchange,
        id: RecordId,
    ) -> Result<Capsule, SharingError> {
        let booking = record(exchange, "file", id).await?;
        if booking.owner != self.id() {
            return Err(SharingError::NotMine { what: "file", id });
        }
        let metadata = &booking.metadata;
        let digest = capsule_of(metadata).ok_or(SharingError::NoCapsule { record: id })?;
        let capsule: Capsule = fetch::value(exchange, "capsule", digest).await?;
        debug_assert_eq!(capsule.id(), digest, "one encoding for each value");
        let key_id = metadata.encryption.as_ref().map(|encryption| encryption.key_id);
        if key_id != Some(capsule.key_id) {
            return Err(SharingError::NoCapsule { record: id });
        }
        Ok(capsule)
    }
}
