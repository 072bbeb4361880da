//! Random messages between nodes, valid for a decoder, and encodings of them with one fault each. [CON-7]

use rand_chacha::rand_core::Rng;

use super::spoil::{Push, replaced};
use super::values::{Scale, Values};
use crate::rules::agreement::{Subject, Vote, no_events};
use crate::rules::messages::Message;
use crate::rules::mirror::{Certificate, Content, Decision, Payload, Proposal};
use crate::rules::wire::{Mirror, body};
use crate::seed::Seed;

/// Bytes in front of what a message carries: tag, version, kind.
const HEAD: usize = 6;

impl<R: Rng> Values<'_, R> {
    /// A message of any kind.
    pub(super) fn message(&mut self) -> Message {
        let kind = self.one_to(15);
        self.message_of(kind)
    }

    fn message_of(&mut self, kind: u8) -> Message {
        match kind {
            1 => Message::Proposal(self.proposal()),
            2 => Message::Item(self.item()),
            3 => Message::Vote(self.signed_vote()),
            4 => Message::Certificate(self.certificate()),
            5 => Message::Ask { epoch: self.draw.next_u32(), view: self.draw.next_u64() },
            6 => Message::WantItems(self.digests(1, 1_024)),
            7 => Message::WantBlock(self.bytes()),
            8 => Message::WantAnchor(self.draw.next_u32()),
            9 => Message::WantDecision(self.draw.next_u64()),
            10 => Message::Decision(self.decision()),
            11 => Message::Acceptance(self.bytes()),
            12 => Message::Records((0..self.count(1, 20, 2)).map(|_| self.envelope()).collect()),
            13 => Message::Evidence(self.evidence()),
            14 => Message::Registration(self.registration()),
            _ => Message::Service(self.service()),
        }
    }
}

/// One message of each kind.
#[must_use]
pub fn of_each_kind(draw: &mut impl Rng) -> Vec<Message> {
    let mut values = Values::small(draw);
    (1..=15).map(|kind| values.message_of(kind)).collect()
}

/// Kinds that there are not, lists beyond their bounds, and faults in what a message carries.
pub(super) fn marked(sound: &Mirror, scale: Scale, push: Push<'_>) {
    let Mirror::Message(_) = sound else { return };
    let mut draw = Seed::new(0).stream("generate/messages/marked");
    let mut values = Values::small(&mut draw);
    let encoded = |message: Message| Mirror::from(message).encode();
    let idle = encoded(Message::WantBlock([1; 32]));
    push("message-0", replaced(&idle, HEAD - 1, &[0]));
    push("message-16", replaced(&idle, HEAD - 1, &[16]));
    push("message-255", replaced(&idle, HEAD - 1, &[255]));
    push("message-without-kind", idle[..HEAD - 1].to_vec());
    // One is longer than the other by what the kind says, so the bytes cannot stand for both.
    push("block-as-epoch", replaced(&idle, HEAD - 1, &[8]));
    let epoch = encoded(Message::WantAnchor(7));
    push("epoch-as-height", replaced(&epoch, HEAD - 1, &[9]));
    lists(&mut values, scale, push);
    carried(&mut values, push);
}

/// Counts of the two lists that only messages have.
fn lists<R: Rng>(values: &mut Values<'_, R>, scale: Scale, push: Push<'_>) {
    let (root, record) = (values.bytes(), values.envelope());
    let counted = |message: Message, count: u32| {
        replaced(&Mirror::from(message).encode(), HEAD, &count.to_le_bytes())
    };
    let roots = || Message::WantItems(vec![root]);
    push("roots-none", Mirror::from(Message::WantItems(vec![])).encode());
    push("roots-count-1025", counted(roots(), 1_025));
    push("roots-count-one-more", counted(roots(), 2));
    push("roots-count-max", counted(roots(), u32::MAX));
    if scale == Scale::Full {
        push("roots-1025", Mirror::from(Message::WantItems(vec![root; 1_025])).encode());
    }
    let records = || Message::Records(vec![record.clone()]);
    push("records-none", Mirror::from(Message::Records(vec![])).encode());
    push("records-count-1025", counted(records(), 1_025));
    push("records-count-max", counted(records(), u32::MAX));
}

/// Faults of values are faults of the message that carries them.
fn carried<R: Rng>(values: &mut Values<'_, R>, push: Push<'_>) {
    let encoded = |message: Message| Mirror::from(message).encode();
    let vote = encoded(Message::Vote(values.signed_vote()));
    // Behind epoch and view.
    push("subject-0", replaced(&vote, HEAD + 12, &[0]));
    push("subject-5", replaced(&vote, HEAD + 12, &[5]));
    let cast = Vote { epoch: 1, view: 2, subject: Subject::Nullify };
    let unsigned = Certificate { vote: cast, signers: vec![1], signatures: vec![] };
    push("unsigned", encoded(Message::Certificate(unsigned.clone())));
    let payload =
        Payload { item_block: None, parent_certificate: Some(unsigned), events: no_events() };
    let proposal = Proposal { payload, ..values.proposal() };
    push("certificate-unsigned", encoded(Message::Proposal(proposal)));
    let decision = Decision { blocks: vec![], ..values.decision() };
    push("blocks-none", encoded(Message::Decision(decision)));
    let evidence = encoded(Message::Evidence(values.evidence()));
    push("evidence-0", replaced(&evidence, HEAD, &[0]));
    push("evidence-5", replaced(&evidence, HEAD, &[5]));
    let mut service = values.service();
    service.kind = 3;
    push("service-of-kind-3", encoded(Message::Service(service)));
    let mut empty = values.envelope();
    empty.record.metadata.encryption = None;
    empty.record.content = Content::Inline(vec![]);
    push("content-empty", encoded(Message::Records(vec![empty])));
    // A value within a message stands without tag and version.
    let mut vote = values.signed_vote();
    vote.vote.view = 0;
    let tagged = [&b"MMSG\x01\x03"[..], b"MSVT\x01", &body(&vote)].concat();
    push("tag-within", tagged);
}
