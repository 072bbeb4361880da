//! What must hold of consensus, whoever runs it: judged by what nodes sent, wrote and finalized.
//! [CON-4] [CON-5] [CON-6] [CON-7] [CON-8]
//!
//! A simulator, a property test or a network of foreign nodes feeds a [`History`]; each file here holds
//! one claim over it. Quorums, leaders and ancestors are counted here, not asked of the code under
//! judgement. Faulty voters count as having cast every vote: what they could show to somebody counts
//! as shown.
//!
//! | claim | function |
//! |---|---|
//! | I1 agreement | [`agreement()`] |
//! | I2, I3 certificates of one view | [`certificates()`] |
//! | I4, I5 blocks and their parents | [`blocks()`] |
//! | I6 logs grow and agree | [`History::finalized`], as it happens |
//! | I7, I12 no honest contradiction, no honest accused | [`honesty()`] |
//! | I8 stored before sent | [`History::voted`], as it happens |
//! | I9 shape of certificates | [`History::certified`], as it happens |
//! | I11 credit is the sum of its items, nothing is charged twice | [`credit()`] |
//! | I13 a broken agreement names its authors | [`accountability()`] |
//! | I14 no payload before the freeze is final | [`freezes()`] |
//! | I16 one anchor an epoch | [`anchors()`] |
//! | I20 what is signed reads back, and with a byte changed is refused | [`wire()`], as it happens |

mod accountability;
mod agreement;
mod anchors;
mod blocks;
mod certificates;
mod credit;
mod freezes;
mod history;
mod honesty;
mod wire;

pub use accountability::{accountability, authors};
pub use agreement::agreement;
pub use anchors::anchors;
pub use blocks::blocks;
pub use certificates::certificates;
pub use credit::credit;
pub use freezes::freezes;
pub use history::{Breach, EpochHistory, History, ViewHistory};
pub use honesty::honesty;
pub use wire::wire;

use super::Verdict;

/// A claim over one epoch of a history.
pub type Claim = fn(&History, &EpochHistory) -> Verdict;

/// Every claim that is judged when an epoch is over, by its name.
pub const CLAIMS: [(&str, Claim); 7] = [
    ("agreement", agreement),
    ("certificates", certificates),
    ("blocks", blocks),
    ("honesty", honesty),
    ("freezes", freezes),
    ("anchors", anchors),
    ("credit", credit),
];

/// Votes that make a certificate, counted anew: all but a third of those behind the first.
#[must_use]
pub fn quorum(seats: usize) -> usize {
    let mut faulty = 0;
    while 3 * (faulty + 1) < seats {
        faulty += 1;
    }
    seats - faulty
}

#[cfg(test)]
mod tests {
    #[test]
    fn quorums_are_those_of_the_spec() {
        let quorums = [1, 2, 3, 4, 5, 6, 7, 20, 121].map(super::quorum);
        assert_eq!(quorums, [1, 2, 3, 3, 4, 5, 5, 14, 81]);
    }
}
