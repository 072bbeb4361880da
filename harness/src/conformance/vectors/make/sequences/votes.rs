//! Votes and certificates that lead on, and those that must not. [CON-6] [CON-7]

use super::{
    AUDITORS, About, Deed, GIVEN_UP_MS, Kind, Message, OTHERS, Scene, Sequence, Story, Vote,
    finalize, for_block, notarize, nullify,
};
use crate::rules::mirror::{BlockHeader, Bytes32, SignedVote};

pub(super) fn sequences(scene: &Scene) -> Vec<Sequence> {
    let mut all = vec![
        quorum(scene),
        too_few(scene),
        silent_leader(scene),
        two_nullify(scene),
        no_finalize(scene),
    ];
    all.extend(forged(scene));
    all.extend(certificates(scene));
    all
}

const ANY_FINAL: Deed = Deed::Final { block: None };

fn quorum(scene: &Scene) -> Sequence {
    let about = About {
        id: "quorum-finalizes",
        title: "a block that three of four auditors notarize and finalize is final, and not before",
        of: &["CON-7.1", "CON-4.2"],
        flags: &["quorum-miscounted"],
    };
    let mut story = Story::proposing(scene, &about);
    let header = scene.header(1);
    story.propose(&header);
    story.vote(OTHERS[0], &notarize(&header));
    story.not_yet(for_block(Kind::Finalize, &header), "it finalizes before a quorum notarizes");
    story.vote(OTHERS[1], &notarize(&header));
    story.voted(&finalize(&header), "it does not finalize what a quorum notarized");
    story.vote(OTHERS[0], &finalize(&header));
    story.not_yet(ANY_FINAL, "two of four make a block final");
    story.vote(OTHERS[1], &finalize(&header));
    story.is_final(&header, "three of four do not make the block final");
    story.done()
}

fn too_few(scene: &Scene) -> Sequence {
    let about = About {
        id: "too-few-do-not-finalize",
        title: "two auditors, however often they vote, and institutions that audit nothing make no quorum",
        of: &["CON-7.1"],
        flags: &["quorum-miscounted"],
    };
    let mut story = Story::proposing(scene, &about);
    let header = scene.header(1);
    story.propose(&header);
    for _ in 0..2 {
        for vote in [notarize(&header), finalize(&header)] {
            story.vote(OTHERS[0], &vote);
            // Producers have no vote.
            (1..=4).for_each(|producer| story.vote(producer, &vote));
        }
    }
    let finalizes = "two of four notarize, and it votes to finalize";
    story.never(for_block(Kind::Finalize, &header), finalizes);
    story.never(ANY_FINAL, "one of four finalizes, and the block is final");
    story.done()
}

fn silent_leader(scene: &Scene) -> Sequence {
    let about = About {
        id: "silent-leader-is-passed-over",
        title: "a view without a block is nullified, and the next leader's block is voted for",
        of: &["CON-6.1", "CON-6.3"],
        flags: &["view-skipped"],
    };
    let mut story = Story::given_up(scene, &about);
    story.vote(OTHERS[0], &nullify(1));
    let header = late(scene);
    story.propose(&header);
    story.not_yet(
        for_block(Kind::Notarize, &header),
        "it votes in view 2 before view 1 is nullified",
    );
    story.vote(OTHERS[1], &nullify(1));
    story.ring(GIVEN_UP_MS + 100);
    story.propose(&header);
    let words = "view 1 is nullified, and it does not vote for the block of view 2";
    story.voted(&notarize(&header), words);
    story.done()
}

/// The block of view 2 when view 1 has been given up.
fn late(scene: &Scene) -> BlockHeader {
    let header = scene.header(2);
    BlockHeader { timestamp: super::STARTED_MS + GIVEN_UP_MS, ..header }
}

fn two_nullify(scene: &Scene) -> Sequence {
    let about = About {
        id: "two-do-not-skip-a-view",
        title: "a view that two of four auditors and four producers give up is not skipped",
        of: &["CON-6.3", "CON-7.1"],
        flags: &["view-skipped", "quorum-miscounted"],
    };
    let mut story = Story::given_up(scene, &about);
    for _ in 0..2 {
        story.vote(OTHERS[0], &nullify(1));
    }
    (1..=4).for_each(|producer| story.vote(producer, &nullify(1)));
    let header = late(scene);
    story.propose(&header);
    let (kind, view, block, other_than) = (Kind::Notarize, 2, None, None);
    let words = "two of four give up view 1, and it votes in view 2";
    story.never(Deed::Vote { kind, view, block, other_than }, words);
    story.done()
}

fn no_finalize(scene: &Scene) -> Sequence {
    let about = About {
        id: "no-finalize-behind-nullify",
        title: "an auditor that voted to nullify a view does not vote to finalize its block, also behind a crash",
        of: &["CON-7.3"],
        flags: &["votes-twice", "vote-not-stored"],
    };
    let mut story = Story::given_up(scene, &about);
    let header = BlockHeader { timestamp: late(scene).timestamp, ..scene.header(1) };
    story.propose(&header);
    story.crash();
    story.propose(&header);
    OTHERS.into_iter().for_each(|other| story.vote(other, &notarize(&header)));
    story.ring(GIVEN_UP_MS + 2_000);
    let words = "it voted to nullify view 1, and votes to finalize its block";
    story.never(for_block(Kind::Finalize, &header), words);
    story.done()
}

