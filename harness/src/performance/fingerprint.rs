//! What a count depends on besides the code: two counts compare only where all of it is equal.
//!
//! The processor is taken as valgrind shows it, through the eyes of the C library, whose choice of
//! `memcpy` and the like depends on it just as the code's own detection of features does. valgrind
//! hides most differences between processors, and so should the fingerprint.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde::{Deserialize, Serialize};

use super::PerformanceError;
use super::process::{output, program};
use super::tools::Tools;

/// Tools, processor and settings that do not come from the commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fingerprint {
    /// Compiler, with its commit.
    pub(super) rustc: String,
    /// LLVM in the compiler.
    pub(super) llvm: String,
    /// What it compiles for.
    pub(super) target: String,
    /// valgrind.
    pub(super) valgrind: String,
    /// gungraun, library and runner.
    pub(super) gungraun: String,
    /// C library.
    pub(super) libc: String,
    /// Processor, as the C library sees it under valgrind: every word that is not 0. Empty where that
    /// cannot be asked; such a fingerprint equals none.
    pub(super) cpu: Vec<String>,
    /// Variables that change how cargo builds.
    pub(super) environment: BTreeMap<String, String>,
}

impl Fingerprint {
    /// That of this machine, for a build in `root`.
    pub(super) fn gather(root: &Path, tools: &Tools) -> Result<Self, PerformanceError> {
        let version = output(Command::new(program("RUSTC", "rustc")).arg("-vV").current_dir(root))
            .map_err(PerformanceError::Tool)?;
        let line = |key: &str| {
            let value = version.lines().find_map(|line| line.strip_prefix(key));
            let absent = || PerformanceError::Tool(format!("`rustc -vV` says no `{key}`"));
            value.map(|value| value.trim().to_owned()).ok_or_else(absent)
        };
        // Absent without the GNU C library; then the base is always built.
        let diagnostics = loader().and_then(|loader| {
            let mut command = Command::new("valgrind");
            output(command.args(["--quiet", "--tool=none", loader, "--list-diagnostics"])).ok()
        });
        let diagnostics = diagnostics.unwrap_or_default();
        Ok(Self {
            rustc: line("rustc ")?,
            llvm: line("LLVM version:")?,
            target: line("host:")?,
            valgrind: tools.valgrind.clone(),
            gungraun: tools.gungraun.clone(),
            libc: libc(&diagnostics),
            cpu: cpu(&diagnostics),
            environment: environment(std::env::vars_os().filter_map(|(name, value)| {
                Some((name.into_string().ok()?, value.to_string_lossy().into_owned()))
            })),
        })
    }

    /// Every part in which the two differ, in words; none when counts compare.
    pub(super) fn differences(&self, other: &Self) -> Vec<String> {
        let mut differences: Vec<String> = [
            ("rustc", &self.rustc, &other.rustc),
            ("llvm", &self.llvm, &other.llvm),
            ("target", &self.target, &other.target),
            ("valgrind", &self.valgrind, &other.valgrind),
            ("gungraun", &self.gungraun, &other.gungraun),
            ("libc", &self.libc, &other.libc),
        ]
        .into_iter()
        .filter(|(_, here, there)| here != there)
        .map(|(part, here, there)| format!("{part} {here} where it has {there}"))
        .collect();
        if self.cpu.is_empty() || other.cpu.is_empty() {
            differences.push("the processor under valgrind is unknown".to_owned());
        } else if self.cpu != other.cpu {
            let only_here = self.cpu.iter().filter(|word| !other.cpu.contains(word)).count();
            let only_there = other.cpu.iter().filter(|word| !self.cpu.contains(word)).count();
            differences.push(format!(
                "another processor under valgrind ({only_here} words here, {only_there} there)"
            ));
        }
        if self.environment != other.environment {
            differences.push(format!(
                "variables {:?} where it has {:?}",
                self.environment, other.environment
            ));
        }
        differences
    }
}

/// The program loader of the GNU C library, which can list what it sees.
fn loader() -> Option<&'static str> {
    let loader = match std::env::consts::ARCH {
        "x86_64" => "/lib64/ld-linux-x86-64.so.2",
        "aarch64" => "/lib/ld-linux-aarch64.so.1",
        _ => return None,
    };
    Path::new(loader).exists().then_some(loader)
}

fn libc(diagnostics: &str) -> String {
    let version = diagnostics.lines().find_map(|line| line.strip_prefix("version.version="));
    version.map_or("unknown".to_owned(), |version| format!("glibc {}", version.trim_matches('"')))
}

