//! Wrong decoders, and wrong ids of what they decode. [STO-1] to [STO-10] [STO-13]

use borsh::BorshDeserialize as _;
use serde_json::{Value, json};

use super::{Wrong, reject, result_of};
use crate::conformance::class::Class;
use crate::conformance::reference::{self, Answer};
use crate::conformance::value::{Field, bytes};
use crate::rules::bounds::Bounds;
use crate::rules::ids;
use crate::rules::merkle::{level_root, root, sha256};
use crate::rules::mirror::{self, Content, ContentRef, Metadata};
use crate::rules::wire::{Mirror, WireKind, body, decode};

/// Bytes of tag and version.
const PREFIX: usize = 5;

pub(super) const MUTANTS: &[(&str, Wrong)] = &[
    ("codec-trailing-taken", |op, args| {
        let call = Call::of(op, args)?;
        let at = call.rejected(Class::Trailing)?;
        Some(call.with(call.bytes.get(..at)?))
    }),
    ("codec-any-version", |op, args| {
        let call = Call::of(op, args)?;
        call.rejected(Class::Version)?;
        Some(call.with(&[call.tag.as_bytes(), &[1], call.bytes.get(PREFIX..)?].concat()))
    }),
    ("codec-any-tag", |op, args| {
        let call = Call::of(op, args)?;
        call.rejected(Class::Tag)?;
        Some(call.with(&[call.tag.as_bytes(), call.bytes.get(4..)?].concat()))
    }),
    ("codec-map-unsorted", |op, args| {
        let call = Call::of(op, args)?;
        (!call.repeats(call.rejected(Class::Order)?)?).then(|| call.kept())
    }),
    ("codec-map-repeated", |op, args| {
        let call = Call::of(op, args)?;
        call.repeats(call.rejected(Class::Order)?)?.then(|| call.kept())
    }),
    ("codec-option-any-byte", |op, args| {
        let call = Call::of(op, args)?;
        let at = call.rejected(Class::Variant)?;
        let is_option = OPTIONS.contains(&call.field()?);
        is_option.then(|| call.with(&replaced(&call.bytes, at, 1)))
    }),
    ("codec-length-cut", |op, args| {
        let call = Call::of(op, args)?;
        call.rejected(Class::Truncated)?;
        // No more than any vector leaves out.
        (1..=4_096).find_map(|zeros| {
            let answer = call.with(&[&call.bytes[..], &vec![0; zeros]].concat());
            matches!(answer, Answer::Ok(_)).then_some(answer)
        })
    }),
    ("codec-eleven-records", |op, args| {
        let call = Call::of(op, args)?;
        call.mended(|value| match value {
            Parts::Item(item) if item.records.len() == 11 => item.records.truncate(10),
            _ => {}
        })
    }),
    ("codec-no-records", |op, args| {
        let call = Call::of(op, args)?;
        call.rejected(Class::Bound)?;
        (call.tag == "MITM" && call.bytes == b"MITM\x01\0\0\0\0").then(|| call.kept())
    }),
    ("codec-content-one-more", |op, args| {
        let call = Call::of_envelope(op, args)?;
        let kept = call.mended(|value| {
            value.each(|metadata, content| {
                if let Held::Inline(bytes) = content
                    && bytes.len() == 102_401
                {
                    bytes.truncate(102_400);
                    metadata.size = metadata.size.saturating_sub(1);
                }
            });
        })?;
        if op == "decode" { Some(kept) } else { call.record_id() }
    }),
    ("codec-content-decimal", |op, args| {
        let call = Call::of_envelope(op, args)?;
        result_of(op, op, args)?;
        let mut is_larger = false;
        call.parts()?.each(|_, content| {
            is_larger |= matches!(content, Held::Inline(bytes) if bytes.len() > 100_000);
        });
        is_larger.then(|| reject(Class::Bound))
    }),
    // What forgets that content may not be empty forgets it of the size as well.
    ("codec-content-empty", |op, args| {
        let call = Call::of(op, args)?;
        let mend = |value: &mut Parts| {
            value.each(|metadata, content| {
                if let Held::Inline(bytes) = content
                    && bytes.is_empty()
                    && metadata.size == 0
                {
                    bytes.push(0);
                    metadata.size = 1;
                }
            });
        };
        call.mended(mend)
    }),
    ("codec-size-unchecked", |op, args| {
        let call = Call::of(op, args)?;
        call.mended(|value| {
            value.each(|metadata, content| {
                if let Held::Inline(bytes) = content {
                    metadata.size = bytes.len().try_into().unwrap_or(u64::MAX);
                }
            });
        })
    }),
    ("codec-encryption-forgotten", |op, args| {
        let call = Call::of(op, args)?;
        call.mended(|value| {
            value.each(|metadata, content| {
                if let (Held::Stored, None) = (content, &metadata.encryption) {
                    let encryption = mirror::Encryption { scheme: 1, key_id: [0; 32] };
                    metadata.encryption = Some(encryption);
                }
            });
        })
    }),
    ("codec-encryption-inline", |op, args| {
        let call = Call::of(op, args)?;
        call.mended(|value| {
            value.each(|metadata, content| {
                if !matches!(content, Held::Stored) {
                    metadata.encryption.take_if(|encryption| encryption.scheme == 1);
                }
            });
        })
    }),
    ("codec-booking-encryption", |op, args| {
        let call = Call::of(op, args)?;
        call.of_tag("MBKG")?.mended(|value| {
            value.each(|metadata, content| match content {
                Held::Stored => {
                    let encryption = mirror::Encryption { scheme: 1, key_id: [0; 32] };
                    metadata.encryption.get_or_insert(encryption);
                }
                _ => {
                    metadata.encryption.take_if(|encryption| encryption.scheme == 1);
                }
            });
        })
    }),
    ("codec-service-kind", |op, args| {
        let call = Call::of(op, args)?;
        call.of_tag("MSVC")?.rejected(Class::Variant)?;
        Some(call.kept())
    }),
    ("codec-message-kind", |op, args| {
        let call = Call::of(op, args)?;
        call.of_tag("MMSG")?.rejected(Class::Variant)?;
        Some(call.kept())
    }),
    ("codec-approvals-unsorted", |op, args| {
        let call = Call::of(op, args)?;
        call.of_tag("MAPS")?.rejected(Class::Order)?;
        Some(call.kept())
    }),
    ("codec-no-approvals", |op, args| {
        let call = Call::of(op, args)?;
        call.of_tag("MAPS")?.rejected(Class::Bound)?;
        Some(call.kept())
    }),
    ("codec-seats-unbounded", |op, args| {
        let call = Call::of(op, args)?;
        call.of_tag("MRCM")?.rejected(Class::Bound)?;
        Some(call.kept())
    }),
    ("codec-created-negative", |op, args| {
        let call = Call::of(op, args)?;
        call.mended(|value| {
            value.each(|metadata, _| metadata.created = metadata.created.max(0));
        })
    }),
    ("codec-created-late", |op, args| {
        let call = Call::of(op, args)?;
        call.mended(|value| {
            let latest = 253_402_300_799_999;
            value.each(|metadata, _| metadata.created = metadata.created.min(latest));
        })
    }),
    ("codec-metadata-unbounded", |op, args| {
        let call = Call::of(op, args)?;
        call.mended(|value| {
            value.each(|metadata, _| {
                // Each field keeps within its own bounds.
                let is_sound = metadata.ext.len() <= 8
                    && metadata
                        .ext
                        .iter()
                        .all(|(key, value)| (1..=32).contains(&key.len()) && value.len() <= 256);
                if is_sound && body(metadata).len() > 2_048 {
                    metadata.ext.clear();
                }
            });
        })
    }),
    ("codec-text-latin", |op, args| {
        let call = Call::of(op, args)?;
        let Answer::Reject { class: Class::Bound | Class::Rule, .. } = call.said else {
            return None;
        };
        let mut plain = call.bytes.clone();
        let start = call.offset()?;
        // A text is no longer than that, with its length before it.
        (start..plain.len()).take(132).find_map(|at| {
            if plain[at] <= 0x7e {
                return None;
            }
            plain[at] = b'a';
            matches!(call.with(&plain), Answer::Ok(_)).then(|| call.kept())
        })
    }),
    ("codec-nine-extensions", |op, args| {
        let call = Call::of(op, args)?;
        call.mended(|value| {
            value.each(|metadata, _| {
                if metadata.ext.len() == 9 {
                    metadata.ext.pop_last();
                }
            });
        })
    }),
    ("codec-enumeration-open", |op, args| {
        let call = Call::of(op, args)?;
        let at = call.rejected(Class::Variant)?;
        let is_enumeration = !OPTIONS.contains(&call.field()?);
        let known = call.with(&replaced(&call.bytes, at, 1));
        (is_enumeration && matches!(known, Answer::Ok(_))).then(|| call.kept())
    }),
    ("codec-item-block-unbounded", |op, args| {
        let call = Call::of(op, args)?;
        call.rejected(Class::Bound)?;
        if call.tag != "MIBL" {
            return None;
        }
        mirror::ItemBlock::try_from_slice(call.bytes.get(PREFIX..)?).ok()?;
        Some(call.kept())
    }),
    ("codec-id-bare", |op, args| {
        let call = Call::of(op, args)?;
        call.digest("id", &sha256(&[call.bytes.get(PREFIX..)?]))
    }),
    ("codec-record-id-content", |op, args| {
        let call = Call::of(op, args)?;
        let Mirror::Record(record) = call.value()? else { return None };
        let parts: [&[u8]; 3] = [&record.owner, &body(&record.metadata), &body(&record.content)];
        call.digest("record_id", &sha256(&[b"MRID\x01", &parts.concat()]))
    }),
    ("codec-record-id-untagged", |op, args| {
        let call = Call::of(op, args)?;
        let (owner, metadata, content) = match call.value()? {
            Mirror::Record(record) => {
                (record.owner, record.metadata, ids::content_ref(&record.content))
            }
            Mirror::Booking(booking) => (booking.owner, booking.metadata, booking.content),
            _ => return None,
        };
        call.digest("record_id", &sha256(&[&owner, &body(&metadata), &body(&content)]))
    }),
    ("codec-leaf-bare", |op, args| {
        let call = Call::of(op, args)?;
        match call.value()? {
            Mirror::Booking(booking) => call.digest("leaf", &root(&[body(&booking)])),
            Mirror::Item(item) => {
                let leaves: Vec<Vec<u8>> =
                    item.records.iter().map(|envelope| body(&ids::booking(envelope))).collect();
                call.digest("level_root", &level_root(1, leaves.len(), &root(&leaves)))
            }
            _ => None,
        }
    }),
    ("codec-block-hash-whole", |op, args| {
        let call = Call::of(op, args)?;
        call.digest("hash", &sha256(&[&call.bytes]))
    }),
    ("codec-commitment-direct", |op, args| {
        let call = Call::of(op, args)?;
        call.digest("commitment", &sha256(&[&call.bytes]))
    }),
    ("codec-anchor-context-order", |op, args| {
        let call = Call::of(op, args)?;
        let Mirror::Anchor(anchor) = call.value()? else { return None };
        let context = ids::context(&anchor.state, &anchor.head, &anchor.next_committees);
        let root = ids::anchor_root(&anchor.chain_id, anchor.epoch, &anchor.window, &context);
        call.digest("anchor_root", &root)
    }),
    ("codec-anchor-without-epoch", |op, args| {
        let call = Call::of(op, args)?;
        let Mirror::Anchor(anchor) = call.value()? else { return None };
        let context = ids::context(&anchor.head, &anchor.state, &anchor.next_committees);
        let parts: [&[u8]; 4] = [b"MANR\x01", &anchor.chain_id, &anchor.window, &context];
        call.digest("anchor_root", &sha256(&parts))
    }),
];

