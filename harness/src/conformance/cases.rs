//! All cases, in the order in which they run: vectors by file, then properties.

use super::case::Case;
use super::properties;

/// Every case.
#[must_use]
pub fn all() -> Vec<Case> {
    properties::all()
}
