//! Arrays of secrets that are wiped on drop.
//!
//! `zeroize` writes element by element, 0.3 us for a kilobyte, which for the noise of a re-encryption
//! would be a tenth of the whole. Here the array is filled at once, and `black_box` makes the compiler
//! believe that somebody still looks at it.

use std::hint::black_box;
use std::ops::{Deref, DerefMut};

use ndarray::Array2;

/// What can be wiped.
pub(super) trait Wipe {
    /// Overwrites everything.
    fn wipe(&mut self);
}

fn fill<T: Copy + Default>(entries: &mut [T]) {
    entries.fill(T::default());
    black_box(entries);
}

impl<T: Copy + Default> Wipe for Vec<T> {
    fn wipe(&mut self) {
        fill(self);
    }
}

impl<T: Copy + Default, const N: usize> Wipe for [T; N] {
    fn wipe(&mut self) {
        fill(self);
    }
}

impl<T: Copy + Default> Wipe for Array2<T> {
    fn wipe(&mut self) {
        fill(self.as_slice_mut().expect("rows stand one after another"));
    }
}

/// A secret of many entries, wiped on drop.
pub(super) struct Wiped<A: Wipe>(A);

impl<A: Wipe> Wiped<A> {
    pub(super) fn new(entries: A) -> Self {
        Self(entries)
    }
}

impl<T: Copy + Default> Wiped<Array2<T>> {
    /// All zeros.
    pub(super) fn zeros(rows: usize, columns: usize) -> Self {
        Self(Array2::from_elem((rows, columns), T::default()))
    }

    /// All entries, row by row.
    pub(super) fn entries_mut(&mut self) -> &mut [T] {
        self.0.as_slice_mut().expect("rows stand one after another")
    }
}

impl<A: Wipe> Deref for Wiped<A> {
    type Target = A;

    fn deref(&self) -> &A {
        &self.0
    }
}

impl<A: Wipe> DerefMut for Wiped<A> {
    fn deref_mut(&mut self) -> &mut A {
        &mut self.0
    }
}

impl<A: Wipe> Drop for Wiped<A> {
    fn drop(&mut self) {
        self.0.wipe();
    }
}
