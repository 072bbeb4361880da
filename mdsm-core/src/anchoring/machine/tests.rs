//! The machine alone: what it refuses, what it waits for, and what it keeps.

use super::*;
use crate::ledger::AnchorOutput;
use crate::ledger::AnchorReport as Report;
use crate::types::{Digest, Epoch, InstitutionId, Timestamp};

const HOUR: i64 = 3_600_000;
const MINUTE: i64 = 60_000;

fn digest(kind: u8, number: u32) -> Digest {
    let mut bytes = [kind; 32];
    bytes[..4].copy_from_slice(&number.to_le_bytes());
    Digest::new(bytes)
}

fn output(epoch: u32) -> AnchorOutput {
    AnchorOutput { epoch: Epoch::new(epoch), root: digest(1, epoch) }
}

fn sighting(epoch: u32, number: u32) -> Sighting {
    Sighting { txid: digest(2, number), output: output(epoch) }
}

fn foreign(epoch: u32, number: u32) -> Sighting {
    let output = AnchorOutput { epoch: Epoch::new(epoch), root: digest(9, number) };
    Sighting { txid: digest(8, number), output }
}

fn block(height: u32, branch: u8) -> BlockRef {
    let below = if height == 100 { 0 } else { branch };
    BlockRef { height, hash: digest(branch, height), parent: digest(below, height - 1) }
}

fn connected(height: u32, branch: u8, sightings: &[Sighting]) -> Input {
    let block = block(height, branch);
    Input::Bitcoin(Bitcoin::Connected { block, sightings: sightings.to_vec() })
}

fn disconnected(height: u32, branch: u8) -> Input {
    Input::Bitcoin(Bitcoin::Disconnected(block(height, branch)))
}

/// A machine of institution 1, and its clock.
#[derive(Clone)]
struct Bench {
    machine: Submitter,
    now: i64,
}

impl Bench {
    fn new() -> Self {
        let mut bench = Self { machine: Submitter::new(InstitutionId::new(1)), now: 0 };
        assert_eq!(bench.ok(connected(99, 0, &[])), []);
        bench
    }

    fn step(&mut self, input: Input) -> (Result<(), StepError>, Vec<Effect>) {
        let mut effects = Vec::new();
        let result = self.machine.step(Timestamp::new(self.now), input, &mut effects);
        (result, effects)
    }

    fn ok(&mut self, input: Input) -> Vec<Effect> {
        let (result, effects) = self.step(input);
        assert_eq!(result, Ok(()));
        effects
    }

    /// A refused input leaves no trace.
    fn refused(&mut self, input: Input) -> StepError {
        let before = self.machine.clone();
        let (result, effects) = self.step(input);
        assert_eq!((&self.machine, effects), (&before, Vec::new()));
        result.unwrap_err()
    }

    fn certify(&mut self, epoch: u32) -> Vec<Effect> {
        self.ok(certified(output(epoch), &[1, 2, 3]))
    }

    fn after(&mut self, ms: i64) -> Vec<Effect> {
        self.now += ms;
        self.ok(Input::Time)
    }

    fn accept(&mut self, request: Request, number: u32) -> Vec<Effect> {
        let (epoch, txid) = (request.output.epoch, digest(2, number));
        self.ok(Input::Bitcoin(Bitcoin::Accepted { epoch, number: request.number, txid }))
    }

    fn refuse(&mut self, request: Request, refusal: Refusal) -> Vec<Effect> {
        let (epoch, number) = (request.output.epoch, request.number);
        self.ok(Input::Bitcoin(Bitcoin::Refused { epoch, number, refusal }))
    }

    /// The one submission that is due now.
    fn submission(&mut self, ms: i64) -> Request {
        match self.after(ms)[..] {
            [Effect::Submit(request)] => request,
            ref other => panic!("{other:?} where one submission is due"),
        }
    }

    fn stage(&self, epoch: u32) -> Stage {
        self.machine.stage(Epoch::new(epoch)).unwrap()
    }
}

fn certified(output: AnchorOutput, duty: &[u32]) -> Input {
    Input::Certified { output, duty: duty.iter().map(|id| InstitutionId::new(*id)).collect() }
}

