//! Checking an inclusion path. [STO-11]

use super::root::node_hash;
use crate::types::Digest;

/// Hashes on the inclusion path of leaf `index` in a tree of `size` leaves; at most 64.
///
/// `None` when the tree has no such leaf.
#[must_use]
pub fn path_len(index: u64, size: u64) -> Option<usize> {
    if index >= size {
        return None;
    }
    Some(sides(index, size - 1).count())
}

/// The root that the path leads to from a leaf's hash; the caller compares it with the root it trusts.
///
/// The path runs leaf upwards. `None` when the tree has no such leaf or the path is too short or too
/// long for it, so that no leaf passes at two places.
#[must_use]
pub fn root_from_path(leaf_hash: Digest, index: u64, size: u64, path: &[Digest]) -> Option<Digest> {
    //= harness/spec/storage.md#sto-11-change-and-proof
    //# STO-11.3 (ours): A verifier MUST refuse an index that is not below the number of leaves, and
    //# a path whose number of hashes is not the one that both determine.
    if path_len(index, size)? != path.len() {
        return None;
    }
    let climb = |hash: Digest, (side, sibling): (Side, &Digest)| match side {
        Side::Left => node_hash(sibling, &hash),
        Side::Right => node_hash(&hash, sibling),
    };
    Some(sides(index, size - 1).zip(path).fold(leaf_hash, climb))
}

/// On which side of the climbing hash its sibling stands.
#[derive(Clone, Copy)]
enum Side {
    Left,
    Right,
}

/// The siblings of a climb from `index`, where `last` is the index of the last leaf.
fn sides(index: u64, last: u64) -> impl Iterator<Item = Side> {
    let layers = u64::BITS - last.leading_zeros();
    (0..layers).filter_map(move |layer| {
        let (at, last) = (index >> layer, last >> layer);
        if at % 2 == 1 {
            Some(Side::Left)
        } else if at < last {
            Some(Side::Right)
        } else {
            // An odd last node is carried up unpaired.
            None
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merkle::naive;

    /// What a prover says of one leaf, true to the definition.
    struct Claim {
        leaf: Digest,
        index: u64,
        size: u64,
        path: Vec<Digest>,
        root: Digest,
    }

    impl Claim {
        fn climb(&self) -> Option<Digest> {
            root_from_path(self.leaf, self.index, self.size, &self.path)
        }
    }

    /// Every leaf of every tree up to this size.
    fn claims(size_max: usize) -> impl Iterator<Item = Claim> {
        (1..=size_max).flat_map(|count| {
            let hashes = naive::hashes(count);
            let (root, paths) = naive::tree(&hashes);
            let size = u64::try_from(count).unwrap();
            let leaves = hashes.into_iter().zip(0..).zip(paths);
            leaves.map(move |((leaf, index), path)| Claim { leaf, index, size, path, root })
        })
    }

    #[test]
    fn every_path_of_the_definition_leads_to_its_root() {
        for claim in claims(130) {
            let Claim { index, size, .. } = claim;
            assert_eq!(path_len(index, size), Some(claim.path.len()));
            assert_eq!(claim.climb(), Some(claim.root), "{index} of {size}");
        }
    }

    #[test]
    fn a_path_of_the_wrong_length_leads_nowhere() {
        //= harness/spec/storage.md#sto-11-change-and-proof
        //= type=test
        //# STO-11.3 (ours): A verifier MUST refuse an index that is not below the number of leaves, and
        //# a path whose number of hashes is not the one that both determine.
        for mut claim in claims(40) {
            claim.path.push(claim.root);
            assert_eq!(claim.climb(), None, "extended");
            claim.path.pop();
            while claim.path.pop().is_some() {
                assert_eq!(claim.climb(), None, "truncated");
            }
        }
    }

    #[test]
    fn an_index_outside_the_tree_is_refused() {
        //= harness/spec/storage.md#sto-11-change-and-proof
        //= type=test
        //# STO-11.3 (ours): A verifier MUST refuse an index that is not below the number of leaves, and
        //# a path whose number of hashes is not the one that both determine.
        let hash = naive::hashes(1)[0];
        for size in [0, 1, 2, 3, 10, 1 << 32, u64::MAX] {
            for index in [size, size.saturating_add(1), u64::MAX] {
                assert_eq!(path_len(index, size), None);
                for length in [0, 1, 64] {
                    assert_eq!(root_from_path(hash, index, size, &vec![hash; length]), None);
                }
            }
        }
    }

    #[test]
    fn sto_11_another_leaf_place_or_sibling_leads_to_another_root() {
        let forged = naive::hashes(200)[199];
        for Claim { leaf, index, size, mut path, root } in claims(24) {
            assert_ne!(root_from_path(forged, index, size, &path), Some(root));
            for other in (0..size).filter(|other| *other != index) {
                assert_ne!(root_from_path(leaf, other, size, &path), Some(root));
            }
            for at in 0..path.len() {
                let sibling = std::mem::replace(&mut path[at], forged);
                assert_ne!(root_from_path(leaf, index, size, &path), Some(root));
                path[at] = sibling;
            }
        }
    }

    #[test]
    fn the_largest_trees_do_not_overflow() {
        let hash = naive::hashes(1)[0];
        assert_eq!(path_len(0, u64::MAX), Some(64));
        assert_eq!(path_len(u64::MAX - 1, u64::MAX), Some(63));
        assert_eq!(path_len(1 << 63, (1 << 63) + 1), Some(1));
        assert!(root_from_path(hash, 0, u64::MAX, &[hash; 64]).is_some());
        assert_eq!(root_from_path(hash, 0, u64::MAX, &[hash; 65]), None);
    }
}
