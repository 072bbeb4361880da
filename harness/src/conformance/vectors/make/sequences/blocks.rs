//! Blocks that get a vote, and blocks that must not. [CON-4] [CON-5] [CON-7]

use super::{
    About, BlockHeader, Deed, Kind, Message, OTHERS, STARTED_MS, Scene, Sequence, Story, finalize,
    for_block, hash, notarize,
};

pub(super) fn sequences(scene: &Scene) -> Vec<Sequence> {
    let mut all = vec![sound(scene), nonsense(scene), next(scene), once(scene)];
    all.extend(wrong(scene));
    all.extend(foreign(scene));
    all.extend(above_the_first(scene));
    all
}

fn sound(scene: &Scene) -> Sequence {
    let about = About {
        id: "sound-block-gets-a-vote",
        title: "an auditor votes for a sound block of its view, and not before there is one",
        of: &["CON-5.2", "CON-5.3"],
        flags: &[],
    };
    let mut story = Story::proposing(scene, &about);
    let header = scene.header(1);
    story.not_yet(for_block(Kind::Notarize, &header), "it votes for a block that nobody has shown");
    story.propose(&header);
    story.voted(&notarize(&header), "it does not vote for a sound block");
    story.done()
}

fn nonsense(scene: &Scene) -> Sequence {
    let about = About {
        id: "nonsense-stops-nobody",
        title: "what is no message is ignored, and the next sound block gets a vote",
        of: &["CON-5.2"],
        flags: &["stops-at-nonsense"],
    };
    let mut story = Story::proposing(scene, &about);
    let header = scene.header(1);
    let Message::Proposal(proposal) = scene.signed_by(1, &header) else { return story.done() };
    let whole = super::Mirror::from(Message::Proposal(proposal)).encode();
    let kind_255 = [&whole[..5], &[255], &whole[6..]].concat();
    let longer = [&whole[..], &[0]].concat();
    for message in [Vec::new(), whole[..whole.len() - 1].to_vec(), longer, kind_255] {
        story.hear_bytes(1, message);
    }
    story.propose(&header);
    story.voted(&notarize(&header), "behind messages that are none it does not vote");
    story.done()
}

/// A block of view 2 stands on the block that view 1 notarized.
fn next(scene: &Scene) -> Sequence {
    let about = About {
        id: "next-view-builds-on-the-notarized-block",
        title: "once a block is notarized the next leader's block on top of it gets a vote",
        of: &["CON-5.1", "CON-5.3", "CON-4.5"],
        flags: &[],
    };
    let (mut story, first) = notarized(scene, &about);
    let second = scene.above(&first);
    story.propose(&second);
    story.voted(&notarize(&second), "it does not vote for the block of view 2");
    story.done()
}

/// The first block of view 1 is notarized, by the node and two others.
fn notarized<'a>(scene: &'a Scene, about: &About<'_>) -> (Story<'a>, BlockHeader) {
    let mut story = Story::proposing(scene, about);
    let header = scene.header(1);
    story.propose(&header);
    OTHERS[..2].iter().for_each(|other| story.vote(*other, &notarize(&header)));
    story.voted(&finalize(&header), "it does not finalize what a quorum notarized");
    (story, header)
}

fn once(scene: &Scene) -> Sequence {
    let about = About {
        id: "one-vote-a-view",
        title: "of two blocks of one view an auditor votes for one, also behind a crash",
        of: &["CON-7.2", "CON-7.4"],
        flags: &["votes-twice", "vote-not-stored"],
    };
    let mut story = Story::proposing(scene, &about);
    let header = scene.header(1);
    let other = BlockHeader { timestamp: header.timestamp - 1, ..header.clone() };
    story.propose(&header);
    story.voted(&notarize(&header), "it does not vote for the first block of view 1");
    story.propose(&other);
    story.crash();
    story.propose(&other);
    story.propose(&header);
    let (view, block, other_than) = (1, None, Some(hash(&header)));
    let second = Deed::Vote { kind: Kind::Notarize, view, block, other_than };
    story.never(second, "it votes for a second block of view 1");
    story.done()
}

