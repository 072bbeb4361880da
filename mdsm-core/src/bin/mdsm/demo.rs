//! `mdsm demo`: a whole network on one machine, and its story as it happens.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use clap::Args;
use mdsm_core::anchoring::{ChainParameters, HeaderChain, examine, funding_script};
use mdsm_core::environment::{Clock, Secret, draw};
use mdsm_core::ledger::{Content, Envelope, MediaType, Metadata, Receipt, Record, ResourceType};
use mdsm_core::params::{ANCHOR_CONFIRMATIONS, PAPER, SMALL};
use mdsm_core::reencryption::Set;
use mdsm_core::runtime::settings::NodeFile;
use mdsm_core::runtime::{Home, Status, funding_key};
use mdsm_core::service::sharing::{Label, Person, Remote, story};
use mdsm_core::service::{LightClient, Local, Pace, Regtest, Served};
use mdsm_core::types::{ChainId, InstitutionId, RecordId, Timestamp};

use crate::Failure;
use crate::logs::{Level, show_logs};
use crate::node::stopped;

/// Time between two blocks of Bitcoin, in turns: six of them are past before the next freeze.
const BLOCK_TURNS: u32 = 10;
/// How long the story may take before it has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// `mdsm demo`.
#[derive(Args)]
pub(crate) struct DemoOptions {
    /// The paper's network, 101 producers and 20 auditors, at the paper's pace: a freeze every ten minutes.
    #[arg(long)]
    paper: bool,
    /// Where everything is kept; by default in a folder that goes when the program ends.
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// A node of Bitcoin on its own regtest network, `http://USER:PASSWORD@HOST:PORT`, instead of the chain in this
    /// process. Blocks are mined on it.
    #[arg(long, value_name = "URL")]
    bitcoin: Option<String>,
    /// Do not open the page in a browser; it is opened only where somebody sits at a terminal.
    #[arg(long)]
    no_open: bool,
    /// End when the story is told instead of waiting for Ctrl-C.
    #[arg(long)]
    once: bool,
    /// What to tell of the nodes' work beside the story, on standard error.
    #[arg(long, value_enum, default_value_t = Level::Error)]
    log: Level,
}

pub(crate) fn run(options: &DemoOptions) -> Result<(), Failure> {
    show_logs(options.log);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(fault)?;
    let kept = tempfile::tempdir().map_err(fault)?;
    let folder = options.folder.clone().unwrap_or_else(|| kept.path().join("network"));
    runtime.block_on(tell(options, folder))
}

/// The network while it runs.
struct Stage {
    local: Local,
    bitcoin: Regtest,
    served: Vec<Served>,
    started: Instant,
}

async fn tell(options: &DemoOptions, folder: PathBuf) -> Result<(), Failure> {
    let stage = Stage::set(options, folder).await?;
    let told = stage.story().await;
    if told.is_ok() && !options.once {
        stage.hints();
        if !options.no_open && std::io::stdout().is_terminal() {
            stage.open_page();
        }
        stopped().await;
    }
    stage.clear().await?;
    told
}

impl Stage {
    async fn set(options: &DemoOptions, folder: PathBuf) -> Result<Self, Failure> {
        let started = Instant::now();
        let (seats, pace) =
            if options.paper { (PAPER, Pace::PAPER) } else { (SMALL, Pace::WATCHED) };
        let bitcoin = match &options.bitcoin {
            Some(url) => Regtest::attach(url).await,
            None => Regtest::start().await,
        };
        let mut bitcoin = bitcoin.map_err(fault)?;
        let local = Local::create(folder, seats, pace, Some(bitcoin.url())).map_err(fault)?;
        let mut scripts = Vec::new();
        let mut settings = Vec::new();
        for member in &local.network().members {
            let file = NodeFile::read(local.settings(member.founder.institution)).map_err(fault)?;
            let (_, secret) = Home::open(&file.home).map_err(fault)?;
            scripts.push(funding_script(&funding_key(&secret)));
            settings.push(file);
        }
        bitcoin.fund(&scripts).await.map_err(fault)?;
        bitcoin.mine_every(Duration::from_millis((pace.turn_ms * BLOCK_TURNS).into()));
        let mut served = Vec::new();
        for file in &settings {
            served.push(Served::start(file).await.map_err(fault)?);
        }
        Ok(Self { local, bitcoin, served, started })
    }

