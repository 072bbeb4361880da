//! The layout that `mdsm-core/ARCHITECTURE.md` promises, held against the text of the sources.

mod source;

use std::collections::{BTreeMap, BTreeSet};

use source::{CHAPTERS, Source};

/// Lines of a Rust file, at most; what grows past this wants to be a folder.
const LINES_MAX: usize = 600;

/// Where unsafe code may stand, below `mdsm-core/src`.
const UNSAFE: [&str; 3] = ["crypto/multi.rs", "freezing/handoff.rs", "reencryption/kernel/"];

/// Modules by floor, as the table Floors lists them: a comma parts neighbours, a space does not.
#[derive(Debug, Default)]
struct Floors {
    /// Floor, and the group of modules within it that may see each other.
    place: BTreeMap<String, (u32, usize)>,
}

impl Floors {
    fn read(architecture: &str) -> Self {
        let mut floors = Self::default();
        for line in architecture.lines() {
            let mut cells = line.split('|').skip(1).map(str::trim);
            let (Some(floor), Some(modules)) = (cells.next(), cells.next()) else { continue };
            let Some(floor) = floor.strip_prefix('F').and_then(|n| n.parse().ok()) else {
                continue;
            };
            for (group, names) in modules.split(',').enumerate() {
                for name in names.split_whitespace().map(|name| name.trim_matches('`')) {
                    floors.place.insert(name.to_owned(), (floor, group));
                }
            }
        }
        floors
    }

    /// Whether code of one module may name another.
    fn allows(&self, from: &str, to: &str) -> Result<bool, String> {
        let place = |module: &str| {
            let known = self.place.get(module);
            known.copied().ok_or_else(|| format!("{module} is on no floor"))
        };
        let ((from_floor, from_group), (to_floor, to_group)) = (place(from)?, place(to)?);
        // Across the I/O line go only bytes and ledger types.
        let sees = if from_floor == 9 { to_floor <= 4 } else { to_floor < from_floor };
        Ok(from == to || sees || (from_floor == to_floor && from_group == to_group))
    }
}

/// A line without its comment.
fn code(line: &str) -> &str {
    line.split("//").next().unwrap_or_default()
}

fn word(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    &text[..end]
}

fn has_word(text: &str, wanted: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.split(|c: char| !is_part(c)).any(|part| part == wanted)
}

/// Modules directly below the crate that a line names, given how deep its file lies in its module.
fn named(line: &str, depth: usize) -> Vec<&str> {
    let line = code(line);
    let mut found: Vec<&str> =
        line.match_indices("crate::").map(|(at, path)| word(&line[at + path.len()..])).collect();
    // `use super::super::..` may lead out of the module as well.
    if let Some(mut path) = line.strip_prefix("use ").or_else(|| line.strip_prefix("pub use ")) {
        let mut up = 0;
        while let Some(rest) = path.strip_prefix("super::") {
            (path, up) = (rest, up + 1);
        }
        if up >= depth && up > 0 {
            found.push(word(path));
        }
    }
    found
}

/// Imports that go upward, to a neighbour, or across the I/O line.
fn imports(floors: &Floors, files: &[Source]) -> Vec<String> {
    let mut wrong = Vec::new();
    for file in files {
        let Some(path) = file.path.strip_prefix("mdsm-core/src/") else { continue };
        let steps: Vec<&str> = path.trim_end_matches(".rs").split('/').collect();
        let module = steps[0];
        // Binaries use the library by its name, and lib.rs declares everything.
        if module == "lib" || module == "bin" {
            continue;
        }
        let depth = steps.len() - usize::from(steps.last() == Some(&"mod"));
        for (number, line) in (1..).zip(file.text.lines()) {
            for other in named(line, depth) {
                match floors.allows(module, other) {
                    Ok(true) => {}
                    Ok(false) => wrong.push(format!("{path}:{number}: {module} imports {other}")),
                    Err(why) => wrong.push(format!("{path}:{number}: {why}")),
                }
            }
        }
    }
    wrong
}

/// Modules of lib.rs that stand on no floor.
fn homeless(floors: &Floors, library: &str) -> Vec<String> {
    let declared = library.lines().filter_map(|line| {
        let line = line.strip_prefix("pub(crate) ").or(line.strip_prefix("pub ")).unwrap_or(line);
        line.strip_prefix("mod ")?.strip_suffix(';')
    });
    declared.filter(|module| !floors.place.contains_key(*module)).map(str::to_owned).collect()
}

