//! The whole way of a shared file, on a network of real disks and sockets.

mod remote;
mod stage;
mod way;
mod wrong;
