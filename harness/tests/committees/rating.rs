//! COM-1 to COM-3: ranking, seats, registration.

use harness::build;
use harness::generate::history;
use harness::rules::roster::{State, TABLE};
use harness::seed::{Draw, Seed};
use mdsm_core::codec::Wire as _;
use mdsm_core::ledger::{Envelope, OffenceKind};
use mdsm_core::params::PAPER;
use mdsm_core::roster::*;
use mdsm_core::types::*;

use super::beside::founder;
use super::world::{Say, World, id, ids, institution};

fn order(founders: &[Founder]) -> Vec<u32> {
    ranked(founders).iter().map(|one| one.institution.get()).collect()
}

fn rated(number: u32, rating: u8, centre: u32) -> Founder {
    Founder { rating, centre, ..institution(number, 0) }
}

#[test]
fn com_1_1_rating_ranks_and_then_size() {
    //= harness/spec/committees.md#com-1-rating
    //= type=test
    //# COM-1.1 (paper): The initial ranking of the institutions MUST follow from their rating on a
    //# scale of 100 points and the size of their information centre.
    let founders = [rated(1, 90, 5), rated(2, 100, 1), rated(3, 90, 6), rated(4, 0, u32::MAX)];
    assert_eq!(order(&founders), [2, 3, 1, 4]);
    let above =
        [rated(1, 101, 5), rated(2, 50, 5), rated(3, 50, 5), rated(4, 50, 5), rated(5, 5, 5)];
    let reason = RegistrationRefused::Rating { rating: 101 };
    assert_eq!(Roster::found(&above, 1, 4), Err(FoundError::Founder { index: 0, reason }));
}

#[test]
fn com_1_2_equal_institutions_are_ranked_by_id() {
    //= harness/spec/committees.md#com-1-rating
    //= type=test
    //# COM-1.2 (ours): Institutions with equal rating and size MUST be ranked by ascending
    //# institution id.
    let mut draw = Seed::new(12).stream("committees/ties");
    let sorted: Vec<_> = (0..50).map(|number| rated(number, 70, 9)).collect();
    for _ in 0..20 {
        let mut founders = sorted.clone();
        for at in (1..founders.len()).rev() {
            let other = draw.below(u32::try_from(at + 1).unwrap());
            founders.swap(at, usize::try_from(other).unwrap());
        }
        assert_eq!(ranked(&founders), sorted);
    }
}

#[test]
fn com_1_3_the_digest_commits_to_ratings_sizes_keys_and_seats() {
    //= harness/spec/committees.md#com-1-rating
    //= type=test
    //# COM-1.3 (ours): Ratings and sizes MUST be part of what the digest of the first committees
    //# in the genesis commits to.
    let founders: Vec<_> =
        (0..9).map(|number| rated(number, 90 - 5 * u8::try_from(number).unwrap(), 9)).collect();
    let digest = |founders: &[Founder], producers, auditors| {
        Roster::found(founders, producers, auditors).unwrap().digest()
    };
    let first = digest(&founders, 4, 4);
    let mut digests = vec![first, digest(&founders, 3, 4), digest(&founders, 4, 5)];
    // Each change leaves the order as it is.
    for change in [
        |one: &mut Founder| one.rating += 1,
        |one: &mut Founder| one.centre += 1,
        |one: &mut Founder| one.key = institution(77, 0).key,
    ] {
        for at in [0, 5, 8] {
            let mut other = founders.clone();
            change(&mut other[at]);
            digests.push(digest(&other, 4, 4));
        }
    }
    let count = digests.len();
    digests.sort_unstable();
    digests.dedup();
    assert_eq!(digests.len(), count, "every change shows");
    let mut reversed = founders.clone();
    reversed.reverse();
    assert_eq!(digest(&reversed, 4, 4), first, "the order of the list does not");
}

