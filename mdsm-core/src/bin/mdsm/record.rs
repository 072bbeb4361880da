//! `mdsm record` and `mdsm receipt fetch`: a person's own records, over the interfaces of full clients.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use mdsm_core::anchoring::{ChainParameters, HeaderChain, examine};
use mdsm_core::client::{Known, Listed, Question, Receipted, Standing};
use mdsm_core::codec::Wire as _;
use mdsm_core::crypto::sign::SigningKey;
use mdsm_core::environment::Clock;
use mdsm_core::ledger::{
    Content, ContentRef, Envelope, MediaType, Metadata, Receipt, Record, ResourceType,
};
use mdsm_core::params::{ANCHOR_CONFIRMATIONS, INLINE_CONTENT_BYTES_MAX};
use mdsm_core::runtime::settings::{Member, NetworkFile};
use mdsm_core::service::{LightClient, Objection, Told};
use mdsm_core::types::{InstitutionId, RecordId};
use serde_json::{Value, json};

use crate::{Failure, keys};

/// What can be done with records.
#[derive(Subcommand)]
pub(crate) enum RecordCommand {
    /// Hand a record to an institution, which books it.
    Add(Add),
    /// List one's records, each checked by its proof.
    List(List),
}

/// Who asks, and in which network.
#[derive(Args)]
pub(crate) struct Asking {
    /// The secret of the owner, as `mdsm keys person` made it.
    #[arg(long, value_name = "SECRET")]
    key: PathBuf,
    /// The file of the network.
    #[arg(long, value_name = "FILE")]
    network: PathBuf,
    /// Where headers and rosters are kept between two runs; by default beside the file of the network.
    #[arg(long, value_name = "FILE")]
    memory: Option<PathBuf>,
}

/// `mdsm record add`.
#[derive(Args)]
pub(crate) struct Add {
    /// The content.
    file: PathBuf,
    #[command(flatten)]
    asking: Asking,
    /// Book the content itself, which every institution can read. Sealed files need a vault.
    #[arg(long)]
    inline: bool,
    /// The institution that books; by default the first that offers an interface.
    #[arg(long, value_name = "ID")]
    at: Option<u32>,
    /// Type of the FHIR resource.
    #[arg(long = "type", value_name = "NAME", default_value = "Observation")]
    kind: String,
    /// Media type of the content.
    #[arg(long, value_name = "TYPE", default_value = "text/plain")]
    media: String,
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

/// `mdsm receipt fetch`.
#[derive(Args)]
pub(crate) struct Fetch {
    /// Id of the record.
    record: RecordId,
    #[command(flatten)]
    asking: Asking,
    /// Where receipt and Bitcoin's headers are written.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// One who asks.
struct Person {
    key: SigningKey,
    network: NetworkFile,
    client: LightClient,
}

pub(crate) fn run(command: &RecordCommand) -> Result<(), Failure> {
    match command {
        RecordCommand::Add(options) => block_on(add(options)),
        RecordCommand::List(options) => block_on(list(options)),
    }
}

pub(crate) fn fetch_receipt(options: &Fetch) -> Result<(), Failure> {
    block_on(fetch(options))
}

fn block_on(work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(fault)?.block_on(work)
}

impl Asking {
    fn person(&self) -> Result<Person, Failure> {
        let key = keys::read(&self.key)?.signing();
        let network = NetworkFile::read(&self.network).map_err(fault)?;
        let beside = || self.network.with_extension("light");
        let memory = self.memory.clone().unwrap_or_else(beside);
        let client = LightClient::open(&network, Some(memory)).map_err(fault)?;
        Ok(Person { key, network, client })
    }

