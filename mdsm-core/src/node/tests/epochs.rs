//! What holds around the end of an epoch.

use std::collections::{BTreeMap, BTreeSet};

use super::super::*;
use super::network::{Event, Network, START, config, founders, start};
use crate::consensus::{Audience, JournalEntry, Protocol};
use crate::crypto::sign::Ed25519;
use crate::ledger::{Subject, Vote};
use crate::types::{Digest, Epoch, InstitutionId, Timestamp, View};

fn anchor(vote: &Vote) -> Option<(Epoch, Digest)> {
    match vote.subject {
        Subject::Anchor(root) => Some((vote.epoch, root)),
        _ => None,
    }
}

#[test]
fn con_7_11_anchors_are_voted_upon_in_order_and_once() {
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //= type=test
    //# CON-7.10 (ours): An institution MUST NOT sign two anchor roots for one epoch, also not
    //# across a restart.
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //= type=test
    //# CON-7.11 (ours): An institution MUST NOT sign the anchor of an epoch unless it holds the
    //# anchor certificate of every epoch before and its own finalized chain yields all these roots.
    let mut network = Network::new();
    network.run_until(250_000);
    let mut votes = 0;
    for (id, disk) in &network.disks {
        let (mut certified, mut voted) = (BTreeSet::new(), BTreeMap::new());
        for (_, event) in &disk.events {
            match event {
                Event::Stored(JournalEntry::Certified(certificate)) => {
                    certified.extend(anchor(&certificate.vote));
                }
                Event::Cast(vote) => {
                    let Some((epoch, root)) = anchor(vote) else { continue };
                    let earlier = certified.iter().filter(|(before, _)| *before < epoch).count();
                    assert_eq!(earlier, usize::try_from(epoch.get()).unwrap(), "{id}");
                    assert_eq!(*voted.entry(epoch).or_insert(root), root, "{id}");
                    votes += 1;
                }
                _ => {}
            }
        }
    }
    assert!(votes >= 4 * 8, "{votes} votes");
    // Another root for the same epoch, after a restart: the first one is signed again.
    let id = InstitutionId::new(6);
    let committees = network.nodes[&id].chain().roster().committees().clone();
    let mut ballot = crate::consensus::AnchorBallot::new(&committees, id);
    let first = Subject::Anchor(Digest::new([1; 32]));
    let view = crate::types::View::new(0);
    ballot.recall(&Vote { epoch: ballot.epoch(), view, subject: first });
    let mut effects = Vec::new();
    ballot.vote(Digest::new([2; 32]), &mut effects);
    let subjects = effects.iter().filter_map(|effect| match effect {
        crate::consensus::AnchorEffect::Consensus(crate::consensus::Effect::Cast(vote)) => {
            Some(vote.subject)
        }
        _ => None,
    });
    assert_eq!(subjects.collect::<Vec<_>>(), [first]);
}

#[test]
fn con_7_11_a_missing_certificate_keeps_later_anchors_from_being_signed() {
    let mut network = Network::new();
    network.loses_anchor_votes = true;
    network.run_until(200_000);
    let epochs: BTreeSet<Epoch> = network
        .disks
        .values()
        .flat_map(|disk| disk.events.iter())
        .filter_map(|(_, event)| match event {
            Event::Cast(vote) => anchor(vote).map(|(epoch, _)| epoch),
            _ => None,
        })
        .collect();
    assert_eq!(epochs, [Epoch::new(0)].into(), "epochs end, and only the first anchor is signed");
    assert!(network.nodes.values().all(|node| node.chain().epoch().get() == 3));
    network.loses_anchor_votes = false;
    network.run_until(220_000);
    assert_eq!(network.certified.len(), 3 * network.nodes.len(), "then all follow");
}

#[test]
fn con_7_22_votes_on_an_anchor_are_cast_again_until_it_is_certified() {
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //= type=test
    //# CON-7.22 (ours): An institution MUST send again to both committees, at least every eight
    //# assumed delays, each anchor vote of its own whose certificate it lacks.
    let mut network = Network::new();
    network.loses_anchor_votes = true;
    network.run_until(100_000);
    for id in (1..=8).map(InstitutionId::new) {
        let times: Vec<i64> = network.disks[&id]
            .events
            .iter()
            .filter(|(_, event)| matches!(event, Event::Cast(vote) if anchor(vote).is_some()))
            .map(|(time, _)| *time)
            .collect();
        assert!(times.len() > 30, "{id}: {} times", times.len());
        let apart = times.windows(2).map(|pair| pair[1] - pair[0]).max();
        assert!(apart <= Some(8 * 100), "{id}: {apart:?} ms apart, the assumed delay is 100 ms");
        let stored = network.disks[&id]
            .journal
            .iter()
            .filter(|entry| matches!(entry, JournalEntry::Voted(vote) if anchor(vote).is_some()));
        assert_eq!(stored.count(), 1, "{id}: cast again and again, stored once");
    }
}

