//! SHA-256 of the short messages of Merkle trees, many at once. [STO-10]
//!
//! Two shapes: a leaf, SHA-256(0x00 | 32 bytes), is one compression; a node,
//! SHA-256(0x01 | left | right), is two. On x86-64 with SHA extensions several independent hashes
//! are in flight: one alone waits four cycles for each `sha256rnds2`, and the unit takes a new one
//! every two. Elsewhere, and under valgrind, which hides the extensions, the same bytes come from
//! `sha2`'s compression function.
//!
//! Cost: 3 compressions a leaf for a whole tree, at about 64 cycles each with lanes in flight and
//! 130 alone (Zen 4). The only file of `crypto` with `unsafe`: the intrinsics need it to load, to
//! store and to be called.

use super::portable;
use crate::types::Digest;

pub use super::portable::LEAF;

/// SHA-256(0x00 | leaf) for 32 bytes of leaf data.
#[must_use]
pub fn leaf_hash(leaf: &Digest) -> Digest {
    #[cfg(target_arch = "x86_64")]
    if let Some(unit) = x86::Unit::detect() {
        return unit.leaf(leaf);
    }
    portable::leaf(leaf)
}

/// SHA-256(0x01 | left | right).
#[must_use]
pub fn node_hash(left: &Digest, right: &Digest) -> Digest {
    #[cfg(target_arch = "x86_64")]
    if let Some(unit) = x86::Unit::detect() {
        return unit.node(left, right);
    }
    portable::node(left, right)
}

/// `hashes[i] = leaf_hash(leaves[i])`, for as many as both slices hold.
pub fn leaf_hashes(leaves: &[Digest], hashes: &mut [Digest]) {
    #[cfg(target_arch = "x86_64")]
    if let Some(unit) = x86::Unit::detect() {
        return unit.leaves(leaves, hashes);
    }
    portable::leaves(leaves, hashes);
}

/// `parents[i] = node_hash(children[2i], children[2i + 1])`, for as many as both slices hold.
pub fn node_hashes(children: &[Digest], parents: &mut [Digest]) {
    let (pairs, _) = children.as_chunks();
    #[cfg(target_arch = "x86_64")]
    if let Some(unit) = x86::Unit::detect() {
        return unit.nodes(pairs, parents);
    }
    portable::nodes(pairs, parents);
}

/// `layer[i] = node_hash(layer[2i], layer[2i + 1])` for every whole pair of the layer.
///
/// The parents take the front half; what stands behind them is left over from the children.
pub fn fold_pairs(layer: &mut [Digest]) {
    #[cfg(target_arch = "x86_64")]
    if let Some(unit) = x86::Unit::detect() {
        return unit.fold(layer);
    }
    portable::fold(layer);
}

/// The SHA extensions, several lanes wide.
#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "only intrinsics keep several SHA-256 lanes in flight")]
mod x86 {
    use core::arch::x86_64::{
        __m128i, _mm_add_epi32, _mm_alignr_epi8, _mm_blend_epi16, _mm_cvtsi32_si128,
        _mm_loadu_si128, _mm_or_si128, _mm_set_epi32, _mm_set_epi64x, _mm_setzero_si128,
        _mm_sha256msg1_epu32, _mm_sha256msg2_epu32, _mm_sha256rnds2_epu32, _mm_shuffle_epi8,
        _mm_shuffle_epi32, _mm_storeu_si128,
    };

    use crate::crypto::portable::{INITIAL, LEAF, NODE};
    use crate::types::Digest;

    /// Hashes in flight. Two fill the SHA unit and fit into the 16 registers; three and four gain
    /// at most 4% on long layers, and the trees of a network have ten leaves.
    const LANES: usize = 2;

    /// Proof that this CPU has the SHA extensions.
    #[derive(Clone, Copy)]
    pub(super) struct Unit(());

    impl Unit {
        /// Asks the CPU; the standard library remembers the answer.
        #[inline]
        pub(super) fn detect() -> Option<Self> {
            let has_all = is_x86_feature_detected!("sha")
                && is_x86_feature_detected!("sse4.1")
                && is_x86_feature_detected!("ssse3");
            has_all.then_some(Self(()))
        }

        pub(super) fn leaf(self, leaf: &Digest) -> Digest {
            // SAFETY: `self` exists, so `detect` has found the features that the kernel needs.
            let [hash] = unsafe { leaf_lanes(&[*leaf]) };
            hash
        }

        pub(super) fn node(self, left: &Digest, right: &Digest) -> Digest {
            // SAFETY: as in `leaf`.
            let [hash] = unsafe { node_lanes(&[[*left, *right]]) };
            hash
        }

        pub(super) fn leaves(self, leaves: &[Digest], hashes: &mut [Digest]) {
            // SAFETY: as in `leaf`.
            unsafe { all_leaves(leaves, hashes) }
        }

        pub(super) fn nodes(self, pairs: &[[Digest; 2]], parents: &mut [Digest]) {
            // SAFETY: as in `leaf`.
            unsafe { all_nodes(pairs, parents) }
        }

