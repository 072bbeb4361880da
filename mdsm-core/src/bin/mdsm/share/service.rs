//! How a proxy has served: the reader disputes, the owner answers, or rewards.

use clap::{Args, ValueEnum};
use mdsm_core::access::Finding;
use mdsm_core::client::{Granted, Step};
use mdsm_core::ledger::Service;
use mdsm_core::node::ServiceState;
use mdsm_core::service::sharing::{Exchange as _, has_effect};
use mdsm_core::types::RecordId;

use super::listing;
use crate::Failure;
use crate::asking::{Booking, Party, block_on, complain, not_done, say};

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
    /// The grant; without one, those in dispute are listed.
    #[arg(requires = "finding")]
    grant: Option<RecordId>,
    /// What is found.
    #[arg(value_enum)]
    finding: Option<Found>,
    #[command(flatten)]
    booking: Booking,
}

/// `mdsm reward`.
#[derive(Args)]
pub(crate) struct Reward {
    /// The grant.
    grant: RecordId,
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

pub(crate) fn dispute(options: &Dispute) -> Result<(), Failure> {
    let Dispute { grant, record, booking } = options;
    block_on(async {
        let party = booking.party()?;
        let Party { person, remote } = &party;
        let dispute = person.dispute(remote, *grant, *record).await.map_err(not_done)?;
        booked(&party, dispute, *grant, |it| it.dispute.map(|it| it.act)).await?;
        say(&format!(
            "dispute    {dispute}, booked\nnext       the owner looks at the delivery: mdsm confirm {grant} wrong\n"
        ))
    })
}

pub(crate) fn confirm(options: &Confirm) -> Result<(), Failure> {
    let Confirm { grant, finding, booking } = options;
    let (Some(grant), Some(finding)) = (*grant, *finding) else {
        return block_on(listing::disputed(booking));
    };
    block_on(async {
        let party = booking.party()?;
        let Party { person, remote } = &party;
        let (finding, comes_of_it) = match finding {
            Found::Wrong => {
                (Finding::Wrong, "the proxy earns nothing, and it is counted for all to see")
            }
            Found::Sound => (Finding::Sound, "the proxy is without fault"),
        };
        let confirmation = person.confirm(remote, grant, finding).await.map_err(not_done)?;
        booked(&party, confirmation, grant, |it| it.confirmation.map(|it| it.act)).await?;
        let next = match finding {
            Finding::Wrong => "revoke",
            Finding::Sound => "reward",
        };
        say(&format!(
            "confirmed  {confirmation}, booked: {comes_of_it}\nnext       mdsm {next} {grant} {}\n",
            booking.typed()
        ))
    })
}

pub(crate) fn reward(options: &Reward) -> Result<(), Failure> {
    let Reward { grant, booking } = options;
    block_on(async {
        let Party { person, remote } = booking.party()?;
        let (service, state) = person.reward(&remote, *grant).await.map_err(not_done)?;
        complain(&remote.take_objections());
        let Service { institution, epoch, .. } = service;
        let comes_of_it = match state {
            ServiceState::Booked => format!("is booked for epoch {epoch}"),
            ServiceState::Waiting => {
                "waits to be booked, from the epoch after the delivery on".to_owned()
            }
        };
        say(&format!(
            "rewarded   institution {institution}, by a signed receipt of its service, which {comes_of_it}\nnext       mdsm revoke {grant} {}\n",
            booking.typed()
        ))
    })
}

/// Waits until an act over a grant is booked, and is the one that counts.
async fn booked(
    party: &Party,
    act: RecordId,
    grant: RecordId,
    look: impl Fn(&Granted) -> Option<Step>,
) -> Result<(), Failure> {
    let (remote, look) = (&party.remote, &look);
    let seen = has_effect(remote, act, async |x| {
        Ok(x.dealing(grant).await?.and_then(|dealing| dealing.grant).as_ref().and_then(look))
    });
    seen.await.map_err(not_done)?;
    complain(&remote.take_objections());
    Ok(())
}