    /// What to try next.
    fn hints(&self) {
        let folder = self.local.folder().display();
        println!("\nThe network runs until you press Ctrl-C; its files are in {folder}. Try next:");
        if let Some(web) = self.local.network().members.first().and_then(|it| it.web.as_ref()) {
            println!("  the page, with a key of your own:  {web}/");
            println!("  the interface, described:          {web}/openapi.json");
            println!("  numbers for an operator:           {web}/metrics");
        }
        println!("  mdsm keys person me.secret");
        println!("  mdsm record add FILE --key me.secret --network {folder}/network.toml");
        println!(
            "  and what it says next; a reader with another key: mdsm request, then mdsm grant, record open, revoke"
        );
    }

    /// Has the system open the page of the first institution. Where it cannot, the address stands in the hints.
    fn open_page(&self) {
        let opener = match std::env::consts::OS {
            "macos" => "open",
            "windows" => "explorer",
            _ => "xdg-open",
        };
        let web = self.local.network().members.first().and_then(|it| it.web.as_ref());
        let Some(web) = web else { return };
        let mut command = Command::new(opener);
        command.arg(format!("{web}/")).stdin(Stdio::null()).stdout(Stdio::null());
        if let Err(error) = command.stderr(Stdio::null()).spawn() {
            tracing::info!(%error, opener, "the page was not opened");
        }
    }

    fn say(&self, words: &str) {
        println!("{:>6.1} s  {words}", self.started.elapsed().as_secs_f64());
    }

    async fn clear(self) -> Result<(), Failure> {
        for one in self.served {
            one.stop().await.map_err(fault)?;
        }
        self.bitcoin.stop().await;
        Ok(())
    }

    /// Waits until all institutions have come so far.
    async fn until(&self, what: &str, reached: impl Fn(&Status) -> bool) -> Result<(), Failure> {
        for one in &self.served {
            let mut status = one.institution().status();
            let waited = tokio::time::timeout(PATIENCE, status.wait_for(|now| reached(now))).await;
            if !waited.is_ok_and(|seen| seen.is_ok()) {
                let last = *one.institution().status().borrow();
                return Err(Failure::Refused(format!("{what}: not reached, {last:?}")));
            }
        }
        Ok(())
    }

    async fn story(&self) -> Result<(), Failure> {
        let network = self.local.network();
        let chain = network.genesis.chain_id();
        let count = self.served.len() as u64;
        self.until("links", |now| now.connected + 1 == count).await?;
        self.say(&format!(
            "{} producers and {} auditors are linked, each with every other; the network is {chain}",
            network.genesis.producers, network.genesis.auditors
        ));
        self.until("a block", |now| now.height.get() > 0).await?;
        self.say("the auditors have made a first block final");
        let patient = Secret::from_seed(draw().map_err(fault)?);
        let ids = self.visit(&patient, &chain).await?;
        self.say(&format!(
            "a hospital has accepted {} records of a patient: they are on its disk",
            ids.len()
        ));
        let all = ids.len() as u64;
        self.until("booked", |now| now.records >= all).await?;
        self.say("they are booked: every institution has the same final block with them");
        let books = self.served[0].institution().books();
        let locator = books.rows().locate(&ids[0]).map_err(fault)?;
        let height =
            locator.map(|it| it.height).ok_or_else(|| Failure::Refused("no locator".into()))?;
        let epoch = books.epoch_at(height).map_err(fault)?;
        let epoch = epoch.ok_or_else(|| Failure::Refused("no epoch".into()))?;
        self.until("certified", |now| now.certified >= Some(epoch)).await?;
        self.say(&format!(
            "epoch {epoch} is frozen, and both committees have certified its anchor"
        ));
        self.until("anchored", |now| now.anchored >= Some(epoch)).await?;
        self.say(&format!("Bitcoin holds the anchor {ANCHOR_CONFIRMATIONS} blocks deep"));
        let mut receipts = Vec::new();
        for id in &ids {
            receipts.push(self.receipt(id).await?);
        }
        let headers = self.bitcoin.headers().await.map_err(fault)?;
        let headers = HeaderChain::from_bytes(&headers, ChainParameters::Regtest).map_err(fault)?;
        for receipt in &receipts {
            let claim = examine(receipt, None).map_err(fault)?;
            claim
                .confirm(&headers, ANCHOR_CONFIRMATIONS)
                .map_err(|error| Failure::Refused(format!("a receipt does not hold: {error}")))?;
        }
        self.say(&format!(
            "{} receipts hold, with nothing but Bitcoin's block headers",
            receipts.len()
        ));
        self.share(&patient).await
    }

