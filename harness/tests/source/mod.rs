//! What the tests of the source text share: its files, and the sentences of the spec.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::allow_attributes,
    reason = "each test file uses a part of it; what cannot be read fails the test"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// A file, by its path from the root of the repository.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Source {
    pub(crate) fn new(path: &str, text: impl Into<String>) -> Self {
        Self { path: path.to_owned(), text: text.into() }
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Reads one file.
pub(crate) fn read(path: &str) -> Source {
    let text = fs::read_to_string(root().join(path));
    Source::new(path, text.unwrap_or_else(|error| panic!("{path}: {error}")))
}

/// Every file below a folder with one of these endings, in the order of their paths. Hidden folders
/// and what is built are left out.
pub(crate) fn files(folder: &str, endings: &[&str]) -> Vec<Source> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(root().join(&folder)) else { continue };
        for entry in entries {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            let path = format!("{folder}/{name}");
            if name.starts_with('.') || name == "target" || name == "corpus" {
                continue;
            }
            if entry.file_type().unwrap().is_dir() {
                folders.push(path);
            } else if endings.iter().any(|ending| name.ends_with(ending)) {
                found.push(read(&path));
            }
        }
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    found
}

/// Every Rust file of the repository.
pub(crate) fn rust() -> Vec<Source> {
    ["mdsm-core", "harness", "benches", "fuzz"]
        .iter()
        .flat_map(|folder| files(folder, &[".rs"]))
        .collect()
}

/// A sentence of the spec.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sentence {
    /// `harness/spec/storage.md#sto-3-size-of-an-item`.
    pub(crate) target: String,
    /// The whole line, id included.
    pub(crate) text: String,
}

/// The chapters whose sentences count; the register of readings has none.
pub(crate) const CHAPTERS: [&str; 8] = [
    "storage",
    "committees",
    "consensus",
    "anchoring",
    "database",
    "reencryption",
    "clients",
    "evaluation",
];

/// The sentences of a chapter, by their ids, and what is wrong with it: a sentence under a heading
/// that is not its requirement's, an id given twice or out of order.
pub(crate) fn sentences(chapter: &Source) -> (BTreeMap<String, Sentence>, Vec<String>) {
    let (mut found, mut wrong) = (BTreeMap::new(), Vec::new());
    let (mut target, mut requirement, mut last) = (String::new(), String::new(), 0);
    for (number, line) in (1..).zip(chapter.text.lines()) {
        if let Some(heading) = line.strip_prefix('#') {
            let heading = heading.trim_start_matches('#').trim();
            target = format!("{}#{}", chapter.path, slug(heading));
            // A heading without an id, such as that of a table, stays within its requirement.
            let word = heading.split(' ').next().unwrap_or_default();
            if ids(word) == [word] {
                (requirement, last) = (word.to_owned(), 0);
            }
            continue;
        }
        let Some((id, _)) = line.split_once(" (paper): ").or_else(|| line.split_once(" (ours): "))
        else {
            continue;
        };
        let of = id.split_once('.').and_then(|(of, number)| Some((of, number.parse().ok()?)));
        match of {
            Some((of, sentence)) if of == requirement && sentence > last => last = sentence,
            _ => wrong.push(format!("{}:{number}: {id} under {requirement}", chapter.path)),
        }
        let sentence = Sentence { target: target.clone(), text: line.to_owned() };
        if found.insert(id.to_owned(), sentence).is_some() {
            wrong.push(format!("{}:{number}: {id} twice", chapter.path));
        }
    }
    (found, wrong)
}

/// A heading as the end of a link: small letters, digits and hyphens.
fn slug(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_ascii_alphanumeric() || " -".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
}

/// Every id of a requirement or a sentence in a text: `STO-3`, `STO-3.1`.
pub(crate) fn ids(text: &str) -> Vec<&str> {
    const NAMES: [&str; 8] = ["STO-", "COM-", "CON-", "ANC-", "DDB-", "PRE-", "CLI-", "EVA-"];
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let mut found = Vec::new();
    for name in NAMES {
        for (at, _) in text.match_indices(name) {
            let number = digits(&text[at + 4..]);
            let mut end = at + 4 + number;
            let sentence = text[end..].strip_prefix('.').map_or(0, digits);
            end += if sentence > 0 { 1 + sentence } else { 0 };
            // AMB-STO-4 is a reading, and so is what follows a letter.
            let before = text[..at].bytes().last();
            if number > 0 && !before.is_some_and(|b| b == b'-' || b.is_ascii_alphanumeric()) {
                found.push(&text[at..end]);
            }
        }
    }
    found
}
