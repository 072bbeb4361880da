//! The spec in naive code with its own arithmetic.

pub mod ots;
