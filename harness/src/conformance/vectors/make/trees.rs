//! Merkle trees: roots, paths, and the attacks that have names. [STO-10] [STO-11]

use serde_json::{Value, json};

use super::super::super::class::Class;
use super::super::shape::VectorFile;
use super::{Maker, bytes, list_of_bytes, named};
use crate::rules::merkle::{level_root, path, root, sha256};
use crate::rules::mirror::Bytes32;

pub(super) fn made() -> VectorFile {
    let mut maker = Maker::new(
        "trees",
        "Merkle trees by RFC 6962 under level roots: roots, inclusion paths, and every way in which a path can lie.",
    );
    let flags = [
        (
            "last-leaf-repeated",
            "an odd last node is paired with itself",
            "two lists of leaves have one root",
            Some("CVE-2012-2459"),
        ),
        (
            "node-as-leaf",
            "leaves and inner nodes are hashed alike, or a leaf may be any digest",
            "an inner node passes as a leaf: second preimage",
            Some("https://www.rfc-editor.org/rfc/rfc6962#section-2.1"),
        ),
        (
            "path-length-unchecked",
            "a path of another length than index and size determine is climbed",
            "one proof fits several places, or a prefix of the tree is taken for it",
            None,
        ),
        (
            "size-uncommitted",
            "the number of leaves is not part of what the root commits to",
            "a proof for a smaller or larger tree passes",
            None,
        ),
        (
            "level-uncommitted",
            "the level is not part of what the root commits to",
            "a root of one level passes for one of another",
            None,
        ),
        (
            "index-unchecked",
            "an index at or above the size is taken",
            "one leaf is proved at several places",
            None,
        ),
        (
            "bound-unchecked",
            "a level may have more leaves than the format allows",
            "nodes that check the bound split from those that do not",
            None,
        ),
    ];
    for (name, bug, effect, see) in flags {
        maker.flag(name, bug, effect, see);
    }
    roots(&mut maker);
    levels(&mut maker);
    paths(&mut maker);
    proofs(&mut maker);
    attacks(&mut maker);
    maker.done()
}

/// Leaves as a level above the Item has them.
fn leaves(count: usize) -> Vec<Vec<u8>> {
    (0..count).map(|number| named(&format!("leaf {number}")).to_vec()).collect()
}

fn roots(maker: &mut Maker) {
    maker.finding(&["last-leaf-repeated"]);
    for count in (0..=9).chain([10, 15, 16, 17, 31, 33]) {
        let leaves = leaves(count);
        let ok = json!({"root": bytes(root(&leaves))});
        let args = json!({"leaves": list_of_bytes(&leaves)});
        maker.valid(format!("merkle.root.of-{count}"), "merkle.root", args, ok, &["STO-10.3"]);
    }
    let odd: [&[u8]; 3] = [b"", b"\x00", b"\x01\x02"];
    let args = json!({"leaves": list_of_bytes(odd)});
    let ok = json!({"root": bytes(root(&odd))});
    maker.valid("merkle.root.leaves-of-any-length", "merkle.root", args, ok, &["STO-10.3"]);
}

fn levels(maker: &mut Maker) {
    let of = |level: u8, count: usize| {
        let leaves: Vec<Vec<u8>> = if count > 40 { vec![vec![]; count] } else { leaves(count) };
        let args = json!({"level": level, "leaves": list_of_bytes(&leaves)});
        (args, level_root(level, count, &root(&leaves)))
    };
    maker.finding(&["level-uncommitted", "size-uncommitted"]);
    let sound = [
        (1, 1),
        (1, 2),
        (1, 7),
        (1, 10),
        (2, 1),
        (2, 11),
        (2, 33),
        (2, 16_384),
        (3, 1),
        (3, 9),
        (3, 10),
        (4, 0),
        (4, 1),
        (4, 2),
        (4, 40),
    ];
    for (level, count) in sound {
        let ((args, root), id) = (of(level, count), format!("merkle.level.{level}-of-{count}"));
        let of = if count == 0 { "STO-13.5" } else { "STO-10.5" };
        maker.valid(id, "merkle.level", args, json!({"root": bytes(root)}), &[of]);
    }
    maker.finding(&["bound-unchecked"]);
    let wrong = [
        (0, 1, "STO-10.5"),
        (5, 1, "STO-10.5"),
        (255, 3, "STO-10.5"),
        (1, 0, "STO-3.2"),
        (1, 11, "STO-3.1"),
        (2, 0, "STO-10.7"),
        (2, 16_385, "STO-10.4"),
        (3, 0, "STO-10.1"),
        (3, 11, "STO-10.1"),
    ];
    for (level, count, sentence) in wrong {
        let ((args, _), id) = (of(level, count), format!("merkle.level.{level}-of-{count}"));
        maker.invalid(id, "merkle.level", args, &[Class::Bound], &[sentence]);
    }
}

