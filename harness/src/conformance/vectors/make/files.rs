//! Sealed files: made from parts that agree, and from parts that do not. [DDB-1] [STO-6]

use serde_json::{Value, json};

use super::super::super::class::Class;
use super::super::shape::VectorFile;
use super::{Maker, bytes, named};
use crate::rules::merkle::sha256;
use crate::rules::mirror::Bytes32;
use crate::rules::sealed::{CHUNK_BYTES, HEADER_BYTES, Parts, TRAILER_BYTES, open};

pub(super) fn made() -> VectorFile {
    let mut maker = Maker::new(
        "files",
        "Sealed files: chunks of XChaCha20-Poly1305 under a header and before a trailer. Opening gives all of the plaintext or none.",
    );
    let flags = [
        (
            "tag-unchecked",
            "a chunk or the trailer is not authenticated, or not with the header",
            "whoever holds the file changes what the patient's doctor reads",
        ),
        (
            "chunks-movable",
            "the place of a chunk is not part of what is authenticated",
            "chunks are dropped, repeated, or exchanged without notice",
        ),
        (
            "commitment-unchecked",
            "length or commitment in the trailer are not compared with the plaintext",
            "the owner of the key shows another plaintext as the booked one",
        ),
        (
            "end-unchecked",
            "a file that was cut short or added to opens",
            "a part of the plaintext is taken for all of it",
        ),
        (
            "format-unchecked",
            "tag, version, suite or size of chunks are not compared",
            "a file of another format is misread",
        ),
        (
            "form-ambiguous",
            "one plaintext has several sealed forms under one key",
            "a file is found under several digests",
        ),
        (
            "limit-off-by-one",
            "a plaintext that fills its chunks is cut in another way",
            "two implementations seal one file into two",
        ),
    ];
    for (name, bug, effect) in flags {
        maker.flag(name, bug, effect, None);
    }
    sealing(&mut maker);
    opening(&mut maker);
    altered(&mut maker);
    contradictions(&mut maker);
    maker.done()
}

const NONCE: [u8; 19] = [0x31; 19];
const SALT: [u8; 16] = [0x32; 16];

fn key() -> Bytes32 {
    named("content key")
}

fn plaintext(length: usize) -> Vec<u8> {
    (0..length).map(|at| u8::try_from(at % 251).unwrap_or(0)).collect()
}

fn sealed(length: usize) -> Vec<u8> {
    Parts::of(&plaintext(length), NONCE, SALT).seal(&key())
}

fn args(file: &[u8]) -> Value {
    json!({"key": bytes(key()), "file": bytes(file)})
}

fn sealing(maker: &mut Maker) {
    let args = |plaintext: &[u8]| {
        json!({
            "key": bytes(key()), "nonce": bytes(NONCE), "salt": bytes(SALT),
            "plaintext": bytes(plaintext),
        })
    };
    for length in [1, 2, 15, 16, 17, 64, 1_000] {
        let file = sealed(length);
        let ok = json!({"digest": bytes(sha256(&[&file])), "file": bytes(file)});
        let of = ["DDB-1.3", "STO-6.3"];
        maker.valid(
            format!("file.seal.{length}-bytes"),
            "file.seal",
            args(&plaintext(length)),
            ok,
            &of,
        );
    }
    maker.finding(&["limit-off-by-one"]);
    for length in [CHUNK_BYTES, CHUNK_BYTES + 1] {
        // The digest says as much as the file.
        let ok = json!({"digest": bytes(sha256(&[&sealed(length)]))});
        let id = format!("file.seal.{length}-bytes");
        maker.valid(id, "file.seal", args(&plaintext(length)), ok, &["DDB-1.4"]);
    }
    maker.finding(&["form-ambiguous"]);
    maker.invalid("file.seal.nothing", "file.seal", args(b""), &[Class::Bound], &["STO-6.6"]);
    let others = [
        ("another-key", "key", bytes(named("another"))),
        ("another-nonce", "nonce", bytes([0; 19])),
        ("another-salt", "salt", bytes([0xff; 16])),
    ];
    for (id, field, value) in others {
        let mut args = args(b"a note");
        args[field] = value;
        let of = |name: &str| {
            let text = args[name].as_str().unwrap_or_default();
            super::super::super::value::read_bytes(text).unwrap_or_default()
        };
        let nonce = of("nonce").try_into().unwrap_or(NONCE);
        let salt = of("salt").try_into().unwrap_or(SALT);
        let key: Bytes32 = of("key").try_into().unwrap_or_default();
        let file = Parts::of(b"a note", nonce, salt).seal(&key);
        let ok = json!({"digest": bytes(sha256(&[&file])), "file": bytes(file)});
        maker.valid(format!("file.seal.{id}"), "file.seal", args.clone(), ok, &["DDB-1.3"]);
    }
}

