//! What one has asked for, what waits for an owner, and what it has granted.

use mdsm_core::client::{Blame, Dealing, Granted};
use mdsm_core::service::sharing::Exchange as _;
use mdsm_core::types::{Height, OwnerId};

use crate::Failure;
use crate::asking::{Booking, Party, complain, counted, not_done, say};

/// Requests that one has made, and what came of them.
pub(super) async fn asked(booking: &Booking) -> Result<(), Failure> {
    let (dealings, height) = dealings(booking, |dealing| dealing.reader).await?;
    let typed = booking.typed();
    let (mut text, mut next) = (String::new(), format!("mdsm request OWNER RECORD {typed}"));
    for dealing in &dealings {
        let (request, owner) = (dealing.request.id, dealing.owner);
        let standing = match &dealing.grant {
            None => "waits for the owner",
            Some(granted) if granted.revocation.is_some() => "was taken back",
            Some(granted) if !granted.holds(height) => "is over",
            Some(granted) => standing(granted, height),
        };
        text += &format!("{request}  {standing:<20} owner {owner}\n");
        let granted = dealing.grant.as_ref();
        let can_open = |it: &&Granted| it.holds(height) && it.delivery.is_some();
        let delivered = granted.filter(can_open).and_then(|it| it.files.keys().next());
        if let Some(record) = delivered {
            next = format!("mdsm record open {record} --out FILE {typed}");
        }
        for record in &dealing.records {
            let is_left_out = granted.is_some_and(|it| !it.files.contains_key(record));
            let left_out = if is_left_out { "  is not granted" } else { "" };
            text += &format!("    {record}{left_out}\n");
        }
    }
    let count = counted(dealings.len(), "request was made", "requests were made");
    text += &format!("{count}, up to block {height}\n");
    say(&format!("{text}next       {next}\n"))
}

/// Requests that wait for something.
pub(super) async fn requests(booking: &Booking) -> Result<(), Failure> {
    let (dealings, height) = dealings(booking, |dealing| dealing.owner).await?;
    let waits = |dealing: &&Dealing| {
        let grant = dealing.grant.as_ref();
        grant.is_none_or(|it| it.holds(height) && it.delivery.is_none())
    };
    let waiting: Vec<&Dealing> = dealings.iter().filter(waits).collect();
    let mut text = String::new();
    for dealing in &waiting {
        let (request, reader) = (dealing.request.id, dealing.reader);
        let standing = dealing.grant.as_ref().map_or("asks", |it| standing(it, height));
        text += &format!("{request}  {standing:<20} reader {reader}\n");
        for record in &dealing.records {
            text += &format!("    {record}\n");
        }
    }
    let count = counted(waiting.len(), "request waits", "requests wait");
    text += &format!("{count}, up to block {height}\n");
    let next = match waiting.first() {
        Some(first) => format!("mdsm grant {} {}", first.request.id, booking.typed()),
        None => format!("mdsm revoke {}", booking.typed()),
    };
    say(&format!("{text}next       {next}\n"))
}

/// Grants that hold.
pub(super) async fn holding(booking: &Booking) -> Result<(), Failure> {
    let (dealings, height) = dealings(booking, |dealing| dealing.owner).await?;
    let (text, first) = grants(&dealings, height, |granted| granted.holds(height));
    let count = counted(text.len(), "grant holds", "grants hold");
    let next = match first {
        Some(first) => format!("mdsm revoke {} {}", first.act.id, booking.typed()),
        None => format!("mdsm grant {}", booking.typed()),
    };
    say(&format!("{}{count}, up to block {height}\nnext       {next}\n", text.concat()))
}

/// Grants in dispute, whether or not they hold.
pub(super) async fn disputed(booking: &Booking) -> Result<(), Failure> {
    let (dealings, height) = dealings(booking, |dealing| dealing.owner).await?;
    let in_dispute = |granted: &Granted| granted.blame(height) == Some(Blame::Disputed);
    let (text, first) = grants(&dealings, height, in_dispute);
    let count = counted(text.len(), "grant is in dispute", "grants are in dispute");
    let next = match first {
        Some(first) => format!("mdsm confirm {} wrong|sound {}", first.act.id, booking.typed()),
        None => format!("mdsm revoke {}", booking.typed()),
    };
    say(&format!("{}{count}, up to block {height}\nnext       {next}\n", text.concat()))
}

/// The lines of each grant that is wanted, and the first of these grants.
fn grants(
    dealings: &[Dealing],
    height: Height,
    is_wanted: impl Fn(&Granted) -> bool,
) -> (Vec<String>, Option<&Granted>) {
    let granted = dealings.iter().filter_map(|dealing| Some((dealing, dealing.grant.as_ref()?)));
    let wanted: Vec<_> = granted.filter(|(_, granted)| is_wanted(granted)).collect();
    let lines = wanted.iter().map(|(dealing, granted)| {
        let (grant, reader, until) = (granted.act.id, dealing.reader, granted.until);
        let standing = standing(granted, height);
        let records: String =
            granted.files.keys().map(|record| format!("    {record}\n")).collect();
        format!("{grant}  {standing:<20} up to block {until}, reader {reader}\n{records}")
    });
    (lines.collect(), wanted.first().map(|(_, granted)| *granted))
}

fn standing(granted: &Granted, height: Height) -> &'static str {
    match (granted.blame(height), &granted.delivery, granted.choice) {
        (Some(Blame::Disputed), ..) => "in dispute",
        (Some(Blame::Wrong), ..) => "served wrongly",
        (None, Some(_), _) => "delivered",
        (None, None, Some(_)) => "waits for delivery",
        (None, None, None) if granted.bids.is_empty() => "waits for bids",
        (None, None, None) => "waits for a choice",
    }
}

/// Dealings in which one has a side, and the height at which they stand so.
async fn dealings(
    booking: &Booking,
    side: impl Fn(&Dealing) -> OwnerId,
) -> Result<(Vec<Dealing>, Height), Failure> {
    let Party { person, remote } = booking.party()?;
    let height = remote.tip().await.map_err(not_done)?.height;
    let mut dealings = remote.dealings_of(person.id()).await.map_err(not_done)?;
    dealings.retain(|dealing| side(dealing) == person.id());
    complain(&remote.take_objections());
    Ok((dealings, height))
}
