//! HL7 version 2.5.1 messages in ER7 encoding: ORU^R01 results and ADT^A01 admissions.
//!
//! Every segment ends with a carriage return, the last one too. MSH-11 is `T` (training), so that a
//! receiving system does not take the message for a patient's. No value holds a delimiter, so
//! nothing needs an escape.

use rand_chacha::rand_core::Rng;

use crate::seed::Draw;

use super::Kind;
use super::patient::{Moment, Patient};

const MEDIA_TYPE: &str = "x-application/hl7-v2+er7";

pub(super) const RESULT: Kind = Kind { media_type: MEDIA_TYPE, resource_type: "DiagnosticReport" };
pub(super) const ADMISSION: Kind = Kind { media_type: MEDIA_TYPE, resource_type: "Encounter" };

/// ORU^R01 with laboratory values, and with waveform segments until `bytes_min` is reached.
pub fn result(draw: &mut impl Rng, patient: &Patient, bytes_min: usize) -> Vec<u8> {
    let at = Moment::draw(draw, 2020, 2025).compact();
    let order = format!("{:06}^SYNTHETIC", draw.below(1_000_000));
    let service = "24323-8^Comprehensive metabolic panel^LN";
    let mut message = header(draw, "ORU^R01^ORU_R01", &at);
    message.push_str(&person(patient));
    message.push_str(&segment(
        "OBR",
        &[
            (1, "1"),
            (2, &order),
            (3, &order),
            (4, service),
            (7, &at),
            (22, &at),
            (24, "LAB"),
            (25, "F"),
        ],
    ));
    let values = draw.between(1, 4);
    for set_id in 1..=values {
        message.push_str(&value(draw, set_id, &at));
    }
    let mut set_id = values;
    while message.len() < bytes_min {
        set_id += 1;
        message.push_str(&waveform(draw, set_id, &at));
    }
    message.into_bytes()
}

/// ADT^A01: a patient is admitted.
pub fn admission(draw: &mut impl Rng, patient: &Patient) -> Vec<u8> {
    let at = Moment::draw(draw, 2020, 2025).compact();
    let bed = format!("SYN^{}^{}", draw.between(100, 499), draw.between(1, 4));
    let visit = format!("V{:06}^^^SYNTHETIC", draw.below(1_000_000));
    let physician = "9999^Synthetic^Physician";
    let mut message = header(draw, "ADT^A01^ADT_A01", &at);
    message.push_str(&segment("EVN", &[(2, &at)]));
    message.push_str(&person(patient));
    message.push_str(&segment(
        "PV1",
        &[(1, "1"), (2, "I"), (3, &bed), (7, physician), (19, &visit), (44, &at)],
    ));
    message.into_bytes()
}

fn header(draw: &mut impl Rng, kind: &str, at: &str) -> String {
    let control_id = draw.next_u64();
    format!(
        "MSH|^~\\&|MDSM-HARNESS|SYNTHETIC|RECEIVER|TEST|{at}||{kind}|{control_id:016X}|T|2.5.1\r"
    )
}

fn person(patient: &Patient) -> String {
    let id = format!("{}^^^SYNTHETIC^MR", patient.id);
    let name = format!("{}^{}", patient.family, patient.given);
    let sex = if patient.female { "F" } else { "M" };
    let born = patient.born.compact_date();
    segment("PID", &[(1, "1"), (3, &id), (5, &name), (7, &born), (8, sex)])
}

fn value(draw: &mut impl Rng, set_id: u32, at: &str) -> String {
    let analyte = draw.pick(&ANALYTES);
    let tenths = draw.between(analyte.tenths_low, analyte.tenths_high);
    let code = format!("{}^LN", analyte.code);
    let number = format!("{}.{}", tenths / 10, tenths % 10);
    observation(set_id, "NM", &code, &number, analyte.unit, at)
}

fn waveform(draw: &mut impl Rng, set_id: u32, at: &str) -> String {
    let samples: Vec<String> = (0..500).map(|_| draw.between(1_900, 2_300).to_string()).collect();
    let code = "131329^MDC_ECG_ELEC_POTL_I^MDC";
    observation(set_id, "NA", code, &samples.join("^"), "uV", at)
}

fn observation(set_id: u32, kind: &str, code: &str, value: &str, unit: &str, at: &str) -> String {
    let set_id = set_id.to_string();
    segment(
        "OBX",
        &[(1, &set_id), (2, kind), (3, code), (5, value), (6, unit), (11, "F"), (14, at)],
    )
}

/// A segment from its fields by number, ascending; those between stay empty.
fn segment(name: &str, fields: &[(usize, &str)]) -> String {
    let mut segment = name.to_owned();
    let mut last = 0;
    for (number, value) in fields {
        segment.extend(std::iter::repeat_n('|', number - last));
        segment.push_str(value);
        last = *number;
    }
    segment.push('\r');
    segment
}

