//! Merkle trees: a root over 32-byte leaves, a proof, its verification. [STO-10] [STO-11]
//!
//! The sizes are an Item's records, a turn's Items at the most, and a large tree for the limit.

use std::hint::black_box;

use mdsm_core::merkle::{Tree, leaf_hash, root_from_path, root_of_digests};
use mdsm_core::types::Digest;

/// Leaves of the trees that are measured.
pub const SIZES: [u64; 3] = [10, 16_384, 1 << 20];

/// Distinct leaves.
#[must_use]
pub fn leaves(count: u64) -> Vec<Digest> {
    let leaf = |at: u64| {
        let mut bytes = [0xa5; 32];
        bytes[..8].copy_from_slice(&at.to_le_bytes());
        Digest::new(bytes)
    };
    (0..count).map(leaf).collect()
}

/// The work: a root from the leaves on.
///
/// With the feature `planted-slowdown` large trees cost 2 % more: the gate must catch that.
#[must_use]
pub fn root(leaves: &[Digest]) -> Digest {
    let planted = leaves.len() / 50;
    if cfg!(feature = "planted-slowdown") && planted > 0 {
        black_box(root_of_digests(&leaves[..planted]));
    }
    root_of_digests(leaves)
}

/// A tree to prove from.
#[must_use]
pub fn tree(count: u64) -> Tree {
    Tree::from_digests(&leaves(count))
}

/// The work: the proof of a leaf well inside the tree.
#[must_use]
pub fn prove(tree: &Tree) -> Option<Vec<Digest>> {
    let size = u64::try_from(tree.len()).ok()?;
    tree.prove(place(size))
}

/// What a verifier gets.
#[derive(Clone, Debug)]
pub struct Claim {
    leaf: Digest,
    size: u64,
    path: Vec<Digest>,
    root: Digest,
}

/// The claim on the leaf that [`prove`] proves; `None` for an empty tree.
#[must_use]
pub fn claim(size: u64) -> Option<Claim> {
    let tree = tree(size);
    let leaf = *leaves(size).get(usize::try_from(place(size)).ok()?)?;
    let (path, root) = (prove(&tree)?, tree.root());
    Some(Claim { leaf, size, path, root })
}

/// The work: from the leaf's bytes to the root.
#[must_use]
pub fn verify(claim: &Claim) -> bool {
    let leaf = leaf_hash(claim.leaf.as_bytes());
    root_from_path(leaf, place(claim.size), claim.size, &claim.path) == Some(claim.root)
}

/// An index whose path turns left and right.
fn place(size: u64) -> u64 {
    size / 3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workloads_do_their_work() {
        for size in [1, 2, 10, 1_000] {
            let claim = claim(size).unwrap();
            assert_eq!(claim.root, root(&leaves(size)));
            assert!(verify(&claim));
        }
    }
}
