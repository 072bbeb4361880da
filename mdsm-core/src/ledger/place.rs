//! Where a file's content goes: into the record, or sealed beside it. [STO-5] [STO-6]

use super::metadata::{Encryption, SealScheme};
use super::record::Content;
use crate::crypto::seal::{ContentKey, SealCoins, SealError, seal};
use crate::crypto::sha256;
use crate::params::INLINE_CONTENT_BYTES_MAX;
use crate::types::{Blob, Digest, KeyId};

/// What the owner asks for. A chain cannot erase, so nothing goes inline by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Placement {
    /// Into a sealed file, whatever its size.
    #[default]
    Sealed,
    /// Into the record where it fits, for all to read and for ever.
    Inline,
}

/// The parts of a record that follow from where its content goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// The content, or the digest of the sealed file.
    pub content: Content,
    /// What the metadata must say of it.
    pub encryption: Option<Encryption>,
    /// The sealed file, to be stored under its digest; `None` when it is inline or stored already.
    pub sealed: Option<Vec<u8>>,
}

impl Placed {
    /// A file that was sealed as a stream, and is stored under this digest.
    #[must_use]
    pub fn stored(digest: Digest, key_id: KeyId) -> Self {
        Self {
            content: Content::Stored(digest),
            encryption: Some(Encryption { scheme: SealScheme::XChaCha20Poly1305File, key_id }),
            sealed: None,
        }
    }
}

/// Places content as its owner asks; what is too large for an Item is sealed in any case.
///
/// `key` and `coins` must be fresh for each file. Cost of sealing: one pass of the cipher and two of
/// SHA-256.
pub fn place(
    bytes: &[u8],
    placement: Placement,
    key: &ContentKey,
    key_id: KeyId,
    coins: SealCoins,
) -> Result<Placed, SealError> {
    //= harness/spec/storage.md#sto-5-content-inside-the-record
    //# STO-5.2 (ours): Content MUST go into the record itself only on the owner's express demand, and
    //# otherwise into a sealed file.
    if placement == Placement::Inline
        && (1..=INLINE_CONTENT_BYTES_MAX).contains(&bytes.len())
        && let Ok(blob) = Blob::new(bytes)
    {
        return Ok(Placed { content: Content::Inline(blob), encryption: None, sealed: None });
    }
    //= harness/spec/consensus.md#con-1-request-and-acceptance
    //# CON-1.3 (paper): A record that its owner does not want public MUST reach the delegate
    //# encrypted.
    //= harness/spec/consensus.md#con-3-item-confirmation
    //# CON-3.2 (paper): The delegate MUST put files that are too large for an Item into the
    //# distributed database.
    let sealed = seal(bytes, key, coins)?;
    let placed = Placed::stored(sha256(&sealed), key_id);
    Ok(Placed { sealed: Some(sealed), ..placed })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(bytes: &[u8], placement: Placement) -> Result<Placed, SealError> {
        let coins = SealCoins { nonce_prefix: [1; 19], salt: [2; 16] };
        place(bytes, placement, &ContentKey::new([3; 32]), KeyId::new([4; 32]), coins)
    }

    #[test]
    fn sto_5_2_content_goes_inline_on_demand_only() {
        //= harness/spec/storage.md#sto-5-content-inside-the-record
        //= type=test
        //# STO-5.2 (ours): Content MUST go into the record itself only on the owner's express demand,
        //# and otherwise into a sealed file.
        //= harness/spec/consensus.md#con-1-request-and-acceptance
        //= type=test
        //# CON-1.3 (paper): A record that its owner does not want public MUST reach the delegate
        //# encrypted.
        let small = placed(b"note", Placement::default()).unwrap();
        assert!(matches!(small.content, Content::Stored(_)), "nobody asked for more");
        assert!(small.encryption.is_some());
        assert!(small.sealed.is_some_and(|file| !file.windows(4).any(|run| run == b"note")));
        let asked = placed(b"note", Placement::Inline).unwrap();
        assert_eq!(asked.content, Content::inline(*b"note").unwrap());
        assert_eq!((asked.encryption, asked.sealed), (None, None));
    }

    #[test]
    fn what_does_not_fit_is_sealed_and_what_is_empty_is_refused() {
        //= harness/spec/consensus.md#con-3-item-confirmation
        //= type=test
        //# CON-3.2 (paper): The delegate MUST put files that are too large for an Item into the
        //# distributed database.
        let is_inline = |bytes: usize| {
            let placed = placed(&vec![7; bytes], Placement::Inline).unwrap();
            matches!(placed.content, Content::Inline(_))
        };
        assert!(is_inline(INLINE_CONTENT_BYTES_MAX));
        assert!(!is_inline(INLINE_CONTENT_BYTES_MAX + 1));
        for placement in [Placement::Inline, Placement::Sealed] {
            assert_eq!(placed(b"", placement), Err(SealError::Empty));
        }
    }
}
