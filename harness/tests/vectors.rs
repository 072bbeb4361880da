//! The stored vectors: made anew they are the same, they have their shape, and the reference keeps them.
//!
//! Written by `MDSM_WRITE_VECTORS=1 cargo test -p harness --test vectors`, compared otherwise.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use harness::conformance::cases;
use harness::conformance::class::Class;
use harness::conformance::judge::{Judged, judge};
use harness::conformance::protocol::{Hello, Reply};
use harness::conformance::reference::{Answer, OPS, answer};
use harness::conformance::vectors::{
    Expect, FILES, KNOWN_ANSWERS, SCHEMA, SCHEMA_OF_SEQUENCES, STORED, SequenceFile, Vector,
    VectorFile, all, files, made, made_sequences, sequences,
};
use harness::report::validate_by;
use serde_json::{Value, json};

/// Bytes that all files together may have.
const BYTES_MAX: usize = 3_950_000;
const VECTORS_MAX: usize = 1_650;
/// Bytes that the file of sequences may have.
const SEQUENCES_BYTES_MAX: usize = 300_000;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors")
}

fn stored(name: &str) -> String {
    let path = folder().join(format!("{name}.json"));
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn vectors_made_anew_are_those_that_are_stored() {
    let made = made();
    if std::env::var_os("MDSM_WRITE_VECTORS").is_some() {
        for file in &made {
            fs::write(folder().join(format!("{}.json", file.name)), file.text()).unwrap();
        }
    }
    for file in &made {
        let text = stored(&file.name);
        let read = VectorFile::read(&file.name, &text).unwrap();
        for (one, other) in file.vectors.iter().zip(&read.vectors) {
            assert_eq!(one, other, "{}.json", file.name);
        }
        assert!(file.text() == text, "{}.json is written in another way", file.name);
    }
    let made = made_sequences();
    if std::env::var_os("MDSM_WRITE_VECTORS").is_some() {
        fs::write(folder().join("sequences.json"), made.text()).unwrap();
    }
    let text = stored(SequenceFile::NAME);
    let read = SequenceFile::read(&text).unwrap();
    for (one, other) in made.sequences.iter().zip(&read.sequences) {
        assert_eq!(one, other);
    }
    assert!(made.text() == text, "sequences.json is written in another way");
}

#[test]
fn the_vector_that_the_page_shows_is_one() {
    let page = include_str!("../PROTOCOL.md");
    let shown = page.split_once("\n{\"id\": ").unwrap().1.split_once("\n```").unwrap().0;
    let shown = format!("{{\"id\": {}", shown.replace("{...}", "{}"));
    let mut shown: Value = serde_json::from_str(&shown).unwrap();
    let text = stored("codec");
    let file: Value = serde_json::from_str(&text).unwrap();
    let vectors = file["vectors"].as_array().unwrap();
    let vector = vectors.iter().find(|one| one["id"] == shown["id"]).expect("it is there");
    shown["args"] = vector["args"].clone();
    assert_eq!(shown, *vector);
}

#[test]
fn every_file_of_the_folder_is_embedded() {
    let mut names: BTreeSet<String> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let (name, text) = KNOWN_ANSWERS;
    assert!(names.remove(&format!("{name}.json")), "known answers of another shape");
    assert_eq!(stored(name), text);
    assert!(names.remove("schema.json") && names.remove("sequences-schema.json"));
    let embedded: BTreeSet<String> =
        STORED.iter().map(|(name, _)| format!("{name}.json")).collect();
    assert_eq!(names, embedded);
    assert_eq!(STORED[..FILES.len()], *FILES);
    for (name, text) in STORED {
        assert!(stored(name) == *text, "{name}.json was written after this program was built");
    }
    assert_eq!(stored("schema"), SCHEMA);
    assert_eq!(stored("sequences-schema"), SCHEMA_OF_SEQUENCES);
}

#[test]
fn every_file_keeps_to_the_schema() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let part = |name: &str| {
        let mut part = schema["$defs"][name].clone();
        part["$defs"] = schema["$defs"].clone();
        part
    };
    let (flag, reading) = (part("flag"), part("reading"));
    for (name, text) in FILES {
        let file: Value = serde_json::from_str(text).unwrap();
        validate_by(&schema, &file).unwrap_or_else(|error| panic!("{name}.json: {error}"));
        for (name, value) in file["flags"].as_object().unwrap() {
            validate_by(&flag, value).unwrap_or_else(|error| panic!("{name}: {error}"));
        }
        for vector in file["vectors"].as_array().unwrap() {
            for value in vector["readings"].as_object().into_iter().flat_map(|all| all.values()) {
                validate_by(&reading, value).unwrap_or_else(|error| panic!("{vector}: {error}"));
            }
        }
    }
    let names = &schema["$defs"]["classes"]["items"]["enum"];
    let ours: Vec<&str> = Class::ALL.iter().map(|class| class.name()).collect();
    assert_eq!(*names, json!(ours));
    // What departs from it is found.
    let mut wrong: Value = serde_json::from_str(FILES[0].1).unwrap();
    for (field, value) in [("expect", json!("vague")), ("classes", json!([])), ("more", json!(1))] {
        let sound = wrong["vectors"][0].clone();
        wrong["vectors"][0][field] = value;
        assert!(validate_by(&schema, &wrong).is_err(), "{field}");
        wrong["vectors"][0] = sound;
    }
    assert_eq!(validate_by(&schema, &wrong), Ok(()));
}

