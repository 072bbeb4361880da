//! Committees.

mod committee;
mod turn;

pub use committee::{Committees, Place, Seat};
