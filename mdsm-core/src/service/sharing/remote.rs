//! An exchange over HTTP for somebody who trusts no institution. [CLI-2] [DDB-3] [CON-1]
//!
//! ```text
//! what the chain says   asked of f + 1 auditors by a light client, proven, and compared
//! records, services     sent to one institution, which signs what it has accepted
//! objects               stored with that institution; taken from whoever has them, and held against their digests
//! ```
//! Invariant: an institution alone can keep somebody from something, and can make nobody believe anything.
//!
//! Cost of a look: one question to f + 1 auditors, two for dealings; before it, once a turn, how far the chain is, from
//! all auditors.

use std::sync::{Mutex as Short, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use thiserror::Error;
use tokio::sync::Mutex;

use super::exchange::{Exchange, ExchangeError, Tip, Vault};
use crate::access::{Delivered, KeyRecord};
use crate::client::{Check, Dealing, Known, Listed, Question, Refused, Role};
use crate::codec::Wire as _;
use crate::crypto::sha256;
use crate::crypto::sign::SigningKey;
use crate::ledger::{Booking, Envelope, Service};
use crate::node::{Refusal as Turned, ServiceState};
use crate::params::ROW_FILE_BYTES_MAX;
use crate::runtime::settings::NetworkFile;
use crate::service::ask::{AskError, Asker, Told, object_line};
use crate::service::light::{LightClient, LightError, Objection, Why};
use crate::types::{ChainId, Digest, Height, InstitutionId, OwnerId, RecordId};

/// Blocks in which a record is booked that an institution has accepted, by far; who says that it has one and does not
/// book it is not waited for any longer.
const REPEATED_BLOCKS: u64 = 10;
/// Turns without a block after which a chain stands.
const STANDING_TURNS: u32 = 30;
/// The least time after which it does: with short turns, whole rounds of views may pass while a member comes back.
const STANDING_MIN: Duration = Duration::from_secs(60);

/// A network as one person sees it, who signs the calls.
#[derive(Debug)]
pub struct Remote {
    chain: ChainId,
    key: SigningKey,
    asker: Asker,
    delegate: Delegate,
    /// Who may have a file; the delegate first.
    webs: Vec<(InstitutionId, String)>,
    turn: Duration,
    patience: Duration,
    following: Mutex<Following>,
    objections: Short<Vec<Objection>>,
}

/// The institution that books.
#[derive(Clone, Debug)]
struct Delegate {
    institution: InstitutionId,
    key: OwnerId,
    web: String,
}

/// A light client, and how far it has seen the chain when.
#[derive(Debug)]
struct Following {
    client: LightClient,
    seen: Option<(Height, Instant)>,
}

/// Nobody can book for this person.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DelegateError {
    /// Not a member.
    #[error("institution {institution}: is not in the file of the network")]
    Unknown {
        /// Who was named.
        institution: InstitutionId,
    },
    /// It has no interface.
    #[error("institution {institution}: the file of the network has no `web` for it")]
    Offline {
        /// Which.
        institution: InstitutionId,
    },
    /// Nobody has.
    #[error("the file of the network has no institution with a `web`")]
    Nobody,
}

impl Remote {
    /// The network as the holder of a key sees it. `delegate` books; by default the first that offers an interface.
    pub fn new(
        network: &NetworkFile,
        client: LightClient,
        key: SigningKey,
        delegate: Option<InstitutionId>,
    ) -> Result<Self, DelegateError> {
        let member = match delegate {
            Some(institution) => {
                let member = network.member(institution);
                member.ok_or(DelegateError::Unknown { institution })?
            }
            None => {
                let mut members = network.members.iter();
                members.find(|member| member.web.is_some()).ok_or(DelegateError::Nobody)?
            }
        };
        let institution = member.founder.institution;
        let web = member.web.clone().ok_or(DelegateError::Offline { institution })?;
        let delegate = Delegate { institution, key: member.founder.key, web };
        let others = network
            .members
            .iter()
            .filter_map(|member| Some((member.founder.institution, member.web.clone()?)));
        let mut webs: Vec<(InstitutionId, String)> = others.collect();
        webs.sort_by_key(|(id, _)| *id != institution);
        let asker = client.asker().clone();
        let turn = Duration::from_millis(network.genesis.turn_ms.into());
        Ok(Self {
            chain: network.genesis.chain_id(),
            key,
            asker,
            delegate,
            webs,
            turn,
            patience: patience(turn),
            following: Mutex::new(Following { client, seen: None }),
            objections: Short::default(),
        })
    }

