//! The whole way with real keys: every step a signed record, every digest that of real bytes.

use std::collections::BTreeMap;

use mdsm_core::access::{
    Access, AccessError, AccessEvent, Act, Bid, Choice, Confirmation, Delivery, Dispute, Files,
    Finding, Grant, Permit, Refusal, Registry, Request, Revocation,
};
use mdsm_core::codec::Wire as _;
use mdsm_core::crypto::seal::{SealCoins, open as open_file, seal};
use mdsm_core::crypto::sign::SigningKey;
use mdsm_core::crypto::{Identified as _, sha256};
use mdsm_core::ledger::{
    Content, Encryption, Envelope, MediaType, Metadata, Record, ResourceType, SealScheme,
};
use mdsm_core::params::ACCESS;
use mdsm_core::reencryption::{
    self as lattice, Admitted, Approval, Capsule, Message, Offer, OpenError, Parcel, ParcelError,
    ParcelKey, ProxySecret, PublicKey, Purpose, ReKey, SecretKey, SpentOffers, Variant, WarmKey,
    approve, encapsulate, generate,
};
use mdsm_core::types::{
    ChainId, Digest, Height, InstitutionId, KeyId, OwnerId, RecordId, Set, Timestamp,
};

const CHAIN: ChainId = ChainId::new([0xc4; 32]);
const TEXT: &[u8] = b"potassium 4.1 mmol/l, sodium 139 mmol/l";

struct Party {
    signing: SigningKey,
    secret: SecretKey,
    public: PublicKey,
    parcels: ParcelKey,
}

impl Party {
    fn new(seed: u8) -> Self {
        let (secret, public) = generate(lattice::Set::S704, &[seed; 32]);
        let parcels = ParcelKey::from_seed(&[seed; 32]);
        Self { signing: SigningKey::from_seed(&[seed; 32]), secret, public, parcels }
    }

    fn id(&self) -> OwnerId {
        self.signing.owner()
    }
}

/// What everybody sees: booked records, and bytes by their digest.
struct Network {
    access: Access,
    seats: BTreeMap<OwnerId, InstitutionId>,
    owners: BTreeMap<RecordId, OwnerId>,
    vault: BTreeMap<Digest, Vec<u8>>,
}

struct Known<'a>(&'a Network);

impl Registry for Known<'_> {
    fn institution_of(&self, key: &OwnerId) -> Option<InstitutionId> {
        self.0.seats.get(key).copied()
    }

    fn owner_of(&self, record: &RecordId) -> Option<OwnerId> {
        self.0.owners.get(record).copied()
    }
}

impl Network {
    fn new(proxies: &[&Party]) -> Self {
        let seats = (7..).map(InstitutionId::new).zip(proxies).map(|(id, proxy)| (proxy.id(), id));
        let seats = seats.collect();
        let (owners, vault) = (BTreeMap::new(), BTreeMap::new());
        Self { access: Access::new(ACCESS), seats, owners, vault }
    }

    /// Books a record in a block of its own; an act among them is applied.
    fn book(
        &mut self,
        signer: &Party,
        record: Record,
    ) -> (RecordId, Option<Result<AccessEvent, AccessError>>) {
        let envelope = Envelope::sign(record, &CHAIN, &signer.signing, InstitutionId::new(7));
        let verified = envelope.verify(&CHAIN).unwrap();
        let (id, record) = (*verified.record_id(), &verified.get().record);
        self.owners.insert(id, *record.owner());
        self.access.advance(self.access.height().next().unwrap());
        let mut access = self.access.clone();
        let applied = Act::of_record(record)
            .map(|act| access.apply(id, record.owner(), &act.unwrap(), &Known(self)));
        self.access = access;
        (id, applied)
    }

    fn act(&mut self, signer: &Party, act: &Act) -> (RecordId, Result<AccessEvent, AccessError>) {
        let created = i64::try_from(self.owners.len()).unwrap();
        let record = act.to_record(signer.id(), Timestamp::new(created)).unwrap();
        let (id, applied) = self.book(signer, record);
        (id, applied.expect("an act"))
    }

    fn done(&mut self, signer: &Party, act: &Act) -> RecordId {
        let (id, applied) = self.act(signer, act);
        applied.unwrap();
        id
    }

    fn put(&mut self, bytes: Vec<u8>) -> Digest {
        let digest = sha256(&bytes);
        self.vault.insert(digest, bytes);
        digest
    }
}

