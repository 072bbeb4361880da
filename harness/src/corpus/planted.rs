//! The canary's decoder: right but for one planted fault, so that a fuzzer that finds nothing is
//! known to look. [STO-1]

use mdsm_core::codec::DecodeErrorKind;

use crate::oracle::decode::{Accepted, Answer, reference};
use crate::rules::wire::WireKind;

/// The reference, made to accept extensions whose keys do not ascend, as decoders do that read a
/// map with a library and do not compare its keys (STO-1.5).
pub fn unsorted_is_accepted(kind: WireKind, bytes: &[u8]) -> Answer {
    match reference(kind, bytes) {
        Err(refused)
            if refused.kind == DecodeErrorKind::Order && refused.field.contains(".ext") =>
        {
            Ok(Accepted { bytes: bytes.to_vec(), digests: Vec::new() })
        }
        answer => answer,
    }
}
