//! Wrong trees. [STO-10] [STO-11]

use serde_json::{Value, json};

use super::{Wrong, reject};
use crate::conformance::class::Class;
use crate::conformance::reference::{self, Answer};
use crate::conformance::value::{Field, FieldError, bytes, list_of_bytes};
use crate::rules::merkle::{path_len, sha256};

type Hash = [u8; 32];

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Bug {
    None,
    OddRepeated,
    LeafBare,
    NodeBare,
    Halves,
    PairsSorted,
    PairsTurned,
    EmptyZeros,
    LevelIsTree,
    LevelUnnumbered,
    LevelUncounted,
    LevelBigEndian,
    LevelEleven,
    PathDownward,
    PathByBits,
    PathLonger,
    IndexWraps,
    IndexAtSize,
    SizeIn16Bits,
    RootUnchecked,
}

pub(super) const MUTANTS: &[(&str, Wrong)] = &[
    ("merkle-odd-repeated", |op, args| Bug::OddRepeated.answer(op, args)),
    ("merkle-leaf-bare", |op, args| Bug::LeafBare.answer(op, args)),
    ("merkle-node-bare", |op, args| Bug::NodeBare.answer(op, args)),
    ("merkle-halves", |op, args| Bug::Halves.answer(op, args)),
    ("merkle-pairs-sorted", |op, args| Bug::PairsSorted.answer(op, args)),
    ("merkle-pairs-turned", |op, args| Bug::PairsTurned.answer(op, args)),
    ("merkle-empty-zeros", |op, args| Bug::EmptyZeros.answer(op, args)),
    ("merkle-level-is-tree", |op, args| Bug::LevelIsTree.answer(op, args)),
    ("merkle-level-unnumbered", |op, args| Bug::LevelUnnumbered.answer(op, args)),
    ("merkle-level-uncounted", |op, args| Bug::LevelUncounted.answer(op, args)),
    ("merkle-level-big-endian", |op, args| Bug::LevelBigEndian.answer(op, args)),
    ("merkle-level-eleven", |op, args| Bug::LevelEleven.answer(op, args)),
    ("merkle-path-downward", |op, args| Bug::PathDownward.answer(op, args)),
    ("merkle-path-by-bits", |op, args| Bug::PathByBits.answer(op, args)),
    ("merkle-path-longer", |op, args| Bug::PathLonger.answer(op, args)),
    ("merkle-index-wraps", |op, args| Bug::IndexWraps.answer(op, args)),
    ("merkle-index-at-size", |op, args| Bug::IndexAtSize.answer(op, args)),
    ("merkle-size-in-16-bits", |op, args| Bug::SizeIn16Bits.answer(op, args)),
    ("merkle-root-unchecked", |op, args| Bug::RootUnchecked.answer(op, args)),
];

impl Bug {
    pub(super) fn answer(self, op: &str, args: &Value) -> Option<Answer> {
        self.call(op, &Field::whole("args", args), args).ok().flatten()
    }

    fn call(self, op: &str, field: &Field<'_>, args: &Value) -> Result<Option<Answer>, FieldError> {
        let leaves = || field.get("leaves")?.each(Field::bytes);
        let hashed = || {
            let leaves: Vec<Vec<u8>> = leaves()?;
            Ok::<Vec<Hash>, FieldError>(leaves.iter().map(|leaf| self.leaf(leaf)).collect())
        };
        Ok(Some(match op {
            "merkle.root" => Answer::Ok(json!({"root": bytes(self.root(&hashed()?))})),
            "merkle.level" => {
                let level: u8 = field.get("level")?.integer()?;
                if let Answer::Reject { .. } = reference::answer(op, args)
                    && (self != Self::LevelEleven || !(1..=4).contains(&level))
                {
                    return Ok(None);
                }
                let leaves = hashed()?;
                let root = self.level(level, leaves.len(), &self.root(&leaves));
                Answer::Ok(json!({"root": bytes(root)}))
            }
            "merkle.path" => {
                let (leaves, index) = (hashed()?, index(field, "index")?);
                if index >= leaves.len() {
                    return Ok(None);
                }
                let mut path = self.path(&leaves, index);
                if self == Self::PathDownward {
                    path.reverse();
                }
                Answer::Ok(json!({"path": list_of_bytes(path)}))
            }
            "merkle.verify" => self.verify(field)?,
            _ => return Ok(None),
        }))
    }

