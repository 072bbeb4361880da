//! What any implementation of the paper can be asked in one call, with the readings of the register.
//! [STO-3] [STO-4] [STO-12] [COM-1] [COM-2] [COM-6] [COM-7]
//!
//! Whatever goes through values that only the implementation reads (windows and proofs, keys and
//! ciphertexts) takes several calls and is no vector.

use serde_json::{Value, json};

use super::super::super::class::Class;
use super::super::shape::{Expect, VectorFile};
use super::{Maker, decimal};
use crate::rules::chain::{Effect, Finalized, Periods, effects};
use crate::rules::roster::TABLE;

pub(super) fn made() -> VectorFile {
    let mut maker = Maker::new(
        "paper",
        "Profile paper: ranking, places, Items, minutes, credit and replacement, without a word on formats, held to the reading that is declared.",
    );
    let flags = [
        (
            "rank-wrong",
            "institutions are ranked by something else than rating and size",
            "others than the best produce",
        ),
        ("committees-overlap", "one institution sits in both committees", "it audits itself"),
        (
            "size-misread",
            "content is placed by another size than the reading says",
            "a record admitted by one node is refused by the next",
        ),
        (
            "private-in-the-open",
            "content that its owner wants encrypted goes into an Item",
            "a chain cannot erase",
        ),
        (
            "item-overfull",
            "an Item holds more than 10 records",
            "the proof of a record is as long as its Item is large",
        ),
        (
            "minute-misread",
            "Item blocks become data blocks at another time",
            "two nodes form different data blocks of one chain",
        ),
        (
            "credit-misread",
            "what should raise credit lowers it, or the other way round",
            "diligence does not pay",
        ),
        (
            "succession-wrong",
            "another institution loses or gets a seat",
            "nodes disagree on committees",
        ),
    ];
    for (name, bug, effect) in flags {
        maker.flag(name, bug, effect, None);
    }
    ranks(&mut maker);
    places(&mut maker);
    items(&mut maker);
    minutes(&mut maker);
    credit(&mut maker);
    replacements(&mut maker);
    maker.done()
}

/// Institution, rating, size.
type Standing = (u32, u8, u32);

fn ranks(maker: &mut Maker) {
    let write = |maker: &mut Maker, id: &str, all: &[Standing], of: &str| {
        let mut ranking = all.to_vec();
        ranking.sort_by_key(|(id, rating, centre)| (-i16::from(*rating), -i64::from(*centre), *id));
        let ranking: Vec<u32> = ranking.iter().map(|(id, ..)| *id).collect();
        let institution = |(id, rating, centre): &Standing| json!({"institution": id, "rating": rating, "centre": centre});
        let args = json!({"institutions": all.iter().map(institution).collect::<Value>()});
        let seats = |auditors: &[u32]| {
            Expect::Valid(json!({"producers": &ranking[..101], "auditors": auditors}))
        };
        let readings = [("R1", seats(&ranking[101..121])), ("R2", seats(&ranking[100..120]))];
        let of = [of, "COM-2.1", "COM-2.2"];
        maker.ambiguous(
            &format!("paper.rank.{id}"),
            ("paper.rank", args),
            "AMB-COM-2",
            readings,
            &of,
        );
    };
    maker.finding(&["rank-wrong", "committees-overlap"]);
    let step = |number: u32, by: u32, modulus: u32| number * by % modulus;
    let rating = |value: u32| u8::try_from(value).unwrap_or(100);
    let all: Vec<Standing> = (1..=125).map(|n| (n, rating(step(n, 37, 101)), 1_000 + n)).collect();
    write(maker, "ratings-decide", &all, "COM-1.1");
    let all: Vec<Standing> = (1..=121).map(|n| (n, 60, step(n, 71, 997))).collect();
    write(maker, "sizes-decide-between-equal-ratings", &all, "COM-1.1");
    let all: Vec<Standing> = (1..=130).rev().map(|n| (n, rating(n % 5 * 20), 0)).collect();
    write(maker, "ids-decide-where-all-else-ties", &all, "COM-1.2");
    let few: Vec<Value> =
        (1..=120).map(|n: u32| json!({"institution": n, "rating": 50, "centre": n})).collect();
    let args = json!({"institutions": few});
    maker.invalid(
        "paper.rank.120-institutions",
        "paper.rank",
        args,
        &[Class::Refused],
        &["COM-2.2"],
    );
    let none = json!({"institutions": []});
    maker.invalid("paper.rank.nobody", "paper.rank", none, &[Class::Refused], &["COM-2.1"]);
}

