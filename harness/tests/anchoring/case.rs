//! One verification, with every part within a test's reach.

use bitcoin::consensus::{deserialize, serialize};
use bitcoin::{Amount, ScriptBuf, Transaction, TxOut};
use harness::build::anchored;
use mdsm_core::anchoring::{
    ChainParameters, ConfirmError, Existed, HeaderChain, HeaderError, ProofError, examine,
};
use mdsm_core::codec::{DecodeError, Wire as _};
use mdsm_core::ledger::{BitcoinProof, Receipt};
use mdsm_core::types::Blob;

/// What a stranger holds, and how deep he wants the block to be.
#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) receipt: Receipt,
    /// Bytes behind the receipt's own.
    pub(crate) behind: Vec<u8>,
    pub(crate) content: Option<Vec<u8>>,
    pub(crate) headers: Vec<u8>,
    pub(crate) depth: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Malformed(DecodeError),
    Proof(ProofError),
    Headers(HeaderError),
    Confirm(ConfirmError),
}

/// A sound case: the receipt of one record of an anchored window.
pub(crate) fn sound() -> Case {
    Case {
        receipt: anchored().receipt(38, 3),
        behind: Vec::new(),
        content: None,
        headers: anchored().headers.clone(),
        depth: 6,
    }
}

impl Case {
    pub(crate) fn verify(&self) -> Result<Existed, Refusal> {
        let bytes = [&self.receipt.to_bytes()[..], &self.behind].concat();
        let receipt = Receipt::from_bytes(&bytes).map_err(Refusal::Malformed)?;
        let claim = examine(&receipt, self.content.as_deref()).map_err(Refusal::Proof)?;
        let headers = HeaderChain::from_bytes(&self.headers, ChainParameters::Regtest)
            .map_err(Refusal::Headers)?;
        claim.confirm(&headers, self.depth).map_err(Refusal::Confirm)
    }

    pub(crate) fn proof(&mut self) -> &mut BitcoinProof {
        self.receipt.bitcoin.as_mut().expect("the case is anchored")
    }

    pub(crate) fn transaction(&self) -> Transaction {
        deserialize(&self.receipt.bitcoin.as_ref().unwrap().transaction).unwrap()
    }

    /// The case with other bytes for its transaction.
    pub(crate) fn with_bytes(&self, transaction: &[u8]) -> Self {
        let mut case = self.clone();
        case.proof().transaction = Blob::new(transaction).unwrap();
        case
    }

    /// The case with a transaction that has these scripts for its outputs.
    pub(crate) fn with_scripts(&self, scripts: &[Vec<u8>]) -> Self {
        let mut transaction = self.transaction();
        let output = |script: &Vec<u8>| {
            let script_pubkey = ScriptBuf::from_bytes(script.clone());
            TxOut { value: Amount::ZERO, script_pubkey }
        };
        transaction.output = scripts.iter().map(output).collect();
        self.with_bytes(&serialize(&transaction))
    }

    /// The script of the MDSM output as it is drawn, 43 bytes.
    pub(crate) fn script(&self) -> Vec<u8> {
        let root = anchored().frozen.anchor.root();
        let epoch = self.receipt.epoch.get().to_le_bytes();
        [&[0x6a, 0x29][..], b"MDSM", &[1], &epoch, root.as_bytes()].concat()
    }

    pub(crate) fn refused_proof(&self) -> ProofError {
        match self.verify() {
            Err(Refusal::Proof(error)) => error,
            other => panic!("{other:?} where the receipt itself is at fault"),
        }
    }
}
