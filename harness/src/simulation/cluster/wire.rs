//! What cluster nodes send each other.

use std::sync::Arc;

use mdsm_core::ledger::{Certificate, SealedHeader, SignedVote, Subject};
use mdsm_core::types::{Digest, Epoch, Signature, View};

use crate::simulation::world::{Message, fold, mix};

/// A block; what it carries does not matter here.
pub type Block = SealedHeader;

/// A message with the word that follows from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wire {
    mark: u64,
    /// What it says.
    pub body: Body,
}

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// A producer proposes.
    Proposal(Arc<Block>),
    /// A vote, on blocks or on an anchor.
    Vote(SignedVote),
    /// A certificate.
    Certificate(Arc<Certificate>),
    /// Asks for what certifies a view.
    Ask {
        /// Of which epoch.
        epoch: Epoch,
        /// Which view.
        view: View,
    },
    /// Asks for a block.
    AskBlock(Digest),
    /// The block that was asked for, and those before it, for whoever missed more than one.
    Block {
        /// The block.
        block: Arc<Block>,
        /// Its ancestors, the parent first.
        ancestors: Vec<Arc<Block>>,
    },
}

impl Wire {
    /// A message.
    #[must_use]
    pub fn new(body: Body) -> Self {
        Self { mark: mark(&body), body }
    }

    /// A short text that names it in a schedule.
    #[must_use]
    pub fn label(&self) -> String {
        let short = |digest: &Digest| digest.to_string()[..8].to_owned();
        match &self.body {
            Body::Proposal(signed) => {
                let header = &signed.header;
                format!("propose e{} v{} {}", header.epoch, header.view, short(&signed.hash()))
            }
            Body::Vote(signed) => {
                let vote = &signed.vote;
                format!("vote {} e{} v{}", subject(&vote.subject), vote.epoch, vote.view)
            }
            Body::Certificate(certificate) => {
                let vote = &certificate.vote;
                format!("certificate {} e{} v{}", subject(&vote.subject), vote.epoch, vote.view)
            }
            Body::Ask { epoch, view } => format!("ask e{epoch} v{view}"),
            Body::AskBlock(hash) => format!("ask block {}", short(hash)),
            Body::Block { block, .. } => format!("block {}", short(&block.hash())),
        }
    }
}

fn subject(subject: &Subject) -> String {
    let short = |digest: &Digest| digest.to_string()[..8].to_owned();
    match subject {
        Subject::Notarize(hash) => format!("notarize {}", short(hash)),
        Subject::Nullify => "nullify".to_owned(),
        Subject::Finalize(hash) => format!("finalize {}", short(hash)),
        Subject::Anchor(root) => format!("anchor {}", short(root)),
    }
}

impl Message for Wire {
    #[inline]
    fn mark(&self) -> u64 {
        self.mark
    }
}

fn word(signature: &Signature) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&signature.as_bytes()[..8]);
    u64::from_le_bytes(word)
}

fn mark(body: &Body) -> u64 {
    match body {
        Body::Proposal(signed) => mix(1, word(&signed.signature)),
        Body::Vote(signed) => mix(2, word(&signed.signature)),
        Body::Certificate(certificate) => {
            let vote = &certificate.vote;
            let subject =
                vote.subject.digest().map_or(0, |digest| fold(0, &digest.as_bytes()[..8]));
            let tag = u64::from(vote.subject.tag()) << 32 | u64::from(vote.epoch.get());
            // Two certificates of one vote say the same; who signed is part of the run all the same.
            let signers = certificate
                .signers
                .seats()
                .fold(0u64, |sum, seat| sum.rotate_left(7) ^ seat as u64);
            mix(mix(3 ^ subject, tag), mix(vote.view.get(), signers))
        }
        Body::Ask { epoch, view } => mix(4 ^ u64::from(epoch.get()) << 8, view.get()),
        Body::AskBlock(hash) => fold(5, &hash.as_bytes()[..16]),
        Body::Block { block, ancestors } => {
            mix(6 ^ (ancestors.len() as u64) << 8, word(&block.signature))
        }
    }
}
