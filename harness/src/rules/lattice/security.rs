//! Core-SVP: what a set resists, by the primal attack alone. [PRE-1]
//!
//! Alkim, Ducas, Poeppelmann, Schwabe, "Post-quantum key exchange - a new hope", 2016, section 6.3. BKZ with
//! blocks of size b finds the short vector of length s sqrt(d) in a lattice of dimension d = n + m + 1 and
//! volume q^m as soon as s sqrt(b) <= delta^(2b - d - 1) q^(m/d), with the root Hermite factor
//! delta = ((pi b)^(1/b) b / (2 pi e))^(1 / (2 (b - 1))).

use std::f64::consts::{E, PI};

use super::law::Chi;
use super::shape::Shape;

/// Below this block size the formula for delta does not hold, and a set has no security.
const LEAST_BLOCK: u32 = 60;

/// The least block size that finds the secret, over all numbers of samples.
#[must_use]
pub fn block_size(n: usize, log2_q: u32, deviation: f64) -> u32 {
    let log_q = f64::from(log2_q) * std::f64::consts::LN_2;
    let finds = |block: u32| {
        let b = f64::from(block);
        let log_delta = ((PI * b).ln() / b + (b / (2.0 * PI * E)).ln()) / (2.0 * (b - 1.0));
        (1..=3 * n).any(|m| {
            let dimension = (n + m + 1) as f64;
            let length = (2.0 * b - dimension - 1.0) * log_delta + m as f64 / dimension * log_q;
            deviation.ln() + b.ln() / 2.0 <= length
        })
    };
    (LEAST_BLOCK..).find(|block| finds(*block)).expect("a block as long as the basis finds it")
}

/// Bits, classical and quantum, rounded down.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "some hundreds, rounded down"
)]
pub fn core_svp(shape: &Shape) -> (u32, u32) {
    let deviation = shape.chi.law().square().sqrt();
    // Where noise is flooded, what the hints of honest re-encryptions leave is half of the deviation.
    let deviation = if shape.chi == Chi::Binomial { deviation / 2.0 } else { deviation };
    let block = block_size(shape.n, shape.log2_q, deviation);
    if block == LEAST_BLOCK {
        return (0, 0);
    }
    let bits = |cost: f64| (cost * f64::from(block)) as u32;
    (bits(0.292), bits(0.265))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Figures of the lattice estimator (usvp, ADPS16) for the sets of FrodoKEM.
    #[test]
    fn the_sets_of_frodokem_have_the_block_sizes_that_the_estimator_gives() {
        assert!(block_size(640, 15, 2.8).abs_diff(483) <= 1);
        assert!(block_size(976, 16, 2.3).abs_diff(706) <= 1);
        assert!(block_size(1_344, 16, 1.4).abs_diff(930) <= 1);
    }
}
