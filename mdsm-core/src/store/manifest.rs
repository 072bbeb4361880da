//! Checks the lists of tables that the LSM engine keeps, before the engine believes them.
//!
//! Each keyspace directory holds a list `vN` of its table files and a file `current` that names it:
//! `N u64 | xxh3-128 of vN, u128 | kind u8`, little endian. The engine writes that checksum and does
//! not compare it: one flipped bit in `vN` hides a table, whose file is then deleted as an orphan, or
//! moves its rows behind older ones. Nothing above could tell that from an empty store.

use std::fs;
use std::path::Path;

use xxhash_rust::xxh3::xxh3_128;

use super::error::StoreError;

/// Compares every list of tables below `store` with its checksum.
pub(super) fn check(store: &Path) -> Result<(), StoreError> {
    let keyspaces = store.join("keyspaces");
    if !keyspaces.is_dir() {
        return Ok(());
    }
    let failed = |path: &Path, error: std::io::Error| StoreError::Engine {
        what: format!("read {}", path.display()),
        message: error.to_string(),
    };
    for entry in fs::read_dir(&keyspaces).map_err(|error| failed(&keyspaces, error))? {
        let keyspace = entry.map_err(|error| failed(&keyspaces, error))?.path();
        let current = keyspace.join("current");
        // Without it a keyspace counts as not yet made; the witness tells whether it was.
        if !current.exists() {
            continue;
        }
        let named = fs::read(&current).map_err(|error| failed(&current, error))?;
        let Some((number, checksum)) = parse(&named) else {
            return Err(StoreError::Engine {
                what: format!("read {}", current.display()),
                message: format!("{} bytes that name no list of tables", named.len()),
            });
        };
        let list = keyspace.join(format!("v{number}"));
        let bytes = fs::read(&list).map_err(|error| failed(&list, error))?;
        if xxh3_128(&bytes) != checksum {
            return Err(StoreError::Engine {
                what: format!("trust {}", list.display()),
                message: "its checksum does not hold".to_owned(),
            });
        }
    }
    Ok(())
}

/// The number of the list and its checksum.
fn parse(current: &[u8]) -> Option<(u64, u128)> {
    let (number, rest) = current.split_first_chunk::<8>()?;
    let (checksum, rest) = rest.split_first_chunk::<16>()?;
    (rest == [0]).then(|| (u64::from_le_bytes(*number), u128::from_le_bytes(*checksum)))
}
