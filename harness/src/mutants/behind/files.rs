//! Wrong sealed files. [DDB-1] [STO-6]

use chacha20poly1305::aead::{Aead, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use serde_json::{Value, json};

use super::{Wrong, changed, reject, rejection_of, result_of};
use crate::conformance::class::Class;
use crate::conformance::reference::{self, Answer};
use crate::conformance::value::{Field, bytes};
use crate::rules::merkle::sha256;
use crate::rules::sealed::{CHUNK_BYTES, HEADER_BYTES, TRAILER_BYTES, commitment};

const OPENING: &[u8; 7] = b"MFIL\x01\x01\x10";
/// Bytes of the tag behind a chunk.
const TAG_BYTES: usize = 16;

/// Another format, in which the mutant seals and opens alike.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Bug {
    None,
    TrailerUnmarked,
    CounterLittleEndian,
    NonceReused,
    HeaderUnbound,
    ChunksSmaller,
    CommitmentUnsalted,
}

pub(super) const MUTANTS: &[(&str, Wrong)] = &[
    ("file-trailer-unmarked", |op, args| Bug::TrailerUnmarked.answer(op, args)),
    ("file-counter-little-endian", |op, args| Bug::CounterLittleEndian.answer(op, args)),
    ("file-nonce-reused", |op, args| Bug::NonceReused.answer(op, args)),
    ("file-header-unbound", |op, args| Bug::HeaderUnbound.answer(op, args)),
    ("file-chunks-smaller", |op, args| Bug::ChunksSmaller.answer(op, args)),
    ("file-commitment-unsalted", |op, args| Bug::CommitmentUnsalted.answer(op, args)),
    ("file-digest-of-plaintext", |op, args| {
        let plaintext = Field::whole("args", args).get("plaintext").ok()?.bytes().ok()?;
        changed("file.seal", op, args, |result| {
            result["digest"] = bytes(sha256(&[&plaintext]));
        })
    }),
    ("file-empty", |op, args| {
        let field = Field::whole("args", args);
        match op {
            "file.seal" if field.get("plaintext").ok()?.bytes().ok()?.is_empty() => {
                Bug::None.seal(&field)
            }
            "file.open" => {
                rejection_of("file.open", op, args)?;
                Some(opened(Sealed::of(&field)?.open(Bug::None).filter(Vec::is_empty)?))
            }
            _ => None,
        }
    }),
    // Whoever knows a plaintext can turn its bits, and those of the trailer alike.
    ("file-open-unauthenticated", |op, args| {
        rejection_of("file.open", op, args)?;
        let sealed = Sealed::of(&Field::whole("args", args))?;
        let (chunks, trailer) = sealed.chunks(CHUNK_BYTES)?;
        let mut plaintext = Vec::new();
        for (number, chunk) in chunks.iter().enumerate() {
            plaintext.extend(sealed.stream(number, 0, chunk)?);
        }
        let trailer = sealed.stream(chunks.len(), 1, trailer)?;
        let is_sound = !plaintext.is_empty() && is_told(&trailer, &plaintext, Bug::None)?;
        is_sound.then(|| opened(plaintext))
    }),
    ("file-open-any-order", |op, args| {
        rejection_of("file.open", op, args)?;
        let sealed = Sealed::of(&Field::whole("args", args))?;
        let (chunks, trailer) = sealed.chunks(CHUNK_BYTES)?;
        let mut found = Vec::new();
        for place in 0..chunks.len() {
            let mut places = chunks.iter().map(|chunk| sealed.decrypt(Bug::None, place, 0, chunk));
            found.extend(places.find_map(|plaintext| plaintext)?);
        }
        let trailer = sealed.decrypt(Bug::None, chunks.len(), 1, trailer)?;
        is_told(&trailer, &found, Bug::None)?.then(|| opened(found))
    }),
    ("file-open-cut", |op, args| {
        rejection_of("file.open", op, args)?;
        let sealed = Sealed::of(&Field::whole("args", args))?;
        let body = sealed.file.get(HEADER_BYTES..)?;
        let mut plaintext = Vec::new();
        for (number, chunk) in body.chunks(CHUNK_BYTES + TAG_BYTES).enumerate() {
            // The last one may stand before a trailer.
            let alone = chunk.get(..chunk.len().saturating_sub(TRAILER_BYTES))?;
            let found = sealed.decrypt(Bug::None, number, 0, chunk);
            match found.or_else(|| sealed.decrypt(Bug::None, number, 0, alone)) {
                Some(found) => plaintext.extend(found),
                None => break,
            }
        }
        // A whole file that fails is no cut one.
        let is_whole = sealed.chunks(CHUNK_BYTES).is_some_and(|(chunks, trailer)| {
            sealed.decrypt(Bug::None, chunks.len(), 1, trailer).is_some()
        });
        (!plaintext.is_empty() && !is_whole).then(|| opened(plaintext))
    }),
    ("file-open-length-unchecked", |op, args| {
        unchecked(op, args, |trailer, plaintext| {
            let salt = trailer.get(8..24)?.try_into().ok()?;
            Some(trailer.get(24..)? == commitment(salt, plaintext))
        })
    }),
    ("file-open-commitment-unchecked", |op, args| {
        unchecked(op, args, |trailer, plaintext| {
            let length = u64::from_le_bytes(trailer.get(..8)?.try_into().ok()?);
            Some(Ok(length) == plaintext.len().try_into())
        })
    }),
    ("file-open-any-suite", |op, args| {
        let (Class::Bound | Class::Variant, _) = rejection_of("file.open", op, args)? else {
            return None;
        };
        let sealed = Sealed::of(&Field::whole("args", args))?;
        // The header is written again from what is known of it.
        let file = [OPENING, sealed.file.get(OPENING.len()..)?].concat();
        let again = json!({"key": bytes(sealed.key), "file": bytes(file)});
        Some(reference::answer("file.open", &again))
    }),
];