/// Features in use, preferences and thresholds: what decides which code runs. Not the raw words of
/// cpuid, of which one is the number of the core.
fn cpu(diagnostics: &str) -> Vec<String> {
    diagnostics
        .lines()
        .filter_map(|line| line.split_once(".cpu_features.").map(|(_, word)| word))
        .filter(|word| {
            ["active[", "preferred.", "_threshold", "isa_1", "midr", "zva_size"]
                .iter()
                .any(|part| word.contains(part))
                && !word.ends_with("=0x0")
        })
        .map(str::to_owned)
        .collect()
}

/// The variables that change how cargo builds, without those that are empty.
fn environment(all: impl Iterator<Item = (String, String)>) -> BTreeMap<String, String> {
    const NAMES: [&str; 5] = [
        "RUSTFLAGS",
        "CARGO_ENCODED_RUSTFLAGS",
        "CARGO_BUILD_RUSTFLAGS",
        "CARGO_BUILD_TARGET",
        "RUSTC_WRAPPER",
    ];
    all.filter(|(name, value)| {
        let counts = NAMES.contains(&name.as_str()) || name.starts_with("CARGO_PROFILE_");
        counts && !value.is_empty()
    })
    .collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    const DIAGNOSTICS: &str = "dl_platform=\"haswell\"\nversion.version=\"2.36\"\n\
        x86.cpu_features.basic.model=0x3c\n\
        x86.cpu_features.features[0x0].cpuid[0x1]=0x2100800\n\
        x86.cpu_features.features[0x0].active[0x2]=0x7ed83203\n\
        x86.cpu_features.features[0x1].active[0x1]=0x0\n\
        x86.cpu_features.preferred.Fast_Rep_String=0x1\n\
        x86.cpu_features.rep_movsb_threshold=0x2000\n\
        x86.cpu_features.level3_cache_size=0x800000\n";

    pub(in super::super) fn sample() -> Fingerprint {
        Fingerprint {
            rustc: "1.95.0 (0123456789 2026-04-01)".to_owned(),
            llvm: "22.1.2".to_owned(),
            target: "x86_64-unknown-linux-gnu".to_owned(),
            valgrind: "valgrind-3.19.0".to_owned(),
            gungraun: "0.20.0".to_owned(),
            libc: libc(DIAGNOSTICS),
            cpu: cpu(DIAGNOSTICS),
            environment: BTreeMap::new(),
        }
    }

    #[test]
    fn the_processor_is_what_chooses_code_and_nothing_else() {
        assert_eq!(
            cpu(DIAGNOSTICS),
            [
                "features[0x0].active[0x2]=0x7ed83203",
                "preferred.Fast_Rep_String=0x1",
                "rep_movsb_threshold=0x2000"
            ]
        );
        assert_eq!(libc(DIAGNOSTICS), "glibc 2.36");
        assert_eq!(libc(""), "unknown");
    }

    #[test]
    fn every_part_tells_two_fingerprints_apart() {
        let sample = sample();
        assert!(sample.differences(&sample).is_empty());
        let other = |change: fn(&mut Fingerprint)| {
            let mut other = sample.clone();
            change(&mut other);
            let differences = sample.differences(&other);
            assert_eq!(differences, sample.differences(&other));
            differences.len()
        };
        assert_eq!(other(|it| it.rustc.push('x')), 1);
        assert_eq!(other(|it| it.llvm.push('x')), 1);
        assert_eq!(other(|it| it.target.push('x')), 1);
        assert_eq!(other(|it| it.valgrind.push('x')), 1);
        assert_eq!(other(|it| it.gungraun.push('x')), 1);
        assert_eq!(other(|it| it.libc.push('x')), 1);
        assert_eq!(other(|it| drop(it.cpu.pop())), 1);
        assert_eq!(other(|it| it.cpu.clear()), 1);
        assert_eq!(other(|it| drop(it.environment.insert("RUSTFLAGS".into(), "-O".into()))), 1);
    }

    #[test]
    fn an_unknown_processor_equals_nothing_not_even_itself() {
        let unknown = Fingerprint { cpu: Vec::new(), ..sample() };
        assert_eq!(unknown.differences(&unknown).len(), 1);
    }

    #[test]
    fn only_variables_that_change_the_build_count() {
        let all = [
            ("RUSTFLAGS", "-Ctarget-cpu=x86-64-v3"),
            ("CARGO_BUILD_TARGET", ""),
            ("CARGO_PROFILE_BENCH_LTO", "fat"),
            ("CARGO_MANIFEST_DIR", "/x"),
        ];
        let all = all.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        let kept: Vec<String> = environment(all).into_keys().collect();
        assert_eq!(kept, ["CARGO_PROFILE_BENCH_LTO", "RUSTFLAGS"]);
    }
}
