//! Synthetic medical files from a seed: FHIR R4, HL7 v2, DICOM and plain notes, each a valid
//! instance of its format. Nobody in them exists, and each says so in the way its format offers.
//! Beside them, values of the wire format: valid, spoilt, and sound up to Bitcoin; and histories of
//! institutions.
//!
//! Invariant: file `n` of a seed is the same bytes on every platform, whatever `count` is. Every
//! twelve files in a row hold each kind once, so small runs also cross the limit of inline content.

pub mod acts;
pub mod alter;
pub mod dicom;
pub mod fhir;
pub mod history;
pub mod hl7v2;
pub mod messages;
pub mod patient;
pub mod sniff;
pub mod sound;
pub mod spoil;
pub mod text;
pub mod values;

pub(crate) mod base64;

mod agreement;
mod clients;
mod resource_types;
mod sharing;

use rand_chacha::ChaCha12Rng;

use mdsm_core::params::INLINE_CONTENT_BYTES_MAX;

use crate::seed::{Draw, Seed};

use self::patient::Patient;

/// A file as a hospital's system would hand it over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct File {
    /// Name with an extension, unique within a run.
    pub name: String,
    /// Media type, lower case, with parameters.
    pub media_type: &'static str,
    /// The FHIR type that a receiver would make of it.
    pub resource_type: &'static str,
    /// Content, at least one byte.
    pub bytes: Vec<u8>,
}

/// The first `count` files of a seed.
pub fn files(seed: &Seed, count: usize) -> impl Iterator<Item = File> + use<> {
    let seed = *seed;
    (0..count).map(move |index| file(seed, index))
}

/// Files on the edges of what an Item may carry inline: 1 byte, 102,400 bytes, and one more. [STO-4]
#[must_use]
pub fn edges() -> Vec<File> {
    [1, INLINE_CONTENT_BYTES_MAX, INLINE_CONTENT_BYTES_MAX + 1]
        .into_iter()
        .map(|bytes| {
            let mut draw = Seed::new(0).stream(&format!("generate/edge/{bytes}"));
            let patient = Patient::draw(&mut draw);
            let content = text::note(&mut draw, &patient, bytes);
            File::new(format!("edge-{bytes}.txt"), &text::KIND, content)
        })
        .collect()
}

/// What all files of a format share.
struct Kind {
    media_type: &'static str,
    resource_type: &'static str,
}

impl File {
    fn new(name: String, kind: &Kind, bytes: Vec<u8>) -> Self {
        Self { name, media_type: kind.media_type, resource_type: kind.resource_type, bytes }
    }
}

/// One kind of file: its name, and how to make it.
struct Plan {
    name: &'static str,
    extension: &'static str,
    kind: Kind,
    make: fn(&mut ChaCha12Rng, &Patient) -> Vec<u8>,
}

/// From under 1 KB to twice the inline limit; large and small alternate.
const PLANS: [Plan; 12] = [
    Plan {
        name: "observation",
        extension: "json",
        kind: fhir::OBSERVATION,
        make: |draw, patient| fhir::observation(draw, patient),
    },
    Plan {
        name: "image",
        extension: "dcm",
        kind: dicom::KIND,
        make: |draw, patient| {
            let (rows, columns) = (draw.between(32, 96), draw.between(32, 96));
            dicom::image(draw, patient, side(rows), side(columns))
        },
    },
    Plan {
        name: "admission",
        extension: "hl7",
        kind: hl7v2::ADMISSION,
        make: |draw, patient| hl7v2::admission(draw, patient),
    },
    Plan {
        name: "collection",
        extension: "json",
        kind: fhir::BUNDLE,
        make: |draw, patient| {
            let bytes = draw.between(105_000, 220_000);
            fhir::bundle(draw, patient, size(bytes))
        },
    },
    Plan {
        name: "note",
        extension: "txt",
        kind: text::KIND,
        make: |draw, patient| {
            let bytes = draw.between(600, 12_000);
            text::note(draw, patient, size(bytes))
        },
    },
    Plan {
        name: "ecg",
        extension: "json",
        kind: fhir::OBSERVATION,
        make: |draw, patient| {
            let seconds = draw.between(2, 10);
            fhir::electrocardiogram(draw, patient, seconds)
        },
    },
    Plan {
        name: "laboratory",
        extension: "hl7",
        kind: hl7v2::RESULT,
        make: |draw, patient| hl7v2::result(draw, patient, 1),
    },
    Plan {
        name: "scan",
        extension: "dcm",
        kind: dicom::KIND,
        make: |draw, patient| {
            let (rows, columns) = (draw.between(232, 320), draw.between(232, 320));
            dicom::image(draw, patient, side(rows), side(columns))
        },
    },
    Plan {
        name: "report",
        extension: "json",
        kind: fhir::DIAGNOSTIC_REPORT,
        make: |draw, patient| fhir::diagnostic_report(draw, patient),
    },
    Plan {
        name: "monitor",
        extension: "hl7",
        kind: hl7v2::RESULT,
        make: |draw, patient| {
            let bytes = draw.between(8_000, 90_000);
            hl7v2::result(draw, patient, size(bytes))
        },
    },
    Plan {
        name: "document",
        extension: "json",
        kind: fhir::DOCUMENT_REFERENCE,
        make: |draw, patient| fhir::document_reference(draw, patient),
    },
    Plan {
        name: "history",
        extension: "json",
        kind: fhir::BUNDLE,
        make: |draw, patient| {
            let bytes = draw.between(10_000, 90_000);
            fhir::bundle(draw, patient, size(bytes))
        },
    },
];

