//! Hashing as the spec draws it, in its own words: SHA-256 from `sha2`, everything else from here.

use sha2::{Digest as _, Sha256};

pub(crate) type Hash = [u8; 32];

pub(crate) fn sha(parts: &[&[u8]]) -> Hash {
    Sha256::digest(parts.concat()).into()
}

/// RFC 6962, 2.1: the left subtree holds the largest power of two below the number of leaves.
pub(crate) fn tree(leaves: &[Vec<u8>]) -> Hash {
    match leaves {
        [] => sha(&[]),
        [leaf] => sha(&[&[0x00], leaf]),
        _ => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            sha(&[&[0x01], &tree(left), &tree(right)])
        }
    }
}

pub(crate) fn level_root(level: u8, leaves: &[Vec<u8>]) -> Hash {
    let count = u32::try_from(leaves.len()).unwrap();
    sha(&[&[0x02, level], &count.to_le_bytes(), &tree(leaves)])
}

/// Level root over leaves of 32 bytes.
pub(crate) fn level_root_of(level: u8, leaves: &[Hash]) -> Hash {
    level_root(level, &leaves.iter().map(|leaf| leaf.to_vec()).collect::<Vec<_>>())
}
