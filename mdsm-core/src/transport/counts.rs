//! What links count, for metrics.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use super::error::LinkEnd;
use crate::types::InstitutionId;

/// Numbers of a whole node since its start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Connections that came in, from anybody.
    pub accepted: u64,
    /// Connections that are in their handshake now.
    pub pending: usize,
    /// Bytes that wait to be sent now, over all links.
    pub queued_bytes: usize,
    /// Connections and links that ended, by [`LinkEnd::name`].
    pub ends: BTreeMap<&'static str, u64>,
}

/// One peer since the start of the node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerStatus {
    /// Who.
    pub institution: InstitutionId,
    /// Whether there is a link now.
    pub is_linked: bool,
    /// Links so far.
    pub links: u64,
    /// Messages that arrived whole.
    pub messages_in: u64,
    /// Their bytes.
    pub bytes_in: u64,
    /// Messages that left.
    pub messages_out: u64,
    /// Their bytes.
    pub bytes_out: u64,
    /// Messages dropped because they did not fit into the queue.
    pub dropped_full: u64,
    /// Messages dropped because there was no link.
    pub dropped_unlinked: u64,
    /// Messages dropped because the link ended before they had left.
    pub dropped_cut: u64,
    /// How the last link, or the last attempt to have one, ended.
    pub last_end: Option<LinkEnd>,
}

/// A number that only grows.
#[derive(Debug, Default)]
pub(super) struct Counter(AtomicU64);

impl Counter {
    pub(super) fn add(&self, more: usize) {
        self.0.fetch_add(u64::try_from(more).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What is counted of one peer.
#[derive(Debug, Default)]
pub(super) struct PeerCounters {
    pub(super) links: Counter,
    pub(super) messages_in: Counter,
    pub(super) bytes_in: Counter,
    pub(super) messages_out: Counter,
    pub(super) bytes_out: Counter,
    pub(super) dropped_full: Counter,
    pub(super) dropped_unlinked: Counter,
    pub(super) dropped_cut: Counter,
}
