//! Envelopes: what an owner signed for a network, and what it did not. [STO-2] [STO-4] [COM-3]

use serde_json::{Value, json};

use super::super::super::class::Class;
use super::super::shape::VectorFile;
use super::{Maker, bytes, named};
use crate::generate::values::{Scale, metadata};
use crate::rules::ed25519;
use crate::rules::ids::{booking, content_ref, owner_message, record_id};
use crate::rules::mirror::{Bytes32, Content, Encryption, Envelope, Record};
use crate::rules::wire::Mirror;

pub(super) fn made() -> VectorFile {
    let mut maker = Maker::new(
        "bookings",
        "Envelopes: the owner's signature over chain and record, and everything that it covers.",
    );
    let flags = [
        (
            "signature-unchecked",
            "the owner's signature is not checked, or not over all of the record",
            "anybody books in anybody's name",
        ),
        (
            "chain-unbound",
            "the chain is not part of what the owner signs",
            "a record is replayed on another network",
        ),
        (
            "content-unbound",
            "the id does not depend on the content",
            "the content is exchanged under a signature",
        ),
        (
            "small-order-key",
            "a key of small order, or one that is no point, may own records",
            "one signature fits every message, so that its owner can deny any record",
        ),
        (
            "delegate-signed",
            "the delegate's id is taken for a part of what the owner signed",
            "a record handed to another delegate is refused",
        ),
        (
            "bound-unchecked",
            "a field may leave its bounds",
            "nodes that check the bound split from those that do not",
        ),
        (
            "limit-off-by-one",
            "the largest content that is allowed is refused",
            "a record admitted by one node is refused by the next",
        ),
    ];
    for (name, bug, effect) in flags {
        maker.flag(name, bug, effect, None);
    }
    sound(&mut maker);
    forged(&mut maker);
    malformed(&mut maker);
    maker.done()
}

fn chain() -> Bytes32 {
    named("chain")
}

fn signed(record: Record, seed: &Bytes32) -> Envelope {
    let id = id_of(&record);
    let owner_signature = ed25519::sign(seed, &owner_message(&chain(), &id));
    Envelope { record, owner_signature, booked_by: 7 }
}

fn id_of(record: &Record) -> Bytes32 {
    record_id(&record.owner, &record.metadata, &content_ref(&record.content))
}

fn seed() -> Bytes32 {
    named("owner")
}

/// A record of our owner, of drawn metadata.
fn record(label: &str, content: Content) -> Record {
    let mut draw = super::stream(&format!("bookings/{label}"));
    let (size, is_stored) = match &content {
        Content::Inline(bytes) => (u64::try_from(bytes.len()).unwrap_or(u64::MAX), false),
        Content::Stored(_) => (1_000_000, true),
    };
    let metadata = metadata(size, is_stored, Scale::Small, &mut draw);
    Record { owner: ed25519::public(&seed()), metadata, content }
}

fn inline(label: &str, bytes: &[u8]) -> Envelope {
    signed(record(label, Content::Inline(bytes.to_vec())), &seed())
}

fn args(envelope: &Envelope) -> Value {
    json!({
        "chain_id": bytes(chain()),
        "envelope": bytes(Mirror::from(envelope.clone()).encode()),
    })
}