/// A file of the owner: its record, its capsule with the owner's word.
struct Shared {
    record: RecordId,
    sealed: Vec<u8>,
    capsule: Capsule,
    approval: Approval,
}

fn share(network: &mut Network, owner: &Party) -> Shared {
    let key_id = KeyId::new([0x44; 32]);
    let (capsule, key) = encapsulate(&owner.public, key_id, &Message::new([0x31; 32]));
    let coins = SealCoins { nonce_prefix: [1; 19], salt: [2; 16] };
    let sealed = seal(TEXT, &key, coins).unwrap();
    let (approval, _) = approve((&owner.secret, &owner.public), &capsule, &owner.signing).unwrap();
    let kind = ResourceType::new("Observation").unwrap();
    let media = MediaType::new("text/plain").unwrap();
    let size = u64::try_from(TEXT.len()).unwrap();
    let mut metadata = Metadata::new(kind, media, Timestamp::new(0), size);
    metadata.encryption = Some(Encryption { scheme: SealScheme::XChaCha20Poly1305File, key_id });
    let content = Content::Stored(sha256(&sealed));
    let record = Record::new(owner.id(), metadata, content).unwrap();
    let (record, applied) = network.book(owner, record);
    assert_eq!(applied, None, "no act");
    Shared { record, sealed, capsule, approval }
}

/// Reader asks, owner grants, both proxies bid, the first is chosen. Gives the grant, and the parcel
/// with the re-encryption key.
fn choose(
    network: &mut Network,
    [owner, reader]: [&Party; 2],
    [chosen, other]: [&Party; 2],
    shared: &Shared,
    number: u8,
) -> (RecordId, Parcel) {
    let owner_parcels = owner.parcels.public();
    let offer = Offer::new(&reader.secret, owner.public.digest(), Variant::Public, &[number; 32]);
    let parcel =
        Parcel::seal(Purpose::Offer, &offer, &reader.signing, owner_parcels, [number; 32]).unwrap();
    let asked = Request {
        owner: owner.id(),
        reader_key: reader.public.digest(),
        offer: parcel.id(),
        records: Set::new([shared.record].into()).unwrap(),
    };
    let request = network.done(reader, &Act::Request(asked.clone()));

    let offer: Offer = parcel.open(Purpose::Offer, &reader.id(), &owner.parcels).unwrap();
    assert_eq!((parcel.id(), offer.reader), (asked.offer, asked.reader_key));
    let files = Files::new([(shared.record, shared.capsule.id())].into()).unwrap();
    let (owner_key, until) = (owner.public.digest(), Height::new(100));
    let granted = Act::Grant(Grant { request, owner_key, until, files });
    let grant = network.done(owner, &granted);

    for proxy in [chosen, other] {
        let parcels = proxy.parcels.public().digest();
        network.done(proxy, &Act::Bid(Bid { grant, parcels }));
    }
    let institution = network.seats[&chosen.id()];
    let bid = network.access.bids(&grant).find(|(bidder, _)| *bidder == institution).unwrap();
    assert_eq!(bid.1, chosen.parcels.public().digest());
    let name = Digest::new(*grant.as_bytes());
    let rekey = offer.accept(&owner.secret, name, &mut SpentOffers::default()).unwrap();
    let parcels = chosen.parcels.public();
    let sent =
        Parcel::seal(Purpose::ReKey, &rekey, &owner.signing, parcels, [number + 1; 32]).unwrap();
    let (rekey, parcel) = (rekey.digest(), sent.id());
    network.done(owner, &Act::Choice(Choice { grant, institution, rekey, parcel }));
    (grant, sent)
}

fn admitted(owner: &Party, shared: &Shared) -> Admitted {
    let Shared { approval, capsule, .. } = shared;
    let admission = approval.check(&owner.id(), owner.public.digest()).unwrap();
    admission.admit(capsule.clone()).unwrap()
}

/// What a careful proxy does: asks the chain first.
fn reencrypt(
    network: &Network,
    pair: [&Party; 2],
    proxy: &Party,
    (grant, parcel): (RecordId, &Parcel),
    shared: &Shared,
) -> Result<Capsule, Refusal> {
    let permit = network.access.permit(&grant, &shared.record, &proxy.id())?;
    Ok(product(permit, pair, proxy, (grant, parcel), shared))
}

