//! The acts among the records. [PRE-3]

use super::super::acts::Act;
use super::super::mirror::{Content, Record};
use super::super::wire::{Mirror, WireKind, decode};

/// The act that a record holds.
pub(super) fn act_of(record: &Record) -> Option<Act> {
    let Content::Inline(bytes) = &record.content else { return None };
    if record.metadata.content_type != "application/vnd.mdsm.access" {
        return None;
    }
    let Ok(Mirror::Act(act)) = decode(WireKind::Act, bytes) else { return None };
    let resource_type = match act {
        Act::Request { .. } => "CommunicationRequest",
        Act::Grant { .. } | Act::Revocation { .. } => "Consent",
        Act::Bid { .. } | Act::Choice { .. } => "Task",
        Act::Delivery { .. } => "Communication",
        Act::Dispute { .. } | Act::Confirmation { .. } => "AuditEvent",
    };
    (record.metadata.resource_type == resource_type).then_some(act)
}
