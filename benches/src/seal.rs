//! Sealed files: 1 MiB in and out. [STO-6] [DDB-1]

use mdsm_core::crypto::seal::{ContentKey, OpenError, SealCoins, SealError, open, seal};

/// Plaintext bytes.
pub const BYTES: usize = 1 << 20;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workloads_do_their_work() {
        let (sealing, mut sealed) = sealed(100_000);
        assert_eq!(open_file(&sealing, &sealed), Ok(sealing.plaintext.clone()));
        sealed[50_000] ^= 1;
        assert!(open_file(&sealing, &sealed).is_err());
    }
}
