//! MDSM-Simplex: how blocks become final. Pure: messages, timers and answers in, effects out; no clock,
//! no keys, no disk. [CON-5] [CON-6] [CON-7]
//!
//! Notation: epoch e, view v, counted from 1 in each epoch; n auditors, of which f = (n - 1) / 3 may be
//! faulty in any way; q = n - f votes make a certificate. L(v) leads view v.
//!
//! ```text
//! upon entering v            arm timers; L(v), when its turn is over: propose on the highest notarized view p
//!                            below v such that every view between is nullified
//! upon a proposal of L(v)    in view v, when its parent is notarized and every view between is nullified:
//!                            have it checked; valid: notarize, invalid: nullify
//! upon a timer of v          in view v, unless finalized: nullify
//! upon notarization(v, h)    store it, pass it on; unless nullified: finalize(v, h); enter v + 1
//! upon nullification(v)      store it, pass it on; enter v + 1
//! upon finalization(v, h)    store it, pass it on; h and its ancestors are final
//! upon a retry of v          cast the own votes of v again, pass on the certificates that lead to v
//! ```
//! Which vote may be cast when is one page: [`Rules`]. Everything cast or proposed is stored before, and
//! so is every certificate: a node that forgets why it finalized can neither nullify nor help others on.
//!
//! Deviations from Simplex (Chan and Pass 2023): leaders do not vote, auditors do; epochs with closing
//! blocks; an own vote counts when it comes back, signed, from the driver ([`Effect::Cast`]).
//! Proofs: spec, consensus, T1 to T9. What a file is about:
//!
//! | file | concern |
//! |---|---|
//! | `rules` | when a vote may be cast, what counts |
//! | `machine` | the state, and where an input goes |
//! | `slot`, `tally` | what is known of one view; its votes |
//! | `lead` | proposing |
//! | `audit` | proposals of others, notarize and nullify |
//! | `certify` | votes into certificates, finalize, the next view |
//! | `timers` | how long to wait, sending again |
//! | `journal` | what is stored, and coming back from it |
//! | `catch_up` | asking and answering for certificates |
//! | `intake` | checking as few signatures as a quorum needs, in one batch |
//! | `seen` | votes that evidence is made of |
//! | `anchors` | votes on the anchor of a frozen epoch |

mod anchors;
mod audit;
mod catch_up;
mod certify;
mod intake;
mod interface;
mod journal;
mod lead;
mod machine;
mod rules;
mod seen;
mod slot;
mod tally;
mod timers;

#[cfg(test)]
mod tests;

pub use anchors::{AnchorBallot, AnchorEffect};
pub use intake::{Intake, IntakeError, Taken};
pub use interface::{Audience, Effect, Input, Timer, TimerKind};
pub use journal::{EpochStart, JournalEntry, RecoverError};
pub use machine::{Consensus, Membership, VIEWS_AHEAD};
pub use rules::{Own, Protocol, Rules};
pub use slot::Slot;
pub use tally::Tally;
pub use timers::Timing;
