//! Credit, committees and turns from a list of plain facts. [COM-1] to [COM-7] [COM-9]
//!
//! Beside `committees.md`, section "Rules in order": every view of a gap is walked, every seat is
//! looked for in a list, every set is built again when it is asked for. The table of amounts is a
//! value, so that the simulation can try others.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest as _, Sha256};

use super::mirror::Bytes32;

/// Section "Amounts".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Table {
    /// START, for each point.
    pub start: i64,
    /// BLOCK.
    pub block: i64,
    /// AUDIT.
    pub audit: i64,
    /// SERVICE.
    pub service: i64,
    /// MISS.
    pub miss: i64,
    /// ABSENCE.
    pub absence: i64,
    /// FRAUD.
    pub fraud: i64,
    /// The upper end.
    pub most: i64,
    /// THRESHOLD.
    pub threshold: i64,
    /// Missed turns charged in an epoch, at most.
    pub misses: u32,
    /// Services credited in an epoch, at most.
    pub services: u32,
}

/// The table of the spec.
pub const TABLE: Table = Table {
    start: 500,
    block: 100,
    audit: 1,
    service: 10,
    miss: -200,
    absence: -200,
    fraud: -200_000,
    most: 100_000,
    threshold: -60_000,
    misses: 2,
    services: 10,
};

/// Who joins, at the start or later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Joining {
    /// Id.
    pub id: u32,
    /// Key.
    pub key: Bytes32,
    /// Whether the key is a point of the curve and not of small order.
    pub key_is_sound: bool,
    /// Points.
    pub rating: u8,
    /// Size of the information centre.
    pub centre: u32,
}

/// An offence with the number of its kind, 1 to 7 for E1 to E7.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Offence {
    /// Who.
    pub institution: u32,
    /// In which epoch.
    pub epoch: u32,
    /// In which view.
    pub view: u64,
    /// What.
    pub kind: u8,
}

/// A service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Service {
    /// For which epoch.
    pub epoch: u32,
    /// Under which grant.
    pub grant: Bytes32,
    /// By whom.
    pub institution: u32,
}

/// What a block says about institutions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Block {
    /// Its view.
    pub view: u64,
    /// The view of its parent, 0 behind a freeze.
    pub parent_view: u64,
    /// Who signed it.
    pub producer: u32,
    /// Signers of the parent's certificate, if it carries that.
    pub certificate: Option<Vec<u32>>,
    /// Its evidence.
    pub offences: Vec<Offence>,
    /// Its receipts of service.
    pub services: Vec<Service>,
    /// Who joins.
    pub joining: Vec<Joining>,
}

/// Why credit changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Joined.
    Joined,
    /// Block.
    Block,
    /// Missed turn.
    Miss,
    /// Audit.
    Audit,
    /// Offence of a kind.
    Offence(u8),
    /// Service.
    Service,
    /// Absence.
    Absence,
}

/// Institution, cause, amount.
pub type Change = (u32, Why, i64);

/// What a freeze did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Freeze {
    /// Absences.
    pub changes: Vec<Change>,
    /// Who lost a seat.
    pub expelled: Vec<u32>,
    /// Who became producer.
    pub promoted: Vec<u32>,
    /// Who became auditor.
    pub seated: Vec<u32>,
    /// Whose expulsion waits.
    pub queued: Vec<u32>,
}

/// Seats of one epoch, by id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seats {
    /// The epoch.
    pub epoch: u32,
    /// Seat that leads view 1.
    pub offset: u64,
    /// Producers.
    pub producers: Vec<u32>,
    /// Auditors.
    pub auditors: Vec<u32>,
}

/// Everything after some blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// The amounts.
    pub table: Table,
    /// Seats that the genesis names.
    pub named: (u16, u16),
    /// The open epoch's seats.
    pub seats: Seats,
    /// The seats before.
    pub before: Option<Seats>,
    /// Who joined, by id.
    pub joined: BTreeMap<u32, Joining>,
    /// Credit by id.
    pub credit: BTreeMap<u32, i64>,
    /// Counters by id, in the order of the drawing.
    pub counters: BTreeMap<u32, [u64; 7]>,
    /// Barred ids.
    pub barred: BTreeSet<u32>,
    /// Everything charged in all epochs.
    pub charged: BTreeSet<Offence>,
    /// Everything served in all epochs.
    pub served: BTreeSet<(u32, Bytes32)>,
    /// Misses charged, services credited and audits of the open epoch, by id.
    pub open: BTreeMap<u32, [u32; 3]>,
    /// Certificates carried in the open epoch.
    pub certificates: u32,
}