fn opened(plaintext: Vec<u8>) -> Answer {
    Answer::Ok(json!({"plaintext": bytes(plaintext)}))
}

/// Opens a file in whose trailer only this has to fit.
fn unchecked(op: &str, args: &Value, fits: fn(&[u8], &[u8]) -> Option<bool>) -> Option<Answer> {
    rejection_of("file.open", op, args)?;
    let sealed = Sealed::of(&Field::whole("args", args))?;
    let (plaintext, trailer) = sealed.parts(Bug::None)?;
    fits(&trailer, &plaintext)?.then(|| opened(plaintext))
}

/// Whether a trailer tells of this plaintext.
fn is_told(trailer: &[u8], plaintext: &[u8], bug: Bug) -> Option<bool> {
    let length = u64::from_le_bytes(trailer.get(..8)?.try_into().ok()?);
    let salt: &[u8; 16] = trailer.get(8..24)?.try_into().ok()?;
    let is_length = Ok(length) == u64::try_from(plaintext.len());
    Some(is_length && trailer.get(24..)? == bug.commitment(salt, plaintext))
}

impl Bug {
    pub(super) fn answer(self, op: &str, args: &Value) -> Option<Answer> {
        let field = Field::whole("args", args);
        match op {
            "file.seal" => {
                result_of("file.seal", op, args)?;
                self.seal(&field)
            }
            "file.open" => {
                let found = Sealed::of(&field)?.open(self).filter(|found| !found.is_empty());
                Some(found.map_or_else(|| reject(Class::Authentication), opened))
            }
            _ => None,
        }
    }

    fn chunk_bytes(self) -> usize {
        if self == Self::ChunksSmaller { CHUNK_BYTES - 1 } else { CHUNK_BYTES }
    }

    fn commitment(self, salt: &[u8; 16], plaintext: &[u8]) -> [u8; 32] {
        match self {
            Self::CommitmentUnsalted => sha256(&[b"MCOM\x01", plaintext]),
            _ => commitment(salt, plaintext),
        }
    }

    fn nonce(self, header: &[u8], number: usize, mark: u8) -> Option<XNonce> {
        let number = u32::try_from(number).ok()?;
        let (number, mark) = match self {
            Self::NonceReused if mark == 0 => (0, 0),
            Self::TrailerUnmarked => (number, 0),
            _ => (number, mark),
        };
        let number = match self {
            Self::CounterLittleEndian => number.to_le_bytes(),
            _ => number.to_be_bytes(),
        };
        let nonce = [header.get(7..)?, &number, &[mark]].concat();
        Some(<[u8; 24]>::try_from(nonce).ok()?.into())
    }

