//! `vectors`: list them, write them anew, copy those that this program holds.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use harness::conformance::vectors::{
    self, Expect, KNOWN_ANSWERS, SCHEMA, SCHEMA_OF_SEQUENCES, Sequence, SequenceFile, VectorFile,
};
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
    /// Write the vectors that this program holds, with their schemas and the known answers of re-encryption.
    Copy {
        #[command(flatten)]
        to: To,
        /// Write over files that are there.
        #[arg(long)]
        force: bool,
    },
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
            let sequences = vectors::made_sequences();
            write(dir, [(SequenceFile::NAME, sequences.text().as_str())].into_iter())?;
            report(&made, &sequences)
        }
        Vectors::Copy { to: To { dir }, force } => {
            let beside =
                [KNOWN_ANSWERS, ("schema", SCHEMA), ("sequences-schema", SCHEMA_OF_SEQUENCES)];
            let files = || vectors::STORED.iter().copied().chain(beside);
            // Before anything is written; a link that leads nowhere is there too.
            let mut paths = files().map(|(name, _)| path(dir, name));
            if let Some(path) = paths.find(|path| !force && path.symlink_metadata().is_ok()) {
                return Err(format!(
                    "{}: is there already; --force writes over it",
                    path.display()
                ));
            }
            write(dir, files())?;
            report(&vectors::files(), &vectors::sequences())
        }
    }
}

fn list(only: &str) -> Result<Exit, String> {
    let mut text = String::new();
    let mut listed = 0;
    let mut line = |kind: &str, id: &str, requirements: &[String]| {
        if glob::matches(only, id) {
            text.push_str(&format!("{kind:<9}  {id}  {}\n", requirements.join(" ")));
            listed += 1;
        }
    };
    for vector in vectors::all() {
        line(kind(&vector.expect), &vector.id, &vector.requirements);
    }
    for sequence in vectors::sequences().sequences {
        line(kind_of(&sequence), &sequence.id, &sequence.requirements);
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

fn kind_of(sequence: &Sequence) -> &'static str {
    if sequence.is_negative { "invalid" } else { "valid" }
}

fn write<'a>(dir: &Path, files: impl Iterator<Item = (&'a str, &'a str)>) -> Result<(), String> {
    let fault = |error: std::io::Error| format!("{}: {error}", dir.display());
    std::fs::create_dir_all(dir).map_err(fault)?;
    for (name, text) in files {
        std::fs::write(path(dir, name), text).map_err(fault)?;
    }
    Ok(())
}

fn path(dir: &Path, name: &str) -> PathBuf {
    dir.join(format!("{name}.json"))
}

fn report(files: &[VectorFile], sequences: &SequenceFile) -> Result<Exit, String> {
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
    let negative = sequences.sequences.iter().filter(|one| one.is_negative).count();
    let all = sequences.sequences.len();
    text.push_str(&format!(
        "{:<14} {all:>5} sequences: {} valid, {negative} invalid\n",
        SequenceFile::NAME,
        all - negative,
    ));
    print(&text)?;
    Ok(Exit::Conforms)
}
