//! A whole tree in memory, for proofs. [STO-10] [STO-11]

use super::path::path_len;
use super::root::empty_root;
use crate::crypto::multi;
use crate::types::Digest;

/// All layers of a tree: 64 bytes a leaf, and a proof is read off without hashing.
///
/// Invariant: each layer has half as many hashes as the one below, rounded up; the last has one,
/// unless the tree is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    layers: Vec<Vec<Digest>>,
}

impl Tree {
    /// Builds the tree over leaf hashes, as [`leaf_hash`](super::leaf_hash) makes them.
    #[must_use]
    pub fn from_hashes(hashes: Vec<Digest>) -> Self {
        let mut layers = Vec::new();
        let mut layer = hashes;
        while layer.len() > 1 {
            let mut above = vec![empty_root(); layer.len().div_ceil(2)];
            //= harness/spec/storage.md#sto-10-data-block-and-trees
            //# STO-10.3 (ours): The tree of each level MUST have the shape and the hashing of RFC
            //# 6962, with `0x00` before a leaf, `0x01` before two children and no node repeated.
            multi::node_hashes(&layer, &mut above);
            if let (true, Some(odd), Some(last)) =
                (layer.len() % 2 == 1, layer.last(), above.last_mut())
            {
                *last = *odd;
            }
            layers.push(layer);
            layer = above;
        }
        layers.push(layer);
        Self { layers }
    }

    /// Builds the tree over leaves that are 32 bytes each.
    #[must_use]
    pub fn from_digests(leaves: &[Digest]) -> Self {
        let mut hashes = vec![empty_root(); leaves.len()];
        multi::leaf_hashes(leaves, &mut hashes);
        Self::from_hashes(hashes)
    }

    /// The root.
    #[must_use]
    pub fn root(&self) -> Digest {
        let top = self.layers.last().and_then(|layer| layer.first());
        top.copied().unwrap_or(empty_root())
    }

    /// Leaves of the tree.
    #[must_use]
    pub fn len(&self) -> usize {
        self.layers.first().map_or(0, Vec::len)
    }

    /// Whether the tree has no leaf.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The inclusion path of the leaf at `index`, leaf upwards; `None` when there is no such leaf.
    #[must_use]
    pub fn prove(&self, index: u64) -> Option<Vec<Digest>> {
        let size = u64::try_from(self.len()).ok()?;
        let mut path = Vec::with_capacity(path_len(index, size)?);
        let mut at = usize::try_from(index).ok()?;
        for layer in &self.layers {
            // The root and an odd last node have no sibling: nothing joins the path there.
            path.extend(layer.get(at ^ 1));
            at /= 2;
        }
        Some(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merkle::{naive, root_from_path};

    #[test]
    fn roots_and_paths_are_those_of_the_definition() {
        for count in 0..=130 {
            let hashes = naive::hashes(count);
            let tree = Tree::from_hashes(hashes.clone());
            assert_eq!(tree, Tree::from_digests(&naive::leaves(count)));
            let (root, paths) = naive::tree(&hashes);
            assert_eq!(tree.root(), root);
            assert_eq!(tree.len(), count);
            assert_eq!(tree.is_empty(), count == 0);
            for (path, index) in paths.into_iter().zip(0..) {
                assert_eq!(tree.prove(index), Some(path), "{index} of {count}");
            }
        }
    }

    #[test]
    fn a_leaf_outside_the_tree_has_no_proof() {
        for count in [0, 1, 2, 3, 10, 64] {
            let tree = Tree::from_hashes(naive::hashes(count));
            let size = u64::try_from(count).unwrap();
            for index in [size, size + 1, 2 * size + 1, u64::MAX - 1, u64::MAX] {
                assert_eq!(tree.prove(index), None, "{index} of {count}");
            }
        }
    }

    #[test]
    fn sto_11_a_large_tree_proves_its_leaves_in_logarithmic_paths() {
        let leaves = naive::leaves(70_001);
        let tree = Tree::from_digests(&leaves);
        for index in [0, 1, 511, 512, 65_535, 65_536, 69_999, 70_000] {
            let at = usize::try_from(index).unwrap();
            let path = tree.prove(index).unwrap();
            assert!(path.len() <= 17);
            let leaf = multi::leaf_hash(&leaves[at]);
            assert_eq!(root_from_path(leaf, index, 70_001, &path), Some(tree.root()));
        }
    }
}
