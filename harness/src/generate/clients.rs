//! Random committees as clients keep them, valid for a decoder, and encodings of them with one fault each.
//! [COM-9] [CLI-2]

use rand_chacha::rand_core::Rng;

use super::spoil::{Push, replaced};
use super::values::{Scale, Values};
use crate::rules::clients::Seat;
use crate::rules::mirror::RosterCommitment;
use crate::rules::wire::Mirror;
use crate::seed::Draw as _;

/// Bytes in front of the count of producers: tag, version, epoch, offset.
const HEAD: usize = 5 + 4 + 8;

impl<R: Rng> Values<'_, R> {
    /// Committees: now and then as many seats as there may be.
    pub(super) fn roster_commitment(&mut self) -> RosterCommitment {
        let auditors = self.count(1, 20, 3);
        let most = if self.draw.chance(1, 8) { 1_024 } else { 101 };
        let producers = self.count(1, most, 4).min(1_024 - auditors);
        RosterCommitment {
            epoch: self.draw.next_u32(),
            offset: self.draw.next_u64(),
            producers: self.seats(producers),
            auditors: self.seats(auditors),
            institutions: self.bytes(),
        }
    }

    fn seats(&mut self, count: usize) -> Vec<Seat> {
        let seat =
            |values: &mut Self| Seat { institution: values.draw.next_u32(), key: values.bytes() };
        (0..count).map(|_| seat(self)).collect()
    }
}

/// Committees of nobody, and of too many.
pub(super) fn marked(sound: &Mirror, scale: Scale, push: Push<'_>) {
    let Mirror::RosterCommitment(roster) = sound else { return };
    let of = |producers: usize, auditors: usize| {
        let seats = |count| vec![roster.producers[0].clone(); count];
        let (producers, auditors) = (seats(producers), seats(auditors));
        Mirror::from(RosterCommitment { producers, auditors, ..roster.clone() }).encode()
    };
    push("producers-none", of(0, 1));
    push("auditors-none", of(1, 0));
    push("producers-count-max", replaced(&of(1, 1), HEAD, &[0xff; 4]));
    push("producers-count-1025", replaced(&of(1, 1), HEAD, &1_025_u32.to_le_bytes()));
    push("auditors-count-max", replaced(&of(1, 1), HEAD + 4 + 36, &[0xff; 4]));
    if scale == Scale::Full {
        push("producers-1025", of(1_025, 1));
        push("seats-1025", of(1_020, 5));
    }
}
