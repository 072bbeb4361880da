//! What institutions sign to agree, and what blocks carry beside records: the drawings as plain
//! structs, their bounds, and the messages that are signed. [CON-2] [CON-7] [COM-3] [COM-6]
//!
//! Spec: consensus, sections Agreement and Events.

use borsh::{BorshDeserialize, BorshSerialize};

use super::bounds::{Bounds, hold};
use super::merkle::sha256;
use super::mirror::{BlockHeader, Booking, Bytes32, ItemBlockHeader, Payload};
use super::wire::Mirror;

macro_rules! mirror {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $type:ty),* $(,)? })*) => { $(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
        #[expect(missing_docs, reason = "the fields are those of the spec, name by name")]
        pub struct $name { $(pub $field: $type),* }
    )* };
}

mirror! {
    /// What is voted for, where.
    Vote { epoch: u32, view: u64, subject: Subject }
    /// A vote as it travels.
    SignedVote { vote: Vote, signer: u32, signature: [u8; 64] }
    /// A vote and who cast it.
    Certificate { vote: Vote, signers: Vec<u8>, signatures: Vec<[u8; 64]> }
    /// A header with its producer's signature.
    SignedHeader { header: BlockHeader, signature: [u8; 64] }
    /// What a producer sends in its turn.
    Proposal { signed: SignedHeader, payload: Payload }
    /// Blocks that became final together, and what proves it.
    Decision { blocks: Vec<Proposal>, closing: Vec<SignedHeader>, certificate: Certificate }
    /// What a block header commits to.
    Summary {
        item_block: Option<ItemBlockHeader>,
        parent_certificate: Option<Bytes32>,
        events: Bytes32,
    }
    /// Where an Item stands in an Item block.
    ItemPlace { index: u16, size: u16, path: Vec<Bytes32> }
    /// Where a record stands in an Item.
    RecordPlace { index: u8, size: u8, path: Vec<Bytes32> }
    /// A booking and its way up to the Item block.
    PlacedBooking { booking: Booking, record: RecordPlace, item: ItemPlace }
    /// An institution joins.
    Registration {
        institution: u32,
        key: Bytes32,
        rating: u8,
        centre: u32,
        signature: [u8; 64],
        approval: [u8; 64],
    }
    /// A client says that an institution served it.
    Service {
        grant: Bytes32,
        epoch: u32,
        institution: u32,
        kind: u8,
        client: Bytes32,
        signature: [u8; 64],
    }
    /// An anchor that was seen in Bitcoin.
    AnchorReport { epoch: u32, txid: Bytes32, height: u32 }
    /// What a block carries beside records.
    Events {
        evidence: Vec<Evidence>,
        registrations: Vec<Registration>,
        services: Vec<Service>,
        anchored: Vec<AnchorReport>,
    }
}

/// What a vote is for: tag 1 to 4.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Subject {
    /// A block may become part of the chain.
    Notarize(Bytes32) = 1,
    /// The view is over without a block.
    Nullify = 2,
    /// A block is final.
    Finalize(Bytes32) = 3,
    /// The epoch was frozen with this root.
    Anchor(Bytes32) = 4,
}

/// What a node stores of its own part: tag 1 to 5.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
#[expect(missing_docs, reason = "the fields are those of the spec, name by name")]
pub enum JournalEntry {
    /// It entered an epoch.
    Epoch { epoch: u32, genesis: Bytes32 } = 1,
    /// It proposes a block.
    Proposed(BlockHeader) = 2,
    /// It casts a vote.
    Voted(Vote) = 3,
    /// It holds a certificate.
    Certified(Certificate) = 4,
    /// Its log before this one is gone.
    Lost(i64) = 5,
}

/// Proof of an offence: tag 1 to 4.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
#[expect(missing_docs, reason = "the fields are those of the spec, name by name")]
pub enum Evidence {
    /// Two proposals for one view.
    Proposals { first: SignedHeader, second: SignedHeader } = 1,
    /// Two votes that exclude each other.
    Votes { first: SignedVote, second: SignedVote } = 2,
    /// A signed block that breaks a rule.
    Block { header: SignedHeader, fault: Box<Fault> } = 3,
    /// A vote for such a block.
    Audit { header: SignedHeader, fault: Box<Fault>, vote: SignedVote } = 4,
}

/// A broken rule: tag 1 to 7.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
#[expect(missing_docs, reason = "the fields are those of the spec, name by name")]
#[expect(clippy::large_enum_variant, reason = "evidence holds it in a box")]
pub enum Fault {
    /// The header contradicts itself.
    Header = 1,
    /// The header contradicts its parent's.
    Parent(BlockHeader) = 2,
    /// The certificate does not certify the parent.
    Certificate { summary: Summary, certificate: Certificate } = 3,
    /// The header of the Item block contradicts the block's.
    ItemBlock(Summary) = 4,
    /// An Item holds no record, or more than ten.
    Item { summary: Summary, place: ItemPlace, records: u32, tree: Bytes32 } = 5,
    /// A record must not be booked.
    Booking { summary: Summary, booking: PlacedBooking } = 6,
    /// One record stands at two places.
    Repeated { summary: Summary, first: PlacedBooking, second: PlacedBooking } = 7,
}

/// What most blocks carry beside records.
#[must_use]
pub const fn no_events() -> Events {
    Events { evidence: vec![], registrations: vec![], services: vec![], anchored: vec![] }
}

