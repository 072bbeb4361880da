//! Properties of the Merkle trees, on random trees from the seed of the run.

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use mdsm_core::ledger::{Level, root_of};
use mdsm_core::merkle::{self, Frontier, Tree};
use mdsm_core::types::Digest;

use super::super::world::World;
use super::{Case, Check, case};
use crate::rules;

const TREES: u32 = 256;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(
            "integrity.naive",
            "roots and proofs are those of the recursive definition",
            &["STO-10", "STO-11"],
            naive,
        ),
        case(
            "integrity.change",
            "any changed, swapped, dropped or repeated leaf changes the root",
            &["STO-11"],
            change,
        ),
        case(
            "integrity.proofs",
            "a proof holds for its leaf, place and size, and for nothing else",
            &["STO-11"],
            proofs,
        ),
        case(
            "integrity.nodes",
            "an inner node does not pass for a leaf, nor a level for another",
            &["STO-10", "STO-11"],
            nodes,
        ),
    ]
}

fn check(
    world: &World,
    name: &str,
    property: impl Fn(Vec<Digest>, usize, usize) -> Result<(), TestCaseError>,
) -> Check {
    let mut seed = [0; 32];
    world.seed.stream(&format!("verify/integrity/{name}")).fill_bytes(&mut seed);
    let config = Config { cases: TREES, failure_persistence: None, ..Config::default() };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let leaf = any::<[u8; 32]>().prop_map(Digest::new);
    let tree = prop::collection::vec(leaf, 1..80);
    TestRunner::new_with_rng(config, rng)
        .run(&(tree, any::<usize>(), any::<usize>()), |(leaves, a, b)| {
            let count = leaves.len();
            property(leaves, a % count, b % count)
        })
        .map_err(|error| error.to_string())?;
    Ok(format!("{TREES} random trees"))
}

fn bytes(leaves: &[Digest]) -> Vec<[u8; 32]> {
    leaves.iter().map(|leaf| *leaf.as_bytes()).collect()
}

fn naive(world: &World) -> Check {
    check(world, "naive", |leaves, index, _| {
        let root = merkle::root_of_digests(&leaves);
        prop_assert_eq!(root.as_bytes(), &rules::merkle::root(&bytes(&leaves)));
        let mut frontier = Frontier::new();
        leaves.iter().for_each(|leaf| frontier.push(merkle::leaf_hash(leaf.as_bytes())));
        prop_assert_eq!(frontier.root(), root);
        let path = Tree::from_digests(&leaves).prove(index as u64);
        let path = path.map(|path| bytes(&path));
        prop_assert_eq!(path, Some(rules::merkle::path(&bytes(&leaves), index)));
        Ok(())
    })
}

fn change(world: &World) -> Check {
    check(world, "change", |leaves, a, b| {
        let root = root_of(Level::Window, &leaves);
        let mut changed = leaves.clone();
        let mut byte = *changed[a].as_bytes();
        byte[b % 32] ^= 1;
        changed[a] = Digest::new(byte);
        prop_assert_ne!(root_of(Level::Window, &changed), root);
        let mut swapped = leaves.clone();
        swapped.swap(a, b);
        prop_assert_eq!(root_of(Level::Window, &swapped) == root, leaves[a] == leaves[b]);
        let mut dropped = leaves.clone();
        dropped.remove(a);
        prop_assert_ne!(root_of(Level::Window, &dropped), root);
        let mut repeated = leaves.clone();
        repeated.push(leaves[leaves.len() - 1]);
        prop_assert_ne!(root_of(Level::Window, &repeated), root);
        Ok(())
    })
}

fn proofs(world: &World) -> Check {
    check(world, "proofs", |leaves, a, b| {
        let (tree, size) = (Tree::from_digests(&leaves), leaves.len() as u64);
        let (index, other) = (a as u64, b as u64);
        let leaf = merkle::leaf_hash(leaves[a].as_bytes());
        let path = tree.prove(index).expect("the index is below the size");
        let climb =
            |leaf, index, size, path: &[Digest]| merkle::root_from_path(leaf, index, size, path);
        prop_assert_eq!(climb(leaf, index, size, &path), Some(tree.root()));
        let foreign = merkle::leaf_hash(b"foreign");
        prop_assert_ne!(climb(foreign, index, size, &path), Some(tree.root()));
        if other != index && leaves[a] != leaves[b] {
            prop_assert_ne!(climb(leaf, other, size, &path), Some(tree.root()));
        }
        prop_assert_eq!(climb(leaf, size, size, &path), None);
        let longer = [&path[..], &[foreign]].concat();
        prop_assert_eq!(climb(leaf, index, size, &longer), None);
        if let Some((_, shorter)) = path.split_last() {
            prop_assert_eq!(climb(leaf, index, size, shorter), None);
        }
        for at in 0..path.len() {
            let mut forged = path.clone();
            forged[at] = foreign;
            prop_assert_ne!(climb(leaf, index, size, &forged), Some(tree.root()));
        }
        prop_assert_eq!(tree.prove(size), None);
        Ok(())
    })
}

fn nodes(world: &World) -> Check {
    check(world, "nodes", |leaves, _, _| {
        let root = merkle::root_of_digests(&leaves);
        prop_assert_ne!(merkle::root_of_digests(&[root]), root);
        let levels = [Level::Item, Level::ItemBlock, Level::DataBlock, Level::Window];
        for (at, level) in levels.iter().enumerate() {
            for other in &levels[at + 1..] {
                prop_assert_ne!(root_of(*level, &leaves), root_of(*other, &leaves));
            }
        }
        if let [left, right] = leaves[..] {
            let joined = [left.as_bytes().as_slice(), right.as_bytes()].concat();
            prop_assert_ne!(merkle::leaf_hash(&joined), root);
        }
        Ok(())
    })
}
