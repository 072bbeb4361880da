//! STO-10 and STO-11: trees, level roots, and what a forger tries.

use harness::build::{self, anchored};
use mdsm_core::codec::Wire as _;
use mdsm_core::ledger::*;
use mdsm_core::merkle::{self, Tree, leaf_hash, node_hash, root_of_digests};
use mdsm_core::types::*;

use super::drawn::chain_id;
use super::naive::{self, level_root_of, sha};

fn digests(count: usize) -> Vec<Digest> {
    (0..count).map(|at| Digest::new(sha(&[&at.to_le_bytes()]))).collect()
}

fn bytes(digests: &[Digest]) -> Vec<Vec<u8>> {
    digests.iter().map(|digest| digest.as_bytes().to_vec()).collect()
}

#[test]
fn sto_10_2_roots_are_computed_layer_by_layer() {
    //= harness/spec/storage.md#sto-10-data-block-and-trees
    //= type=test
    //# STO-10.2 (paper): The Merkle root of a data block MUST be computed layer by layer from the
    //# hashes of records, of Items and of Item blocks.
    //= harness/spec/storage.md#sto-10-data-block-and-trees
    //= type=test
    //# STO-10.6 (ours): The leaves of an Item's tree MUST be the top-level encodings of its
    //# bookings, and the leaves of every higher tree the level roots of the level below.
    let anchored = anchored();
    // From the bookings up, with SHA-256 alone.
    let item_root = |item: &Item| {
        let leaves: Vec<_> =
            item.records.iter().map(|record| record.booking().to_bytes()).collect();
        naive::level_root(1, &leaves)
    };
    let items: Vec<_> = anchored.items.iter().map(item_root).collect();
    for (item, root) in anchored.items.iter().zip(&items) {
        assert_eq!(item.root().as_bytes(), root);
    }
    // Twelve turns of three Items and one of four; ten Item blocks make a data block.
    let mut turns: Vec<_> = items[..36].chunks(3).map(|items| level_root_of(2, items)).collect();
    turns.push(level_root_of(2, &items[36..]));
    let data_blocks: Vec<_> = turns.chunks(10).map(|turns| level_root_of(3, turns)).collect();
    let of_anchored: Vec<_> =
        anchored.frozen.data_blocks.iter().map(|block| *block.root().as_bytes()).collect();
    assert_eq!(of_anchored, data_blocks);
    assert_eq!(*anchored.frozen.window.root().as_bytes(), level_root_of(4, &data_blocks));
}

#[test]
fn sto_10_3_trees_have_the_shape_and_hashing_of_rfc_6962() {
    //= harness/spec/storage.md#sto-10-data-block-and-trees
    //= type=test
    //# STO-10.3 (ours): The tree of each level MUST have the shape and the hashing of RFC 6962,
    //# with `0x00` before a leaf, `0x01` before two children and no node repeated.
    for count in (0..=70).chain([511, 512, 513, 1_025]) {
        let leaves = digests(count);
        let root = Digest::new(naive::tree(&bytes(&leaves)));
        assert_eq!(root_of_digests(&leaves), root, "{count}");
        assert_eq!(Tree::from_digests(&leaves).root(), root, "{count}");
        let mut frontier = merkle::Frontier::new();
        leaves.iter().for_each(|leaf| frontier.push(leaf_hash(leaf.as_bytes())));
        assert_eq!(frontier.root(), root, "{count}");
    }
    let [a, b] = [[1; 32], [2; 32]].map(Digest::new);
    assert_eq!(*leaf_hash(b"x").as_bytes(), sha(&[&[0], b"x"]));
    assert_eq!(*node_hash(&a, &b).as_bytes(), sha(&[&[1], &[1; 32], &[2; 32]]));
}

