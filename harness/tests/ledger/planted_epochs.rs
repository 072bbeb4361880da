//! Planted changes around a freeze and of anchors: each is found, at its block, in words that name
//! it.

use harness::rules::agreement::{SignedHeader, Subject, Vote, commitment, no_events};
use harness::rules::ids::id;
use harness::rules::ledger::Decided;
use harness::rules::mirror::{Payload, Proposal};
use harness::rules::wire::{Mirror, WireKind, decode};

use super::forge::{Forge, certificate, certify, sign, told};
use super::planted::{AT, Planted, all_are_found};

const EPOCHS: &[Planted] = &[
    ("a block behind the last one of its epoch", "behind the last one of the epoch", |forge| {
        let first = Forge::first_of(1);
        let next = forge.block(first);
        let ((at, _), (its, block)) = (forge.place(first - 1), forge.place(first));
        let items = forge.log.decisions[its].items[block].clone();
        forge.log.decisions[at].items.push(items);
        forge.decided(first - 1, |decision| {
            decision.blocks.push(next);
            decision.closing.clear();
            certify(decision);
        });
        forge.height = first;
    }),
    ("closing block counted", "names epoch 0 where 1 is open", |forge| {
        let (last, closing) = closing_of(forge, 0);
        let payload = idle();
        let (at, _) = forge.place(last);
        let mut decision = forge.decision(at);
        decision.closing.clear();
        certify(&mut decision);
        forge.put(at, decision.clone());
        decision.blocks = vec![Proposal { signed: closing, payload }];
        certify(&mut decision);
        let decision = Mirror::from(decision).encode();
        forge.log.decisions.insert(at + 1, Decided { decision, items: vec![vec![]] });
        forge.height = last + 1;
    }),
    ("a closing block that carries something", "closing block: the header commits", |forge| {
        let (last, mut closing) = closing_of(forge, 0);
        closing.header.payload = commitment(&forge.block(AT).payload);
        sign(&mut closing);
        forge.decided(last, |decision| {
            decision.closing = vec![closing];
            certify(decision);
        });
        forge.height = last + 1;
    }),
    ("a closing block out of turn", "closing block: 5 leads", |forge| {
        let (last, mut closing) = closing_of(forge, 0);
        closing.header.producer = 5;
        sign(&mut closing);
        forge.decided(last, |decision| {
            decision.closing = vec![closing];
            certify(decision);
        });
        forge.height = last + 1;
    }),
    ("a closing block in the middle", "ends no epoch", |forge| {
        let (_, closing) = closing_of(forge, 0);
        forge.decided(AT, |decision| {
            decision.closing = vec![closing];
            certify(decision);
        });
        forge.height = AT + 1;
    }),
    ("a decision left out", "names another parent", |forge| {
        let (at, _) = forge.place(AT);
        forge.log.decisions.remove(at);
        forge.height = AT;
    }),
    ("a byte behind a decision", "no decision", |forge| {
        let (at, _) = forge.place(AT);
        forge.log.decisions[at].decision.push(0);
        forge.height = AT;
    }),
    ("another founder", "names other founders", |forge| forge.log.founders[40] ^= 1),
];

fn idle() -> Payload {
    let events = no_events();
    Payload { item_block: None, parent_certificate: None, events }
}

/// The height of the last block of an epoch, and a sound closing block above it.
fn closing_of(forge: &Forge, epoch: usize) -> (u64, SignedHeader) {
    let ended = &told().epochs[epoch];
    let mut signed = forge.block(ended.last).signed;
    let header = &mut signed.header;
    (header.parent, header.parent_view) = (id(&header.clone().into()), header.view);
    header.view += 1;
    header.height += 1;
    header.timestamp += 1;
    header.payload = commitment(&idle());
    let seats = &ended.seats;
    let at = usize::try_from(seats.offset + header.view - 1).unwrap() % seats.producers.len();
    header.producer = seats.producers[at];
    sign(&mut signed);
    (ended.last, signed)
}

#[test]
fn sto_13_4_changes_around_a_freeze_are_found() {
    let mut forge = Forge::new();
    let (last, closing) = closing_of(&forge, 0);
    forge.decided(last, |decision| {
        decision.closing = vec![closing];
        certify(decision);
    });
    assert_eq!(forge.verdict(), Ok(()), "closing blocks are sound where they belong");
    all_are_found(EPOCHS);
}

const ANCHORS: &[Planted] = &[
    ("anchor root of another epoch", "for something else", |forge| {
        anchored(forge, 1, told().epochs[0].root, 6);
    }),
    ("anchors out of order", "of another epoch", |forge| {
        forge.log.anchors.swap(0, 1);
        forge.height = told().epochs[0].last;
    }),
    ("an anchor with Q - 1", "5 signers of 6", |forge| {
        anchored(forge, 1, told().epochs[1].root, 5);
    }),
    ("an anchor of the auditors alone", "another length", |forge| {
        anchored(forge, 1, told().epochs[1].root, 6);
        let Ok(Mirror::Certificate(found)) = decode(WireKind::Certificate, &forge.log.anchors[1])
        else {
            panic!("another kind")
        };
        let mut vote = found;
        vote.signers.clear();
        vote.signers.extend([0xff, 0]);
        forge.log.anchors[1] = Mirror::from(vote).encode();
    }),
    ("an anchor of an open epoch", "has not ended", |forge| {
        let last = forge.log.anchors.last().unwrap().clone();
        while forge.log.anchors.len() <= told().epochs.len() {
            forge.log.anchors.push(last.clone());
        }
        forge.log.anchors.truncate(told().epochs.len() + 1);
        forge.height = told().epochs.last().unwrap().last;
    }),
];

/// Certifies a root for an epoch by so many of its electorate.
fn anchored(forge: &mut Forge, epoch: usize, root: [u8; 32], signers: usize) {
    let ended = &told().epochs[epoch];
    let ids: Vec<u32> = ended.electorate.iter().map(|(id, _)| *id).collect();
    let (epoch_number, subject) = (ended.seats.epoch, Subject::Anchor(root));
    let vote = Vote { epoch: epoch_number, view: 0, subject };
    let seats: Vec<usize> = (0..signers).collect();
    forge.log.anchors[epoch] = Mirror::from(certificate(vote, &ids, &seats)).encode();
    forge.height = ended.last;
}

#[test]
fn anc_1_3_changes_of_anchors_are_found() {
    let mut forge = Forge::new();
    anchored(&mut forge, 1, told().epochs[1].root, 6);
    assert_eq!(forge.verdict(), Ok(()), "six of eight are enough");
    all_are_found(ANCHORS);
}
