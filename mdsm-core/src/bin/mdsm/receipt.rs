//! `mdsm receipt`: for the stranger who holds a receipt, and perhaps the file, and trusts Bitcoin.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use mdsm_core::anchoring::{ChainParameters, Existed, HeaderChain, examine_digest, opentimestamps};
use mdsm_core::codec::Wire as _;
use mdsm_core::crypto::Hasher;
use mdsm_core::ledger::{ContentRef, Receipt, document_reference, provenance};
use mdsm_core::params::ANCHOR_CONFIRMATIONS;
use mdsm_core::types::Digest;
use serde_json::json;

use crate::Failure;
use crate::fetch::{self, Fetch};

/// What can be done with a receipt.
#[derive(Subcommand)]
pub(crate) enum ReceiptCommand {
    /// Check a receipt with nothing but Bitcoin's block headers.
    Verify(Verify),
    /// Write a receipt in another form.
    Export(Export),
    /// Fetch the receipt of an own record, and Bitcoin's headers to check it with.
    Fetch(Fetch),
}

/// `mdsm receipt verify`.
#[derive(Args)]
pub(crate) struct Verify {
    /// The receipt.
    receipt: PathBuf,
    /// Bitcoin's block headers: 80 bytes each, from the genesis block on.
    #[arg(long)]
    headers: PathBuf,
    /// The record's file: plain if it was booked inline, otherwise as `mdsm record open --sealed` keeps it.
    #[arg(long)]
    content: Option<PathBuf>,
    /// Confirmations asked for, the block itself included.
    //= harness/spec/anchoring.md#anc-2-receipt
    //# ANC-2.12 (ours): A verifier MUST refuse a receipt whose block has fewer confirmations in the
    //# headers than asked for, where 6 are asked for by default and the block itself counts as the
    //# first.
    #[arg(long, default_value_t = ANCHOR_CONFIRMATIONS, value_parser = clap::value_parser!(u32).range(1..))]
    depth: u32,
    /// Least total work of the headers, in hex; by default that of mainnet's block 824,000, and
    /// nothing on regtest. Less can be forged by whoever hands out both headers and receipt.
    #[arg(long, value_name = "HEX", value_parser = bitcoin::Work::from_unprefixed_hex)]
    min_work: Option<bitcoin::Work>,
    /// The Bitcoin network; the chains that the harness makes are regtest.
    #[arg(long, value_enum, default_value_t = Network::Mainnet)]
    network: Network,
    /// How to print the result.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// `mdsm receipt export`.
#[derive(Args)]
pub(crate) struct Export {
    /// The receipt.
    receipt: PathBuf,
    /// Write a standard OpenTimestamps file here; it stamps the record's file, plain or sealed.
    #[arg(long, value_name = "FILE", required_unless_present = "fhir")]
    ots: Option<PathBuf>,
    /// Write FHIR R4 here: a DocumentReference and a Provenance in a collection Bundle.
    #[arg(long, value_name = "FILE")]
    fhir: Option<PathBuf>,
    /// Write over files that are there.
    #[arg(long)]
    force: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Network {
    Mainnet,
    Regtest,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// Bytes of a receipt, at most: its fields at their bounds are far below.
const RECEIPT_BYTES_MAX: u64 = 64 * 1_024;
/// Bytes of a headers file, at most: 12 million headers.
const HEADERS_BYTES_MAX: u64 = 960_000_000;

pub(crate) fn run(command: ReceiptCommand) -> Result<(), Failure> {
    match command {
        ReceiptCommand::Verify(options) => verify(&options),
        ReceiptCommand::Export(options) => export(&options),
        ReceiptCommand::Fetch(options) => fetch::run(&options),
    }
}

fn verify(options: &Verify) -> Result<(), Failure> {
    let receipt = read_receipt(&options.receipt)?;
    let content = options.content.as_deref().map(digest).transpose()?;
    let claim =
        examine_digest(&receipt, content).map_err(|error| refused(&options.receipt, error))?;
    let network = match options.network {
        Network::Mainnet => ChainParameters::Mainnet,
        Network::Regtest => ChainParameters::Regtest,
    };
    //= harness/spec/anchoring.md#anc-2-receipt
    //# ANC-2.2 (ours): A verifier MUST make the checks of the table Order of checks in the order of
    //# that table and report the first one that fails.
    let headers = HeaderChain::from_bytes(&read(&options.headers, HEADERS_BYTES_MAX)?, network)
        .map_err(|error| refused(&options.headers, error))?;
    headers
        .require_work(options.min_work.unwrap_or(network.work_min()))
        .map_err(|error| refused(&options.headers, error))?;
    let existed =
        claim.confirm(&headers, options.depth).map_err(|error| refused(&options.receipt, error))?;
    print(&receipt, &existed, content.is_some(), options.format)
}

fn export(options: &Export) -> Result<(), Failure> {
    let receipt = read_receipt(&options.receipt)?;
    spare([&options.ots, &options.fhir].into_iter().flatten(), options.force)?;
    if let Some(path) = &options.ots {
        let file = opentimestamps(&receipt).map_err(|error| refused(&options.receipt, error))?;
        write(path, &file)?;
    }
    if let Some(path) = &options.fhir {
        let bundle = json!({
            "resourceType": "Bundle",
            "type": "collection",
            "entry": [
                { "resource": document_reference(&receipt.booking) },
                { "resource": provenance(&receipt.booking) },
            ],
        });
        write(path, format!("{bundle:#}\n").as_bytes())?;
    }
    Ok(())
}

fn print(
    receipt: &Receipt,
    existed: &Existed,
    with_content: bool,
    format: Format,
) -> Result<(), Failure> {
    let Existed { record_id, height, block_hash, time_s, confirmations } = existed;
    let booking = &receipt.booking;
    let stored = matches!(booking.content, ContentRef::Stored(_));
    let text = match format {
        Format::Json => {
            let value = json!({
                //= harness/spec/anchoring.md#anc-2-receipt
                //# ANC-2.13 (ours): A verifier MUST report a verified receipt as existing before
                //# the stated Bitcoin block and not as booked by this network, unless it has also
                //# verified an anchor certificate and the roster that leads to its signers.
                "shown": "existed-before",
                "record": record_id,
                "owner": booking.owner,
                "booked_by": booking.booked_by,
                "chain": receipt.chain_id,
                "epoch": receipt.epoch,
                "content": {
                    "sha256": booking.content.digest(),
                    "sealed": stored,
                    "checked": with_content,
                },
                "bitcoin": {
                    "height": height,
                    "block": block_hash.to_string(),
                    "time_s": time_s,
                    "confirmations": confirmations,
                },
            });
            format!("{value:#}\n")
        }
        Format::Text => {
            let content = match (with_content, stored) {
                (true, false) => "is the file given",
                (true, true) => "is the sealed file given",
                (false, false) => "not looked at (--content FILE)",
                (false, true) => "not looked at (--content SEALED-FILE)",
            };
            format!(
                "existed before Bitcoin block {height} ({confirmations} confirmations)\n\
                 record     {record_id}\n\
                 owner      {}, whose signature holds\n\
                 content    SHA-256 {}, {content}\n\
                 block      {block_hash}, its miner's time {time_s} s since 1970\n\
                 network    chain {}, epoch {}, booked by institution {}: claimed, not shown;\n\
                 \x20          that takes the anchor certificate and the roster\n",
                booking.owner,
                booking.content.digest(),
                receipt.chain_id,
                receipt.epoch,
                booking.booked_by,
            )
        }
    };
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).map_err(|error| Failure::Fault(format!("stdout: {error}")))
}

fn read_receipt(path: &Path) -> Result<Receipt, Failure> {
    Receipt::from_bytes(&read(path, RECEIPT_BYTES_MAX)?).map_err(|error| refused(path, error))
}

/// The digest of a file of any size.
fn digest(path: &Path) -> Result<Digest, Failure> {
    let mut file = open(path)?;
    let mut hasher = Hasher::new();
    let mut buffer = vec![0; 64 * 1_024];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(hasher.finish()),
            Ok(bytes) => hasher.update(&buffer[..bytes]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(unreadable(path, &error)),
        }
    }
}

/// Reads a file that must not be larger than `bytes_max`.
fn read(path: &Path, bytes_max: u64) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    open(path)?
        .take(bytes_max + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(path, &error))?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > bytes_max {
        return Err(Failure::Fault(format!("{}: more than {bytes_max} bytes", path.display())));
    }
    Ok(bytes)
}

fn open(path: &Path) -> Result<File, Failure> {
    // A pipe without a writer would be waited for, for ever.
    if !std::fs::metadata(path).map_err(|error| unreadable(path, &error))?.is_file() {
        return Err(Failure::Fault(format!("{}: not a file", path.display())));
    }
    File::open(path).map_err(|error| unreadable(path, &error))
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::Fault(format!("{}: {error}", path.display()))
}

/// Before anything is written: refuses to write over files that are there, unless it is told to.
pub(crate) fn spare<'a>(
    paths: impl IntoIterator<Item = &'a PathBuf>,
    force: bool,
) -> Result<(), Failure> {
    // A link that leads nowhere is there too.
    match paths.into_iter().find(|path| !force && path.symlink_metadata().is_ok()) {
        Some(path) => {
            let why = "is there already; --force writes over it";
            Err(Failure::Fault(format!("{}: {why}", path.display())))
        }
        None => Ok(()),
    }
}

pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    std::fs::write(path, bytes)
        .map_err(|error| Failure::Fault(format!("{}: {error}", path.display())))
}

fn refused(path: &Path, error: impl std::fmt::Display) -> Failure {
    Failure::Refused(format!("{}: {error}", path.display()))
}
