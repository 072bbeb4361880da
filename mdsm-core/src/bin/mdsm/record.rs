//! `mdsm record`: a person's own records, and those that somebody shares with it.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use mdsm_core::client::{Listed, Standing};
use mdsm_core::ledger::{ContentRef, MediaType, ResourceType};
use mdsm_core::params::{INLINE_CONTENT_BYTES_MAX, ROW_FILE_BYTES_MAX};
use mdsm_core::service::sharing::{self, Exchange as _, Label, SharingError};
use mdsm_core::types::RecordId;
use serde_json::{Value, json};

use crate::Failure;
use crate::asking::{
    Asking, Booking, Party, block_on, complain, counted, fault, not_believed, not_done, say,
};

/// What can be done with records.
#[derive(Subcommand)]
pub(crate) enum RecordCommand {
    /// Seal a file for oneself and hand its record to an institution, which books it.
    Add(Add),
    /// Open a record of one's own, or one that was shared with oneself.
    Open(Open),
    /// List one's records, each checked by its proof.
    List(List),
}

/// `mdsm record add`.
#[derive(Args)]
pub(crate) struct Add {
    /// The content.
    file: PathBuf,
    #[command(flatten)]
    booking: Booking,
    /// Book the content itself, which every institution can read for ever, and seal nothing.
    #[arg(long)]
    inline: bool,
    /// Type of the FHIR resource.
    #[arg(long = "type", value_name = "NAME", default_value = "Observation")]
    kind: String,
    /// Media type of the content.
    #[arg(long, value_name = "TYPE", default_value = "text/plain")]
    media: String,
}

/// `mdsm record open`.
#[derive(Args)]
pub(crate) struct Open {
    /// Id of the record.
    record: RecordId,
    #[command(flatten)]
    booking: Booking,
    /// The file to write, which is not there yet.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Keep the sealed file too, in a file which is not there yet: its digest is what a receipt proves.
    #[arg(long, value_name = "FILE")]
    sealed: Option<PathBuf>,
}

/// `mdsm record list`.
#[derive(Args)]
pub(crate) struct List {
    #[command(flatten)]
    asking: Asking,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(command: &RecordCommand) -> Result<(), Failure> {
    match command {
        RecordCommand::Add(options) => block_on(add(options)),
        RecordCommand::Open(options) => block_on(open(options)),
        RecordCommand::List(options) => block_on(list(options)),
    }
}

//= harness/spec/clients.md#cli-1-full-client
//# CLI-1.3 (paper): A hospital MUST be able to declare a patient's record to the producers with a full
//# client at the end of a visit.
async fn add(options: &Add) -> Result<(), Failure> {
    let (label, content) = (label(options)?, content(options)?);
    let Party { person, remote } = options.booking.party()?;
    let (id, how) = if options.inline {
        let added = person.add_inline(&remote, label, content).await;
        (added.map_err(not_done)?, "no: every institution can read it")
    } else {
        person.declare(&remote).await.map_err(not_done)?;
        let added = person.add(&remote, label, &content).await;
        (added.map_err(not_done)?, "yes: only this key opens it, until you grant it to another")
    };
    complain(&remote.take_objections());
    say(&format!(
        "record     {id}\nsealed     {how}\n\
         accepted   by institution {}, which has it on its disk and has signed for it\n\
         next       mdsm record list {}\n           once it is final, within a few turns\n",
        remote.delegate(),
        options.booking.asking().typed()
    ))
}

fn label(options: &Add) -> Result<Label, Failure> {
    let wrong = |name: &str, error: &dyn std::fmt::Display| fault(format!("{name}: {error}"));
    let kind = ResourceType::new(options.kind.as_str());
    let media = MediaType::new(options.media.as_str());
    Ok(Label {
        resource_type: kind.map_err(|error| wrong("--type", &error))?,
        content_type: media.map_err(|error| wrong("--media", &error))?,
    })
}

fn content(options: &Add) -> Result<Vec<u8>, Failure> {
    let path = options.file.display();
    let unread = |error: std::io::Error| fault(format!("{path}: {error}"));
    let bytes = std::fs::metadata(&options.file).map_err(unread)?.len();
    let (bytes_max, hint) = if options.inline {
        (INLINE_CONTENT_BYTES_MAX, "a record carries so many itself; more goes into a sealed file")
    } else {
        // Header, tags and trailer of the sealed file are far below a hundredth.
        (ROW_FILE_BYTES_MAX / 100 * 99, "so many are sealed in memory")
    };
    let is_fit = (1..=bytes_max).contains(&usize::try_from(bytes).unwrap_or(usize::MAX));
    if !is_fit {
        return Err(fault(format!("{path}: {bytes} bytes where 1 to {bytes_max} fit: {hint}")));
    }
    std::fs::read(&options.file).map_err(unread)
}

async fn open(options: &Open) -> Result<(), Failure> {
    let Party { person, remote } = options.booking.party()?;
    let id = options.record;
    let grant = person.received(&remote, id).await.map_err(not_done)?;
    let (content, by) = if let Some(grant) = grant {
        let opened = person.open(&remote, grant, id).await;
        (opened.map_err(|error| not_opened(error, options, grant))?, format!("under grant {grant}"))
    } else {
        let listed = remote.listed(id).await.map_err(not_done)?;
        match listed.and_then(|listed| listed.content) {
            Some(_) if options.sealed.is_some() => {
                return Err(Failure::Refused(format!(
                    "--sealed: record {id} carries its content itself, which its receipt proves"
                )));
            }
            Some(content) => (content, "as the record carries it".to_owned()),
            None => {
                let opened = person.read(&remote, id).await.map_err(not_done)?;
                (opened, "as its owner".to_owned())
            }
        }
    };
    let mut said =
        format!("file       {}, {} bytes, opened {by}\n", options.out.display(), content.len());
    write(&options.out, &content)?;
    if let Some(path) = &options.sealed {
        let (_, sealed) = sharing::sealed(&remote, id).await.map_err(not_done)?;
        write(path, &sealed)?;
        said += &format!(
            "sealed     {}, {} bytes, for `mdsm receipt verify --content`\n",
            path.display(),
            sealed.len()
        );
    }
    complain(&remote.take_objections());
    said += &format!("next       mdsm record list {}\n", options.booking.asking().typed());
    say(&said)
}

/// Why what was delivered does not open, and what to do about a proxy that is at fault.
fn not_opened(error: SharingError, options: &Open, grant: RecordId) -> Failure {
    match error {
        SharingError::Delivery { .. } => Failure::Refused(format!(
            "{error}\nnext       mdsm dispute {grant} {} {}",
            options.record,
            options.booking.typed()
        )),
        other => not_done(other),
    }
}

/// Writes a file that only its owner can read, where there is none.
fn write(path: &Path, content: &[u8]) -> Result<(), Failure> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(path).and_then(|mut file| file.write_all(content));
    written.map_err(|error| fault(format!("{}: {error}", path.display())))
}

