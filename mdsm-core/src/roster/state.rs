//! Bytes of the roster: what genesis and anchors commit to, and what decides the future. [COM-1]
//! [COM-9] Drawn in the spec: committees, "Digests".

use super::commitment::RosterCommitment;
use super::committee::{Committees, Seat};
use super::institutions::{Institution, Roster};
use crate::codec::{Encode, prefix};
use crate::crypto::sha256;
use crate::types::Digest;

impl Committees {
    /// Digest of seats, keys and turns.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let mut bytes = prefix(*b"MSEA").to_vec();
        self.encode_into(&mut bytes);
        sha256(&bytes)
    }

    pub(super) fn encode_into(&self, out: &mut Vec<u8>) {
        self.epoch.encode(out);
        self.offset.encode(out);
        for seats in [&self.producers, &self.auditors] {
            count(seats.len()).encode(out);
            for Seat { institution, key } in seats {
                institution.encode(out);
                key.encode(out);
            }
        }
    }
}

impl Roster {
    /// What the genesis names as its first committees and an anchor as the next.
    #[must_use]
    pub fn digest(&self) -> Digest {
        //= harness/spec/committees.md#com-1-rating
        //# COM-1.3 (ours): Ratings and sizes MUST be part of what the digest of the first committees
        //# in the genesis commits to.
        self.commitment().digest()
    }

    /// The committees, and the digest of everything else that the roster's digest commits to.
    #[must_use]
    pub fn commitment(&self) -> RosterCommitment {
        let mut institutions = prefix(*b"MINS").to_vec();
        count(self.institutions.len()).encode(&mut institutions);
        for Institution { id, key, rating, centre, .. } in &self.institutions {
            id.encode(&mut institutions);
            key.encode(&mut institutions);
            rating.encode(&mut institutions);
            centre.encode(&mut institutions);
        }
        let institutions = sha256(&institutions);
        RosterCommitment { committees: (*self.current).clone(), institutions }
    }

    /// Appends everything that decides the future.
    //= harness/spec/committees.md#com-9-one-answer
    //# COM-9.2 (ours): Credit, committees and the order of turns MUST depend on nothing but the
    //# genesis and the finalized chain.
    //= harness/spec/committees.md#com-9-one-answer
    //# COM-9.4 (ours): The digest of committees and the bytes of the state MUST be those that section
    //# Digests draws.
    pub fn state_into(&self, out: &mut Vec<u8>) {
        let (producers, auditors) = self.seats;
        producers.encode(out);
        auditors.encode(out);
        self.current.encode_into(out);
        out.push(self.previous.is_some().into());
        if let Some(previous) = &self.previous {
            previous.encode_into(out);
        }
        count(self.institutions.len()).encode(out);
        for institution in &self.institutions {
            institution.encode_into(out);
        }
        self.certificates.encode(out);
        let charged = self.charged.sorted();
        count(charged.len()).encode(out);
        charged.iter().for_each(|offence| offence.encode(out));
        let served = self.served.sorted();
        count(served.len()).encode(out);
        for (epoch, grant) in &served {
            epoch.encode(out);
            grant.encode(out);
        }
    }
}

impl Institution {
    fn encode_into(&self, out: &mut Vec<u8>) {
        self.id.encode(out);
        self.key.encode(out);
        self.rating.encode(out);
        self.centre.encode(out);
        self.credit.get().encode(out);
        let did = &self.performance;
        for counter in [
            did.blocks_signed,
            did.blocks_missed,
            did.blocks_wrong,
            did.audits_done,
            did.audits_wrong,
            did.cheats,
            did.services,
        ] {
            counter.encode(out);
        }
        out.push(self.is_barred.into());
        self.open.misses_charged.encode(out);
        self.open.services_credited.encode(out);
        self.open.audits.encode(out);
    }
}

fn count(elements: usize) -> u32 {
    u32::try_from(elements).expect("institutions have ids of 32 bits; a block's events are few")
}
