//! The fuzz targets, their oracles and their seeds, for the fuzzer and for `cargo test` alike.
//! [STO-1] [ANC-2] [DDB-1]
//!
//! `fuzz/` holds one small file a target, which asks [`Target::check`]; the same check replays the
//! committed corpus on a stable compiler, so that a crash once found stays found.

mod mutate;
mod planted;
mod seeds;

use std::fs;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use crate::oracle::{self, Verdict};
use crate::rules::wire::WireKind;

pub use mutate::mutated;
pub use planted::unsorted_is_accepted;
pub use seeds::seeds;

/// A fuzz target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// Two decoders on bytes of one kind.
    Wire(WireKind),
    /// A receipt up to Bitcoin's headers.
    ReceiptExamine,
    /// A sealed file under attack.
    SealedFile,
    /// The same, opened as a stream and in ranges, and files that are sealed in pieces.
    SealedRange,
    /// A headers file.
    Headers,
    /// Merkle trees and paths.
    Merkle,
    /// Cutting and freezing.
    Windows,
    /// Capsules that somebody made up.
    Reencrypt,
    /// Parcels that were changed.
    ParcelOpen,
    /// A decoder with a planted fault, which a fuzzer must find.
    Canary,
}

/// A corpus file that broke a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The file.
    pub file: PathBuf,
    /// What happened.
    pub broken: String,
}

/// What became of one target's corpus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replayed {
    /// The target.
    pub target: Target,
    /// Files run.
    pub files: usize,
    /// Files that broke a claim.
    pub failures: Vec<Failure>,
}

impl Target {
    /// All targets, the canary last.
    pub fn all() -> impl Iterator<Item = Self> {
        let others = [
            Self::ReceiptExamine,
            Self::SealedFile,
            Self::SealedRange,
            Self::Headers,
            Self::Merkle,
            Self::Windows,
            Self::Reencrypt,
            Self::ParcelOpen,
            Self::Canary,
        ];
        WireKind::ALL.iter().map(|kind| Self::Wire(*kind)).chain(others)
    }

    /// The target of a name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::all().find(|target| target.name() == name)
    }

    /// Its name, as in `fuzz/fuzz_targets/NAME.rs`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Wire(WireKind::Genesis) => "genesis",
            Self::Wire(WireKind::Record) => "record",
            Self::Wire(WireKind::Envelope) => "envelope",
            Self::Wire(WireKind::Booking) => "booking",
            Self::Wire(WireKind::Item) => "item",
            Self::Wire(WireKind::ItemBlock) => "item_block",
            Self::Wire(WireKind::Payload) => "payload",
            Self::Wire(WireKind::BlockHeader) => "block_header",
            Self::Wire(WireKind::Block) => "block",
            Self::Wire(WireKind::DataBlock) => "data_block",
            Self::Wire(WireKind::Window) => "window",
            Self::Wire(WireKind::Anchor) => "anchor",
            Self::Wire(WireKind::Receipt) => "receipt",
            Self::Wire(WireKind::PublicKey) => "public_key",
            Self::Wire(WireKind::Capsule) => "capsule",
            Self::Wire(WireKind::Offer) => "offer",
            Self::Wire(WireKind::ReKey) => "rekey",
            Self::Wire(WireKind::Approval) => "approval",
            Self::Wire(WireKind::Delivery) => "delivery",
            Self::Wire(WireKind::SpentOffers) => "spent_offers",
            Self::Wire(WireKind::Parcel) => "parcel",
            Self::Wire(WireKind::ParcelPublicKey) => "parcel_public_key",
            Self::Wire(WireKind::SignedVote) => "signed_vote",
            Self::Wire(WireKind::Certificate) => "certificate",
            Self::Wire(WireKind::Proposal) => "proposal",
            Self::Wire(WireKind::Evidence) => "evidence",
            Self::Wire(WireKind::Events) => "events",
            Self::Wire(WireKind::Summary) => "summary",
            Self::Wire(WireKind::Registration) => "registration",
            Self::Wire(WireKind::Service) => "service",
            Self::Wire(WireKind::Act) => "access_act",
            Self::Wire(WireKind::Decision) => "decision",
            Self::Wire(WireKind::JournalEntry) => "journal_entry",
            Self::Wire(WireKind::Message) => "message",
            Self::Wire(WireKind::KeyRecord) => "key_record",
            Self::Wire(WireKind::Approvals) => "approvals",
            Self::Wire(WireKind::RosterCommitment) => "roster_commitment",
            Self::ReceiptExamine => "receipt_examine",
            Self::SealedFile => "sealed_file",
            Self::SealedRange => "sealed_range",
            Self::Headers => "headers",
            Self::Merkle => "merkle",
            Self::Windows => "windows",
            Self::Reencrypt => "reencrypt",
            Self::ParcelOpen => "parcel_open",
            Self::Canary => "canary",
        }
    }

    /// Asks the oracle of this target.
    pub fn check(self, bytes: &[u8]) -> Verdict {
        match self {
            Self::Wire(kind) => oracle::decode(kind, bytes),
            Self::ReceiptExamine => oracle::receipt(bytes),
            Self::SealedFile => oracle::sealed(bytes),
            Self::SealedRange => oracle::sealed_range(bytes),
            Self::Headers => oracle::headers(bytes),
            Self::Merkle => oracle::merkle(bytes),
            Self::Windows => oracle::windows(bytes),
            Self::Reencrypt => oracle::reencrypt(bytes),
            Self::ParcelOpen => oracle::parcel_open(bytes),
            Self::Canary => {
                let kind = WireKind::Record;
                oracle::decode::judge(kind, bytes, &unsorted_is_accepted(kind, bytes))
            }
        }
    }
}

/// Runs every file of a corpus directory, which holds one folder a target, through its oracle.
///
/// A panic of the code under test is a failure of the file, not of the replay.
///
/// # Errors
/// When a file cannot be read, or a folder belongs to no target and would go unread.
pub fn replay(corpus: &Path) -> io::Result<Vec<Replayed>> {
    for folder in entries(corpus)? {
        let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if Target::of_name(name).is_none() {
            let message = format!("{} belongs to no fuzz target", folder.display());
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
    }
    Target::all().map(|target| replay_target(corpus, target)).collect()
}

fn replay_target(corpus: &Path, target: Target) -> io::Result<Replayed> {
    let folder = corpus.join(target.name());
    let files = if folder.is_dir() { entries(&folder)? } else { Vec::new() };
    let mut failures = Vec::new();
    for file in &files {
        let bytes = fs::read(file)?;
        let verdict = catch_unwind(AssertUnwindSafe(|| target.check(&bytes)))
            .unwrap_or_else(|panic| Err(format!("panicked: {}", words_of(&*panic))));
        if let Err(broken) = verdict {
            failures.push(Failure { file: file.clone(), broken });
        }
    }
    Ok(Replayed { target, files: files.len(), failures })
}

/// Writes the seeds of every target; files that are there for other reasons stay.
///
/// # Errors
/// When a file cannot be written.
pub fn write_seeds(corpus: &Path) -> io::Result<()> {
    for target in Target::all() {
        let folder = corpus.join(target.name());
        fs::create_dir_all(&folder)?;
        for (name, bytes) in seeds(target) {
            fs::write(folder.join(name), bytes)?;
        }
    }
    Ok(())
}

/// Entries of a directory, in the order of their names.
fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths =
        fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

fn words_of(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without words")
}
