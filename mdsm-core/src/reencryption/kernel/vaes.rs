//! AES on four blocks in a register.
//!
//! - A uniform matrix times a row without the matrix ever reaching memory: the words are multiplied
//!   where AES-128 yields them. Ten `vaesenc` for 32 words, and nothing else that takes as long.
//! - Streams of random bytes by AES-256, whose blocks are numbered in registers: half the time of the
//!   `aes` crate for the few blocks that a capsule needs.

#![expect(unsafe_code, reason = "intrinsics that load and store, and the calls")]

use core::arch::x86_64::{
    __m128i, __m512i, _mm_aeskeygenassist_si128, _mm_loadu_si128, _mm_setzero_si128,
    _mm_shuffle_epi32, _mm_slli_si128, _mm_xor_si128, _mm512_add_epi32, _mm512_aesenc_epi128,
    _mm512_aesenclast_epi128, _mm512_broadcast_i32x4, _mm512_dpwssd_epi32, _mm512_set_epi32,
    _mm512_set1_epi32, _mm512_set4_epi32, _mm512_setzero_si512, _mm512_storeu_si512,
    _mm512_unpackhi_epi16, _mm512_unpacklo_epi16, _mm512_xor_si512,
};

/// Words of a register: four blocks of eight.
const WORDS: usize = 32;
/// Rows in flight, so that a round need not wait for the one before it.
const ROWS: usize = 8;

/// Whether this CPU has what [`add_expanded_rows`] needs.
pub(super) fn is_here() -> bool {
    is_x86_feature_detected!("aes")
        && is_x86_feature_detected!("vaes")
        && is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vnni")
}

/// Adds the first rows of a matrix modulo 2^16, times their factors, to the sums.
///
/// # Panics
/// When the rows do not come in eights.
pub(super) fn add_expanded_rows(key: &[u8; 16], factors: &[i16], sums: &mut [u32]) {
    assert!(factors.len().is_multiple_of(ROWS), "rows come in eights");
    assert!(is_here(), "this CPU lacks VAES or VNNI");
    // SAFETY: the CPU was asked.
    unsafe { expand(key, factors, sums) }
}

/// The round keys of AES-256. Wiped on drop.
pub(super) struct StreamKeys([__m128i; 15]);

impl StreamKeys {
    /// The keys, if this CPU has what they are used with.
    pub(super) fn new(key: &[u8; 32]) -> Option<Self> {
        // SAFETY: the CPU is asked first.
        is_here().then(|| Self(unsafe { round_keys_256(key) }))
    }

    /// Encrypts blocks that hold `first`, then `second`, one higher in each block, then zeros.
    pub(super) fn fill(&self, first: u32, second: u32, blocks: &mut [[u8; 16]; 64]) {
        // SAFETY: `new` has asked the CPU.
        unsafe { fill(&self.0, first, second, blocks) }
    }
}

impl Drop for StreamKeys {
    fn drop(&mut self) {
        // SAFETY: every x86-64 has SSE2.
        self.0.fill(unsafe { _mm_setzero_si128() });
        std::hint::black_box(&mut self.0);
    }
}

#[target_feature(enable = "aes,vaes,avx512f,avx512bw,avx512vnni")]
fn fill(keys: &[__m128i; 15], first: u32, second: u32, blocks: &mut [[u8; 16]; 64]) {
    let keys = keys.map(|key| _mm512_broadcast_i32x4(key));
    let next_four = _mm512_set4_epi32(0, 0, 4, 0);
    let first = first.cast_signed();
    let place = |block: u32| second.wrapping_add(block).cast_signed();
    let mut block = _mm512_set_epi32(
        0,
        0,
        place(3),
        first,
        0,
        0,
        place(2),
        first,
        0,
        0,
        place(1),
        first,
        0,
        0,
        place(0),
        first,
    );
    for out in blocks.as_flattened_mut().as_chunks_mut::<512>().0 {
        let mut wide = [_mm512_setzero_si512(); ROWS];
        for wide in &mut wide {
            *wide = _mm512_xor_si512(block, keys[0]);
            block = _mm512_add_epi32(block, next_four);
        }
        for key in &keys[1..14] {
            for wide in &mut wide {
                *wide = _mm512_aesenc_epi128(*wide, *key);
            }
        }
        for (wide, out) in wide.iter().zip(out.as_chunks_mut::<64>().0) {
            let bytes = _mm512_aesenclast_epi128(*wide, keys[14]);
            // SAFETY: 64 bytes are one register.
            unsafe { _mm512_storeu_si512(out.as_mut_ptr().cast(), bytes) }
        }
    }
}

