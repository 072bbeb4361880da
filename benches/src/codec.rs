//! The wire format: a record envelope of 1 KB and of the largest inline content, and a receipt.
//! [STO-1] [STO-4]

use mdsm_core::codec::{DecodeError, Wire};
use mdsm_core::ledger::{Envelope, Receipt};
use mdsm_core::params::INLINE_CONTENT_BYTES_MAX;

use crate::fixture::{self, CHAIN, Detail};
use crate::ledger;

/// Content bytes of the envelopes that are measured.
pub const CONTENT_BYTES: [usize; 2] = [1_024, INLINE_CONTENT_BYTES_MAX];

/// A typical envelope around `bytes` bytes of content.
#[must_use]
pub fn envelope(bytes: usize) -> Envelope {
    fixture::envelope(&CHAIN, 1, Detail::Typical, bytes)
}

/// Sixteen typical envelopes, around `bytes` bytes of content and somewhat more.
#[must_use]
pub fn envelopes(bytes: usize) -> Vec<Envelope> {
    (0..16).map(|more| envelope(bytes + 37 * more)).collect()
}

/// The same, encoded.
#[must_use]
pub fn encoded_envelopes(bytes: usize) -> Vec<Vec<u8>> {
    envelopes(bytes).iter().map(encode).collect()
}

/// One typical envelope, encoded.
#[must_use]
pub fn encoded_envelope(bytes: usize) -> Vec<u8> {
    encode(&envelope(bytes))
}

/// A receipt from a window of a million records.
#[must_use]
pub fn receipt() -> Receipt {
    ledger::claim(Detail::Typical).receipt
}

/// The same, encoded.
#[must_use]
pub fn encoded_receipt() -> Vec<u8> {
    encode(&receipt())
}

/// The work: to bytes.
#[must_use]
pub fn encode<T: Wire>(value: &T) -> Vec<u8> {
    value.to_bytes()
}

/// The work: from bytes that come from anywhere.
///
/// # Errors
/// What is wrong with the bytes; never here.
pub fn decode<T: Wire>(bytes: &[u8]) -> Result<T, DecodeError> {
    T::from_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workloads_do_their_work() {
        for bytes in CONTENT_BYTES {
            assert_eq!(decode::<Envelope>(&encoded_envelope(bytes)), Ok(envelope(bytes)));
        }
        for (encoded, envelope) in encoded_envelopes(1_024).iter().zip(envelopes(1_024)) {
            assert_eq!(decode::<Envelope>(encoded), Ok(envelope));
        }
        assert_eq!(decode::<Receipt>(&encoded_receipt()), Ok(receipt()));
    }
}
