//! Ranking, credit and replacement. [COM-1] [COM-2] [COM-5] to [COM-7] [COM-9]

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::draw::{draws, field};
use super::{Property, claim};
use crate::conformance::sentences::REFERENCE;
use crate::conformance::subject::{Interrupt, Subject};
use crate::conformance::value::Field;
use crate::seed::Draw as _;

pub(super) const PROPERTIES: &[Property] = &[
    Property {
        id: "paper.rank.by-rating-and-centre",
        title: "better rated comes first, of equally rated the larger centre; 101 produce, the next 20 audit",
        requirements: &["COM-1.1", "COM-2.1", "COM-2.2"],
        ops: &["paper.rank"],
        check: by_rating,
    },
    Property {
        id: "paper.credit.signs",
        title: "credit starts from the rating; good work raises it, faults lower it, below zero too",
        requirements: &["COM-5.1", "COM-5.2", "COM-6.1", "COM-6.2"],
        ops: &["paper.credit"],
        check: signs,
    },
    Property {
        id: "paper.credit.a-function-of-history",
        title: "the same history gives the same credit, and nobody's changes another's",
        requirements: &["COM-5.3", "COM-9.1"],
        ops: &["paper.credit"],
        check: a_function,
    },
    Property {
        id: "paper.replace.the-lowest-goes-the-best-comes",
        title: "a producer below the threshold loses its seat to the auditor with the most credit",
        requirements: &["COM-7.1", "COM-7.2"],
        ops: &["paper.replace"],
        check: replacement,
    },
];

fn ids(result: &serde_json::Map<String, Value>, name: &str) -> Result<Vec<u32>, Interrupt> {
    field(result, name, |list| list.each(|id| id.integer()))
}

fn by_rating(subject: &mut Subject<'_>) -> Result<String, Interrupt> {
    let mut draw = draws(subject);
    let reading =
        subject.hello().readings.get("AMB-COM-2").map_or(REFERENCE, String::as_str).to_owned();
    let is_weighted = subject.hello().readings.get("AMB-COM-1").is_some_and(|one| one == "R2");
    let mut institutions: Vec<(u32, u32, u32)> =
        (1..=160).map(|id| (id, draw.below(101), draw.below(1_000))).collect();
    // Equal ratings, and equal centres too, at both ends of both committees.
    for at in [1, 50, 99, 100, 101, 120, 121] {
        institutions[at].1 = institutions[at - 1].1;
        institutions[at].2 = institutions[at - 1].2;
    }
    let list: Vec<Value> = institutions
        .iter()
        .map(|(id, rating, centre)| json!({"institution": id, "rating": rating, "centre": centre}))
        .collect();
    let result = subject.call("paper.rank", json!({"institutions": list}))?;
    let (producers, auditors) = (ids(&result, "producers")?, ids(&result, "auditors")?);
    claim(producers.len() == 101 && auditors.len() == 20, || {
        format!("{} producers and {} auditors", producers.len(), auditors.len())
    })?;
    let by_id: BTreeMap<u32, (u32, u32)> =
        institutions.iter().map(|(id, rating, centre)| (*id, (*rating, *centre))).collect();
    let both: Vec<u32> = match reading.as_str() {
        // Ranks 101 to 120 audit: the 101st sits in both.
        "R2" => [&producers[..], &auditors[1..]].concat(),
        _ => [&producers[..], &auditors].concat(),
    };
    let mut seen = std::collections::BTreeSet::new();
    claim(both.iter().all(|id| by_id.contains_key(id) && seen.insert(*id)), || {
        "somebody sits twice, or is nobody of the list".to_owned()
    })?;
    if !is_weighted {
        let falls = |pair: &[u32]| by_id[&pair[0]] >= by_id[&pair[1]];
        claim(both.windows(2).all(falls), || {
            "a lower rating, or a smaller centre of the same rating, comes first".to_owned()
        })?;
        let lowest = by_id[both.last().expect("there are seats")];
        let outside = by_id.iter().filter(|(id, _)| !seen.contains(id));
        claim(outside.map(|(_, one)| *one).max().is_none_or(|best| best <= lowest), || {
            "somebody without a seat ranks above somebody with one".to_owned()
        })?;
    }
    Ok(format!("{} institutions", institutions.len()))
}

const GOOD: [&str; 4] = ["booked", "audited", "answered", "re-encrypted"];
const BAD: [&str; 4] = ["wrong-block", "cheated", "missed", "wrong-audit"];

fn credit(
    subject: &mut Subject<'_>,
    ratings: &[(u32, u32)],
    events: &[(u32, &str)],
) -> Result<BTreeMap<u32, i64>, Interrupt> {
    let institutions: Vec<Value> =
        ratings.iter().map(|(id, rating)| json!({"institution": id, "rating": rating})).collect();
    let list: Vec<Value> =
        events.iter().map(|(id, kind)| json!({"institution": id, "kind": kind})).collect();
    let args = json!({"institutions": institutions, "events": list});
    let result = subject.call("paper.credit", args)?;
    let read = |entry: &Field<'_>| {
        Ok((entry.get("institution")?.integer()?, entry.get("points")?.decimal()?))
    };
    let points: Vec<(u32, i64)> = field(&result, "credit", |list| list.each(read))?;
    let found: BTreeMap<u32, i64> = points.into_iter().collect();
    let are_all = found.keys().copied().eq(ratings.iter().map(|(id, _)| *id));
    claim(are_all, || "credit is not told of each institution once".to_owned())?;
    Ok(found)
}

