//! The proxy: keeps re-encryption keys, re-encrypts what was approved, erases what was revoked.
//! [PRE-5] [PRE-7] [PRE-8]

use std::collections::{BTreeMap, BTreeSet};

use mdsm_core::crypto::sign::verify;
use mdsm_core::reencryption::{
    Approval, Capsule, Delivery, Parcel, ProxySecret, PublicKey, Purpose, ReKey, Variant, WarmKey,
};
use mdsm_core::types::{Digest, OwnerId, Signature};

use super::keys::{Keys, revocation};
use super::message::{Refusal, Reply, Request};
use super::{Answer, Refused};

/// A proxy.
pub struct Proxy {
    keys: Keys,
    coins: ProxySecret,
    kept: BTreeMap<Digest, Kept>,
    /// Grants that never come back, with who took them back.
    revoked: BTreeSet<(Digest, OwnerId)>,
}

/// A key by whose grant it is.
struct Kept {
    rekey: ReKey,
    owner: OwnerId,
    /// None where the key is private.
    reader: Option<PublicKey>,
}

impl Proxy {
    pub(super) fn new(keys: Keys) -> Self {
        let coins = ProxySecret::new(keys.lasting("proxy"));
        Self { keys, coins, kept: BTreeMap::new(), revoked: BTreeSet::new() }
    }

    pub(super) fn answer(&mut self, request: Request) -> Answer {
        match request {
            Request::Keep { parcel, owner, owner_key, reader_key } => {
                self.keep(&parcel, owner, owner_key, reader_key)
            }
            Request::Deliver { grant, capsule, approval } => {
                self.deliver(&grant, capsule, &approval)
            }
            Request::Revoked { grant, signature } => self.revoke(grant, &signature),
            other => self.keys.answer(&other),
        }
    }

    fn keep(
        &mut self,
        parcel: &Parcel,
        owner: OwnerId,
        owner_key: Digest,
        reader: PublicKey,
    ) -> Answer {
        let rekey: ReKey = parcel
            .open(Purpose::ReKey, &owner, &self.keys.parcels)
            .map_err(Refused::with(Refusal::Parcel))?;
        if rekey.owner() != owner_key {
            let words = format!("the key takes capsules of {}, not of {owner_key}", rekey.owner());
            return Err(Refused::new(Refusal::Reencryption, words));
        }
        if self.revoked.contains(&(rekey.grant(), owner)) {
            return Err(Refused::new(Refusal::Revoked, "the grant was taken back"));
        }
        let reader = (rekey.variant() == Variant::Public).then_some(reader);
        WarmKey::cold(&rekey, reader.as_ref()).map_err(Refused::with(Refusal::Reencryption))?;
        self.kept.insert(rekey.grant(), Kept { rekey, owner, reader });
        Ok(Reply::Done)
    }

    fn deliver(&self, grant: &Digest, capsule: Capsule, approval: &Approval) -> Answer {
        let Some(Kept { rekey, owner, reader }) = self.kept.get(grant) else {
            return Err(match self.revoked.iter().find(|(revoked, _)| revoked == grant) {
                Some(_) => Refused::new(Refusal::Revoked, "the grant was taken back"),
                None => Refused::new(Refusal::NoKey, "there is no key for this grant"),
            });
        };
        let refused = Refused::with(Refusal::NotAdmitted);
        let admission = approval.check(owner, rekey.owner()).map_err(&refused)?;
        let admitted = admission.admit(capsule).map_err(&refused)?;
        let received = WarmKey::cold(rekey, reader.as_ref())
            .and_then(|key| key.reencrypt(&self.coins, &admitted))
            .map_err(Refused::with(Refusal::Reencryption))?;
        let delivery = Delivery::sign(*grant, &admitted, received, &self.keys.signing);
        Ok(Reply::Delivery { delivery })
    }

    fn revoke(&mut self, grant: Digest, signature: &Signature) -> Answer {
        let Some(kept) = self.kept.get(&grant) else {
            return Err(Refused::new(Refusal::NoKey, "there is no key for this grant"));
        };
        verify(&kept.owner, &revocation(&grant), signature)
            .map_err(Refused::with(Refusal::Signature))?;
        self.revoked.insert((grant, kept.owner));
        // Dropping a key wipes it.
        self.kept.remove(&grant);
        Ok(Reply::Done)
    }
}
