//! Credit and committees: drawn histories, and one story for each rule. [COM-1] to [COM-7] [COM-9]

use serde_json::{Value, json};

use super::super::super::class::Class;
use super::super::shape::VectorFile;
use super::roster_story::{Story, member, member_json, plain};
use super::{Maker, Member, named, stream};
use crate::generate::history::{Habits, founders, step, words};
use crate::rules::mirror::Bytes32;
use crate::rules::roster::{Block, Joining, Offence, Service};

pub(super) fn made() -> VectorFile {
    let mut maker = Maker::new(
        "roster",
        "Credit and committees, block by block and freeze by freeze: stories for each rule, drawn histories, and founders of whom no committees can be made.",
    );
    let flags = [
        (
            "amount-wrong",
            "an event earns or costs another amount, or somebody else",
            "nodes disagree on credit, and then on committees",
        ),
        (
            "cap-missed",
            "a limit on misses, services or credit is not kept",
            "an outage expels the innocent, or friends' receipts save the silent",
        ),
        (
            "counted-twice",
            "one offence or one service counts as often as it is reported",
            "one mistake ruins, one service enriches",
        ),
        (
            "refusal-missed",
            "a block with facts that no block may bring is taken",
            "credit from nothing, or for nobody",
        ),
        (
            "expulsion-wrong",
            "another institution loses its seat, or at another time",
            "the guilty stay, or the innocent go",
        ),
        (
            "succession-wrong",
            "another institution gets a vacant seat",
            "nodes disagree on committees",
        ),
        (
            "turn-lost",
            "the order of turns does not go on across a freeze",
            "a producer is left out",
        ),
        (
            "founders-unchecked",
            "founders that contradict each other found a network",
            "two institutions with one id or key, or too few auditors to tolerate a faulty one",
        ),
    ];
    for (name, bug, effect) in flags {
        maker.flag(name, bug, effect, None);
    }
    ranks(&mut maker);
    credits(&mut maker);
    refusals(&mut maker);
    freezes(&mut maker);
    drawn(&mut maker);
    foundings(&mut maker);
    maker.done()
}

fn offence(institution: u32, view: u64, kind: u8) -> Offence {
    Offence { institution, epoch: 0, view, kind }
}

fn service(institution: u32, number: u32) -> Service {
    Service { epoch: 0, grant: grant(number), institution }
}

fn grant(number: u32) -> Bytes32 {
    named(&format!("grant {number}"))
}

fn ranks(maker: &mut Maker) {
    maker.finding(&["succession-wrong"]);
    let tied = |ratings: &[(u32, u8, u32)]| {
        ratings.iter().map(|(id, rating, centre)| member(*id, *rating, *centre)).collect()
    };
    let lists: [(&str, Vec<Joining>, &str); 4] = [
        (
            "rank-by-rating",
            tied(&[
                (1, 10, 9),
                (2, 90, 1),
                (3, 50, 5),
                (4, 70, 7),
                (5, 30, 3),
                (6, 100, 0),
                (7, 0, 99),
                (8, 60, 6),
            ]),
            "COM-1.1",
        ),
        (
            "rank-by-size-where-ratings-tie",
            (1..=8).map(|id| member(id, 50, id)).collect(),
            "COM-1.1",
        ),
        (
            "rank-by-id-where-all-ties",
            (1..=8).rev().map(|id| member(id * 7, 50, 50)).collect(),
            "COM-1.2",
        ),
        (
            "ids-at-their-ends",
            tied(&[
                (0, 50, 1),
                (u32::MAX, 50, 1),
                (5, 50, u32::MAX),
                (6, 50, 0),
                (7, 100, 0),
                (8, 0, 0),
                (9, 0, 1),
                (10, 1, 0),
            ]),
            "COM-3.4",
        ),
    ];
    for (id, founders, of) in lists {
        let mut story = Story::new(founders, 4, 4);
        story.turns(1).freeze().write(maker, id, &[of, "COM-9.4"]);
    }
    Story::new(plain(9), 4, 5).write(maker, "nothing-happened", &["COM-1.3", "COM-9.4"]);
}