struct Analyte {
    code: &'static str,
    unit: &'static str,
    tenths_low: u32,
    tenths_high: u32,
}

const ANALYTES: [Analyte; 4] = [
    Analyte { code: "2345-7^Glucose", unit: "mg/dL", tenths_low: 650, tenths_high: 1_800 },
    Analyte { code: "2951-2^Sodium", unit: "mmol/L", tenths_low: 1_320, tenths_high: 1_480 },
    Analyte { code: "2823-3^Potassium", unit: "mmol/L", tenths_low: 33, tenths_high: 54 },
    Analyte { code: "718-7^Hemoglobin", unit: "g/dL", tenths_low: 95, tenths_high: 175 },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;

    /// Splits a message into segments of fields, and checks what every message must have.
    fn segments(bytes: &[u8]) -> Vec<Vec<String>> {
        let text = std::str::from_utf8(bytes).unwrap();
        assert!(text.is_ascii() && !text.contains('\n'));
        let body = text.strip_suffix('\r').expect("the last segment ends too");
        let fields = |segment: &str| segment.split('|').map(str::to_owned).collect();
        let segments: Vec<Vec<String>> = body.split('\r').map(fields).collect();
        for segment in &segments {
            assert!(segment[0].len() == 3 && segment[0].chars().all(|c| c.is_ascii_alphanumeric()));
        }
        // In MSH the separator itself is field 1, so field n stands at index n - 1.
        let header = &segments[0];
        assert_eq!((header[0].as_str(), header[1].as_str()), ("MSH", "^~\\&"));
        assert!(!header[6].is_empty(), "MSH-7 time");
        assert_eq!(header[9].len(), 16, "MSH-10 control id, at most 20");
        assert_eq!((header[10].as_str(), header[11].as_str()), ("T", "2.5.1"));
        segments
    }

    fn check_person(segment: &[String]) {
        assert_eq!(segment[0], "PID");
        assert!(segment[3].starts_with("SYN-"), "PID-3 identifier");
        assert!(segment[5].starts_with("Synthetic-"), "PID-5 name");
        assert_eq!(segment[7].len(), 8, "PID-7 date");
        assert!(["F", "M"].contains(&segment[8].as_str()), "PID-8 sex");
    }

    #[test]
    fn results_hold_their_required_fields_in_order() {
        let mut draw = Seed::new(2).stream("oru");
        for bytes_min in [1, 1, 1, 20_000, 103_000] {
            let patient = Patient::draw(&mut draw);
            let message = result(&mut draw, &patient, bytes_min);
            assert!(message.len() >= bytes_min);
            let segments = segments(&message);
            assert_eq!(segments[0][8], "ORU^R01^ORU_R01");
            check_person(&segments[1]);
            let order = &segments[2];
            assert_eq!(order[0], "OBR");
            assert!(order[4].ends_with("^LN"), "OBR-4 service");
            assert_eq!(order[7].len(), 19, "OBR-7 time of the observation");
            assert_eq!((order[22].len(), order[24].as_str(), order[25].as_str()), (19, "LAB", "F"));
            assert!(segments.len() > 3);
            for (index, segment) in segments[3..].iter().enumerate() {
                assert_eq!(segment[0], "OBX");
                assert_eq!(segment[1], (index + 1).to_string(), "OBX-1 counts up");
                let number = |text: &str| text.parse::<f64>().is_ok();
                match segment[2].as_str() {
                    "NM" => assert!(number(&segment[5])),
                    "NA" => assert!(segment[5].split('^').all(number) && segment[5].len() < 65_536),
                    other => panic!("OBX-2 {other}"),
                }
                assert_eq!(segment[11], "F", "OBX-11 status");
                assert_eq!(segment[14].len(), 19, "OBX-14 time");
            }
        }
    }

    #[test]
    fn admissions_hold_their_required_segments_in_order() {
        let mut draw = Seed::new(2).stream("adt");
        let patient = Patient::draw(&mut draw);
        let segments = segments(&admission(&mut draw, &patient));
        let names: Vec<&str> = segments.iter().map(|segment| segment[0].as_str()).collect();
        assert_eq!(names, ["MSH", "EVN", "PID", "PV1"]);
        assert_eq!(segments[0][8], "ADT^A01^ADT_A01");
        assert_eq!(segments[1][2].len(), 19, "EVN-2 recorded");
        check_person(&segments[2]);
        let visit = &segments[3];
        assert_eq!(visit[2], "I", "PV1-2 class");
        assert!(visit[19].starts_with('V'), "PV1-19 visit number");
        assert_eq!(visit[44].len(), 19, "PV1-44 admitted");
    }
}
