//! The envelope around a record, and the booking that an Item commits to. [STO-2] [COM-3] [CON-2]

use std::sync::Arc;

use thiserror::Error;

use super::metadata::Metadata;
use super::record::{Content, ContentRef, Record, names_encryption, record_id};
use crate::codec::{Decode, DecodeError, Encode, PREFIX_BYTES, Reader, Wire, prefix, wire_struct};
use crate::crypto::sign::{self, Ed25519, KeyError, Scheme, SignatureError, Signed, SigningKey};
use crate::merkle;
use crate::types::{ChainId, Digest, InstitutionId, OwnerId, RecordId, Signature};

/// A record as it is booked: signed by its owner, marked with the delegate that accepted it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The record.
    pub record: Record,
    /// The owner's signature over chain and record id.
    pub owner_signature: Signature,
    /// The delegate that booked it.
    //= harness/spec/committees.md#com-3-registration
    //# COM-3.3 (paper): Every record that a delegate books MUST carry the id of that delegate.
    pub booked_by: InstitutionId,
}

/// An envelope with the content's digest in place of inline content: the leaf of an Item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Booking {
    /// The owner's public key.
    pub owner: OwnerId,
    /// What the record says about its content.
    pub metadata: Metadata,
    /// Digest of the content.
    pub content: ContentRef,
    /// The owner's signature over chain and record id.
    pub owner_signature: Signature,
    /// The delegate that booked it.
    pub booked_by: InstitutionId,
}

/// A value whose signatures were checked; only the checks of this module make one. It is shared, and what
/// the check has hashed stays with it, so that nobody on its way copies or hashes the content again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified<T> {
    value: Arc<T>,
    record_id: RecordId,
    content: ContentRef,
}

/// Envelopes whose signatures make one batch: enough to halve the cost, few enough to bound memory.
const CHECKED_AT_ONCE: usize = 1_024;

/// Bytes of tag and count before inline content.
const INLINE_FRAME_BYTES: usize = 5;

/// Bytes of an encoded booking whose metadata says what it must and little else.
const BOOKING_BYTES_TYPICAL: usize = 384;

