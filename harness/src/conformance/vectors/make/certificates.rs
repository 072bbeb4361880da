//! Certificates: quorums of every size, and what is none. [CON-7]

use serde_json::{Value, json};

use super::super::super::class::Class;
use super::super::shape::VectorFile;
use super::{Maker, Member, bytes, named};
use crate::rules::agreement::{Certificate, Subject, Vote, vote_message};
use crate::rules::ed25519;
use crate::rules::ledger::quorum;
use crate::rules::mirror::Bytes32;
use crate::rules::wire::Mirror;

pub(super) fn made() -> VectorFile {
    let mut maker = Maker::new(
        "certificates",
        "Certificates: one vote, signed by n - f of the seats of its electorate, f = (n - 1) / 3 rounded down.",
    );
    let flags = [
        (
            "quorum-too-small",
            "fewer than n - f signers suffice",
            "two conflicting blocks become final with f faulty auditors",
        ),
        ("quorum-too-large", "n - f signers do not suffice", "f silent auditors halt the chain"),
        (
            "signer-repeated",
            "one signer counts as several",
            "a single auditor certifies what it likes",
        ),
        (
            "outsider-counted",
            "bits or signatures of nobody's seat are counted",
            "whoever holds no seat certifies what it likes",
        ),
        (
            "signature-unchecked",
            "a signature is not compared with vote, chain and seat",
            "whoever writes a bitmap certifies what it likes",
        ),
        (
            "vote-unbound",
            "epoch, view, subject or chain are not part of what is signed",
            "a vote for one block counts for another",
        ),
    ];
    for (name, bug, effect) in flags {
        maker.flag(name, bug, effect, None);
    }
    quorums(&mut maker);
    Case::new(7, subject()).faults(&mut maker);
    maker.done()
}

fn chain() -> Bytes32 {
    named("chain")
}

fn subject() -> Subject {
    Subject::Notarize(named("block"))
}

/// An electorate and what it votes for.
struct Case {
    seats: Vec<Member>,
    vote: Vote,
}

impl Case {
    fn new(seats: u32, subject: Subject) -> Self {
        let seats = (0..seats).map(|seat| Member::new(100 + 3 * seat)).collect();
        let view = if matches!(subject, Subject::Anchor(_)) { 0 } else { 9 };
        Self { seats, vote: Vote { epoch: 5, view, subject } }
    }

    fn signature(&self, seat: usize) -> ed25519::Signature {
        ed25519::sign(&self.seats[seat].seed, &vote_message(&chain(), &self.vote))
    }

    fn bitmap(&self, signed: &[usize]) -> Vec<u8> {
        let mut bitmap = vec![0; self.seats.len().div_ceil(8)];
        signed.iter().for_each(|seat| bitmap[seat / 8] |= 1 << (seat % 8));
        bitmap
    }

    fn certificate(&self, signed: &[usize]) -> Certificate {
        Certificate {
            vote: self.vote.clone(),
            signers: self.bitmap(signed),
            signatures: signed.iter().map(|seat| self.signature(*seat)).collect(),
        }
    }

    fn args(&self, certificate: &Certificate) -> Value {
        json!({
            "chain_id": bytes(chain()),
            "seats": self.seats.iter().map(Member::json).collect::<Value>(),
            "certificate": bytes(Mirror::from(certificate.clone()).encode()),
        })
    }

    fn sound(&self, maker: &mut Maker, id: &str, signed: &[usize]) {
        let signers: Value = signed.iter().map(|seat| Value::from(self.seats[*seat].id)).collect();
        let (args, ok) = (self.args(&self.certificate(signed)), json!({"signers": signers}));
        maker.valid(format!("certificate.check.{id}"), "certificate.check", args, ok, &["CON-7.1"]);
    }

    fn wrong(&self, maker: &mut Maker, id: &str, certificate: &Certificate, classes: &[Class]) {
        let (id, args) = (format!("certificate.check.{id}"), self.args(certificate));
        maker.invalid(id, "certificate.check", args, classes, &["CON-7.1"]);
    }
}

fn quorums(maker: &mut Maker) {
    for seats in [4, 5, 6, 7, 8, 9, 20] {
        let case = Case::new(seats, subject());
        let (all, enough) = (case.seats.len(), quorum(case.seats.len()));
        maker.finding(&["quorum-too-large"]);
        let last: Vec<usize> = (all - enough..all).collect();
        case.sound(maker, &format!("{enough}-of-{seats}"), &last);
        let first: Vec<usize> = (0..all).collect();
        case.sound(maker, &format!("{seats}-of-{seats}"), &first);
        maker.finding(&["quorum-too-small"]);
        let id = format!("{}-of-{seats}", enough - 1);
        case.wrong(maker, &id, &case.certificate(&first[1..enough]), &[Class::Quorum]);
        let id = format!("1-of-{seats}");
        case.wrong(maker, &id, &case.certificate(&[all - 1]), &[Class::Quorum]);
    }
    let paper = Case::new(121, Subject::Anchor(named("root")));
    maker.finding(&["quorum-too-large"]);
    paper.sound(maker, "81-of-121", &(20..101).collect::<Vec<_>>());
    maker.finding(&["quorum-too-small"]);
    let few = paper.certificate(&(0..80).collect::<Vec<_>>());
    paper.wrong(maker, "80-of-121", &few, &[Class::Quorum]);
    // Of 20, 2 f + 1 are 13, and two such groups share no more than may be faulty.
    let subjects = [
        ("nullify", Subject::Nullify),
        ("finalize", Subject::Finalize(named("block"))),
        ("anchor", Subject::Anchor(named("root"))),
    ];
    maker.finding(&["vote-unbound"]);
    for (id, subject) in subjects {
        Case::new(4, subject).sound(maker, &format!("{id}-3-of-4"), &[0, 1, 3]);
    }
}

