//! The roster of `rules`, step by step again, with a mistake where one belongs.

use std::cmp::Reverse;

use crate::rules::roster::{Block, Change, Freeze, Joining, Seats, State, TABLE, Table, Why};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Bug {
    None,
    BlockFree,
    AuditFree,
    ServiceFree,
    MissPaid,
    FraudCheap,
    StartEqual,
    FloorZero,
    NoCeiling,
    MissesUncapped,
    ServicesUncapped,
    CertificateOptional,
    MissToProducer,
    GapOnce,
    EverybodyAudits,
    AbsenceHalf,
    AbsenceAlways,
    OffenceTwice,
    ServiceTwice,
    OffenceOld,
    BarsNobody,
    MissBars,
    AnyLeader,
    SignersAnyOrder,
    OutsiderSigns,
    KeyShared,
    IdTaken,
    RatingUnbounded,
    SmallOrderKey,
    ThresholdInclusive,
    TieHighest,
    WorstPromoted,
    OutsiderPromoted,
    SeatTieHighest,
    SeatLeftEmpty,
    AuditorsStay,
    ChangesUnbounded,
    ChangesSix,
    FraudWaits,
    LastFourGo,
    SeatsNeverReturn,
    GuiltyPromoted,
    TurnsRestart,
    LastLeadsAgain,
    RankByCentre,
    RankTieHighest,
}

impl Bug {
    fn table(self) -> Table {
        match self {
            Self::BlockFree => Table { block: 0, ..TABLE },
            Self::AuditFree => Table { audit: 0, ..TABLE },
            Self::ServiceFree => Table { service: 0, ..TABLE },
            Self::MissPaid => Table { miss: -TABLE.miss, ..TABLE },
            Self::FraudCheap => Table { fraud: TABLE.miss, ..TABLE },
            Self::NoCeiling => Table { most: i64::MAX, ..TABLE },
            Self::MissesUncapped => Table { misses: u32::MAX, ..TABLE },
            Self::ServicesUncapped => Table { services: u32::MAX, ..TABLE },
            Self::ThresholdInclusive => Table { threshold: TABLE.threshold + 1, ..TABLE },
            _ => TABLE,
        }
    }
}

/// A roster with a mistake.
pub(super) struct Wrong {
    bug: Bug,
    pub(super) state: State,
}

impl Wrong {
    pub(super) fn found(bug: Bug, founders: &[Joining], producers: u16, auditors: u16) -> Self {
        let state = State::found(bug.table(), founders, producers, auditors);
        let mut order = founders.to_vec();
        match bug {
            Bug::RankByCentre => {
                order.sort_by_key(|one| (Reverse((one.centre, one.rating)), one.id))
            }
            Bug::RankTieHighest => {
                order.sort_by_key(|one| Reverse((one.rating, one.centre, one.id)));
            }
            _ => order.sort_by_key(|one| (Reverse((one.rating, one.centre)), one.id)),
        }
        let mut ids = order.iter().map(|one| one.id);
        let mut wrong = Self { bug, state };
        wrong.state.seats.producers = ids.by_ref().take(producers.into()).collect();
        wrong.state.seats.auditors = ids.take(auditors.into()).collect();
        founders.iter().for_each(|one| wrong.start(one));
        wrong
    }

    fn start(&mut self, one: &Joining) {
        let points = if self.bug == Bug::StartEqual { 50 } else { i64::from(one.rating) };
        self.state.joined.insert(one.id, *one);
        self.state.credit.insert(one.id, self.state.table.start * points);
        self.state.counters.insert(one.id, [0; 7]);
    }

    pub(super) fn refuses(&self, block: &Block) -> bool {
        let state = &self.state;
        let is_reportable = |of: u32| of == state.seats.epoch || of + 1 == state.seats.epoch;
        let is_leader = state.leader(block.view) == block.producer || self.bug == Bug::AnyLeader;
        if block.view <= block.parent_view || !is_leader {
            return true;
        }
        if let Some(signers) = &block.certificate {
            let auditors = state.seats.auditors.iter().copied();
            let ordered: Vec<u32> = auditors.filter(|id| signers.contains(id)).collect();
            let is_sound = match self.bug {
                Bug::SignersAnyOrder => {
                    let mut sorted = (ordered, signers.clone());
                    sorted.0.sort_unstable();
                    sorted.1.sort_unstable();
                    sorted.0 == sorted.1
                }
                Bug::OutsiderSigns => signers.iter().all(|id| state.joined.contains_key(id)),
                _ => ordered == *signers,
            };
            if block.parent_view == 0 || !is_sound {
                return true;
            }
        }
        let mut charged = state.charged.clone();
        for offence in &block.offences {
            let is_known = state.joined.contains_key(&offence.institution);
            let is_new = charged.insert(*offence) || self.bug == Bug::OffenceTwice;
            let is_old = self.bug == Bug::OffenceOld && offence.epoch <= state.seats.epoch;
            if !is_known || !is_reportable(offence.epoch) && !is_old || !is_new {
                return true;
            }
        }
        let mut served = state.served.clone();
        let mut by_whom: Vec<(u32, [u8; 32], u32)> = Vec::new();
        for service in &block.services {
            let is_known = state.joined.contains_key(&service.institution);
            let mut is_new = served.insert((service.epoch, service.grant));
            if self.bug == Bug::ServiceTwice {
                let named = (service.epoch, service.grant, service.institution);
                is_new |= !by_whom.contains(&named);
                by_whom.push(named);
            }
            if !is_known || !is_reportable(service.epoch) || !is_new {
                return true;
            }
        }
        let mut joined = state.joined.clone();
        for one in &block.joining {
            let is_taken = joined.values().any(|other| other.key == one.key);
            let is_sound = one.key_is_sound || self.bug == Bug::SmallOrderKey;
            let is_rating = one.rating <= 100 || self.bug == Bug::RatingUnbounded;
            let is_key = !is_taken || self.bug == Bug::KeyShared;
            let is_id = joined.insert(one.id, *one).is_none() || self.bug == Bug::IdTaken;
            if !is_key || !is_sound || !is_rating || !is_id {
                return true;
            }
        }
        false
    }