/// An envelope that must not be booked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum EnvelopeError {
    /// The owner's key cannot own records.
    #[error("envelope.record.owner: {0}")]
    Owner(#[from] KeyError),
    /// The owner did not sign this record for this chain.
    #[error("envelope.owner_signature: {0}")]
    Signature(#[from] SignatureError),
}

impl Envelope {
    /// Signs a record for a chain.
    #[must_use]
    pub fn sign(
        record: Record,
        chain: &ChainId,
        owner: &SigningKey,
        booked_by: InstitutionId,
    ) -> Self {
        let owner_signature = owner.sign(&signed_message(chain, &record.id()));
        Self { record, owner_signature, booked_by }
    }

    /// Checks key and signature, and gives the record's id. Cost: one signature check and one hash
    /// of the content.
    pub fn check(&self, chain: &ChainId) -> Result<RecordId, EnvelopeError> {
        self.check_by(chain, &Ed25519)
    }

    /// The same under another scheme of signatures.
    pub fn check_by(
        &self,
        chain: &ChainId,
        scheme: &impl Scheme,
    ) -> Result<RecordId, EnvelopeError> {
        let (record_id, _) = self.record.names();
        self.check_named(&record_id, chain, scheme).map(|()| record_id)
    }

    fn check_named(
        &self,
        record_id: &RecordId,
        chain: &ChainId,
        scheme: &impl Scheme,
    ) -> Result<(), EnvelopeError> {
        let message = signed_message(chain, record_id);
        check_owner(self.record.owner(), &message, &self.owner_signature, scheme)
    }

    /// Checks keys and signatures of many at once, at about half the cost of single checks, with the same
    /// verdict. Each comes with its record's id; the error names the first that fails by its index.
    pub fn check_all(
        envelopes: &[(&Self, RecordId)],
        chain: &ChainId,
        scheme: &impl Scheme,
    ) -> Result<(), (usize, EnvelopeError)> {
        for (chunk, part) in envelopes.chunks(CHECKED_AT_ONCE).enumerate() {
            let messages: Vec<_> = part.iter().map(|(_, id)| signed_message(chain, id)).collect();
            let signed: Vec<Signed<'_>> = part
                .iter()
                .zip(&messages)
                .map(|((envelope, _), message)| Signed {
                    key: envelope.record.owner(),
                    message,
                    signature: &envelope.owner_signature,
                })
                .collect();
            let mut keys = signed.iter().map(|one| scheme.check_signer(one.key));
            if scheme.all_hold(&signed) && keys.all(|key| key.is_ok()) {
                continue;
            }
            for (at, (envelope, _)) in part.iter().enumerate() {
                let failed = |error| (chunk * CHECKED_AT_ONCE + at, error);
                envelope.check_by(chain, scheme).map_err(failed)?;
            }
        }
        Ok(())
    }

    /// Checks key and signature and keeps that knowledge with the value.
    pub fn verify(self, chain: &ChainId) -> Result<Verified<Self>, EnvelopeError> {
        self.verify_by(chain, &Ed25519)
    }

    /// The same under another scheme of signatures.
    pub fn verify_by(
        self,
        chain: &ChainId,
        scheme: &impl Scheme,
    ) -> Result<Verified<Self>, EnvelopeError> {
        Self::verify_shared(Arc::new(self), chain, scheme)
    }

    /// The same for one that others have too.
    pub fn verify_shared(
        value: Arc<Self>,
        chain: &ChainId,
        scheme: &impl Scheme,
    ) -> Result<Verified<Self>, EnvelopeError> {
        let (record_id, content) = value.record.names();
        value.check_named(&record_id, chain, scheme)?;
        Ok(Verified { value, record_id, content })
    }

    /// Checks many envelopes at once, at about half the cost of single checks; when the batch does
    /// not hold, each is checked alone, so that the answers are the same either way.
    ///
    /// `seed` must be fresh and secret, see [`sign::verify_batch`].
    #[must_use]
    pub fn verify_all(
        envelopes: Vec<impl Into<Arc<Self>>>,
        chain: &ChainId,
        seed: [u8; 32],
    ) -> Vec<Result<Verified<Self>, EnvelopeError>> {
        let envelopes: Vec<Arc<Self>> = envelopes.into_iter().map(Into::into).collect();
        let named: Vec<_> = envelopes
            .iter()
            .map(|envelope| {
                let (id, content) = envelope.record.names();
                (id, content, signed_message(chain, &id))
            })
            .collect();
        let signed = envelopes.iter().zip(&named).map(|(envelope, (.., message))| {
            (envelope.record.owner(), &message[..], &envelope.owner_signature)
        });
        let all_hold = sign::verify_batch(signed, seed).is_ok()
            && envelopes.iter().all(|one| sign::check_signer(one.record.owner()).is_ok());
        if !all_hold {
            let alone = envelopes.into_iter().map(|one| Self::verify_shared(one, chain, &Ed25519));
            return alone.collect();
        }
        envelopes
            .into_iter()
            .zip(named)
            .map(|(value, (record_id, content, _))| Ok(Verified { value, record_id, content }))
            .collect()
    }

    /// The hash of the leaf of its booking in the Item's tree. Cost: one hash of the content and one of some
    /// 300 bytes.
    #[must_use]
    pub fn leaf_hash(&self) -> Digest {
        merkle::leaf_hash(&self.encode_booking(&self.record.content().to_ref()))
    }

    /// The top-level encoding of the booking, made without one.
    fn encode_booking(&self, content: &ContentRef) -> Vec<u8> {
        let (owner, metadata) = (self.record.owner(), self.record.metadata());
        let mut bytes = Vec::with_capacity(BOOKING_BYTES_TYPICAL);
        bytes.extend_from_slice(&prefix(Booking::TAG));
        encode_parts(&mut bytes, owner, metadata, content, &self.owner_signature, self.booked_by);
        bytes
    }

    /// What the Item commits to.
    #[must_use]
    pub fn booking(&self) -> Booking {
        Booking {
            owner: *self.record.owner(),
            metadata: self.record.metadata().clone(),
            content: self.record.content().to_ref(),
            owner_signature: self.owner_signature,
            booked_by: self.booked_by,
        }
    }
}

impl Booking {
    /// The record's id, as the envelope's record has it.
    #[must_use]
    pub fn record_id(&self) -> RecordId {
        record_id(&self.owner, &self.metadata, &self.content)
    }

    /// The hash of this leaf in the Item's tree.
    #[must_use]
    pub fn leaf_hash(&self) -> Digest {
        //= harness/spec/storage.md#sto-10-data-block-and-trees
        //# STO-10.6 (ours): The leaves of an Item's tree MUST be the top-level encodings of its
        //# bookings, and the leaves of every higher tree the level roots of the level below.
        //= harness/spec/storage.md#sto-11-change-and-proof
        //# STO-11.1 (paper): A change of any byte of a booking MUST change the root of every level
        //# above it.
        merkle::leaf_hash(&self.to_bytes())
    }

    /// Checks that the owner signed this record for this chain.
    pub fn verify_owner(&self, chain: &ChainId) -> Result<(), EnvelopeError> {
        self.verify_owner_by(chain, &Ed25519)
    }

    /// The same under another scheme of signatures.
    pub fn verify_owner_by(
        &self,
        chain: &ChainId,
        scheme: &impl Scheme,
    ) -> Result<(), EnvelopeError> {
        let message = signed_message(chain, &self.record_id());
        check_owner(&self.owner, &message, &self.owner_signature, scheme)
    }
}

impl<T> Verified<T> {
    /// The id of the record that was checked.
    #[must_use]
    pub fn record_id(&self) -> &RecordId {
        &self.record_id
    }

    /// The value.
    #[must_use]
    pub fn get(&self) -> &T {
        &self.value
    }

    /// The value, for whoever keeps it beside others; without the knowledge that it was checked.
    #[must_use]
    pub fn share(&self) -> Arc<T> {
        self.value.clone()
    }
}

impl<T: Clone> Verified<T> {
    /// Gives the value back, without the knowledge that it was checked; copies it if others have it too.
    #[must_use]
    pub fn into_inner(self) -> T {
        Arc::unwrap_or_clone(self.value)
    }
}

impl Verified<Envelope> {
    /// The top-level encoding. Cost: one allocation of the right size.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let envelope = self.get();
        let content = match envelope.record.content() {
            Content::Inline(content) => content.len(),
            Content::Stored(_) => Digest::BYTES,
        };
        envelope.to_bytes_within(BOOKING_BYTES_TYPICAL + content)
    }

    /// The hash of the leaf of its booking in the Item's tree, and the bytes of its encoding within an Item.
    /// Cost: one hash of some 300 bytes, whatever the content.
    #[must_use]
    pub fn leaf(&self) -> (Digest, usize) {
        let envelope = self.get();
        let booking = envelope.encode_booking(&self.content);
        // Both have the same parts but for the content.
        let mut content_ref = Vec::new();
        self.content.encode(&mut content_ref);
        let beside = booking.len() - PREFIX_BYTES - content_ref.len();
        let bytes = match envelope.record.content() {
            Content::Inline(content) => beside + INLINE_FRAME_BYTES + content.len(),
            Content::Stored(_) => beside + content_ref.len(),
        };
        (merkle::leaf_hash(&booking), bytes)
    }
}