    /// The options as they are typed again.
    fn typed(&self) -> String {
        format!("--key {} --network {}", self.key.display(), self.network.display())
    }
}

impl Person {
    /// The institution that is to book, and its interface.
    fn delegate(&self, at: Option<u32>) -> Result<(&Member, &str), Failure> {
        let offering = |member: &&Member| member.web.is_some();
        let found = match at {
            Some(id) => self.network.member(InstitutionId::new(id)),
            None => self.network.members.iter().find(offering),
        };
        let member = found.ok_or_else(|| {
            Failure::Fault("--at: no such institution in the file of the network".into())
        })?;
        let web = member.web.as_deref().ok_or_else(|| {
            let id = member.founder.institution;
            Failure::Fault(format!(
                "institution {id}: the file of the network has no `web` for it; name another by --at"
            ))
        })?;
        Ok((member, web))
    }
}

/// That the institution asked has signed this answer, and no other.
fn check_speaker(person: &Person, member: &Member, line: &str, told: &Told) -> Result<(), Failure> {
    let chain = person.network.genesis.chain_id();
    let key = &member.founder.key;
    told.by.check(&chain, line, &told.body, key).map_err(|error| refused(&error))
}

//= harness/spec/clients.md#cli-1-full-client
//# CLI-1.3 (paper): A hospital MUST be able to declare a patient's record to the producers with a full
//# client at the end of a visit.
async fn add(options: &Add) -> Result<(), Failure> {
    let person = options.asking.person()?;
    let (member, web) = person.delegate(options.at)?;
    if !options.inline {
        let why = "sealed files need a vault, which no institution here offers yet; --inline books the content \
                   itself, which every institution can read";
        return Err(Failure::Fault(why.to_owned()));
    }
    let envelope = envelope(options, &person, member.founder.institution)?;
    let record = envelope.record.id();
    let asker = person.client.asker();
    let line = "/v1/requests";
    let told = asker.post(web, line, Some(&person.key), Vec::new()).await;
    check_speaker(&person, member, line, &told.map_err(unanswered)?)?;
    let line = "/v1/records";
    let told = asker.post(web, line, None, envelope.to_bytes()).await.map_err(unanswered)?;
    check_speaker(&person, member, line, &told)?;
    let accepted: Value = serde_json::from_slice(&told.body).map_err(fault)?;
    if accepted["record"] != json!(record) {
        let why = format!("institution {} has accepted another record", member.founder.institution);
        return Err(Failure::Refused(why));
    }
    say(&format!(
        "record     {record}\naccepted   by institution {}, which has it on its disk and has signed for it\n\
         next       mdsm record list {}\n",
        member.founder.institution,
        options.asking.typed()
    ))
}

fn envelope(options: &Add, person: &Person, delegate: InstitutionId) -> Result<Envelope, Failure> {
    let path = options.file.display();
    let field =
        |name: &str, error: &dyn std::fmt::Display| Failure::Fault(format!("{name}: {error}"));
    let bytes =
        std::fs::metadata(&options.file).map_err(|error| field(&path.to_string(), &error))?.len();
    if bytes == 0 || bytes > INLINE_CONTENT_BYTES_MAX as u64 {
        let why = format!(
            "{path}: {bytes} bytes; a record carries 1 to {INLINE_CONTENT_BYTES_MAX} itself, more goes into a sealed file"
        );
        return Err(Failure::Fault(why));
    }
    let content = std::fs::read(&options.file).map_err(|error| field(&path.to_string(), &error))?;
    let metadata = Metadata::new(
        ResourceType::new(options.kind.as_str()).map_err(|error| field("--type", &error))?,
        MediaType::new(options.media.as_str()).map_err(|error| field("--media", &error))?,
        Clock::new().now(),
        content.len() as u64,
    );
    let content = Content::inline(content).map_err(|error| field(&path.to_string(), &error))?;
    let record = Record::new(person.key.owner(), metadata, content).map_err(fault)?;
    Ok(Envelope::sign(record, &person.network.genesis.chain_id(), &person.key, delegate))
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
        "{} records of {} up to block {at}, in which {} auditors agree\n",
        records.records.len(),
        records.owner,
        person.client.light().auditors_needed()
    );
    if let Some(one) = records.records.first() {
        let typed = options.asking.typed();
        text += &format!("next       mdsm receipt fetch {} {typed} --out receipts\n", one.id);
    }
    say(&text)
}

fn standing(standing: Standing) -> String {
    match standing {
        Standing::Final(epoch) => format!("final, epoch {epoch}"),
        Standing::Anchored(epoch) => format!("anchored, epoch {epoch}"),
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
        "anchored": matches!(one.standing, Standing::Anchored(_)),
    })
}

