//! One node: what happens to it, and what it does as the page writes it.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use mdsm_core::anchoring::machine;
use mdsm_core::chain::Chain;
use mdsm_core::codec::Wire as _;
use mdsm_core::consensus::Protocol;
use mdsm_core::crypto::sign::SigningKey;
use mdsm_core::ledger::{Anchor, Content, Envelope, MediaType, Metadata, Record, ResourceType};
use mdsm_core::node::{Commit, Message};
use mdsm_core::types::{InstitutionId, OwnerId, RecordId, Timestamp};
use serde_json::{Map, Value, json};

use super::super::super::value::{Field, FieldError, bytes, decimal, list_of_bytes};
use super::super::ids;
use super::entries;
use crate::rules::merkle::sha256;
use crate::simulation::cluster::STARTED_MS;
use crate::simulation::node::{
    Actor, Body, HostTimer, NodeActor, NodeHost, Saved, Seen, Setup, Wire,
};
use crate::simulation::world::{Action, Disk, Host as _, To};

/// A node that is served.
pub(super) struct Served {
    setup: Rc<Setup<Protocol>>,
    me: InstitutionId,
    actor: Actor<Protocol>,
    /// Timers that run, by name.
    timers: BTreeMap<u64, HostTimer>,
    armed: u64,
    /// Contents of records that clients sent here.
    contents: BTreeMap<RecordId, [u8; 32]>,
}

type Actions = Vec<Action<Actor<Protocol>>>;

impl Served {
    pub(super) fn new(setup: &Rc<Setup<Protocol>>, me: InstitutionId) -> Self {
        let host = NodeHost::new(setup, me, 0);
        let actor = Actor::Node(Box::new(NodeActor { host, puppet: None }));
        let (setup, timers, contents) = (setup.clone(), BTreeMap::new(), BTreeMap::new());
        Self { setup, me, actor, timers, armed: 0, contents }
    }

    pub(super) fn crash(&mut self) {
        self.actor.fall();
        self.timers.clear();
        self.contents.clear();
    }

    pub(super) fn step(&mut self, request: &Field<'_>) -> Result<Map<String, Value>, FieldError> {
        let now = request.get("now")?;
        let now_ms = now.decimal::<i64>()?.checked_sub(STARTED_MS);
        let now_ms = now_ms.and_then(|now| u64::try_from(now.max(0)).ok());
        let now_ms = now_ms.ok_or_else(|| now.wrong("long before the network starts"))?;
        let mut out = Actions::new();
        if let Some(start) = request.find("start")? {
            let entries = start
                .get("durable")?
                .each(|entry| entries::read(&entry.bytes()?).map_err(|what| entry.wrong(what)))?;
            let disk: Disk<_, Saved> = Disk { checkpoint: None, entries, is_whole: true };
            self.actor.wake(now_ms, &disk, &mut out);
        }
        for one in request.find("inbox")?.map_or(Ok(Vec::new()), |inbox| inbox.list())? {
            let from: u32 = one.get("from")?.integer()?;
            // Whatever is no message is what faulty others send.
            if let Ok(message) = Message::from_bytes(&one.get("message")?.bytes()?) {
                self.actor.hear(now_ms, from, &Wire::new(Body::Node(message)), &mut out);
            }
        }
        for timer in request.find("timers")?.map_or(Ok(Vec::new()), |timers| timers.list())? {
            let number: u64 = timer.text()?.parse().map_err(|_| timer.wrong("no such timer"))?;
            if let Some(timer) = self.timers.remove(&number) {
                self.actor.ring(now_ms, timer, &mut out);
            }
        }
        for asked in request.find("requests")?.map_or(Ok(Vec::new()), |asked| asked.list())? {
            self.ask(now_ms, &asked, &mut out)?;
        }
        Ok(self.told(out))
    }

    /// What a client asks. In profile `mdsm-1` records come in their envelopes.
    fn ask(&mut self, now_ms: u64, asked: &Field<'_>, out: &mut Actions) -> Result<(), FieldError> {
        if let Some(request) = asked.find("request")? {
            let owner = OwnerId::new(request.get("owner")?.array()?);
            self.tell(now_ms, Body::Request(owner), out);
            return Ok(());
        }
        let submit = asked.get("submit")?;
        let Some(envelope) = submit.find("envelope")? else {
            return self.write(now_ms, &submit, out);
        };
        let is_file_stored = submit.get("is_file_stored")?.yes()?;
        // What is no envelope is not answered.
        if let Ok(envelope) = Envelope::from_bytes(&envelope.bytes()?) {
            self.contents.insert(envelope.record.id(), content_of(&envelope));
            self.tell(now_ms, Body::Submit(Rc::new(envelope), is_file_stored), out);
        }
        Ok(())
    }

    fn tell(&mut self, now_ms: u64, body: Body, out: &mut Actions) {
        self.actor.hear(now_ms, self.me.get(), &Wire::new(body), out);
    }

    /// A client's record, signed with the key that its owner's name stands for.
    fn write(
        &mut self,
        now_ms: u64,
        asked: &Field<'_>,
        out: &mut Actions,
    ) -> Result<(), FieldError> {
        let key = SigningKey::from_seed(&asked.get("owner")?.array()?);
        let created = Timestamp::new(asked.get("created")?.decimal()?);
        let content = asked.get("content")?.bytes()?;
        let digest = sha256(&[&content]);
        let size = content.len() as u64;
        let (resource, media) = (ResourceType::new("Observation"), MediaType::new("text/plain"));
        let (Ok(resource), Ok(media)) = (resource, media) else { return Ok(()) };
        let metadata = Metadata::new(resource, media, created, size);
        let content = Content::inline(content).ok();
        let record = content.and_then(|content| Record::new(key.owner(), metadata, content).ok());
        let Some(record) = record else { return Ok(()) };
        self.contents.insert(record.id(), digest);
        let envelope = Rc::new(Envelope::sign(record, &self.setup.chain_id(), &key, self.me));
        for body in [Body::Request(key.owner()), Body::Submit(envelope, false)] {
            self.tell(now_ms, body, out);
        }
        Ok(())
    }

