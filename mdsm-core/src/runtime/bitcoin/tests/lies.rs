use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State as Held;
use axum::response::Json;
use axum::routing::post;
use bitcoin::block::Header;
use bitcoin::consensus::encode::{deserialize_hex, serialize_hex};
use bitcoin::{Block, CompactTarget};
use serde_json::{Value, json};

use super::*;

/// Changes the answer to a method.
type Tamper = Arc<dyn Fn(&str, &[Value], Value) -> Value + Send + Sync>;

#[derive(Clone)]
struct Liar {
    node: EmbeddedNode,
    tamper: Arc<Mutex<Option<Tamper>>>,
}

async fn answer(Held(liar): Held<Liar>, Json(request): Json<Value>) -> Json<Value> {
    let method = request["method"].as_str().unwrap();
    let params = request["params"].as_array().unwrap();
    let honest = liar.node.call(method, params);
    let tamper = liar.tamper.lock().unwrap().clone();
    let told = match (tamper, honest) {
        (Some(tamper), honest) => Ok(tamper(method, params, honest.unwrap_or(Value::Null))),
        (None, honest) => honest,
    };
    Json(match told {
        Ok(result) => json!({ "result": result, "error": null }),
        Err((code, message)) => json!({ "error": { "code": code, "message": message } }),
    })
}

async fn liar() -> (Liar, Scene) {
    let liar = Liar { node: funded(1), tamper: Arc::default() };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let routes = Router::new().route("/", post(answer)).with_state(liar.clone());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    let mut scene = Scene::new(liar.node.clone(), &url);
    assert_eq!(scene.settle().await.state, State::Following);
    scene.heights();
    (liar, scene)
}

/// A header on top of the chain, worked at until it has work, or has not.
fn forged(node: &EmbeddedNode, bits: u32, with_work: bool) -> Header {
    let chain = node.chain();
    let parent = chain.block(chain.height()).unwrap().header;
    let mut header = Header {
        prev_blockhash: parent.block_hash(),
        bits: CompactTarget::from_consensus(bits),
        nonce: 0,
        ..parent
    };
    while header.validate_pow(header.target()).is_ok() != with_work {
        header.nonce += 1;
    }
    header
}

/// Shows this header as the tip.
fn shows(header: Header, height: u32) -> Tamper {
    Arc::new(move |method, params, honest| match method {
        "getblockchaininfo" => json!({
            "chain": "regtest", "blocks": height, "bestblockhash": header.block_hash().to_string(),
        }),
        "getblockheader" if params[0] == json!(header.block_hash().to_string()) => {
            json!(serialize_hex(&header))
        }
        _ => honest,
    })
}

/// Tells a lie, and nothing of it to the node; then the truth again.
async fn is_refused(liar: &Liar, scene: &mut Scene, tamper: Tamper) -> Lie {
    let before = scene.watcher.status().borrow().lies;
    *liar.tamper.lock().unwrap() = Some(tamper);
    let status = scene.settle().await;
    assert_eq!(scene.heights(), Vec::<i64>::new(), "a lie is not told");
    assert_eq!(status.lies, before + 1);
    *liar.tamper.lock().unwrap() = None;
    assert_eq!(scene.settle().await.state, State::Following);
    scene.heights();
    match status.state {
        State::Troubled(Trouble::Lie(lie)) => lie,
        other => panic!("{other:?}"),
    }
}

const BITS: u32 = 0x207f_ffff;