async fn fetch(options: &Fetch) -> Result<(), Failure> {
    let mut person = options.asking.person()?;
    let at = person.client.follow().await.map_err(not_believed)?;
    let question = Question::Receipt { id: options.record, at };
    let answered = person.client.ask(&question, &person.key).await.map_err(not_believed)?;
    complain(&answered.objections);
    let later = |why: &str| Failure::Refused(format!("record {}: {why}", options.record));
    let receipts = answered.heard.iter().filter_map(|heard| match &heard.known {
        Known::Receipt(Some(receipted)) => Some((heard.from, receipted)),
        _ => None,
    });
    let receipts: Vec<(InstitutionId, &Box<Receipted>)> = receipts.collect();
    if receipts.is_empty() {
        return Err(later(
            "is not booked; an accepted record is booked within a few turns, ask again",
        ));
    }
    let certified = receipts.iter().filter_map(|(from, it)| Some((*from, it.receipt.as_ref()?)));
    let certified: Vec<(InstitutionId, &Receipt)> = certified.collect();
    if certified.is_empty() {
        return Err(later("is final; there is a receipt when its epoch has ended, ask again then"));
    }
    let with_bitcoin: Vec<_> = certified.into_iter().filter(|it| it.1.bitcoin.is_some()).collect();
    if with_bitcoin.is_empty() {
        return Err(later("its anchor is not deep enough in Bitcoin yet, ask again in an hour"));
    }
    let mut tried = String::new();
    for (from, receipt) in with_bitcoin {
        match headers_for(&person, from, receipt).await {
            Ok((headers, network)) => return keep(options, receipt, &headers, network),
            Err(why) => tried += &format!("\n  institution {from}: {why}"),
        }
    }
    Err(later(&format!("its way into Bitcoin does not hold:{tried}")))
}

/// Headers that confirm a receipt, and the network of Bitcoin that they are of.
async fn headers_for(
    person: &Person,
    from: InstitutionId,
    receipt: &Receipt,
) -> Result<(Vec<u8>, &'static str), String> {
    let web = person.network.member(from).and_then(|member| member.web.as_deref());
    let web = web.ok_or("has no interface")?;
    let headers = person.client.asker().headers(web).await.map_err(|error| error.to_string())?;
    let claim = examine(receipt, None).map_err(|error| error.to_string())?;
    let mut why = String::new();
    for (network, name) in
        [(ChainParameters::Mainnet, "mainnet"), (ChainParameters::Regtest, "regtest")]
    {
        let chain = HeaderChain::from_bytes(&headers, network).map_err(|error| error.to_string());
        let confirmed = chain.and_then(|chain| {
            claim.confirm(&chain, ANCHOR_CONFIRMATIONS).map_err(|error| error.to_string())
        });
        match confirmed {
            Ok(_) => return Ok((headers.to_vec(), name)),
            Err(error) => why = format!("{name}: {error}"),
        }
    }
    Err(why)
}

fn keep(options: &Fetch, receipt: &Receipt, headers: &[u8], network: &str) -> Result<(), Failure> {
    let out = &options.out;
    let unwritten =
        |path: &Path, error: std::io::Error| Failure::Fault(format!("{}: {error}", path.display()));
    std::fs::create_dir_all(out).map_err(|error| unwritten(out, error))?;
    let (file, beside) = (out.join(format!("{}.receipt", options.record)), out.join("headers"));
    std::fs::write(&file, receipt.to_bytes()).map_err(|error| unwritten(&file, error))?;
    std::fs::write(&beside, headers).map_err(|error| unwritten(&beside, error))?;
    say(&format!(
        "receipt    {}\nheaders    {}, as one institution has them; better take Bitcoin's from your own node\n\
         next       mdsm receipt verify {} --headers {} --network {network}\n",
        file.display(),
        beside.display(),
        file.display(),
        beside.display()
    ))
}

/// Names those whose answers were not used.
fn complain(objections: &[Objection]) {
    for objection in objections {
        eprintln!("not used: {objection}");
    }
}

fn say(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).map_err(|error| Failure::Fault(format!("stdout: {error}")))
}

fn refused(error: &impl std::fmt::Display) -> Failure {
    Failure::Refused(error.to_string())
}

fn unanswered(error: impl std::fmt::Display) -> Failure {
    Failure::Refused(format!("{error}\n  another institution may be named by --at"))
}

fn not_believed(error: impl std::fmt::Display) -> Failure {
    Failure::Refused(format!(
        "{error}\n  nothing is known by this, least of all that there is nothing; see that the institutions in the \
         file of the network can be reached, and ask again"
    ))
}

fn fault(error: impl std::fmt::Display) -> Failure {
    Failure::Fault(error.to_string())
}
