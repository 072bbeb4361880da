//! The proxy of an institution: bids, re-encrypts what was approved and nothing else, delivers.
//! [PRE-4] [PRE-5] [PRE-7] [PRE-8] [DDB-3]
//!
//! It keeps nothing on a disk. What is to be done is on the chain; its acts, its coins and its signatures
//! follow from the chain and its secret, so that one that was killed makes the very same record again, and no
//! record is booked twice. A re-encryption key is in memory while it is used and no longer.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::{Infallible, identity};
use std::sync::Arc;

use super::error::SharingError;
use super::exchange::{ExchangeError, Watch};
use super::fetch;
use super::person::{book, lattice, reader::approved, record};
use crate::access::{Act, Bid, Delivery as Delivers, Files};
use crate::client::{Chosen, Dealing, Granted};
use crate::codec::Wire as _;
use crate::crypto::sign::SigningKey;
use crate::environment::Secret;
use crate::reencryption::{
    Admitted, Capsule, Delivery, Parcel, ParcelKey, ProxySecret, PublicKey, Purpose, ReKey,
    Variant, WarmKey,
};
use crate::types::{Digest, OwnerId, RecordId};

/// A proxy.
#[derive(Debug)]
pub struct Proxy {
    signing: Arc<SigningKey>,
    parcels: ParcelKey,
    coins: Arc<ProxySecret>,
    /// What becomes of a capsule that was re-encrypted, before it is signed.
    turn: fn(Capsule) -> Capsule,
    /// Acts that were accepted and may not be booked yet, by what they follow: a bid the grant, a delivery the
    /// choice.
    sent: BTreeMap<RecordId, RecordId>,
    /// Choices under which nothing can be delivered.
    given_up: BTreeSet<RecordId>,
}

/// What a proxy did in one step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// Grants that it bid for.
    pub bids: Vec<RecordId>,
    /// Grants that it delivered under, with the record of the delivery.
    pub deliveries: Vec<(RecordId, RecordId)>,
}

impl Proxy {
    /// The proxy of an institution with this secret.
    #[must_use]
    pub fn new(secret: &Secret) -> Self {
        Self {
            signing: Arc::new(secret.signing()),
            parcels: ParcelKey::from_seed(&secret.derive("parcels")),
            coins: Arc::new(ProxySecret::new(*secret.derive("proxy"))),
            turn: identity,
            sent: BTreeMap::new(),
            given_up: BTreeSet::new(),
        }
    }

    /// The same, but what it signs and delivers is what `turn` makes of the re-encrypted capsule: a harness needs
    /// proxies that are wrong.
    #[must_use]
    pub fn turning(self, turn: fn(Capsule) -> Capsule) -> Self {
        Self { turn, ..self }
    }

    /// The key that signs.
    #[must_use]
    pub fn key(&self) -> OwnerId {
        self.signing.owner()
    }

    /// Serves until the institution stops: a step with each final block.
    pub async fn run(&mut self, watch: &impl Watch) -> Result<Infallible, ExchangeError> {
        loop {
            let height = watch.tip().await?.height;
            match self.step(watch).await {
                Ok(_) => {}
                Err(SharingError::Exchange(ExchangeError::Stopping)) => {
                    return Err(ExchangeError::Stopping);
                }
                Err(error) => tracing::warn!(%error, "a proxy tries again with the next block"),
            }
            watch.above(height).await?;
        }
    }

