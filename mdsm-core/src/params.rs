//! Every number of the model, with its unit and its source. [STO-3] [STO-4] [STO-10] [STO-12] [STO-13] [COM-2]
//!
//! A number that the paper gives is marked with the requirement id; a number that the reference had
//! to choose says so, and the reason stands in the spec chapter named beside it.

/// Records in one Item, at most. [STO-3]
pub const ITEM_RECORDS_MAX: usize = 10;

/// Content bytes that a record may carry inside an Item: 100 KB, read as 100 x 1,024 bytes of
/// content before encoding. [STO-4] (ours: storage, STO-4.1)
pub const INLINE_CONTENT_BYTES_MAX: usize = 100 * 1_024;

/// Item blocks that make a full data block. [STO-10] [STO-12]
pub const DATA_BLOCK_ITEM_BLOCKS: usize = 10;

/// Items that one turn, and so one Item block, may carry. (ours: storage, STO-10.4)
pub const TURN_ITEMS_MAX: usize = 16_384;

/// Encoded bytes of Items that one turn may carry: 32 MiB. (ours: storage, STO-10.4)
pub const TURN_ITEM_BYTES_MAX: usize = 32 * 1_024 * 1_024;

/// Data blocks that one window may hold. (ours: a bound for decoders; a window of 100 turns has 10)
pub const WINDOW_DATA_BLOCKS_MAX: usize = 65_536;

/// Encoded bytes of a record's metadata, at most. (ours: storage, STO-8.3)
pub const METADATA_BYTES_MAX: usize = 2_048;

/// Plaintext bytes of one chunk of a sealed file, as a power of two: 64 KiB. (ours: database, DDB-1.4)
pub const SEALED_CHUNK_LOG2: u8 = 16;

/// Plaintext bytes of one file, at most: 2^32 - 1 chunks, the most that the counter of the trailer
/// can name, 256 TiB less 64 KiB. (ours: storage, STO-6.6)
pub const FILE_BYTES_MAX: u64 = (u32::MAX as u64) << SEALED_CHUNK_LOG2;

/// Plaintext bytes of a file whose sealed form is kept as one row of the node's store, at most:
/// 256 MiB. (ours: a bound of memory, for that store only; a sealed file is longer where it lies as
/// an object of its own)
pub const ROW_FILE_BYTES_MAX: usize = 256 * 1_024 * 1_024;

/// Bytes of a Bitcoin transaction that a receipt may carry. (ours: anchoring, ANC-2.5)
pub const RECEIPT_TRANSACTION_BYTES_MAX: usize = 4_096;

/// Hashes on the path from a record to its window: four trees of at most 4 + 14 + 4 + 17 levels.
pub const RECEIPT_PATH_MAX: usize = 64;

/// Hashes on the path from a transaction to its block's Merkle root.
pub const BITCOIN_BRANCH_MAX: usize = 24;

/// Confirmations after which an anchor counts as final. (ours: anchoring, ANC-3)
pub const ANCHOR_CONFIRMATIONS: u32 = 6;

/// Milliseconds for which the duty to anchor an epoch stays with one producer: an hour, in which
/// Bitcoin finds no block once in 400 times. (ours: anchoring, ANC-3.4)
pub const ANCHOR_DUTY_MS: i64 = 3_600_000;

/// Milliseconds after which an unconfirmed anchor transaction is replaced by one with a higher fee:
/// twice Bitcoin's ten minutes, so three times within one duty. (ours: anchoring, ANC-3.3)
pub const ANCHOR_BUMP_MS: i64 = 1_200_000;

/// Milliseconds between a refused or unanswered submission and the next attempt: one minute, so that
/// a wallet or a node of Bitcoin that is down is not asked all the time. (ours: anchoring, ANC-3.12)
pub const ANCHOR_RETRY_MS: i64 = 60_000;

/// Satoshi for 1,000 virtual bytes below which Bitcoin's nodes relay nothing. (ours: anchoring, ANC-3.12)
pub const ANCHOR_FEE_MIN: u32 = 1_000;

