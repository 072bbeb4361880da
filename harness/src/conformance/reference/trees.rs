//! `merkle.*`. [STO-10] [STO-11]

use mdsm_core::ledger::{Level, level_root};
use mdsm_core::merkle::{Tree, leaf_hash, root_from_path};
use mdsm_core::types::Digest;
use serde_json::json;

use super::super::class::Class;
use super::super::value::{Field, bytes, list_of_bytes};
use super::{Outcome, Refusal, digest, reject};

fn tree(args: &Field<'_>) -> Result<Tree, Refusal> {
    let leaves = args.get("leaves")?.each(Field::bytes)?;
    Ok(Tree::from_hashes(leaves.iter().map(|leaf| leaf_hash(leaf)).collect()))
}

fn level_of(args: &Field<'_>) -> Result<Level, Refusal> {
    match args.get("level")?.integer::<i64>()? {
        1 => Ok(Level::Item),
        2 => Ok(Level::ItemBlock),
        3 => Ok(Level::DataBlock),
        4 => Ok(Level::Window),
        other => reject(Class::Bound, format!("level {other}, there are 1 to 4")),
    }
}

pub(super) fn root(args: &Field<'_>) -> Outcome {
    Ok(json!({"root": bytes(tree(args)?.root().as_bytes())}))
}

pub(super) fn level(args: &Field<'_>) -> Outcome {
    let (level, tree) = (level_of(args)?, tree(args)?);
    let (least, most) = (usize::from(level != Level::Window), level.leaves_max());
    if !(least..=most).contains(&tree.len()) {
        let detail = format!("{} leaves, level {level:?} has {least} to {most}", tree.len());
        return reject(Class::Bound, detail);
    }
    let count = u32::try_from(tree.len()).unwrap_or(u32::MAX);
    Ok(json!({"root": bytes(level_root(level, count, &tree.root()).as_bytes())}))
}

pub(super) fn path(args: &Field<'_>) -> Outcome {
    let (tree, index) = (tree(args)?, args.get("index")?.integer::<u32>()?);
    let Some(path) = tree.prove(index.into()) else {
        return reject(Class::Shape, format!("leaf {index} of {}", tree.len()));
    };
    Ok(json!({"path": list_of_bytes(path.iter().map(Digest::as_bytes))}))
}

pub(super) fn verify(args: &Field<'_>) -> Outcome {
    let (level, leaf) = (level_of(args)?, args.get("leaf")?.bytes()?);
    let (index, size): (u32, u32) = (args.get("index")?.integer()?, args.get("size")?.integer()?);
    let (path, root) = (args.get("path")?.each(digest)?, digest(&args.get("root")?)?);
    if usize::try_from(size).map_or(true, |size| size > level.leaves_max()) {
        return reject(Class::Shape, format!("{size} leaves, more than the level has"));
    }
    let Some(tree) = root_from_path(leaf_hash(&leaf), index.into(), size.into(), &path) else {
        let hashes = path.len();
        return reject(Class::Shape, format!("index {index}, size {size}, {hashes} hashes"));
    };
    let found = level_root(level, size, &tree);
    if found != root {
        return reject(Class::Root, format!("the path leads to {found}"));
    }
    Ok(json!({}))
}
