//! Sealed files: chunks of XChaCha20-Poly1305 that cannot be reordered, dropped, repeated or cut
//! short without notice. [STO-6] [DDB-1]
//!
//! Format, with byte drawings: spec, database, "Sealed file". Construction: STREAM (Hoang,
//! Reyhanitabar, Rogaway and Vizar, "Online Authenticated-Encryption and its Nonce-Reuse
//! Misuse-Resistance", 2015): nonce = prefix | counter | last. The trailer carries the plaintext's
//! length and a salted commitment to it, so that a file can later be shown to be the one that was
//! sealed, while its digest cannot be guessed from outside.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use thiserror::Error;
use zeroize::Zeroizing;

use super::hash::sha256_parts;
use crate::codec::{PREFIX_BYTES, prefix};
use crate::params::{FILE_BYTES_MAX, SEALED_CHUNK_LOG2};
use crate::types::Digest;

/// Tag of a sealed file.
pub const SEALED_TAG: [u8; 4] = *b"MFIL";
/// Suite 1: XChaCha20-Poly1305 in chunks.
pub const SUITE_XCHACHA20_POLY1305: u8 = 1;
/// Bytes before the first chunk: tag, version, suite, chunk size, nonce prefix.
pub const HEADER_BYTES: usize = PREFIX_BYTES + 2 + NONCE_PREFIX_BYTES;

const NONCE_PREFIX_BYTES: usize = 19;
const CHUNK_BYTES: usize = 1 << SEALED_CHUNK_LOG2;
const TAG_BYTES: usize = 16;
const SALT_BYTES: usize = 16;
const TRAILER_BYTES: usize = 8 + SALT_BYTES + Digest::BYTES;
/// Bytes of the longest sealed file.
const SEALED_BYTES_MAX: usize = sealed_bytes(FILE_BYTES_MAX);

/// Bytes of a sealed file whose plaintext has so many.
#[must_use]
pub const fn sealed_bytes(plaintext_bytes: usize) -> usize {
    let chunks = plaintext_bytes.div_ceil(CHUNK_BYTES);
    HEADER_BYTES + plaintext_bytes + chunks * TAG_BYTES + TRAILER_BYTES + TAG_BYTES
}

/// The key of one file, wiped on drop, never printed. One key seals one file.
#[derive(Clone)]
pub struct ContentKey(Zeroizing<[u8; 32]>);

impl ContentKey {
    /// Wraps 32 uniformly random bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }
}

impl std::fmt::Debug for ContentKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ContentKey(..)")
    }
}

/// Randomness of one sealing; must be fresh for each.
#[derive(Clone, Copy, Debug)]
pub struct SealCoins {
    /// Start of every nonce.
    pub nonce_prefix: [u8; NONCE_PREFIX_BYTES],
    /// Salt of the commitment to the plaintext.
    pub salt: [u8; SALT_BYTES],
}

/// A file that cannot be sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SealError {
    /// Nothing to seal.
    #[error("the file is empty, at least 1 byte is needed")]
    Empty,
    /// Above the limit.
    #[error("the file has {bytes} bytes, at most {bytes_max} are taken")]
    TooLarge {
        /// Bytes of the file.
        bytes: usize,
        /// Limit.
        bytes_max: usize,
    },
}

/// A sealed file that does not open. Names the byte at which the offending part starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum OpenError {
    /// Not a sealed file of a known version and suite.
    #[error("byte {offset}: not the header of a sealed file of a known version and suite")]
    Header {
        /// First byte that differs.
        offset: usize,
    },
    /// Ends within the header or the trailer.
    #[error("{bytes} bytes are too few for a sealed file, it has at least {bytes_min}")]
    Truncated {
        /// Bytes found.
        bytes: usize,
        /// Fewest possible.
        bytes_min: usize,
    },
    /// Longer than any file may be.
    #[error("{bytes} bytes are too many for a sealed file, it has at most {bytes_max}")]
    TooLarge {
        /// Bytes found.
        bytes: usize,
        /// Most possible.
        bytes_max: usize,
    },
    /// A chunk is not what was sealed with this key at this place.
    #[error("chunk {chunk} at byte {offset}: wrong key, or not what was sealed there")]
    Chunk {
        /// Number of the chunk, from 0.
        chunk: usize,
        /// Where it starts.
        offset: usize,
    },
    /// Length or commitment in the trailer contradict the content.
    #[error("the trailer does not belong to this content")]
    Commitment,
}