#[test]
fn sto_10_5_a_level_root_commits_to_level_count_and_tree() {
    //= harness/spec/storage.md#sto-10-data-block-and-trees
    //= type=test
    //# STO-10.5 (ours): The root of a level MUST be the SHA-256 digest of `0x02`, the number of the
    //# level, the number of its leaves and the root of its tree, as drawn under Hashing.
    let levels = [Level::Item, Level::ItemBlock, Level::DataBlock, Level::Window];
    for (level, number) in levels.into_iter().zip(1..) {
        for count in [0, 1, 10, 256, 65_536_u32] {
            let tree = Digest::new([7; 32]);
            let expected = sha(&[&[2, number], &count.to_le_bytes(), &[7; 32]]);
            assert_eq!(*level_root(level, count, &tree).as_bytes(), expected);
        }
        let leaves = digests(5);
        assert_eq!(*root_of(level, &leaves).as_bytes(), naive::level_root(number, &bytes(&leaves)));
    }
}

#[test]
fn sto_10_6_leaves_are_bookings_below_and_level_roots_above() {
    //= harness/spec/storage.md#sto-10-data-block-and-trees
    //= type=test
    //# STO-10.6 (ours): The leaves of an Item's tree MUST be the top-level encodings of its
    //# bookings, and the leaves of every higher tree the level roots of the level below.
    let item = build::item(&chain_id(), 0..3);
    let bookings: Vec<_> = item.records.iter().map(Envelope::booking).collect();
    for (booking, leaf) in bookings.iter().zip(item.leaf_hashes()) {
        assert_eq!(*leaf.as_bytes(), sha(&[&[0], b"MBKG\x01", &booking.to_bytes()[5..]]));
    }
    let roots = digests(4);
    let bounded = || List::new(roots.clone()).unwrap();
    let epoch = Epoch::new(0);
    let data_block = DataBlock { epoch, index: 0, item_blocks: List::new(roots.clone()).unwrap() };
    assert_eq!(*data_block.root().as_bytes(), naive::level_root(3, &bytes(&roots)));
    let window = Window { epoch, data_blocks: bounded() };
    assert_eq!(*window.root().as_bytes(), naive::level_root(4, &bytes(&roots)));
}

#[test]
fn sto_11_1_any_changed_byte_of_a_booking_changes_every_root_above() {
    //= harness/spec/storage.md#sto-11-change-and-proof
    //= type=test
    //# STO-11.1 (paper): A change of any byte of a booking MUST change the root of every level
    //# above it.
    let receipt = anchored().receipt(38, 3);
    let sound = receipt.window_root().unwrap();
    assert_eq!(sound, anchored().frozen.window.root());
    let bytes = receipt.booking.to_bytes();
    let mut roots = std::collections::BTreeSet::from([sound]);
    let mut readable = 0;
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        let Ok(booking) = Booking::from_bytes(&changed) else { continue };
        readable += 1;
        let forged = Receipt { booking, ..receipt.clone() };
        assert_ne!(forged.booking.leaf_hash(), receipt.booking.leaf_hash());
        assert!(roots.insert(forged.window_root().unwrap()), "byte {at}");
    }
    assert!(readable > 130, "keys, digests, signature, times: {readable}");
    // And of the content, which the booking commits to.
    let id = chain_id();
    let (one, other) =
        (build::envelope(&id, 1), build::inline(&build::key(2), b"Content of record 1"));
    let other = Envelope { record: other, ..one.clone() };
    assert_ne!(build::item_of(vec![one]).root(), build::item_of(vec![other]).root());
}

fn log2_up(leaves: u32) -> u32 {
    leaves.next_power_of_two().ilog2()
}

#[test]
fn sto_11_2_paths_are_logarithmic() {
    //= harness/spec/storage.md#sto-11-change-and-proof
    //= type=test
    //# STO-11.2 (paper): A record MUST be provable under the root of its window by a path of at
    //# most the sum, over the four trees, of the binary logarithm of the number of leaves, each
    //# rounded up.
    let anchored = anchored();
    for (at, item) in anchored.items.iter().enumerate() {
        for record in 0..item.records.len() {
            let receipt = anchored.receipt(at, record);
            let sizes = receipt.position.levels().map(|(_, _, size)| size);
            let bound: u32 = sizes.into_iter().map(log2_up).sum();
            assert!(receipt.path.len() <= usize::try_from(bound).unwrap());
            assert_eq!(receipt.window_root(), Ok(anchored.frozen.window.root()));
            assert_eq!(receipt.anchor_root(), Ok(anchored.frozen.anchor.root()));
        }
    }
    for count in [1, 2, 3, 10, 1_000, 16_384, 65_536] {
        let tree = Tree::from_digests(&digests(usize::try_from(count).unwrap()));
        for index in [0, count / 2, count - 1] {
            let path = tree.prove(index.into()).unwrap();
            assert!(path.len() <= usize::try_from(log2_up(count)).unwrap());
        }
    }
}

