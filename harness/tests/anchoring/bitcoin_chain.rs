//! The Bitcoin chain of these tests: it has to refuse what a node refuses, or they show nothing.

use bitcoin::secp256k1::{Message, PublicKey, Secp256k1};
use bitcoin::sighash::{EcdsaSighashType, SighashCache};
use bitcoin::{Amount, OutPoint, Sequence, Transaction, TxIn, Witness};
use mdsm_core::anchoring::machine::FeeRate;
use mdsm_core::anchoring::{ChainParameters, Funding, HeaderChain, anchor_transaction};
use mdsm_core::bitcoin::{EmbeddedChain, SubmitError};

use super::scene::{Wallet, output, txid};

const TIME_S: u32 = 1_700_000_000;

fn chain(coins: u32) -> (EmbeddedChain, Wallet, Wallet) {
    let (mut chain, wallet, miner) = (EmbeddedChain::new(), Wallet::new(1), Wallet::new(2));
    for _ in 0..coins {
        chain.mine(&wallet.script, TIME_S);
    }
    for _ in 0..100 {
        chain.mine(&miner.script, TIME_S);
    }
    (chain, wallet, miner)
}

fn paying(wallet: &Wallet, coin: (OutPoint, Amount), epoch: u32, fee: u64) -> Transaction {
    let (outpoint, value) = coin;
    let funding = Funding { outpoint, value, fee: Amount::from_sat(fee), key: wallet.key };
    anchor_transaction(&output(epoch), &funding).unwrap()
}

/// Changes a transaction and signs it again, for coins that hold these values.
fn resigned(
    wallet: &Wallet,
    values: &[Amount],
    mut transaction: Transaction,
    change: impl Fn(&mut Transaction),
) -> Transaction {
    change(&mut transaction);
    let secp = Secp256k1::new();
    for (input, value) in values.iter().enumerate() {
        let sighash = SighashCache::new(&transaction)
            .p2wpkh_signature_hash(input, &wallet.script, *value, EcdsaSighashType::All)
            .unwrap();
        let signature = bitcoin::ecdsa::Signature {
            signature: secp.sign_ecdsa(&Message::from(sighash), &wallet.key),
            sighash_type: EcdsaSighashType::All,
        };
        let public = PublicKey::from_secret_key(&secp, &wallet.key);
        transaction.input[input].witness = Witness::p2wpkh(&signature, &public);
    }
    transaction
}