/// Satoshi for 1,000 virtual bytes that an anchor pays at most: about 32,000 satoshi for its 162
/// virtual bytes. (ours: anchoring, ANC-3.12)
pub const ANCHOR_FEE_MAX: u32 = 200_000;

/// Satoshi for 1,000 virtual bytes that a replacement pays more, at least: the 1,000 that BIP 125
/// demands, and as much again because signatures differ in length. (ours: anchoring, ANC-3.12)
pub const ANCHOR_FEE_STEP: u32 = 2_000;

/// Epochs whose anchor is not final, at most: a week of them. (ours: anchoring, ANC-3.14)
pub const ANCHOR_OPEN_MAX: usize = 1_008;

/// Epochs whose anchor is final and still watched, at most: a day of them, and so 144 Bitcoin blocks
/// deep. (ours: anchoring, ANC-3.14)
pub const ANCHOR_FINAL_KEPT: usize = 144;

/// Anchors in blocks that are kept of one epoch; one is enough, and anybody can copy one.
/// (ours: anchoring, ANC-3.14)
pub const ANCHOR_COPIES_MAX: usize = 8;

/// Foreign outputs of one epoch that are reported one by one; more are counted. (ours: anchoring, ANC-3.14)
pub const ANCHOR_FOREIGN_MAX: u32 = 8;

/// Milliseconds of the protocol's minute. [STO-12]
pub const MINUTE_MS: u32 = 60_000;

/// Milliseconds of a window: ten minutes. [STO-13]
pub const WINDOW_MS: u32 = 600_000;

/// Milliseconds of one producer's turn: 10 turns are a minute, 100 are a window. (ours: consensus)
pub const TURN_MS: u32 = 6_000;

/// Milliseconds by which a record's time of creation may lie after its block's. (ours: storage, STO-8.7)
pub const CREATED_AHEAD_MS_MAX: i64 = 120_000;

/// Offers that one lattice key may accept, so that a list of the spent ones has a bound. (ours:
/// reencryption, PRE-3.4)
pub const SPENT_OFFERS_MAX: usize = 1 << 20;

/// Bytes that a parcel may hold: the largest re-encryption key, that of Bits704 with fresh rows, has
/// 6,127,751. (ours: reencryption, PRE-3.5)
pub const PARCEL_BYTES_MAX: usize = 8 * 1_024 * 1_024;

/// Bytes of one message between two nodes, at most: 64 MiB. The longest that consensus sends is a
/// decision, and one of several hundred blocks fits; Items of a full turn, 32 MiB, would twice.
/// (ours: a bound of memory in `transport`)
pub const LINK_MESSAGE_BYTES_MAX: usize = 64 * 1_024 * 1_024;

/// Seats of both committees together, at most. (ours: a bound for decoders; the paper has 121)
pub const SEATS_MAX: usize = 1_024;

/// Pieces of evidence that a block may carry. (ours: consensus, CON-7; one may hold a certificate)
pub const BLOCK_EVIDENCE_MAX: usize = 8;

/// Registrations that a block may carry. (ours: committees, COM-3)
pub const BLOCK_REGISTRATIONS_MAX: usize = 16;

/// Receipts of service that a block may carry. (ours: committees, COM-6)
pub const BLOCK_SERVICES_MAX: usize = 256;

/// Reports of anchors that a block may carry. (ours: anchoring, ANC-3)
pub const BLOCK_ANCHOR_REPORTS_MAX: usize = 4;

/// Milliseconds by which a block's time may lie ahead of an auditor's clock. (ours: consensus,
/// CON-4.4)
pub const BLOCK_AHEAD_MS_MAX: i64 = 2_000;

/// Milliseconds by which two honest clocks, one of them behind a block's time as far as is allowed,
/// make that time lie ahead. (ours: consensus, CON-7.12 and CON-7.20)
pub const CLOCKS_APART_MS_MAX: i64 = 2 * BLOCK_AHEAD_MS_MAX;

/// Encoded bytes of answers to one peer in one turn, after which it is answered no more: twice what a turn
/// carries, so that whoever is behind gains on the chain even where it asks one peer only.
/// (ours: consensus, CON-7.28)
pub const ANSWER_BYTES_MAX: usize = 2 * TURN_ITEM_BYTES_MAX;

