//! Randomness of the operating system.

use thiserror::Error;

/// The operating system gave no randomness.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the operating system gives no randomness: {message}")]
pub struct EntropyError {
    /// In its words.
    pub message: String,
}

/// Draws bytes that nobody can guess.
pub fn draw<const N: usize>() -> Result<[u8; N], EntropyError> {
    let mut bytes = [0; N];
    let failed = |error: getrandom::Error| EntropyError { message: error.to_string() };
    getrandom::fill(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_draws_differ() {
        assert_ne!(draw::<32>().unwrap(), draw::<32>().unwrap());
    }
}
