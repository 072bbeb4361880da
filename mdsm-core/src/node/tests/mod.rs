//! Nodes as a network; see `network`.

mod anchors;
mod epochs;
mod hostile;
mod network;
mod records;
