//! Frames become messages again, and memory for that has a bound.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use super::error::{FrameFault, LinkEnd};
use super::frame::{Frame, MORE_PART_MAX, START_PART_MAX};
use crate::params::LINK_MESSAGE_BYTES_MAX;
use crate::types::InstitutionId;

/// Bytes that a message takes in a queue beside its own, so that empty ones have a bound too.
pub(super) const OVERHEAD_BYTES: usize = 64;

/// A message that arrived whole, over an authenticated link.
#[derive(Debug)]
pub struct Arrival {
    /// Who sent it.
    pub from: InstitutionId,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Gives the room for the next message back when it is dropped.
    pub room: Room,
}

/// Room that a whole message takes until the node has dropped it.
#[derive(Debug)]
pub struct Room {
    _of_peer: OwnedSemaphorePermit,
    _of_all: OwnedSemaphorePermit,
}

/// Room for whole messages, of a peer or of all.
#[derive(Clone, Debug)]
pub(super) struct Rooms {
    semaphore: Arc<Semaphore>,
    bytes_max: u32,
}

impl Rooms {
    pub(super) fn new(bytes_max: usize) -> Self {
        let bytes_max = u32::try_from(bytes_max).unwrap_or(u32::MAX).max(1);
        let permits = usize::try_from(bytes_max).unwrap_or(usize::MAX);
        Self { semaphore: Arc::new(Semaphore::new(permits.min(Semaphore::MAX_PERMITS))), bytes_max }
    }

    /// Waits for the room of a message; one that is larger than all takes all.
    async fn take(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let bytes = u32::try_from(bytes + OVERHEAD_BYTES).unwrap_or(u32::MAX).min(self.bytes_max);
        Arc::clone(&self.semaphore).acquire_many_owned(bytes).await.ok()
    }
}

/// Waits until a peer's message has room beside its others and those of all; first come first
/// served, so that a loud peer cannot keep a quiet one out. `None` never comes: nobody closes rooms.
pub(super) async fn room(of_peer: &Rooms, of_all: &Rooms, bytes: usize) -> Option<Room> {
    let of_peer = of_peer.take(bytes).await?;
    let of_all = of_all.take(bytes).await?;
    Some(Room { _of_peer: of_peer, _of_all: of_all })
}

/// Memory for messages that are not handed over yet, of all links.
#[derive(Debug)]
pub(super) struct Budget {
    bytes_max: usize,
    links: Mutex<Links>,
}

#[derive(Debug, Default)]
struct Links {
    bytes: usize,
    held: BTreeMap<u64, Held>,
}

#[derive(Debug)]
struct Held {
    bytes: usize,
    evicted: Arc<Notify>,
}

impl Budget {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self { bytes_max, links: Mutex::default() }
    }

    /// Bytes held now.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        self.lock().bytes
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Links> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets what a link holds; false when it is, or was, cut for it.
    fn set(&self, link: u64, bytes: usize) -> bool {
        let mut links = self.lock();
        let Some(held) = links.held.get_mut(&link) else { return false };
        let before = std::mem::replace(&mut held.bytes, bytes);
        links.bytes = links.bytes - before + bytes;
        while links.bytes > self.bytes_max {
            let largest = links.held.iter().max_by_key(|(_, held)| held.bytes);
            let Some((&largest, _)) = largest else { break };
            if let Some(held) = links.held.remove(&largest) {
                links.bytes -= held.bytes;
                held.evicted.notify_one();
            }
        }
        links.held.contains_key(&link)
    }
}

/// One link's part in the budget; given back on drop.
#[derive(Debug)]
struct Share {
    budget: Arc<Budget>,
    link: u64,
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut links = self.budget.lock();
        if let Some(held) = links.held.remove(&self.link) {
            links.bytes -= held.bytes;
        }
    }
}

/// The message that is under way on one link.
#[derive(Debug)]
pub(super) struct Assembler {
    share: Share,
    evicted: Arc<Notify>,
    bytes: Vec<u8>,
    /// How long it will be.
    expected: Option<usize>,
}

