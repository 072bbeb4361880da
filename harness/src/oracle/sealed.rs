//! Sealed files under attack: by strangers who move bytes about, and by holders of the key who put
//! together what does not belong together. [DDB-1] [STO-6]
//!
//! Input: the first byte chooses. 0: the rest is a file. 1: the rest says what a holder of the key
//! seals, see `crafted`. Otherwise: steps of five bytes that change one of the honest files.

use std::sync::LazyLock;

use mdsm_core::crypto::seal::{ContentKey, OpenError, SealCoins, open, seal};

use super::{Verdict, claim};
use crate::rules::sealed::{self as rules, CHUNK_BYTES, HEADER_BYTES, Parts, TRAILER_BYTES};

/// Key of every file.
pub(super) const KEY: [u8; 32] = [0x4b; 32];

/// Lengths of the honest files: the shortest, a common one, and both sides of a full chunk.
const LENGTHS: [usize; 5] = [1, 300, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES + 7];

/// Plaintext and sealed file of each honest file, sealed by the reference.
pub(super) static HONEST: LazyLock<Vec<(Vec<u8>, Vec<u8>)>> = LazyLock::new(|| {
    let file = |(length, number): (usize, u8)| {
        let plaintext: Vec<u8> = (number..251).cycle().take(length).collect();
        let coins = SealCoins { nonce_prefix: [number; 19], salt: [number; 16] };
        let sealed = seal(&plaintext, &ContentKey::new(KEY), coins);
        (plaintext, sealed.expect("each holds 1 byte at least"))
    };
    LENGTHS.into_iter().zip(1..).map(file).collect()
});

/// The honest files, as they are sealed under the key that the oracle opens with.
#[must_use]
pub fn honest_files() -> Vec<Vec<u8>> {
    HONEST.iter().map(|(_, sealed)| sealed.clone()).collect()
}

/// Holds opening to the rules, and to this: whoever has no key gets nothing opened but honest files.
pub fn sealed(bytes: &[u8]) -> Verdict {
    let (file, by_key_holder) = file_of(bytes);
    opened(&file, by_key_holder)
}

/// The file that an input stands for, and whether a holder of the key made it.
pub(super) fn file_of(bytes: &[u8]) -> (Vec<u8>, bool) {
    let Some((&choice, rest)) = bytes.split_first() else { return (Vec::new(), false) };
    match choice {
        0 => (rest.to_vec(), false),
        1 => (crafted(rest).seal(&KEY), true),
        _ => {
            let (_, file) = &HONEST[usize::from(choice) % HONEST.len()];
            (rearranged(file, rest), false)
        }
    }
}

fn opened(file: &[u8], by_key_holder: bool) -> Verdict {
    let found = open(file, &ContentKey::new(KEY));
    let honest = HONEST.iter().find(|(_, sealed)| sealed == file);
    if !by_key_holder {
        let expected = honest.map(|(plaintext, _)| plaintext);
        claim(found.as_ref().ok() == expected, || {
            format!("sealed: {found:.0?} for a file that is honest: {}", honest.is_some())
        })?;
    }
    let expected = rules::open(file, &KEY);
    claim(found.as_ref().ok() == expected.as_ref(), || {
        let outcome = found.as_ref().map(Vec::len);
        format!("sealed: {outcome:?}, the rules have {:?}", expected.map(|plain| plain.len()))
    })?;
    let size = u64::try_from(file.len()).expect("usize fits in u64");
    match found {
        Ok(plaintext) => {
            let chunks = plaintext.len().div_ceil(CHUNK_BYTES);
            let bytes = HEADER_BYTES + plaintext.len() + 16 * chunks + TRAILER_BYTES;
            claim(file.len() == bytes, || format!("sealed: {} bytes, not {bytes}", file.len()))
        }
        Err(
            OpenError::Chunk { offset, .. }
            | OpenError::Trailer { offset, .. }
            | OpenError::Header { offset },
        ) => claim(offset <= size, || format!("sealed: byte {offset} of {size}")),
        Err(OpenError::Truncated { bytes, bytes_min }) => {
            claim(bytes == size && bytes < bytes_min, || format!("sealed: {bytes} bytes"))
        }
        Err(_) => Ok(()),
    }
}