fn places(maker: &mut Maker) {
    let args = |bytes: u64, private: bool| json!({"bytes": decimal(bytes), "private": private});
    let place = |place: &str| json!({"place": place});
    maker.finding(&["size-misread"]);
    for bytes in [1, 1_000, 90_000] {
        let id = format!("paper.admit.{bytes}-bytes");
        maker.valid(id, "paper.admit", args(bytes, false), place("item"), &["STO-4.2", "STO-5.1"]);
    }
    for bytes in [102_401, 1 << 20, u64::MAX] {
        let id = format!("paper.admit.{bytes}-bytes");
        maker.valid(
            id,
            "paper.admit",
            args(bytes, false),
            place("database"),
            &["STO-4.2", "STO-6.1"],
        );
    }
    let item = || Expect::Valid(place("item"));
    let database = || Expect::Valid(place("database"));
    // Whoever counts the whole record needs some bytes for the rest of it, and less than 2,400.
    let sizes = [
        (100_000, [item(), item(), item(), database()]),
        (100_001, [item(), database(), item(), database()]),
        (102_400, [item(), database(), database(), database()]),
    ];
    for (bytes, [one, two, three, four]) in sizes {
        let readings = [("R1", one), ("R2", two), ("R3", three), ("R4", four)];
        let id = format!("paper.admit.{bytes}-bytes");
        let call = ("paper.admit", args(bytes, false));
        maker.ambiguous(&id, call, "AMB-STO-4", readings, &["STO-4.2"]);
    }
    maker.finding(&["private-in-the-open"]);
    for bytes in [1, 100_000, 102_400, 200_000] {
        let id = format!("paper.admit.{bytes}-bytes-private");
        maker.valid(
            id,
            "paper.admit",
            args(bytes, true),
            place("database"),
            &["STO-6.1", "CON-1.3"],
        );
    }
    maker.finding(&["size-misread"]);
    for private in [false, true] {
        let id = if private { "paper.admit.nothing-private" } else { "paper.admit.nothing" };
        maker.invalid(id, "paper.admit", args(0, private), &[Class::Bound], &["STO-4.4"]);
    }
}

fn items(maker: &mut Maker) {
    maker.finding(&["item-overfull"]);
    for records in [0_usize, 1, 9, 10, 11, 20, 25, 137] {
        let (full, rest) = (records / 10, records % 10);
        let tens = vec![10; full];
        let all = if rest > 0 { [&tens[..], &[rest]].concat() } else { tens.clone() };
        let held = |items: &[usize]| Expect::Valid(json!({"items": items}));
        // Exactly 10 holds the rest back.
        let readings = [("R1", held(&all)), ("R2", held(&tens)), ("R3", held(&all))];
        let id = format!("paper.items.{records}");
        let call = ("paper.items", json!({"records": records}));
        if rest == 0 && records > 0 {
            maker.valid(id, call.0, call.1, json!({"items": all}), &["STO-3.1"]);
        } else if records > 0 {
            maker.ambiguous(&id, call, "AMB-STO-3", readings, &["STO-3.1"]);
        }
    }
}

/// The paper's periods.
const PERIODS: Periods = Periods { started_at: 0, minute_ms: 60_000, window_ms: 600_000 };

