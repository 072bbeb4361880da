//! Bars for measurements with targets: each as a share of its target, so that units do not matter.

use super::format::{number, one_line, shortened};
use super::{Measurement, Sense};

/// A chart in units of its view box, which is 720 wide.
pub(super) struct Chart {
    /// Height of the view box.
    pub(super) height: f64,
    /// Where the line of the targets ends.
    pub(super) line_end: f64,
    pub(super) bars: Vec<Bar>,
}

/// One row of the chart.
pub(super) struct Bar {
    pub(super) label: String,
    /// Upper edge of the bar.
    pub(super) top: f64,
    /// Base line of the texts beside it.
    pub(super) base: f64,
    pub(super) width: f64,
    /// Share of the target, and whether that is good.
    pub(super) text: String,
    pub(super) meets: bool,
}

/// Where bars begin, and where a bar of just its target ends.
pub(super) const BAR_START: f64 = 250.0;
const TARGET_WIDTH: f64 = 150.0;
pub(super) const TARGET_LINE: f64 = BAR_START + TARGET_WIDTH;
/// Bars above twice their target are cut there, and say so.
const SHARE_MAX: f64 = 2.0;
const ROW: f64 = 28.0;
const HEAD: f64 = 20.0;

/// The chart of those measurements that have a value and a target above 0; `None` if there is none.
pub(super) fn chart(measurements: &[Measurement]) -> Option<Chart> {
    let mut bars = Vec::new();
    let mut top = HEAD;
    for measurement in measurements {
        let (Some(value), Some(target), Some(meets)) =
            (measurement.value, measurement.target, measurement.meets())
        else {
            continue;
        };
        let share = value / target.value;
        if target.value <= 0.0 || value < 0.0 || !share.is_finite() {
            continue;
        }
        let cut = if share > SHARE_MAX { "» " } else { "" };
        let bound = match target.sense {
            Sense::AtLeast => "target",
            Sense::AtMost => "limit",
        };
        let verdict = if meets { "meets" } else { "misses" };
        bars.push(Bar {
            label: shortened(&one_line(&measurement.name), 34),
            top,
            base: top + 15.0,
            width: share.min(SHARE_MAX) * TARGET_WIDTH,
            text: format!("{cut}{verdict}: {} % of {bound}", number(share * 100.0)),
            meets,
        });
        top += ROW;
    }
    (!bars.is_empty()).then_some(Chart { height: top, line_end: top - 4.0, bars })
}

#[cfg(test)]
mod tests {
    use super::super::Measurement;
    use super::*;

    #[test]
    fn bars_are_shares_of_their_targets_and_stay_on_the_page() {
        let measured = |value| Measurement::new("m", value, "1");
        let chart = chart(&[
            measured(30.0).at_least(20.0),
            measured(30.0).at_most(20.0),
            measured(1e300).at_least(1.0),
            measured(5.0),
            measured(5.0).at_least(0.0),
            measured(-5.0).at_least(1.0),
            measured(f64::NAN).at_least(1.0),
        ])
        .unwrap();
        let texts: Vec<&str> = chart.bars.iter().map(|bar| bar.text.as_str()).collect();
        assert_eq!(
            texts,
            ["meets: 150 % of target", "misses: 150 % of limit", "» meets: 1.000e302 % of target"]
        );
        assert!((chart.bars[0].width - 225.0).abs() < 1e-9);
        assert!((chart.bars[2].width - 300.0).abs() < 1e-9);
        assert!(chart.bars.iter().all(|bar| bar.base < chart.height));
    }

    #[test]
    fn without_targets_there_is_no_chart() {
        assert!(chart(&[Measurement::new("m", 1.0, "1")]).is_none());
    }
}
