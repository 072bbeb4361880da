//! A story of institutions, told to the rules and written down as a vector.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Maker, Member, bytes, decimal};
use crate::rules::merkle::sha256;
use crate::rules::roster::{Block, Change, Freeze, Joining, Offence, Service, State, TABLE};

/// A network as it goes on, told to the rules and written down.
pub(super) struct Story {
    pub(super) founders: Vec<Joining>,
    pub(super) seats: (u16, u16),
    pub(super) state: State,
    pub(super) parent: u64,
    pub(super) given: Vec<Value>,
    pub(super) expected: Vec<Value>,
}

pub(super) fn member(id: u32, rating: u8, centre: u32) -> Joining {
    Joining { id, key: Member::new(id).key(), key_is_sound: true, rating, centre }
}

/// So many institutions, the lowest ids best, of a rating in the middle.
pub(super) fn plain(count: u32) -> Vec<Joining> {
    (1..=count).map(|id| member(id, 50, 1_000 - id)).collect()
}

pub(super) fn member_json(one: &Joining) -> Value {
    json!({"institution": one.id, "key": bytes(one.key), "rating": one.rating, "centre": one.centre})
}

pub(super) fn credit(changes: &[Change]) -> Value {
    let mut sums: BTreeMap<u32, i64> = BTreeMap::new();
    changes.iter().for_each(|(id, _, amount)| *sums.entry(*id).or_default() += amount);
    let written = sums.into_iter().filter(|(_, sum)| *sum != 0);
    written.map(|(id, sum)| json!({"institution": id, "amount": decimal(sum)})).collect()
}

impl Story {
    pub(super) fn new(founders: Vec<Joining>, producers: u16, auditors: u16) -> Self {
        let state = State::found(TABLE, &founders, producers, auditors);
        let (given, expected) = (Vec::new(), Vec::new());
        Self { founders, seats: (producers, auditors), state, parent: 0, given, expected }
    }

    /// A block in the next view, that says nothing and carries what it can.
    pub(super) fn next(&self) -> Block {
        self.after(1)
    }

    /// The same, so many views later.
    pub(super) fn after(&self, views: u64) -> Block {
        let view = self.parent + views;
        let certificate = (self.parent > 0).then(|| self.state.seats.auditors.clone());
        let producer = self.state.leader(view);
        Block { view, parent_view: self.parent, producer, certificate, ..Block::default() }
    }

    pub(super) fn take(&mut self, block: Block) -> &mut Self {
        self.given.push(json!({"block": block_json(&block)}));
        if self.state.refuses(&block) {
            self.expected.push(json!({"refused": true}));
            return self;
        }
        self.parent = block.view;
        let changes = self.state.block(&block);
        self.expected.push(json!({"credit": credit(&changes)}));
        self
    }

    pub(super) fn turns(&mut self, count: u64) -> &mut Self {
        for _ in 0..count {
            let block = self.next();
            self.take(block);
        }
        self
    }

    pub(super) fn freeze(&mut self) -> &mut Self {
        self.given.push(json!({"freeze": {"last_view": decimal(self.parent)}}));
        let Freeze { changes, expelled, promoted, seated, .. } = self.state.freeze(self.parent);
        self.parent = 0;
        let seats = &self.state.seats;
        self.expected.push(json!({
            "credit": credit(&changes), "expelled": expelled, "promoted": promoted,
            "seated": seated, "producers": seats.producers, "auditors": seats.auditors,
        }));
        self
    }

    pub(super) fn args(&self) -> Value {
        json!({
            "producers": self.seats.0,
            "auditors": self.seats.1,
            "founders": self.founders.iter().map(member_json).collect::<Value>(),
            "steps": self.given,
        })
    }

    pub(super) fn write(&self, maker: &mut Maker, id: &str, of: &[&str]) {
        let ok = json!({
            "steps": self.expected,
            "committees": bytes(self.state.digest()),
            "state": bytes(sha256(&[&self.state.bytes()])),
        });
        maker.valid(format!("roster.{id}"), "roster", self.args(), ok, of);
    }
}

pub(super) fn block_json(block: &Block) -> Value {
    let offence = |one: &Offence| {
        json!({
            "institution": one.institution, "epoch": one.epoch, "view": decimal(one.view),
            "kind": one.kind,
        })
    };
    let service = |one: &Service| json!({"institution": one.institution, "epoch": one.epoch, "grant": bytes(one.grant)});
    let mut written = json!({
        "view": decimal(block.view),
        "parent_view": decimal(block.parent_view),
        "producer": block.producer,
        "offences": block.offences.iter().map(offence).collect::<Value>(),
        "services": block.services.iter().map(service).collect::<Value>(),
        "joining": block.joining.iter().map(member_json).collect::<Value>(),
    });
    if let Some(signers) = &block.certificate {
        written["certificate"] = json!(signers);
    }
    written
}
