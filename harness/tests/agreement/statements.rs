//! Two signed statements: which exclude each other, and which an honest institution makes.

use harness::build::Roll;
use mdsm_core::crypto::sign::Ed25519;
use mdsm_core::ledger::{
    BlockHeader, Evidence, EvidenceError, OffenceKind, SignedHeader, SignedVote, Subject, Vote,
};
use mdsm_core::types::{ChainId, Digest, Epoch, Height, InstitutionId, Signature, Timestamp, View};

use super::scene::{PRODUCER, check, offence, scene};

const VOTER: InstitutionId = InstitutionId::new(6);
const A: Digest = Digest::new([0xa; 32]);
const B: Digest = Digest::new([0xb; 32]);

fn roll() -> Roll {
    scene().roll
}

#[expect(clippy::panic_in_result_fn, reason = "the result is what the test looks at")]
fn votes(
    first: SignedVote,
    second: SignedVote,
) -> Result<mdsm_core::ledger::Offence, EvidenceError> {
    let roll = roll();
    let there = check(&Evidence::Votes { first, second }, &roll);
    let back = check(&Evidence::Votes { first: second, second: first }, &roll);
    assert_eq!(there, back, "the order of the two does not matter");
    there
}

#[test]
fn two_votes_that_exclude_each_other_convict_their_voter() {
    use Subject::{Anchor, Finalize, Notarize, Nullify};
    let roll = roll();
    let cast = |view, subject| roll.vote(VOTER, Roll::subject_in(view, subject));
    let conflicts = [
        (Notarize(A), Notarize(B), 7, OffenceKind::DoubleNotarize),
        (Nullify, Finalize(A), 7, OffenceKind::NullifyAndFinalize),
        (Finalize(A), Finalize(B), 7, OffenceKind::DoubleFinalize),
        (Anchor(A), Anchor(B), 0, OffenceKind::DoubleAnchor),
    ];
    for (first, second, view, kind) in conflicts {
        let proved = votes(cast(view, first), cast(view, second));
        assert_eq!(proved, Ok(offence(VOTER, view, kind)), "{kind:?}");
    }
}

#[test]
fn con_7_9_votes_that_an_honest_auditor_casts_are_no_evidence() {
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //= type=test
    //# CON-7.9 (ours): Evidence MUST NOT exist against an institution that follows the protocol.
    use Subject::{Anchor, Finalize, Notarize, Nullify};
    let roll = roll();
    let cast = |view, subject| roll.vote(VOTER, Roll::subject_in(view, subject));
    let honest = [
        // Checked a block, and the timer ran out before its certificate came.
        (cast(7, Notarize(A)), cast(7, Nullify)),
        // Checked one block of two-faced leader, then saw the certificate of the other.
        (cast(7, Notarize(B)), cast(7, Finalize(A))),
        (cast(7, Notarize(A)), cast(7, Finalize(A))),
        // Sent again.
        (cast(7, Notarize(A)), cast(7, Notarize(A))),
        (cast(7, Nullify), cast(7, Nullify)),
        (cast(7, Finalize(A)), cast(7, Finalize(A))),
        (cast(0, Anchor(A)), cast(0, Anchor(A))),
        // No votes at all: an anchor has view 0.
        (cast(1, Anchor(A)), cast(1, Anchor(B))),
        (cast(0, Anchor(A)), cast(1, Anchor(B))),
        // In other views.
        (cast(7, Notarize(A)), cast(8, Notarize(B))),
        (cast(7, Nullify), cast(8, Finalize(A))),
        (cast(7, Finalize(A)), cast(8, Finalize(B))),
        // About other things.
        (cast(7, Notarize(A)), cast(7, Anchor(B))),
        (cast(7, Nullify), cast(7, Anchor(B))),
        (cast(7, Finalize(A)), cast(7, Anchor(B))),
    ];
    for (first, second) in honest {
        assert_eq!(votes(first, second), Err(EvidenceError::NoConflict), "{first:?} {second:?}");
        assert_eq!(Evidence::Votes { first, second }.claim(), None);
    }
    let in_epoch = |epoch, root| {
        let vote = Vote { epoch: Epoch::new(epoch), view: View::new(0), subject: Anchor(root) };
        roll.vote(VOTER, vote)
    };
    assert_eq!(votes(in_epoch(0, A), in_epoch(1, B)), Err(EvidenceError::NoConflict));
}

