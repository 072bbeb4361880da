//! The chain in the process behind Bitcoin Core's JSON-RPC, so that one client serves tests, a
//! demonstration of several processes, and a living Bitcoin node. [ANC-1] [ANC-3]
//!
//! Methods, codes of errors and reasons of refusals are Bitcoin Core's, as far as the client uses them.
//! Blocks are mined when the caller says so, or a client by `generatetoaddress`; time is the caller's.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Json, Response};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bitcoin::address::NetworkUnchecked;
use bitcoin::consensus::encode::{deserialize_hex, serialize_hex};
use bitcoin::{Address, Block, BlockHash, Network, ScriptBuf, Transaction, Txid};
use serde_json::{Value, json};
use subtle::ConstantTimeEq as _;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::chain::EmbeddedChain;
use super::mempool::SubmitError;

/// Bytes of a request: the longest transaction in hex.
const REQUEST_BYTES_MAX: usize = 1024 * 1024;
/// Blocks that one request may mine.
const GENERATE_MAX: u32 = 10_000;

/// A refusal: Bitcoin Core's number and words.
pub type Refused = (i64, String);

/// The chain, shared between who serves it and who mines.
#[derive(Clone)]
pub struct EmbeddedNode {
    chain: Arc<Mutex<EmbeddedChain>>,
    clock: Arc<dyn Fn() -> u32 + Send + Sync>,
}

impl EmbeddedNode {
    /// A node around a chain; `clock` gives seconds since 1970 for blocks that a client asks for.
    #[must_use]
    pub fn new(chain: EmbeddedChain, clock: impl Fn() -> u32 + Send + Sync + 'static) -> Self {
        Self { chain: Arc::new(Mutex::new(chain)), clock: Arc::new(clock) }
    }

    /// The chain, for mining and looking; nobody is answered meanwhile.
    pub fn chain(&self) -> MutexGuard<'_, EmbeddedChain> {
        // Each change of the chain is made whole or not at all.
        self.chain.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers one method.
    pub fn call(&self, method: &str, params: &[Value]) -> Result<Value, Refused> {
        let mut chain = self.chain();
        match method {
            "getblockchaininfo" => Ok(json!({
                "chain": "regtest",
                "blocks": chain.height(),
                "headers": chain.height(),
                "bestblockhash": hash_at(&chain, chain.height())?.to_string(),
                "initialblockdownload": false,
            })),
            "getblockcount" => Ok(json!(chain.height())),
            "getbestblockhash" => Ok(json!(hash_at(&chain, chain.height())?.to_string())),
            "getblockhash" => Ok(json!(hash_at(&chain, number(params, 0)?)?.to_string())),
            "getblock" => Ok(json!(serialize_hex(block_of(&chain, params)?.1))),
            "getblockheader" => Ok(json!(serialize_hex(&block_of(&chain, params)?.1.header))),
            "getrawmempool" => {
                let ids = chain.waiting().iter().map(|waits| waits.compute_txid().to_string());
                Ok(json!(ids.collect::<Vec<String>>()))
            }
            "getrawtransaction" => raw_transaction(&chain, params),
            "sendrawtransaction" => send(&mut chain, params),
            "estimatesmartfee" => {
                Ok(json!({ "errors": ["Insufficient data or no feerate found"], "blocks": 2 }))
            }
            "decodescript" => {
                let script = ScriptBuf::from_hex(text(params, 0)?)
                    .map_err(|error| (-8, error.to_string()))?;
                let address = Address::from_script(&script, Network::Regtest).ok();
                Ok(json!({ "address": address.map(|address| address.to_string()) }))
            }
            "generatetoaddress" => {
                let blocks = number(params, 0)?;
                if blocks > GENERATE_MAX {
                    return Err((-8, format!("at most {GENERATE_MAX} blocks")));
                }
                let script = script_of(text(params, 1)?)?;
                let mined = (0..blocks).map(|_| chain.mine(&script, (self.clock)()));
                let heights: Vec<u32> = mined.collect();
                let hashes: Result<Vec<String>, Refused> = heights
                    .into_iter()
                    .map(|height| hash_at(&chain, height).map(|hash| hash.to_string()))
                    .collect();
                Ok(json!(hashes?))
            }
            "invalidateblock" => {
                let (height, _) = block_of(&chain, params)?;
                chain.invalidate(height);
                Ok(Value::Null)
            }
            _ => Err((-32_601, "Method not found".to_owned())),
        }
    }
}

