//! Reading a buffer from end to end, again and again, on one core.

/// Bytes of the buffers: in the second-level cache, three in the third, and beyond it.
pub const SIZES: [usize; 5] = [1 << 19, 1 << 22, 1 << 23, 1 << 24, 1 << 26];

/// Reads every word once, with the widest loads that the CPU has.
pub(super) fn sum(buffer: &[u64]) -> u64 {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f") {
            // SAFETY: the feature is there.
            return unsafe { x86::avx512(buffer) };
        }
        if is_x86_feature_detected!("avx2") {
            // SAFETY: the feature is there.
            return unsafe { x86::avx2(buffer) };
        }
    }
    buffer.iter().fold(0, |sum, word| sum ^ word)
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    /// Eight sums of eight words.
    #[target_feature(enable = "avx512f")]
    pub(super) fn avx512(buffer: &[u64]) -> u64 {
        let mut sums = [_mm512_setzero_si512(); 8];
        for line in buffer.as_chunks::<64>().0 {
            for (sum, words) in sums.iter_mut().zip(line.as_chunks::<8>().0) {
                // SAFETY: the chunk has 64 readable bytes.
                let words = unsafe { _mm512_loadu_si512(words.as_ptr().cast()) };
                *sum = _mm512_xor_si512(*sum, words);
            }
        }
        let low = |sum| _mm_cvtsi128_si64(_mm512_castsi512_si128(sum)).cast_unsigned();
        sums.into_iter().map(low).fold(0, |all, sum| all ^ sum)
    }

    /// Eight sums of four words.
    #[target_feature(enable = "avx2")]
    pub(super) fn avx2(buffer: &[u64]) -> u64 {
        let mut sums = [_mm256_setzero_si256(); 8];
        for line in buffer.as_chunks::<32>().0 {
            for (sum, words) in sums.iter_mut().zip(line.as_chunks::<4>().0) {
                // SAFETY: the chunk has 32 readable bytes.
                let words = unsafe { _mm256_loadu_si256(words.as_ptr().cast()) };
                *sum = _mm256_xor_si256(*sum, words);
            }
        }
        let low = |sum| _mm_cvtsi128_si64(_mm256_castsi256_si128(sum)).cast_unsigned();
        sums.into_iter().map(low).fold(0, |all, sum| all ^ sum)
    }
}