/// Fields that may be absent.
const OPTIONS: &[&str] = &[
    "tz_offset_min",
    "kind",
    "category",
    "relates_to",
    "format",
    "language",
    "custodian",
    "author",
    "consent",
    "encryption",
    "item_block",
    "parent_certificate",
    "bitcoin",
];

fn replaced(bytes: &[u8], at: usize, by: u8) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if let Some(byte) = bytes.get_mut(at) {
        *byte = by;
    }
    bytes
}

/// A call of `decode`, and what the reference says to it.
struct Call {
    tag: String,
    bytes: Vec<u8>,
    said: Answer,
}

impl Call {
    fn of(op: &str, args: &Value) -> Option<Self> {
        if op != "decode" {
            return None;
        }
        let field = Field::whole("args", args);
        let tag = field.get("tag").ok()?.text().ok()?.to_owned();
        let bytes = field.get("bytes").ok()?.bytes().ok()?;
        Some(Self { tag, bytes, said: reference::answer(op, args) })
    }

    /// The same, and of `envelope.check` the decoding that it begins with.
    fn of_envelope(op: &str, args: &Value) -> Option<Self> {
        match op {
            "envelope.check" => {
                Self::of("decode", &json!({"tag": "MENV", "bytes": args["envelope"]}))
            }
            _ => Self::of(op, args),
        }
    }

