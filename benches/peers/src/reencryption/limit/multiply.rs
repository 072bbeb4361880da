//! Multiply-adds whose operands lie in registers, with several sums in flight.

/// One instruction with a number of sums in flight.
pub(super) struct Way {
    /// The instruction.
    pub(super) name: &'static str,
    /// Multiply-adds of one step over all its sums.
    pub(super) multiply_adds: u32,
    /// So many steps; returns a sum, so that none is optimised away.
    pub(super) run: fn(u32) -> i32,
}

/// The ways that this CPU offers, 16 by 16 bits first.
pub(super) fn ways() -> Vec<Way> {
    let mut ways = Vec::new();
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vnni") {
            ways.extend(x86::vpdpwssd());
            ways.extend(x86::vpdpbusd());
        } else if is_x86_feature_detected!("avx2") {
            ways.extend(x86::vpmaddwd());
        }
    }
    ways
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;
    use std::hint::black_box;

    use super::Way;

    /// The same loop around one instruction: `$step` takes a sum and the other operand to the sum.
    macro_rules! instruction {
        ($name:ident, $features:literal, $adds:literal, $set:ident, $low:expr, $step:expr) => {
            /// 4, 8, 12, 16 or 24 sums in flight; only `ways` calls it, once it has found the features.
            pub(super) fn $name() -> [Way; 5] {
                #[target_feature(enable = $features)]
                fn run<const LANES: usize>(steps: u32) -> i32 {
                    let factor = $set(black_box(0x0102_0304));
                    let mut sums = [$set(0); LANES];
                    // Different sums, so that the compiler does not take them for one.
                    for (sum, at) in sums.iter_mut().zip(1..) {
                        *sum = $set(black_box(at));
                    }
                    for _ in 0..steps {
                        for sum in &mut sums {
                            *sum = $step(*sum, factor);
                        }
                    }
                    sums.into_iter().map($low).fold(0, i32::wrapping_add)
                }
                fn way<const LANES: usize>(lanes: u32) -> Way {
                    Way {
                        name: stringify!($name),
                        multiply_adds: lanes * $adds,
                        // SAFETY: `ways` has found the features that the loop needs.
                        run: |steps| unsafe { run::<LANES>(steps) },
                    }
                }
                [way::<4>(4), way::<8>(8), way::<12>(12), way::<16>(16), way::<24>(24)]
            }
        };
    }

    instruction!(
        vpdpwssd,
        "avx512f,avx512vnni",
        32,
        _mm512_set1_epi32,
        |sum| _mm_cvtsi128_si32(_mm512_castsi512_si128(sum)),
        |sum, factor| _mm512_dpwssd_epi32(sum, factor, factor)
    );
    instruction!(
        vpdpbusd,
        "avx512f,avx512vnni",
        64,
        _mm512_set1_epi32,
        |sum| _mm_cvtsi128_si32(_mm512_castsi512_si128(sum)),
        |sum, factor| _mm512_dpbusd_epi32(sum, factor, factor)
    );
    // The product depends on the sum; the compiler would take a constant one out of the loop.
    instruction!(
        vpmaddwd,
        "avx2",
        16,
        _mm256_set1_epi32,
        |sum| _mm_cvtsi128_si32(_mm256_castsi256_si128(sum)),
        |sum, factor| _mm256_add_epi32(sum, _mm256_madd_epi16(sum, factor))
    );
}
