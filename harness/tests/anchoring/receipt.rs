//! ANC-2.1 to ANC-2.3, ANC-2.7, ANC-2.8 and ANC-2.12: the receipt and its way into a block.

use harness::build::{self, DELEGATE, anchored, key};
use mdsm_core::anchoring::{
    ChainParameters, ConfirmError, HeaderChain, HeaderFault, ProofError, examine,
};
use mdsm_core::codec::Wire as _;
use mdsm_core::crypto::sha256;
use mdsm_core::ledger::{Content, Envelope, Issuer, Receipt};
use mdsm_core::types::{Blob, Digest, Epoch, List, Signature};

use super::case::{Case, Refusal, sound};

#[test]
fn anc_2_1_receipt_and_headers_suffice_for_every_record_of_a_window() {
    //= harness/spec/anchoring.md#anc-2-receipt
    //= type=test
    //# ANC-2.1 (paper): A receipt together with a file of Bitcoin block headers MUST suffice to
    //# verify, without any network, that a record existed before the Bitcoin block that carries its
    //# anchor.
    let headers = HeaderChain::from_bytes(&anchored().headers, ChainParameters::Regtest).unwrap();
    let mut records = 0;
    for (at, item) in anchored().items.iter().enumerate() {
        for (record, envelope) in item.records.iter().enumerate() {
            let bytes = anchored().receipt(at, record).to_bytes();
            let receipt = Receipt::from_bytes(&bytes).unwrap();
            let Content::Inline(content) = envelope.record.content() else { panic!("inline") };
            let existed = examine(&receipt, Some(content)).unwrap().confirm(&headers, 6).unwrap();
            assert_eq!(existed.record_id, envelope.record.id());
            assert_eq!((existed.height, existed.confirmations), (107, 6));
            records += 1;
        }
    }
    assert_eq!(records, 393);
}

#[test]
fn anc_2_1_a_receipt_with_any_byte_changed_is_refused() {
    //= harness/spec/anchoring.md#anc-2-receipt
    //= type=test
    //# ANC-2.1 (paper): A receipt together with a file of Bitcoin block headers MUST suffice to
    //# verify, without any network, that a record existed before the Bitcoin block that carries its
    //# anchor.
    let headers = HeaderChain::from_bytes(&anchored().headers, ChainParameters::Regtest).unwrap();
    let bytes = anchored().receipt(38, 3).to_bytes();
    let mut decoded = 0;
    for at in 0..bytes.len() {
        for flip in [0x01, 0x80] {
            let mut changed = bytes.clone();
            changed[at] ^= flip;
            let Ok(receipt) = Receipt::from_bytes(&changed) else { continue };
            decoded += 1;
            let holds =
                examine(&receipt, None).is_ok_and(|claim| claim.confirm(&headers, 6).is_ok());
            assert!(!holds, "byte {at} ^ {flip:02x}");
        }
        assert!(Receipt::from_bytes(&bytes[..at]).is_err(), "cut at {at}");
    }
    assert!(decoded > 1_000, "most bytes are hashes: {decoded}");
}

/// The number of the check, in the table Order of checks, that refuses.
fn number(refusal: &Refusal) -> u32 {
    match refusal {
        Refusal::Malformed(_) => 1,
        Refusal::Proof(error) => match error {
            ProofError::Shape(_) => 2,
            ProofError::Content { .. } => 3,
            ProofError::Owner(_) => 4,
            ProofError::NotAnchored => 6,
            ProofError::InnerNode
            | ProofError::Transaction
            | ProofError::Outputs { .. }
            | ProofError::Output(_) => 7,
            ProofError::Epoch { .. } => 8,
            ProofError::Root { .. } => 9,
        },
        Refusal::Headers(_) => 10,
        Refusal::Confirm(error) => match error {
            ConfirmError::Height { .. } => 11,
            ConfirmError::Index { .. } | ConfirmError::Branch { .. } => 12,
            ConfirmError::Depth { .. } => 13,
        },
    }
}

/// Changes bytes of the MDSM output where it stands in the transaction.
fn change_output(case: &mut Case, at: usize) {
    let Some(proof) = case.receipt.bitcoin.as_mut() else { return };
    let mut bytes = proof.transaction.to_vec();
    let start = bytes.windows(4).position(|window| window == b"MDSM");
    if let Some(start) = start {
        bytes[start + at] ^= 1;
    }
    proof.transaction = Blob::new(bytes).unwrap();
}

