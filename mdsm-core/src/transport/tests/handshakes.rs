//! Who gets in, and who does not.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::super::error::LinkEnd;
use super::super::handshake::{Side, dial};
use super::raw::Raw;
use super::*;

/// Node 5 on a socket, which 1, 2, 3 dial; nobody listens at their addresses.
async fn acceptor(bounds: Bounds) -> (TestNode, String) {
    let (listener, address) = listener().await;
    let peers = [1, 2, 3].map(|other| peer(other, "127.0.0.1:1")).to_vec();
    (start(5, peers, bounds, listener), address)
}

async fn read_to_end(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _ = within(stream.read_to_end(&mut bytes)).await;
    bytes
}

#[tokio::test]
async fn a_key_that_is_not_enrolled_does_not_get_in() {
    let (node, address) = acceptor(Bounds::default()).await;
    let mut stranger = Raw::dial(&address, 4).await.unwrap();
    assert_eq!(within(stranger.receive()).await, None, "no welcome");
    until(|| ends(&node.mesh, "unknown_key") == 1).await;
    let mut known = Raw::dial(&address, 1).await.unwrap();
    assert_eq!(within(known.receive()).await, Some(vec![0]));
    linked(&node.mesh, [1]).await;
}

#[tokio::test]
async fn nobody_dials_where_it_is_dialled() {
    let (listener, address) = listener().await;
    let node = start(5, vec![peer(6, "127.0.0.1:1")], Bounds::default(), listener);
    let mut wrong = Raw::dial(&address, 6).await.unwrap();
    assert_eq!(within(wrong.receive()).await, None);
    until(|| ends(&node.mesh, "wrong_side") == 1).await;
    assert_eq!(node.mesh.peers()[0].links, 0);
}

#[tokio::test]
async fn another_institution_that_answers_is_no_link() {
    let bounds = Bounds { redial_min_ms: 1, ..Bounds::default() };
    let (at_2, address) = listener().await;
    let (at_1, _) = listener().await;
    // 1 believes that 3 is where 2 is; all three are enrolled.
    let node = start(1, vec![peer(2, "127.0.0.1:1"), peer(3, &address)], bounds, at_1);
    let other = start(2, vec![peer(1, ""), peer(3, "127.0.0.1:1")], bounds, at_2);
    until(|| ends(&node.mesh, "wrong_key") >= 1).await;
    let status = node.mesh.peers()[1].clone();
    let (dialled, key) = (id(3), secret(2).public());
    assert_eq!((status.links, status.last_end), (0, Some(LinkEnd::WrongKey { dialled, key })));
    until(|| ends(&other.mesh, "truncated") + ends(&other.mesh, "io") >= 1).await;
    assert_eq!(other.mesh.peers()[0].links, 0, "the dialler did not show who it is");
}

#[tokio::test]
async fn another_chain_is_another_network() {
    let (node, address) = acceptor(Bounds::default()).await;
    let mut stream = TcpStream::connect(&address).await.unwrap();
    let secret = secret(1);
    let side = Side { secret: &secret, chain: ChainId::new([8; 32]) };
    let end = within(dial(&mut stream, side, |_| Ok(()))).await.unwrap_err();
    assert_eq!(end, LinkEnd::Handshake { number: 2 });
    drop(stream);
    until(|| ends(&node.mesh, "truncated") == 1).await;
}

/// Passes bytes on both ways and keeps what the dialler sent.
async fn recorded(address: &str, me: usize) -> Vec<u8> {
    let (mut near, mut far) = tokio::io::duplex(4_096);
    let address = address.to_owned();
    let relay = tokio::spawn(async move {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let mut sent = vec![0; 34];
        far.read_exact(&mut sent).await.unwrap();
        stream.write_all(&sent).await.unwrap();
        let mut answer = [0; 98];
        stream.read_exact(&mut answer).await.unwrap();
        far.write_all(&answer).await.unwrap();
        let mut third = vec![0; 66];
        far.read_exact(&mut third).await.unwrap();
        stream.write_all(&third).await.unwrap();
        // The welcome says that what was recorded was good.
        assert_eq!(stream.read_u16_le().await.unwrap(), 17);
        sent.extend(third);
        sent
    });
    let secret = secret(me);
    let side = Side { secret: &secret, chain: CHAIN };
    within(dial(&mut near, side, |_| Ok(()))).await.unwrap();
    relay.await.unwrap()
}