#[test]
fn the_file_of_sequences_keeps_to_its_schema() {
    let schema: Value = serde_json::from_str(SCHEMA_OF_SEQUENCES).unwrap();
    let mut flag = schema["$defs"]["flag"].clone();
    flag["$defs"] = schema["$defs"].clone();
    let mut file: Value = serde_json::from_str(&stored(SequenceFile::NAME)).unwrap();
    assert_eq!(validate_by(&schema, &file), Ok(()));
    for value in file["flags"].as_object().unwrap().values() {
        assert_eq!(validate_by(&flag, value), Ok(()));
    }
    // What departs from it is found, and read by nobody else either.
    let moves = ["start", "step", "ring", "crash"];
    let first = file["sequences"][0]["moves"][0].clone();
    for (field, value) in [
        ("step", json!({})),
        ("crash", json!({"node": 0})),
        ("more", json!(1)),
        ("must", json!([{}])),
    ] {
        file["sequences"][0]["moves"][0][field] = value;
        assert!(validate_by(&schema, &file).is_err(), "{field}");
        file["sequences"][0]["moves"][0] = first.clone();
    }
    file["sequences"][0]["moves"][0] = json!({});
    assert!(validate_by(&schema, &file).is_err(), "none of {moves:?}");
    assert!(SequenceFile::read(&file.to_string()).is_err(), "none of {moves:?}");
}

#[test]
fn sequences_are_named_explained_and_half_of_them_negative() {
    let file = sequences();
    let negative = file.sequences.iter().filter(|one| one.is_negative).count();
    assert!(2 * negative >= file.sequences.len(), "{negative} are negative");
    assert!(stored(SequenceFile::NAME).len() <= SEQUENCES_BYTES_MAX);
    let ids: BTreeSet<&str> = file.sequences.iter().map(|one| one.id.as_str()).collect();
    assert_eq!(ids.len(), file.sequences.len(), "one id for each");
    let all = sentences();
    let mut carried = BTreeSet::new();
    for sequence in &file.sequences {
        let id = &sequence.id;
        assert!(id.starts_with("sequence.") && !sequence.requirements.is_empty(), "{id}");
        assert!(sequence.requirements.iter().all(|of| all.contains(of)), "{id}");
        carried.extend(sequence.flags.iter());
        let last = sequence.moves.last().unwrap();
        let is_forbidden = !last.never.is_empty();
        assert_eq!(is_forbidden, sequence.is_negative, "{id}: what must never be is asked last");
        assert!(is_forbidden || !last.must.is_empty(), "{id}: nothing is asked last");
    }
    assert_eq!(carried, file.flags.keys().collect(), "flags that are explained are carried");
}

/// Every stored vector and sequence is a case, and so accounted for in every run.
#[test]
fn every_stored_vector_and_sequence_is_a_case() {
    let cases: Vec<String> = cases::all().into_iter().map(|case| case.id).collect();
    let names: BTreeSet<&String> = cases.iter().collect();
    assert_eq!(names.len(), cases.len(), "one case for each id");
    let calls = all().into_iter().map(|vector| vector.id);
    for id in calls.chain(sequences().sequences.into_iter().map(|one| one.id)) {
        assert!(names.contains(&id), "{id}");
    }
}

#[test]
fn vectors_are_named_counted_and_explained() {
    let (files, all) = (files(), all());
    let bytes: usize = FILES.iter().map(|(_, text)| text.len()).sum();
    assert!(bytes <= BYTES_MAX && all.len() <= VECTORS_MAX, "{} in {bytes} bytes", all.len());
    let negative = all.iter().filter(|one| matches!(one.expect, Expect::Invalid(_))).count();
    assert!(2 * negative >= all.len(), "{negative} of {} are negative", all.len());
    let ids: BTreeSet<&str> = all.iter().map(|one| one.id.as_str()).collect();
    assert_eq!(ids.len(), all.len(), "one id for each vector");
    let sentences = sentences();
    for vector in &all {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
        assert!(vector.id.chars().all(is_plain), "{}", vector.id);
        assert!(vector.id.starts_with(&format!("{}.", vector.op)), "{}", vector.id);
        assert!(OPS.contains(&vector.op.as_str()), "{}", vector.op);
        assert!(!vector.requirements.is_empty(), "{}", vector.id);
        for id in &vector.requirements {
            assert!(sentences.contains(id), "{}: {id} is no sentence", vector.id);
        }
        if let Expect::Ambiguous { point, readings } = &vector.expect {
            let register = include_str!("../spec/ambiguities.md");
            let (_, section) = register.split_once(&format!("\n## {point} ")).unwrap();
            let section = section.split("\n## ").next().unwrap();
            for reading in readings.keys() {
                assert!(section.contains(&format!("\n- {reading}: ")), "{point}={reading}");
            }
            assert!(readings.contains_key("R1"), "{}: the reference's reading", vector.id);
        }
    }
    for file in &files {
        for vector in &file.vectors {
            for flag in &vector.flags {
                assert!(file.flags.contains_key(flag), "{}: {flag}", vector.id);
            }
        }
    }
}

