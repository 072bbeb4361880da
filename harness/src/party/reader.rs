//! The reader: offers its part of a key, checks what is delivered, opens it. [PRE-3] [PRE-6] [PRE-8]

use mdsm_core::reencryption::{Offer, Parcel, Purpose};

use super::keys::Keys;
use super::message::{Refusal, Reply, Request};
use super::{Answer, Refused};

/// A reader.
pub struct Reader {
    keys: Keys,
}

impl Reader {
    pub(super) fn new(keys: Keys) -> Self {
        Self { keys }
    }

    pub(super) fn answer(&mut self, request: Request) -> Answer {
        self.keys.hear(&request);
        match request {
            Request::Offer { owner_key, owner_parcels, variant } => {
                let coins = self.keys.coins();
                let offer = Offer::new(&self.keys.secret, owner_key, variant, &coins);
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
                delivery.check(&proxy, grant, &admission).map_err(&refused)?;
                admission.admit(capsule.clone()).map_err(&refused)?;
                self.keys.opened(&owner_key, &capsule, &delivery.capsule, &sealed)
            }
            other => self.keys.answer(&other),
        }
    }
}
