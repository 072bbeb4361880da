//! The bytes of one entry.

use std::io::Read;

use super::ENTRY_PAYLOAD_BYTES_MAX;
use crate::codec::prefix;
use crate::crypto::{sha256, sha256_parts};
use crate::types::Digest;

/// What a log starts with.
pub(super) const HEADER: [u8; 5] = prefix(*b"MLOG");

/// What an entry starts with.
pub(super) const MARKER: [u8; 4] = *b"MENT";

/// Marker, length, sequence and digest of the entry before.
const HEAD_BYTES: usize = 4 + 4 + 8 + 32;

/// Bytes of an entry beside its payload.
pub const ENTRY_OVERHEAD_BYTES: usize = HEAD_BYTES + Digest::BYTES;

/// An entry that verified itself.
pub(super) struct Entry {
    pub(super) sequence: u64,
    pub(super) previous: Digest,
    pub(super) payload: Vec<u8>,
    pub(super) digest: Digest,
}

impl Entry {
    /// Bytes in the file.
    pub(super) fn bytes(&self) -> u64 {
        (ENTRY_OVERHEAD_BYTES + self.payload.len()) as u64
    }
}

/// What entry 0 is chained to.
pub(super) fn genesis() -> Digest {
    sha256(&HEADER)
}

/// The bytes of an entry and its digest; `None` when the payload is too large.
pub(super) fn encode(
    sequence: u64,
    previous: &Digest,
    payload: &[u8],
) -> Option<(Vec<u8>, Digest)> {
    if payload.len() > ENTRY_PAYLOAD_BYTES_MAX {
        return None;
    }
    let length = u32::try_from(payload.len()).ok()?;
    let mut bytes = Vec::with_capacity(ENTRY_OVERHEAD_BYTES + payload.len());
    bytes.extend_from_slice(&MARKER);
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(&sequence.to_le_bytes());
    bytes.extend_from_slice(previous.as_bytes());
    bytes.extend_from_slice(payload);
    let digest = sha256(&bytes);
    bytes.extend_from_slice(digest.as_bytes());
    Some((bytes, digest))
}

/// Reads an entry that starts here with `left` bytes to the end of the file; `None` when what
/// stands here is none. A length is believed only up to the bound and up to the end of the file.
pub(super) fn read(
    input: &mut impl Read,
    left: u64,
    sequences: std::ops::RangeInclusive<u64>,
) -> std::io::Result<Option<Entry>> {
    if left < ENTRY_OVERHEAD_BYTES as u64 {
        return Ok(None);
    }
    let mut head = [0; HEAD_BYTES];
    input.read_exact(&mut head)?;
    let (marker, rest) = head.split_at(4);
    let (length, rest) = rest.split_at(4);
    let (sequence, previous) = rest.split_at(8);
    let length = u32::from_le_bytes(length.try_into().expect("four bytes were split off"));
    let Ok(length) = usize::try_from(length) else { return Ok(None) };
    let fits = length as u64 <= left - ENTRY_OVERHEAD_BYTES as u64;
    let sequence = u64::from_le_bytes(sequence.try_into().expect("eight bytes were split off"));
    // The number is looked at before the payload is read and hashed: what only looks like an entry,
    // inside somebody's payload, must not make the search of a damaged file slow.
    if marker != MARKER
        || length > ENTRY_PAYLOAD_BYTES_MAX
        || !fits
        || !sequences.contains(&sequence)
    {
        return Ok(None);
    }
    let mut payload = vec![0; length];
    input.read_exact(&mut payload)?;
    let mut digest = [0; Digest::BYTES];
    input.read_exact(&mut digest)?;
    if sha256_parts(&[&head, &payload]).as_bytes() != &digest {
        return Ok(None);
    }
    Ok(Some(Entry {
        sequence,
        previous: Digest::new(previous.try_into().expect("32 bytes are left of the head")),
        payload,
        digest: Digest::new(digest),
    }))
}
