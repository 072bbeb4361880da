//! Things by a small number, used again once the thing is taken.

/// Things.
#[derive(Debug)]
pub(super) struct Slab<T> {
    places: Vec<Option<T>>,
    free: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { places: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    /// Puts a thing and gives its number.
    pub(super) fn put(&mut self, thing: T) -> u32 {
        if let Some(at) = self.free.pop() {
            self.places[at as usize] = Some(thing);
            return at;
        }
        self.places.push(Some(thing));
        u32::try_from(self.places.len() - 1).unwrap_or(u32::MAX)
    }

    /// Takes the thing of a number.
    pub(super) fn take(&mut self, at: u32) -> Option<T> {
        let thing = self.places.get_mut(at as usize)?.take()?;
        self.free.push(at);
        Some(thing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_means_its_thing_until_that_is_taken() {
        let mut slab = Slab::default();
        let (a, b) = (slab.put('a'), slab.put('b'));
        assert_eq!(slab.take(a), Some('a'));
        assert_eq!(slab.take(a), None);
        let c = slab.put('c');
        assert_eq!((slab.take(b), slab.take(c)), (Some('b'), Some('c')));
        assert_eq!(slab.places.len(), 2);
    }
}