fn paths(maker: &mut Maker) {
    maker.finding(&["last-leaf-repeated"]);
    for (count, index) in [(1, 0), (2, 1), (3, 2), (5, 4), (7, 6), (10, 0), (10, 9), (13, 12)] {
        let leaves = leaves(count);
        let args = json!({"leaves": list_of_bytes(&leaves), "index": index});
        let ok = json!({"path": list_of_bytes(path(&leaves, index))});
        let id = format!("merkle.path.{index}-of-{count}");
        maker.valid(id, "merkle.path", args, ok, &["STO-11.2"]);
    }
    maker.finding(&["index-unchecked"]);
    for (count, index) in [(0, 0), (1, 1), (3, 3), (4, 7), (2, u32::MAX)] {
        let args = json!({"leaves": list_of_bytes(leaves(count)), "index": index});
        let id = format!("merkle.path.{index}-of-{count}");
        maker.invalid(id, "merkle.path", args, &[Class::Shape], &["STO-11.3"]);
    }
}

/// What a prover claims.
#[derive(Clone)]
pub(super) struct Claim {
    level: u8,
    leaf: Vec<u8>,
    pub(super) index: usize,
    size: usize,
    path: Vec<Bytes32>,
    pub(super) root: Bytes32,
}

impl Claim {
    pub(super) fn sound(level: u8, index: usize, size: usize) -> Self {
        let leaves = leaves(size);
        let root = level_root(level, size, &root(&leaves));
        Self { level, leaf: leaves[index].clone(), index, size, path: path(&leaves, index), root }
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "level": self.level, "leaf": bytes(&self.leaf), "index": self.index, "size": self.size,
            "path": list_of_bytes(&self.path), "root": bytes(self.root),
        })
    }

    pub(super) fn with(&self, change: impl Fn(&mut Self)) -> Self {
        let mut claim = self.clone();
        change(&mut claim);
        claim
    }
}

fn proofs(maker: &mut Maker) {
    maker.finding(&[]);
    let sound = [
        (1, 0, 1),
        (1, 0, 2),
        (1, 1, 2),
        (1, 2, 3),
        (1, 9, 10),
        (2, 0, 5),
        (2, 4, 5),
        (2, 6, 7),
        (2, 32, 33),
        (3, 3, 4),
        (3, 8, 9),
        (4, 10, 11),
        (4, 16, 17),
    ];
    for (level, index, size) in sound {
        let id = format!("merkle.verify.sound-{level}-{index}-of-{size}");
        let args = Claim::sound(level, index, size).json();
        maker.valid(id, "merkle.verify", args, json!({}), &["STO-11.2"]);
    }
}