impl std::fmt::Debug for EmbeddedNode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EmbeddedNode").field("height", &self.chain().height()).finish()
    }
}

fn text(params: &[Value], index: usize) -> Result<&str, Refused> {
    let found = params.get(index).and_then(Value::as_str);
    found.ok_or_else(|| (-1, format!("parameter {index} is a text")))
}

fn number(params: &[Value], index: usize) -> Result<u32, Refused> {
    let found = params.get(index).and_then(Value::as_u64);
    let found = found.and_then(|number| u32::try_from(number).ok());
    found.ok_or_else(|| (-1, format!("parameter {index} is a number of 32 bits")))
}

fn hash_at(chain: &EmbeddedChain, height: u32) -> Result<BlockHash, Refused> {
    let block = chain.block(height).ok_or((-8, "Block height out of range".to_owned()))?;
    Ok(block.block_hash())
}

/// The block whose hash is the first parameter, in hex; clients ask for late ones most.
fn block_of<'a>(chain: &'a EmbeddedChain, params: &[Value]) -> Result<(u32, &'a Block), Refused> {
    let hash: BlockHash =
        text(params, 0)?.parse().map_err(|_| (-8, "blockhash is not a hash".to_owned()))?;
    // Only the form in hex is here.
    if !matches!(params.get(1), None | Some(Value::Bool(false))) && params[1] != json!(0) {
        return Err((-8, "verbosity 0 is served".to_owned()));
    }
    let mut found = (0..=chain.height()).rev().filter_map(|at| Some((at, chain.block(at)?)));
    found.find(|(_, block)| block.block_hash() == hash).ok_or((-5, "Block not found".to_owned()))
}

fn script_of(address: &str) -> Result<ScriptBuf, Refused> {
    let parsed: Result<Address<NetworkUnchecked>, _> = address.parse();
    let checked = parsed.ok().and_then(|a| a.require_network(Network::Regtest).ok());
    Ok(checked.ok_or((-5, "Invalid address".to_owned()))?.script_pubkey())
}

/// A transaction that waits, or one in a block, as with Bitcoin Core's `txindex`.
fn raw_transaction(chain: &EmbeddedChain, params: &[Value]) -> Result<Value, Refused> {
    let id: Txid = text(params, 0)?.parse().map_err(|_| (-8, "txid is not a hash".to_owned()))?;
    let blocks = (0..=chain.height()).rev().filter_map(|height| chain.block(height));
    let mut all = chain.waiting().iter().chain(blocks.flat_map(|block| &block.txdata));
    let found = all.find(|transaction| transaction.compute_txid() == id);
    let found = found.ok_or((-5, "No such mempool or blockchain transaction".to_owned()))?;
    Ok(json!(serialize_hex(found)))
}

