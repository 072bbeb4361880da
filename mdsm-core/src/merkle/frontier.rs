//! A tree that grows leaf by leaf and remembers only its full subtrees. [STO-10]

use super::root::{empty_root, node_hash};
use crate::types::Digest;

/// The right edge of a growing tree: one root for each full subtree, at most 64 of them.
///
/// Invariant: `subtrees` holds one root per bit that is set in `leaves`, largest subtree first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Frontier {
    leaves: u64,
    subtrees: Vec<Digest>,
}

impl Frontier {
    /// The tree without leaves.
    #[must_use]
    pub const fn new() -> Self {
        Self { leaves: 0, subtrees: Vec::new() }
    }

    /// Appends a leaf by its hash; one node hash per leaf on average, `log2(len)` at most.
    pub fn push(&mut self, leaf_hash: Digest) {
        let mut hash = leaf_hash;
        // Every trailing 1 of the count is a full subtree as large as what `hash` stands for.
        //= harness/spec/storage.md#sto-10-data-block-and-trees
        //# STO-10.3 (ours): The tree of each level MUST have the shape and the hashing of RFC 6962,
        //# with `0x00` before a leaf, `0x01` before two children and no node repeated.
        for _ in 0..self.leaves.trailing_ones() {
            let left = self.subtrees.pop();
            hash = node_hash(&left.expect("one subtree stands for each set bit"), &hash);
        }
        self.subtrees.push(hash);
        // 2^64 leaves would take centuries to push.
        self.leaves += 1;
    }

    /// The root over the leaves so far; `log2(len)` node hashes at most.
    #[must_use]
    pub fn root(&self) -> Digest {
        let smaller = self.subtrees.iter().rev().copied();
        smaller.reduce(|right, left| node_hash(&left, &right)).unwrap_or(empty_root())
    }

    /// Leaves so far.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.leaves
    }

    /// Whether no leaf has come yet.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.leaves == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merkle::{naive, root_of_hashes};

    #[test]
    fn every_prefix_has_the_root_of_the_definition() {
        let hashes = naive::hashes(131);
        let mut frontier = Frontier::new();
        for (count, hash) in hashes.iter().enumerate() {
            assert_eq!(frontier.root(), naive::tree(&hashes[..count]).0);
            assert_eq!(frontier.len(), u64::try_from(count).unwrap());
            assert_eq!(frontier.is_empty(), count == 0);
            frontier.push(*hash);
        }
    }

    #[test]
    fn memory_is_one_root_per_set_bit() {
        let mut frontier = Frontier::new();
        let hashes = naive::hashes(4_096);
        for hash in &hashes {
            frontier.push(*hash);
            let bits = usize::try_from(frontier.len().count_ones()).unwrap();
            assert_eq!(frontier.subtrees.len(), bits);
        }
        assert_eq!(frontier.root(), root_of_hashes(&hashes));
    }
}