impl State {
    /// Section "COM-1" and "COM-2".
    #[must_use]
    pub fn found(table: Table, founders: &[Joining], producers: u16, auditors: u16) -> Self {
        let mut order = founders.to_vec();
        order.sort_by_key(|one| (-i16::from(one.rating), -i64::from(one.centre), one.id));
        let ids: Vec<u32> = order.iter().map(|one| one.id).collect();
        let (producing, others) = ids.split_at(producers.into());
        let seats = Seats {
            epoch: 0,
            offset: 0,
            producers: producing.to_vec(),
            auditors: others[..usize::from(auditors)].to_vec(),
        };
        let mut state = Self {
            table,
            named: (producers, auditors),
            seats,
            before: None,
            joined: BTreeMap::new(),
            credit: BTreeMap::new(),
            counters: BTreeMap::new(),
            barred: BTreeSet::new(),
            charged: BTreeSet::new(),
            served: BTreeSet::new(),
            open: BTreeMap::new(),
            certificates: 0,
        };
        founders.iter().for_each(|one| state.join(one));
        state
    }

    fn join(&mut self, one: &Joining) {
        self.joined.insert(one.id, *one);
        self.credit.insert(one.id, self.table.start * i64::from(one.rating));
        self.counters.insert(one.id, [0; 7]);
    }

    /// Who leads a view.
    #[must_use]
    pub fn leader(&self, view: u64) -> u32 {
        let Seats { offset, producers, .. } = &self.seats;
        producers[index((u128::from(*offset) + u128::from(view) - 1) % wide(producers.len()))]
    }

    /// Whether the rules refuse the block.
    #[must_use]
    pub fn refuses(&self, block: &Block) -> bool {
        let epoch = self.seats.epoch;
        let is_reportable = |of: u32| of == epoch || of + 1 == epoch;
        if block.view <= block.parent_view || self.leader(block.view) != block.producer {
            return true;
        }
        if let Some(signers) = &block.certificate {
            let ordered: Vec<u32> =
                self.seats.auditors.iter().copied().filter(|id| signers.contains(id)).collect();
            if block.parent_view == 0 || ordered != *signers {
                return true;
            }
        }
        let mut charged = self.charged.clone();
        for offence in &block.offences {
            let known = self.joined.contains_key(&offence.institution);
            if !known || !is_reportable(offence.epoch) || !charged.insert(*offence) {
                return true;
            }
        }
        let mut served = self.served.clone();
        for service in &block.services {
            let known = self.joined.contains_key(&service.institution);
            let is_new = served.insert((service.epoch, service.grant));
            if !known || !is_reportable(service.epoch) || !is_new {
                return true;
            }
        }
        let mut joined = self.joined.clone();
        for one in &block.joining {
            let key_taken = joined.values().any(|other| other.key == one.key);
            if key_taken || !one.key_is_sound || one.rating > 100 {
                return true;
            }
            if joined.insert(one.id, *one).is_some() {
                return true;
            }
        }
        false
    }

    fn pay(&mut self, id: u32, why: Why, amount: i64, changes: &mut Vec<Change>) {
        let old = self.credit[&id];
        let new = (old + amount).min(self.table.most);
        self.credit.insert(id, new);
        if new != old {
            changes.push((id, why, new - old));
        }
    }

    fn add(&mut self, id: u32, counter: usize) {
        self.counters.entry(id).or_default()[counter] += 1;
    }

