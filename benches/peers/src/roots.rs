//! A root over 32-byte leaves, from nothing, by each implementation.

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use mdsm_core::merkle::root_of_digests;
use mdsm_core::types::Digest;
use merkle_cbt::CBMT;
use merkle_cbt::merkle_tree::Merge;
use rs_merkle::MerkleTree;
use rs_merkle::algorithms::Sha256 as RsSha256;
use sha2::{Digest as _, Sha256};

/// One implementation.
pub struct Peer {
    /// As the table shows it.
    pub name: &'static str,
    /// Hash compressions that its tree needs per leaf: 3 in RFC 6962's shape, 2 where leaves are
    /// not hashed and nothing has a prefix.
    pub compressions: u8,
    /// The root.
    pub root: fn(&Leaves) -> [u8; 32],
}

/// The leaves in the type that each implementation takes, so that none pays for a conversion.
pub struct Leaves {
    /// For everybody else.
    pub bytes: Vec<[u8; 32]>,
    /// For ours.
    pub digests: Vec<Digest>,
}

impl Leaves {
    /// So many distinct leaves.
    #[must_use]
    pub fn new(count: u32) -> Self {
        let bytes = crate::leaves(count);
        let digests = bytes.iter().copied().map(Digest::new).collect();
        Self { bytes, digests }
    }
}

/// Everybody, ours first.
pub const PEERS: [Peer; 5] = [
    Peer { name: "mdsm", compressions: 3, root: ours },
    Peer { name: "sha2 loop", compressions: 3, root: sha2_loop },
    Peer { name: "ct-merkle", compressions: 3, root: ct },
    Peer { name: "rs_merkle", compressions: 2, root: rs },
    Peer { name: "merkle-cbt", compressions: 2, root: cbt },
];

fn ours(leaves: &Leaves) -> [u8; 32] {
    *root_of_digests(&leaves.digests).as_bytes()
}

/// What one writes first: hash the leaves, fold layer by layer in place.
fn sha2_loop(leaves: &Leaves) -> [u8; 32] {
    let leaf = |bytes: &[u8; 32]| {
        <[u8; 32]>::from(Sha256::new().chain_update([0]).chain_update(bytes).finalize())
    };
    let mut layer: Vec<[u8; 32]> = leaves.bytes.iter().map(leaf).collect();
    while layer.len() > 1 {
        let width = layer.len();
        for at in 0..width / 2 {
            let node = Sha256::new()
                .chain_update([1])
                .chain_update(layer[2 * at])
                .chain_update(layer[2 * at + 1]);
            layer[at] = node.finalize().into();
        }
        if width % 2 == 1 {
            layer[width / 2] = layer[width - 1];
        }
        layer.truncate(width.div_ceil(2));
    }
    layer[0]
}

fn ct(leaves: &Leaves) -> [u8; 32] {
    let mut tree = MemoryBackedTree::<Sha256, [u8; 32]>::new();
    for leaf in &leaves.bytes {
        tree.push(*leaf);
    }
    (*tree.root().as_bytes()).into()
}

fn rs(leaves: &Leaves) -> [u8; 32] {
    MerkleTree::<RsSha256>::from_leaves(&leaves.bytes).root().unwrap_or_default()
}

fn cbt(leaves: &Leaves) -> [u8; 32] {
    CBMT::<[u8; 32], PlainNode>::build_merkle_root(&leaves.bytes)
}

/// SHA-256(left | right), for the trees that leave the node to their user.
pub struct PlainNode;

impl Merge for PlainNode {
    type Item = [u8; 32];

    fn merge(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
        Sha256::new().chain_update(left).chain_update(right).finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trees_of_one_shape_have_one_root() {
        for count in (1..=130).chain([1_000, 1_025]) {
            let leaves = Leaves::new(count);
            let root = ours(&leaves);
            assert_eq!(sha2_loop(&leaves), root, "sha2 loop, {count}");
            assert_eq!(ct(&leaves), root, "ct-merkle, {count}");
        }
    }
}