/// What is wrong with a header, its sentence, and the header.
type Wrong = (&'static str, &'static str, &'static str, BlockHeader);

fn wrong(scene: &Scene) -> Vec<Sequence> {
    let sound = scene.header(1);
    let with = |change: fn(&mut BlockHeader)| {
        let mut header = sound.clone();
        change(&mut header);
        header
    };
    let headers: [Wrong; 10] = [
        ("of-another-leader", "of another leader", "CON-5.3", with(|h| h.producer = 2)),
        (
            "of-an-auditor",
            "of an institution that produces nothing",
            "CON-5.3",
            with(|h| h.producer = 5),
        ),
        ("of-another-chain", "of another chain", "CON-4.5", with(|h| h.chain_id = [3; 32])),
        (
            "above-no-block",
            "above a block that there is not",
            "CON-4.5",
            with(|h| h.parent = [4; 32]),
        ),
        ("of-height-0", "of height 0", "CON-4.5", with(|h| h.height = 0)),
        ("of-height-2", "of height 2 above the genesis", "CON-4.5", with(|h| h.height = 2)),
        (
            "not-later-than-its-parent",
            "that is not later than its parent",
            "STO-12.7",
            with(|h| h.timestamp = STARTED_MS),
        ),
        (
            "2001-ms-ahead",
            "2,001 ms ahead of the auditor's clock",
            "CON-4.4",
            with(|h| h.timestamp += 2_001),
        ),
        (
            "of-another-payload",
            "whose payload has another digest",
            "CON-4.5",
            with(|h| h.payload = [5; 32]),
        ),
        (
            "of-another-parent-view",
            "whose parent is said to be of its own view",
            "CON-4.5",
            with(|h| h.parent_view = 1),
        ),
    ];
    let sequence = |(id, what, of, header): &Wrong| {
        let mut story = refused(scene, id, what, of, "header-unchecked");
        story.propose(header);
        story.never(any_notarize(1), &format!("it votes for a block {what}"));
        story.done()
    };
    headers.iter().map(sequence).collect()
}

/// A sequence in which a block gets no vote.
fn refused<'a>(scene: &'a Scene, id: &str, what: &str, of: &str, flag: &str) -> Story<'a> {
    let (id, title) = (format!("wrong-block.{id}"), format!("a block {what} gets no vote"));
    Story::proposing(scene, &About { id: &id, title: &title, of: &[of], flags: &[flag] })
}

fn any_notarize(view: u64) -> Deed {
    Deed::Vote { kind: Kind::Notarize, view, block: None, other_than: None }
}

/// Sound blocks with signatures that are not their producer's.
fn foreign(scene: &Scene) -> Vec<Sequence> {
    let header = scene.header(1);
    let altered = |at: usize| {
        let mut message = scene.signed_by(1, &header);
        if let Message::Proposal(proposal) = &mut message {
            proposal.signed.signature[at] ^= 1;
        }
        message
    };
    let later = BlockHeader { timestamp: header.timestamp + 1, ..header.clone() };
    let mut of_another = scene.signed_by(1, &later);
    if let Message::Proposal(proposal) = &mut of_another {
        proposal.signed.header = header.clone();
    }
    let messages = [
        ("signed-by-another", "that another producer signed", scene.signed_by(2, &header)),
        ("signed-for-another", "with the signature of another block", of_another),
        ("with-a-changed-signature", "whose signature was changed", altered(40)),
    ];
    let sequence = |(id, what, message): &(&str, &str, Message)| {
        let mut story = refused(scene, id, what, "CON-2.2", "signature-unchecked");
        story.hear(1, message);
        story.never(any_notarize(1), &format!("it votes for a block {what}"));
        story.done()
    };
    messages.iter().map(sequence).collect()
}

/// Blocks of view 2 that must not stand where they stand.
fn above_the_first(scene: &Scene) -> Vec<Sequence> {
    let first = scene.header(1);
    let sound = scene.above(&first);
    let stamp = first.timestamp;
    let past = BlockHeader { timestamp: stamp + 1, ..scene.header(2) };
    let headers: [Wrong; 4] = [
        (
            "past-the-notarized-one",
            "beside a notarized block, where no certificate skips that one's view",
            "CON-6.3",
            past,
        ),
        (
            "of-the-leader-before",
            "by the leader of the view before",
            "CON-5.3",
            BlockHeader { producer: 1, ..sound.clone() },
        ),
        (
            "as-old-as-its-parent",
            "with the time of its parent",
            "STO-12.7",
            BlockHeader { timestamp: stamp, ..sound.clone() },
        ),
        (
            "of-its-parents-height",
            "of its parent's height",
            "CON-4.5",
            BlockHeader { height: 1, ..sound },
        ),
    ];
    let sequence = |(id, what, of, header): &Wrong| {
        let mut story = refused(scene, id, what, of, "header-unchecked");
        story.propose(&first);
        OTHERS[..2].iter().for_each(|other| story.vote(*other, &notarize(&first)));
        story.voted(&finalize(&first), "it does not finalize what a quorum notarized");
        story.propose(header);
        story.never(any_notarize(2), &format!("it votes for a block {what}"));
        story.done()
    };
    headers.iter().map(sequence).collect()
}
