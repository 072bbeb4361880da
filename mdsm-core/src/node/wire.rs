//! The bytes of a message between nodes. Spec: consensus, "Messages".

use std::sync::Arc;

use super::limits::{FORWARD_RECORDS_MAX, WANT_ITEMS_MAX};
use super::message::{Event, Message};
use crate::codec::{Decode, DecodeError, DecodeErrorKind, Encode, Reader, Wire};
use crate::ledger::Envelope;
use crate::types::{Digest, List};

impl Encode for Message {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.kind());
        match self {
            Self::Proposal(proposal) => proposal.encode(out),
            Self::Item(item) => item.encode(out),
            Self::Vote(vote) => vote.encode(out),
            Self::Certificate(certificate) => certificate.encode(out),
            Self::Ask { epoch, view } => (*epoch, *view).encode(out),
            Self::WantItems(roots) => encode_all(roots.iter(), out),
            Self::WantBlock(hash) => hash.encode(out),
            Self::WantAnchor(epoch) => epoch.encode(out),
            Self::WantDecision { after } => after.encode(out),
            Self::Decision(decision) => decision.encode(out),
            Self::Acceptance { owner } => owner.encode(out),
            Self::Records(records) => encode_all(records.iter().map(Arc::as_ref), out),
            Self::Event(Event::Evidence(evidence)) => evidence.encode(out),
            Self::Event(Event::Registration(registration)) => registration.encode(out),
            Self::Event(Event::Service(service)) => service.encode(out),
        }
    }
}

impl Message {
    /// The byte that tells what follows.
    const fn kind(&self) -> u8 {
        match self {
            Self::Proposal(_) => 1,
            Self::Item(_) => 2,
            Self::Vote(_) => 3,
            Self::Certificate(_) => 4,
            Self::Ask { .. } => 5,
            Self::WantItems(_) => 6,
            Self::WantBlock(_) => 7,
            Self::WantAnchor(_) => 8,
            Self::WantDecision { .. } => 9,
            Self::Decision(_) => 10,
            Self::Acceptance { .. } => 11,
            Self::Records(_) => 12,
            Self::Event(Event::Evidence(_)) => 13,
            Self::Event(Event::Registration(_)) => 14,
            Self::Event(Event::Service(_)) => 15,
        }
    }
}

/// A list. Nodes send fewer elements than the bound of a list, which is far below `u32::MAX`.
fn encode_all<'a, T: Encode + 'a>(
    elements: impl ExactSizeIterator<Item = &'a T>,
    out: &mut Vec<u8>,
) {
    u32::try_from(elements.len()).unwrap_or(u32::MAX).encode(out);
    elements.for_each(|element| element.encode(out));
}

impl Decode for Message {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let offset = reader.offset();
        Ok(match reader.array()? {
            [1] => Self::Proposal(Arc::new(reader.field("proposal")?)),
            [2] => Self::Item(Arc::new(reader.field("item")?)),
            [3] => Self::Vote(reader.field("vote")?),
            [4] => Self::Certificate(Arc::new(reader.field("certificate")?)),
            [5] => Self::Ask { epoch: reader.field("epoch")?, view: reader.field("view")? },
            [6] => {
                let roots: List<Digest, 1, WANT_ITEMS_MAX> = reader.field("roots")?;
                Self::WantItems(roots.into_vec())
            }
            [7] => Self::WantBlock(reader.field("hash")?),
            [8] => Self::WantAnchor(reader.field("epoch")?),
            [9] => Self::WantDecision { after: reader.field("after")? },
            [10] => Self::Decision(Arc::new(reader.field("decision")?)),
            [11] => Self::Acceptance { owner: reader.field("owner")? },
            [12] => {
                let records: List<Envelope, 1, FORWARD_RECORDS_MAX> = reader.field("records")?;
                Self::Records(records.into_vec().into_iter().map(Arc::new).collect())
            }
            [13] => Self::Event(Event::Evidence(Arc::new(reader.field("evidence")?))),
            [14] => Self::Event(Event::Registration(reader.field("registration")?)),
            [15] => Self::Event(Event::Service(reader.field("service")?)),
            //= harness/spec/storage.md#sto-1-hierarchy-and-encoding
            //# STO-1.3 (ours): A decoder MUST refuse every byte string that is not the encoding of
            //# the value which it would yield.
            [found] => return Err(DecodeError::new(offset, DecodeErrorKind::Variant { found })),
        })
    }
}

impl Wire for Message {
    const TAG: [u8; 4] = *b"MMSG";
    const NAME: &'static str = "Message";
}
