//! An owner's way through one dealing, from a request to the delivery. [CLI-2] [PRE-3] [PRE-4] [PRE-5]
//!
//! Where it stands follows from the chain: one that was stopped goes on where it was.

use std::collections::BTreeSet;

use super::super::error::SharingError;
use super::super::exchange::Exchange;
use super::{Person, dealing, has_effect, over, until};
use crate::client::Granted;
use crate::types::{Height, InstitutionId, RecordId};

/// What an owner grants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Which of the records asked for; with none named all of them.
    pub records: BTreeSet<RecordId>,
    /// For how many blocks.
    pub blocks: u64,
    /// Who is to re-encrypt; with nobody named one who has bid.
    pub proxy: Option<InstitutionId>,
}

/// How far a dealing has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reached {
    /// The grant is booked.
    Granted {
        /// The grant.
        grant: RecordId,
        /// Last height at which it holds.
        until: Height,
    },
    /// The choice is booked.
    Chosen {
        /// The proxy.
        proxy: InstitutionId,
    },
    /// The delivery is booked.
    Delivered {
        /// The delivery.
        delivery: RecordId,
    },
}

impl Person {
    /// Grants a request and sees it through: waits for bids, chooses, waits for the delivery. Terms count where nothing
    /// was granted or nobody chosen yet. The reward is left for when the reader has opened what was delivered: only then
    /// is it known that the proxy has served.
    ///
    /// # Errors
    /// Where it ends; called again it goes on. An offer that was spent on a choice that nobody booked is lost, and the
    /// reader has to ask again.
    //= harness/spec/clients.md#cli-2-light-client
    //# CLI-2.3 (paper): A person MUST be able to grant and to revoke with a light client.
    pub async fn settle(
        &mut self,
        exchange: &impl Exchange,
        request: RecordId,
        terms: &Terms,
        mut told: impl FnMut(Reached),
    ) -> Result<RecordId, SharingError> {
        let found = dealing(exchange, "request", request).await?;
        if found.owner != self.id() {
            return Err(SharingError::NotMine { what: "request", id: request });
        }
        if found.grant.is_none() {
            let named = &terms.records;
            let records = if named.is_empty() { &found.records } else { named };
            let act = self.grant(exchange, request, records, terms.blocks).await?;
            has_effect(exchange, act, async |x| {
                Ok(dealing(x, "request", request).await?.grant.map(|granted| granted.act))
            })
            .await?;
        }
        let (grant, until) = granted(exchange, request, |it| Some((it.act.id, it.until))).await?;
        told(Reached::Granted { grant, until });
        let bid = granted(exchange, request, |it| {
            let bidder = |id: &InstitutionId| terms.proxy.is_none_or(|proxy| proxy == *id);
            let bidder = it.bids.keys().copied().find(bidder);
            it.choice.map(|_| None).or_else(|| bidder.map(Some))
        });
        if let Some(bidder) = bid.await? {
            let act = self.choose(exchange, grant, bidder).await?;
            has_effect(exchange, act, async |x| {
                let granted = dealing(x, "request", request).await?.grant;
                Ok(granted.and_then(|granted| granted.choice).map(|chosen| chosen.act))
            })
            .await?;
        }
        let proxy = granted(exchange, request, |it| it.choice).await?.institution;
        told(Reached::Chosen { proxy });
        let handed = granted(exchange, request, |it| it.delivery.clone()).await?;
        told(Reached::Delivered { delivery: handed.act.id });
        Ok(grant)
    }
}

/// Waits until a request is granted and the grant has come so far. A grant that is over comes no further, and nobody is
/// told that it holds.
async fn granted<T>(
    exchange: &impl Exchange,
    request: RecordId,
    look: impl Fn(&Granted) -> Option<T>,
) -> Result<T, SharingError> {
    until(exchange, async |x| {
        let Some(granted) = dealing(x, "request", request).await?.grant else { return Ok(None) };
        let (grant, height) = (granted.act.id, x.tip().await?.height);
        if let Some(why) = over(&granted, height) {
            return Err(SharingError::NotNow { grant, why });
        }
        Ok(look(&granted))
    })
    .await
}
