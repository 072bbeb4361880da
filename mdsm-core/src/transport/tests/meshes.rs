//! Nodes on sockets.

use std::collections::BTreeMap;

use tokio::net::TcpListener;
use tokio::runtime::Handle;

use super::super::error::{SendError, StartError};
use super::super::{Bounds, Mesh};
use super::*;
use crate::params::LINK_MESSAGE_BYTES_MAX;
use crate::types::LinkPublic;

#[tokio::test]
async fn everybody_hears_everybody_in_order() {
    const NODES: usize = 8;
    const MESSAGES: usize = 40;
    let mut nodes = network(NODES, Bounds::default()).await;
    for (me, node) in nodes.iter().enumerate() {
        linked(&node.mesh, (0..NODES).filter(|other| *other != me)).await;
    }
    let length = |number: usize| number * number * 97 % 150_000;
    for (me, node) in nodes.iter().enumerate() {
        for number in 0..MESSAGES {
            for other in (0..NODES).filter(|other| *other != me) {
                let sent = node.mesh.send(id(other), message(length(number), me + number));
                assert_eq!(sent, Ok(()));
            }
        }
    }
    for (me, node) in nodes.iter_mut().enumerate() {
        let mut next: BTreeMap<_, usize> = BTreeMap::new();
        for _ in 0..(NODES - 1) * MESSAGES {
            let arrival = within(node.arrivals.recv()).await.unwrap();
            let number = next.entry(arrival.from).or_default();
            let from = usize::try_from(arrival.from.get()).unwrap();
            assert_eq!(*arrival.bytes, *message(length(*number), from + *number));
            *number += 1;
        }
        assert_eq!(next.len(), NODES - 1);
        assert!(!next.contains_key(&id(me)));
    }
    for (me, node) in nodes.into_iter().enumerate() {
        for status in node.mesh.peers() {
            let expected = (0..MESSAGES).map(length).sum::<usize>() as u64;
            assert_eq!((status.messages_in, status.bytes_in), (MESSAGES as u64, expected));
            assert_eq!(status.links, 1, "{me}: one link for a pair: {status:?}");
        }
        within(node.mesh.stop()).await;
    }
}

#[tokio::test]
async fn the_longest_message_passes_and_a_longer_one_is_not_queued() {
    let bounds = Bounds { queue_bytes_max: 2 * LINK_MESSAGE_BYTES_MAX, ..Bounds::default() };
    let mut nodes = network(2, bounds).await;
    linked(&nodes[0].mesh, [1]).await;
    let longest = message(LINK_MESSAGE_BYTES_MAX, 3);
    assert_eq!(nodes[0].mesh.send(id(1), Arc::clone(&longest)), Ok(()));
    let (bytes, bytes_max) = (LINK_MESSAGE_BYTES_MAX + 1, LINK_MESSAGE_BYTES_MAX);
    assert_eq!(
        nodes[0].mesh.send(id(1), message(bytes, 3)),
        Err(SendError::TooLarge { bytes, bytes_max })
    );
    let arrival = within(nodes[1].arrivals.recv()).await.unwrap();
    assert!(*arrival.bytes == *longest);
    let institution = id(5);
    assert_eq!(
        nodes[0].mesh.send(institution, message(1, 1)),
        Err(SendError::Unknown { institution })
    );
}

#[tokio::test]
async fn one_node_has_120_links_at_once() {
    const OTHERS: usize = 120;
    // In the middle: it dials half of them, and half of them dial it.
    const ME: usize = 60;
    let (own, address) = listener().await;
    let mut peers = Vec::new();
    let mut nodes = Vec::new();
    for other in (0..=OTHERS).filter(|other| *other != ME) {
        let (listener, at) = listener().await;
        nodes.push(start(other, vec![peer(ME, &address)], Bounds::default(), listener));
        peers.push(peer(other, &at));
    }
    let mut hub = start(ME, peers, Bounds::default(), own);
    linked(&hub.mesh, (0..=OTHERS).filter(|other| *other != ME)).await;
    let sent = message(10_000, 1);
    for status in hub.mesh.peers() {
        assert_eq!(hub.mesh.send(status.institution, Arc::clone(&sent)), Ok(()));
    }
    for node in &mut nodes {
        let arrival = within(node.arrivals.recv()).await.unwrap();
        assert!(arrival.from == id(ME) && *arrival.bytes == *sent);
        assert_eq!(node.mesh.send(id(ME), Arc::clone(&sent)), Ok(()));
    }
    let mut heard = BTreeSet::new();
    for _ in 0..OTHERS {
        heard.insert(within(hub.arrivals.recv()).await.unwrap().from);
    }
    assert_eq!(heard.len(), OTHERS);
}

