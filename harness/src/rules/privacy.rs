//! Who is named by a re-encryption key: a distinguisher that knows nothing but public keys. [PRE-9]

use std::collections::HashSet;

use sha2::{Digest as _, Sha256};

/// Bytes that are looked for together: a digest, or a run of a public key's words.
const RUN: usize = 32;

/// Words of a public key, behind tag, version and set.
#[must_use]
pub fn words_of(public_key: &[u8]) -> &[u8] {
    &public_key[6..]
}

//= harness/spec/reencryption.md#pre-9-defect-key-privacy
//# PRE-9.1 (ours): The harness MUST show a distinguisher that names the reader of a printed
//# re-encryption key from the public keys alone.
/// The public keys, by their places, of which the key holds words or the digest. Two keys share 32 bytes
/// by chance with a probability of 2^-200 or less.
#[must_use]
pub fn named_by(key: &[u8], public_keys: &[Vec<u8>]) -> Vec<usize> {
    let held: HashSet<&[u8]> = key.windows(RUN).collect();
    let is_named = |public_key: &[u8]| {
        let digest = Sha256::digest(public_key);
        held.contains(digest.as_slice())
            || words_of(public_key).chunks_exact(RUN).any(|run| held.contains(run))
    };
    let numbered = public_keys.iter().enumerate();
    numbered.filter(|(_, public_key)| is_named(public_key)).map(|(place, _)| place).collect()
}
