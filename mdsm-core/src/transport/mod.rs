//! Links between enrolled institutions: TCP and Noise, authenticated on both sides. [CON-7]
//!
//! A node knows of each other one its id, the X25519 key of its links and its address. Nobody else
//! gets past the handshake, so a message has an [`InstitutionId`](crate::types::InstitutionId), not
//! an address.
//!
//! ```text
//! frame      length u16 | length bytes: one Noise message, so at most 65,535
//! handshake  Noise_XX_25519_ChaChaPoly_BLAKE2s, prologue "MDSM link 1" | chain id [32]
//!            32 bytes ->   <- 96 bytes   64 bytes ->       other lengths are refused unread
//! then       sealed, with a tag of 16 bytes:
//!            0                          alive: the acceptor's first frame, then when nothing else goes
//!            1 | bytes u32 | part       a message starts, so long in all; part: up to 65,514 bytes
//!            2 | part                   it goes on; part: up to 65,518 bytes
//! ```
//! Integers are little endian. A part is as long as it can be, so a message has one way to travel.
//!
//! **Who dials.** Of two institutions the one with the lower id. So there is one link for each pair
//! without two that cross, and no rule by which both sides must agree which one to keep. Two links
//! of one pair then exist only when the dialler has given one up and the acceptor does not know yet:
//! the one that was accepted later survives. The dialler takes a link for up when the acceptor's
//! first frame is there, because the handshake alone does not tell it that it is welcome.
//!
//! **Pressure.** A slow node does not take its arrivals, so its links stop reading, TCP stops the
//! other side, and there the queue of that one peer fills: what does not fit is dropped and counted.
//! [`Mesh::send`] never waits. What is queued when a link ends is dropped too: consensus repeats what
//! matters, and hours-old votes help nobody.
//!
//! Invariants:
//! - memory for what a peer sends grows with bytes that have arrived, never with bytes announced;
//!   all of it together has a bound, see [`Bounds`];
//! - after a frame that does not open or is none, the link ends: nothing behind it is read;
//! - a message arrives whole or not at all, on one link in the order in which it was sent, and never
//!   twice.
//!
//! Limits: who looks at the wire sees who talks to whom, when and how much. `snow` keeps a copy of
//! the secret key during a handshake and does not wipe it. A relay may hold bytes back, which the
//! timeouts see, or cut the link.
//!
//! Cost: a handshake is four X25519 on each side, 0.2 ms; a frame is one pass of ChaCha20-Poly1305.

mod assembly;
mod bounds;
mod counts;
mod error;
mod frame;
mod handshake;
mod key;
mod link;
mod mesh;
mod outbox;
mod table;

pub use assembly::{Arrival, Room};
pub use bounds::Bounds;
pub use counts::{Counts, PeerStatus};
pub use error::{LinkEnd, SendError, StartError};
pub use key::LinkSecret;
pub use mesh::{Mesh, MeshConfig, Peer};

#[cfg(test)]
mod tests;
