//! `mdsm open`: a reader opens what was delivered to it, or an owner its own file.

use std::path::PathBuf;

use clap::Args;
use mdsm_core::service::sharing::Exchange;
use mdsm_core::types::RecordId;

use crate::Failure;
use crate::grant::{PersonOptions, fault, refused};

/// `mdsm open`.
#[derive(Args)]
pub(crate) struct OpenOptions {
    #[command(flatten)]
    person: PersonOptions,
    /// The record of the file.
    record: RecordId,
    /// The grant under which it was delivered; without it the file is one's own.
    #[arg(long, value_name = "GRANT")]
    grant: Option<RecordId>,
    /// Where to write it; there must be nothing yet.
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
}

/// Opens a file and writes it.
pub(crate) async fn run(options: &OpenOptions, exchange: &impl Exchange) -> Result<(), Failure> {
    let person = options.person.person()?;
    let opened = match options.grant {
        Some(grant) => person.open(exchange, grant, options.record).await,
        None => person.read(exchange, options.record).await,
    };
    let bytes = opened.map_err(refused)?;
    let mut output = std::fs::File::create_new(&options.output).map_err(fault)?;
    std::io::Write::write_all(&mut output, &bytes).map_err(fault)?;
    println!("{} bytes", bytes.len());
    Ok(())
}