fn break_it(case: &mut Case, check: u32) {
    match check {
        1 => case.behind.push(0),
        2 => case.receipt.position.item_index = 10,
        3 => case.content = Some(b"another".to_vec()),
        4 => case.receipt.booking.owner_signature = Signature::new([0; 64]),
        6 => case.receipt.bitcoin = None,
        7 => case.proof().transaction = Blob::new([0; 64]).unwrap(),
        8 => change_output(case, 5),
        9 => change_output(case, 9),
        10 => case.headers[80 * 3] ^= 1,
        11 => case.headers.truncate(80 * 50),
        12 => case.receipt.bitcoin.iter_mut().for_each(|proof| proof.transaction_index ^= 1),
        13 => case.depth = 7,
        _ => unreachable!("check 5 cannot fail"),
    }
}

#[test]
fn anc_2_2_the_first_check_that_fails_is_reported() {
    //= harness/spec/anchoring.md#anc-2-receipt
    //= type=test
    //# ANC-2.2 (ours): A verifier MUST make the checks of the table Order of checks in the order of
    //# that table and report the first one that fails.
    assert!(sound().verify().is_ok());
    let checks = [1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13];
    for first in checks {
        let mut case = sound();
        break_it(&mut case, first);
        assert_eq!(number(&case.verify().unwrap_err()), first, "alone");
        for later in checks.into_iter().filter(|later| *later > first) {
            let mut case = sound();
            break_it(&mut case, later);
            break_it(&mut case, first);
            assert_eq!(number(&case.verify().unwrap_err()), first, "{first} before {later}");
        }
    }
}

#[test]
fn anc_2_2_content_when_given_is_the_one_booked() {
    //= harness/spec/anchoring.md#anc-2-receipt
    //= type=test
    //# ANC-2.2 (ours): A verifier MUST make the checks of the table Order of checks in the order of
    //# that table and report the first one that fails.
    let mut case = sound();
    let Content::Inline(content) = anchored().items[38].records[3].record.content() else {
        panic!("inline")
    };
    case.content = Some(content.to_vec());
    assert!(case.verify().is_ok());
    let mut other = content.to_vec();
    other.push(0);
    let (found, expected) = (sha256(&other), sha256(content));
    case.content = Some(other);
    assert_eq!(case.refused_proof(), ProofError::Content { found, expected });
}

#[test]
fn anc_2_3_a_receipt_carries_no_content() {
    //= harness/spec/anchoring.md#anc-2-receipt
    //= type=test
    //# ANC-2.3 (ours): A receipt MUST NOT carry the content of its record.
    let mut network = build::Network::new();
    let id = network.chain.id();
    let booked = |content: &[u8]| {
        let record = build::inline(&key(1), content);
        build::item_of(vec![Envelope::sign(record, &id, &key(1), DELEGATE)])
    };
    let secret = b"a sentence that nobody else needs to read";
    let items = [booked(secret), booked(&secret.repeat(2_000))];
    let item_block = network.item_block(600_000, &items);
    let block = network.block_of(600_000, &items);
    let frozen = network.add(&block, &items).unwrap().frozen.unwrap();
    let issuer = Issuer::new(&frozen.anchor, &frozen.data_blocks, &[item_block]).unwrap();
    let receipts = items.each_ref().map(|item| issuer.issue(item, 0).unwrap().to_bytes());
    assert_eq!(receipts[0].len(), receipts[1].len(), "whatever the content");
    for receipt in receipts {
        assert!(!receipt.windows(8).any(|window| secret.windows(8).any(|part| part == window)));
    }
}

#[test]
fn anc_2_7_another_epoch_or_another_root_is_refused() {
    //= harness/spec/anchoring.md#anc-2-receipt
    //= type=test
    //# ANC-2.7 (ours): A verifier MUST refuse a receipt whose epoch or whose computed anchor root
    //# is not the one in the MDSM output.
    let mut case = sound();
    case.receipt.epoch = Epoch::new(1);
    let (found, expected) = (Epoch::new(1), Epoch::new(0));
    assert_eq!(case.refused_proof(), ProofError::Epoch { found, expected });

    let expected = anchored().frozen.anchor.root();
    let changes: [fn(&mut Receipt); 4] = [
        |receipt| receipt.context = Digest::new([0; 32]),
        |receipt| receipt.booking.booked_by = mdsm_core::types::InstitutionId::new(3),
        |receipt| receipt.position.block_index ^= 1,
        |receipt| {
            let mut path = receipt.path.to_vec();
            path.swap(0, 1);
            receipt.path = List::new(path).unwrap();
        },
    ];
    for change in changes {
        let mut case = sound();
        change(&mut case.receipt);
        let found = case.receipt.anchor_root().unwrap();
        assert_eq!(case.refused_proof(), ProofError::Root { found, expected });
    }
}