/// Checks an owner's key and signature.
fn check_owner(
    owner: &OwnerId,
    message: &[u8],
    signature: &Signature,
    scheme: &impl Scheme,
) -> Result<(), EnvelopeError> {
    //= harness/spec/storage.md#sto-2-record-signature-acceptance
    //# STO-2.3 (ours): A record MUST be refused unless the Ed25519 signature in its envelope
    //# holds under its owner's key over the 69 bytes drawn as Owner's message.
    let holds = scheme.holds(owner, message, signature);
    //= harness/spec/storage.md#sto-2-record-signature-acceptance
    //# STO-2.5 (ours): A record whose owner key is not a point of the curve or is of small
    //# order MUST be refused.
    if holds {
        scheme.check_signer(owner)?
    } else {
        scheme.check_key(owner)?
    }
    if holds { Ok(()) } else { Err(SignatureError.into()) }
}

/// `"MSGR" 1 | chain | record id`: the 69 bytes that an owner signs.
fn signed_message(chain: &ChainId, record: &RecordId) -> [u8; 69] {
    //= harness/spec/storage.md#sto-2-record-signature-acceptance
    //# STO-2.3 (ours): A record MUST be refused unless the Ed25519 signature in its envelope holds
    //# under its owner's key over the 69 bytes drawn as Owner's message.
    let mut message = [0; 69];
    message[..5].copy_from_slice(&prefix(*b"MSGR"));
    message[5..37].copy_from_slice(chain.as_bytes());
    message[37..].copy_from_slice(record.as_bytes());
    message
}