async fn list(options: &List) -> Result<(), Failure> {
    let mut person = options.asking.person()?;
    let at = person.client.follow().await.map_err(not_believed)?;
    let (records, objections) =
        person.client.records(&person.key, at).await.map_err(not_believed)?;
    complain(&objections);
    let time = person.client.light().tip().map_or(0, |(_, time)| time.get());
    if options.json {
        let value = json!({
            "owner": records.owner,
            "height": at,
            "time_ms": time,
            "records": records.records.iter().map(entry).collect::<Vec<_>>(),
            "objections": objections.iter().map(ToString::to_string).collect::<Vec<_>>(),
        });
        return say(&format!("{value:#}\n"));
    }
    let mut text = String::new();
    for one in &records.records {
        let metadata = &one.booking.metadata;
        let (place, kind) = (one.place.to_string(), metadata.resource_type.as_str());
        text += &format!("{}  {place:>10}  {kind:<20} {}\n", one.id, standing(one.standing));
    }
    text += &format!(
        "{} of {} up to block {at}, in which {} auditors agree\n\
         listed     what is final; what was accepted a moment ago follows within a few turns\n",
        counted(records.records.len(), "record", "records"),
        records.owner,
        person.client.light().auditors_needed()
    );
    let typed = options.asking.typed();
    text += &match records.records.last() {
        Some(Listed { id, .. }) => format!(
            "next       mdsm record open {id} --out FILE {typed}\n           mdsm receipt fetch {id} --out receipts {typed}\n"
        ),
        None => format!(
            "next       mdsm record list {typed}\n           once more, where a record was accepted a moment ago\n"
        ),
    };
    say(&text)
}

fn standing(standing: Standing) -> String {
    match standing {
        Standing::Final(epoch) => format!("final, epoch {epoch}"),
        Standing::Anchored(epoch) => format!("certified, epoch {epoch}"),
    }
}

fn entry(one: &Listed) -> Value {
    let booking = &one.booking;
    let (place, metadata) = (one.place, &booking.metadata);
    json!({
        "record": one.id,
        "place": place,
        "type": metadata.resource_type.as_str(),
        "media": metadata.content_type.as_str(),
        "created_ms": metadata.created,
        "bytes": metadata.size,
        "content": {
            "sha256": booking.content.digest(),
            "sealed": matches!(booking.content, ContentRef::Stored(_)),
        },
        "booked_by": booking.booked_by,
        "epoch": one.standing.epoch(),
        "certified": matches!(one.standing, Standing::Anchored(_)),
    })
}