/// Ids of all sentences of the spec.
fn sentences() -> BTreeSet<String> {
    let spec = Path::new(env!("CARGO_MANIFEST_DIR")).join("spec");
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(spec).expect("the folder of the spec") {
        let path = entry.expect("a file of the spec").path();
        let text = fs::read_to_string(path).expect("a chapter of the spec");
        for line in text.lines() {
            if let Some((id, _)) = line.split_once(" (paper): ").or(line.split_once(" (ours): ")) {
                found.insert(id.to_owned());
            }
        }
    }
    found
}

/// Held to the class of a rejection too, which the spec only advises.
fn judged(vector: &Vector, answer: &Answer) -> Result<(), String> {
    let hello = Hello::default();
    let reply = match answer.clone() {
        Answer::Ok(Value::Object(result)) => Reply::Ok(result),
        Answer::Ok(other) => return Err(format!("{other} is no object")),
        Answer::Reject { class, detail } => Reply::Reject { class, detail },
        Answer::Unsupported(why) => Reply::Unsupported(why),
        Answer::Malformed(why) => return Err(format!("the call is malformed: {why}")),
    };
    match judge(vector, &reply, &hello) {
        Judged::Held { class_fits: Some(false) } => Err(format!("another class: {reply:?}")),
        Judged::Held { .. } => Ok(()),
        Judged::Broken(what) | Judged::Undeclared(what) => Err(what),
    }
}

#[test]
fn the_reference_keeps_every_vector() {
    let mut wrong = Vec::new();
    for vector in all() {
        let found = answer(&vector.op, &vector.args);
        if let Err(why) = judged(&vector, &found) {
            wrong.push(format!("{}: {why}", vector.id));
        }
    }
    assert!(wrong.is_empty(), "{}\n{}", wrong.len(), wrong.join("\n"));
}

/// Canary: an answer that is wrong in one place is noticed, for every vector that says anything.
#[test]
fn a_wrong_answer_is_noticed() {
    let mut noticed: BTreeMap<String, usize> = BTreeMap::new();
    let refused = || Answer::Reject { class: Class::Refused, detail: String::new() };
    for vector in all() {
        let found = answer(&vector.op, &vector.args);
        let mut wrong = vec![Answer::Unsupported(String::new()), Answer::Malformed(String::new())];
        match found {
            Answer::Ok(result) => {
                wrong.push(refused());
                wrong.extend(spoilt(&result).map(Answer::Ok));
            }
            _ => wrong.push(Answer::Ok(json!({}))),
        }
        for answer in wrong {
            if judged(&vector, &answer).is_err() {
                *noticed.entry(vector.op.clone()).or_default() += 1;
            } else {
                // Only a result that is judged in part may be spoilt where nobody looks.
                assert!(matches!(answer, Answer::Ok(_)), "{}: {answer:?}", vector.id);
                let parts = ["paper.credit", "file.seal"];
                assert!(parts.contains(&vector.op.as_str()), "{}: {answer:?}", vector.id);
            }
        }
    }
    // Windows, proofs and keys of profile paper are values that only the implementation reads.
    let opaque = ["paper.window", "paper.prove", "paper.verify"];
    for op in OPS {
        let is_opaque = opaque.contains(op) || op.starts_with("paper.pre.");
        assert_eq!(noticed.contains_key(*op), !is_opaque, "{op}");
    }
}

/// The result with one leaf changed; nothing where there is none.
fn spoilt(result: &Value) -> Option<Value> {
    match result {
        Value::Object(fields) => fields.iter().find_map(|(name, value)| {
            let mut result = result.clone();
            result[name] = spoilt(value)?;
            Some(result)
        }),
        Value::Array(list) => {
            let shorter = list.split_last().map(|(_, rest)| Value::from(rest.to_vec()));
            Some(shorter.unwrap_or_else(|| json!([0])))
        }
        Value::String(text) => Some(json!(format!("{text}00"))),
        Value::Bool(yes) => Some(json!(!yes)),
        Value::Number(_) => Some(json!(-1)),
        Value::Null => None,
    }
}
