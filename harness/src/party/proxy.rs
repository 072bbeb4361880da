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
    kept: BTreeMap<Grant, Kept>,
    /// Grants that never come back, whether or not a key was there. Each is 64 bytes, signed by its
    /// owner; a proxy of a network will take only those of grants that are booked.
    revoked: BTreeSet<Grant>,
}

/// The digest of a grant, and whose it is: two owners may name the same one, and none has a say about
/// the other's.
type Grant = (Digest, OwnerId);

/// A key that is kept for a grant.
struct Kept {
    rekey: ReKey,
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
            Request::Deliver { grant, owner, capsule, approval } => {
                self.deliver((grant, owner), capsule, &approval)
            }
            Request::Revoked { grant, owner, signature } => self.revoke((grant, owner), &signature),
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
        let grant = (rekey.grant(), owner);
        if self.revoked.contains(&grant) {
            return Err(Refused::new(Refusal::Revoked, "the grant was taken back"));
        }
        if self.kept.contains_key(&grant) {
            return Err(Refused::new(Refusal::Kept, "there is a key for this grant"));
        }
        let reader = (rekey.variant() == Variant::Public).then_some(reader);
        WarmKey::cold(&rekey, reader.as_ref()).map_err(Refused::with(Refusal::Reencryption))?;
        self.kept.insert(grant, Kept { rekey, reader });
        Ok(Reply::Done)
    }

    fn deliver(&self, grant: Grant, capsule: Capsule, approval: &Approval) -> Answer {
        if self.revoked.contains(&grant) {
            return Err(Refused::new(Refusal::Revoked, "the grant was taken back"));
        }
        let Some(Kept { rekey, reader }) = self.kept.get(&grant) else {
            return Err(Refused::new(Refusal::NoKey, "there is no key for this grant"));
        };
        let (grant, owner) = grant;
        let refused = Refused::with(Refusal::NotAdmitted);
        let admission = approval.check(&owner, rekey.owner()).map_err(&refused)?;
        let admitted = admission.admit(capsule).map_err(&refused)?;
        let received = WarmKey::cold(rekey, reader.as_ref())
            .and_then(|key| key.reencrypt(&self.coins, &admitted))
            .map_err(Refused::with(Refusal::Reencryption))?;
        let delivery = Delivery::sign(grant, &admitted, received, &self.keys.signing);
        Ok(Reply::Delivery { delivery })
    }

    fn revoke(&mut self, grant: Grant, signature: &Signature) -> Answer {
        let (digest, owner) = &grant;
        verify(owner, &revocation(digest), signature).map_err(Refused::with(Refusal::Signature))?;
        self.revoked.insert(grant);
        // Dropping a key wipes it.
        self.kept.remove(&grant);
        Ok(Reply::Done)
    }
}

#[cfg(test)]
mod tests {
    use mdsm_core::reencryption::{ParcelPublicKey, Set};

    use super::super::message::File;
    use super::super::{Party, Role};
    use super::*;

    const GRANT: Digest = Digest::new([0x55; 32]);

    struct Somebody {
        party: Party,
        signer: OwnerId,
        lattice: PublicKey,
        parcels: ParcelPublicKey,
    }

    fn start(role: Role, seed: u8) -> Somebody {
        let mut party = Party::new(role);
        let request = Request::Start { seed: Digest::new([seed; 32]), set: Set::Toy16 };
        let Reply::Keys { signer, lattice, parcels } = party.answer(request) else {
            panic!("no keys")
        };
        Somebody { party, signer, lattice, parcels }
    }

    fn parcel(reply: Reply) -> Parcel {
        let Reply::Parcel { parcel } = reply else { panic!("{reply:?}") };
        parcel
    }

    fn sealed(reply: Reply) -> (Capsule, Approval) {
        let Reply::Sealed { capsule, approval, .. } = reply else { panic!("{reply:?}") };
        (capsule, approval)
    }

    fn signature(reply: Reply) -> Signature {
        let Reply::Revocation { signature } = reply else { panic!("{reply:?}") };
        signature
    }

