use std::fs;
use std::ops::RangeInclusive;

use super::*;

/// Payloads of different sizes, an empty one among them.
fn payloads() -> Vec<Vec<u8>> {
    vec![b"first".to_vec(), vec![], vec![0xa5; 40], b"fourth entry".to_vec()]
}

struct Sample {
    _directory: tempfile::TempDir,
    path: PathBuf,
    bytes: Vec<u8>,
    /// Offsets at which the entries start, and the length of the file.
    starts: Vec<usize>,
}

fn sample() -> Sample {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("sample.log");
    let (mut log, opened) = Log::open(&path, |_, _| panic!("a new log is empty")).unwrap();
    assert_eq!(opened, Opened { entries: 0, torn: None });
    let mut starts = vec![HEADER.len()];
    for (number, payload) in payloads().iter().enumerate() {
        assert_eq!(log.append(payload).unwrap(), number as u64);
        starts.push(starts[number] + ENTRY_OVERHEAD_BYTES + payload.len());
    }
    drop(log);
    let bytes = fs::read(&path).unwrap();
    assert_eq!(starts.last(), Some(&bytes.len()));
    Sample { _directory: directory, path, bytes, starts }
}

impl Sample {
    /// Writes the file and opens it: what was read, and what opening said.
    fn open(&self, bytes: &[u8]) -> (Vec<Vec<u8>>, Result<Opened, LogError>) {
        fs::write(&self.path, bytes).unwrap();
        let mut read = Vec::new();
        let opened = Log::open(&self.path, |sequence, payload| {
            assert_eq!(sequence, read.len() as u64);
            read.push(payload.to_vec());
        });
        (read, opened.map(|(_, opened)| opened))
    }

    /// The entry in which a byte lies.
    fn entry_at(&self, byte: usize) -> usize {
        self.starts.iter().take_while(|start| **start <= byte).count() - 1
    }
}

/// Everything below an entry is handed out before the entry fails, and nothing wrong ever is.
fn assert_prefix(read: &[Vec<u8>], entries: usize) {
    assert_eq!(read, &payloads()[..entries]);
}

#[test]
fn ddb_1_11_a_log_yields_what_was_appended_after_opening_anew() {
    let sample = sample();
    let (read, opened) = sample.open(&sample.bytes);
    assert_prefix(&read, 4);
    assert_eq!(opened, Ok(Opened { entries: 4, torn: None }));
    let (mut log, _) = Log::open(&sample.path, |_, _| {}).unwrap();
    assert_eq!(log.append(b"fifth").unwrap(), 4);
    let mut read = Vec::new();
    log.reader()
        .each(|_, payload| {
            read.push(payload.to_vec());
            Ok::<(), LogError>(())
        })
        .unwrap();
    assert_eq!(read.len(), 5);
    assert_eq!(read[4], b"fifth");
}

#[test]
fn ddb_1_11_a_log_cut_at_any_byte_loses_the_torn_entry_only() {
    //= harness/spec/database.md#ddb-1-encrypted-files-durable-store
    //= type=test
    //# DDB-1.11 (ours): The log MUST number its entries and chain each to the digest of the one
    //# before, so that a torn last entry is cut off and damage before it is reported as damage.
    let sample = sample();
    for length in 0..sample.bytes.len() {
        let (read, opened) = sample.open(&sample.bytes[..length]);
        let whole = sample.starts.iter().filter(|start| **start <= length).count();
        let entries = whole.saturating_sub(1);
        assert_prefix(&read, entries);
        let offset = if whole == 0 { 0 } else { sample.starts[entries] };
        let torn = (length > offset).then_some(Torn {
            offset: offset as u64,
            bytes: (length - offset) as u64,
            sequence: entries as u64,
            is_cut_short: true,
        });
        assert_eq!(opened, Ok(Opened { entries: entries as u64, torn }), "cut at {length}");
        // The tail is gone from the file: the next opening is clean and the next append fits.
        let (mut log, opened) = Log::open(&sample.path, |_, _| {}).unwrap();
        assert_eq!(opened, Opened { entries: entries as u64, torn: None });
        assert_eq!(log.append(b"after").unwrap(), entries as u64);
        drop(log);
        let (_, opened) = Log::open(&sample.path, |_, _| {}).unwrap();
        assert_eq!(opened.entries, entries as u64 + 1);
    }
}

#[test]
fn ddb_1_11_any_flipped_bit_is_damage_unless_it_lies_in_the_last_entry() {
    //= harness/spec/database.md#ddb-1-encrypted-files-durable-store
    //= type=test
    //# DDB-1.11 (ours): The log MUST number its entries and chain each to the digest of the one
    //# before, so that a torn last entry is cut off and damage before it is reported as damage.
    let sample = sample();
    for byte in 0..sample.bytes.len() {
        for bit in 0..8 {
            let mut bytes = sample.bytes.clone();
            bytes[byte] ^= 1 << bit;
            let (read, opened) = sample.open(&bytes);
            if byte < HEADER.len() {
                let file = sample.path.clone();
                assert_eq!(opened, Err(LogError::Header { file, entries_follow: true }));
                continue;
            }
            let entry = sample.entry_at(byte);
            let offset = sample.starts[entry] as u64;
            assert_prefix(&read, entry);
            if entry == 3 {
                let torn = Torn {
                    offset,
                    bytes: bytes.len() as u64 - offset,
                    sequence: 3,
                    is_cut_short: false,
                };
                assert_eq!(opened, Ok(Opened { entries: 3, torn: Some(torn) }));
            } else {
                assert_eq!(opened, Err(damaged(&sample, offset, entry as u64..=entry as u64)));
                assert_eq!(fs::read(&sample.path).unwrap(), bytes, "the file is left as found");
            }
        }
    }
}