fn attacks(maker: &mut Maker) {
    let shape_or_root = [Class::Shape, Class::Root];
    let mut attack = |flag, id: &str, claim: Claim, classes: &[Class], of: &str| {
        maker.finding(&[flag]);
        let id = format!("merkle.verify.{id}");
        maker.invalid(id, "merkle.verify", claim.json(), classes, &[of]);
    };
    let node = |left: &Bytes32, right: &Bytes32| sha256(&[&[0x01], left, right]);
    let leaf = |bytes: &[u8]| sha256(&[&[0x00], bytes]);

    let three = Claim::sound(2, 2, 3);
    let last = leaf(&three.leaf);
    let left = three.path[0];
    // The fourth leaf is the third again, with the path that it would have.
    let fourth =
        three.with(|claim| (claim.index, claim.size, claim.path) = (3, 4, vec![last, left]));
    attack(
        "last-leaf-repeated",
        "duplicated-last-leaf",
        fourth.clone(),
        &[Class::Root],
        "STO-11.6",
    );
    let of_three = fourth.with(|claim| claim.size = 3);
    attack(
        "last-leaf-repeated",
        "duplicated-last-leaf-same-size",
        of_three,
        &[Class::Shape],
        "STO-11.6",
    );
    let repeated = node(&left, &node(&last, &last));
    let paired = three.with(|claim| {
        claim.path = vec![last, left];
        claim.root = level_root(2, 3, &repeated);
    });
    attack(
        "last-leaf-repeated",
        "last-leaf-paired-with-itself",
        paired,
        &[Class::Shape],
        "STO-11.6",
    );
    let promoted = three.with(|claim| claim.root = level_root(2, 3, &repeated));
    attack("last-leaf-repeated", "root-of-a-repeating-tree", promoted, &[Class::Root], "STO-10.3");

    let four = Claim::sound(2, 0, 4);
    let hashes: Vec<Bytes32> = leaves(4).iter().map(|bytes| leaf(bytes)).collect();
    let (low, high) = (node(&hashes[0], &hashes[1]), node(&hashes[2], &hashes[3]));
    for (id, pretended) in [
        ("two-hashes-as-leaf", [hashes[0], hashes[1]].concat()),
        ("node-preimage-as-leaf", [&[0x01][..], &hashes[0], &hashes[1]].concat()),
        ("inner-node-as-leaf", low.to_vec()),
    ] {
        let claim = four.with(|claim| {
            (claim.leaf, claim.size, claim.path) = (pretended.clone(), 2, vec![high]);
        });
        attack("node-as-leaf", id, claim.clone(), &[Class::Root], "STO-11.5");
        // The tree of two inner nodes, under a root that says so.
        let tree = node(&low, &high);
        let forged = claim.with(|claim| claim.root = level_root(2, 2, &tree));
        attack(
            "node-as-leaf",
            &format!("{id}-under-its-own-size"),
            forged,
            &[Class::Root],
            "STO-11.5",
        );
    }
    let unhashed = Claim::sound(2, 0, 1).with(|claim| {
        claim.root = level_root(2, 1, &claim.leaf.clone().try_into().unwrap_or([0; 32]));
    });
    attack("node-as-leaf", "leaf-that-is-not-hashed", unhashed, &[Class::Root], "STO-11.5");

    let nine = Claim::sound(3, 4, 9);
    let cut = nine.with(|claim| claim.path.truncate(claim.path.len() - 1));
    attack("path-length-unchecked", "truncated-path", cut, &[Class::Shape], "STO-11.3");
    let from_below = nine.with(|claim| claim.path = claim.path[1..].to_vec());
    attack(
        "path-length-unchecked",
        "path-truncated-below",
        from_below,
        &[Class::Shape],
        "STO-11.3",
    );
    let longer = nine.with(|claim| claim.path.push([0; 32]));
    attack("path-length-unchecked", "extended-path", longer, &[Class::Shape], "STO-11.3");
    let below = nine.with(|claim| claim.path.insert(0, [0; 32]));
    attack("path-length-unchecked", "path-extended-below", below, &[Class::Shape], "STO-11.3");
    let empty = nine.with(|claim| claim.path.clear());
    attack("path-length-unchecked", "empty-path", empty, &[Class::Shape], "STO-11.3");
    let sole = Claim::sound(1, 0, 1).with(|claim| claim.path.push([7; 32]));
    attack("path-length-unchecked", "path-of-a-sole-leaf", sole, &[Class::Shape], "STO-11.3");
    // The subtree's own root instead of the leaf: a prefix of the tree is taken for all of it.
    let prefix = nine.with(|claim| {
        (claim.leaf, claim.index, claim.size) = (claim.path[0].to_vec(), 0, 1);
        claim.path.clear();
    });
    attack("path-length-unchecked", "sibling-as-sole-leaf", prefix, &[Class::Root], "STO-11.4");

    for (id, size) in [("smaller-size", 8), ("size-of-one-less", 5), ("larger-size", 10)] {
        let claim = nine.with(|claim| claim.size = size);
        attack("size-uncommitted", id, claim, &shape_or_root, "STO-11.4");
    }
    // Between 5 and 8 leaves the path of leaf 0 has one length.
    let five = Claim::sound(2, 0, 5);
    for size in [6, 7, 8] {
        let id = format!("size-{size}-with-a-path-that-fits");
        attack(
            "size-uncommitted",
            &id,
            five.with(|claim| claim.size = size),
            &[Class::Root],
            "STO-11.4",
        );
    }
    let raw = five.with(|claim| claim.root = root(&leaves(5)));
    attack("size-uncommitted", "tree-root-in-place-of-level-root", raw, &[Class::Root], "STO-10.5");
    for level in [1, 3, 4] {
        let id = format!("level-{level}-in-place-of-2");
        attack(
            "level-uncommitted",
            &id,
            five.with(|claim| claim.level = level),
            &[Class::Root],
            "STO-10.5",
        );
    }

    for (id, index) in [("index-is-size", 9), ("index-above-size", 12)] {
        attack(
            "index-unchecked",
            id,
            nine.with(|claim| claim.index = index),
            &[Class::Shape],
            "STO-11.3",
        );
    }
    let nothing = nine.with(|claim| (claim.index, claim.size) = (0, 0));
    attack("index-unchecked", "no-leaves", nothing, &[Class::Shape], "STO-11.3");
    for index in [0, 3, 5, 6] {
        let id = format!("another-index-{index}");
        attack(
            "index-unchecked",
            &id,
            nine.with(|claim| claim.index = index),
            &shape_or_root,
            "STO-11.1",
        );
    }
    let eleven = Claim::sound(1, 10, 11);
    attack("bound-unchecked", "item-of-11", eleven, &shape_or_root, "STO-3.1");
    let eleven = Claim::sound(3, 10, 11);
    attack("bound-unchecked", "data-block-of-11", eleven, &shape_or_root, "STO-10.1");

    let other = nine.with(|claim| claim.leaf[31] ^= 1);
    attack("path-length-unchecked", "another-leaf", other, &[Class::Root], "STO-11.1");
    for at in 0..nine.path.len() {
        let id = format!("another-sibling-{at}");
        attack(
            "path-length-unchecked",
            &id,
            nine.with(|claim| claim.path[at][0] ^= 1),
            &[Class::Root],
            "STO-11.1",
        );
    }
    let swapped = nine.with(|claim| claim.path.swap(0, 1));
    attack("path-length-unchecked", "siblings-swapped", swapped, &[Class::Root], "STO-11.1");
}
