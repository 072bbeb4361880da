//! Draws of a case, and fields of results.

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use serde_json::{Map, Value};

use crate::conformance::subject::{Interrupt, Subject};
use crate::conformance::value::{Field, FieldError};

/// The random draws of a case.
pub(super) fn draws(subject: &Subject<'_>) -> ChaCha12Rng {
    ChaCha12Rng::from_seed(subject.seed())
}

/// So many random bytes.
pub(super) fn bytes(draw: &mut ChaCha12Rng, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    draw.fill_bytes(&mut bytes);
    bytes
}

/// A field of a result; one of another type is the implementation's fault, with the field named.
pub(super) fn field<T>(
    result: &Map<String, Value>,
    name: &str,
    read: impl FnOnce(&Field<'_>) -> Result<T, FieldError>,
) -> Result<T, Interrupt> {
    let Some(value) = result.get(name) else {
        return Err(Interrupt::Broken(format!("ok.{name} is missing")));
    };
    read(&Field::whole(&format!("ok.{name}"), value)).map_err(wrong)
}

/// A field that is not what the page says.
pub(super) fn wrong(error: FieldError) -> Interrupt {
    Interrupt::Broken(error.to_string())
}
