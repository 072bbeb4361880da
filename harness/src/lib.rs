//! Benchmark and formal test harness for implementations of MDSM, the Medical Data Sharing Model.

pub mod build;
pub mod generate;
pub mod report;
pub mod rules;
pub mod seed;
pub mod verdict;
