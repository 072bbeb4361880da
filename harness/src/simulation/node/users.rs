//! Users: they send records to delegates until they are accepted, share some of them, confirm services,
//! and one institution registers. They read the chain from the board. [CON-1] [COM-3] [PRE-3]

use std::collections::BTreeMap;
use std::rc::Rc;

use mdsm_core::consensus::Rules;
use mdsm_core::ledger::{
    Content, Encryption, Envelope, MediaType, Metadata, Record, Registration, ResourceType,
    SealScheme,
};
use mdsm_core::node::{Event, Message};
use mdsm_core::types::{Digest, InstitutionId, KeyId, OwnerId, RecordId, Signature, Timestamp};
use rand_chacha::ChaCha12Rng;

use super::Action;
use super::deal::Deal;
use super::host::{HostTimer, Seen};
use super::setup::{Setup, USERS};
use super::wire::{Body, Wire};
use crate::rules::ids::owner_message;
use crate::seed::{Draw as _, Seed};
use crate::simulation::cluster::STARTED_MS;
use crate::simulation::world::To;

/// Milliseconds of an answer that did not come, in delays.
const PATIENCE_DELAYS: u64 = 10;
/// Sharings that go on at a time.
const DEALS: usize = 4;

/// A record that no delegate has accepted.
#[derive(Debug)]
struct Pending {
    envelope: Rc<Envelope>,
    is_file_stored: bool,
    again_ms: u64,
}

/// All users.
#[derive(Debug)]
pub struct Users<R> {
    pub(super) setup: Rc<Setup<R>>,
    pub(super) random: ChaCha12Rng,
    pub(super) now_ms: u64,
    pending: BTreeMap<RecordId, Pending>,
    /// Records of owners, for sharing.
    files: Vec<(RecordId, OwnerId)>,
    deals: Vec<Deal>,
    deal_at_ms: u64,
    register_at_ms: u64,
    numbers: u64,
    /// Nothing new from here on.
    ends_ms: u64,
}

