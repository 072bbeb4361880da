//! Sealed files in pieces: sealed piece by piece, opened as streams, read in ranges. [DDB-1]
//!
//! Input: two bytes for the ends of a range, see `end`; two bytes that part the plaintext, see
//! `pieces`; the rest is a file as `oracle::sealed` makes it.

use std::io::Cursor;

use mdsm_core::crypto::seal::{
    Checked, ContentKey, OpenError, RangeError, SealCoins, Sealer, StreamError, open, open_range,
    open_stream, read_frame,
};

use super::sealed::{HONEST, KEY, file_of};
use super::{Verdict, claim};
use crate::rules::sealed::{self as rules, CHUNK_BYTES, HEADER_BYTES, Parts, TRAILER_BYTES};

/// Holds streams and ranges to the rules and to opening at once.
pub fn sealed_range(bytes: &[u8]) -> Verdict {
    let Some((&[start, end, first, step], rest)) = bytes.split_first_chunk() else {
        return Ok(());
    };
    let (file, by_key_holder) = file_of(rest);
    let plaintext = rules::open(&file, &KEY);
    streamed(&file, plaintext.as_deref())?;
    let length = plaintext.as_ref().map_or(file.len(), Vec::len);
    ranged(&file, self::end(start, length), self::end(end, length), by_key_holder)?;
    match plaintext {
        Some(plaintext) => pieces(&plaintext, first, step),
        None => Ok(()),
    }
}

/// An end of a range: 0, the length or near it, far beyond it, or near the border of a chunk.
fn end(choice: u8, length: usize) -> u64 {
    let length = u64::try_from(length).expect("usize fits in u64");
    let chunk = u64::try_from(CHUNK_BYTES).expect("usize fits in u64");
    match choice {
        0 => 0,
        1 => length,
        2 => length + 1,
        3 => length.saturating_sub(1),
        4..6 => length / 2,
        6 => u64::MAX - length,
        7 => u64::MAX,
        // Four below to three above the borders of the first chunks.
        8..64 => ((u64::from(choice) / 8 - 1) * chunk).saturating_sub(4) + u64::from(choice) % 8,
        _ => length * (u64::from(choice) - 64) / 191,
    }
}

fn streamed(file: &[u8], expected: Option<&[u8]>) -> Verdict {
    let mut sink = Vec::new();
    let opened = open_stream(&mut Cursor::new(file), &mut sink, &ContentKey::new(KEY));
    claim(opened.is_ok() == expected.is_some(), || {
        format!("sealed_range: the stream gave {opened:?}, expected: {}", expected.is_some())
    })?;
    claim(sink == expected.unwrap_or_default(), || {
        format!("sealed_range: the stream let {} bytes out", sink.len())
    })?;
    let at_once = open(file, &ContentKey::new(KEY));
    claim(refusal(&opened) == at_once.as_ref().err(), || {
        format!("sealed_range: {opened:?} as a stream, {:?} at once", at_once.err())
    })
}

fn refusal(opened: &Result<Checked, StreamError<OpenError>>) -> Option<&OpenError> {
    match opened {
        Err(StreamError::Refused(error)) => Some(error),
        _ => None,
    }
}

fn ranged(file: &[u8], start: u64, end: u64, by_key_holder: bool) -> Verdict {
    let mut source = Cursor::new(file);
    let found = read_frame(&mut source, &ContentKey::new(KEY))
        .map_err(StreamError::in_terms_of)
        .and_then(|frame| open_range(&frame, &mut source, start..end));
    let expected = rules::open_range(file, &KEY, start, end);
    claim(found.as_ref().ok() == expected.as_ref(), || {
        let (found, expected) = (found.as_ref().map(Vec::len), expected.as_ref().map(Vec::len));
        format!("sealed_range: {start}..{end} gave {found:?}, the rules have {expected:?} bytes")
    })?;
    if let Err(error) = &found {
        let is_refusal = matches!(error, StreamError::Refused(_));
        claim(is_refusal, || format!("sealed_range: {start}..{end}: {error}"))?;
        let too_large = matches!(error, StreamError::Refused(RangeError::Memory { .. }));
        claim(!too_large, || {
            format!("sealed_range: {start}..{end} before it is held to its file")
        })?;
    }
    let Ok(found) = found else { return Ok(()) };
    if by_key_holder {
        return Ok(());
    }
    // Without the key, what comes out is what an honest file with this header and trailer has there.
    let outer = |file: &[u8]| [&file[..HEADER_BYTES], &file[file.len() - TRAILER_BYTES..]].concat();
    let honest = HONEST.iter().find(|(_, sealed)| outer(sealed) == outer(file));
    let place = usize::try_from(start).ok().zip(usize::try_from(end).ok());
    let theirs = honest.zip(place).and_then(|((plain, _), (start, end))| plain.get(start..end));
    claim(theirs == Some(&found[..]), || {
        format!("sealed_range: {start}..{end} of a stranger's file gave {} bytes", found.len())
    })
}

/// Seals in pieces: the first of `first` x 300 bytes, the others growing by `step`.
fn pieces(plaintext: &[u8], first: u8, step: u8) -> Verdict {
    let coins = SealCoins { nonce_prefix: [first; 19], salt: [step; 16] };
    let mut sealer = Sealer::new(&ContentKey::new(KEY), coins);
    let (mut sealed, mut rest) = (Vec::new(), plaintext);
    let mut size = usize::from(first) * 300;
    while !rest.is_empty() {
        // None of the pieces may be empty for ever.
        let (mut piece, behind) = rest.split_at(size.max(1).min(rest.len()));
        loop {
            match sealer.push(&mut piece) {
                Ok(Some(part)) => sealed.extend_from_slice(part),
                Ok(None) => break,
                Err(error) => return Err(format!("sealed_range: {error} in pieces")),
            }
        }
        rest = behind;
        size = size * 2 + usize::from(step);
    }
    let end = sealer.finish().map_err(|error| format!("sealed_range: {error} at the end"))?;
    sealed.extend(end);
    let expected = Parts::of(plaintext, coins.nonce_prefix, coins.salt).seal(&KEY);
    claim(sealed == expected, || {
        format!("sealed_range: other bytes in pieces by {first} and {step}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ddb_1_the_ends_of_ranges_lie_where_files_are_parted() {
        let length = 2 * CHUNK_BYTES + 7;
        let ends: Vec<u64> = [0, 1, 2, 3, 4, 8, 20, 22, 28, 63].map(|at| end(at, length)).into();
        assert_eq!(
            ends,
            [0, 131_079, 131_080, 131_078, 65_539, 0, 65_536, 65_538, 131_072, 393_219]
        );
        assert_eq!((end(7, length), end(255, length), end(64, length)), (u64::MAX, 131_079, 0));
    }
}
