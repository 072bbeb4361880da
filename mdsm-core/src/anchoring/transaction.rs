//! The transaction that carries an anchor. [ANC-1]
//!
//! One input, paid to our key by pay-to-witness-public-key-hash, two outputs: the anchor and the
//! change. Built and signed with the `bitcoin` crate; the same inputs give the same bytes.

use bitcoin::absolute::LockTime;
use bitcoin::secp256k1::{Message, PublicKey, Secp256k1, SecretKey};
use bitcoin::sighash::{EcdsaSighashType, SighashCache};
use bitcoin::transaction::Version;
use bitcoin::{
    Amount, CompressedPublicKey, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Witness,
};
use thiserror::Error;

use crate::ledger::AnchorOutput;

/// The coin that pays for an anchor.
#[derive(Clone, Copy, Debug)]
pub struct Funding {
    /// The output that is spent; it must pay to [`funding_script`] of `key`.
    pub outpoint: OutPoint,
    /// What it holds.
    pub value: Amount,
    /// What the miner gets.
    pub fee: Amount,
    /// The key that may spend it.
    pub key: SecretKey,
}

/// A coin that cannot pay for an anchor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the coin holds {value}, less than the fee {fee} and the least change {change_min}")]
pub struct FundingError {
    /// What the coin holds.
    pub value: Amount,
    /// The fee.
    pub fee: Amount,
    /// Least change that nodes relay.
    pub change_min: Amount,
}

/// The script to which coins for anchors are paid.
#[must_use]
pub fn funding_script(key: &SecretKey) -> ScriptBuf {
    let public = PublicKey::from_secret_key(&Secp256k1::signing_only(), key);
    ScriptBuf::new_p2wpkh(&CompressedPublicKey(public).wpubkey_hash())
}

/// Builds and signs the transaction.
pub fn anchor_transaction(
    output: &AnchorOutput,
    funding: &Funding,
) -> Result<Transaction, FundingError> {
    let change_script = funding_script(&funding.key);
    let change_min = change_script.minimal_non_dust();
    let Funding { value, fee, .. } = *funding;
    let change = value
        .checked_sub(fee)
        .filter(|change| *change >= change_min)
        .ok_or(FundingError { value, fee, change_min })?;
    //= harness/spec/anchoring.md#anc-1-commitment
    //# ANC-1.2 (ours): An anchor transaction MUST carry exactly one output whose script is the 43
    //# bytes drawn as MDSM output.
    let anchor = ScriptBuf::new_op_return(output.to_bytes());
    let mut transaction = Transaction {
        version: Version::TWO,
        lock_time: LockTime::ZERO,
        input: vec![TxIn {
            previous_output: funding.outpoint,
            script_sig: ScriptBuf::new(),
            sequence: Sequence::ENABLE_RBF_NO_LOCKTIME,
            witness: Witness::new(),
        }],
        output: vec![
            TxOut { value: Amount::ZERO, script_pubkey: anchor },
            TxOut { value: change, script_pubkey: change_script },
        ],
    };
    transaction.input[0].witness = sign(&transaction, funding);
    Ok(transaction)
}

fn sign(transaction: &Transaction, funding: &Funding) -> Witness {
    let secp = Secp256k1::signing_only();
    let script = funding_script(&funding.key);
    let sighash = SighashCache::new(transaction)
        .p2wpkh_signature_hash(0, &script, funding.value, EcdsaSighashType::All)
        .expect("the script is pay-to-witness-public-key-hash and input 0 exists");
    let signature = bitcoin::ecdsa::Signature {
        signature: secp.sign_ecdsa(&Message::from(sighash), &funding.key),
        sighash_type: EcdsaSighashType::All,
    };
    Witness::p2wpkh(&signature, &PublicKey::from_secret_key(&secp, &funding.key))
}
