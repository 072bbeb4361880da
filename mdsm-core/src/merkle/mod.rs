//! Merkle trees in the shape of RFC 6962. [STO-10] [STO-11]
//!
//! A leaf is SHA-256(0x00 | bytes), a node SHA-256(0x01 | left | right), and the left half of an
//! uneven tree is the largest full one. A leaf therefore never passes for a node, and no leaf counts
//! twice: two different lists of leaves have different roots.
//!
//! The same tree is built from below: pair the layer, carry an odd last node up unhashed, repeat.
//! `root`, `frontier` and `tree` do that with different memory; `path` checks what `tree` proves.
//! Cost: 3 compressions a leaf (see `crypto::multi`), 1 + 2 log2(n) to verify a proof.

mod frontier;
mod path;
mod root;
mod tree;

pub use frontier::Frontier;
pub use path::{path_len, root_from_path};
pub use root::{empty_root, leaf_hash, node_hash, root_of_digests, root_of_hashes};
pub use tree::Tree;

/// RFC 6962, 2.1, in its own recursive words: what everything here is held against.
#[cfg(test)]
mod naive {
    use super::{empty_root, leaf_hash, node_hash};
    use crate::types::Digest;

    /// The leaves 0, 1, 2, .. of the tests, each with its number in its bytes.
    pub(super) fn leaves(count: usize) -> Vec<Digest> {
        let leaf = |at: usize| {
            let mut bytes = [0; 32];
            bytes[..8].copy_from_slice(&at.to_le_bytes());
            Digest::new(bytes)
        };
        (0..count).map(leaf).collect()
    }

    /// The leaf hashes of `leaves(count)`.
    pub(super) fn hashes(count: usize) -> Vec<Digest> {
        leaves(count).iter().map(|leaf| leaf_hash(leaf.as_bytes())).collect()
    }

    /// MTH(D[n]), and PATH(m, D[n]) for every m, leaf upwards.
    pub(super) fn tree(hashes: &[Digest]) -> (Digest, Vec<Vec<Digest>>) {
        match hashes {
            [] => (empty_root(), Vec::new()),
            [hash] => (*hash, vec![Vec::new()]),
            _ => {
                let (left, right) = hashes.split_at(split(hashes.len()));
                let ((left, mut paths), (right, mut paths_right)) = (tree(left), tree(right));
                paths.iter_mut().for_each(|path| path.push(right));
                paths_right.iter_mut().for_each(|path| path.push(left));
                paths.append(&mut paths_right);
                (node_hash(&left, &right), paths)
            }
        }
    }

    /// The largest power of two below the count.
    fn split(count: usize) -> usize {
        let mut at = 1;
        while 2 * at < count {
            at *= 2;
        }
        at
    }
}
