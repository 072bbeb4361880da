//! Metadata as FHIR R4 JSON, for people and for systems that speak FHIR. [STO-8]
//!
//! FHIR's `attachment.hash` is SHA-1 by definition, so the digest of the content goes into an
//! extension. Requirements of the resources: DocumentReference needs status and content.attachment;
//! Provenance needs target, recorded and agent.who.

use serde_json::{Value, json};

use super::envelope::Booking;
use super::metadata::{Activity, Code, CodeSystem, Confidentiality, RecordStatus, Relation};
use super::record::ContentRef;
use crate::types::{RecordId, Timestamp};

/// Identifier system of record ids, as `urn:mdsm:record:<hex>`.
const RECORD_URN: &str = "urn:mdsm:record:";
/// Identifier system of keys, as `urn:mdsm:key:<hex>`.
const KEY_URN: &str = "urn:mdsm:key:";

/// The booking as a FHIR R4 DocumentReference.
#[must_use]
pub fn document_reference(booking: &Booking) -> Value {
    let metadata = &booking.metadata;
    let (kind, digest) = match &booking.content {
        ContentRef::Inline(digest) => ("inline", digest),
        ContentRef::Stored(digest) => ("sealed", digest),
    };
    let mut attachment = json!({
        "contentType": metadata.content_type.as_str(),
        "size": metadata.size,
        "creation": rfc3339(metadata.created, metadata.tz_offset_min),
        "extension": [{
            "url": "urn:mdsm:extension:sha256",
            "extension": [
                { "url": "of", "valueCode": kind },
                { "url": "digest", "valueString": digest.to_string() },
            ],
        }],
    });
    if let Some(language) = &metadata.language {
        attachment["language"] = json!(language.as_str());
    }
    let mut content = json!({ "attachment": attachment });
    if let Some(format) = &metadata.format {
        content["format"] = json!({ "code": format.as_str() });
    }
    let mut resource = json!({
        "resourceType": "DocumentReference",
        "identifier": [{ "system": "urn:ietf:rfc:3986", "value": urn(&booking.record_id()) }],
        "status": match metadata.status {
            RecordStatus::Current => "current",
            RecordStatus::Superseded => "superseded",
            RecordStatus::EnteredInError => "entered-in-error",
        },
        "subject": key_reference(&booking.owner),
        "date": rfc3339(metadata.created, metadata.tz_offset_min),
        "content": [content],
    });
    if let Some(code) = &metadata.kind {
        resource["type"] = concept(code);
    }
    if let Some(code) = &metadata.category {
        resource["category"] = json!([concept(code)]);
    }
    if let Some(author) = &metadata.author {
        resource["author"] = json!([key_reference(author)]);
    }
    if let Some(custodian) = &metadata.custodian {
        resource["custodian"] = key_reference(custodian);
    }
    if let Some((relation, target)) = &metadata.relates_to {
        let code = match relation {
            Relation::Replaces => "replaces",
            Relation::Transforms => "transforms",
            Relation::Signs => "signs",
            Relation::Appends => "appends",
        };
        resource["relatesTo"] =
            json!([{ "code": code, "target": { "identifier": { "value": urn(target) } } }]);
    }
    if !metadata.security.is_empty() {
        resource["securityLabel"] = metadata
            .security
            .iter()
            .map(|label| {
                let code = match label {
                    Confidentiality::Normal => "N",
                    Confidentiality::Restricted => "R",
                    Confidentiality::VeryRestricted => "V",
                };
                coding("http://terminology.hl7.org/CodeSystem/v3-Confidentiality", code)
            })
            .collect();
    }
    resource
}

/// Who made the content and who booked it, as a FHIR R4 Provenance.
#[must_use]
pub fn provenance(booking: &Booking) -> Value {
    let metadata = &booking.metadata;
    let activity = match metadata.activity {
        Activity::Create => "CREATE",
        Activity::Update => "UPDATE",
        Activity::Append => "APPEND",
        Activity::Nullify => "NULLIFY",
    };
    let mut agents =
        vec![agent("author", &key_reference(metadata.author.as_ref().unwrap_or(&booking.owner)))];
    let booker = json!({ "identifier": {
        "system": "urn:mdsm:institution", "value": booking.booked_by.to_string(),
    } });
    agents.push(agent("custodian", &booker));
    json!({
        "resourceType": "Provenance",
        "target": [{ "identifier": { "value": urn(&booking.record_id()) } }],
        "recorded": rfc3339(metadata.created, metadata.tz_offset_min),
        "activity": coding("http://terminology.hl7.org/CodeSystem/v3-DataOperation", activity),
        "agent": agents,
    })
}

fn agent(role: &str, who: &Value) -> Value {
    let system = "http://terminology.hl7.org/CodeSystem/provenance-participant-type";
    json!({ "type": coding(system, role), "who": who })
}

fn coding(system: &str, code: &str) -> Value {
    json!({ "coding": [{ "system": system, "code": code }] })
}

fn concept(code: &Code) -> Value {
    let system = match code.system {
        CodeSystem::Loinc => "http://loinc.org",
        CodeSystem::SnomedCt => "http://snomed.info/sct",
        CodeSystem::Icd10 => "http://hl7.org/fhir/sid/icd-10",
        CodeSystem::Local => "urn:mdsm:code:local",
    };
    coding(system, code.code.as_str())
}

fn key_reference(key: &crate::types::OwnerId) -> Value {
    json!({ "identifier": { "system": "urn:ietf:rfc:3986", "value": format!("{KEY_URN}{key}") } })
}

fn urn(record: &RecordId) -> String {
    format!("{RECORD_URN}{record}")
}

/// RFC 3339 with milliseconds, in local time when the offset is known.
fn rfc3339(time: Timestamp, offset_min: Option<i16>) -> String {
    let offset_min = i64::from(offset_min.unwrap_or(0));
    let local_ms = time.get() + offset_min * 60_000;
    let (days, ms) = (local_ms.div_euclid(86_400_000), local_ms.rem_euclid(86_400_000));
    let (year, month, day) = civil(days);
    let (seconds, ms) = (ms / 1_000, ms % 1_000);
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let zone = match offset_min {
        0 => "Z".to_owned(),
        ahead => {
            let sign = if ahead < 0 { '-' } else { '+' };
            format!("{sign}{:02}:{:02}", ahead.abs() / 60, ahead.abs() % 60)
        }
    };
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}{zone}")
}

/// Year, month and day of a number of days since 1970 in the Gregorian calendar.
///
/// Source: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468; // days from 0000-03-01
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_rfc_3339() {
        let text = |ms, offset| rfc3339(Timestamp::new(ms), offset);
        assert_eq!(text(0, None), "1970-01-01T00:00:00.000Z");
        assert_eq!(text(951_782_400_000, None), "2000-02-29T00:00:00.000Z");
        assert_eq!(text(253_402_300_799_999, None), "9999-12-31T23:59:59.999Z");
        assert_eq!(text(1_767_225_600_123, Some(480)), "2026-01-01T08:00:00.123+08:00");
        assert_eq!(text(1_767_225_600_000, Some(-570)), "2025-12-31T14:30:00.000-09:30");
    }
}