wire_struct!(Envelope { record, owner_signature, booked_by });

impl Encode for Booking {
    fn encode(&self, out: &mut Vec<u8>) {
        let Self { owner, metadata, content, owner_signature, booked_by } = self;
        encode_parts(out, owner, metadata, content, owner_signature, *booked_by);
    }
}

/// The parts of a booking, in order.
fn encode_parts(
    out: &mut Vec<u8>,
    owner: &OwnerId,
    metadata: &Metadata,
    content: &ContentRef,
    owner_signature: &Signature,
    booked_by: InstitutionId,
) {
    owner.encode(out);
    metadata.encode(out);
    content.encode(out);
    owner_signature.encode(out);
    booked_by.encode(out);
}

impl Decode for Booking {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let (owner, metadata) = (reader.field("owner")?, reader.field("metadata")?);
        let content = reader.field_where("content", |content| {
            names_encryption(&metadata, matches!(content, ContentRef::Stored(_)))
        })?;
        let (owner_signature, booked_by) =
            (reader.field("owner_signature")?, reader.field("booked_by")?);
        Ok(Self { owner, metadata, content, owner_signature, booked_by })
    }
}

impl Wire for Envelope {
    const TAG: [u8; 4] = *b"MENV";
    const NAME: &'static str = "Envelope";
}

impl Wire for Booking {
    const TAG: [u8; 4] = *b"MBKG";
    const NAME: &'static str = "Booking";
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{Encryption, MediaType, ResourceType, SealScheme};
    use crate::types::{KeyId, Timestamp};

    #[test]
    fn what_a_check_keeps_is_what_the_envelope_says() {
        let (owner, chain) = (SigningKey::from_seed(&[1; 32]), ChainId::new([2; 32]));
        let kind = || ResourceType::new("Binary").unwrap();
        let media = || MediaType::new("text/plain").unwrap();
        let plain = Metadata::new(kind(), media(), Timestamp::new(5), 3_000);
        let encryption =
            Encryption { scheme: SealScheme::XChaCha20Poly1305File, key_id: KeyId::new([7; 32]) };
        let sealed = Metadata { encryption: Some(encryption), ..plain.clone() };
        let contents = [
            (plain, Content::inline(vec![1; 3_000]).unwrap()),
            (sealed, Content::Stored(Digest::new([3; 32]))),
        ];
        for (metadata, content) in contents {
            let record = Record::new(owner.owner(), metadata, content).unwrap();
            let envelope = Envelope::sign(record, &chain, &owner, InstitutionId::new(4));
            let mut encoded = Vec::new();
            envelope.encode(&mut encoded);
            let verified = envelope.clone().verify(&chain).unwrap();
            assert_eq!(verified.leaf(), (envelope.booking().leaf_hash(), encoded.len()));
            assert_eq!(envelope.leaf_hash(), envelope.booking().leaf_hash());
            assert_eq!(verified.to_bytes(), envelope.to_bytes());
            assert_eq!(*verified.record_id(), envelope.record.id());
            let together = Envelope::verify_all(vec![envelope.clone()], &chain, [9; 32]);
            assert_eq!(together, [Ok(verified.clone())]);
            assert_eq!((*verified.share()).clone(), verified.into_inner());
        }
    }
}
