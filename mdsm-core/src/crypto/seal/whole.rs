//! Sealing and opening of files that are in memory.

use zeroize::Zeroizing;

use super::cipher::{ContentKey, SealCoins};
use super::error::{OpenError, SealError};
use super::format::{HEADER_BYTES, Layout, TRAILER_BYTES, commitment, sealed_bytes};
use super::reader::Frame;
use super::writer::Sealer;

/// Seals `plaintext`: header, chunks, trailer.
pub fn seal(plaintext: &[u8], key: &ContentKey, coins: SealCoins) -> Result<Vec<u8>, SealError> {
    let bytes = sealed_bytes(size(plaintext))?;
    //= harness/spec/database.md#ddb-1-encrypted-files-durable-store
    //# DDB-1.3 (ours): A sealed file MUST consist of header, data chunks and trailer as drawn under
    //# Sealed file.
    let mut sealed = Vec::with_capacity(usize::try_from(bytes).unwrap_or_default());
    let mut sealer = Sealer::new(key, coins);
    let mut rest = plaintext;
    while let Some(part) = sealer.push(&mut rest)? {
        sealed.extend_from_slice(part);
    }
    sealed.extend_from_slice(&sealer.finish()?);
    Ok(sealed)
}

/// Opens a sealed file; gives the whole plaintext or an error, never a part.
//= harness/spec/database.md#ddb-1-encrypted-files-durable-store
//# DDB-1.7 (ours): Opening MUST NOT hand out any plaintext of a sealed file of which a check fails.
pub fn open(sealed: &[u8], key: &ContentKey) -> Result<Vec<u8>, OpenError> {
    Layout::of_sealed(size(sealed))?;
    let header: &[u8; HEADER_BYTES] = sealed.first_chunk().expect("the layout has a header");
    let trailer: &[u8; TRAILER_BYTES] = sealed.last_chunk().expect("the layout has a trailer");
    let frame = Frame::open(key, size(sealed), header, trailer)?;
    let bytes = usize::try_from(frame.bytes()).expect("no longer than the sealed file");
    let mut plaintext = Zeroizing::new(Vec::with_capacity(bytes));
    for number in 0..frame.layout().chunks() {
        let place = frame.layout().chunk(number);
        let within = |at| usize::try_from(at).expect("within the sealed file");
        let chunk = &sealed[within(place.start)..within(place.end)];
        frame.open_chunk(number, chunk, &mut plaintext)?;
    }
    let mut hasher = commitment(&frame.trailer().salt);
    hasher.update(&plaintext);
    frame.compare(hasher)?;
    Ok(std::mem::take(&mut *plaintext))
}

fn size(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).expect("usize fits in u64")
}
