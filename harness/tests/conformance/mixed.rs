//! Profile `mdsm-1`: a node among nodes of the reference, some of which must find what it does wrong.

use harness::conformance::network::{Asked, MixedClaim, Mixture};
use harness::conformance::subject::Interrupt;
use mdsm_core::codec::Wire as _;
use mdsm_core::crypto::sign::SigningKey;
use mdsm_core::ledger::{Genesis, Subject, Vote};
use mdsm_core::node::Message;
use mdsm_core::types::{Digest, InstitutionId};
use serde_json::{Map, Value, json};

use crate::nodes::{Lie, against, flip, institution, run, seen};

const AUDITOR: Asked = Asked::Mixed(Mixture::Auditor, MixedClaim::Agrees);

fn of(mixture: Mixture, claim: MixedClaim) -> Asked {
    Asked::Mixed(mixture, claim)
}

#[test]
fn the_reference_conforms_among_liars() {
    let mixture = Mixture::AuditorAmongLiars;
    let (ran, ended) = run(of(mixture, MixedClaim::Agrees), |_, _, _| {});
    assert_eq!(ended, Ok(()));
    for claim in MixedClaim::ALL {
        assert_eq!(against(&ran, of(mixture, claim)), None);
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
