//! Small sets of numbered things, and a fast hash for keys that are integers already.

use std::hash::{BuildHasherDefault, Hash, Hasher};

/// Numbers below this fit in a set.
pub(super) const BITS_MAX: usize = 256;

/// A set of numbers below [`BITS_MAX`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Bits([u64; BITS_MAX / 64]);

impl Bits {
    /// Whether a number is in the set.
    #[must_use]
    #[inline]
    pub(super) fn has(&self, at: u8) -> bool {
        self.0[usize::from(at / 64)] >> (at % 64) & 1 == 1
    }

    /// Puts a number in.
    #[inline]
    pub(super) fn set(&mut self, at: u8) {
        self.0[usize::from(at / 64)] |= 1 << (at % 64);
    }

    /// The set with one number more.
    #[must_use]
    #[inline]
    pub(super) fn with(mut self, at: u8) -> Self {
        self.set(at);
        self
    }

    /// What is in either.
    #[must_use]
    #[inline]
    pub(super) fn or(self, other: Self) -> Self {
        self.zip(other, |a, b| a | b)
    }

    /// What is in both.
    #[must_use]
    #[inline]
    pub(super) fn and(self, other: Self) -> Self {
        self.zip(other, |a, b| a & b)
    }

    /// What is in this one only.
    #[must_use]
    #[inline]
    pub(super) fn without(self, other: Self) -> Self {
        self.zip(other, |a, b| a & !b)
    }

    /// Whether nothing is in it.
    #[must_use]
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.0 == [0; BITS_MAX / 64]
    }

    /// The numbers, ascending.
    #[inline]
    pub(super) fn iter(self) -> impl Iterator<Item = u8> {
        (0u8..).zip(self.0).flat_map(|(word, bits)| {
            let mut left = bits;
            std::iter::from_fn(move || {
                let bit = u8::try_from(left.trailing_zeros()).ok().filter(|_| left != 0)?;
                left &= left - 1;
                Some(word * 64 + bit)
            })
        })
    }

    #[inline]
    fn zip(self, other: Self, f: impl Fn(u64, u64) -> u64) -> Self {
        let mut out = self;
        out.0.iter_mut().zip(other.0).for_each(|(a, b)| *a = f(*a, b));
        out
    }
}

// Word by word: an array hashes as a slice of bytes, which takes three times as long.
impl Hash for Bits {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.iter().for_each(|word| state.write_u64(*word));
    }
}

/// What lies in at least `need` of the sets, and in at least one.
#[must_use]
#[inline]
pub(super) fn in_at_least(need: usize, sets: impl Iterator<Item = Bits>) -> Bits {
    const SETS_MAX: usize = 8;
    let need = need.clamp(1, SETS_MAX);
    // reached[k]: what lies in more than k of the sets seen so far.
    let mut reached = [Bits::default(); SETS_MAX];
    for set in sets {
        for k in (1..need).rev() {
            reached[k] = reached[k].or(reached[k - 1].and(set));
        }
        reached[0] = reached[0].or(set);
    }
    reached[need - 1]
}

/// Multiplies and folds; for keys that nobody chooses against us.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Fold(u64);

const ODD: u64 = 0x9E37_79B9_7F4A_7C15;

impl Fold {
    #[inline]
    fn mix(&mut self, word: u64) {
        let product = u128::from(self.0 ^ word ^ ODD)
            * u128::from(word.rotate_left(32) ^ 0xD6E8_FEB8_6659_FD93);
        let [low, high] = [product, product >> 64].map(|half| half & u128::from(u64::MAX));
        self.0 = u64::try_from(low ^ high).unwrap_or_default().wrapping_mul(ODD);
    }
}

impl Hasher for Fold {
    #[inline]
    fn finish(&self) -> u64 {
        self.0 ^ self.0 >> 29
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.mix(u64::from_le_bytes(word));
        }
    }

    #[inline]
    fn write_u8(&mut self, word: u8) {
        self.mix(u64::from(word));
    }

    #[inline]
    fn write_u32(&mut self, word: u32) {
        self.mix(u64::from(word));
    }

    #[inline]
    fn write_u64(&mut self, word: u64) {
        self.mix(word);
    }

    #[inline]
    fn write_u128(&mut self, word: u128) {
        let half = |word: u128| u64::try_from(word & u128::from(u64::MAX)).unwrap_or_default();
        self.mix(half(word));
        self.mix(half(word >> 64));
    }

    #[inline]
    fn write_usize(&mut self, word: usize) {
        self.mix(u64::try_from(word).unwrap_or_default());
    }
}

/// The hash of one key.
#[must_use]
#[inline]
pub(super) fn fold(key: u128) -> u64 {
    let mut fold = Fold::default();
    fold.write_u128(key);
    fold.finish()
}

/// A map with integers for keys.
pub(super) type FoldMap<K, V> = std::collections::HashMap<K, V, BuildHasherDefault<Fold>>;
/// A set of integers.
pub(super) type FoldSet<K> = std::collections::HashSet<K, BuildHasherDefault<Fold>>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_hold_what_was_put_in() {
        let numbers = [0, 1, 63, 64, 127, 200, 255];
        let set = numbers.into_iter().fold(Bits::default(), Bits::with);
        assert!(set.iter().eq(numbers));
        assert!((0..=255).all(|at| set.has(at) == numbers.contains(&at)));
        assert!(set.without(set).is_empty() && set.and(set) == set);
    }

    #[test]
    fn thresholds_agree_with_counting() {
        let sets = [0b1011u8, 0b0110, 0b1110, 0b0000, 0b1001];
        let wide =
            |set: u8| (0..8).filter(|at| set >> at & 1 == 1).fold(Bits::default(), Bits::with);
        for need in 1..=5 {
            let found = in_at_least(need, sets.into_iter().map(wide));
            for at in 0..8u8 {
                let count = sets.iter().filter(|set| **set >> at & 1 == 1).count();
                assert_eq!(found.has(at), count >= need, "{at} in {need}");
            }
        }
    }

    #[test]
    fn the_hash_spreads_neighbouring_keys() {
        use std::hash::BuildHasher as _;
        let build = BuildHasherDefault::<Fold>::default();
        let mut low = FoldSet::default();
        let mut high = FoldSet::default();
        for key in 0u128..4_096 {
            let hash = build.hash_one((key << 24) | (key % 3));
            low.insert(hash % 4_096);
            high.insert(hash >> 57);
        }
        // Of 4,096 draws among 4,096 places 2,589 are hit, give or take 35.
        assert!(low.len() > 2_400, "{}", low.len());
        assert_eq!(high.len(), 128);
    }
}
