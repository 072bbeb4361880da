//! Certificates: one vote, signed by a quorum of its electorate. [CON-7]

use thiserror::Error;

use super::vote::{Subject, Vote};
use crate::codec::{Decode, DecodeError, Encode, Reader, Wire, wire_struct};
use crate::crypto::sign::{Scheme, Signed};
use crate::params::SEATS_MAX;
use crate::types::{Blob, ChainId, InstitutionId, List, OwnerId, Signature, View};

/// Bytes of the largest bitmap.
const BITMAP_BYTES_MAX: usize = SEATS_MAX.div_ceil(8);

/// Members of an electorate of `seats` that may be faulty in any way.
#[must_use]
pub const fn faulty_max(seats: usize) -> usize {
    seats.saturating_sub(1) / 3
}

/// Votes that a certificate of an electorate of `seats` needs: all but the faulty. Two such groups
/// share more members than may be faulty, which `2 f + 1` does not give for every number of seats
/// (of 20: 13 and 13 share 6).
#[must_use]
pub const fn quorum(seats: usize) -> usize {
    seats - faulty_max(seats)
}

/// Which seats signed: bit `i % 8` of byte `i / 8` for seat `i`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signers(Blob<1, BITMAP_BYTES_MAX>);

/// A vote and the signatures of those who cast it, in the order of their seats.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Certificate {
    /// What was voted for.
    pub vote: Vote,
    /// Who signed.
    pub signers: Signers,
    /// One signature for each signer.
    pub signatures: List<Signature, 1, SEATS_MAX>,
}

/// A certificate that certifies nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CertificateError {
    /// The bitmap is not that of an electorate of this size.
    #[error("certificate.signers: {bytes} bytes where {seats} seats take {bytes_expected}")]
    Bitmap {
        /// Bytes found.
        bytes: usize,
        /// Bytes that fit.
        bytes_expected: usize,
        /// Seats of the electorate.
        seats: usize,
    },
    /// A bit is set behind the last seat.
    #[error("certificate.signers: seat {seat} is set where there are {seats}")]
    Padding {
        /// The seat that does not exist.
        seat: usize,
        /// Seats of the electorate.
        seats: usize,
    },
    /// Not one signature for each signer.
    #[error("certificate.signatures: {found} for {signers} signers")]
    Count {
        /// Signatures.
        found: usize,
        /// Signers.
        signers: usize,
    },
    /// Too few signers.
    #[error("certificate.signers: {found} where {seats} seats need {quorum}")]
    Quorum {
        /// Signers.
        found: usize,
        /// Signers needed.
        quorum: usize,
        /// Seats of the electorate.
        seats: usize,
    },
    /// Votes for an anchor name no view.
    #[error("certificate.vote.view: {view} in a vote for an anchor, which has view 0")]
    AnchorView {
        /// The view named.
        view: View,
    },
    /// A signature does not hold.
    #[error("certificate.signatures: one does not hold")]
    Signature,
}

impl Signers {
    /// The bitmap of these seats of an electorate; `None` when a seat does not exist or the electorate
    /// is empty or too large.
    #[must_use]
    pub fn of(seats: usize, signed: impl IntoIterator<Item = usize>) -> Option<Self> {
        let mut bytes = vec![0u8; seats.div_ceil(8)];
        for seat in signed {
            if seat >= seats {
                return None;
            }
            bytes[seat / 8] |= 1 << (seat % 8);
        }
        Blob::new(bytes).ok().map(Self)
    }

    /// The seats, ascending.
    pub fn seats(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().enumerate().flat_map(|(at, byte)| {
            (0..8).filter(move |bit| byte >> bit & 1 == 1).map(move |bit| 8 * at + bit)
        })
    }

    /// How many signed.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.iter().map(|byte| byte.count_ones() as usize).sum()
    }
}

impl Certificate {
    /// Puts together the signatures of seats, which must be given in ascending order. `None` when
    /// they are not, or when a seat does not exist.
    #[must_use]
    pub fn assemble(vote: Vote, seats: usize, signed: &[(usize, Signature)]) -> Option<Self> {
        if !signed.is_sorted_by(|(a, _), (b, _)| a < b) {
            return None;
        }
        let signers = Signers::of(seats, signed.iter().map(|(seat, _)| *seat))?;
        let signatures = List::new(signed.iter().map(|(_, signature)| *signature).collect());
        Some(Self { vote, signers, signatures: signatures.ok()? })
    }