    /// Actions as the page writes them.
    fn told(&mut self, actions: Actions) -> Map<String, Value> {
        let (mut replace, mut append) = (false, Vec::new());
        let (mut outbox, mut timers, mut seen) = (Vec::new(), Vec::new(), Vec::new());
        for action in actions {
            match action {
                Action::Append(entry) => append.push(entries::write(&entry)),
                Action::Checkpoint(saved) => {
                    replace = true;
                    append = saved.entries().iter().map(entries::write).collect();
                }
                Action::Send { to, message } => {
                    // What goes to users is told by observations.
                    let Body::Node(message) = &message.body else { continue };
                    let to = match to {
                        To::One(one) => vec![one],
                        To::Many(many) => many.to_vec(),
                    };
                    if !to.is_empty() {
                        outbox.push(json!({"to": to, "message": bytes(message.to_bytes())}));
                    }
                }
                Action::Arm { timer, after_ms } => {
                    self.armed += 1;
                    self.timers.insert(self.armed, timer);
                    timers.push(json!({"timer": self.armed.to_string(), "after_ms": after_ms}));
                }
                Action::Observe(observation) => seen.extend(self.observed(observation)),
            }
        }
        let mut told = Map::new();
        if replace {
            told.insert("replace".to_owned(), true.into());
        }
        let mut put = |name: &str, values: Value| {
            if values.as_array().is_some_and(|values| !values.is_empty()) {
                told.insert(name.to_owned(), values);
            }
        };
        put("append", list_of_bytes(append));
        put("outbox", outbox.into());
        put("timers", timers.into());
        put("seen", seen.into());
        told
    }

    fn observed(&self, observation: Seen) -> Vec<Value> {
        match observation {
            Seen::Acknowledged(record) => {
                let accepted = |content| {
                    let record = bytes(record.as_bytes());
                    json!({"accepted": {"content": bytes(content), "record": record}})
                };
                self.contents.get(&record).map(accepted).into_iter().collect()
            }
            Seen::Moved(commit, chain) => finals(&commit, &chain),
            Seen::Frozen(anchor) => self.frozen(&anchor).into_iter().collect(),
            Seen::Anchoring(machine::Effect::Submit(request)) => {
                let output = request.output;
                let (window, root) = (output.epoch.get(), bytes(output.root.as_bytes()));
                vec![json!({"anchor": {"window": window, "root": root}})]
            }
            _ => Vec::new(),
        }
    }

    fn frozen(&self, anchor: &Anchor) -> Option<Value> {
        let Actor::Node(actor) = &self.actor else { return None };
        let chain = actor.host.node().chain();
        let roster = chain.roster();
        let mut accounts: Vec<_> = roster.institutions().iter().collect();
        accounts.sort_unstable_by_key(|one| one.id);
        let account = |one: &&mdsm_core::roster::Institution| {
            let did = one.performance;
            json!({
                "institution": one.id.get(),
                "points": decimal(one.credit.get()),
                "signed": did.blocks_signed,
                "missed": did.blocks_missed,
                "audited": did.audits_done,
            })
        };
        let committees = roster.committees();
        let seats =
            |seats: &[mdsm_core::roster::Seat]| ids(seats.iter().map(|seat| seat.institution));
        Some(json!({"frozen": {
            "window": anchor.epoch.get(),
            "last": decimal(chain.height().get()),
            "root": bytes(anchor.root().as_bytes()),
            "credit": accounts.iter().map(account).collect::<Vec<_>>(),
            "producers": seats(&committees.producers),
            "auditors": seats(&committees.auditors),
        }}))
    }
}

/// The digest of a record's content.
fn content_of(envelope: &Envelope) -> [u8; 32] {
    match envelope.record.content() {
        Content::Inline(content) => sha256(&[content]),
        Content::Stored(digest) => *digest.as_bytes(),
    }
}

/// Final blocks, with the auditors whose signatures make them final.
fn finals(commit: &Commit, chain: &Arc<Chain>) -> Vec<Value> {
    let certificate = &commit.decision.certificate;
    let roster = chain.roster();
    let of_epoch = [Some(roster.committees()), roster.previous_committees()]
        .into_iter()
        .flatten()
        .find(|committees| committees.epoch == certificate.vote.epoch);
    let auditors = of_epoch.into_iter().flat_map(|committees| {
        let seats = certificate.signers.seats();
        seats.filter_map(|seat| committees.auditors.get(seat)).map(|seat| seat.institution)
    });
    let auditors = ids(auditors);
    let blocks = commit.decision.blocks.iter().zip(&commit.items);
    let block = |(proposal, items): (&mdsm_core::ledger::Proposal, &Vec<_>)| {
        let header = &proposal.signed.header;
        let records =
            items.iter().flat_map(|item: &Arc<mdsm_core::ledger::Item>| item.records.iter());
        let record = |envelope: &Envelope| {
            let content = bytes(content_of(envelope));
            json!({"content": content, "booked_by": envelope.booked_by.get()})
        };
        json!({"final": {
            "height": decimal(header.height.get()),
            "block": bytes(proposal.signed.hash().as_bytes()),
            "producer": header.producer.get(),
            "auditors": auditors.clone(),
            "timestamp": decimal(header.timestamp.get()),
            "records": records.map(record).collect::<Vec<_>>(),
        }})
    };
    blocks.map(block).collect()
}
