//! Headers that a light client knows to be final. [CLI-2]
//!
//! Invariant: at most one at each height. Empty closing blocks stand beside the chain, at a height that the
//! first block of the next epoch has too, so what may be one is not kept.

use std::collections::BTreeMap;

use super::refused::{Check, Refused};
use crate::crypto::Identified;
use crate::ledger::{BlockHeader, Payload};
use crate::types::{Height, View};

/// Headers kept, at most: 16 days at the pace of six seconds, some 40 MB. The lowest go first; they are
/// proven again when they are needed.
const HEADERS_MAX: usize = 230_400;

/// Final headers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Headers(BTreeMap<Height, BlockHeader>);

impl Headers {
    /// Whether this header is known to be final.
    pub(super) fn knows(&self, header: &BlockHeader) -> bool {
        self.0.get(&header.height) == Some(header)
    }

    /// The highest.
    pub(super) fn tip(&self) -> Option<&BlockHeader> {
        self.0.last_key_value().map(|(_, header)| header)
    }

    /// The highest of them, so many at most, from the lowest of these on.
    pub(super) fn highest(&self, count: usize) -> impl Iterator<Item = BlockHeader> {
        self.0.values().skip(self.0.len().saturating_sub(count)).copied()
    }

    /// Keeps a header whose finality was checked.
    pub(super) fn keep(&mut self, header: &BlockHeader) -> Result<(), Refused> {
        if may_be_closing(header) {
            return Ok(());
        }
        if let Some(known) = self.0.get(&header.height).filter(|known| *known != header) {
            let (height, one, other) = (header.height, known.id(), header.id());
            let why = format!(
                "height {height}: both {one} and {other} are final; the auditors of epoch {} have \
                 signed two histories",
                header.epoch
            );
            return Err(Check::OneHistory.refuses(why));
        }
        self.0.insert(header.height, *header);
        while self.0.len() > HEADERS_MAX {
            self.0.pop_first();
        }
        Ok(())
    }
}

/// Whether a header may be that of a closing block: nothing in it, and not the first of its epoch.
fn may_be_closing(header: &BlockHeader) -> bool {
    header.parent_view > View::new(0) && header.payload == Payload::default().commitment()
}