/// What a header commits to in the place of a payload.
#[must_use]
pub fn summary(payload: &Payload) -> Summary {
    let id = |value: Mirror| sha256(&[&value.encode()]);
    Summary {
        item_block: payload.item_block.as_ref().map(|item_block| item_block.header.clone()),
        parent_certificate: payload.parent_certificate.clone().map(|found| id(found.into())),
        events: id(payload.events.clone().into()),
    }
}

/// The digest of a payload that stands in the header.
#[must_use]
pub fn commitment(payload: &Payload) -> Bytes32 {
    sha256(&[&Mirror::from(summary(payload)).encode()])
}

/// The 82 bytes that a voter signs.
#[must_use]
pub fn vote_message(chain_id: &Bytes32, vote: &Vote) -> Vec<u8> {
    let (tag, digest) = match vote.subject {
        Subject::Notarize(block) => (1, block),
        Subject::Nullify => (2, [0; 32]),
        Subject::Finalize(block) => (3, block),
        Subject::Anchor(root) => (4, root),
    };
    let (epoch, view) = (vote.epoch.to_le_bytes(), vote.view.to_le_bytes());
    [b"MVOT\x01", &chain_id[..], &epoch, &view, &[tag], &digest].concat()
}

/// The 37 bytes that a producer signs.
#[must_use]
pub fn proposal_message(header: &BlockHeader) -> Vec<u8> {
    let hash = sha256(&[&Mirror::from(header.clone()).encode()]);
    [b"MPRO\x01", &hash[..]].concat()
}

/// The 78 bytes that an institution and the registrar sign.
#[must_use]
pub fn registration_message(chain_id: &Bytes32, registration: &Registration) -> Vec<u8> {
    let Registration { institution, key, rating, centre, .. } = registration;
    let (institution, centre) = (institution.to_le_bytes(), centre.to_le_bytes());
    [b"MREG\x01", &chain_id[..], &institution, key, &[*rating], &centre].concat()
}

/// The 78 bytes that a client signs.
#[must_use]
pub fn service_message(chain_id: &Bytes32, service: &Service) -> Vec<u8> {
    let Service { grant, epoch, institution, kind, .. } = service;
    let (epoch, institution) = (epoch.to_le_bytes(), institution.to_le_bytes());
    [b"MSRV\x01", &chain_id[..], grant, &epoch, &institution, &[*kind]].concat()
}

impl Bounds for SignedVote {
    fn check(&self) -> Result<(), String> {
        Ok(())
    }
}

impl Bounds for Certificate {
    fn check(&self) -> Result<(), String> {
        hold((1..=128).contains(&self.signers.len()), "signers: not 1 to 128 bytes")?;
        hold((1..=1_024).contains(&self.signatures.len()), "signatures: not 1 to 1,024")
    }
}

impl Bounds for Proposal {
    fn check(&self) -> Result<(), String> {
        self.payload.check()
    }
}

impl Bounds for Decision {
    fn check(&self) -> Result<(), String> {
        hold((1..=65_536).contains(&self.blocks.len()), "blocks: not 1 to 65,536")?;
        hold(self.closing.len() <= 65_536, "closing: more than 65,536")?;
        self.blocks.iter().try_for_each(Bounds::check)?;
        self.certificate.check()
    }
}

impl Bounds for JournalEntry {
    fn check(&self) -> Result<(), String> {
        if let Self::Certified(certificate) = self { certificate.check() } else { Ok(()) }
    }
}

impl Bounds for Summary {
    fn check(&self) -> Result<(), String> {
        Ok(())
    }
}

impl Bounds for ItemPlace {
    fn check(&self) -> Result<(), String> {
        hold(self.path.len() <= 14, "path: more than 14 hashes")
    }
}

impl Bounds for PlacedBooking {
    fn check(&self) -> Result<(), String> {
        self.booking.check()?;
        hold(self.record.path.len() <= 8, "path: more than 8 hashes")?;
        self.item.check()
    }
}

impl Bounds for Fault {
    fn check(&self) -> Result<(), String> {
        match self {
            Self::Header | Self::Parent(_) | Self::ItemBlock(_) => Ok(()),
            Self::Certificate { certificate, .. } => certificate.check(),
            Self::Item { place, .. } => place.check(),
            Self::Booking { booking, .. } => booking.check(),
            Self::Repeated { first, second, .. } => first.check().and_then(|()| second.check()),
        }
    }
}

impl Bounds for Evidence {
    fn check(&self) -> Result<(), String> {
        match self {
            Self::Proposals { .. } | Self::Votes { .. } => Ok(()),
            Self::Block { fault, .. } | Self::Audit { fault, .. } => fault.check(),
        }
    }
}

impl Bounds for Registration {
    fn check(&self) -> Result<(), String> {
        Ok(())
    }
}

impl Bounds for Service {
    fn check(&self) -> Result<(), String> {
        hold((1..=2).contains(&self.kind), "kind: unknown")
    }
}

impl Bounds for Events {
    fn check(&self) -> Result<(), String> {
        hold(self.evidence.len() <= 8, "evidence: more than 8")?;
        hold(self.registrations.len() <= 16, "registrations: more than 16")?;
        hold(self.services.len() <= 256, "services: more than 256")?;
        hold(self.anchored.len() <= 4, "anchored: more than 4")?;
        self.evidence.iter().try_for_each(Bounds::check)?;
        self.services.iter().try_for_each(Bounds::check)
    }
}
