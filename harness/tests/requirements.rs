//! Every sentence of the chapters on storage, committees, consensus, anchoring, re-encryption, the database and
//! the clients is tied to code that makes it true and to a test. duvet shows the same as a report (`.ci/duvet`); this needs nothing installed.

mod source;

use std::collections::{BTreeMap, BTreeSet};

use source::{CHAPTERS, Sentence, Source};

/// Sentences whose code is not written yet, and the part of the system that brings it.
const AWAITED: [(&str, &str); 0] = [];

/// Whether a sentence has to have code and a test today.
fn is_gated(id: &str) -> bool {
    ["STO-", "COM-", "CON-", "ANC-", "PRE-", "DDB-", "CLI-"]
        .iter()
        .any(|gated| id.starts_with(gated))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Code,
    Test,
}

/// What stands beside code: `//= target`, perhaps `//= type=test`, `//# quotation`.
#[derive(Debug)]
struct Annotation {
    place: String,
    target: String,
    kind: Result<Kind, String>,
    quotation: String,
    /// The text above it in its file.
    above: String,
}

fn annotations(file: &Source) -> Vec<Annotation> {
    let mut found: Vec<Annotation> = Vec::new();
    let mut above = String::new();
    let mut is_open = false;
    for (number, line) in (1..).zip(file.text.lines()) {
        let text = line.trim_start();
        if let Some(value) = text.strip_prefix("//= ") {
            match (value.strip_prefix("type="), found.last_mut()) {
                (Some("test"), Some(last)) if is_open => last.kind = Ok(Kind::Test),
                (Some(other), Some(last)) if is_open => last.kind = Err(other.to_owned()),
                _ => found.push(Annotation {
                    place: format!("{}:{number}", file.path),
                    target: value.to_owned(),
                    kind: Ok(Kind::Code),
                    quotation: String::new(),
                    above: above.clone(),
                }),
            }
            is_open = true;
        } else if let (Some(words), Some(last)) = (text.strip_prefix("//# "), found.last_mut()) {
            if !last.quotation.is_empty() {
                last.quotation.push(' ');
            }
            last.quotation.push_str(words);
            is_open = false;
        } else {
            above.push_str(line);
            above.push('\n');
        }
    }
    found
}

/// Whether what comes next in a file belongs to a test; of the page, whatever lies in its folder of tests does.
fn is_in_test(place: &str, above: &str) -> bool {
    let path = place.split(':').next().unwrap_or_default();
    if !path.ends_with(".rs") {
        return path.contains("/tests/");
    }
    let Some((before, _)) = above.rsplit_once("fn ") else { return false };
    let of_function = before.rsplit_once("\n}").map_or(before, |(_, behind)| behind);
    let of_function = of_function.rsplit_once("    }\n").map_or(of_function, |(_, behind)| behind);
    of_function.contains("#[test]") || of_function.contains("#[tokio::test")
}

/// Which sentences have code and which have a test, and what is wrong.
#[derive(Debug, Default)]
struct Coverage {
    tied: BTreeSet<(String, Kind)>,
    wrong: Vec<String>,
}

fn cover(spec: &BTreeMap<String, Sentence>, files: &[Source]) -> Coverage {
    let mut coverage = Coverage::default();
    for annotation in files.iter().flat_map(annotations) {
        let Annotation { place, target, kind, quotation, above } = annotation;
        let id = quotation.split(' ').next().unwrap_or_default();
        let mut wrong = |what: &str| coverage.wrong.push(format!("{place}: {what}"));
        match (spec.get(id), kind) {
            (None, _) => wrong("quotes no sentence of the spec"),
            (Some(sentence), _) if sentence.text != quotation => wrong("quotes another wording"),
            (Some(sentence), _) if sentence.target != target => {
                wrong(&format!("{id} stands in {}", sentence.target));
            }
            (_, Err(kind)) => wrong(&format!("neither code nor a test but {kind}")),
            (_, Ok(Kind::Test)) if !is_in_test(&place, &above) => wrong("stands in no test"),
            (_, Ok(Kind::Code)) if is_in_test(&place, &above) => wrong("a test is no code"),
            (_, Ok(kind)) => {
                coverage.tied.insert((id.to_owned(), kind));
            }
        }
    }
    for id in spec.keys().filter(|id| is_gated(id)) {
        let awaited = AWAITED.iter().any(|(awaited, _)| awaited == id);
        for (kind, what) in [(Kind::Code, "code"), (Kind::Test, "test")] {
            match (coverage.tied.contains(&(id.clone(), kind)), awaited) {
                (false, false) => coverage.wrong.push(format!("{id} has no {what}")),
                (true, true) => {
                    coverage.wrong.push(format!("{id} has {what}: await it no longer"));
                }
                _ => {}
            }
        }
    }
    coverage
}

