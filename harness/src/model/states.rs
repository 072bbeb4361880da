//! The set of states: one place of 16 bytes for the nodes of a state, whatever the number of crashes.

use super::bits::fold;

/// Bits of a key that say with how many crashes it was reached.
pub(super) const TAG_BITS: u32 = 8;
/// Crashes that can be told apart.
pub(super) const TAG_MAX: u8 = 7;
const PLACES_MIN: usize = 1_000;

/// Keys of 120 bits, each with the tags that it came with. Exact: keys are held in full.
#[derive(Debug)]
pub(super) struct States {
    /// Open addressing; 0 is a free place, since a key that is here has a tag.
    places: Vec<u128>,
    used: usize,
}

impl Default for States {
    fn default() -> Self {
        Self { places: vec![0; PLACES_MIN], used: 0 }
    }
}

impl States {
    /// Notes a key with a tag. Gives the tags with which it was noted before, a bit each.
    pub(super) fn note(&mut self, key: u128, tag: u8) -> u8 {
        debug_assert!(key >> (u128::BITS - TAG_BITS) == 0 && tag <= TAG_MAX, "the key fits");
        // Four fifths: beyond that searches for what is not here become long.
        if self.used * 5 >= self.places.len() * 4 {
            self.grow();
        }
        let at = self.place(key);
        let held = self.places[at];
        self.used += usize::from(held == 0);
        self.places[at] = key << TAG_BITS | held & 0xFF | 1 << tag;
        tags(held)
    }

    /// Brings the places of keys that are noted soon into the cache, all at once: one after the other
    /// each would be waited for.
    pub(super) fn warm(&self, keys: impl Iterator<Item = u128>) {
        for key in keys {
            std::hint::black_box(self.places[self.home(key)]);
        }
    }

    /// Keys.
    #[cfg(test)]
    fn len(&self) -> usize {
        self.used
    }

    /// Bytes that it takes.
    #[must_use]
    pub(super) fn bytes(&self) -> usize {
        self.places.capacity() * size_of::<u128>()
    }

    /// Where a key is, or the free place where it belongs.
    fn place(&self, key: u128) -> usize {
        let mut at = self.home(key);
        loop {
            let held = self.places[at];
            if held == 0 || held >> TAG_BITS == key {
                return at;
            }
            at = if at + 1 < self.places.len() { at + 1 } else { 0 };
        }
    }

    /// Where a key is when no other is in its way: its hash, scaled to the number of places.
    #[inline]
    fn home(&self, key: u128) -> usize {
        let scaled = u128::from(fold(key)) * self.places.len() as u128;
        usize::try_from(scaled >> u64::BITS).unwrap_or(0)
    }

    fn grow(&mut self) {
        // By half: the set is the memory of a search, and by doubling half of it could lie idle.
        let wider = vec![0; self.places.len() / 2 * 3];
        for held in std::mem::replace(&mut self.places, wider) {
            if held != 0 {
                let at = self.place(held >> TAG_BITS);
                self.places[at] = held;
            }
        }
    }
}

fn tags(held: u128) -> u8 {
    u8::try_from(held & 0xFF).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn it_agrees_with_a_map_of_tags() {
        let (mut states, mut map) = (States::default(), BTreeMap::<u128, u8>::new());
        let mut word = 1u128;
        for step in 0u8..=u8::MAX {
            for _ in 0..100 {
                word = word.wrapping_mul(0x2545_F491_4F6C_DD1D_2545_F491_4F6C_DD1D).rotate_left(41);
                // Small ones come again, large ones fill the places.
                let key = if word & 1 == 0 { word >> 116 } else { word >> TAG_BITS };
                let tag = step % (TAG_MAX + 1);
                let before = map.entry(key).or_default();
                assert_eq!(states.note(key, tag), *before);
                *before |= 1 << tag;
            }
        }
        assert_eq!(states.len(), map.len());
        assert!(map.iter().all(|(key, tags)| states.note(*key, 0) == *tags));
        assert_eq!(states.note((1 << 120) - 1, 3), 0);
        assert!(states.bytes() < map.len() * 64);
    }
}
