//! Random values of what institutions sign and what blocks carry beside records, valid for a
//! decoder, and encodings of them with one fault each. [CON-7] [COM-3] [COM-6]
//!
//! Signatures are random bytes; evidence that holds comes from `build::faults`.

use rand_chacha::rand_core::Rng;

use super::spoil::{Push, payload_of, replaced};
use super::values::Values;
use crate::rules::agreement::{
    AnchorReport, Fault, ItemPlace, PlacedBooking, RecordPlace, SignedHeader, Subject, Vote,
    no_events,
};
use crate::rules::mirror::{
    Certificate, Decision, Events, Evidence, JournalEntry, Payload, Proposal, Registration,
    Service, SignedVote, Summary,
};
use crate::rules::wire::{Mirror, WireKind, body};
use crate::seed::Draw;

impl<R: Rng> Values<'_, R> {
    /// A valid value of a kind of this file.
    ///
    /// # Panics
    /// For any other kind.
    pub(super) fn agreement(&mut self, kind: WireKind) -> Mirror {
        match kind {
            WireKind::SignedVote => self.signed_vote().into(),
            WireKind::Certificate => self.certificate().into(),
            WireKind::Proposal => self.proposal().into(),
            WireKind::Evidence => self.evidence().into(),
            WireKind::Events => self.events().into(),
            WireKind::Summary => self.summary().into(),
            WireKind::Registration => self.registration().into(),
            WireKind::Service => self.service().into(),
            WireKind::Decision => self.decision().into(),
            WireKind::JournalEntry => self.journal_entry().into(),
            other => panic!("{other} has nothing to do with agreement"),
        }
    }

    fn vote(&mut self) -> Vote {
        let digest = self.bytes();
        let subjects = [
            Subject::Notarize(digest),
            Subject::Nullify,
            Subject::Finalize(digest),
            Subject::Anchor(digest),
        ];
        let subject = self.draw.pick(&subjects).clone();
        Vote { epoch: self.draw.next_u32(), view: self.draw.next_u64(), subject }
    }

    pub(super) fn signed_vote(&mut self) -> SignedVote {
        SignedVote { vote: self.vote(), signer: self.draw.next_u32(), signature: self.bytes() }
    }

    pub(super) fn certificate(&mut self) -> Certificate {
        let mut signers = vec![0; self.count(1, 128, 3)];
        self.draw.fill_bytes(&mut signers);
        // Full lists of 64 KiB are drawn rarely.
        let most = if self.draw.chance(1, 8) { 1_024 } else { 20 };
        let signatures = (0..self.count(1, most, 4)).map(|_| self.bytes()).collect();
        Certificate { vote: self.vote(), signers, signatures }
    }

    fn signed_header(&mut self) -> SignedHeader {
        SignedHeader { header: self.block_header(), signature: self.bytes() }
    }

    pub(super) fn proposal(&mut self) -> Proposal {
        Proposal { signed: self.signed_header(), payload: self.payload() }
    }

    pub(super) fn decision(&mut self) -> Decision {
        Decision {
            blocks: (0..self.count(1, 3, 2)).map(|_| self.proposal()).collect(),
            closing: (0..self.count(0, 12, 2)).map(|_| self.signed_header()).collect(),
            certificate: self.certificate(),
        }
    }

    fn journal_entry(&mut self) -> JournalEntry {
        match self.one_to(5) {
            1 => JournalEntry::Epoch { epoch: self.draw.next_u32(), genesis: self.bytes() },
            2 => JournalEntry::Proposed(self.block_header()),
            3 => JournalEntry::Voted(self.vote()),
            4 => JournalEntry::Certified(self.certificate()),
            _ => JournalEntry::Lost(i64::from_le_bytes(self.bytes())),
        }
    }

    fn summary(&mut self) -> Summary {
        Summary {
            item_block: self.maybe(Self::item_block_header),
            parent_certificate: self.maybe(Self::bytes),
            events: self.bytes(),
        }
    }

    fn item_place(&mut self) -> ItemPlace {
        let (index, size) = (u16::from_le_bytes(self.bytes()), u16::from_le_bytes(self.bytes()));
        ItemPlace { index, size, path: self.digests(0, 14) }
    }

    fn placed_booking(&mut self) -> PlacedBooking {
        let [index, size] = self.bytes();
        let record = RecordPlace { index, size, path: self.digests(0, 8) };
        PlacedBooking { booking: self.booking(), record, item: self.item_place() }
    }

    fn fault(&mut self) -> Fault {
        match self.one_to(7) {
            1 => Fault::Header,
            2 => Fault::Parent(self.block_header()),
            3 => {
                let (summary, certificate) = (self.summary(), self.certificate());
                Fault::Certificate { summary, certificate }
            }
            4 => Fault::ItemBlock(self.summary()),
            5 => Fault::Item {
                summary: self.summary(),
                place: self.item_place(),
                records: self.draw.next_u32(),
                tree: self.bytes(),
            },
            6 => Fault::Booking { summary: self.summary(), booking: self.placed_booking() },
            _ => {
                let (first, second) = (self.placed_booking(), self.placed_booking());
                Fault::Repeated { summary: self.summary(), first, second }
            }
        }
    }

    pub(super) fn evidence(&mut self) -> Evidence {
        match self.one_to(4) {
            1 => {
                let (first, second) = (self.signed_header(), self.signed_header());
                Evidence::Proposals { first, second }
            }
            2 => Evidence::Votes { first: self.signed_vote(), second: self.signed_vote() },
            3 => Evidence::Block { header: self.signed_header(), fault: Box::new(self.fault()) },
            _ => {
                let (header, fault) = (self.signed_header(), Box::new(self.fault()));
                Evidence::Audit { header, fault, vote: self.signed_vote() }
            }
        }
    }

    pub(super) fn registration(&mut self) -> Registration {
        Registration {
            institution: self.draw.next_u32(),
            key: self.bytes(),
            rating: u8::from_le_bytes(self.bytes()),
            centre: self.draw.next_u32(),
            signature: self.bytes(),
            approval: self.bytes(),
        }
    }

    pub(super) fn service(&mut self) -> Service {
        Service {
            grant: self.bytes(),
            epoch: self.draw.next_u32(),
            institution: self.draw.next_u32(),
            kind: self.one_to(2),
            client: self.bytes(),
            signature: self.bytes(),
        }
    }

    pub(super) fn events(&mut self) -> Events {
        let report = |values: &mut Self| AnchorReport {
            epoch: values.draw.next_u32(),
            txid: values.bytes(),
            height: values.draw.next_u32(),
        };
        Events {
            evidence: (0..self.count(0, 8, 1)).map(|_| self.evidence()).collect(),
            registrations: (0..self.count(0, 16, 2)).map(|_| self.registration()).collect(),
            services: (0..self.count(0, 256, 2)).map(|_| self.service()).collect(),
            anchored: (0..self.count(0, 4, 2)).map(|_| report(self)).collect(),
        }
    }
}