    /// The same for one who waits so long for a block.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Whose answers were not used since somebody asked this last, and why.
    pub fn take_objections(&self) -> Vec<Objection> {
        // Each is put in whole.
        std::mem::take(&mut self.objections.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A booked record that this person may see, with the content that it carries.
    pub async fn listed(&self, id: RecordId) -> Result<Option<Box<Listed>>, ExchangeError> {
        match self.ask(|at| Question::Record { id, at }).await? {
            Known::Record(found) => Ok(found),
            _ => Err(another_kind()),
        }
    }

    /// Highest height at which f + 1 auditors can answer, not older than a turn, or of this moment.
    async fn height(
        &self,
        following: &mut Following,
        is_now: bool,
    ) -> Result<Height, ExchangeError> {
        let known = following.seen.filter(|(_, seen)| !is_now && seen.elapsed() < self.turn);
        if let Some((height, _)) = known {
            return Ok(height);
        }
        let height = following.client.follow().await.map_err(unanswered)?;
        following.seen = Some((height, Instant::now()));
        Ok(height)
    }

    async fn ask(
        &self,
        question: impl FnOnce(Height) -> Question + Send,
    ) -> Result<Known, ExchangeError> {
        let mut following = self.following.lock().await;
        let at = self.height(&mut following, false).await?;
        self.ask_at(&mut following, &question(at)).await
    }

    async fn ask_at(
        &self,
        following: &mut Following,
        question: &Question,
    ) -> Result<Known, ExchangeError> {
        let answered = following.client.ask(question, &self.key).await.map_err(unanswered)?;
        let known = answered.known().clone();
        answered.objections.into_iter().filter(|it| !is_behind(it)).for_each(|it| self.object(it));
        Ok(known)
    }

    /// Dealings of somebody on one side, all of one height.
    async fn side(&self, person: OwnerId, role: Role) -> Result<Vec<Dealing>, ExchangeError> {
        let mut following = self.following.lock().await;
        let at = self.height(&mut following, false).await?;
        let (mut dealings, mut after) = (Vec::new(), None);
        loop {
            let question = Question::Sharing { person, role, at, after };
            let Known::Sharing(page) = self.ask_at(&mut following, &question).await? else {
                return Err(another_kind());
            };
            dealings.extend(page.dealings);
            after = page.next;
            if after.is_none() {
                return Ok(dealings);
            }
        }
    }

    /// Sends something to the delegate.
    async fn send(
        &self,
        line: &str,
        key: Option<&SigningKey>,
        body: Vec<u8>,
    ) -> Result<Value, ExchangeError> {
        let told = self.asker.post(&self.delegate.web, line, key, body).await;
        self.signed(line, &told.map_err(unheard)?)
    }

    /// What the delegate says, which it has signed.
    fn signed(&self, line: &str, told: &Told) -> Result<Value, ExchangeError> {
        let key = &self.delegate.key;
        let checked = told.by.check(&self.chain, line, &told.body, key);
        checked.map_err(|error| ExchangeError::Unproven { why: error.to_string() })?;
        let wrong = |why: String| ExchangeError::Unproven { why };
        serde_json::from_slice(&told.body)
            .map_err(|error| wrong(format!("institution {}: {error}", self.delegate.institution)))
    }

    /// That the delegate has accepted this and nothing else.
    fn accepted(&self, told: &Value, what: &str, expected: &Value) -> Result<(), ExchangeError> {
        if &told[what] == expected {
            return Ok(());
        }
        let by = self.delegate.institution;
        let why = format!("institution {by} was sent {what} {expected}, and signs for another");
        Err(ExchangeError::Unproven { why })
    }

    /// Whether a record is booked now, or in one of so many blocks.
    async fn is_booked_within(&self, id: RecordId, blocks: u64) -> Result<bool, ExchangeError> {
        let first = self.tip().await?.height;
        let last = Height::new(first.get().saturating_add(blocks));
        let mut height = first;
        loop {
            if self.record(id).await?.is_some() {
                return Ok(true);
            }
            if height >= last {
                return Ok(false);
            }
            self.above(height).await?;
            height = self.tip().await?.height;
        }
    }

    fn object(&self, objection: Objection) {
        let mut objections = self.objections.lock().unwrap_or_else(PoisonError::into_inner);
        if !objections.contains(&objection) {
            objections.push(objection);
        }
    }
}

impl Vault for Remote {
    async fn put(&self, bytes: Vec<u8>) -> Result<Digest, ExchangeError> {
        let digest = sha256(&bytes);
        let told = self.asker.put(&self.delegate.web, &digest, &self.key, bytes).await;
        let told = self.signed(&object_line(&digest), &told.map_err(unheard)?)?;
        self.accepted(&told, "object", &json!(digest))?;
        Ok(digest)
    }

    async fn has(&self, digest: Digest) -> Result<bool, ExchangeError> {
        Ok(self.get(digest).await?.is_some())
    }

    //= harness/spec/database.md#ddb-3-finding
    //# DDB-3.3 (ours): A reader MUST compare a file with the digest it asked for before opening it.
    async fn get(&self, digest: Digest) -> Result<Option<Vec<u8>>, ExchangeError> {
        let mut silent = None;
        for (from, web) in &self.webs {
            match self.asker.object(web, &digest, ROW_FILE_BYTES_MAX).await {
                Ok(bytes) => {
                    let found = sha256(&bytes);
                    if found == digest {
                        return Ok(Some(bytes.into()));
                    }
                    let why = format!("object {digest}: its bytes have digest {found}");
                    let why = Refused { check: Check::Content, why }.into();
                    self.object(Objection { from: *from, why });
                }
                Err(AskError::Declined { status: 404, .. }) => {}
                Err(error) => silent = Some(error),
            }
        }
        // Who does not answer may have it.
        silent.map_or(Ok(None), |error| Err(ExchangeError::Away { why: error.to_string() }))
    }
}

impl Exchange for Remote {
    fn chain(&self) -> ChainId {
        self.chain
    }

    fn delegate(&self) -> InstitutionId {
        self.delegate.institution
    }

    async fn request(&self, owner: OwnerId) -> Result<(), ExchangeError> {
        let told = self.send("/v1/requests", Some(&self.key), Vec::new()).await?;
        self.accepted(&told, "owner", &json!(owner))
    }

    async fn submit(&self, envelope: Envelope) -> Result<RecordId, ExchangeError> {
        let record = envelope.record.id();
        let told = match self.send("/v1/records", None, envelope.to_bytes()).await {
            // Its word is not enough: what is booked can be proven. What it says it has is booked soon.
            Err(ExchangeError::Refused { why }) => {
                let blocks = if says_repeated(&why, record) { REPEATED_BLOCKS } else { 0 };
                return Err(match self.is_booked_within(record, blocks).await? {
                    true => ExchangeError::Repeated { record },
                    false => ExchangeError::Refused { why },
                });
            }
            told => told?,
        };
        self.accepted(&told, "record", &json!(record))?;
        Ok(record)
    }

    async fn report(&self, service: Service) -> Result<ServiceState, ExchangeError> {
        let told = self.send("/v1/services", None, service.to_bytes()).await?;
        self.accepted(&told, "grant", &json!(service.grant))?;
        let is_booked = told["booked"] == json!(true);
        Ok(if is_booked { ServiceState::Booked } else { ServiceState::Waiting })
    }

    async fn tip(&self) -> Result<Tip, ExchangeError> {
        let mut following = self.following.lock().await;
        let height = self.height(&mut following, true).await?;
        Ok(Tip { height, epoch: following.client.light().open_epoch() })
    }

    async fn above(&self, height: Height) -> Result<(), ExchangeError> {
        // Auditors that come back may be behind: what grows below the height is growth.
        let (mut last, mut since) = (Height::new(0), Instant::now());
        loop {
            let now = self.tip().await?.height;
            if now > height {
                return Ok(());
            }
            if now > last {
                (last, since) = (now, Instant::now());
            }
            let waited = since.elapsed();
            if waited >= self.patience {
                return Err(ExchangeError::Stands { height: last, waited_s: waited.as_secs() });
            }
            tokio::time::sleep(self.turn.min(self.patience)).await;
        }
    }

    async fn record(&self, id: RecordId) -> Result<Option<Booking>, ExchangeError> {
        Ok(self.listed(id).await?.map(|listed| listed.booking))
    }

    async fn keys_of(&self, owner: OwnerId) -> Result<Option<KeyRecord>, ExchangeError> {
        match self.ask(|at| Question::Keys { owner, at }).await? {
            Known::Keys(declared) => Ok(declared.map(|declared| declared.keys)),
            _ => Err(another_kind()),
        }
    }

    async fn dealing(&self, id: RecordId) -> Result<Option<Dealing>, ExchangeError> {
        let is_it = |dealing: &Dealing| {
            let grant = dealing.grant.as_ref().map(|granted| granted.act.id);
            dealing.request.id == id || grant == Some(id)
        };
        let dealings = self.dealings_of(self.key.owner()).await?;
        Ok(dealings.into_iter().find(is_it))
    }

    async fn dealings_of(&self, person: OwnerId) -> Result<Vec<Dealing>, ExchangeError> {
        let mut dealings = self.side(person, Role::Owner).await?;
        if person == self.key.owner() {
            let others = self.side(person, Role::Reader).await?.into_iter();
            dealings.extend(others.filter(|dealing| dealing.owner != person));
        }
        dealings.sort_unstable_by_key(|dealing| dealing.request.place);
        Ok(dealings)
    }

    async fn deliveries_for(&self, reader_key: Digest) -> Result<Vec<Delivered>, ExchangeError> {
        let dealings = self.side(self.key.owner(), Role::Reader).await?.into_iter();
        let mine = dealings.filter(|dealing| dealing.reader_key == reader_key);
        Ok(mine.flat_map(|dealing| dealing.deliveries().collect::<Vec<_>>()).collect())
    }
}

/// How long somebody waits for a block at this pace.
fn patience(turn: Duration) -> Duration {
    turn.saturating_mul(STANDING_TURNS).max(STANDING_MIN)
}

/// Whether an auditor has only not come as far as the others.
fn is_behind(objection: &Objection) -> bool {
    matches!(objection.why, Why::Silent(AskError::Declined { status: 409, .. }))
}

/// Why a light client knows nothing.
fn unanswered(error: LightError) -> ExchangeError {
    let why = error.to_string();
    let LightError::Refused { objections, .. } = error else {
        return ExchangeError::Away { why };
    };
    let is_silence = |why: &Why| matches!(why, Why::Silent(_));
    let all = |is: &dyn Fn(&Why) -> bool| {
        !objections.is_empty() && objections.iter().all(|objection| is(&objection.why))
    };
    match () {
        () if all(&Why::is_denial) => ExchangeError::Refused { why },
        () if all(&is_silence) => ExchangeError::Away { why },
        () => ExchangeError::Unproven { why },
    }
}

/// Whether an institution says that it has this record.
fn says_repeated(why: &str, record: RecordId) -> bool {
    why.contains(&Turned::Repeated { record }.to_string())
}

/// Why an institution takes nothing.
fn unheard(error: AskError) -> ExchangeError {
    let why = error.to_string();
    match error {
        AskError::Declined { status: 400..=407 | 409..=499, .. } => ExchangeError::Refused { why },
        AskError::Unsigned { .. } => ExchangeError::Unproven { why },
        _ => ExchangeError::Away { why },
    }
}

fn another_kind() -> ExchangeError {
    ExchangeError::Unproven { why: "the answer is to another kind of question".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_waited_for_as_long_as_thirty_turns_and_a_minute_at_least() {
        for (turn_ms, seconds) in [(100, 60), (2_000, 60), (6_000, 180)] {
            assert_eq!(patience(Duration::from_millis(turn_ms)), Duration::from_secs(seconds));
        }
    }
}