    fn pay(&mut self, id: u32, why: Why, amount: i64, changes: &mut Vec<Change>) {
        let old = self.state.credit.get(&id).copied().unwrap_or_default();
        let mut new = old.saturating_add(amount).min(self.state.table.most);
        if self.bug == Bug::FloorZero {
            new = new.max(0);
        }
        self.state.credit.insert(id, new);
        if new != old {
            changes.push((id, why, new - old));
        }
    }

    fn add(&mut self, id: u32, counter: usize) {
        self.state.counters.entry(id).or_default()[counter] += 1;
    }

    /// Section "One block".
    pub(super) fn block(&mut self, block: &Block) -> Vec<Change> {
        let (table, bug, mut changes) = (self.state.table, self.bug, Vec::new());
        self.add(block.producer, 0);
        let is_whole = block.certificate.is_some() || block.parent_view == 0;
        if is_whole || bug == Bug::CertificateOptional {
            self.pay(block.producer, Why::Block, table.block, &mut changes);
        }
        let skipped = block.parent_view + 1..block.view;
        let mut missed: Vec<u32> = match bug {
            Bug::MissToProducer => skipped.map(|_| block.producer).collect(),
            _ => skipped.map(|view| self.state.leader(view)).collect(),
        };
        if bug == Bug::GapOnce {
            missed.truncate(1);
        }
        for id in missed {
            self.add(id, 1);
            let open = self.state.open.entry(id).or_default();
            if open[0] < table.misses {
                open[0] += 1;
                if bug == Bug::MissBars && open[0] == table.misses {
                    self.state.barred.insert(id);
                }
                self.pay(id, Why::Miss, table.miss, &mut changes);
            }
        }
        if let Some(signers) = &block.certificate {
            self.state.certificates += 1;
            let all = self.state.seats.auditors.clone();
            for id in if bug == Bug::EverybodyAudits { &all } else { signers } {
                self.add(*id, 3);
                self.state.open.entry(*id).or_default()[2] += 1;
                self.pay(*id, Why::Audit, table.audit, &mut changes);
            }
        }
        for offence in &block.offences {
            self.state.charged.insert(*offence);
            if bug != Bug::BarsNobody {
                self.state.barred.insert(offence.institution);
            }
            let counter = match offence.kind {
                5 => 2,
                6 => 4,
                _ => 5,
            };
            self.add(offence.institution, counter);
            self.pay(offence.institution, Why::Offence(offence.kind), table.fraud, &mut changes);
        }
        for service in &block.services {
            self.state.served.insert((service.epoch, service.grant));
            self.add(service.institution, 6);
            let open = self.state.open.entry(service.institution).or_default();
            if open[1] < table.services {
                open[1] += 1;
                self.pay(service.institution, Why::Service, table.service, &mut changes);
            }
        }
        for one in &block.joining {
            self.start(one);
            changes.push((one.id, Why::Joined, self.state.credit[&one.id]));
        }
        changes
    }

    fn is_guilty(&self, id: u32) -> bool {
        let credit = self.state.credit.get(&id).copied().unwrap_or_default();
        self.state.barred.contains(&id) || credit < self.state.table.threshold
    }

    fn credit(&self, id: u32) -> i64 {
        self.state.credit.get(&id).copied().unwrap_or_default()
    }

    fn best(&self, ids: impl Iterator<Item = u32>, is_highest: bool) -> Option<u32> {
        let innocent = ids.filter(|id| !self.is_guilty(*id));
        if is_highest {
            return innocent.max_by_key(|id| (self.credit(*id), *id));
        }
        innocent.max_by_key(|id| (self.credit(*id), Reverse(*id)))
    }

    fn outsider(&self, now: &Seats) -> Option<u32> {
        let sits = |id: &u32| now.producers.contains(id) || now.auditors.contains(id);
        let outside = self.state.joined.keys().copied().filter(|id| !sits(id));
        self.best(outside, self.bug == Bug::SeatTieHighest)
    }

