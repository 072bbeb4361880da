//! The 256 bits that a capsule carries, and how they lie in its words. [PRE-1]

use zeroize::Zeroizing;

use super::set::Parameters;

/// Bits of a message.
const BITS: usize = 256;

/// The secret of one capsule, from which the file's key follows. Wiped on drop, never printed.
#[derive(Clone)]
pub struct Message(Zeroizing<[u8; 32]>);

impl Message {
    /// Wraps 32 uniformly random bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Adds the message to words: B bits in the highest bits of each, the lowest bit of the first
    /// byte first.
    pub(super) fn add_to(&self, parameters: &Parameters, words: &mut [u32]) {
        let per_word = parameters.message_bits as usize;
        let shift = parameters.modulus.log2() - parameters.message_bits;
        for (column, word) in words.iter_mut().enumerate() {
            let bits = (column * per_word..(column + 1) * per_word).filter(|bit| *bit < BITS);
            let value = bits
                .rev()
                .fold(0, |value, bit| value << 1 | u32::from(self.0[bit / 8] >> (bit % 8) & 1));
            *word = word.wrapping_add(value << shift);
        }
    }

    /// The message in noisy words: every word is rounded to its highest B bits. Bits past the 256th
    /// are dropped; whoever recomputes the capsule sees whether they were 0.
    pub(super) fn of_words(parameters: &Parameters, words: &[u32]) -> Self {
        let per_word = parameters.message_bits as usize;
        let shift = parameters.modulus.log2() - parameters.message_bits;
        let mut bytes = Zeroizing::new([0; 32]);
        for (column, word) in words.iter().enumerate() {
            let value = word.wrapping_add(1 << (shift - 1)) >> shift;
            for place in 0..per_word {
                let bit = column * per_word + place;
                if bit < BITS {
                    bytes[bit / 8] |= u8::from(value >> place & 1 == 1) << (bit % 8);
                }
            }
        }
        Self(bytes)
    }
}

impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Message(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::super::set::Set;
    use super::*;

    #[test]
    fn a_message_survives_noise_up_to_half_a_step() {
        let bytes: [u8; 32] = std::array::from_fn(|at| u8::try_from(at * 37 % 251).unwrap());
        for set in Set::ALL {
            let p = set.parameters();
            let step = 1u32 << (p.modulus.log2() - p.message_bits);
            let decoded = |noise: u32| {
                let mut words = vec![noise; p.columns];
                Message::new(bytes).add_to(p, &mut words);
                words.iter_mut().for_each(|word| *word &= p.modulus.mask());
                *Message::of_words(p, &words).as_bytes()
            };
            for noise in [0, step / 2 - 1, (step / 2).wrapping_neg(), 1u32.wrapping_neg()] {
                assert_eq!(decoded(noise), bytes, "{} noise {noise:#x}", p.name);
            }
            assert_ne!(decoded(step / 2), bytes, "{}", p.name);
        }
    }
}