fn unsafe_code(files: &[Source]) -> Vec<String> {
    let keyword = ["un", "safe"].concat();
    let is_allowed = |file: &Source| {
        let path = file.path.strip_prefix("mdsm-core/src/");
        path.is_some_and(|path| UNSAFE.iter().any(|allowed| path.starts_with(allowed)))
    };
    let suspects = files.iter().filter(|file| !is_allowed(file));
    let lines = suspects.flat_map(|file| {
        (1..).zip(file.text.lines()).map(move |(number, line)| (&file.path, number, line))
    });
    // A lint's name in an attribute is another word; within quotes it is only a word.
    lines
        .filter(|(_, _, line)| has_word(code(line).split('"').next().unwrap_or_default(), &keyword))
        .map(|(path, number, _)| format!("{path}:{number}"))
        .collect()
}

fn too_long(files: &[Source]) -> Vec<String> {
    let lines = files.iter().map(|file| (file, file.text.lines().count()));
    lines
        .filter(|(_, lines)| *lines > LINES_MAX)
        .map(|(file, lines)| format!("{}: {lines} lines", file.path))
        .collect()
}

fn unfinished(files: &[Source]) -> Vec<String> {
    let marks =
        [["TO", "DO"], ["FIX", "ME"], ["to", "do!"], ["unimpl", "emented!"]].map(|m| m.concat());
    let mut found = Vec::new();
    for file in files {
        for (number, line) in (1..).zip(file.text.lines()) {
            if marks.iter().any(|mark| line.contains(mark.as_str())) {
                found.push(format!("{}:{number}: {}", file.path, line.trim()));
            }
        }
    }
    found
}

/// Ids of requirements and sentences, `STO-3` and `STO-3.1`, that the spec has.
fn known_ids(chapters: &[Source]) -> BTreeSet<String> {
    let mut known = BTreeSet::new();
    for chapter in chapters {
        known.extend(source::sentences(chapter).0.into_keys());
        let headings = chapter.text.lines().filter_map(|line| line.strip_prefix("## "));
        known.extend(headings.flat_map(source::ids).map(str::to_owned));
    }
    known
}

/// Ids in comments, and numbers in names of tests, that the spec does not have.
fn dangling(known: &BTreeSet<String>, files: &[Source]) -> Vec<String> {
    let mut wrong = Vec::new();
    for file in files {
        for (number, line) in (1..).zip(file.text.lines()) {
            let comment = line.find("//").map_or("", |at| &line[at..]);
            let mut ids: Vec<String> =
                source::ids(comment).into_iter().map(str::to_owned).collect();
            ids.extend(line.trim_start().strip_prefix("fn ").and_then(named_after));
            for id in ids.into_iter().filter(|id| !known.contains(id)) {
                wrong.push(format!("{}:{number}: {id}", file.path));
            }
        }
    }
    wrong
}

/// The id in the name of a test: `sto_12_1_ten_item_blocks..` is about STO-12.1.
fn named_after(function: &str) -> Option<String> {
    let mut parts = function.split('_');
    let chapter = parts.next()?.to_ascii_uppercase();
    let number = parts.next()?;
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let id = format!("{chapter}-{number}");
    if !is_number(number) || source::ids(&id).is_empty() {
        return None;
    }
    let sentence = parts.next().filter(|part| is_number(part));
    Some(sentence.map_or(id.clone(), |sentence| format!("{id}.{sentence}")))
}

fn none() -> Vec<String> {
    Vec::new()
}

fn chapters() -> Vec<Source> {
    CHAPTERS.iter().map(|chapter| source::read(&format!("harness/spec/{chapter}.md"))).collect()
}

fn floors() -> Floors {
    Floors::read(&source::read("mdsm-core/ARCHITECTURE.md").text)
}

#[test]
fn imports_go_downward() {
    let floors = floors();
    assert!(floors.place.len() > 20, "the table was read: {floors:?}");
    assert_eq!(homeless(&floors, &source::read("mdsm-core/src/lib.rs").text), none());
    assert_eq!(imports(&floors, &source::rust()), none());
}

#[test]
fn unsafe_code_stays_where_it_is_allowed() {
    // The peers are measured beside us, in a workspace of their own.
    let mut files = source::rust();
    files.retain(|file| !file.path.starts_with("benches/peers/"));
    assert_eq!(unsafe_code(&files), none());
}

#[test]
fn files_stay_short() {
    assert_eq!(too_long(&source::rust()), none());
}

#[test]
fn nothing_is_left_for_later() {
    let texts = [&["mdsm-core", "harness", "benches", "fuzz"][..]].concat();
    let endings = [".rs", ".md", ".toml", ".html", ".css", ".py"];
    let files: Vec<Source> =
        texts.iter().flat_map(|folder| source::files(folder, &endings)).collect();
    assert_eq!(unfinished(&files), none());
}

#[test]
fn every_id_in_the_sources_is_one_of_the_spec() {
    let known = known_ids(&chapters());
    assert!(known.contains("STO-13") && known.contains("DDB-1.11"), "the spec was read");
    assert_eq!(dangling(&known, &source::rust()), none());
}

