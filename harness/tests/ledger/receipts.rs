//! Receipts of service on their way to a block. [COM-6]

use harness::build::{Live, after_start, institution_key, key, registrar};
use mdsm_core::crypto::sign::SigningKey;
use mdsm_core::ledger::{Registration, Service, ServiceKind};
use mdsm_core::node::{Effect, Event, Input, Message};
use mdsm_core::types::{Epoch, InstitutionId, RecordId};

use super::story::{NEWCOMER, PROXY, STORY, Teller, WITNESS};

/// Epochs in which a receipt under this grant was booked.
fn booked(live: &Live, grant: RecordId) -> Vec<u32> {
    let commits = live.disks[&WITNESS].commits.iter();
    let blocks = commits.flat_map(|commit| commit.decision.blocks.iter());
    let services = blocks.flat_map(|block| {
        let epoch = block.signed.header.epoch.get();
        block.payload.events.services.iter().map(move |service| (epoch, service.grant))
    });
    services.filter(|(_, named)| *named == grant).map(|(epoch, _)| epoch).collect()
}

/// Whether the witness passes the receipt on.
fn passes_on(live: &Live, service: Service) -> bool {
    let mut node = live.nodes[&WITNESS].clone();
    let mut effects = Vec::new();
    node.step(after_start(live.ms()), Input::Event(Event::Service(service)), &mut effects);
    effects.iter().any(|effect| {
        matches!(effect, Effect::Send { message: Message::Event(Event::Service(sent)), .. } if *sent == service)
    })
}

fn signed(
    live: &Live,
    grant: RecordId,
    (epoch, institution): (u32, u32),
    client: &SigningKey,
) -> Service {
    let by = (InstitutionId::new(institution), ServiceKind::Reencryption);
    Service::sign(&live.genesis.chain_id(), grant, Epoch::new(epoch), by, client)
}

#[test]
fn com_6_15_only_receipts_that_the_chain_bears_out_are_kept() {
    //= harness/spec/committees.md#com-6-earning-and-losing
    //= type=test
    //# COM-6.15 (ours): A node MUST NOT keep or pass on a receipt of service that its finalized
    //# chain does not bear out.
    let live = &STORY.live;
    let [served, granted] = STORY.grants;
    let epoch = live.nodes[&WITNESS].chain().epoch().get();
    let passes =
        |grant, place, client: u8| passes_on(live, signed(live, grant, place, &key(client)));
    assert!(passes(served, (epoch, PROXY), 1));
    assert!(!passes(served, (epoch, PROXY + 1), 1), "another served");
    assert!(!passes(served, (epoch, PROXY), 2), "another owns the grant");
    assert!(!passes(granted, (epoch, PROXY), 1), "nobody delivered under it");
    assert!(!passes(RecordId::new([7; 32]), (epoch, PROXY), 1), "no such grant");
    assert!(!passes(served, (epoch + 2, PROXY), 1), "too early");
}

#[test]
fn com_6_3_one_receipt_for_a_grant_and_epoch_is_kept_also_behind_the_block_that_carries_it() {
    let mut live = STORY.live.clone();
    let grant = STORY.grants[0];
    let epoch = live.nodes[&WITNESS].chain().epoch().get();
    let before = booked(&live, grant).len();
    let receipt = signed(&live, grant, (epoch, PROXY), &key(1));
    live.tell(WITNESS.get(), Event::Service(receipt));
    let by = (receipt.institution, ServiceKind::Query);
    let other = Service::sign(&live.genesis.chain_id(), grant, receipt.epoch, by, &key(1));
    assert!(!passes_on(&live, other), "the same service in other words");
    let next = live.ms() + 8_000;
    live.run_until(next);
    assert_eq!(booked(&live, grant).len(), before + 1);
    assert!(!passes_on(&live, receipt), "it is booked");
}

#[test]
fn com_6_14_a_receipt_of_this_epochs_delivery_waits_for_the_next_epoch() {
    let (mut teller, _, grant) = Teller::delivered();
    teller.until(20);
    let early = signed(&teller.live, grant, (0, PROXY), &key(1));
    assert!(passes_on(&teller.live, early), "its delivery is booked");
    teller.service(grant, 0);
    // Of two events one may be carried by no block: leaders then sort out all that wait.
    let (taken, chain) = (institution_key(WITNESS), teller.live.genesis.chain_id());
    let newcomer = InstitutionId::new(NEWCOMER);
    let joining = Registration::sign(&chain, newcomer, (40, 7), &taken, &registrar());
    teller.live.tell(5, Event::Registration(joining));
    teller.until(42);
    assert_eq!(booked(&teller.live, grant), [1], "and no leader dropped it meanwhile");
}
