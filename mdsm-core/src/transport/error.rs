//! How a link ends, and why a mesh does not start or a message does not go.

use std::io;

use thiserror::Error;

use crate::types::{InstitutionId, LinkPublic};

/// Why a connection or a link came to its end.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LinkEnd {
    /// The operating system said so.
    #[error("{what}: {message}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// Kind of the refusal.
        kind: io::ErrorKind,
        /// The refusal in the system's words.
        message: String,
    },
    /// The other side closed between two frames.
    #[error("closed by the other side")]
    Closed,
    /// The bytes end within a frame.
    #[error("closed by the other side within a frame")]
    Truncated,
    /// Connection or handshake took too long.
    #[error("no handshake within {ms} ms")]
    HandshakeTimeout {
        /// Milliseconds given.
        ms: u32,
    },
    /// Too many other connections came while this one was in its handshake.
    #[error("gave way to {pending_max} younger connections")]
    Crowded {
        /// Connections that may be in their handshake.
        pending_max: usize,
    },
    /// A message of the handshake has another length than it must have.
    #[error("message {number} of the handshake: {bytes} bytes where {bytes_expected} are expected")]
    HandshakeLength {
        /// Which, from 1.
        number: u8,
        /// Its bytes.
        bytes: usize,
        /// Those of every such message.
        bytes_expected: usize,
    },
    /// A message of the handshake does not open: damaged, replayed, or for another chain.
    #[error("message {number} of the handshake does not open")]
    Handshake {
        /// Which, from 1.
        number: u8,
    },
    /// A key that is not enrolled.
    #[error("key {key} is not enrolled")]
    UnknownKey {
        /// The key.
        key: LinkPublic,
    },
    /// Somebody else answered than was dialled.
    #[error("institution {dialled} was dialled and key {key} answered")]
    WrongKey {
        /// Whom this node dialled.
        dialled: InstitutionId,
        /// Who answered.
        key: LinkPublic,
    },
    /// It dialled where this node dials.
    #[error("institution {from} dialled although its id is higher")]
    WrongSide {
        /// Who dialled.
        from: InstitutionId,
    },
    /// A sealed frame does not open.
    #[error("frame {frame} does not open")]
    Sealed {
        /// Its number on this link, from 0.
        frame: u64,
    },
    /// A frame that opens and still is none.
    #[error("frame {frame}: {what}")]
    Frame {
        /// Its number on this link, from 0.
        frame: u64,
        /// What is wrong with it.
        what: FrameFault,
    },
    /// Nothing was heard for too long.
    #[error("no frame within {ms} ms")]
    Silent {
        /// Milliseconds given.
        ms: u32,
    },
    /// The other side did not take a frame for too long.
    #[error("no frame was taken within {ms} ms")]
    Stalled {
        /// Milliseconds given.
        ms: u32,
    },
    /// Its message that was not handed over yet was the largest when there was no more room.
    #[error("its message, {bytes} bytes so far, was the largest when room ran out")]
    Evicted {
        /// Bytes that had arrived.
        bytes: usize,
    },
    /// A later link to the same institution took its place.
    #[error("a later link took its place")]
    Replaced,
    /// This node stops.
    #[error("this node stops")]
    Stopped,
}

/// What is wrong with a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum FrameFault {
    /// No such kind.
    #[error("kind {kind} does not exist")]
    Kind {
        /// The byte.
        kind: u8,
    },
    /// There is nothing in it, or less than its kind needs.
    #[error("{bytes} bytes are too few")]
    Short {
        /// Bytes found.
        bytes: usize,
    },
    /// A part is not as long as it can be, or too long.
    #[error("part of {bytes} bytes where {bytes_expected} are expected")]
    Part {
        /// Bytes found.
        bytes: usize,
        /// Bytes that this part has.
        bytes_expected: usize,
    },
    /// A message that is longer than any may be.
    #[error("message of {bytes} bytes where {bytes_max} are allowed")]
    TooLarge {
        /// Bytes announced.
        bytes: u64,
        /// Bytes allowed.
        bytes_max: usize,
    },
    /// A message starts while another is under way, or goes on without a start.
    #[error("a message starts within another, or goes on without a start")]
    Order,
    /// It is not the frame with which an acceptor welcomes.
    #[error("the first frame is no welcome")]
    Welcome,
}

impl LinkEnd {
    pub(super) fn io(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::Io { what, kind: error.kind(), message: error.to_string() }
    }

    /// A short name for counters, the same for every end of this kind.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Io { .. } => "io",
            Self::Closed => "closed",
            Self::Truncated => "truncated",
            Self::HandshakeTimeout { .. } => "handshake_timeout",
            Self::Crowded { .. } => "crowded",
            Self::HandshakeLength { .. } => "handshake_length",
            Self::Handshake { .. } => "handshake",
            Self::UnknownKey { .. } => "unknown_key",
            Self::WrongKey { .. } => "wrong_key",
            Self::WrongSide { .. } => "wrong_side",
            Self::Sealed { .. } => "sealed",
            Self::Frame { .. } => "frame",
            Self::Silent { .. } => "silent",
            Self::Stalled { .. } => "stalled",
            Self::Evicted { .. } => "evicted",
            Self::Replaced => "replaced",
            Self::Stopped => "stopped",
        }
    }
}

/// Why a mesh does not start.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum StartError {
    /// One of the peers is the node itself, by id or key.
    #[error("institution {institution} is this node")]
    Myself {
        /// The peer.
        institution: InstitutionId,
    },
    /// Two peers have the same id or key.
    #[error("institution {institution}: its id or its key is there twice")]
    Twice {
        /// The later peer.
        institution: InstitutionId,
    },
    /// Its key would let anybody in.
    #[error("institution {institution}: its key is of small order")]
    SmallOrder {
        /// The peer.
        institution: InstitutionId,
    },
    /// The listener has no address.
    #[error("the listener has no address: {message}")]
    Listener {
        /// The system's words.
        message: String,
    },
}

/// Why a message is dropped instead of queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SendError {
    /// Nobody has this id.
    #[error("institution {institution} is not enrolled")]
    Unknown {
        /// The id.
        institution: InstitutionId,
    },
    /// There is no link, and there may be one later.
    #[error("institution {institution} is not linked")]
    Unlinked {
        /// The peer.
        institution: InstitutionId,
    },
    /// What waits for this peer, or for all, leaves no room.
    #[error("institution {institution}: {bytes} bytes do not fit behind {queued} that wait")]
    Full {
        /// The peer.
        institution: InstitutionId,
        /// Bytes of the message.
        bytes: usize,
        /// Bytes that wait, of this peer or of all.
        queued: usize,
    },
    /// No message may be as long.
    #[error("message of {bytes} bytes where {bytes_max} are allowed")]
    TooLarge {
        /// Its bytes.
        bytes: usize,
        /// Bytes allowed.
        bytes_max: usize,
    },
}