#[test]
fn sto_11_3_an_index_outside_the_tree_and_a_path_of_another_length_are_refused() {
    //= harness/spec/storage.md#sto-11-change-and-proof
    //= type=test
    //# STO-11.3 (ours): A verifier MUST refuse an index that is not below the number of leaves, and
    //# a path whose number of hashes is not the one that both determine.
    let receipt = anchored().receipt(38, 3);
    let with = |change: &dyn Fn(&mut Position)| {
        let mut forged = receipt.clone();
        change(&mut forged.position);
        forged.window_root()
    };
    let outside = |level, index, size| Err(ReceiptError::Position { level, index, size });
    let Position { item_size, block_size, data_size, window_size, .. } = receipt.position;
    assert_eq!((item_size, block_size, data_size, window_size), (10, 4, 3, 2));
    assert_eq!(with(&|p| p.item_index = 10), outside(Level::Item, 10, 10));
    assert_eq!(with(&|p| p.block_index = 4), outside(Level::ItemBlock, 4, 4));
    assert_eq!(with(&|p| p.data_index = 3), outside(Level::DataBlock, 3, 3));
    assert_eq!(with(&|p| p.window_index = 2), outside(Level::Window, 2, 2));
    assert_eq!(with(&|p| p.window_index = u32::MAX), outside(Level::Window, u32::MAX, 2));
    assert_eq!(with(&|p| p.item_size = 0), outside(Level::Item, 3, 0));
    let too_many = |level, size, size_max| Err(ReceiptError::Size { level, size, size_max });
    assert_eq!(with(&|p| p.item_size = 11), too_many(Level::Item, 11, 10));
    assert_eq!(with(&|p| p.block_size = 16_385), too_many(Level::ItemBlock, 16_385, 16_384));
    assert_eq!(with(&|p| p.data_size = 11), too_many(Level::DataBlock, 11, 10));
    assert_eq!(with(&|p| p.window_size = 65_537), too_many(Level::Window, 65_537, 65_536));

    let hashes_expected = receipt.path.len();
    for hashes in (0..=64).filter(|hashes| *hashes != hashes_expected) {
        let mut path = receipt.path.to_vec();
        path.resize(hashes, Digest::new([0; 32]));
        let forged = Receipt { path: List::new(path).unwrap(), ..receipt.clone() };
        assert_eq!(forged.window_root(), Err(ReceiptError::Path { hashes, hashes_expected }));
    }
}

#[test]
fn sto_11_4_a_proof_for_another_number_of_leaves_leads_elsewhere() {
    //= harness/spec/storage.md#sto-11-change-and-proof
    //= type=test
    //# STO-11.4 (ours): A verifier MUST refuse a proof that states another number of leaves than
    //# the level root commits to.
    let root = anchored().frozen.window.root();
    let mut kept_shape = 0;
    for (item, record) in [(38, 3), (39, 2), (0, 0), (20, 9)] {
        let receipt = anchored().receipt(item, record);
        let with = |change: &dyn Fn(&mut Position)| {
            let mut forged = receipt.clone();
            change(&mut forged.position);
            (forged.position != receipt.position).then(|| forged.window_root())
        };
        let claims = (0..=11).flat_map(|size: u8| {
            [
                with(&|p| p.item_size = size),
                with(&|p| p.block_size = size.into()),
                with(&|p| p.data_size = size),
                with(&|p| p.window_size = size.into()),
            ]
        });
        for claim in claims.flatten() {
            assert_ne!(claim, Ok(root));
            kept_shape += usize::from(claim.is_ok());
        }
    }
    assert!(kept_shape > 0, "the path has the right length for some of these");

    // Trees of another size in which the same path leads to the same tree root.
    let mut only_the_count = 0;
    for size in 1..=24_u32 {
        let leaves = digests(usize::try_from(size).unwrap());
        let tree = Tree::from_digests(&leaves);
        for index in 0..size {
            let path = tree.prove(index.into()).unwrap();
            let leaf = leaf_hash(leaves[usize::try_from(index).unwrap()].as_bytes());
            for other in (1..=40).filter(|other| *other != size) {
                let climbed = merkle::root_from_path(leaf, index.into(), other.into(), &path);
                let Some(climbed) = climbed else { continue };
                only_the_count += u32::from(climbed == tree.root());
                for level in [Level::Item, Level::ItemBlock, Level::DataBlock, Level::Window] {
                    let claimed = level_root(level, other, &climbed);
                    assert_ne!(claimed, level_root(level, size, &tree.root()));
                }
            }
        }
    }
    assert!(only_the_count > 100, "the count alone tells these apart: {only_the_count}");
}

