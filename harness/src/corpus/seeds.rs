//! The seeds of every target, made by the generators: at most 40 small files a target, valid ones
//! and one of each kind of bad input. Names are sorted by what they hold.

use rand_chacha::ChaCha12Rng;

use super::Target;
use crate::generate::alter::altered;
use crate::generate::sound::sound;
use crate::generate::spoil::{metadata_of, spoilt};
use crate::generate::values::{Scale, value};
use crate::oracle::parcel::honest_parcels;
use crate::oracle::sealed::honest_files;
use crate::rules::headers::{Header, genesis, mine};
use crate::rules::wire::{Mirror, WireKind};
use crate::seed::Seed;

/// Name and bytes of each seed of a target; equal on every machine.
#[must_use]
pub fn seeds(target: Target) -> Vec<(String, Vec<u8>)> {
    let mut draw = Seed::new(1).stream(&format!("corpus/{}", target.name()));
    match target {
        Target::Wire(kind) => wire(kind, &mut draw),
        Target::ReceiptExamine => receipts(&mut draw),
        Target::SealedFile => sealed_files(),
        Target::SealedRange => sealed_ranges(),
        Target::Headers => headers(),
        Target::Merkle => trees(),
        Target::Windows => schedules(),
        Target::Reencrypt => capsules(),
        Target::ParcelOpen => parcels(),
        Target::Canary => canary(&mut draw),
    }
}

fn wire(kind: WireKind, draw: &mut ChaCha12Rng) -> Vec<(String, Vec<u8>)> {
    let mut seeds: Vec<(String, Vec<u8>)> = (0..4)
        .map(|number| (format!("valid-{number}"), value(kind, Scale::Small, draw).encode()))
        .collect();
    // Faults of single fields are shared out among the kinds that hold metadata.
    let turn = WireKind::ALL.iter().position(|other| *other == kind).unwrap_or_default();
    let (rules, encodings): (Vec<_>, Vec<_>) =
        spoilt(kind, Scale::Small, draw).into_iter().partition(|spoilt| spoilt.is_rule);
    let shared = rules.into_iter().skip(turn % 7).step_by(7);
    let mut number = 0;
    for spoilt in encodings.into_iter().chain(shared) {
        number += 1;
        seeds.push((format!("bad-{number:02}-{}", spoilt.fault), spoilt.bytes));
    }
    seeds
}

fn receipts(draw: &mut ChaCha12Rng) -> Vec<(String, Vec<u8>)> {
    let sound = (0..4).map(|number| (format!("sound-{number}"), sound(draw).receipt));
    let mut seeds: Vec<(String, Vec<u8>)> =
        sound.map(|(name, receipt)| (name, Mirror::from(receipt).encode())).collect();
    for altered in altered(draw) {
        let name = format!("altered-{}", altered.name);
        seeds.push((name, Mirror::from(altered.receipt).encode()));
    }
    seeds
}

/// Inputs by the format that `oracle::sealed` states.
fn sealed_files() -> Vec<(String, Vec<u8>)> {
    let small = honest_files().into_iter().filter(|file| file.len() < 1_000);
    let mut seeds: Vec<(String, Vec<u8>)> = small
        .zip(0..)
        .map(|(file, number)| (format!("honest-{number}"), [&[0][..], &file].concat()))
        .collect();
    let named: [(&str, &[u8]); 17] = [
        ("empty", &[]),
        ("empty-file", &[0]),
        ("crafted-one-chunk", &[1, 7, 1, 2, 200, 5]),
        ("crafted-no-chunk", &[1, 7, 0]),
        ("crafted-empty-chunk", &[1, 7, 1, 0, 5]),
        ("crafted-empty-last-chunk", &[1, 7, 2, 5, 5, 0, 5]),
        ("crafted-short-first-chunk", &[1, 7, 2, 1, 5, 5, 5]),
        ("crafted-long-chunk", &[1, 7, 1, 4, 5]),
        ("crafted-three-chunks", &[1, 7, 3, 5, 1, 5, 2, 1, 3]),
        ("crafted-length", &[1, 0, 1, 2, 200, 5, 9, 1]),
        ("crafted-commitment", &[1, 1, 1, 2, 200, 5, 9, 3, 1]),
        ("crafted-salt", &[1, 2, 1, 2, 200, 5, 9, 3, 1]),
        ("moved-xor", &[2, 0, 30, 0, 1, 0]),
        ("moved-truncate", &[3, 1, 1, 0x80, 0, 0]),
        ("moved-append-and-delete", &[4, 2, 0, 0, 5, 7, 3, 1, 0, 0, 0]),
        ("moved-repeat-and-swap", &[9, 4, 1, 0, 2, 0, 5, 1, 0, 2, 0]),
        ("moved-splice-and-drain", &[14, 6, 3, 0, 1, 0, 7, 20, 0, 9, 0]),
    ];
    seeds.extend(named.map(|(name, bytes)| (name.to_owned(), bytes.to_vec())));
    seeds
}

