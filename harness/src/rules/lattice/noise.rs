//! Standard deviations of the noise. [PRE-1]
//!
//! Fresh: c1 S + c2 - m = e1 R + e2 S + e3. Of one column these are n products of two independent draws
//! twice, and one draw: 2 n s^4 + s^2.
//!
//! A hop, with D = Digits(c1) and D Power(S_A) = (c1 + r) S_A, where r is what rounding adds:
//! c1' S_B + c2' - (c1 S_A + c2) = D E + r S_A + h1 R_B + h2 S_B + h3 and the flood. Of one column:
//! n l products of a digit and a draw, n of a rounding and a draw, then what a fresh capsule has. Every
//! product has a factor of mean 0, so second moments take the place of variances, and products that share
//! one factor are uncorrelated.

use super::law::{Law, rounding};
use super::shape::Shape;

/// Variance in a fresh capsule.
#[must_use]
pub fn fresh_variance(shape: &Shape) -> f64 {
    let (n, variance) = (shape.n as f64, shape.chi.law().square());
    2.0 * n * variance * variance + variance
}

/// Variance that a hop adds.
#[must_use]
pub fn hop_variance(shape: &Shape) -> f64 {
    let (n, variance) = (shape.n as f64, shape.chi.law().square());
    let (lowest, highest) = shape.digit_range();
    let digits = n * shape.l as f64 * Law::even(lowest, highest).square() * variance;
    let dropped = n * rounding(shape.d).square() * variance;
    let flood = shape.flood.iter().map(|weight| (weight * weight) as f64 * variance).sum::<f64>();
    digits + dropped + fresh_variance(shape) + flood
}

/// The deviation after so many hops.
#[must_use]
pub fn deviation(shape: &Shape, hops: usize) -> f64 {
    (fresh_variance(shape) + hops as f64 * hop_variance(shape)).sqrt()
}

/// The standard error of a deviation that was measured, relative to it, from `keys` chains of keys, through
/// each of which `capsules` went; bounded from above.
///
/// Of x the noise of one capsule in one column of one chain, the mean of x^2 strays for three reasons: x
/// itself, 2/N for N values; the lengths of e1, e2, h1, h2, which all columns of a capsule share,
/// (k - 1)/2n for each capsule, k the kurtosis of chi; the lengths of R and S, which all capsules share, as
/// much for each column, and for each column the part that does not depend on the capsule at all, the
/// mean digit times E and the mean rounding times S. A deviation strays by half of what its square does.
#[must_use]
pub fn standard_error(shape: &Shape, hops: usize, keys: usize, capsules: usize) -> f64 {
    let law = shape.chi.law();
    let kurtosis = law.mean(|value| value.powi(4)) / law.square().powi(2);
    let lengths = (kurtosis - 1.0) / (2.0 * shape.n as f64);
    let (lowest, highest) = shape.digit_range();
    let mean_square = |law: Law| law.mean(|value| value).powi(2);
    let of_column =
        shape.l as f64 * mean_square(Law::even(lowest, highest)) + mean_square(rounding(shape.d));
    let constant = hops as f64 * shape.n as f64 * of_column * law.square();
    let share = constant / deviation(shape, hops).powi(2);
    let columns = (keys * shape.columns) as f64;
    let all = (keys * capsules) as f64;
    let square = 2.0 / (all * shape.columns as f64)
        + lengths / all
        + (lengths + 2.0 * share * share) / columns;
    square.sqrt() / 2.0
}
