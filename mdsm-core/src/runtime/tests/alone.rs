//! One institution, whose driver and disk are looked at without the others.

use super::super::books::Table as Rows;
use super::*;
use crate::codec::Wire as _;
use crate::ledger::Item;
use crate::node::Message;
use crate::params::ANSWER_BYTES_MAX;
use crate::store::{Batch, Store as _, Table};
use crate::types::{Digest, List};

#[tokio::test]
async fn con_7_28_small_questions_taken_together_bring_no_more_than_a_share() {
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //= type=test
    //# CON-7.28 (ours): A node MUST NOT begin an answer to a peer to which it has sent 67,108,864 bytes
    //# of answers or more in the same turn by its own clock.
    let network = Network::of_turns(3_600_000);
    let (me, peer) = (InstitutionId::new(1), InstitutionId::new(8));
    let _mine = network.mailbox(me);
    let mut letters = network.mailbox(peer);
    let (parts, effects, _) = network.parts(me, Prechecked::default());
    let owner = SigningKey::from_seed(&[1; 32]);
    let records = (0..10).map(|number| network.envelope_of(&owner, vec![number; 100_000], 1));
    let records = List::new(records.collect()).unwrap();
    let item = Item { records };
    let mut batch = Batch::new();
    Rows::put_item(&mut batch, &item);
    parts.disk.books().rows().store().commit(batch).unwrap();
    let (orders, taken) = mpsc::channel(1_024);
    let asks = |root, times: usize| Message::WantItems(vec![root; times]);
    let bytes = item.to_bytes().len();
    let absent = Digest::new([1; 32]);
    // Half of the share is used up by what is not there.
    for _ in 0..ANSWER_BYTES_MAX / 2 / 64 / 1_024 {
        let message = Box::new(asks(absent, 1_024));
        orders.send(Order::Message { from: peer, message, room: Room::new(()) }).await.unwrap();
    }
    for _ in 0..200 {
        let message = Box::new(asks(item.root(), 1));
        orders.send(Order::Message { from: peer, message, room: Room::new(()) }).await.unwrap();
    }
    orders.send(Order::Stop).await.unwrap();
    Driver::new(parts, effects).run(taken).await.unwrap();
    let mut sent = 0;
    while let Ok((_, letter)) = letters.try_recv() {
        sent += usize::from(letter.len() > 1_000_000);
    }
    let most = (ANSWER_BYTES_MAX / 2).div_ceil(bytes);
    assert!((most - 1..=most).contains(&sent), "{sent} of {most}");
}

#[tokio::test]
async fn ddb_1_10_an_accepted_record_that_is_lost_keeps_no_institution_off() {
    let network = Network::of_turns(3_600_000);
    let me = InstitutionId::new(1);
    let _letters = network.mailbox(me);
    let owner = SigningKey::from_seed(&[1; 32]);
    let ids = {
        let (parts, effects, _) = network.parts(me, Prechecked::default());
        let books = parts.disk.books().clone();
        let (orders, taken) = mpsc::channel(1);
        orders.send(Order::Stop).await.unwrap();
        Driver::new(parts, effects).run(taken).await.unwrap();
        let (mut batch, mut ids) = (Batch::new(), Vec::new());
        for number in 0..4 {
            let envelope = network.envelope(&owner, number, 1).verify(&network.chain()).unwrap();
            ids.push(*envelope.record_id());
            Rows::put_accepted(&mut batch, &envelope);
        }
        books.rows().store().commit(batch).unwrap();
        // Behind the back of the witness, as a disk does it.
        let mut damage = Batch::new();
        damage.put(Table::Accepted, *ids[1].as_bytes(), b"rotten".to_vec());
        books.rows().store().store().commit(damage).unwrap();
        ids
    };
    let (parts, _, warnings) = network.parts(me, Prechecked::default());
    assert_eq!(parts.node.waiting(), 3);
    let told = format!("accepted record {} is lost: ", ids[1]);
    assert!(warnings.iter().any(|it| it.starts_with(&told)), "{warnings:?}");
}

#[tokio::test]
async fn ddb_1_10_a_store_that_does_not_open_says_what_to_do() {
    let network = Network::of_turns(3_600_000);
    let me = InstitutionId::new(1);
    let _letters = network.mailbox(me);
    let witness = network.directory(1).join("store/witness.log");
    let run = async || {
        let (parts, effects, _) = network.parts(me, Prechecked::default());
        let books = parts.disk.books().clone();
        let envelope = network.envelope(&SigningKey::from_seed(&[1; 32]), 1, 1);
        let mut batch = Batch::new();
        let envelope = envelope.verify(&network.chain()).unwrap();
        Rows::put_accepted(&mut batch, &envelope);
        books.rows().store().commit(batch).unwrap();
        let (orders, taken) = mpsc::channel(1);
        orders.send(Order::Stop).await.unwrap();
        Driver::new(parts, effects).run(taken).await.unwrap();
    };
    // One commit that the witness lacks is what a crash leaves.
    run().await;
    run().await;
    std::fs::OpenOptions::new().write(true).open(&witness).unwrap().set_len(5).unwrap();
    let (home, _) = Home::open(network.directory(1)).unwrap();
    let start = Start { genesis: network.genesis.clone(), founders: &network.founders };
    let config = NodeConfig { me, delay_ms: 20 };
    let refused = home.rouse(config, &start, Prechecked::default(), Clock::new().now());
    let told = refused.unwrap_err().to_string();
    assert!(told.contains("`mdsm store check`") && told.contains("Move this directory"), "{told}");
    // What it says holds.
    std::fs::rename(home.store(), home.directory().join("aside")).unwrap();
    run().await;
}
