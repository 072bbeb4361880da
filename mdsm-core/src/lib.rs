//! Reference implementation of MDSM, the Medical Data Sharing Model: a blockchain on which hospitals
//! book the digests of medical records, freeze them every ten minutes and anchor them in Bitcoin.
//!
//! Floors, lowest first; a module imports only from floors below its own. `ARCHITECTURE.md` draws a
//! file's way through them.
//!
//! | floor | module | paper | requirements |
//! |---|---|---|---|
//! | F0 | [`params`], [`types`] | 2, 2.1 | STO-3, STO-4, STO-12, STO-13, COM-2 |
//! | F1 | [`codec`] | 2.1 | STO-1, STO-11 |
//! | F2 | [`crypto`] | 2, 2.1 | STO-2, STO-6, STO-7, DDB-1 |
//! | F3 | [`merkle`] | 2.1, figure 5 | STO-10, STO-11 |
//! | F3 | [`reencryption`] | 2.3 | PRE-1 to PRE-9 |
//! | F4 | [`ledger`] | 2, 2.1, figures 4 and 5 | STO-1 to STO-11, ANC-2, CON-7 |
//! | F5 | [`roster`] | 1.1, 2.2 | COM-1 to COM-7, COM-9 |
//! | F6 | [`chain`] | 2.2 steps 7 to 9 | STO-2, STO-9, STO-12, STO-13, CON-4, CON-5 |
//! | F7 | [`consensus`] | 2.2 steps 6 to 8 | CON-5 to CON-7 |
//! | F7 | [`freezing`], [`anchoring`] | 2.2 steps 5, 8, 9 | STO-3, STO-12, ANC-1 to ANC-3 |
//! | F7 | [`access`] | 2.3 | PRE-3, PRE-4, PRE-5, PRE-7, PRE-8 |
//! | F8 | [`node`] | 2.2 | CON-1 to CON-8 |
//! | F8 | [`client`] | 2 | CLI-1, CLI-2, CLI-4 |
//! | I/O | line | | |
//! | F9 | [`bitcoin`], [`store`], [`log`], [`environment`] | 2, 2.1, 4 | ANC-1, ANC-3, DDB-1 |
//! | F9 | [`transport`] | 2.2 | CON-7 |
//! | F9 | [`objects`] | 2, 2.1 | DDB-2, DDB-3, STO-6 |
//! | F10 | [`runtime`] | 2.2 | CON-7, ANC-2, ANC-3 |
//! | F10 | [`web`] | 2 | CLI-1, CLI-3 |
//! | F11 | [`service`] | 2 | CLI-1, CLI-2, PRE-3 to PRE-8 |
//! | F12 | `bin/mdsm` | 2 | ANC-2 |
//!
//! Features: `node` adds store, log and [`anchoring`], which reads Bitcoin's formats with the `bitcoin` crate;
//! `network` (default) adds sockets and institutions that run.

pub mod access;
#[cfg(feature = "node")]
pub mod anchoring;
#[cfg(feature = "node")]
pub mod bitcoin;
pub mod chain;
pub mod client;
pub mod codec;
pub mod consensus;
pub mod crypto;
#[cfg(feature = "network")]
pub mod environment;
pub mod freezing;
pub mod ledger;
#[cfg(feature = "node")]
pub mod log;
pub mod merkle;
#[cfg(feature = "node")]
pub mod node;
#[cfg(feature = "network")]
pub mod objects;
pub mod params;
pub mod reencryption;
pub mod roster;
#[cfg(feature = "network")]
pub mod runtime;
#[cfg(feature = "network")]
pub mod service;
#[cfg(feature = "node")]
pub mod store;
pub(crate) mod sync;
#[cfg(feature = "network")]
pub mod transport;
pub mod types;
#[cfg(feature = "network")]
pub mod web;
