//! Reading a whole log, and telling a torn tail from damage.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use super::Torn;
use super::entry::{self, ENTRY_OVERHEAD_BYTES, Entry, HEADER, MARKER};
use super::error::LogError;
use crate::crypto::sha256;
use crate::types::Digest;

/// Bytes of the largest entry.
const ENTRY_BYTES_MAX: u64 = (ENTRY_OVERHEAD_BYTES + super::ENTRY_PAYLOAD_BYTES_MAX) as u64;

/// What a log holds.
pub(super) struct Walk {
    pub(super) entries: u64,
    pub(super) tip: Digest,
    /// Offset behind the last entry; below the length of the header when even that is torn.
    pub(super) end: u64,
    pub(super) torn: Option<Torn>,
}

/// Hands the first `entries_max` entries to `visit` and says what follows the last.
pub(super) fn walk<E: From<LogError>>(
    path: &Path,
    file: &File,
    entries_max: u64,
    mut visit: impl FnMut(u64, &[u8]) -> Result<(), E>,
) -> Result<Walk, E> {
    let io = |error| LogError::io(path, "read")(error);
    let length = file.metadata().map_err(io)?.len();
    let mut input = BufReader::with_capacity(1 << 16, file);
    input.rewind().map_err(io)?;
    if let Some(torn) = check_header(path, &mut input, length)? {
        return Ok(Walk { entries: 0, tip: entry::genesis(), end: 0, torn });
    }
    let mut walk = Walk { entries: 0, tip: entry::genesis(), end: HEADER.len() as u64, torn: None };
    while walk.end < length && walk.entries < entries_max {
        match entry::read(&mut input, length - walk.end, 0..=u64::MAX).map_err(io)? {
            //= harness/spec/database.md#ddb-1-encrypted-files-durable-store
            //# DDB-1.11 (ours): The log MUST number its entries and chain each to the digest of the
            //# one before, so that a torn last entry is cut off and damage before it is reported as
            //# damage.
            Some(entry) if entry.sequence == walk.entries && entry.previous == walk.tip => {
                visit(entry.sequence, &entry.payload)?;
                walk.entries += 1;
                walk.end += entry.bytes();
                walk.tip = entry.digest;
            }
            _ => {
                let unreadable = unreadable(&mut input, &walk, length).map_err(io)?;
                let (file, offset) = (path.to_path_buf(), walk.end);
                if !unreadable.is_empty() {
                    return Err(LogError::Damaged { file, offset, unreadable }.into());
                }
                let (bytes, sequence) = (length - offset, walk.entries);
                let is_cut_short = is_cut_short(&mut input, offset, length).map_err(io)?;
                walk.torn = Some(Torn { offset, bytes, sequence, is_cut_short });
                break;
            }
        }
    }
    Ok(walk)
}

/// Whether what starts here is the beginning of an entry that the file has no room for.
fn is_cut_short(input: &mut BufReader<&File>, offset: u64, length: u64) -> io::Result<bool> {
    input.seek(SeekFrom::Start(offset))?;
    let mut start = Vec::new();
    input.take(8).read_to_end(&mut start)?;
    let (marker, rest) = start.split_at(start.len().min(MARKER.len()));
    if marker != &MARKER[..marker.len()] {
        return Ok(false);
    }
    let Ok(announced) = rest.try_into().map(u32::from_le_bytes) else { return Ok(true) };
    let left = length - offset;
    if left >= ENTRY_OVERHEAD_BYTES as u64 + u64::from(announced) {
        return Ok(false);
    }
    // The length itself may be what is damaged: then the rest verifies with the length that fits.
    let payload_bytes = left.checked_sub(ENTRY_OVERHEAD_BYTES as u64);
    let Some(Ok(payload_bytes)) = payload_bytes.map(u32::try_from) else { return Ok(true) };
    input.seek(SeekFrom::Start(offset))?;
    let mut entry = Vec::new();
    input.take(left.min(ENTRY_BYTES_MAX)).read_to_end(&mut entry)?;
    let Some((body, digest)) = entry.split_last_chunk::<{ Digest::BYTES }>() else {
        return Ok(true);
    };
    let mut body = body.to_vec();
    body[MARKER.len()..MARKER.len() + 4].copy_from_slice(&payload_bytes.to_le_bytes());
    Ok(sha256(&body).as_bytes() != digest)
}