#[test]
fn anc_1_4_nothing_is_submitted_before_the_certificate() {
    //= harness/spec/anchoring.md#anc-1-commitment
    //= type=test
    //# ANC-1.4 (ours): The producer on duty MUST submit the anchor of an epoch only after the anchor
    //# certificate of that epoch exists.
    let mut bench = Bench::new();
    let report = Report { epoch: Epoch::new(5), txid: digest(2, 1), height: 100 };
    let others = [
        Input::Reported(report),
        Input::Bitcoin(Bitcoin::Unconfirmed(sighting(5, 1))),
        connected(100, 0, &[sighting(5, 1), foreign(5, 2)]),
        Input::Bitcoin(Bitcoin::Accepted { epoch: Epoch::new(5), number: 1, txid: digest(2, 1) }),
        Input::Bitcoin(Bitcoin::Refused {
            epoch: Epoch::new(5),
            number: 1,
            refusal: Refusal::Other,
        }),
        disconnected(100, 0),
    ];
    for input in others {
        assert_eq!(bench.ok(input), []);
        assert_eq!(bench.after(HOUR), []);
    }
    let resumed = Input::Resumed { sighting: sighting(5, 1), rate: FeeRate::MIN };
    assert_eq!(bench.refused(resumed), StepError::NotOpen { epoch: Epoch::new(5) });
    assert_eq!(bench.certify(5), [Effect::Watch(output(5))]);
    let request = bench.submission(0);
    assert_eq!((request.output, request.means), (output(5), Means::New));
}

#[test]
fn anc_3_13_a_second_root_is_refused_by_name() {
    //= harness/spec/anchoring.md#anc-3-getting-it-confirmed
    //= type=test
    //# ANC-3.13 (ours): A second anchor root for an epoch MUST be refused with an error that names
    //# both roots.
    let mut bench = Bench::new();
    bench.certify(5);
    assert_eq!(bench.certify(5), [], "the same once more is nothing new");
    let other = AnchorOutput { root: digest(7, 7), ..output(5) };
    let (epoch, held) = (Epoch::new(5), digest(1, 5));
    let error = StepError::TwoRoots { epoch, held, refused: digest(7, 7) };
    assert_eq!(bench.refused(certified(other, &[1])), error);
    let text = error.to_string();
    assert!(text.contains(&held.to_string()) && text.contains(&digest(7, 7).to_string()), "{text}");
    let sighting = Sighting { txid: digest(2, 1), output: other };
    let resumed = Input::Resumed { sighting, rate: FeeRate::MIN };
    assert_eq!(bench.refused(resumed), error);
    // A final epoch remembers its root as well.
    bench.ok(connected(100, 0, &[self::sighting(5, 1)]));
    for height in 101..=105 {
        bench.ok(connected(height, 0, &[]));
    }
    assert!(matches!(bench.stage(5), Stage::Final(_)));
    assert_eq!(bench.refused(certified(other, &[1])), error);
    assert_eq!(bench.submission_root(), None);
}

impl Bench {
    /// The root of whatever is submitted within a day.
    fn submission_root(&mut self) -> Option<Digest> {
        (0..1_440).flat_map(|_| self.after(MINUTE)).find_map(|effect| match effect {
            Effect::Submit(request) => Some(request.output.root),
            _ => None,
        })
    }
}