/// Delegates that have to fill their shares before the records of others fill a leader's room for them: more
/// than there are beside the leader in the smallest network, and than may be faulty among the auditors of the
/// paper's. (ours: consensus, CON-2.4)
pub const POOL_SHARES: usize = 8;

/// Records that one grant may open, and so files in one delivery: with 64 bytes for each, an act of
/// every kind stays far below what a record carries inline. (ours: reencryption, Access records)
pub const GRANT_FILES_MAX: usize = 64;

/// What one key may have open in the access machine, and for how many blocks. Every entry is charged to
/// the key that signed for it, so whoever floods fills its own room. (ours: reencryption, Access records)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AccessLimits {
    /// Requests of one reader that nobody has answered.
    pub requests_max: u32,
    /// Grants of one owner that are not over, or over and not yet settled.
    pub grants_max: u32,
    /// Bids for one grant, one for each institution; more than both committees have seats, because
    /// committees change while a grant waits.
    pub bids_max: u32,
    /// Blocks after which a request that was not answered is forgotten.
    pub request_blocks: u64,
    /// Blocks for which a grant may hold.
    pub grant_blocks: u64,
    /// Blocks after a delivery in which its reader may dispute it.
    pub dispute_blocks: u64,
    /// Blocks after a dispute in which the owner may confirm it.
    pub confirm_blocks: u64,
}

/// Turns of a day: 24 hours of six seconds each.
const DAY_BLOCKS: u64 = 14_400;

/// Limits of every network: a request waits for a month, a grant holds for a year at most, reader and
/// owner have a week each to find a delivery wrong. (ours: reencryption, Access records)
pub const ACCESS: AccessLimits = AccessLimits {
    requests_max: 256,
    grants_max: 4_096,
    bids_max: 256,
    request_blocks: 30 * DAY_BLOCKS,
    grant_blocks: 365 * DAY_BLOCKS,
    dispute_blocks: 7 * DAY_BLOCKS,
    confirm_blocks: 7 * DAY_BLOCKS,
};

/// Size of a network: how many produce and how many audit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preset {
    /// Seats of the MIFS, the committee that produces.
    pub producers: u16,
    /// Seats of the AFS, the committee that audits.
    pub auditors: u16,
}

/// The paper's network: 101 producers and 20 auditors. [COM-2]
pub const PAPER: Preset = Preset { producers: 101, auditors: 20 };

/// The smallest network that tolerates one faulty auditor; for tests and demonstrations.
pub const SMALL: Preset = Preset { producers: 4, auditors: 4 };

const _: () = assert!(MINUTE_MS.is_multiple_of(TURN_MS), "a minute is a whole number of turns");
const _: () = assert!(WINDOW_MS.is_multiple_of(MINUTE_MS), "a window is a whole number of minutes");
const _: () = assert!(
    (MINUTE_MS / TURN_MS) as usize == DATA_BLOCK_ITEM_BLOCKS,
    "ten turns a minute give one full data block a minute"
);
const _: () = assert!(ANCHOR_BUMP_MS < ANCHOR_DUTY_MS, "a fee is raised before the duty passes on");
const _: () =
    assert!(ANCHOR_RETRY_MS < ANCHOR_BUMP_MS, "a refused bump is tried again before the next");
const _: () =
    assert!(ANCHOR_FEE_MIN + ANCHOR_FEE_STEP <= ANCHOR_FEE_MAX, "the schedule has room for a step");
const _: () = assert!(
    TURN_ITEM_BYTES_MAX > 2 * ITEM_RECORDS_MAX * INLINE_CONTENT_BYTES_MAX,
    "a turn has room for several full Items of the largest records"
);
const _: () = assert!(
    DAY_BLOCKS * TURN_MS as u64 == 24 * 60 * 60 * 1_000,
    "the blocks of a day are its turns"
);
const _: () = assert!(
    ACCESS.bids_max > (PAPER.producers + PAPER.auditors) as u32,
    "every seat of both committees can bid"
);
const _: () = assert!(
    GRANT_FILES_MAX * 64 + 1_024 < INLINE_CONTENT_BYTES_MAX,
    "an act with all its files fits into a record"
);
