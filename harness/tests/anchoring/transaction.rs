//! ANC-2.4 to ANC-2.6: the transaction that carries the anchor.

use bitcoin::consensus::serialize;
use bitcoin::{ScriptBuf, Witness};
use mdsm_core::anchoring::ProofError;
use mdsm_core::codec::{DecodeErrorKind, Wire as _};
use mdsm_core::ledger::{AnchorOutputError, Receipt};
use mdsm_core::types::{Blob, BoundError};

use super::case::{Refusal, sound};

#[test]
fn anc_2_4_a_transaction_of_64_bytes_is_refused() {
    //= harness/spec/anchoring.md#anc-2-receipt
    //= type=test
    //# ANC-2.4 (ours): A verifier MUST refuse a transaction of exactly 64 bytes.
    // One input, one output, and scripts that make up the length: a sound transaction otherwise.
    for (length, error) in [
        (63, ProofError::Outputs { outputs: 0 }),
        (64, ProofError::InnerNode),
        (65, ProofError::Outputs { outputs: 0 }),
    ] {
        let case = sound();
        let mut transaction = case.transaction();
        transaction.input.truncate(1);
        transaction.input[0].script_sig = ScriptBuf::from_bytes(vec![0x51; length - 60]);
        transaction.output.truncate(1);
        transaction.output[0].script_pubkey = ScriptBuf::new();
        let bytes = serialize(&transaction);
        assert_eq!(bytes.len(), length);
        assert_eq!(case.with_bytes(&bytes).refused_proof(), error);
    }
}

#[test]
fn anc_2_5_a_transaction_is_at_most_4096_bytes() {
    //= harness/spec/anchoring.md#anc-2-receipt
    //= type=test
    //# ANC-2.5 (ours): A verifier MUST refuse a transaction that is longer than 4,096 bytes or is
    //# not in the legacy serialisation without witness.
    let case = sound();
    let of_length = |length: usize| {
        let padded = |bytes: usize| {
            let mut transaction = case.transaction();
            transaction.output[1].script_pubkey = ScriptBuf::from_bytes(vec![0x51; bytes]);
            serialize(&transaction)
        };
        let around = padded(300).len() - 300;
        padded(length - around)
    };
    let largest = of_length(4_096);
    assert_eq!(largest.len(), 4_096);
    // It passes its own checks, and is then not the one of the block.
    let refused = case.with_bytes(&largest).verify().unwrap_err();
    assert!(matches!(refused, Refusal::Confirm(_)), "{refused:?}");

    let larger = of_length(4_097);
    let bound = BoundError::Count { count: 4_097, count_min: 0, count_max: 4_096 };
    assert_eq!(Blob::<0, 4_096>::new(larger.clone()), Err(bound.clone()));
    let bytes = case.with_bytes(&largest).receipt.to_bytes();
    let at = bytes.windows(4_096).position(|window| window == largest).unwrap();
    let (head, tail) = (&bytes[..at - 4], &bytes[at + 4_096..]);
    let received = [head, &4_097_u32.to_le_bytes(), &larger, tail].concat();
    let error = Receipt::from_bytes(&received).unwrap_err();
    assert_eq!(error.field(), "Receipt.bitcoin.transaction");
    assert_eq!((error.offset, error.kind), (at - 4, DecodeErrorKind::Bound(bound)));
}

#[test]
fn anc_2_5_only_the_legacy_serialisation_is_a_transaction() {
    //= harness/spec/anchoring.md#anc-2-receipt
    //= type=test
    //# ANC-2.5 (ours): A verifier MUST refuse a transaction that is longer than 4,096 bytes or is
    //# not in the legacy serialisation without witness.
    let case = sound();
    let legacy = serialize(&case.transaction());
    assert!(case.with_bytes(&legacy).verify().is_ok());
    let mut with_witness = case.transaction();
    with_witness.input[0].witness = Witness::from_slice(&[[1; 71].to_vec(), vec![2; 33]]);
    let witness = serialize(&with_witness);
    assert_eq!(witness[4..6], [0, 1], "marker and flag");
    let behind = [&legacy[..], &[0]].concat();
    let count_in_three_bytes = [&legacy[..4], &[0xfd, 1, 0], &legacy[5..]].concat();
    let cut = &legacy[..legacy.len() - 1];
    let cases = [&witness[..], &behind, &count_in_three_bytes, cut, &[], &[0; 200], &[0xff; 65]];
    for bytes in cases {
        assert_eq!(case.with_bytes(bytes).refused_proof(), ProofError::Transaction, "{bytes:?}");
    }
}

#[test]
fn anc_2_6_exactly_one_output_is_an_anchor() {
    //= harness/spec/anchoring.md#anc-2-receipt
    //= type=test
    //# ANC-2.6 (ours): A verifier MUST refuse a transaction that has no MDSM output or more than
    //# one.
    let case = sound();
    let drawn = case.script();
    assert_eq!(drawn.len(), 43);
    assert_eq!(case.transaction().output[0].script_pubkey.as_bytes(), drawn, "as it is submitted");
    let change = case.transaction().output[1].script_pubkey.to_bytes();
    let refusal = |scripts: &[&[u8]]| {
        let scripts: Vec<_> = scripts.iter().map(|script| script.to_vec()).collect();
        case.with_scripts(&scripts).refused_proof()
    };
    let outputs = |outputs| ProofError::Outputs { outputs };
    assert_eq!(refusal(&[&change]), outputs(0));
    assert_eq!(refusal(&[&drawn[1..], &change]), outputs(0), "without OP_RETURN");
    assert_eq!(refusal(&[&[&[0x6a, 4][..], b"MDSN"].concat()]), outputs(0), "of somebody else");
    assert_eq!(refusal(&[&drawn, &change, &drawn]), outputs(2), "twice the same");

    // Whatever follows `MDSM` in the push, and whatever follows the push, it counts.
    let mut version_2 = drawn.clone();
    version_2[6] = 2;
    let long_push = [&[0x6a, 0x4c, 0x29][..], &drawn[2..]].concat();
    let two_byte_push = [&[0x6a, 0x4d, 0x29, 0][..], &drawn[2..]].concat();
    let short = [&[0x6a, 4][..], b"MDSM"].concat();
    let shorter_root = [&[0x6a, 0x28][..], &drawn[2..42]].concat();
    let behind = [&drawn[..], &[0x51]].concat();
    let length = |bytes| ProofError::Output(AnchorOutputError::Length { bytes });
    for (other, alone) in [
        (version_2, ProofError::Output(AnchorOutputError::Prefix)),
        (long_push, length(4)),
        (two_byte_push, length(4)),
        (short, length(4)),
        (shorter_root, length(40)),
        (behind, length(4)),
    ] {
        assert_eq!(refusal(&[&change, &other]), alone, "{other:?} alone is no anchor");
        assert_eq!(refusal(&[&drawn, &other]), outputs(2), "{other:?} beside one");
    }
    // Beside outputs that are nobody's business the anchor passes.
    let others = case.with_scripts(&[change.clone(), drawn, vec![0x6a], change]);
    assert!(matches!(others.verify(), Err(Refusal::Confirm(_))));
}
