//! What an implementation is asked, and what is expected of it.

use super::network::Asked;
use super::sentences::{Profile, sentence};
use super::subject::{Interrupt, Subject};
use super::vectors::{Sequence, Vector};

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
    /// Steps of one node, the harness in the place of everybody else.
    Sequence(Box<Sequence>),
    /// A network to which something happens, and what is claimed of it.
    Network(Asked),
}

/// How much of an implementation a case asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// Pure functions.
    L1,
    /// A network in which nothing fails.
    L2,
    /// A network under faults.
    L3,
}

impl Case {
    /// The layer that it belongs to.
    #[must_use]
    pub fn layer(&self) -> Layer {
        match &self.check {
            Check::Vector(_) | Check::Property(_) => Layer::L1,
            Check::Sequence(_) => Layer::L2,
            Check::Network(asked) if asked.is_calm() => Layer::L2,
            Check::Network(..) => Layer::L3,
        }
    }

    /// The lowest profile that asks for it: `paper` only where both the operations are neutral and the
    /// sentences are the paper's.
    #[must_use]
    pub fn profile(&self) -> Profile {
        let is_neutral = !self.ops.is_empty() && self.ops.iter().all(|op| op.starts_with("paper."));
        let of_paper = |id: &String| sentence(id).is_some_and(|one| one.profile == Profile::Paper);
        let is_papers = is_neutral && self.requirements.iter().all(of_paper);
        if is_papers { Profile::Paper } else { Profile::Mdsm1 }
    }
}
