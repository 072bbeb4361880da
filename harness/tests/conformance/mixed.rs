//! Profile `mdsm-1`: a node among nodes of the reference, some of which must find what it does wrong.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use harness::conformance::network::{Asked, MixedClaim, Mixture};
use harness::conformance::subject::Interrupt;
use harness::conformance::vectors::{Sequence, sequences};
use mdsm_core::codec::Wire as _;
use mdsm_core::crypto::sign::SigningKey;
use mdsm_core::ledger::{Evidence, Genesis, Subject, Vote};
use mdsm_core::node::{Event, Message};
use mdsm_core::types::{ChainId, Digest, Epoch, InstitutionId, View};
use serde_json::{Map, Value, json};

use crate::nodes::{Lie, against, flip, institution, run, seen, sequence};

const AUDITOR: Asked = Asked::Mixed(Mixture::Auditor, MixedClaim::Agrees);

fn of(mixture: Mixture, claim: MixedClaim) -> Asked {
    Asked::Mixed(mixture, claim)
}

/// Kinds of messages that went to the node or came from it.
static KINDS: Mutex<BTreeSet<u8>> = Mutex::new(BTreeSet::new());

fn note_kinds(step: &Value, reply: &Map<String, Value>) {
    let sent = [step.get("inbox"), reply.get("outbox")].into_iter().flatten();
    for one in sent.flat_map(|list| list.as_array().unwrap()) {
        let bytes = bytes_of(one["message"].as_str().unwrap()).unwrap();
        assert_eq!(Message::from_bytes(&bytes).unwrap().to_bytes(), bytes);
        let cut = &bytes[..bytes.len() - 1];
        assert!(
            Message::from_bytes(cut).is_err()
                && Message::from_bytes(&[&bytes[..], &[0]].concat()).is_err()
        );
        KINDS.lock().unwrap().insert(bytes[5]);
    }
}

#[test]
fn the_reference_conforms_among_liars_and_every_kind_of_message_is_read_and_written() {
    for mixture in [Mixture::AuditorAmongLiars, Mixture::ProducerUnderFaults] {
        let (ran, ended) = run(of(mixture, MixedClaim::Agrees), |_, step, reply| {
            note_kinds(step, reply);
        });
        assert_eq!(ended, Ok(()));
        for claim in MixedClaim::ALL {
            assert_eq!(against(&ran, of(mixture, claim)), None);
        }
    }
    let kinds: Vec<u8> = KINDS.lock().unwrap().iter().copied().collect();
    // Nobody lacked an anchor's certificate, and nobody was convicted.
    assert_eq!(kinds, [1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 14, 15]);
    let vote = |view| {
        let (epoch, subject) = (Epoch::new(3), Subject::Nullify);
        let vote = Vote { epoch, view: View::new(view), subject };
        vote.sign(&ChainId::new([1; 32]), InstitutionId::new(9), &SigningKey::from_seed(&[2; 32]))
    };
    let evidence = Arc::new(Evidence::Votes { first: vote(1), second: vote(2) });
    let others = [Message::WantAnchor(Epoch::new(7)), Message::Event(Event::Evidence(evidence))];
    for (kind, message) in [8, 13].into_iter().zip(others) {
        let bytes = message.to_bytes();
        assert_eq!((bytes[5], Message::from_bytes(&bytes).unwrap()), (kind, message));
    }
}

#[test]
fn a_kind_of_message_that_there_is_not_is_refused() {
    for kind in [0, 16, 255] {
        let bytes = [&b"MMSG\x01"[..], &[kind]].concat();
        assert!(Message::from_bytes(&bytes).is_err(), "{kind}");
    }
}

#[test]
fn each_lie_is_found_by_its_claim() {
    let (ran, ended) = run(AUDITOR, |_, _, reply| {
        for block in seen(reply, "final") {
            if block["height"] == "5" {
                flip(block, "block");
            }
        }
        for window in seen(reply, "frozen") {
            flip(window, "root");
            window["credit"][1]["points"] = json!("1");
        }
    });
    assert_eq!(ended, Ok(()));
    for (claim, words) in [
        (MixedClaim::Agrees, "another block at height 5"),
        (MixedClaim::Freezes, "freezes window 0 otherwise"),
        (MixedClaim::Credits, "behind window 0 it has other credit"),
    ] {
        let said = against(&ran, of(Mixture::Auditor, claim)).unwrap_or_default();
        assert!(said.contains(words), "{claim:?}: {said}");
    }
    let sound = [MixedClaim::KeepsRules, MixedClaim::OthersHold, MixedClaim::TakesPart];
    for claim in sound {
        assert_eq!(against(&ran, of(Mixture::Auditor, claim)), None);
    }
}

/// Bytes of a message, in hex.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes_of(text: &str) -> Option<Vec<u8>> {
    harness::conformance::value::read_bytes(text)
}

