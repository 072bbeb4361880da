//! `mdsm store`: for the operator of an institution whose node is stopped.

use std::io::Write as _;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use mdsm_core::objects::{Checked, ObjectsError};
use mdsm_core::runtime::settings::{NodeFile, ObjectSettings};
use mdsm_core::runtime::{Home, HomeError, inspect, missing_of, objects_of};

use crate::Failure;
use crate::asking::counted;

/// What can be done with what lies on a disk.
#[derive(Subcommand)]
pub(crate) enum StoreCommand {
    /// Read everything and name what is damaged. The node must be stopped: it keeps its log locked. What a
    /// crash has torn is mended as by a node that starts; nothing else is changed.
    Check(Check),
}

/// `mdsm store check`.
#[derive(Args)]
pub(crate) struct Check {
    /// The home of the institution: the directory that `mdsm keys institution` has made, in which its store is.
    home: PathBuf,
    /// Its file of settings, when files do not lie in the home.
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
}

pub(crate) fn run(command: StoreCommand) -> Result<(), Failure> {
    match command {
        StoreCommand::Check(options) => check(&options),
    }
}

fn check(options: &Check) -> Result<(), Failure> {
    let home = Home::at(&options.home);
    let in_use = |error: &dyn std::fmt::Display| {
        Failure::Fault(format!("{error}; a node that runs must be stopped before"))
    };
    let fault = |error: &dyn std::fmt::Display| Failure::Fault(error.to_string());
    let settings = match &options.settings {
        Some(file) => NodeFile::read(file).map_err(|error| fault(&error))?.objects,
        None => ObjectSettings::default(),
    };
    let found = inspect(&home).map_err(|error| match error {
        HomeError::NoHome { .. } => fault(&error),
        _ => in_use(&error),
    })?;
    let missing = missing_of(&settings, &home.objects());
    // Opening makes what is not there, and then nothing would be missing.
    let files = if missing.is_empty() {
        let objects = objects_of(&settings, &home.objects()).map_err(|error| match error {
            ObjectsError::Locked { .. } => in_use(&error),
            _ => fault(&error),
        })?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.map_err(|error| fault(&error))?.block_on(objects.check())
    } else {
        Checked::default()
    };
    let mut text = format!(
        "log      {} entries of consensus\n\
         store    {} commits\n\
         chain    {} blocks, {} Items, {} records\n\
         files    {}, in {} copies of {} bytes\n",
        found.remembered,
        found.commits,
        found.blocks,
        found.items,
        found.records,
        files.files,
        files.copies,
        files.bytes
    );
    let missing = missing.iter().map(|it| format!("{}: missing, no file was read", it.display()));
    let lines = found.damaged.iter().cloned().chain(missing);
    let lines: Vec<String> = lines.chain(files.findings.iter().map(ToString::to_string)).collect();
    lines.iter().for_each(|line| text.push_str(&format!("damaged  {line}\n")));
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).map_err(|error| Failure::Fault(format!("stdout: {error}")))?;
    if lines.is_empty() {
        return Ok(());
    }
    let count = counted(lines.len(), "thing is damaged", "things are damaged");
    Err(Failure::Refused(format!("{}: {count}", options.home.display())))
}
