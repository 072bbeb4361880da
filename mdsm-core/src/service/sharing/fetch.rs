//! Objects of the vault, held against the digest that the chain has of them. [DDB-3] [PRE-3]

use super::error::SharingError;
use super::exchange::Vault;
use crate::codec::Wire;
use crate::crypto::sha256;
use crate::types::Digest;

/// Bytes by their digest.
//= harness/spec/reencryption.md#pre-3-request-and-grant
//# PRE-3.12 (ours): Whoever takes a key, a capsule, an approval, a parcel or a delivery out of the vault
//# MUST compare it with the digest by which the chain names it.
pub(super) async fn bytes(
    vault: &impl Vault,
    what: &'static str,
    digest: Digest,
) -> Result<Vec<u8>, SharingError> {
    let bytes = vault.get(digest).await?.ok_or(SharingError::Missing { what, digest })?;
    let found = sha256(&bytes);
    if found != digest {
        return Err(SharingError::Digest { what, expected: digest, found });
    }
    Ok(bytes)
}

/// A value by the digest of its encoding.
pub(super) async fn value<T: Wire>(
    vault: &impl Vault,
    what: &'static str,
    digest: Digest,
) -> Result<T, SharingError> {
    let bytes = bytes(vault, what, digest).await?;
    T::from_bytes(&bytes).map_err(|error| SharingError::Malformed { what, error })
}