fn credits(maker: &mut Maker) {
    let ten = || Story::new(plain(10), 4, 4);
    maker.finding(&["amount-wrong"]);
    ten().turns(1).write(maker, "first-block-needs-no-certificate", &["COM-6.1"]);
    ten().turns(6).write(maker, "blocks-and-audits", &["COM-6.1", "COM-4.3", "COM-4.1"]);
    let mut story = ten();
    let block = Block { certificate: None, ..story.turns(1).next() };
    story.take(block).write(maker, "block-without-certificate-earns-nothing", &["COM-6.10"]);
    let mut story = ten();
    let block = story.turns(1).next();
    let few = Block {
        certificate: Some(vec![block.certificate.clone().unwrap_or_default()[2]]),
        ..block
    };
    story.take(few).write(maker, "one-signer-audits", &["COM-4.3"]);
    for (views, id) in [(2, "one-miss"), (4, "three-misses"), (5, "everybody-misses-one")] {
        let mut story = ten();
        let block = story.turns(1).after(views);
        story.take(block).write(maker, id, &["COM-4.2", "COM-6.2", "COM-4.1"]);
    }
    for kind in 1..=7 {
        let mut story = ten();
        let block = Block { offences: vec![offence(3, 1, kind)], ..story.turns(1).next() };
        let id = format!("offence-of-kind-{kind}");
        story.take(block).write(maker, &id, &["COM-6.2", "COM-4.4"]);
    }
    let mut story = ten();
    let block = Block { services: vec![service(9, 1), service(2, 2)], ..story.next() };
    story.take(block).write(maker, "services", &["COM-6.1", "COM-6.3"]);
    let mut story = ten();
    let joining = vec![member(40, 100, 1), member(41, 0, 1)];
    story.take(Block { joining, ..story.next() }).write(maker, "registrations", &["COM-5.1"]);

    maker.finding(&["cap-missed"]);
    let mut story = ten();
    for views in [9, 9, 9] {
        let block = story.turns(1).after(views);
        story.take(block);
    }
    story.freeze();
    let block = story.turns(1).after(9);
    story.take(block).write(maker, "two-misses-an-epoch-are-charged", &["COM-6.8"]);
    let mut story = ten();
    let block = story.turns(1).after(100_000);
    story.take(block).write(maker, "a-gap-of-100000-views", &["COM-6.8"]);
    let mut story = ten();
    for from in [0, 6, 12] {
        let services = (from..from + 6).map(|number| service(9, number)).collect();
        story.take(Block { services, ..story.next() });
    }
    story.freeze();
    let again = vec![Service { epoch: 1, ..service(9, 30) }];
    story.take(Block { services: again, ..story.next() });
    story.write(maker, "ten-services-an-epoch-are-credited", &["COM-6.8"]);
    // 25,000 points and ten services an epoch would take long: a rating of 100 is half of the way.
    let mut story = Story::new((1..=8).map(|id| member(id, 100, 9 - id)).collect(), 4, 4);
    for epoch in 0..3 {
        let services = (0..10).map(|n| Service { epoch, ..service(1, 100 * epoch + n) }).collect();
        story.take(Block { services, ..story.next() });
        story.turns(3).freeze();
    }
    story.write(maker, "credit-over-several-epochs", &["COM-5.4", "COM-6.11"]);

    maker.finding(&["amount-wrong"]);
    for (audits, id) in [(3, "absent-with-less-than-a-third"), (4, "present-with-a-third")] {
        let mut story = ten();
        story.turns(1);
        for number in 0..12 {
            let block = story.next();
            let mut signers = block.certificate.clone().unwrap_or_default();
            if number >= audits {
                signers.retain(|id| *id != 6);
            }
            story.take(Block { certificate: Some(signers), ..block });
        }
        story.freeze().write(maker, id, &["COM-6.9"]);
    }
    for (blocks, id) in [(10, "nine-certificates-judge-nobody"), (11, "ten-certificates-judge")] {
        let mut story = ten();
        story.turns(1);
        for _ in 1..blocks {
            let block = story.next();
            let signers = block.certificate.clone().unwrap_or_default()[..3].to_vec();
            story.take(Block { certificate: Some(signers), ..block });
        }
        story.freeze().write(maker, id, &["COM-6.9"]);
    }
}

