//! A story of acts, told to the rules and written down as a vector.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Maker, bytes, decimal, named};
use crate::rules::access::{Limits, Past, Step};
use crate::rules::acts::Act;
use crate::rules::mirror::Bytes32;
use crate::rules::wire::Mirror;

/// The limits of section Access records.
pub(super) const LIMITS: Limits = Limits {
    requests: 256,
    grants: 4_096,
    bids: 256,
    request_blocks: 432_000,
    grant_blocks: 5_256_000,
    dispute_blocks: 100_800,
    confirm_blocks: 100_800,
};

/// What happens, told to the rules and written down.
pub(super) struct Story {
    pub(super) owners: BTreeMap<Bytes32, Bytes32>,
    pub(super) past: Past,
    pub(super) steps: Vec<Step>,
    pub(super) effects: Vec<bool>,
    pub(super) booked: u32,
}

pub(super) fn owner() -> Bytes32 {
    named("owner")
}

pub(super) fn reader() -> Bytes32 {
    named("reader")
}

pub(super) fn proxy(number: u32) -> Bytes32 {
    named(&format!("proxy {number}"))
}

pub(super) fn file(number: u32) -> Bytes32 {
    named(&format!("record {number}"))
}

/// A name for what nobody looks into.
pub(super) fn name() -> Bytes32 {
    named("name")
}

impl Story {
    /// Three records of the owner, one of somebody else; three institutions with seats.
    pub(super) fn new() -> Self {
        let mut owners: BTreeMap<Bytes32, Bytes32> =
            (0..3).map(|number| (file(number), owner())).collect();
        owners.insert(file(9), named("another owner"));
        let mut story = Self {
            past: Past::new(LIMITS, owners.clone()),
            owners,
            steps: Vec::new(),
            effects: Vec::new(),
            booked: 0,
        };
        story.reach(10);
        story.seats(3);
        story
    }

    pub(super) fn reach(&mut self, height: u64) {
        self.take(Step::Reach(height));
    }

    pub(super) fn seats(&mut self, count: u32) {
        self.take(Step::Seats((0..count).map(|number| (proxy(number), 100 + number)).collect()));
    }

    pub(super) fn take(&mut self, step: Step) -> bool {
        let has_effect = self.past.take(&step);
        if matches!(step, Step::Book { .. }) {
            self.effects.push(has_effect);
        }
        self.steps.push(step);
        has_effect
    }

    /// Books an act; gives the id of its record.
    pub(super) fn book(&mut self, signer: Bytes32, act: Act) -> Bytes32 {
        self.booked += 1;
        let record = named(&format!("act {}", self.booked));
        self.take(Step::Book { record, signer, act });
        record
    }

    pub(super) fn request(&mut self) -> Bytes32 {
        let act = asking(&[0, 1]);
        self.book(reader(), act)
    }

    pub(super) fn grant(&mut self) -> Bytes32 {
        let request = self.request();
        let act = granting(request, 1_000, &[0, 1]);
        self.book(owner(), act)
    }

    pub(super) fn bid(&mut self) -> Bytes32 {
        let grant = self.grant();
        self.book(proxy(1), Act::Bid { grant, parcels: name() });
        grant
    }

    pub(super) fn choice(&mut self) -> Bytes32 {
        let grant = self.bid();
        self.book(owner(), choosing(grant, 101));
        grant
    }

    pub(super) fn delivery(&mut self) -> Bytes32 {
        let grant = self.choice();
        self.book(proxy(1), delivering(grant, &[0, 1]));
        grant
    }

    pub(super) fn dispute(&mut self) -> Bytes32 {
        let grant = self.delivery();
        self.book(reader(), disputing(grant, 0));
        grant
    }

    pub(super) fn args(&self) -> Value {
        let owners = self
            .owners
            .iter()
            .map(|(record, owner)| json!({"record": bytes(record), "owner": bytes(owner)}));
        json!({
            "owners": owners.collect::<Value>(),
            "steps": self.steps.iter().map(written).collect::<Value>(),
        })
    }

    pub(super) fn write(&self, maker: &mut Maker, id: &str, of: &[&str]) {
        let readers = self.past.readers();
        let readers = readers.iter().map(|(grant, record, reader_key)| {
            json!({
                "grant": bytes(grant), "record": bytes(record), "reader_key": bytes(reader_key),
            })
        });
        let ok = json!({"steps": self.effects, "readers": readers.collect::<Value>()});
        maker.valid(format!("access.{id}"), "access", self.args(), ok, of);
    }

    /// One act that must have no effect, then one that shows that the story goes on.
    pub(super) fn no_effect(
        mut self,
        maker: &mut Maker,
        id: &str,
        (signer, act): (Bytes32, Act),
        of: &str,
    ) {
        self.book(signer, act);
        assert_eq!(self.effects.last(), Some(&false), "{id}: the rules let it pass");
        self.write(maker, &format!("no-effect.{id}"), &[of]);
    }
}

pub(super) fn written(step: &Step) -> Value {
    match step {
        Step::Reach(height) => json!({"reach": decimal(height)}),
        Step::Seats(seats) => {
            let seat = |(key, id): (&Bytes32, &u32)| json!({"key": bytes(key), "institution": id});
            json!({"seats": seats.iter().map(seat).collect::<Value>()})
        }
        Step::Book { record, signer, act } => {
            let act = bytes(Mirror::from(act.clone()).encode());
            json!({"book": {"record": bytes(record), "signer": bytes(signer), "act": act}})
        }
    }
}

pub(super) fn asking(files: &[u32]) -> Act {
    let records = files.iter().map(|number| file(*number)).collect();
    Act::Request { owner: owner(), reader_key: named("reader's key"), offer: name(), records }
}

pub(super) fn granting(request: Bytes32, until: u64, files: &[u32]) -> Act {
    Act::Grant { request, owner_key: name(), until, files: digests(files) }
}

pub(super) fn choosing(grant: Bytes32, institution: u32) -> Act {
    Act::Choice { grant, institution, rekey: name(), parcel: name() }
}

pub(super) fn delivering(grant: Bytes32, files: &[u32]) -> Act {
    Act::Delivery { grant, files: digests(files) }
}

pub(super) fn disputing(grant: Bytes32, number: u32) -> Act {
    Act::Dispute { grant, record: file(number), delivery: of_file(number) }
}

pub(super) fn digests(files: &[u32]) -> BTreeMap<Bytes32, Bytes32> {
    files.iter().map(|number| (file(*number), of_file(*number))).collect()
}

pub(super) fn of_file(number: u32) -> Bytes32 {
    named(&format!("digest {number}"))
}
