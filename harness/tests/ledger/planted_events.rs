//! Planted changes of what blocks carry beside records: each is found, at its block, in words that
//! name it.

use harness::rules::agreement::{
    AnchorReport, Evidence, Registration, Service, Subject, Vote, registration_message,
    service_message,
};
use harness::rules::mirror::Proposal;
use mdsm_core::crypto::sign::SigningKey;

use harness::build::{key, registrar};

use super::forge::{Forge, auditors, certificate, signed_by, vote_by};
use super::planted::{AT, Planted, all_are_found};
use super::story::{NEWCOMER, PROXY, STORY};

const PARENTS: &[Planted] = &[
    ("a parent certificate with q - 1", "parent certificate: the certificate has 2", |forge| {
        forge.sealed(AT, |block| {
            let vote = block.payload.parent_certificate.as_ref().unwrap().vote.clone();
            block.payload.parent_certificate = Some(certificate(vote, &auditors(0), &[1, 3]));
        });
    }),
    ("the certificate of another parent", "parent certificate: the certificate is", |forge| {
        let other = forge.block(AT - 2).payload.parent_certificate;
        forge.sealed(AT, |block| block.payload.parent_certificate = other);
    }),
    ("an auditor in it that did not sign", "parent certificate: the certificate's", |forge| {
        forge.sealed(AT, |block| {
            let carried = block.payload.parent_certificate.as_mut().unwrap();
            carried.signatures[2] = [3; 64];
        });
    }),
    ("a finalization of the parent", "parent certificate: the certificate is for", |forge| {
        forge.sealed(AT, |block| {
            let mut vote = block.payload.parent_certificate.as_ref().unwrap().vote.clone();
            vote.subject = Subject::Finalize(block.signed.header.parent);
            block.payload.parent_certificate = Some(certificate(vote, &auditors(0), &[0, 1, 2]));
        });
    }),
    ("a certificate in a first block", "first block of an epoch", |forge| {
        let other = forge.block(AT).payload.parent_certificate;
        let first = Forge::first_of(1);
        forge.sealed(first, |block| block.payload.parent_certificate = other);
    }),
];

#[test]
fn com_4_3_changes_of_parent_certificates_are_found() {
    all_are_found(PARENTS);
}

fn convicts(block: &Proposal) -> bool {
    !block.payload.events.evidence.is_empty()
}

/// The height of the first block with evidence, which is about the double voter.
fn evidence(forge: &Forge) -> (u64, Evidence) {
    let height = forge.find(1, convicts);
    (height, forge.block(height).payload.events.evidence[0].clone())
}

fn double_vote(signer: u32, epoch: u32, subjects: [Subject; 2]) -> Evidence {
    let [first, second] =
        subjects.map(|subject| vote_by(signer, &Vote { epoch, view: 3, subject }));
    Evidence::Votes { first, second }
}

