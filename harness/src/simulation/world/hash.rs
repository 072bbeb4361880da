//! Mixing of 64-bit words, for draws that depend on nothing but their subject, and for the digest of a
//! run. Not a hash that withstands an attacker; nobody attacks a simulation.

/// Mixes two words: the folded product of both.
#[must_use]
#[inline]
pub fn mix(a: u64, b: u64) -> u64 {
    let product = u128::from(a ^ 0x9e37_79b9_7f4a_7c15) * u128::from(b ^ 0xd1b5_4a32_d192_ed03);
    let bytes = product.to_le_bytes();
    let half = |at: usize| {
        let mut word = [0; 8];
        word.copy_from_slice(&bytes[at..at + 8]);
        u64::from_le_bytes(word)
    };
    half(0) ^ half(8)
}

/// Folds bytes into one word.
#[must_use]
pub fn fold(seed: u64, bytes: &[u8]) -> u64 {
    let mut state = mix(seed, 0x2545_f491_4f6c_dd1d ^ u64::try_from(bytes.len()).unwrap_or(0));
    let mut chunks = bytes.chunks_exact(8);
    for chunk in &mut chunks {
        let mut word = [0; 8];
        word.copy_from_slice(chunk);
        state = mix(state, u64::from_le_bytes(word));
    }
    let rest = chunks.remainder();
    let mut word = [0; 8];
    word[..rest.len()].copy_from_slice(rest);
    mix(state, u64::from_le_bytes(word))
}

/// The running digest of a run: every delivery and observation, in order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trace(u64, u64);

impl Trace {
    /// Takes up one more word.
    #[inline]
    pub fn add(&mut self, word: u64) {
        self.0 = mix(self.0, word);
        self.1 = self.1.rotate_left(23).wrapping_add(self.0 ^ word);
    }

    /// What there is so far.
    #[must_use]
    pub fn digest(&self) -> u128 {
        u128::from(self.0) << 64 | u128::from(self.1)
    }
}