    /// What `envelope.check` says of an envelope whose signature holds.
    fn record_id(&self) -> Option<Answer> {
        let Parts::Envelope(mirror::Envelope { record, .. }) = self.parts()? else { return None };
        let content = ids::content_ref(&record.content);
        let id = ids::record_id(&record.owner, &record.metadata, &content);
        Some(Answer::Ok(json!({"record_id": bytes(id)})))
    }

    fn with(&self, other: &[u8]) -> Answer {
        reference::answer("decode", &json!({"tag": self.tag, "bytes": bytes(other)}))
    }

    /// What a decoder yields that keeps the value as it came.
    fn kept(&self) -> Answer {
        let id = bytes(sha256(&[&self.bytes]));
        Answer::Ok(json!({"bytes": bytes(&self.bytes), "digests": {"id": id}}))
    }

    fn detail(&self) -> Option<(&str, &str)> {
        let Answer::Reject { detail, .. } = &self.said else { return None };
        detail.split_once(" at byte ")
    }

    /// This, if it is to decode a value of a tag.
    fn of_tag(&self, tag: &str) -> Option<&Self> {
        (self.tag == tag).then_some(self)
    }

    /// The offset that a rejection names.
    fn offset(&self) -> Option<usize> {
        let (number, _) = self.detail()?.1.split_once(':')?;
        number.parse().ok()
    }