    /// What it answered, as far as these tests tell answers apart.
    fn said(reply: &Reply) -> Result<&'static str, Refusal> {
        match reply {
            Reply::Refused { why, .. } => Err(*why),
            other => Ok(other.name()),
        }
    }

    struct Scene {
        owners: [Somebody; 2],
        proxy: Somebody,
        reader: Somebody,
    }

    impl Scene {
        fn new() -> Self {
            let owners = [1, 2].map(|seed| start(Role::Owner, seed));
            Self { owners, proxy: start(Role::Proxy, 3), reader: start(Role::Reader, 4) }
        }

        /// A key of an owner, under the grant that everybody names.
        fn key(&mut self, owner: usize) -> Parcel {
            let (owner, reader) = (&mut self.owners[owner], &mut self.reader);
            let offer = parcel(reader.party.answer(Request::Offer {
                owner_key: owner.lattice.digest(),
                owner_parcels: owner.parcels.clone(),
                variant: Variant::Public,
            }));
            parcel(owner.party.answer(Request::Accept {
                parcel: offer,
                reader: reader.signer,
                reader_key: reader.lattice.digest(),
                proxy_parcels: self.proxy.parcels.clone(),
                grant: GRANT,
            }))
        }

        fn keep(&mut self, owner: usize, key: &Parcel) -> Result<&'static str, Refusal> {
            said(&self.proxy.party.answer(Request::Keep {
                parcel: key.clone(),
                owner: self.owners[owner].signer,
                owner_key: self.owners[owner].lattice.digest(),
                reader_key: self.reader.lattice.clone(),
            }))
        }

        fn deliver(&mut self, owner: usize) -> Result<&'static str, Refusal> {
            let owner = &mut self.owners[owner];
            let file = File::new(vec![1; 10]).expect("short");
            let (capsule, approval) = sealed(owner.party.answer(Request::Seal { file }));
            let (grant, owner) = (GRANT, owner.signer);
            said(&self.proxy.party.answer(Request::Deliver { grant, owner, capsule, approval }))
        }

        /// Tells the proxy that `named` took its grant back, by the word of `by`.
        fn revoked(&mut self, named: usize, by: usize) -> Result<&'static str, Refusal> {
            let reply = self.owners[by].party.answer(Request::Revoke { grant: GRANT });
            let signature = signature(reply);
            let owner = self.owners[named].signer;
            said(&self.proxy.party.answer(Request::Revoked { grant: GRANT, owner, signature }))
        }
    }

    #[test]
    fn a_grant_of_one_owner_is_nothing_to_another() {
        let mut scene = Scene::new();
        let keys = [scene.key(0), scene.key(1)];
        assert_eq!(scene.keep(0, &keys[0]), Ok("Done"));
        assert_eq!(scene.deliver(1), Err(Refusal::NoKey));
        assert_eq!(scene.keep(1, &keys[1]), Ok("Done"));
        assert_eq!([scene.deliver(0), scene.deliver(1)], [Ok("Delivery"); 2]);
        assert_eq!(scene.revoked(0, 1), Err(Refusal::Signature));
        assert_eq!(scene.deliver(0), Ok("Delivery"));
        assert_eq!(scene.revoked(0, 0), Ok("Done"));
        assert_eq!([scene.deliver(0), scene.deliver(1)], [Err(Refusal::Revoked), Ok("Delivery")]);
        assert_eq!(scene.keep(0, &keys[0]), Err(Refusal::Revoked));
    }

    #[test]
    fn a_revocation_holds_that_comes_before_the_key() {
        let mut scene = Scene::new();
        let key = scene.key(0);
        assert_eq!(scene.revoked(0, 0), Ok("Done"));
        assert_eq!(scene.revoked(0, 0), Ok("Done"), "once more");
        assert_eq!(scene.keep(0, &key), Err(Refusal::Revoked));
        assert_eq!(scene.deliver(0), Err(Refusal::Revoked));
    }

    #[test]
    fn a_key_is_not_replaced() {
        let mut scene = Scene::new();
        let keys = [scene.key(0), scene.key(0)];
        assert_eq!(scene.keep(0, &keys[0]), Ok("Done"));
        for key in &keys {
            assert_eq!(scene.keep(0, key), Err(Refusal::Kept));
        }
        assert_eq!(scene.deliver(0), Ok("Delivery"));
    }
}