#[test]
fn anc_3_1_final_at_the_sixth_confirmation_and_not_before() {
    //= harness/spec/anchoring.md#anc-3-getting-it-confirmed
    //= type=test
    //# ANC-3.1 (ours): An anchor MUST count as final only when its block has 6 confirmations.
    let mut bench = Bench::new();
    bench.certify(5);
    assert_eq!(bench.stage(5), Stage::Waiting);
    assert_eq!(bench.ok(connected(100, 0, &[sighting(5, 1)])), []);
    for height in 101..=104 {
        assert_eq!(bench.stage(5), Stage::Confirmed { confirmations: height - 100 });
        assert_eq!(bench.ok(connected(height, 0, &[])), []);
    }
    assert_eq!(bench.stage(5), Stage::Confirmed { confirmations: 5 });
    let place = Place { height: 100, block: digest(0, 100), txid: digest(2, 1) };
    let is_final = [Effect::Final { output: output(5), place }];
    assert_eq!(bench.ok(connected(105, 0, &[])), is_final);
    assert_eq!(bench.ok(connected(106, 0, &[])), [], "once");
    // Blocks above it come and go.
    for height in (101..=106).rev() {
        assert_eq!(bench.ok(disconnected(height, 0)), []);
    }
    assert_eq!(bench.stage(5), Stage::Final(place));
    // An anchor that is found late may be deep enough at once.
    let mut late = Bench::new();
    late.certify(5);
    for height in 100..=105 {
        late.ok(connected(height, 0, &[]));
    }
    let found =
        |height| Bitcoin::Found { sighting: sighting(5, 1), height, block: digest(0, height) };
    assert_eq!(late.clone().ok(Input::Bitcoin(found(101))), []);
    assert_eq!(late.ok(Input::Bitcoin(found(100))), is_final);
    let unknown = StepError::Unknown { height: 106, block: digest(0, 106) };
    assert_eq!(late.refused(Input::Bitcoin(found(106))), unknown);
}

#[test]
fn anc_3_6_further_epochs_are_taken_while_earlier_anchors_are_late() {
    //= harness/spec/anchoring.md#anc-3-getting-it-confirmed
    //= type=test
    //# ANC-3.6 (ours): Consensus on blocks MUST go on while an anchor is late.
    let mut bench = Bench::new();
    // Bitcoin stands still for four days; every step returns, and every epoch is taken.
    for epoch in 0..600 {
        assert_eq!(bench.certify(epoch), [Effect::Watch(output(epoch))]);
        bench.after(10 * MINUTE);
    }
    assert_eq!(bench.machine.open(), 600);
    // Later epochs get final before earlier ones.
    let late: Vec<Sighting> = (300..600).map(|epoch| sighting(epoch, epoch)).collect();
    bench.ok(connected(100, 0, &late));
    for height in 101..=105 {
        bench.ok(connected(height, 0, &[]));
    }
    assert_eq!(bench.machine.open(), 300);
    assert!(matches!(bench.stage(0), Stage::Submitted(_) | Stage::Waiting));
}

#[test]
fn anc_3_14_memory_is_bounded_whatever_bitcoin_shows() {
    //= harness/spec/anchoring.md#anc-3-getting-it-confirmed
    //= type=test
    //# ANC-3.14 (ours): A node MUST keep of anchors no more than the table Bounds allows, whatever
    //# Bitcoin shows.
    let mut bench = Bench::new();
    for epoch in 0..1_008 {
        bench.certify(epoch);
    }
    let full = StepError::Full { epoch: Epoch::new(1_008), open: 1_008, open_max: 1_008 };
    assert_eq!(bench.refused(certified(output(1_008), &[1])), full);
    // Thousands of foreign outputs, for held epochs and for others: told 8 times, then counted.
    let flood: Vec<Sighting> =
        (0..20_000).map(|number| foreign(number % 2 * 5_000, number)).collect();
    let effects = bench.ok(connected(100, 0, &flood));
    let told = effects.iter().filter(|effect| matches!(effect, Effect::Foreign { .. })).count();
    let alarm = Alarm::ManyForeign { epoch: Epoch::new(0), count: 8 };
    assert_eq!((told, effects.len()), (8, 9));
    assert_eq!(effects[8], Effect::Alarm(alarm));
    let size = format!("{:?}", bench.machine).len();
    for height in 101..=150 {
        assert_eq!(bench.ok(connected(height, 0, &flood)), []);
    }
    let grown = format!("{:?}", bench.machine).len() - size;
    assert!(grown < 20, "{grown} characters more, for a count that got longer");
    assert_eq!(bench.machine.open(), 1_008, "none of them counts");
    // Copies of the right anchor: the lowest eight are kept.
    let copies: Vec<Sighting> = (0..5_000).map(|number| sighting(0, number)).collect();
    bench.ok(connected(151, 0, &copies));
    let kept = format!("{:?}", bench.machine).matches("Place {").count();
    assert_eq!(kept, 8);
    // All get final: the newest day is watched, older ones are forgotten and not opened again.
    for epoch in 0..1_008 {
        bench.ok(connected(152 + epoch, 0, &[sighting(epoch, epoch)]));
    }
    for height in 1_160..1_170 {
        bench.ok(connected(height, 0, &[]));
    }
    assert_eq!((bench.machine.open(), bench.machine.held()), (0, 144));
    let forgotten = Epoch::new(1_008 - 144 - 1);
    let past = |epoch| StepError::Past { epoch: Epoch::new(epoch), forgotten };
    assert_eq!(bench.refused(certified(output(0), &[1])), past(0));
    assert_eq!(bench.refused(certified(output(863), &[1])), past(863));
    assert_eq!(bench.certify(864), []);
    assert_eq!(bench.certify(1_008), [Effect::Watch(output(1_008))], "there is room again");
}

