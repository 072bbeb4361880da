//! What a file is, judged by its content; by its name only for WFDB signals, which have no magic.
//!
//! Nothing here trusts the file: every look is bounded by its length, and whatever is not
//! recognised is application/octet-stream and Binary, which is never wrong.

use std::io::{self, BufReader, Read, Seek, SeekFrom};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::resource_types::RESOURCE_TYPES;

const UNKNOWN: (&str, &str) = ("application/octet-stream", "Binary");

/// How far into an XML file its root element may begin, behind comments and declarations.
const XML_PROLOG_BYTES_MAX: usize = 64 * 1_024;

/// Bytes that are read at once of a file that is not held.
const PIECE_BYTES: usize = 64 * 1_024;

/// Media type of a file, and the FHIR type that a receiver would make of it.
///
/// `name` is a file name with or without a directory; only its extension is looked at.
#[must_use]
pub fn media_type(bytes: &[u8], name: &str) -> (&'static str, &'static str) {
    judge(bytes, name, || fhir_json(bytes), || is_text(bytes))
}

/// The same of a file that is too large to be held: its first bytes are looked at, and what needs
/// all of it is read piece by piece. A file that cannot be read is not recognised.
pub fn media_type_of_stream(
    source: &mut (impl Read + Seek),
    name: &str,
) -> (&'static str, &'static str) {
    let mut start = Vec::new();
    let bytes_max = u64::try_from(XML_PROLOG_BYTES_MAX).unwrap_or(u64::MAX);
    if source.by_ref().take(bytes_max).read_to_end(&mut start).is_err() {
        return UNKNOWN;
    }
    let source = std::cell::RefCell::new(source);
    let fhir = || fhir_json_of_stream(&start, *source.borrow_mut());
    let text = || is_text_stream(*source.borrow_mut()).unwrap_or(false);
    judge(&start, name, fhir, text)
}

