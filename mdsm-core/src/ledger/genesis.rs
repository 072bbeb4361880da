//! The first value of a chain: what its members agreed on. [CON-8]

use thiserror::Error;

use crate::codec::{Wire, wire_struct};
use crate::crypto::Identified;
use crate::types::{ChainId, Digest, OwnerId, Text, Timestamp};

/// What the members of a network agreed on; its digest names the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Genesis {
    /// Name, for people.
    pub name: Text<0, 64>,
    /// The first mark; a multiple of `window_ms`.
    pub started_at: Timestamp,
    /// Milliseconds of a turn.
    pub turn_ms: u32,
    /// Milliseconds of a minute.
    pub minute_ms: u32,
    /// Milliseconds of a window.
    pub window_ms: u32,
    /// Seats of the producers.
    pub producers: u16,
    /// Seats of the auditors.
    pub auditors: u16,
    /// Digest of the first committees.
    pub committees: Digest,
    /// Key of the body that rates institutions and approves their registration.
    pub registrar: OwnerId,
}

/// A genesis that starts no network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum GenesisError {
    /// Turn, minute and window must be positive, each a whole number of the one before.
    #[error(
        "turn {turn_ms} ms, minute {minute_ms} ms, window {window_ms} ms: each must be a positive whole number of the one before"
    )]
    Periods {
        /// Milliseconds of a turn.
        turn_ms: u32,
        /// Milliseconds of a minute.
        minute_ms: u32,
        /// Milliseconds of a window.
        window_ms: u32,
    },
    /// The start is not a mark.
    #[error("started_at {started_at} is not a multiple of {window_ms} ms")]
    Start {
        /// The start.
        started_at: Timestamp,
        /// Milliseconds of a window.
        window_ms: u32,
    },
    /// A committee without seats.
    #[error("{producers} producers and {auditors} auditors: each committee needs a seat")]
    Committees {
        /// Seats of the producers.
        producers: u16,
        /// Seats of the auditors.
        auditors: u16,
    },
}

impl Genesis {
    /// The network's name for programs.
    #[must_use]
    pub fn chain_id(&self) -> ChainId {
        ChainId::new(*self.id().as_bytes())
    }

    /// Checks that a network can start from it.
    pub fn check(&self) -> Result<(), GenesisError> {
        let Self { turn_ms, minute_ms, window_ms, started_at, producers, auditors, .. } = *self;
        let whole = |long: u32, short: u32| short > 0 && long > 0 && long.is_multiple_of(short);
        //= harness/spec/consensus.md#con-8-clock
        //# CON-8.3 (ours): A genesis whose start is not a multiple of its window, or whose turn,
        //# minute and window are zero or do not divide one another in this order, MUST be refused.
        if !whole(minute_ms, turn_ms) || !whole(window_ms, minute_ms) {
            return Err(GenesisError::Periods { turn_ms, minute_ms, window_ms });
        }
        if started_at.get() < 0 || started_at.get() % i64::from(window_ms) != 0 {
            return Err(GenesisError::Start { started_at, window_ms });
        }
        if producers == 0 || auditors == 0 {
            return Err(GenesisError::Committees { producers, auditors });
        }
        Ok(())
    }
}

wire_struct!(Genesis {
    name,
    started_at,
    turn_ms,
    minute_ms,
    window_ms,
    producers,
    auditors,
    committees,
    registrar,
});

impl Wire for Genesis {
    const TAG: [u8; 4] = *b"MGEN";
    const NAME: &'static str = "Genesis";
}
