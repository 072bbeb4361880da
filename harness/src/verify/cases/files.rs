//! One case a file given by `--input`, or a format of generated ones.

use std::collections::BTreeMap;
use std::io::{self, Cursor};

use mdsm_core::anchoring::{ChainParameters, HeaderChain, examine};
use mdsm_core::codec::Wire as _;
use mdsm_core::crypto::seal::{ContentKey, HEADER_BYTES, open_range, read_frame, release_stream};
use mdsm_core::crypto::{Hasher, sha256};
use mdsm_core::ledger::{Content, ContentRef, Receipt};
use mdsm_core::params::{ANCHOR_CONFIRMATIONS, INLINE_CONTENT_BYTES_MAX};
use mdsm_core::types::Digest;

use super::super::intake::Taken;
use super::super::world::World;
use super::{Case, Fault, hold, text};
use crate::input::{Input, Refusal};

const REQUIREMENTS: &[&str] = &["STO-4", "STO-5", "STO-6", "STO-8", "STO-13", "ANC-2", "DDB-1"];

pub(super) fn cases(inputs: &[Input], refusals: &[Refusal]) -> Vec<Case> {
    let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (index, input) in inputs.iter().enumerate() {
        groups.entry(input.group()).or_default().push(index);
    }
    let taken = groups.into_iter().map(|(group, indices)| {
        let title = match indices.len() {
            1 => format!("{group}: booked, frozen, anchored, proved, read back"),
            count => format!("{count} files {group}: booked, frozen, anchored, proved, read back"),
        };
        Case {
            id: format!("files.{group}"),
            title,
            requirements: REQUIREMENTS,
            check: Box::new(move |world| files(world, &indices)),
        }
    });
    let refused = refusals.iter().map(|Refusal { name, reason }| {
        let reason = reason.clone();
        Case {
            id: format!("files.{name}"),
            title: format!("{name}: can be taken"),
            requirements: &[],
            check: Box::new(move |_| Err(Fault::Undecided(reason.clone()))),
        }
    });
    taken.chain(refused).collect()
}

fn files(world: &World, indices: &[usize]) -> Result<String, Fault> {
    let headers =
        HeaderChain::from_bytes(&world.headers, ChainParameters::Regtest).map_err(text)?;
    let (mut inline, mut sealed, mut bytes) = (0, 0, 0);
    let mut heights = (u32::MAX, 0);
    for index in indices {
        let at = world.taken.binary_search_by_key(index, |file| file.input);
        let Ok(file) = at.map(|at| &world.taken[at]) else {
            let refusal = world.refusals.iter().map(|r| format!("{}: {}", r.name, r.reason));
            return Err(Fault::Undecided(refusal.collect::<Vec<_>>().join("; ")));
        };
        let height = one(world, file, &headers).map_err(|fault| fault.about(&file.name))?;
        heights = (heights.0.min(height), heights.1.max(height));
        bytes += file.bytes;
        if file.key.is_some() { sealed += 1 } else { inline += 1 }
    }
    let (first, last) = heights;
    Ok(format!(
        "{bytes} bytes, {inline} inline, {sealed} sealed; existed before Bitcoin blocks {first} to {last}"
    ))
}

/// Follows one file from its receipt back to its bytes.
fn one(world: &World, file: &Taken, headers: &HeaderChain) -> Result<u32, Fault> {
    let issued = world.receipt(&file.record_id).ok_or("no receipt was issued")?;
    let receipt = Receipt::from_bytes(&issued.bytes).map_err(text)?;
    let content = match receipt.booking.content {
        ContentRef::Inline(_) => inline_content(world, file)?,
        ContentRef::Stored(digest) => {
            world.archive.object(&digest)?.ok_or("the sealed file is gone")?
        }
    };
    let claim = examine(&receipt, Some(&content)).map_err(text)?;
    let existed = claim.confirm(headers, ANCHOR_CONFIRMATIONS).map_err(text)?;
    let (found, bytes) = match &file.key {
        None => (sha256(&content), u64::try_from(content.len()).map_err(text)?),
        Some(key) => {
            hold(!is_in(&content, file), || "the sealed file shows its content".to_owned())?;
            opened(&receipt, &content, key)?
        }
    };
    hold(found == file.plaintext, || "other bytes came back".to_owned())?;
    let large = usize::try_from(bytes).map_or(true, |bytes| bytes > INLINE_CONTENT_BYTES_MAX);
    hold(large == file.key.is_some(), || format!("{bytes} bytes took the wrong path"))?;
    hold(bytes == file.bytes, || format!("{bytes} bytes of {} came back", file.bytes))?;
    let size = receipt.booking.metadata.size;
    hold(size == file.bytes, || format!("metadata says {size} bytes of {}", file.bytes))?;
    Ok(existed.height)
}

/// Digest and length of the plaintext of a sealed file, opened as a stream, and again range by range
/// without what the stream has shown.
fn opened(receipt: &Receipt, sealed: &[u8], key: &ContentKey) -> Result<(Digest, u64), Fault> {
    let mut source = Cursor::new(sealed);
    let checked = receipt.booking.check(&mut source, key).map_err(text)?;
    let mut whole = Hashing::default();
    release_stream(&checked, &mut source, &mut whole).map_err(text)?;
    let whole = whole.0.finish();
    let frame = read_frame(&mut source, key).map_err(text)?;
    let (mut ranges, mut start) = (Hasher::new(), 0);
    while start < frame.bytes() {
        let end = frame.bytes().min(start + RANGE_BYTES);
        ranges.update(&open_range(&frame, &mut source, start..end).map_err(text)?);
        start = end;
    }
    hold(ranges.finish() == whole, || "ranges gave other bytes than the whole".to_owned())?;
    Ok((whole, checked.bytes()))
}

/// Bytes of each range: no multiple of a chunk's, so that ranges begin and end within chunks.
const RANGE_BYTES: u64 = 1_000_000;

/// A sink that hashes.
#[derive(Default)]
struct Hashing(Hasher);

impl io::Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The content as the chain holds it.
fn inline_content(world: &World, file: &Taken) -> Result<Vec<u8>, Fault> {
    let envelope = world.envelope(&file.record_id).ok_or("the record is on no block")?;
    match envelope.record.content() {
        Content::Inline(bytes) => Ok(bytes.to_vec()),
        Content::Stored(_) => Err("the record does not carry its content".into()),
    }
}

/// Whether a sealed file is not sealed: its plaintext's digest is that of some run of its bytes.
fn is_in(sealed: &[u8], file: &Taken) -> bool {
    let bytes = usize::try_from(file.bytes).unwrap_or(usize::MAX);
    sealed.len() >= bytes
        && [0, HEADER_BYTES]
            .iter()
            .filter_map(|start| sealed.get(*start..start + bytes))
            .any(|run| sha256(run) == file.plaintext)
}
