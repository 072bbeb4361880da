//! The committees of an epoch with what it takes to hold them against an anchor. [COM-9] [CLI-2]
//!
//! Whoever keeps no chain learns from this who decides in the next epoch: the anchor of the epoch before names
//! the digest, and the committees before that have certified the anchor.

use super::committee::{Committees, Seat};
use crate::codec::{
    Decode, DecodeError, DecodeErrorKind, Encode, Reader, Wire, prefix, wire_struct,
};
use crate::crypto::sha256_parts;
use crate::params::SEATS_MAX;
use crate::types::{Digest, List};

/// Committees, and the digest of the institutions that were rated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RosterCommitment {
    /// Who decides.
    pub committees: Committees,
    /// Digest of all institutions with rating and size.
    pub institutions: Digest,
}

impl RosterCommitment {
    /// What the genesis names as its first committees and an anchor as the next.
    #[must_use]
    pub fn digest(&self) -> Digest {
        //= harness/spec/committees.md#com-9-one-answer
        //# COM-9.3 (ours): The digest of the next committees in an anchor MUST be the digest of the
        //# committees that the finalized chain yields.
        let committees = self.committees.digest();
        let parts = [&prefix(*b"MROS")[..], committees.as_bytes(), self.institutions.as_bytes()];
        sha256_parts(&parts)
    }
}

wire_struct!(Seat { institution, key });

impl Encode for RosterCommitment {
    fn encode(&self, out: &mut Vec<u8>) {
        self.committees.encode_into(out);
        self.institutions.encode(out);
    }
}

impl Decode for RosterCommitment {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let offset = reader.offset();
        let (epoch, offset_of_turns) = (reader.field("epoch")?, reader.field("offset")?);
        let producers: List<Seat, 1, SEATS_MAX> = reader.field("producers")?;
        let auditors: List<Seat, 1, SEATS_MAX> = reader.field("auditors")?;
        if producers.len() + auditors.len() > SEATS_MAX {
            let rule = "both committees together have at most 1,024 seats";
            return Err(DecodeError::new(offset, DecodeErrorKind::Rule { rule }));
        }
        let (producers, auditors) = (producers.into_vec(), auditors.into_vec());
        let committees = Committees { epoch, producers, auditors, offset: offset_of_turns };
        Ok(Self { committees, institutions: reader.field("institutions")? })
    }
}

impl Wire for RosterCommitment {
    const TAG: [u8; 4] = *b"MRCM";
    const NAME: &'static str = "RosterCommitment";
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{Epoch, InstitutionId, OwnerId};

    fn commitment() -> RosterCommitment {
        let seat = |id| Seat { institution: InstitutionId::new(id), key: OwnerId::new([7; 32]) };
        let (producers, auditors) = (vec![seat(1), seat(2)], vec![seat(3)]);
        let committees = Committees { epoch: Epoch::new(4), producers, auditors, offset: 9 };
        RosterCommitment { committees, institutions: Digest::new([5; 32]) }
    }

    #[test]
    fn what_is_written_is_read_and_every_byte_counts() {
        let written = commitment().to_bytes();
        assert_eq!(RosterCommitment::from_bytes(&written), Ok(commitment()));
        for at in 0..written.len() {
            let mut changed = written.clone();
            changed[at] ^= 1;
            let read = RosterCommitment::from_bytes(&changed);
            assert!(read.is_err() || read.unwrap().digest() != commitment().digest(), "byte {at}");
        }
    }

    #[test]
    fn committees_without_a_producer_are_refused() {
        let mut commitment = commitment();
        commitment.committees.producers.clear();
        assert!(RosterCommitment::from_bytes(&commitment.to_bytes()).is_err());
    }
}