    fn verify(self, field: &Field<'_>) -> Result<Answer, FieldError> {
        let (level, leaf): (u8, _) = (field.get("level")?.integer()?, field.get("leaf")?.bytes()?);
        let (mut index, size) = (index(field, "index")?, index(field, "size")?);
        let mut path: Vec<Hash> = field.get("path")?.each(Field::array)?;
        let root: Hash = field.get("root")?.array()?;
        let most = [10, 16_384, 10, 65_536].get(usize::from(level).wrapping_sub(1)).copied();
        if most.is_none_or(|most| size > most && self != Self::LevelEleven) {
            return Ok(reject(if most.is_none() { Class::Bound } else { Class::Shape }));
        }
        if self == Self::IndexWraps && size > 0 {
            index %= size;
        }
        // Behind the check there is nothing to climb in a tree of one leaf, and its only index is as good as the next.
        if self == Self::IndexAtSize && (index, size) == (1, 1) {
            index = 0;
        }
        if self == Self::SizeIn16Bits && size > usize::from(u16::MAX) {
            return Ok(reject(Class::Shape));
        }
        if self == Self::PathDownward {
            path.reverse();
        }
        if self == Self::PathLonger {
            path.truncate(path_len(index, size).unwrap_or(0));
        }
        let leaf = self.leaf(&leaf);
        let Some(tree) = self.climb(leaf, index, size, &path) else {
            return Ok(reject(Class::Shape));
        };
        let is_root = self.level(level, size, &tree) == root || self == Self::RootUnchecked;
        Ok(if is_root { Answer::Ok(json!({})) } else { reject(Class::Root) })
    }

    fn leaf(self, leaf: &[u8]) -> Hash {
        if self == Self::LeafBare { sha256(&[leaf]) } else { sha256(&[&[0], leaf]) }
    }

    fn node(self, left: &Hash, right: &Hash) -> Hash {
        match self {
            Self::NodeBare => sha256(&[left, right]),
            Self::PairsTurned => sha256(&[&[1], right, left]),
            Self::PairsSorted => sha256(&[&[1], left.min(right), left.max(right)]),
            _ => sha256(&[&[1], left, right]),
        }
    }

    fn split(self, size: usize) -> usize {
        if self == Self::Halves { size.div_ceil(2) } else { size.next_power_of_two() / 2 }
    }

    fn root(self, hashes: &[Hash]) -> Hash {
        match hashes {
            [] if self == Self::EmptyZeros => [0; 32],
            [] => sha256(&[]),
            [one] => *one,
            _ if self == Self::OddRepeated => self.root(&self.above(hashes)),
            _ => {
                let (left, right) = hashes.split_at(self.split(hashes.len()));
                self.node(&self.root(left), &self.root(right))
            }
        }
    }

    /// The level above, where an odd last node is its own sibling.
    fn above(self, hashes: &[Hash]) -> Vec<Hash> {
        hashes.chunks(2).map(|pair| self.node(&pair[0], pair.last().unwrap_or(&pair[0]))).collect()
    }

    fn path(self, hashes: &[Hash], index: usize) -> Vec<Hash> {
        if hashes.len() <= 1 {
            return Vec::new();
        }
        if self == Self::OddRepeated {
            let sibling = hashes.get(index ^ 1).unwrap_or(&hashes[index]);
            return [vec![*sibling], self.path(&self.above(hashes), index / 2)].concat();
        }
        let (left, right) = hashes.split_at(self.split(hashes.len()));
        let (mut path, sibling) = if index < left.len() {
            (self.path(left, index), right)
        } else {
            (self.path(right, index - left.len()), left)
        };
        path.push(self.root(sibling));
        path
    }

    fn climb(self, leaf: Hash, index: usize, size: usize, path: &[Hash]) -> Option<Hash> {
        if index >= size {
            return None;
        }
        if matches!(self, Self::OddRepeated | Self::PathByBits) {
            let turns = path.iter().enumerate();
            return Some(turns.fold(leaf, |node, (height, sibling)| {
                let is_right = index >> height.min(63) & 1 == 1;
                if is_right { self.node(sibling, &node) } else { self.node(&node, sibling) }
            }));
        }
        if size == 1 {
            return path.is_empty().then_some(leaf);
        }
        let (sibling, below) = path.split_last()?;
        let left = self.split(size);
        if index < left {
            Some(self.node(&self.climb(leaf, index, left, below)?, sibling))
        } else {
            let node = self.climb(leaf, index - left, size - left, below)?;
            Some(self.node(sibling, &node))
        }
    }

    fn level(self, level: u8, leaves: usize, tree: &Hash) -> Hash {
        let leaves = u32::try_from(leaves).unwrap_or(u32::MAX);
        match self {
            Self::LevelIsTree => *tree,
            Self::LevelUnnumbered => sha256(&[&[2], &leaves.to_le_bytes(), tree]),
            Self::LevelUncounted => sha256(&[&[2, level], tree]),
            Self::LevelBigEndian => sha256(&[&[2, level], &leaves.to_be_bytes(), tree]),
            _ => sha256(&[&[2, level], &leaves.to_le_bytes(), tree]),
        }
    }
}

fn index(field: &Field<'_>, name: &str) -> Result<usize, FieldError> {
    let number: u32 = field.get(name)?.integer()?;
    Ok(usize::try_from(number).unwrap_or(usize::MAX))
}