/// `None` when the header stands; `Some` when the file ends before it does, as a crash while the
/// file was made leaves it: with a torn tail, or empty.
fn check_header(
    path: &Path,
    input: &mut BufReader<&File>,
    length: u64,
) -> Result<Option<Option<Torn>>, LogError> {
    let io = |error| LogError::io(path, "read")(error);
    let mut header = Vec::new();
    input.take(HEADER.len() as u64).read_to_end(&mut header).map_err(io)?;
    if header == HEADER {
        return Ok(None);
    }
    let is_blank = header.iter().all(|byte| *byte == 0);
    if length <= HEADER.len() as u64 && (HEADER.starts_with(&header) || is_blank) {
        let torn = Torn { offset: 0, bytes: length, sequence: 0, is_cut_short: true };
        return Ok(Some((length > 0).then_some(torn)));
    }
    let entries_follow = find(input, 0, length, 0).map_err(io)?.is_some();
    Err(LogError::Header { file: path.to_path_buf(), entries_follow })
}

/// The numbers that are missing or out of place behind the last good entry, when an entry with the
/// next number or a higher one verifies there.
fn unreadable(
    input: &mut BufReader<&File>,
    good: &Walk,
    length: u64,
) -> io::Result<Vec<std::ops::RangeInclusive<u64>>> {
    let mut gaps = Vec::new();
    // The caller saw that no entry stands where the next one belongs, so the first one found is out
    // of its place even when it has the number and the chaining of the next.
    let (mut expected, mut tip, mut offset) = (good.entries, None, good.end);
    while let Some((at, entry)) = find(input, offset, length, expected)? {
        if entry.sequence > expected {
            gaps.push(expected..=entry.sequence - 1);
        } else if tip != Some(entry.previous) {
            gaps.push(entry.sequence..=entry.sequence);
        }
        offset = at + entry.bytes();
        // A sequence of u64::MAX verifies only when forged; nothing can follow it.
        let Some(next) = entry.sequence.checked_add(1) else { break };
        (expected, tip) = (next, Some(entry.digest));
    }
    Ok(gaps)
}

/// The first entry from `offset` on that verifies itself and has a number of at least `sequence`.
fn find(
    input: &mut BufReader<&File>,
    mut offset: u64,
    length: u64,
    sequence: u64,
) -> io::Result<Option<(u64, Entry)>> {
    // No more entries than this fit, so a higher number cannot be one of this file.
    let sequence_max = sequence.saturating_add((length - offset) / ENTRY_OVERHEAD_BYTES as u64 + 1);
    while length - offset >= ENTRY_OVERHEAD_BYTES as u64 {
        let Some(at) = find_marker(input, offset, length)? else { return Ok(None) };
        input.seek(SeekFrom::Start(at))?;
        if let Some(entry) = entry::read(input, length - at, sequence..=sequence_max)? {
            return Ok(Some((at, entry)));
        }
        offset = at + 1;
    }
    Ok(None)
}

/// Offset of the first marker from `offset` on.
fn find_marker(input: &mut BufReader<&File>, offset: u64, length: u64) -> io::Result<Option<u64>> {
    input.seek(SeekFrom::Start(offset))?;
    let mut at = offset;
    let mut window = [0; MARKER.len()];
    for byte in input.take(length - offset).bytes() {
        window.rotate_left(1);
        window[MARKER.len() - 1] = byte?;
        at += 1;
        if window == MARKER && at - offset >= MARKER.len() as u64 {
            return Ok(Some(at - MARKER.len() as u64));
        }
    }
    Ok(None)
}
