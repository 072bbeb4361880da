//! `mdsm grant`: an owner answers a request, and gives the key to one of those who bid.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Args;
use mdsm_core::reencryption::Set;
use mdsm_core::service::sharing::{Exchange, Person, until};
use mdsm_core::types::{InstitutionId, RecordId};

use crate::{Failure, keys};

/// Who acts.
#[derive(Args)]
pub(crate) struct PersonOptions {
    /// The person's secret, as `mdsm keys person` made it. Beside it, in a file that ends in `.spent`, stands
    /// which offers were accepted; it has to be kept with the secret.
    #[arg(long, env = "MDSM_SECRET", value_name = "FILE")]
    secret: PathBuf,
}

impl PersonOptions {
    pub(crate) fn person(&self) -> Result<Person, Failure> {
        let secret = keys::read(&self.secret)?;
        Person::new(&secret, Set::S704, &self.secret.with_extension("spent")).map_err(fault)
    }
}

/// `mdsm grant`.
#[derive(Args)]
pub(crate) struct GrantOptions {
    #[command(flatten)]
    person: PersonOptions,
    /// The request.
    request: RecordId,
    /// A record to grant, as often as there are records; without any, all that were asked for.
    #[arg(long = "record", value_name = "RECORD")]
    records: Vec<RecordId>,
    /// Blocks for which the grant holds.
    #[arg(long, default_value_t = 432_000)]
    blocks: u64,
    /// Whom to choose as proxy; without it, the first that bids.
    #[arg(long, value_name = "ID")]
    proxy: Option<u32>,
}

/// Grants, waits for bids, and chooses.
pub(crate) async fn run(options: &GrantOptions, exchange: &impl Exchange) -> Result<(), Failure> {
    let mut owner = options.person.person()?;
    let dealing = exchange.dealing(options.request).await.map_err(fault)?;
    let dealing = dealing
        .ok_or_else(|| Failure::Refused(format!("request {}: not booked", options.request)))?;
    let records: BTreeSet<RecordId> = match options.records.is_empty() {
        true => dealing.records,
        false => options.records.iter().copied().collect(),
    };
    let granted = owner.grant(exchange, options.request, &records, options.blocks).await;
    let grant = granted.map_err(refused)?;
    println!("grant {grant}");
    let wanted = options.proxy.map(InstitutionId::new);
    let proxy = until(exchange, async |exchange| {
        let granted = exchange.dealing(grant).await?.and_then(|dealing| dealing.grant);
        let bids = granted.map(|granted| granted.bids).unwrap_or_default();
        Ok(bids.into_keys().find(|bidder| wanted.is_none_or(|wanted| wanted == *bidder)))
    });
    let proxy = proxy.await.map_err(fault)?;
    let choice = owner.choose(exchange, grant, proxy).await.map_err(refused)?;
    println!("choice {choice}: institution {proxy}");
    Ok(())
}

pub(crate) fn fault(error: impl std::fmt::Display) -> Failure {
    Failure::Fault(error.to_string())
}

pub(crate) fn refused(error: impl std::fmt::Display) -> Failure {
    Failure::Refused(error.to_string())
}
