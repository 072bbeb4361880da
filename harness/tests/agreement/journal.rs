//! Entries of a node's journal: they come back as they were stored, and nothing else comes back.

use std::sync::Arc;

use harness::build::{Network, Roll};
use mdsm_core::codec::{DecodeErrorKind, Wire as _};
use mdsm_core::consensus::{EpochStart, JournalEntry};
use mdsm_core::ledger::{BlockHeader, Subject};
use mdsm_core::types::{Digest, Epoch, Timestamp};

/// One entry of each kind.
fn entries() -> [JournalEntry; 5] {
    let mut network = Network::new();
    network.turn(6_000, 1);
    let header: BlockHeader = network.tip().unwrap();
    let roll = Roll::new(network.chain.id(), 4);
    let start = EpochStart { epoch: Epoch::new(7), genesis: Digest::new([3; 32]) };
    [
        JournalEntry::Epoch(start),
        JournalEntry::Proposed(Arc::new(header)),
        JournalEntry::Voted(Roll::subject_in(9, Subject::Nullify)),
        JournalEntry::Certified(Arc::new(roll.notarization(&header))),
        JournalEntry::Lost(Timestamp::new(1_767_225_600_123)),
    ]
}

#[test]
fn every_entry_comes_back_as_it_was_stored() {
    for (tag, entry) in (1..).zip(entries()) {
        let bytes = entry.to_bytes();
        assert_eq!(bytes[..6], [&b"MJRN\x01"[..], &[tag]].concat());
        assert_eq!(JournalEntry::from_bytes(&bytes), Ok(entry));
    }
}

#[test]
fn an_entry_that_was_cut_off_or_has_another_tag_is_refused() {
    for entry in entries() {
        let bytes = entry.to_bytes();
        for length in 0..bytes.len() {
            assert!(JournalEntry::from_bytes(&bytes[..length]).is_err(), "{entry:?} at {length}");
        }
        let longer = [&bytes[..], &[0]].concat();
        assert!(JournalEntry::from_bytes(&longer).is_err(), "{entry:?}");
        for tag in [0, 6, 255] {
            let mut other = bytes.clone();
            other[5] = tag;
            let refused = JournalEntry::from_bytes(&other).unwrap_err();
            assert_eq!(refused.kind, DecodeErrorKind::Variant { found: tag });
        }
    }
}

#[test]
fn an_entry_with_another_bit_is_refused_or_is_another_entry() {
    for entry in entries() {
        let bytes = entry.to_bytes();
        for bit in 0..bytes.len() * 8 {
            let mut other = bytes.clone();
            other[bit / 8] ^= 1 << (bit % 8);
            if let Ok(read) = JournalEntry::from_bytes(&other) {
                assert_ne!(read, entry, "bit {bit}");
                assert_eq!(read.to_bytes(), other, "bit {bit}");
            }
        }
    }
}