    /// The innermost field that it names.
    fn field(&self) -> Option<&str> {
        self.detail()?.0.rsplit('.').next()
    }

    /// The offset of a rejection of this class.
    fn rejected(&self, class: Class) -> Option<usize> {
        let Answer::Reject { class: found, .. } = &self.said else { return None };
        if *found == class { self.offset() } else { None }
    }

    /// Whether the key at which order breaks is the one before it: the next larger one would do then.
    fn repeats(&self, at: usize) -> Option<bool> {
        let (path, _) = self.detail()?;
        let bytes = if path.contains("security") {
            1
        } else if path.contains("ext") {
            let length = self.bytes.get(at..at + 4)?.try_into().ok()?;
            4 + usize::try_from(u32::from_le_bytes(length)).ok()?
        } else {
            32
        };
        let last = (at + bytes).checked_sub(1)?;
        let next = replaced(&self.bytes, last, self.bytes.get(last)?.checked_add(1)?);
        let is_same = |detail: String| detail.contains(&format!(" at byte {at}:"));
        Some(match self.with(&next) {
            Answer::Reject { class: Class::Order, detail } => !is_same(detail),
            _ => true,
        })
    }

    fn value(&self) -> Option<Mirror> {
        let kind = WireKind::ALL.iter().find(|kind| kind.tag() == *self.tag.as_bytes())?;
        decode(*kind, &self.bytes).ok()
    }

    /// The value with another digest, where it has one of this name.
    fn digest(&self, name: &str, digest: &[u8; 32]) -> Option<Answer> {
        let Answer::Ok(result) = &self.said else { return None };
        let mut result = result.clone();
        *result["digests"].get_mut(name)? = bytes(digest);
        Some(Answer::Ok(result))
    }

    fn parts(&self) -> Option<Parts> {
        // Behind another tag or version stands another value.
        let body = self.bytes.strip_prefix(self.tag.as_bytes())?.strip_prefix(&[1])?;
        Parts::read(&self.tag, body)
    }

    /// Keeps a value that is rejected as it is when it would be sound with that mended.
    fn mended(&self, mend: impl FnOnce(&mut Parts)) -> Option<Answer> {
        let Answer::Reject { .. } = self.said else { return None };
        let mut parts = self.parts()?;
        mend(&mut parts);
        parts.check().ok()?;
        Some(self.kept())
    }
}

/// Values that hold records, whatever their bounds.
enum Parts {
    Record(mirror::Record),
    Envelope(mirror::Envelope),
    Booking(mirror::Booking),
    Item(mirror::Item),
}

/// What a record holds.
enum Held<'a> {
    Inline(&'a mut Vec<u8>),
    InlineDigest,
    Stored,
}

impl Parts {
    fn read(tag: &str, body: &[u8]) -> Option<Self> {
        match tag {
            "MREC" => mirror::Record::try_from_slice(body).ok().map(Self::Record),
            "MENV" => mirror::Envelope::try_from_slice(body).ok().map(Self::Envelope),
            "MBKG" => mirror::Booking::try_from_slice(body).ok().map(Self::Booking),
            "MITM" => mirror::Item::try_from_slice(body).ok().map(Self::Item),
            _ => None,
        }
    }

    fn each(&mut self, mut change: impl FnMut(&mut Metadata, Held<'_>)) {
        let mut of = |record: &mut mirror::Record| match &mut record.content {
            Content::Inline(bytes) => change(&mut record.metadata, Held::Inline(bytes)),
            Content::Stored(_) => change(&mut record.metadata, Held::Stored),
        };
        match self {
            Self::Record(record) => of(record),
            Self::Envelope(envelope) => of(&mut envelope.record),
            Self::Item(item) => item.records.iter_mut().for_each(|one| of(&mut one.record)),
            Self::Booking(booking) => match booking.content {
                ContentRef::Inline(_) => change(&mut booking.metadata, Held::InlineDigest),
                ContentRef::Stored(_) => change(&mut booking.metadata, Held::Stored),
            },
        }
    }

    fn check(&self) -> Result<(), String> {
        match self {
            Self::Record(record) => record.check(),
            Self::Envelope(envelope) => envelope.check(),
            Self::Booking(booking) => booking.check(),
            Self::Item(item) => item.check(),
        }
    }
}
