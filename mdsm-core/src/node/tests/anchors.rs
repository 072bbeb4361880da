//! Anchor transactions across a restart.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::*;
use super::network::{Network, config, founders, start};
use crate::anchoring::machine::{self, FeeRate, Sighting, Stage};
use crate::consensus::{JournalEntry, Protocol};
use crate::crypto::sign::Ed25519;
use crate::ledger::{Certificate, Subject};
use crate::types::{Digest, Epoch, InstitutionId, Timestamp};

const EPOCH: Epoch = Epoch::new(0);

/// The institution after a crash, with its commits and either its log or none.
fn again(network: &Network, me: InstitutionId, is_whole: bool) -> Node {
    let founders = founders();
    let mut node = Node::new(config(me), &start(&founders), Ed25519, Protocol).unwrap();
    let disk = &network.disks[&me];
    let journal = if is_whole { Journal::Whole(&disk.journal) } else { Journal::Lost };
    let stored = Recovered {
        commits: &disk.commits,
        certificate_of: |_| None,
        journal,
        blocks: disk.blocks.clone(),
        accepted: disk.accepted.clone(),
    };
    node.recover(Timestamp::new(network.now), stored, &mut Vec::new()).unwrap();
    node
}

#[test]
fn anc_3_11_a_transaction_from_before_a_restart_is_replaced_and_not_doubled() {
    //= harness/spec/anchoring.md#anc-3-getting-it-confirmed
    //= type=test
    //# ANC-3.11 (ours): A further transaction of a submitter for an epoch MUST spend the coin of the
    //# one before it for as long as that one can be mined.
    let mut network = Network::new();
    network.run_until(100_000);
    // Who has the duty to anchor the first epoch submits, then crashes.
    let submits = |node: &mut Node, after_ms: i64| {
        let mut effects = Vec::new();
        let now = Timestamp::new(network.now + after_ms);
        node.step(now, Input::Timeout(Timer::Anchors), &mut effects);
        let requests = effects.into_iter().filter_map(|effect| match effect {
            Effect::Anchor(machine::Effect::Submit(request)) => Some(request),
            _ => None,
        });
        requests.collect::<Vec<_>>()
    };
    let on_duty = |id: &InstitutionId| {
        let requests = submits(&mut again(&network, *id, true), 0);
        requests.first().map(|request| (*id, *request))
    };
    let (me, request) = network.nodes.keys().find_map(on_duty).unwrap();
    assert_eq!((request.output.epoch, request.means), (EPOCH, machine::Means::New));
    let (txid, rate) = (Digest::new([7; 32]), FeeRate::new(4_000));
    let sighting = Sighting { txid, output: request.output };
    let resumed = Input::Resumed { sighting, rate };
    let now = Timestamp::new(network.now);

    let mut node = again(&network, me, true);
    node.step(now, resumed.clone(), &mut Vec::new());
    assert_eq!(node.submitter().stage(EPOCH), Some(Stage::Submitted(txid)));
    assert_eq!(submits(&mut node, 0), [], "it waits for a block");
    let later = submits(&mut node, 3 * 3_600_000);
    assert!(later.iter().all(|later| later.means == machine::Means::Replace(txid)), "{later:?}");
    assert_eq!(later.len(), 1);

    // Without its log it holds no certificate; the transaction waits until it is told.
    let mut node = again(&network, me, false);
    let mut effects = Vec::new();
    node.step(now, resumed, &mut effects);
    assert_eq!(node.submitter().stage(EPOCH), None);
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::AnchorRefused(_))));
    let certificate = network.disks[&me].journal.iter().find_map(|entry| match entry {
        JournalEntry::Certified(held) if matches!(held.vote.subject, Subject::Anchor(_)) => {
            Some(held.clone())
        }
        _ => None,
    });
    let message = Message::Certificate(certificate.unwrap());
    let from = InstitutionId::new(6);
    node.step(now, Input::Message { from, message }, &mut Vec::new());
    assert_eq!(node.submitter().stage(EPOCH), Some(Stage::Submitted(txid)));
}

#[test]
fn con_7_10_a_log_without_certified_anchors_and_a_store_with_them_sign_none_again() {
    let mut network = Network::new();
    network.run_until(200_000);
    let me = InstitutionId::new(6);
    let (mut held, mut journal) = (BTreeMap::new(), Vec::new());
    for entry in &network.disks[&me].journal {
        match entry {
            JournalEntry::Certified(it) if matches!(it.vote.subject, Subject::Anchor(_)) => {
                held.insert(it.vote.epoch, it.clone());
            }
            JournalEntry::Voted(vote) if matches!(vote.subject, Subject::Anchor(_)) => {}
            other => journal.push(other.clone()),
        }
    }
    assert!(held.len() >= 3, "{held:?}");
    let founders = founders();
    let signed = |certificate_of: &dyn Fn(Epoch) -> Option<Arc<Certificate>>| {
        let mut node = Node::new(config(me), &start(&founders), Ed25519, Protocol).unwrap();
        let stored = Recovered {
            commits: &network.disks[&me].commits,
            certificate_of,
            journal: Journal::Whole(&journal),
            blocks: Vec::new(),
            accepted: Vec::new(),
        };
        let mut effects = Vec::new();
        node.recover(Timestamp::new(network.now), stored, &mut effects).unwrap();
        let epochs = effects.iter().filter_map(|effect| match effect {
            Effect::Cast { vote, .. } if matches!(vote.subject, Subject::Anchor(_)) => {
                Some(vote.epoch)
            }
            _ => None,
        });
        epochs.filter(|epoch| held.contains_key(epoch)).count()
    };
    assert_eq!(signed(&|epoch| held.get(&epoch).cloned()), 0);
    assert_eq!(signed(&|_| None), 1, "what is not known to be certified is voted upon");
}
