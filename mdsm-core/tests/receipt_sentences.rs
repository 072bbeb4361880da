//! `mdsm receipt`, run as the stranger runs it: files in, words and exit code out.
#![cfg(not(mdsm_loom))]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use bitcoin::Amount;
use bitcoin::secp256k1::SecretKey;
use mdsm_core::anchoring::{Funding, anchor_transaction, funding_script};
use mdsm_core::bitcoin::embedded::EmbeddedChain;
use mdsm_core::chain::{Chain, Genesis};
use mdsm_core::codec::Wire as _;
use mdsm_core::crypto::sign::SigningKey;
use mdsm_core::crypto::{Identified as _, sha256};
use mdsm_core::ledger::*;
use mdsm_core::params::{MINUTE_MS, TURN_MS, WINDOW_MS};
use mdsm_core::types::*;

const CONTENT: &[u8] = b"blood pressure 120/80";

/// A receipt of one record, and Bitcoin's headers with the anchor six blocks deep.
fn receipt_and_headers() -> (Receipt, Vec<u8>) {
    let genesis = Genesis {
        name: Text::new("cli").unwrap(),
        started_at: Timestamp::new(0),
        turn_ms: TURN_MS,
        minute_ms: MINUTE_MS,
        window_ms: WINDOW_MS,
        producers: 4,
        auditors: 4,
        committees: sha256(b"committees"),
    };
    let mut chain = Chain::new(genesis).unwrap();
    let (chain_id, producer) = (chain.id(), InstitutionId::new(1));
    let metadata = Metadata::new(
        ResourceType::new("Observation").unwrap(),
        MediaType::new("text/plain").unwrap(),
        Timestamp::new(0),
        u64::try_from(CONTENT.len()).unwrap(),
    );
    let key = SigningKey::from_seed(&[1; 32]);
    let record = Record::new(key.owner(), metadata, Content::inline(CONTENT).unwrap()).unwrap();
    let envelope = Envelope::sign(record, &chain_id, &key, producer);
    let item = Item { records: List::new(vec![envelope]).unwrap() };
    let (height, timestamp) = (Height::new(1), Timestamp::new(600_000));
    let root = root_of(Level::ItemBlock, &[item.root()]);
    let item_block = ItemBlock {
        header: ItemBlockHeader { chain_id, height, producer, closed_at: timestamp, root },
        items: List::new(vec![item.root()]).unwrap(),
    };
    let payload = Payload { item_block: Some(item_block.clone()) };
    let header = BlockHeader {
        chain_id,
        epoch: Epoch::new(0),
        view: View::new(1),
        height,
        parent: chain.head(),
        timestamp,
        producer,
        payload: payload.id(),
    };
    let block = Block { header, payload };
    let none_booked = std::collections::BTreeSet::new();
    let checked = chain.check(&block, std::slice::from_ref(&item), &none_booked).unwrap();
    let frozen = chain.apply(checked).frozen.unwrap();
    let issuer = Issuer::new(&frozen.anchor, &frozen.data_blocks, &[item_block]).unwrap();

    let mut bitcoin = EmbeddedChain::new();
    let key = SecretKey::from_slice(&[1; 32]).unwrap();
    (0..101).for_each(|_| _ = bitcoin.mine(&funding_script(&key), 1_700_000_000));
    let (outpoint, value) = bitcoin.coin(&funding_script(&key)).unwrap();
    let funding = Funding { outpoint, value, fee: Amount::from_sat(500), key };
    let output = AnchorOutput { epoch: frozen.anchor.epoch, root: frozen.anchor.root() };
    let id = bitcoin.submit(anchor_transaction(&output, &funding).unwrap()).unwrap();
    (0..6).for_each(|_| _ = bitcoin.mine(&funding_script(&key), 1_700_000_000));
    let receipt = Receipt { bitcoin: bitcoin.proof(&id), ..issuer.issue(&item, 0).unwrap() };
    (receipt, bitcoin.headers())
}

struct Files {
    directory: tempfile::TempDir,
}