    /// Checks shape and quorum, not the signatures; `seats` is the size of the electorate.
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //# CON-7.1 (ours): A certificate MUST hold valid signatures of at least n - f distinct members
    //# of the auditing committee of its epoch.
    pub fn check_shape(&self, seats: usize) -> Result<(), CertificateError> {
        let Vote { view, subject, .. } = self.vote;
        if matches!(subject, Subject::Anchor(_)) && view != View::new(0) {
            return Err(CertificateError::AnchorView { view });
        }
        let (bytes, bytes_expected) = (self.signers.0.len(), seats.div_ceil(8));
        if bytes != bytes_expected {
            return Err(CertificateError::Bitmap { bytes, bytes_expected, seats });
        }
        if let Some(seat) = self.signers.seats().find(|seat| *seat >= seats) {
            return Err(CertificateError::Padding { seat, seats });
        }
        let (found, signers) = (self.signatures.len(), self.signers.count());
        if found != signers {
            return Err(CertificateError::Count { found, signers });
        }
        let quorum = quorum(seats);
        if signers < quorum {
            return Err(CertificateError::Quorum { found: signers, quorum, seats });
        }
        Ok(())
    }

    /// Checks the certificate against the keys of its electorate, in the order of their seats. Cost:
    /// one signature check a signer, all in one batch.
    pub fn check(
        &self,
        chain: &ChainId,
        keys: &[OwnerId],
        scheme: &impl Scheme,
    ) -> Result<(), CertificateError> {
        self.check_shape(keys.len())?;
        let message = self.vote.message(chain);
        let signed: Vec<Signed<'_>> = self
            .signers
            .seats()
            .zip(self.signatures.iter())
            .map(|(seat, signature)| Signed { key: &keys[seat], message: &message, signature })
            .collect();
        if scheme.all_hold(&signed) { Ok(()) } else { Err(CertificateError::Signature) }
    }

    /// Seats with their signatures that `other`, a certificate for the same vote, has and this one has not.
    #[must_use]
    pub fn lacks_of(&self, other: &Self) -> Vec<(usize, Signature)> {
        let signed = other.signers.seats().zip(other.signatures.iter().copied());
        signed.filter(|(seat, _)| !self.signers.seats().any(|own| own == *seat)).collect()
    }

    /// The same certificate with further signatures, which are taken as checked; `seats` is the size of
    /// the electorate. `None` when one of the seats does not exist or has signed already.
    #[must_use]
    pub fn widened(&self, seats: usize, further: &[(usize, Signature)]) -> Option<Self> {
        let own = self.signers.seats().zip(self.signatures.iter().copied());
        let mut signed: Vec<_> = own.chain(further.iter().copied()).collect();
        signed.sort_unstable_by_key(|(seat, _)| *seat);
        Self::assemble(self.vote, seats, &signed)
    }

    /// Who signed, given the institutions of the electorate in the order of their seats.
    pub fn signers_of<'a>(
        &'a self,
        electorate: &'a [InstitutionId],
    ) -> impl Iterator<Item = (InstitutionId, &'a Signature)> {
        self.signers
            .seats()
            .zip(self.signatures.iter())
            .filter_map(|(seat, signature)| Some((*electorate.get(seat)?, signature)))
    }
}

impl Encode for Signers {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
    }
}

impl Decode for Signers {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Decode::decode(reader).map(Self)
    }
}

wire_struct!(Certificate { vote, signers, signatures });

impl Wire for Certificate {
    const TAG: [u8; 4] = *b"MCRT";
    const NAME: &'static str = "Certificate";
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::sign::{Ed25519, SigningKey};
    use crate::ledger::Subject;
    use crate::types::{Digest, Epoch, View};

    const CHAIN: ChainId = ChainId::new([1; 32]);
    const VOTE: Vote = Vote {
        epoch: Epoch::new(3),
        view: View::new(7),
        subject: Subject::Notarize(Digest::new([9; 32])),
    };

    fn keys(seats: u8) -> Vec<SigningKey> {
        (0..seats).map(|seat| SigningKey::from_seed(&[seat + 1; 32])).collect()
    }

    fn certificate(vote: Vote, keys: &[SigningKey], seats: &[usize]) -> Certificate {
        let message = vote.message(&CHAIN);
        let signed: Vec<_> = seats.iter().map(|at| (*at, keys[*at].sign(&message))).collect();
        Certificate::assemble(vote, keys.len(), &signed).unwrap()
    }