#[test]
fn con_7_20_an_anchor_from_the_future_waits() {
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //= type=test
    //# CON-7.20 (ours): An institution MUST NOT sign the anchor of an epoch whose last block is
    //# stamped more than 4,000 milliseconds ahead of its own clock.
    let mut network = Network::new();
    let slow = InstitutionId::new(10);
    let slow_producer = InstitutionId::new(3);
    // Eleven seconds behind: every block lies in the future of this producer.
    network.behind_ms = [(slow, 11_000), (slow_producer, 11_000)].into();
    network.run_until(120_000);
    let first = |id: InstitutionId| {
        let events = network.disks[&id].events.iter();
        let mut cast = events
            .filter(|(_, event)| matches!(event, Event::Cast(vote) if anchor(vote).is_some()));
        cast.next().map(|(time, _)| *time)
    };
    let frozen = network.disks[&slow].commits.iter().find_map(|commit| {
        let at_mark = commit.timestamp.get() >= START + 60_000;
        at_mark.then_some(commit.timestamp.get())
    });
    let frozen = frozen.unwrap();
    assert!(first(InstitutionId::new(6)).is_some_and(|time| time <= frozen + 1_000));
    // Seven others certify it meanwhile, so the slow one has nothing left to sign.
    let early = first(slow_producer).is_some_and(|time| time < frozen + 7_000);
    assert!(!early, "{:?} behind {frozen}", first(slow_producer));
}

#[test]
fn con_8_5_nothing_of_an_epoch_is_voted_for_before_the_epoch_before_is_final() {
    //= harness/spec/consensus.md#con-8-clock
    //= type=test
    //# CON-8.5 (ours): A payload of an epoch MUST NOT be notarized before the last block of the
    //# epoch before it is final.
    let mut network = Network::new();
    network.run_until(200_000);
    let mut checked = 0;
    for (id, disk) in &network.disks {
        // Height of the last block of each epoch, from the commits.
        let blocks = disk.commits.iter().flat_map(|commit| commit.decision.blocks.iter());
        let mut last: BTreeMap<Epoch, u64> = BTreeMap::new();
        for block in blocks {
            last.insert(block.signed.header.epoch, block.signed.header.height.get());
        }
        let mut height = 0;
        for (_, event) in &disk.events {
            match event {
                Event::Committed(reached) => height = height.max(reached.get()),
                Event::Cast(vote) if anchor(vote).is_none() && vote.epoch.get() > 0 => {
                    let before = Epoch::new(vote.epoch.get() - 1);
                    assert!(height >= last[&before], "{id}: {vote:?} at height {height}");
                    checked += 1;
                }
                _ => {}
            }
        }
    }
    assert!(checked > 500, "{checked} votes");
}

#[test]
fn con_7_12_a_node_that_lost_its_log_is_silent_for_the_epoch_and_then_votes_again() {
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //= type=test
    //# CON-7.12 (ours): A node that found its log damaged or missing MUST NOT sign anything for the
    //# first epoch or for one whose predecessor ended with a block stamped at most 4,000
    //# milliseconds after the reading of its clock when it found the log so.
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //= type=test
    //# CON-7.18 (ours): A node MUST keep the certificates that justify its votes until two epochs
    //# after the epoch of the vote have ended.
    let mut network = Network::new();
    network.run_until(90_000);
    let down = InstitutionId::new(7);
    network.nodes.remove(&down);
    let founders = founders();
    let mut node = Node::new(config(down), &start(&founders), Ed25519, Protocol).unwrap();
    let disk = network.disks.get_mut(&down).unwrap();
    // The certificates behind its votes are all still there: nothing is ever taken out of a log.
    let stored = disk.journal.iter().filter(|entry| matches!(entry, JournalEntry::Certified(_)));
    assert!(stored.count() > 100);
    disk.journal.clear();
    let before = disk.events.len();
    let stored = Recovered {
        commits: &disk.commits,
        certificate_of: |_| None,
        journal: Journal::Lost,
        blocks: disk.blocks.clone(),
        accepted: disk.accepted.clone(),
    };
    let mut effects = Vec::new();
    node.recover(Timestamp::new(network.now), stored, &mut effects).unwrap();
    network.nodes.insert(down, node);
    network.carry_out(down, effects);
    let lost_at = network.now;
    network.run_until(260_000);
    let disk = &network.disks[&down];
    assert!(matches!(disk.journal[0], JournalEntry::Lost(at) if at.get() == lost_at));
    let signed: BTreeSet<Epoch> = disk.events[before..]
        .iter()
        .filter_map(|(_, event)| match event {
            Event::Cast(vote) => Some(vote.epoch),
            _ => None,
        })
        .collect();
    // Lost in epoch 1, which it may have voted in; epoch 2 opens half a minute later.
    assert_eq!(signed.first(), Some(&Epoch::new(2)), "{signed:?}");
    assert!(signed.contains(&Epoch::new(3)));
}