#[target_feature(enable = "aes,vaes,avx512f,avx512bw,avx512vnni")]
fn expand(key: &[u8; 16], factors: &[i16], sums: &mut [u32]) {
    let keys = round_keys(key).map(|key| _mm512_broadcast_i32x4(key));
    // Lane 0 of a block is the row, lane 1 the place in it.
    let next_row = _mm512_set4_epi32(0, 0, 0, 1);
    for (panel, sums) in (0..).zip(sums.chunks_mut(WORDS)) {
        let place = |block: i32| 4 * panel + block;
        let mut block = _mm512_set_epi32(
            0,
            0,
            place(3),
            0,
            0,
            0,
            place(2),
            0,
            0,
            0,
            place(1),
            0,
            0,
            0,
            place(0),
            0,
        );
        let mut halves = [_mm512_setzero_si512(); 2];
        for factors in factors.as_chunks::<ROWS>().0 {
            let mut rows = [_mm512_setzero_si512(); ROWS];
            for row in &mut rows {
                *row = _mm512_xor_si512(block, keys[0]);
                block = _mm512_add_epi32(block, next_row);
            }
            for key in &keys[1..10] {
                for row in &mut rows {
                    *row = _mm512_aesenc_epi128(*row, *key);
                }
            }
            for row in &mut rows {
                *row = _mm512_aesenclast_epi128(*row, keys[10]);
            }
            for ([upper, lower], factors) in rows.as_chunks().0.iter().zip(factors.as_chunks().0) {
                multiply(&mut halves, *upper, *lower, factors);
            }
        }
        add_halves(halves, sums);
    }
}

/// Multiplies two rows by their factors: columns 0 to 3 of each block into the first half, 4 to 7
/// into the second.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
#[inline]
fn multiply(halves: &mut [__m512i; 2], upper: __m512i, lower: __m512i, [first, second]: &[i16; 2]) {
    let [a, b] = [first.to_le_bytes(), second.to_le_bytes()];
    let factors = _mm512_set1_epi32(i32::from_le_bytes([a[0], a[1], b[0], b[1]]));
    halves[0] = _mm512_dpwssd_epi32(halves[0], factors, _mm512_unpacklo_epi16(upper, lower));
    halves[1] = _mm512_dpwssd_epi32(halves[1], factors, _mm512_unpackhi_epi16(upper, lower));
}

/// The last panel may be cut short.
#[target_feature(enable = "avx512f")]
#[inline]
fn add_halves(halves: [__m512i; 2], sums: &mut [u32]) {
    let mut added = [[[0u32; 4]; 4]; 2];
    for (added, half) in added.iter_mut().zip(halves) {
        // SAFETY: four times four words are one register.
        unsafe { _mm512_storeu_si512(added.as_mut_ptr().cast(), half) }
    }
    for (block, sums) in sums.chunks_mut(8).enumerate() {
        let words = added[0][block].iter().chain(&added[1][block]);
        for (sum, added) in sums.iter_mut().zip(words) {
            *sum = sum.wrapping_add(*added);
        }
    }
}

/// The key schedule of AES-128 (FIPS 197, 5.2).
#[target_feature(enable = "aes")]
fn round_keys(key: &[u8; 16]) -> [__m128i; 11] {
    let mut keys = [_mm_setzero_si128(); 11];
    // SAFETY: a key is 16 bytes, one register.
    keys[0] = unsafe { _mm_loadu_si128(key.as_ptr().cast()) };
    // The round constant is part of the instruction.
    macro_rules! next {
        ($($round:literal $constant:literal),*) => { $(
            let assist = _mm_aeskeygenassist_si128::<$constant>(keys[$round - 1]);
            keys[$round] = next_key(keys[$round - 1], _mm_shuffle_epi32::<0xff>(assist));
        )* };
    }
    next!(1 0x01, 2 0x02, 3 0x04, 4 0x08, 5 0x10, 6 0x20, 7 0x40, 8 0x80, 9 0x1b, 10 0x36);
    keys
}

#[target_feature(enable = "sse2")]
#[inline]
fn next_key(mut key: __m128i, assist: __m128i) -> __m128i {
    // Each word becomes the sum of itself and all before it.
    key = _mm_xor_si128(key, _mm_slli_si128::<4>(key));
    key = _mm_xor_si128(key, _mm_slli_si128::<8>(key));
    _mm_xor_si128(key, assist)
}

/// The key schedule of AES-256 (FIPS 197, 5.2).
#[target_feature(enable = "aes")]
fn round_keys_256(key: &[u8; 32]) -> [__m128i; 15] {
    let mut keys = [_mm_setzero_si128(); 15];
    // SAFETY: a key is 32 bytes, two registers.
    unsafe {
        keys[0] = _mm_loadu_si128(key.as_ptr().cast());
        keys[1] = _mm_loadu_si128(key.as_ptr().add(16).cast());
    }
    // Keys of even number take the constant and a rotation, the others neither.
    macro_rules! next {
        (even $round:literal $constant:literal) => {
            let assist = _mm_aeskeygenassist_si128::<$constant>(keys[$round - 1]);
            keys[$round] = next_key(keys[$round - 2], _mm_shuffle_epi32::<0xff>(assist));
        };
        (odd $round:literal) => {
            let assist = _mm_aeskeygenassist_si128::<0>(keys[$round - 1]);
            keys[$round] = next_key(keys[$round - 2], _mm_shuffle_epi32::<0xaa>(assist));
        };
    }
    next!(even 2 0x01);
    next!(odd 3);
    next!(even 4 0x02);
    next!(odd 5);
    next!(even 6 0x04);
    next!(odd 7);
    next!(even 8 0x08);
    next!(odd 9);
    next!(even 10 0x10);
    next!(odd 11);
    next!(even 12 0x20);
    next!(odd 13);
    next!(even 14 0x40);
    keys
}
