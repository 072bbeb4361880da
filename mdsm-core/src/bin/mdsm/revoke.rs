//! `mdsm revoke`: an owner takes a grant back.

use clap::Args;
use mdsm_core::service::sharing::{Exchange, until};
use mdsm_core::types::RecordId;

use crate::Failure;
use crate::grant::{PersonOptions, fault, refused};

/// `mdsm revoke`.
#[derive(Args)]
pub(crate) struct RevokeOptions {
    #[command(flatten)]
    person: PersonOptions,
    /// The grant.
    grant: RecordId,
}

/// Revokes, and waits until that is final.
pub(crate) async fn run(options: &RevokeOptions, exchange: &impl Exchange) -> Result<(), Failure> {
    let owner = options.person.person()?;
    owner.revoke(exchange, options.grant).await.map_err(refused)?;
    let revoked = until(exchange, async |exchange| {
        let granted = exchange.dealing(options.grant).await?.and_then(|dealing| dealing.grant);
        Ok(granted.and_then(|granted| granted.revoked))
    });
    println!("revoked at height {}", revoked.await.map_err(fault)?);
    Ok(())
}
