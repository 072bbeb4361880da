//! One inclusion proof from a tree in memory, made and verified, by each implementation.

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use mdsm_core::merkle::{Tree, leaf_hash, root_from_path};
use merkle_cbt::CBMT;
use rs_merkle::MerkleTree;
use rs_merkle::algorithms::Sha256 as RsSha256;
use sha2::Sha256;
use std::hint::black_box;

use crate::roots::{Leaves, PlainNode};

/// One implementation with its tree in memory.
pub struct Prover {
    /// As the table shows it.
    pub name: &'static str,
    /// Makes the proof of one leaf.
    pub prove: Box<dyn Fn(u32)>,
    /// Verifies, from the leaf's bytes on, the proof that was made beforehand for this one of the
    /// `CLAIMS`.
    pub verify: Box<dyn Fn(usize) -> bool>,
}

/// Proofs that are made beforehand to be verified.
pub const CLAIMS: usize = 256;

/// Proofs that are made in one turn: so many that their nodes do not all wait in the caches.
pub const PLACES: usize = 65_536;

/// The leaves whose proofs are made: all over the tree, in an order that no cache foresees.
#[must_use]
pub fn places(size: u32) -> Vec<u32> {
    let mut state = 1u32;
    let place = |_| {
        // Numerical Recipes' generator; the product's high half uses its good, high bits.
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        u32::try_from((u64::from(state) * u64::from(size)) >> 32).expect("below size")
    };
    (0..PLACES).map(place).collect()
}

/// Everybody's tree over so many leaves, ours first.
#[must_use]
pub fn provers(size: u32) -> Vec<Prover> {
    let leaves = Leaves::new(size);
    let places = &places(size)[..CLAIMS];
    vec![ours(&leaves, places), ct(&leaves, places), rs(&leaves, places), cbt(&leaves, places)]
}

fn ours(leaves: &Leaves, places: &[u32]) -> Prover {
    let tree = Tree::from_digests(&leaves.digests);
    let (root, size) = (tree.root(), tree.len() as u64);
    let claim = |at: &u32| {
        let path = tree.prove(u64::from(*at)).expect("the place lies in the tree");
        (leaves.bytes[*at as usize], u64::from(*at), path)
    };
    let claims: Vec<_> = places.iter().map(claim).collect();
    Prover {
        name: "mdsm",
        prove: Box::new(move |at| drop(black_box(tree.prove(u64::from(at))))),
        verify: Box::new(move |claim| {
            let (leaf, at, path) = &claims[claim];
            root_from_path(leaf_hash(leaf), *at, size, path) == Some(root)
        }),
    }
}

fn ct(leaves: &Leaves, places: &[u32]) -> Prover {
    let mut tree = MemoryBackedTree::<Sha256, [u8; 32]>::new();
    for leaf in &leaves.bytes {
        tree.push(*leaf);
    }
    let root = tree.root();
    let claim =
        |at: &u32| (leaves.bytes[*at as usize], u64::from(*at), tree.prove_inclusion(*at as usize));
    let claims: Vec<_> = places.iter().map(claim).collect();
    Prover {
        name: "ct-merkle",
        prove: Box::new(move |at| drop(black_box(tree.prove_inclusion(at as usize)))),
        verify: Box::new(move |claim| {
            let (leaf, at, proof) = &claims[claim];
            root.verify_inclusion(leaf, *at, proof).is_ok()
        }),
    }
}

fn rs(leaves: &Leaves, places: &[u32]) -> Prover {
    let tree = MerkleTree::<RsSha256>::from_leaves(&leaves.bytes);
    let root = tree.root().expect("the tree has leaves");
    let size = leaves.bytes.len();
    let claim = |at: &u32| (leaves.bytes[*at as usize], *at as usize, tree.proof(&[*at as usize]));
    let claims: Vec<_> = places.iter().map(claim).collect();
    Prover {
        name: "rs_merkle",
        prove: Box::new(move |at| drop(black_box(tree.proof(&[at as usize])))),
        verify: Box::new(move |claim| {
            let (leaf, at, proof) = &claims[claim];
            proof.verify(root, &[*at], &[*leaf], size)
        }),
    }
}

fn cbt(leaves: &Leaves, places: &[u32]) -> Prover {
    let tree = CBMT::<[u8; 32], PlainNode>::build_merkle_tree(&leaves.bytes);
    let root = tree.root();
    let claim = |at: &u32| {
        let proof = tree.build_proof(&[*at]).expect("the place lies in the tree");
        (leaves.bytes[*at as usize], proof)
    };
    let claims: Vec<_> = places.iter().map(claim).collect();
    Prover {
        name: "merkle-cbt",
        prove: Box::new(move |at| drop(black_box(tree.build_proof(&[at])))),
        verify: Box::new(move |claim| {
            let (leaf, proof) = &claims[claim];
            proof.verify(&root, &[*leaf])
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_prover_verifies_its_own_proofs() {
        for prover in provers(1_000) {
            for claim in 0..CLAIMS {
                assert!((prover.verify)(claim), "{}", prover.name);
            }
        }
    }
}
