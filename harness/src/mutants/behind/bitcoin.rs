//! Transactions and headers of Bitcoin, read with or without each check. [ANC-1] [ANC-2]

use crate::rules::headers::{HEADER_BYTES, Header, genesis, has_work, hash};

/// A check that is left out, or another way to look.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Skip {
    Content,
    Signature,
    Bitcoin,
    PathEnd,
    FirstOutput,
    LastOutput,
    OtherVersions,
    Version,
    LongScript,
    LongPush,
    Witness,
    Trailing,
    Epoch,
    Root,
    Branch,
    IndexBits,
    Twin,
    Genesis,
    Links,
    Bits,
    Work,
    Depth,
    PartOfHeader,
}

/// Epoch and root in the output that counts.
pub(super) fn anchor_output(transaction: &[u8], skip: Skip) -> Option<(u32, [u8; 32])> {
    if transaction.len() == 64 || transaction.len() > 4_096 {
        return None;
    }
    let payloads: Vec<(&[u8], &[u8], u8)> = output_scripts(transaction, skip)?
        .into_iter()
        .filter_map(|script| Some((script, pushed(script)?, *script.get(1)?)))
        .filter(|(_, payload, _)| payload.starts_with(b"MDSM"))
        .filter(|(_, payload, _)| skip != Skip::OtherVersions || payload.get(4) == Some(&1))
        .collect();
    let (script, payload, opcode) = match skip {
        Skip::FirstOutput => payloads.first()?,
        Skip::LastOutput => payloads.last()?,
        _ => match &payloads[..] {
            [one] => one,
            _ => return None,
        },
    };
    let is_form = match skip {
        Skip::LongScript => payload.len() >= 41,
        Skip::LongPush => payload.len() == 41 && *opcode <= 0x4c,
        _ => script.len() == 43 && *opcode == 0x29,
    };
    let is_version = payload.get(4) == Some(&1) || skip == Skip::Version;
    if !is_form || !is_version {
        return None;
    }
    let epoch = u32::from_le_bytes(payload.get(5..9)?.try_into().ok()?);
    Some((epoch, payload.get(9..41)?.try_into().ok()?))
}

/// What the first push behind OP_RETURN holds.
fn pushed(script: &[u8]) -> Option<&[u8]> {
    let (&opcode, rest) = script.strip_prefix(&[0x6a])?.split_first()?;
    let length_bytes = match opcode {
        0x01..=0x4b => 0,
        0x4c => 1,
        0x4d => 2,
        0x4e => 4,
        _ => return None,
    };
    let (length, data) = rest.split_at_checked(length_bytes)?;
    let length = if length_bytes == 0 { u64::from(opcode) } else { little_endian(length) };
    data.get(..usize::try_from(length).ok()?)
}

fn output_scripts(transaction: &[u8], skip: Skip) -> Option<Vec<&[u8]>> {
    let mut rest = transaction;
    take(&mut rest, 4)?;
    let has_witness = skip == Skip::Witness && rest.starts_with(&[0, 1]);
    if has_witness {
        take(&mut rest, 2)?;
    }
    let inputs = compact(&mut rest)?;
    if inputs == 0 {
        return None;
    }
    for _ in 0..inputs {
        take(&mut rest, 36)?;
        let script_bytes = compact(&mut rest)?;
        take(&mut rest, script_bytes)?;
        take(&mut rest, 4)?;
    }
    let mut scripts = Vec::new();
    for _ in 0..compact(&mut rest)? {
        take(&mut rest, 8)?;
        let script_bytes = compact(&mut rest)?;
        scripts.push(take(&mut rest, script_bytes)?);
    }
    if has_witness {
        for _ in 0..inputs {
            for _ in 0..compact(&mut rest)? {
                let bytes = compact(&mut rest)?;
                take(&mut rest, bytes)?;
            }
        }
    }
    take(&mut rest, 4)?;
    (rest.is_empty() || skip == Skip::Trailing).then_some(scripts)
}

fn take<'a>(rest: &mut &'a [u8], count: u64) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(usize::try_from(count).ok()?)?;
    *rest = left;
    Some(taken)
}

fn compact(rest: &mut &[u8]) -> Option<u64> {
    let (bytes, least) = match take(rest, 1)?[0] {
        0xfd => (2, 0xfd),
        0xfe => (4, 0x1_0000),
        0xff => (8, 0x1_0000_0000),
        small => return Some(small.into()),
    };
    let count = little_endian(take(rest, bytes)?);
    (count >= least).then_some(count)
}

fn little_endian(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, byte| number * 256 + u64::from(*byte))
}

/// The headers of the test network.
pub(super) fn headers(bytes: &[u8], skip: Skip) -> Option<&[Header]> {
    let (headers, rest) = bytes.as_chunks::<HEADER_BYTES>();
    let first = headers.first()?;
    let follows = |pair: &[Header]| {
        (pair[1][4..36] == hash(&pair[0]) || skip == Skip::Links)
            && (pair[1][72..76] == first[72..76] || skip == Skip::Bits)
            && (has_work(&pair[1]) || skip == Skip::Work)
    };
    let is_whole = rest.is_empty() || skip == Skip::PartOfHeader;
    let is_first = *first == genesis() || skip == Skip::Genesis;
    (is_whole && is_first && headers.windows(2).all(follows)).then_some(headers)
}
