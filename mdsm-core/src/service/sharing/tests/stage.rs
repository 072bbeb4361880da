//! A network of 4 + 4 institutions in this process, on real disks and sockets, and one vault for all.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::task::JoinHandle;

use super::super::*;
use crate::client::{Dealing, Granted};
use crate::crypto::sha256;
use crate::environment::Secret;
use crate::ledger::{MediaType, ResourceType};
use crate::params::SMALL;
use crate::reencryption::{Set, Variant};
use crate::runtime::Home;
use crate::runtime::settings::NodeFile;
use crate::service::{Local, Pace, Served};
use crate::types::{Digest, InstitutionId, RecordId};

/// Far beyond what anything here takes; a test that waits so long has failed.
pub(super) const PATIENCE: Duration = Duration::from_secs(240);
pub(super) const PACE: Pace =
    Pace { turn_ms: 100, minute_ms: 1_000, window_ms: 2_000, delay_ms: 50 };
pub(super) const BLOCKS: u64 = 100_000;

/// A vault in memory, which can lose and change what it holds.
#[derive(Clone, Debug, Default)]
pub(super) struct Shared(Arc<Mutex<BTreeMap<Digest, Vec<u8>>>>, Arc<Mutex<Option<Digest>>>);

impl Shared {
    pub(super) fn set(&self, digest: Digest, bytes: Option<Vec<u8>>) -> Option<Vec<u8>> {
        let mut objects = self.0.lock().unwrap();
        let before = objects.remove(&digest);
        bytes.map(|bytes| objects.insert(digest, bytes));
        before
    }

    /// From now on this object cannot be reached.
    pub(super) fn hide(&self, digest: Option<Digest>) {
        *self.1.lock().unwrap() = digest;
    }

    pub(super) fn all(&self) -> Vec<Vec<u8>> {
        self.0.lock().unwrap().values().cloned().collect()
    }
}

impl Vault for Shared {
    async fn put(&self, bytes: Vec<u8>) -> Result<Digest, ExchangeError> {
        let digest = sha256(&bytes);
        self.set(digest, Some(bytes));
        Ok(digest)
    }

    async fn has(&self, digest: Digest) -> Result<bool, ExchangeError> {
        Ok(self.0.lock().unwrap().contains_key(&digest))
    }

    async fn get(&self, digest: Digest) -> Result<Option<Vec<u8>>, ExchangeError> {
        if *self.1.lock().unwrap() == Some(digest) {
            return Err(ExchangeError::Away { why: "hidden".to_owned() });
        }
        Ok(self.0.lock().unwrap().get(&digest).cloned())
    }
}

pub(super) type Counter = Arc<Desk<Shared>>;

/// One institution.
pub(super) struct House {
    pub(super) served: Served,
    pub(super) desk: Counter,
    proxy: Option<JoinHandle<()>>,
}

pub(super) struct Stage {
    pub(super) local: Local,
    pub(super) vault: Shared,
    pub(super) houses: BTreeMap<InstitutionId, House>,
    folder: tempfile::TempDir,
}

/// Runs a test on a network.
pub(super) fn network(test: impl AsyncFnOnce(&mut Stage)) {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(4).enable_all().build().unwrap();
    let ended = runtime.block_on(async {
        let whole = async {
            let mut stage = Stage::start().await;
            test(&mut stage).await;
            stage.stop().await;
        };
        tokio::time::timeout(PATIENCE, whole).await
    });
    ended.expect("the test has come to its end");
}

