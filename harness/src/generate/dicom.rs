//! DICOM Part 10 files: an uncompressed greyscale Secondary Capture image (PS3.3 A.8.1), explicit
//! VR little endian (PS3.5 A.2), with the file meta information of PS3.10 section 7.1.
//!
//! Conversion type is `SYN`, synthetic image. UIDs are of the form `2.25.UUID`, which anybody may
//! make (PS3.5 B.2). Values are padded to even lengths.

use rand_chacha::rand_core::Rng;

use crate::seed::Draw;

use super::Kind;
use super::patient::{Moment, Patient};

pub(super) const KIND: Kind =
    Kind { media_type: "application/dicom", resource_type: "ImagingStudy" };

const PREAMBLE_BYTES: usize = 128;
const SECONDARY_CAPTURE: &str = "1.2.840.10008.5.1.4.1.1.7";
const EXPLICIT_VR_LITTLE_ENDIAN: &str = "1.2.840.10008.1.2.1";
/// Names this writer; a UUID that was drawn once.
const IMPLEMENTATION: &str = "2.25.126384125047661789551470844977832951242";

/// An image of `rows` x `columns` pixels, 12 bits in 16: a bright disc over a gradient, with noise.
pub fn image(draw: &mut impl Rng, patient: &Patient, rows: u16, columns: u16) -> Vec<u8> {
    let [instance, study, series] = [uid(draw), uid(draw), uid(draw)];

    let mut meta = Elements::default();
    meta.bytes((0x0002, 0x0001), b"OB", &[0, 1]);
    meta.uid((0x0002, 0x0002), SECONDARY_CAPTURE);
    meta.uid((0x0002, 0x0003), &instance);
    meta.uid((0x0002, 0x0010), EXPLICIT_VR_LITTLE_ENDIAN);
    meta.uid((0x0002, 0x0012), IMPLEMENTATION);
    meta.text((0x0002, 0x0013), b"SH", "MDSM-HARNESS");
    let mut length = Elements::default();
    let meta_bytes = u32::try_from(meta.0.len()).expect("six short elements");
    length.bytes((0x0002, 0x0000), b"UL", &meta_bytes.to_le_bytes());

    let at = Moment::draw(draw, 2020, 2025);
    let name = format!("{}^{}", patient.family, patient.given);
    let mut data = Elements::default();
    data.uid((0x0008, 0x0016), SECONDARY_CAPTURE);
    data.uid((0x0008, 0x0018), &instance);
    data.text((0x0008, 0x0020), b"DA", &at.compact_date());
    data.text((0x0008, 0x0030), b"TM", &at.compact_time());
    data.text((0x0008, 0x0050), b"SH", "");
    data.text((0x0008, 0x0060), b"CS", "OT");
    data.text((0x0008, 0x0064), b"CS", "SYN");
    data.text((0x0008, 0x0090), b"PN", "");
    data.text((0x0010, 0x0010), b"PN", &name);
    data.text((0x0010, 0x0020), b"LO", &patient.id);
    data.text((0x0010, 0x0030), b"DA", &patient.born.compact_date());
    data.text((0x0010, 0x0040), b"CS", if patient.female { "F" } else { "M" });
    data.uid((0x0020, 0x000d), &study);
    data.uid((0x0020, 0x000e), &series);
    data.text((0x0020, 0x0010), b"SH", "SYNTHETIC");
    data.text((0x0020, 0x0011), b"IS", "1");
    data.text((0x0020, 0x0013), b"IS", "1");
    data.text((0x0020, 0x0020), b"CS", "");
    data.number((0x0028, 0x0002), 1);
    data.text((0x0028, 0x0004), b"CS", "MONOCHROME2");
    data.number((0x0028, 0x0010), rows);
    data.number((0x0028, 0x0011), columns);
    data.number((0x0028, 0x0100), 16);
    data.number((0x0028, 0x0101), 12);
    data.number((0x0028, 0x0102), 11);
    data.number((0x0028, 0x0103), 0);
    data.bytes((0x7fe0, 0x0010), b"OW", &pixels(draw, rows, columns));

    let mut file = vec![0; PREAMBLE_BYTES];
    file.extend_from_slice(b"DICM");
    file.extend(length.0);
    file.extend(meta.0);
    file.extend(data.0);
    file
}

