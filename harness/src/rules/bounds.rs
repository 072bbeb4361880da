//! Bounds and rules of the fields, checked on a decoded value. [STO-3] [STO-4] [STO-8]
//!
//! Spec: storage, the tables of section Formats; STO-3.1 and STO-3.2, STO-4.1 and STO-4.4, STO-5.3,
//! STO-6.4, STO-8.2 to STO-8.6, STO-9, STO-10.1, STO-10.4. What a decoder cannot know (signatures,
//! the chain, whether positions fit) is not asked here.

use super::mirror::{
    Anchor, BitcoinProof, Block, BlockHeader, Booking, Code, Content, ContentRef, DataBlock,
    Envelope, Genesis, Item, ItemBlock, Metadata, Payload, Receipt, Record, Window,
};
use super::wire::body;

/// A value that keeps within its bounds, or not.
pub trait Bounds {
    /// Says in words which bound is broken.
    fn check(&self) -> Result<(), String>;
}

pub(super) fn hold(holds: bool, rule: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(rule.to_owned()) }
}

fn text(text: &str, shortest: usize, longest: usize, field: &str) -> Result<(), String> {
    hold(
        text.len() >= shortest && text.len() <= longest,
        &format!("{field}: {} bytes, {shortest} to {longest} are allowed", text.len()),
    )?;
    hold(
        text.bytes().all(|byte| (0x20..=0x7e).contains(&byte)),
        &format!("{field}: not printable ASCII"),
    )
}

fn code(code: &Option<Code>, field: &str) -> Result<(), String> {
    let Some(Code { system, code }) = code else { return Ok(()) };
    hold((1..=4).contains(system), &format!("{field}: unknown system"))?;
    text(code, 1, 18, field)
}

/// A media type: a name, `/`, a name; then nothing, or `;` and anything.
fn is_media_type(text: &str) -> bool {
    let names = match text.find(';') {
        Some(at) => &text[..at],
        None => text,
    };
    let parts: Vec<&str> = names.split('/').collect();
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "!#$&^_.+-".contains(c);
    parts.len() == 2 && parts.iter().all(|part| !part.is_empty() && part.chars().all(allowed))
}

impl Bounds for Metadata {
    fn check(&self) -> Result<(), String> {
        text(&self.resource_type, 1, 64, "resource_type")?;
        let mut letters = self.resource_type.chars();
        hold(letters.next().is_some_and(|c| c.is_ascii_uppercase()), "resource_type: no capital")?;
        hold(letters.all(|c| c.is_ascii_alphabetic()), "resource_type: not only letters")?;
        text(&self.content_type, 3, 127, "content_type")?;
        hold(is_media_type(&self.content_type), "content_type: not type/subtype")?;
        hold((0..=253_402_300_799_999).contains(&self.created), "created: not 1970 to 9999")?;
        let minutes = self.tz_offset_min.unwrap_or(0);
        hold((-840..=840).contains(&minutes), "tz_offset_min: more than 14 hours")?;
        hold(self.size >= 1, "size: 0")?;
        code(&self.kind, "kind")?;
        code(&self.category, "category")?;
        hold((1..=3).contains(&self.status), "status: unknown")?;
        let relation = self.relates_to.as_ref().map_or(1, |relates_to| relates_to.relation);
        hold((1..=4).contains(&relation), "relates_to: unknown relation")?;
        text(self.format.as_deref().unwrap_or("-"), 1, 96, "format")?;
        let language = self.language.as_deref().unwrap_or("--");
        text(language, 2, 35, "language")?;
        let in_language = |c: char| c.is_ascii_alphanumeric() || c == '-';
        hold(language.chars().all(in_language), "language: not letters, digits and -")?;
        hold((1..=4).contains(&self.activity), "activity: unknown")?;
        hold(self.security.len() <= 3, "security: more than 3 labels")?;
        hold(self.security.iter().all(|label| (1..=3).contains(label)), "security: unknown label")?;
        let scheme = self.encryption.as_ref().map_or(1, |encryption| encryption.scheme);
        hold(scheme == 1, "encryption: unknown scheme")?;
        hold(self.ext.len() <= 8, "ext: more than 8 entries")?;
        for (key, value) in &self.ext {
            text(key, 1, 32, "ext: key")?;
            hold(value.len() <= 256, "ext: value of more than 256 bytes")?;
        }
        hold(body(self).len() <= 2_048, "metadata: more than 2,048 bytes")
    }
}

impl Bounds for Record {
    fn check(&self) -> Result<(), String> {
        self.metadata.check()?;
        let encrypted = self.metadata.encryption.is_some();
        match &self.content {
            Content::Inline(bytes) => {
                hold(!bytes.is_empty(), "content: empty")?;
                hold(bytes.len() <= 102_400, "content: more than 102,400 bytes")?;
                hold(
                    u64::try_from(bytes.len()) == Ok(self.metadata.size),
                    "content: another size",
                )?;
                hold(!encrypted, "content: inline, yet an encryption is named")
            }
            Content::Stored(_) => hold(encrypted, "content: stored, yet no encryption is named"),
        }
    }
}

impl Bounds for Envelope {
    fn check(&self) -> Result<(), String> {
        self.record.check()
    }
}

impl Bounds for Booking {
    fn check(&self) -> Result<(), String> {
        self.metadata.check()?;
        let stored = matches!(self.content, ContentRef::Stored(_));
        let encrypted = self.metadata.encryption.is_some();
        hold(stored == encrypted, "content: stored without encryption, or inline with one")
    }
}

impl Bounds for Item {
    fn check(&self) -> Result<(), String> {
        hold((1..=10).contains(&self.records.len()), "records: not 1 to 10")?;
        self.records.iter().try_for_each(Bounds::check)
    }
}

impl Bounds for ItemBlock {
    fn check(&self) -> Result<(), String> {
        hold((1..=16_384).contains(&self.items.len()), "items: not 1 to 16,384")
    }
}

impl Bounds for Payload {
    fn check(&self) -> Result<(), String> {
        self.item_block.as_ref().map_or(Ok(()), Bounds::check)?;
        self.parent_certificate.as_ref().map_or(Ok(()), Bounds::check)?;
        self.events.check()
    }
}

impl Bounds for BlockHeader {
    fn check(&self) -> Result<(), String> {
        Ok(())
    }
}

impl Bounds for Block {
    fn check(&self) -> Result<(), String> {
        self.payload.check()
    }
}

impl Bounds for Genesis {
    fn check(&self) -> Result<(), String> {
        text(&self.name, 0, 64, "name")
    }
}

impl Bounds for DataBlock {
    fn check(&self) -> Result<(), String> {
        hold((1..=10).contains(&self.item_blocks.len()), "item_blocks: not 1 to 10")
    }
}

impl Bounds for Window {
    fn check(&self) -> Result<(), String> {
        hold(self.data_blocks.len() <= 65_536, "data_blocks: more than 65,536")
    }
}

impl Bounds for Anchor {
    fn check(&self) -> Result<(), String> {
        Ok(())
    }
}

impl Bounds for BitcoinProof {
    fn check(&self) -> Result<(), String> {
        hold(self.transaction.len() <= 4_096, "transaction: more than 4,096 bytes")?;
        hold(self.branch.len() <= 24, "branch: more than 24 hashes")
    }
}

impl Bounds for Receipt {
    fn check(&self) -> Result<(), String> {
        self.booking.check()?;
        hold(self.path.len() <= 64, "path: more than 64 hashes")?;
        self.bitcoin.as_ref().map_or(Ok(()), Bounds::check)
    }
}
