//! Implementations that go wrong where the paper itself is clear. [STO-3] to [STO-13] [COM-1] to [COM-7]
//! [PRE-1] [PRE-5] [PRE-6]

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::windows::{Bug as Cut, Past};
use super::{Wrong, asked_otherwise, changed, reject, rejection_of, result_of};
use crate::conformance::class::Class;
use crate::conformance::reference::Answer;
use crate::conformance::value::{Field, FieldError, bytes, decimal};
use crate::rules::merkle::sha256;
use crate::rules::receipt::window_root;
use crate::rules::wire::{Mirror, WireKind, decode};

pub(super) const MUTANTS: &[(&str, Wrong)] = &[
    ("paper-items-eleven", |op, args| items(op, args, |records| chunks(records, 11))),
    ("paper-items-lost", |op, args| items(op, args, |records| chunks(records - records % 10, 10))),
    ("paper-admit-private-inline", |op, args| {
        if op != "paper.admit" {
            return None;
        }
        asked_otherwise(op, args, |args| args["private"] = json!(false))
    }),
    ("paper-admit-large-inline", |op, args| {
        result_of("paper.admit", op, args)?;
        let is_private = args["private"] == json!(true);
        (!is_private).then(|| Answer::Ok(json!({"place": "item"})))
    }),
    ("paper-admit-never-inline", |op, args| {
        changed("paper.admit", op, args, |result| result["place"] = json!("database"))
    }),
    ("paper-roots-without-owner", |op, args| {
        alike(op, args, |record| record["owner"] = bytes([0; 32]))
    }),
    ("paper-roots-without-time", |op, args| {
        alike(op, args, |record| record["created"] = json!("0"))
    }),
    ("paper-roots-by-length", |op, args| {
        alike(op, args, |record| {
            let content = Field::whole("record", record).get("content").and_then(|one| one.bytes());
            if let Ok(content) = content {
                record["content"] = bytes(vec![0; content.len()]);
            }
        })
    }),
    ("paper-roots-first-only", |op, args| {
        let first = |args: &mut Value| {
            if let Some(records) = args["records"].as_array_mut() {
                records.truncate(1);
            }
        };
        match op {
            "paper.window" => {
                let Answer::Ok(alone) = asked_otherwise(op, args, first)? else { return None };
                changed("paper.window", op, args, |result| {
                    result["window"] = alone["window"].clone();
                })
            }
            "paper.prove" if args["at"][0] == json!(0) => asked_otherwise(op, args, first),
            _ => None,
        }
    }),
    ("paper-proof-linear", |op, args| {
        let mut records = 0;
        each_record(&mut args.clone(), &mut |_| records += 1);
        changed("paper.prove", op, args, |result| result["hashes"] = json!(records))
    }),
    ("paper-proof-of-any", |op, args| {
        let (Class::Content, _) = rejection_of("paper.verify", op, args)? else { return None };
        let field = Field::whole("args", args);
        let proof = field.get("proof").ok()?.bytes().ok()?;
        let Mirror::Receipt(receipt) = decode(WireKind::Receipt, &proof).ok()? else {
            return None;
        };
        let window: [u8; 32] = field.get("window").ok()?.array().ok()?;
        (window_root(&receipt)? == window).then(|| Answer::Ok(json!({})))
    }),
    ("paper-proof-any-window", |op, args| {
        let (Class::Root, _) = rejection_of("paper.verify", op, args)? else { return None };
        Some(Answer::Ok(json!({})))
    }),
    ("paper-proof-neighbour", |op, args| {
        result_of("paper.prove", op, args)?;
        asked_otherwise(op, args, |args| args["at"][3] = json!(0))
    }),
    ("paper-minutes-nine", |op, args| minutes(op, args, Cut::Nine)),
    ("paper-minutes-waiting-lost", |op, args| minutes(op, args, Cut::WaitingLost)),
    ("paper-windows-two", |op, args| {
        let window = result_of("paper.minutes", op, args).and(args["window_ms"].as_u64())?;
        let start: i64 = args["started_at"].as_str()?.parse().ok()?;
        // A start that the longer window does not take is left to the reference.
        let is_aligned = start.rem_euclid(i64::try_from(window * 2).ok()?) == 0;
        is_aligned
            .then(|| asked_otherwise(op, args, |args| args["window_ms"] = json!(window * 2)))?
    }),
    ("paper-rank-hundred", |op, args| seats(op, args, 0..100, 100..120)),
    ("paper-rank-overlap", |op, args| seats(op, args, 0..101, 100..120)),
    ("paper-rank-by-centre", |op, args| {
        if op != "paper.rank" {
            return None;
        }
        asked_otherwise(op, args, |args| {
            for one in args["institutions"].as_array_mut().into_iter().flatten() {
                one["rating"] = json!(50);
            }
        })
    }),
    ("paper-rank-worst-first", |op, args| {
        if op != "paper.rank" {
            return None;
        }
        asked_otherwise(op, args, |args| {
            for one in args["institutions"].as_array_mut().into_iter().flatten() {
                one["rating"] = json!(100 - one["rating"].as_i64().unwrap_or_default());
            }
        })
    }),
    ("paper-credit-flat", |op, args| {
        if op != "paper.credit" {
            return None;
        }
        asked_otherwise(op, args, |args| {
            for one in args["institutions"].as_array_mut().into_iter().flatten() {
                one["rating"] = json!(50);
            }
        })
    }),
    ("paper-credit-floor", |op, args| {
        let result = result_of("paper.credit", op, args)?;
        let points = points_of(&result)?;
        Some(told(points.into_iter().map(|(id, points)| (id, points.max(0)))))
    }),
    ("paper-credit-booked-free", |op, args| free(op, args, "booked")),
    ("paper-credit-audited-free", |op, args| free(op, args, "audited")),
    ("paper-credit-answered-free", |op, args| free(op, args, "answered")),
    ("paper-credit-re-encrypted-free", |op, args| free(op, args, "re-encrypted")),
    ("paper-credit-wrong-block-free", |op, args| free(op, args, "wrong-block")),
    ("paper-credit-cheated-free", |op, args| free(op, args, "cheated")),
    ("paper-credit-missed-free", |op, args| free(op, args, "missed")),
    ("paper-credit-wrong-audit-free", |op, args| free(op, args, "wrong-audit")),
    ("paper-credit-refunded", |op, args| {
        let mut points = points_of(&result_of("paper.credit", op, args)?)?;
        let Answer::Ok(start) = asked_otherwise(op, args, |args| args["events"] = json!([]))?
        else {
            return None;
        };
        let start = points_of(&start)?;
        let lost: i64 = points.iter().map(|(id, points)| (start[id] - points).max(0)).sum();
        let others = points.iter_mut().filter(|(id, points)| **points >= start[*id]);
        others.for_each(|(_, points)| *points += lost);
        Some(told(points))
    }),
    ("paper-replace-nobody", |op, args| {
        result_of("paper.replace", op, args)?;
        let [producers, auditors] = ["producers", "auditors"].map(|name| {
            let seats = args[name].as_array().into_iter().flatten();
            seats.map(|one| one["institution"].clone()).collect::<Value>()
        });
        Some(Answer::Ok(json!({"producers": producers, "auditors": auditors, "expelled": []})))
    }),
    ("paper-replace-threshold", |op, args| {
        result_of("paper.replace", op, args)?;
        let threshold: i64 = args["threshold"].as_str()?.parse().ok()?;
        asked_otherwise(op, args, |args| args["threshold"] = decimal(threshold + 1))
    }),
    ("paper-replace-worst", |op, args| replace(op, args, Successor::Worst)),
    ("paper-replace-first", |op, args| replace(op, args, Successor::First)),
    ("paper-replace-outsider", |op, args| replace(op, args, Successor::Outsider)),
    ("paper-pre-plain", |op, args| match op {
        "paper.pre.encrypt" => Some(Answer::Ok(json!({"ciphertext": args["message"]}))),
        "paper.pre.re_encrypt" => Some(Answer::Ok(json!({"ciphertext": args["ciphertext"]}))),
        "paper.pre.decrypt" => Some(Answer::Ok(json!({"message": args["ciphertext"]}))),
        _ => None,
    }),
    // What covers the message stands beside it.
    ("paper-pre-any-key-opens", |op, args| {
        let field = Field::whole("args", args);
        match op {
            "paper.pre.encrypt" => {
                let seed: [u8; 32] = field.get("seed").ok()?.array().ok()?;
                let message = field.get("message").ok()?.bytes().ok()?;
                let ciphertext = [&seed[..], &covered(&seed, &message)].concat();
                Some(Answer::Ok(json!({"ciphertext": bytes(ciphertext)})))
            }
            "paper.pre.re_encrypt" => Some(Answer::Ok(json!({"ciphertext": args["ciphertext"]}))),
            "paper.pre.decrypt" => {
                let ciphertext = field.get("ciphertext").ok()?.bytes().ok()?;
                let (seed, rest) = ciphertext.split_first_chunk()?;
                if rest.len() != 32 {
                    return Some(reject(Class::Truncated));
                }
                Some(Answer::Ok(json!({"message": bytes(covered(seed, rest))})))
            }
            _ => None,
        }
    }),
    ("paper-pre-half-wrong", |op, args| {
        let field = Field::whole("args", args);
        match op {
            "paper.pre.re_encrypt" => {
                let result = result_of(op, op, args)?;
                let ciphertext = Field::whole("result", &result).get("ciphertext").ok()?;
                let marked = [ciphertext.bytes().ok()?, vec![0]].concat();
                Some(Answer::Ok(json!({"ciphertext": bytes(marked)})))
            }
            "paper.pre.decrypt" => {
                let mut ciphertext = field.get("ciphertext").ok()?.bytes().ok()?;
                ciphertext.pop().filter(|mark| *mark == 0)?;
                let answer =
                    asked_otherwise(op, args, |args| args["ciphertext"] = bytes(ciphertext))?;
                let Answer::Ok(result) = answer else { return None };
                let message = Field::whole("result", &result).get("message").ok()?.bytes().ok()?;
                let wrong: Vec<u8> = message.iter().map(|byte| byte ^ 0x55).collect();
                Some(Answer::Ok(json!({"message": bytes(wrong)})))
            }
            _ => None,
        }
    }),
    ("paper-pre-unchanged", |op, args| {
        result_of("paper.pre.re_encrypt", op, args)?;
        Some(Answer::Ok(json!({"ciphertext": args["ciphertext"]})))
    }),
    ("paper-pre-encrypt-without-seed", |op, args| {
        result_of("paper.pre.encrypt", op, args)?;
        asked_otherwise(op, args, |args| args["seed"] = bytes([0; 32]))
    }),
];