/// Holds the key and the capsule to what is booked, and re-encrypts.
fn product(
    permit: Permit,
    [owner, reader]: [&Party; 2],
    proxy: &Party,
    (grant, parcel): (RecordId, &Parcel),
    shared: &Shared,
) -> Capsule {
    assert_eq!(parcel.id(), permit.parcel);
    let key: ReKey = parcel.open(Purpose::ReKey, &owner.id(), &proxy.parcels).unwrap();
    let names = [key.digest(), key.owner(), key.reader(), shared.capsule.id()];
    let Permit { capsule, owner_key, reader_key, rekey, .. } = permit;
    assert_eq!(names, [rekey, owner_key, reader_key, capsule]);
    assert_eq!(key.grant().as_bytes(), grant.as_bytes());
    let warm = WarmKey::cold(&key, Some(&reader.public)).unwrap();
    warm.reencrypt(&ProxySecret::new([0x66; 32]), &admitted(owner, shared)).unwrap()
}

/// Signs what came out, stores it, and books that.
fn deliver(
    network: &mut Network,
    owner: &Party,
    proxy: &Party,
    grant: RecordId,
    shared: &Shared,
    capsule: Capsule,
) -> Result<AccessEvent, AccessError> {
    let name = Digest::new(*grant.as_bytes());
    let delivery = lattice::Delivery::sign(name, &admitted(owner, shared), capsule, &proxy.signing);
    let stored = network.put(delivery.to_bytes());
    let files = Files::new([(shared.record, stored)].into()).unwrap();
    network.act(proxy, &Act::Delivery(Delivery { grant, files })).1
}

/// What the reader finds under its own key and makes of it: the digest of the signed delivery, and
/// the file.
fn read(
    network: &Network,
    [owner, reader]: [&Party; 2],
    grant: RecordId,
    shared: &Shared,
) -> (Digest, Result<Vec<u8>, OpenError>) {
    let mut stored = network.access.deliveries_for(&reader.public.digest());
    let found = stored.find(|found| found.grant == grant).unwrap();
    assert_eq!((found.record, found.owner), (shared.record, owner.id()));
    let delivery = lattice::Delivery::from_bytes(&network.vault[&found.delivery]).unwrap();
    let names = [Digest::new(*grant.as_bytes()), reader.public.digest()];
    delivery.check(&found.proxy, names, &admitted(owner, shared)).unwrap();
    let key = lattice::open(&reader.secret, &owner.public, &shared.capsule, &delivery.capsule);
    (found.delivery, key.map(|key| open_file(&shared.sealed, &key).unwrap()))
}

#[test]
fn pre_5_1_a_file_goes_from_its_owner_by_a_proxy_to_its_reader() {
    //= harness/spec/reencryption.md#pre-4-competition
    //= type=test
    //# PRE-4.2 (paper): The owner MUST choose one of the bidders and send the re-encryption key to
    //# that one.
    //= harness/spec/reencryption.md#pre-5-re-encryption
    //= type=test
    //# PRE-5.1 (paper): The proxy MUST store the re-encrypted data under the reader's public key.
    let [owner, reader, proxy, other] = [1, 2, 3, 4].map(Party::new);
    let mut network = Network::new(&[&proxy, &other]);
    let shared = share(&mut network, &owner);
    let pair = [&owner, &reader];
    let (grant, parcel) = choose(&mut network, pair, [&proxy, &other], &shared, 10);
    // Only the one that was chosen opens the parcel, and only it is allowed to.
    let stolen = parcel.open::<ReKey>(Purpose::ReKey, &owner.id(), &other.parcels);
    assert!(matches!(stolen, Err(ParcelError::Another { .. })), "{stolen:?}");
    let (signer, expected) = (other.id(), proxy.id());
    let refused = reencrypt(&network, pair, &other, (grant, &parcel), &shared).unwrap_err();
    assert_eq!(refused, Refusal::Grant(AccessError::AnotherSigner { signer, expected }));

    let capsule = reencrypt(&network, pair, &proxy, (grant, &parcel), &shared).unwrap();
    let institution = network.seats[&proxy.id()];
    assert_eq!(network.access.served_by(&grant), None);
    deliver(&mut network, &owner, &proxy, grant, &shared, capsule).unwrap();
    assert_eq!(network.access.served_by(&grant), Some(institution));
    assert_eq!(read(&network, pair, grant, &shared).1.unwrap(), TEXT);
    // The proxy finds nothing under its own key, and its key opens nothing.
    assert_eq!(network.access.deliveries_for(&proxy.public.digest()).count(), 0);
    let stored = network.access.deliveries_for(&reader.public.digest()).next().unwrap();
    let delivery = lattice::Delivery::from_bytes(&network.vault[&stored.delivery]).unwrap();
    let blind = lattice::open(&proxy.secret, &owner.public, &shared.capsule, &delivery.capsule);
    assert_eq!(blind.unwrap_err(), OpenError::NotTheOriginal);
}