#[test]
fn anc_3_8_another_root_is_foreign_and_never_counts() {
    //= harness/spec/anchoring.md#anc-3-getting-it-confirmed
    //= type=test
    //# ANC-3.8 (ours): An MDSM output that gives an epoch of the chain another root MUST be reported
    //# as foreign.
    let mut bench = Bench::new();
    bench.certify(5);
    let told = |sighting, height| Effect::Foreign { sighting, height, expected: digest(1, 5) };
    let (first, second, third) = (foreign(5, 1), foreign(5, 2), foreign(5, 3));
    let unconfirmed = Input::Bitcoin(Bitcoin::Unconfirmed(first));
    assert_eq!(bench.ok(unconfirmed), [told(first, None)]);
    let both = [told(first, Some(100)), told(second, Some(100))];
    assert_eq!(bench.ok(connected(100, 0, &[first, second])), both);
    let found = Bitcoin::Found { sighting: third, height: 100, block: digest(0, 100) };
    assert_eq!(bench.ok(Input::Bitcoin(found)), [told(third, Some(100))]);
    for height in 101..=110 {
        assert_eq!(bench.ok(connected(height, 0, &[])), []);
    }
    assert_eq!(bench.stage(5), Stage::Waiting);
    assert_eq!(bench.submission(0).output, output(5), "it is submitted all the same");
}

#[test]
fn anc_3_10_a_report_is_a_hint() {
    //= harness/spec/anchoring.md#anc-3-getting-it-confirmed
    //= type=test
    //# ANC-3.10 (ours): A report of an anchor on the chain MUST count only where the node's own view
    //# of Bitcoin shows that transaction in a block.
    let mut bench = Bench::new();
    bench.ok(connected(100, 0, &[]));
    bench.certify(5);
    let report = Report { epoch: Epoch::new(5), txid: digest(2, 1), height: 100 };
    let reported = Input::Reported(report);
    assert_eq!(bench.ok(reported.clone()), [Effect::Look(report)]);
    assert_eq!(bench.stage(5), Stage::Waiting);
    let mut deceived = bench.clone();
    assert_eq!(deceived.submission(0).means, Means::New, "Bitcoin does not show it");
    // Bitcoin shows it: nothing is submitted, and what the chain has said it need not say again.
    let found = Bitcoin::Found { sighting: sighting(5, 1), height: 100, block: digest(0, 100) };
    assert_eq!(bench.ok(Input::Bitcoin(found)), []);
    assert_eq!(bench.after(0), []);
    assert_eq!(bench.ok(reported), [], "no need to look");
    assert_eq!(bench.submission_root(), None);
}

