//! Clients: they send records to delegates until one says that it has accepted them.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::Rng as _;
use serde_json::{Value, json};

use super::host::{Actor, Body, Timer, Wire};
use crate::conformance::value;
use crate::rules::merkle::sha256;
use crate::seed::{Draw as _, Seed};
use crate::simulation::world::{Action, To, mix};

/// Milliseconds between two looks at what is to be done.
const TICK_MS: u32 = 500;
/// Of a hundred ticks so many bring a new record.
const RECORDS: u32 = 70;
/// Patients.
const OWNERS: u32 = 5;
/// Bytes of a record.
const BYTES: (u32, u32) = (16, 600);

/// What everybody may look at: records by the digests of their contents.
#[derive(Debug, Default)]
pub(super) struct Board {
    /// Sent at some time.
    pub submitted: BTreeSet<[u8; 32]>,
    /// Accepted by a node.
    pub accepted: BTreeSet<[u8; 32]>,
}

/// All clients.
pub(super) struct Clients {
    board: Rc<RefCell<Board>>,
    random: ChaCha12Rng,
    started_at: i64,
    /// Whom they ask.
    delegates: Vec<u32>,
    /// Milliseconds after which another delegate is asked.
    patience_ms: u64,
    /// Nothing new from here on.
    ends_ms: u64,
    pending: BTreeMap<[u8; 32], (Value, u64)>,
    sent: u64,
}

impl Clients {
    pub(super) fn new(
        board: &Rc<RefCell<Board>>,
        seed: Seed,
        started_at: i64,
        delegates: Vec<u32>,
        patience_ms: u64,
        ends_ms: u64,
    ) -> Self {
        let random = seed.stream("network/clients");
        let (board, pending) = (board.clone(), BTreeMap::new());
        Self { board, random, started_at, delegates, patience_ms, ends_ms, pending, sent: 0 }
    }

    pub(super) fn begin(&self, out: &mut Vec<Action<Actor<'_, '_>>>) {
        out.push(Action::Arm { timer: Timer::Clients, after_ms: TICK_MS });
    }

    pub(super) fn tick(&mut self, now_ms: u64, out: &mut Vec<Action<Actor<'_, '_>>>) {
        out.push(Action::Arm { timer: Timer::Clients, after_ms: TICK_MS });
        if now_ms < self.ends_ms && self.random.below(100) < RECORDS {
            self.write(now_ms);
        }
        let accepted = &self.board.borrow().accepted;
        self.pending.retain(|content, _| !accepted.contains(content));
        for (request, again_ms) in self.pending.values_mut() {
            if *again_ms > now_ms {
                continue;
            }
            *again_ms = now_ms + self.patience_ms;
            self.sent += 1;
            let mark = mix(u64::MAX, self.sent);
            let message = Rc::new(Wire { mark, body: Body::Request(request.clone()) });
            out.push(Action::Send { to: To::One(*self.random.pick(&self.delegates)), message });
        }
    }

    fn write(&mut self, now_ms: u64) {
        let mut owner = [0x60; 32];
        owner[31] = u8::try_from(self.random.below(OWNERS)).unwrap_or(0);
        let mut content = vec![0; self.random.between(BYTES.0, BYTES.1) as usize];
        self.random.fill_bytes(&mut content);
        let created = self.started_at.saturating_add_unsigned(now_ms);
        let digest = sha256(&[&content]);
        let record = json!({
            "owner": value::bytes(owner),
            "created": value::decimal(created),
            "content": value::bytes(&content),
        });
        self.board.borrow_mut().submitted.insert(digest);
        self.pending.insert(digest, (json!({"submit": record}), 0));
    }
}
