//! A log on a disk that can tear its last entry and lose what it acknowledged.
//!
//! A torn tail is an entry that was never acknowledged: the log is whole without it. Lost entries were
//! acknowledged; the real log numbers and chains its entries, so that it knows (see `mdsm_core::log`).

/// What a node wrote.
#[derive(Clone, Debug)]
pub struct Disk<E, C> {
    /// The last checkpoint.
    pub checkpoint: Option<C>,
    /// Entries behind it.
    pub entries: Vec<E>,
    /// Whether nothing is missing.
    pub is_whole: bool,
}

impl<E, C> Disk<E, C> {
    pub(super) fn new() -> Self {
        Self { checkpoint: None, entries: Vec::new(), is_whole: true }
    }

    pub(super) fn append(&mut self, entry: E) {
        self.entries.push(entry);
    }

    /// A checkpoint starts a new log, which is whole.
    pub(super) fn replace(&mut self, checkpoint: C) {
        self.checkpoint = Some(checkpoint);
        self.entries.clear();
        self.is_whole = true;
    }

    /// Loses entries that were acknowledged: those behind the first `kept`.
    pub(super) fn lose(&mut self, kept: usize) {
        self.entries.truncate(kept);
        self.is_whole = false;
    }
}