fn minutes(maker: &mut Maker) {
    maker.finding(&["minute-misread"]);
    let steady = |count: usize, step: i64| (1..).take(count).map(move |n| n * step);
    let chains: [(&str, Vec<i64>); 6] = [
        ("ten-a-minute", steady(100, 6_000).collect()),
        ("five-a-minute", steady(50, 12_000).collect()),
        ("one-a-minute", steady(10, 60_000).collect()),
        ("a-quiet-hour", steady(12, 300_000).collect()),
        ("three-then-silence", vec![6_000, 12_000, 18_000, 600_000]),
        ("six-a-minute-over-a-freeze", steady(70, 10_000).collect()),
    ];
    for (id, times) in chains {
        let blocks: Vec<(i64, bool)> = times.iter().map(|time| (*time, true)).collect();
        write_minutes(maker, id, &blocks);
    }
    let idle: Vec<(i64, bool)> = (1..=60).map(|n| (n * 10_000, n % 2 == 0)).collect();
    write_minutes(maker, "every-other-turn-is-idle", &idle);
}

fn write_minutes(maker: &mut Maker, id: &str, blocks: &[(i64, bool)]) {
    let block = |(time, has_items): &(i64, bool)| json!({"timestamp": decimal(time), "has_items": has_items});
    let args = json!({
        "started_at": decimal(PERIODS.started_at), "minute_ms": PERIODS.minute_ms,
        "window_ms": PERIODS.window_ms, "blocks": blocks.iter().map(block).collect::<Value>(),
    });
    let all = ["R1", "R2", "R3"].map(|reading| cut(blocks, reading));
    let id = format!("paper.minutes.{id}");
    let of = ["STO-12.1", "STO-10.1", "STO-13.1"];
    if all[0] == all[1] && all[0] == all[2] {
        maker.valid(id, "paper.minutes", args, all[0].clone(), &of);
        return;
    }
    let [one, two, three] = all.map(Expect::Valid);
    let readings = [("R1", one), ("R2", two), ("R3", three)];
    maker.ambiguous(&id, ("paper.minutes", args), "AMB-STO-12", readings, &of);
}

/// Data blocks and windows by a reading: R1 by the rules, which the two others change in one point.
fn cut(blocks: &[(i64, bool)], reading: &str) -> Value {
    let (mut data_blocks, mut windows) = (Vec::new(), Vec::new());
    let (mut waiting, mut open): (Vec<usize>, Vec<usize>) = (Vec::new(), Vec::new());
    let (mut before, mut mark) = (PERIODS.started_at, i64::from(PERIODS.window_ms));
    for (number, (time, has_items)) in blocks.iter().enumerate() {
        waiting.extend(has_items.then_some(number));
        let minute = |time: i64| time.div_euclid(PERIODS.minute_ms.into());
        let (crosses, is_last) = (minute(*time) != minute(before), *time >= mark);
        let mut groups: Vec<Vec<usize>> = Vec::new();
        while crosses && waiting.len() >= 10 {
            groups.push(waiting.drain(..10).collect());
        }
        let takes_rest = match reading {
            "R1" => is_last,
            "R2" => crosses,
            _ => false,
        };
        if takes_rest && !waiting.is_empty() {
            groups.push(std::mem::take(&mut waiting));
        }
        for group in groups {
            open.push(data_blocks.len());
            data_blocks.push(group);
        }
        if is_last {
            windows.push(std::mem::take(&mut open));
            mark = (time.div_euclid(PERIODS.window_ms.into()) + 1) * i64::from(PERIODS.window_ms);
        }
        before = *time;
    }
    if reading == "R1" {
        assert_eq!(data_blocks, by_the_rules(blocks), "R1 is what the rules say");
    }
    json!({"data_blocks": data_blocks, "windows": windows})
}

