//! Who may read what: one story for each rule of an act, and drawn histories. [PRE-3] [PRE-4] [PRE-7] [PRE-8]

use super::super::super::class::Class;
use super::super::shape::VectorFile;
use super::access_story::{
    LIMITS, Story, asking, choosing, delivering, disputing, file, granting, name, of_file, owner,
    proxy, reader,
};
use super::{Maker, bytes, named, stream};
use crate::generate::acts::{history, owners};
use crate::rules::access::{Past, Step};
use crate::rules::acts::Act;
use crate::rules::mirror::Bytes32;
use crate::rules::wire::Mirror;

pub(super) fn made() -> VectorFile {
    let mut maker = Maker::new(
        "access",
        "Acts of sharing: which have effect, and who may read in the end. Each story says what happens; a refused act is false in the result.",
    );
    let flags = [
        (
            "signer-unchecked",
            "an act counts whoever signed it",
            "anybody grants, revokes or delivers in anybody's name",
        ),
        (
            "order-unchecked",
            "an act counts out of order, or twice",
            "a proxy delivers without a key, or a dispute is opened again and again",
        ),
        (
            "records-unchecked",
            "what is asked, granted or delivered need not be what it should",
            "a grant opens records that nobody asked for",
        ),
        (
            "seat-unchecked",
            "whoever holds no seat bids or is chosen",
            "a re-encryption key goes to an institution that was expelled",
        ),
        (
            "time-unchecked",
            "heights are not compared, or are off by one",
            "a grant holds for ever, or ends too early",
        ),
        (
            "revocation-missed",
            "a revoked grant goes on",
            "a reader reads on after its owner said no",
        ),
        (
            "limit-missed",
            "what one key may have open is not counted",
            "one key fills the memory of every node",
        ),
        (
            "act-malformed",
            "bytes that are no act count as one",
            "two nodes read one act differently",
        ),
    ];
    for (name, bug, effect) in flags {
        maker.flag(name, bug, effect, None);
    }
    flow(&mut maker);
    wrong_acts(&mut maker);
    times(&mut maker);
    limits(&mut maker);
    drawn(&mut maker);
    malformed(&mut maker);
    maker.done()
}

fn flow(maker: &mut Maker) {
    maker.finding(&["order-unchecked"]);
    type Make = fn(&mut Story) -> Bytes32;
    let stories: [(&str, Make, &str); 6] = [
        ("request", Story::request, "PRE-3.1"),
        ("grant", Story::grant, "PRE-7.2"),
        ("bid", Story::bid, "PRE-4.1"),
        ("choice", Story::choice, "PRE-4.2"),
        ("delivery", Story::delivery, "PRE-5.1"),
        ("dispute", Story::dispute, "PRE-8.3"),
    ];
    for (id, make, of) in stories {
        let mut story = Story::new();
        make(&mut story);
        story.write(maker, id, &[of]);
        // The owner may revoke at every stage; what follows has no effect.
        let mut story = Story::new();
        let grant = make(&mut story);
        if id != "request" {
            story.book(owner(), Act::Revocation { grant });
            story.book(proxy(2), Act::Bid { grant, parcels: name() });
            story.book(owner(), choosing(grant, 101));
            story.book(proxy(1), delivering(grant, &[0, 1]));
            story.book(owner(), Act::Revocation { grant });
            maker.finding(&["revocation-missed"]);
            story.write(maker, &format!("revoked-after-{id}"), &["PRE-7.1", "PRE-7.2"]);
            maker.finding(&["order-unchecked"]);
        }
    }
    for finding in [1, 2] {
        let mut story = Story::new();
        let grant = story.dispute();
        story.book(owner(), Act::Confirmation { grant, finding });
        story.book(owner(), Act::Confirmation { grant, finding });
        story.book(reader(), disputing(grant, 1));
        story.write(maker, &format!("dispute-settled-{finding}"), &["PRE-8.3", "PRE-8.4"]);
    }
    let mut story = Story::new();
    let request = story.request();
    story.book(owner(), granting(request, 1_000, &[0]));
    story.write(maker, "a-part-is-granted", &["PRE-3.1"]);
    let mut story = Story::new();
    for _ in 0..2 {
        story.grant();
    }
    story.write(maker, "two-grants-for-one-record", &["PRE-7.2"]);
    let mut story = Story::new();
    let grant = story.grant();
    for number in [2, 0, 1] {
        story.book(proxy(number), Act::Bid { grant, parcels: name() });
    }
    story.book(owner(), choosing(grant, 100));
    story.book(proxy(0), delivering(grant, &[0, 1]));
    story.write(maker, "the-owner-chooses-among-three", &["PRE-4.2"]);
    let mut story = Story::new();
    let grant = story.delivery();
    story.book(owner(), Act::Revocation { grant });
    story.book(reader(), disputing(grant, 0));
    story.book(owner(), Act::Confirmation { grant, finding: 1 });
    story.write(maker, "a-dispute-outlives-the-grant", &["PRE-8.3"]);
}

