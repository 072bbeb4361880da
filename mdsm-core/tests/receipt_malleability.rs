//! Receipts that must not pass though each hash in them is right. [ANC-2]
#![cfg(feature = "node")]
#![expect(clippy::unwrap_used, reason = "a test that cannot set its scene has failed")]

mod scene;

use mdsm_core::anchoring::{ChainParameters, HeaderChain, examine};
use mdsm_core::codec::Wire as _;
use mdsm_core::ledger::Receipt;

#[test]
fn anc_2_8_the_repeated_last_transaction_has_one_index() {
    let (mut receipt, headers) = scene::receipt(1);
    let headers = HeaderChain::from_bytes(&headers, ChainParameters::Regtest).unwrap();
    examine(&receipt, None).unwrap().confirm(&headers, 6).unwrap();
    // The block has transactions 0, 1 and 2; its tree pairs the last one with itself.
    receipt.bitcoin.as_mut().unwrap().transaction_index = 3;
    let receipt = Receipt::from_bytes(&receipt.to_bytes()).unwrap();
    let answer = examine(&receipt, None).unwrap().confirm(&headers, 6);
    assert!(answer.is_err(), "accepted at index 3 of 3: {answer:?}");
}
