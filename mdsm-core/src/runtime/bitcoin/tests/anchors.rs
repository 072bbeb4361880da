use super::super::submit::refusal;
use super::*;
use crate::anchoring::machine::{Alarm, FeeRate, Refusal};
use crate::anchoring::{Funding, HeaderChain, anchor_transaction};
use crate::params::{ANCHOR_BUMP_MS, ANCHOR_RETRY_MS};

async fn scene(coins: u32) -> (ServedChain, Scene) {
    let served = serve(funded(coins), "127.0.0.1:0").await;
    let scene = Scene::new(served.node().clone(), served.url());
    (served, scene)
}

#[tokio::test]
async fn anc_3_1_an_anchor_is_submitted_mined_final_at_six_and_proven() {
    //= harness/spec/anchoring.md#anc-3-getting-it-confirmed
    //= type=test
    //# ANC-3.1 (ours): An anchor MUST count as final only when its block has 6 confirmations.
    let (_served, mut scene) = scene(1).await;
    let status = scene.settle().await;
    assert_eq!((status.state, status.coins, status.satoshi), (State::Following, 1, 5_000_000_000));
    assert_eq!(
        scene.heights(),
        (0..=101).collect::<Vec<i64>>(),
        "from the genesis block, in order"
    );

    scene.certify(4).await;
    scene.wait(1).await;
    let waiting = scene.waiting();
    assert_eq!(scene.stage(4), Stage::Submitted(id(&waiting[0])));
    assert_eq!(waiting[0].output[0].script_pubkey, ScriptBuf::new_op_return(output(4).to_bytes()));
    let waited = Input::Bitcoin(Bitcoin::Unconfirmed(machine::Sighting {
        txid: id(&waiting[0]),
        output: output(4),
    }));
    assert!(scene.told.contains(&waited));

    scene.mine(1);
    scene.settle().await;
    scene.mine(4);
    scene.settle().await;
    assert_eq!(scene.stage(4), Stage::Confirmed { confirmations: 5 });
    assert_eq!(scene.watcher.proof(Epoch::new(4)).await, Err(ProveError::Unknown));
    scene.mine(1);
    scene.settle().await;
    let Stage::Final(Place { height, txid, .. }) = scene.stage(4) else { panic!("it is final") };
    assert_eq!((height, txid), (102, id(&waiting[0])));

    let proof = scene.watcher.proof(Epoch::new(4)).await.unwrap();
    assert_eq!(Some(proof), scene.node.chain().proof(&Txid::from_byte_array(*txid.as_bytes())));
    let some = scene.node.chain().headers()[..160].to_vec();
    let headers = scene.watcher.headers(some).await.unwrap();
    assert_eq!(headers, scene.node.chain().headers());
    assert_eq!(HeaderChain::from_bytes(&headers, ChainParameters::Regtest).unwrap().tip(), 107);
    // The change is the next coin.
    scene.certify(5).await;
    scene.wait(1).await;
    assert_eq!(scene.waiting()[0].input[0].previous_output.txid, waiting[0].compute_txid());
}

