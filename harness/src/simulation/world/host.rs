//! What the world asks of a node, and what a node asks of the world.

use std::fmt::Debug;
use std::rc::Rc;

/// Number of a node in its world. Two nodes may be the same institution: twins.
pub type Node = u16;

/// What travels.
pub trait Message {
    /// A word that follows from what the message says.
    fn mark(&self) -> u64;
}

/// To whom something goes.
#[derive(Clone, Debug)]
pub enum To {
    /// One institution.
    One(u32),
    /// Several institutions.
    Many(Rc<[u32]>),
}

impl To {
    /// Whether nobody is meant.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Many(many) if many.is_empty())
    }
}

/// What a node wants done, in order.
#[derive(Debug)]
pub enum Action<H: Host> {
    /// Write an entry; what follows happens only when it is on the disk.
    Append(H::Entry),
    /// Replace everything written by this state.
    Checkpoint(H::Checkpoint),
    /// Send.
    Send {
        /// To whom.
        to: To,
        /// What; stored once, however many get it.
        message: Rc<H::Message>,
    },
    /// Hand the timer back after so many milliseconds of the node's clock.
    Arm {
        /// The timer.
        timer: H::Timer,
        /// From now.
        after_ms: u32,
    },
    /// Something that a judge may look at.
    Observe(H::Observation),
}

/// One node, whatever it runs.
pub trait Host: Sized {
    /// What travels between nodes.
    type Message: Message;
    /// What is written.
    type Entry: Clone;
    /// What replaces everything written before.
    type Checkpoint: Clone;
    /// What comes back later.
    type Timer: Copy + Debug;
    /// What is observed.
    type Observation;

    /// Wakes up with what the disk holds. `is_whole` tells whether nothing that was written is missing;
    /// `after_crash` tells the first start from later ones.
    fn wake(
        &mut self,
        now_ms: u64,
        disk: &super::Disk<Self::Entry, Self::Checkpoint>,
        out: &mut Vec<Action<Self>>,
    );

    /// Everything that was not written is gone.
    fn fall(&mut self);

    /// A message came from an institution.
    fn hear(
        &mut self,
        now_ms: u64,
        from: u32,
        message: &Rc<Self::Message>,
        out: &mut Vec<Action<Self>>,
    );

    /// A timer came back.
    fn ring(&mut self, now_ms: u64, timer: Self::Timer, out: &mut Vec<Action<Self>>);

    /// Whether the timer still means anything; cheaper than [`Self::ring`].
    fn heeds(&self, _timer: &Self::Timer) -> bool {
        true
    }
}

/// The disk of a host.
pub(super) type Disk<H> = super::Disk<<H as Host>::Entry, <H as Host>::Checkpoint>;

/// Looks on.
pub trait Observer<H: Host> {
    /// A node sends.
    fn sent(&mut self, now_ms: u64, node: Node, to: &To, message: &Rc<H::Message>);
    /// A node has written an entry.
    fn wrote(&mut self, now_ms: u64, node: Node, entry: &H::Entry);
    /// A node lets something be seen.
    fn saw(&mut self, now_ms: u64, node: Node, observation: H::Observation);
    /// A node lost what it had written.
    fn lost(&mut self, _now_ms: u64, _node: Node) {}
}

/// How a node crashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crash {
    /// Between two events.
    Clean,
    /// While it writes: its next entry reaches the disk, and nothing behind it happens.
    AfterWrite,
    /// While it writes: its next entry is torn off. The log is whole without it.
    Torn,
    /// The disk acknowledged entries that it did not keep; the log shows that some are missing.
    LostSync,
}
