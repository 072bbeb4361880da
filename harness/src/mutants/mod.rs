//! Wrong implementations, each one change: what the harness must notice. [CON-7]

pub mod behind;
mod protocol;
mod scopes;
mod table;

pub use protocol::{MUTATIONS, Mutant, Mutation};
pub use scopes::{Shown, small_scope};
pub use table::{Kill, Row, Technique, expected, judge, row};
