//! What a node takes for the next block, and what it lets take the place of what. [ANC-1] [ANC-3]
//!
//! Replacement by BIP 125: what is replaced signals it (rule 1), all that is replaced is paid for (3),
//! and this one's own relay besides (4), at most 100 are replaced (5); as Bitcoin Core does since then,
//! the new one also pays a higher rate than each. Rule 2 is about coins that are not in a block yet,
//! which nobody can spend here.

use bitcoin::secp256k1::Message;
use bitcoin::sighash::{EcdsaSighashType, SighashCache};
use bitcoin::{Amount, OutPoint, PublicKey, ScriptBuf, Transaction, TxOut, Txid, ecdsa};
use thiserror::Error;

use super::chain::{EmbeddedChain, shared};

/// Satoshi for 1,000 virtual bytes that relaying a transaction costs: the long-standing default of Bitcoin
/// Core's `minrelaytxfee` and `incrementalrelayfee`.
const RELAY_FEE: u64 = 1_000;
/// Transactions that one may take the place of, by BIP 125.
const REPLACED_MAX: usize = 100;

/// A transaction that a node would not take.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SubmitError {
    /// Without inputs, or without outputs.
    #[error("the transaction has {inputs} inputs and {outputs} outputs")]
    Empty {
        /// Inputs.
        inputs: usize,
        /// Outputs.
        outputs: usize,
    },
    /// Spends what does not exist, is spent, or is not in a block yet.
    #[error("input {input}: {outpoint} does not exist or is spent")]
    Unknown {
        /// Index of the input.
        input: usize,
        /// The coin.
        outpoint: OutPoint,
    },
    /// Spends a coinbase too early.
    #[error("input {input}: the coinbase of block {mined_at} is not mature at {height}")]
    Immature {
        /// Index of the input.
        input: usize,
        /// Height of the coinbase.
        mined_at: u32,
        /// Height at which it would be spent.
        height: u32,
    },
    /// The signature does not hold.
    #[error("input {input}: {why}")]
    Signature {
        /// Index of the input.
        input: usize,
        /// What does not hold.
        why: &'static str,
    },
    /// Pays out more than it takes in.
    #[error("outputs of {paid} where the inputs hold {held}")]
    Value {
        /// Sum of the outputs.
        paid: Amount,
        /// Sum of the inputs.
        held: Amount,
    },
    /// Waits already.
    #[error("the transaction waits already")]
    Waiting,
    /// Spends the coin of one that waits and does not let itself be replaced.
    #[error("{replaced} waits with the same coin and is not replaceable")]
    NotReplaceable {
        /// The one that waits.
        replaced: Txid,
    },
    /// Takes the place of more transactions than a node lets it.
    #[error("would replace {replaced} transactions, 100 are allowed")]
    Crowd {
        /// How many it would replace.
        replaced: usize,
    },
    /// Pays too little, to be relayed or for what it replaces.
    #[error("pays {fee}, {fee_min} are asked for")]
    Fee {
        /// What it pays.
        fee: Amount,
        /// The least that would be taken.
        fee_min: Amount,
    },
}

impl EmbeddedChain {
    /// Takes a transaction for the next block, in place of those that spend its coins. Only coins in
    /// blocks can be spent.
    pub fn submit(&mut self, transaction: Transaction) -> Result<Txid, SubmitError> {
        let fee = self.check(&transaction)?;
        let id = transaction.compute_txid();
        if self.waiting.iter().any(|waits| waits.compute_txid() == id) {
            return Err(SubmitError::Waiting);
        }
        let fee_min = self.fee_min(&transaction)?;
        if fee < fee_min {
            return Err(SubmitError::Fee { fee, fee_min });
        }
        self.waiting.retain(|waits| shared(waits, &transaction).is_none());
        self.waiting.push(transaction);
        Ok(id)
    }