/// File `index` of a seed.
#[must_use]
pub fn file(seed: Seed, index: usize) -> File {
    let plan = &PLANS[index % PLANS.len()];
    let mut draw = seed.stream(&format!("generate/{}/{index}", plan.name));
    let patient = Patient::draw(&mut draw);
    let bytes = (plan.make)(&mut draw, &patient);
    File::new(name(index), &plan.kind, bytes)
}

/// The name of file `index` of any seed, without making it.
#[must_use]
pub fn name(index: usize) -> String {
    let plan = &PLANS[index % PLANS.len()];
    format!("{}-{index:06}.{}", plan.name, plan.extension)
}

/// The media type of file `index` of any seed, without making it.
#[must_use]
pub fn media_type(index: usize) -> &'static str {
    PLANS[index % PLANS.len()].kind.media_type
}

fn size(bytes: u32) -> usize {
    usize::try_from(bytes).expect("some hundred thousand bytes")
}

fn side(pixels: u32) -> u16 {
    u16::try_from(pixels).expect("some hundred pixels")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn equal_seeds_give_equal_files_whatever_the_count() {
        let seed = Seed::new(9);
        let many: Vec<File> = files(&seed, 24).collect();
        let few: Vec<File> = files(&seed, 5).collect();
        assert_eq!(many[..5], few[..]);
        let other: Vec<File> = files(&Seed::new(10), 24).collect();
        assert!(many.iter().zip(&other).all(|(one, two)| one.bytes != two.bytes));
    }

    #[test]
    fn the_bytes_are_the_same_on_every_platform() {
        // Changes only when a generator changes on purpose; then this digest changes with it.
        let mut hasher = Sha256::new();
        for file in files(&Seed::new(1), 24).chain(edges()) {
            hasher.update(&file.bytes);
        }
        let digest = mdsm_core::types::Digest::new(hasher.finalize().into());
        assert_eq!(
            digest.to_string(),
            "d8c188bdc9cf3a62b8728ccc06f66f11fea9f03ab05fc86c31e16a6e6813e4fe"
        );
    }

    #[test]
    fn twelve_files_hold_every_format_on_both_sides_of_the_limit() {
        let files: Vec<File> = files(&Seed::new(3), 12).collect();
        let media: BTreeSet<&str> = files.iter().map(|file| file.media_type).collect();
        assert_eq!(media.len(), 4, "{media:?}");
        let resources: BTreeSet<&str> = files.iter().map(|file| file.resource_type).collect();
        assert_eq!(resources.len(), 6, "{resources:?}");
        let names: BTreeSet<&str> = files.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(names.len(), 12);
        let large = files.iter().filter(|file| file.bytes.len() > INLINE_CONTENT_BYTES_MAX);
        assert_eq!(large.count(), 2, "a scan and a collection");
        assert!(files.iter().any(|file| file.bytes.len() < 1_024));
    }

    #[test]
    fn sto_4_edges_lie_on_both_sides_of_the_limit() {
        let sizes: Vec<usize> = edges().iter().map(|file| file.bytes.len()).collect();
        assert_eq!(sizes, [1, 102_400, 102_401]);
    }

    #[test]
    fn every_file_is_recognised_for_what_it_is() {
        for seed in 0..4 {
            for file in files(&Seed::new(seed), 24).chain(edges()) {
                let found = sniff::media_type(&file.bytes, &file.name);
                assert_eq!(found, (file.media_type, file.resource_type), "{}", file.name);
                // What follows from the content does not hang on the name.
                assert_eq!(sniff::media_type(&file.bytes, ""), found, "{}", file.name);
            }
        }
    }
}
