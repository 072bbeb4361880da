//! The table: percentiles of the appends, what they mean beside the control, and the closings.

use std::time::Duration;

use crate::round::Samples;

/// Prints one table. The second row is what the others are held against.
pub(crate) fn print(threads: usize, names: &[&str], rows: &mut [Samples]) {
    println!("\n{threads} appending, 1 closing");
    println!(
        "{:44} {:>9} {:>7} {:>7} {:>9} {:>7} {:>10} {:>8} {:>8} {:>8}",
        "",
        "appends",
        "p50 ns",
        "p99 ns",
        "p99.9 ns",
        "ratio",
        "max us",
        "stalled",
        "close ms",
        "+hash ms"
    );
    for row in rows.iter_mut() {
        row.append_ns.sort_unstable();
    }
    let control = &rows[1].append_ns;
    let control_p999 = quantile(control, 999);
    for (name, row) in names.iter().zip(rows.iter()) {
        let at = |permille| quantile(&row.append_ns, permille);
        println!(
            "{name:44} {:>9} {:>7} {:>7} {:>9} {:>6.2}x {:>10.1} {:>7.3}% {:>8.2} {:>8.2}",
            row.append_ns.len(),
            at(500),
            at(990),
            at(999),
            ratio(at(999), control_p999),
            float(at(1_000)) / 1e3,
            100.0 * stalled(row),
            median_ms(&row.closing),
            median_ms(&row.closed_and_hashed),
        );
        if row.refused > 0 {
            println!("{:44} {} appends found no room", "", row.refused);
        }
    }
}

/// The smallest of the sorted values that is not below `permille` in a thousand of them; the largest
/// for 1,000, and 0 of none.
fn quantile(sorted: &[u64], permille: usize) -> u64 {
    let rank = (sorted.len() * permille).div_ceil(1_000).max(1);
    sorted.get(rank - 1).copied().unwrap_or_default()
}

/// Share of the time of all appenders that went into appends that stood still: the chance that a
/// record that arrives at any time meets one.
fn stalled(row: &Samples) -> f64 {
    row.stalled.as_secs_f64() / row.observed.as_secs_f64()
}

fn median_ms(durations: &[Duration]) -> f64 {
    let mut sorted = durations.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).map_or(0.0, |median| median.as_secs_f64() * 1e3)
}

fn ratio(value: u64, control: u64) -> f64 {
    float(value) / float(control)
}

fn float(ns: u64) -> f64 {
    Duration::from_nanos(ns).as_secs_f64() * 1e9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_values_that_were_measured() {
        let sorted: Vec<u64> = (1..=1_000).collect();
        assert_eq!(quantile(&sorted, 500), 500);
        assert_eq!(quantile(&sorted, 999), 999);
        assert_eq!(quantile(&sorted, 1_000), 1_000);
        assert_eq!(quantile(&[7], 1), 7);
        assert_eq!(quantile(&[], 999), 0);
    }
}