impl Assembler {
    /// `link` is a number that no other link of the node has.
    pub(super) fn new(budget: &Arc<Budget>, link: u64) -> Self {
        let evicted = Arc::new(Notify::new());
        let held = Held { bytes: 0, evicted: Arc::clone(&evicted) };
        budget.lock().held.insert(link, held);
        let share = Share { budget: Arc::clone(budget), link };
        Self { share, evicted, bytes: Vec::new(), expected: None }
    }

    /// Becomes ready when the link is to be cut for want of room.
    pub(super) fn evicted(&self) -> Arc<Notify> {
        Arc::clone(&self.evicted)
    }

    /// Why it was cut.
    pub(super) fn eviction(&self) -> LinkEnd {
        LinkEnd::Evicted { bytes: self.bytes.len() }
    }

    /// Takes a frame; true when a message is whole. `frame` is the frame's number.
    pub(super) fn take(&mut self, content: Frame<'_>, frame: u64) -> Result<bool, LinkEnd> {
        let fault = |what| LinkEnd::Frame { frame, what };
        let (part, expected, part_max) = match (content, self.expected) {
            (Frame::Alive, None) => return Ok(false),
            (Frame::Start { bytes, part }, None) => {
                let too_large = FrameFault::TooLarge {
                    bytes: u64::from(bytes),
                    bytes_max: LINK_MESSAGE_BYTES_MAX,
                };
                let expected = usize::try_from(bytes).map_err(|_| fault(too_large))?;
                if expected > LINK_MESSAGE_BYTES_MAX {
                    return Err(fault(too_large));
                }
                (part, expected, START_PART_MAX)
            }
            (Frame::More { part }, Some(expected)) => (part, expected, MORE_PART_MAX),
            _ => return Err(fault(FrameFault::Order)),
        };
        let bytes_expected = (expected - self.bytes.len()).min(part_max);
        if part.len() != bytes_expected {
            return Err(fault(FrameFault::Part { bytes: part.len(), bytes_expected }));
        }
        self.expected = Some(expected);
        let bytes = self.bytes.len() + part.len();
        let mut capacity = self.bytes.capacity();
        if bytes > capacity {
            // Doubles as it fills, never past its end: at most twice what has arrived.
            capacity = bytes.max(2 * capacity).min(expected);
        }
        if !self.share.budget.set(self.share.link, capacity) {
            return Err(self.eviction());
        }
        self.bytes.reserve_exact(capacity - self.bytes.len());
        self.bytes.extend_from_slice(part);
        Ok(bytes == expected)
    }

    /// The whole message. Its bytes stay with this link until [`Assembler::handed_over`].
    pub(super) fn whole(&mut self) -> Vec<u8> {
        self.expected = None;
        let bytes = std::mem::take(&mut self.bytes);
        self.share.budget.set(self.share.link, bytes.len());
        bytes
    }

