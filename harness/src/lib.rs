//! Benchmark and formal test harness for implementations of MDSM, the Medical Data Sharing Model.
//!
//! Order of the modules, lowest first: `seed`, `verdict`, `glob`, `shell`, `stop`, `output`,
//! `progress`, `machine` | `rules` | `baselines` | `generate` | `oracle` | `corpus`, `input`, `party`, `living`, `report`
//! | `verify`, `performance`. `baselines` holds what the reference is compared with. `rules`
//! restates the spec in naive code with its own arithmetic; whoever judges asks it and never the code
//! under judgement. `oracle` holds the judgements that fuzz targets, tests and `verify` share.

pub mod baselines;
pub mod build;
pub mod child;
pub mod conformance;
pub mod corpus;
pub mod generate;
pub mod glob;
pub mod input;
#[cfg(feature = "living")]
pub mod living;
pub mod machine;
pub mod model;
pub mod mutants;
pub mod oracle;
pub mod output;
pub mod party;
pub mod performance;
pub mod progress;
pub mod report;
pub mod rules;
pub mod seed;
pub mod shell;
pub mod simulation;
pub mod stop;
pub mod verdict;
pub mod verify;
