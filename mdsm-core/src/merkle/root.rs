//! Roots in one pass, when no proof is wanted. [STO-10]
//!
//! The leaves go through in chunks whose whole subtree is folded in place: a chunk stays in the
//! first-level cache, and a tree of 2^20 leaves needs 80 KiB beside its leaves instead of 64 MiB.

use crate::crypto::{multi, sha256_parts};
use crate::types::Digest;

/// The hash of a leaf: SHA-256(0x00 | bytes).
#[must_use]
pub fn leaf_hash(bytes: &[u8]) -> Digest {
    match bytes.try_into() {
        Ok(digest) => multi::leaf_hash(&Digest::new(digest)),
        //= harness/spec/storage.md#sto-10-data-block-and-trees
        //# STO-10.3 (ours): The tree of each level MUST have the shape and the hashing of RFC 6962,
        //# with `0x00` before a leaf, `0x01` before two children and no node repeated.
        //= harness/spec/storage.md#sto-11-change-and-proof
        //# STO-11.5 (ours): A verifier MUST refuse an inner node of a tree that is offered as a
        //# leaf.
        Err(_) => sha256_parts(&[&[multi::LEAF], bytes]),
    }
}

/// The hash of an inner node: SHA-256(0x01 | left | right).
#[must_use]
pub fn node_hash(left: &Digest, right: &Digest) -> Digest {
    multi::node_hash(left, right)
}

/// The root of the tree without leaves: SHA-256 of nothing.
#[must_use]
pub const fn empty_root() -> Digest {
    EMPTY_ROOT
}

/// The root over leaf hashes, as [`leaf_hash`] makes them.
#[must_use]
pub fn root_of_hashes(hashes: &[Digest]) -> Digest {
    fold_chunks(hashes, |chunk, layer| layer.copy_from_slice(chunk))
}

/// The root over leaves that are 32 bytes each; hashes them on the way.
#[must_use]
pub fn root_of_digests(leaves: &[Digest]) -> Digest {
    fold_chunks(leaves, multi::leaf_hashes)
}

/// Leaves of a chunk: a power of two, so that a chunk is a full subtree, and 16 KiB, half a
/// first-level cache.
const CHUNK: usize = 512;

/// Folds chunk after chunk, then the chunks' roots. `enter` makes a chunk's lowest layer.
///
/// A last chunk that is not full is folded like the others: it is the subtree that the pairing of
/// whole layers would carry up unpaired.
fn fold_chunks(leaves: &[Digest], enter: impl Fn(&[Digest], &mut [Digest])) -> Digest {
    let mut layer = vec![EMPTY_ROOT; leaves.len().min(CHUNK)];
    let mut subtree = |chunk: &[Digest]| {
        let layer = &mut layer[..chunk.len()];
        enter(chunk, layer);
        fold(layer)
    };
    if leaves.len() <= CHUNK {
        return subtree(leaves);
    }
    let mut roots: Vec<Digest> = leaves.chunks(CHUNK).map(subtree).collect();
    fold(&mut roots)
}

/// Folds a layer in place until its root stands alone.
fn fold(layer: &mut [Digest]) -> Digest {
    let mut width = layer.len();
    //= harness/spec/storage.md#sto-10-data-block-and-trees
    //# STO-10.3 (ours): The tree of each level MUST have the shape and the hashing of RFC 6962,
    //# with `0x00` before a leaf, `0x01` before two children and no node repeated.
    //= harness/spec/storage.md#sto-11-change-and-proof
    //# STO-11.6 (ours): Two different lists of leaves MUST have different level roots, also when
    //# one is the other with its last leaf repeated.
    while width > 1 {
        multi::fold_pairs(&mut layer[..width]);
        if width % 2 == 1 {
            layer[width / 2] = layer[width - 1];
        }
        width = width.div_ceil(2);
    }
    layer.first().copied().unwrap_or(EMPTY_ROOT)
}

