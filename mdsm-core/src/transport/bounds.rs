//! Bounds of memory and time for the links of a node, each with its reason.

use std::time::Duration;

use crate::params::LINK_MESSAGE_BYTES_MAX;

/// What links may take, and how long they wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes that wait to be sent to one peer.
    pub queue_bytes_max: usize,
    /// Bytes that wait to be sent to all; one that goes to several counts for each.
    pub queue_bytes_all_max: usize,
    /// Bytes of whole messages from one peer that the node has not taken and dropped yet; one message
    /// may always be there.
    pub arrival_bytes_max: usize,
    /// The same of all peers.
    pub arrival_bytes_all_max: usize,
    /// Bytes of messages that are not whole yet, or wait to be handed over, of all peers. Above it the
    /// link that holds most is cut, so that nobody can keep the others out.
    pub partial_bytes_all_max: usize,
    /// Connections in their handshake; above it the oldest gives way, so that nobody can keep the
    /// others out.
    pub pending_max: usize,
    /// Milliseconds for a connection and its handshake.
    pub handshake_ms: u32,
    /// Milliseconds after which a sign of life goes out when nothing else does.
    pub alive_ms: u32,
    /// Milliseconds in which one frame of the peer arrives, or its link ends.
    pub silence_ms: u32,
    /// Milliseconds in which the peer takes one frame, or its link ends.
    pub stall_ms: u32,
    /// Milliseconds until a link that could not be had is tried again; doubles each time ...
    pub redial_min_ms: u32,
    /// ... up to this. A link that lasted as long starts anew.
    pub redial_max_ms: u32,
    /// Milliseconds that a stop gives to what is queued.
    pub stop_ms: u32,
}

impl Default for Bounds {
    /// Two full turns of Items for a peer, sixteen for all; most times are about a turn, six seconds;
    /// three signs of life may fail to come before a peer counts as gone.
    fn default() -> Self {
        Self {
            queue_bytes_max: LINK_MESSAGE_BYTES_MAX,
            queue_bytes_all_max: 8 * LINK_MESSAGE_BYTES_MAX,
            arrival_bytes_max: LINK_MESSAGE_BYTES_MAX / 2,
            arrival_bytes_all_max: 4 * LINK_MESSAGE_BYTES_MAX,
            partial_bytes_all_max: 8 * LINK_MESSAGE_BYTES_MAX,
            pending_max: 256,
            handshake_ms: 5_000,
            alive_ms: 4_000,
            silence_ms: 15_000,
            stall_ms: 30_000,
            redial_min_ms: 100,
            redial_max_ms: 5_000,
            stop_ms: 1_000,
        }
    }
}

pub(super) fn ms(ms: u32) -> Duration {
    Duration::from_millis(u64::from(ms))
}