#[test]
fn com_2_1_the_first_101_produce_and_the_next_20_audit() {
    //= harness/spec/committees.md#com-2-seats
    //= type=test
    //# COM-2.1 (paper): The institutions ranked 1 to 101 MUST be the producers.
    //= harness/spec/committees.md#com-2-seats
    //= type=test
    //# COM-2.2 (paper): The 20 institutions ranked 102 to 121 MUST be the auditors.
    let mut draw = Seed::new(21).stream("committees/seats");
    let founders = history::founders(150, &mut draw);
    let rules = State::found(TABLE, &founders, 101, 20);
    let founders: Vec<_> = founders.iter().map(founder).collect();
    let roster = Roster::found(&founders, PAPER.producers, PAPER.auditors).unwrap();
    let seats = roster.committees();
    let order = order(&founders);
    let sit = |seats: &[Seat]| seats.iter().map(|one| one.institution.get()).collect::<Vec<_>>();
    assert_eq!(sit(&seats.producers), order[..101]);
    assert_eq!(sit(&seats.auditors), order[101..121]);
    assert_eq!((&seats.producers.len(), &seats.auditors.len()), (&101, &20));
    assert_eq!(
        (sit(&seats.producers), sit(&seats.auditors)),
        (rules.seats.producers, rules.seats.auditors)
    );
    let electorate: Vec<_> = seats.electorate().map(|seat| seat.key).collect();
    assert_eq!(electorate, [seats.producer_keys(), seats.auditor_keys()].concat());
    assert_eq!(seats.seat_of(id(order[100])), Some(Place::Producer(100)));
    assert_eq!(seats.seat_of(id(order[101])), Some(Place::Auditor(0)));
    assert_eq!(seats.seat_of(id(order[121])), None);
}

#[test]
fn com_2_3_who_has_no_seat_takes_part_all_the_same() {
    //= harness/spec/committees.md#com-2-seats
    //= type=test
    //# COM-2.3 (paper): Every other institution MUST be able to take part with a full client.
    let mut world = World::small();
    assert_eq!(world.roster.committees().seat_of(id(9)), None);
    assert_eq!(world.roster.key_of(id(9)), Some(&institution(9, 0).key));
    let services = vec![world.service(9, 1)];
    world.block(&Say { services, ..Say::default() }).unwrap();
    assert_eq!(world.credit(9), 25_010, "it serves and earns");
    assert!(world.roster.institutions().iter().any(|one| one.id == id(9)));
}

#[test]
fn com_2_4_other_sizes_are_seated_from_4_auditors_on() {
    //= harness/spec/committees.md#com-2-seats
    //= type=test
    //# COM-2.4 (ours): A network of other size MUST seat the numbers of producers and auditors that
    //# its genesis names, with at least 4 auditors.
    let founders: Vec<_> = (0..20).map(|number| institution(number, 50)).collect();
    for (producers, auditors) in [(1, 4), (4, 4), (3, 17), (16, 4)] {
        let roster = Roster::found(&founders, producers, auditors).unwrap();
        let seats = roster.committees();
        let expected = (usize::from(producers), usize::from(auditors));
        assert_eq!((seats.producers.len(), seats.auditors.len()), expected);
    }
    for (producers, auditors) in [(4, 3), (0, 4), (4, 0)] {
        let found = Roster::found(&founders, producers, auditors);
        assert_eq!(found, Err(FoundError::Seats { producers, auditors }));
    }
    let few = FoundError::TooFew { founders: 20, producers: 16, auditors: 5 };
    assert_eq!(Roster::found(&founders, 16, 5), Err(few));
}

#[test]
fn com_3_1_only_who_registered_can_get_a_seat() {
    //= harness/spec/committees.md#com-3-registration
    //= type=test
    //# COM-3.1 (paper): An institution MUST register on line with its public key before it can
    //# become a delegate.
    let mut world = World::new(8, 50, 4, 4);
    let newcomer = institution(20, 60);
    assert_eq!(world.roster.key_of(id(20)), None);
    let offences = vec![world.offence(5, OffenceKind::WrongAudit)];
    let joining = vec![newcomer];
    let without = world.clone().convict(&offences);
    assert_eq!((without.seated, without.queued), (vec![], ids(&[5])), "nobody else is there");
    let changes = world.block(&Say { offences, joining, ..Say::default() }).unwrap();
    let registered = CreditChange { institution: id(20), cause: Cause::Registered, amount: 30_000 };
    assert_eq!(changes.last(), Some(&registered));
    assert_eq!(world.freeze().seated, ids(&[20]));
    assert_eq!(world.roster.committees().auditors[1].key, newcomer.key);
}