#[tokio::test]
async fn a_peer_that_restarts_is_reached_again() {
    for restarting in [0, 1] {
        let staying = 1 - restarting;
        let bounds = Bounds { redial_min_ms: 1, redial_max_ms: 20, ..Bounds::default() };
        let mut nodes = network(2, bounds).await;
        linked(&nodes[staying].mesh, [restarting]).await;
        let stopped = nodes.remove(restarting);
        let mut node = nodes.remove(0);
        let address = stopped.mesh.address();
        within(stopped.mesh.stop()).await;
        linked(&node.mesh, []).await;
        let institution = id(restarting);
        assert_eq!(
            node.mesh.send(institution, message(1, 1)),
            Err(SendError::Unlinked { institution })
        );
        let listener = TcpListener::bind(address).await.unwrap();
        let peers = vec![peer(staying, &node.mesh.address().to_string())];
        let again = start(restarting, peers, bounds, listener);
        linked(&node.mesh, [restarting]).await;
        linked(&again.mesh, [staying]).await;
        assert_eq!(again.mesh.send(id(staying), message(9, 9)), Ok(()));
        assert_eq!(*within(node.arrivals.recv()).await.unwrap().bytes, *message(9, 9));
        let status = &node.mesh.peers()[0];
        assert_eq!((status.links, status.dropped_unlinked), (2, 1));
    }
}

#[tokio::test]
async fn a_stop_sends_what_is_queued_and_leaves_no_task() {
    let tasks = || Handle::current().metrics().num_alive_tasks();
    let before = tasks();
    let mut nodes = network(4, Bounds::default()).await;
    for (me, node) in nodes.iter().enumerate() {
        linked(&node.mesh, (0..4).filter(|other| *other != me)).await;
    }
    // Connections that never say anything are tasks too.
    let silent = tokio::net::TcpStream::connect(nodes[0].mesh.address()).await.unwrap();
    until(|| nodes[0].mesh.counts().pending == 1).await;
    let first = nodes.remove(0);
    let sent = message(1_000_000, 2);
    for _ in 0..3 {
        assert_eq!(first.mesh.send(id(1), Arc::clone(&sent)), Ok(()));
    }
    within(first.mesh.stop()).await;
    for _ in 0..3 {
        assert!(*within(nodes[0].arrivals.recv()).await.unwrap().bytes == *sent);
    }
    for node in nodes {
        within(node.mesh.stop()).await;
    }
    assert_eq!(tasks(), before);
    drop(silent);
}

#[tokio::test]
async fn a_mesh_that_is_dropped_ends_too() {
    let mut nodes = network(2, Bounds::default()).await;
    linked(&nodes[0].mesh, [1]).await;
    let before = Handle::current().metrics().num_alive_tasks();
    drop(nodes.pop());
    linked(&nodes[0].mesh, []).await;
    until(|| Handle::current().metrics().num_alive_tasks() < before).await;
}

#[tokio::test]
async fn peers_that_are_no_others_are_refused() {
    let refused = async |peers| {
        let (listener, _) = listener().await;
        let (sender, _) = mpsc::channel(1);
        Mesh::start(config(3, peers, Bounds::default()), listener, sender).unwrap_err()
    };
    let institution = id(3);
    assert_eq!(refused(vec![peer(3, "")]).await, StartError::Myself { institution });
    let mut mine = peer(4, "");
    mine.link = secret(3).public();
    let institution = id(4);
    assert_eq!(refused(vec![mine.clone()]).await, StartError::Myself { institution });
    assert_eq!(refused(vec![peer(4, ""), peer(4, "")]).await, StartError::Twice { institution });
    mine.link = secret(5).public();
    assert_eq!(refused(vec![peer(5, ""), mine.clone()]).await, StartError::Twice { institution });
    mine.link = LinkPublic::new([0; 32]);
    assert_eq!(refused(vec![mine]).await, StartError::SmallOrder { institution });
}
