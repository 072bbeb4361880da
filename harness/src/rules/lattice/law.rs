//! Exact laws: what is drawn, with which probability. [PRE-1]
//!
//! A law is a list of values with their probabilities; the moment generating function of a law X at t
//! is the mean of exp(t X), summed term by term.

/// The law of secrets and noise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chi {
    /// Rounded Gaussian of deviation 2.8.
    Frodo640,
    /// Rounded Gaussian of deviation 2.3.
    Frodo976,
    /// Rounded Gaussian of deviation 1.4.
    Frodo1344,
    /// Bits set in 64 random bits, less those in 64 others.
    Binomial,
}

/// Values and their probabilities.
#[derive(Clone, Debug, PartialEq)]
pub struct Law(pub Vec<(f64, f64)>);

impl Chi {
    /// Of 65,536 draws, how many are 0, and how many are k, and as many -k, for k = 1, 2..: the table of
    /// the FrodoKEM specification. Empty for the binomial law.
    #[must_use]
    pub fn frequencies(self) -> &'static [i64] {
        match self {
            Self::Frodo640 => {
                &[9_288, 8_720, 7_216, 5_264, 3_384, 1_918, 958, 422, 164, 56, 17, 4, 1]
            }
            Self::Frodo976 => &[11_278, 10_277, 7_774, 4_882, 2_545, 1_101, 396, 118, 29, 6, 1],
            Self::Frodo1344 => &[18_286, 14_320, 6_876, 2_023, 364, 40, 2],
            Self::Binomial => &[],
        }
    }

    /// The law.
    #[must_use]
    pub fn law(self) -> Law {
        if self == Self::Binomial {
            // The difference of two sums of 64 bits is a sum of 128 bits, less 64.
            let mut probability = 0.5f64.powi(128);
            let mut values = Vec::new();
            for ups in 0..=128 {
                values.push((f64::from(ups) - 64.0, probability));
                probability *= f64::from(128 - ups) / f64::from(ups + 1);
            }
            return Law(values);
        }
        let mut values = Vec::new();
        for (size, frequency) in (0i32..).zip(self.frequencies()) {
            let probability = *frequency as f64 / 65_536.0;
            values.push((f64::from(size), probability));
            if size > 0 {
                values.push((f64::from(-size), probability));
            }
        }
        Law(values)
    }
}

impl Law {
    /// All whole numbers from lowest to highest, each as likely as the others.
    #[must_use]
    pub fn even(lowest: i64, highest: i64) -> Self {
        let probability = 1.0 / (highest - lowest + 1) as f64;
        Self((lowest..=highest).map(|value| (value as f64, probability)).collect())
    }

    /// The mean of f.
    #[must_use]
    pub fn mean(&self, f: impl Fn(f64) -> f64) -> f64 {
        self.0.iter().map(|(value, probability)| probability * f(*value)).sum()
    }

    /// The mean of the squares: the variance, if the mean is 0.
    #[must_use]
    pub fn square(&self) -> f64 {
        self.mean(|value| value * value)
    }

    /// The logarithm of the mean of exp(f), without leaving the range of a float.
    #[must_use]
    pub fn log_mean_exp(&self, f: impl Fn(f64) -> f64) -> f64 {
        let exponents: Vec<f64> = self.0.iter().map(|(value, _)| f(*value)).collect();
        let highest = exponents.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let terms = exponents.iter().zip(&self.0).map(|(e, (_, p))| p * (e - highest).exp());
        highest + terms.sum::<f64>().ln()
    }

    /// The logarithm of the moment generating function.
    #[must_use]
    pub fn log_mgf(&self, t: f64) -> f64 {
        self.log_mean_exp(|value| value * t)
    }
}

/// What rounding to a multiple of 2^d adds to an even word: -2^(d-1) + 1 to 2^(d-1).
#[must_use]
pub fn rounding(d: u32) -> Law {
    let half = (1i64 << d) / 2;
    if d == 0 { Law::even(0, 0) } else { Law::even(1 - half, half) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn laws_sum_to_one_and_have_their_deviations() {
        for (chi, deviation) in [
            (Chi::Frodo640, 2.8146),
            (Chi::Frodo976, 2.3178),
            (Chi::Frodo1344, 1.4291),
            (Chi::Binomial, 32.0f64.sqrt()),
        ] {
            let law = chi.law();
            assert!((law.mean(|_| 1.0) - 1.0).abs() < 1e-12, "{chi:?}");
            assert!(law.mean(|value| value).abs() < 1e-12, "{chi:?}");
            assert!((law.square().sqrt() - deviation).abs() < 1e-4, "{chi:?}");
        }
    }

    #[test]
    fn digits_and_rounding_have_the_second_moments_of_the_spec() {
        for w in [3u32, 4, 8] {
            let expected = (4f64.powi(w.cast_signed()) + 2.0) / 12.0;
            let digits = Law::even(-(1 << (w - 1)), (1 << (w - 1)) - 1);
            assert!((digits.square() - expected).abs() < 1e-9, "w = {w}");
            assert!((rounding(w).square() - expected).abs() < 1e-9, "d = {w}");
        }
        assert_eq!(Law::even(0, 1).square(), 0.5);
        assert_eq!(rounding(0).square(), 0.0);
    }
}