impl Case {
    /// Of 7 seats, of which 5 are enough.
    fn faults(&self, maker: &mut Maker) {
        let sound = self.certificate(&[0, 1, 3, 4, 6]);
        let with = |change: &dyn Fn(&mut Certificate)| {
            let mut certificate = sound.clone();
            change(&mut certificate);
            certificate
        };
        let outsider = [Class::Outsider, Class::Rule, Class::Shape, Class::Bound];

        maker.finding(&["outsider-counted"]);
        let stranger = Member::new(9_999);
        let stray = ed25519::sign(&stranger.seed, &vote_message(&chain(), &self.vote));
        let padded = with(&|c| {
            c.signers[0] = 0b1001_1011;
            c.signatures[4] = stray;
        });
        self.wrong(maker, "padding-bit-for-a-seat", &padded, &outsider);
        let padded = with(&|c| c.signers[0] |= 0b1000_0000);
        self.wrong(maker, "padding-bit", &padded, &outsider);
        let padded = with(&|c| {
            c.signers[0] |= 0b1000_0000;
            c.signatures.push(stray);
        });
        self.wrong(maker, "padding-bit-with-signature", &padded, &outsider);
        let longer = with(&|c| c.signers.push(0));
        self.wrong(maker, "bitmap-longer-by-a-zero", &longer, &outsider);
        let longer = with(&|c| {
            c.signers.push(1);
            c.signatures.push(stray);
        });
        self.wrong(maker, "bitmap-longer-by-a-seat", &longer, &outsider);
        let large = Case::new(9, subject());
        let short =
            Certificate { signers: vec![0xff], ..large.certificate(&[0, 1, 2, 3, 4, 5, 6, 7]) };
        large.wrong(maker, "bitmap-too-short", &short, &outsider);
        let stolen = with(&|c| c.signatures[2] = stray);
        self.wrong(maker, "signature-of-an-outsider", &stolen, &[Class::Signature]);

        maker.finding(&["signer-repeated"]);
        let rule = [Class::Rule, Class::Signature, Class::Shape];
        let twice = with(&|c| c.signatures.push(c.signatures[4]));
        self.wrong(maker, "more-signatures-than-signers", &twice, &rule);
        let few = with(&|c| c.signatures.truncate(4));
        self.wrong(maker, "fewer-signatures-than-signers", &few, &rule);
        let repeated = with(&|c| c.signatures[4] = c.signatures[3]);
        self.wrong(maker, "one-signature-twice", &repeated, &[Class::Signature]);
        let few = self.certificate(&[0, 1, 3, 4]);
        let pretended = Certificate {
            signatures: [few.signatures.clone(), vec![few.signatures[0]]].concat(),
            ..few
        };
        let classes = [Class::Quorum, Class::Rule, Class::Signature, Class::Shape];
        self.wrong(maker, "repeated-signature-for-a-quorum", &pretended, &classes);

        maker.finding(&["signature-unchecked"]);
        for at in [0, 2, 4] {
            let spoilt = with(&|c| c.signatures[at][40] ^= 1);
            self.wrong(maker, &format!("signature-{at}-spoilt"), &spoilt, &[Class::Signature]);
        }
        let swapped = with(&|c| c.signatures.swap(1, 2));
        self.wrong(maker, "signatures-out-of-order", &swapped, &[Class::Signature]);
        let other = with(&|c| c.signers = self.bitmap(&[0, 2, 3, 4, 6]));
        self.wrong(maker, "bit-of-another-seat", &other, &[Class::Signature]);
        let zeros = with(&|c| c.signatures = vec![[0; 64]; 5]);
        self.wrong(maker, "signatures-of-zeros", &zeros, &[Class::Signature]);

        let viewed = with(&|c| c.vote.subject = Subject::Anchor(named("root")));
        self.wrong(maker, "anchor-in-a-view", &viewed, &[Class::Rule, Class::Signature]);

        maker.finding(&["vote-unbound"]);
        type Change = fn(&mut Vote);
        let votes: [(&str, Change); 6] = [
            ("another-epoch", |vote| vote.epoch = 6),
            ("another-view", |vote| vote.view = 10),
            ("another-block", |vote| vote.subject = Subject::Notarize(named("another"))),
            ("finalize-for-notarize", |vote| vote.subject = Subject::Finalize(named("block"))),
            ("nullify-for-notarize", |vote| vote.subject = Subject::Nullify),
            ("anchor-for-notarize", |vote| {
                *vote = Vote { view: 0, subject: Subject::Anchor(named("block")), ..vote.clone() };
            }),
        ];
        for (id, change) in votes {
            let changed = with(&|c| change(&mut c.vote));
            self.wrong(maker, id, &changed, &[Class::Signature]);
            let mixed = with(&|c| {
                let mut vote = self.vote.clone();
                change(&mut vote);
                let message = vote_message(&chain(), &vote);
                c.signatures[1] = ed25519::sign(&self.seats[1].seed, &message);
            });
            self.wrong(maker, &format!("mixed-with-{id}"), &mixed, &[Class::Signature]);
        }
        let mut args = self.args(&sound);
        args["chain_id"] = bytes(named("another chain"));
        let id = "certificate.check.another-chain";
        maker.invalid(id, "certificate.check", args, &[Class::Signature], &["CON-7.1"]);
        maker.finding(&["outsider-counted"]);
        let mut args = self.args(&sound);
        if let Some(seats) = args["seats"].as_array_mut() {
            seats.rotate_left(1);
        }
        let id = "certificate.check.seats-in-another-order";
        maker.invalid(id, "certificate.check", args, &[Class::Signature], &["CON-7.1"]);
    }
}