/// SHA-256 of nothing (RFC 6962, 2.1).
const EMPTY_ROOT: Digest = Digest::new([
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24,
    0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
]);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::sha256;
    use crate::merkle::naive;

    /// The test tree of the Certificate Transparency project: the roots over its first none, one,
    /// two, .. eight leaves.
    #[test]
    fn roots_are_those_of_certificate_transparency() {
        let leaves: [&[u8]; 8] = [
            &[],
            &[0x00],
            &[0x10],
            &[0x20, 0x21],
            &[0x30, 0x31],
            &[0x40, 0x41, 0x42, 0x43],
            &[0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57],
            &[
                0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d,
                0x6e, 0x6f,
            ],
        ];
        let roots = [
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        for (count, root) in roots.iter().enumerate() {
            let hashes: Vec<Digest> = leaves[..count].iter().map(|leaf| leaf_hash(leaf)).collect();
            assert_eq!(root_of_hashes(&hashes).to_string(), *root, "{count} leaves");
        }
    }

    #[test]
    fn the_empty_root_is_the_hash_of_nothing() {
        assert_eq!(empty_root(), sha256(&[]));
        assert_eq!(root_of_hashes(&[]), empty_root());
        assert_eq!(root_of_digests(&[]), empty_root());
    }

    #[test]
    fn roots_are_those_of_the_definition() {
        let around_chunks = [511, 512, 513, 1_023, 1_024, 1_025, 1_536, 1_537, 4_097];
        for count in (0..=130).chain(around_chunks) {
            let root = naive::tree(&naive::hashes(count)).0;
            assert_eq!(root_of_hashes(&naive::hashes(count)), root, "{count}");
            assert_eq!(root_of_digests(&naive::leaves(count)), root, "{count}");
        }
    }

    #[test]
    fn sto_11_any_changed_leaf_changes_the_root() {
        //= harness/spec/storage.md#sto-11-change-and-proof
        //= type=test
        //# STO-11.1 (paper): A change of any byte of a booking MUST change the root of every level
        //# above it.
        for count in [1, 2, 3, 10, 33, 513] {
            let mut leaves = naive::leaves(count);
            let root = root_of_digests(&leaves);
            for at in 0..count {
                let leaf = leaves[at];
                let mut bytes = *leaf.as_bytes();
                bytes[31] ^= 1;
                leaves[at] = Digest::new(bytes);
                assert_ne!(root_of_digests(&leaves), root, "leaf {at} of {count}");
                leaves[at] = leaf;
            }
        }
    }

    #[test]
    fn sto_10_nothing_is_counted_twice_and_a_node_is_no_leaf() {
        //= harness/spec/storage.md#sto-11-change-and-proof
        //= type=test
        //# STO-11.6 (ours): Two different lists of leaves MUST have different level roots, also when
        //# one is the other with its last leaf repeated.
        //= harness/spec/storage.md#sto-11-change-and-proof
        //= type=test
        //# STO-11.5 (ours): A verifier MUST refuse an inner node of a tree that is offered as a leaf.
        // The two ways to another list with the same root: repeat the odd last leaf, and give two
        // inner nodes out as leaves.
        let leaves = naive::leaves(4);
        let repeated = [leaves[0], leaves[1], leaves[2], leaves[2]];
        assert_ne!(root_of_digests(&leaves[..3]), root_of_digests(&repeated));
        let hashes = naive::hashes(4);
        let nodes = [node_hash(&hashes[0], &hashes[1]), node_hash(&hashes[2], &hashes[3])];
        assert_ne!(root_of_digests(&nodes), root_of_digests(&leaves));
    }

    #[test]
    fn a_leaf_of_any_length_is_hashed_behind_its_prefix() {
        let bytes = [0xa5; 100];
        for length in 0..=100 {
            let mut prefixed = vec![0];
            prefixed.extend_from_slice(&bytes[..length]);
            assert_eq!(leaf_hash(&bytes[..length]), sha256(&prefixed));
        }
    }
}
