//! What comes out.

use std::collections::BTreeMap;
use std::fmt;

use super::super::access::Past;
use super::super::mirror::{Anchor, Bytes32, DataBlock, Window};
use super::super::roster::{Change, Freeze, Seats};

/// The log, as far as it keeps the rules.
#[derive(Clone, Debug)]
pub struct Told {
    /// Each block of the history; closing blocks are no part of it.
    pub blocks: Vec<Block>,
    /// Each epoch that has ended.
    pub epochs: Vec<Epoch>,
    /// What the acts have brought about.
    pub access: Past,
    /// The seats of the open epoch.
    pub seats: Seats,
    /// The first rule that is broken.
    pub violation: Option<Violation>,
}

/// What one block brought about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Its height.
    pub height: u64,
    /// Its epoch.
    pub epoch: u32,
    /// Its view.
    pub view: u64,
    /// Its time.
    pub timestamp: i64,
    /// Its hash.
    pub head: Bytes32,
    /// Digest of the state behind it.
    pub state: Bytes32,
    /// Digest of the committees behind it.
    pub committees: Bytes32,
    /// Credit behind it.
    pub credit: BTreeMap<u32, i64>,
    /// What changed it, absences at a freeze last.
    pub changes: Vec<Change>,
    /// Records that it booked.
    pub booked: Vec<Bytes32>,
    /// Records among them whose acts had effect.
    pub acts: Vec<Bytes32>,
    /// Data blocks cut at it.
    pub cut: Vec<DataBlock>,
}

/// What one freeze brought about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Epoch {
    /// Who sat in it.
    pub seats: Seats,
    /// Producers, then auditors, with their keys.
    pub electorate: Vec<(u32, Bytes32)>,
    /// Height of its last block.
    pub last: u64,
    /// Its data blocks.
    pub data_blocks: Vec<DataBlock>,
    /// Its window.
    pub window: Window,
    /// What its last block did to seats.
    pub freeze: Freeze,
    /// What is anchored.
    pub anchor: Anchor,
    /// The root that goes into Bitcoin.
    pub root: Bytes32,
    /// Whether the log has a certificate of it.
    pub is_certified: bool,
}

/// A broken rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Of the block, or of the last block of the epoch; 0 for what stands before the first one.
    pub height: u64,
    /// What is broken.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "block {}: {}", self.height, self.what)
    }
}