    /// Section "One block".
    pub fn block(&mut self, block: &Block) -> Vec<Change> {
        let (table, mut changes) = (self.table, Vec::new());
        self.add(block.producer, 0);
        if block.certificate.is_some() || block.parent_view == 0 {
            self.pay(block.producer, Why::Block, table.block, &mut changes);
        }
        let missed: Vec<u32> =
            (block.parent_view + 1..block.view).map(|view| self.leader(view)).collect();
        let mut order: Vec<u32> = Vec::new();
        for id in &missed {
            self.add(*id, 1);
            if !order.contains(id) {
                order.push(*id);
            }
        }
        for id in order {
            for _ in missed.iter().filter(|other| **other == id) {
                if self.open.entry(id).or_default()[0] < table.misses {
                    self.open.entry(id).or_default()[0] += 1;
                    self.pay(id, Why::Miss, table.miss, &mut changes);
                }
            }
        }
        if let Some(signers) = &block.certificate {
            self.certificates += 1;
            for id in signers {
                self.add(*id, 3);
                self.open.entry(*id).or_default()[2] += 1;
                self.pay(*id, Why::Audit, table.audit, &mut changes);
            }
        }
        for offence in &block.offences {
            self.charged.insert(*offence);
            self.barred.insert(offence.institution);
            let counter = match offence.kind {
                5 => 2,
                6 => 4,
                _ => 5,
            };
            self.add(offence.institution, counter);
            self.pay(offence.institution, Why::Offence(offence.kind), table.fraud, &mut changes);
        }
        for service in &block.services {
            self.served.insert((service.epoch, service.grant));
            self.add(service.institution, 6);
            if self.open.entry(service.institution).or_default()[1] < table.services {
                self.open.entry(service.institution).or_default()[1] += 1;
                self.pay(service.institution, Why::Service, table.service, &mut changes);
            }
        }
        for one in &block.joining {
            self.join(one);
            if self.credit[&one.id] != 0 {
                changes.push((one.id, Why::Joined, self.credit[&one.id]));
            }
        }
        changes
    }

    fn is_guilty(&self, id: u32) -> bool {
        self.barred.contains(&id) || self.credit[&id] < self.table.threshold
    }

    /// Of these the innocent one with the most credit, then the lowest id.
    fn best(&self, ids: impl Iterator<Item = u32>) -> Option<u32> {
        let mut innocent: Vec<(i64, u32)> =
            ids.filter(|id| !self.is_guilty(*id)).map(|id| (-self.credit[&id], id)).collect();
        innocent.sort_unstable();
        innocent.first().map(|(_, id)| *id)
    }

    fn outsider(&self, now: &Seats) -> Option<u32> {
        let sits = |id: &u32| now.producers.contains(id) || now.auditors.contains(id);
        self.best(self.joined.keys().copied().filter(|id| !sits(id)))
    }

    fn refill(&self, now: &mut Seats, at: usize, freeze: &mut Freeze) -> bool {
        if let Some(outsider) = self.outsider(now) {
            now.auditors[at] = outsider;
            freeze.seated.push(outsider);
            return true;
        }
        let is_spare = now.auditors.len() > 4;
        if is_spare {
            now.auditors.remove(at);
        }
        is_spare
    }

    fn riser(&self, now: &Seats) -> Option<u32> {
        let ending = &self.seats.auditors;
        self.best(now.auditors.iter().copied().filter(|id| ending.contains(id)))
    }

    /// Section "One freeze".
    pub fn freeze(&mut self, last_view: u64) -> Freeze {
        let mut freeze = Freeze::default();
        if self.certificates >= 10 {
            for id in self.seats.auditors.clone() {
                if self.open.entry(id).or_default()[2] * 3 < self.certificates {
                    let absence = self.table.absence;
                    self.pay(id, Why::Absence, absence, &mut freeze.changes);
                }
            }
        }
        let ending = self.seats.clone();
        let holders = || ending.producers.iter().chain(&ending.auditors).copied();
        let mut guilty: Vec<(bool, i64, u32)> = holders()
            .filter(|id| self.is_guilty(*id))
            .map(|id| (!self.barred.contains(&id), self.credit[&id], id))
            .collect();
        guilty.sort_unstable();
        let mut left = 6.min((ending.auditors.len() - 1) / 3);
        let mut now = ending.clone();
        let mut turn = index(
            (u128::from(ending.offset) + u128::from(last_view)) % wide(ending.producers.len()),
        );
        for (_, _, id) in guilty {
            let mut moved = now.clone();
            let mut trial = freeze.clone();
            let mut turned = turn;
            let done = if let Some(seat) = now.producers.iter().position(|other| *other == id) {
                let riser = self.riser(&now).filter(|riser| {
                    let at = now.auditors.iter().position(|other| other == riser).unwrap_or(0);
                    trial.promoted.push(*riser);
                    self.refill(&mut moved, at, &mut trial)
                });
                match riser {
                    Some(riser) => {
                        moved.producers[seat] = riser;
                        true
                    }
                    None => {
                        (moved, trial) = (now.clone(), freeze.clone());
                        moved.producers.remove(seat);
                        turned = if seat < turn { turn - 1 } else { turn };
                        !moved.producers.is_empty()
                    }
                }
            } else {
                let at = now.auditors.iter().position(|other| *other == id);
                at.is_some_and(|at| self.refill(&mut moved, at, &mut trial))
            };
            if left > 0 && done {
                left -= 1;
                (now, freeze, turn) = (moved, trial, turned);
                freeze.expelled.push(id);
            } else {
                freeze.queued.push(id);
            }
        }
        while left > 0 && now.auditors.len() < usize::from(self.named.1) {
            let Some(outsider) = self.outsider(&now) else { break };
            now.auditors.push(outsider);
            freeze.seated.push(outsider);
            left -= 1;
        }
        while left > 0 && now.producers.len() < usize::from(self.named.0) {
            let (Some(riser), Some(_)) = (self.riser(&now), self.outsider(&now)) else { break };
            let at = now.auditors.iter().position(|other| *other == riser).unwrap_or(0);
            freeze.promoted.push(riser);
            self.refill(&mut now, at, &mut freeze);
            now.producers.push(riser);
            left -= 1;
        }
        now.epoch += 1;
        now.offset = u64::try_from(turn % now.producers.len()).unwrap_or(0);
        self.seats = now;
        self.before = Some(ending);
        self.open.clear();
        self.certificates = 0;
        freeze
    }