fn refusals(maker: &mut Maker) {
    maker.finding(&["refusal-missed"]);
    type Change = fn(&Story, &mut Block);
    let sound_key = || Member::new(50).key();
    let changes: [(&str, Change, &str); 17] = [
        ("view-of-the-parent", |s, b| b.view = s.parent, "COM-9.2"),
        ("another-producer", |s, b| b.producer = s.state.leader(b.view + 1), "CON-5.1"),
        ("unknown-producer", |_, b| b.producer = 99, "CON-5.1"),
        ("signer-without-seat", |_, b| b.certificate = Some(vec![9]), "COM-4.3"),
        ("signer-of-the-other-committee", |_, b| b.certificate = Some(vec![1, 5]), "COM-4.3"),
        ("signers-out-of-order", |_, b| b.certificate = Some(vec![6, 5]), "COM-4.3"),
        ("signer-twice", |_, b| b.certificate = Some(vec![5, 5]), "COM-4.3"),
        ("offence-of-nobody", |_, b| b.offences = vec![offence(99, 1, 1)], "COM-6.12"),
        (
            "offence-of-a-later-epoch",
            |_, b| b.offences = vec![Offence { epoch: 1, ..offence(3, 1, 1) }],
            "COM-6.12",
        ),
        ("offence-twice-in-a-block", |_, b| b.offences = vec![offence(3, 1, 1); 2], "COM-6.4"),
        ("service-by-nobody", |_, b| b.services = vec![service(99, 1)], "COM-6.12"),
        (
            "service-of-a-later-epoch",
            |_, b| b.services = vec![Service { epoch: 1, ..service(3, 1) }],
            "COM-6.12",
        ),
        (
            "grant-twice-in-a-block",
            |_, b| b.services = vec![service(3, 1), service(4, 1)],
            "COM-6.3",
        ),
        ("id-taken", |_, b| b.joining = vec![member(9, 50, 1)], "COM-3.2"),
        ("rating-of-101", |_, b| b.joining = vec![member(50, 101, 1)], "COM-1.1"),
        (
            "id-twice-in-a-block",
            |_, b| {
                b.joining = vec![
                    member(50, 50, 1),
                    Joining { key: Member::new(51).key(), ..member(50, 50, 1) },
                ];
            },
            "COM-3.2",
        ),
        (
            "key-twice-in-a-block",
            |_, b| {
                b.joining = vec![member(50, 50, 1), Joining { id: 51, ..member(50, 50, 1) }];
            },
            "COM-3.5",
        ),
    ];
    for (id, change, of) in changes {
        let mut story = Story::new(plain(10), 4, 4);
        story.turns(2);
        let mut block = story.next();
        change(&story, &mut block);
        story.take(block).turns(1).write(maker, &format!("refused-{id}"), &[of]);
    }
    let mut story = Story::new(plain(10), 4, 4);
    let block = Block { certificate: Some(vec![5, 6, 7]), ..story.next() };
    story.take(block).turns(2).write(maker, "refused-certificate-on-a-first-block", &["COM-4.3"]);
    let keys: [(&str, Bytes32, bool); 3] = [
        ("key-taken", Member::new(9).key(), true),
        (
            "key-of-small-order",
            {
                let mut key = [0; 32];
                key[0] = 1;
                key
            },
            false,
        ),
        (
            "key-that-is-no-point",
            {
                let mut key = [0; 32];
                key[0] = 2;
                key
            },
            false,
        ),
    ];
    for (id, key, key_is_sound) in keys {
        let mut story = Story::new(plain(10), 4, 4);
        story.turns(1);
        let one = Joining { id: 50, key, key_is_sound, rating: 50, centre: 1 };
        let joining = vec![one, Joining { key: sound_key(), key_is_sound: true, id: 51, ..one }];
        story.take(Block { joining, ..story.next() }).turns(1);
        story.write(maker, &format!("refused-{id}"), &["COM-3.5"]);
    }
    maker.finding(&["counted-twice"]);
    let mut story = Story::new(plain(12), 4, 4);
    for _ in 0..2 {
        let reports = Block { offences: vec![offence(9, 1, 2)], services: vec![], ..story.next() };
        story.take(reports);
    }
    for number in [1, 1] {
        story.take(Block { services: vec![service(10, number)], ..story.next() });
    }
    // Other kinds and views are other offences; the epoch before may still be reported, once.
    story.take(Block { offences: vec![offence(9, 1, 3), offence(9, 2, 2)], ..story.next() });
    story.freeze();
    for one in [offence(9, 1, 2), offence(9, 7, 2), offence(9, 7, 2)] {
        story.take(Block { offences: vec![one], ..story.next() });
    }
    story.turns(1).freeze().turns(1);
    story.take(Block { offences: vec![offence(9, 8, 2)], ..story.next() });
    story.take(Block { services: vec![service(10, 1)], ..story.next() });
    story.write(maker, "counted-once-and-reported-in-time", &["COM-6.4", "COM-6.12"]);
    let mut story = Story::new(plain(10), 4, 4);
    story.take(Block { offences: vec![offence(9, 1, 2)], ..story.next() });
    let barred = Joining { id: 50, key: Member::new(9).key(), ..member(50, 100, 1) };
    story.take(Block { joining: vec![barred], ..story.next() });
    story.write(maker, "refused-key-that-is-barred", &["COM-7.6"]);
}