impl<R: Rules + 'static> Users<R> {
    /// Users of a seed who send nothing new from `ends_ms` on.
    #[must_use]
    pub fn new(setup: &Rc<Setup<R>>, seed: Seed, ends_ms: u64) -> Self {
        Self {
            setup: setup.clone(),
            random: seed.stream("simulation/users"),
            now_ms: 0,
            pending: BTreeMap::new(),
            files: Vec::new(),
            deals: Vec::new(),
            deal_at_ms: 0,
            register_at_ms: u64::from(setup.scale.shape.epoch_ms / 3),
            numbers: 0,
            ends_ms,
        }
    }

    pub(super) fn begin(&mut self, out: &mut Vec<Action<R>>) {
        let after_ms = self.setup.scale.load.tick_ms;
        out.push(Action::Arm { timer: HostTimer::Users, after_ms });
    }

    /// A delegate answers.
    pub(super) fn hear(&mut self, body: &Body) {
        match body {
            Body::Acknowledged(record) | Body::Refused(record, true) => {
                self.pending.remove(record);
            }
            Body::Refused(record, false) => {
                // The file is in the vault by now; a request that was lost is made again.
                if let Some(pending) = self.pending.get_mut(record) {
                    pending.is_file_stored = true;
                    pending.again_ms = 0;
                }
            }
            Body::Node(_) | Body::Request(_) | Body::Submit(..) => {}
        }
    }

    /// Records that wait for a delegate, for a measure of life.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.pending.len()
    }

    pub(super) fn tick(&mut self, now_ms: u64, out: &mut Vec<Action<R>>) {
        self.now_ms = now_ms;
        let load = self.setup.scale.load;
        out.push(Action::Arm { timer: HostTimer::Users, after_ms: load.tick_ms });
        if now_ms < self.ends_ms {
            for _ in 0..load.records / 100 + u32::from(self.random.below(100) < load.records % 100)
            {
                self.write(load.bytes, out);
            }
            if now_ms >= self.register_at_ms && now_ms < self.register_at_ms * 2 {
                self.register(out);
            }
            if now_ms >= self.deal_at_ms && self.deals.len() < DEALS && !self.files.is_empty() {
                self.deal_at_ms = now_ms + u64::from(load.sharing_ms);
                let (file, owner) = *self.random.pick(&self.files);
                let reader = self.setup.keys.user(self.random.below(USERS));
                self.deals.push(Deal::new(file, owner, reader));
            }
            let mut deals = std::mem::take(&mut self.deals);
            deals.retain_mut(|deal| deal.go_on(self, out));
            self.deals = deals;
        }
        let due: Vec<RecordId> = self
            .pending
            .iter()
            .filter(|(_, pending)| pending.again_ms <= now_ms)
            .map(|(record, _)| *record)
            .collect();
        due.iter().for_each(|record| self.send(record, out));
    }

    /// Now, by clocks that are right.
    pub(super) fn clock(&self) -> Timestamp {
        Timestamp::new(STARTED_MS + i64::try_from(self.now_ms).unwrap_or(0))
    }

    /// A number that no other draw has.
    pub(super) fn digest(&mut self) -> Digest {
        self.numbers += 1;
        let mut bytes = [0x77; 32];
        bytes[..8].copy_from_slice(&self.numbers.to_le_bytes());
        Digest::new(bytes)
    }

    /// Somebody with a seat, or a full client.
    pub(super) fn somebody(&mut self) -> InstitutionId {
        InstitutionId::new(self.random.between(1, self.setup.scale.founders()))
    }

    /// A new record, by one of the users.
    fn write(&mut self, bytes_max: u32, out: &mut Vec<Action<R>>) {
        let owner = self.setup.keys.user(self.random.below(USERS));
        let bytes = self.random.between(8, bytes_max.max(9));
        let number = self.digest();
        let stored = self.random.chance(1, 5);
        let mut metadata = Metadata::new(
            ResourceType::new("Observation").expect("letters"),
            MediaType::new("text/plain").expect("a type and a subtype"),
            self.clock(),
            u64::from(bytes),
        );
        let content = if stored {
            let scheme = SealScheme::XChaCha20Poly1305File;
            metadata.encryption = Some(Encryption { scheme, key_id: KeyId::new([7; 32]) });
            Ok(Content::Stored(number))
        } else {
            let mut content = vec![0x20; bytes as usize];
            content[..8].copy_from_slice(&number.as_bytes()[..8]);
            Content::inline(content)
        };
        let record = content.ok().and_then(|c| Record::new(owner, metadata, c).ok());
        let Some(record) = record else { return };
        // One in three says that its file is there before it is.
        let is_file_stored = !stored || self.random.chance(2, 3);
        let id = self.submit(record, owner, is_file_stored, out);
        self.files.push((id, owner));
        if self.files.len() > 64 {
            self.files.remove(0);
        }
    }

    /// Signs a record and sends it to a delegate.
    pub(super) fn submit(
        &mut self,
        record: Record,
        owner: OwnerId,
        is_file_stored: bool,
        out: &mut Vec<Action<R>>,
    ) -> RecordId {
        let id = record.id();
        let chain = self.setup.chain_id();
        let message = owner_message(chain.as_bytes(), id.as_bytes());
        let owner_signature: Signature = self.setup.keys.sign(&owner, &message);
        let booked_by = self.somebody();
        let envelope = Rc::new(Envelope { record, owner_signature, booked_by });
        self.pending.insert(id, Pending { envelope, is_file_stored, again_ms: 0 });
        out.push(Action::Observe(Seen::Submitted(id)));
        self.send(&id, out);
        id
    }

    fn send(&mut self, record: &RecordId, out: &mut Vec<Action<R>>) {
        let delay_ms = u64::from(self.setup.scale.shape.delay_ms);
        let Some(pending) = self.pending.get_mut(record) else { return };
        pending.again_ms = self.now_ms + delay_ms * PATIENCE_DELAYS;
        let to = To::One(pending.envelope.booked_by.get());
        let request = Body::Request(*pending.envelope.record.owner());
        let submit = Body::Submit(pending.envelope.clone(), pending.is_file_stored);
        for body in [request, submit] {
            out.push(Action::Send { to: to.clone(), message: Wire::new(body) });
        }
    }

    /// Sends an event to somebody.
    pub(super) fn tell(&mut self, event: Event, out: &mut Vec<Action<R>>) {
        let to = To::One(self.somebody().get());
        out.push(Action::Send { to, message: Wire::new(Body::Node(Message::Event(event))) });
    }

    /// The newcomer asks to be registered, again and again for a while.
    fn register(&mut self, out: &mut Vec<Action<R>>) {
        let institution = InstitutionId::new(self.setup.scale.newcomer());
        let keys = self.setup.keys.clone();
        let (key, none) = (keys.institution(institution), Signature::new([0; 64]));
        let unsigned = Registration {
            institution,
            key,
            rating: 97,
            centre: 1_000,
            signature: none,
            approval: none,
        };
        let message = unsigned.message(&self.setup.chain_id());
        let signature = keys.sign(&key, &message);
        let approval = keys.sign(&keys.registrar(), &message);
        self.tell(Event::Registration(Registration { signature, approval, ..unsigned }), out);
    }
}