fn chunks(records: u64, most: u64) -> Vec<u64> {
    let rest = records % most;
    let full = (0..records / most).map(|_| most);
    full.chain((rest > 0).then_some(rest)).collect()
}

fn items(op: &str, args: &Value, cut: fn(u64) -> Vec<u64>) -> Option<Answer> {
    result_of("paper.items", op, args)?;
    Some(Answer::Ok(json!({"items": cut(args["records"].as_u64()?)})))
}

/// Every record within lists of lists.
fn each_record(value: &mut Value, change: &mut impl FnMut(&mut Value)) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(|one| each_record(one, change)),
        Value::Object(fields) if fields.contains_key("records") => {
            each_record(&mut fields["records"], change);
        }
        record => change(record),
    }
}

/// Makes, proves and verifies with records that differ in nothing of this.
fn alike(op: &str, args: &Value, mut change: impl FnMut(&mut Value)) -> Option<Answer> {
    match op {
        "paper.window" | "paper.prove" => {
            asked_otherwise(op, args, |args| each_record(args, &mut change))
        }
        "paper.verify" => asked_otherwise(op, args, |args| change(&mut args["record"])),
        _ => None,
    }
}

fn minutes(op: &str, args: &Value, bug: Cut) -> Option<Answer> {
    result_of("paper.minutes", op, args)?;
    let (mut data_blocks, mut windows, mut open) = (Vec::new(), Vec::new(), Vec::new());
    for (cut, is_last) in Past::of(args, "has_items").ok()?.effects(bug) {
        for numbers in cut {
            open.push(data_blocks.len());
            data_blocks.push(numbers);
        }
        if is_last {
            windows.push(std::mem::take(&mut open));
        }
    }
    Some(Answer::Ok(json!({"data_blocks": data_blocks, "windows": windows})))
}

