//! Reads generated resources back as plain JSON, with rules written from the R4 specification.

use std::collections::BTreeSet;

use serde_json::Value;

use super::*;
use crate::seed::Seed;

fn parse(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

fn text_at<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("{pointer} in {value}"))
}

fn check_concept(value: &Value) {
    assert!(text_at(value, "/coding/0/system").contains(':'));
    assert!(!text_at(value, "/coding/0/code").is_empty());
}

/// What every resource of ours has: an id in FHIR's alphabet, a label, a narrative.
fn check_domain_resource(value: &Value) {
    let id = text_at(value, "/id");
    assert!((1..=64).contains(&id.len()));
    assert!(id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.')));
    assert_eq!(text_at(value, "/meta/security/0/code"), "HTEST");
    assert_eq!(text_at(value, "/text/status"), "generated");
    let div = text_at(value, "/text/div");
    assert!(div.starts_with("<div xmlns=\"http://www.w3.org/1999/xhtml\">"));
    assert!(div.ends_with("</div>"));
}

fn check_observation(value: &Value) {
    assert_eq!(text_at(value, "/resourceType"), "Observation");
    assert_eq!(text_at(value, "/status"), "final");
    check_concept(&value["code"]);
    check_concept(&value["category"][0]);
    assert!(text_at(value, "/subject/reference").contains("SYN-"));
    assert_eq!(text_at(value, "/effectiveDateTime").len(), 20);
    match (value.get("valueQuantity"), value.get("component")) {
        (Some(quantity), None) => {
            assert!(quantity["value"].as_f64().unwrap() > 0.0);
            assert_eq!(text_at(quantity, "/system"), "http://unitsofmeasure.org");
            assert!(!text_at(quantity, "/code").is_empty());
        }
        (None, Some(components)) => {
            for component in components.as_array().unwrap() {
                check_concept(&component["code"]);
                let sampled = &component["valueSampledData"];
                assert!(sampled["origin"]["value"].is_number() && sampled["period"].is_number());
                assert!(sampled["dimensions"].as_u64().unwrap() > 0);
                let samples: Vec<&str> = text_at(sampled, "/data").split(' ').collect();
                assert!(samples.len() > 100);
                assert!(samples.iter().all(|sample| sample.parse::<i32>().is_ok()));
            }
        }
        other => panic!("one kind of value, not {other:?}"),
    }
}

#[test]
fn observations_have_what_r4_requires() {
    let mut draw = Seed::new(4).stream("observation");
    for _ in 0..40 {
        let patient = Patient::draw(&mut draw);
        let bytes = observation(&mut draw, &patient);
        assert!(bytes.len() < 1_024);
        assert!(bytes.starts_with(b"{\"resourceType\":\"Observation\""));
        check_domain_resource(&parse(&bytes));
        check_observation(&parse(&bytes));
    }
    let patient = Patient::draw(&mut draw);
    let sampled = parse(&electrocardiogram(&mut draw, &patient, 3));
    check_domain_resource(&sampled);
    check_observation(&sampled);
    let data = text_at(&sampled, "/component/1/valueSampledData/data");
    assert_eq!(data.split(' ').count(), 750, "three seconds of 250 samples");
}

#[test]
fn reports_contain_what_they_refer_to_and_nothing_else() {
    let mut draw = Seed::new(4).stream("report");
    for _ in 0..10 {
        let patient = Patient::draw(&mut draw);
        let report = parse(&diagnostic_report(&mut draw, &patient));
        check_domain_resource(&report);
        assert_eq!(text_at(&report, "/resourceType"), "DiagnosticReport");
        assert_eq!(text_at(&report, "/status"), "final");
        check_concept(&report["code"]);
        let contained = report["contained"].as_array().unwrap();
        for resource in contained {
            check_observation(resource);
            assert!(resource.get("meta").is_none() && resource.get("text").is_none(), "dom-5");
        }
        let ids: BTreeSet<String> =
            contained.iter().map(|resource| format!("#{}", text_at(resource, "/id"))).collect();
        let results: BTreeSet<String> = report["result"]
            .as_array()
            .unwrap()
            .iter()
            .map(|result| text_at(result, "/reference").to_owned())
            .collect();
        assert_eq!(ids, results, "dom-3");
        assert_eq!(ids.len(), contained.len());
    }
}

#[test]
fn documents_carry_the_attachment_whose_size_they_state() {
    let mut draw = Seed::new(4).stream("document");
    let patient = Patient::draw(&mut draw);
    let document = parse(&document_reference(&mut draw, &patient));
    check_domain_resource(&document);
    assert_eq!(text_at(&document, "/resourceType"), "DocumentReference");
    assert_eq!(text_at(&document, "/status"), "current");
    let attachment = &document["content"][0]["attachment"];
    assert_eq!(text_at(attachment, "/contentType"), "text/plain; charset=utf-8");
    let data = text_at(attachment, "/data");
    let padding = data.bytes().filter(|byte| *byte == b'=').count();
    let size = usize::try_from(attachment["size"].as_u64().unwrap()).unwrap();
    assert_eq!(data.len() / 4 * 3 - padding, size);
}

#[test]
fn bundles_reach_the_size_ordered_and_resolve_their_references() {
    let mut draw = Seed::new(4).stream("bundle");
    for bytes_min in [1, 10_000, 102_401, 300_000] {
        let patient = Patient::draw(&mut draw);
        let bytes = bundle(&mut draw, &patient, bytes_min);
        assert!((bytes_min..bytes_min + 2_048).contains(&bytes.len()), "{}", bytes.len());
        let bundle = parse(&bytes);
        assert_eq!(text_at(&bundle, "/resourceType"), "Bundle");
        assert_eq!(text_at(&bundle, "/type"), "collection");
        let entries = bundle["entry"].as_array().unwrap();
        let urls: BTreeSet<&str> = entries.iter().map(|entry| text_at(entry, "/fullUrl")).collect();
        assert_eq!(urls.len(), entries.len(), "bdl-7");
        for entry in entries {
            let resource = &entry["resource"];
            check_domain_resource(resource);
            let kind = text_at(resource, "/resourceType");
            assert!(
                text_at(entry, "/fullUrl")
                    .ends_with(&format!("{kind}/{}", text_at(resource, "/id")))
            );
            if kind == "Observation" {
                check_observation(resource);
                let subject = text_at(resource, "/subject/reference");
                assert!(urls.contains(format!("https://example.org/fhir/{subject}").as_str()));
            } else {
                assert_eq!(kind, "Patient");
                assert!(text_at(resource, "/name/0/family").starts_with("Synthetic-"));
            }
        }
    }
}
