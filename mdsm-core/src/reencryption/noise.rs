//! Laws of secrets and noise, and how they are drawn: without a branch or an index that depends on
//! what is drawn. [PRE-1]
//!
//! Tables: Alkim, Bos, Ducas et al., "FrodoKEM", round 3, table 3 (chi of Frodo-640, -976, -1344).

use super::wiped::Wiped;

use super::expand::{STREAM_BLOCKS, Stream};
use super::kernel::{add_weighted, table_noise};

/// A law, symmetric around 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noise {
    /// By a table of cumulated frequencies: 16 random bits a value.
    Table(&'static [u16]),
    /// The bits set in 64 random bits, less those in 64 others: standard deviation 4 x sqrt(2).
    Binomial,
}

/// Chi of Frodo-640, standard deviation 2.8.
pub(super) const FRODO_640: Noise = Noise::Table(&[
    4_643, 13_363, 20_579, 25_843, 29_227, 31_145, 32_103, 32_525, 32_689, 32_745, 32_762, 32_766,
    32_767,
]);

/// Chi of Frodo-976, standard deviation 2.3.
pub(super) const FRODO_976: Noise = Noise::Table(&[
    5_638, 15_915, 23_689, 28_571, 31_116, 32_217, 32_613, 32_731, 32_760, 32_766, 32_767,
]);

/// Chi of Frodo-1344, standard deviation 1.4.
pub(super) const FRODO_1344: Noise =
    Noise::Table(&[9_142, 23_462, 30_338, 32_361, 32_725, 32_765, 32_767]);

impl Noise {
    /// Draws that one filling of a stream's blocks gives.
    fn draws(self) -> usize {
        match self {
            Self::Table(_) => STREAM_BLOCKS * 8,
            Self::Binomial => STREAM_BLOCKS,
        }
    }

    /// Draws values, at most 64 in size.
    pub(super) fn draw(self, mut stream: Stream<'_>, values: &mut [i16]) {
        let mut random = Wiped::new([[0; 16]; STREAM_BLOCKS]);
        for values in values.chunks_mut(self.draws()) {
            stream.fill(&mut random);
            self.of_random(&random, values);
        }
    }

    fn of_random(self, random: &[[u8; 16]; STREAM_BLOCKS], values: &mut [i16]) {
        match self {
            Self::Table(table) => {
                let pairs = random.as_flattened().as_chunks().0;
                table_noise(&pairs[..values.len()], table, values);
            }
            Self::Binomial => {
                for (value, random) in values.iter_mut().zip(random) {
                    *value = binomial(*random);
                }
            }
        }
    }

    /// Adds a value to each word, which wraps.
    pub(super) fn add_to(self, stream: Stream<'_>, words: &mut [u32]) {
        let mut values = Wiped::new(vec![0; words.len()]);
        self.draw(stream, &mut values);
        for (word, value) in words.iter_mut().zip(values.iter()) {
            *word = word.wrapping_add(i32::from(*value).cast_unsigned());
        }
    }

    /// Adds to each word, which wraps, the sum of as many draws as there are weights, each times its
    /// weight. What is left of a filling after whole sums is dropped.
    pub(super) fn add_flood_to(self, mut stream: Stream<'_>, weights: &[i16], words: &mut [u32]) {
        let mut random = Wiped::new([[0; 16]; STREAM_BLOCKS]);
        let mut values = Wiped::new(vec![0; self.draws()]);
        for words in words.chunks_mut(self.draws() / weights.len()) {
            stream.fill(&mut random);
            self.of_random(&random, &mut values);
            add_weighted(&values, weights, words);
        }
    }
}

fn binomial(random: [u8; 16]) -> i16 {
    let [ups, downs] = [0, 8].map(|at| {
        let half: [u8; 8] = random[at..at + 8].try_into().expect("8 of 16 bytes");
        u64::from_le_bytes(half).count_ones()
    });
    // Both are at most 64.
    #[expect(clippy::cast_possible_truncation, reason = "at most 64")]
    {
        ups as i16 - downs as i16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All 65,536 inputs: the frequency of every value is exactly that of the table.
    #[test]
    fn a_table_gives_its_law_exactly() {
        for law in [FRODO_640, FRODO_976, FRODO_1344] {
            let Noise::Table(table) = law else { panic!("a table") };
            let random: Vec<[u8; 2]> = (0..=u16::MAX).map(u16::to_le_bytes).collect();
            let mut values = vec![0i16; random.len()];
            table_noise(&random, table, &mut values);
            let mut before = -1;
            for (size, entry) in (0i16..).zip(table) {
                let frequency = i32::from(*entry) - before;
                before = i32::from(*entry);
                for value in [size, -size] {
                    let seen = values.iter().filter(|seen| **seen == value).count();
                    // Zero is met under both signs.
                    let expected = if size == 0 { 2 * frequency } else { frequency };
                    assert_eq!(i32::try_from(seen).unwrap(), expected, "{value}");
                }
            }
            assert_eq!(before, 32_767, "15 bits");
        }
    }

    #[test]
    fn the_binomial_law_has_its_extremes_and_its_deviation() {
        let mut random = [0xff; 16];
        assert_eq!(binomial(random), 0);
        random[8..].fill(0);
        assert_eq!(binomial(random), 64);
        random[..8].fill(0);
        random[15] = 0x80;
        assert_eq!(binomial(random), -1);
    }
}
