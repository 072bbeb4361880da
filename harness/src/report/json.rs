//! `report.json`: the whole report, in the shape of `reports/schema.json`.

use super::Report;

/// The report as indented JSON.
#[must_use]
pub fn json(report: &Report) -> String {
    let mut text = serde_json::to_string_pretty(report).expect("texts and finite numbers");
    text.push('\n');
    text
}

/// Reads a report back, as `report diff` and `report merge` do. Fields that it does not know at
/// the top or in a case are left out; [`super::validate`] refuses them.
///
/// # Errors
/// Where the bytes are not JSON of this shape.
pub fn parse(bytes: &[u8]) -> serde_json::Result<Report> {
    serde_json::from_slice(bytes)
}

#[cfg(test)]
mod tests {
    use super::super::{fixture, validate};
    use super::*;

    #[test]
    fn a_report_reads_back_as_it_was() {
        let report = fixture::report();
        assert_eq!(parse(json(&report).as_bytes()).unwrap(), report);
        let empty = Report::new(fixture::run(), 0, Vec::new());
        assert_eq!(parse(json(&empty).as_bytes()).unwrap(), empty);
    }

    #[test]
    fn every_written_report_follows_the_schema() {
        for report in [fixture::report(), Report::new(fixture::run(), 0, Vec::new())] {
            let value = serde_json::from_str(&json(&report)).unwrap();
            validate(&value).unwrap();
        }
    }
}
