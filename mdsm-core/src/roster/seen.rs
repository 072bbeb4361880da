//! What was counted once and must not be counted again. [COM-6]

use std::sync::Arc;

/// A set that grows by a handful for each block; a clone shares what it holds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Seen<T>(Vec<Arc<[T]>>);

impl<T> Default for Seen<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Copy + Ord> Seen<T> {
    pub(super) fn contains(&self, one: &T) -> bool {
        self.0.iter().any(|block| block.binary_search(one).is_ok())
    }

    /// Adds what a block brought.
    pub(super) fn add(&mut self, mut block: Vec<T>) {
        if !block.is_empty() {
            block.sort_unstable();
            self.0.push(block.into());
        }
    }

    /// Forgets all but those that still matter.
    pub(super) fn retain(&mut self, matters: impl Fn(&T) -> bool) {
        for block in &mut self.0 {
            if !block.iter().all(&matters) {
                *block = block.iter().copied().filter(&matters).collect();
            }
        }
        self.0.retain(|block| !block.is_empty());
    }

    /// All of them, ascending.
    pub(super) fn sorted(&self) -> Vec<T> {
        let mut all: Vec<T> = self.0.iter().flat_map(|block| block.iter().copied()).collect();
        all.sort_unstable();
        all
    }
}
