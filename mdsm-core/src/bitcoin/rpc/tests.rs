use bitcoin::hashes::Hash as _;
use bitcoin::{BlockHash, ScriptBuf, WPubkeyHash};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;
use crate::bitcoin::{EmbeddedChain, EmbeddedNode, ServedChain};

fn script() -> ScriptBuf {
    ScriptBuf::new_p2wpkh(&WPubkeyHash::all_zeros())
}

async fn served() -> (ServedChain, Rpc) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let node = EmbeddedNode::new(EmbeddedChain::new(), || 1_700_000_000);
    let served = ServedChain::start(node, listener, "a b:c%").unwrap();
    let url = served.url().replace("a b:c%", "a%20b:c%25");
    (served, Rpc::new(Endpoint::new(&url).unwrap()))
}

/// A server that answers one request with these bytes.
async fn one_answer(answer: Vec<u8>) -> Rpc {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://u:p@{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 4_096];
        assert!(stream.read(&mut request).await.unwrap() > 0);
        stream.write_all(&answer).await.ok();
        stream.shutdown().await.ok();
    });
    Rpc::new(Endpoint::new(&url).unwrap())
}

#[tokio::test]
async fn the_chain_in_the_process_is_read_as_a_node_is() {
    let (served, rpc) = served().await;
    let mined = rpc.generate(3, &script()).await.unwrap();
    let info = rpc.chain_info().await.unwrap();
    assert_eq!((info.chain.as_str(), info.blocks, info.best), ("regtest", 3, mined[2]));
    assert_eq!(rpc.block_count().await.unwrap(), 3);
    assert_eq!(rpc.block_hash(1).await.unwrap(), mined[0]);
    let block = rpc.block(&mined[2]).await.unwrap();
    assert_eq!(block, *served.node().chain().block(3).unwrap());
    assert_eq!(block.txdata[0].output[0].script_pubkey, script());
    assert_eq!(rpc.header(&mined[2]).await.unwrap(), block.header);
    let id = block.txdata[0].compute_txid();
    assert_eq!(rpc.transaction(&id).await.unwrap(), block.txdata[0]);
    assert_eq!(rpc.mempool().await.unwrap(), []);
    assert_eq!(rpc.estimate(2).await.unwrap(), None, "no data");

    let again = rpc.submit(&block.txdata[0]).await.unwrap_err();
    assert_eq!(again.code(), Some(-27));
    let beyond = rpc.block_hash(4).await.unwrap_err();
    assert_eq!(beyond.to_string(), "getblockhash: error -8: Block height out of range");
    assert_eq!(rpc.block(&BlockHash::all_zeros()).await.unwrap_err().code(), Some(-5));
    rpc.invalidate(&mined[1]).await.unwrap();
    assert_eq!(rpc.block_count().await.unwrap(), 1);
}

#[tokio::test]
async fn a_wrong_password_a_missing_cookie_and_a_node_that_is_gone_are_told_apart() {
    let (served, rpc) = served().await;
    let port = served.url().rsplit_once(':').unwrap().1.to_owned();
    let stranger = Rpc::new(Endpoint::new(&format!("http://mdsm:guess@127.0.0.1:{port}")).unwrap());
    let refused = RpcError::Status { method: "getblockcount", status: 401 };
    assert_eq!(stranger.block_count().await, Err(refused));

    let folder = tempfile::tempdir().unwrap();
    let cookie = folder.path().join(".cookie");
    let endpoint = Endpoint::new(&format!("http://127.0.0.1:{port}")).unwrap();
    let with_cookie = Rpc::new(endpoint.with_cookie(cookie.clone()));
    assert!(matches!(with_cookie.block_count().await, Err(RpcError::Cookie { .. })));
    std::fs::write(&cookie, "mdsm:a b:c%\n").unwrap();
    assert_eq!(with_cookie.block_count().await, Ok(0));

    assert_eq!(rpc.block_count().await, Ok(0), "a connection is open");
    let node = served.stop().await;
    assert!(matches!(rpc.block_count().await, Err(RpcError::Unreachable { .. })));
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).await.unwrap();
    let served = ServedChain::start(node, listener, "a b:c%").unwrap();
    assert_eq!(rpc.block_count().await, Ok(0), "it is back at the same place");
    drop(served);
}

#[tokio::test]
async fn what_is_no_answer_is_refused_by_the_method_s_name() {
    let http = |body: &str| {
        let length = body.len();
        format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}").into_bytes()
    };
    let expected = "a height";
    let malformed = RpcError::Malformed { method: "getblockcount", expected };
    for body in ["", "{", "[]x", r#"{"result":"7"}"#, r#"{"result":-1}"#, r#"{"result":null}"#] {
        let rpc = one_answer(http(body)).await;
        assert_eq!(rpc.block_count().await, Err(malformed.clone()), "{body}");
    }
    let long = ANSWER_BYTES_MAX + 1;
    let mut answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {long}\r\n\r\n").into_bytes();
    answer.resize(answer.len() + long, b' ');
    let rpc = one_answer(answer).await;
    let too_large = RpcError::TooLarge { method: "getblockcount", bytes_max: ANSWER_BYTES_MAX };
    assert_eq!(rpc.block_count().await, Err(too_large));
    let words = "\\u001b[2J".to_owned() + &"x".repeat(300);
    let said = format!(r#"{{"result":null,"error":{{"code":-7,"message":"{words}"}}}}"#);
    let RpcError::Refused { message, .. } =
        one_answer(http(&said)).await.block_count().await.unwrap_err()
    else {
        panic!("the node said no");
    };
    assert_eq!((message.len(), message.contains('\u{1b}')), (200, false));
}

#[tokio::test]
async fn estimates_are_read_in_the_words_of_both_nodes() {
    let answer = |result: &str| {
        let body = format!(r#"{{"result":{result},"error":null,"id":"mdsm"}}"#);
        let length = body.len();
        format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}").into_bytes()
    };
    for (result, rate) in [
        (r#"{"feerate":0.00001,"blocks":2}"#, Some(1_000)),
        (r#"{"feerate":1.2345e-4,"blocks":2}"#, Some(12_345)),
        (r#"{"fee":0.002,"blocks":2}"#, Some(200_000)),
        (r#"{"fee":-1,"blocks":2}"#, None),
        (r#"{"errors":["Insufficient data"],"blocks":0}"#, None),
    ] {
        assert_eq!(one_answer(answer(result)).await.estimate(2).await, Ok(rate), "{result}");
    }
}

#[test]
fn an_address_is_checked_before_anything_is_sent() {
    let address = |text: &str| EndpointError::Address { address: text.to_owned() };
    for (url, error) in [
        ("https://127.0.0.1:8332", EndpointError::Scheme),
        ("127.0.0.1:8332", EndpointError::Scheme),
        ("http://127.0.0.1", address("127.0.0.1")),
        ("http://u:p@:1", address(":1")),
        ("http://u:p@h:70000", address("h:70000")),
        ("http://u%2:p@h:1", EndpointError::Escape),
    ] {
        assert_eq!(Endpoint::new(url).unwrap_err(), error, "{url}");
    }
    let endpoint = Endpoint::new("http://user:secret@h:1/wallet/x").unwrap();
    assert_eq!(format!("{endpoint:?}"), "http://h:1/wallet/x", "no password in a log");
}