#[tokio::test]
async fn headers_without_work_with_other_bits_or_another_hash_are_refused() {
    let (liar, mut scene) = liar().await;
    let header = forged(&liar.node, BITS, false);
    let lie = is_refused(&liar, &mut scene, shows(header, 102)).await;
    assert_eq!(lie, Lie::Work { height: 102, hash: header.block_hash() });

    let header = forged(&liar.node, 0x207f_fffe, true);
    let lie = is_refused(&liar, &mut scene, shows(header, 102)).await;
    assert!(matches!(lie, Lie::Bits { height: 102, found: 0x207f_fffe, .. }), "{lie}");

    // The right header at the wrong height, below everything that was told and above it.
    let header = forged(&liar.node, BITS, true);
    for height in [101, 103] {
        let lie = is_refused(&liar, &mut scene, shows(header, height)).await;
        assert!(matches!(lie, Lie::Height { .. }), "{lie}");
    }

    // A parent that nobody knows: its hash is asked for, and another header comes.
    let orphan = forged(&liar.node, BITS, true);
    let mut orphan = Header { prev_blockhash: orphan.block_hash(), ..orphan };
    while orphan.validate_pow(orphan.target()).is_err() {
        orphan.nonce += 1;
    }
    let shown = shows(orphan, 103);
    let tamper: Tamper =
        Arc::new(move |method, params, honest| match shown(method, params, honest) {
            Value::Null if method == "getblockheader" => json!(serialize_hex(&orphan)),
            other => other,
        });
    let lie = is_refused(&liar, &mut scene, tamper).await;
    assert_eq!(lie, Lie::Hash { asked: orphan.prev_blockhash, found: orphan.block_hash() });

    let tamper: Tamper = Arc::new(|method, _, mut honest| {
        if method == "getblockchaininfo" {
            honest["chain"] = json!("main");
        }
        honest
    });
    let lie = is_refused(&liar, &mut scene, tamper).await;
    assert_eq!(lie, Lie::Network { found: "main".to_owned(), expected: "regtest" });
}

#[tokio::test]
async fn other_blocks_and_other_transactions_are_refused() {
    let (liar, mut scene) = liar().await;
    let change = |change: fn(&mut Block)| -> Tamper {
        Arc::new(move |method, _, honest| match (method, honest.as_str()) {
            ("getblock", Some(hex)) => {
                let mut block: Block = deserialize_hex(hex).unwrap();
                change(&mut block);
                json!(serialize_hex(&block))
            }
            _ => honest,
        })
    };
    scene.mine(1);
    let hash = liar.node.chain().block(102).unwrap().block_hash();
    let lie = is_refused(&liar, &mut scene, change(|block| block.header.time += 1)).await;
    assert!(matches!(lie, Lie::Hash { asked, .. } if asked == hash), "{lie}");

    scene.mine(1);
    let hash = liar.node.chain().block(103).unwrap().block_hash();
    let swap = change(|block| block.txdata[0].output[0].value = Amount::from_sat(1));
    let lie = is_refused(&liar, &mut scene, swap).await;
    assert_eq!(lie, Lie::MerkleRoot { hash });

    scene.certify(4).await;
    scene.wait(1).await;
    let waiting = scene.waiting();
    let mut scene = scene.restart().await;
    let tamper: Tamper = Arc::new(|method, _, honest| match (method, honest.as_str()) {
        ("getrawtransaction", Some(hex)) => {
            let mut transaction: Transaction = deserialize_hex(hex).unwrap();
            transaction.output.truncate(1);
            json!(serialize_hex(&transaction))
        }
        _ => honest,
    });
    *liar.tamper.lock().unwrap() = Some(tamper);
    let status = scene.settle().await;
    let asked = waiting[0].compute_txid();
    let State::Troubled(Trouble::Lie(Lie::Transaction { asked: refused, .. })) = status.state
    else {
        panic!("{:?}", status.state);
    };
    assert_eq!(refused, asked);
    let is_pool = |input: &Input| matches!(input, Input::Bitcoin(Bitcoin::Unconfirmed(_)));
    assert!(!scene.told.iter().any(is_pool));
}

#[tokio::test]
async fn a_chain_from_another_first_block_is_refused() {
    let (liar, mut scene) = liar().await;
    // A branch as long as ours that never meets it.
    let mut headers: Vec<Header> = Vec::new();
    for height in 0..=110_u32 {
        let mut header = forged(&liar.node, BITS, true);
        header.prev_blockhash = headers.last().map_or(header.prev_blockhash, Header::block_hash);
        header.time += height;
        while header.validate_pow(header.target()).is_err() {
            header.nonce += 1;
        }
        headers.push(header);
    }
    let best = headers[110].block_hash().to_string();
    let tamper: Tamper = Arc::new(move |method, params, honest| match method {
        "getblockchaininfo" => json!({ "chain": "regtest", "blocks": 110, "bestblockhash": best }),
        "getblockheader" => {
            let asked = headers.iter().find(|at| params[0] == json!(at.block_hash().to_string()));
            asked.map_or(honest, |header| json!(serialize_hex(header)))
        }
        _ => honest,
    });
    let lie = is_refused(&liar, &mut scene, tamper).await;
    assert!(matches!(lie, Lie::Genesis { .. }), "{lie}");
}
