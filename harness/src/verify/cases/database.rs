//! The store after a crash, and after damage.

use std::fs;
use std::path::{Path, PathBuf};

use mdsm_core::store::{Checked, Lsm};
use mdsm_core::types::Digest;

use super::super::archive;
use super::super::world::World;
use super::{Case, Check, case, hold, text};
use crate::seed::Draw as _;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(
            "database.restart",
            "a store that was not closed is found whole again",
            &["DDB-1", "STO-2"],
            restart,
        ),
        case(
            "database.objects",
            "sealed files are found by their digest, other digests are absent",
            &["DDB-1", "STO-6"],
            objects,
        ),
        case(
            "database.damage",
            "a cut or changed store names what is lost and serves nothing wrong",
            &["DDB-1"],
            damage,
        ),
    ]
}

fn restart(world: &World) -> Check {
    let copy = world.archive.crash_copy()?;
    let rows = archive::rows(copy.path())?;
    let mut found = 0;
    for file in &world.taken {
        let record = rows.record(&file.record_id).map_err(text)?;
        let (_, envelope) = record.ok_or_else(|| format!("{} is gone", file.record_id))?;
        hold(envelope.record.id() == file.record_id, || "another record is there".to_owned())?;
        found += 1;
    }
    for finalized in &world.producer.finalized {
        let header = &finalized.block.header;
        let block = rows.block(header.height, &finalized.block.hash()).map_err(text)?;
        hold(block.as_ref() == Some(&finalized.block), || {
            format!("block {} differs", header.height)
        })?;
    }
    Ok(format!("{found} records and {} blocks", world.producer.finalized.len()))
}

fn objects(world: &World) -> Check {
    let mut found = 0;
    for finalized in &world.producer.finalized {
        for envelope in finalized.items.iter().flat_map(|item| item.records.iter()) {
            let content = envelope.record.content().to_ref();
            let stored = world.archive.rows().object(content.digest()).map_err(text)?;
            let sealed = matches!(content, mdsm_core::ledger::ContentRef::Stored(_));
            hold(stored.is_some() == sealed, || {
                format!("{} is in the wrong place", content.digest())
            })?;
            found += usize::from(sealed);
        }
    }
    let absent = world.archive.object(&Digest::new([3; 32]))?;
    hold(absent.is_none(), || "a digest that was never stored is found".to_owned())?;
    Ok(format!("{found} sealed files"))
}

/// Damages a copy at places from the seed. Whatever happens then: either the record that is asked
/// for comes back as it was, or an error says that it does not.
fn damage(world: &World) -> Check {
    const ROUNDS: u64 = 6;
    let (mut reported, mut harmless) = (0, 0);
    for round in 0..ROUNDS {
        let copy = world.archive.crash_copy()?;
        let mut draw = world.seed.stream(&format!("verify/damage/{round}"));
        let files = data_files(copy.path()).map_err(text)?;
        let file = draw.pick(&files);
        let mut bytes = fs::read(file).map_err(text)?;
        // Where data ends and preallocated zeros begin.
        let end = bytes.iter().rposition(|byte| *byte != 0).map_or(1, |last| last + 1);
        let at = usize::try_from(draw.below(u32::try_from(end).map_err(text)?)).map_err(text)?;
        if round % 2 == 0 {
            bytes[at] ^= 0x10
        } else {
            bytes.truncate(at)
        }
        fs::write(file, &bytes).map_err(text)?;
        let what = || format!("{} at byte {at}", file.display());
        let (store, opened) = match Checked::<Lsm>::open_directory(copy.path()) {
            Ok(opened) => opened,
            Err(_) => {
                reported += 1;
                continue;
            }
        };
        let rows = mdsm_core::store::Rows::new(store);
        let mut errors = opened.lost.len();
        for record in &world.taken {
            match rows.record(&record.record_id) {
                Ok(Some((_, envelope))) => hold(envelope.record.id() == record.record_id, || {
                    format!("{}: a wrong record is served", what())
                })?,
                Ok(None) => {
                    return Err(format!("{}: {} is silently gone", what(), record.record_id).into());
                }
                Err(_) => errors += 1,
            }
        }
        if errors > 0 { reported += 1 } else { harmless += 1 }
    }
    Ok(format!("{ROUNDS} places: {reported} reported, {harmless} without effect"))
}

/// The files that hold rows or their witness, not empty.
fn data_files(directory: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(data_files(&path)?);
        } else if fs::metadata(&path)?.len() > 0 {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
