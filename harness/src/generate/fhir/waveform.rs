//! A schematic heartbeat: P wave, QRS complex and T wave as triangles, with noise. In microvolts.

use rand_chacha::rand_core::Rng;

use crate::seed::Draw;

/// Milliseconds between two samples.
pub(super) const PERIOD_MS: u32 = 4;

/// Samples of so many seconds, space-separated, as FHIR's SampledData.data wants them.
pub(super) fn samples(draw: &mut impl Rng, seconds: u32) -> String {
    let beat_samples = draw.between(150, 250);
    let count = seconds * 1_000 / PERIOD_MS;
    let samples: Vec<String> = (0..count)
        .map(|index| {
            let phase = i32::try_from(index % beat_samples).expect("a beat has 250 samples");
            let noise = i32::try_from(draw.below(31)).expect("below 31") - 15;
            (beat(phase) + noise).to_string()
        })
        .collect();
    samples.join(" ")
}

fn beat(phase: i32) -> i32 {
    triangle(phase, 30, 12, 120)
        + triangle(phase, 52, 3, -150)
        + triangle(phase, 57, 5, 1_100)
        + triangle(phase, 63, 4, -280)
        + triangle(phase, 105, 25, 300)
}

fn triangle(phase: i32, centre: i32, half_width: i32, height: i32) -> i32 {
    let distance = (phase - centre).abs().min(half_width);
    height * (half_width - distance) / half_width
}
