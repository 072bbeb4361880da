//! Trees, paths and roots of the reference beside RFC 6962 word for word. [STO-10] [STO-11]
//!
//! Input: number of leaves u16 (up to 300), an index u64 and a size u64 for the length of a path,
//! a place u16 and a change u8, then the bytes that fill the leaves.

use mdsm_core::merkle::{
    Frontier, Tree, leaf_hash, path_len, root_from_path, root_of_digests, root_of_hashes,
};
use mdsm_core::types::Digest;

use super::{Verdict, claim};
use crate::rules::merkle as rules;
use crate::rules::mirror::Bytes32;

const HEAD_BYTES: usize = 21;
const LEAVES_MAX: usize = 300;

/// Holds every way to a root, a proof and its check to the rules.
pub fn merkle(bytes: &[u8]) -> Verdict {
    let Some((head, filling)) = bytes.split_first_chunk::<HEAD_BYTES>() else { return Ok(()) };
    let [c0, c1, index @ .., p0, p1, change] = *head;
    let (index, size) = index.split_at(8);
    lengths(number(index), number(size))?;
    let count = usize::from(u16::from_le_bytes([c0, c1])) % (LEAVES_MAX + 1);
    let leaves: Vec<Bytes32> = (0..count).map(|at| leaf(at, filling)).collect();
    let expected = Digest::new(rules::root(&leaves));
    let digests: Vec<Digest> = leaves.iter().map(|leaf| Digest::new(*leaf)).collect();
    let hashes: Vec<Digest> = leaves.iter().map(|leaf| leaf_hash(leaf)).collect();
    let mut frontier = Frontier::default();
    hashes.iter().for_each(|hash| frontier.push(*hash));
    let tree = Tree::from_digests(&digests);
    let roots = [root_of_digests(&digests), root_of_hashes(&hashes), frontier.root(), tree.root()];
    claim(roots == [expected; 4], || {
        format!("merkle: roots {roots:?} of {count} leaves, RFC 6962 has {expected}")
    })?;
    if count > 0 {
        let at = usize::from(u16::from_le_bytes([p0, p1])) % count;
        proof(&leaves, &tree, at, change)?;
    }
    claim(tree.prove(wide(count)).is_none(), || {
        format!("merkle: leaf {count} of {count} is proven")
    })
}

/// The proof of one leaf: the path itself, and what a check says with the path changed.
fn proof(leaves: &[Bytes32], tree: &Tree, at: usize, change: u8) -> Verdict {
    let (index, size) = (wide(at), wide(leaves.len()));
    let expected = rules::path(leaves, at);
    let mut path = tree.prove(index).unwrap_or_default();
    claim(path.iter().map(|hash| *hash.as_bytes()).eq(expected), || {
        format!("merkle: another path for {at} of {size}")
    })?;
    let leaf = leaf_hash(&leaves[at]);
    let climbed = root_from_path(leaf, index, size, &path);
    claim(climbed == Some(tree.root()), || {
        format!("merkle: {at} of {size} climbs to {climbed:?}")
    })?;
    match change % 4 {
        0 => path.push(leaf),
        1 if path.pop().is_some() => {}
        2 if !path.is_empty() => {
            let level = usize::from(change / 4) % path.len();
            path[level] = leaf_hash(path[level].as_bytes());
        }
        _ => {
            let index = index ^ 1 << (change / 4 % 8);
            let climbed = root_from_path(leaf, index, size, &path);
            return claim(climbed != Some(tree.root()), || {
                format!("merkle: leaf {at} of {size} also stands at {index}")
            });
        }
    }
    let naive: Vec<Bytes32> = path.iter().map(|hash| *hash.as_bytes()).collect();
    let expected = rules::climb(&leaves[at], at, leaves.len(), &naive);
    let climbed = root_from_path(leaf, index, size, &path);
    claim(climbed.map(|root| *root.as_bytes()) == expected && climbed != Some(tree.root()), || {
        format!("merkle: a changed path of {at} of {size} climbs to {climbed:?}")
    })
}

fn lengths(index: u64, size: u64) -> Verdict {
    let found = path_len(index, size);
    let expected = match (usize::try_from(index), usize::try_from(size)) {
        // The naive search for a power of two would overflow beyond half the range.
        (Ok(index), Ok(size)) if size <= usize::MAX / 2 => rules::path_len(index, size),
        _ => return Ok(()),
    };
    claim(found == expected, || {
        format!("merkle: {found:?} hashes for {index} of {size}, RFC 6962 has {expected:?}")
    })
}

/// Leaf `at`: its number and eight bytes of the filling, so that leaves differ even without it.
fn leaf(at: usize, filling: &[u8]) -> Bytes32 {
    let mut leaf = [0; 32];
    leaf[..8].copy_from_slice(&wide(at).to_le_bytes());
    for (byte, filling) in leaf[8..].iter_mut().zip(filling.iter().skip(at)) {
        *byte = *filling;
    }
    leaf
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

fn wide(number: usize) -> u64 {
    u64::try_from(number).expect("usize fits in u64")
}
