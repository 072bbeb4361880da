//! What a client asks and how it checks the answer, whoever gives it. [CLI-1] [CLI-2] [CLI-4]
//!
//! ```text
//! Question --line--> full client: `full` composes an Answer from look-ups    question, full
//!    ^                    | every record with its proof, signed by the institution
//!    |                    v
//!  Caller           light client: `light` checks each proof, then `agree` compares   caller, light
//!  (signed)               |
//!                         v
//!                    Known: the same value as the full client computes for itself    known
//! ```
//! Who may read what is said by a register of acts, which both keep: the full client of everything that is
//! booked, the light client of the acts that an answer proves (register, dealing, sharing).
//!
//! A light client keeps the genesis, the rosters, headers and its own keys. From an answer it believes
//! what follows from signatures and hashes, and recomputes who may read what from the acts.
//!
//! Not shown by any proof is that nothing was left out: a record, an act or a revocation. For that the
//! light client asks f + 1 auditors, each of whom signs its answer, and refuses answers that differ. As
//! at most f auditors are faulty, one of them left nothing out; who did is convicted by its signature.
//!
//! Invariant: an answer that fails is [`Refused`] with the check that failed, never an empty answer.
//!
//! Cost of a check: one certificate a block, unless its header is known, and about 20 hashes a record.

mod agree;
mod answer;
mod caller;
mod dealing;
pub mod full;
mod headers;
mod hexed;
mod kept;
mod known;
mod light;
mod proof;
mod question;
mod refused;
mod register;
mod rosters;
mod sharing;
#[cfg(test)]
mod tests;

pub use agree::{Heard, agree};
pub use answer::{
    Answer, BlockProof, Finality, KeysAnswer, ReceiptAnswer, RecordAnswer, RecordProof,
    RecordsAnswer, RosterAnswer, RosterStep, SharingAnswer, StatusAnswer,
};
pub use caller::{CALL_WINDOW_MS, Caller, CallerError, Speaker, SpeakerError};
pub use dealing::{Bidder, Blame, Chosen, Confirmed, Dealing, Disputed, Granted, Handed, Step};
pub use full::Library;
pub use hexed::{HexBytes, Hexed};
pub use kept::{Kept, KeptError};
pub use known::{Known, Listed, Receipted, Records, Sharing, Standing, Status};
pub use light::Light;
pub use question::{Place, Question, QuestionError, Role};
pub use refused::{Check, Refused};
pub use register::{Declared, Register};