fn sound(maker: &mut Maker) {
    let mut sound = |id: &str, envelope: &Envelope, of: &[&str]| {
        let ok = json!({"record_id": bytes(id_of(&envelope.record))});
        maker.valid(format!("envelope.check.{id}"), "envelope.check", args(envelope), ok, of);
    };
    sound("inline", &inline("inline", b"a note"), &["STO-2.1", "STO-2.3", "STO-5.1"]);
    // Nobody has heard of the owner before: its key is all that there is of it.
    sound("one-byte", &inline("one byte", b"1"), &["STO-2.2", "STO-7.1"]);
    let stored = signed(record("stored", Content::Stored(named("file"))), &seed());
    sound("stored", &stored, &["STO-2.1", "STO-6.1"]);
    for number in 0..3 {
        let label = format!("drawn-{number}");
        sound(&label, &inline(&label, label.as_bytes()), &["STO-2.2", "STO-2.3"]);
    }
    maker.finding(&["limit-off-by-one"]);
    let ok = |envelope: &Envelope| json!({"record_id": bytes(id_of(&envelope.record))});
    let largest = inline("largest", &vec![0x20; 102_400]);
    maker.valid(
        "envelope.check.content-102400",
        "envelope.check",
        args(&largest),
        ok(&largest),
        &["STO-4.3"],
    );
    maker.finding(&["delegate-signed"]);
    for booked_by in [0, 8, u32::MAX] {
        let envelope = Envelope { booked_by, ..inline("delegate", b"a note") };
        let id = format!("envelope.check.delegate-{booked_by}");
        maker.valid(id, "envelope.check", args(&envelope), ok(&envelope), &["COM-3.3"]);
    }
    // A booking holds the digest where the envelope holds the content: one id for both.
    let envelope = inline("booking", b"a note");
    let (args, ok) = super::codec::decoded(&booking(&envelope).into());
    maker.finding(&["content-unbound"]);
    maker.valid("decode.MBKG.of-an-envelope", "decode", args, ok, &["STO-2.2"]);
}

fn forged(maker: &mut Maker) {
    let sound = inline("forged", b"a note on somebody");
    let mut forge = |flag, id: &str, change: &dyn Fn(&mut Envelope)| {
        let mut envelope = sound.clone();
        change(&mut envelope);
        maker.finding(&[flag]);
        let id = format!("envelope.check.{id}");
        maker.invalid(id, "envelope.check", args(&envelope), &[Class::Signature], &["STO-2.3"]);
    };
    let flag = "signature-unchecked";
    forge(flag, "signature-of-zeros", &|e| e.owner_signature = [0; 64]);
    for byte in [0, 31, 32, 62] {
        forge(flag, &format!("signature-byte-{byte}"), &|e| e.owner_signature[byte] ^= 1);
    }
    forge(flag, "another-owner", &|e| e.record.owner = ed25519::public(&named("thief")));
    forge(flag, "time-of-creation", &|e| e.record.metadata.created ^= 1);
    forge(flag, "resource-type", &|e| e.record.metadata.resource_type.push('s'));
    forge(flag, "media-type", &|e| e.record.metadata.content_type = "text/html".into());
    forge(flag, "status", &|e| e.record.metadata.status = 1 + e.record.metadata.status % 3);
    forge(flag, "activity", &|e| e.record.metadata.activity = 1 + e.record.metadata.activity % 4);
    forge(flag, "author", &|e| e.record.metadata.author = Some(named("another author")));
    forge(flag, "consent", &|e| e.record.metadata.consent = Some(named("another consent")));
    forge(flag, "extension", &|e| {
        e.record.metadata.ext = [("another".to_owned(), vec![1])].into();
    });
    let content = "content-unbound";
    forge(content, "another-content", &|e| {
        e.record.content = Content::Inline(b"a note on anybody!".to_vec());
    });
    forge(content, "another-content-and-size", &|e| {
        e.record.content = Content::Inline(b"a".to_vec());
        e.record.metadata.size = 1;
    });
    forge(content, "stored-in-place-of-inline", &|e| {
        let digest = crate::rules::merkle::sha256(&[b"a note on somebody"]);
        e.record.content = Content::Stored(digest);
        e.record.metadata.encryption = Some(Encryption { scheme: 1, key_id: named("key") });
    });
    let chain_unbound = "chain-unbound";
    for (id, other) in [("another-chain", named("another chain")), ("chain-of-zeros", [0; 32])] {
        maker.finding(&[chain_unbound]);
        let mut args = args(&sound);
        args["chain_id"] = bytes(other);
        let id = format!("envelope.check.{id}");
        maker.invalid(id, "envelope.check", args, &[Class::Signature], &["STO-2.3"]);
    }
    // What is signed without the chain, without the tag, or in the place of the message.
    let id = id_of(&sound.record);
    let messages: [(&str, Vec<u8>); 4] = [
        ("signed-without-chain", [b"MSGR\x01", &id[..]].concat()),
        ("signed-without-tag", [&chain()[..], &id].concat()),
        ("signed-id-alone", id.to_vec()),
        ("signed-as-registration", [b"MREG\x01", &chain()[..], &id].concat()),
    ];
    for (id, message) in messages {
        let owner_signature = ed25519::sign(&seed(), &message);
        let envelope = Envelope { owner_signature, ..sound.clone() };
        let id = format!("envelope.check.{id}");
        maker.invalid(id, "envelope.check", args(&envelope), &[Class::Signature], &["STO-2.3"]);
    }
}

