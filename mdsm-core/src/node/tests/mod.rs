//! Nodes as a network; see `network`.

mod epochs;
mod network;
mod records;