#[tokio::test]
async fn a_handshake_that_is_replayed_opens_nothing() {
    let (node, address) = acceptor(Bounds::default()).await;
    let sent = within(recorded(&address, 1)).await;
    linked(&node.mesh, []).await;
    assert_eq!(node.mesh.peers()[0].links, 1);
    let mut stream = TcpStream::connect(&address).await.unwrap();
    stream.write_all(&sent).await.unwrap();
    assert_eq!(read_to_end(&mut stream).await.len(), 98, "the second message and nothing else");
    until(|| ends(&node.mesh, "handshake") == 1).await;
    assert_eq!(node.mesh.peers()[0].links, 1);
}

#[tokio::test]
async fn bytes_that_are_no_handshake_end_it() {
    let (node, address) = acceptor(Bounds::default()).await;
    let mut rng = ChaCha20Rng::seed_from_u64(6);
    for round in 0..600_u64 {
        let mut bytes = vec![0; usize::try_from(rng.next_u32() % 200).unwrap()];
        rng.fill_bytes(&mut bytes);
        // Half of them get as far as the second message.
        if round % 2 == 0 && bytes.len() > 36 {
            bytes[..2].copy_from_slice(&32_u16.to_le_bytes());
            bytes[34..36].copy_from_slice(&64_u16.to_le_bytes());
        }
        let mut stream = TcpStream::connect(&address).await.unwrap();
        let _ = stream.write_all(&bytes).await;
        let _ = stream.shutdown().await;
        read_to_end(&mut stream).await;
        until(|| node.mesh.counts().ends.values().sum::<u64>() == round + 1).await;
    }
    let ends = node.mesh.counts().ends;
    let expected = ["handshake", "handshake_length", "truncated"];
    assert!(ends.keys().all(|end| expected.contains(end)), "{ends:?}");
    assert_eq!(ends.len(), expected.len(), "{ends:?}");
    assert!(node.mesh.peers().iter().all(|peer| peer.links == 0));
    assert_eq!(node.mesh.counts().pending, 0);
}

#[tokio::test]
async fn of_two_links_the_one_accepted_later_stays() {
    let (mut node, address) = acceptor(Bounds::default()).await;
    let mut earlier = Raw::dial(&address, 1).await.unwrap();
    assert_eq!(within(earlier.receive()).await, Some(vec![0]));
    // Connected now, but in its handshake until a third one has passed it.
    let between = TcpStream::connect(&address).await.unwrap();
    until(|| node.mesh.counts().pending == 1).await;
    let mut later = Raw::dial(&address, 1).await.unwrap();
    assert_eq!(within(later.receive()).await, Some(vec![0]));
    within(earlier.closed()).await;
    let mut between = within(Raw::greet(between, 1)).await.unwrap();
    assert_eq!(within(between.receive()).await, None, "came before the one that is there");
    until(|| ends(&node.mesh, "replaced") == 2).await;
    linked(&node.mesh, [1]).await;
    later.send(b"still here").await;
    assert_eq!(within(node.arrivals.recv()).await.unwrap().bytes, b"still here");
}

#[tokio::test]
async fn whoever_is_silent_in_the_handshake_is_left() {
    let bounds = Bounds { handshake_ms: 20, ..Bounds::default() };
    let (node, address) = acceptor(bounds).await;
    let mut silent = TcpStream::connect(&address).await.unwrap();
    assert!(read_to_end(&mut silent).await.is_empty());
    // Stops after its first message.
    let mut halfway = TcpStream::connect(&address).await.unwrap();
    let mut first = vec![32, 0];
    first.extend([9; 32]);
    halfway.write_all(&first).await.unwrap();
    assert_eq!(read_to_end(&mut halfway).await.len(), 98);
    until(|| ends(&node.mesh, "handshake_timeout") == 2).await;
    // The same where this node dials: somebody accepts and says nothing.
    let (mute, at) = listener().await;
    let (own, _) = listener().await;
    let dialler = start(1, vec![peer(2, &at)], bounds, own);
    let (mut stream, _) = within(mute.accept()).await.unwrap();
    assert_eq!(read_to_end(&mut stream).await.len(), 34);
    until(|| ends(&dialler.mesh, "handshake_timeout") >= 1).await;
}

#[tokio::test]
async fn a_crowd_of_silent_connections_keeps_nobody_out() {
    let (node, address) = acceptor(Bounds { pending_max: 4, ..Bounds::default() }).await;
    let mut crowd = Vec::new();
    for count in 1..=50 {
        crowd.push(TcpStream::connect(&address).await.unwrap());
        until(|| node.mesh.counts().accepted == count).await;
        assert!(node.mesh.counts().pending <= 4);
    }
    until(|| ends(&node.mesh, "crowded") == 46).await;
    for early in &mut crowd[..46] {
        assert!(read_to_end(early).await.is_empty());
    }
    let mut known = within(Raw::dial(&address, 2)).await.unwrap();
    assert_eq!(within(known.receive()).await, Some(vec![0]));
    linked(&node.mesh, [2]).await;
}