    /// Does what is to be done at the present height.
    ///
    /// # Errors
    /// When it cannot go on now; what was done is done, and the rest stays to be done.
    pub async fn step(&mut self, watch: &impl Watch) -> Result<Step, SharingError> {
        let mut step = Step::default();
        let (bidding, duties) = (watch.bidding()?, watch.duties(&self.key())?);
        let for_bids = bidding.iter().filter_map(|it| Some(it.grant.as_ref()?.act.id));
        let for_deliveries = duties.iter().filter_map(|it| Some(chosen(it)?.1.act.id));
        let open: BTreeSet<RecordId> = for_bids.chain(for_deliveries).collect();
        self.sent.retain(|follows, _| open.contains(follows));
        self.given_up.retain(|choice| open.contains(choice));
        if watch.has_seat(&self.key())? {
            for dealing in &bidding {
                step.bids.extend(self.bid(watch, dealing).await?);
            }
        }
        for dealing in &duties {
            let Some((granted, chosen)) = chosen(dealing) else { continue };
            let choice = chosen.act.id;
            if self.given_up.contains(&choice) || self.sent.contains_key(&choice) {
                continue;
            }
            match self.deliver(watch, dealing).await {
                Ok(record) => step.deliveries.push((granted.act.id, record)),
                Err(error @ SharingError::Exchange(ExchangeError::Stopping)) => return Err(error),
                // The owner may yet store what is missing.
                Err(error) if error.is_passing() => {
                    tracing::debug!(grant = %granted.act.id, %error, "not delivered yet");
                }
                // What was not reached for one grant may be there for the next.
                Err(SharingError::Exchange(error)) => {
                    tracing::warn!(grant = %granted.act.id, %error, "a proxy tries again later");
                }
                Err(error) => {
                    tracing::warn!(grant = %granted.act.id, %error, "nothing can be delivered");
                    self.given_up.insert(choice);
                }
            }
        }
        Ok(step)
    }

    //= harness/spec/reencryption.md#pre-4-competition
    //# PRE-4.1 (paper): Producers and auditors MUST be able to bid for a re-encryption.
    async fn bid(
        &mut self,
        watch: &impl Watch,
        dealing: &Dealing,
    ) -> Result<Option<RecordId>, SharingError> {
        let Some(granted) = &dealing.grant else { return Ok(None) };
        let is_known = granted.bids.values().any(|bidder| bidder.key == self.key());
        let is_party = [dealing.owner, dealing.reader].contains(&self.key());
        if is_known || is_party || self.sent.contains_key(&granted.act.id) {
            return Ok(None);
        }
        let parcels = watch.put(self.parcels.public().to_bytes()).await?;
        let act = Act::Bid(Bid { grant: granted.act.id, parcels });
        let record = self.book(watch, &act, granted.act.id).await?;
        self.sent.insert(granted.act.id, record);
        Ok(Some(granted.act.id))
    }

    async fn deliver(
        &mut self,
        watch: &impl Watch,
        dealing: &Dealing,
    ) -> Result<RecordId, SharingError> {
        let made = self.reencrypt(watch, dealing).await?;
        self.hand_over(watch, dealing, &made).await
    }

    /// Re-encrypts the files of a grant.
    pub(super) async fn reencrypt(
        &self,
        watch: &impl Watch,
        dealing: &Dealing,
    ) -> Result<BTreeMap<RecordId, Delivery>, SharingError> {
        let (rekey, reader) = self.rekey(watch, dealing).await?;
        let mut before = BTreeMap::new();
        let Some(granted) = &dealing.grant else { return Ok(BTreeMap::new()) };
        for id in granted.files.keys() {
            //= harness/spec/reencryption.md#pre-7-revocation
            //# PRE-7.3 (ours): A proxy MUST refuse a re-encryption under a grant whose revocation is
            //# finalized.
            watch.permit(&granted.act.id, id, &self.key())??;
            //= harness/spec/reencryption.md#pre-5-re-encryption
            //# PRE-5.5 (ours): A proxy MUST re-encrypt under a grant only those capsules that the grant
            //# names and its owner has approved.
            before.insert(*id, approved(watch, dealing, granted, *id).await?);
        }
        let grant = Digest::new(*granted.act.id.as_bytes());
        let (coins, signing, turn) = (self.coins.clone(), self.signing.clone(), self.turn);
        let made = tokio::task::spawn_blocking(move || {
            let (ids, admitted): (Vec<RecordId>, Vec<Admitted>) = before.into_iter().unzip();
            let warm = WarmKey::cold(&rekey, reader.as_ref())?;
            let capsules = warm.reencrypt_all(&coins, &admitted)?;
            let signed = admitted.iter().zip(capsules);
            let signed =
                signed.map(|(before, after)| Delivery::sign(grant, before, turn(after), &signing));
            Ok::<_, SharingError>(ids.into_iter().zip(signed).collect())
        });
        made.await.unwrap_or(Err(ExchangeError::Stopping.into()))
    }

