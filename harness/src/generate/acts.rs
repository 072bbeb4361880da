//! Random acts of sharing, valid for a decoder; encodings of them with one fault each; and whole
//! histories, in which most acts follow from earlier ones and some do not. [PRE-3] [PRE-4] [PRE-7] [PRE-8]

use std::collections::BTreeMap;

use rand_chacha::rand_core::Rng;

use super::spoil::{Push, replaced};
use super::values::Scale;
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