/// Inputs by the format that `oracle::sealed_range` states.
fn sealed_ranges() -> Vec<(String, Vec<u8>)> {
    let small = honest_files().into_iter().find(|file| file.len() < 1_000).expect("the first");
    let raw = [&[0][..], &small].concat();
    let named: [(&str, [u8; 4], &[u8]); 19] = [
        ("raw-all", [0, 1, 1, 0], &raw),
        ("raw-past-the-end", [0, 2, 1, 0], &raw),
        ("raw-empty", [0, 0, 1, 0], &raw),
        ("no-file", [0, 1, 1, 0], &[]),
        ("honest-first-byte", [0, 1, 2, 0], &[3]),
        ("honest-across-chunks", [10, 22, 3, 0], &[4]),
        ("honest-second-chunk", [20, 28, 4, 0], &[4]),
        ("honest-to-the-end", [21, 1, 5, 0], &[4]),
        ("honest-backwards", [22, 10, 6, 0], &[4]),
        ("honest-far-beyond", [0, 7, 7, 0], &[4]),
        ("moved-xor-outside", [20, 21, 2, 0], &[9, 0, 30, 0, 1, 0]),
        ("moved-xor-inside", [0, 9, 3, 0], &[9, 0, 30, 0, 1, 0]),
        ("moved-truncate", [0, 1, 3, 0], &[9, 1, 1, 0x80, 0, 0]),
        ("moved-swap", [16, 26, 4, 0], &[9, 5, 1, 0, 2, 0]),
        ("moved-repeat", [0, 1, 5, 0], &[9, 4, 1, 0, 2, 0]),
        ("crafted-three-chunks", [10, 1, 6, 0], &[1, 7, 3, 5, 1, 5, 2, 1, 3]),
        ("crafted-length", [0, 3, 7, 0], &[1, 0, 1, 2, 200, 5, 9, 1]),
        ("crafted-commitment", [0, 1, 8, 0], &[1, 1, 1, 2, 200, 5, 9, 3, 1]),
        ("crafted-empty-last-chunk", [0, 9, 9, 0], &[1, 7, 2, 5, 5, 0, 5]),
    ];
    let seed =
        |(name, ends, file): (&str, [u8; 4], &[u8])| (name.to_owned(), [&ends[..], file].concat());
    named.into_iter().map(seed).collect()
}

fn headers() -> Vec<(String, Vec<u8>)> {
    let first = genesis();
    let second = mine(&first, &[2; 32]);
    let third = mine(&second, &[3; 32]);
    let changed = |header: &Header, at: usize| {
        let mut header = *header;
        header[at] ^= 1;
        header
    };
    let mut mainnet = first;
    mainnet[68..72].copy_from_slice(&1_231_006_505_u32.to_le_bytes());
    mainnet[72..76].copy_from_slice(&0x1d00_ffff_u32.to_le_bytes());
    mainnet[76..].copy_from_slice(&2_083_236_893_u32.to_le_bytes());
    let chains: [(&str, Vec<u8>); 10] = [
        ("empty", vec![]),
        ("genesis", first.to_vec()),
        ("three", [first, second, third].concat()),
        ("truncated", [first, second].concat()[..120].to_vec()),
        ("no-genesis", [second, third].concat()),
        ("broken-link", [first, third].concat()),
        ("other-bits", [first, changed(&second, 75)].concat()),
        ("other-time", [first, changed(&second, 68)].concat()),
        ("mainnet-genesis", mainnet.to_vec()),
        ("mainnet-then-regtest", [mainnet, second].concat()),
    ];
    chains.into_iter().map(|(name, bytes)| (name.to_owned(), bytes)).collect()
}

