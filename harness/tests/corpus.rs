//! The committed corpus on a stable compiler, and the fuzz targets against the list of oracles.
//!
//! `MDSM_WRITE_SEEDS=1 cargo test -p harness --test corpus` writes the seeds anew after a change of
//! format or generators.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use harness::corpus::{Target, mutated, replay, seeds, unsorted_is_accepted, write_seeds};
use harness::generate::spoil::spoilt;
use harness::generate::values::Scale;
use harness::oracle::decode::judge;
use harness::rules::wire::WireKind;
use harness::seed::Seed;

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz")
}

/// The committed corpus, its seeds written anew on demand, once for all tests.
static CORPUS: LazyLock<PathBuf> = LazyLock::new(|| {
    let corpus = fuzz().join("corpus");
    if std::env::var_os("MDSM_WRITE_SEEDS").is_some() {
        write_seeds(&corpus).expect("the corpus can be written");
    }
    corpus
});

#[test]
fn sto_1_3_every_corpus_file_holds_on_a_stable_compiler() {
    let replayed = replay(&CORPUS).unwrap();
    assert_eq!(replayed.len(), Target::all().count());
    for target in replayed {
        let name = target.target.name();
        assert!(target.failures.is_empty(), "{name}: {:#?}", target.failures);
        let at_least = seeds(target.target).len();
        assert!(target.files >= at_least, "{name}: {} of {at_least} files", target.files);
    }
}

#[test]
fn the_committed_seeds_are_those_of_the_generators_and_small() {
    let mut total = 0;
    for target in Target::all() {
        let seeds = seeds(target);
        let names: BTreeSet<&String> = seeds.iter().map(|(name, _)| name).collect();
        assert_eq!(names.len(), seeds.len(), "{}: a name occurs twice", target.name());
        assert!((4..=40).contains(&seeds.len()), "{}: {} seeds", target.name(), seeds.len());
        for (name, bytes) in &seeds {
            let file = CORPUS.join(target.name()).join(name);
            let committed = fs::read(&file).unwrap_or_else(|error| panic!("{file:?}: {error}"));
            assert_eq!(&committed, bytes, "{file:?}");
            total += bytes.len();
        }
    }
    assert!(total < 1_000_000, "{total} bytes of seeds");
}

#[test]
fn a_corpus_folder_without_a_target_and_a_failing_file_are_reported() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("record")).unwrap();
    fs::write(folder.path().join("record/anything"), b"MREC").unwrap();
    fs::create_dir(folder.path().join("canary")).unwrap();
    let unsorted = unsorted_record();
    fs::write(folder.path().join("canary/unsorted"), unsorted).unwrap();
    let replayed = replay(folder.path()).unwrap();
    for target in replayed {
        let (files, failures) = match target.target {
            Target::Wire(WireKind::Record) => (1, 0),
            Target::Canary => (1, 1),
            _ => (0, 0),
        };
        let name = target.target.name();
        assert_eq!((target.files, target.failures.len()), (files, failures), "{name}");
    }
    fs::create_dir(folder.path().join("recrod")).unwrap();
    assert!(replay(folder.path()).is_err(), "a misspelt folder would go unread");
}

fn unsorted_record() -> Vec<u8> {
    let mut draw = Seed::new(3).stream("canary");
    let all = spoilt(WireKind::Record, Scale::Small, &mut draw);
    let unsorted = all.into_iter().find(|spoilt| spoilt.fault == "ext-unsorted");
    unsorted.expect("a record has extensions").bytes
}

#[test]
fn sto_1_5_the_canary_is_caught_by_unsorted_keys_and_by_none_of_its_seeds() {
    let broken = Target::Canary.check(&unsorted_record());
    assert!(broken.unwrap_err().contains("the rules refuse"));
    for (name, bytes) in seeds(Target::Canary) {
        let answer = unsorted_is_accepted(WireKind::Record, &bytes);
        assert!(answer.is_ok(), "{name} is not valid");
        assert_eq!(judge(WireKind::Record, &bytes, &answer), Ok(()), "{name}");
    }
}

#[test]
fn every_mutation_holds_and_some_are_accepted() {
    for target in Target::all() {
        let (_, start) = &seeds(target)[0];
        let (mut made, mut left_alone) = (0, 0);
        for seed in 0..400 {
            match mutated(target, start, seed) {
                None => left_alone += 1,
                Some(bytes) => {
                    made += 1;
                    assert_eq!(target.check(&bytes), Ok(()), "{} of seed {seed}", target.name());
                    assert_eq!(mutated(target, start, seed), Some(bytes), "not from the seed");
                }
            }
        }
        let helped = matches!(target, Target::Wire(_) | Target::ReceiptExamine);
        assert_eq!(made > 10, helped, "{}: {made} mutations", target.name());
        assert!(left_alone > 200, "{}: {left_alone} left to the fuzzer", target.name());
    }
}

#[test]
fn every_target_has_its_binary_and_its_glue() {
    let manifest = fs::read_to_string(fuzz().join("Cargo.toml")).unwrap();
    let binaries: BTreeSet<&str> = manifest
        .lines()
        .filter_map(|line| line.strip_prefix("path = \"fuzz_targets/")?.strip_suffix(".rs\""))
        .collect();
    let names: BTreeSet<&str> = Target::all().map(Target::name).collect();
    assert_eq!(binaries, names);
    for name in names {
        let glue = fs::read_to_string(fuzz().join(format!("fuzz_targets/{name}.rs"))).unwrap();
        assert!(glue.contains(&format!("target!(\"{name}\")")), "{name}: {glue}");
        assert_eq!(Target::of_name(name).map(Target::name), Some(name));
    }
    assert_eq!(Target::of_name("recrod"), None);
}

#[test]
fn the_dictionary_knows_every_tag() {
    let dictionary = fs::read_to_string(fuzz().join("dictionaries/wire.dict")).unwrap();
    for kind in WireKind::ALL {
        let tag = String::from_utf8(kind.tag().to_vec()).unwrap();
        assert!(dictionary.contains(&format!("\"{tag}\\x01\"")), "{tag}");
    }
}