fn opening(maker: &mut Maker) {
    maker.finding(&[]);
    for length in [1, 16, 17, 300] {
        let ok = json!({"plaintext": bytes(plaintext(length))});
        let id = format!("file.open.{length}-bytes");
        maker.valid(id, "file.open", args(&sealed(length)), ok, &["DDB-1.3"]);
    }
    maker.finding(&["limit-off-by-one"]);
    let ok = json!({"plaintext": bytes(plaintext(CHUNK_BYTES + 1))});
    let id = "file.open.two-chunks";
    maker.valid(id, "file.open", args(&sealed(CHUNK_BYTES + 1)), ok, &["DDB-1.4"]);
}

fn altered(maker: &mut Maker) {
    let file = sealed(300);
    let authentication = [Class::Authentication];
    let mut wrong = |flag, id: &str, file: &[u8], classes: &[Class], of: &str| {
        assert!(open(file, &key()).is_none(), "{id}: the rules open it");
        maker.finding(&[flag]);
        maker.invalid(
            format!("file.open.{id}"),
            "file.open",
            args(file),
            classes,
            &[of, "DDB-1.7"],
        );
    };
    let with = |at: usize, by: &[u8]| {
        let mut file = file.clone();
        file[at..at + by.len()].copy_from_slice(by);
        file
    };
    let flip = |at: usize| with(at, &[file[at] ^ 1]);
    let flag = "format-unchecked";
    wrong(flag, "tag-of-a-log", &with(0, b"MLOG"), &[Class::Tag], "DDB-1.5");
    wrong(flag, "version-2", &with(4, &[2]), &[Class::Version], "DDB-1.5");
    let suite = [Class::Variant, Class::Bound, Class::Version];
    wrong(flag, "suite-0", &with(5, &[0]), &suite, "DDB-1.5");
    wrong(flag, "suite-2", &with(5, &[2]), &suite, "DDB-1.5");
    let size = [Class::Bound, Class::Variant, Class::Rule];
    for chunk in [0, 15, 17] {
        wrong(flag, &format!("chunks-of-2-to-the-{chunk}"), &with(6, &[chunk]), &size, "DDB-1.5");
    }
    let flag = "tag-unchecked";
    for at in [7, HEADER_BYTES - 1] {
        wrong(flag, &format!("nonce-byte-{at}"), &flip(at), &authentication, "DDB-1.5");
    }
    let (chunk, trailer) = (HEADER_BYTES, file.len() - TRAILER_BYTES);
    for at in [chunk, chunk + 150, trailer - 17, trailer - 16, trailer - 1] {
        wrong(flag, &format!("chunk-byte-{at}"), &flip(at), &authentication, "DDB-1.5");
    }
    for at in [trailer, trailer + 8, trailer + 55, trailer + 56, file.len() - 1] {
        wrong(flag, &format!("trailer-byte-{at}"), &flip(at), &authentication, "DDB-1.5");
    }
    let flag = "end-unchecked";
    let short = [Class::Truncated, Class::Authentication];
    wrong(flag, "nothing", &[], &[Class::Truncated, Class::Tag], "DDB-1.5");
    wrong(flag, "half-a-header", &file[..13], &short, "DDB-1.5");
    wrong(flag, "header-alone", &file[..HEADER_BYTES], &short, "DDB-1.5");
    wrong(flag, "cut-by-one", &file[..file.len() - 1], &short, "DDB-1.5");
    wrong(flag, "without-trailer", &file[..trailer], &short, "DDB-1.5");
    let longer = [&file[..], &[0]].concat();
    wrong(flag, "longer-by-one", &longer, &[Class::Authentication, Class::Trailing], "DDB-1.5");
    let without_chunk = [&file[..chunk], &file[trailer..]].concat();
    wrong(flag, "without-its-chunk", &without_chunk, &short, "DDB-1.5");
    let twice = [&file[..trailer], &file[trailer..], &file[trailer..]].concat();
    wrong(flag, "trailer-twice", &twice, &[Class::Authentication, Class::Trailing], "DDB-1.5");

    let flag = "chunks-movable";
    let large = sealed(CHUNK_BYTES + 1);
    let (first, second) = (HEADER_BYTES, HEADER_BYTES + CHUNK_BYTES + 16);
    let end = large.len() - TRAILER_BYTES;
    let (head, tail) = (&large[..first], &large[end..]);
    let second_alone = [head, &large[second..end], tail].concat();
    wrong(flag, "first-chunk-removed", &second_alone, &authentication, "DDB-1.5");
    let other = Parts::of(&plaintext(300), [0x41; 19], SALT).seal(&key());
    let exchanged = [&file[..chunk], &other[chunk..trailer], &file[trailer..]].concat();
    wrong(flag, "chunk-of-another-file", &exchanged, &authentication, "DDB-1.5");
    let trailers = [&file[..trailer], &other[trailer..]].concat();
    wrong(flag, "trailer-of-another-file", &trailers, &authentication, "DDB-1.5");
    let headers = [&other[..chunk], &file[chunk..]].concat();
    wrong(flag, "header-of-another-file", &headers, &authentication, "DDB-1.5");

    maker.finding(&["tag-unchecked"]);
    let mut strange = args(&file);
    strange["key"] = bytes(named("another"));
    maker.invalid("file.open.another-key", "file.open", strange, &authentication, &["DDB-1.1"]);
}