/// Says whether a plaintext of so many bytes can be sealed, before it is read.
pub fn check_bytes(bytes: usize) -> Result<(), SealError> {
    //= harness/spec/storage.md#sto-6-content-outside-the-record
    //# STO-6.5 (ours): The plaintext of a sealed file MUST hold at least 1 byte and at most
    //# 268,435,456 bytes.
    match bytes {
        0 => Err(SealError::Empty),
        1..=FILE_BYTES_MAX => Ok(()),
        _ => Err(SealError::TooLarge { bytes, bytes_max: FILE_BYTES_MAX }),
    }
}

/// Seals `plaintext`: header, chunks, trailer.
pub fn seal(plaintext: &[u8], key: &ContentKey, coins: SealCoins) -> Result<Vec<u8>, SealError> {
    let bytes = plaintext.len();
    check_bytes(bytes)?;
    //= harness/spec/database.md#ddb-1-encrypted-files-durable-store
    //# DDB-1.3 (ours): A sealed file MUST consist of header, data chunks and trailer as drawn under
    //# Sealed file.
    let mut sealed = header(&coins.nonce_prefix).to_vec();
    let cipher = Cipher::new(key, &sealed[..HEADER_BYTES]);
    sealed.reserve_exact(sealed_bytes(bytes) - HEADER_BYTES);
    let mut chunks = 0;
    //= harness/spec/database.md#ddb-1-encrypted-files-durable-store
    //# DDB-1.1 (paper): A file outside the chain MUST be stored encrypted.
    //= harness/spec/database.md#ddb-1-encrypted-files-durable-store
    //# DDB-1.4 (ours): Every data chunk MUST hold 65,536 bytes of plaintext, except the last one,
    //# which holds the 1 to 65,536 bytes that remain.
    for chunk in plaintext.chunks(CHUNK_BYTES) {
        sealed.extend_from_slice(&cipher.seal(chunks, false, chunk));
        chunks += 1;
    }
    let trailer = Zeroizing::new(trailer(plaintext, &coins.salt));
    sealed.extend_from_slice(&cipher.seal(chunks, true, trailer.as_slice()));
    Ok(sealed)
}

/// Opens a sealed file; gives the whole plaintext or an error, never a part.
//= harness/spec/database.md#ddb-1-encrypted-files-durable-store
//# DDB-1.7 (ours): Opening MUST NOT hand out any plaintext of a sealed file of which a check fails.
pub fn open(sealed: &[u8], key: &ContentKey) -> Result<Vec<u8>, OpenError> {
    let (bytes, bytes_min, bytes_max) = (sealed.len(), sealed_bytes(1), SEALED_BYTES_MAX);
    if bytes < bytes_min {
        return Err(OpenError::Truncated { bytes, bytes_min });
    }
    //= harness/spec/storage.md#sto-6-content-outside-the-record
    //# STO-6.5 (ours): The plaintext of a sealed file MUST hold at least 1 byte and at most
    //# 268,435,456 bytes.
    if bytes > bytes_max {
        return Err(OpenError::TooLarge { bytes, bytes_max });
    }
    let (head, _) = sealed.split_at(HEADER_BYTES);
    let fixed = HEADER_BYTES - NONCE_PREFIX_BYTES;
    let expected = header(&[0; NONCE_PREFIX_BYTES]);
    if let Some(offset) = (0..fixed).find(|&at| head[at] != expected[at]) {
        return Err(OpenError::Header { offset });
    }
    let cipher = Cipher::new(key, head);
    let body_end = sealed.len() - TRAILER_BYTES - TAG_BYTES;
    let mut plaintext = Vec::with_capacity(body_end - HEADER_BYTES);
    let mut offset = HEADER_BYTES;
    let mut chunk = 0;
    while offset < body_end {
        let end = body_end.min(offset + CHUNK_BYTES + TAG_BYTES);
        //= harness/spec/database.md#ddb-1-encrypted-files-durable-store
        //# DDB-1.4 (ours): Every data chunk MUST hold 65,536 bytes of plaintext, except the last
        //# one, which holds the 1 to 65,536 bytes that remain.
        // An empty chunk at the end would give one plaintext a second sealed form.
        let opened = cipher.open(chunk, false, &sealed[offset..end]);
        let opened = opened.filter(|chunk| !chunk.is_empty());
        plaintext.extend_from_slice(&opened.ok_or(OpenError::Chunk { chunk, offset })?);
        offset = end;
        chunk += 1;
    }
    let opened = cipher.open(chunk, true, &sealed[body_end..]);
    let found = opened.ok_or(OpenError::Chunk { chunk, offset })?;
    let salt = found[8..8 + SALT_BYTES].try_into().expect("the trailer has its fixed length");
    //= harness/spec/database.md#ddb-1-encrypted-files-durable-store
    //# DDB-1.6 (ours): Opening MUST refuse a sealed file whose trailer states another length or
    //# another commitment than its plaintext has.
    if found.as_slice() == trailer(&plaintext, &salt) {
        Ok(plaintext)
    } else {
        Err(OpenError::Commitment)
    }
}

