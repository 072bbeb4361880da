//! ANC-3.7, ANC-3.8: what others write into Bitcoin.

use bitcoin::{Amount, ScriptBuf, Transaction, TxOut};
use mdsm_core::anchoring::machine::{Effect, FeeRate, Sighting, Stage};
use mdsm_core::anchoring::sighting;
use mdsm_core::ledger::{AnchorOutput, AnchorReport};
use mdsm_core::types::Epoch;

use super::scene::{HOUR, World, forged, output, txid};

fn foreign(world: &World, index: usize) -> Vec<(Sighting, Option<u32>)> {
    let effects = world.producers[index].effects.iter();
    let told = effects.filter_map(|effect| match effect {
        Effect::Foreign { sighting, height, expected } => {
            assert_eq!(*expected, output(sighting.output.epoch.get()).root);
            Some((*sighting, *height))
        }
        _ => None,
    });
    told.collect()
}

#[test]
fn anc_3_8_a_forged_output_is_told_and_the_right_one_is_submitted_all_the_same() {
    //= harness/spec/anchoring.md#anc-3-getting-it-confirmed
    //= type=test
    //# ANC-3.8 (ours): An MDSM output that gives an epoch of the chain another root MUST be reported
    //# as foreign.
    let mut world = World::new(2);
    // Before the certificate, in a block; after it, in the memory pool and then in a block.
    let early = world.strange(&forged(0, 0xee)).unwrap();
    let height = world.mine();
    world.certify(0);
    let seen = |txid, number| Sighting { txid, output: forged(0, number) };
    assert_eq!(foreign(&world, 0), [(seen(early, 0xee), Some(height))]);
    let late = world.strange(&forged(0, 0xef)).unwrap();
    // One for an epoch that is nobody's.
    world.strange(&forged(1_000, 0xee)).unwrap();
    world.wait(0);
    let above = world.mine();
    let told = [
        (seen(early, 0xee), Some(height)),
        (seen(late, 0xef), None),
        (seen(late, 0xef), Some(above)),
    ];
    assert_eq!((foreign(&world, 0), foreign(&world, 1)), (told.to_vec(), told.to_vec()));
    for _ in 0..5 {
        world.mine();
    }
    let Stage::Final(place) = world.stage(1, 0) else { panic!("{:?}", world.stage(1, 0)) };
    assert_eq!(world.find(&place.txid).unwrap().0.output, output(0));
    assert_eq!(world.watch.wrong, Vec::<String>::new());
}

/// A transaction of a stranger with these scripts, signed.
fn scripted(world: &World, scripts: &[Vec<u8>]) -> Transaction {
    use bitcoin::secp256k1::{Message, PublicKey, Secp256k1};
    use bitcoin::sighash::{EcdsaSighashType, SighashCache};
    let coin = world.chain.coin(&world.stranger.script).unwrap();
    let mut transaction = world.stranger.pay(&output(0), coin, FeeRate::new(100_000));
    transaction.output.remove(0);
    for script in scripts {
        let script_pubkey = ScriptBuf::from_bytes(script.clone());
        transaction.output.push(TxOut { value: Amount::ZERO, script_pubkey });
    }
    let (secp, key) = (Secp256k1::new(), world.stranger.key);
    let sighash = SighashCache::new(&transaction)
        .p2wpkh_signature_hash(0, &world.stranger.script, coin.1, EcdsaSighashType::All)
        .unwrap();
    let signature = bitcoin::ecdsa::Signature {
        signature: secp.sign_ecdsa(&Message::from(sighash), &key),
        sighash_type: EcdsaSighashType::All,
    };
    let public = PublicKey::from_secret_key(&secp, &key);
    transaction.input[0].witness = bitcoin::Witness::p2wpkh(&signature, &public);
    transaction
}

#[test]
fn anc_3_7_a_copy_of_the_root_that_no_verifier_takes_does_not_count() {
    //= harness/spec/anchoring.md#anc-3-getting-it-confirmed
    //= type=test
    //# ANC-3.7 (ours): A transaction MUST count as an anchor of an epoch only when a verifier of
    //# receipts would take it.
    let of = |output: &AnchorOutput| [&[0x6a, 0x29][..], &output.to_bytes()].concat();
    let right = of(&output(0));
    let mut version_2 = right.clone();
    version_2[6] = 2;
    let padding = |bytes: usize| [&[0x6a][..], &vec![0x51; bytes]].concat();
    let cases: [(&str, Vec<Vec<u8>>, bool); 7] = [
        ("as drawn", vec![right.clone()], true),
        ("twice", vec![right.clone(), right.clone()], false),
        ("beside another epoch's", vec![right.clone(), of(&output(1))], false),
        ("of version 2", vec![version_2], false),
        ("with a byte behind", vec![[&right[..], &[0]].concat()], false),
        ("in 4,096 bytes", vec![right.clone(), padding(4_096 - 146)], true),
        ("in 4,097 bytes", vec![right.clone(), padding(4_097 - 146)], false),
    ];
    for (name, scripts, counts) in cases {
        let mut world = World::new(1);
        let transaction = scripted(&world, &scripts);
        if name.contains("bytes") {
            let bytes = if counts { 4_096 } else { 4_097 };
            assert_eq!(transaction.base_size(), bytes);
        }
        assert_eq!(sighting(&transaction).is_some(), counts, "{name}");
        let id = txid(&transaction);
        world.chain.submit(transaction).unwrap();
        world.mine();
        world.certify(0);
        world.wait(0);
        assert_eq!(world.submitted(0).is_empty(), counts, "{name}");
        for _ in 0..6 {
            world.mine();
        }
        let Stage::Final(place) = world.stage(0, 0) else { panic!("{name}") };
        assert_eq!(place.txid == id, counts, "{name}");
        assert_eq!(world.watch.wrong, Vec::<String>::new(), "{name}");
    }
}

#[test]
fn anc_3_10_a_false_report_does_not_stop_the_duty() {
    //= harness/spec/anchoring.md#anc-3-getting-it-confirmed
    //= type=test
    //# ANC-3.10 (ours): A report of an anchor on the chain MUST count only where the node's own view
    //# of Bitcoin shows that transaction in a block.
    let mut world = World::new(3);
    world.certify(0);
    world.producers[0].is_silent = true;
    // A transaction that does not exist, one with another root, and one that only waits.
    let other = world.strange(&forged(0, 0xee)).unwrap();
    let height = world.mine();
    let waits = world.strange(&output(0)).unwrap();
    for (txid, height) in [(output(5).root, 3), (other, height), (waits, height + 1)] {
        let epoch = Epoch::new(0);
        let report = AnchorReport { epoch, txid, height };
        world.reports.push(report);
    }
    world.wait(HOUR);
    assert_eq!(world.submitted(1).len(), 1);
    assert_eq!(world.watch.wrong, Vec::<String>::new());
}