const EVIDENCE: &[Planted] = &[
    ("twice charged evidence", "charged before", |forge| {
        let (height, evidence) = evidence(forge);
        forge.sealed(height + 2, |block| block.payload.events.evidence.push(evidence));
    }),
    ("evidence twice in a block", "charged before", |forge| {
        let (height, evidence) = evidence(forge);
        forge.sealed(height, |block| block.payload.events.evidence.push(evidence));
    }),
    ("the same offence by other votes", "charged before", |forge| {
        let first = Forge::first_of(0) + 3;
        let pair = |digest: u8| [Subject::Notarize([1; 32]), Subject::Notarize([digest; 32])];
        let both = [double_vote(7, 0, pair(2)), double_vote(7, 0, pair(3))];
        forge.sealed(first, |block| block.payload.events.evidence.extend(both));
    }),
    ("two votes of an honest voter", "an honest voter may", |forge| {
        let votes = double_vote(7, 0, [Subject::Notarize([1; 32]), Subject::Finalize([1; 32])]);
        forge.sealed(AT, |block| block.payload.events.evidence.push(votes));
    }),
    ("a forged vote", "did not sign the vote", |forge| {
        let mut votes = double_vote(7, 0, [Subject::Nullify, Subject::Finalize([1; 32])]);
        if let Evidence::Votes { second, .. } = &mut votes {
            second.signature = signed_by(8, b"anything");
        }
        forge.sealed(AT, |block| block.payload.events.evidence.push(votes));
    }),
    ("votes of two voters", "not of one voter", |forge| {
        let mut votes = double_vote(7, 0, [Subject::Nullify, Subject::Finalize([1; 32])]);
        if let Evidence::Votes { second, .. } = &mut votes {
            *second = vote_by(8, &second.vote);
        }
        forge.sealed(AT, |block| block.payload.events.evidence.push(votes));
    }),
    ("an offence of long ago", "not judged now", |forge| {
        let votes = double_vote(7, 0, [Subject::Nullify, Subject::Finalize([1; 32])]);
        let late = Forge::first_of(2);
        forge.sealed(late, |block| block.payload.events.evidence.push(votes));
    }),
    ("somebody unknown", "not registered", |forge| {
        let votes = double_vote(77, 0, [Subject::Nullify, Subject::Finalize([1; 32])]);
        forge.sealed(AT, |block| block.payload.events.evidence.push(votes));
    }),
    ("one proposal twice", "are one", |forge| {
        let signed = forge.block(AT - 1).signed;
        let evidence = Evidence::Proposals { first: signed.clone(), second: signed };
        forge.sealed(AT, |block| block.payload.events.evidence.push(evidence));
    }),
    ("a fault that a block has not", "keeps the rule", |forge| {
        let header = forge.block(AT - 1).signed;
        let fault = Box::new(harness::rules::agreement::Fault::Header);
        let evidence = Evidence::Block { header, fault };
        forge.sealed(AT, |block| block.payload.events.evidence.push(evidence));
    }),
];

#[test]
fn com_6_4_changes_of_evidence_are_found() {
    let mut forge = Forge::new();
    let votes = double_vote(7, 0, [Subject::Nullify, Subject::Finalize([1; 32])]);
    let last = super::forge::told().epochs[0].last - 1;
    forge.sealed(last, |block| block.payload.events.evidence.push(votes));
    // The next block still names the old hash: evidence by itself breaks nothing.
    let (height, what) = forge.verdict().unwrap_err();
    assert_eq!((height, what.as_str()), (last + 1, "the header names another parent"));
    all_are_found(EVIDENCE);
}

/// The first block that carries a receipt of service, with it.
fn service(forge: &Forge) -> (u64, Service) {
    let height = forge.find(1, |block| !block.payload.events.services.is_empty());
    (height, forge.block(height).payload.events.services[0].clone())
}

fn signed(mut service: Service, client: &SigningKey) -> Service {
    service.client = *client.owner().as_bytes();
    let message = service_message(&Forge::chain_id(), &service);
    service.signature = *client.sign(&message).as_bytes();
    service
}

const SERVICES: &[Planted] = &[
    ("a receipt of service twice", "counted before", |forge| {
        let (height, service) = service(forge);
        forge.sealed(height + 2, |block| block.payload.events.services.push(service));
    }),
    ("service by somebody else", "had not served", |forge| {
        let (height, service) = service(forge);
        let service = signed(Service { institution: PROXY + 1, ..service }, &key(1));
        forge.sealed(height, |block| block.payload.events.services = vec![service]);
    }),
    ("service before the delivery was booked", "no such grant", |forge| {
        let (_, service) = service(forge);
        let last = super::forge::told().epochs[0].last;
        let service = signed(Service { epoch: 0, ..service }, &key(1));
        forge.sealed(last, |block| block.payload.events.services.push(service));
    }),
    ("service under a grant without delivery", "had not served", |forge| {
        let (_, service) = service(forge);
        let grant = *STORY.grants[1].as_bytes();
        let service = signed(Service { epoch: 3, grant, ..service }, &key(1));
        let first = Forge::first_of(3);
        forge.sealed(first, |block| block.payload.events.services.push(service));
    }),
    ("a receipt by another client", "not the owner", |forge| {
        let (height, service) = service(forge);
        let service = signed(service, &key(2));
        forge.sealed(height, |block| block.payload.events.services = vec![service]);
    }),
    ("a forged receipt", "client did not sign", |forge| {
        let (height, mut service) = service(forge);
        service.signature[0] ^= 1;
        forge.sealed(height, |block| block.payload.events.services = vec![service]);
    }),
    ("a receipt for a later epoch", "not counted now", |forge| {
        let (height, service) = service(forge);
        let service = signed(Service { epoch: 2, ..service }, &key(1));
        forge.sealed(height, |block| block.payload.events.services = vec![service]);
    }),
];