    /// The least that a transaction has to pay, given what it would replace.
    fn fee_min(&self, transaction: &Transaction) -> Result<Amount, SubmitError> {
        let size = vsize(transaction);
        let replaced: Vec<&Transaction> =
            self.waiting.iter().filter(|waits| shared(waits, transaction).is_some()).collect();
        if replaced.len() > REPLACED_MAX {
            return Err(SubmitError::Crowd { replaced: replaced.len() });
        }
        let mut sum = 0_u64;
        let mut above_rates = 0_u64;
        for waits in replaced {
            if !waits.is_explicitly_rbf() {
                return Err(SubmitError::NotReplaceable { replaced: waits.compute_txid() });
            }
            let paid = self.fee(waits).to_sat();
            sum = sum.saturating_add(paid);
            // The least fee whose rate is above the other's.
            above_rates = above_rates.max(paid.saturating_mul(size) / vsize(waits) + 1);
        }
        let relay = (size * RELAY_FEE).div_ceil(1_000);
        Ok(Amount::from_sat(sum.saturating_add(relay).max(above_rates)))
    }

    /// Checks a transaction against the coins in blocks, and gives its fee.
    pub(super) fn check(&self, transaction: &Transaction) -> Result<Amount, SubmitError> {
        let (inputs, outputs) = (transaction.input.len(), transaction.output.len());
        if inputs == 0 || outputs == 0 {
            return Err(SubmitError::Empty { inputs, outputs });
        }
        let mut held = Amount::ZERO;
        for (input, txin) in transaction.input.iter().enumerate() {
            let outpoint = txin.previous_output;
            let twice = transaction.input[..input].iter().any(|i| i.previous_output == outpoint);
            let coin = self
                .unspent(&outpoint)
                .filter(|_| !twice)
                .ok_or(SubmitError::Unknown { input, outpoint })?;
            if let (false, Some(mined_at)) = (self.is_mature(coin), coin.mined_at) {
                let height = self.height() + 1;
                return Err(SubmitError::Immature { input, mined_at, height });
            }
            self.check_signature(transaction, input, &coin.output)
                .map_err(|why| SubmitError::Signature { input, why })?;
            held = held.checked_add(coin.output.value).unwrap_or(Amount::MAX);
        }
        let paid = transaction
            .output
            .iter()
            .try_fold(Amount::ZERO, |sum, output| sum.checked_add(output.value))
            .unwrap_or(Amount::MAX);
        held.checked_sub(paid).ok_or(SubmitError::Value { paid, held })
    }

    fn check_signature(
        &self,
        transaction: &Transaction,
        input: usize,
        coin: &TxOut,
    ) -> Result<(), &'static str> {
        let witness = &transaction.input[input].witness;
        let (Some(signature), Some(key), 2) = (witness.nth(0), witness.nth(1), witness.len())
        else {
            return Err("a signature and a key are expected in the witness");
        };
        let signature = ecdsa::Signature::from_slice(signature)
            .ok()
            .filter(|signature| signature.sighash_type == EcdsaSighashType::All)
            .ok_or("the signature is not one over all inputs and outputs")?;
        let key = PublicKey::from_slice(key).map_err(|_| "the key is not a public key")?;
        let script = key.wpubkey_hash().map(|hash| ScriptBuf::new_p2wpkh(&hash));
        if script.as_ref() != Ok(&coin.script_pubkey) {
            return Err("the key is not the one that the coin pays to");
        }
        let sighash = SighashCache::new(transaction)
            .p2wpkh_signature_hash(input, &coin.script_pubkey, coin.value, EcdsaSighashType::All)
            .map_err(|_| "the coin does not pay to a public key hash")?;
        self.secp
            .verify_ecdsa(&Message::from(sighash), &signature.signature, &key.inner)
            .map_err(|_| "the signature does not hold")
    }
}

fn vsize(transaction: &Transaction) -> u64 {
    u64::try_from(transaction.vsize()).unwrap_or(u64::MAX).max(1)
}