fn spec() -> BTreeMap<String, Sentence> {
    let mut all = BTreeMap::new();
    for chapter in CHAPTERS {
        let (found, wrong) =
            source::sentences(&source::read(&format!("harness/spec/{chapter}.md")));
        assert_eq!(wrong, Vec::<String>::new());
        all.extend(found);
    }
    all
}

fn annotated() -> Vec<Source> {
    ["mdsm-core", "harness"]
        .iter()
        .flat_map(|folder| source::files(folder, &[".rs", ".js", ".mjs"]))
        .collect()
}

#[test]
fn every_sentence_has_code_and_a_test() {
    let spec = spec();
    let coverage = cover(&spec, &annotated());
    assert_eq!(coverage.wrong, Vec::<String>::new());
    let count = |kind: Kind, of: &dyn Fn(&str) -> bool| {
        coverage.tied.iter().filter(|(id, tied)| *tied == kind && of(id)).count()
    };
    let gated = spec.keys().filter(|id| is_gated(id)).count();
    let (code, test) = (count(Kind::Code, &is_gated), count(Kind::Test, &is_gated));
    println!("duvet: {gated} sentences, {code} implemented, {test} tested");
    for (id, part) in AWAITED {
        println!("duvet: {id} awaits {part}");
    }
    let later = |id: &str| !is_gated(id);
    let others = spec.keys().filter(|id| later(id)).count();
    let (code, test) = (count(Kind::Code, &later), count(Kind::Test, &later));
    println!("duvet: {others} sentences of later parts, {code} implemented, {test} tested");
    assert!(gated > 300 && others > 5, "the spec was read: {gated} and {others}");
}

/// A canary: each planted fault must be found, and a sound text must pass.
#[test]
fn planted_faults_are_found() {
    let chapter = "# C\n\n## STO-1 One\n\nSTO-1.1 (ours): A thing MUST hold.\n";
    let (spec, wrong) = source::sentences(&Source::new("c.md", chapter));
    assert_eq!(wrong, Vec::<String>::new());
    let note =
        |lines: &[&str]| lines.iter().map(|line| format!("    //{line}\n")).collect::<String>();
    let target = "= c.md#sto-1-one";
    let (first, second) = ("# STO-1.1 (ours): A thing", "# MUST hold.");
    let code = format!("fn f() {{\n{}}}\n", note(&[target, first, second]));
    let test = |lines: &[&str]| format!("#[test]\nfn t() {{\n{}}}\n", note(lines));
    let tested = test(&[target, "= type=test", first, second]);
    let wrong = |text: String| cover(&spec, &[Source::new("f.rs", text)]).wrong;
    assert_eq!(wrong(format!("{code}{tested}")), Vec::<String>::new());
    assert_eq!(wrong(code.clone()), ["STO-1.1 has no test"]);
    assert_eq!(wrong(tested.clone()), ["STO-1.1 has no code"]);
    for (planted, found) in [
        (test(&[target, "= type=test", first, "# MUST hod."]), "quotes another wording"),
        (test(&[target, "= type=test", "# STO-1.2 (ours): A thing", second]), "quotes no sentence"),
        (test(&["= c.md#sto-2", "= type=test", first, second]), "stands in c.md#sto-1-one"),
        (test(&[target, "= type=todo", first, second]), "neither code nor a test"),
        (test(&[target, first, second]), "a test is no code"),
        (tested.replace("#[test]\n", ""), "stands in no test"),
    ] {
        let wrong = wrong(format!("{code}{tested}{planted}"));
        assert!(wrong.len() == 1 && wrong[0].contains(found), "{found}: {wrong:?}");
    }
    let misplaced = chapter.replace("STO-1.1", "STO-2.1");
    assert_eq!(source::sentences(&Source::new("c.md", misplaced)).1.len(), 1);
}
