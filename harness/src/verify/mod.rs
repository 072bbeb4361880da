//! `verify`: real files become records, Items, data blocks, a frozen window, an anchor in a Bitcoin
//! block, and receipts; then every claim about them is put to the test.
//!
//! `world` runs the network once. Each case in `cases` looks only at what came out of it, or gives
//! it something wrong and expects the right refusal.

mod archive;
mod cases;
mod intake;
mod producer;
mod run;
mod world;

pub use run::{Example, Options, Verified, run};