#[test]
fn com_3_2_no_id_is_given_twice() {
    //= harness/spec/committees.md#com-3-registration
    //= type=test
    //# COM-3.2 (paper): A registered institution MUST get an id that no other institution has or
    //# had.
    let mut world = World::small();
    // One that was expelled for fraud keeps its id as well.
    let offence = world.offence(2, OffenceKind::DoubleProposal);
    world.convict(&[offence]);
    assert_eq!(world.roster.committees().seat_of(id(2)), None);
    let fresh = |number: u32| Founder { institution: id(number), ..institution(90, 50) };
    for (joining, taken) in [
        (vec![fresh(0)], (0, 0)),
        (vec![fresh(2)], (0, 2)),
        (vec![fresh(30), Founder { institution: id(30), ..institution(91, 50) }], (1, 30)),
    ] {
        let reason = RegistrationRefused::Id { institution: id(taken.1) };
        let refused = RosterError::Registration { index: taken.0, reason };
        assert_eq!(world.block(&Say { joining, ..Say::default() }), Err(refused));
    }
    let joining = vec![fresh(u32::MAX)];
    assert!(world.block(&Say { joining, ..Say::default() }).is_ok());
}

#[test]
fn com_3_3_what_is_booked_names_who_booked_it() {
    //= harness/spec/committees.md#com-3-registration
    //= type=test
    //# COM-3.3 (paper): Every record that a delegate books MUST carry the id of that delegate.
    //= harness/spec/committees.md#com-3-registration
    //= type=test
    //# COM-3.4 (ours): The id MUST be an integer of 32 bits.
    let chain = ChainId::new([3; 32]);
    let envelope = |number| Envelope { booked_by: id(number), ..build::envelope(&chain, 5) };
    let (one, other) = (envelope(0x0102_0304), envelope(0x0102_0305));
    let (bytes, others) = (one.to_bytes(), other.to_bytes());
    let named = bytes.len() - 4;
    assert_eq!(bytes[named..], [4, 3, 2, 1], "the last 4 bytes, little endian");
    assert_eq!((&bytes[..named], bytes.len()), (&others[..named], others.len()));
    let root = |envelope| build::item_of(vec![envelope]).root();
    assert_ne!(root(one), root(other), "the Item commits to it");
}

#[test]
fn com_3_5_taken_barred_and_weak_keys_are_refused() {
    //= harness/spec/committees.md#com-3-registration
    //= type=test
    //# COM-3.5 (ours): A registration with a key that is already registered, barred or of small
    //# order MUST be refused.
    let mut world = World::small();
    let offence = world.offence(2, OffenceKind::DoubleProposal);
    world.convict(&[offence]);
    let with = |number: u32, key: OwnerId| Founder { key, ..institution(number, 50) };
    let key = |number: u32| institution(number, 0).key;
    let mut weak = [0; 32];
    weak[0] = 1;
    let weak = OwnerId::new(weak);
    let reason = mdsm_core::crypto::sign::KeyError::SmallOrder;
    for (joining, index, reason) in [
        (vec![with(30, key(9))], 0, RegistrationRefused::KeyTaken { key: key(9), holder: id(9) }),
        (vec![with(30, key(2))], 0, RegistrationRefused::KeyBarred { key: key(2) }),
        (vec![with(30, weak)], 0, RegistrationRefused::Key { key: weak, reason }),
        (
            vec![with(30, key(50)), with(31, key(50))],
            1,
            RegistrationRefused::KeyTaken { key: key(50), holder: id(30) },
        ),
    ] {
        let refused = RosterError::Registration { index, reason };
        let before = world.roster.clone();
        assert_eq!(world.block(&Say { joining, ..Say::default() }), Err(refused));
        assert_eq!(world.roster, before);
    }
    let founders: Vec<_> =
        (0..8).map(|n| if n == 6 { with(6, weak) } else { institution(n, 5) }).collect();
    let refused = RegistrationRefused::Key { key: weak, reason };
    assert_eq!(
        Roster::found(&founders, 4, 4),
        Err(FoundError::Founder { index: 6, reason: refused })
    );
}
