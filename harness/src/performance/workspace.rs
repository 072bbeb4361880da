//! Where the checkout is whose workloads are counted.

use std::path::{Path, PathBuf};

use super::PerformanceError;

/// The root of the checkout around the current directory; failing that, of the one that this program
/// was built from, if it still stands there.
pub(super) fn root() -> Result<PathBuf, PerformanceError> {
    let here = std::env::current_dir()
        .map_err(|error| PerformanceError::File { path: ".".to_owned(), error })?;
    let built_from = Path::new(env!("CARGO_MANIFEST_DIR"));
    above(&here)
        .or_else(|| above(built_from))
        .map(Path::to_path_buf)
        .ok_or_else(|| PerformanceError::Workspace(here.display().to_string()))
}

fn above(dir: &Path) -> Option<&Path> {
    dir.ancestors().find(|dir| {
        ["Cargo.toml", "Cargo.lock", "benches/benches/instructions.rs"]
            .iter()
            .all(|file| dir.join(file).is_file())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_found_from_below_and_not_from_beside() {
        let built_from = Path::new(env!("CARGO_MANIFEST_DIR"));
        let below = built_from.join("src/performance");
        let root = above(&below).unwrap();
        assert!(root.join("benches/Cargo.toml").is_file());
        assert_eq!(above(root), Some(root));
        let elsewhere = tempfile::tempdir().unwrap();
        assert_eq!(above(elsewhere.path()), None);
    }
}
