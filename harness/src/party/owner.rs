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
        self.keys.hear(&request);
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

#[cfg(test)]
mod tests {
    use mdsm_core::reencryption::{Capsule, Set};

    use super::super::{Party, Role};
    use super::*;

    /// What an owner that was started just now makes of a file.
    fn sealed(byte: u8) -> (Capsule, Sealed) {
        let mut owner = Party::new(Role::Owner);
        owner.answer(Request::Start { seed: Digest::new([1; 32]), set: Set::Toy16 });
        let file = File::new(vec![byte; 40]).expect("short");
        match owner.answer(Request::Seal { file }) {
            Reply::Sealed { capsule, sealed, .. } => (capsule, sealed),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_owner_that_is_started_again_seals_another_file_with_other_coins() {
        let [(one, sealed_one), (other, sealed_other)] = [sealed(0x11), sealed(0x2e)];
        assert_eq!((&one, &sealed_one), (&sealed(0x11).0, &sealed(0x11).1), "a run repeats");
        assert_ne!(one.key_id, other.key_id);
        assert_ne!(one.words(), other.words());
        // One key and nonce for both would show the difference of the files.
        let differ = sealed_one.iter().zip(sealed_other.iter()).map(|(one, other)| one ^ other);
        let run = differ.collect::<Vec<u8>>().windows(8).any(|run| run == [0x11 ^ 0x2e; 8]);
        assert!(!run, "both are sealed by one key");
    }
}
