//! What another side may put on the wire after the handshake.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use tokio::io::AsyncWriteExt;

use super::super::error::{FrameFault, LinkEnd};
use super::pipe::Pipes;
use super::*;
use crate::params::LINK_MESSAGE_BYTES_MAX;

/// Sends bytes as they are, closes, and tells how the link ended.
async fn end_of(pipes: &mut Pipes, bytes: impl FnOnce(&mut Sealer<'_>) -> Vec<u8>) -> LinkEnd {
    let (mut raw, running) = pipes.raw(1, 1 << 18).await;
    let bytes = bytes(&mut |plain| raw.seal(plain));
    raw.write(&bytes).await;
    let _ = raw.stream.shutdown().await;
    let end = within(running).await.unwrap();
    assert_eq!(pipes.shared.budget.bytes(), 0, "{end}");
    assert!(!pipes.status(1).is_linked);
    end
}

type Sealer<'a> = dyn FnMut(&[u8]) -> Vec<u8> + 'a;

fn messages(pipes: &mut Pipes) -> Vec<Vec<u8>> {
    std::iter::from_fn(|| pipes.arrivals.try_recv().ok()).map(|arrival| arrival.bytes).collect()
}

#[tokio::test]
async fn random_bytes_end_the_link_and_nothing_arrives() {
    let mut pipes = Pipes::new(0, Bounds::default());
    let mut rng = ChaCha20Rng::seed_from_u64(60);
    let mut seen = BTreeSet::new();
    for round in 0..2_000 {
        let mut bytes = vec![0; usize::try_from(rng.next_u32() % 120).unwrap()];
        rng.fill_bytes(&mut bytes);
        // Else nearly every one announces more than comes.
        if round % 2 == 0 && bytes.len() > 2 {
            bytes[1] = 0;
        }
        let end = end_of(&mut pipes, |_| bytes).await;
        assert!(
            matches!(
                end,
                LinkEnd::Closed
                    | LinkEnd::Truncated
                    | LinkEnd::Sealed { frame: 0 }
                    | LinkEnd::Frame { frame: 0, what: FrameFault::Short { .. } }
            ),
            "{end}"
        );
        seen.insert(end.name());
        assert!(messages(&mut pipes).is_empty());
    }
    assert_eq!(seen.len(), 4, "{seen:?}");
}

/// What sealed contents mean, told in one pass over all of them: messages, and whether all is well.
fn judge(contents: &[Vec<u8>]) -> (Vec<Vec<u8>>, bool) {
    let mut whole = Vec::new();
    let mut open: Option<(usize, Vec<u8>)> = None;
    for content in contents {
        let (mut message, part, length, most) = match (content.first(), open.take()) {
            (Some(0), None) if content.len() == 1 => continue,
            (Some(1), None) if content.len() >= 5 => {
                let length = u32::from_le_bytes(content[1..5].try_into().unwrap()) as usize;
                (Vec::new(), &content[5..], length, 65_514)
            }
            (Some(2), Some((length, message))) => (message, &content[1..], length, 65_518),
            _ => return (whole, false),
        };
        if length > 1 << 26 || part.len() != most.min(length - message.len()) {
            return (whole, false);
        }
        message.extend_from_slice(part);
        if message.len() == length {
            whole.push(message);
        } else {
            open = Some((length, message));
        }
    }
    (whole, true)
}

#[tokio::test]
async fn sealed_nonsense_is_judged_like_a_naive_reader_does() {
    let mut pipes = Pipes::new(0, Bounds::default());
    let mut rng = ChaCha20Rng::seed_from_u64(61);
    let (mut good, mut bad, mut arrived) = (0, 0, 0);
    for _ in 0..2_000 {
        let mut below = |most: u32| usize::try_from(rng.next_u32() % most).unwrap();
        let mut contents = Vec::new();
        for _ in 0..below(5) {
            let long = [0, 1, 30, 65_514, 65_518][below(5)];
            match below(8) {
                0 => contents.push(vec![0]),
                // A message that is cut as it should be.
                1..=4 => {
                    let bytes = if below(4) == 0 { 65_514 + below(70_000) } else { below(300) };
                    let message = vec![7; bytes];
                    let (first, mut rest) = message.split_at(bytes.min(65_514));
                    let length = u32::try_from(bytes).unwrap().to_le_bytes();
                    contents.push([&[1], &length[..], first].concat());
                    while !rest.is_empty() {
                        let (part, behind) = rest.split_at(rest.len().min(65_518));
                        contents.push([&[2], part].concat());
                        rest = behind;
                    }
                }
                5 => contents.push([&[2], &vec![1; long][..]].concat()),
                6 => {
                    let length = [0, 1, 30, 65_514, 1 << 26, (1 << 26) + 1, u32::MAX][below(7)];
                    let head = [&[1], &length.to_le_bytes()[..]].concat();
                    contents.push([head, vec![1; long.min(65_514)]].concat());
                }
                _ => {
                    let bytes = (0..below(8)).map(|_| u8::try_from(below(4)).unwrap());
                    contents.push(bytes.collect());
                }
            }
        }
        let (expected, is_well) = judge(&contents);
        let end = end_of(&mut pipes, |seal| contents.iter().flat_map(|one| seal(one)).collect());
        let end = end.await;
        assert_eq!(messages(&mut pipes), expected, "{end}");
        match end {
            LinkEnd::Closed => good += 1,
            LinkEnd::Frame { .. } => bad += 1,
            other => panic!("{other}"),
        }
        assert_eq!(end == LinkEnd::Closed, is_well, "{end}");
        arrived += expected.len();
    }
    assert!(good > 300 && bad > 300 && arrived > 300, "{good} {bad} {arrived}");
}

#[tokio::test]
async fn a_frame_that_is_changed_in_one_bit_or_cut_anywhere_ends_the_link() {
    let mut pipes = Pipes::new(0, Bounds::default());
    let content = [&[1, 9, 0, 0, 0][..], b"nine byte"].concat();
    let before = [1, 1, 0, 0, 0, 5];
    let length = 2 + content.len() + 16;
    for bit in 0..8 * length {
        let end = end_of(&mut pipes, |seal| {
            let mut bytes = seal(&before);
            let mut frame = seal(&content);
            frame[bit / 8] ^= 1 << (bit % 8);
            bytes.extend(frame);
            bytes.extend(seal(&before));
            bytes
        });
        let end = end.await;
        let is_refused = match end {
            LinkEnd::Sealed { frame: 1 } => true,
            // The length was changed: too short for a tag, or longer than what comes.
            LinkEnd::Frame { frame: 1, what: FrameFault::Short { .. } } | LinkEnd::Truncated => {
                bit < 16
            }
            _ => false,
        };
        assert!(is_refused, "bit {bit}: {end}");
        assert_eq!(messages(&mut pipes), [[5]], "bit {bit}");
    }
    for cut in 0..length {
        let end = end_of(&mut pipes, |seal| {
            let mut bytes = seal(&before);
            bytes.extend(&seal(&content)[..cut]);
            bytes
        });
        let expected = if cut == 0 { LinkEnd::Closed } else { LinkEnd::Truncated };
        assert_eq!(end.await, expected, "cut at {cut}");
        assert_eq!(messages(&mut pipes), [[5]], "cut at {cut}");
    }
}

#[tokio::test]
async fn frames_that_are_repeated_swapped_or_left_out_end_the_link() {
    let mut pipes = Pipes::new(0, Bounds::default());
    let orders: [&[usize]; 4] = [&[0, 0], &[1, 0], &[1], &[0, 2]];
    for order in orders {
        let end = end_of(&mut pipes, |seal| {
            let frames: Vec<Vec<u8>> = (0..3).map(|n| seal(&[1, 1, 0, 0, 0, n])).collect();
            order.iter().flat_map(|at| frames[*at].clone()).collect()
        });
        let good = usize::from(order[0] == 0);
        assert_eq!(end.await, LinkEnd::Sealed { frame: good as u64 }, "{order:?}");
        assert_eq!(messages(&mut pipes).len(), good, "{order:?}");
    }
}

#[tokio::test]
async fn announcing_much_takes_no_memory() {
    let mut pipes = Pipes::new(0, Bounds::default());
    let part = vec![0; 65_514];
    let announce =
        |bytes: usize| [&[1], &u32::try_from(bytes).unwrap().to_le_bytes()[..], &part].concat();
    let too_large = announce(LINK_MESSAGE_BYTES_MAX + 1);
    let what = FrameFault::TooLarge {
        bytes: LINK_MESSAGE_BYTES_MAX as u64 + 1,
        bytes_max: LINK_MESSAGE_BYTES_MAX,
    };
    let end = end_of(&mut pipes, |seal| seal(&too_large)).await;
    assert_eq!(end, LinkEnd::Frame { frame: 0, what });
    let (mut raw, running) = pipes.raw(1, 1 << 18).await;
    let frame = raw.seal(&announce(LINK_MESSAGE_BYTES_MAX));
    raw.write(&frame).await;
    until(|| pipes.shared.budget.bytes() > 0).await;
    assert_eq!(pipes.shared.budget.bytes(), part.len());
    drop(raw);
    within(running).await.unwrap();
    assert_eq!(pipes.shared.budget.bytes(), 0);
}