fn damaged(sample: &Sample, offset: u64, unreadable: RangeInclusive<u64>) -> LogError {
    LogError::Damaged { file: sample.path.clone(), offset, unreadable: vec![unreadable] }
}

#[test]
fn ddb_1_11_zeroed_removed_repeated_and_inserted_pieces_are_damage() {
    //= harness/spec/database.md#ddb-1-encrypted-files-durable-store
    //= type=test
    //# DDB-1.11 (ours): The log MUST number its entries and chain each to the digest of the one
    //# before, so that a torn last entry is cut off and damage before it is reported as damage.
    let sample = sample();
    let (one, two) = (sample.starts[1], sample.starts[2]);
    let mut zeroed = sample.bytes.clone();
    zeroed[one + 4..sample.starts[3] - 4].fill(0);
    assert_eq!(sample.open(&zeroed).1, Err(damaged(&sample, one as u64, 1..=2)));

    let removed = [&sample.bytes[..one], &sample.bytes[two..]].concat();
    assert_eq!(sample.open(&removed).1, Err(damaged(&sample, one as u64, 1..=1)));

    let repeated = [&sample.bytes[..two], &sample.bytes[one..]].concat();
    assert!(matches!(sample.open(&repeated).1, Err(LogError::Damaged { .. })));

    let inserted = [&sample.bytes[..one], b"x", &sample.bytes[one..]].concat();
    let (read, opened) = sample.open(&inserted);
    assert_prefix(&read, 1);
    assert_eq!(opened, Err(damaged(&sample, one as u64, 1..=1)));

    // The whole of the first entry from another log: it verifies itself, the chain does not hold.
    let (foreign, _) = encode(0, &Digest::new([7; 32]), b"first").unwrap();
    let grafted = [&HEADER[..], &foreign, &sample.bytes[one..]].concat();
    assert!(matches!(sample.open(&grafted).1, Err(LogError::Damaged { offset: 5, .. })));
}

#[test]
fn ddb_1_11_two_damaged_places_are_both_named() {
    let sample = sample();
    let mut bytes = sample.bytes.clone();
    bytes[sample.starts[0] + 20] ^= 1;
    bytes[sample.starts[2] + 20] ^= 1;
    let (_, opened) = sample.open(&bytes);
    let file = sample.path.clone();
    let error = opened.unwrap_err();
    assert_eq!(error, LogError::Damaged { file, offset: 5, unreadable: vec![0..=0, 2..=2] });
    assert!(error.to_string().ends_with("is damaged at byte 5: entries 0, 2 are unreadable"));
}

#[test]
fn a_forged_length_allocates_nothing_and_is_a_torn_tail() {
    let sample = sample();
    for length in [u32::MAX, 1 << 26, (1 << 26) + 1, 41] {
        let mut bytes = sample.bytes.clone();
        let last = sample.starts[3];
        bytes[last + 4..last + 8].copy_from_slice(&length.to_le_bytes());
        let (read, opened) = sample.open(&bytes);
        assert_prefix(&read, 3);
        assert_eq!(opened.unwrap().torn.map(|torn| torn.sequence), Some(3));
    }
}

#[test]
fn what_is_no_log_is_neither_opened_nor_overwritten() {
    let sample = sample();
    let text = b"a letter to somebody";
    let (_, opened) = sample.open(text);
    let file = sample.path.clone();
    assert_eq!(opened, Err(LogError::Header { file, entries_follow: false }));
    assert_eq!(fs::read(&sample.path).unwrap(), text);
}

#[test]
fn a_log_is_open_once_and_refuses_what_no_reader_would_take() {
    let sample = sample();
    let (mut log, _) = Log::open(&sample.path, |_, _| {}).unwrap();
    let again = Log::open(&sample.path, |_, _| {}).map(|_| ());
    assert_eq!(again, Err(LogError::Locked { file: sample.path.clone() }));
    let (bytes, bytes_max) = (ENTRY_PAYLOAD_BYTES_MAX + 1, ENTRY_PAYLOAD_BYTES_MAX);
    assert_eq!(log.append(&vec![0; bytes]), Err(LogError::TooLarge { bytes, bytes_max }));
    assert_eq!(log.append(b"small"), Ok(4));
}

#[test]
fn a_failed_write_is_an_error_and_leaves_what_was_acknowledged() {
    // A handle that may only read stands for a disk that takes nothing more.
    let sample = sample();
    let (mut log, _) = Log::open(&sample.path, |_, _| {}).unwrap();
    log.file = File::open(&sample.path).unwrap();
    assert!(matches!(log.append(b"lost"), Err(LogError::Io { what: "append to", .. })));
    assert!(matches!(log.append(b"lost"), Err(LogError::Poisoned { .. })));
    assert_eq!(log.entries(), 4);
    drop(log);
    assert_eq!(Log::open(&sample.path, |_, _| {}).unwrap().1.entries, 4);
}