impl Files {
    fn new() -> Self {
        let files = Self { directory: tempfile::tempdir().unwrap() };
        let (receipt, headers) = receipt_and_headers();
        files.put("receipt", &receipt.to_bytes());
        files.put("headers", &headers);
        files.put("content", CONTENT);
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn get(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    fn mdsm(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mdsm"));
        command.current_dir(self.directory.path()).args(arguments).output().unwrap()
    }

    fn verify(&self, more: &[&str]) -> (Option<i32>, String) {
        let fixed =
            ["receipt", "verify", "receipt", "--headers", "headers", "--network", "regtest"];
        let output = self.mdsm(&[&fixed, more].concat());
        let text = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(text).unwrap())
    }
}

#[test]
fn anc_2_13_a_verified_receipt_exists_before_a_block_and_is_not_called_booked() {
    //= harness/spec/anchoring.md#anc-2-receipt
    //= type=test
    //# ANC-2.13 (ours): A verifier MUST report a verified receipt as existing before the stated
    //# Bitcoin block and not as booked by this network, unless it has also verified an anchor
    //# certificate and the roster that leads to its signers.
    let files = Files::new();
    let (code, text) = files.verify(&["--content", "content"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.starts_with("existed before Bitcoin block 102 (6 confirmations)\n"), "{text}");
    assert!(text.contains("booked by institution 1: claimed, not shown;"), "{text}");
    let (code, text) = files.verify(&["--format", "json"]);
    assert_eq!(code, Some(0), "{text}");
    let shown: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(shown["shown"], "existed-before");
    assert_eq!(shown["bitcoin"]["height"], 102);
    assert_eq!(shown["content"]["checked"], false);
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
    assert_eq!(files.verify(&[]).0, Some(0));
    assert_eq!(files.verify(&["--depth", "7"]).0, Some(1));
    let headers = files.get("headers");
    files.put("headers", &headers[..headers.len() - 80]);
    let (code, text) = files.verify(&[]);
    assert_eq!(code, Some(1));
    assert!(text.contains("block 102 has 5 confirmations, 6 are asked for"), "{text}");
    assert_eq!(files.verify(&["--depth", "5"]).0, Some(0));
}

#[test]
fn anc_2_2_faults_of_the_receipt_are_named_before_those_of_the_headers() {
    //= harness/spec/anchoring.md#anc-2-receipt
    //= type=test
    //# ANC-2.2 (ours): A verifier MUST make the checks of the table Order of checks in the order of
    //# that table and report the first one that fails.
    let files = Files::new();
    let refused = |more: &[&str], part: &str| {
        let (code, text) = files.verify(more);
        assert_eq!(code, Some(1), "{text}");
        assert!(text.starts_with("refused: ") && text.contains(part), "{part}: {text}");
    };
    let mut headers = files.get("headers");
    headers[80 * 5 + 4] ^= 1;
    files.put("headers", &headers);
    refused(&["--depth", "99"], "headers: header 5, at byte 400");
    files.put("other", b"another content");
    refused(&["--content", "other"], "receipt.booking.content");
    let mut receipt = files.get("receipt");
    receipt.push(0);
    files.put("receipt", &receipt);
    refused(&["--content", "other"], "1 bytes after the end of the value");
    assert_eq!(files.verify(&["--content", "absent"]).0, Some(1), "the receipt is read first");
}

#[test]
fn anc_2_14_a_receipt_is_exported_for_opentimestamps_and_fhir() {
    //= harness/spec/anchoring.md#anc-2-receipt
    //= type=test
    //# ANC-2.14 (ours): A receipt with a Bitcoin part MUST be exportable as an OpenTimestamps file
    //# that leads from the digest in the content reference to the Merkle root of the Bitcoin block.
    let files = Files::new();
    let arguments = ["receipt", "export", "receipt", "--ots", "ots", "--fhir", "fhir"];
    assert_eq!(files.mdsm(&arguments).status.code(), Some(0));
    let stamp = files.get("ots");
    assert!(stamp.starts_with(b"\x00OpenTimestamps\x00\x00Proof\x00"));
    assert_eq!(stamp[33..65], *sha256(CONTENT).as_bytes());
    let bundle: serde_json::Value = serde_json::from_slice(&files.get("fhir")).unwrap();
    assert_eq!(bundle["entry"][0]["resource"]["resourceType"], "DocumentReference");
    assert!(!Path::new("ots").exists(), "written where it was asked for");
}
