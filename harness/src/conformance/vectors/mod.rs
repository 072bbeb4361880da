//! Vectors: stored calls with what is expected of them, for every implementation.
//!
//! Expectations come from `rules` and from the faults that are planted, never from the reference.
//! `shape` is a vector and a file of them, `sequence` a sequence of steps and the file of them, `make` makes all files anew, `embedded` holds them as they
//! were stored. [`super::judge`] holds a reply to an expectation.

mod embedded;
mod make;
mod sequence;
mod shape;

pub use embedded::{
    FILES, KNOWN_ANSWERS, SCHEMA, SCHEMA_OF_SEQUENCES, STORED, all, files, sequences,
};
pub use make::{MAKERS, histories, made, made_sequences};
pub use sequence::{Deed, Kind, Move, NODE, Rule, Sequence, SequenceFile, What};
pub use shape::{Expect, Flag, SUITE, ShapeError, Vector, VectorFile};
