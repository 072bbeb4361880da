//! The owner: seals files, approves capsules, accepts offers once, takes grants back. [PRE-3] [PRE-7]

use mdsm_core::crypto::seal::{SealCoins, seal};
use mdsm_core::reencryption::{
    Message, Offer, Parcel, Purpose, RekeyError, SpentOffers, Variant, approve, encapsulate,
};
use mdsm_core::types::{Digest, KeyId, OwnerId};

use super::keys::{Keys, revocation};
use super::message::{File, Refusal, Reply, Request, Sealed};
use super::{Answer, Refused};

/// An owner.
pub struct Owner {
    keys: Keys,
    spent: SpentOffers,
}

impl Owner {
    pub(super) fn new(keys: Keys) -> Self {
        Self { keys, spent: SpentOffers::default() }
    }

    pub(super) fn answer(&mut self, request: Request) -> Answer {
        match request {
            Request::Seal { file } => self.seal(&file),
            Request::Accept { parcel, reader, reader_key, proxy_parcels, grant } => {
                let rekey = self.accept(&parcel, &reader, reader_key, grant)?;
                let (coins, signing) = (self.keys.coins(), &self.keys.signing);
                let parcel = Parcel::seal(Purpose::ReKey, &rekey, signing, &proxy_parcels, coins)
                    .map_err(Refused::with(Refusal::Parcel))?;
                Ok(Reply::Parcel { parcel })
            }
            Request::Revoke { grant } => {
                let signature = self.keys.signing.sign(&revocation(&grant));
                Ok(Reply::Revocation { signature })
            }
            other => self.keys.answer(&other),
        }
    }

    fn seal(&mut self, file: &File) -> Answer {
        let (key_id, message) = (KeyId::new(self.keys.coins()), Message::new(self.keys.coins()));
        let coins = SealCoins { nonce_prefix: self.keys.coins(), salt: self.keys.coins() };
        let (capsule, key) = encapsulate(&self.keys.public, key_id, &message);
        let sealed = seal(file, &key, coins).map_err(Refused::with(Refusal::File))?;
        let Keys { secret, public, signing, .. } = &self.keys;
        let (approval, _) = approve((secret, public), &capsule, signing)
            .map_err(Refused::with(Refusal::Capsule))?;
        let sealed = Sealed::new(sealed).map_err(Refused::with(Refusal::File))?;
        Ok(Reply::Sealed { capsule, approval, sealed })
    }

    fn accept(
        &mut self,
        parcel: &Parcel,
        reader: &OwnerId,
        reader_key: Digest,
        grant: Digest,
    ) -> Result<mdsm_core::reencryption::ReKey, Refused> {
        let offer: Offer = parcel
            .open(Purpose::Offer, reader, &self.keys.parcels)
            .map_err(Refused::with(Refusal::Parcel))?;
        if offer.variant() == Variant::Public && offer.reader != reader_key {
            let words =
                format!("the offer names {}, the reader's key is {reader_key}", offer.reader);
            return Err(Refused::new(Refusal::Offer, words));
        }
        offer.accept(&self.keys.secret, grant, &mut self.spent).map_err(|error| {
            let spent = matches!(error, RekeyError::Spent { .. });
            Refused::new(if spent { Refusal::Spent } else { Refusal::Offer }, error)
        })
    }
}