/// Inputs by the format that `oracle::merkle` states.
fn trees() -> Vec<(String, Vec<u8>)> {
    let seed = |(count, change): (u16, u8)| {
        let mut bytes = count.to_le_bytes().to_vec();
        bytes.extend(u64::from(count / 2).to_le_bytes());
        bytes.extend(u64::from(count).to_le_bytes());
        bytes.extend((count / 2).to_le_bytes());
        bytes.push(change);
        bytes.extend([0xab; 40]);
        (format!("leaves-{count:03}-change-{change}"), bytes)
    };
    let counts = [0, 1, 2, 3, 4, 5, 8, 10, 31, 64, 65, 255, 256, 300];
    let mut seeds: Vec<(String, Vec<u8>)> =
        counts.into_iter().zip((0..4).cycle()).map(seed).collect();
    seeds.push(("short".to_owned(), vec![1; 20]));
    seeds
}

/// Inputs by the format that `oracle::windows` states.
fn schedules() -> Vec<(String, Vec<u8>)> {
    let named: [(&str, Vec<u8>); 7] = [
        ("empty", vec![]),
        ("paper", vec![0x42; 110]),
        ("idle", vec![0x0a; 30]),
        ("burst-then-gap", [vec![0x40; 45], vec![0x4f], vec![0x02]].concat()),
        ("at-the-mark", vec![0x4e, 0x4d, 0x40, 0x4d, 0x40]),
        ("around-minutes", [0x49, 0x40, 0x4b, 0x4a].repeat(12)),
        ("nine-wait", [vec![0x42; 9], vec![0x0d], vec![0x42; 11], vec![0x4f]].concat()),
    ];
    named.into_iter().map(|(name, bytes)| (name.to_owned(), bytes)).collect()
}

/// Inputs by the format that `oracle::reencrypt` states.
fn capsules() -> Vec<(String, Vec<u8>)> {
    let named: [(&str, &[u8]); 16] = [
        ("empty", &[]),
        ("words-zero", &[0, 0, 0]),
        ("words-high", &[0xff; 163]),
        ("words-one-row", &[0, 0, 0, 1]),
        ("original", &[1, 0, 0]),
        ("original-hop-1", &[1, 1, 0]),
        ("original-hop-3", &[1, 3, 0]),
        ("original-low-bit", &[1, 0, 0, 0, 1, 0]),
        ("original-high-bit", &[1, 0, 0, 70, 0, 0x80]),
        ("original-of-another", &[1, 0, 0x33]),
        ("delivered", &[2, 1, 0x10]),
        ("delivered-low-bit", &[2, 1, 0x10, 3, 1, 0]),
        ("delivered-many-bits", &[2, 1, 0x10, 3, 0xff, 0xff, 20, 0, 0x80, 79, 0, 0xc0]),
        ("delivered-hop-2", &[2, 2, 0x10]),
        ("delivered-pseudonym", &[2, 1, 0x20]),
        ("another-message", &[3, 0, 0, 1, 2, 3, 4]),
    ];
    named.into_iter().map(|(name, bytes)| (name.to_owned(), bytes.to_vec())).collect()
}

/// Inputs by the format that `oracle::parcel` states.
fn parcels() -> Vec<(String, Vec<u8>)> {
    let honest = honest_parcels().into_iter().zip(0..);
    let mut seeds: Vec<(String, Vec<u8>)> = honest
        .map(|(parcel, number)| (format!("honest-{number}"), [&[0][..], &parcel].concat()))
        .collect();
    let named: [(&str, &[u8]); 10] = [
        ("empty", &[]),
        ("moved-nothing", &[1]),
        ("moved-purpose", &[1, 0, 5, 0, 3, 0]),
        ("moved-signature", &[3, 0, 0, 0x20, 1, 0]),
        ("signed-nothing", &[5]),
        ("signed-encapsulated", &[5, 0, 74, 0, 1, 0]),
        ("signed-sealed", &[7, 0, 0, 8, 1, 0]),
        ("signed-splice-seal", &[5, 3, 74, 0, 96, 4]),
        ("signed-reverse", &[7, 4, 80, 0, 9, 0]),
        ("signed-truncate", &[5, 1, 0, 8, 0, 0]),
    ];
    seeds.extend(named.map(|(name, bytes)| (name.to_owned(), bytes.to_vec())));
    seeds
}

/// Valid records with several extensions: the planted fault is some flipped bytes away.
fn canary(draw: &mut ChaCha12Rng) -> Vec<(String, Vec<u8>)> {
    (0..4)
        .map(|number| {
            let mut record = value(WireKind::Record, Scale::Small, draw);
            let metadata = metadata_of(&mut record).expect("a record has metadata");
            metadata.ext = [("b".to_owned(), vec![1]), ("d".to_owned(), vec![2])].into();
            (format!("valid-{number}"), record.encode())
        })
        .collect()
}