    /// Stores deliveries, then books them.
    pub(super) async fn hand_over(
        &mut self,
        watch: &impl Watch,
        dealing: &Dealing,
        made: &BTreeMap<RecordId, Delivery>,
    ) -> Result<RecordId, SharingError> {
        let (granted, chosen) = chosen(dealing)
            .ok_or(SharingError::NotBooked { what: "choice", id: dealing.request.id })?;
        let mut files = BTreeMap::new();
        for (id, delivery) in made {
            //= harness/spec/reencryption.md#pre-5-re-encryption
            //# PRE-5.1 (paper): The proxy MUST store the re-encrypted data under the reader's public key.
            files.insert(*id, watch.put(delivery.to_bytes()).await?);
        }
        // It may have been taken back while this was under way.
        for id in files.keys() {
            watch.permit(&granted.act.id, id, &self.key())??;
        }
        let files = Files::new(files).expect("as many as the grant has");
        let act = Act::Delivery(Delivers { grant: granted.act.id, files });
        let record = self.book(watch, &act, chosen.act.id).await?;
        self.sent.insert(chosen.act.id, record);
        Ok(record)
    }

    /// The re-encryption key of a grant, and the reader's key where it needs one.
    async fn rekey(
        &self,
        watch: &impl Watch,
        dealing: &Dealing,
    ) -> Result<(ReKey, Option<PublicKey>), SharingError> {
        let (granted, chosen) = chosen(dealing)
            .ok_or(SharingError::NotBooked { what: "choice", id: dealing.request.id })?;
        let parcel: Parcel = fetch::value(watch, "parcel", chosen.parcel).await?;
        // Only from the party that has declared the owner's key as its own.
        let rekey: ReKey = parcel.open(Purpose::ReKey, &dealing.owner, &self.parcels)?;
        let grant = Digest::new(*granted.act.id.as_bytes());
        for (what, found, expected) in [
            ("parcel", rekey.digest(), chosen.rekey),
            ("grant", rekey.grant(), grant),
            ("owner", rekey.owner(), granted.owner_key),
            ("reader", rekey.reader(), dealing.reader_key),
        ] {
            if found != expected {
                return Err(SharingError::AnotherKey { what });
            }
        }
        let reader = match rekey.variant() {
            Variant::Public => Some(lattice(watch, rekey.reader()).await?),
            Variant::KeyPrivate => None,
        };
        Ok((rekey, reader))
    }

    /// Books an act that follows from another one, and is dated like it: made again it is the same record.
    //= harness/spec/reencryption.md#pre-5-re-encryption
    //# PRE-5.6 (ours): A proxy MUST book at most one bid and one delivery for a grant, however often it is
    //# stopped and started again.
    async fn book(
        &self,
        watch: &impl Watch,
        act: &Act,
        follows: RecordId,
    ) -> Result<RecordId, SharingError> {
        let dated = record(watch, "act", follows).await?.metadata.created;
        let record = act.to_record(self.key(), dated)?;
        Ok(book(watch, record, &self.signing).await?)
    }
}

/// The grant of a dealing and its proxy.
fn chosen(dealing: &Dealing) -> Option<(&Granted, &Chosen)> {
    let granted = dealing.grant.as_ref()?;
    Some((granted, granted.choice.as_ref()?))
}
