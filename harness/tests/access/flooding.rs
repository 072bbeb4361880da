//! Memory under attack: who floods fills its own room, and what is over is forgotten.

use mdsm_core::access::{Access, AccessError, Act, Bid, Files, Grant, Lapse, Registry, Request};
use mdsm_core::params::{ACCESS, AccessLimits, GRANT_FILES_MAX};
use mdsm_core::types::{Height, InstitutionId, OwnerId, RecordId, Set};

use crate::scene::{
    LIMITS, OWNER, PROXIES, READER, STRANGER, Scene, bid, choice, delivery, digest, dispute, grant,
    key, request, revocation,
};

#[test]
fn pre_3_9_a_key_has_no_more_open_than_its_share() {
    //= harness/spec/reencryption.md#pre-3-request-and-grant
    //= type=test
    //# PRE-3.9 (ours): A request or grant MUST be refused when its signer has as many open as
    //# section Access records allows.
    let mut scene = Scene::new();
    let requests: Vec<_> = (0..4).map(|_| scene.requested(&[0])).collect();
    let refused = Err(AccessError::TooManyRequests { requests_max: 4 });
    assert_eq!(scene.act(READER, request(OWNER, READER, &[0])), refused);
    assert_eq!(scene.act(READER, request(3, READER, &[3])), refused, "whomever it asks");
    scene.act(STRANGER, request(OWNER, READER, &[0])).unwrap();
    for asked in &requests[..3] {
        scene.act(OWNER, grant(*asked, 50, &[0])).unwrap();
    }
    let full = Err(AccessError::TooManyGrants { grants_max: 3 });
    assert_eq!(scene.act(OWNER, grant(requests[3], 50, &[0])), full);
    // Answers make room for the reader; ends make room for the owner, once all is settled.
    scene.act(READER, request(3, READER, &[3])).unwrap();
    let first = *scene.access.bidding().next().unwrap();
    scene.act(OWNER, revocation(first)).unwrap();
    assert_eq!(scene.act(OWNER, grant(requests[3], 50, &[0])), full);
    scene.reach(10);
    assert_eq!(scene.act(OWNER, grant(requests[3], 50, &[0])), full);
    let lapsed = scene.reach(1 + LIMITS.dispute_blocks + LIMITS.confirm_blocks + 1);
    assert_eq!(lapsed.len(), 3, "a request to each owner, and the stranger's: {lapsed:?}");
    let (asked, again) = scene.book(READER, request(OWNER, READER, &[0]));
    again.unwrap();
    scene.act(OWNER, grant(asked, 50, &[0])).unwrap();
}

#[test]
fn a_request_that_nobody_answers_is_forgotten() {
    let mut scene = Scene::new();
    let asked = scene.requested(&[0]);
    assert_eq!(scene.after(LIMITS.request_blocks - 1), []);
    scene.clone().act(OWNER, grant(asked, 50, &[0])).unwrap();
    assert_eq!(scene.after(1), [Lapse::Request(asked)]);
    assert_eq!(scene.access.entries(), 0);
    let refused = scene.act(OWNER, grant(asked, 50, &[0]));
    assert_eq!(refused, Err(AccessError::UnknownRequest { request: asked }));
}

#[test]
fn a_grant_takes_so_many_bids() {
    let mut scene = Scene::new();
    let grant = scene.granted(&[0]);
    for proxy in PROXIES {
        scene.act(proxy, bid(grant)).unwrap();
    }
    assert_eq!(scene.act(6, bid(grant)), Err(AccessError::TooManyBids { bids_max: 3 }));
    assert!(scene.access.bids(&grant).count() == 3);
}

/// A world that takes everybody's part: each key holds a seat, and owns all that it is asked for.
struct Credulous;

impl Registry for Credulous {
    fn institution_of(&self, key: &OwnerId) -> Option<InstitutionId> {
        Some(InstitutionId::new(u32::from(key.as_bytes()[0])))
    }

    fn owner_of(&self, record: &RecordId) -> Option<OwnerId> {
        Some(key(record.as_bytes()[0]))
    }
}

struct Flood {
    access: Access,
    records: u32,
    entries_max: usize,
}

impl Flood {
    fn act(&mut self, signer: u8, act: &Act) -> Option<RecordId> {
        self.records += 1;
        let mut id = [0xaa; 32];
        id[..4].copy_from_slice(&self.records.to_be_bytes());
        let id = RecordId::new(id);
        let applied = self.access.apply(id, &key(signer), act, &Credulous);
        self.entries_max = self.entries_max.max(self.access.entries());
        applied.ok().map(|_| id)
    }
}

