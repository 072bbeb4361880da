//! One file's cipher: each chunk bound to the header, to its place, and to being a chunk or the
//! trailer.

use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{Key, Tag, XChaCha20Poly1305, XNonce};
use zeroize::{Zeroize as _, Zeroizing};

use super::format::{FIXED_BYTES, HEADER_BYTES, NONCE_PREFIX_BYTES, SALT_BYTES, TAG_BYTES};

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

/// What is sealed: a data chunk by its number, or the trailer behind so many of them.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    Chunk(u32),
    Trailer(u32),
}

/// The cipher with the header bound to every chunk. The key is wiped on drop.
pub(super) struct Cipher {
    aead: XChaCha20Poly1305,
    header: [u8; HEADER_BYTES],
}

impl Cipher {
    pub(super) fn new(key: &ContentKey, header: [u8; HEADER_BYTES]) -> Self {
        Self { aead: XChaCha20Poly1305::new(&Key::from(*key.0)), header }
    }

    fn nonce(&self, place: Place) -> XNonce {
        let (counter, last) = match place {
            Place::Chunk(number) => (number, 0),
            Place::Trailer(chunks) => (chunks, 1),
        };
        let mut nonce = [0; 24];
        nonce[..NONCE_PREFIX_BYTES].copy_from_slice(&self.header[FIXED_BYTES..]);
        nonce[NONCE_PREFIX_BYTES..23].copy_from_slice(&counter.to_be_bytes());
        nonce[23] = last;
        XNonce::from(nonce)
    }

    /// Seals `buffer` from byte `from` on, where it stands, and appends the tag.
    pub(super) fn seal(&self, place: Place, buffer: &mut Vec<u8>, from: usize) {
        let message = &mut buffer[from..];
        let tag = self
            .aead
            .encrypt_inout_detached(&self.nonce(place), &self.header, message.into())
            .expect("a chunk is far below the cipher's limit of 2^38 bytes");
        buffer.extend_from_slice(&tag);
    }

    /// Appends what was sealed to `plain`, or leaves `plain` as it is when it is not authentic.
    #[must_use]
    pub(super) fn open(&self, place: Place, sealed: &[u8], plain: &mut Vec<u8>) -> bool {
        //= harness/spec/database.md#ddb-1-encrypted-files-durable-store
        //# DDB-1.5 (ours): Opening MUST refuse a sealed file in which a header byte or a chunk has
        //# been changed, removed, repeated, moved, or taken from another file.
        let Some((message, tag)) = sealed.split_last_chunk::<TAG_BYTES>() else { return false };
        let from = plain.len();
        plain.extend_from_slice(message);
        let buffer = &mut plain[from..];
        let (nonce, tag) = (self.nonce(place), Tag::from(*tag));
        let opened = self.aead.decrypt_inout_detached(&nonce, &self.header, buffer.into(), &tag);
        if opened.is_err() {
            plain[from..].zeroize();
            plain.truncate(from);
        }
        opened.is_ok()
    }
}
