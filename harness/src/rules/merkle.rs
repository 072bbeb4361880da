//! Trees by RFC 6962, section 2.1, word for word, and the roots of levels. [STO-10] [STO-11]

use sha2::{Digest, Sha256};

use super::mirror::Bytes32;

/// SHA-256 of the parts, one after another.
#[must_use]
pub fn sha256(parts: &[&[u8]]) -> Bytes32 {
    Sha256::digest(parts.concat()).into()
}

/// The root over the leaves' bytes.
#[must_use]
pub fn root<L: AsRef<[u8]>>(leaves: &[L]) -> Bytes32 {
    match leaves {
        [] => sha256(&[]),
        [leaf] => sha256(&[&[0x00], leaf.as_ref()]),
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            sha256(&[&[0x01], &root(left), &root(right)])
        }
    }
}

/// The inclusion path of the leaf at `index`, from the leaf upwards.
///
/// # Panics
/// When there is no such leaf.
#[must_use]
pub fn path<L: AsRef<[u8]>>(leaves: &[L], index: usize) -> Vec<Bytes32> {
    assert!(index < leaves.len(), "leaf {index} of {}", leaves.len());
    if leaves.len() == 1 {
        return Vec::new();
    }
    let (left, right) = leaves.split_at(split(leaves.len()));
    if index < left.len() {
        let mut hashes = path(left, index);
        hashes.push(root(right));
        hashes
    } else {
        let mut hashes = path(right, index - left.len());
        hashes.push(root(left));
        hashes
    }
}

/// The root that a path leads to from a leaf's bytes; `None` when index, size and path contradict.
#[must_use]
pub fn climb(leaf: &[u8], index: usize, size: usize, path: &[Bytes32]) -> Option<Bytes32> {
    if index >= size {
        return None;
    }
    if size == 1 {
        return path.is_empty().then(|| sha256(&[&[0x00], leaf]));
    }
    let (sibling, below) = path.split_last()?;
    let left = split(size);
    if index < left {
        let node = climb(leaf, index, left, below)?;
        Some(sha256(&[&[0x01], &node, sibling]))
    } else {
        let node = climb(leaf, index - left, size - left, below)?;
        Some(sha256(&[&[0x01], sibling, &node]))
    }
}

/// Hashes on the path of leaf `index` of `size`; `None` when there is no such leaf.
#[must_use]
pub fn path_len(index: usize, size: usize) -> Option<usize> {
    if index >= size {
        return None;
    }
    if size == 1 {
        return Some(0);
    }
    let left = split(size);
    let below =
        if index < left { path_len(index, left) } else { path_len(index - left, size - left) };
    below.map(|length| length + 1)
}

/// The root of a level: its number, the number of its leaves, the root of its tree.
///
/// # Panics
/// When there are 2^32 leaves or more.
#[must_use]
pub fn level_root(level: u8, leaves: usize, tree_root: &Bytes32) -> Bytes32 {
    let leaves = u32::try_from(leaves).expect("fewer than 2^32 leaves");
    sha256(&[&[0x02], &[level], &leaves.to_le_bytes(), tree_root])
}

/// The root of a level over the roots of the level below.
#[must_use]
pub fn level_over(level: u8, leaves: &[Bytes32]) -> Bytes32 {
    level_root(level, leaves.len(), &root(leaves))
}

/// The largest power of two below `size`, for a size above 1.
fn split(size: usize) -> usize {
    let mut power = 1;
    while power * 2 < size {
        power *= 2;
    }
    power
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(digest: Bytes32) -> String {
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn the_roots_of_certificate_transparency_come_out() {
        // Leaves and roots from the test data of RFC 6962's reference implementation.
        let leaves: [&[u8]; 8] = [
            &[],
            &[0x00],
            &[0x10],
            &[0x20, 0x21],
            &[0x30, 0x31],
            &[0x40, 0x41, 0x42, 0x43],
            &[0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57],
            b"`abcdefghijklmno",
        ];
        let none: [&[u8]; 0] = [];
        let expected = [
            (0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            (1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
            (2, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
            (3, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"),
            (8, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"),
        ];
        for (count, root_expected) in expected {
            let leaves = if count == 0 { &none[..] } else { &leaves[..count] };
            assert_eq!(hex(root(leaves)), root_expected, "{count} leaves");
        }
    }

    #[test]
    fn every_path_climbs_to_the_root_and_no_other_length_does() {
        for size in 1..40usize {
            let leaves: Vec<[u8; 8]> = (0..size).map(|leaf| leaf.to_le_bytes()).collect();
            for index in 0..size {
                let mut path = path(&leaves, index);
                assert_eq!(path_len(index, size), Some(path.len()));
                assert_eq!(climb(&leaves[index], index, size, &path), Some(root(&leaves)));
                path.push([0; 32]);
                assert_eq!(climb(&leaves[index], index, size, &path), None);
            }
            assert_eq!(path_len(size, size), None);
        }
    }
}
