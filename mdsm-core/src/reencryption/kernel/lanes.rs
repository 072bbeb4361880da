//! Loops over short vectors that a compiler turns into lanes by itself, compiled for each kind of CPU.
//!
//! None of them branches on what it reads or uses it as an index. Nothing in them can overflow, and
//! all wraps: a check in every lane would keep the compiler from using lanes.

#![cfg_attr(
    target_arch = "x86_64",
    expect(unsafe_code, reason = "calls of what is compiled for a CPU")
)]

/// Defines a function that runs its body as compiled for the best CPU that is here.
macro_rules! for_each_cpu {
    ($(#[$doc:meta])* fn $name:ident($($argument:ident: $type:ty),* $(,)?) $body:block) => {
        $(#[$doc])*
        pub(crate) fn $name($($argument: $type),*) {
            #[inline(always)]
            fn plain($($argument: $type),*) $body

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
            fn avx512($($argument: $type),*) { plain($($argument),*) }

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2")]
            fn avx2($($argument: $type),*) { plain($($argument),*) }

            #[cfg(target_arch = "x86_64")]
            if is_x86_feature_detected!("avx512bw") && is_x86_feature_detected!("avx512vl") {
                // SAFETY: the CPU was asked; AVX-512 BW is built on AVX-512 F.
                return unsafe { avx512($($argument),*) };
            } else if is_x86_feature_detected!("avx2") {
                // SAFETY: the CPU was asked.
                return unsafe { avx2($($argument),*) };
            }
            plain($($argument),*);
        }
    };
}

for_each_cpu!(
    /// Writes digit `place` of every word, rounded to multiples of 2^`dropped_bits`: the word plus
    /// `offset` is cut to `digit_bits` bits, and `centre` is taken off.
    fn round_to_digits(
        words: &[u32],
        offset: u32,
        shift: u32,
        digit_bits: u32,
        centre: i16,
        digits: &mut [i16],
    ) {
        let mask = (1 << digit_bits) - 1;
        for (digit, word) in digits.iter_mut().zip(words) {
            let bits = (word.wrapping_add(offset) >> shift) & mask;
            #[expect(clippy::cast_possible_truncation, reason = "masked to at most 8 bits")]
            {
                *digit = (bits as i16).wrapping_sub(centre);
            }
        }
    }
);

for_each_cpu!(
    /// Adds each row of 16-bit words, times its factor, to the sums; rows lie one after another.
    fn add_scaled_rows_16(factors: &[i16], rows: &[[u8; 2]], sums: &mut [u32]) {
        let columns = sums.len();
        assert_eq!(rows.len(), factors.len() * columns, "a row for each factor");
        // Eight rows at once, so that a sum is loaded and stored once for eight products.
        let (eights, rest) = factors.as_chunks::<8>();
        let (whole, last) = rows.split_at(eights.len() * 8 * columns);
        for (factors, rows) in eights.iter().zip(whole.chunks_exact(8 * columns)) {
            let rows: [&[[u8; 2]]; 8] =
                std::array::from_fn(|row| &rows[row * columns..][..columns]);
            for (column, sum) in sums.iter_mut().enumerate() {
                let mut added = 0u16;
                for (factor, row) in factors.iter().zip(rows) {
                    let word = u16::from_le_bytes(row[column]);
                    added = added.wrapping_add(factor.cast_unsigned().wrapping_mul(word));
                }
                *sum = sum.wrapping_add(u32::from(added));
            }
        }
        for (factor, row) in rest.iter().zip(last.chunks_exact(columns)) {
            for (sum, word) in sums.iter_mut().zip(row) {
                let product = factor.cast_unsigned().wrapping_mul(u16::from_le_bytes(*word));
                *sum = sum.wrapping_add(u32::from(product));
            }
        }
    }
);

for_each_cpu!(
    /// Adds each row of 24-bit words in 32 bits, times its factor, to the sums.
    fn add_scaled_rows_24(factors: &[i16], rows: &[[u8; 4]], sums: &mut [u32]) {
        let columns = sums.len();
        assert_eq!(rows.len(), factors.len() * columns, "a row for each factor");
        for (factor, row) in factors.iter().zip(rows.chunks_exact(columns)) {
            let factor = i32::from(*factor).cast_unsigned();
            for (sum, word) in sums.iter_mut().zip(row) {
                *sum = sum.wrapping_add(factor.wrapping_mul(u32::from_le_bytes(*word)));
            }
        }
    }
);

for_each_cpu!(
    /// Adds to each word the weighted sum of its values, as many as there are weights, one after another.
    fn add_weighted(values: &[i16], weights: &[i16], words: &mut [u32]) {
        // Eight is what the sets have that are in a hurry: a fixed number is a register.
        if let Ok(weights) = <&[i16; 8]>::try_from(weights) {
            for (word, values) in words.iter_mut().zip(values.as_chunks::<8>().0) {
                let mut sum = 0i32;
                for (value, weight) in values.iter().zip(weights) {
                    sum = sum.wrapping_add(i32::from(*value).wrapping_mul(i32::from(*weight)));
                }
                *word = word.wrapping_add(sum.cast_unsigned());
            }
            return;
        }
        for (word, values) in words.iter_mut().zip(values.chunks_exact(weights.len())) {
            let products = values
                .iter()
                .zip(weights)
                .map(|(value, weight)| i32::from(*value) * i32::from(*weight));
            let sum = products.fold(0, i32::wrapping_add);
            *word = word.wrapping_add(sum.cast_unsigned());
        }
    }
);
