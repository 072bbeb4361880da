//! Tells the harness its commit and its compiler, which every report names.

use std::process::Command;

fn main() {
    // A release unpacked without git has no commit; the report then leaves it empty.
    let commit = output("git", &["rev-parse", "HEAD"]);
    let dirty = output("git", &["status", "--porcelain", "--untracked-files=no"]);
    let mark = if dirty.is_empty() { "" } else { "+changes" };
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    println!("cargo:rustc-env=MDSM_COMMIT={commit}{mark}");
    println!("cargo:rustc-env=MDSM_COMPILER={}", output(&rustc, &["--version"]));
    let git = output("git", &["rev-parse", "--path-format=absolute", "--git-path", "logs/HEAD"]);
    println!("cargo:rerun-if-changed=build.rs");
    if !git.is_empty() {
        println!("cargo:rerun-if-changed={git}");
    }
}

fn output(program: &str, arguments: &[&str]) -> String {
    Command::new(program)
        .args(arguments)
        .output()
        .ok()
        .filter(|output| output.status.success())
        .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
        .unwrap_or_default()
}