/// Data elements, encoded one after another.
#[derive(Default)]
struct Elements(Vec<u8>);

impl Elements {
    /// Appends an element; `value` has an even length.
    fn bytes(&mut self, (group, element): (u16, u16), vr: &[u8; 2], value: &[u8]) {
        debug_assert!(value.len().is_multiple_of(2), "callers pad");
        self.0.extend(group.to_le_bytes());
        self.0.extend(element.to_le_bytes());
        self.0.extend(vr);
        if matches!(vr, b"OB" | b"OW") {
            // Long form: two reserved bytes, then a length of 32 bits.
            let bytes = u32::try_from(value.len()).expect("65,535 squared pixels fit in 8 GiB");
            self.0.extend([0, 0]);
            self.0.extend(bytes.to_le_bytes());
        } else {
            let bytes = u16::try_from(value.len()).expect("short values");
            self.0.extend(bytes.to_le_bytes());
        }
        self.0.extend(value);
    }

    fn text(&mut self, tag: (u16, u16), vr: &[u8; 2], value: &str) {
        self.padded(tag, vr, value, b' ');
    }

    fn uid(&mut self, tag: (u16, u16), value: &str) {
        self.padded(tag, b"UI", value, 0);
    }

    fn number(&mut self, tag: (u16, u16), value: u16) {
        self.bytes(tag, b"US", &value.to_le_bytes());
    }

    fn padded(&mut self, tag: (u16, u16), vr: &[u8; 2], value: &str, padding: u8) {
        let mut value = value.as_bytes().to_vec();
        if !value.len().is_multiple_of(2) {
            value.push(padding);
        }
        self.bytes(tag, vr, &value);
    }
}

/// 2.25 and a random UUID (RFC 9562 version 4) as one decimal number.
fn uid(draw: &mut impl Rng) -> String {
    let drawn = u128::from(draw.next_u64()) << 64 | u128::from(draw.next_u64());
    let version = drawn & !(0xf << 76) | 0x4 << 76;
    let variant = version & !(0x3 << 62) | 0x2 << 62;
    format!("2.25.{variant}")
}

