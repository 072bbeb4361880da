//! Protocols that the reference is compared with. [COM-8]

pub mod dpos;