/// What a holder of the key seals: up to three chunks, of lengths around the full one, and a trailer
/// that is right but for what the first byte says.
fn crafted(bytes: &[u8]) -> Parts {
    let mut bytes = bytes.iter().copied();
    let mut next = || bytes.next().unwrap_or(0);
    let lie = next();
    let chunks: Vec<Vec<u8>> = (0..next() % 4)
        .map(|_| {
            let length = match next() % 8 {
                0 => 0,
                1 => 1,
                2 => usize::from(next()),
                3 => CHUNK_BYTES - 1,
                4 => CHUNK_BYTES + 1,
                _ => CHUNK_BYTES,
            };
            vec![next(); length]
        })
        .collect();
    let mut parts = Parts::of(&chunks.concat(), [lie; 19], [next(); 16]);
    parts.chunks = chunks;
    match lie % 8 {
        0 => parts.length ^= u64::from(next()),
        1 => parts.commitment[usize::from(next() % 32)] ^= next(),
        2 => parts.salt[usize::from(next() % 16)] ^= next(),
        _ => {}
    }
    parts
}

/// An honest file after the steps: operation u8, then two numbers u16.
fn rearranged(file: &[u8], steps: &[u8]) -> Vec<u8> {
    let mut file = file.to_vec();
    for &[operation, a0, a1, b0, b1] in steps.as_chunks::<5>().0.iter().take(8) {
        let (a, b) = (u16::from_le_bytes([a0, a1]), u16::from_le_bytes([b0, b1]));
        let at = place(a, file.len());
        match operation % 8 {
            0 if at < file.len() => file[at] ^= b0.max(1),
            1 => file.truncate(at),
            2 => file.resize(file.len() + usize::from(b % 64), b1),
            3 => {
                file = pieces_of(&file, |pieces| {
                    let _ = pieces.remove(usize::from(a) % pieces.len());
                })
            }
            4 => {
                file = pieces_of(&file, |pieces| {
                    let piece = pieces[usize::from(a) % pieces.len()];
                    pieces.insert(usize::from(b) % (pieces.len() + 1), piece);
                })
            }
            5 => {
                file = pieces_of(&file, |pieces| {
                    let count = pieces.len();
                    pieces.swap(usize::from(a) % count, usize::from(b) % count);
                })
            }
            6 => {
                let (_, other) = &HONEST[usize::from(a) % HONEST.len()];
                let theirs = pieces(other);
                let theirs = theirs[usize::from(b) % theirs.len()];
                file = pieces_of(&file, |pieces| {
                    let at = usize::from(b) % pieces.len();
                    pieces[at] = theirs;
                });
            }
            _ => drop(file.drain(at..file.len().min(at + usize::from(b % 32)))),
        }
    }
    file
}

/// Header, chunks and trailer, as far as the bytes reach; at least one piece.
fn pieces(file: &[u8]) -> Vec<&[u8]> {
    let (header, rest) = file.split_at(HEADER_BYTES.min(file.len()));
    let (body, trailer) = rest.split_at(rest.len().saturating_sub(TRAILER_BYTES));
    let mut pieces = vec![header];
    pieces.extend(body.chunks(CHUNK_BYTES + 16));
    pieces.push(trailer);
    pieces
}

fn pieces_of(file: &[u8], change: impl FnOnce(&mut Vec<&[u8]>)) -> Vec<u8> {
    let mut all = pieces(file);
    change(&mut all);
    all.concat()
}

/// A place counted from the start, or, in the upper half of the numbers, from the end.
fn place(number: u16, length: usize) -> usize {
    match usize::from(number) {
        from_start @ ..0x8000 => from_start.min(length),
        from_end => length.saturating_sub(from_end - 0x8000),
    }
}
