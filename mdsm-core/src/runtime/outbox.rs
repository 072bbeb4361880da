//! What leaves an institution once everything before it is stored.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::driver::LiveNode;
use super::links::Links;
use super::order::Answer;
use crate::anchoring::machine;
use crate::codec::Wire;
use crate::consensus::Audience;
use crate::ledger::{Content, Envelope};
use crate::node::limits::FORWARD_RECORDS_MAX;
use crate::node::{Message, Refusal, ServiceState, Wanted};
use crate::params::METADATA_BYTES_MAX;
use crate::types::{InstitutionId, RecordId};

/// Encoded bytes of records in one message, at most: a thousand large records would be more than a link
/// carries in one. What fits a core's own cache is copied on from there for less.
const RECORDS_BYTES_MAX: usize = 512 * 1_024;
/// Encoded bytes of an envelope beside its content, at most: metadata, key, signature and a few numbers.
const BESIDE_CONTENT_BYTES_MAX: usize = METADATA_BYTES_MAX + 256;

/// Something that leaves.
pub(super) enum Outgoing {
    Message(Arc<[InstitutionId]>, Message),
    Answer(Answer, Result<RecordId, Refusal>),
    Report(oneshot::Sender<Option<ServiceState>>, Option<ServiceState>),
    Serve(InstitutionId, Wanted),
    Anchor(machine::Effect),
}

/// What waits to leave, in order.
pub(super) struct Outbox<L> {
    me: InstitutionId,
    links: L,
    others: Arc<[InstitutionId]>,
    waiting: Vec<Outgoing>,
    /// Where the last message stands among them.
    last: Option<usize>,
}

impl<L: Links> Outbox<L> {
    pub(super) fn new(me: InstitutionId, links: L, others: Vec<InstitutionId>) -> Self {
        Self { me, links, others: others.into(), waiting: Vec::new(), last: None }
    }

    pub(super) fn connected(&self) -> usize {
        self.links.connected()
    }

    pub(super) fn extend(&mut self, outgoing: impl IntoIterator<Item = Outgoing>) {
        self.waiting.extend(outgoing);
    }

    pub(super) fn take(&mut self) -> Vec<Outgoing> {
        self.last = None;
        std::mem::take(&mut self.waiting)
    }

    /// To everybody who is enrolled: who has no seat keeps a full client.
    pub(super) fn everyone(&mut self, message: Message) {
        self.push(self.others.clone(), message);
    }

    fn push(&mut self, to: Arc<[InstitutionId]>, message: Message) {
        self.last = Some(self.waiting.len());
        self.waiting.push(Outgoing::Message(to, message));
    }

    pub(super) fn send(&mut self, to: Audience, message: Message, node: &LiveNode) {
        let to: Arc<[InstitutionId]> = match to {
            Audience::Everyone => self.others.clone(),
            Audience::One(one) if one == self.me => return,
            Audience::One(one) => Arc::new([one]),
            Audience::Auditors { and } => {
                let seats = &node.consensus().committees().auditors;
                let mut to: Vec<InstitutionId> =
                    seats.iter().map(|seat| seat.institution).collect();
                to.push(and);
                to.sort_unstable();
                to.dedup();
                to.retain(|one| *one != self.me);
                to.into()
            }
        };
        // A record that is accepted goes to the leader; those of one turn of the driver go together.
        if let (Some(Outgoing::Message(before, Message::Records(waiting))), Message::Records(more)) =
            (self.last.and_then(|last| self.waiting.get_mut(last)), &message)
            && *before == to
            && waiting.len() + more.len() <= FORWARD_RECORDS_MAX
        {
            waiting.extend_from_slice(more);
            return;
        }
        self.push(to, message);
    }

    /// Hands a message to the links.
    pub(super) fn deliver(&self, to: &[InstitutionId], message: &Message) {
        for bytes in encoded(message) {
            let bytes: Arc<[u8]> = bytes.into();
            to.iter().for_each(|one| self.links.send(*one, bytes.clone()));
        }
    }
}

/// The bytes of a message; records in as many as it takes.
fn encoded(message: &Message) -> Vec<Vec<u8>> {
    let Message::Records(records) = message else { return vec![message.to_bytes()] };
    let bytes_of = |envelope: &Envelope| match envelope.record.content() {
        Content::Inline(content) => BESIDE_CONTENT_BYTES_MAX + content.len(),
        Content::Stored(_) => BESIDE_CONTENT_BYTES_MAX,
    };
    let (mut parts, mut part, mut bytes) = (Vec::new(), Vec::new(), 0);
    let mut end = |part: &mut Vec<_>, bytes| {
        parts.push(Message::Records(std::mem::take(part)).to_bytes_within(bytes));
    };
    for record in records {
        let more = bytes_of(record);
        if !part.is_empty() && bytes + more > RECORDS_BYTES_MAX {
            end(&mut part, bytes);
            bytes = 0;
        }
        bytes += more;
        part.push(record.clone());
    }
    if !part.is_empty() {
        end(&mut part, bytes);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::sign::SigningKey;
    use crate::ledger::{MediaType, Metadata, Record, ResourceType};
    use crate::types::{ChainId, Timestamp};

    #[test]
    fn many_records_leave_in_messages_of_bounded_size() {
        let (owner, chain) = (SigningKey::from_seed(&[1; 32]), ChainId::new([2; 32]));
        let record = |bytes: usize| {
            let kind = ResourceType::new("Binary").unwrap();
            let media = MediaType::new("text/plain").unwrap();
            let metadata = Metadata::new(kind, media, Timestamp::new(0), bytes as u64);
            let content = Content::inline(vec![0x20; bytes]).unwrap();
            let record = Record::new(owner.owner(), metadata, content).unwrap();
            Arc::new(Envelope::sign(record, &chain, &owner, InstitutionId::new(1)))
        };
        let records: Vec<_> =
            (0..40_usize).map(|number| record(100_000 - 2_000 * number)).collect();
        let bytes: usize = records.iter().map(|one| one.to_bytes().len()).sum();
        let parts = encoded(&Message::Records(records.clone()));
        assert!(parts.iter().all(|part| part.len() <= RECORDS_BYTES_MAX));
        // No more than it takes: two neighbours do not fit into one.
        assert!(parts.len() <= 2 * bytes.div_ceil(RECORDS_BYTES_MAX), "{}", parts.len());
        let mut found = Vec::new();
        for part in parts {
            match Message::from_bytes(&part).unwrap() {
                Message::Records(mut records) => found.append(&mut records),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(found, records, "all of them, in order");
        assert_eq!(encoded(&Message::Records(Vec::new())), Vec::<Vec<u8>>::new());
    }
}