/// Seats others than those of the paper, by rank.
fn seats(
    op: &str,
    args: &Value,
    producing: std::ops::Range<usize>,
    auditing: std::ops::Range<usize>,
) -> Option<Answer> {
    let result = result_of("paper.rank", op, args)?;
    let of = |name: &str| result[name].as_array().cloned().unwrap_or_default();
    let ranked = [of("producers"), of("auditors")].concat();
    let (producers, auditors) = (ranked.get(producing)?, ranked.get(auditing)?);
    Some(Answer::Ok(json!({"producers": producers, "auditors": auditors})))
}

/// Events of one kind have no effect.
fn free(op: &str, args: &Value, kind: &str) -> Option<Answer> {
    if op != "paper.credit" {
        return None;
    }
    asked_otherwise(op, args, |args| {
        if let Some(events) = args["events"].as_array_mut() {
            events.retain(|event| event["kind"] != kind);
        }
    })
}

fn points_of(result: &Value) -> Option<BTreeMap<u32, i64>> {
    let list = Field::whole("result", result).get("credit").ok()?.each(|one| {
        Ok::<_, FieldError>((one.get("institution")?.integer()?, one.get("points")?.decimal()?))
    });
    Some(list.ok()?.into_iter().collect())
}

fn told(points: impl IntoIterator<Item = (u32, i64)>) -> Answer {
    let written = points
        .into_iter()
        .map(|(id, points)| json!({"institution": id, "points": decimal(points)}));
    Answer::Ok(json!({"credit": written.collect::<Value>()}))
}

