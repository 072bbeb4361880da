//! `mdsm receipt` as a stranger calls it. [ANC-2]
#![cfg(feature = "node")]
#![expect(clippy::unwrap_used, reason = "a test that cannot set its scene has failed")]

mod scene;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use mdsm_core::codec::Wire as _;

use scene::{NOTE, receipt};

struct Files {
    directory: tempfile::TempDir,
}

impl Files {
    fn new() -> Self {
        let files = Self { directory: tempfile::tempdir().unwrap() };
        let (receipt, headers) = receipt(0);
        fs::write(files.path("receipt"), receipt.to_bytes()).unwrap();
        fs::write(files.path("headers"), headers).unwrap();
        fs::write(files.path("note"), NOTE).unwrap();
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn verify(&self, receipt: &Path, more: &[&str]) -> (Option<i32>, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mdsm"));
        command.args(["receipt", "verify", "--network", "regtest", "--headers"]);
        let output = command.arg(self.path("headers")).arg(receipt).args(more).output().unwrap();
        said(&output)
    }
}

fn said(output: &Output) -> (Option<i32>, String) {
    let bytes = [&output.stdout[..], &output.stderr[..]].concat();
    (output.status.code(), String::from_utf8(bytes).unwrap())
}

#[test]
fn anc_2_13_a_receipt_verified_is_not_called_booked() {
    //= harness/spec/anchoring.md#anc-2-receipt
    //= type=test
    //# ANC-2.1 (paper): A receipt together with a file of Bitcoin block headers MUST suffice to
    //# verify, without any network, that a record existed before the Bitcoin block that carries its
    //# anchor.
    //= harness/spec/anchoring.md#anc-2-receipt
    //= type=test
    //# ANC-2.13 (ours): A verifier MUST report a verified receipt as existing before the stated
    //# Bitcoin block and not as booked by this network, unless it has also verified an anchor
    //# certificate and the roster that leads to its signers.
    let files = Files::new();
    let (code, text) = files.verify(&files.path("receipt"), &[]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("existed before Bitcoin block 102 (6 confirmations)"), "{text}");
    assert!(
        text.contains("booked by institution 3: claimed, not shown"),
        "that takes more: {text}"
    );
    let note = files.path("note");
    let with = ["--content", note.to_str().unwrap(), "--format", "json"];
    let (code, text) = files.verify(&files.path("receipt"), &with);
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((code, &value["shown"]), (Some(0), &"existed-before".into()));
    assert_eq!(value["content"]["checked"], true);
    assert!(!text.contains("\"booked\""), "{text}");
}

#[test]
fn anc_2_12_six_confirmations_are_asked_for_by_default() {
    //= harness/spec/anchoring.md#anc-2-receipt
    //= type=test
    //# ANC-2.12 (ours): A verifier MUST refuse a receipt whose block has fewer confirmations in the
    //# headers than asked for, where 6 are asked for by default and the block itself counts as the
    //# first.
    let files = Files::new();
    let headers = fs::read(files.path("headers")).unwrap();
    fs::write(files.path("headers"), &headers[..headers.len() - 80]).unwrap();
    let (code, text) = files.verify(&files.path("receipt"), &[]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("block 102 has 5 confirmations, 6 are asked for"), "{text}");
    assert_eq!(files.verify(&files.path("receipt"), &["--depth", "5"]).0, Some(0));
}

#[test]
fn anc_2_2_the_receipt_is_checked_before_the_headers_and_the_depth_last() {
    //= harness/spec/anchoring.md#anc-2-receipt
    //= type=test
    //# ANC-2.2 (ours): A verifier MUST make the checks of the table Order of checks in the order of
    //# that table and report the first one that fails.
    let files = Files::new();
    let mut headers = fs::read(files.path("headers")).unwrap();
    headers[80 * 5 + 4] ^= 1;
    fs::write(files.path("headers"), headers).unwrap();
    let (code, text) = files.verify(&files.path("receipt"), &["--depth", "99"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("headers: header 5, at byte 400"), "{text}");
    let content = files.path("receipt");
    let with = ["--depth", "99", "--content", content.to_str().unwrap()];
    let (code, text) = files.verify(&files.path("receipt"), &with);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("receipt.booking.content"), "{text}");
}

#[test]
fn anc_2_every_refusal_names_file_field_and_place() {
    let files = Files::new();
    let receipt = fs::read(files.path("receipt")).unwrap();
    let bad = files.path("bad");
    let expect = |bytes: &[u8], more: &[&str], words: &[&str]| {
        fs::write(&bad, bytes).unwrap();
        let (code, text) = files.verify(&bad, more);
        assert_eq!(code, Some(1), "{text}");
        for word in words.iter().chain(&["bad"]) {
            assert!(text.contains(word), "{word}: {text}");
        }
    };
    expect(&receipt[..100], &[], &["Receipt.", "at byte", "bytes needed"]);
    expect(&[&receipt[..], &[0]].concat(), &[], &["1 bytes after the end"]);
    expect(b"", &[], &["Receipt at byte 0"]);
    let mut version = receipt.clone();
    version[4] = 2;
    expect(&version, &[], &["at byte 4", "version 2"]);
    let tag = [&[0; 4][..], &receipt[4..]].concat();
    expect(&tag, &[], &[r#"tag "\x00\x00\x00\x00" where "M"#]);
    let mut epoch = receipt.clone();
    epoch[37] ^= 1;
    expect(&epoch, &[], &["receipt.epoch"]);
    expect(&receipt, &["--depth", "7"], &["6 confirmations, 7 are asked for"]);
    let headers = files.path("headers");
    expect(&receipt, &["--content", headers.to_str().unwrap()], &["receipt.booking.content"]);
}

#[test]
fn wrong_calls_and_unreadable_files_are_not_verdicts() {
    let files = Files::new();
    let (code, text) = files.verify(&files.path("absent"), &[]);
    assert_eq!(code, Some(4), "{text}");
    assert!(text.contains("absent"), "{text}");
    let (code, _) = files.verify(&files.path("receipt"), &["--depth", "many"]);
    assert_eq!(code, Some(4));
    // Mainnet is the default network: regtest headers are not its headers.
    let output = Command::new(env!("CARGO_BIN_EXE_mdsm"))
        .args(["receipt", "verify", "--headers"])
        .args([files.path("headers"), files.path("receipt")])
        .output()
        .unwrap();
    let (code, text) = said(&output);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("headers: header 0, at byte 0") && text.contains("genesis"), "{text}");
}

#[test]
fn export_writes_opentimestamps_and_fhir() {
    let files = Files::new();
    let (ots, fhir) = (files.path("note.ots"), files.path("note.fhir.json"));
    let export = |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mdsm"));
        command.args(["receipt", "export"]).arg(files.path("receipt")).args(more);
        said(&command.arg("--ots").arg(&ots).arg("--fhir").arg(&fhir).output().unwrap())
    };
    // What is there is left alone, and nothing is written beside it.
    fs::write(&fhir, "of somebody").unwrap();
    let (code, text) = export(&[]);
    assert_eq!(code, Some(4), "{text}");
    assert!(text.contains("note.fhir.json: is there already; --force "), "{text}");
    assert!(!ots.exists() && fs::read(&fhir).unwrap() == b"of somebody");
    let (code, text) = export(&["--force"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(fs::read(&ots).unwrap().starts_with(b"\x00OpenTimestamps\x00\x00Proof\x00"));
    let bundle: serde_json::Value = serde_json::from_slice(&fs::read(&fhir).unwrap()).unwrap();
    assert_eq!(bundle["entry"][0]["resource"]["resourceType"], "DocumentReference");
    let nothing = Command::new(env!("CARGO_BIN_EXE_mdsm"))
        .args(["receipt", "export"])
        .arg(files.path("receipt"))
        .output()
        .unwrap();
    assert_eq!(nothing.status.code(), Some(4), "an export without a form");
}
