//! Every kind of message beside its bytes, and its two lists at their bounds.

use harness::generate::messages::of_each_kind;
use harness::oracle::decode::{decode, reference};
use harness::rules::messages::Message;
use harness::rules::wire::{Mirror, WireKind};
use harness::seed::Seed;

/// What stands behind tag and version of a value of its own.
fn nested(value: impl Into<Mirror>) -> Vec<u8> {
    value.into().encode()[5..].to_vec()
}

fn counted<T>(list: &[T], bytes: impl Fn(&T) -> Vec<u8>) -> Vec<u8> {
    let count = u32::try_from(list.len()).unwrap().to_le_bytes().to_vec();
    [vec![count], list.iter().map(bytes).collect()].concat().concat()
}

/// The bytes of a message as the spec draws them.
fn drawn(message: Message) -> Vec<u8> {
    let (kind, body): (u8, Vec<u8>) = match message {
        Message::Proposal(proposal) => (1, nested(proposal)),
        Message::Item(item) => (2, nested(item)),
        Message::Vote(vote) => (3, nested(vote)),
        Message::Certificate(certificate) => (4, nested(certificate)),
        Message::Ask { epoch, view } => {
            (5, [&epoch.to_le_bytes()[..], &view.to_le_bytes()].concat())
        }
        Message::WantItems(roots) => (6, counted(&roots, |root| root.to_vec())),
        Message::WantBlock(hash) => (7, hash.to_vec()),
        Message::WantAnchor(epoch) => (8, epoch.to_le_bytes().to_vec()),
        Message::WantDecision(height) => (9, height.to_le_bytes().to_vec()),
        Message::Decision(decision) => (10, nested(decision)),
        Message::Acceptance(owner) => (11, owner.to_vec()),
        Message::Records(records) => (12, counted(&records, |one| nested(one.clone()))),
        Message::Evidence(evidence) => (13, nested(evidence)),
        Message::Registration(registration) => (14, nested(registration)),
        Message::Service(service) => (15, nested(service)),
    };
    [&b"MMSG\x01"[..], &[kind], &body].concat()
}

#[test]
fn messages_are_encoded_as_drawn() {
    for round in 0..20 {
        let mut draw = Seed::new(round).stream("agreement/messages");
        for (kind, message) in (1..).zip(of_each_kind(&mut draw)) {
            let bytes = drawn(message.clone());
            assert_eq!(bytes[5], kind);
            assert_eq!(Mirror::from(message).encode(), bytes, "kind {kind}");
            assert_eq!(decode(WireKind::Message, &bytes), Ok(()), "kind {kind}");
            assert!(reference(WireKind::Message, &bytes).is_ok(), "kind {kind}");
        }
    }
}

#[test]
fn lists_of_messages_hold_1_024_and_no_more() {
    let mut draw = Seed::new(0).stream("agreement/messages/lists");
    let all = of_each_kind(&mut draw);
    let Some(Message::Records(records)) = all.get(11) else { panic!("the twelfth kind") };
    let shortest = records.iter().min_by_key(|one| nested((*one).clone()).len()).unwrap();
    for (count, is_taken) in [(1, true), (1_024, true), (0, false), (1_025, false)] {
        for message in [
            Message::WantItems(vec![[7; 32]; count]),
            Message::Records(vec![shortest.clone(); count]),
        ] {
            let bytes = drawn(message);
            assert_eq!(decode(WireKind::Message, &bytes), Ok(()), "{count}");
            assert_eq!(reference(WireKind::Message, &bytes).is_ok(), is_taken, "{count}");
        }
    }
}