    fn seats_bytes(&self, seats: &Seats) -> Vec<u8> {
        let mut bytes = [&seats.epoch.to_le_bytes()[..], &seats.offset.to_le_bytes()].concat();
        for committee in [&seats.producers, &seats.auditors] {
            bytes.extend(count(committee.len()));
            for id in committee {
                bytes.extend(id.to_le_bytes());
                bytes.extend(self.joined[id].key);
            }
        }
        bytes
    }

    /// Section "Digests": the committees digest.
    #[must_use]
    pub fn digest(&self) -> Bytes32 {
        let seats = hash(&[b"MSEA\x01", &self.seats_bytes(&self.seats)]);
        let mut institutions = count(self.joined.len()).to_vec();
        for one in self.joined.values() {
            institutions.extend(one.id.to_le_bytes());
            institutions.extend(one.key);
            institutions.push(one.rating);
            institutions.extend(one.centre.to_le_bytes());
        }
        hash(&[b"MROS\x01", &seats, &hash(&[b"MINS\x01", &institutions])])
    }

    /// Section "Digests": the state.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = [self.named.0.to_le_bytes(), self.named.1.to_le_bytes()].concat();
        bytes.extend(self.seats_bytes(&self.seats));
        match &self.before {
            None => bytes.push(0),
            Some(before) => {
                bytes.push(1);
                bytes.extend(self.seats_bytes(before));
            }
        }
        bytes.extend(count(self.joined.len()));
        for (id, one) in &self.joined {
            bytes.extend(id.to_le_bytes());
            bytes.extend(one.key);
            bytes.push(one.rating);
            bytes.extend(one.centre.to_le_bytes());
            bytes.extend(self.credit[id].to_le_bytes());
            self.counters[id].iter().for_each(|counter| bytes.extend(counter.to_le_bytes()));
            bytes.push(self.barred.contains(id).into());
            let open = self.open.get(id).copied().unwrap_or_default();
            open.iter().for_each(|counter| bytes.extend(counter.to_le_bytes()));
        }
        bytes.extend(self.certificates.to_le_bytes());
        let is_recent = |epoch: u32| epoch + 1 >= self.seats.epoch;
        let charged: Vec<_> = self.charged.iter().filter(|one| is_recent(one.epoch)).collect();
        bytes.extend(count(charged.len()));
        for one in charged {
            bytes.extend(one.institution.to_le_bytes());
            bytes.extend(one.epoch.to_le_bytes());
            bytes.extend(one.view.to_le_bytes());
            bytes.push(one.kind);
        }
        let served: Vec<_> = self.served.iter().filter(|(epoch, _)| is_recent(*epoch)).collect();
        bytes.extend(count(served.len()));
        for (epoch, grant) in served {
            bytes.extend(epoch.to_le_bytes());
            bytes.extend(grant);
        }
        bytes
    }
}

fn hash(parts: &[&[u8]]) -> Bytes32 {
    Sha256::digest(parts.concat()).into()
}

fn count(elements: usize) -> [u8; 4] {
    u32::try_from(elements).unwrap_or(u32::MAX).to_le_bytes()
}

fn wide(elements: usize) -> u128 {
    u128::try_from(elements).unwrap_or(1)
}

fn index(value: u128) -> usize {
    usize::try_from(value).unwrap_or(0)
}
