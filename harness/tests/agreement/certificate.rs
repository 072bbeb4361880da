//! Certificates: who must have signed, and what two of them that conflict give away.

use std::collections::BTreeSet;

use harness::build::{Roll, institution_key};
use mdsm_core::codec::Wire as _;
use mdsm_core::crypto::sign::Ed25519;
use mdsm_core::ledger::{
    Certificate, CertificateError, Evidence, OffenceKind, Registry as _, Signers, Subject,
    double_votes, faulty_max, quorum,
};
use mdsm_core::types::{ChainId, Digest, Epoch, InstitutionId, List, OwnerId, Signature, View};

use super::scene::{check, offence};

const A: Subject = Subject::Finalize(Digest::new([0xa; 32]));
const B: Subject = Subject::Finalize(Digest::new([0xb; 32]));
const SIZES: [u32; 4] = [4, 7, 20, 121];

fn roll(auditors: u32) -> Roll {
    Roll::new(ChainId::new([5; 32]), auditors)
}

fn keys(roll: &Roll) -> Vec<OwnerId> {
    roll.auditors_of(Epoch::new(0)).unwrap()
}

fn verdict(certificate: &Certificate, roll: &Roll) -> Result<(), CertificateError> {
    certificate.check(&roll.chain, &keys(roll), &Ed25519)
}

#[test]
fn con_7_1_a_quorum_certifies_and_one_less_does_not() {
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //= type=test
    //# CON-7.1 (ours): A certificate MUST hold valid signatures of at least n - f distinct members
    //# of the auditing committee of its epoch.
    for auditors in SIZES {
        let roll = roll(auditors);
        let (seats, vote) = (roll.seats(), Roll::subject_in(3, A));
        let least = seats - (seats - 1) / 3;
        for (first, count) in [(0, least), (seats - least, least), (0, seats)] {
            let certificate = roll.certificate(vote, first..first + count);
            assert_eq!(verdict(&certificate, &roll), Ok(()), "{count} of {seats}");
            let bytes = certificate.to_bytes();
            assert_eq!(Certificate::from_bytes(&bytes).unwrap(), certificate);
        }
        let few = roll.certificate(vote, 1..least);
        let refused = CertificateError::Quorum { found: least - 1, quorum: least, seats };
        assert_eq!(verdict(&few, &roll), Err(refused));
    }
}

#[test]
fn con_7_1_a_signer_counts_once() {
    let roll = roll(7);
    let vote = Roll::subject_in(3, A);
    let few = roll.certificate(vote, 0..4);
    let repeated = |signers: &Signers| {
        let signatures = [&few.signatures[..], &few.signatures[3..]].concat();
        Certificate { vote, signers: signers.clone(), signatures: List::new(signatures).unwrap() }
    };
    // One signature twice: for one bit, and for the bits of two seats.
    let count = CertificateError::Count { found: 5, signers: 4 };
    assert_eq!(verdict(&repeated(&few.signers), &roll), Err(count));
    let five = Signers::of(7, 0..5).unwrap();
    assert_eq!(verdict(&repeated(&five), &roll), Err(CertificateError::Signature));
    // Seats given twice or out of order make no certificate at all.
    let signed = |seats: &[usize]| -> Vec<_> {
        seats.iter().map(|seat| (*seat, few.signatures[0])).collect()
    };
    for seats in [&[0, 0, 1, 2, 3][..], &[1, 0, 2, 3, 4], &[0, 1, 2, 3, 7]] {
        assert_eq!(Certificate::assemble(vote, 7, &signed(seats)), None, "{seats:?}");
    }
}

#[test]
fn con_7_1_another_electorate_network_or_vote_does_not_certify() {
    let roll = roll(7);
    let vote = Roll::subject_in(3, A);
    let sound = roll.certificate(vote, 0..5);
    assert_eq!(verdict(&sound, &roll), Ok(()));
    let abroad = Roll { chain: ChainId::new([6; 32]), ..roll };
    assert_eq!(verdict(&sound, &abroad), Err(CertificateError::Signature));
    let others = Roll { producers: 5, ..roll };
    assert_eq!(verdict(&sound, &others), Err(CertificateError::Signature), "seats moved by one");
    let larger = Roll { auditors: 9, ..roll };
    let bitmap = CertificateError::Bitmap { bytes: 1, bytes_expected: 2, seats: 9 };
    assert_eq!(verdict(&sound, &larger), Err(bitmap));
    let smaller = Roll { auditors: 4, ..roll };
    let padding = CertificateError::Padding { seat: 4, seats: 4 };
    assert_eq!(verdict(&sound, &smaller), Err(padding));
    let votes = [
        Roll::subject_in(4, A),
        Roll::subject_in(3, B),
        Roll::subject_in(3, Subject::Notarize(Digest::new([0xa; 32]))),
        Roll::subject_in(3, Subject::Nullify),
        mdsm_core::ledger::Vote { epoch: Epoch::new(1), ..vote },
    ];
    for vote in votes {
        let moved = Certificate { vote, ..sound.clone() };
        assert_eq!(verdict(&moved, &roll), Err(CertificateError::Signature), "{vote:?}");
    }
    for at in 0..5 {
        let mut signatures = sound.signatures.to_vec();
        signatures[at] = institution_key(InstitutionId::new(1)).sign(&vote.message(&roll.chain));
        let one = Certificate { signatures: List::new(signatures).unwrap(), ..sound.clone() };
        assert_eq!(verdict(&one, &roll), Err(CertificateError::Signature), "seat {at}");
    }
}