#[test]
fn every_requirement_has_a_section_and_every_sentence_stands_in_its_own() {
    let chapters = chapters();
    for chapter in &chapters {
        assert_eq!(source::sentences(chapter).1, none());
    }
    // All that the paper asks for, each with a sentence at least.
    let known = known_ids(&chapters);
    let requirements = [
        ("STO", 13),
        ("COM", 9),
        ("CON", 8),
        ("ANC", 3),
        ("DDB", 3),
        ("PRE", 9),
        ("CLI", 4),
        ("EVA", 3),
    ];
    for (name, last) in requirements {
        for number in 1..=last {
            let id = format!("{name}-{number}");
            assert!(known.contains(&id), "{id} has no section");
            assert!(known.contains(&format!("{id}.1")), "{id} has no sentence");
        }
    }
}

/// A canary for each rule: what is planted must be found, and nothing else.
#[test]
fn planted_violations_are_found() {
    let table = "| F1 | `codec` | |\n| F3 | `merkle`, `other` | |\n| F4 | `ledger` | |\n\
                 | F7 | `freezing` | |\n| F9 | `store` `log` `bitcoin` | |\n";
    let floors = Floors::read(table);
    let at = |path: &str, line: &str| {
        imports(&floors, &[Source::new(&format!("mdsm-core/src/{path}"), line)])
    };
    for (path, line) in [
        ("merkle/tree.rs", "use crate::codec::Wire;"),
        ("merkle/tree.rs", "use crate::merkle::Tree;"),
        ("merkle/tree.rs", "use super::root::empty_root;"),
        ("merkle/tree.rs", "// unlike crate::ledger"),
        ("ledger/item.rs", "    use super::*;"),
        ("store/lsm.rs", "use crate::log::Log;"),
        ("store/a/b.rs", "use super::super::batch::Batch;"),
        ("store/lsm.rs", "use crate::ledger::Item;"),
        ("bin/mdsm/main.rs", "use mdsm_core::freezing::Turn;"),
    ] {
        assert_eq!(at(path, line), none(), "{line}");
    }
    for (path, line) in [
        ("merkle/tree.rs", "use crate::ledger::Item;"),
        ("merkle/tree.rs", "use crate::other::Thing;"),
        ("merkle/tree.rs", "    let x = crate::freezing::close();"),
        ("merkle/tree.rs", "use super::super::ledger::Item;"),
        ("merkle/mod.rs", "use super::ledger::Item;"),
        ("codec/macros.rs", "    $crate::ledger::Item"),
        ("store/lsm.rs", "use crate::freezing::Turn;"),
        ("store/lsm.rs", "pub use crate::unknown::Thing;"),
        ("freezing/mod.rs", "use crate::store::Lsm;"),
    ] {
        assert_eq!(at(path, line).len(), 1, "{path}: {line}");
    }
    assert_eq!(
        homeless(&floors, "pub mod codec;\npub(crate) mod lost;\nmod gone;"),
        ["lost", "gone"]
    );

    let one = |path: &str, text: String| [Source::new(path, text)];
    let keyword = ["un", "safe"].concat();
    let block = format!("let x = {keyword} {{ y() }};");
    assert_eq!(unsafe_code(&one("harness/src/a.rs", block.clone())), ["harness/src/a.rs:1"]);
    assert_eq!(unsafe_code(&one("mdsm-core/src/crypto/hash.rs", block.clone())).len(), 1);
    assert_eq!(unsafe_code(&one("mdsm-core/src/crypto/multi.rs", block)), none());
    let words = format!("#![expect({keyword}_code)] // {keyword}\nlet x = \"{keyword}\";");
    assert_eq!(unsafe_code(&one("harness/src/a.rs", words)), none());
    assert_eq!(too_long(&one("a.rs", "x\n".repeat(601))), ["a.rs: 601 lines"]);
    assert_eq!(too_long(&one("a.rs", "x\n".repeat(600))), none());
    for mark in [["// TO", "DO"], ["FIX", "ME"], ["to", "do!()"], ["unimpl", "emented!()"]] {
        assert_eq!(unfinished(&one("a.rs", mark.concat())).len(), 1);
    }

    let known = BTreeSet::from(["STO-1".to_owned(), "STO-1.2".to_owned()]);
    let sound = "//! [STO-1] AMB-STO-4\nfn sto_1_2_holds() {}\nfn sto_1_holds() {}\nfn stop_2() {}";
    assert_eq!(dangling(&known, &one("a.rs", sound.to_owned())), none());
    let missing = "//! [STO-2] STO-1.3\nfn sto_1_4_holds() {}\nfn sto_3_holds() {}";
    let found = dangling(&known, &one("a.rs", missing.to_owned()));
    assert_eq!(
        found,
        ["a.rs:1: STO-2", "a.rs:1: STO-1.3", "a.rs:2: STO-1.4", "a.rs:3: STO-3"].map(str::to_owned)
    );
}