/// Votes for another block beside each one that it votes for.
fn votes_twice(network: &Value, step: &Value, reply: &mut Map<String, Value>) {
    let me = InstitutionId::new(u32::try_from(institution(network, step)).unwrap());
    let bytes = |value: &Value| bytes_of(value.as_str().unwrap()).unwrap();
    let seed: [u8; 32] = bytes(&network["nodes"][0]["seed"]).try_into().unwrap();
    let chain = Genesis::from_bytes(&bytes(&network["genesis"])).unwrap().chain_id();
    let Some(outbox) = reply.get_mut("outbox").and_then(Value::as_array_mut) else { return };
    let mut more = Vec::new();
    for sent in outbox.iter() {
        let message = Message::from_bytes(&bytes(&sent["message"])).unwrap();
        let Message::Vote(signed) = message else { continue };
        if let Subject::Notarize(_) = signed.vote.subject {
            let other = Subject::Notarize(Digest::new([7; 32]));
            let vote = Vote { subject: other, ..signed.vote };
            let signed = vote.sign(&chain, me, &SigningKey::from_seed(&seed));
            let message = hex(&Message::Vote(signed).to_bytes());
            more.push(json!({"to": sent["to"], "message": message}));
        }
    }
    outbox.extend(more);
}

#[test]
fn an_auditor_that_votes_twice_is_convicted() {
    let lie: Lie = votes_twice;
    let (ran, ended) = run(AUDITOR, lie);
    assert_eq!(ended, Ok(()));
    let said = against(&ran, of(Mixture::Auditor, MixedClaim::KeepsRules)).unwrap();
    assert!(said.contains("others can prove"), "{said}");
    // One of four may be faulty: the others stay safe.
    assert_eq!(against(&ran, of(Mixture::Auditor, MixedClaim::OthersHold)), None);
}

#[test]
fn a_seat_without_work_is_found() {
    for (mixture, words) in
        [(Mixture::Auditor, "audited 0 blocks"), (Mixture::Producer, "signed 0 blocks, missed")]
    {
        let (ran, ended) = run(of(mixture, MixedClaim::TakesPart), |_, _, reply| {
            reply.remove("outbox");
        });
        assert_eq!(ended, Ok(()));
        let said = against(&ran, of(mixture, MixedClaim::TakesPart)).unwrap();
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn what_is_no_message_ends_the_scenario() {
    let (_, ended) = run(AUDITOR, |_, _, reply| {
        reply.insert("outbox".to_owned(), json!([{"to": [1], "message": "00"}]));
    });
    let Err(Interrupt::Broken(what)) = ended else { panic!("{ended:?}") };
    assert!(what.contains("sends what is no message"), "{what}");
}

/// Signs votes for whatever is proposed, notarized or not.
fn votes_for_all(network: &Value, step: &Value, reply: &mut Map<String, Value>) {
    let me = InstitutionId::new(u32::try_from(institution(network, step)).unwrap());
    let bytes = |value: &Value| bytes_of(value.as_str().unwrap()).unwrap();
    let seed: [u8; 32] = bytes(&network["nodes"][0]["seed"]).try_into().unwrap();
    let chain = Genesis::from_bytes(&bytes(&network["genesis"])).unwrap().chain_id();
    let Some(first) = step.get("inbox").map(|inbox| bytes(&inbox[0]["message"])) else { return };
    let Ok(Message::Proposal(proposal)) = Message::from_bytes(&first) else { return };
    let header = proposal.signed.header;
    let hash = proposal.signed.hash();
    let outbox = reply.entry("outbox").or_insert_with(|| json!([])).as_array_mut().unwrap();
    for subject in [Subject::Notarize(hash), Subject::Finalize(hash)] {
        let vote = Vote { epoch: header.epoch, view: header.view, subject };
        let signed = vote.sign(&chain, me, &SigningKey::from_seed(&seed));
        outbox.push(json!({"to": [5], "message": hex(&Message::Vote(signed).to_bytes())}));
    }
}

#[test]
fn the_reference_takes_every_sequence_and_lies_are_found_in_each() {
    for Sequence { id, is_negative, .. } in sequences().sequences {
        let held = sequence(&id, |_, _, _| {}).unwrap_or_else(|why| panic!("{id}: {why:?}"));
        assert!(held.contains("steps"), "{id}: {held}");
        // Who votes for everything is found wherever something must not be voted for, and who says nothing
        // wherever something must.
        let eager = sequence(&id, votes_for_all);
        assert!(!is_negative || matches!(eager, Err(Interrupt::Broken(_))), "{id}: {eager:?}");
        let mute = sequence(&id, |_, _, reply| {
            reply.remove("outbox");
            reply.remove("seen");
        });
        assert!(is_negative || matches!(mute, Err(Interrupt::Broken(_))), "{id}: {mute:?}");
    }
    // What it votes for and does not write it may vote against behind a crash.
    let forgets = sequence("sequence.one-vote-a-view", |_, _, reply| {
        reply.remove("append");
    });
    let Err(Interrupt::Broken(what)) = forgets else { panic!("{forgets:?}") };
    assert!(what.contains("a second block of view 1"), "{what}");
    let mute = sequence("sequence.silent-leader-is-passed-over", |_, _, reply| {
        reply.remove("outbox");
    });
    let Err(Interrupt::Broken(what)) = mute else { panic!("{mute:?}") };
    assert!(what.contains("does not nullify"), "{what}");
}
