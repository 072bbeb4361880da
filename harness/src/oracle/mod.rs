//! What must hold of the reference for any input, whoever made it up: the fuzzer, a property test or
//! `verify`. [STO-1] [STO-10] [STO-11] [STO-12] [STO-13] [ANC-2] [DDB-1]
//! [PRE-1] [PRE-3]
//!
//! An oracle takes bytes, lets the reference and the rules answer, and says where they part. It
//! never repairs an answer. A panic in the reference is for the caller to catch or to crash on.

pub mod consensus;
pub mod decode;
pub mod headers;
pub mod merkle;
pub mod parcel;
pub mod receipt;
pub mod reencrypt;
pub mod sealed;
pub mod sealed_range;
pub mod windows;

pub use decode::decode;
pub use headers::headers;
pub use merkle::merkle;
pub use parcel::parcel_open;
pub use receipt::receipt;
pub use reencrypt::reencrypt;
pub use sealed::sealed;
pub use sealed_range::sealed_range;
pub use windows::windows;

/// Whether the claim held; if not, what happened, in words.
pub type Verdict = Result<(), String>;

/// Turns a broken claim into a panic, as a fuzzer wants it.
///
/// # Panics
/// When the claim is broken.
pub fn insist(verdict: Verdict) {
    if let Err(broken) = verdict {
        panic!("{broken}");
    }
}

/// A claim with the words for its breach.
fn claim(holds: bool, breach: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(breach()) }
}
