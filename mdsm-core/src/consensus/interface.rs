//! What goes in and what comes out.

use std::sync::Arc;

use crate::consensus::JournalEntry;
use crate::ledger::{BlockHeader, Certificate, Evidence, SealedHeader, SignedVote, Vote};
use crate::types::{Digest, Epoch, InstitutionId, View};

/// Something happened. Signatures were checked by whoever hands it in; see [`super::Intake`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A producer proposes.
    Proposal(Arc<SealedHeader>),
    /// An auditor votes; own votes come back this way.
    Vote(SignedVote),
    /// Somebody holds a certificate.
    Certificate(Arc<Certificate>),
    /// A block that [`Effect::Validate`] asked about was checked, with all its Items.
    Validated {
        /// View of the block.
        view: View,
        /// The block.
        hash: Digest,
        /// Whether it may be notarized.
        is_valid: bool,
    },
    /// The block that [`Effect::Build`] asked for; its body is stored.
    Built(Arc<BlockHeader>),
    /// Time has passed.
    Timeout(Timer),
    /// Somebody asks for what certifies a view, or with view 0 for the last finalization.
    Asked {
        /// Who.
        from: InstitutionId,
        /// Of which epoch.
        epoch: Epoch,
        /// For which view.
        view: View,
    },
}

/// Something is to be done, in the order given; [`Effect::Persist`] is a barrier: what follows must not
/// leave the node before it is on the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Store.
    Persist(JournalEntry),
    /// Sign this header and send it, with its payload, to everybody.
    Propose(Arc<BlockHeader>),
    /// Sign this vote, send it to every auditor, and hand it back as [`Input::Vote`].
    Cast(Vote),
    /// Pass a certificate on.
    Publish {
        /// The certificate.
        certificate: Arc<Certificate>,
        /// To whom.
        to: Audience,
    },
    /// Ask for what certifies a view.
    Ask {
        /// Whom.
        to: Audience,
        /// Of which epoch.
        epoch: Epoch,
        /// Which view.
        view: View,
    },
    /// Make a block; answer with [`Input::Built`].
    Build {
        /// For this view.
        view: View,
        /// View of its parent, 0 for the genesis of the epoch.
        parent_view: View,
        /// Its parent.
        parent: Digest,
    },
    /// Check a block with all its Items; answer with [`Input::Validated`].
    Validate {
        /// View of the block.
        view: View,
        /// The block.
        hash: Digest,
    },
    /// Hand the timer back after so many milliseconds.
    Arm {
        /// The timer.
        timer: Timer,
        /// How long from now.
        after_ms: u32,
    },
    /// The block of this certificate is final, and so are its ancestors.
    Finalized(Arc<Certificate>),
    /// Somebody signed what no honest institution signs.
    Convict(Box<Evidence>),
}

/// To whom something goes; never back to the node itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Audience {
    /// All auditors, and the producer of the next view.
    Auditors {
        /// That producer.
        and: InstitutionId,
    },
    /// Both committees.
    Everyone,
    /// One institution.
    One(InstitutionId),
}

/// A timer; one that belongs to a view which was left means nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timer {
    /// The epoch in which it was armed.
    pub epoch: Epoch,
    /// The view in which it was armed.
    pub view: View,
    /// What for.
    pub kind: TimerKind,
}

/// What a timer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TimerKind {
    /// The leader's turn is over: it proposes.
    Turn,
    /// A proposal should be here by now.
    Proposal,
    /// The view should be over by now.
    View,
    /// Time to send again.
    Retry,
}