fn freezes(maker: &mut Maker) {
    let guilty = |story: &mut Story, ids: &[u32]| {
        let offences = ids.iter().map(|id| offence(*id, 1, 5)).collect();
        let block = Block { offences, ..story.next() };
        story.take(block);
    };
    // 4 producers, 7 auditors, so that 2 changes fit in one freeze; 1 to 4, 5 to 11, then full clients.
    let large = || Story::new(plain(16), 4, 7);
    maker.finding(&["expulsion-wrong"]);
    let cases: [(&str, &[u32], &str); 6] = [
        ("producer-expelled-for-fraud", &[2], "COM-7.1"),
        ("auditor-expelled-for-fraud", &[7], "COM-7.8"),
        ("outsider-barred", &[13], "COM-7.6"),
        ("two-producers-expelled", &[1, 4], "COM-7.5"),
        ("producer-and-auditor-expelled", &[3, 5], "COM-7.12"),
        ("three-guilty-and-two-changes", &[1, 6, 9], "COM-7.9"),
    ];
    for (id, ids, of) in cases {
        let mut story = large();
        story.turns(3);
        guilty(&mut story, ids);
        story.turns(2).freeze().turns(5).freeze().turns(2);
        story.write(maker, id, &[of, "COM-7.5"]);
    }
    maker.finding(&["succession-wrong"]);
    let mut story = large();
    // The auditor with the most credit is not the one with the lowest id.
    for (number, id) in [(1, 8), (2, 8), (3, 10), (4, 15)] {
        story.take(Block { services: vec![service(id, number)], ..story.next() });
    }
    guilty(&mut story, &[3]);
    story.freeze().turns(3).write(maker, "most-credit-moves-up", &["COM-7.2", "COM-7.4"]);
    let mut story = large();
    guilty(&mut story, &[3]);
    story.freeze().turns(3).write(
        maker,
        "equal-credit-goes-to-the-lowest-id",
        &["COM-7.3", "COM-7.4"],
    );
    let mut story = large();
    guilty(&mut story, &[3, 5, 12]);
    story.freeze().turns(3).write(maker, "the-barred-do-not-move-up", &["COM-7.12"]);
    maker.finding(&["expulsion-wrong"]);
    let mut story = Story::new(plain(8), 4, 4);
    guilty(&mut story, &[6]);
    story.freeze().turns(2).write(maker, "the-last-four-auditors-stay", &["COM-7.10"]);
    let mut story = Story::new(plain(8), 4, 4);
    guilty(&mut story, &[2]);
    story.turns(2).freeze().turns(4).write(
        maker,
        "a-seat-that-nobody-can-fill-goes",
        &["COM-7.10"],
    );
    let mut story = Story::new(plain(5), 1, 4);
    guilty(&mut story, &[1]);
    story.freeze().turns(2).write(maker, "the-last-producer-stays", &["COM-7.10"]);
    let mut story = Story::new(plain(11), 4, 7);
    guilty(&mut story, &[2, 6]);
    story.turns(1).freeze().turns(1);
    let joining = vec![member(20, 100, 1), member(21, 60, 1), member(22, 40, 1)];
    story.take(Block { joining, ..story.next() });
    story.freeze().turns(1).freeze().turns(2).write(maker, "seats-come-back", &["COM-7.11"]);

    maker.finding(&["turn-lost"]);
    for (turns, id) in [(1, 1), (2, 2), (3, 3), (7, 7)] {
        let mut story = Story::new(plain(9), 5, 4);
        story.turns(turns).freeze().turns(7).freeze().turns(1);
        story.write(maker, &format!("turns-go-on-behind-view-{id}"), &["CON-5.4"]);
    }
    let mut story = Story::new(plain(8), 4, 4);
    story.turns(2);
    guilty(&mut story, &[1]);
    story.freeze().turns(5);
    story.write(maker, "turns-go-on-where-a-seat-before-went", &["CON-5.4"]);

    maker.finding(&["expulsion-wrong"]);
    // Two misses and one block an epoch cost 300: from credit 0 the threshold is passed behind 201
    // epochs. Nothing else happens, so only the misses can have done it.
    let mut story = Story::new((1..=9).map(|id| member(id, 0, 10 - id)).collect(), 1, 4);
    for _ in 0..203 {
        let block = Block { certificate: None, ..story.after(3) };
        story.take(block).freeze();
    }
    let of = ["COM-7.1", "COM-7.7", "COM-5.2"];
    story.turns(1).write(maker, "misses-alone-expel", &of);
}

