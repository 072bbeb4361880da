//! Whose turn a view is, and how the order goes on behind a freeze. [CON-5] [COM-4]
//!
//! Seats of the producers in their order, one view each, from the seat that the offset names.

/// The seat that leads a view. Views start at 1; there is at least one seat.
pub(super) fn seat(offset: u64, view: u64, seats: usize) -> usize {
    let seats = wide(seats);
    let turns = view.saturating_sub(1) % seats;
    narrow((offset % seats + turns) % seats)
}

/// The seat whose turn comes behind a view.
pub(super) fn next(offset: u64, last_view: u64, seats: usize) -> usize {
    let seats = wide(seats);
    narrow((offset % seats + last_view % seats) % seats)
}

/// Seats whose turns lie between two views, in the order of turns, each with how many they are. No
/// longer than the committee, however far apart the views are.
pub(super) fn skipped(
    offset: u64,
    parent_view: u64,
    view: u64,
    seats: usize,
) -> impl Iterator<Item = (usize, u64)> {
    let gap = view.saturating_sub(parent_view).saturating_sub(1);
    let first = next(offset, parent_view, seats);
    let (rounds, rest) = (gap / wide(seats), gap % wide(seats));
    (0..seats)
        .map(move |at| ((first + at) % seats, rounds + u64::from(wide(at) < rest)))
        .filter(|(_, turns)| *turns > 0)
}

fn wide(seats: usize) -> u64 {
    u64::try_from(seats).expect("usize fits in u64")
}

fn narrow(seat: u64) -> usize {
    usize::try_from(seat).expect("a seat is below the number of seats")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skipped_turns_are_those_that_a_walk_over_the_views_finds() {
        for (offset, seats) in [(0, 1), (0, 4), (3, 4), (6, 7), (u64::MAX, 5)] {
            for parent in 0..12 {
                for view in parent + 1..30 {
                    let mut walked = vec![0; seats];
                    (parent + 1..view).for_each(|u| walked[seat(offset, u, seats)] += 1);
                    let mut found = vec![0; seats];
                    skipped(offset, parent, view, seats).for_each(|(at, n)| found[at] += n);
                    assert_eq!(found, walked, "offset {offset}, {parent} to {view} of {seats}");
                    let order: Vec<_> = skipped(offset, parent, view, seats).collect();
                    assert_eq!(order.first().map(|first| first.0), {
                        (view > parent + 1).then(|| seat(offset, parent + 1, seats))
                    });
                }
            }
        }
    }

    #[test]
    fn a_gap_of_all_views_takes_one_walk_over_the_seats() {
        let turns: u64 = skipped(5, 0, u64::MAX, 101).map(|(_, turns)| turns).sum();
        assert_eq!(turns, u64::MAX - 1);
        assert_eq!(skipped(5, 0, u64::MAX, 101).count(), 101);
    }
}
