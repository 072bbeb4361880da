//! What a file is, judged by its content; by its name only for WFDB signals, which have no magic.
//!
//! Nothing here trusts the file: every look is bounded by its length, and whatever is not
//! recognised is application/octet-stream and Binary, which is never wrong.

use serde::Deserialize;

use super::resource_types::RESOURCE_TYPES;

const UNKNOWN: (&str, &str) = ("application/octet-stream", "Binary");

/// How far into an XML file its root element may begin, behind comments and declarations.
const XML_PROLOG_BYTES_MAX: usize = 64 * 1_024;

/// Media type of a file, and the FHIR type that a receiver would make of it.
///
/// `name` is a file name with or without a directory; only its extension is looked at.
#[must_use]
pub fn media_type(bytes: &[u8], name: &str) -> (&'static str, &'static str) {
    magic(bytes)
        .or_else(|| hl7v2(bytes))
        .or_else(|| fhir_json(bytes))
        .or_else(|| xml(bytes))
        .or_else(|| wfdb(bytes, name))
        .or_else(|| is_text(bytes).then_some(("text/plain; charset=utf-8", "DocumentReference")))
        .unwrap_or(UNKNOWN)
}

fn magic(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    if bytes.get(128..132) == Some(b"DICM") {
        Some(("application/dicom", "ImagingStudy"))
    } else if bytes.starts_with(b"%PDF-") {
        Some(("application/pdf", "DocumentReference"))
    } else if bytes.starts_with(b"\xff\xd8\xff") {
        Some(("image/jpeg", "Media"))
    } else if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        Some(("image/png", "Media"))
    } else {
        None
    }
}

/// ER7 messages, also with the start byte of MLLP left on; MSH-9 tells what kind.
fn hl7v2(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    let message = bytes.strip_prefix(b"\x0b").unwrap_or(bytes);
    if !message.starts_with(b"MSH|") {
        return None;
    }
    let header = message.split(|byte| matches!(byte, b'\r' | b'\n')).next()?;
    // MSH-1 is the separator itself, so MSH-9 is the ninth piece.
    let kind = header.split(|byte| *byte == b'|').nth(8).unwrap_or_default();
    let resource_type = match kind.get(..3) {
        Some(b"ORU") => "DiagnosticReport",
        Some(b"ADT") => "Encounter",
        Some(b"MDM") => "DocumentReference",
        _ => "Bundle",
    };
    Some(("x-application/hl7-v2+er7", resource_type))
}

fn fhir_json(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    #[derive(Deserialize)]
    struct Head<'a> {
        #[serde(rename = "resourceType", borrow)]
        resource_type: std::borrow::Cow<'a, str>,
    }
    let bytes = without_byte_order_mark(bytes).trim_ascii_start();
    if bytes.first() != Some(&b'{') {
        return None;
    }
    let head: Head<'_> = serde_json::from_slice(bytes).ok()?;
    Some(("application/fhir+json", known_type(head.resource_type.as_bytes())?))
}

fn xml(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    let prolog = &bytes[..bytes.len().min(XML_PROLOG_BYTES_MAX)];
    let tag = root_tag(without_byte_order_mark(prolog))?;
    let name = tag.split(|byte| byte.is_ascii_whitespace() || *byte == b'/').next()?;
    let name = name.rsplit(|byte| *byte == b':').next()?;
    if name == b"ClinicalDocument" {
        return Some(("application/cda+xml", "Composition"));
    }
    let namespace = b"\"http://hl7.org/fhir\"";
    let in_fhir = tag.windows(namespace.len()).any(|window| window == namespace);
    in_fhir.then(|| known_type(name)).flatten().map(|name| ("application/fhir+xml", name))
}

/// The root element's start tag, without its brackets.
fn root_tag(mut bytes: &[u8]) -> Option<&[u8]> {
    loop {
        bytes = bytes.trim_ascii_start();
        let end: &[u8] = if bytes.starts_with(b"<!--") {
            b"-->"
        } else if bytes.starts_with(b"<?") {
            b"?>"
        } else if bytes.starts_with(b"<!") {
            b">"
        } else {
            break;
        };
        let length = bytes.windows(end.len()).position(|window| window == end)? + end.len();
        bytes = &bytes[length..];
    }
    let tag = bytes.strip_prefix(b"<")?;
    let length = tag.iter().position(|byte| *byte == b'>')?;
    Some(&tag[..length])
}

/// WaveForm DataBase: a header in text, signals and annotations in binary.
fn wfdb(bytes: &[u8], name: &str) -> Option<(&'static str, &'static str)> {
    let (_, extension) = name.rsplit_once('.')?;
    let is = |one: &str| extension.eq_ignore_ascii_case(one);
    if is("hea") && is_text(bytes) {
        Some(("text/plain", "Observation"))
    } else if ["atr", "dat", "qrs", "xyz"].iter().any(|one| is(one)) && !bytes.is_empty() {
        Some(("application/octet-stream", "Observation"))
    } else {
        None
    }
}