    fn bound(self, header: &[u8]) -> &[u8] {
        if self == Self::HeaderUnbound { &[] } else { header }
    }

    fn encrypt(
        self,
        (key, header): (&[u8; 32], &[u8]),
        (number, mark): (usize, u8),
        msg: &[u8],
    ) -> Option<Vec<u8>> {
        let payload = Payload { msg, aad: self.bound(header) };
        let nonce = self.nonce(header, number, mark)?;
        XChaCha20Poly1305::new(&(*key).into()).encrypt(&nonce, payload).ok()
    }

    fn seal(self, field: &Field<'_>) -> Option<Answer> {
        let key: [u8; 32] = field.get("key").ok()?.array().ok()?;
        let prefix: [u8; 19] = field.get("nonce").ok()?.array().ok()?;
        let salt: [u8; 16] = field.get("salt").ok()?.array().ok()?;
        let plaintext = field.get("plaintext").ok()?.bytes().ok()?;
        let header = [&OPENING[..], &prefix].concat();
        let (mut file, mut chunks) = (header.clone(), 0);
        for chunk in plaintext.chunks(self.chunk_bytes()) {
            file.extend(self.encrypt((&key, &header), (chunks, 0), chunk)?);
            chunks += 1;
        }
        let length = u64::try_from(plaintext.len()).ok()?.to_le_bytes();
        let commitment = self.commitment(&salt, &plaintext);
        let trailer = [&length[..], &salt, &commitment].concat();
        file.extend(self.encrypt((&key, &header), (chunks, 1), &trailer)?);
        Some(Answer::Ok(json!({"digest": bytes(sha256(&[&file])), "file": bytes(file)})))
    }
}

/// A sealed file and the key that is tried.
struct Sealed {
    key: [u8; 32],
    file: Vec<u8>,
}

impl Sealed {
    fn of(field: &Field<'_>) -> Option<Self> {
        let key = field.get("key").ok()?.array().ok()?;
        Some(Self { key, file: field.get("file").ok()?.bytes().ok()? })
    }

    /// Data chunks, and the trailer behind them.
    fn chunks(&self, chunk_bytes: usize) -> Option<(Vec<&[u8]>, &[u8])> {
        let body = self.file.get(HEADER_BYTES..)?;
        let (chunks, trailer) = body.split_at(body.len().checked_sub(TRAILER_BYTES)?);
        Some((chunks.chunks(chunk_bytes + TAG_BYTES).collect(), trailer))
    }

    fn decrypt(&self, bug: Bug, number: usize, mark: u8, msg: &[u8]) -> Option<Vec<u8>> {
        let header = self.file.get(..HEADER_BYTES)?;
        let payload = Payload { msg, aad: bug.bound(header) };
        let nonce = bug.nonce(header, number, mark)?;
        XChaCha20Poly1305::new(&self.key.into()).decrypt(&nonce, payload).ok()
    }

    /// What the key stream makes of a chunk, whatever its tag.
    fn stream(&self, number: usize, mark: u8, chunk: &[u8]) -> Option<Vec<u8>> {
        let (text, _) = chunk.split_at_checked(chunk.len().checked_sub(TAG_BYTES)?)?;
        let header = self.file.get(..HEADER_BYTES)?;
        let zeros = vec![0; text.len()];
        let stream = Bug::None.encrypt((&self.key, header), (number, mark), &zeros)?;
        Some(text.iter().zip(stream).map(|(one, other)| one ^ other).collect())
    }

    /// Plaintext and trailer, decrypted and not compared.
    fn parts(&self, bug: Bug) -> Option<(Vec<u8>, Vec<u8>)> {
        if !self.file.starts_with(OPENING) {
            return None;
        }
        let (chunks, trailer) = self.chunks(bug.chunk_bytes())?;
        let mut plaintext = Vec::new();
        for (number, chunk) in chunks.iter().enumerate() {
            plaintext.extend(self.decrypt(bug, number, 0, chunk)?);
        }
        Some((plaintext, self.decrypt(bug, chunks.len(), 1, trailer)?))
    }

    fn open(&self, bug: Bug) -> Option<Vec<u8>> {
        let (plaintext, trailer) = self.parts(bug)?;
        is_told(&trailer, &plaintext, bug)?.then_some(plaintext)
    }
}
