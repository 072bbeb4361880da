//! Sealed files: chunks of XChaCha20-Poly1305 that cannot be reordered, dropped, repeated or cut
//! short without notice. [STO-6] [DDB-1]
//!
//! Format, with byte drawings: spec, database, "Sealed file". Construction: STREAM (Hoang,
//! Reyhanitabar, Rogaway and Vizar, "Online Authenticated-Encryption and its Nonce-Reuse
//! Misuse-Resistance", 2015): nonce = prefix | counter | last. The trailer carries the plaintext's
//! length and a salted commitment to it, so that a file can later be shown to be the one that was
//! sealed, while its digest cannot be guessed from outside.
//!
//! | a file that | sealed by | opened by |
//! |---|---|---|
//! | fits in memory | [`seal`] | [`open`] |
//! | arrives in pieces | [`Sealer`], [`seal_stream`] | [`Frame`] -> [`Check`] -> [`Checked`] -> [`Release`], [`open_stream`] |
//! | is wanted in part | | [`Frame`] -> [`Span`], [`open_range`] |
//!
//! `Sealer`, `Frame` and what follows from it see bytes and places, never a file: they say which
//! bytes they want and are given them. The functions `*_stream` and `open_range` do that over
//! `std::io`; whoever calls them opens the files.
//!
//! Costs: sealing is one pass of the cipher and one of SHA-256. Opening at once is the same; opening
//! as a stream is two such passes, because nothing may come out before all is checked. A range
//! costs its chunks and the trailer. Memory of all but `seal`, `open` and `open_range`: two chunks.

mod cipher;
mod error;
mod format;
mod reader;
mod span;
mod stream;
#[cfg(test)]
mod tests;
mod whole;
mod writer;

pub use cipher::{ContentKey, SealCoins};
pub use error::{OpenError, RangeError, SealError, StreamError};
pub use format::{
    CHUNK_BYTES, HEADER_BYTES, Layout, SEALED_TAG, SUITE_XCHACHA20_POLY1305, TRAILER_BYTES,
    check_bytes, sealed_bytes,
};
pub use reader::{Check, Checked, Frame, Release};
pub use span::Span;
pub use stream::{
    Sealed, check_stream, digest_stream, open_range, open_stream, read_frame, release_stream,
    seal_stream,
};
pub use whole::{open, seal};
pub use writer::Sealer;
