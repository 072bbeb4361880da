//! The base revision, checked out beside the one at hand for as long as it is counted.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::baseline::BASELINE_PATH;
use super::process::output;

/// A revision in a scratch directory; both disappear with the value.
#[derive(Debug)]
pub(super) struct Checkout {
    /// The checkout that it was made from.
    from: PathBuf,
    scratch: TempDir,
    /// Root of the workspace in it.
    root: PathBuf,
}

/// The commit to compare with: the one asked for, else the one that last changed the baseline, else
/// the head. Why there is none, in words.
pub(super) fn base_revision(root: &Path, asked: Option<&str>) -> Result<String, String> {
    let shallow = git(root, ["rev-parse", "--is-shallow-repository"])? == "true";
    let name = match asked {
        Some(name) => name.to_owned(),
        // Where history was cut off, git takes the oldest commit that it has for the one that made
        // every file.
        None if shallow => {
            return Err("the clone is shallow, so the base revision is not known: \
                        `git fetch --unshallow`, or name one with --base"
                .to_owned());
        }
        None => match git(root, ["log", "-1", "--format=%H", "--", BASELINE_PATH])? {
            none if none.is_empty() => "HEAD".to_owned(),
            commit => commit,
        },
    };
    let commit = format!("{name}^{{commit}}");
    git(root, ["rev-parse", "--verify", "--quiet", "--end-of-options", &commit]).map_err(|_| {
        let hint = if shallow { ", which is shallow" } else { "" };
        format!("revision {name} is not in this clone{hint}")
    })
}

impl Checkout {
    /// Checks a commit out; why not, in words.
    pub(super) fn new(root: &Path, commit: &str) -> Result<Self, String> {
        let scratch = tempfile::Builder::new()
            .prefix("mdsm-perf-")
            .tempdir()
            .map_err(|error| format!("a directory for the base revision: {error}"))?;
        let prefix = git(root, ["rev-parse", "--show-prefix"])?;
        let tree = scratch.path().join("base");
        let add = ["worktree", "add", "--detach", "--force"].map(OsStr::new);
        git(root, add.into_iter().chain([tree.as_os_str(), OsStr::new(commit)]))?;
        Ok(Self { from: root.to_owned(), root: tree.join(prefix), scratch })
    }

    /// Root of the workspace.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// A place to build, which disappears with the checkout.
    pub(super) fn target_dir(&self) -> PathBuf {
        self.scratch.path().join("target")
    }
}

impl Drop for Checkout {
    fn drop(&mut self) {
        let tree = self.scratch.path().join("base");
        let remove = ["worktree", "remove", "--force"].map(OsStr::new);
        // What git cannot remove, it forgets with its next `worktree prune`.
        drop(git(&self.from, remove.into_iter().chain([tree.as_os_str()])));
    }
}

/// What git says, without the line feed at its end.
fn git<I: IntoIterator<Item: AsRef<OsStr>>>(dir: &Path, arguments: I) -> Result<String, String> {
    let mut command = Command::new("git");
    // A hook may do anything, and none is meant for a checkout that nobody works in.
    command.arg("-C").arg(dir).args(["-c", "core.hooksPath=/dev/null"]);
    // Set inside hooks, they would point git at another checkout.
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
        command.env_remove(name);
    }
    let said = output(command.args(arguments))?;
    Ok(said.trim_end_matches('\n').to_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A repository with three commits, of which the second touches the baseline.
    fn repository() -> (TempDir, Vec<String>) {
        let dir = tempfile::tempdir().unwrap();
        git(dir.path(), ["init", "--quiet"]).unwrap();
        let commits = ["Cargo.toml", BASELINE_PATH, "README.md"].map(|name| {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, name).unwrap();
            git(dir.path(), ["add", "--all"]).unwrap();
            let author = ["-c", "user.name=a", "-c", "user.email=a@example.org"];
            let commit = ["commit", "--quiet", "--no-gpg-sign", "-m", name];
            git(dir.path(), author.into_iter().chain(commit)).unwrap();
            git(dir.path(), ["rev-parse", "HEAD"]).unwrap()
        });
        (dir, commits.into())
    }

    #[test]
    fn the_base_is_the_commit_that_changed_the_baseline_unless_one_is_named() {
        let (dir, commits) = repository();
        assert_eq!(base_revision(dir.path(), None), Ok(commits[1].clone()));
        assert_eq!(base_revision(dir.path(), Some("HEAD~2")), Ok(commits[0].clone()));
        for name in ["no-such-branch", "--upload-pack=x", "HEAD:README.md"] {
            assert!(base_revision(dir.path(), Some(name)).unwrap_err().contains(name));
        }
        let outside = tempfile::tempdir().unwrap();
        assert!(base_revision(outside.path(), None).is_err());
    }

    #[test]
    fn a_shallow_clone_does_not_know_its_base() {
        let (dir, commits) = repository();
        let outer = tempfile::tempdir().unwrap();
        let clone = outer.path().join("clone");
        let url = format!("file://{}", dir.path().display());
        let (quiet, path) = (["clone", "--quiet", "--depth=1"], clone.display().to_string());
        git(outer.path(), quiet.into_iter().chain([url.as_str(), path.as_str()])).unwrap();
        assert!(base_revision(&clone, None).unwrap_err().contains("shallow"));
        assert!(base_revision(&clone, Some(&commits[0])).unwrap_err().contains("shallow"));
        assert_eq!(base_revision(&clone, Some("HEAD")), Ok(commits[2].clone()));
    }

    #[test]
    fn a_checkout_leaves_nothing_behind() {
        let (dir, commits) = repository();
        let checkout = Checkout::new(dir.path(), &commits[0]).unwrap();
        let root = checkout.root().to_path_buf();
        assert!(root.join("Cargo.toml").is_file() && !root.join("README.md").exists());
        drop(checkout);
        assert!(!root.exists());
        let trees = git(dir.path(), ["worktree", "list", "--porcelain"]).unwrap();
        assert_eq!(trees.matches("worktree ").count(), 1, "{trees}");
    }
}