/// Not empty, UTF-8, and free of control characters other than those of layout.
fn is_text(bytes: &[u8]) -> bool {
    let layout = |character| matches!(character, '\t' | '\n' | '\r' | '\u{c}');
    !bytes.is_empty()
        && std::str::from_utf8(bytes).is_ok_and(|text| {
            text.chars().all(|character| !character.is_control() || layout(character))
        })
}

fn known_type(name: &[u8]) -> Option<&'static str> {
    let index = RESOURCE_TYPES.binary_search_by(|known| known.as_bytes().cmp(name)).ok()?;
    Some(RESOURCE_TYPES[index])
}

fn without_byte_order_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_format_is_known_by_its_content() {
        let mut dicom = vec![7; 128];
        dicom.extend(b"DICM");
        let cases: [(&[u8], &str, (&str, &str)); 18] = [
            (&dicom, "x", ("application/dicom", "ImagingStudy")),
            (b"%PDF-1.7\n", "x.dcm", ("application/pdf", "DocumentReference")),
            (b"\xff\xd8\xff\xe0", "x", ("image/jpeg", "Media")),
            (b"\x89PNG\r\n\x1a\n", "x", ("image/png", "Media")),
            (
                b"MSH|^~\\&|a|b|c|d|e||ORU^R01|1",
                "x",
                ("x-application/hl7-v2+er7", "DiagnosticReport"),
            ),
            (
                b"\x0bMSH|^~\\&|a|b|c|d|e||ADT^A01|1\r",
                "x",
                ("x-application/hl7-v2+er7", "Encounter"),
            ),
            (b"MSH|^~\\&|a|b|c|d|e||SIU^S12\r", "x", ("x-application/hl7-v2+er7", "Bundle")),
            (b"MSH|", "x", ("x-application/hl7-v2+er7", "Bundle")),
            (
                b" {\"id\":\"1\",\"resourceType\":\"Media\"}",
                "x",
                ("application/fhir+json", "Media"),
            ),
            (b"\xef\xbb\xbf{\"resourceType\":\"List\"}", "x", ("application/fhir+json", "List")),
            (
                b"<?xml version=\"1.0\"?><!-- <a> --><ClinicalDocument xmlns=\"urn:hl7-org:v3\">",
                "x",
                ("application/cda+xml", "Composition"),
            ),
            (b"<cda:ClinicalDocument/>", "x", ("application/cda+xml", "Composition")),
            (b"<Patient xmlns=\"http://hl7.org/fhir\"/>", "x", ("application/fhir+xml", "Patient")),
            (b"100 2 360 650000\n", "a/100.HEA", ("text/plain", "Observation")),
            (b"\x00\x01", "100.dat", ("application/octet-stream", "Observation")),
            (
                "Fieber 38,4 °C\n".as_bytes(),
                "x",
                ("text/plain; charset=utf-8", "DocumentReference"),
            ),
            (b"\x00\x01", "x", UNKNOWN),
            (b"", "x.hea", UNKNOWN),
        ];
        for (bytes, name, expected) in cases {
            assert_eq!(media_type(bytes, name), expected, "{}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn what_only_looks_like_a_format_is_not_taken_for_it() {
        let text = ("text/plain; charset=utf-8", "DocumentReference");
        let impostors: [&[u8]; 8] = [
            b"{\"resourceType\":\"Patient\"",
            b"{\"resourceType\":\"Malware\"}",
            b"{\"resourceType\":5}",
            b"{\"nested\":{\"resourceType\":\"Patient\"}}",
            b"[{\"resourceType\":\"Patient\"}]",
            b"<html>ClinicalDocument</html>",
            b"<Patient xmlns=\"urn:other\">",
            b"<!-- never closed <ClinicalDocument>",
        ];
        for bytes in impostors {
            assert_eq!(media_type(bytes, "x.json"), text, "{}", String::from_utf8_lossy(bytes));
        }
        let deep = [b"{\"a\":".repeat(100_000), b"1".to_vec()].concat();
        assert_eq!(media_type(&deep, "x"), text, "depth ends the parse, not the program");
        assert_eq!(media_type(b"\xff\xfe{", "note.txt"), UNKNOWN);
    }

    /// Bytes that run into the branches above, cut and joined at random.
    fn near_formats() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            Just(b"MSH|^~\\&".to_vec()),
            Just(b"<?xml ?>".to_vec()),
            Just(b"<!-- -->".to_vec()),
            Just(b"<!DOCTYPE".to_vec()),
            Just(b"<ClinicalDocument".to_vec()),
            Just(b"{\"resourceType\":".to_vec()),
            Just(b"\"Patient\"}".to_vec()),
            Just(b"\xef\xbb\xbf".to_vec()),
            Just(vec![0; 128]),
            Just(b"DICM".to_vec()),
            proptest::collection::vec(any::<u8>(), 0..8),
        ];
        proptest::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn any_file_gets_a_type_that_metadata_can_hold(bytes in near_formats(), name in ".{0,12}") {
            let (media, resource) = media_type(&bytes, &name);
            let essence = media.split(';').next().unwrap();
            let token = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "/+-".contains(c);
            prop_assert!(essence.chars().all(token) && essence.matches('/').count() == 1);
            prop_assert!((3..=127).contains(&media.len()));
            prop_assert!(known_type(resource.as_bytes()).is_some());
        }
    }
}