#[test]
fn anc_3_16_what_bitcoin_shows_is_reported_once() {
    //= harness/spec/anchoring.md#anc-3-getting-it-confirmed
    //= type=test
    //# ANC-3.16 (ours): A node whose own view of Bitcoin shows an anchor in a block that the chain
    //# has not reported MUST ask for its report.
    let mut bench = Bench::new();
    bench.certify(5);
    bench.ok(connected(100, 0, &[sighting(5, 1)]));
    let report =
        |height| Effect::Report(Report { epoch: Epoch::new(5), txid: digest(2, 1), height });
    assert_eq!(bench.after(0), [report(100)]);
    assert_eq!(bench.after(HOUR), []);
    // A false report by somebody else is not ours.
    let other = Report { epoch: Epoch::new(5), txid: digest(3, 3), height: 100 };
    bench.ok(Input::Reported(other));
    assert_eq!(bench.after(HOUR), []);
    bench.ok(disconnected(100, 0));
    assert_eq!(bench.after(0), []);
    bench.ok(connected(100, 3, &[]));
    bench.ok(connected(101, 3, &[sighting(5, 1)]));
    assert_eq!(bench.after(0), [report(101)], "it stands elsewhere now");
}

#[test]
fn anc_3_15_a_final_anchor_that_is_removed_alarms_and_is_submitted_again() {
    //= harness/spec/anchoring.md#anc-3-getting-it-confirmed
    //= type=test
    //# ANC-3.15 (ours): A node MUST raise an alarm when a reorganisation of Bitcoin removes the block
    //# of a final anchor.
    let mut bench = Bench::new();
    bench.certify(5);
    let request = bench.submission(0);
    bench.accept(request, 1);
    bench.ok(connected(100, 0, &[sighting(5, 1)]));
    for height in 101..=120 {
        bench.ok(connected(height, 0, &[]));
    }
    for height in (101..=120).rev() {
        assert_eq!(bench.ok(disconnected(height, 0)), []);
    }
    let place = Place { height: 100, block: digest(0, 100), txid: digest(2, 1) };
    let alarm = Effect::Alarm(Alarm::FinalRemoved { output: output(5), place });
    assert_eq!(bench.ok(disconnected(100, 0)), [alarm]);
    assert_eq!(bench.stage(5), Stage::Reorganised(digest(2, 1)));
    // Even below the first block that was told.
    assert_eq!(bench.ok(disconnected(99, 0)), []);
    let again = bench.submission(0);
    assert_eq!((again.means, again.output), (Means::Again(digest(2, 1)), output(5)));
}

#[test]
fn ours_that_still_waited_is_submitted_again_when_another_anchor_is_removed() {
    let mut bench = Bench::new();
    bench.certify(5);
    let request = bench.submission(0);
    bench.accept(request, 1);
    let two = [sighting(5, 50), sighting(5, 51)];
    bench.ok(connected(100, 0, &two[..1]));
    bench.ok(connected(101, 0, &two[1..]));
    bench.ok(disconnected(101, 0));
    assert_eq!(bench.stage(5), Stage::Confirmed { confirmations: 1 }, "one is left");
    bench.ok(disconnected(100, 0));
    assert_eq!(bench.stage(5), Stage::Reorganised(digest(2, 1)));
    let again = bench.submission(0);
    assert_eq!((again.means, again.rate), (Means::Again(digest(2, 1)), request.rate));
    // Who has nothing out waits for its turn, which begins one waiting time later.
    let mut other = Bench::new();
    other.certify(5);
    other.ok(connected(100, 0, &two));
    other.ok(disconnected(100, 0));
    assert_eq!(other.after(HOUR - 1), []);
    assert_eq!(other.submission(1).means, Means::New);
}

