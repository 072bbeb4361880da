//! Who is enrolled, and over which link each is reached now.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{oneshot, watch};

use super::assembly::Rooms;
use super::bounds::Bounds;
use super::counts::{PeerCounters, PeerStatus};
use super::error::{LinkEnd, SendError, StartError};
use super::key::is_small_order;
use super::mesh::Peer;
use super::outbox::{Outbox, PushError};
use crate::params::LINK_MESSAGE_BYTES_MAX;
use crate::types::{InstitutionId, LinkPublic};

/// All peers.
#[derive(Debug)]
pub(super) struct Table {
    slots: BTreeMap<InstitutionId, Arc<Slot>>,
    by_key: BTreeMap<LinkPublic, InstitutionId>,
    linked: watch::Sender<BTreeSet<InstitutionId>>,
}

/// One peer.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) peer: Peer,
    pub(super) counters: PeerCounters,
    pub(super) arrivals: Rooms,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    link: Option<Current>,
    last_end: Option<LinkEnd>,
}

/// The link over which a peer is reached.
#[derive(Debug)]
struct Current {
    number: u64,
    outbox: Arc<Outbox>,
    /// Dropped when another link takes its place.
    _replace: oneshot::Sender<()>,
}

impl Slot {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn note(&self, end: &LinkEnd) {
        self.lock().last_end = Some(end.clone());
    }

    fn status(&self) -> PeerStatus {
        let counters = &self.counters;
        let state = self.lock();
        PeerStatus {
            institution: self.peer.institution,
            is_linked: state.link.is_some(),
            links: counters.links.get(),
            messages_in: counters.messages_in.get(),
            bytes_in: counters.bytes_in.get(),
            messages_out: counters.messages_out.get(),
            bytes_out: counters.bytes_out.get(),
            dropped_full: counters.dropped_full.get(),
            dropped_unlinked: counters.dropped_unlinked.get(),
            dropped_cut: counters.dropped_cut.get(),
            last_end: state.last_end.clone(),
        }
    }
}

impl Table {
    pub(super) fn new(
        (me, key): (InstitutionId, LinkPublic),
        peers: Vec<Peer>,
        bounds: &Bounds,
    ) -> Result<Self, StartError> {
        let (mut slots, mut by_key) = (BTreeMap::new(), BTreeMap::new());
        for peer in peers {
            let institution = peer.institution;
            if institution == me || peer.link == key {
                return Err(StartError::Myself { institution });
            }
            if is_small_order(&peer.link) {
                return Err(StartError::SmallOrder { institution });
            }
            let is_known = by_key.insert(peer.link, institution).is_some();
            let slot = Slot {
                peer,
                counters: PeerCounters::default(),
                arrivals: Rooms::new(bounds.arrival_bytes_max),
                state: Mutex::default(),
            };
            if slots.insert(institution, Arc::new(slot)).is_some() || is_known {
                return Err(StartError::Twice { institution });
            }
        }
        Ok(Self { slots, by_key, linked: watch::Sender::default() })
    }

    pub(super) fn slots(&self) -> impl Iterator<Item = &Arc<Slot>> {
        self.slots.values()
    }

    /// Whose key it is.
    pub(super) fn find(&self, key: &LinkPublic) -> Option<&Arc<Slot>> {
        self.slots.get(self.by_key.get(key)?)
    }

    pub(super) fn linked(&self) -> watch::Receiver<BTreeSet<InstitutionId>> {
        self.linked.subscribe()
    }

    pub(super) fn statuses(&self) -> Vec<PeerStatus> {
        self.slots().map(|slot| slot.status()).collect()
    }

    /// Makes a link the one over which its peer is reached, until the receiver is done. Of two, the
    /// one with the higher number stays, whichever of them finished its handshake first.
    pub(super) fn join(
        &self,
        slot: &Slot,
        number: u64,
        outbox: &Arc<Outbox>,
    ) -> Result<oneshot::Receiver<()>, LinkEnd> {
        let mut state = slot.lock();
        if state.link.as_ref().is_some_and(|link| link.number > number) {
            return Err(LinkEnd::Replaced);
        }
        let (replace, replaced) = oneshot::channel();
        state.link = Some(Current { number, outbox: Arc::clone(outbox), _replace: replace });
        slot.counters.links.add(1);
        self.linked.send_modify(|linked| {
            linked.insert(slot.peer.institution);
        });
        Ok(replaced)
    }

    /// A link has ended; another may have taken its place.
    pub(super) fn leave(&self, slot: &Slot, number: u64) {
        let mut state = slot.lock();
        if state.link.as_ref().is_some_and(|link| link.number == number) {
            state.link = None;
            self.linked.send_modify(|linked| {
                linked.remove(&slot.peer.institution);
            });
        }
    }

    /// Queues a message, or counts and says why it is dropped.
    pub(super) fn send(&self, to: InstitutionId, message: Arc<[u8]>) -> Result<(), SendError> {
        let (institution, bytes) = (to, message.len());
        if bytes > LINK_MESSAGE_BYTES_MAX {
            return Err(SendError::TooLarge { bytes, bytes_max: LINK_MESSAGE_BYTES_MAX });
        }
        let slot = self.slots.get(&to).ok_or(SendError::Unknown { institution })?;
        let outbox = slot.lock().link.as_ref().map(|link| Arc::clone(&link.outbox));
        match outbox.map_or(Err(PushError::Closed), |outbox| outbox.push(message)) {
            Ok(()) => Ok(()),
            Err(PushError::Closed) => {
                slot.counters.dropped_unlinked.add(1);
                Err(SendError::Unlinked { institution })
            }
            Err(PushError::Full(queued)) => {
                slot.counters.dropped_full.add(1);
                Err(SendError::Full { institution, bytes, queued })
            }
        }
    }
}