#[test]
fn con_7_7_a_node_that_comes_late_to_an_epoch_asks_for_the_view_it_is_in() {
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //= type=test
    //# CON-7.7 (ours): After the network heals a block MUST become final within one view more than the
    //# longest run of faulty producers in the order of turns, while at most f auditors are faulty.
    let mut network = Network::new();
    network.run_until(40_000);
    let (me, auditor) = (InstitutionId::new(2), InstitutionId::new(7));
    let mut late = network.nodes.remove(&me).unwrap();
    assert_eq!(late.consensus().epoch(), Epoch::new(0));
    let unaware = late.clone();
    network.run_until(100_000);
    let now = Timestamp::new(network.now);
    let from = |message| Input::Message { from: auditor, message };
    let is_ask = |effect: &Effect| {
        let Effect::Send { to: Audience::Auditors { .. }, message } = effect else { return false };
        matches!(message, Message::Ask { epoch, view } if epoch.get() == 1 && view.get() == 0)
    };
    // All blocks up to the open epoch, as another node's disk has them.
    let after = late.chain().height();
    let commits = network.disks[&auditor].commits.iter();
    let missed: Vec<Message> = commits
        .map(|commit| &commit.decision)
        .filter(|decision| decision.blocks[0].signed.header.epoch == Epoch::new(0))
        .filter(|decision| decision.blocks.last().unwrap().signed.header.height > after)
        .map(|decision| Message::Decision(decision.clone()))
        .collect();
    let catch_up = |node: &mut Node| {
        let mut effects = Vec::new();
        for decision in missed.clone() {
            node.step(now, from(decision), &mut effects);
        }
        assert_eq!(node.consensus().epoch(), Epoch::new(1));
        effects.iter().filter(|effect| is_ask(effect)).count()
    };
    assert_eq!(catch_up(&mut unaware.clone()), 0, "who comes in time asks nobody");
    // A certificate of the epoch that the node is not in yet tells it nothing, but that it is late.
    let of_later = network.disks[&auditor].journal.iter().rev().find_map(|entry| match entry {
        JournalEntry::Certified(certificate)
            if !matches!(certificate.vote.subject, Subject::Anchor(_)) =>
        {
            Some(Message::Certificate(certificate.clone()))
        }
        _ => None,
    });
    late.step(now, from(of_later.unwrap()), &mut Vec::new());
    assert_eq!(catch_up(&mut late), 1);
    // What the auditors answer brings it into their view.
    let ask = Message::Ask { epoch: Epoch::new(1), view: View::new(0) };
    let mut answers = Vec::new();
    let other = network.nodes.get_mut(&auditor).unwrap();
    other.step(now, Input::Message { from: me, message: ask }, &mut answers);
    for answer in answers {
        let Effect::Send { to: Audience::One(to), message } = answer else { continue };
        assert_eq!(to, me);
        late.step(now, from(message), &mut Vec::new());
    }
    assert_eq!(late.consensus().view(), network.nodes[&auditor].consensus().view());
    assert!(late.consensus().view() > View::new(1));
}

#[test]
fn con_7_23_a_block_is_kept_before_it_is_notarized() {
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //= type=test
    //# CON-7.23 (ours): An auditor MUST have stored a block with all its Items before it sends a
    //# vote to notarize that block.
    let mut network = Network::new();
    for number in 0..20 {
        network.book(1 + number % 4, number);
        network.run_until(i64::from(number) * 1_000);
    }
    let mut votes = 0;
    for (id, disk) in &network.disks {
        let mut kept = BTreeSet::new();
        for (_, event) in &disk.events {
            match event {
                Event::Kept(hash) => {
                    kept.insert(*hash);
                }
                Event::Cast(Vote { subject: Subject::Notarize(hash), .. }) => {
                    assert!(kept.contains(hash), "{id} votes for {hash}");
                    votes += 1;
                }
                _ => {}
            }
        }
    }
    assert!(votes > 40, "{votes}");
}

#[test]
fn con_7_24_who_casts_no_vote_asks_for_the_certificate_of_an_anchor() {
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //= type=test
    //# CON-7.24 (ours): A node that casts no vote for the next anchor of its chain and lacks the
    //# certificate MUST ask an auditor for it, at least every eight assumed delays.
    let mut network = Network::new();
    network.loses_anchor_votes = true;
    network.run_until(100_000);
    let client = &network.disks[&InstitutionId::new(10)];
    let times: Vec<i64> = client
        .events
        .iter()
        .filter(|(_, event)| *event == Event::AskedForAnchor)
        .map(|(time, _)| *time)
        .collect();
    assert!(times.len() > 30, "{} times", times.len());
    let apart = times.windows(2).map(|pair| pair[1] - pair[0]).max();
    assert!(apart <= Some(8 * 100), "{apart:?} ms apart, the assumed delay is 100 ms");
}
