//! From ratings to an order of all institutions. [COM-1]

use std::cmp::{Ordering, Reverse};

use crate::types::{InstitutionId, OwnerId};

/// An institution at the start of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Founder {
    /// Its id.
    pub institution: InstitutionId,
    /// Its key.
    pub key: OwnerId,
    /// Points, 0 to 100.
    pub rating: u8,
    /// Size of its information centre, in any unit that all founders share.
    pub centre: u32,
}

impl Founder {
    /// Ascending order is the ranking. Total, because ids differ.
    fn rank(&self, other: &Self) -> Ordering {
        //= harness/spec/committees.md#com-1-rating
        //# COM-1.1 (paper): The initial ranking of the institutions MUST follow from their rating
        //# on a scale of 100 points and the size of their information centre.
        //= harness/spec/committees.md#com-1-rating
        //# COM-1.2 (ours): Institutions with equal rating and size MUST be ranked by ascending
        //# institution id.
        let of = |one: &Self| (Reverse(one.rating), Reverse(one.centre), one.institution);
        of(self).cmp(&of(other))
    }
}

/// The founders, best first.
#[must_use]
pub fn ranked(founders: &[Founder]) -> Vec<Founder> {
    let mut ranked = founders.to_vec();
    ranked.sort_by(Founder::rank);
    ranked
}
