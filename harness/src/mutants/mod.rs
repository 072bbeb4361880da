//! Wrong implementations, each one change: what the harness must notice. [CON-7]

mod protocol;
mod table;

pub use protocol::{MUTATIONS, Mutant, Mutation};
pub use table::{Kill, Row, Technique, expected, judge, row};