fn malformed(maker: &mut Maker) {
    maker.finding(&["small-order-key"]);
    let sound = inline("malformed", b"a note");
    let mut identity = [0; 64];
    identity[0] = 1;
    let (mut one, mut no_point, mut above) = ([0; 32], [0; 32], [0xff; 32]);
    (one[0], no_point[0]) = (1, 2);
    (above[0], above[31]) = (0xee, 0x7f);
    let owners =
        [("identity", one), ("zero", [0; 32]), ("identity-above-p", above), ("no-point", no_point)];
    for (id, owner) in owners {
        let mut envelope = sound.clone();
        (envelope.record.owner, envelope.owner_signature) = (owner, identity);
        let id = format!("envelope.check.owner-{id}");
        maker.invalid(id, "envelope.check", args(&envelope), &[Class::Key], &["STO-2.5"]);
    }
    maker.finding(&["bound-unchecked"]);
    let mut malformed = |id: &str, envelope: &Envelope, classes: &[Class], of: &str| {
        let id = format!("envelope.check.{id}");
        maker.invalid(id, "envelope.check", args(envelope), classes, &[of]);
    };
    let empty = inline("empty", b"");
    malformed("content-empty", &empty, &[Class::Bound, Class::Rule], "STO-4.4");
    let large = inline("large", &vec![0x20; 102_401]);
    malformed("content-102401", &large, &[Class::Bound], "STO-4.1");
    let mut other = record("other size", Content::Inline(b"a note".to_vec()));
    other.metadata.size = 7;
    malformed("content-of-another-size", &signed(other, &seed()), &[Class::Rule], "STO-6.4");
    let mut plain = record("plain", Content::Stored(named("file")));
    plain.metadata.encryption = None;
    malformed("stored-yet-plain", &signed(plain, &seed()), &[Class::Rule], "STO-5.3");
    let mut sealed = record("sealed", Content::Inline(b"a note".to_vec()));
    sealed.metadata.encryption = Some(Encryption { scheme: 1, key_id: named("key") });
    malformed("inline-yet-encrypted", &signed(sealed, &seed()), &[Class::Rule], "STO-5.3");
    let mut late = record("late", Content::Inline(b"a note".to_vec()));
    late.metadata.created = 253_402_300_800_000;
    let classes = [Class::Bound, Class::Rule];
    malformed("created-after-9999", &signed(late, &seed()), &classes, "STO-8.2");
    for (id, class, change) in [("cut", Class::Truncated, -1_isize), ("longer", Class::Trailing, 1)]
    {
        let mut encoded = Mirror::from(sound.clone()).encode();
        encoded.resize(encoded.len().saturating_add_signed(change), 0);
        let args = json!({"chain_id": bytes(chain()), "envelope": bytes(encoded)});
        maker.invalid(
            format!("envelope.check.{id}"),
            "envelope.check",
            args,
            &[class],
            &["STO-1.3"],
        );
    }
    let mut encoded = Mirror::from(sound).encode();
    encoded[..4].copy_from_slice(b"MREC");
    let args = json!({"chain_id": bytes(chain()), "envelope": bytes(encoded)});
    maker.invalid(
        "envelope.check.tag-of-a-record",
        "envelope.check",
        args,
        &[Class::Tag],
        &["STO-1.2"],
    );
}
