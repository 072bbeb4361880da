//! Some epochs of a small network, in which everything happens that changes credit or access.

use std::sync::LazyLock;

use harness::build::{Live, after_start, inline, institution_key, key, registrar};
use harness::oracle::ledger::{AccessClaims, Claims, claims, log_of};
use harness::rules::ledger::Log;
use mdsm_core::access::{Act, Bid, Choice, Delivery, Files, Grant, Request, Revocation};
use mdsm_core::crypto::sign::{Ed25519, SigningKey};
use mdsm_core::ledger::{Registration, Service, ServiceKind};
use mdsm_core::node::Event;
use mdsm_core::types::{Digest, Epoch, Height, InstitutionId, RecordId, Set};

/// An institution that holds no seat and sees everything.
pub(crate) const WITNESS: InstitutionId = InstitutionId::new(10);
/// Serves under the grant.
pub(crate) const PROXY: u32 = 1;
/// Votes twice and loses its seat to 9.
pub(crate) const DOUBLE_VOTER: u32 = 6;
/// Proposes twice, and loses its seat to an auditor.
pub(crate) const DOUBLE_PROPOSER: u32 = 2;
/// Is silent for most of an epoch.
pub(crate) const SILENT: u32 = 3;
/// Joins later.
pub(crate) const NEWCOMER: u32 = 11;

pub(crate) struct Story {
    pub(crate) log: Log,
    pub(crate) claims: Claims,
    pub(crate) grants: [RecordId; 2],
    pub(crate) live: Live,
}

/// Told once: it takes some seconds.
pub(crate) static STORY: LazyLock<Story> = LazyLock::new(Story::tell);

fn reader() -> SigningKey {
    key(50)
}

pub(crate) struct Teller {
    pub(crate) live: Live,
    records: u32,
}

impl Teller {
    /// The proxy has delivered a file under a grant in the first epoch; the acts are on their way.
    pub(crate) fn delivered() -> (Self, RecordId, RecordId) {
        let mut teller = Self { live: Live::new(), records: 0 };
        let file = teller.record();
        teller.until(3);
        let grant = teller.granted(file, 1_000);
        let institution = InstitutionId::new(PROXY);
        let proxy = institution_key(institution);
        teller.act(Act::Bid(Bid { grant, parcels: Digest::new([5; 32]) }), &proxy);
        teller.until(12);
        let (rekey, parcel) = (Digest::new([6; 32]), Digest::new([7; 32]));
        teller.act(Act::Choice(Choice { grant, institution, rekey, parcel }), &key(1));
        teller.until(15);
        teller.act(Act::Delivery(Delivery { grant, files: Self::files(file, 8) }), &proxy);
        (teller, file, grant)
    }

    /// A record a second, by every delegate in turn, up to this second.
    pub(crate) fn until(&mut self, second: i64) {
        while self.live.ms() < second * 1_000 {
            let next = self.live.ms() + 1_000;
            self.live.run_until(next);
            self.record();
        }
    }

    fn record(&mut self) -> RecordId {
        self.records += 1;
        let record = inline(&key(1), format!("record {}", self.records).as_bytes());
        self.live.book(1 + self.records % 8, record, &key(1))
    }

    fn act(&mut self, act: impl Into<Act>, signer: &SigningKey) -> RecordId {
        // Made at another time each: an equal act twice would be one record.
        let created = after_start(self.live.ms());
        let record = act.into().to_record(signer.owner(), created).unwrap();
        self.live.book(4, record, signer)
    }

    fn files(record: RecordId, digest: u8) -> Files {
        Files::new([(record, Digest::new([digest; 32]))].into()).unwrap()
    }

    fn granted(&mut self, record: RecordId, until: u64) -> RecordId {
        let request = Request {
            owner: key(1).owner(),
            reader_key: Digest::new([1; 32]),
            offer: Digest::new([2; 32]),
            records: Set::new([record].into()).unwrap(),
        };
        let request = self.act(Act::Request(request), &reader());
        let now = self.live.ms() / 1_000;
        self.until(now + 3);
        let (owner_key, files) = (Digest::new([3; 32]), Self::files(record, 4));
        let until = Height::new(until);
        let grant = Grant { request, owner_key, until, files };
        let grant = self.act(Act::Grant(grant), &key(1));
        self.until(now + 6);
        grant
    }

    pub(crate) fn service(&mut self, grant: RecordId, epoch: u32) {
        let chain = self.live.genesis.chain_id();
        let by = (InstitutionId::new(PROXY), ServiceKind::Reencryption);
        let service = Service::sign(&chain, grant, Epoch::new(epoch), by, &key(1));
        self.live.tell(7, Event::Service(service));
    }
}

impl Story {
    fn tell() -> Self {
        let (mut teller, file, grant) = Teller::delivered();
        let proxy = institution_key(InstitutionId::new(PROXY));
        // Nobody may deliver twice: a record without effect.
        teller.act(Act::Delivery(Delivery { grant, files: Teller::files(file, 9) }), &proxy);
        let newcomer = institution_key(InstitutionId::new(NEWCOMER));
        let chain = teller.live.genesis.chain_id();
        let (id, standing) = (InstitutionId::new(NEWCOMER), (40, 7));
        let joining = Registration::sign(&chain, id, standing, &newcomer, &registrar());
        teller.live.tell(5, Event::Registration(joining));
        // The next epoch: its predecessor has the delivery, so a receipt counts.
        teller.until(34);
        teller.service(grant, 1);
        teller.live.wrongs.silent.insert(InstitutionId::new(SILENT));
        teller.until(40);
        teller.live.wrongs.votes_twice.insert(InstitutionId::new(DOUBLE_VOTER));
        teller.until(58);
        teller.live.wrongs.silent.clear();
        teller.until(68);
        teller.service(grant, 2);
        teller.live.wrongs.proposes_twice.insert(InstitutionId::new(DOUBLE_PROPOSER));
        let other = teller.granted(file, 900);
        teller.until(92);
        teller.act(Act::Revocation(Revocation { grant: other }), &key(1));
        teller.until(130);
        Self::of(teller.live, [grant, other])
    }

    fn of(live: Live, grants: [RecordId; 2]) -> Self {
        let disk = &live.disks[&WITNESS];
        let anchors = disk.anchors.iter().map(|anchor| &**anchor);
        let log = log_of(&live.genesis, &live.founders, &disk.commits, anchors);
        let claims = Self::claims_of(&live, WITNESS, grants);
        Self { log, claims, grants, live }
    }

    /// What any node says.
    pub(crate) fn claims_of(live: &Live, node: InstitutionId, grants: [RecordId; 2]) -> Claims {
        let (node, disk) = (&live.nodes[&node], &live.disks[&node]);
        let said = claims(node, &live.founders, &disk.commits, &disk.frozen, &Ed25519);
        let owners = [key(1).owner(), reader().owner()];
        let access = AccessClaims::of(node.booked().access(), owners, grants);
        Claims { access, ..said.unwrap() }
    }
}