/// The same by `rules::chain`, with the number of a block for the root of its Item block.
fn by_the_rules(blocks: &[(i64, bool)]) -> Vec<Vec<usize>> {
    let root = |number: usize| {
        let mut root = [0; 32];
        root[..8].copy_from_slice(&u64::try_from(number).unwrap_or(0).to_le_bytes());
        root
    };
    let finalized: Vec<Finalized> = blocks
        .iter()
        .enumerate()
        .map(|(number, (timestamp, has_items))| Finalized {
            timestamp: *timestamp,
            item_block: has_items.then(|| root(number)),
        })
        .collect();
    let number = |root: &[u8; 32]| usize::from(u16::from_le_bytes([root[0], root[1]]));
    let cut = effects(PERIODS, &finalized).into_iter().flat_map(|Effect { cut, .. }| cut);
    cut.map(|block| block.item_blocks.iter().map(number).collect()).collect()
}

fn credit(maker: &mut Maker) {
    maker.finding(&["credit-misread"]);
    let kinds = [
        ("booked", TABLE.block, "COM-6.1"),
        ("audited", TABLE.audit, "COM-6.1"),
        ("answered", TABLE.service, "COM-6.1"),
        ("re-encrypted", TABLE.service, "PRE-5.3"),
        ("wrong-block", TABLE.fraud, "COM-6.2"),
        ("cheated", TABLE.fraud, "COM-6.2"),
        ("missed", TABLE.miss, "COM-6.2"),
        ("wrong-audit", TABLE.fraud, "COM-6.2"),
    ];
    let start = |rating: u8| TABLE.start * i64::from(rating);
    let institutions = |ratings: &[(u32, u8)]| -> Value {
        let one = |(id, rating): &(u32, u8)| json!({"institution": id, "rating": rating});
        ratings.iter().map(one).collect()
    };
    let points = |standings: &[(u32, i64)]| -> Value {
        let one = |(id, points): &(u32, i64)| json!({"institution": id, "points": decimal(points)});
        json!({"credit": standings.iter().map(one).collect::<Value>()})
    };
    // With another table of amounts only the institutions are the same.
    let any = |ids: &[u32]| -> Value {
        json!({"credit": ids.iter().map(|id| json!({"institution": id})).collect::<Value>()})
    };
    let mut write =
        |id: &str, ratings: &[(u32, u8)], events: Value, ends: &[(u32, i64)], of: &str| {
            let args = json!({"institutions": institutions(ratings), "events": events});
            let ids: Vec<u32> = ends.iter().map(|(id, _)| *id).collect();
            let readings = [("R1", Expect::Valid(points(ends))), ("R2", Expect::Valid(any(&ids)))];
            let id = format!("paper.credit.{id}");
            maker.ambiguous(&id, ("paper.credit", args), "AMB-COM-6", readings, &[of]);
        };
    let two = [(7, 80), (9, 20)];
    write("nothing", &two, json!([]), &[(7, start(80)), (9, start(20))], "COM-5.1");
    for (kind, amount, of) in kinds {
        let events = json!([{"institution": 9, "kind": kind}]);
        write(kind, &two, events, &[(7, start(80)), (9, start(20) + amount)], of);
    }
    let poor = [(3, 0)];
    let events = json!([{"institution": 3, "kind": "missed"}]);
    write("below-zero", &poor, events, &[(3, TABLE.miss)], "COM-5.2");
    let kinds = ["booked", "audited", "missed", "answered", "booked"];
    let events: Value = kinds.iter().map(|kind| json!({"institution": 7, "kind": kind})).collect();
    let sum = 2 * TABLE.block + TABLE.audit + TABLE.miss + TABLE.service;
    write("a-day", &two, events, &[(7, start(80) + sum), (9, start(20))], "COM-6.11");
}