const NO_EVENTS: Events = no_events();

/// Tags that stand for nothing and lists beyond their bounds.
pub(super) fn marked(sound: &Mirror, push: Push<'_>) {
    let bytes = sound.encode();
    let with = |at: usize, by: &[u8]| replaced(&bytes, at, by);
    match sound {
        Mirror::SignedVote(_) => {
            push("subject-0", with(17, &[0]));
            push("subject-5", with(17, &[5]));
        }
        Mirror::Certificate(certificate) => certificates(certificate, push),
        Mirror::Evidence(_) => {
            push("evidence-0", with(5, &[0]));
            push("evidence-5", with(5, &[5]));
            faults(push);
        }
        Mirror::Events(events) => lists(events, &|events| events.into(), push),
        Mirror::Service(_) => {
            push("kind-0", with(45, &[0]));
            push("kind-3", with(45, &[3]));
        }
        Mirror::Summary(_) => push("option-tag-2", with(5, &[2])),
        Mirror::Decision(decision) => decisions(decision, push),
        Mirror::JournalEntry(_) => journals(push),
        _ => {}
    }
    let mut value = sound.clone();
    let Some(payload) = payload_of(&mut value) else { return };
    let with = |certificate: Option<Certificate>, events: Events| {
        let mut value = sound.clone();
        let item_block = payload.item_block.clone();
        let changed = Payload { item_block, parent_certificate: certificate, events };
        *payload_of(&mut value).expect("the same kind") = changed;
        value
    };
    lists(&NO_EVENTS, &|events| with(None, events), push);
    let vote = Vote { epoch: 1, view: 2, subject: Subject::Nullify };
    let unsigned = Certificate { vote, signers: vec![1], signatures: vec![] };
    push("certificate-unsigned", with(Some(unsigned), NO_EVENTS).encode());
    // An idle payload ends in the tag of the certificate and four counts.
    let idle = with(None, NO_EVENTS).encode();
    push("certificate-tag-2", replaced(&idle, idle.len() - 17, &[2]));
}

fn decisions(sound: &Decision, push: Push<'_>) {
    let with = |change: &dyn Fn(&mut Decision)| {
        let mut decision = sound.clone();
        change(&mut decision);
        Mirror::from(decision).encode()
    };
    push("blocks-none", with(&|decision| decision.blocks.clear()));
    let bytes = with(&|_| ());
    push("blocks-count-max", replaced(&bytes, 5, &[0xff; 4]));
    push("blocks-count-65537", replaced(&bytes, 5, &65_537_u32.to_le_bytes()));
    let blocks: usize = sound.blocks.iter().map(|block| body(block).len()).sum();
    push("closing-count-max", replaced(&bytes, 9 + blocks, &[0xff; 4]));
    push("closing-count-65537", replaced(&bytes, 9 + blocks, &65_537_u32.to_le_bytes()));
    push("unsigned", with(&|decision| decision.certificate.signatures.clear()));
    push("signers-none", with(&|decision| decision.certificate.signers.clear()));
}

