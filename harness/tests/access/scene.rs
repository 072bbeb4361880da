//! A machine with an owner, two readers and six institutions.

use std::collections::BTreeMap;

use harness::generate::acts::{owners, record as record_name, somebody};
use mdsm_core::access::{
    Access, AccessError, AccessEvent, Act, Bid, Choice, Confirmation, Delivery, Dispute, Files,
    Finding, Grant, Lapse, Registry, Request, Revocation,
};
use mdsm_core::params::AccessLimits;
use mdsm_core::types::{Digest, Height, InstitutionId, OwnerId, RecordId, Set};

pub(crate) const LIMITS: AccessLimits = AccessLimits {
    requests_max: 4,
    grants_max: 3,
    bids_max: 3,
    request_blocks: 10,
    grant_blocks: 100,
    dispute_blocks: 20,
    confirm_blocks: 15,
};

/// Owner of the records 0, 4 and 8.
pub(crate) const OWNER: u8 = 0;
pub(crate) const READER: u8 = 1;
pub(crate) const STRANGER: u8 = 9;
/// Two producers and an auditor, as far as anybody can tell them apart here.
pub(crate) const PROXIES: [u8; 3] = [3, 4, 5];

#[derive(Clone, Debug)]
pub(crate) struct Seats {
    pub(crate) seats: BTreeMap<OwnerId, InstitutionId>,
    owners: BTreeMap<RecordId, OwnerId>,
}

impl Registry for Seats {
    fn institution_of(&self, key: &OwnerId) -> Option<InstitutionId> {
        self.seats.get(key).copied()
    }

    fn owner_of(&self, record: &RecordId) -> Option<OwnerId> {
        self.owners.get(record).copied()
    }
}

pub(crate) fn key(number: u8) -> OwnerId {
    OwnerId::new(somebody(number))
}

pub(crate) fn file(number: u8) -> RecordId {
    RecordId::new(record_name(number))
}

pub(crate) fn institution(number: u8) -> InstitutionId {
    InstitutionId::new(100 + u32::from(number))
}

pub(crate) fn digest(number: u8) -> Digest {
    Digest::new([number; 32])
}

pub(crate) fn reader_key(reader: u8) -> Digest {
    digest(0x40 + reader)
}

pub(crate) fn registry() -> Seats {
    let owners = owners().into_iter();
    Seats {
        seats: (3..9).map(|number| (key(number), institution(number))).collect(),
        owners: owners.map(|(id, owner)| (RecordId::new(id), OwnerId::new(owner))).collect(),
    }
}

/// A machine, and the registry around it.
#[derive(Clone, Debug)]
pub(crate) struct Scene {
    pub(crate) access: Access,
    pub(crate) registry: Seats,
    records: u64,
}

impl Scene {
    pub(crate) fn new() -> Self {
        Self::with(LIMITS)
    }

    pub(crate) fn with(limits: AccessLimits) -> Self {
        let mut scene = Self { access: Access::new(limits), registry: registry(), records: 0 };
        assert_eq!(scene.reach(1), []);
        scene
    }

    pub(crate) fn reach(&mut self, height: u64) -> Vec<Lapse> {
        self.access.advance(Height::new(height))
    }

    pub(crate) fn after(&mut self, blocks: u64) -> Vec<Lapse> {
        self.reach(self.access.height().get() + blocks)
    }

    /// Applies an act; a refused one must leave no trace.
    pub(crate) fn act(
        &mut self,
        signer: u8,
        act: impl Into<Act>,
    ) -> Result<AccessEvent, AccessError> {
        self.book(signer, act).1
    }

    pub(crate) fn book(
        &mut self,
        signer: u8,
        act: impl Into<Act>,
    ) -> (RecordId, Result<AccessEvent, AccessError>) {
        self.records += 1;
        let mut id = [0xaa; 32];
        id[..8].copy_from_slice(&self.records.to_be_bytes());
        let id = RecordId::new(id);
        let before = self.access.clone();
        let applied = self.access.apply(id, &key(signer), &act.into(), &self.registry);
        if applied.is_err() {
            assert_eq!(self.access, before, "a refused act leaves no trace");
        } else {
            assert_ne!(self.access, before, "an act has effect");
        }
        (id, applied)
    }

    pub(crate) fn requested(&mut self, files: &[u8]) -> RecordId {
        let (id, applied) = self.book(READER, request(OWNER, READER, files));
        applied.unwrap();
        id
    }

    pub(crate) fn granted(&mut self, files: &[u8]) -> RecordId {
        let request = self.requested(files);
        let until = self.access.height().get() + 50;
        let (id, applied) = self.book(OWNER, grant(request, until, files));
        applied.unwrap();
        id
    }

    pub(crate) fn chosen(&mut self, files: &[u8]) -> RecordId {
        let grant = self.granted(files);
        self.act(PROXIES[0], bid(grant)).unwrap();
        self.act(PROXIES[1], bid(grant)).unwrap();
        self.act(OWNER, choice(grant, PROXIES[0])).unwrap();
        grant
    }

    pub(crate) fn delivered(&mut self, files: &[u8]) -> RecordId {
        let grant = self.chosen(files);
        self.act(PROXIES[0], delivery(grant, files)).unwrap();
        grant
    }

    pub(crate) fn disputed(&mut self) -> RecordId {
        let grant = self.delivered(&[0]);
        self.act(READER, dispute(grant, 0)).unwrap();
        grant
    }
}

pub(crate) fn request(owner: u8, reader: u8, files: &[u8]) -> Act {
    Act::Request(Request {
        owner: key(owner),
        reader_key: reader_key(reader),
        offer: digest(1),
        records: Set::new(files.iter().copied().map(file).collect()).unwrap(),
    })
}

/// Of the capsules of these files.
pub(crate) fn grant(request: RecordId, until: u64, files: &[u8]) -> Act {
    let (owner_key, until) = (digest(2), Height::new(until));
    Act::Grant(Grant { request, owner_key, until, files: digests(files, 0x10) })
}

pub(crate) fn bid(grant: RecordId) -> Act {
    Act::Bid(Bid { grant, parcels: digest(3) })
}

pub(crate) fn choice(grant: RecordId, proxy: u8) -> Act {
    let (rekey, parcel) = (digest(4), digest(5));
    Act::Choice(Choice { grant, institution: institution(proxy), rekey, parcel })
}

pub(crate) fn delivery(grant: RecordId, files: &[u8]) -> Act {
    Act::Delivery(Delivery { grant, files: digests(files, 0x20) })
}

pub(crate) fn revocation(grant: RecordId) -> Act {
    Act::Revocation(Revocation { grant })
}

/// Over what [`delivery`] delivered.
pub(crate) fn dispute(grant: RecordId, number: u8) -> Act {
    Act::Dispute(Dispute { grant, record: file(number), delivery: digest(0x20 + number) })
}

pub(crate) fn confirmation(grant: RecordId, finding: Finding) -> Act {
    Act::Confirmation(Confirmation { grant, finding })
}

fn digests(files: &[u8], kind: u8) -> Files {
    let files = files.iter().map(|number| (file(*number), digest(kind + number)));
    Files::new(files.collect()).unwrap()
}