/// How a vote of an auditor is made that counts for nothing.
type Forged = (&'static str, &'static str, &'static str, fn(&Scene, u32, &Vote) -> SignedVote);

/// Votes that count for nothing beside the node's own: no quorum.
fn forged(scene: &Scene) -> Vec<Sequence> {
    const OTHER_CHAIN: Bytes32 = [3; 32];
    const KINDS: [Forged; 4] = [
        (
            "signed-by-a-producer",
            "that somebody else signed",
            "signature-unchecked",
            |scene, who, vote| scene.vote(&scene.chain_id, who, 1, vote),
        ),
        (
            "for-another-chain",
            "signed for another chain",
            "vote-out-of-place",
            |scene, who, vote| scene.vote(&OTHER_CHAIN, who, who, vote),
        ),
        ("in-another-view", "in another view", "vote-out-of-place", |scene, who, vote| {
            let vote = Vote { view: vote.view + 1, ..vote.clone() };
            scene.vote(&scene.chain_id, who, who, &vote)
        }),
        (
            "moved-to-this-view",
            "that were signed in another view and moved",
            "signature-unchecked",
            |scene, who, vote| {
                let other = Vote { view: vote.view + 1, ..vote.clone() };
                let signed = scene.vote(&scene.chain_id, who, who, &other);
                SignedVote { vote: vote.clone(), ..signed }
            },
        ),
    ];
    let sequence = |(id, what, flag, make): &Forged| {
        let mut story = counted(scene, &format!("votes-{id}"), &format!("votes {what}"), flag);
        let header = scene.header(1);
        for vote in [notarize(&header), finalize(&header)] {
            // Three votes in another view would certify something there.
            let voters = if *id == "in-another-view" { &OTHERS[..2] } else { &OTHERS[..] };
            for &who in voters {
                story.hear(who, &Message::Vote(make(scene, who, &vote)));
            }
        }
        unmoved(story, &format!("votes {what}"))
    };
    KINDS.iter().map(sequence).collect()
}

/// A sequence in which something counts for nothing; the block of view 1 is proposed and voted for.
fn counted<'a>(scene: &'a Scene, id: &str, what: &str, flag: &str) -> Story<'a> {
    let title = format!("{what} count for nothing");
    let about = About { id, title: &title, of: &["CON-7.1"], flags: &[flag] };
    let mut story = Story::proposing(scene, &about);
    let header = scene.header(1);
    story.propose(&header);
    story.voted(&notarize(&header), "it does not vote for a sound block");
    story
}

/// Nothing of the block is believed to be notarized or final.
fn unmoved(mut story: Story<'_>, what: &str) -> Sequence {
    for view in [1, 2] {
        let (kind, block, other_than) = (Kind::Finalize, None, None);
        let deed = Deed::Vote { kind, view, block, other_than };
        story.never(deed, &format!("{what} make it finalize in view {view}"));
    }
    story.never(ANY_FINAL, &format!("{what} make a block final"));
    story.done()
}

/// What is wrong with a certificate, the bug, its bits and who signs.
type Uncertified = (&'static str, &'static str, &'static str, u8, &'static [u32]);

fn certificates(scene: &Scene) -> Vec<Sequence> {
    let header = scene.header(1);
    let vote = notarize(&header);
    let mut all = vec![certified(scene)];
    const WRONG: [Uncertified; 5] = [
        ("of-two", "of two of four auditors", "quorum-miscounted", 0b1001, &[5, 8]),
        (
            "with-a-forged-signature",
            "with one forged signature",
            "signature-unchecked",
            0b1101,
            &[5, 7, 1],
        ),
        (
            "in-another-order",
            "whose signatures are not in order of seats",
            "signature-unchecked",
            0b1101,
            &[5, 8, 7],
        ),
        (
            "of-one-auditor-thrice",
            "of one auditor, three times",
            "signature-unchecked",
            0b1101,
            &[5, 5, 5],
        ),
        (
            "of-an-outsider",
            "of two auditors and a seat that there is not",
            "quorum-miscounted",
            0b1_1001,
            &[5, 8, 1],
        ),
    ];
    for (id, what, flag, bits, by) in WRONG {
        let what = format!("certificates {what}");
        let mut story = counted(scene, &format!("certificate-{id}"), &what, flag);
        for vote in [&vote, &finalize(&header)] {
            story.hear(OTHERS[0], &scene.certificate(vote, bits, by));
        }
        all.push(unmoved(story, &what));
    }
    let what = "certificates for another block";
    let mut story = counted(scene, "certificate-of-another-block", what, "vote-out-of-place");
    let other = BlockHeader { timestamp: header.timestamp + 1, ..header.clone() };
    story.hear(OTHERS[0], &scene.certificate(&notarize(&other), 0b1101, &OTHERS));
    let deed = for_block(Kind::Finalize, &header);
    story.never(deed, "it finalizes one block because another one is notarized");
    all.push(story.done());
    all
}

fn certified(scene: &Scene) -> Sequence {
    let about = About {
        id: "certificates-serve-as-votes",
        title: "certificates of three auditors do what the three votes would do",
        of: &["CON-7.1", "CON-4.2"],
        flags: &[],
    };
    let mut story = Story::proposing(scene, &about);
    let header = scene.header(1);
    story.propose(&header);
    let by = [AUDITORS[0], AUDITORS[2], AUDITORS[3]];
    story.hear(OTHERS[0], &scene.certificate(&notarize(&header), 0b1101, &by));
    story.voted(&finalize(&header), "a certificate notarizes the block, and it does not finalize");
    story.not_yet(ANY_FINAL, "a notarized block is final");
    story.hear(OTHERS[0], &scene.certificate(&finalize(&header), 0b1101, &by));
    story.is_final(&header, "a certificate of three finalizes the block, and it is not final");
    story.done()
}
