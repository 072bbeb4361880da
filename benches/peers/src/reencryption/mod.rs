//! Moving a key of 256 bits from its owner to a reader, by ours and by others, in one run.
//!
//! A peer is a `Scheme`; its file shows how one calls that library and says what the library does
//! not. `limit` is what the machine can do, `product` is the matrix product written plainly.

mod frodo;
pub mod limit;
mod openfhe;
mod ours;
pub mod product;
mod recrypt;
mod scheme;
pub mod table;
mod umbral;

pub use openfhe::{Absent, OpenFhe};
pub use scheme::{Heavy, Operation, Scheme, Security};

/// Everybody who runs in this process, ours first.
#[must_use]
pub fn schemes() -> Vec<Scheme> {
    let mut schemes = Vec::new();
    schemes.extend(ours::schemes());
    schemes.push(umbral::scheme());
    schemes.push(recrypt::scheme());
    schemes.extend(frodo::schemes());
    schemes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scheme_opens_what_was_sealed() {
        for scheme in schemes() {
            assert!((scheme.opens)(), "{}", scheme.name);
        }
    }

    #[test]
    fn every_scheme_does_all_its_work() {
        for mut scheme in schemes() {
            crate::turns::Party::take_turn(&mut scheme);
            for (operation, work) in &scheme.works {
                assert!(work.fastest_ns().is_finite(), "{}: {operation:?}", scheme.name);
            }
        }
    }
}
