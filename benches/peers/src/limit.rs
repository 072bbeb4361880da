//! What the SHA unit can do: independent compressions with several lanes in flight, and nothing else.
//!
//! Written apart from the product's kernel, so that the product is not measured by itself: a block
//! is 64 bytes that lie ready in the first-level cache, and a result is only added up.

/// Compresses every block once, and sums the results so that none is optimised away.
pub type Way = fn(&[[u8; 64]]) -> u32;

/// The ways that this CPU offers, by their number of lanes: 1, 2, 3, 4.
///
/// Empty without SHA extensions; then there is no limit to measure.
#[must_use]
pub fn ways() -> Vec<Way> {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("sha")
        && is_x86_feature_detected!("sse4.1")
        && is_x86_feature_detected!("ssse3")
    {
        return vec![way::<1>, way::<2>, way::<3>, way::<4>];
    }
    Vec::new()
}

/// One way to hash the blocks; only `ways` names it, once it has found the features.
#[cfg(target_arch = "x86_64")]
fn way<const LANES: usize>(blocks: &[[u8; 64]]) -> u32 {
    // SAFETY: `ways` has found the features that the loop needs.
    unsafe { x86::run::<LANES>(blocks) }
}

/// Blocks of one run: divisible by every number of lanes, 12 KiB together.
pub const BLOCKS: usize = 192;

/// The blocks of one run.
#[must_use]
pub fn blocks() -> Vec<[u8; 64]> {
    let blocks = u8::try_from(BLOCKS).expect("192 is a byte");
    (0..blocks).map(|at| [at; 64]).collect()
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    /// Any constants cost the same; these are the golden ratio's multiples.
    static CONSTANTS: [[u32; 4]; 16] = {
        let mut constants = [[0; 4]; 16];
        let mut at = 0u32;
        while at < 64 {
            constants[(at / 4) as usize][(at % 4) as usize] = (at + 1).wrapping_mul(0x9e37_79b9);
            at += 1;
        }
        constants
    };

    #[target_feature(enable = "sha,sse4.1,ssse3")]
    pub(super) fn run<const LANES: usize>(blocks: &[[u8; 64]]) -> u32 {
        let mut sum = _mm_setzero_si128();
        for group in blocks.as_chunks::<LANES>().0 {
            let mut state = [[_mm_set1_epi32(1), _mm_set1_epi32(2)]; LANES];
            let mut words = [[_mm_setzero_si128(); 4]; LANES];
            for (words, block) in words.iter_mut().zip(group) {
                for (word, bytes) in words.iter_mut().zip(block.as_chunks::<16>().0) {
                    let swap = _mm_set_epi64x(0x0c0d_0e0f_0809_0a0b, 0x0405_0607_0001_0203);
                    // SAFETY: the chunk has 16 readable bytes.
                    let bytes = unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) };
                    *word = _mm_shuffle_epi8(bytes, swap);
                }
            }
            macro_rules! quads {
                ($($quad:literal)*) => { $( quad::<LANES, $quad>(&mut state, &mut words); )* };
            }
            quads!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
            for [low, high] in state {
                sum = _mm_add_epi32(sum, _mm_add_epi32(low, high));
            }
        }
        _mm_cvtsi128_si32(sum).cast_unsigned()
    }

    #[target_feature(enable = "sha,sse4.1,ssse3")]
    #[inline]
    fn quad<const LANES: usize, const QUAD: usize>(
        state: &mut [[__m128i; 2]; LANES],
        words: &mut [[__m128i; 4]; LANES],
    ) {
        // SAFETY: the row has 16 readable bytes.
        let constants = unsafe { _mm_loadu_si128(CONSTANTS[QUAD].as_ptr().cast()) };
        for (state, words) in state.iter_mut().zip(words) {
            let sum = _mm_add_epi32(words[QUAD % 4], constants);
            state[1] = _mm_sha256rnds2_epu32(state[1], state[0], sum);
            state[0] = _mm_sha256rnds2_epu32(state[0], state[1], _mm_shuffle_epi32::<14>(sum));
            if QUAD < 12 {
                let [w12, w8] = [words[(QUAD + 3) % 4], words[(QUAD + 2) % 4]];
                let next = _mm_sha256msg1_epu32(words[QUAD % 4], words[(QUAD + 1) % 4]);
                let next = _mm_add_epi32(next, _mm_alignr_epi8::<4>(w12, w8));
                words[QUAD % 4] = _mm_sha256msg2_epu32(next, w12);
            }
        }
    }
}
