//! Commits of all nodes, each stored once: most nodes commit the same.

use std::collections::BTreeMap;
use std::rc::Rc;

use mdsm_core::node::Commit;
use mdsm_core::types::Height;

/// Heights that are looked back upon.
const KEPT: usize = 64;

/// The latest commits by the height of their first block.
#[derive(Debug, Default)]
pub struct Archive {
    latest: BTreeMap<Height, Vec<Rc<Commit>>>,
}

impl Archive {
    /// The commit, shared with whoever made the same one.
    pub fn share(&mut self, commit: Commit) -> Rc<Commit> {
        let known = self.latest.entry(commit.height).or_default();
        if let Some(same) = known.iter().find(|known| ***known == commit) {
            return same.clone();
        }
        let shared = Rc::new(commit);
        known.push(shared.clone());
        while self.latest.len() > KEPT {
            self.latest.pop_first();
        }
        shared
    }
}
