//! `vectors`: list them, write them anew, copy those that this program holds.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use harness::conformance::vectors::{self, Expect, SCHEMA, VectorFile};
use harness::glob;
use harness::output::{note, print};
use harness::verdict::Exit;

#[derive(Subcommand)]
pub(super) enum Vectors {
    /// Print id, expectation and sentences of every vector.
    List {
        /// Only the vectors whose id matches; * stands for any run of characters.
        #[arg(long, value_name = "GLOB", default_value = "*")]
        only: String,
    },
    /// Make all vectors anew, from the rules of the spec, and write them.
    Write(To),
    /// Write the vectors that this program holds, with their schema.
    Copy(To),
}

#[derive(Args)]
pub(super) struct To {
    /// Where the files go; made where it does not exist.
    #[arg(value_name = "DIR")]
    dir: PathBuf,
}

pub(super) fn vectors(command: &Vectors) -> Result<Exit, String> {
    match command {
        Vectors::List { only } => list(only),
        Vectors::Write(To { dir }) => {
            let made = vectors::made();
            let texts: Vec<(String, String)> =
                made.iter().map(|file| (file.name.clone(), file.text())).collect();
            write(dir, texts.iter().map(|(name, text)| (name.as_str(), text.as_str())))?;
            report(&made)
        }
        Vectors::Copy(To { dir }) => {
            write(dir, vectors::FILES.iter().copied())?;
            write(dir, [("schema", SCHEMA)].into_iter())?;
            report(&vectors::files())
        }
    }
}

fn list(only: &str) -> Result<Exit, String> {
    let mut text = String::new();
    let mut listed = 0;
    for vector in vectors::all() {
        if glob::matches(only, &vector.id) {
            let kind = kind(&vector.expect);
            text.push_str(&format!(
                "{:<9}  {}  {}\n",
                kind,
                vector.id,
                vector.requirements.join(" ")
            ));
            listed += 1;
        }
    }
    print(&text)?;
    if listed == 0 {
        note(format!("no vector matches --only {only}"));
        return Ok(Exit::NothingTested);
    }
    Ok(Exit::Conforms)
}

fn kind(expect: &Expect) -> &'static str {
    match expect {
        Expect::Valid(_) => "valid",
        Expect::Invalid(_) => "invalid",
        Expect::Ambiguous { .. } => "ambiguous",
    }
}

fn write<'a>(dir: &Path, files: impl Iterator<Item = (&'a str, &'a str)>) -> Result<(), String> {
    let fault = |error: std::io::Error| format!("{}: {error}", dir.display());
    std::fs::create_dir_all(dir).map_err(fault)?;
    for (name, text) in files {
        std::fs::write(dir.join(format!("{name}.json")), text).map_err(fault)?;
    }
    Ok(())
}

fn report(files: &[VectorFile]) -> Result<Exit, String> {
    let mut text = String::new();
    for VectorFile { name, vectors, .. } in files {
        let of = |wanted: &str| vectors.iter().filter(|one| kind(&one.expect) == wanted).count();
        text.push_str(&format!(
            "{name:<14} {:>5} vectors: {} valid, {} invalid, {} ambiguous\n",
            vectors.len(),
            of("valid"),
            of("invalid"),
            of("ambiguous"),
        ));
    }
    print(&text)?;
    Ok(Exit::Conforms)
}
