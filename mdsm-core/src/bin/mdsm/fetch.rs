//! `mdsm receipt fetch`: a receipt with its way into Bitcoin, over the interfaces of full clients.

use std::path::PathBuf;

use clap::Args;
use mdsm_core::anchoring::{ChainParameters, HeaderChain, examine};
use mdsm_core::client::{Known, Question, Receipted};
use mdsm_core::codec::Wire as _;
use mdsm_core::ledger::Receipt;
use mdsm_core::params::ANCHOR_CONFIRMATIONS;
use mdsm_core::types::{InstitutionId, RecordId};

use crate::Failure;
use crate::asking::{Asking, Person, block_on, complain, not_believed, say};
use crate::receipt::{spare, write};

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
    /// Write over files that are there. Headers that only grow are written anyway.
    #[arg(long)]
    force: bool,
}

impl Fetch {
    fn receipt(&self) -> PathBuf {
        self.out.join(format!("{}.receipt", self.record))
    }

    fn headers(&self) -> PathBuf {
        self.out.join("headers")
    }
}

pub(crate) fn run(options: &Fetch) -> Result<(), Failure> {
    block_on(fetch(options))
}

async fn fetch(options: &Fetch) -> Result<(), Failure> {
    spare([&options.receipt()], options.force)?;
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
        return Err(later(
            "its anchor is certified by both committees, and no institution shows it six blocks deep in Bitcoin yet; \
             that takes an hour, and never comes where no institution follows Bitcoin",
        ));
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
    std::fs::create_dir_all(out)
        .map_err(|error| Failure::Fault(format!("{}: {error}", out.display())))?;
    let (file, beside) = (options.receipt(), options.headers());
    // Those of a receipt that was fetched before, or of another network.
    let is_growth = std::fs::read(&beside).is_ok_and(|before| headers.starts_with(&before));
    spare([&file], options.force)?;
    spare([&beside], options.force || is_growth)?;
    write(&file, &receipt.to_bytes())?;
    write(&beside, headers)?;
    say(&format!(
        "receipt    {}\nheaders    {}, as one institution has them; better take Bitcoin's from your own node\n\
         next       mdsm receipt verify {} --headers {} --network {network}\n",
        file.display(),
        beside.display(),
        file.display(),
        beside.display()
    ))
}
