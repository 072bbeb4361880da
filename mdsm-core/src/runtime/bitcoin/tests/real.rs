//! One story for every node of Bitcoin that speaks Core's JSON-RPC: the chain in the process always, and the one
//! that `BITCOIN_RPC` names where it does. `.ci/bcoin` starts one.

use super::*;
use crate::anchoring::HeaderChain;

const EPOCH: u32 = 4;

/// An anchor is submitted, mined and final; a reorganisation takes it away, and it becomes final in another block.
async fn story(url: &str) {
    let rpc = rpc(url);
    let chain = rpc.chain_info().await.unwrap().chain;
    assert_eq!(
        chain, "regtest",
        "blocks are made here: never on a network where they have a price"
    );
    // A key of this run: whoever was paid before is somebody else.
    let key = fresh();
    rpc.generate(1, &funding_script(&key)).await.unwrap();
    // Segregated witness begins at height 432 where a node still counts the votes of miners.
    let height = rpc.block_count().await.unwrap();
    let mut left = 101.max(433_u32.saturating_sub(height));
    while left > 0 {
        let blocks = left.min(50);
        rpc.generate(blocks, &miner()).await.unwrap();
        left -= blocks;
    }
    let mut follower = Follower::paying(key, url, tempfile::tempdir().unwrap(), 1_008);
    let status = follower.settle().await;
    assert_eq!((&status.state, status.coins), (&State::Following, 1), "{status:?}");

    follower.certify(EPOCH).await;
    follower.wait(1).await;
    let first = mined(&mut follower, &rpc).await;
    let proof = follower.watcher.proof(Epoch::new(EPOCH)).await.unwrap();
    holds(&follower, first.height, &proof.transaction).await;

    // Deeper than what is final: the block with the anchor and all above are gone, and nothing is believed of it.
    let taken = rpc.block_count().await.unwrap() - first.height + 1;
    let block = rpc.block_hash(first.height).await.unwrap();
    rpc.invalidate(&block).await.unwrap();
    rpc.generate(taken + 1, &miner()).await.unwrap();
    let status = follower.settle().await;
    assert_eq!(status.reorganisations, 1, "{status:?}");
    let second = mined(&mut follower, &rpc).await;
    let before = Digest::new(block.to_byte_array());
    assert_ne!(second.block, before, "another block than the one taken away");
    let proof = follower.watcher.proof(Epoch::new(EPOCH)).await.unwrap();
    holds(&follower, second.height, &proof.transaction).await;
}

/// The block at a height holds this transaction, on headers that stand by themselves.
async fn holds(follower: &Follower, height: u32, transaction: &[u8]) {
    let headers = follower.watcher.headers(Vec::new()).await.unwrap();
    let chain = HeaderChain::from_bytes(&headers, ChainParameters::Regtest).unwrap();
    assert!(chain.tip() >= usize::try_from(height).unwrap() + 5, "six confirmations");
    let block = follower.rpc.block_hash(height).await.unwrap();
    let block = follower.rpc.block(&block).await.unwrap();
    let start = usize::try_from(height).unwrap() * 80;
    let header = bitcoin::consensus::serialize(&block.header);
    assert_eq!(headers[start..start + 80], header);
    let stripped = |other: &Transaction| {
        let mut other = other.clone();
        other.input.iter_mut().for_each(|input| input.witness.clear());
        bitcoin::consensus::serialize(&other)
    };
    assert!(block.txdata.iter().any(|other| stripped(other) == transaction));
}

/// Mines, and lets time pass, until the anchor is final. A node may say that it has a transaction before it has it:
/// the anchor counts as dropped until it is tried again.
async fn mined(follower: &mut Follower, rpc: &Rpc) -> Place {
    for _ in 0..24 {
        if let Stage::Final(place) = follower.stage(EPOCH) {
            return place;
        }
        rpc.generate(1, &miner()).await.unwrap();
        follower.wait(crate::params::ANCHOR_RETRY_MS).await;
    }
    panic!("not final after 24 blocks: {:?}", follower.stage(EPOCH));
}

fn fresh() -> SecretKey {
    let seed: [u8; 32] = crate::environment::draw().unwrap();
    SecretKey::from_slice(&seed).unwrap()
}

#[tokio::test]
async fn the_story_on_the_chain_in_the_process() {
    let served = serve(funded(0), "127.0.0.1:0").await;
    story(served.url()).await;
}

#[tokio::test]
#[ignore = "needs a node of Bitcoin in regtest, which .ci/bcoin starts; BITCOIN_RPC names another"]
async fn the_story_on_a_node_of_bitcoin() {
    let url = std::env::var("BITCOIN_RPC").expect("BITCOIN_RPC names a node in regtest");
    story(&url).await;
}