#[tokio::test]
async fn anc_3_2_a_reorganisation_is_told_in_order_and_the_anchor_submitted_again() {
    //= harness/spec/anchoring.md#anc-3-getting-it-confirmed
    //= type=test
    //# ANC-3.2 (ours): An anchor whose block a reorganisation of Bitcoin removed MUST be submitted
    //# again with the same anchor root.
    let (_served, mut scene) = scene(1).await;
    scene.settle().await;
    scene.certify(4).await;
    scene.wait(1).await;
    scene.mine(3);
    scene.settle().await;
    assert_eq!(scene.stage(4), Stage::Confirmed { confirmations: 3 });
    let coins = scene.watcher.status().borrow().satoshi;
    scene.heights();

    // The other branch is shorter at first: then it is not the best one.
    let block = scene.rpc.block_hash(102).await.unwrap();
    scene.rpc.invalidate(&block).await.unwrap();
    let behind = Trouble::Behind { shown: 101, told: 104 };
    assert_eq!(scene.settle().await.state, State::Troubled(behind));
    assert_eq!(scene.heights(), Vec::<i64>::new());
    let txid = id(&scene.waiting()[0]);
    for _ in 0..4 {
        scene.node.chain().mine_if(&miner(), STARTED_S, |_, _| false);
    }
    let status = scene.settle().await;
    assert_eq!((status.state, status.reorganisations), (State::Following, 1));
    assert_eq!(scene.heights(), [-104, -103, -102, 102, 103, 104, 105]);
    assert_eq!(scene.stage(4), Stage::Reorganised(txid));
    assert_eq!(status.satoshi, 5_000_000_000, "the coin is unspent again");
    assert_ne!(status.satoshi, coins);

    scene.wait(1).await;
    assert_eq!(scene.stage(4), Stage::Submitted(txid));
    assert_eq!(scene.waiting().len(), 1, "the same transaction");
    scene.mine(6);
    scene.settle().await;
    assert!(matches!(scene.stage(4), Stage::Final(place) if place.height == 106));

    // Seven deep: what was final is not, and its proof is withdrawn.
    let block = scene.rpc.block_hash(106).await.unwrap();
    scene.rpc.invalidate(&block).await.unwrap();
    for _ in 0..7 {
        scene.node.chain().mine_if(&miner(), STARTED_S, |_, _| false);
    }
    scene.settle().await;
    let is_alarm = |effect: &&Effect| matches!(effect, Effect::Alarm(Alarm::FinalRemoved { .. }));
    assert_eq!(scene.asked.iter().filter(is_alarm).count(), 1);
    assert_eq!(scene.watcher.proof(Epoch::new(4)).await, Err(ProveError::Unknown));
}

#[tokio::test]
async fn a_node_that_is_away_is_waited_for_and_nothing_is_lost() {
    let (served, mut scene) = scene(1).await;
    scene.settle().await;
    scene.heights();
    scene.certify(4).await;
    scene.settle().await;
    let address = served.url().rsplit_once('@').unwrap().1.to_owned();
    let node = served.stop().await;
    let status = scene.wait(1).await;
    assert!(matches!(status.state, State::Troubled(Trouble::Away(_))), "{status:?}");
    assert_eq!(scene.stage(4), Stage::Waiting, "no answer is better than a wrong one");
    scene.wait(ANCHOR_RETRY_MS).await;
    scene.mine(2);
    assert_eq!(scene.heights(), Vec::<i64>::new());

    let _served = serve(node, &address).await;
    let status = scene.settle().await;
    assert_eq!(status.state, State::Following);
    assert_eq!(scene.heights(), [102, 103]);
    assert_eq!(scene.stage(4), Stage::Submitted(id(&scene.waiting()[0])));
    assert_eq!(scene.waiting().len(), 1, "asked twice, submitted once");
}

#[tokio::test]
async fn anc_3_3_a_replacement_pays_more_from_the_same_coin() {
    //= harness/spec/anchoring.md#anc-3-getting-it-confirmed
    //= type=test
    //# ANC-3.3 (ours): A submitter MUST raise the fee of an anchor transaction that stays unconfirmed
    //# past its waiting time by replacing it.
    let (_served, mut scene) = scene(2).await;
    scene.settle().await;
    scene.certify(4).await;
    scene.wait(1).await;
    let first = scene.waiting();
    scene.wait(ANCHOR_BUMP_MS).await;
    let second = scene.waiting();
    assert_eq!((first.len(), second.len()), (1, 1));
    assert_eq!(first[0].input[0].previous_output, second[0].input[0].previous_output);
    assert_eq!(scene.stage(4), Stage::Submitted(id(&second[0])));
    let fee = |transaction: &Transaction| 5_000_000_000 - transaction.output[1].value.to_sat();
    let size = u64::try_from(second[0].vsize()).unwrap();
    assert!(fee(&second[0]) >= 3 * size && fee(&first[0]) >= size, "the rates of the schedule");
    // Another epoch takes the other coin, and a third finds none.
    scene.certify(5).await;
    scene.wait(1).await;
    let coins: std::collections::BTreeSet<_> =
        scene.waiting().iter().map(|waits| waits.input[0].previous_output).collect();
    assert_eq!(coins.len(), 2);
    scene.certify(6).await;
    scene.wait(1).await;
    assert!(scene.asked.contains(&Effect::Alarm(Alarm::Empty { epoch: Epoch::new(6) })));
}