#[test]
fn pre_7_3_a_real_proxy_refuses_after_the_revocation() {
    //= harness/spec/reencryption.md#pre-7-revocation
    //= type=test
    //# PRE-7.3 (ours): A proxy MUST refuse a re-encryption under a grant whose revocation is
    //# finalized.
    let [owner, reader, proxy, other] = [1, 2, 3, 4].map(Party::new);
    let mut network = Network::new(&[&proxy, &other]);
    let shared = share(&mut network, &owner);
    let pair = [&owner, &reader];
    let (grant, parcel) = choose(&mut network, pair, [&proxy, &other], &shared, 10);
    let capsule = reencrypt(&network, pair, &proxy, (grant, &parcel), &shared).unwrap();
    network.done(&owner, &Act::Revocation(Revocation { grant }));
    let revoked = AccessError::Revoked { at: network.access.height() };
    let refused = reencrypt(&network, pair, &proxy, (grant, &parcel), &shared).unwrap_err();
    assert_eq!(refused, Refusal::Grant(revoked));
    // Nor is what it made before of any use to the reader's index.
    let late = deliver(&mut network, &owner, &proxy, grant, &shared, capsule);
    assert_eq!(late, Err(revoked));
    assert_eq!(network.access.deliveries_for(&reader.public.digest()).count(), 0);
}

#[test]
fn pre_8_3_a_wrong_capsule_is_found_out_and_counts_against_its_proxy() {
    //= harness/spec/reencryption.md#pre-8-wrong-re-encryption
    //= type=test
    //# PRE-8.3 (ours): A signed delivery that does not decrypt to the original capsule MUST count as
    //# evidence against its proxy once reader and owner have shown it.
    let [owner, reader, proxy, other] = [1, 2, 3, 4].map(Party::new);
    let mut network = Network::new(&[&proxy, &other]);
    let shared = share(&mut network, &owner);
    let pair = [&owner, &reader];
    let (grant, parcel) = choose(&mut network, pair, [&proxy, &other], &shared, 10);
    let honest = reencrypt(&network, pair, &proxy, (grant, &parcel), &shared).unwrap();
    let mut bytes = honest.to_bytes();
    let last = bytes.len() - 1;
    bytes[last] ^= 0x80;
    let wrong = Capsule::from_bytes(&bytes).unwrap();
    deliver(&mut network, &owner, &proxy, grant, &shared, wrong).unwrap();
    let (delivery, opened) = read(&network, pair, grant, &shared);
    assert_eq!(opened.unwrap_err(), OpenError::NotTheOriginal);

    let dispute = Dispute { grant, record: shared.record, delivery };
    network.done(&reader, &Act::Dispute(dispute));
    // The owner holds what the reader shows to what the proxy has signed and booked.
    let shown = lattice::Delivery::from_bytes(&network.vault[&delivery]).unwrap();
    let names = [Digest::new(*grant.as_bytes()), reader.public.digest()];
    shown.check(&proxy.id(), names, &admitted(&owner, &shared)).unwrap();
    let finding = Finding::Wrong;
    let (_, found) = network.act(&owner, &Act::Confirmation(Confirmation { grant, finding }));
    let (institution, record) = (network.seats[&proxy.id()], shared.record);
    let expected = AccessEvent::WrongDelivery { institution, grant, record, delivery };
    assert_eq!(found, Ok(expected));
    assert_eq!(network.access.wrong_deliveries(institution), 1);
    assert_eq!(network.access.served_by(&grant), None);

    // The owner turns to the other one, and the reader reads.
    let (grant, parcel) = choose(&mut network, pair, [&other, &proxy], &shared, 20);
    let capsule = reencrypt(&network, pair, &other, (grant, &parcel), &shared).unwrap();
    deliver(&mut network, &owner, &other, grant, &shared, capsule).unwrap();
    assert_eq!(read(&network, pair, grant, &shared).1.unwrap(), TEXT);
}