fn send(chain: &mut EmbeddedChain, params: &[Value]) -> Result<Value, Refused> {
    let transaction: Transaction = deserialize_hex(text(params, 0)?)
        .map_err(|_| (-22, "TX decode failed. Make sure the tx has at least one input.".into()))?;
    let id = transaction.compute_txid();
    let is_mined = |height: u32| {
        let block = chain.block(height);
        block.is_some_and(|block| block.txdata.iter().any(|other| other.compute_txid() == id))
    };
    if (0..=chain.height()).any(is_mined) {
        return Err((-27, "Transaction outputs already in utxo set".to_owned()));
    }
    match chain.submit(transaction) {
        Ok(_) | Err(SubmitError::Waiting) => Ok(json!(id.to_string())),
        Err(error) => {
            let (code, reason) = match &error {
                SubmitError::Unknown { .. } => (-25, "bad-txns-inputs-missingorspent"),
                SubmitError::Immature { .. } => (-26, "bad-txns-premature-spend-of-coinbase"),
                SubmitError::Fee { .. } => (-26, "insufficient fee"),
                SubmitError::NotReplaceable { .. } => (-26, "txn-mempool-conflict"),
                SubmitError::Crowd { .. } => (-26, "too many potential replacements"),
                SubmitError::Value { .. } => (-26, "bad-txns-in-belowout"),
                SubmitError::Empty { .. } => (-26, "bad-txns-vin-empty"),
                SubmitError::Signature { .. } => (-26, "mandatory-script-verify-flag-failed"),
                SubmitError::Waiting => (-27, "txn-already-in-mempool"),
            };
            Err((code, format!("{reason}, {error}")))
        }
    }
}

/// A node that listens.
#[derive(Debug)]
pub struct ServedChain {
    node: EmbeddedNode,
    url: String,
    stop: oneshot::Sender<()>,
    task: JoinHandle<std::io::Result<()>>,
}

#[derive(Clone)]
struct Served {
    node: EmbeddedNode,
    authorization: Arc<str>,
}

impl ServedChain {
    /// Serves a node on a listener to whoever knows the password; the user is `mdsm`.
    pub fn start(
        node: EmbeddedNode,
        listener: TcpListener,
        password: &str,
    ) -> std::io::Result<Self> {
        let url = format!("http://mdsm:{password}@{}", listener.local_addr()?);
        let login = STANDARD.encode(format!("mdsm:{password}"));
        let served = Served { node: node.clone(), authorization: format!("Basic {login}").into() };
        let routes = Router::new()
            .route("/", post(answer))
            .layer(DefaultBodyLimit::max(REQUEST_BYTES_MAX))
            .with_state(served);
        let (stop, stopped) = oneshot::channel::<()>();
        let until = async move {
            // A sender that is dropped ends it as well.
            let _ = stopped.await;
        };
        let task = tokio::spawn(async move {
            axum::serve(listener, routes).with_graceful_shutdown(until).await
        });
        Ok(Self { node, url, stop, task })
    }

    /// Where it listens, with user and password.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The node, for mining.
    #[must_use]
    pub fn node(&self) -> &EmbeddedNode {
        &self.node
    }

    /// Stops listening, ends all connections, and gives the node back.
    pub async fn stop(self) -> EmbeddedNode {
        let _ = self.stop.send(());
        if let Ok(Err(error)) = self.task.await {
            tracing::warn!(%error, "the embedded chain ended");
        }
        self.node
    }
}

async fn answer(State(served): State<Served>, headers: HeaderMap, body: Bytes) -> Response {
    let shown = headers.get(header::AUTHORIZATION).map_or(&b""[..], |value| value.as_bytes());
    if !bool::from(shown.ct_eq(served.authorization.as_bytes())) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let Ok(request) = serde_json::from_slice::<Value>(&body) else {
        return refuse(&Value::Null, (-32_700, "Parse error".to_owned()));
    };
    let id = &request["id"];
    let Some(method) = request["method"].as_str() else {
        return refuse(id, (-32_600, "Method must be a string".to_owned()));
    };
    let params = request["params"].as_array().map_or(&[][..], Vec::as_slice);
    match served.node.call(method, params) {
        Ok(result) => Json(json!({ "result": result, "error": null, "id": id })).into_response(),
        Err(refused) => refuse(id, refused),
    }
}

fn refuse(id: &Value, (code, message): Refused) -> Response {
    let status = match code {
        -32_601 => StatusCode::NOT_FOUND,
        -32_600 => StatusCode::BAD_REQUEST,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let error = json!({ "code": code, "message": message });
    (status, Json(json!({ "result": null, "error": error, "id": id }))).into_response()
}