#[tokio::test]
async fn anc_3_11_after_a_restart_what_is_in_flight_is_resumed() {
    //= harness/spec/anchoring.md#anc-3-getting-it-confirmed
    //= type=test
    //# ANC-3.11 (ours): A further transaction of a submitter for an epoch MUST spend the coin of the
    //# one before it for as long as that one can be mined.
    let (_served, mut scene) = scene(2).await;
    scene.settle().await;
    scene.certify(4).await;
    scene.wait(1).await;
    scene.wait(ANCHOR_BUMP_MS).await;
    let waiting = scene.waiting();
    let mut scene = scene.restart().await;
    scene.settle().await;
    let resumed = scene.told.iter().filter_map(|input| match input {
        Input::Resumed { sighting, rate } => Some((sighting.txid, *rate)),
        _ => None,
    });
    assert_eq!(resumed.collect::<Vec<_>>(), [(id(&waiting[0]), FeeRate::new(3_000))]);
    assert_eq!(scene.stage(4), Stage::Submitted(id(&waiting[0])));

    // A machine that asks for a new one all the same gets one from the same coin.
    let mut scene = scene.restart().await;
    let request = machine::Request {
        output: output(4),
        number: 1,
        rate: FeeRate::new(9_000),
        means: machine::Means::New,
    };
    scene.send(vec![Effect::Submit(request), Effect::Submit(request)]).await;
    scene.watcher.look().await.unwrap();
    let third = scene.waiting();
    assert_eq!(third.len(), 1);
    assert_eq!(third[0].input[0].previous_output, waiting[0].input[0].previous_output);
    assert_ne!(id(&third[0]), id(&waiting[0]));
    // The same number is answered in the same way, and makes no third one.
    scene.send(vec![Effect::Submit(request)]).await;
    scene.watcher.look().await.unwrap();
    assert_eq!(scene.waiting(), third);
    scene.mine(6);
    scene.settle().await;
    assert!(matches!(scene.stage(4), Stage::Final(place) if place.txid == id(&third[0])));
    let scene = scene.restart().await;
    assert!(scene.watcher.place(Epoch::new(4)).is_some(), "the file knows where it stands");
}

#[tokio::test]
async fn what_somebody_else_s_block_takes_the_coin_of_is_told_as_dropped() {
    let (_served, mut scene) = scene(1).await;
    scene.settle().await;
    scene.certify(4).await;
    scene.wait(1).await;
    let waiting = scene.waiting();
    let outpoint = waiting[0].input[0].previous_output;
    let value = Amount::from_sat(5_000_000_000);
    let funding = Funding { outpoint, value, fee: Amount::from_sat(777), key: key(1) };
    let other = anchor_transaction(&output(77), &funding).unwrap();
    scene.node.chain().mine_these(&miner(), STARTED_S, vec![other.clone()]).unwrap();
    scene.settle().await;
    assert!(scene.told.contains(&Input::Bitcoin(Bitcoin::Dropped(id(&waiting[0])))));
    scene.wait(1).await;
    scene.wait(ANCHOR_RETRY_MS).await;
    let again = scene.waiting();
    assert_eq!(again[0].input[0].previous_output.txid, other.compute_txid(), "from its change");
}