    /// The patient shares a file with a doctor, and takes it back.
    async fn share(&self, patient: &Secret) -> Result<(), Failure> {
        let spent = tempfile::tempdir().map_err(fault)?;
        let person = |secret: &Secret, name: &str| {
            Person::new(secret, Set::S704, &spent.path().join(name)).map_err(fault)
        };
        let doctors = Secret::from_seed(draw().map_err(fault)?);
        let doctor = person(&doctors, "doctor")?;
        let file = "A chest radiograph would stand here. ".repeat(4_096).into_bytes();
        let label = Label {
            resource_type: ResourceType::new("ImagingStudy").map_err(fault)?,
            content_type: MediaType::new("application/dicom").map_err(fault)?,
        };
        // Each trusts no institution: it asks by a light client, and has its records booked where it likes.
        let network = self.local.network();
        let remote = |secret: &Secret, delegate: usize| {
            let client = LightClient::open(network, None).map_err(fault)?;
            let delegate = network.members.get(delegate).map(|member| member.founder.institution);
            Remote::new(network, client, secret.signing(), delegate).map_err(fault)
        };
        let (home, practice) = (remote(patient, 0)?, remote(&doctors, 1)?);
        let mut owner = person(patient, "patient")?;
        let told = story((&home, &mut owner), (&practice, &doctor), (label, &file), |words| {
            self.say(words);
        });
        told.await.map(|_| ()).map_err(|error| Failure::Refused(error.to_string()))
    }

    /// A visit at the first hospital, which leaves a few records.
    async fn visit(&self, patient: &Secret, chain: &ChainId) -> Result<Vec<RecordId>, Failure> {
        let hospital = self.served[0].institution();
        let key = patient.signing();
        hospital.intake().request(key.owner()).await.map_err(fault)?;
        let mut ids = Vec::new();
        for (kind, words) in [
            ("Observation", "Blood pressure 128/82 mmHg"),
            ("DiagnosticReport", "Chest radiograph: no infiltrate"),
            ("MedicationRequest", "Amoxicillin 500 mg, three times a day, seven days"),
        ] {
            let envelope = record(kind, words, Clock::new().now(), &key, chain, hospital.me())?;
            ids.push(hospital.intake().submit(envelope, true).await.map_err(fault)?);
        }
        Ok(ids)
    }

    /// The receipt of a record, with its way into Bitcoin.
    async fn receipt(&self, id: &RecordId) -> Result<Receipt, Failure> {
        let hospital = self.served[0].institution();
        let receipt = hospital.books().receipt(id).map_err(fault)?;
        let mut receipt = receipt.ok_or_else(|| Failure::Refused(format!("no receipt of {id}")))?;
        let watcher = hospital.watcher().ok_or_else(|| Failure::Fault("no Bitcoin".into()))?;
        receipt.bitcoin = Some(watcher.proof(receipt.epoch).await.map_err(fault)?);
        Ok(receipt)
    }
}

fn record(
    kind: &str,
    words: &str,
    created: Timestamp,
    key: &mdsm_core::crypto::sign::SigningKey,
    chain: &ChainId,
    delegate: InstitutionId,
) -> Result<Envelope, Failure> {
    let metadata = Metadata::new(
        ResourceType::new(kind).map_err(fault)?,
        MediaType::new("text/plain").map_err(fault)?,
        created,
        words.len() as u64,
    );
    let content = Content::inline(words.as_bytes().to_vec()).map_err(fault)?;
    let record = Record::new(key.owner(), metadata, content).map_err(fault)?;
    Ok(Envelope::sign(record, chain, key, delegate))
}

fn fault(error: impl std::fmt::Display) -> Failure {
    Failure::Fault(error.to_string())
}
