//! Taking one file: what its owner does, and what the delegate that accepts it does. [STO-2] [STO-5]
//! [STO-6]
//!
//! Between the two stand bytes: the delegate decodes what the owner encoded and believes nothing
//! else. Small files go inline, since whoever runs `verify` asks for it here; larger ones are sealed.
//!
//! Memory: a file that is not read whole is sealed as a stream, one such file at a time. The sealed
//! file itself is held, because the store of this run takes it as one row (and copies it); hence the
//! bound `input::FILE_BYTES_MAX`, and `jobs` threads hold the small files of `jobs` and one large.

use std::io;
use std::sync::Mutex;

use rand_chacha::rand_core::Rng as _;

use mdsm_core::codec::Wire as _;
use mdsm_core::crypto::seal::{ContentKey, SealCoins, seal_stream, sealed_bytes};
use mdsm_core::crypto::sign::SigningKey;
use mdsm_core::crypto::{Hasher, sha256};
use mdsm_core::freezing::Accepted;
use mdsm_core::ledger::{
    Content, Envelope, MediaType, Metadata, Placed, Placement, Record, ResourceType, place,
};
use mdsm_core::types::{ChainId, Digest, InstitutionId, KeyId, RecordId, Timestamp};

use super::archive::Archive;
use super::cases::text;
use crate::input::{Body, Content as FileContent, Input};
use crate::seed::{Draw as _, Seed};

/// Owners among whom the files are shared out.
pub(super) const OWNERS: usize = 16;
/// Delegates that accept records.
pub(super) const DELEGATES: u32 = 4;

/// What the owners know, and what the network is called.
pub(super) struct Intake<'a> {
    pub(super) seed: Seed,
    pub(super) chain_id: ChainId,
    pub(super) owners: Vec<SigningKey>,
    pub(super) created: Timestamp,
    pub(super) archive: &'a Archive,
    /// Held by whoever takes a file that is not read whole.
    pub(super) one_large: Mutex<()>,
}

/// A file as its owner puts it into a record.
struct Prepared {
    metadata: Metadata,
    content: Content,
    key: Option<ContentKey>,
    /// SHA-256 of the plaintext.
    plaintext: Digest,
}

/// A file whose record was accepted, as its owner remembers it.
#[derive(Debug)]
pub(super) struct Taken {
    /// Index of the input.
    pub(super) input: usize,
    /// Name of the input.
    pub(super) name: String,
    /// Index of the owner.
    pub(super) owner: usize,
    /// The record.
    pub(super) record_id: RecordId,
    /// SHA-256 of the plaintext.
    pub(super) plaintext: Digest,
    /// Bytes of the plaintext.
    pub(super) bytes: u64,
    /// The key, if the file was sealed.
    pub(super) key: Option<ContentKey>,
}

/// The keys of the owners.
pub(super) fn owners(seed: Seed) -> Vec<SigningKey> {
    (0..OWNERS)
        .map(|owner| SigningKey::from_seed(&bytes(seed, &format!("verify/owner/{owner}"))))
        .collect()
}

impl Intake<'_> {
    /// Takes input `index`: the record is durable when this returns.
    pub(super) fn take(&self, index: usize, input: &Input) -> Result<(Taken, Accepted), String> {
        let file = input.read()?;
        let mut draw = self.seed.stream(&format!("verify/file/{index}"));
        let owner = index % OWNERS;
        let delegate = InstitutionId::new(draw.between(1, DELEGATES));
        // Made on the day before.
        let created = Timestamp::new(self.created.get() - i64::from(draw.below(86_400_000)));

        let Prepared { metadata, content, key, plaintext } = self.prepare(index, file, created)?;
        let bytes = metadata.size;
        let record = Record::new(self.owners[owner].owner(), metadata, content)
            .map_err(|error| error.to_string())?;
        let sent = Envelope::sign(record, &self.chain_id, &self.owners[owner], delegate).to_bytes();

        let received = Envelope::from_bytes(&sent).map_err(|error| error.to_string())?;
        let verified = received.verify(&self.chain_id).map_err(|error| error.to_string())?;
        self.archive.accept(&verified)?;
        let taken = Taken {
            input: index,
            name: input.name.clone(),
            owner,
            record_id: *verified.record_id(),
            plaintext,
            bytes,
            key,
        };
        Ok((taken, Accepted::new(verified)))
    }

    fn prepare(
        &self,
        index: usize,
        file: FileContent,
        created: Timestamp,
    ) -> Result<Prepared, String> {
        let key = ContentKey::new(bytes(self.seed, &format!("verify/key/{index}")));
        let key_id = KeyId::new(bytes(self.seed, &format!("verify/key-id/{index}")));
        let mut coins = SealCoins { nonce_prefix: [0; 19], salt: [0; 16] };
        let mut draw = self.seed.stream(&format!("verify/coins/{index}"));
        draw.fill_bytes(&mut coins.nonce_prefix);
        draw.fill_bytes(&mut coins.salt);
        let (placed, plaintext, size) = match file.body {
            Body::Whole(plain) => {
                let placed = place(&plain, Placement::Inline, &key, key_id, coins).map_err(text)?;
                if let Some(sealed) = &placed.sealed {
                    self.archive.put_object(sealed)?;
                }
                let size = u64::try_from(plain.len()).expect("usize fits in u64");
                (placed, sha256(&plain), size)
            }
            Body::Stream(stream) => {
                let _turn = self.one_large.lock().map_err(text)?;
                let size = stream.bytes();
                let mut sealed = Vec::new();
                let bytes = usize::try_from(sealed_bytes(size).map_err(text)?).map_err(text)?;
                sealed.try_reserve_exact(bytes).map_err(text)?;
                let plaintext = stream.read(|source| {
                    let mut source = Hashing { source, digest: Hasher::new() };
                    seal_stream(&mut source, &mut sealed, &key, coins).map_err(text)?;
                    Ok(source.digest.finish())
                })?;
                (Placed::stored(self.archive.put_object(&sealed)?, key_id), plaintext, size)
            }
        };
        let mut metadata = Metadata::new(
            ResourceType::new(file.resource_type.as_str()).map_err(text)?,
            MediaType::new(file.media_type.as_str()).map_err(text)?,
            created,
            size,
        );
        metadata.encryption = placed.encryption;
        let key = metadata.encryption.is_some().then_some(key);
        Ok(Prepared { metadata, content: placed.content, key, plaintext })
    }
}

/// A source that hashes what is read from it.
struct Hashing<'a> {
    source: &'a mut dyn io::Read,
    digest: Hasher,
}

impl io::Read for Hashing<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.source.read(buffer)?;
        self.digest.update(&buffer[..bytes]);
        Ok(bytes)
    }
}

fn bytes(seed: Seed, label: &str) -> [u8; 32] {
    let mut bytes = [0; 32];
    seed.stream(label).fill_bytes(&mut bytes);
    bytes
}