        pub(super) fn fold(self, layer: &mut [Digest]) {
            // SAFETY: as in `leaf`.
            unsafe { fold_all(layer) }
        }
    }

    #[target_feature(enable = "sha,sse4.1,ssse3")]
    fn all_leaves(leaves: &[Digest], hashes: &mut [Digest]) {
        let count = leaves.len().min(hashes.len());
        let (groups, rest) = leaves[..count].as_chunks::<LANES>();
        let (groups_out, rest_out) = hashes[..count].as_chunks_mut::<LANES>();
        for (out, group) in groups_out.iter_mut().zip(groups) {
            *out = leaf_lanes(group);
        }
        for (out, leaf) in rest_out.iter_mut().zip(rest) {
            [*out] = leaf_lanes(&[*leaf]);
        }
    }

    #[target_feature(enable = "sha,sse4.1,ssse3")]
    fn all_nodes(pairs: &[[Digest; 2]], parents: &mut [Digest]) {
        let count = pairs.len().min(parents.len());
        let (groups, rest) = pairs[..count].as_chunks::<LANES>();
        let (groups_out, rest_out) = parents[..count].as_chunks_mut::<LANES>();
        for (out, group) in groups_out.iter_mut().zip(groups) {
            *out = node_lanes(group);
        }
        for (out, pair) in rest_out.iter_mut().zip(rest) {
            [*out] = node_lanes(&[*pair]);
        }
    }

    #[target_feature(enable = "sha,sse4.1,ssse3")]
    fn fold_all(layer: &mut [Digest]) {
        let parents = layer.len() / 2;
        let mut parent = 0;
        // A group is read whole before its parents are written, and those lie below everything
        // that is still to be read.
        while parent < parents {
            let (pairs, _) = layer[2 * parent..].as_chunks::<2>();
            if let Some(group) = pairs.first_chunk::<LANES>() {
                let hashes = node_lanes(group);
                layer[parent..parent + LANES].copy_from_slice(&hashes);
                parent += LANES;
            } else {
                [layer[parent]] = node_lanes(&[pairs[0]]);
                parent += 1;
            }
        }
    }

    /// SHA-256(0x00 | leaf) in every lane: one block.
    #[target_feature(enable = "sha,sse4.1,ssse3")]
    #[inline]
    fn leaf_lanes<const N: usize>(leaves: &[Digest; N]) -> [Digest; N] {
        // `alignr` by 15 puts the highest byte before the next register's first 15.
        let first = highest(i32::from(LEAF) << 24);
        let mut words = [[_mm_setzero_si128(); 4]; N];
        for (words, leaf) in words.iter_mut().zip(leaves) {
            let [low, high] = load(leaf);
            *words = [
                big_endian(_mm_alignr_epi8::<15>(low, first)),
                big_endian(_mm_alignr_epi8::<15>(high, low)),
                last_byte_and_stop(high),
                highest(33 * 8),
            ];
        }
        let mut states = [initial(); N];
        compress(&mut states, words);
        store(&states)
    }

    /// SHA-256(0x01 | left | right) in every lane: two blocks, the second with one byte of data.
    #[target_feature(enable = "sha,sse4.1,ssse3")]
    #[inline]
    fn node_lanes<const N: usize>(pairs: &[[Digest; 2]; N]) -> [Digest; N] {
        // `alignr` by 15 puts the highest byte before the next register's first 15.
        let first = highest(i32::from(NODE) << 24);
        let mut words = [[_mm_setzero_si128(); 4]; N];
        let mut rest = words;
        for ((words, rest), [left, right]) in words.iter_mut().zip(&mut rest).zip(pairs) {
            let ([l0, l1], [r0, r1]) = (load(left), load(right));
            *words = [
                big_endian(_mm_alignr_epi8::<15>(l0, first)),
                big_endian(_mm_alignr_epi8::<15>(l1, l0)),
                big_endian(_mm_alignr_epi8::<15>(r0, l1)),
                big_endian(_mm_alignr_epi8::<15>(r1, r0)),
            ];
            rest[0] = last_byte_and_stop(r1);
            rest[3] = highest(65 * 8);
        }
        let mut states = [initial(); N];
        compress(&mut states, words);
        compress(&mut states, rest);
        store(&states)
    }

    /// Eight state words as the unit wants them; registers are written highest word first.
    #[derive(Clone, Copy)]
    struct State {
        abef: __m128i,
        cdgh: __m128i,
    }

    #[target_feature(enable = "sha,sse4.1,ssse3")]
    #[inline]
    fn initial() -> State {
        let [a, b, c, d, e, f, g, h] = INITIAL.map(u32::cast_signed);
        State { abef: _mm_set_epi32(a, b, e, f), cdgh: _mm_set_epi32(c, d, g, h) }
    }

