//! The stored cases.
