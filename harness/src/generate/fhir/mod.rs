//! FHIR R4 resources in JSON: Observation, DiagnosticReport, DocumentReference and Bundle.
//!
//! Each carries the security label HTEST (v3-ActReason: test health data), so that a real system
//! can tell it from a patient's. Codes are LOINC and MDC, units UCUM.

mod resource;
mod waveform;

use rand_chacha::rand_core::Rng;

use crate::seed::Draw;

use super::patient::{Moment, Patient};
use super::{Kind, base64, text};

use self::resource as r;
use self::resource::Resource;

const MEDIA_TYPE: &str = "application/fhir+json";

pub(super) const OBSERVATION: Kind = Kind { media_type: MEDIA_TYPE, resource_type: "Observation" };
pub(super) const DIAGNOSTIC_REPORT: Kind =
    Kind { media_type: MEDIA_TYPE, resource_type: "DiagnosticReport" };
pub(super) const DOCUMENT_REFERENCE: Kind =
    Kind { media_type: MEDIA_TYPE, resource_type: "DocumentReference" };
pub(super) const BUNDLE: Kind = Kind { media_type: MEDIA_TYPE, resource_type: "Bundle" };

/// An Observation with one measured quantity, under 1 KB.
pub fn observation(draw: &mut impl Rng, patient: &Patient) -> Vec<u8> {
    let id = id(draw, "obs");
    json(&Resource::Observation(Box::new(measured(draw, patient, id, Place::Standalone))))
}

/// An Observation with two sampled leads of an electrocardiogram, at 250 samples a second.
pub fn electrocardiogram(draw: &mut impl Rng, patient: &Patient, seconds: u32) -> Vec<u8> {
    let lead = |draw: &mut _, code, display| r::Component {
        code: concept(r::Coding { system: MDC, code, display }),
        value_sampled_data: r::SampledData {
            origin: quantity(0.0, "mV", "mV"),
            period: waveform::PERIOD_MS,
            factor: 0.001,
            dimensions: 1,
            data: waveform::samples(draw, seconds),
        },
    };
    let component = vec![
        lead(draw, "131329", "MDC_ECG_ELEC_POTL_I"),
        lead(draw, "131330", "MDC_ECG_ELEC_POTL_II"),
    ];
    json(&Resource::Observation(Box::new(r::Observation {
        id: id(draw, "ecg"),
        meta: Some(test_data()),
        text: Some(narrative("Electrocardiogram, two leads")),
        status: "final",
        category: [concept(category("procedure", "Procedure"))],
        code: concept(r::Coding { system: MDC, code: "131328", display: "MDC_ECG_ELEC_POTL" }),
        subject: subject(patient),
        effective_date_time: Moment::draw(draw, 2020, 2025).instant(),
        value_quantity: None,
        component,
    })))
}

/// A DiagnosticReport that contains its results.
pub fn diagnostic_report(draw: &mut impl Rng, patient: &Patient) -> Vec<u8> {
    let results = draw.between(3, 24);
    let contained: Vec<Resource> = (1..=results)
        .map(|number| {
            let id = format!("result-{number}");
            Resource::Observation(Box::new(measured(draw, patient, id, Place::Contained)))
        })
        .collect();
    let at = Moment::draw(draw, 2020, 2025).instant();
    json(&Resource::DiagnosticReport(Box::new(r::DiagnosticReport {
        id: id(draw, "report"),
        meta: test_data(),
        text: narrative("Laboratory report"),
        contained,
        status: "final",
        category: [concept(r::Coding {
            system: "http://terminology.hl7.org/CodeSystem/v2-0074",
            code: "LAB",
            display: "Laboratory",
        })],
        code: concept(r::Coding { system: LOINC, code: "11502-2", display: "Laboratory report" }),
        subject: subject(patient),
        effective_date_time: at.clone(),
        issued: at,
        // dom-3: whatever is contained is referred to.
        result: (1..=results).map(|number| reference(format!("#result-{number}"))).collect(),
        conclusion: "Synthetic test data; no clinical meaning.",
    })))
}

/// A DocumentReference with a clinical note inside, as base64.
pub fn document_reference(draw: &mut impl Rng, patient: &Patient) -> Vec<u8> {
    let bytes = usize::try_from(draw.between(800, 40_000)).expect("some thousand bytes");
    let note = text::note(draw, patient, bytes);
    json(&Resource::DocumentReference(Box::new(r::DocumentReference {
        id: id(draw, "doc"),
        meta: test_data(),
        text: narrative("Discharge summary"),
        status: "current",
        kind: concept(r::Coding { system: LOINC, code: "18842-5", display: "Discharge summary" }),
        subject: subject(patient),
        date: Moment::draw(draw, 2020, 2025).instant(),
        content: [r::DocumentContent {
            attachment: r::Attachment {
                content_type: text::KIND.media_type,
                data: base64::encode(&note),
                size: note.len(),
                title: "Synthetic discharge summary",
            },
        }],
    })))
}

