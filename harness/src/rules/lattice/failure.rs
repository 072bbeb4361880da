//! A bound on the probability that a column of a capsule decodes wrongly. [PRE-1]
//!
//! Let N be the noise of one column after h hops (see `noise`), a sum of whole numbers, and T = q /
//! 2^(B+1) half a step. The column decodes rightly if -T <= N < T. For any t > 0, by Markov's
//! inequality on exp(t N), P(N >= T) <= M(t) / exp(t T), M the moment generating function of N. The
//! law of N is the same as that of -N: turn the signs of R, S, E and the draws that stand alone (e3,
//! h3, flood), whose laws are symmetric and which occur once in every term, and N turns its sign. So
//! twice the bound holds both tails, and times the number of columns it holds a whole capsule. Every
//! t is allowed; the least bound is sought, and a search that misses it only makes the bound worse.
//!
//! M is exact, not a Gaussian. N is a sum of independent parts, for one column:
//!
//! | part | how many | logarithm of its moment generating function |
//! |---|---|---|
//! | e1 R of the owner, h1 R of each reader | n each | E\[exp(t e R)\] = mean over R of L(t R) |
//! | e3, h3 | 1 each | L(t) |
//! | digits times E of each hop | n l | mean over E of that of a digit at t E |
//! | (e2 + r) S of the owner, (h2 + r) S of every reader but the last | n each | mean over S of L(t S) + that of r at t S |
//! | h2 S of the last reader | n | mean over S of L(t S) |
//! | flood of each hop | 1 | sum over the weights w of that of chi at w t |
//!
//! with L that of chi and "mean" the logarithm of the mean of the exponentials. The fourth line is
//! why two terms must not be bounded apart: e2 S and r S are uncorrelated, not independent, for a
//! long S makes both long.
//!
//! Where no noise whatever reaches T, the bound falls without end as t grows: the probability is 0.
//!
//! What is assumed. (1) A and X are uniform; they come from AES. Then c1 is uniform and independent
//! of everything in the table, exactly, as soon as one entry of e1 is odd, and in later hops one
//! digit, through the fresh X of that hop. It fails to be with probability 2^-n: never, but for Toy16
//! in one capsule of 65,536, so that its bound is not one. Of a uniform word the digits and what
//! rounding adds are uniform and independent, since they are different bits of it. (2) Keys and noise
//! are drawn as they should be, and every hop leads to a new key by a new re-encryption key. A capsule
//! that goes from A to B and back meets S of A twice: [`log2_bound_of_a_circle`].

use super::law::{Law, rounding};
use super::noise::deviation;
use super::shape::Shape;

/// Laws of what a set's noise is made of.
struct Parts {
    chi: Law,
    digit: Law,
    rounding: Law,
}

impl Parts {
    fn of(shape: &Shape) -> Self {
        let (lowest, highest) = shape.digit_range();
        let digit = Law::even(lowest, highest);
        Self { chi: shape.chi.law(), digit, rounding: rounding(shape.d) }
    }

    /// The logarithm of the moment generating function of a column's noise.
    fn log_mgf(&self, shape: &Shape, hops: usize, t: f64) -> f64 {
        let Self { chi, digit, rounding } = self;
        let (n, l, h) = (shape.n as f64, shape.l as f64, hops as f64);
        let product = chi.log_mean_exp(|r| chi.log_mgf(t * r));
        let joint = chi.log_mean_exp(|s| chi.log_mgf(t * s) + rounding.log_mgf(t * s));
        let digits = chi.log_mean_exp(|e| digit.log_mgf(t * e));
        let flood = flood_log_mgf(shape, chi, t);
        // Owner and readers are h + 1; all of them but the last meet a rounding.
        (h + 1.0) * (n * product + chi.log_mgf(t))
            + h * n * joint
            + n * product
            + h * (n * l * digits + flood)
    }

