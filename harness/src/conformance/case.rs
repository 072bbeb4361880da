//! What an implementation is asked, and what is expected of it.

use super::sentences::Profile;
use super::subject::{Interrupt, Subject};
use super::vectors::Vector;

/// One case.
pub struct Case {
    /// Stable name.
    pub id: String,
    /// The claim.
    pub title: String,
    /// Ids of sentences.
    pub requirements: Vec<String>,
    /// The operations that it needs.
    pub ops: Vec<String>,
    /// What is done.
    pub check: Check,
}

/// How a case is judged.
pub enum Check {
    /// One call.
    Vector(Box<Vector>),
    /// Several calls, whose results have to fit each other.
    Property(fn(&mut Subject<'_>) -> Result<String, Interrupt>),
}

impl Case {
    /// The lowest profile that asks for it.
    #[must_use]
    pub fn profile(&self) -> Profile {
        let is_neutral = !self.ops.is_empty() && self.ops.iter().all(|op| op.starts_with("paper."));
        if is_neutral { Profile::Paper } else { Profile::Mdsm1 }
    }
}