/// Files that are sealed rightly, of parts that contradict each other.
fn contradictions(maker: &mut Maker) {
    let classes = [Class::Authentication, Class::Rule, Class::Bound, Class::Truncated];
    let mut wrong = |flag, id: &str, parts: &Parts, of: &str| {
        let file = parts.seal(&key());
        assert!(open(&file, &key()).is_none(), "{id}: the rules open it");
        maker.finding(&[flag]);
        maker.invalid(
            format!("file.open.{id}"),
            "file.open",
            args(&file),
            &classes,
            &[of, "DDB-1.7"],
        );
    };
    let sound = Parts::of(&plaintext(300), NONCE, SALT);
    let flag = "commitment-unchecked";
    for (id, length) in [("shorter", 299), ("longer", 301), ("no", 0), ("endless", u64::MAX)] {
        let parts = Parts { length, ..sound.clone() };
        wrong(flag, &format!("states-{id}-length"), &parts, "DDB-1.6");
    }
    let mut commitment = sound.commitment;
    commitment[31] ^= 1;
    wrong(flag, "states-another-commitment", &Parts { commitment, ..sound.clone() }, "DDB-1.6");
    let unsalted = Parts { commitment: sha256(&[&plaintext(300)]), ..sound.clone() };
    wrong(flag, "states-an-unsalted-commitment", &unsalted, "DDB-1.6");
    let salt = [0; 16];
    wrong(flag, "states-another-salt", &Parts { salt, ..sound.clone() }, "DDB-1.6");
    let other = Parts { chunks: vec![vec![7; 300]], ..sound.clone() };
    wrong(flag, "another-plaintext", &other, "DDB-1.6");
    let flag = "form-ambiguous";
    let empty = Parts::of(b"", NONCE, SALT);
    wrong(flag, "nothing-sealed", &empty, "STO-6.6");
    wrong(flag, "an-empty-chunk", &Parts { chunks: vec![vec![]], ..empty }, "STO-6.6");
    let halves = vec![plaintext(300)[..150].to_vec(), plaintext(300)[150..].to_vec()];
    wrong(flag, "two-short-chunks", &Parts { chunks: halves, ..sound.clone() }, "DDB-1.4");
    let padded = vec![plaintext(300), vec![]];
    wrong(flag, "an-empty-chunk-at-the-end", &Parts { chunks: padded, ..sound }, "DDB-1.4");
}