/// `start` is the whole file or its first bytes.
fn judge(
    start: &[u8],
    name: &str,
    fhir_json: impl FnOnce() -> Option<(&'static str, &'static str)>,
    is_text: impl Fn() -> bool,
) -> (&'static str, &'static str) {
    magic(start)
        .or_else(|| hl7v2(start))
        .or_else(fhir_json)
        .or_else(|| xml(start))
        .or_else(|| wfdb(start, name, &is_text))
        .or_else(|| is_text().then_some(("text/plain; charset=utf-8", "DocumentReference")))
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

/// What is looked at of a FHIR resource; the rest of it is skipped without being held.
#[derive(Deserialize)]
struct Head {
    #[serde(rename = "resourceType")]
    resource_type: String,
}

fn fhir_json(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    let json = opens_object(bytes)?;
    fhir_type(serde_json::from_slice(json).ok()?)
}

fn fhir_json_of_stream(
    start: &[u8],
    source: &mut (impl Read + Seek),
) -> Option<(&'static str, &'static str)> {
    let before = start.len() - opens_object(start)?.len();
    source.seek(SeekFrom::Start(u64::try_from(before).ok()?)).ok()?;
    fhir_type(whole_json(source).ok()?)
}

fn whole_json<T: DeserializeOwned>(source: &mut impl Read) -> serde_json::Result<T> {
    serde_json::from_reader(BufReader::with_capacity(PIECE_BYTES, source))
}

fn fhir_type(head: Head) -> Option<(&'static str, &'static str)> {
    Some(("application/fhir+json", known_type(head.resource_type.as_bytes())?))
}

/// The bytes from an opening brace on, if that is where they begin.
fn opens_object(bytes: &[u8]) -> Option<&[u8]> {
    let bytes = without_byte_order_mark(bytes).trim_ascii_start();
    bytes.starts_with(b"{").then_some(bytes)
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
fn wfdb(
    bytes: &[u8],
    name: &str,
    is_text: impl Fn() -> bool,
) -> Option<(&'static str, &'static str)> {
    let (_, extension) = name.rsplit_once('.')?;
    let is = |one: &str| extension.eq_ignore_ascii_case(one);
    if is("hea") && is_text() {
        Some(("text/plain", "Observation"))
    } else if ["atr", "dat", "qrs", "xyz"].iter().any(|one| is(one)) && !bytes.is_empty() {
        Some(("application/octet-stream", "Observation"))
    } else {
        None
    }
}

/// Not empty, UTF-8, and free of control characters other than those of layout.
fn is_text(bytes: &[u8]) -> bool {
    !bytes.is_empty() && text_of(bytes) == Some(bytes.len())
}

/// Bytes that are text, when nothing but a character that is cut off follows them.
fn text_of(bytes: &[u8]) -> Option<usize> {
    let length = match std::str::from_utf8(bytes) {
        Ok(text) => text.len(),
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        Err(_) => return None,
    };
    let text = std::str::from_utf8(&bytes[..length]).ok()?;
    let layout = |character| matches!(character, '\t' | '\n' | '\r' | '\u{c}');
    text.chars().all(|character| !character.is_control() || layout(character)).then_some(length)
}

fn is_text_stream(source: &mut (impl Read + Seek)) -> io::Result<bool> {
    source.seek(SeekFrom::Start(0))?;
    let (mut piece, mut is_empty) = (Vec::new(), true);
    loop {
        // A character that the last piece cut off stands at the front.
        let limit = u64::try_from(PIECE_BYTES - piece.len()).unwrap_or(0);
        if source.by_ref().take(limit).read_to_end(&mut piece)? == 0 {
            return Ok(piece.is_empty() && !is_empty);
        }
        is_empty = false;
        match text_of(&piece) {
            Some(length) => drop(piece.drain(..length)),
            None => return Ok(false),
        }
    }
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
    fn a_large_file_is_judged_piece_by_piece_as_it_would_be_whole() {
        let long = |start: &[u8], filler: &[u8], end: &[u8]| {
            [start, &filler.repeat(5 * PIECE_BYTES / filler.len()), end].concat()
        };
        let euro = "\u{20ac}".as_bytes();
        for (bytes, media) in [
            (
                long(b" {\"a\":\"", b"x", b"\",\"resourceType\":\"Bundle\"}"),
                "application/fhir+json",
            ),
            (long(b"\xef\xbb\xbf{\"resourceType\":\"List\"", b" ", b"}"), "application/fhir+json"),
            (long(b"{\"resourceType\":\"List\"", b" ", b""), "text/plain; charset=utf-8"),
            (long(b"", euro, b""), "text/plain; charset=utf-8"),
            (long(b"a", euro, b""), "text/plain; charset=utf-8"),
            (long(b"ab", euro, b"\n"), "text/plain; charset=utf-8"),
            (long(b"", euro, &euro[..2]), "application/octet-stream"),
            (long(b"", b"x", b"\x00"), "application/octet-stream"),
            (long(b"", b"x", b"\xff!"), "application/octet-stream"),
            (long(&[0; 128], b"DICM", b""), "application/dicom"),
            (long(b"<ClinicalDocument>", b"x", b""), "application/cda+xml"),
        ] {
            let whole = media_type(&bytes, "x");
            assert_eq!(whole.0, media);
            let mut source = io::Cursor::new(&bytes);
            assert_eq!(media_type_of_stream(&mut source, "x"), whole);
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
            let mut source = io::Cursor::new(&bytes);
            prop_assert_eq!(media_type_of_stream(&mut source, &name), (media, resource));
            let essence = media.split(';').next().unwrap();
            let token = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "/+-".contains(c);
            prop_assert!(essence.chars().all(token) && essence.matches('/').count() == 1);
            prop_assert!((3..=127).contains(&media.len()));
            prop_assert!(known_type(resource.as_bytes()).is_some());
        }
    }
}
