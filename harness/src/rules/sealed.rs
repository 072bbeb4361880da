//! The sealed file, put together and taken apart as it is drawn. [DDB-1] [STO-6]

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};

use super::merkle::sha256;
use super::mirror::Bytes32;

/// Bytes of the header.
pub const HEADER_BYTES: usize = 26;
/// Bytes of plaintext in every chunk but the last.
pub const CHUNK_BYTES: usize = 65_536;
/// Bytes of the trailer with its tag.
pub const TRAILER_BYTES: usize = 72;

/// What goes into a sealed file; the drawing leaves no other freedom. Parts that contradict each
/// other make a file that must not open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parts {
    /// Start of every nonce.
    pub nonce_prefix: [u8; 19],
    /// Plaintext of each data chunk.
    pub chunks: Vec<Vec<u8>>,
    /// Length that the trailer states.
    pub length: u64,
    /// Salt of the commitment.
    pub salt: [u8; 16],
    /// Commitment that the trailer states.
    pub commitment: Bytes32,
}

impl Parts {
    /// The parts of a plaintext.
    #[must_use]
    pub fn of(plaintext: &[u8], nonce_prefix: [u8; 19], salt: [u8; 16]) -> Self {
        Self {
            nonce_prefix,
            chunks: plaintext.chunks(CHUNK_BYTES).map(<[u8]>::to_vec).collect(),
            length: u64::try_from(plaintext.len()).expect("usize fits in u64"),
            salt,
            commitment: commitment(&salt, plaintext),
        }
    }

    /// The file.
    #[must_use]
    pub fn seal(&self, key: &Bytes32) -> Vec<u8> {
        let mut file = [b"MFIL\x01\x01\x10", &self.nonce_prefix[..]].concat();
        let header = file.clone();
        for (number, chunk) in self.chunks.iter().enumerate() {
            file.extend(encrypt(key, &header, number, 0, chunk));
        }
        let trailer = [&self.length.to_le_bytes()[..], &self.salt, &self.commitment].concat();
        file.extend(encrypt(key, &header, self.chunks.len(), 1, &trailer));
        file
    }
}

/// The plaintext, or nothing.
#[must_use]
pub fn open(file: &[u8], key: &Bytes32) -> Option<Vec<u8>> {
    let (header, rest) = file.split_at_checked(HEADER_BYTES)?;
    if !header.starts_with(b"MFIL\x01\x01\x10") {
        return None;
    }
    let (body, trailer) = rest.split_at_checked(rest.len().checked_sub(TRAILER_BYTES)?)?;
    let mut plaintext = Vec::new();
    let mut chunks = 0;
    for chunk in body.chunks(CHUNK_BYTES + 16) {
        let opened = decrypt(key, header, chunks, 0, chunk)?;
        if opened.is_empty() {
            return None;
        }
        plaintext.extend_from_slice(&opened);
        chunks += 1;
    }
    let trailer = decrypt(key, header, chunks, 1, trailer)?;
    let (length, rest) = trailer.split_first_chunk::<8>()?;
    let (salt, stated) = rest.split_first_chunk::<16>()?;
    let sound = !plaintext.is_empty()
        && u64::try_from(plaintext.len()).is_ok_and(|bytes| bytes <= 281_474_976_645_120)
        && Ok(plaintext.len()) == usize::try_from(u64::from_le_bytes(*length))
        && stated == commitment(salt, &plaintext);
    sound.then_some(plaintext)
}

/// The bytes of the plaintext from `start` to before `end`, or nothing. Only the chunks that hold
/// some of them are opened.
#[must_use]
pub fn open_range(file: &[u8], key: &Bytes32, start: u64, end: u64) -> Option<Vec<u8>> {
    let (header, rest) = file.split_at_checked(HEADER_BYTES)?;
    if !header.starts_with(b"MFIL\x01\x01\x10") {
        return None;
    }
    let (body, trailer) = rest.split_at_checked(rest.len().checked_sub(TRAILER_BYTES)?)?;
    let chunks: Vec<&[u8]> = body.chunks(CHUNK_BYTES + 16).collect();
    // Where the plaintext of each chunk starts and ends.
    let mut places = Vec::new();
    let mut length = 0;
    for chunk in &chunks {
        let bytes = u64::try_from(chunk.len()).ok()?.checked_sub(16)?;
        if bytes == 0 {
            return None;
        }
        places.push((length, length + bytes));
        length += bytes;
    }
    let trailer = decrypt(key, header, chunks.len(), 1, trailer)?;
    let stated = u64::from_le_bytes(*trailer.first_chunk::<8>()?);
    if length == 0 || length != stated || start > end || end > length {
        return None;
    }
    let mut found = Vec::new();
    for (number, (first, last)) in places.into_iter().enumerate() {
        if start < end && first < end && start < last {
            let plaintext = decrypt(key, header, number, 0, chunks[number])?;
            let places = (first..last).zip(plaintext);
            found.extend(places.filter(|(at, _)| (start..end).contains(at)).map(|(_, byte)| byte));
        }
    }
    Some(found)
}

/// The salted commitment to a plaintext.
#[must_use]
pub fn commitment(salt: &[u8; 16], plaintext: &[u8]) -> Bytes32 {
    sha256(&[b"MCOM\x01", salt, plaintext])
}

fn nonce(header: &[u8], number: usize, last: u8) -> XNonce {
    let number = u32::try_from(number).expect("a file has fewer than 2^32 chunks");
    let nonce = [&header[7..], &number.to_be_bytes(), &[last]].concat();
    let nonce: [u8; 24] = nonce.try_into().expect("19 + 4 + 1 bytes are 24");
    nonce.into()
}

fn encrypt(key: &Bytes32, header: &[u8], number: usize, last: u8, msg: &[u8]) -> Vec<u8> {
    XChaCha20Poly1305::new(&(*key).into())
        .encrypt(&nonce(header, number, last), Payload { msg, aad: header })
        .expect("a chunk is far below the cipher's limit")
}

fn decrypt(key: &Bytes32, header: &[u8], number: usize, last: u8, msg: &[u8]) -> Option<Vec<u8>> {
    XChaCha20Poly1305::new(&(*key).into())
        .decrypt(&nonce(header, number, last), Payload { msg, aad: header })
        .ok()
}