    /// The node has it.
    pub(super) fn handed_over(&mut self) {
        self.share.budget.set(self.share.link, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(bytes: usize, part: &[u8]) -> Frame<'_> {
        Frame::Start { bytes: u32::try_from(bytes).unwrap(), part }
    }

    /// Feeds a message cut as the writer cuts it, but for `last` bytes.
    fn feed(assembler: &mut Assembler, message: &[u8], last: usize) -> Result<bool, LinkEnd> {
        let (first, mut rest) = message.split_at(message.len().min(START_PART_MAX));
        let mut is_whole = assembler.take(start(message.len(), first), 0)?;
        while rest.len() > last {
            let (part, behind) = rest.split_at(rest.len().min(MORE_PART_MAX));
            is_whole = assembler.take(Frame::More { part }, 1)?;
            rest = behind;
        }
        Ok(is_whole)
    }

    #[test]
    fn messages_of_every_awkward_length_come_out_as_they_went_in() {
        let budget = Arc::new(Budget::new(1 << 20));
        let mut assembler = Assembler::new(&budget, 0);
        let lengths = [0, 1, START_PART_MAX - 1, START_PART_MAX, START_PART_MAX + 1];
        let more = [START_PART_MAX + MORE_PART_MAX, START_PART_MAX + MORE_PART_MAX + 1, 300_000];
        for length in lengths.into_iter().chain(more) {
            let message: Vec<u8> = (0..=250).cycle().take(length).collect();
            assert_eq!(feed(&mut assembler, &message, 0), Ok(true), "{length}");
            let whole = assembler.whole();
            assert_eq!(whole, message, "{length}");
            assert_eq!((budget.bytes(), whole.capacity()), (length, length));
            assembler.handed_over();
            assert_eq!(budget.bytes(), 0);
        }
        drop(assembler);
        assert!(budget.lock().held.is_empty());
    }

    #[test]
    fn memory_grows_with_what_arrived_and_not_with_what_was_announced() {
        let budget = Arc::new(Budget::new(usize::MAX));
        let mut assembler = Assembler::new(&budget, 0);
        let part = [7; MORE_PART_MAX];
        assert_eq!(
            assembler.take(start(LINK_MESSAGE_BYTES_MAX, &part[..START_PART_MAX]), 0),
            Ok(false)
        );
        for frames in 1..=100 {
            let arrived = assembler.bytes.len();
            assert!(assembler.bytes.capacity() <= 2 * arrived, "{frames} frames");
            assert_eq!(assembler.bytes.capacity(), budget.bytes());
            assert_eq!(assembler.take(Frame::More { part: &part }, frames), Ok(false));
        }
    }

    #[test]
    fn what_is_no_part_of_a_message_is_refused() {
        let refused = |frames: &[Frame<'_>]| {
            let mut assembler = Assembler::new(&Arc::new(Budget::new(usize::MAX)), 0);
            let (last, before) = frames.split_last().unwrap();
            for frame in before {
                assert_eq!(assembler.take(*frame, 8), Ok(false));
            }
            match assembler.take(*last, 9) {
                Err(LinkEnd::Frame { frame: 9, what }) => what,
                other => panic!("{other:?}"),
            }
        };
        let full = [0; MORE_PART_MAX];
        let first = start(100_000, &full[..START_PART_MAX]);
        let rest = 100_000 - START_PART_MAX;
        let part = |bytes, bytes_expected| FrameFault::Part { bytes, bytes_expected };
        assert_eq!(refused(&[start(3, &[1, 2])]), part(2, 3));
        assert_eq!(refused(&[start(1, &[1, 2])]), part(2, 1));
        assert_eq!(refused(&[start(100_000, &full[1..START_PART_MAX])]), part(65_513, 65_514));
        assert_eq!(refused(&[first, Frame::More { part: &[] }]), part(0, rest));
        assert_eq!(
            refused(&[first, Frame::More { part: &full[..rest - 1] }]),
            part(rest - 1, rest)
        );
        assert_eq!(refused(&[first, Frame::More { part: &full }]), part(MORE_PART_MAX, rest));
        assert_eq!(refused(&[Frame::More { part: &[1] }]), FrameFault::Order);
        assert_eq!(refused(&[first, first]), FrameFault::Order);
        assert_eq!(refused(&[first, Frame::Alive]), FrameFault::Order);
        let bytes_max = LINK_MESSAGE_BYTES_MAX;
        assert_eq!(
            refused(&[start(bytes_max + 1, &full[..START_PART_MAX])]),
            FrameFault::TooLarge { bytes: 67_108_865, bytes_max }
        );
    }

    #[test]
    fn when_room_runs_out_the_largest_message_goes() {
        let budget = Arc::new(Budget::new(700_000));
        let [mut large, mut small, mut whole] = [0, 1, 2].map(|n| Assembler::new(&budget, n));
        assert_eq!(feed(&mut whole, &[2; 130_000], 0), Ok(true));
        let bytes = whole.whole();
        // Room for 524,128 bytes, of which 262,068 have arrived; 45,872 are left for all others.
        assert_eq!(feed(&mut large, &vec![0; 1_000_000], 800_000), Ok(false));
        assert_eq!((budget.bytes(), large.bytes.len()), (654_128, 262_068));
        let held = large.bytes.len();
        assert_eq!(feed(&mut small, &[1; 60_000], 0), Ok(true));
        assert_eq!(small.whole().len(), 60_000);
        let end = large.take(Frame::More { part: &[0; MORE_PART_MAX] }, 9);
        assert_eq!(end, Err(LinkEnd::Evicted { bytes: held }));
        assert_eq!((budget.bytes(), bytes.len()), (190_000, 130_000));
    }
}
