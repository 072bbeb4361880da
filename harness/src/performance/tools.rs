//! What counting needs besides cargo: valgrind, and gungraun's runner of the library's version.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::PerformanceError;
use super::process::output;

/// The tools that were found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tools {
    /// What valgrind says of itself, as `valgrind-3.19.0`.
    pub(super) valgrind: String,
    /// Version of gungraun, library and runner.
    pub(super) gungraun: String,
}

/// A tool that is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Missing {
    /// What is absent.
    pub(super) reason: String,
    /// The command that installs it.
    pub(super) install: String,
}

/// Looks for the tools on this machine.
pub(super) fn find(root: &Path) -> Result<Result<Tools, Missing>, PerformanceError> {
    let path = root.join("Cargo.lock");
    let lock = fs::read_to_string(&path)
        .map_err(|error| PerformanceError::File { path: path.display().to_string(), error })?;
    let library = locked_version(&lock, "gungraun")
        .ok_or_else(|| PerformanceError::Tool("Cargo.lock names no gungraun".to_owned()))?;
    let valgrind = output(Command::new("valgrind").arg("--version"));
    let runner = output(Command::new("gungraun-runner").arg("--version"));
    Ok(check(library, valgrind.ok().as_deref(), runner.ok().as_deref()))
}

/// Judges what the tools say of themselves; `None` for one that is absent.
fn check(library: &str, valgrind: Option<&str>, runner: Option<&str>) -> Result<Tools, Missing> {
    let valgrind = valgrind.ok_or_else(|| Missing {
        reason: "valgrind, which counts the instructions, is absent".to_owned(),
        install: "apt-get install valgrind".to_owned(),
    })?;
    let install = format!("cargo install --locked gungraun-runner@{library}");
    match runner.map(|text| text.split_whitespace().last().unwrap_or_default()) {
        None => Err(Missing { reason: "gungraun-runner is absent".to_owned(), install }),
        // Library and runner speak a protocol of their own, which changes with every version.
        Some(found) if found != library => Err(Missing {
            reason: format!("gungraun-runner is {found} where the library is {library}"),
            install,
        }),
        Some(_) => Ok(Tools { valgrind: valgrind.trim().to_owned(), gungraun: library.to_owned() }),
    }
}

/// The version of a package in the text of a lock file.
fn locked_version<'a>(lock: &'a str, package: &str) -> Option<&'a str> {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|line| *line != name).skip(1);
    lines.next()?.strip_prefix("version = \"")?.strip_suffix('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_tool_comes_with_the_command_that_installs_it() {
        let tools = check("0.20.0", Some("valgrind-3.19.0\n"), Some("gungraun-runner 0.20.0\n"));
        let expected =
            Tools { valgrind: "valgrind-3.19.0".to_owned(), gungraun: "0.20.0".to_owned() };
        assert_eq!(tools, Ok(expected));
        for (valgrind, runner, install) in [
            (None, Some("gungraun-runner 0.20.0"), "apt-get install valgrind"),
            (Some("v"), None, "cargo install --locked gungraun-runner@0.20.0"),
            (Some("v"), Some("gungraun-runner 0.19.1"), "gungraun-runner@0.20.0"),
        ] {
            let missing = check("0.20.0", valgrind, runner).unwrap_err();
            assert!(missing.install.ends_with(install), "{missing:?}");
        }
    }

    #[test]
    fn a_version_is_read_from_its_own_package() {
        let lock = "[[package]]\nname = \"gungraun-runner\"\nversion = \"1\"\n\n\
                    [[package]]\nname = \"gungraun\"\nversion = \"0.20.0\"\n";
        assert_eq!(locked_version(lock, "gungraun"), Some("0.20.0"));
        assert_eq!(locked_version(lock, "other"), None);
    }
}
