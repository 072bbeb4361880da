//! Bounds of a node's memory, each with its reason.

/// Records that wait for a block, own and foreign: two full turns.
pub const POOL_RECORDS_MAX: usize = 2 * 163_840;
/// Encoded bytes of records that wait: four full turns.
pub const POOL_BYTES_MAX: usize = 128 * 1_024 * 1_024;
/// Owners whose request is remembered, the latest of them.
pub const REQUESTS_MAX: usize = 65_536;
/// Bodies of proposals that are not final: two for each view that is listened to, and ancestors.
pub const BODIES_MAX: usize = 256;
/// Bodies of one leader and view: two show that it is faulty. A certificate may name a third.
pub const PROPOSALS_MAX: usize = 2;
/// Items at hand of proposals that are not final: those of four full turns.
pub const ITEMS_MAX: usize = 4 * 16_384;
/// Encoded bytes of these Items.
pub const ITEMS_BYTES_MAX: usize = 4 * 32 * 1_024 * 1_024;
/// Pieces of evidence, registrations and receipts of service that wait for a block, of each kind.
pub const EVENTS_MAX: usize = 1_024;
/// Anchor ballots that are kept with their votes: a week of epochs without any certificate. Epochs behind them
/// wait for their turn.
pub const BALLOTS_MAX: usize = 1_024;
/// Certified ones among them, for those who still ask and for anchors that Bitcoin is slow to take: a
/// day.
pub const BALLOTS_CERTIFIED_MAX: usize = 144;
/// Records in one message to a leader.
pub const FORWARD_RECORDS_MAX: usize = 1_024;
/// Items asked for in one message.
pub const WANT_ITEMS_MAX: usize = 1_024;