fn journals(push: Push<'_>) {
    let lost = Mirror::from(JournalEntry::Lost(7)).encode();
    push("entry-0", replaced(&lost, 5, &[0]));
    push("entry-6", replaced(&lost, 5, &[6]));
    push("lost-is-no-vote", replaced(&lost, 5, &[3]));
    let vote = Vote { epoch: 1, view: 2, subject: Subject::Nullify };
    let voted = Mirror::from(JournalEntry::Voted(vote.clone())).encode();
    push("subject-0", replaced(&voted, voted.len() - 1, &[0]));
    push("subject-5", replaced(&voted, voted.len() - 1, &[5]));
    let unsigned = Certificate { vote, signers: vec![1], signatures: vec![] };
    push("unsigned", Mirror::from(JournalEntry::Certified(unsigned)).encode());
}

fn certificates(sound: &Certificate, push: Push<'_>) {
    let of = |signers: usize, signatures: usize| Certificate {
        vote: sound.vote.clone(),
        signers: vec![1; signers],
        signatures: vec![[2; 64]; signatures],
    };
    let encoded = |signers, signatures| Mirror::from(of(signers, signatures)).encode();
    push("signers-empty", encoded(0, 1));
    push("signers-129", encoded(129, 1));
    push("signatures-empty", encoded(1, 0));
    let one = encoded(1, 1);
    let count = one.len() - 68;
    push("signatures-count-max", replaced(&one, count, &[0xff; 4]));
    push("signatures-count-1025", replaced(&one, count, &1_025_u32.to_le_bytes()));
    push("signatures-count-one-more", replaced(&one, count, &2_u32.to_le_bytes()));
    push("signers-count-max", replaced(&one, count - 5, &[0xff; 4]));
}

/// Faults whose parts are out of bounds, in evidence of the third kind.
fn faults(push: Push<'_>) {
    let mut draw = crate::seed::Seed::new(0).stream("generate/agreement/faults");
    let mut values = Values::small(&mut draw);
    let header = values.signed_header();
    let summary = values.summary();
    let place = |hashes: usize| ItemPlace { index: 0, size: 1, path: vec![[3; 32]; hashes] };
    let booking = |values: &mut Values<'_, _>, of_record: usize, of_item: usize| PlacedBooking {
        booking: values.booking(),
        record: RecordPlace { index: 0, size: 1, path: vec![[4; 32]; of_record] },
        item: place(of_item),
    };
    let evidence = |fault: Fault| {
        Mirror::from(Evidence::Block { header: header.clone(), fault: Box::new(fault) }).encode()
    };
    let header_only = evidence(Fault::Header);
    let tag = header_only.len() - 1;
    push("fault-0", replaced(&header_only, tag, &[0]));
    push("fault-8", replaced(&header_only, tag, &[8]));
    let (tree, records) = ([5; 32], 0);
    let item = Fault::Item { summary: summary.clone(), place: place(15), records, tree };
    push("item-path-15", evidence(item));
    let long = booking(&mut values, 9, 0);
    push("record-path-9", evidence(Fault::Booking { summary: summary.clone(), booking: long }));
    let (first, second) = (booking(&mut values, 0, 0), booking(&mut values, 0, 15));
    push("second-path-15", evidence(Fault::Repeated { summary, first, second }));
}

fn lists(sound: &Events, whole: &dyn Fn(Events) -> Mirror, push: Push<'_>) {
    let mut draw = crate::seed::Seed::new(0).stream("generate/agreement/lists");
    let mut values = Values::small(&mut draw);
    let vote = values.signed_vote();
    let votes = Evidence::Votes { first: vote.clone(), second: vote };
    let report = AnchorReport { epoch: 1, txid: [6; 32], height: 7 };
    let (registration, service) = (values.registration(), values.service());
    let mut push_with = |fault, change: &dyn Fn(&mut Events)| {
        let mut events = sound.clone();
        change(&mut events);
        push(fault, whole(events).encode());
    };
    push_with("evidence-9", &|events| events.evidence = vec![votes.clone(); 9]);
    push_with("registrations-17", &|events| events.registrations = vec![registration.clone(); 17]);
    push_with("anchored-5", &|events| events.anchored = vec![report.clone(); 5]);
    push_with("service-of-kind-3", &|events| {
        events.services = vec![Service { kind: 3, ..service.clone() }];
    });
    // As the bytes of 256 services are many, the count of one is raised above the bound.
    let one = Events { services: vec![service.clone()], ..NO_EVENTS };
    let bytes = whole(one).encode();
    let count = bytes.len() - 4 - 141 - 4;
    push("services-count-257", replaced(&bytes, count, &257_u32.to_le_bytes()));
    push("services-count-max", replaced(&bytes, count, &[0xff; 4]));
}
