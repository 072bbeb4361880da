//! Random acts of sharing, valid for a decoder; encodings of them with one fault each; and whole
//! histories, in which most acts follow from earlier ones and some do not. [PRE-3] [PRE-4] [PRE-7] [PRE-8]

use std::collections::BTreeMap;

use rand_chacha::rand_core::Rng;

use super::spoil::{Push, replaced};
use super::values::Scale;
use crate::rules::access::{Limits, Past, Step};
use crate::rules::acts::Act;
use crate::rules::mirror::Bytes32;
use crate::rules::wire::Mirror;
use crate::seed::Draw;

/// A valid act, of any kind.
pub(super) fn value(scale: Scale, draw: &mut impl Rng) -> Act {
    let most = if scale == Scale::Small { 4 } else { 64 };
    let count = *draw.pick(&[1, 2, most]);
    let files: BTreeMap<Bytes32, Bytes32> =
        (0..count).map(|_| (bytes(draw), bytes(draw))).collect();
    let [one, two, three] = [(); 3].map(|()| bytes(draw));
    match draw.below(8) {
        0 => Act::Request {
            owner: one,
            reader_key: two,
            offer: three,
            records: files.into_keys().collect(),
        },
        1 => Act::Grant { request: one, owner_key: two, until: draw.next_u64(), files },
        2 => Act::Bid { grant: one, parcels: two },
        3 => Act::Choice { grant: one, institution: draw.next_u32(), rekey: two, parcel: three },
        4 => Act::Delivery { grant: one, files },
        5 => Act::Revocation { grant: one },
        6 => Act::Dispute { grant: one, record: two, delivery: three },
        _ => Act::Confirmation { grant: one, finding: if draw.chance(1, 2) { 1 } else { 2 } },
    }
}

fn bytes(draw: &mut impl Rng) -> Bytes32 {
    let mut bytes = [0; 32];
    draw.fill_bytes(&mut bytes);
    bytes
}

/// Numbers that stand for nothing, lists that are empty, too long, out of order or only announced.
pub(super) fn marked(sound: &Mirror, push: Push<'_>) {
    let Mirror::Act(_) = sound else { return };
    let of = |act: Act| Mirror::from(act).encode();
    push("kind-8", replaced(&sound.encode(), 5, &[8]));
    push("kind-255", replaced(&sound.encode(), 5, &[255]));
    let name = [7; 32];
    for finding in [0, 3] {
        let fault = if finding == 0 { "finding-0" } else { "finding-3" };
        push(fault, of(Act::Confirmation { grant: name, finding }));
    }
    let records = |count: u8| (0..count).map(|number| [number; 32]).collect();
    let request = |count| {
        of(Act::Request { owner: name, reader_key: name, offer: name, records: records(count) })
    };
    push("records-none", request(0));
    push("records-65", request(65));
    let (first, count) = (6 + 3 * 32 + 4, 6 + 3 * 32);
    push("records-unsorted", replaced(&request(2), first, &[9; 32]));
    push("records-duplicate", replaced(&request(2), first, &[1; 32]));
    push("records-count-max", replaced(&request(2), count, &[0xff; 4]));
    push("records-count-one-more", replaced(&request(2), count, &[3, 0, 0, 0]));
    let files = |count: u8| (0..count).map(|number| ([number; 32], name)).collect();
    let delivery = |count| of(Act::Delivery { grant: name, files: files(count) });
    push("files-none", delivery(0));
    push("files-65", delivery(65));
    push("files-unsorted", replaced(&delivery(2), 6 + 32 + 4, &[9; 32]));
    push("files-duplicate", replaced(&delivery(2), 6 + 32 + 4, &[1; 32]));
    push("files-count-max", replaced(&delivery(2), 6 + 32, &[0xff; 4]));
    push("files-count-one-more", replaced(&delivery(2), 6 + 32, &[3, 0, 0, 0]));
    let (request, owner_key, until) = (name, name, 1);
    push("grant-without-files", of(Act::Grant { request, owner_key, until, files: files(0) }));
    push("grant-of-65", of(Act::Grant { request, owner_key, until, files: files(65) }));
}

/// Few keys, few records, tight limits: every bound is met within some hundred steps.
pub const TIGHT: Limits = Limits {
    requests: 2,
    grants: 3,
    bids: 3,
    request_blocks: 9,
    grant_blocks: 14,
    dispute_blocks: 5,
    confirm_blocks: 4,
};

