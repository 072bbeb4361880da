//! Counts `benches::codec`.

use std::hint::black_box;

use benches::codec;
use gungraun::{library_benchmark, library_benchmark_group};
use mdsm_core::ledger::{Envelope, Receipt};

// Sixteen sizes a workload: what alignment adds to one copy is no part of the code.
#[library_benchmark(setup = codec::envelopes)]
#[bench::kib_1(1_024)]
#[bench::kib_100(100_000)]
fn codec_encode_envelopes(envelopes: Vec<Envelope>) -> usize {
    envelopes.iter().map(|envelope| black_box(codec::encode(black_box(envelope))).len()).sum()
}

#[library_benchmark(setup = codec::encoded_envelopes)]
#[bench::kib_1(1_024)]
#[bench::kib_100(100_000)]
fn codec_decode_envelopes(encoded: Vec<Vec<u8>>) -> usize {
    let decode = |bytes: &Vec<u8>| black_box(codec::decode::<Envelope>(black_box(bytes))).is_ok();
    encoded.iter().map(decode).filter(|ok| *ok).count()
}

#[library_benchmark]
#[bench::million(codec::receipt())]
fn codec_encode_receipt(receipt: Receipt) -> Vec<u8> {
    black_box(codec::encode(black_box(&receipt)))
}

#[library_benchmark]
#[bench::million(codec::encoded_receipt())]
fn codec_decode_receipt(bytes: Vec<u8>) -> Option<Receipt> {
    black_box(codec::decode(black_box(&bytes)).ok())
}

library_benchmark_group!(
    name = group,
    benchmarks = [
        codec_encode_envelopes,
        codec_decode_envelopes,
        codec_encode_receipt,
        codec_decode_receipt
    ]
);