fn drawn(maker: &mut Maker) {
    maker.finding(&["amount-wrong", "succession-wrong"]);
    for number in 0..6_u32 {
        let mut draw = stream(&format!("roster/{number}"));
        let count = 12 + usize::try_from(number % 4).unwrap_or(0);
        let (producers, auditors) =
            [(4, 4), (5, 7), (3, 5)][usize::try_from(number % 3).unwrap_or(0)];
        let mut story = Story::new(founders(count, &mut draw), producers, auditors);
        let habits = Habits { silent: 0, absent: if number % 2 == 0 { 0 } else { 1 << 4 } };
        for _ in 0..36 {
            let step = step(&words(&mut draw), story.parent, habits, &story.state);
            let is_refused = story.state.refuses(&step.block);
            story.take(step.block);
            if step.is_last && !is_refused {
                story.freeze();
            }
        }
        story.write(maker, &format!("drawn-{number}"), &["COM-9.1", "COM-9.3", "COM-6.11"]);
    }
}

fn foundings(maker: &mut Maker) {
    maker.finding(&["founders-unchecked"]);
    let args = |founders: &[Joining], producers: u16, auditors: u16| {
        json!({
            "producers": producers, "auditors": auditors,
            "founders": founders.iter().map(member_json).collect::<Value>(), "steps": [],
        })
    };
    let with = |at: usize, one: Joining| {
        let mut founders = plain(8);
        founders[at] = one;
        founders
    };
    let (mut small, mut no_point) = ([0; 32], [0; 32]);
    (small[0], no_point[0]) = (1, 2);
    let of_key = |key| Joining { key, ..member(8, 50, 1) };
    let cases: [(&str, Vec<Joining>, u16, u16, &str); 9] = [
        ("three-auditors", plain(8), 4, 3, "COM-2.4"),
        ("no-producer", plain(8), 0, 4, "COM-2.4"),
        ("too-few-founders", plain(7), 4, 4, "COM-2.4"),
        ("no-founders", vec![], 1, 4, "COM-2.4"),
        ("one-id-twice", with(7, Joining { id: 1, ..member(8, 50, 1) }), 4, 4, "COM-3.2"),
        ("one-key-twice", with(7, of_key(Member::new(1).key())), 4, 4, "COM-3.5"),
        ("key-of-small-order", with(7, of_key(small)), 4, 4, "COM-3.5"),
        ("key-that-is-no-point", with(0, of_key(no_point)), 4, 4, "COM-3.5"),
        ("rating-of-101", with(3, member(4, 101, 1)), 4, 4, "COM-1.1"),
    ];
    for (id, founders, producers, auditors, of) in cases {
        let args = args(&founders, producers, auditors);
        maker.invalid(format!("roster.founding-{id}"), "roster", args, &[Class::Refused], &[of]);
    }
}