fn replacements(maker: &mut Maker) {
    maker.finding(&["succession-wrong"]);
    // Producers 1 to 5, auditors 11 to 17, others 21 to 23.
    let standing = |points: &[(u32, i64)]| -> Value {
        let one = |(id, points): &(u32, i64)| json!({"institution": id, "points": decimal(points)});
        points.iter().map(one).collect()
    };
    let producers = [(1, 50), (2, 40), (3, 30), (4, 20), (5, 10)];
    let auditors = [(11, 5), (12, 9), (13, 7), (14, 9), (15, 1), (16, 2), (17, 3)];
    let others = [(21, 4), (22, 8), (23, 8)];
    let ids = |list: &[(u32, i64)]| list.iter().map(|(id, _)| *id).collect::<Vec<u32>>();
    let with = |list: &[(u32, i64)], id: u32, points: i64| -> Vec<(u32, i64)> {
        list.iter().map(|one| if one.0 == id { (id, points) } else { *one }).collect()
    };
    let mut write = |id: &str, lists: [&[(u32, i64)]; 3], threshold: i64, readings: [Value; 2]| {
        let args = json!({
            "producers": standing(lists[0]), "auditors": standing(lists[1]),
            "others": standing(lists[2]), "threshold": decimal(threshold),
        });
        let id = format!("paper.replace.{id}");
        let of = ["COM-7.1", "COM-7.2"];
        let [one, three] = readings;
        if one == three {
            maker.valid(id, "paper.replace", args, one, &of);
        } else {
            let readings = [("R1", Expect::Valid(one)), ("R3", Expect::Valid(three))];
            maker.ambiguous(&id, ("paper.replace", args), "AMB-COM-7", readings, &of);
        }
    };
    let result = |producers: &[u32], auditors: &[u32], expelled: &[u32]| json!({"producers": producers, "auditors": auditors, "expelled": expelled});
    let replaced = |list: &[(u32, i64)], old: u32, new: u32| -> Vec<u32> {
        ids(list).into_iter().map(|id| if id == old { new } else { id }).collect()
    };
    let without = |list: &[(u32, i64)], old: u32| -> Vec<u32> {
        ids(list).into_iter().filter(|id| *id != old).collect()
    };
    let nobody = result(&ids(&producers), &ids(&auditors), &[]);
    write("nobody-below", [&producers, &auditors, &others], 0, [nobody.clone(), nobody.clone()]);
    let at = with(&producers, 5, 0);
    write("exactly-at-the-threshold", [&at, &auditors, &others], 0, [nobody.clone(), nobody]);
    for (place, id) in [(1, "first"), (3, "middle"), (5, "last")] {
        let below = with(&producers, place, -1);
        // 12 and 14 have the same points; the lower id moves up, and 22 of two equals takes its seat.
        let rise = replaced(&producers, place, 12);
        let one = result(&rise, &replaced(&auditors, 12, 22), &[place]);
        let three = result(&rise, &without(&auditors, 12), &[place]);
        write(&format!("{id}-producer-below"), [&below, &auditors, &others], 0, [one, three]);
    }
    let below = with(&producers, 2, -5_000_000_000);
    let best = with(&auditors, 15, 4_000_000_000);
    let rise = replaced(&producers, 2, 15);
    let one = result(&rise, &replaced(&auditors, 15, 22), &[2]);
    let three = result(&rise, &without(&auditors, 15), &[2]);
    write("points-of-64-bits", [&below, &best, &others], -4_999_999_999, [one, three]);
    let below = with(&producers, 4, 99);
    let rich: Vec<(u32, i64)> = below.iter().map(|(id, points)| (*id, points + 100)).collect();
    let rise = replaced(&producers, 5, 12);
    let last: Vec<(u32, i64)> =
        rich.iter().map(|one| if one.0 == 5 { (5, 99) } else { *one }).collect();
    let (raised, outside) = (
        auditors.map(|(id, points)| (id, points + 100)),
        others.map(|(id, points)| (id, points + 100)),
    );
    let one = result(&rise, &replaced(&auditors, 12, 22), &[5]);
    let three = result(&rise, &without(&auditors, 12), &[5]);
    write("a-threshold-above-zero", [&last, &raised, &outside], 100, [one, three]);
}