    #[test]
    fn quorums_share_more_than_may_be_faulty() {
        for (seats, faulty, needed) in [(4, 1, 3), (5, 1, 4), (7, 2, 5), (20, 6, 14), (121, 40, 81)]
        {
            assert_eq!((faulty_max(seats), quorum(seats)), (faulty, needed));
        }
        for seats in 1..=SEATS_MAX {
            assert!(2 * quorum(seats) - seats > faulty_max(seats), "{seats}");
            assert!(quorum(seats) <= seats - faulty_max(seats), "{seats}: the honest suffice");
        }
    }

    #[test]
    fn con_7_1_a_certificate_needs_a_quorum_of_distinct_members() {
        //= harness/spec/consensus.md#con-7-safety-life-and-evidence
        //= type=test
        //# CON-7.1 (ours): A certificate MUST hold valid signatures of at least n - f distinct
        //# members of the auditing committee of its epoch.
        let secret = keys(4);
        let public: Vec<OwnerId> = secret.iter().map(SigningKey::owner).collect();
        let check = |certificate: &Certificate| certificate.check(&CHAIN, &public, &Ed25519);
        let sound = certificate(VOTE, &secret, &[0, 2, 3]);
        assert_eq!(check(&sound), Ok(()));
        assert_eq!(check(&certificate(VOTE, &secret, &[0, 1, 2, 3])), Ok(()));
        let few = certificate(VOTE, &secret, &[1, 3]);
        assert_eq!(check(&few), Err(CertificateError::Quorum { found: 2, quorum: 3, seats: 4 }));
        // One signature more than signers, as if somebody had signed twice.
        let mut twice = sound.clone();
        let mut signatures = twice.signatures.into_vec();
        signatures.push(signatures[0]);
        twice.signatures = List::new(signatures).unwrap();
        assert_eq!(check(&twice), Err(CertificateError::Count { found: 4, signers: 3 }));
        // Another vote, another network, another electorate.
        let other = Certificate { vote: Vote { view: View::new(8), ..VOTE }, ..sound.clone() };
        assert_eq!(check(&other), Err(CertificateError::Signature));
        let network = ChainId::new([2; 32]);
        assert_eq!(sound.check(&network, &public, &Ed25519), Err(CertificateError::Signature));
        let mut strangers = public.clone();
        strangers.rotate_left(1);
        assert_eq!(sound.check(&CHAIN, &strangers, &Ed25519), Err(CertificateError::Signature));
    }

    #[test]
    fn con_7_1_a_padded_bitmap_is_refused() {
        let secret = keys(4);
        let public: Vec<OwnerId> = secret.iter().map(SigningKey::owner).collect();
        let sound = certificate(VOTE, &secret, &[0, 1, 2]);
        let with = |bytes: Vec<u8>| Certificate {
            signers: Signers(Blob::new(bytes).unwrap()),
            ..sound.clone()
        };
        let check = |certificate: Certificate| certificate.check(&CHAIN, &public, &Ed25519);
        assert_eq!(check(with(vec![0b111])), Ok(()));
        let long = CertificateError::Bitmap { bytes: 2, bytes_expected: 1, seats: 4 };
        assert_eq!(check(with(vec![0b111, 0])), Err(long));
        for seat in 4..8 {
            let padded = check(with(vec![0b11 | 1 << seat]));
            assert_eq!(padded, Err(CertificateError::Padding { seat, seats: 4 }));
        }
    }

    #[test]
    fn certificates_of_one_vote_add_up() {
        let secret = keys(7);
        let public: Vec<OwnerId> = secret.iter().map(SigningKey::owner).collect();
        let one = certificate(VOTE, &secret, &[0, 2, 3, 4, 6]);
        let other = certificate(VOTE, &secret, &[0, 1, 3, 4, 5]);
        let further = one.lacks_of(&other);
        assert_eq!(further.iter().map(|(seat, _)| *seat).collect::<Vec<_>>(), [1, 5]);
        let wide = one.widened(7, &further).unwrap();
        assert_eq!(wide.signers.count(), 7);
        assert_eq!(wide.check(&CHAIN, &public, &Ed25519), Ok(()));
        assert_eq!(wide.widened(7, &further), None, "nobody signs twice");
    }

    #[test]
    fn seats_out_of_order_or_out_of_range_make_no_certificate() {
        let signature = Signature::new([0; 64]);
        let make = |seats: &[usize]| {
            let signed: Vec<_> = seats.iter().map(|seat| (*seat, signature)).collect();
            Certificate::assemble(VOTE, 4, &signed).is_some()
        };
        assert!(make(&[0, 1, 3]));
        assert!(!make(&[1, 0, 3]) && !make(&[1, 1, 3]) && !make(&[0, 1, 4]) && !make(&[]));
    }
}
