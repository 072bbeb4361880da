//! `reports/baseline/instructions.json`: the counts that a change is held against, in git.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::PerformanceError;
use super::count::Workloads;
use super::fingerprint::Fingerprint;

/// Where the baseline lies in a checkout.
pub const BASELINE_PATH: &str = "reports/baseline/instructions.json";

const FORMAT: u32 = 1;

/// Counts, and what they were made with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Baseline {
    format: u32,
    /// Two counts compare only where it is equal.
    pub(super) fingerprint: Fingerprint,
    /// SHA-256 of `Cargo.lock`. Comes from the commit, so it is noted and compared all the same.
    cargo_lock: String,
    /// SHA-256 of the lines on profiles in `Cargo.toml`; noted likewise.
    profiles: String,
    /// Instructions by workload.
    pub(super) workloads: BTreeMap<String, u64>,
}

impl Baseline {
    /// The counts of the checkout at `root`.
    pub(super) fn new(
        root: &Path,
        fingerprint: Fingerprint,
        workloads: &Workloads,
    ) -> Result<Self, PerformanceError> {
        let (cargo_lock, profiles) = settings(root)?;
        let workloads =
            workloads.iter().map(|(id, workload)| (id.clone(), workload.instructions)).collect();
        Ok(Self { format: FORMAT, fingerprint, cargo_lock, profiles, workloads })
    }

    /// The baseline in a file, if there is one.
    pub(super) fn read(path: &Path) -> Result<Option<Self>, PerformanceError> {
        match fs::read(path) {
            Ok(bytes) => Self::parse(&bytes).map(Some).map_err(|reason| {
                PerformanceError::Baseline { path: path.display().to_string(), reason }
            }),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(file_error(path, error)),
        }
    }

    fn parse(bytes: &[u8]) -> Result<Self, String> {
        let baseline: Self = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if baseline.format != FORMAT {
            return Err(format!("format {} where {FORMAT} is expected", baseline.format));
        }
        // A baseline without workloads would let everything through as new.
        if baseline.workloads.is_empty() || baseline.workloads.values().any(|count| *count == 0) {
            return Err("a workload without instructions".to_owned());
        }
        Ok(baseline)
    }

    /// Writes it into a file, beside its place first, so that no half of it is ever read.
    pub(super) fn write(&self, path: &Path) -> Result<(), PerformanceError> {
        let partial = path.with_extension(format!("{}.partial", std::process::id()));
        let mut text = serde_json::to_string_pretty(self).expect("texts and integers");
        text.push('\n');
        let dir = path.parent().unwrap_or(Path::new(""));
        fs::create_dir_all(dir)
            .and_then(|()| fs::write(&partial, text))
            .and_then(|()| fs::rename(&partial, path))
            .map_err(|error| file_error(path, error))
    }

    /// What of the checkout at `root`, besides its code, is not as it was when this was recorded.
    pub(super) fn settings_changed(
        &self,
        root: &Path,
    ) -> Result<Vec<&'static str>, PerformanceError> {
        let (cargo_lock, profiles) = settings(root)?;
        let changed = [
            ("Cargo.lock", cargo_lock != self.cargo_lock),
            ("the profiles in Cargo.toml", profiles != self.profiles),
        ];
        Ok(changed.into_iter().filter(|(_, changed)| *changed).map(|(what, _)| what).collect())
    }
}

fn settings(root: &Path) -> Result<(String, String), PerformanceError> {
    let read = |name: &str| {
        let path = root.join(name);
        fs::read_to_string(&path).map_err(|error| file_error(&path, error))
    };
    Ok((digest(&read("Cargo.lock")?), digest(&profiles(&read("Cargo.toml")?))))
}

/// The sections `[profile...]` of a manifest, without comments and empty lines.
fn profiles(manifest: &str) -> String {
    let mut inside = false;
    let mut text = String::new();
    for line in manifest.lines().map(str::trim) {
        if line.starts_with('[') {
            inside = line.starts_with("[profile.");
        }
        if inside && !line.is_empty() && !line.starts_with('#') {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

fn digest(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn file_error(path: &Path, error: std::io::Error) -> PerformanceError {
    PerformanceError::File { path: path.display().to_string(), error }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::count::Workload;
    use super::super::fingerprint::tests::sample as fingerprint;
    use super::*;

    fn checkout() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("Cargo.lock"), "version = 4\n").unwrap();
        fs::write(root.path().join("Cargo.toml"), MANIFEST).unwrap();
        root
    }

    pub(in super::super) fn sample() -> Baseline {
        let workload = Workload { instructions: 1_000, duration_us: 5 };
        let workloads = Workloads::from([("a.b".to_owned(), workload)]);
        Baseline::new(checkout().path(), fingerprint(), &workloads).unwrap()
    }

    const MANIFEST: &str = "[workspace]\nmembers = []\n\n[profile.bench]\n# why\nlto = true\n\n\
                            [workspace.lints.rust]\nunsafe_code = \"deny\"\n";

    #[test]
    fn a_baseline_reads_back_as_it_was_written() {
        let root = checkout();
        let path = root.path().join(BASELINE_PATH);
        assert_eq!(Baseline::read(&path).unwrap(), None);
        sample().write(&path).unwrap();
        assert_eq!(Baseline::read(&path).unwrap(), Some(sample()));
        let beside = fs::read_dir(path.parent().unwrap()).unwrap();
        assert_eq!(beside.count(), 1, "nothing is left over");
    }

    #[test]
    fn a_baseline_that_is_none_is_refused() {
        let json = serde_json::to_string(&sample()).unwrap();
        assert!(Baseline::parse(json.as_bytes()).is_ok());
        for broken in [
            json.replace("\"format\":1", "\"format\":2"),
            json.replace("\"a.b\":1000", ""),
            json.replace("1000", "0"),
            json.replace("1000", "-1"),
            json.replace("\"libc\"", "\"libd\""),
            String::new(),
        ] {
            assert!(Baseline::parse(broken.as_bytes()).is_err(), "{broken}");
        }
    }

    #[test]
    fn what_comes_from_the_commit_is_noted() {
        let root = checkout();
        assert!(sample().settings_changed(root.path()).unwrap().is_empty());
        assert_eq!(profiles(MANIFEST), "[profile.bench]\nlto = true\n");
        fs::write(root.path().join("Cargo.toml"), MANIFEST.replace("true", "false")).unwrap();
        fs::write(root.path().join("Cargo.lock"), "version = 5\n").unwrap();
        assert_eq!(sample().settings_changed(root.path()).unwrap().len(), 2);
    }
}