fn signs(subject: &mut Subject<'_>) -> Result<String, Interrupt> {
    let ratings = [(1, 0), (2, 40), (3, 60), (4, 100)];
    let start = credit(subject, &ratings, &[])?;
    claim(start.values().is_sorted() && start[&1] < start[&4], || {
        format!("credit at the start does not follow the rating: {start:?}")
    })?;
    for kind in GOOD {
        let after = credit(subject, &ratings, &[(3, kind)])?;
        claim(after[&3] > start[&3], || {
            format!("{kind}: credit goes from {} to {}", start[&3], after[&3])
        })?;
    }
    for kind in BAD {
        let after = credit(subject, &ratings, &[(3, kind)])?;
        claim(after[&3] < start[&3], || {
            format!("{kind}: credit goes from {} to {}", start[&3], after[&3])
        })?;
    }
    let cheated = vec![(2, "cheated"); 4];
    let after = credit(subject, &ratings, &cheated)?;
    let mut many = cheated;
    let mut lowest = after[&2];
    while lowest >= 0 && many.len() < 4_096 {
        many.extend(many.clone());
        lowest = credit(subject, &ratings, &many)?[&2];
    }
    claim(lowest < 0, || format!("{} times cheated, and credit is {lowest}", many.len()))?;
    Ok(format!("{} kinds of event", GOOD.len() + BAD.len()))
}

fn a_function(subject: &mut Subject<'_>) -> Result<String, Interrupt> {
    let mut draw = draws(subject);
    let ratings: Vec<(u32, u32)> = (1..=12).map(|id| (id, draw.below(101))).collect();
    let kinds = [GOOD, BAD].concat();
    let events: Vec<(u32, &str)> =
        (0..60).map(|_| (draw.between(1, 12), *draw.pick(&kinds))).collect();
    let once = credit(subject, &ratings, &events)?;
    let again = credit(subject, &ratings, &events)?;
    claim(once == again, || "the same history gives other credit the second time".to_owned())?;
    let (id, kind) = (draw.between(1, 12), *draw.pick(&kinds));
    let mut more = events;
    more.push((id, kind));
    let after = credit(subject, &ratings, &more)?;
    let others = once.iter().filter(|(other, _)| **other != id);
    let is_untouched = others.clone().all(|(other, points)| after[other] == *points);
    claim(is_untouched, || format!("{kind} of {id} changes the credit of others"))?;
    Ok(format!("{} events", more.len()))
}

fn seats(list: &[(u32, i64)]) -> Value {
    list.iter()
        .map(|(id, points)| json!({"institution": id, "points": points.to_string()}))
        .collect()
}

fn replacement(subject: &mut Subject<'_>) -> Result<String, Interrupt> {
    let mut draw = draws(subject);
    let leaves_empty = subject.hello().readings.get("AMB-COM-7").is_some_and(|one| one == "R3");
    let rounds = 8;
    for _ in 0..rounds {
        let mut next_id = 0;
        let mut group = |count: u32, lowest: i64| -> Vec<(u32, i64)> {
            let one = |_| {
                next_id += 1;
                (next_id, lowest + i64::from(draw.below(2_000)))
            };
            (0..count).map(one).collect()
        };
        let mut producers = group(7, 0);
        let (auditors, others) = (group(4, 100), group(3, 50));
        let threshold = -500_i64;
        // One below, one exactly at it, which stays.
        producers[2].1 = threshold - 1;
        producers[5].1 = threshold;
        let args = json!({
            "producers": seats(&producers), "auditors": seats(&auditors), "others": seats(&others),
            "threshold": threshold.to_string(),
        });
        let result = subject.call("paper.replace", args)?;
        let (after, audit, expelled) =
            (ids(&result, "producers")?, ids(&result, "auditors")?, ids(&result, "expelled")?);
        claim(expelled == [producers[2].0], || {
            format!("expelled {expelled:?}, below the threshold is {} alone", producers[2].0)
        })?;
        claim(!after.contains(&producers[2].0), || "the expelled one still produces".to_owned())?;
        let best = auditors.iter().map(|(_, points)| *points).max().unwrap_or(0);
        let comes: Vec<u32> = after
            .iter()
            .copied()
            .filter(|id| !producers.iter().any(|(before, _)| before == id))
            .collect();
        let is_best = |id: &u32| auditors.iter().any(|(of, points)| of == id && *points == best);
        claim(comes.len() == 1 && is_best(&comes[0]), || {
            format!("{comes:?} moves up, not an auditor with the most credit")
        })?;
        let stay = producers.iter().filter(|(id, _)| *id != producers[2].0);
        claim(
            stay.clone().all(|(id, _)| after.contains(id)) && after.len() == producers.len(),
            || "a producer at or above the threshold lost its seat".to_owned(),
        )?;
        let seats_left = auditors.len() - usize::from(leaves_empty);
        claim(!audit.contains(&comes[0]) && audit.len() == seats_left, || {
            format!("auditors are {audit:?} after {} moved up", comes[0])
        })?;
    }
    Ok(format!("{rounds} committees"))
}