impl Stage {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let local = Local::create(folder.path().join("network"), SMALL, PACE, None).unwrap();
        let (vault, houses) = (Shared::default(), BTreeMap::new());
        let mut stage = Self { local, vault, houses, folder };
        for id in 1..=8 {
            stage.open_house(InstitutionId::new(id)).await;
        }
        stage
    }

    pub(super) async fn open_house(&mut self, id: InstitutionId) {
        let settings = NodeFile::read(self.local.settings(id)).unwrap();
        let served = Served::start(&settings).await.unwrap();
        let shelf = served.interface().shelf().clone();
        let desk = Arc::new(Desk::new(served.institution(), shelf, self.vault.clone()));
        self.houses.insert(id, House { served, desk, proxy: None });
    }

    /// Ends proxy and process of an institution.
    pub(super) async fn close_house(&mut self, id: InstitutionId) {
        let House { served, desk, proxy } = self.houses.remove(&id).unwrap();
        if let Some(proxy) = proxy {
            proxy.abort();
            // Its books are to be closed before somebody opens them again.
            drop(proxy.await);
        }
        drop(desk);
        served.stop().await.unwrap();
    }

    pub(super) async fn stop(&mut self) {
        for id in self.ids() {
            self.close_house(id).await;
        }
    }

    pub(super) fn ids(&self) -> Vec<InstitutionId> {
        self.houses.keys().copied().collect()
    }

    pub(super) fn secret(&self, id: InstitutionId) -> Secret {
        let settings = NodeFile::read(self.local.settings(id)).unwrap();
        Home::open(&settings.home).unwrap().1
    }

    pub(super) fn proxy(&self, id: InstitutionId) -> Proxy {
        Proxy::new(&self.secret(id))
    }

    /// Lets the proxy of an institution serve until the house is closed.
    pub(super) fn serve(&mut self, id: InstitutionId) {
        let mut proxy = self.proxy(id);
        let house = self.houses.get_mut(&id).unwrap();
        let desk = house.desk.clone();
        let serving = tokio::spawn(async move {
            let ended = proxy.run(&*desk).await;
            assert_eq!(ended.unwrap_err(), ExchangeError::Stopping);
        });
        house.proxy.replace(serving).inspect(JoinHandle::abort);
    }

    pub(super) fn serve_all(&mut self) {
        self.ids().into_iter().for_each(|id| self.serve(id));
    }

    /// The desk of an institution.
    pub(super) fn desk(&self, id: u32) -> Counter {
        self.houses[&InstitutionId::new(id)].desk.clone()
    }

    pub(super) fn person(&self, seed: u8) -> Person {
        let file = self.folder.path().join(format!("spent-{seed}"));
        Person::new(&Secret::from_seed([seed; 32]), Set::S704, &file).unwrap()
    }
}

pub(super) fn label() -> Label {
    Label {
        resource_type: ResourceType::new("ImagingStudy").unwrap(),
        content_type: MediaType::new("application/dicom").unwrap(),
    }
}

/// A file that is found again wherever its bytes stand open.
pub(super) fn file(number: u8) -> Vec<u8> {
    (0..150_000u32).map(|at| (at % 251) as u8 ^ number).collect()
}

/// Adds a file, and waits until it is booked.
pub(super) async fn added(desk: &Counter, owner: &Person, file: &[u8]) -> RecordId {
    owner.declare(&**desk).await.unwrap();
    let id = owner.add(&**desk, label(), file).await.unwrap();
    until(&**desk, async |x| Ok(x.record(id).await?)).await.unwrap();
    until(&**desk, async |x| Ok(x.keys_of(owner.id()).await?)).await.unwrap();
    id
}

/// Asks for a file and waits for the request.
pub(super) async fn asked(
    desk: &Counter,
    (owner, reader): (&Person, &Person),
    id: RecordId,
    variant: Variant,
) -> RecordId {
    let request = reader.ask(&**desk, owner.id(), [id].into(), variant).await.unwrap();
    until(&**desk, async |x| Ok(x.dealing(request).await?)).await.unwrap();
    request
}

/// Waits until a grant has come so far.
pub(super) async fn seen<T>(
    desk: &Counter,
    id: RecordId,
    look: impl Fn(Granted) -> Option<T>,
) -> T {
    let look = &look;
    until(&**desk, async |x| Ok(x.dealing(id).await?.and_then(|it| it.grant).and_then(look)))
        .await
        .unwrap()
}

/// Asks for a file and grants it.
pub(super) async fn granted(
    desk: &Counter,
    (owner, reader): (&Person, &Person),
    id: RecordId,
    variant: Variant,
) -> RecordId {
    let request = asked(desk, (owner, reader), id, variant).await;
    let grant = owner.grant(&**desk, request, &[id].into(), BLOCKS).await.unwrap();
    seen(desk, grant, Some).await;
    grant
}

/// Lets one institution bid and chooses it; its proxy is handled by the caller.
pub(super) async fn chosen(
    (desk, its): (&Counter, &Counter),
    owner: &mut Person,
    grant: RecordId,
    proxy: &mut Proxy,
) -> Dealing {
    seen(its, grant, Some).await;
    let step = proxy.step(&**its).await.unwrap();
    assert_eq!(step.bids, [grant]);
    let bidder = its.delegate();
    seen(desk, grant, |granted| granted.bids.get(&bidder).copied()).await;
    owner.choose(&**desk, grant, bidder).await.unwrap();
    seen(its, grant, |granted| granted.choice).await;
    its.dealing(grant).await.unwrap().unwrap()
}