#[test]
fn con_7_9_nobody_is_convicted_by_votes_that_he_did_not_sign() {
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //= type=test
    //# CON-7.9 (ours): Evidence MUST NOT exist against an institution that follows the protocol.
    let roll = roll();
    let [a, b] = [A, B].map(|hash| Roll::subject_in(7, Subject::Finalize(hash)));
    let first = roll.vote(VOTER, a);
    assert!(votes(first, roll.vote(VOTER, b)).is_ok());
    let other = InstitutionId::new(7);
    assert_eq!(votes(first, roll.vote(other, b)), Err(EvidenceError::NoConflict));
    let wrong = Err(EvidenceError::Signature { institution: VOTER });
    // Another's signature under this name, a changed vote, a vote on another network.
    assert_eq!(votes(first, SignedVote { signer: VOTER, ..roll.vote(other, b) }), wrong);
    assert_eq!(votes(first, SignedVote { vote: b, ..first }), wrong);
    let abroad = Roll { chain: ChainId::new([1; 32]), ..roll };
    assert_eq!(votes(first, abroad.vote(VOTER, b)), wrong);
    assert_eq!(votes(abroad.vote(VOTER, a), abroad.vote(VOTER, b)), wrong);
    let evidence = Evidence::Votes { first: abroad.vote(VOTER, a), second: abroad.vote(VOTER, b) };
    assert!(evidence.check(&abroad, &Ed25519).is_ok(), "where it belongs it holds");
    let stranger = InstitutionId::new(9);
    let unknown = Err(EvidenceError::Unknown { institution: stranger });
    assert_eq!(votes(roll.vote(stranger, a), roll.vote(stranger, b)), unknown);
    let mut bytes = *first.signature.as_bytes();
    for bit in [0, 255, 256, 511] {
        bytes[bit / 8] ^= 1 << (bit % 8);
        let spoilt = SignedVote { signature: Signature::new(bytes), ..first };
        assert_eq!(votes(spoilt, roll.vote(VOTER, b)), wrong, "bit {bit}");
        bytes[bit / 8] ^= 1 << (bit % 8);
    }
}

type Edit = (&'static str, fn(&mut BlockHeader));

#[test]
fn con_2_2_two_proposals_for_one_view_convict_their_producer() {
    let (roll, sound) = (roll(), scene().draft.block.header);
    let edits: [Edit; 6] = [
        ("height", |h| h.height = Height::new(h.height.get() + 1)),
        ("parent", |h| h.parent = A),
        ("parent_view", |h| h.parent_view = View::new(0)),
        ("timestamp", |h| h.timestamp = Timestamp::new(h.timestamp.get() + 1)),
        ("payload", |h| h.payload = B),
        ("everything", |h| (h.parent, h.payload, h.timestamp) = (A, B, Timestamp::new(0))),
    ];
    for (what, edit) in edits {
        let mut other = sound;
        edit(&mut other);
        let (first, second) = (roll.signed(sound), roll.signed(other));
        let proved = check(&Evidence::Proposals { first, second }, &roll);
        let expected = offence(PRODUCER, sound.view.get(), OffenceKind::DoubleProposal);
        assert_eq!(proved, Ok(expected), "{what}");
    }
}

#[test]
fn con_7_9_proposals_that_an_honest_producer_signs_are_no_evidence() {
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //= type=test
    //# CON-7.9 (ours): Evidence MUST NOT exist against an institution that follows the protocol.
    let (roll, sound) = (roll(), scene().draft.block.header);
    let first = roll.signed(sound);
    let with = |edit: fn(&mut BlockHeader)| {
        let mut other = sound;
        edit(&mut other);
        check(&Evidence::Proposals { first, second: roll.signed(other) }, &roll)
    };
    let none = Err(EvidenceError::NoConflict);
    assert_eq!(with(|_| {}), none, "sent again");
    assert_eq!(with(|h| h.view = View::new(h.view.get() + 1)), none, "a later view");
    assert_eq!(with(|h| h.epoch = Epoch::new(1)), none, "another epoch");
    assert_eq!(with(|h| h.producer = InstitutionId::new(3)), none, "another producer");
    assert_eq!(with(|h| h.chain_id = ChainId::new([1; 32])), Err(EvidenceError::ChainId));
    // The same header under two signatures is one proposal.
    let again = SignedHeader { signature: Signature::new([1; 64]), ..first };
    assert_eq!(check(&Evidence::Proposals { first, second: again }, &roll), none);
}

#[test]
fn con_7_9_nobody_is_convicted_by_proposals_that_he_did_not_sign() {
    let (roll, sound) = (roll(), scene().draft.block.header);
    let first = roll.signed(sound);
    let second = roll.signed(BlockHeader { payload: B, ..sound });
    let both = |first, second| {
        let there = check(&Evidence::Proposals { first, second }, &roll);
        let back = check(&Evidence::Proposals { first: second, second: first }, &roll);
        assert_eq!(there, back);
        there
    };
    assert!(both(first, second).is_ok());
    let wrong = Err(EvidenceError::Signature { institution: PRODUCER });
    assert_eq!(both(first, SignedHeader { signature: first.signature, ..second }), wrong);
    let of_another = harness::build::institution_key(InstitutionId::new(3));
    assert_eq!(both(first, SignedHeader::sign(second.header, &of_another)), wrong);
    let stranger = |header| roll.signed(BlockHeader { producer: InstitutionId::new(77), ..header });
    let unknown = Err(EvidenceError::Unknown { institution: InstitutionId::new(77) });
    assert_eq!(both(stranger(first.header), stranger(second.header)), unknown);
}
