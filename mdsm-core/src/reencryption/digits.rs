//! Digits of a capsule and the powers they stand for: Digits(c) Power(S) = c S, but for what rounding
//! drops. [PRE-2]
//!
//! A word c is rounded to y = (c + 2^(d-1)) >> d and written in `count` digits of `bits` bits, lowest
//! first; a carry out of the highest digit is a multiple of q and falls away.

use super::kernel::round_to_digits;
use super::set::DigitShape;

/// Writes the digits of n words: all lowest digits, then all second ones, and so on.
pub(super) fn write_digits(shape: DigitShape, words: &[u32], digits: &mut [i16]) {
    let half_dropped = (1 << shape.dropped_bits) >> 1;
    let centre = if shape.signed { 1 << (shape.bits - 1) } else { 0 };
    // Half of its range is added to every digit at once, carries included, and taken off again.
    let digit_weights = (0..shape.count).map(|place| 1 << (shape.bits as usize * place));
    let offset = half_dropped + ((digit_weights.sum::<u32>() * centre) << shape.dropped_bits);
    let centre = i16::try_from(centre).expect("digits have at most 8 bits");
    for (place, digits) in (0..).zip(digits.chunks_exact_mut(words.len())) {
        let shift = shape.dropped_bits + shape.bits * place;
        round_to_digits(words, offset, shift, shape.bits, centre, digits);
    }
}

/// What a digit at `place` stands for.
pub(super) fn weight(shape: DigitShape, place: usize) -> u32 {
    1 << (shape.dropped_bits as usize + shape.bits as usize * place)
}

#[cfg(test)]
mod tests {
    use super::super::set::Set;
    use super::*;

    /// Digits times weights give the word back, but for at most half of what is rounded away; and
    /// every digit lies in its range.
    fn check(set: Set, word: u32) {
        let p = set.parameters();
        let mut digits = vec![0; p.digits.count];
        write_digits(p.digits, &[word], &mut digits);
        let mut left = i64::from(word);
        for (place, digit) in digits.iter().enumerate() {
            let range = if p.digits.signed {
                -(1 << (p.digits.bits - 1))..1 << (p.digits.bits - 1)
            } else {
                0..1 << p.digits.bits
            };
            assert!(range.contains(digit), "{}: digit {digit} of {word}", p.name);
            left -= i64::from(*digit) * i64::from(weight(p.digits, place));
        }
        let q = 1i64 << p.modulus.log2();
        let left = (left + q / 2).rem_euclid(q) - q / 2;
        let most = (1i64 << p.digits.dropped_bits) / 2;
        assert!((-most..=most).contains(&left), "{}: {left} of {word} is lost", p.name);
    }

    #[test]
    fn pre_2_1_digits_give_the_word_back_at_every_edge() {
        for set in Set::ALL {
            let p = set.parameters();
            let (k, d) = (p.modulus.log2(), p.digits.dropped_bits);
            let half = (1u32 << d) >> 1;
            let q = 1u32 << k;
            let edges = [0, 1, half.saturating_sub(1), half, q / 2 - 1, q / 2, q / 2 + 1, q - 1];
            for word in edges.into_iter().chain([q - half, q - half.max(1), 0x5555 % q, 0xaaaa % q])
            {
                check(*set, word % q);
            }
        }
    }

    #[test]
    fn pre_2_1_digits_give_every_word_modulo_65536_back() {
        for word in 0..=0xffff {
            check(Set::S704, word);
            check(Set::Bits704, word);
        }
    }
}