fn fee_min(result: Result<bitcoin::Txid, SubmitError>) -> Option<u64> {
    match result {
        Ok(_) => None,
        Err(SubmitError::Fee { fee_min, .. }) => Some(fee_min.to_sat()),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn a_replacement_pays_for_what_it_replaces_and_for_its_own_relay() {
    let (mut chain, wallet, _) = chain(1);
    let coin = chain.coin(&wallet.script).unwrap();
    let size = |transaction: &Transaction| u64::try_from(transaction.vsize()).unwrap();
    let cheap = paying(&wallet, coin, 0, 100);
    assert_eq!(fee_min(chain.submit(cheap.clone())), Some(size(&cheap)), "what is relayed at all");
    let first = paying(&wallet, coin, 0, 1_000);
    chain.submit(first.clone()).unwrap();
    assert_eq!(chain.submit(first.clone()), Err(SubmitError::Waiting));
    // Signatures differ in length, so each candidate is held to its own size.
    let mut taken = 0;
    for fee in 1_150..1_175 {
        let candidate = paying(&wallet, coin, 0, fee);
        let asked = 1_000 + size(&candidate);
        let mut chain = chain.clone();
        let result = chain.submit(candidate.clone());
        assert_eq!(fee_min(result), (fee < asked).then_some(asked), "{fee}");
        taken += u32::from(fee >= asked);
        let waits = if fee < asked { first.clone() } else { candidate };
        assert_eq!(chain.waiting(), [waits]);
    }
    assert!((1..25).contains(&taken));
}

#[test]
fn a_replacement_pays_a_higher_rate_than_each_it_replaces() {
    let (mut chain, wallet, _) = chain(2);
    let one = chain.coin(&wallet.script).unwrap();
    let first = paying(&wallet, one, 0, 10_000);
    chain.submit(first.clone()).unwrap();
    let two = chain.coin(&wallet.script).unwrap();
    assert_ne!(one, two);
    // Spends both coins: more fee, but on more bytes.
    let both = |fee| {
        let draft = paying(&wallet, one, 0, 10_000);
        resigned(&wallet, &[one.1, two.1], draft, |transaction| {
            transaction.input.push(TxIn {
                previous_output: two.0,
                sequence: Sequence::ENABLE_RBF_NO_LOCKTIME,
                ..TxIn::default()
            });
            transaction.output[1].value = one.1 + two.1 - Amount::from_sat(fee);
        })
    };
    let size = |transaction: &Transaction| u64::try_from(transaction.vsize()).unwrap();
    let mut taken = 0;
    for fee in (10_000..20_000).step_by(7) {
        let candidate = both(fee);
        let asked = 10_000 * size(&candidate) / size(&first) + 1;
        assert!(asked > 10_000 + size(&candidate), "the rate is the stricter rule here");
        let result = chain.clone().submit(candidate);
        assert_eq!(fee_min(result), (fee < asked).then_some(asked), "{fee}");
        taken += u32::from(fee >= asked);
    }
    assert!((1..1_428).contains(&taken));
    // And of two that are replaced by one, both are paid for.
    chain.submit(paying(&wallet, two, 1, 15_000)).unwrap();
    for fee in 25_200..25_260 {
        let candidate = both(fee);
        let asked = 10_000 + 15_000 + size(&candidate);
        let mut chain = chain.clone();
        let result = chain.submit(candidate);
        assert_eq!(fee_min(result), (fee < asked).then_some(asked), "{fee}");
        assert_eq!(chain.waiting().len(), if fee < asked { 2 } else { 1 });
    }
}

#[test]
fn what_does_not_signal_it_is_not_replaced() {
    let (mut chain, wallet, _) = chain(1);
    let coin = chain.coin(&wallet.script).unwrap();
    let of = |sequence| {
        let draft = paying(&wallet, coin, 0, 1_000);
        resigned(&wallet, &[coin.1], draft, |transaction| {
            transaction.input[0].sequence = Sequence::from_consensus(sequence);
        })
    };
    let mut other = chain.clone();
    let firm = of(0xffff_fffe);
    chain.submit(firm.clone()).unwrap();
    let replaced = firm.compute_txid();
    let richer = paying(&wallet, coin, 0, 50_000);
    assert_eq!(chain.submit(richer.clone()), Err(SubmitError::NotReplaceable { replaced }));
    other.submit(of(0xffff_fffd)).unwrap();
    assert!(other.submit(richer).is_ok());
}

#[test]
fn a_reorganisation_gives_coins_and_transactions_back() {
    let (mut chain, wallet, miner) = chain(3);
    let before = chain.clone();
    let coin = chain.coin(&wallet.script).unwrap();
    let first = wallet.pay(&output(0), coin, FeeRate::new(2_000));
    chain.submit(first.clone()).unwrap();
    let at = chain.mine(&miner.script, TIME_S);
    assert_eq!(chain.value(&coin.0), None);
    // Its change is spent in the next block.
    let change = OutPoint { txid: first.compute_txid(), vout: 1 };
    let value = chain.value(&change).unwrap();
    let second = wallet.pay(&output(1), (change, value), FeeRate::new(2_000));
    chain.submit(second.clone()).unwrap();
    chain.mine(&miner.script, TIME_S);
    let (headers, waiting_coin) = (chain.headers(), chain.coin(&wallet.script).unwrap());
    chain.submit(wallet.pay(&output(2), waiting_coin, FeeRate::new(2_000))).unwrap();

    chain.invalidate(at);
    assert_eq!((chain.height(), chain.headers()), (before.height(), before.headers()));
    assert_eq!(chain.value(&coin.0), Some(coin.1));
    assert_eq!(chain.value(&change), None);
    // The second spends what is in no block, so it waits no longer; nor does what spent its change.
    let waiting: Vec<_> = chain.waiting().iter().map(txid).collect();
    assert_eq!(waiting, [txid(&first)]);
    // The same blocks once more are other blocks, and a sound chain.
    chain.mine(&miner.script, TIME_S);
    chain.mine(&miner.script, TIME_S);
    chain.mine(&miner.script, TIME_S);
    assert_ne!(chain.headers()[..headers.len()], headers);
    let sound = HeaderChain::from_bytes(&chain.headers(), ChainParameters::Regtest).unwrap();
    assert_eq!(sound.tip(), usize::try_from(at + 2).unwrap());
    assert_eq!(chain.proof(&first.compute_txid()).unwrap().height, at);
    chain.submit(second).unwrap();
    // Out of bounds: nothing happens.
    let (before, height) = (chain.headers(), chain.height());
    chain.invalidate(height + 1);
    chain.invalidate(0);
    assert_eq!(chain.headers(), before);
    chain.invalidate(1);
    assert_eq!((chain.height(), chain.waiting()), (0, &[][..]));
    assert_eq!(chain.coin(&wallet.script), None);
}

#[test]
fn a_competing_miner_is_held_to_the_rules_and_evicts_what_waits() {
    let (mut chain, wallet, miner) = chain(1);
    let coin = chain.coin(&wallet.script).unwrap();
    let (one, other) = (paying(&wallet, coin, 0, 1_000), paying(&wallet, coin, 1, 1_200));
    chain.submit(one.clone()).unwrap();
    let unknown = SubmitError::Unknown { input: 0, outpoint: coin.0 };
    let both = vec![one.clone(), other.clone()];
    assert_eq!(chain.mine_these(&miner.script, TIME_S, both), Err(unknown.clone()));
    let mut unsigned = other.clone();
    unsigned.input[0].witness = Witness::new();
    let refused = chain.mine_these(&miner.script, TIME_S, vec![unsigned]);
    assert!(matches!(refused, Err(SubmitError::Signature { .. })), "{refused:?}");
    let height = chain.height();
    assert_eq!(chain.mine_these(&miner.script, TIME_S, vec![other]), Ok(height + 1));
    assert_eq!(chain.waiting(), []);
    assert_eq!(chain.submit(one), Err(unknown));
}
