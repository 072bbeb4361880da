//! One sharing, act by act, each as a booked record. [PRE-3] [PRE-4] [PRE-5] [PRE-7] [PRE-8]

use mdsm_core::access::{
    Act, Bid, Choice, Confirmation, Delivery, Dispute, Finding, Grant, Request, Revocation,
};
use mdsm_core::consensus::Rules;
use mdsm_core::ledger::{Service, ServiceKind};
use mdsm_core::node::Event;
use mdsm_core::types::{
    Digest, Epoch, Height, InstitutionId, Map, OwnerId, RecordId, Set, Signature,
};

use super::Action;
use super::users::Users;
use crate::seed::Draw as _;

/// Blocks for which a grant holds.
const GRANT_BLOCKS: u64 = 400;
/// Epochs for which a service is confirmed.
const EPOCHS: u32 = 3;

/// A sharing and how far it has come.
#[derive(Debug)]
pub(super) struct Deal {
    file: RecordId,
    owner: OwnerId,
    reader: OwnerId,
    stage: Stage,
    /// The record that has to be booked first.
    waits_for: RecordId,
    grant: RecordId,
    delivered: Digest,
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    Ask,
    Grant,
    Bid,
    Choose(InstitutionId),
    Deliver(InstitutionId),
    /// From this epoch on the service counts.
    Confirm(InstitutionId, Option<Epoch>),
    Settle,
}

impl Deal {
    pub(super) fn new(file: RecordId, owner: OwnerId, reader: OwnerId) -> Self {
        let delivered = Digest::new([0; 32]);
        Self { file, owner, reader, stage: Stage::Ask, waits_for: file, grant: file, delivered }
    }

    /// Does the next step if the one before is booked; false when nothing is left to do.
    pub(super) fn go_on<R: Rules + 'static>(
        &mut self,
        users: &mut Users<R>,
        out: &mut Vec<Action<R>>,
    ) -> bool {
        let (is_booked, height, epoch) = {
            let board = users.setup.board.borrow();
            (board.booked.contains_key(&self.waits_for), board.height, board.epoch)
        };
        if !is_booked {
            return true;
        }
        match self.stage {
            Stage::Ask => {
                let records = Set::new([self.file].into()).unwrap_or_default();
                let (reader_key, offer) = (users.digest(), users.digest());
                let act = Request { owner: self.owner, reader_key, offer, records };
                self.book(Act::Request(act), self.reader, Stage::Grant, users, out);
            }
            Stage::Grant => {
                let files = self.files(users);
                let until = Height::new(height.get() + GRANT_BLOCKS);
                let act =
                    Grant { request: self.waits_for, owner_key: users.digest(), until, files };
                self.book(Act::Grant(act), self.owner, Stage::Bid, users, out);
                self.grant = self.waits_for;
            }
            Stage::Bid => {
                let seats = users.setup.board.borrow().seats.clone();
                if seats.is_empty() {
                    return true;
                }
                let bidder = *users.random.pick(&seats);
                let key = users.setup.keys.institution(bidder);
                let act = Bid { grant: self.grant, parcels: users.digest() };
                self.book(Act::Bid(act), key, Stage::Choose(bidder), users, out);
            }
            Stage::Choose(institution) => {
                let (rekey, parcel) = (users.digest(), users.digest());
                let act = Choice { grant: self.grant, institution, rekey, parcel };
                self.book(Act::Choice(act), self.owner, Stage::Deliver(institution), users, out);
            }
            Stage::Deliver(institution) => {
                let files = self.files(users);
                self.delivered = files.values().next().copied().unwrap_or(self.delivered);
                let key = users.setup.keys.institution(institution);
                let act = Delivery { grant: self.grant, files };
                self.book(Act::Delivery(act), key, Stage::Confirm(institution, None), users, out);
            }
            Stage::Confirm(institution, None) => {
                self.stage = Stage::Confirm(institution, Some(epoch));
            }
            Stage::Confirm(institution, Some(since)) => {
                // Judged by the acts of the epochs before.
                if epoch > since {
                    let service = self.service(institution, epoch, users);
                    users.tell(Event::Service(service), out);
                }
                if epoch.get() >= since.get() + EPOCHS {
                    return self.end(users, out);
                }
            }
            Stage::Settle => {
                let finding = *users.random.pick(&[Finding::Wrong, Finding::Sound]);
                let act = Act::Confirmation(Confirmation { grant: self.grant, finding });
                self.book(act, self.owner, Stage::Settle, users, out);
                return false;
            }
        }
        true
    }

    /// Takes the grant back, or disputes what was delivered.
    fn end<R: Rules + 'static>(&mut self, users: &mut Users<R>, out: &mut Vec<Action<R>>) -> bool {
        let grant = self.grant;
        if users.random.chance(1, 2) {
            let act = Act::Revocation(Revocation { grant });
            self.book(act, self.owner, Stage::Settle, users, out);
            return false;
        }
        let act = Act::Dispute(Dispute { grant, record: self.file, delivery: self.delivered });
        self.book(act, self.reader, Stage::Settle, users, out);
        true
    }

    fn files<R: Rules + 'static>(&self, users: &mut Users<R>) -> mdsm_core::access::Files {
        Map::new([(self.file, users.digest())].into()).unwrap_or_default()
    }

    fn book<R: Rules + 'static>(
        &mut self,
        act: Act,
        signer: OwnerId,
        next: Stage,
        users: &mut Users<R>,
        out: &mut Vec<Action<R>>,
    ) {
        if let Ok(record) = act.to_record(signer, users.clock()) {
            self.waits_for = users.submit(record, signer, true, out);
            self.stage = next;
        }
    }

    fn service<R: Rules + 'static>(
        &self,
        institution: InstitutionId,
        epoch: Epoch,
        users: &Users<R>,
    ) -> Service {
        let unsigned = Service {
            grant: self.grant,
            epoch,
            institution,
            kind: ServiceKind::Reencryption,
            client: self.owner,
            signature: Signature::new([0; 64]),
        };
        let message = unsigned.message(&users.setup.chain_id());
        Service { signature: users.setup.keys.sign(&self.owner, &message), ..unsigned }
    }
}