#[test]
fn con_7_1_a_bitmap_longer_than_its_electorate_is_refused() {
    let roll = roll(7);
    let sound = roll.certificate(Roll::subject_in(3, A), 0..5);
    // The bitmap of seven seats is one byte behind its count of four.
    let bytes = sound.to_bytes();
    let bitmap = bytes.len() - 5 * 64 - 4 - 1;
    assert_eq!(bytes[bitmap - 4..=bitmap], [1, 0, 0, 0, 0b1_1111]);
    let with = |map: &[u8]| {
        let count = u32::try_from(map.len()).unwrap().to_le_bytes();
        let bytes = [&bytes[..bitmap - 4], &count, map, &bytes[bitmap + 1..]].concat();
        verdict(&Certificate::from_bytes(&bytes).unwrap(), &roll)
    };
    assert_eq!(with(&[0b1_1111]), Ok(()));
    let longer = CertificateError::Bitmap { bytes: 2, bytes_expected: 1, seats: 7 };
    assert_eq!(with(&[0b1_1111, 0]), Err(longer));
    assert_eq!(with(&[0b1001_1110]), Err(CertificateError::Padding { seat: 7, seats: 7 }));
    assert_eq!(with(&[0b11_1111]), Err(CertificateError::Count { found: 5, signers: 6 }));
    assert_eq!(with(&[0b1111]), Err(CertificateError::Count { found: 5, signers: 4 }));
    assert_eq!(with(&[0b11_1110]), Err(CertificateError::Signature));
    assert_eq!(with(&[0]), Err(CertificateError::Count { found: 5, signers: 0 }));
}

#[test]
fn con_7_8_two_conflicting_finalizations_convict_more_than_may_be_faulty() {
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //= type=test
    //# CON-7.8 (ours): Two conflicting finalizations MUST yield signed evidence against at least
    //# n - 2 f auditors.
    for auditors in SIZES {
        let roll = roll(auditors);
        let (seats, electorate) = (roll.seats(), roll.electorate());
        let (q, f) = (seats - (seats - 1) / 3, (seats - 1) / 3);
        assert_eq!((quorum(seats), faulty_max(seats)), (q, f));
        // The two groups that share as few as two quorums can.
        let first = roll.certificate(Roll::subject_in(3, A), 0..q);
        let second = roll.certificate(Roll::subject_in(3, B), seats - q..seats);
        let pieces = double_votes(&first, &second, &electorate);
        assert_eq!(pieces.len(), 2 * q - seats);
        assert!(pieces.len() >= seats - 2 * f && pieces.len() > f, "{} of {seats}", pieces.len());
        let mut convicted = BTreeSet::new();
        for piece in &pieces {
            let proved = check(piece, &roll).unwrap();
            let kind = OffenceKind::DoubleFinalize;
            assert_eq!(proved, offence(proved.institution, 3, kind));
            convicted.insert(proved.institution);
        }
        let shared: BTreeSet<_> = electorate[seats - q..q].iter().copied().collect();
        assert_eq!(convicted, shared, "those who signed both, and nobody else");
        // The larger the groups, the more.
        let all = roll.certificate(Roll::subject_in(3, B), 0..seats);
        assert_eq!(double_votes(&first, &all, &electorate).len(), q);
    }
}

#[test]
fn con_7_9_certificates_that_do_not_conflict_convict_nobody() {
    let roll = roll(4);
    let electorate = roll.electorate();
    let of = |view, subject| roll.certificate(Roll::subject_in(view, subject), 0..4);
    let digest = Digest::new([0xb; 32]);
    let pairs = [
        (of(3, A), of(3, A)),
        (of(3, A), of(4, B)),
        (of(3, A), of(3, Subject::Notarize(digest))),
        (of(3, Subject::Nullify), of(3, Subject::Notarize(digest))),
        (of(3, Subject::Nullify), of(4, A)),
    ];
    for (first, second) in pairs {
        assert_eq!(double_votes(&first, &second, &electorate), []);
    }
    let conflicts = [
        (of(3, A), of(3, Subject::Nullify), OffenceKind::NullifyAndFinalize),
        (
            of(3, Subject::Notarize(Digest::new([0xa; 32]))),
            of(3, Subject::Notarize(digest)),
            OffenceKind::DoubleNotarize,
        ),
        (
            of(0, Subject::Anchor(Digest::new([0xa; 32]))),
            of(0, Subject::Anchor(digest)),
            OffenceKind::DoubleAnchor,
        ),
    ];
    for (first, second, kind) in conflicts {
        let kinds: Vec<_> = double_votes(&first, &second, &electorate)
            .iter()
            .map(|piece| check(piece, &roll).unwrap().kind)
            .collect();
        assert_eq!(kinds, [kind; 4]);
    }
    // A group that shares nobody, which no two quorums are.
    let low = roll.certificate(Roll::subject_in(3, A), 0..2);
    let high = roll.certificate(Roll::subject_in(3, B), 2..4);
    assert_eq!(double_votes(&low, &high, &electorate), []);
    // A signature that somebody else put in convicts nobody: the piece does not hold.
    let mut forged = of(3, B);
    forged.signatures = List::new(vec![Signature::new([1; 64]); 4]).unwrap();
    for piece in double_votes(&of(3, A), &forged, &electorate) {
        assert!(check(&piece, &roll).is_err());
        assert!(matches!(piece, Evidence::Votes { first, .. } if first.vote.view == View::new(3)));
    }
}
