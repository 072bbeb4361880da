//! The methods that following Bitcoin and anchoring need.

use std::str::FromStr;

use axum::body::Bytes;
use bitcoin::block::Header;
use bitcoin::consensus::Decodable;
use bitcoin::consensus::encode::{deserialize_hex, serialize_hex};
use bitcoin::{Amount, Block, BlockHash, Denomination, ScriptBuf, Transaction, Txid};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::connection::{Connection, Endpoint};
use super::error::RpcError;

/// A node of Bitcoin; a copy shares its connections.
#[derive(Clone, Debug)]
pub struct Rpc {
    connection: Connection,
}

/// What a node says of its chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainInfo {
    /// `main`, `regtest`.
    pub chain: String,
    /// Height of the last block.
    pub blocks: u32,
    /// Its hash.
    pub best: BlockHash,
}

#[derive(Deserialize)]
struct Info {
    chain: String,
    blocks: u32,
    bestblockhash: String,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    result: Value,
    error: Option<Fault>,
}

#[derive(Deserialize)]
struct Fault {
    code: i64,
    #[serde(default)]
    message: String,
}

/// What `estimatesmartfee` says: Bitcoin Core calls it `feerate`, bcoin `fee`.
#[derive(Deserialize)]
struct Estimate {
    #[serde(alias = "fee")]
    feerate: Option<f64>,
}

/// What `decodescript` says: Bitcoin Core has one address, bcoin a list.
#[derive(Deserialize)]
struct Addresses {
    address: Option<String>,
    #[serde(default)]
    addresses: Vec<String>,
}

impl Rpc {
    /// A node at this address; nothing is sent yet.
    #[must_use]
    pub fn new(endpoint: Endpoint) -> Self {
        Self { connection: Connection::new(endpoint) }
    }

    /// Which chain the node follows, and its tip.
    pub async fn chain_info(&self) -> Result<ChainInfo, RpcError> {
        let (method, expected) = ("getblockchaininfo", "a chain with its height and tip");
        let Info { chain, blocks, bestblockhash } = self.ask(method, json!([]), expected).await?;
        Ok(ChainInfo { chain, blocks, best: parsed(&bestblockhash, method, expected)? })
    }

    /// Height of the last block.
    pub async fn block_count(&self) -> Result<u32, RpcError> {
        self.ask("getblockcount", json!([]), "a height").await
    }

    /// Hash of the block at a height.
    pub async fn block_hash(&self, height: u32) -> Result<BlockHash, RpcError> {
        self.ask_parsed("getblockhash", json!([height]), "a block hash").await
    }

    /// What the node gives for the header with this hash.
    pub async fn header(&self, hash: &BlockHash) -> Result<Header, RpcError> {
        self.ask_hex("getblockheader", json!([hash.to_string(), false]), "a header in hex").await
    }

    /// What the node gives for the block with this hash.
    pub async fn block(&self, hash: &BlockHash) -> Result<Block, RpcError> {
        self.ask_hex("getblock", json!([hash.to_string(), false]), "a block in hex").await
    }

    /// What the node gives for the transaction with this id: one that waits, or any where the node has an
    /// index.
    pub async fn transaction(&self, id: &Txid) -> Result<Transaction, RpcError> {
        self.ask_hex("getrawtransaction", json!([id.to_string()]), "a transaction in hex").await
    }

    /// Ids of the transactions that wait for a block.
    pub async fn mempool(&self) -> Result<Vec<Txid>, RpcError> {
        let (method, expected) = ("getrawmempool", "a list of transaction ids");
        let ids: Vec<String> = self.ask(method, json!([]), expected).await?;
        ids.iter().map(|id| parsed(id, method, expected)).collect()
    }

    /// Hands a transaction over.
    pub async fn submit(&self, transaction: &Transaction) -> Result<Txid, RpcError> {
        let hex = serialize_hex(transaction);
        self.ask_parsed("sendrawtransaction", json!([hex]), "a transaction id").await
    }

    /// Satoshi for 1,000 virtual bytes that are mined within so many blocks; `None` where the node has
    /// seen too little to say, or does not know the method.
    pub async fn estimate(&self, blocks: u16) -> Result<Option<u64>, RpcError> {
        let asked = self.ask("estimatesmartfee", json!([blocks]), "an estimate").await;
        let estimate: Estimate = match asked {
            Ok(estimate) => estimate,
            Err(RpcError::Refused { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        // Written out with eight digits a rate is an amount; below zero it is none.
        let rate = estimate.feerate.map(|rate| format!("{rate:.8}"));
        let amount = rate.and_then(|text| Amount::from_str_in(&text, Denomination::Bitcoin).ok());
        Ok(amount.map(Amount::to_sat).filter(|rate| *rate > 0))
    }

    /// Has a node of a test network mine, and pay to a script. The node itself says how it writes the
    /// script as an address: bcoin's prefixes are others than Bitcoin Core's.
    pub async fn generate(
        &self,
        blocks: u32,
        script: &ScriptBuf,
    ) -> Result<Vec<BlockHash>, RpcError> {
        let hex = script.to_hex_string();
        let found: Addresses = self.ask("decodescript", json!([hex]), "a decoded script").await?;
        let address = found.address.or(found.addresses.into_iter().next());
        let address = address.ok_or(RpcError::Malformed {
            method: "decodescript",
            expected: "a script with an address",
        })?;
        let (method, expected) = ("generatetoaddress", "a list of block hashes");
        let mined: Vec<String> = self.ask(method, json!([blocks, address]), expected).await?;
        mined.iter().map(|hash| parsed(hash, method, expected)).collect()
    }

    /// Has a node of a test network take a block and all above it for invalid.
    pub async fn invalidate(&self, hash: &BlockHash) -> Result<(), RpcError> {
        self.ask::<Value>("invalidateblock", json!([hash.to_string()]), "nothing").await.map(|_| ())
    }

    async fn ask_hex<T: Decodable>(
        &self,
        method: &'static str,
        params: Value,
        expected: &'static str,
    ) -> Result<T, RpcError> {
        let hex: String = self.ask(method, params, expected).await?;
        deserialize_hex(&hex).map_err(|_| RpcError::Malformed { method, expected })
    }

    async fn ask_parsed<T: FromStr>(
        &self,
        method: &'static str,
        params: Value,
        expected: &'static str,
    ) -> Result<T, RpcError> {
        let text: String = self.ask(method, params, expected).await?;
        parsed(&text, method, expected)
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        method: &'static str,
        params: Value,
        expected: &'static str,
    ) -> Result<T, RpcError> {
        let request = json!({ "jsonrpc": "1.0", "id": "mdsm", "method": method, "params": params });
        let body = Bytes::from(request.to_string());
        let (status, body) = self.connection.post(method, body).await?;
        // Bitcoin Core says no with status 500 and the reason in the body.
        let answer: Answer = serde_json::from_slice(&body).map_err(|_| {
            if status.is_success() {
                RpcError::Malformed { method, expected }
            } else {
                RpcError::Status { method, status: status.as_u16() }
            }
        })?;
        if let Some(Fault { code, message }) = answer.error {
            return Err(RpcError::refused(method, code, &message));
        }
        serde_json::from_value(answer.result).map_err(|_| RpcError::Malformed { method, expected })
    }
}

fn parsed<T: FromStr>(
    text: &str,
    method: &'static str,
    expected: &'static str,
) -> Result<T, RpcError> {
    text.parse().map_err(|_| RpcError::Malformed { method, expected })
}
