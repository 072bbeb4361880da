//! Nodes as a network; see `network`.

mod anchors;
mod epochs;
mod network;
mod records;
