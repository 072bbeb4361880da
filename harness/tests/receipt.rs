//! Receipts, sealed files, headers, trees and windows of the reference beside the rules.
//! [ANC-2] [DDB-1] [STO-10] [STO-11] [STO-12] [STO-13]

use harness::generate::alter::{Altered, altered};
use harness::generate::sound::sound;
use harness::oracle;
use harness::rules::mirror::Receipt;
use harness::rules::receipt::{anchor_root_of, examine};
use harness::rules::wire::Mirror;
use harness::seed::{Draw, Seed};
use mdsm_core::anchoring::{self, ChainParameters, HeaderChain};
use mdsm_core::codec::Wire as _;
use mdsm_core::ledger;
use rand_chacha::rand_core::Rng;

fn decoded(receipt: Receipt) -> ledger::Receipt {
    ledger::Receipt::from_bytes(&Mirror::from(receipt).encode()).expect("made by the rules")
}

#[test]
fn anc_2_1_a_receipt_built_by_the_rules_verifies_in_the_reference() {
    let mut draw = Seed::new(1).stream("receipt/sound");
    for _ in 0..40 {
        let sound = sound(&mut draw);
        let root = anchor_root_of(&sound.receipt).unwrap();
        let receipt = decoded(sound.receipt.clone());
        let claim = anchoring::examine(&receipt, Some(&sound.content)).unwrap();
        assert_eq!(claim.anchor_root.as_bytes(), &root);
        let headers = HeaderChain::from_bytes(&sound.headers, ChainParameters::Regtest).unwrap();
        let existed = claim.confirm(&headers, 2).unwrap();
        assert_eq!((existed.height, existed.confirmations), (1, 2));
        assert!(claim.confirm(&headers, 3).is_err());
        assert_eq!(oracle::receipt(&receipt.to_bytes()), Ok(()));
    }
}

#[test]
fn anc_2_2_each_change_fails_the_check_that_the_spec_names() {
    let mut draw = Seed::new(2).stream("receipt/altered");
    for _ in 0..4 {
        for Altered { name, receipt, fault } in altered(&mut draw) {
            let signed = !matches!(name, "signature-bit" | "another-chain" | "small-order-owner");
            assert_eq!(examine(&receipt, signed).err(), fault, "{name}");
            let bytes = Mirror::from(receipt).encode();
            assert_eq!(oracle::receipt(&bytes), Ok(()), "{name}");
        }
    }
}

#[test]
fn ddb_1_5_files_under_attack_open_as_by_the_rules() {
    let mut draw = Seed::new(3).stream("sealed");
    for _ in 0..80 {
        let mut input = vec![0; 1 + usize::try_from(draw.below(26)).unwrap()];
        draw.fill_bytes(&mut input);
        assert_eq!(oracle::sealed(&input), Ok(()), "{input:?}");
        input[0] = 1;
        assert_eq!(oracle::sealed(&input), Ok(()), "{input:?}");
    }
}

#[test]
fn sto_10_3_trees_of_every_size_are_those_of_rfc_6962() {
    let mut draw = Seed::new(4).stream("merkle");
    for count in (0..=130).chain([255, 256, 257, 299, 300u16]) {
        let mut input = vec![0; 80];
        draw.fill_bytes(&mut input);
        input[..2].copy_from_slice(&count.to_le_bytes());
        assert_eq!(oracle::merkle(&input), Ok(()), "{count} leaves: {input:?}");
    }
}

#[test]
fn sto_12_6_windows_follow_from_the_finalized_blocks_alone() {
    let mut draw = Seed::new(5).stream("windows");
    for _ in 0..12 {
        let mut schedule = vec![0; 80];
        draw.fill_bytes(&mut schedule);
        match draw.below(3) {
            // Short steps, so that more than ten Item blocks gather between two checks.
            0 => schedule.iter_mut().for_each(|byte| *byte &= 0xf7),
            // Whole minutes, so that blocks lie on the very marks.
            1 => schedule.iter_mut().for_each(|byte| *byte = *byte & 0xf0 | 0x0a),
            _ => {}
        }
        assert_eq!(oracle::windows(&schedule), Ok(()), "{schedule:?}");
    }
}

#[test]
fn anc_2_9_headers_are_taken_as_by_the_rules() {
    let mut draw = Seed::new(6).stream("headers");
    let chain = sound(&mut draw).headers;
    assert_eq!(oracle::headers(&chain), Ok(()));
    for at in 0..chain.len() {
        let mut changed = chain.clone();
        changed[at] ^= 1 << draw.below(8);
        assert_eq!(oracle::headers(&changed), Ok(()), "byte {at}");
        assert_eq!(oracle::headers(&chain[..at]), Ok(()), "cut at {at}");
    }
}
