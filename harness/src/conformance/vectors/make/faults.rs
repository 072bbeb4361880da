//! What a fault planted in an encoding is refused as, which sentence asks for that, and which bug lets it
//! pass. Faults are those of `generate::spoil`.

use super::super::super::class::Class::{
    self, Bound, Order, Rule, Tag, Trailing, Truncated, Variant, Version,
};

/// Classes, requirement and flag of a fault.
pub(super) type Judged = (&'static [Class], &'static str, &'static str);

/// What becomes of a fault.
///
/// # Panics
/// For a fault that nobody thought of here.
pub(super) fn judged(fault: &str) -> Judged {
    let is = |name: &str| fault == name;
    let ends = |end: &str| fault.ends_with(end);
    if is("empty") {
        return (&[Truncated, Tag], "STO-1.3", "end-unchecked");
    }
    if is("truncated-in-prefix") {
        return (&[Truncated, Version, Tag], "STO-1.3", "end-unchecked");
    }
    if fault.starts_with("truncated") {
        return (&[Truncated], "STO-1.3", "end-unchecked");
    }
    if is("trailing") {
        return (&[Trailing], "STO-1.4", "trailing-accepted");
    }
    if is("wrong-tag") || is("lower-case-tag") {
        return (&[Tag], "STO-1.2", "prefix-ignored");
    }
    if is("version-0") || is("version-2") {
        return (&[Version], "STO-1.2", "prefix-ignored");
    }
    // A count that says more than there is; the bound of the field may be noticed first.
    if ends("count-max") || ends("count-above-limit") {
        return (&[Bound, Truncated], "STO-1.6", "count-believed");
    }
    if ends("-count-1025") || ends("-count-65537") || ends("-count-257") {
        return (&[Bound, Truncated], "STO-1.6", "count-believed");
    }
    if ends("count-one-more") || ends("count-beyond-end") {
        return (&[Truncated], "STO-1.6", "count-believed");
    }
    if ends("unsorted") || ends("duplicate") || ends("unsorted-at-the-end") {
        return (&[Order], "STO-1.5", "order-unchecked");
    }
    if fault.starts_with("text-") {
        return (&[Rule, Bound], "STO-8.4", "text-unchecked");
    }
    if fault.starts_with("media-type") || is("language-underscore") {
        return (&[Rule], "STO-8.4", "text-unchecked");
    }
    if is("resource-type-lower") || is("resource-type-digit") {
        return (&[Rule], "STO-8.4", "text-unchecked");
    }
    if fault.starts_with("created-") {
        return (&[Bound, Rule], "STO-8.2", "bound-unchecked");
    }
    if fault.starts_with("ext-") {
        return (&[Bound], "STO-8.6", "bound-unchecked");
    }
    if is("metadata-above-limit") {
        return (&[Bound, Rule], "STO-8.3", "bound-unchecked");
    }
    if is("security-four-labels") || is("security-4") {
        return (&[Bound, Variant], "STO-8.5", "bound-unchecked");
    }
    if is("content-empty") {
        return (&[Bound, Rule], "STO-4.4", "bound-unchecked");
    }
    if is("content-above-limit") {
        return (&[Bound], "STO-4.1", "bound-unchecked");
    }
    if is("content-another-size") {
        return (&[Rule], "STO-6.4", "fields-uncompared");
    }
    if is("inline-yet-encrypted") || is("stored-yet-plain") {
        return (&[Rule], "STO-5.3", "fields-uncompared");
    }
    if is("code-empty") || is("code-19") || is("format-97") || is("language-1") {
        return (&[Bound], "STO-8.4", "bound-unchecked");
    }
    if fault.starts_with("code-system") || fault.starts_with("relation-") || is("scheme-2") {
        return (&[Variant, Bound], "STO-8.4", "variant-lenient");
    }
    if fault.starts_with("status-") || fault.starts_with("activity-") {
        return (&[Variant, Bound], "STO-8.4", "variant-lenient");
    }
    if fault.starts_with("offset-") || is("size-0") || fault.starts_with("resource-type-") {
        return (&[Bound, Rule], "STO-8.4", "bound-unchecked");
    }
    if is("set-of-another-length") || is("variant-of-another-length") {
        return (&[Truncated, Trailing], "STO-1.3", "end-unchecked");
    }
    if is("message-without-kind") || is("epoch-as-height") {
        return (&[Truncated], "STO-1.3", "end-unchecked");
    }
    if is("tag-within") {
        return (&[Variant, Trailing], "STO-1.3", "variant-lenient");
    }
    if is("block-as-epoch") {
        return (&[Trailing], "STO-1.4", "trailing-accepted");
    }
    if is("set-9") || is("variant-2") {
        return (&[Variant, Bound], "PRE-1.7", "variant-lenient");
    }
    if fault.starts_with("hop-") {
        return (&[Bound, Rule], "STO-1.3", "bound-unchecked");
    }
    if ends("coefficient-3329") || ends("coefficient-4095") {
        return (&[Rule, Bound], "STO-1.3", "bound-unchecked");
    }
    if ends("-tag-2") || fault.starts_with("kind-") || is("service-of-kind-3") {
        return (&[Variant], "STO-1.3", "variant-lenient");
    }
    let tags = ["finding-", "subject-", "entry-", "purpose-", "fault-", "message-"];
    if tags.iter().any(|tag| fault.starts_with(tag)) || is("evidence-0") || is("evidence-5") {
        return (&[Variant], "STO-1.3", "variant-lenient");
    }
    if is("lost-is-no-vote") {
        return (&[Truncated, Variant], "STO-1.3", "end-unchecked");
    }
    let bounds = [
        "list-empty",
        "list-above-limit",
        "name-65",
        "transaction-above-limit",
        "records-none",
        "producers-none",
        "producers-1025",
        "auditors-none",
        "seats-1025",
        "roots-none",
        "roots-1025",
        "records-65",
        "files-none",
        "files-65",
        "grant-without-files",
        "grant-of-65",
        "encapsulated-1119",
        "encapsulated-1121",
        "sealed-15",
        "signers-empty",
        "signers-129",
        "signers-none",
        "signatures-empty",
        "unsigned",
        "certificate-unsigned",
        "blocks-none",
        "evidence-9",
        "registrations-17",
        "anchored-5",
        "item-path-15",
        "record-path-9",
        "second-path-15",
    ];
    assert!(bounds.contains(&fault), "nobody said what becomes of {fault}");
    (&[Bound, Rule], "STO-1.3", "bound-unchecked")
}
