//! What an institution can be convicted of. [COM-6] [CON-7]

use crate::codec::{wire_enum, wire_struct};
use crate::types::{Epoch, InstitutionId, View};

wire_enum! {
    /// Kinds of offences that signed evidence proves.
    OffenceKind {
        /// E1: two proposals for one view.
        DoubleProposal = 1,
        /// E2: notarize votes for two blocks of one view.
        DoubleNotarize = 2,
        /// E3: a nullify and a finalize vote for one view.
        NullifyAndFinalize = 3,
        /// E4: finalize votes for two blocks of one view.
        DoubleFinalize = 4,
        /// E5: a signed block that breaks the rules.
        InvalidBlock = 5,
        /// E6: a notarize vote for a block that breaks the rules.
        WrongAudit = 6,
        /// E7: two anchor votes for one epoch.
        DoubleAnchor = 7,
    }
}

/// One offence; whoever proves it again proves nothing new.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Offence {
    /// The offender.
    pub institution: InstitutionId,
    /// In which epoch.
    pub epoch: Epoch,
    /// In which view, 0 for an anchor vote.
    pub view: View,
    /// Of what kind.
    pub kind: OffenceKind,
}

wire_struct!(Offence { institution, epoch, view, kind });