/// A Bundle (collection) of a Patient and its Observations: as many as it takes to `bytes_min`,
/// and at least one, so it ends less than 2 KB above.
pub fn bundle(draw: &mut impl Rng, patient: &Patient, bytes_min: usize) -> Vec<u8> {
    let mut bundle = r::Bundle {
        id: id(draw, "bundle"),
        meta: test_data(),
        kind: "collection",
        entry: vec![entry("Patient", &patient.id, Resource::Patient(person(patient)))],
    };
    let mut bytes = encoded(&bundle);
    let mut number = 0u32;
    while bytes < bytes_min || number == 0 {
        number += 1;
        let id = format!("obs-{number:06}");
        let observation = measured(draw, patient, id.clone(), Place::Standalone);
        let next = entry("Observation", &id, Resource::Observation(Box::new(observation)));
        bytes += encoded(&next) + ",".len();
        bundle.entry.push(next);
    }
    json(&Resource::Bundle(bundle))
}

/// Where a resource stands; decides whether it has a narrative and a label of its own.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Standalone,
    Contained,
}

fn measured(draw: &mut impl Rng, patient: &Patient, id: String, place: Place) -> r::Observation {
    let kind = draw.pick(&MEASURES);
    let value = f64::from(draw.between(kind.tenths_low, kind.tenths_high)) / 10.0;
    let standalone = place == Place::Standalone;
    r::Observation {
        id,
        meta: standalone.then(test_data),
        text: standalone.then(|| narrative(kind.display)),
        status: "final",
        category: [concept(if kind.vital {
            category("vital-signs", "Vital Signs")
        } else {
            category("laboratory", "Laboratory")
        })],
        code: concept(r::Coding { system: LOINC, code: kind.code, display: kind.display }),
        subject: subject(patient),
        effective_date_time: Moment::draw(draw, 2020, 2025).instant(),
        value_quantity: Some(quantity(value, kind.unit, kind.unit)),
        component: Vec::new(),
    }
}

fn person(patient: &Patient) -> r::Patient {
    r::Patient {
        id: patient.id.clone(),
        meta: test_data(),
        text: narrative("Synthetic person"),
        name: [r::HumanName { family: patient.family.clone(), given: [patient.given.clone()] }],
        gender: if patient.female { "female" } else { "male" },
        birth_date: patient.born.date(),
    }
}

fn entry(kind: &str, id: &str, resource: Resource) -> r::Entry {
    // The example domain of RFC 2606; references inside the Bundle resolve against it.
    r::Entry { full_url: format!("https://example.org/fhir/{kind}/{id}"), resource }
}

fn id(draw: &mut impl Rng, prefix: &str) -> String {
    format!("{prefix}-{:016x}", draw.next_u64())
}

fn subject(patient: &Patient) -> r::Reference {
    reference(format!("Patient/{}", patient.id))
}

fn reference(reference: String) -> r::Reference {
    r::Reference { reference }
}

fn concept(coding: r::Coding) -> r::CodeableConcept {
    r::CodeableConcept { coding: [coding] }
}

fn category(code: &'static str, display: &'static str) -> r::Coding {
    let system = "http://terminology.hl7.org/CodeSystem/observation-category";
    r::Coding { system, code, display }
}

fn quantity(value: f64, unit: &'static str, code: &'static str) -> r::Quantity {
    r::Quantity { value, unit, system: "http://unitsofmeasure.org", code }
}

fn test_data() -> r::Meta {
    let system = "http://terminology.hl7.org/CodeSystem/v3-ActReason";
    r::Meta { security: [r::Coding { system, code: "HTEST", display: "test health data" }] }
}

fn narrative(what: &str) -> r::Narrative {
    r::Narrative {
        status: "generated",
        div: format!("<div xmlns=\"http://www.w3.org/1999/xhtml\">{what}</div>"),
    }
}

fn json(resource: &Resource) -> Vec<u8> {
    serde_json::to_vec(resource).expect("structs of texts and finite numbers")
}

fn encoded(part: &impl serde::Serialize) -> usize {
    serde_json::to_vec(part).expect("structs of texts and finite numbers").len()
}

struct Measure {
    code: &'static str,
    display: &'static str,
    /// As in UCUM.
    unit: &'static str,
    vital: bool,
    tenths_low: u32,
    tenths_high: u32,
}

const LOINC: &str = "http://loinc.org";
const MDC: &str = "urn:iso:std:iso:11073:10101";

#[rustfmt::skip]
const MEASURES: [Measure; 6] = [
    Measure { code: "8867-4", display: "Heart rate", unit: "/min", vital: true, tenths_low: 480, tenths_high: 1_300 },
    Measure { code: "8310-5", display: "Body temperature", unit: "Cel", vital: true, tenths_low: 355, tenths_high: 405 },
    Measure { code: "8480-6", display: "Systolic blood pressure", unit: "mm[Hg]", vital: true, tenths_low: 900, tenths_high: 1_800 },
    Measure { code: "718-7", display: "Hemoglobin [Mass/volume] in Blood", unit: "g/dL", vital: false, tenths_low: 95, tenths_high: 175 },
    Measure { code: "2951-2", display: "Sodium [Moles/volume] in Serum or Plasma", unit: "mmol/L", vital: false, tenths_low: 1_320, tenths_high: 1_480 },
    Measure { code: "2345-7", display: "Glucose [Mass/volume] in Serum or Plasma", unit: "mg/dL", vital: false, tenths_low: 650, tenths_high: 1_800 },
];

#[cfg(test)]
mod tests;