    fn refill(&self, now: &mut Seats, at: usize, freeze: &mut Freeze) -> bool {
        if let Some(outsider) = self.outsider(now) {
            now.auditors[at] = outsider;
            freeze.seated.push(outsider);
            return true;
        }
        let least = if self.bug == Bug::LastFourGo { 1 } else { 4 };
        let is_spare = now.auditors.len() > least;
        if is_spare {
            now.auditors.remove(at);
        }
        is_spare
    }

    fn riser(&self, now: &Seats) -> Option<u32> {
        let ending = &self.state.seats.auditors;
        let all = now.auditors.iter().copied().filter(|id| ending.contains(id));
        match self.bug {
            Bug::WorstPromoted => {
                let innocent = all.filter(|id| !self.is_guilty(*id));
                innocent.min_by_key(|id| (self.credit(*id), *id))
            }
            Bug::GuiltyPromoted => {
                let free = all.filter(|id| !self.state.barred.contains(id));
                free.max_by_key(|id| (self.credit(*id), Reverse(*id)))
            }
            bug => self.best(all, bug == Bug::TieHighest),
        }
    }

    /// A producer's seat is filled; says who rose.
    fn promote(&self, now: &mut Seats, freeze: &mut Freeze) -> Option<u32> {
        if self.bug == Bug::OutsiderPromoted {
            let outsider = self.outsider(now)?;
            freeze.promoted.push(outsider);
            return Some(outsider);
        }
        let riser = self.riser(now)?;
        let at = now.auditors.iter().position(|other| *other == riser)?;
        freeze.promoted.push(riser);
        if self.bug == Bug::SeatLeftEmpty && now.auditors.len() > 4 {
            now.auditors.remove(at);
            return Some(riser);
        }
        self.refill(now, at, freeze).then_some(riser)
    }

    fn guilty(&self) -> Vec<u32> {
        let seats = &self.state.seats;
        let auditors: &[u32] = if self.bug == Bug::AuditorsStay { &[] } else { &seats.auditors };
        let holders = seats.producers.iter().chain(auditors).copied();
        let mut guilty: Vec<u32> = holders.filter(|id| self.is_guilty(*id)).collect();
        let waits = |id: u32| self.bug != Bug::FraudWaits && !self.state.barred.contains(&id);
        guilty.sort_by_key(|id| (waits(*id), self.credit(*id), *id));
        guilty
    }

    /// Section "One freeze".
    pub(super) fn freeze(&mut self, last_view: u64) -> Freeze {
        let (bug, mut freeze) = (self.bug, Freeze::default());
        let ending = self.state.seats.clone();
        let certificates = self.state.certificates;
        if certificates >= 10 || bug == Bug::AbsenceAlways && certificates > 0 {
            let share = if bug == Bug::AbsenceHalf { 2 } else { 3 };
            for id in &ending.auditors {
                if self.state.open.entry(*id).or_default()[2] * share < certificates {
                    let absence = self.state.table.absence;
                    self.pay(*id, Why::Absence, absence, &mut freeze.changes);
                }
            }
        }
        let mut left = match bug {
            Bug::ChangesUnbounded => usize::MAX,
            Bug::ChangesSix => 6,
            _ => 6.min((ending.auditors.len().max(1) - 1) / 3),
        };
        let (mut now, seats) = (ending.clone(), ending.producers.len().max(1));
        let wide = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let step = if bug == Bug::LastLeadsAgain { last_view.max(1) - 1 } else { last_view };
        let turn = (ending.offset % wide(seats) + step % wide(seats)) % wide(seats);
        let mut turn = usize::try_from(turn).unwrap_or(0);
        for id in self.guilty() {
            let (mut moved, mut trial, mut turned) = (now.clone(), freeze.clone(), turn);
            let done = match now.producers.iter().position(|other| *other == id) {
                Some(seat) => match self.promote(&mut moved, &mut trial) {
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
                },
                None => {
                    let at = now.auditors.iter().position(|other| *other == id);
                    at.is_some_and(|at| self.refill(&mut moved, at, &mut trial))
                }
            };
            if left > 0 && done {
                left -= 1;
                (now, freeze, turn) = (moved, trial, turned);
                freeze.expelled.push(id);
            }
        }
        if bug != Bug::SeatsNeverReturn {
            self.fill(&mut now, &mut freeze, left);
        }
        now.epoch += 1;
        now.offset = match bug {
            Bug::TurnsRestart => 0,
            _ => wide(turn % now.producers.len().max(1)),
        };
        self.state.seats = now;
        self.state.before = Some(ending);
        self.state.open.clear();
        self.state.certificates = 0;
        freeze
    }

    /// Seats that went come back.
    fn fill(&self, now: &mut Seats, freeze: &mut Freeze, mut left: usize) {
        while left > 0 && now.auditors.len() < usize::from(self.state.named.1) {
            let Some(outsider) = self.outsider(now) else { break };
            now.auditors.push(outsider);
            freeze.seated.push(outsider);
            left -= 1;
        }
        while left > 0 && now.producers.len() < usize::from(self.state.named.0) {
            if self.outsider(now).is_none() {
                break;
            }
            let Some(riser) = self.promote(now, freeze) else { break };
            now.producers.push(riser);
            left -= 1;
        }
    }
}
