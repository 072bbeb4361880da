//! The elements of FHIR R4 that generated resources use; fields in the order in which JSON shows them.
//!
//! Structs, so that the bytes never depend on how a JSON map happens to be ordered in this build.

use serde::Serialize;

/// A resource; the tag comes first in its JSON.
#[derive(Serialize)]
#[serde(tag = "resourceType")]
pub(super) enum Resource {
    Patient(Patient),
    Observation(Box<Observation>),
    DiagnosticReport(Box<DiagnosticReport>),
    DocumentReference(Box<DocumentReference>),
    Bundle(Bundle),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Patient {
    pub(super) id: String,
    pub(super) meta: Meta,
    pub(super) text: Narrative,
    pub(super) name: [HumanName; 1],
    pub(super) gender: &'static str,
    pub(super) birth_date: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Observation {
    pub(super) id: String,
    // A contained resource has neither narrative nor security label (dom-2, dom-5).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) meta: Option<Meta>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<Narrative>,
    pub(super) status: &'static str,
    pub(super) category: [CodeableConcept; 1],
    pub(super) code: CodeableConcept,
    pub(super) subject: Reference,
    pub(super) effective_date_time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) value_quantity: Option<Quantity>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) component: Vec<Component>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Component {
    pub(super) code: CodeableConcept,
    pub(super) value_sampled_data: SampledData,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DiagnosticReport {
    pub(super) id: String,
    pub(super) meta: Meta,
    pub(super) text: Narrative,
    pub(super) contained: Vec<Resource>,
    pub(super) status: &'static str,
    pub(super) category: [CodeableConcept; 1],
    pub(super) code: CodeableConcept,
    pub(super) subject: Reference,
    pub(super) effective_date_time: String,
    pub(super) issued: String,
    pub(super) result: Vec<Reference>,
    pub(super) conclusion: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DocumentReference {
    pub(super) id: String,
    pub(super) meta: Meta,
    pub(super) text: Narrative,
    pub(super) status: &'static str,
    #[serde(rename = "type")]
    pub(super) kind: CodeableConcept,
    pub(super) subject: Reference,
    pub(super) date: String,
    pub(super) content: [DocumentContent; 1],
}

#[derive(Serialize)]
pub(super) struct DocumentContent {
    pub(super) attachment: Attachment,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Attachment {
    pub(super) content_type: &'static str,
    pub(super) data: String,
    pub(super) size: usize,
    pub(super) title: &'static str,
}

#[derive(Serialize)]
pub(super) struct Bundle {
    pub(super) id: String,
    pub(super) meta: Meta,
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) entry: Vec<Entry>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entry {
    pub(super) full_url: String,
    pub(super) resource: Resource,
}

#[derive(Clone, Copy, Serialize)]
pub(super) struct Coding {
    pub(super) system: &'static str,
    pub(super) code: &'static str,
    pub(super) display: &'static str,
}

#[derive(Serialize)]
pub(super) struct CodeableConcept {
    pub(super) coding: [Coding; 1],
}

#[derive(Serialize)]
pub(super) struct Meta {
    pub(super) security: [Coding; 1],
}

#[derive(Serialize)]
pub(super) struct Narrative {
    pub(super) status: &'static str,
    pub(super) div: String,
}

#[derive(Serialize)]
pub(super) struct HumanName {
    pub(super) family: String,
    pub(super) given: [String; 1],
}

#[derive(Serialize)]
pub(super) struct Reference {
    pub(super) reference: String,
}

#[derive(Serialize)]
pub(super) struct Quantity {
    pub(super) value: f64,
    pub(super) unit: &'static str,
    pub(super) system: &'static str,
    pub(super) code: &'static str,
}

#[derive(Serialize)]
pub(super) struct SampledData {
    pub(super) origin: Quantity,
    /// Milliseconds between samples.
    pub(super) period: u32,
    pub(super) factor: f64,
    pub(super) dimensions: u32,
    pub(super) data: String,
}
