//! Liars: each case has to see through the party that breaks what it is about, and to let honest ones
//! pass. The parties run in this process here.

use mdsm_core::types::Digest;

use super::*;
use crate::party::Party;
use crate::seed::Seed;
use crate::verdict::Outcome;

/// What a liar makes of its answer to a request.
type Lie = fn(asked: &'static str, honest: Reply) -> Reply;

struct Liar {
    name: String,
    party: Party,
    lie: Option<Lie>,
    /// Every answer that the party gave, to be given again.
    delivered: Option<mdsm_core::reencryption::Delivery>,
}

impl Talk for Liar {
    fn name(&self) -> &str {
        &self.name
    }

    fn ask(&mut self, request: Request) -> Result<Reply, Fault> {
        let asked = request.name();
        let mut reply = self.party.answer(request);
        if let Reply::Delivery { delivery } = &reply {
            self.delivered = Some(delivery.clone());
        }
        if let Some(lie) = self.lie {
            reply = lie(asked, reply);
            // A proxy that keeps on delivering after the grant was taken back.
            if let (Reply::Done, "Deliver", Some(delivery)) = (&reply, asked, &self.delivered) {
                reply = Reply::Delivery { delivery: delivery.clone() };
            }
        }
        Ok(reply)
    }
}

const FILE: &[u8] = b"thirty-two bytes and a few more of a file";
const EVERY: [Scene; 5] = [
    |stage, file| three_processes(stage, file, Variant::KeyPrivate),
    offer_once,
    approved_only,
    nobody_else,
    revocation,
];

/// Runs a scene in which `who` lies.
fn played(scene: Scene, who: &str, lie: Option<Lie>) -> Result<String, String> {
    let start = |name: &str, role: Role| {
        let lie = lie.filter(|_| name == who);
        let liar = Liar { name: name.to_owned(), party: Party::new(role), lie, delivered: None };
        Ok(Box::new(liar) as Box<dyn Talk>)
    };
    let stage = Stage { start: &start, seed: Seed::new(1), case: "sharing.test" };
    scene(stage, FILE).map_err(|fault| match fault.outcome() {
        (Outcome::Fail, what) => what,
        (other, what) => format!("not refuted but {other:?}: {what}"),
    })
}

fn opened(_: &'static str, _: Reply) -> Reply {
    Reply::Opened { digest: mdsm_core::crypto::sha256(FILE), bytes: 41 }
}

#[test]
fn honest_parties_pass_every_scene() {
    //= harness/spec/reencryption.md#pre-3-request-and-grant
    //= type=test
    //# PRE-3.2 (paper): The owner MUST encrypt the part asked for and make a re-encryption key
    //# from itself to that reader.
    //= harness/spec/reencryption.md#pre-3-request-and-grant
    //= type=test
    //# PRE-3.4 (ours): The value U = -X S_B + E that a reader sends to an owner MUST be used
    //# for one re-encryption key only.
    //= harness/spec/reencryption.md#pre-3-request-and-grant
    //= type=test
    //# PRE-3.7 (ours): An owner MUST refuse an offer that was made for another key.
    //= harness/spec/reencryption.md#pre-5-re-encryption
    //= type=test
    //# PRE-5.2 (paper): The proxy MUST NOT be able to read what it re-encrypts.
    //= harness/spec/reencryption.md#pre-6-reading
    //= type=test
    //# PRE-6.1 (paper): The reader MUST be able to decrypt with its own private key only.
    //= harness/spec/reencryption.md#pre-8-wrong-re-encryption
    //= type=test
    //# PRE-8.2 (ours): A delivery MUST carry the proxy's signature over the grant, the original
    //# capsule and the re-encrypted one.
    for (number, scene) in EVERY.into_iter().enumerate() {
        let seen = played(scene, "nobody", None);
        assert!(seen.is_ok(), "scene {number}: {seen:?}");
        assert_eq!(seen, played(scene, "nobody", None), "it repeats");
    }
}

#[test]
fn every_lie_is_named_with_its_liar() {
    let lies: [(usize, &str, Lie, &str); 9] = [
        (
            0,
            "reader",
            |asked, honest| match honest {
                Reply::Opened { bytes, .. } if asked == "Open" => {
                    Reply::Opened { digest: Digest::new([7; 32]), bytes }
                }
                honest => honest,
            },
            "which is not the file",
        ),
        (
            0,
            "reader",
            |asked, honest| match honest {
                Reply::Opened { digest, .. } if asked == "Open" => {
                    Reply::Opened { digest, bytes: 1 }
                }
                honest => honest,
            },
            "which is not the file",
        ),
        (
            0,
            "owner",
            |asked, honest| if asked == "Seal" { Reply::Done } else { honest },
            "owner: answered Seal with Done",
        ),
        (
            0,
            "owner",
            |_, honest| match honest {
                Reply::Sealed { capsule, approval, .. } => {
                    let padded = [FILE, &[0; 130]].concat();
                    let sealed = crate::party::Sealed::new(padded).expect("short");
                    Reply::Sealed { capsule, approval, sealed }
                }
                honest => honest,
            },
            "owner: ",
        ),
        (
            0,
            "proxy",
            |_, honest| match honest {
                Reply::Delivery { mut delivery } => {
                    delivery.before = Digest::new([7; 32]);
                    Reply::Delivery { delivery }
                }
                honest => honest,
            },
            "proxy: a delivery that does not hold",
        ),
        (
            1,
            "owner",
            |asked, honest| match honest {
                Reply::Refused { .. } if asked == "Accept" => Reply::Done,
                honest => honest,
            },
            "refused as Spent, with Done",
        ),
        (
            2,
            "proxy",
            |asked, honest| match honest {
                Reply::Refused { .. } if asked == "Deliver" => Reply::Done,
                honest => honest,
            },
            "refused as NotAdmitted, with Delivery",
        ),
        (
            3,
            "another reader",
            |asked, honest| {
                if asked == "Try" { opened(asked, honest) } else { honest }
            },
            "another reader: answered to open the file",
        ),
        (
            4,
            "proxy",
            |asked, honest| match honest {
                Reply::Refused { why: Refusal::Revoked, .. } if asked == "Deliver" => Reply::Done,
                honest => honest,
            },
            "refused as Revoked, with Delivery",
        ),
    ];
    for (scene, who, lie, words) in lies {
        let found = played(EVERY[scene], who, Some(lie)).expect_err(words);
        assert!(found.contains(words), "{words}: {found}");
        assert!(found.contains(who), "{who}: {found}");
    }
}

#[test]
fn every_case_has_secrets_of_its_own() {
    let start = |name: &str, role: Role| {
        let (name, party) = (name.to_owned(), Party::new(role));
        Ok(Box::new(Liar { name, party, lie: None, delivered: None }) as Box<dyn Talk>)
    };
    let owner = |seed, case| {
        let stage = Stage { start: &start, seed: Seed::new(seed), case };
        let owner = begin(stage, "owner", Role::Owner);
        owner.map(|owner| owner.signer).unwrap_or_else(|fault| panic!("{:?}", fault.outcome()))
    };
    assert_eq!(owner(1, "sharing.one"), owner(1, "sharing.one"));
    assert_ne!(owner(1, "sharing.one"), owner(1, "sharing.other"));
    assert_ne!(owner(1, "sharing.one"), owner(2, "sharing.one"));
}

#[test]
fn cases_name_sentences() {
    let means = Means::new("no-program", &crate::stop::Stop::after(None));
    for case in cases(&[], &means) {
        let wrong = case.requirements.iter().find(|id| !id.contains('.'));
        assert_eq!(wrong, None, "{}: a chapter is more than a case shows", case.id);
    }
}