#[test]
fn sto_11_5_an_inner_node_is_no_leaf() {
    //= harness/spec/storage.md#sto-11-change-and-proof
    //= type=test
    //# STO-11.5 (ours): A verifier MUST refuse an inner node of a tree that is offered as a leaf.
    // Two trees whose layers meet: the nodes over four leaves, offered as two leaves.
    let leaves = digests(4);
    let hashes = leaves.iter().map(|leaf| leaf_hash(leaf.as_bytes())).collect::<Vec<_>>();
    let nodes = [node_hash(&hashes[0], &hashes[1]), node_hash(&hashes[2], &hashes[3])];
    let root = root_of_digests(&leaves);
    assert_eq!(node_hash(&nodes[0], &nodes[1]), root);
    assert_ne!(root_of_digests(&nodes), root, "as leaf data");
    let joined = [nodes[0].as_bytes(), &nodes[1].as_bytes()[..]].concat();
    assert_ne!(leaf_hash(&joined), root, "64 bytes as the only leaf");
    // Offered as leaf hashes, they give the same tree root; the count tells them apart.
    assert_eq!(merkle::root_of_hashes(&nodes), root);
    for level in [Level::Item, Level::ItemBlock, Level::DataBlock, Level::Window] {
        assert_ne!(level_root(level, 2, &root), root_of(level, &leaves));
    }

    // In a receipt: the node above a booking, with one step less and half the index.
    let receipt = anchored().receipt(38, 3);
    let node = node_hash(&receipt.path[0], &receipt.booking.leaf_hash());
    let climbed = merkle::root_from_path(node, 1, 5, &receipt.path[1..4]);
    let in_full = merkle::root_from_path(receipt.booking.leaf_hash(), 3, 10, &receipt.path[..4]);
    assert_eq!(climbed, in_full, "the same tree root");
    let roots = [(5, climbed), (10, in_full)]
        .map(|(count, tree)| level_root(Level::Item, count, &tree.unwrap()));
    assert_ne!(roots[0], roots[1]);
    // A level root of one level is none of another.
    let leaves = digests(3);
    assert_ne!(root_of(Level::DataBlock, &leaves), root_of(Level::Window, &leaves));
}

#[test]
fn sto_11_6_a_repeated_last_leaf_makes_another_root() {
    //= harness/spec/storage.md#sto-11-change-and-proof
    //= type=test
    //# STO-11.6 (ours): Two different lists of leaves MUST have different level roots, also when
    //# one is the other with its last leaf repeated.
    for count in 1..=9 {
        for level in [Level::Item, Level::ItemBlock, Level::DataBlock, Level::Window] {
            let mut leaves = digests(count);
            let root = root_of(level, &leaves);
            leaves.push(leaves[count - 1]);
            assert_ne!(root_of(level, &leaves), root, "{count} leaves and the last again");
            leaves.extend_from_within(..);
            assert_ne!(root_of(level, &leaves), root);
        }
    }
    // As CVE-2012-2459: 6 leaves, and 8 with the last two again.
    let leaves = digests(6);
    let repeated = [&leaves[..], &leaves[4..]].concat();
    assert_ne!(root_of_digests(&leaves), root_of_digests(&repeated));
    let item = build::item(&chain_id(), 0..3);
    let mut records = item.records.to_vec();
    records.push(records[2].clone());
    assert_ne!(build::item_of(records).root(), item.root());
}