fn header(nonce_prefix: &[u8; NONCE_PREFIX_BYTES]) -> [u8; HEADER_BYTES] {
    let mut header = [0; HEADER_BYTES];
    header[..PREFIX_BYTES].copy_from_slice(&prefix(SEALED_TAG));
    header[PREFIX_BYTES] = SUITE_XCHACHA20_POLY1305;
    header[PREFIX_BYTES + 1] = SEALED_CHUNK_LOG2;
    header[PREFIX_BYTES + 2..].copy_from_slice(nonce_prefix);
    header
}

fn trailer(plaintext: &[u8], salt: &[u8; SALT_BYTES]) -> [u8; TRAILER_BYTES] {
    let commitment = sha256_parts(&[&prefix(*b"MCOM"), salt, plaintext]);
    let length = u64::try_from(plaintext.len()).expect("usize fits in u64");
    let mut trailer = [0; TRAILER_BYTES];
    trailer[..8].copy_from_slice(&length.to_le_bytes());
    trailer[8..8 + SALT_BYTES].copy_from_slice(salt);
    trailer[8 + SALT_BYTES..].copy_from_slice(commitment.as_bytes());
    trailer
}

/// The cipher with the header bound to every chunk.
struct Cipher {
    aead: XChaCha20Poly1305,
    header: [u8; HEADER_BYTES],
}

impl Cipher {
    fn new(key: &ContentKey, header: &[u8]) -> Self {
        let aead = XChaCha20Poly1305::new(&Key::from(*key.0));
        let header = header.try_into().expect("callers pass the whole header");
        Self { aead, header }
    }

    fn nonce(&self, chunk: usize, last: bool) -> XNonce {
        let counter = u32::try_from(chunk).expect("FILE_BYTES_MAX keeps chunks below 2^32");
        let mut nonce = [0; 24];
        nonce[..NONCE_PREFIX_BYTES].copy_from_slice(&self.header[PREFIX_BYTES + 2..]);
        nonce[NONCE_PREFIX_BYTES..23].copy_from_slice(&counter.to_be_bytes());
        nonce[23] = u8::from(last);
        XNonce::from(nonce)
    }

    fn seal(&self, chunk: usize, last: bool, msg: &[u8]) -> Vec<u8> {
        self.aead
            .encrypt(&self.nonce(chunk, last), Payload { msg, aad: &self.header })
            .expect("a chunk is far below the cipher's limit of 2^38 bytes")
    }