#[test]
fn anc_3_12_waits_and_rates_are_those_of_the_table() {
    //= harness/spec/anchoring.md#anc-3-getting-it-confirmed
    //= type=test
    //# ANC-3.12 (ours): A submitter MUST choose fee rates and waiting times by the table Fee
    //# schedule.
    let mut bench = Bench::new();
    bench.ok(Input::Bitcoin(Bitcoin::Estimate(FeeRate::new(9_000))));
    bench.certify(5);
    let first = bench.submission(0);
    assert_eq!((first.number, first.rate.get(), first.means), (1, 9_000, Means::New));
    // Unanswered: the same once more after a minute. Refused: another one after a minute.
    assert_eq!(bench.after(MINUTE - 1), []);
    assert_eq!(bench.submission(1), first);
    assert_eq!(bench.refuse(first, Refusal::Other), []);
    assert_eq!(bench.after(MINUTE - 1), []);
    let second = bench.submission(1);
    assert_eq!((second.number, second.rate.get()), (2, 9_000));
    assert_eq!(bench.refuse(first, Refusal::Fee), [], "an old answer is none");
    let empty = Effect::Alarm(Alarm::Empty { epoch: Epoch::new(5) });
    assert_eq!(bench.refuse(second, Refusal::Empty), [empty]);
    let third = bench.submission(MINUTE);
    bench.refuse(third, Refusal::Fee);
    let fourth = bench.submission(MINUTE);
    assert_eq!((fourth.rate.get(), fourth.means), (13_500, Means::New));
    // Taken: 20 minutes, then half as much again.
    bench.accept(fourth, 1);
    assert_eq!(bench.stage(5), Stage::Submitted(digest(2, 1)));
    assert_eq!(bench.after(20 * MINUTE - 1), []);
    let fifth = bench.submission(1);
    assert_eq!((fifth.rate.get(), fifth.means), (20_250, Means::Replace(digest(2, 1))));
    bench.refuse(fifth, Refusal::Other);
    let sixth = bench.submission(MINUTE);
    assert_eq!(sixth.rate.get(), 20_250, "a fault that is none of the fee does not raise it");
    bench.refuse(sixth, Refusal::Fee);
    let seventh = bench.submission(MINUTE);
    assert_eq!((seventh.rate.get(), seventh.means), (30_375, Means::Replace(digest(2, 1))));
    bench.accept(seventh, 2);
    // Up to the limit, and then an alarm instead of a submission.
    bench.ok(Input::Bitcoin(Bitcoin::Estimate(FeeRate::new(199_000))));
    let eighth = bench.submission(20 * MINUTE);
    assert_eq!(eighth.rate.get(), 199_000);
    bench.accept(eighth, 3);
    let (epoch, rate) = (Epoch::new(5), FeeRate::new(199_000));
    let limit = [Effect::Alarm(Alarm::FeeLimit { epoch, rate })];
    assert_eq!(bench.after(20 * MINUTE), limit);
    assert_eq!(bench.after(20 * MINUTE - 1), []);
    assert_eq!(bench.after(1), limit);
    assert_eq!(bench.stage(5), Stage::Submitted(digest(2, 3)));
}

#[test]
fn anc_3_11_a_second_coin_is_used_only_when_the_first_is_gone() {
    //= harness/spec/anchoring.md#anc-3-getting-it-confirmed
    //= type=test
    //# ANC-3.11 (ours): A further transaction of a submitter for an epoch MUST spend the coin of the
    //# one before it for as long as that one can be mined.
    let mut bench = Bench::new();
    bench.certify(5);
    let first = bench.submission(0);
    bench.accept(first, 1);
    let coin = digest(2, 1);
    // What a refused replacement, and a refused repetition, are followed by.
    let next = |bench: &Bench, refusal| {
        let mut bench = bench.clone();
        let Stage::Submitted(_) = bench.stage(5) else { panic!("{:?}", bench.stage(5)) };
        let asked = bench.submission(20 * MINUTE);
        assert_eq!(asked.means, Means::Replace(coin));
        bench.refuse(asked, refusal);
        bench.submission_within(4 * HOUR)
    };
    assert_eq!(next(&bench, Refusal::Fee), Means::Replace(coin));
    assert_eq!(next(&bench, Refusal::Other), Means::Replace(coin));
    assert_eq!(next(&bench, Refusal::Empty), Means::Replace(coin));
    assert_eq!(next(&bench, Refusal::Coin), Means::New);
    let again = |refusal| {
        let mut bench = bench.clone();
        bench.ok(Input::Bitcoin(Bitcoin::Dropped(digest(2, 2))));
        assert_eq!(bench.stage(5), Stage::Submitted(coin), "somebody else's");
        bench.ok(Input::Bitcoin(Bitcoin::Dropped(coin)));
        assert_eq!(bench.stage(5), Stage::Reorganised(coin));
        let asked = bench.submission(0);
        assert_eq!((asked.means, asked.rate), (Means::Again(coin), first.rate));
        bench.refuse(asked, refusal);
        bench.submission_within(4 * HOUR)
    };
    assert_eq!(again(Refusal::Fee), Means::Replace(coin));
    assert_eq!(again(Refusal::Other), Means::Again(coin));
    assert_eq!(again(Refusal::Empty), Means::Again(coin));
    assert_eq!(again(Refusal::Coin), Means::New);
    // After a restart the coin is the one from before it.
    let mut restarted = Bench::new();
    restarted.certify(5);
    let resumed = Input::Resumed { sighting: sighting(5, 1), rate: FeeRate::new(4_000) };
    restarted.ok(resumed.clone());
    assert_eq!(restarted.ok(resumed), []);
    let next = restarted.submission(20 * MINUTE);
    assert_eq!((next.means, next.rate.get()), (Means::Replace(coin), 6_000));
}

