//! Slow, silent and greedy: peers, and the node itself.

use std::time::Duration;

use tokio::io::duplex;
use tokio::time::{Instant, sleep, timeout};

use super::super::error::{LinkEnd, SendError};
use super::pipe::Pipes;
use super::raw::Raw;
use super::*;

const PIPE: usize = 1 << 16;

#[tokio::test(start_paused = true)]
async fn a_peer_that_falls_silent_is_left_in_time() {
    let mut pipes = Pipes::new(0, Bounds::default());
    let (mut raw, running) = pipes.raw(1, PIPE).await;
    raw.send(b"once").await;
    let began = Instant::now();
    assert_eq!(running.await.unwrap(), LinkEnd::Silent { ms: 15_000 });
    assert_eq!(began.elapsed().as_millis(), 15_000);
    // A frame that comes byte by byte is no sign of life.
    let (mut raw, running) = pipes.raw(1, PIPE).await;
    let frame = raw.seal(&[1, 1, 0, 0, 0, 7]);
    let began = Instant::now();
    let dripping = tokio::spawn(async move {
        for byte in frame {
            raw.write(&[byte]).await;
            sleep(Duration::from_secs(2)).await;
        }
    });
    assert_eq!(running.await.unwrap(), LinkEnd::Silent { ms: 15_000 });
    assert_eq!(began.elapsed().as_millis(), 15_000);
    dripping.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_link_on_which_nothing_is_said_lives_on() {
    let [mut acceptor, mut dialler] = [0, 1].map(|me| Pipes::new(me, Bounds::default()));
    let (near, far) = duplex(PIPE);
    let (accepted, dialled) = tokio::join!(acceptor.accept(near), dialler.dial(far, 1, 0));
    sleep(Duration::from_secs(24 * 60 * 60)).await;
    assert!(!accepted.is_finished() && !dialled.is_finished());
    acceptor.shared.table.send(id(1), message(5, 5)).unwrap();
    assert_eq!(*dialler.arrivals.recv().await.unwrap().bytes, *message(5, 5));
    assert_eq!((dialler.status(0).messages_in, acceptor.status(1).messages_out), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_takes_nothing_is_left_and_what_waited_is_counted() {
    let mut pipes = Pipes::new(0, Bounds::default());
    let (mut raw, running) = pipes.raw(1, PIPE).await;
    for _ in 0..3 {
        pipes.shared.table.send(id(1), message(100_000, 1)).unwrap();
    }
    let began = Instant::now();
    // It says that it lives, and does not read.
    while !running.is_finished() {
        let alive = raw.seal(&[0]);
        raw.write(&alive).await;
        sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(running.await.unwrap(), LinkEnd::Stalled { ms: 30_000 });
    assert_eq!(began.elapsed().as_secs(), 31, "seen at the next second");
    assert_eq!((pipes.status(1).dropped_cut, pipes.shared.queued.bytes()), (3, 0));
}

#[tokio::test(start_paused = true)]
async fn a_slow_node_stops_a_loud_peer_and_not_a_quiet_one() {
    let bounds = Bounds { arrival_bytes_max: 250_000, ..Bounds::default() };
    let mut pipes = Pipes::new(0, bounds);
    let (mut loud, running) = pipes.raw(1, PIPE).await;
    let sent = |number| message(60_000, number);
    let mut sending = tokio::spawn(async move {
        for number in 0..200 {
            loud.send(&sent(number)).await;
        }
        loud
    });
    // An hour in which the node takes nothing: the peer waits, and is not left for its silence.
    assert!(timeout(Duration::from_secs(3_600), &mut sending).await.is_err());
    assert!(!running.is_finished());
    assert_eq!(pipes.arrivals.len(), 4, "of 60,064 bytes each");
    assert_eq!(pipes.shared.budget.bytes(), 60_000, "one more waits for its room");
    let before = pipes.status(1).messages_in;
    assert_eq!(before, 5);
    let (mut quiet, _running) = pipes.raw(2, PIPE).await;
    quiet.send(b"hear me").await;
    let (mut quiet_2, _running_2) = pipes.raw(3, PIPE).await;
    quiet_2.send(b"me too").await;
    let mut heard = Vec::new();
    let mut next = 0;
    while next < 200 {
        let arrival = pipes.arrivals.recv().await.unwrap();
        if arrival.from == id(1) {
            assert!(*arrival.bytes == *sent(next), "{next}");
            next += 1;
        } else {
            heard.push((arrival.from, next));
        }
    }
    assert_eq!(
        heard,
        [(id(2), 4), (id(3), 4)],
        "behind what was there, before all that came later"
    );
    sending.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn all_arrivals_together_have_a_bound() {
    let bounds = Bounds { arrival_bytes_all_max: 100_000, ..Bounds::default() };
    let mut pipes = Pipes::new(0, bounds);
    let mut kept = Vec::new();
    for other in 1..=4 {
        let (mut raw, running) = pipes.raw(other, PIPE).await;
        raw.send(&message(40_000, other)).await;
        kept.push((raw, running));
    }
    let first = pipes.arrivals.recv().await.unwrap();
    let second = pipes.arrivals.recv().await.unwrap();
    // Two are in the node's hands, and the others wait until it drops one.
    let third = timeout(Duration::from_secs(1), pipes.arrivals.recv()).await;
    assert!(third.is_err());
    drop(first);
    assert!(pipes.arrivals.recv().await.is_some());
    drop(second);
    assert!(pipes.arrivals.recv().await.is_some());
}

#[tokio::test]
async fn messages_that_wait_for_a_slow_node_have_a_bound_too() {
    let bounds =
        Bounds { arrival_bytes_all_max: 100, partial_bytes_all_max: 300_000, ..Bounds::default() };
    let mut pipes = Pipes::new(0, bounds);
    let mut kept = Vec::new();
    for other in 1..=9 {
        let (mut raw, running) = pipes.raw(other, PIPE).await;
        raw.send(&message(60_000, other)).await;
        until(|| pipes.status(other).messages_in == 1 || running.is_finished()).await;
        assert!(pipes.shared.budget.bytes() <= 300_000);
        kept.push((raw, running));
    }
    // One was handed over, five wait, and three were too much.
    until(|| kept.iter().filter(|(_, running)| running.is_finished()).count() == 3).await;
    for _ in 0..6 {
        assert_eq!(within(pipes.arrivals.recv()).await.unwrap().bytes.len(), 60_000);
    }
    assert_eq!(pipes.shared.budget.bytes(), 0);
}

#[tokio::test]
async fn when_room_runs_out_the_greediest_link_is_cut_and_the_others_are_not() {
    let bounds = Bounds { partial_bytes_all_max: 1_000_000, ..Bounds::default() };
    let mut pipes = Pipes::new(0, bounds);
    let (mut greedy, greedy_runs) = pipes.raw(1, PIPE).await;
    let (mut modest, modest_runs) = pipes.raw(2, PIPE).await;
    let starts = |bytes: u32| [&[1], &bytes.to_le_bytes()[..], &[0; 65_514]].concat();
    let goes_on = [&[2], &[0; 65_518][..]].concat();
    let frame = modest.seal(&starts(200_000));
    modest.write(&frame).await;
    let frame = greedy.seal(&starts(60_000_000));
    greedy.write(&frame).await;
    let mut sent = 1;
    while !greedy_runs.is_finished() && sent < 1_000 {
        let frame = greedy.seal(&goes_on);
        greedy.write(&frame).await;
        assert!(pipes.shared.budget.bytes() <= 1_000_000);
        sent += 1;
    }
    let end = within(greedy_runs).await.unwrap();
    assert!(matches!(end, LinkEnd::Evicted { bytes: 400_000..=1_000_000 }), "{end}");
    let frame = modest.seal(&goes_on);
    modest.write(&frame).await;
    let last = [&[2], &vec![0; 200_000 - 65_514 - 65_518][..]].concat();
    for part in last[1..].chunks(65_518) {
        let frame = modest.seal(&[&[2], part].concat());
        modest.write(&frame).await;
    }
    assert_eq!(within(pipes.arrivals.recv()).await.unwrap().bytes.len(), 200_000);
    assert!(!modest_runs.is_finished());
}

#[tokio::test]
async fn what_does_not_fit_into_a_queue_is_dropped_and_counted_for_that_peer_alone() {
    let (listener, address) = listener().await;
    let bounds = Bounds { queue_bytes_max: 1_000_000, ..Bounds::default() };
    let node = start(5, vec![peer(1, ""), peer(2, "")], bounds, listener);
    let mut stuck = Raw::dial(&address, 1).await.unwrap();
    let mut prompt = Raw::dial(&address, 2).await.unwrap();
    linked(&node.mesh, [1, 2]).await;
    assert_eq!(within(prompt.receive()).await, Some(vec![0]));
    let sent = message(60_000, 4);
    // What the system holds for a socket comes before the queue fills.
    let mut queued = 0;
    let full = loop {
        match node.mesh.send(id(1), Arc::clone(&sent)) {
            Ok(()) => queued += 1,
            Err(full) => break full,
        }
        assert_eq!(node.mesh.send(id(2), Arc::clone(&sent)), Ok(()));
        let received = within(prompt.receive()).await.unwrap();
        assert!(received[5..] == *sent);
    };
    let (institution, bytes) = (id(1), 60_000);
    assert_eq!(full, SendError::Full { institution, bytes, queued: 16 * 60_064 });
    for _ in 0..9 {
        assert_eq!(node.mesh.send(id(1), Arc::clone(&sent)), Err(full));
    }
    let [one, two] = node.mesh.peers().try_into().unwrap();
    assert_eq!((one.dropped_full, two.dropped_full), (10, 0));
    assert_eq!((one.messages_out, two.messages_out), (queued - 16, queued));
    assert_eq!(node.mesh.counts().queued_bytes, 16 * 60_064);
    // It wakes up: all that was queued arrives, nothing that was dropped does, and there is room again.
    assert_eq!(within(stuck.receive()).await, Some(vec![0]));
    for _ in 0..queued {
        let received = within(stuck.receive()).await.unwrap();
        assert!(received[5..] == *sent);
    }
    until(|| node.mesh.counts().queued_bytes == 0).await;
    assert_eq!(node.mesh.send(id(1), message(1, 1)), Ok(()));
    assert_eq!(within(stuck.receive()).await.unwrap().len(), 6);
}
