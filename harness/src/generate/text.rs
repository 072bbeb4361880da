//! Plain clinical notes: UTF-8 text of exactly the size ordered.

use rand_chacha::rand_core::Rng;

use crate::seed::Draw;

use super::Kind;
use super::patient::{Moment, Patient};

pub(super) const KIND: Kind =
    Kind { media_type: "text/plain; charset=utf-8", resource_type: "DocumentReference" };

/// A progress note of exactly `bytes` bytes, closed by a ruled line of whatever length is left.
///
/// Too small a size leaves nothing but the line; 0 gives an empty note.
pub fn note(draw: &mut impl Rng, patient: &Patient, bytes: usize) -> Vec<u8> {
    let mut text = header(draw, patient);
    if text.len() > bytes {
        text.clear();
    }
    loop {
        let sentence = sentence(draw);
        if text.len() + sentence.len() > bytes {
            break;
        }
        text.push_str(&sentence);
    }
    let rule = bytes - text.len();
    text.extend(std::iter::repeat_n('-', rule));
    text.into_bytes()
}

fn header(draw: &mut impl Rng, patient: &Patient) -> String {
    format!(
        "PROGRESS NOTE (synthetic test data, no real person; 合成测试数据)\n\
         Patient: {}, {} ({})\nBorn: {}\nSeen: {}\n\n",
        patient.family,
        patient.given,
        patient.id,
        patient.born.date(),
        Moment::draw(draw, 2020, 2025).instant(),
    )
}

fn sentence(draw: &mut impl Rng) -> String {
    let sign = draw.pick(&SIGNS);
    let end = if draw.chance(1, 5) { '\n' } else { ' ' };
    match draw.below(5) {
        0 => {
            let (degrees, tenths) = (draw.between(36, 39), draw.below(10));
            format!("Temperature {degrees}.{tenths} °C, pulse {}/min.{end}", draw.between(52, 118))
        }
        1 => {
            format!("Blood pressure {}/{} mmHg.{end}", draw.between(100, 165), draw.between(55, 99))
        }
        2 => format!("Patient reports {sign} for {} days.{end}", draw.between(2, 21)),
        3 => format!("No {sign} on examination.{end}"),
        _ => format!("{}.{end}", draw.pick(&PLANS)),
    }
}

const SIGNS: [&str; 10] = [
    "dry cough",
    "mild headache",
    "joint stiffness",
    "shortness of breath",
    "ankle swelling",
    "palpitations",
    "loss of appetite",
    "back pain",
    "dizziness",
    "sore throat",
];

const PLANS: [&str; 6] = [
    "Continue current medication",
    "Control in two weeks",
    "Fasting laboratory requested",
    "Referred to physiotherapy",
    "Advised to rest and to drink enough",
    "Electrocardiogram without change since the last visit",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;

    #[test]
    fn a_note_has_exactly_the_size_ordered_and_is_printable_text() {
        let mut draw = Seed::new(5).stream("text");
        let patient = Patient::draw(&mut draw);
        for bytes in [0, 1, 50, 149, 150, 151, 152, 1_000, 102_401] {
            let note = note(&mut draw, &patient, bytes);
            assert_eq!(note.len(), bytes);
            let text = String::from_utf8(note).unwrap();
            assert!(text.chars().all(|character| character == '\n' || !character.is_control()));
            if bytes >= 1_000 {
                assert!(text.contains("synthetic test data") && text.contains(&patient.id));
                assert!(text.ends_with('-') || text.ends_with(['.', ' ', '\n']));
            }
        }
    }
}
