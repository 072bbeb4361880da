//! Whether a header stands where it says. [CON-4] [CON-5] [CON-8] [STO-12] [STO-13]

use super::super::agreement::{SignedHeader, proposal_message};
use super::super::bounds::hold;
use super::super::ids::id;
use super::super::mirror::{BlockHeader, Bytes32};
use super::super::roster::Seats;
use super::log::Signatures;

/// The block that the next one extends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tip {
    pub(super) hash: Bytes32,
    pub(super) height: u64,
    pub(super) timestamp: i64,
    /// 0 where the next block is the first of its epoch.
    pub(super) view: u64,
}

/// Views that a block may skip here: each is walked, and nobody lives to see so many.
const SKIPPED_MAX: u64 = 10_000_000;

/// What the header is held against.
pub(super) struct Place<'a> {
    pub(super) chain_id: Bytes32,
    pub(super) window_ms: u32,
    pub(super) tip: Tip,
    pub(super) seats: &'a Seats,
    /// Digest that the header must name.
    pub(super) payload: Bytes32,
    /// Key of an institution.
    pub(super) key_of: &'a dyn Fn(u32) -> Option<Bytes32>,
    pub(super) signatures: &'a dyn Signatures,
}

/// Whose turn a view is: the producers are counted through, one by one, from the seat that leads
/// view 1.
fn leader(seats: &Seats, view: u64) -> Option<u32> {
    let all = u64::try_from(seats.producers.len()).ok()?;
    let steps = (view.checked_sub(1)? % all) + (seats.offset % all);
    seats.producers.iter().cycle().nth(usize::try_from(steps).ok()?).copied()
}

impl Place<'_> {
    pub(super) fn check(&self, signed: &SignedHeader) -> Result<(), String> {
        let BlockHeader {
            chain_id,
            epoch,
            view,
            height,
            parent,
            parent_view,
            timestamp,
            producer,
            payload,
        } = &signed.header;
        let tip = &self.tip;
        hold(*chain_id == self.chain_id, "the header names another network")?;
        let open = self.seats.epoch;
        hold(*epoch == open, &format!("the header names epoch {epoch} where {open} is open"))?;
        hold(*parent == tip.hash, "the header names another parent")?;
        hold(*parent_view == tip.view, "the header names another view as its parent's")?;
        hold(view > parent_view, "the view is not above the parent's")?;
        hold(view - parent_view <= SKIPPED_MAX, "more views are skipped than are walked here")?;
        hold(*height == tip.height + 1, "the height is not one above the parent's")?;
        let turn = leader(self.seats, *view).ok_or("the view is nobody's turn")?;
        hold(
            *producer == turn,
            &format!("{producer} leads view {view} out of turn, it is {turn}'s"),
        )?;
        hold(*timestamp > tip.timestamp, "the time is not above the parent's")?;
        let has_window = timestamp.checked_add(self.window_ms.into()).is_some();
        hold(has_window, "no window follows the time")?;
        hold(*payload == self.payload, "the header commits to another payload")?;
        let key = (self.key_of)(*producer).ok_or("the producer is not registered")?;
        let is_by =
            self.signatures.holds(&key, &proposal_message(&signed.header), &signed.signature);
        hold(is_by, "the producer's signature under the block does not hold")
    }
}

/// The tip behind a header.
pub(super) fn behind(header: &BlockHeader) -> Tip {
    let BlockHeader { height, timestamp, view, .. } = *header;
    Tip { hash: id(&header.clone().into()), height, timestamp, view }
}
