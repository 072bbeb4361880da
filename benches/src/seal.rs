//! Sealed files: at once, as streams, and 1 MiB out of the middle of a larger one. [STO-6] [DDB-1]

use std::io::{self, Cursor};

use mdsm_core::crypto::seal::{
    Checked, ContentKey, Frame, OpenError, RangeError, SealCoins, SealError, Sealed, StreamError,
    open, open_range, open_stream, read_frame, seal, seal_stream,
};

/// Plaintext bytes.
pub const BYTES: usize = 1 << 20;
/// Plaintext bytes of the file of which a range is read.
pub const RANGED_BYTES: usize = 16 << 20;

/// Everything that a sealing takes.
#[derive(Clone, Debug)]
pub struct Sealing {
    plaintext: Vec<u8>,
    key: ContentKey,
    coins: SealCoins,
}

/// A file of `bytes` bytes, its key and its coins.
#[must_use]
pub fn sealing(bytes: usize) -> Sealing {
    let plaintext = (0..=u8::MAX).cycle().take(bytes).collect();
    let coins = SealCoins { nonce_prefix: [2; 19], salt: [3; 16] };
    Sealing { plaintext, key: ContentKey::new([1; 32]), coins }
}

/// The work: seal it.
///
/// # Errors
/// When the file is empty.
pub fn seal_file(sealing: &Sealing) -> Result<Vec<u8>, SealError> {
    seal(&sealing.plaintext, &sealing.key, sealing.coins)
}

/// The work: open what was sealed with the same key.
///
/// # Errors
/// When the bytes are not what was sealed.
pub fn open_file(sealing: &Sealing, sealed: &[u8]) -> Result<Vec<u8>, OpenError> {
    open(sealed, &sealing.key)
}

/// A sealing and what it yields.
///
/// # Panics
/// When `bytes` is 0.
#[must_use]
pub fn sealed(bytes: usize) -> (Sealing, Vec<u8>) {
    let sealing = sealing(bytes);
    let sealed = seal_file(&sealing).expect("the file is not empty");
    (sealing, sealed)
}

/// The work: seal it as a stream, chunk by chunk, and hash what comes out; nothing is kept.
///
/// # Errors
/// When the file is empty.
pub fn seal_as_stream(sealing: &Sealing) -> Result<Sealed, StreamError<SealError>> {
    seal_stream(&sealing.plaintext[..], io::sink(), &sealing.key, sealing.coins)
}

/// The work: check what was sealed with the same key, then release it; nothing is kept.
///
/// # Errors
/// When the bytes are not what was sealed.
pub fn open_as_stream(sealing: &Sealing, sealed: &[u8]) -> Result<Checked, StreamError<OpenError>> {
    open_stream(&mut Cursor::new(sealed), io::sink(), &sealing.key)
}

/// A file with its frame, of which ranges are read.
#[derive(Debug)]
pub struct Ranged {
    frame: Frame,
    sealed: Vec<u8>,
}

/// A file of `bytes` bytes, whose header and trailer were checked.
///
/// # Panics
/// When `bytes` is 0.
#[must_use]
pub fn ranged(bytes: usize) -> Ranged {
    let (sealing, sealed) = sealed(bytes);
    let frame = read_frame(&mut Cursor::new(&sealed), &sealing.key);
    Ranged { frame: frame.expect("it was sealed with this key"), sealed }
}

/// The work: read [`BYTES`] bytes out of the middle; no chunk begins where they begin.
///
/// # Errors
/// When the bytes are not what was sealed.
pub fn read_range(ranged: &Ranged) -> Result<Vec<u8>, StreamError<RangeError>> {
    let start = ranged.frame.bytes() / 2 + 1_000;
    let range = start..start + u64::try_from(BYTES).unwrap_or(u64::MAX);
    open_range(&ranged.frame, &mut Cursor::new(&ranged.sealed), range)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workloads_do_their_work() {
        let (sealing, mut sealed) = sealed(100_000);
        assert_eq!(open_file(&sealing, &sealed), Ok(sealing.plaintext.clone()));
        sealed[50_000] ^= 1;
        assert!(open_file(&sealing, &sealed).is_err());
        assert!(open_as_stream(&sealing, &sealed).is_err());
    }

    #[test]
    fn streams_and_ranges_do_the_work_of_the_whole() {
        let (sealing, sealed) = sealed(200_000);
        let streamed = seal_as_stream(&sealing).unwrap();
        assert_eq!(streamed.digest, mdsm_core::crypto::sha256(&sealed));
        assert_eq!(open_as_stream(&sealing, &sealed).unwrap().bytes(), 200_000);
        let ranged = ranged(3 * BYTES);
        let start = 3 * BYTES / 2 + 1_000;
        let plaintext = super::sealing(3 * BYTES).plaintext;
        assert_eq!(read_range(&ranged).unwrap(), plaintext[start..start + BYTES]);
        const { assert!(RANGED_BYTES / 2 + 1_000 + BYTES <= RANGED_BYTES, "the range ends within") };
    }
}