/// Most entries that a key can be charged for: its requests with three indexes and a deadline, its
/// grants with files, deliveries, bids, three indexes and three deadlines.
fn share(limits: &AccessLimits) -> usize {
    let [requests, grants, bids] = [limits.requests_max, limits.grants_max, limits.bids_max]
        .map(|limit| usize::try_from(limit).unwrap());
    requests * (1 + GRANT_FILES_MAX + 3) + grants * (1 + 2 * GRANT_FILES_MAX + bids + 6)
}

#[test]
fn memory_is_bounded_by_the_number_of_keys_however_much_they_book() {
    let mut flood = Flood { access: Access::new(LIMITS), records: 0, entries_max: 0 };
    let (keys, mut with_effect) = (3_u8, 0_u32);
    for height in 1..=400 {
        flood.access.advance(Height::new(height));
        for signer in 0..keys {
            let owner = (signer + 1) % keys;
            let of_owner = |at: usize| {
                let mut id = [u8::try_from(at).unwrap(); 32];
                id[0] = owner;
                RecordId::new(id)
            };
            let records: std::collections::BTreeSet<_> =
                (0..GRANT_FILES_MAX).map(of_owner).collect();
            let files = records.iter().map(|id| (*id, digest(1))).collect();
            let files = Files::new(files).unwrap();
            for _ in 0..8 {
                let act = Act::Request(Request {
                    owner: key(owner),
                    reader_key: digest(signer),
                    offer: digest(1),
                    records: Set::new(records.clone()).unwrap(),
                });
                let Some(request) = flood.act(signer, &act) else { continue };
                let until = Height::new(height + 1 + u64::from(flood.records % 99));
                let act = Act::Grant(Grant {
                    request,
                    owner_key: digest(2),
                    until,
                    files: files.clone(),
                });
                let Some(grant) = flood.act(owner, &act) else { continue };
                with_effect += 1;
                for bidder in 10..20 {
                    flood.act(bidder, &Act::Bid(Bid { grant, parcels: digest(3) }));
                }
            }
        }
    }
    let bound = usize::from(keys) * share(&LIMITS);
    println!("{} records, {} entries at most, {bound} allowed", flood.records, flood.entries_max);
    assert!(flood.records > 10_000 && with_effect > 30, "it was a flood");
    assert!(flood.entries_max <= bound, "{} of {bound} entries", flood.entries_max);
    assert!(flood.entries_max > bound / 3, "the bound is near: {} of {bound}", flood.entries_max);
    flood.access.advance(Height::new(1_000));
    assert_eq!(flood.access.entries(), 0, "all is over and forgotten");
}

#[test]
fn a_grant_and_a_delivery_keep_what_the_count_of_entries_says() {
    let mut scene = Scene::new();
    // The request, its record, two indexes, one deadline.
    let asked = scene.requested(&[0]);
    assert_eq!(scene.access.entries(), 5);
    let (granted, applied) = scene.book(OWNER, grant(asked, 50, &[0]));
    applied.unwrap();
    // The grant, its file, two indexes, two deadlines.
    assert_eq!(scene.access.entries(), 6);
    scene.act(PROXIES[0], bid(granted)).unwrap();
    assert_eq!(scene.access.entries(), 7);
    scene.act(OWNER, choice(granted, PROXIES[0])).unwrap();
    assert_eq!(scene.access.entries(), 5, "no bids and no place among those who wait");
    scene.act(PROXIES[0], delivery(granted, &[0])).unwrap();
    assert_eq!(scene.access.entries(), 7, "the file's delivery and the reader's index");
    scene.act(READER, dispute(granted, 0)).unwrap();
    assert_eq!(scene.access.entries(), 8, "one more deadline");
}

#[test]
fn the_limits_of_a_network_are_those_of_the_spec() {
    let text = include_str!("../../spec/reencryption.md");
    let section = text.split("### Access records").nth(1).unwrap();
    let section = section.split("### Known answers").next().unwrap();
    let AccessLimits { requests_max, grants_max, bids_max, .. } = ACCESS;
    let settled = ACCESS.dispute_blocks + ACCESS.confirm_blocks + 1;
    assert_eq!(ACCESS.dispute_blocks, ACCESS.confirm_blocks);
    for (number, words) in [
        (u64::from(requests_max), "at most # requests open"),
        (u64::from(grants_max), "at most # grants"),
        (u64::from(bids_max), "at most # bids"),
        (ACCESS.request_blocks, "forgotten after # blocks"),
        (ACCESS.grant_blocks, "1 to # blocks ahead"),
        (ACCESS.dispute_blocks, "at most # blocks after the delivery"),
        (ACCESS.confirm_blocks, "at most # blocks old"),
        (settled, "# blocks after the last at which it held"),
    ] {
        let mut digits = number.to_string();
        for at in [9, 6, 3] {
            if digits.len() > at {
                digits.insert(digits.len() - at, ',');
            }
        }
        // An owner's number stands without its verb.
        let words = words.replace('#', &digits);
        assert!(section.contains(&words), "{words}");
    }
}
