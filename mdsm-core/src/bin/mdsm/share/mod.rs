//! People share, each by a light client: `mdsm request`, `grant`, `revoke` here, and in `service` what follows from how
//! the proxy has served. [CLI-2]

mod listing;
mod service;

use std::collections::BTreeSet;

use clap::Args;
use mdsm_core::params::ACCESS;
use mdsm_core::reencryption::Variant;
use mdsm_core::service::sharing::{Exchange as _, Reached, Terms, has_effect};
use mdsm_core::types::{OwnerId, RecordId};
pub(crate) use service::{Confirm, Dispute, Reward, confirm, dispute, reward};

use crate::Failure;
use crate::asking::{Booking, Party, block_on, complain, not_done, say};

/// Blocks for which a grant holds unless another number is named: a day at the pace of six seconds.
const BLOCKS: u64 = 14_400;

/// `mdsm request`.
#[derive(Args)]
pub(crate) struct Request {
    /// The owner; without one, the requests that one has made are listed.
    #[arg(requires = "records")]
    owner: Option<OwnerId>,
    /// Records of the owner.
    records: Vec<RecordId>,
    #[command(flatten)]
    booking: Booking,
}

/// `mdsm grant`.
#[derive(Args)]
pub(crate) struct Grant {
    /// The request; without one, those that wait are listed.
    request: Option<RecordId>,
    /// Which of the records that it asks for; by default all.
    records: Vec<RecordId>,
    #[command(flatten)]
    booking: Booking,
    /// For how many blocks, a year of them at most; there is one in each turn at most. A request that was granted keeps
    /// its terms.
    #[arg(
        long,
        value_name = "N",
        default_value_t = BLOCKS,
        value_parser = clap::value_parser!(u64).range(1..=ACCESS.grant_blocks)
    )]
    blocks: u64,
    /// The institution that is to re-encrypt; by default one that has bid.
    #[arg(long, value_name = "ID")]
    proxy: Option<u32>,
}

/// `mdsm revoke`.
#[derive(Args)]
pub(crate) struct Revoke {
    /// The grant; without one, those that hold are listed.
    grant: Option<RecordId>,
    #[command(flatten)]
    booking: Booking,
}

pub(crate) fn request(options: &Request) -> Result<(), Failure> {
    let Some(owner) = options.owner else { return block_on(listing::asked(&options.booking)) };
    block_on(async {
        let Party { person, remote } = options.booking.party()?;
        let records: BTreeSet<RecordId> = options.records.iter().copied().collect();
        let asked = person.ask(&remote, owner, records, Variant::Public).await;
        let request = asked.map_err(not_done)?;
        let dealing = has_effect(&remote, request, async |x| {
            Ok(x.dealing(request).await?.map(|dealing| dealing.request))
        });
        dealing.await.map_err(not_done)?;
        complain(&remote.take_objections());
        say(&format!(
            "request    {request}\nbooked     {owner} sees it by `mdsm grant`\n\
             next       mdsm record open {} --out FILE {}\n           once it is granted and delivered\n",
            options.records[0],
            options.booking.typed()
        ))
    })
}

//= harness/spec/clients.md#cli-2-light-client
//# CLI-2.3 (paper): A person MUST be able to grant and to revoke with a light client.
pub(crate) fn grant(options: &Grant) -> Result<(), Failure> {
    let Some(request) = options.request else {
        return block_on(listing::requests(&options.booking));
    };
    block_on(async {
        let Party { mut person, remote } = options.booking.party()?;
        let terms = Terms {
            records: options.records.iter().copied().collect(),
            blocks: options.blocks,
            proxy: options.proxy.map(|id| options.booking.member("--proxy", id)).transpose()?,
        };
        let mut said = Ok(());
        let tell = |reached| {
            if said.is_ok() {
                said = say(&words(reached));
            }
        };
        let settled = person.settle(&remote, request, &terms, tell).await;
        said?;
        complain(&remote.take_objections());
        let grant = settled.map_err(not_done)?;
        let typed = options.booking.typed();
        say(&format!(
            "next       mdsm reward {grant} {typed}\n           once the reader has opened it\n           \
             mdsm revoke {grant} {typed}\n"
        ))
    })
}

fn words(reached: Reached) -> String {
    match reached {
        Reached::Granted { grant, until } => {
            format!("grant      {grant}, holds up to block {until}; now institutions bid\n")
        }
        Reached::Chosen { proxy } => {
            format!(
                "proxy      institution {proxy}, which can open nothing of it; now it re-encrypts\n"
            )
        }
        Reached::Delivered { delivery } => format!("delivered  {delivery}\n"),
    }
}

pub(crate) fn revoke(options: &Revoke) -> Result<(), Failure> {
    let Some(grant) = options.grant else { return block_on(listing::holding(&options.booking)) };
    block_on(async {
        let Party { person, remote } = options.booking.party()?;
        let act = person.revoke(&remote, grant).await.map_err(not_done)?;
        let revoked = has_effect(&remote, act, async |x| {
            let granted = x.dealing(grant).await?.and_then(|dealing| dealing.grant);
            Ok(granted.and_then(|granted| granted.revocation))
        });
        let revoked = revoked.await.map_err(not_done)?;
        complain(&remote.take_objections());
        say(&format!(
            "revoked    {grant}, from block {} on\nkept       what was delivered before, by whoever has kept it\n\
             next       mdsm revoke {}\n",
            revoked.place.height,
            options.booking.typed()
        ))
    })
}