    fn open(&self, chunk: usize, last: bool, msg: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        //= harness/spec/database.md#ddb-1-encrypted-files-durable-store
        //# DDB-1.5 (ours): Opening MUST refuse a sealed file in which a header byte or a chunk has
        //# been changed, removed, repeated, moved, or taken from another file.
        let payload = Payload { msg, aad: &self.header };
        self.aead.decrypt(&self.nonce(chunk, last), payload).ok().map(Zeroizing::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COINS: SealCoins = SealCoins { nonce_prefix: [3; 19], salt: [4; 16] };

    fn key() -> ContentKey {
        ContentKey::new([9; 32])
    }

    #[test]
    fn what_was_sealed_opens_at_every_boundary() {
        for bytes in [1, 2, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES] {
            let plaintext: Vec<u8> = (0..251).cycle().take(bytes).collect();
            let sealed = seal(&plaintext, &key(), COINS).unwrap();
            assert_eq!(open(&sealed, &key()), Ok(plaintext), "{bytes} bytes");
        }
        assert_eq!(seal(&[], &key(), COINS), Err(SealError::Empty));
    }

    #[test]
    fn ddb_1_any_changed_byte_and_any_cut_is_refused() {
        let sealed = seal(&[5; 300], &key(), COINS).unwrap();
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 0x40;
            assert!(open(&changed, &key()).is_err(), "byte {at}");
            assert!(open(&sealed[..at], &key()).is_err(), "cut at {at}");
        }
        let wrong = ContentKey::new([8; 32]);
        assert_eq!(open(&sealed, &wrong), Err(OpenError::Chunk { chunk: 0, offset: HEADER_BYTES }));
    }

    #[test]
    fn ddb_1_chunks_cannot_be_swapped_dropped_or_repeated() {
        let plaintext: Vec<u8> = (0..251).cycle().take(3 * CHUNK_BYTES).collect();
        let sealed = seal(&plaintext, &key(), COINS).unwrap();
        let (head, body) = sealed.split_at(HEADER_BYTES);
        let (body, tail) = body.split_at(3 * (CHUNK_BYTES + TAG_BYTES));
        let chunks: Vec<&[u8]> = body.chunks(CHUNK_BYTES + TAG_BYTES).collect();
        for order in [&[1, 0, 2][..], &[0, 1], &[0, 2], &[0, 1, 2, 2], &[0, 1, 1]] {
            let mut forged = head.to_vec();
            for &chunk in order {
                forged.extend_from_slice(chunks[chunk]);
            }
            forged.extend_from_slice(tail);
            assert!(matches!(open(&forged, &key()), Err(OpenError::Chunk { .. })), "{order:?}");
        }
    }

    #[test]
    fn an_empty_chunk_by_the_holder_of_the_key_is_refused() {
        //= harness/spec/database.md#ddb-1-encrypted-files-durable-store
        //= type=test
        //# DDB-1.4 (ours): Every data chunk MUST hold 65,536 bytes of plaintext, except the last one,
        //# which holds the 1 to 65,536 bytes that remain.
        let mut sealed = header(&COINS.nonce_prefix).to_vec();
        let cipher = Cipher::new(&key(), &sealed[..HEADER_BYTES]);
        let plaintext = [1; CHUNK_BYTES];
        sealed.extend_from_slice(&cipher.seal(0, false, &plaintext));
        let offset = sealed.len();
        sealed.extend_from_slice(&cipher.seal(1, false, &[]));
        sealed.extend_from_slice(&cipher.seal(2, true, &trailer(&plaintext, &COINS.salt)));
        assert_eq!(open(&sealed, &key()), Err(OpenError::Chunk { chunk: 1, offset }));
    }

    #[test]
    fn a_forged_commitment_by_the_holder_of_the_key_is_refused() {
        let mut sealed = header(&COINS.nonce_prefix).to_vec();
        let cipher = Cipher::new(&key(), &sealed[..HEADER_BYTES]);
        sealed.extend_from_slice(&cipher.seal(0, false, b"one"));
        let other = trailer(b"two", &COINS.salt);
        sealed.extend_from_slice(&cipher.seal(1, true, &other));
        assert_eq!(open(&sealed, &key()), Err(OpenError::Commitment));
    }
}