    /// The same if one and the same S, R and E are met in every hop, at the worst.
    fn log_mgf_of_a_circle(&self, shape: &Shape, hops: usize, t: f64) -> f64 {
        let Self { chi, digit, rounding } = self;
        let (n, l, h) = (shape.n as f64, shape.l as f64, hops as f64);
        let products = chi.log_mean_exp(|r| (h + 1.0) * chi.log_mgf(t * r));
        let joint =
            chi.log_mean_exp(|s| (h + 1.0) * chi.log_mgf(t * s) + h * rounding.log_mgf(t * s));
        let digits = chi.log_mean_exp(|e| h * digit.log_mgf(t * e));
        let flood = flood_log_mgf(shape, chi, t);
        n * (products + joint + l * digits) + (h + 1.0) * chi.log_mgf(t) + h * flood
    }
}

/// The logarithm of the moment generating function of the flood.
fn flood_log_mgf(shape: &Shape, chi: &Law, t: f64) -> f64 {
    shape.flood.iter().map(|weight| chi.log_mgf(*weight as f64 * t)).sum()
}

/// The binary logarithm of a bound on the probability that some column is wrong after so many hops; minus
/// infinity where none can be.
#[must_use]
pub fn log2_bound(shape: &Shape, hops: usize) -> f64 {
    if highest_noise(shape, hops) < (shape.q() >> (shape.b + 1)) as f64 {
        return f64::NEG_INFINITY;
    }
    let parts = Parts::of(shape);
    least(shape, hops, |t| parts.log_mgf(shape, hops, t))
}

/// The noise of a column after so many hops, when every value is as large as it can be.
#[must_use]
pub fn highest_noise(shape: &Shape, hops: usize) -> f64 {
    let Parts { chi, digit, rounding } = Parts::of(shape);
    let highest = |law: &Law| law.0.iter().map(|(value, _)| value.abs()).fold(0.0, f64::max);
    let (n, l, h) = (shape.n as f64, shape.l as f64, hops as f64);
    let chi = highest(&chi);
    let fresh = 2.0 * n * chi * chi + chi;
    let flood = chi * shape.flood.iter().sum::<i64>() as f64;
    let hop = n * chi * (l * highest(&digit) + highest(&rounding)) + fresh + flood;
    fresh + h * hop
}

/// The bound where the capsule goes to and fro between keys that it has met before, by re-encryption keys
/// that it has met before, which is no worse than if all of them were one: of values that are met several
/// times the mean of a product of powers is at most the mean of the whole power. That X then comes
/// again, so that c1 is not exactly uniform, is left out: this is an estimate, no bound in the strict
/// sense.
#[must_use]
pub fn log2_bound_of_a_circle(shape: &Shape, hops: usize) -> f64 {
    let parts = Parts::of(shape);
    least(shape, hops, |t| parts.log_mgf_of_a_circle(shape, hops, t))
}

/// Hops that keep the bound below 2^-128, at most 10.
#[must_use]
pub fn hops_max(shape: &Shape) -> usize {
    (1..=10).take_while(|hops| log2_bound(shape, *hops) < -128.0).count()
}

/// Seeks the t of the least bound, by thirds on a logarithmic scale around that of a Gaussian. The
/// exponent is convex in t, so it has one valley.
fn least(shape: &Shape, hops: usize, log_mgf: impl Fn(f64) -> f64) -> f64 {
    let half_step = (shape.q() >> (shape.b + 1)) as f64;
    let bound = |log_t: f64| log_mgf(log_t.exp()) - log_t.exp() * half_step;
    let gaussian = (half_step / deviation(shape, hops).powi(2)).ln();
    let (mut low, mut high) = (gaussian - 4.0, gaussian + 2.0);
    for _ in 0..40 {
        let third = (high - low) / 3.0;
        if bound(low + third) < bound(high - third) {
            high -= third;
        } else {
            low += third;
        }
    }
    let natural = bound(low.midpoint(high)) + (2.0 * shape.columns as f64).ln();
    natural / std::f64::consts::LN_2
}
