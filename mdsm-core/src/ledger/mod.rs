//! What the chain holds, from a record up to the receipt that proves it. [STO-1]
//!
//! ```text
//! Record -> Envelope -> Item -> ItemBlock -> DataBlock -> Window -> Anchor -> Bitcoin
//!   10 per Item ^   16,384 per turn ^  10 ^       ten minutes ^
//! ```
//! An [`Item`] holds records; every level above holds the roots of the level below and nothing
//! else. Each root is `H(0x02 | level | count | RFC 6962 tree root)`, so a root of one level is
//! never taken for one of another, and a tree of one size never for one of another.
//! Invariant: a value of this module that was decoded, encodes to the bytes it came from.

mod agreement;
mod anchor;
mod block;
mod data_block;
mod envelope;
mod events;
mod fhir;
mod genesis;
mod issue;
mod item;
mod item_block;
mod level;
mod metadata;
mod open;
mod place;
mod receipt;
mod record;

pub use agreement::{
    Certificate, CertificateError, Evidence, EvidenceError, Fault, FaultError, ItemPlace, Offence,
    OffenceKind, PlacedBooking, Proposal, ProposalError, RecordPlace, Registry, SealedHeader,
    SignedHeader, SignedVote, Signers, Subject, Vote, double_votes, faulty_max, quorum,
};
pub use anchor::{
    ANCHOR_OUTPUT_BYTES, Anchor, AnchorOutput, AnchorOutputError, anchor_root, context,
};
pub use block::{Block, BlockHeader, Payload, Summary};
pub use data_block::{DataBlock, Window};
pub use envelope::{Booking, Envelope, EnvelopeError, Verified};
pub use events::{AnchorReport, Events, Registration, RegistrationError, Service, ServiceKind};
pub use fhir::{document_reference, provenance};
pub use genesis::{Genesis, GenesisError};
pub use issue::{IssueError, Issuer};
pub use item::Item;
pub use item_block::{ItemBlock, ItemBlockHeader};
pub use level::{Level, level_root, root_of};
pub use metadata::{
    Activity, Code, CodeSystem, Confidentiality, Encryption, LanguageTag, MediaType, Metadata,
    RecordStatus, Relation, ResourceType, SealScheme,
};
pub use open::ContentError;
pub use place::{Placed, Placement, place};
pub use receipt::{BitcoinProof, LevelPath, Position, Receipt, ReceiptError};
pub use record::{Content, ContentRef, Record, RecordError, record_id};