fn wrong_acts(maker: &mut Maker) {
    type Make = fn(&mut Story) -> Bytes32;
    type Wrong = fn(Bytes32) -> (Bytes32, Act);
    let bid = |grant| Act::Bid { grant, parcels: name() };
    let signer = "signer-unchecked";
    let (order, records, seat) = ("order-unchecked", "records-unchecked", "seat-unchecked");
    let of = "PRE-3.8";
    let cases: [(&'static str, &str, Make, Wrong, &str); 33] = [
        (
            signer,
            "grant-by-a-stranger",
            Story::request,
            |r| (named("stranger"), granting(r, 1_000, &[0])),
            of,
        ),
        (
            signer,
            "grant-by-the-reader",
            Story::request,
            |r| (reader(), granting(r, 1_000, &[0])),
            of,
        ),
        (signer, "choice-by-a-stranger", Story::bid, |g| (named("stranger"), choosing(g, 101)), of),
        (signer, "choice-by-the-reader", Story::bid, |g| (reader(), choosing(g, 101)), of),
        (signer, "choice-by-the-bidder", Story::bid, |g| (proxy(1), choosing(g, 101)), of),
        (
            signer,
            "delivery-by-another-member",
            Story::choice,
            |g| (proxy(2), delivering(g, &[0, 1])),
            of,
        ),
        (signer, "delivery-by-the-owner", Story::choice, |g| (owner(), delivering(g, &[0, 1])), of),
        (
            signer,
            "revocation-by-the-reader",
            Story::delivery,
            |g| (reader(), Act::Revocation { grant: g }),
            of,
        ),
        (
            signer,
            "revocation-by-the-proxy",
            Story::delivery,
            |g| (proxy(1), Act::Revocation { grant: g }),
            of,
        ),
        (
            signer,
            "dispute-by-a-stranger",
            Story::delivery,
            |g| (named("stranger"), disputing(g, 0)),
            of,
        ),
        (signer, "dispute-by-the-owner", Story::delivery, |g| (owner(), disputing(g, 0)), of),
        (
            signer,
            "confirmation-by-the-reader",
            Story::dispute,
            |g| (reader(), Act::Confirmation { grant: g, finding: 1 }),
            of,
        ),
        (
            signer,
            "confirmation-by-the-proxy",
            Story::dispute,
            |g| (proxy(1), Act::Confirmation { grant: g, finding: 2 }),
            of,
        ),
        (
            order,
            "grant-without-a-request",
            Story::grant,
            |_| (owner(), granting(name(), 1_000, &[0])),
            of,
        ),
        (
            order,
            "grant-of-an-answered-request",
            Story::grant,
            |_| (owner(), granting(named("act 1"), 1_000, &[0])),
            of,
        ),
        (order, "grant-of-a-grant", Story::grant, |g| (owner(), granting(g, 1_000, &[0])), of),
        (
            order,
            "bid-on-a-request",
            Story::request,
            |r| (proxy(1), Act::Bid { grant: r, parcels: name() }),
            of,
        ),
        (
            order,
            "bid-after-the-choice",
            Story::choice,
            |g| (proxy(2), Act::Bid { grant: g, parcels: name() }),
            of,
        ),
        (
            order,
            "second-bid-of-one-institution",
            Story::bid,
            |g| (proxy(1), Act::Bid { grant: g, parcels: named("other") }),
            of,
        ),
        (order, "choice-before-a-bid", Story::grant, |g| (owner(), choosing(g, 101)), "PRE-4.3"),
        (order, "second-choice", Story::choice, |g| (owner(), choosing(g, 101)), of),
        (
            order,
            "delivery-before-the-choice",
            Story::bid,
            |g| (proxy(1), delivering(g, &[0, 1])),
            of,
        ),
        (order, "second-delivery", Story::delivery, |g| (proxy(1), delivering(g, &[0, 1])), of),
        (order, "dispute-before-the-delivery", Story::choice, |g| (reader(), disputing(g, 0)), of),
        (order, "second-dispute", Story::dispute, |g| (reader(), disputing(g, 0)), "PRE-8.4"),
        (
            order,
            "confirmation-without-a-dispute",
            Story::delivery,
            |g| (owner(), Act::Confirmation { grant: g, finding: 1 }),
            of,
        ),
        (
            records,
            "request-for-another-owners-record",
            Story::grant,
            |_| (reader(), asking(&[0, 9])),
            "PRE-3.1",
        ),
        (
            records,
            "request-for-a-record-that-is-not-booked",
            Story::grant,
            |_| (reader(), asking(&[0, 77])),
            "PRE-3.1",
        ),
        (
            records,
            "grant-of-a-record-not-asked-for",
            Story::request,
            |r| (owner(), granting(r, 1_000, &[0, 2])),
            "PRE-3.1",
        ),
        (records, "delivery-of-a-part", Story::choice, |g| (proxy(1), delivering(g, &[0])), of),
        (records, "delivery-of-more", Story::choice, |g| (proxy(1), delivering(g, &[0, 1, 2])), of),
        (
            records,
            "dispute-over-what-was-not-delivered",
            Story::delivery,
            |g| (reader(), disputing(g, 2)),
            of,
        ),
        (seat, "choice-of-who-has-not-bid", Story::bid, |g| (owner(), choosing(g, 102)), "PRE-4.3"),
    ];
    for (flag, id, make, wrong, of) in cases {
        maker.finding(&[flag]);
        let mut story = Story::new();
        let made = make(&mut story);
        story.no_effect(maker, id, wrong(made), of);
    }
    maker.finding(&[seat]);
    let mut story = Story::new();
    let grant = story.grant();
    story.no_effect(maker, "bid-without-a-seat", (proxy(7), bid(grant)), "PRE-4.1");
    for (id, who) in [("owner", owner()), ("reader", reader())] {
        let mut story = Story::new();
        let grant = story.grant();
        story.take(Step::Seats([(who, 200), (proxy(1), 101)].into()));
        story.no_effect(maker, &format!("bid-by-the-{id}"), (who, bid(grant)), "PRE-4.4");
    }
    let mut story = Story::new();
    let grant = story.bid();
    story.seats(1);
    story.no_effect(
        maker,
        "choice-of-who-lost-its-seat",
        (owner(), choosing(grant, 101)),
        "PRE-4.3",
    );
    let mut story = Story::new();
    let grant = story.bid();
    story.take(Step::Seats([(proxy(5), 101)].into()));
    story.no_effect(
        maker,
        "choice-where-another-key-has-the-seat",
        (owner(), choosing(grant, 101)),
        "PRE-4.3",
    );
    // A proxy that was chosen delivers even when it has lost its seat since.
    let mut story = Story::new();
    let grant = story.choice();
    story.seats(0);
    story.book(proxy(1), delivering(grant, &[0, 1]));
    story.write(maker, "a-proxy-without-seat-delivers", &["PRE-4.2"]);
    maker.finding(&[records]);
    let mut story = Story::new();
    let grant = story.delivery();
    let act = Act::Dispute { grant, record: file(0), delivery: of_file(1) };
    story.no_effect(maker, "dispute-over-another-digest", (reader(), act), of);
}

fn times(maker: &mut Maker) {
    maker.finding(&["time-unchecked"]);
    for (until, id) in [
        (10, "now"),
        (9, "before"),
        (0, "never"),
        (5_256_011, "after-more-than-a-year"),
        (u64::MAX, "for-ever"),
    ] {
        let mut story = Story::new();
        let request = story.request();
        let act = granting(request, until, &[0]);
        story.no_effect(maker, &format!("grant-that-ends-{id}"), (owner(), act), "PRE-3.8");
    }
    for until in [11, 5_256_010] {
        let mut story = Story::new();
        let request = story.request();
        story.book(owner(), granting(request, until, &[0]));
        story.write(maker, &format!("grant-until-{until}"), &["PRE-7.2"]);
        story.reach(until);
        story.book(proxy(1), Act::Bid { grant: named("act 2"), parcels: name() });
        story.write(maker, &format!("grant-until-{until}-at-its-last-height"), &["PRE-7.2"]);
        story.reach(until + 1);
        story.book(proxy(2), Act::Bid { grant: named("act 2"), parcels: name() });
        story.write(maker, &format!("grant-until-{until}-behind-it"), &["PRE-7.2"]);
    }
    for (height, id) in [(432_009, "open"), (432_010, "forgotten")] {
        let mut story = Story::new();
        let request = story.request();
        story.reach(height);
        story.book(owner(), granting(request, height + 5, &[0]));
        story.write(maker, &format!("request-{id}-at-{height}"), &["PRE-3.9"]);
    }
    for (height, id) in [(100_810, "in-time"), (100_811, "too-late")] {
        let mut story = Story::new();
        let grant = story.delivery();
        story.reach(height);
        story.book(reader(), disputing(grant, 0));
        story.write(maker, &format!("dispute-{id}"), &["PRE-8.3"]);
        let mut story = Story::new();
        let grant = story.dispute();
        story.reach(height);
        story.book(owner(), Act::Confirmation { grant, finding: 1 });
        story.write(maker, &format!("confirmation-{id}"), &["PRE-8.5"]);
    }
    // Forgotten 201,601 blocks after the last height: the dispute of a delivery at that height is over by then.
    for (height, id) in [(1_000 + 201_600, "kept"), (1_000 + 201_601, "forgotten")] {
        let mut story = Story::new();
        let grant = story.choice();
        story.reach(1_000);
        story.book(proxy(1), delivering(grant, &[0, 1]));
        story.reach(1_000 + 100_800);
        story.book(reader(), disputing(grant, 0));
        story.reach(height);
        story.book(owner(), Act::Confirmation { grant, finding: 1 });
        story.write(maker, &format!("grant-{id}-at-{height}"), &["PRE-8.5"]);
    }
    let mut story = Story::new();
    let grant = story.grant();
    story.reach(1_001);
    story.no_effect(
        maker,
        "revocation-of-an-expired-grant",
        (owner(), Act::Revocation { grant }),
        "PRE-7.1",
    );
    let mut story = Story::new();
    let grant = story.choice();
    story.reach(1_001);
    let late = (proxy(1), delivering(grant, &[0, 1]));
    story.no_effect(maker, "delivery-under-an-expired-grant", late, "PRE-3.8");
    let mut story = Story::new();
    story.grant();
    story.reach(5);
    story.reach(900);
    story.write(maker, "a-lower-height-changes-nothing", &["PRE-7.2"]);
}

fn limits(maker: &mut Maker) {
    maker.finding(&["limit-missed"]);
    let mut story = Story::new();
    for _ in 0..257 {
        story.book(reader(), asking(&[0]));
    }
    // Another reader has room; a request that is answered makes room.
    story.book(named("another reader"), asking(&[0]));
    story.book(owner(), granting(named("act 1"), 1_000, &[0]));
    story.book(reader(), asking(&[0]));
    story.book(reader(), asking(&[0]));
    story.write(maker, "256-requests-of-one-reader", &["PRE-3.9"]);
}

fn drawn(maker: &mut Maker) {
    maker.finding(&["order-unchecked"]);
    for number in 0..4 {
        let steps = history(60, &mut stream(&format!("access/{number}")));
        let mut story = Story {
            owners: owners(),
            past: Past::new(LIMITS, owners()),
            steps: Vec::new(),
            effects: Vec::new(),
            booked: 0,
        };
        for step in steps {
            story.take(step);
        }
        story.write(maker, &format!("drawn-{number}"), &["PRE-3.8", "PRE-7.2"]);
    }
}

fn malformed(maker: &mut Maker) {
    maker.finding(&["act-malformed"]);
    let mut story = Story::new();
    story.request();
    let sound = story.args();
    let encoded = Mirror::from(asking(&[0, 1])).encode();
    let mut with = |id: &str, act: Vec<u8>, classes: &[Class], of: &str| {
        let mut args = sound.clone();
        let last = args["steps"].as_array().map_or(0, Vec::len) - 1;
        args["steps"][last]["book"]["act"] = bytes(act);
        maker.invalid(format!("access.malformed-{id}"), "access", args, classes, &[of]);
    };
    with("cut", encoded[..encoded.len() - 1].to_vec(), &[Class::Truncated], "STO-1.3");
    with("longer", [&encoded[..], &[0]].concat(), &[Class::Trailing], "STO-1.4");
    with("of-no-kind", [b"MACT\x01\x08", &[0; 64][..]].concat(), &[Class::Variant], "STO-1.3");
    let none = Mirror::from(asking(&[])).encode();
    with("without-records", none, &[Class::Bound, Class::Rule], "PRE-3.10");
    let many: Vec<u32> = (0..65).collect();
    let many = Mirror::from(asking(&many)).encode();
    with("of-65-records", many, &[Class::Bound], "PRE-3.10");
    let at = encoded.len() - 64;
    let unsorted = [&encoded[..at], &encoded[at + 32..], &encoded[at..at + 32]].concat();
    with("unsorted", unsorted, &[Class::Order], "STO-1.5");
}
