//! Taking one file: what its owner does, and what the delegate that accepts it does. [STO-2] [STO-5]
//! [STO-6]
//!
//! Between the two stand bytes: the delegate decodes what the owner encoded and believes nothing
//! else. Small files go inline, since whoever runs `verify` asks for it here; large ones are sealed.

use rand_chacha::rand_core::Rng as _;

use mdsm_core::codec::Wire as _;
use mdsm_core::crypto::seal::{ContentKey, SealCoins};
use mdsm_core::crypto::sha256;
use mdsm_core::crypto::sign::SigningKey;
use mdsm_core::freezing::Accepted;
use mdsm_core::ledger::{
    Content, Envelope, MediaType, Metadata, Placement, Record, ResourceType, place,
};
use mdsm_core::types::{ChainId, Digest, InstitutionId, KeyId, RecordId, Timestamp};

use super::archive::Archive;
use crate::input::{Content as FileContent, Input};
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

        let (metadata, content, key) = self.prepare(index, &file, created)?;
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
            plaintext: sha256(&file.bytes),
            bytes: u64::try_from(file.bytes.len()).expect("usize fits in u64"),
            key,
        };
        Ok((taken, Accepted::new(verified)))
    }

    fn prepare(
        &self,
        index: usize,
        file: &FileContent,
        created: Timestamp,
    ) -> Result<(Metadata, Content, Option<ContentKey>), String> {
        let mut metadata = Metadata::new(
            ResourceType::new(file.resource_type.as_str()).map_err(|error| error.to_string())?,
            MediaType::new(file.media_type.as_str()).map_err(|error| error.to_string())?,
            created,
            u64::try_from(file.bytes.len()).expect("usize fits in u64"),
        );
        let key = ContentKey::new(bytes(self.seed, &format!("verify/key/{index}")));
        let key_id = KeyId::new(bytes(self.seed, &format!("verify/key-id/{index}")));
        let mut coins = SealCoins { nonce_prefix: [0; 19], salt: [0; 16] };
        let mut draw = self.seed.stream(&format!("verify/coins/{index}"));
        draw.fill_bytes(&mut coins.nonce_prefix);
        draw.fill_bytes(&mut coins.salt);
        let placed = place(&file.bytes, Placement::Inline, &key, key_id, coins)
            .map_err(|error| error.to_string())?;
        metadata.encryption = placed.encryption;
        match placed.sealed {
            Some(sealed) => {
                self.archive.put_object(&sealed)?;
                Ok((metadata, placed.content, Some(key)))
            }
            None => Ok((metadata, placed.content, None)),
        }
    }
}

fn bytes(seed: Seed, label: &str) -> [u8; 32] {
    let mut bytes = [0; 32];
    seed.stream(label).fill_bytes(&mut bytes);
    bytes
}