fn pixels(draw: &mut impl Rng, rows: u16, columns: u16) -> Vec<u8> {
    let (height, width) = (u32::from(rows), u32::from(columns));
    let radius = height.min(width) / 3;
    let mut bytes = Vec::new();
    for row in 0..height {
        for column in 0..width {
            let (down, right) = (row.abs_diff(height / 2), column.abs_diff(width / 2));
            let inside =
                u64::from(down).pow(2) + u64::from(right).pow(2) < u64::from(radius).pow(2);
            let base = if inside { 2_600 } else { 1_200 * row / height };
            let value = u16::try_from(base + draw.below(256)).expect("at most 12 bits");
            bytes.extend(value.to_le_bytes());
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::seed::Seed;

    type Tag = (u16, u16);

    /// Walks the elements of explicit VR little endian; tags ascend, lengths are even and in bounds.
    fn walk(mut bytes: &[u8]) -> BTreeMap<Tag, (String, Vec<u8>)> {
        let mut elements: BTreeMap<Tag, (String, Vec<u8>)> = BTreeMap::new();
        let u16_at = |bytes: &[u8], at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
        while !bytes.is_empty() {
            let tag = (u16_at(bytes, 0), u16_at(bytes, 2));
            let vr = String::from_utf8(bytes[4..6].to_vec()).unwrap();
            let (start, length) = match vr.as_str() {
                "OB" | "OW" => {
                    assert_eq!(bytes[6..8], [0, 0]);
                    (12, u32::from_le_bytes(bytes[8..12].try_into().unwrap()))
                }
                _ => (8, u32::from(u16_at(bytes, 6))),
            };
            let end = start + usize::try_from(length).unwrap();
            assert!(length.is_multiple_of(2), "{tag:04x?}");
            assert!(elements.last_key_value().is_none_or(|(last, _)| *last < tag), "{tag:04x?}");
            elements.insert(tag, (vr, bytes[start..end].to_vec()));
            bytes = &bytes[end..];
        }
        elements
    }

    fn check_uid(value: &[u8]) -> String {
        let text = String::from_utf8(value.to_vec()).unwrap();
        let uid = text.strip_suffix('\0').unwrap_or(&text);
        assert!(uid.len() <= 64);
        for part in uid.split('.') {
            assert!(part == "0" || !part.starts_with('0'));
            assert!(!part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
        }
        uid.to_owned()
    }

    #[test]
    fn a_file_reads_back_element_by_element() {
        let mut draw = Seed::new(8).stream("dicom");
        for (rows, columns) in [(1, 1), (33, 47), (240, 256)] {
            let patient = Patient::draw(&mut draw);
            let file = image(&mut draw, &patient, rows, columns);
            assert_eq!(file[..128], [0; 128]);
            assert_eq!(&file[128..132], b"DICM");
            assert!(file.len().is_multiple_of(2));

            // Group length: bytes from after its own element (12) to the end of group 0002.
            let group_bytes = u32::from_le_bytes(file[140..144].try_into().unwrap());
            let meta_end = 144 + usize::try_from(group_bytes).unwrap();
            let meta = walk(&file[132..meta_end]);
            let data = walk(&file[meta_end..]);
            assert!(meta.keys().all(|tag| tag.0 == 0x0002));
            assert!(data.keys().all(|tag| tag.0 > 0x0002));
            for element in [0x0000, 0x0001, 0x0002, 0x0003, 0x0010, 0x0012] {
                assert!(meta.contains_key(&(0x0002, element)), "type 1 in group 0002");
            }
            let syntax = check_uid(&meta[&(0x0002, 0x0010)].1);
            assert_eq!(syntax, "1.2.840.10008.1.2.1");
            assert_eq!(meta[&(0x0002, 0x0002)].1, data[&(0x0008, 0x0016)].1, "SOP class");
            assert_eq!(meta[&(0x0002, 0x0003)].1, data[&(0x0008, 0x0018)].1, "SOP instance");

            let uids = [(0x0008, 0x0018), (0x0020, 0x000d), (0x0020, 0x000e)];
            let uids = uids.map(|tag| check_uid(&data[&tag].1));
            assert!(uids[0] != uids[1] && uids[1] != uids[2] && uids[0] != uids[2]);
            for (tag, (vr, value)) in &data {
                match vr.as_str() {
                    "UI" => drop(check_uid(value)),
                    "US" => assert_eq!(value.len(), 2),
                    "OW" => assert_eq!(*tag, (0x7fe0, 0x0010)),
                    _ => assert!(value.iter().all(|byte| matches!(byte, 0x20..=0x7e))),
                }
            }
            let number = |tag: Tag| u16::from_le_bytes(data[&tag].1[..].try_into().unwrap());
            assert_eq!((number((0x0028, 0x0010)), number((0x0028, 0x0011))), (rows, columns));
            let samples = &data[&(0x7fe0, 0x0010)].1;
            assert_eq!(samples.len(), 2 * usize::from(rows) * usize::from(columns));
            assert!(samples.chunks(2).all(|pair| pair[1] < 0x10), "12 bits stored");
            assert_eq!(data[&(0x0010, 0x0020)].1.trim_ascii_end(), patient.id.as_bytes());
        }
    }

    #[test]
    fn uids_are_random_uuids() {
        let mut draw = Seed::new(8).stream("uid");
        let number: u128 = uid(&mut draw).strip_prefix("2.25.").unwrap().parse().unwrap();
        let hex = format!("{number:032x}");
        assert_eq!(&hex[12..13], "4", "version");
        assert!("89ab".contains(&hex[16..17]), "variant");
    }
}