    /// One compression in every lane, the lanes interleaved at every step.
    #[target_feature(enable = "sha,sse4.1,ssse3")]
    #[inline]
    fn compress<const N: usize>(states: &mut [State; N], mut words: [[__m128i; 4]; N]) {
        let before = *states;
        // Unrolled by name: an index that the compiler cannot see would push the words to memory.
        macro_rules! four_rounds {
            ($($quad:literal)*) => { $( four_rounds::<N, $quad>(states, &mut words); )* };
        }
        four_rounds!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
        for (state, before) in states.iter_mut().zip(before) {
            state.abef = _mm_add_epi32(state.abef, before.abef);
            state.cdgh = _mm_add_epi32(state.cdgh, before.cdgh);
        }
    }

    /// Rounds 4 QUAD to 4 QUAD + 3, and the message words that are due 16 rounds later.
    #[target_feature(enable = "sha,sse4.1,ssse3")]
    #[inline]
    fn four_rounds<const N: usize, const QUAD: usize>(
        states: &mut [State; N],
        words: &mut [[__m128i; 4]; N],
    ) {
        let [k0, k1, k2, k3] = ROUND_CONSTANTS[QUAD].map(u32::cast_signed);
        let constants = _mm_set_epi32(k3, k2, k1, k0);
        for (state, words) in states.iter_mut().zip(words) {
            let sum = _mm_add_epi32(words[QUAD % 4], constants);
            state.cdgh = _mm_sha256rnds2_epu32(state.cdgh, state.abef, sum);
            let sum = _mm_shuffle_epi32::<0b1110>(sum);
            state.abef = _mm_sha256rnds2_epu32(state.abef, state.cdgh, sum);
            if QUAD < 12 {
                let (w0, w4) = (words[QUAD % 4], words[(QUAD + 1) % 4]);
                let (w8, w12) = (words[(QUAD + 2) % 4], words[(QUAD + 3) % 4]);
                let w9 = _mm_alignr_epi8::<4>(w12, w8);
                let partial = _mm_add_epi32(_mm_sha256msg1_epu32(w0, w4), w9);
                words[QUAD % 4] = _mm_sha256msg2_epu32(partial, w12);
            }
        }
    }

    /// Zeros with this word in the highest place.
    #[target_feature(enable = "sha,sse4.1,ssse3")]
    #[inline]
    fn highest(word: i32) -> __m128i {
        _mm_set_epi32(word, 0, 0, 0)
    }

    /// Message words in the order of the register, from bytes in the order of the message.
    #[target_feature(enable = "sha,sse4.1,ssse3")]
    #[inline]
    fn big_endian(bytes: __m128i) -> __m128i {
        let swap = _mm_set_epi64x(0x0c0d_0e0f_0809_0a0b, 0x0405_0607_0001_0203);
        _mm_shuffle_epi8(bytes, swap)
    }

    /// The words that begin with the last of these bytes and the stop bit.
    #[target_feature(enable = "sha,sse4.1,ssse3")]
    #[inline]
    fn last_byte_and_stop(bytes: __m128i) -> __m128i {
        // 15 stands where the first word has its highest byte; 0x80 selects zero.
        let zeros = 0x8080_8080_u32.cast_signed();
        let select = _mm_set_epi32(zeros, zeros, zeros, 0x0f80_8080);
        _mm_or_si128(_mm_shuffle_epi8(bytes, select), _mm_cvtsi32_si128(0x0080_0000))
    }

    #[target_feature(enable = "sha,sse4.1,ssse3")]
    #[inline]
    fn load(digest: &Digest) -> [__m128i; 2] {
        let bytes = digest.as_bytes().as_ptr().cast::<__m128i>();
        // SAFETY: a digest has 32 readable bytes, and the loads ask for no alignment.
        unsafe { [_mm_loadu_si128(bytes), _mm_loadu_si128(bytes.add(1))] }
    }

    #[target_feature(enable = "sha,sse4.1,ssse3")]
    #[inline]
    fn store<const N: usize>(states: &[State; N]) -> [Digest; N] {
        let mut digests = [Digest::new([0; 32]); N];
        for (digest, state) in digests.iter_mut().zip(states) {
            let abef = _mm_shuffle_epi32::<0b00_01_10_11>(state.abef);
            let ghcd = _mm_shuffle_epi32::<0b10_11_00_01>(state.cdgh);
            let mut bytes = [0; 32];
            let to = bytes.as_mut_ptr().cast::<__m128i>();
            // SAFETY: `bytes` has 32 writable bytes, and the stores ask for no alignment.
            unsafe {
                _mm_storeu_si128(to, big_endian(_mm_blend_epi16::<0xf0>(abef, ghcd)));
                _mm_storeu_si128(to.add(1), big_endian(_mm_alignr_epi8::<8>(ghcd, abef)));
            }
            *digest = Digest::new(bytes);
        }
        digests
    }

    /// SHA-256's round constants (FIPS 180-4, 4.2.2), four rounds a line.
    #[rustfmt::skip]
    const ROUND_CONSTANTS: [[u32; 4]; 16] = [
        [0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5],
        [0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5],
        [0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3],
        [0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174],
        [0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc],
        [0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da],
        [0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7],
        [0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967],
        [0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13],
        [0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85],
        [0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3],
        [0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070],
        [0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5],
        [0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3],
        [0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208],
        [0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2],
    ];
}