#[tokio::test]
async fn coins_are_counted_once_and_remembered_over_a_restart() {
    let node = funded(1);
    for _ in 0..99 {
        node.chain().mine(&miner(), STARTED_S);
    }
    let served = serve(node, "127.0.0.1:0").await;
    let folder = tempfile::tempdir().unwrap();
    let mut scene = Scene::within(served.node().clone(), served.url(), folder, 2);
    let before = scene.settle().await;
    assert_eq!(before.tip.unwrap().0, 200);
    assert_eq!(scene.heights().first(), Some(&0));
    let mut scene = scene.restart().await;
    let after = scene.settle().await;
    assert_eq!(scene.heights().first(), Some(&145), "what stands below is in the file");
    assert_eq!((after.coins, after.satoshi), (before.coins, before.satoshi));
    // On another branch the count begins at the last block in the file that is on it, the first one.
    served.node().chain().invalidate(120);
    scene.mine(90);
    let mut scene = scene.restart().await;
    let after = scene.settle().await;
    assert_eq!((scene.heights().first(), after.coins), (Some(&1), 1));
}

#[tokio::test]
async fn anc_3_6_nobody_waits_for_a_bitcoin_that_does_not_answer() {
    //= harness/spec/anchoring.md#anc-3-getting-it-confirmed
    //= type=test
    //# ANC-3.6 (ours): Consensus on blocks MUST go on while an anchor is late.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (connected, mut connections) = mpsc::channel(8);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if connected.send(stream).await.is_err() {
                return;
            }
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bitcoin.log");
    let config = WatcherConfig::new(ChainParameters::Regtest, key(1), file);
    let (effects, asked) = mpsc::channel(1);
    let (tell, _inputs) = mpsc::channel(1);
    let _watcher = Watcher::start(config, rpc(&url), asked, tell).unwrap();
    let _stream = connections.recv().await.unwrap();
    for epoch in 0..100 {
        effects.send(Effect::Watch(output(epoch))).await.unwrap();
    }
}

#[tokio::test]
async fn the_timer_looks_by_itself() {
    let served = serve(funded(1), "127.0.0.1:0").await;
    let folder = tempfile::tempdir().unwrap();
    let mut config =
        WatcherConfig::new(ChainParameters::Regtest, key(1), folder.path().join("bitcoin.log"));
    config.poll = std::time::Duration::from_millis(1);
    let (_effects, asked) = mpsc::channel(1);
    let (tell, mut inputs) = mpsc::channel(1);
    let _watcher = Watcher::start(config, rpc(served.url()), asked, tell).unwrap();
    let mut next = async |height: u32| loop {
        if let Input::Bitcoin(Bitcoin::Connected { block, .. }) = inputs.recv().await.unwrap()
            && block.height == height
        {
            return;
        }
    };
    next(101).await;
    served.node().chain().mine(&miner(), STARTED_S);
    next(102).await;
}

#[test]
fn refusals_are_understood_in_bitcoin_core_s_words() {
    for (code, message, expected) in [
        (-27, "Transaction outputs already in utxo set", None),
        (-26, "txn-already-in-mempool", None),
        (-25, "bad-txns-inputs-missingorspent", Some(Refusal::Coin)),
        (-26, "bad-txns-premature-spend-of-coinbase, tried at depth 9", Some(Refusal::Coin)),
        (-26, "min relay fee not met, 1 < 162", Some(Refusal::Fee)),
        (-26, "insufficient fee, rejecting replacement", Some(Refusal::Fee)),
        (-25, "Fee exceeds maximum configured by user (maxfeerate)", Some(Refusal::Other)),
        (-26, "txn-mempool-conflict", Some(Refusal::Other)),
        (-26, "mandatory-script-verify-flag-failed", Some(Refusal::Other)),
    ] {
        assert_eq!(refusal(code, message), expected, "{message}");
    }
}
