//! `mdsm request`, `grant`, `revoke`, `dispute`, `confirm`: people share, each by a light client. [CLI-2]

use std::collections::BTreeSet;

use clap::{Args, ValueEnum};
use mdsm_core::access::Finding;
use mdsm_core::client::{Dealing, Granted};
use mdsm_core::reencryption::Variant;
use mdsm_core::service::sharing::{Exchange as _, Reached, Terms, until};
use mdsm_core::types::{Height, InstitutionId, OwnerId, RecordId};

use crate::Failure;
use crate::asking::{Booking, Party, block_on, complain, not_done, say};

/// Blocks for which a grant holds unless another number is named: a day at the pace of six seconds.
const BLOCKS: u64 = 14_400;

/// `mdsm request`.
#[derive(Args)]
pub(crate) struct Request {
    /// The owner.
    owner: OwnerId,
    /// Records of the owner.
    #[arg(required = true)]
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
    /// For how many blocks.
    #[arg(long, value_name = "N", default_value_t = BLOCKS)]
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

/// `mdsm dispute`.
#[derive(Args)]
pub(crate) struct Dispute {
    /// The grant.
    grant: RecordId,
    /// The record that does not open.
    record: RecordId,
    #[command(flatten)]
    booking: Booking,
}

/// `mdsm confirm`.
#[derive(Args)]
pub(crate) struct Confirm {
    /// The grant.
    grant: RecordId,
    /// What is found.
    #[arg(value_enum)]
    finding: Found,
    #[command(flatten)]
    booking: Booking,
}

#[derive(Clone, Copy, ValueEnum)]
enum Found {
    /// The proxy has re-encrypted wrongly.
    Wrong,
    /// It did what it should.
    Sound,
}

pub(crate) fn request(options: &Request) -> Result<(), Failure> {
    block_on(async {
        let Party { person, remote } = options.booking.party()?;
        let records: BTreeSet<RecordId> = options.records.iter().copied().collect();
        let asked = person.ask(&remote, options.owner, records, Variant::Public).await;
        let request = asked.map_err(not_done)?;
        until(&remote, async |x| Ok(x.dealing(request).await?)).await.map_err(not_done)?;
        complain(&remote.take_objections());
        say(&format!(
            "request    {request}\nbooked     {} sees it by `mdsm grant`\n\
             next       mdsm record open {} --out FILE {}\n           once it is granted and delivered\n",
            options.owner,
            options.records[0],
            options.booking.typed()
        ))
    })
}

//= harness/spec/clients.md#cli-2-light-client
//# CLI-2.3 (paper): A person MUST be able to grant and to revoke with a light client.
pub(crate) fn grant(options: &Grant) -> Result<(), Failure> {
    let Some(request) = options.request else { return block_on(list_requests(options)) };
    block_on(async {
        let Party { mut person, remote } = options.booking.party()?;
        let terms = Terms {
            records: options.records.iter().copied().collect(),
            blocks: options.blocks,
            proxy: options.proxy.map(InstitutionId::new),
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
        say(&format!("next       mdsm revoke {grant} {}\n", options.booking.typed()))
    })
}

fn words(reached: Reached) -> String {
    match reached {
        Reached::Granted { grant, until } => {
            format!("grant      {grant}, holds up to block {until}\n")
        }
        Reached::Chosen { proxy } => {
            format!("proxy      institution {proxy}, which can open nothing of it\n")
        }
        Reached::Delivered { delivery } => format!("delivered  {delivery}\n"),
        Reached::Rewarded { proxy } => {
            format!("rewarded   institution {proxy}, by a signed receipt of its service\n")
        }
    }
}

async fn list_requests(options: &Grant) -> Result<(), Failure> {
    let (dealings, height) = dealings(&options.booking).await?;
    let waits = |dealing: &&Dealing| {
        let grant = dealing.grant.as_ref();
        grant.is_none_or(|it| it.holds(height) && it.delivery.is_none())
    };
    let waiting: Vec<&Dealing> = dealings.iter().filter(waits).collect();
    let mut text = String::new();
    for dealing in &waiting {
        let (request, reader) = (dealing.request.id, dealing.reader);
        let standing = dealing.grant.as_ref().map_or("asks", standing);
        text += &format!("{request}  {standing:<20} reader {reader}\n");
        for record in &dealing.records {
            text += &format!("    {record}\n");
        }
    }
    text += &format!("{} requests wait, up to block {height}\n", waiting.len());
    let next = match waiting.first() {
        Some(first) => format!("mdsm grant {} {}", first.request.id, options.booking.typed()),
        None => format!("mdsm revoke {}", options.booking.typed()),
    };
    say(&format!("{text}next       {next}\n"))
}

fn standing(granted: &Granted) -> &'static str {
    match (granted.choice, granted.bids.is_empty()) {
        (Some(_), _) => "waits for delivery",
        (None, true) => "waits for bids",
        (None, false) => "waits for a choice",
    }
}

pub(crate) fn revoke(options: &Revoke) -> Result<(), Failure> {
    let Some(grant) = options.grant else { return block_on(list_grants(options)) };
    block_on(async {
        let Party { person, remote } = options.booking.party()?;
        person.revoke(&remote, grant).await.map_err(not_done)?;
        let revoked = until(&remote, async |x| {
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

async fn list_grants(options: &Revoke) -> Result<(), Failure> {
    let (dealings, height) = dealings(&options.booking).await?;
    let holding = dealings.iter().filter_map(|dealing| Some((dealing, dealing.grant.as_ref()?)));
    let holding: Vec<(&Dealing, &Granted)> =
        holding.filter(|(_, granted)| granted.holds(height)).collect();
    let mut text = String::new();
    for (dealing, granted) in &holding {
        let (grant, reader, until) = (granted.act.id, dealing.reader, granted.until);
        let standing = if granted.delivery.is_some() { "delivered" } else { standing(granted) };
        text += &format!("{grant}  {standing:<20} up to block {until}, reader {reader}\n");
        for record in granted.files.keys() {
            text += &format!("    {record}\n");
        }
    }
    text += &format!("{} grants hold, up to block {height}\n", holding.len());
    let next = match holding.first() {
        Some((_, first)) => format!("mdsm revoke {} {}", first.act.id, options.booking.typed()),
        None => format!("mdsm grant {}", options.booking.typed()),
    };
    say(&format!("{text}next       {next}\n"))
}

/// Dealings over one's own records, and the height at which they stand so.
async fn dealings(booking: &Booking) -> Result<(Vec<Dealing>, Height), Failure> {
    let Party { person, remote } = booking.party()?;
    let height = remote.tip().await.map_err(not_done)?.height;
    let mut dealings = remote.dealings_of(person.id()).await.map_err(not_done)?;
    dealings.retain(|dealing| dealing.owner == person.id());
    complain(&remote.take_objections());
    Ok((dealings, height))
}

pub(crate) fn dispute(options: &Dispute) -> Result<(), Failure> {
    let Dispute { grant, record, booking } = options;
    block_on(async {
        let Party { person, remote } = booking.party()?;
        let dispute = person.dispute(&remote, *grant, *record).await.map_err(not_done)?;
        complain(&remote.take_objections());
        say(&format!(
            "dispute    {dispute}\nnext       the owner looks at the delivery: mdsm confirm {grant} wrong\n"
        ))
    })
}

pub(crate) fn confirm(options: &Confirm) -> Result<(), Failure> {
    let Confirm { grant, finding, booking } = options;
    block_on(async {
        let Party { person, remote } = booking.party()?;
        let finding = match finding {
            Found::Wrong => Finding::Wrong,
            Found::Sound => Finding::Sound,
        };
        let confirmation = person.confirm(&remote, *grant, finding).await.map_err(not_done)?;
        complain(&remote.take_objections());
        say(&format!("confirmed  {confirmation}\nnext       mdsm revoke {}\n", booking.typed()))
    })
}