#[test]
fn anc_2_8_transaction_index_and_branch_lead_to_the_header() {
    //= harness/spec/anchoring.md#anc-2-receipt
    //= type=test
    //# ANC-2.8 (ours): A verifier MUST refuse a receipt unless the transaction, its index and its
    //# branch of at most 24 hashes yield the Merkle root in the header of the stated height.
    let refusal = |change: &dyn Fn(&mut Case)| {
        let mut case = sound();
        change(&mut case);
        match case.verify() {
            Err(Refusal::Confirm(error)) => error,
            other => panic!("{other:?}"),
        }
    };
    let proof = sound().receipt.bitcoin.unwrap();
    assert_eq!((proof.transaction_index, proof.branch.len()), (3, 3), "3 of 6 transactions");
    for level in 0..3 {
        let wrong = refusal(&|case| {
            let mut branch = case.proof().branch.to_vec();
            branch[level] = Digest::new([0; 32]);
            case.proof().branch = List::new(branch).unwrap();
        });
        assert!(matches!(wrong, ConfirmError::Branch { height: 107, .. }), "{wrong}");
    }
    for index in 0..8 {
        let mut case = sound();
        case.proof().transaction_index = index;
        assert_eq!(case.verify().is_ok(), index == 3, "{index}");
    }
    for index in [3 + 8, 8, 1 << 31, u32::MAX] {
        let wrong = refusal(&|case| case.proof().transaction_index = index);
        assert_eq!(wrong, ConfirmError::Index { index, levels: 3 });
    }
    for length in [0, 1, 2, 4, 24] {
        let wrong = refusal(&|case| {
            let mut branch = case.proof().branch.to_vec();
            branch.resize(length, Digest::new([1; 32]));
            case.proof().branch = List::new(branch).unwrap();
            case.proof().transaction_index &= (1 << length) - 1;
        });
        assert!(matches!(wrong, ConfirmError::Branch { .. }), "{length}: {wrong}");
    }
    assert!(List::<Digest, 0, 24>::new(vec![Digest::new([0; 32]); 25]).is_err());
    for height in [0, 1, 106, 108, 112] {
        let wrong = refusal(&|case| case.proof().height = height);
        assert!(matches!(wrong, ConfirmError::Branch { .. }), "{height}: {wrong}");
    }
    for height in [113, u32::MAX] {
        let wrong = refusal(&|case| case.proof().height = height);
        assert_eq!(wrong, ConfirmError::Height { height, tip: 112 });
    }
}

#[test]
fn anc_2_12_the_block_is_as_deep_as_asked_for() {
    //= harness/spec/anchoring.md#anc-2-receipt
    //= type=test
    //# ANC-2.12 (ours): A verifier MUST refuse a receipt whose block has fewer confirmations in the
    //# headers than asked for, where 6 are asked for by default and the block itself counts as the
    //# first.
    let mut case = sound();
    for depth in [0, 1, 5, 6] {
        case.depth = depth;
        assert_eq!(case.verify().unwrap().confirmations, 6, "the block counts as the first");
    }
    case.depth = 7;
    let too_few = |confirmations, asked| {
        Err(Refusal::Confirm(ConfirmError::Depth { height: 107, confirmations, asked }))
    };
    assert_eq!(case.verify(), too_few(6, 7));
    case.depth = 6;
    for missing in 1..=5 {
        case.headers.truncate(case.headers.len() - 80);
        assert_eq!(case.verify(), too_few(6 - missing, 6));
    }
    case.headers.truncate(case.headers.len() - 80);
    let unknown = ConfirmError::Height { height: 107, tip: 106 };
    assert_eq!(case.verify(), Err(Refusal::Confirm(unknown)));
    case.headers.clear();
    let Err(Refusal::Headers(error)) = case.verify() else { panic!("no header at all") };
    assert_eq!(error.fault, HeaderFault::Truncated { bytes: 0 });
}