impl Bench {
    /// The next submission, told time by the minute.
    fn submission_within(&mut self, ms: i64) -> Means {
        let effects = (0..ms / MINUTE).flat_map(|_| self.after(MINUTE)).collect::<Vec<_>>();
        let mut requests = effects.iter().filter_map(|effect| match effect {
            Effect::Submit(request) => Some(request.means),
            _ => None,
        });
        requests.next().expect("something is submitted within the time")
    }
}

#[test]
fn a_transaction_that_is_not_needed_any_more_is_released() {
    let mut bench = Bench::new();
    bench.certify(5);
    let request = bench.submission(0);
    bench.accept(request, 1);
    // Another producer's anchor stands first; ours, mined meanwhile or not, costs nothing more.
    bench.ok(connected(100, 0, &[sighting(5, 50)]));
    assert_eq!(bench.after(HOUR).len(), 1, "its report, and no higher fee");
    for height in 101..=104 {
        bench.ok(connected(height, 0, &[]));
    }
    let mut mined = bench.clone();
    let effects = bench.ok(connected(105, 0, &[]));
    let release = Effect::Release { epoch: Epoch::new(5), txid: digest(2, 1) };
    assert_eq!((effects.len(), effects[1]), (2, release));
    assert_eq!(mined.ok(connected(105, 0, &[sighting(5, 1)])).len(), 1, "nothing to release");
}

#[test]
fn a_view_of_bitcoin_that_does_not_fit_is_refused() {
    let mut bench = Bench::new();
    bench.certify(5);
    let tip = |height, found| StepError::Tip { height, found, tip_height: 99, tip: digest(0, 99) };
    assert_eq!(bench.refused(connected(101, 0, &[])), tip(101, digest(0, 100)));
    assert_eq!(bench.refused(connected(99, 0, &[])), tip(99, digest(0, 98)));
    let stranger = BlockRef { height: 100, hash: digest(5, 100), parent: digest(5, 99) };
    let stranger = Input::Bitcoin(Bitcoin::Connected { block: stranger, sightings: Vec::new() });
    assert_eq!(bench.refused(stranger), tip(100, digest(5, 99)));
    assert_eq!(bench.refused(disconnected(98, 0)), tip(98, digest(0, 98)));
    assert_eq!(bench.refused(disconnected(99, 5)), tip(99, digest(5, 99)));
    let nobody = certified(output(6), &[]);
    assert_eq!(bench.refused(nobody), StepError::NoDuty { epoch: Epoch::new(6) });

    let mut blind = Bench { machine: Submitter::new(InstitutionId::new(1)), now: 0 };
    let unknown = StepError::Unknown { height: 99, block: digest(0, 99) };
    assert_eq!(blind.refused(disconnected(99, 0)), unknown);
    // Down to the genesis block, and no further.
    let at = |height: u32, hash, parent| BlockRef { height, hash, parent };
    let one = at(1, digest(4, 1), digest(4, 0));
    blind.ok(Input::Bitcoin(Bitcoin::Connected { block: one, sightings: Vec::new() }));
    blind.ok(Input::Bitcoin(Bitcoin::Disconnected(one)));
    let genesis = Input::Bitcoin(Bitcoin::Disconnected(at(0, digest(4, 0), digest(4, 9))));
    assert!(matches!(blind.refused(genesis), StepError::Tip { height: 0, .. }));
}