/// The key of somebody, 0 to 9. Records 0 to 11 are those of 0 to 3, who read as well; 3 to 8 hold
/// seats, now and then; 9 is an outsider.
#[must_use]
pub fn somebody(number: u8) -> Bytes32 {
    [number + 1; 32]
}

/// A record of one of the owners.
#[must_use]
pub fn record(number: u8) -> Bytes32 {
    [0x80 + number; 32]
}

/// Who owns which record.
#[must_use]
pub fn owners() -> BTreeMap<Bytes32, Bytes32> {
    (0..12).map(|number| (record(number), somebody(number % 4))).collect()
}

/// So many steps of a chain. About two of three acts have effect.
pub fn history(steps: usize, draw: &mut impl Rng) -> Vec<Step> {
    let mut past = Past::new(TIGHT, owners());
    let mut all = Vec::new();
    let mut take = |past: &mut Past, step: Step| {
        past.take(&step);
        all.push(step);
    };
    take(&mut past, seats(draw));
    for _ in 1..steps {
        let step = match draw.below(12) {
            0 => seats(draw),
            1 | 2 => Step::Reach(past.height() + *draw.pick(&[1_u64, 1, 1, 2, 2, 3, 11])),
            _ => book(&past, draw),
        };
        take(&mut past, step);
    }
    all
}

fn seats(draw: &mut impl Rng) -> Step {
    let holders = (3..9).filter(|_| draw.chance(5, 6));
    Step::Seats(holders.map(|number| (somebody(number), 100 + u32::from(number))).collect())
}

fn anybody(draw: &mut impl Rng) -> Bytes32 {
    somebody(u8::try_from(draw.below(10)).expect("10 of them"))
}

fn book(past: &Past, draw: &mut impl Rng) -> Step {
    let (mut signer, mut act) = likely(past, draw);
    if draw.chance(1, 8) {
        signer = anybody(draw);
    }
    if draw.chance(1, 8) {
        spoil(&mut act, draw);
    }
    let record = bytes(draw);
    Step::Book { record, signer, act }
}

/// Something that follows from the past.
fn likely(past: &Past, draw: &mut impl Rng) -> (Bytes32, Act) {
    let mut grants = past.known_grants();
    if draw.chance(9, 10) {
        grants.retain(|grant| past.service(grant).is_some());
    }
    if !grants.is_empty() && draw.chance(3, 4) {
        let grant = *draw.pick(&grants);
        if draw.chance(1, 12) {
            let owner = past.service(&grant).map_or_else(|| anybody(draw), |(owner, ..)| owner);
            return (owner, Act::Revocation { grant });
        }
        if let Some(next) = past.next(&grant, draw.next_u32()) {
            return next;
        }
    }
    let waiting = past.waiting();
    if !waiting.is_empty() && draw.chance(1, 2) {
        let (request, owner, records) = draw.pick(&waiting).clone();
        let count = 1 + usize::try_from(draw.below(2)).expect("0 or 1");
        let files = records.into_iter().take(count).map(|file| (file, bytes(draw))).collect();
        let until = past.height() + u64::from(draw.between(1, 14));
        return (owner, Act::Grant { request, owner_key: owner, until, files });
    }
    let owner = draw.below(4);
    let count = draw.between(1, 3);
    let of = |turn: u32| record(u8::try_from(owner + 4 * turn).expect("below 12"));
    let (reader, records) = (anybody(draw), (0..count).map(of).collect());
    let owner = somebody(u8::try_from(owner).expect("below 4"));
    (reader, Act::Request { owner, reader_key: reader, offer: [0; 32], records })
}

/// Another grant, file, institution or time than would do.
fn spoil(act: &mut Act, draw: &mut impl Rng) {
    let other = *draw.pick(&[[0xee; 32], record(3), somebody(4)]);
    match act {
        Act::Request { records, .. } => drop(records.insert(other)),
        Act::Grant { until, .. } if draw.chance(1, 2) => *until = *draw.pick(&[0, 3, u64::MAX]),
        Act::Grant { files, .. } | Act::Delivery { files, .. } => drop(files.insert(other, other)),
        Act::Choice { institution, .. } => *institution = draw.between(99, 110),
        Act::Dispute { delivery, .. } => *delivery = other,
        Act::Bid { grant, .. } | Act::Revocation { grant } | Act::Confirmation { grant, .. } => {
            *grant = other;
        }
    }
}