#[test]
fn com_6_14_changes_of_receipts_are_found() {
    all_are_found(SERVICES);
}

/// The block in which the newcomer joins, with its registration.
fn registration(forge: &Forge) -> (u64, Registration) {
    let height = forge.find(1, |block| !block.payload.events.registrations.is_empty());
    (height, forge.block(height).payload.events.registrations[0].clone())
}

fn joining(institution: u32, with: &SigningKey, rating: u8) -> Registration {
    let (key, none) = (*with.owner().as_bytes(), [0; 64]);
    let mut joining =
        Registration { institution, key, rating, centre: 1, signature: none, approval: none };
    let message = registration_message(&Forge::chain_id(), &joining);
    joining.signature = *with.sign(&message).as_bytes();
    joining.approval = *registrar().sign(&message).as_bytes();
    joining
}

fn joins(forge: &mut Forge, joining: Registration) {
    let (height, _) = registration(forge);
    forge.sealed(height, |block| block.payload.events.registrations = vec![joining]);
}

const REGISTRATIONS: &[Planted] = &[
    ("a registration that nobody approved", "registrar did not sign", |forge| {
        let (_, joining) = registration(forge);
        joins(forge, Registration { approval: [9; 64], ..joining });
    }),
    ("a registration without the key", "key did not sign", |forge| {
        let (_, joining) = registration(forge);
        joins(forge, Registration { signature: [9; 64], ..joining });
    }),
    ("an id that is taken", "id is taken", |forge| joins(forge, joining(4, &key(90), 1))),
    ("a key that is taken", "key is taken", |forge| {
        let taken = harness::build::institution_key(mdsm_core::types::InstitutionId::new(9));
        joins(forge, joining(12, &taken, 1));
    }),
    ("more than 100 points", "100 points", |forge| joins(forge, joining(12, &key(90), 101))),
    ("a registration again", "id is taken", |forge| {
        let (height, again) = registration(forge);
        assert_eq!(again.institution, NEWCOMER);
        forge.sealed(height + 1, |block| block.payload.events.registrations.push(again));
    }),
    ("a registration twice in a block", "stands twice", |forge| {
        let (height, again) = registration(forge);
        forge.sealed(height, |block| block.payload.events.registrations.push(again));
    }),
];

#[test]
fn com_3_5_changes_of_registrations_are_found() {
    all_are_found(REGISTRATIONS);
}

const REPORTS: &[Planted] = &[
    ("a report of the open epoch", "report of an anchor", |forge| {
        forge.sealed(AT, |block| block.payload.events.anchored = vec![report(0)]);
    }),
    ("reports out of order", "report of an anchor", |forge| {
        let first = Forge::first_of(2);
        let reports = vec![report(1), report(0)];
        forge.sealed(first, |block| block.payload.events.anchored = reports);
    }),
];

fn report(epoch: u32) -> AnchorReport {
    AnchorReport { epoch, txid: [1; 32], height: 1 }
}

#[test]
fn anc_3_changes_of_reports_are_found() {
    all_are_found(REPORTS);
}
