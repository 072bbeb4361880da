//! What a node stores, and how it comes back from it. [CON-7]
//!
//! Invariant: recovering from what was stored gives the votes, certificates and view of the node that
//! stored it, however the entries were cut off at the end.

use std::sync::Arc;

use thiserror::Error;

use super::interface::{Effect, Input};
use super::machine::Consensus;
use super::rules::Rules;
use crate::codec::{Decode, DecodeError, DecodeErrorKind, Encode, Reader, Wire, wire_struct};
use crate::crypto::Identified;
use crate::ledger::{BlockHeader, Certificate, Subject, Vote};
use crate::types::{Digest, Epoch, Timestamp};

/// One thing to remember.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum JournalEntry {
    /// The node entered an epoch.
    Epoch(EpochStart),
    /// It proposes a block.
    Proposed(Arc<BlockHeader>),
    /// It casts a vote.
    Voted(Vote),
    /// It holds a certificate.
    Certified(Arc<Certificate>),
    /// The log before this one is gone; the reading of the clock at which that was found.
    Lost(Timestamp),
}

/// The start of an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EpochStart {
    /// The epoch.
    pub epoch: Epoch,
    /// The block that its first one extends.
    pub genesis: Digest,
}

/// Entries that no node of this epoch stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RecoverError {
    /// The epoch does not start where the chain says.
    #[error("journal: epoch {found} starts at {genesis}, the chain has it elsewhere")]
    Genesis {
        /// The epoch.
        found: Epoch,
        /// Where the entry has it start.
        genesis: Digest,
    },
}

impl JournalEntry {
    /// Whether it belongs to the ballot on an anchor, which is no matter of blocks.
    fn is_about_anchor(&self) -> bool {
        let vote = match self {
            Self::Voted(vote) => vote,
            Self::Certified(certificate) => &certificate.vote,
            Self::Epoch(_) | Self::Proposed(_) | Self::Lost(_) => return false,
        };
        matches!(vote.subject, Subject::Anchor(_))
    }
}

impl<R: Rules> Consensus<R> {
    /// Takes up what the node stored in this epoch, sends its votes again and goes on; entries of other
    /// epochs are passed over. Without an entry for this epoch the node starts it anew, which it may only
    /// do when its log is known to be whole; otherwise see [`super::Membership::silent`].
    pub fn recover<'a>(
        &mut self,
        entries: impl IntoIterator<Item = &'a JournalEntry>,
        effects: &mut Vec<Effect>,
    ) -> Result<(), RecoverError> {
        let epoch = self.epoch();
        let mut is_known = false;
        for entry in entries {
            if entry.is_about_anchor() {
                continue;
            }
            match entry {
                JournalEntry::Epoch(start) if start.epoch == epoch => {
                    if start.genesis != self.genesis() {
                        let (found, genesis) = (epoch, start.genesis);
                        return Err(RecoverError::Genesis { found, genesis });
                    }
                    is_known = true;
                }
                JournalEntry::Proposed(header) if header.epoch == epoch => {
                    is_known = true;
                    let slot = self.slot(header.view);
                    (slot.own.proposed, slot.proposed) = (Some(header.id()), Some(header.clone()));
                }
                JournalEntry::Voted(vote) if vote.epoch == epoch => {
                    is_known = true;
                    self.remember(vote);
                }
                JournalEntry::Certified(certificate) if certificate.vote.epoch == epoch => {
                    is_known = true;
                    self.recall(certificate.clone());
                }
                _ => {}
            }
        }
        if !is_known {
            self.start(effects);
            return Ok(());
        }
        self.settle();
        self.arm(effects);
        if self.rules.casts_again() {
            self.cast_again(effects);
        }
        self.finalize_again(effects);
        self.resume(effects);
        Ok(())
    }

    fn remember(&mut self, vote: &Vote) {
        let own = &mut self.slot(vote.view).own;
        match vote.subject {
            Subject::Notarize(hash) => own.notarized = Some(hash),
            Subject::Nullify => own.nullified = true,
            Subject::Finalize(hash) => own.finalized = Some(hash),
            Subject::Anchor(_) => {}
        }
    }

    /// Casts the finalize votes that a crash kept back: the notarization was stored, the vote not yet.
    fn finalize_again(&mut self, effects: &mut Vec<Effect>) {
        let notarized: Vec<_> = self
            .slots
            .iter()
            .filter(|(view, _)| **view > self.finalized.0)
            .filter_map(|(view, slot)| {
                let digest = slot.notarization.as_ref()?.vote.subject.digest()?;
                Some((*view, *digest))
            })
            .collect();
        for (view, hash) in notarized {
            self.finalize(view, hash, effects);
        }
    }

    /// Stores an entry, if the rules store it.
    pub(super) fn persist(&self, entry: JournalEntry, effects: &mut Vec<Effect>) {
        if self.rules.stores(&entry) {
            effects.push(Effect::Persist(entry));
        }
    }

    /// Feeds an input and gives its effects; for callers that hold no buffer.
    #[must_use]
    pub fn effects_of(&mut self, input: Input) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.step(input, &mut effects);
        effects
    }
}

wire_struct!(EpochStart { epoch, genesis });

impl Encode for JournalEntry {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Epoch(start) => {
                out.push(1);
                start.encode(out);
            }
            Self::Proposed(header) => {
                out.push(2);
                header.encode(out);
            }
            Self::Voted(vote) => {
                out.push(3);
                vote.encode(out);
            }
            Self::Certified(certificate) => {
                out.push(4);
                certificate.encode(out);
            }
            Self::Lost(found_at) => {
                out.push(5);
                found_at.encode(out);
            }
        }
    }
}

impl Decode for JournalEntry {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let offset = reader.offset();
        match reader.array()? {
            [1] => Ok(Self::Epoch(reader.field("epoch")?)),
            [2] => Ok(Self::Proposed(Arc::new(reader.field("proposed")?))),
            [3] => Ok(Self::Voted(reader.field("voted")?)),
            [4] => Ok(Self::Certified(Arc::new(reader.field("certified")?))),
            [5] => Ok(Self::Lost(reader.field("lost")?)),
            [found] => Err(DecodeError::new(offset, DecodeErrorKind::Variant { found })),
        }
    }
}

impl Wire for JournalEntry {
    const TAG: [u8; 4] = *b"MJRN";
    const NAME: &'static str = "JournalEntry";
}
