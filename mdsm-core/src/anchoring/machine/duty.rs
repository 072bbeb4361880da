//! Whose turn it is to anchor an epoch. [ANC-3]

use crate::params::ANCHOR_DUTY_MS;
use crate::types::{InstitutionId, Timestamp};

/// One institution's place in the order of duty of an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Duty {
    /// Place in the order; none for who is no producer of the epoch.
    position: Option<u64>,
    producers: u64,
    /// When the first one's turn begins.
    from: Timestamp,
}

impl Duty {
    /// The place of `me` in an order that begins now; `None` when nobody is in it.
    #[must_use]
    pub fn new(order: &[InstitutionId], me: InstitutionId, now: Timestamp) -> Option<Self> {
        let producers = u64::try_from(order.len()).ok().filter(|producers| *producers > 0)?;
        let position = order.iter().position(|producer| *producer == me);
        Some(Self {
            position: position.and_then(|position| u64::try_from(position).ok()),
            producers,
            from: now,
        })
    }

    /// Whether it is this one's turn. The turn goes round: after the last the first has it again.
    //= harness/spec/anchoring.md#anc-3-getting-it-confirmed
    //# ANC-3.4 (ours): The duty to submit MUST pass to the next producer in turn when no anchor of
    //# the epoch is reported on the chain within the waiting time.
    #[must_use]
    pub fn is_mine(&self, now: Timestamp) -> bool {
        let waited = now.get().saturating_sub(self.from.get());
        let passed = u64::try_from(waited.div_euclid(ANCHOR_DUTY_MS)).ok();
        passed.map(|passed| passed % self.producers) == self.position && self.position.is_some()
    }

    /// Begins anew one waiting time from now: until then whoever had a transaction in the block that
    /// was removed submits it again.
    pub(super) fn begin_anew(&mut self, now: Timestamp) {
        self.from = Timestamp::new(now.get().saturating_add(ANCHOR_DUTY_MS));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDER: [InstitutionId; 3] =
        [InstitutionId::new(7), InstitutionId::new(3), InstitutionId::new(9)];

    fn on_duty(now_ms: i64) -> Vec<u32> {
        let of = |id: &InstitutionId| Duty::new(&ORDER, *id, Timestamp::new(1_000)).unwrap();
        let now = Timestamp::new(now_ms);
        ORDER.iter().filter(|id| of(id).is_mine(now)).map(|id| id.get()).collect()
    }

    #[test]
    fn anc_3_4_exactly_one_producer_is_on_duty_and_the_turn_goes_round() {
        //= harness/spec/anchoring.md#anc-3-getting-it-confirmed
        //= type=test
        //# ANC-3.4 (ours): The duty to submit MUST pass to the next producer in turn when no anchor
        //# of the epoch is reported on the chain within the waiting time.
        assert_eq!(on_duty(1_000), [7]);
        assert_eq!(on_duty(1_000 + 3_599_999), [7]);
        assert_eq!(on_duty(1_000 + 3_600_000), [3]);
        assert_eq!(on_duty(1_000 + 2 * 3_600_000), [9]);
        assert_eq!(on_duty(1_000 + 3 * 3_600_000), [7]);
        assert_eq!(on_duty(999), Vec::<u32>::new(), "a clock that goes back gives nobody the turn");
        assert_eq!(on_duty(i64::MIN), Vec::<u32>::new());
        assert_eq!(on_duty(i64::MAX).len(), 1);
    }

    #[test]
    fn who_is_no_producer_has_no_turn() {
        let watcher = Duty::new(&ORDER, InstitutionId::new(1), Timestamp::new(0)).unwrap();
        let turns = (0..9).map(|turn| Timestamp::new(turn * 3_600_000));
        assert_eq!(turns.filter(|now| watcher.is_mine(*now)).count(), 0);
        assert_eq!(Duty::new(&[], InstitutionId::new(1), Timestamp::new(0)), None);
    }
}