/// Who gets the seat of a producer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Successor {
    Worst,
    First,
    Outsider,
}

fn replace(op: &str, args: &Value, successor: Successor) -> Option<Answer> {
    let result = result_of("paper.replace", op, args)?;
    let field = Field::whole("args", args);
    let standings = |name: &str| {
        let list = field.get(name)?.each(|one| {
            let id: u32 = one.get("institution")?.integer()?;
            Ok::<_, FieldError>((id, one.get("points")?.decimal()?))
        });
        list.map(|list: Vec<(u32, i64)>| list)
    };
    let (producers, auditors, others) =
        (standings("producers").ok()?, standings("auditors").ok()?, standings("others").ok()?);
    let threshold: i64 = field.get("threshold").ok()?.decimal().ok()?;
    let points: BTreeMap<u32, i64> =
        [&producers[..], &auditors, &others].concat().into_iter().collect();
    let is_innocent = |id: &u32| points[id] >= threshold;
    let ids = |list: &[(u32, i64)]| list.iter().map(|(id, _)| *id).collect::<Vec<u32>>();
    let (mut producing, mut auditing, mut outside) =
        (ids(&producers), ids(&auditors), ids(&others));
    let best = |ids: &[u32]| {
        let innocent = ids.iter().copied().filter(is_innocent);
        innocent.max_by_key(|id| (points[id], std::cmp::Reverse(*id)))
    };
    for expelled in result["expelled"].as_array()? {
        let expelled = u32::try_from(expelled.as_u64()?).ok()?;
        let mut vacant = auditing.iter().position(|id| *id == expelled);
        if let Some(seat) = producing.iter().position(|id| *id == expelled) {
            let mut innocent = auditing.iter().copied().filter(is_innocent);
            let next = match successor {
                Successor::Worst => innocent.min_by_key(|id| (points[id], *id)),
                Successor::First => innocent.next(),
                Successor::Outsider => best(&outside),
            }?;
            producing[seat] = next;
            outside.retain(|id| *id != next);
            vacant = auditing.iter().position(|id| *id == next);
        }
        if let Some(seat) = vacant {
            let next = best(&outside)?;
            auditing[seat] = next;
            outside.retain(|id| *id != next);
        }
    }
    let expelled = &result["expelled"];
    Some(Answer::Ok(json!({
        "producers": producing, "auditors": auditing, "expelled": expelled,
    })))
}

/// A message and a stream that follows from the seed.
fn covered(seed: &[u8; 32], message: &[u8]) -> Vec<u8> {
    message.iter().zip(sha256(&[seed])).map(|(one, other)| one ^ other).collect()
}
