//! The reader: offers its part of a key, checks what is delivered, opens it. [PRE-3] [PRE-6] [PRE-8]

use mdsm_core::reencryption::{Offer, Parcel, Purpose};
use mdsm_core::types::Digest;

use super::keys::Keys;
use super::message::{Refusal, Reply, Request};
use super::{Answer, Refused};

/// A reader.
pub struct Reader {
    keys: Keys,
    /// Names that its offers of variant KeyPrivate go by.
    pseudonyms: Vec<Digest>,
}

impl Reader {
    pub(super) fn new(keys: Keys) -> Self {
        Self { keys, pseudonyms: Vec::new() }
    }

    pub(super) fn answer(&mut self, request: Request) -> Answer {
        self.keys.hear(&request);
        match request {
            Request::Offer { owner_key, owner_parcels, variant } => {
                let coins = self.keys.coins();
                let offer = Offer::new(&self.keys.secret, owner_key, variant, &coins);
                self.pseudonyms.push(offer.reader);
                let (coins, signing) = (self.keys.coins(), &self.keys.signing);
                let parcel = Parcel::seal(Purpose::Offer, &offer, signing, &owner_parcels, coins)
                    .map_err(Refused::with(Refusal::Parcel))?;
                Ok(Reply::Parcel { parcel })
            }
            Request::Open {
                grant,
                owner_key,
                owner,
                approval,
                capsule,
                proxy,
                delivery,
                sealed,
            } => {
                let refused = Refused::with(Refusal::NotAdmitted);
                let admission = approval.check(&owner, owner_key.digest()).map_err(&refused)?;
                let before = admission.admit(capsule.clone()).map_err(&refused)?;
                let known = self.pseudonyms.iter().find(|name| **name == delivery.capsule.holder);
                let name = known.copied().unwrap_or(self.keys.secret.public());
                delivery.check(&proxy, [grant, name], &before).map_err(&refused)?;
                self.keys.opened(&owner_key, &capsule, &delivery.capsule, &sealed)
            }
            other => self.keys.answer(&other),
        }
    }
}
