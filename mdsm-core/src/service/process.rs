//! One institution as a process serves it: from its settings to its end. [CLI-1]

use std::io;
use std::time::Duration;

use thiserror::Error;
use tokio::net::TcpListener;

use crate::anchoring::ChainParameters;
use crate::bitcoin::rpc::EndpointError;
use crate::bitcoin::{Endpoint, Rpc};
use crate::runtime::settings::{BitcoinSettings, NetworkFile, NodeFile, SettingsError};
use crate::runtime::{
    BitcoinConfig, DiskError, Home, HomeError, Institution, InstitutionConfig, InstitutionError,
};

/// Why an institution does not serve, or serves no longer.
#[derive(Debug, Error)]
pub enum ProcessError {
    /// Its settings.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// Its home.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// An address that it cannot answer.
    #[error("{what} = {address:?}: {source}")]
    Listen {
        /// The setting.
        what: &'static str,
        /// The address.
        address: String,
        /// Why.
        source: io::Error,
    },
    /// The address of a node of Bitcoin.
    #[error("bitcoin.url: {0}")]
    Bitcoin(#[from] EndpointError),
    /// It does not start.
    #[error(transparent)]
    Start(#[from] InstitutionError),
    /// Its disk has failed.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

/// An institution that serves.
#[derive(Debug)]
pub struct Served {
    institution: Institution,
}

impl Served {
    /// Starts what the settings describe, on the runtime of the caller.
    pub async fn start(settings: &NodeFile) -> Result<Self, ProcessError> {
        let network = NetworkFile::read(&settings.network)?;
        let (home, secret) = Home::open(&settings.home)?;
        let listener = listen("listen", &settings.listen).await?;
        let config = InstitutionConfig {
            me: settings.institution,
            home,
            secret,
            network,
            delay_ms: settings.delay_ms,
            bitcoin: settings.bitcoin.as_ref().map(bitcoin_of).transpose()?,
        };
        Ok(Self { institution: Institution::start(config, listener)? })
    }

    /// The institution.
    #[must_use]
    pub fn institution(&self) -> &Institution {
        &self.institution
    }

    /// Returns when its disk has failed.
    pub async fn ended(&mut self) -> Result<(), DiskError> {
        self.institution.ended().await
    }

    /// Stores and sends what is under way, then ends everything.
    pub async fn stop(self) -> Result<(), DiskError> {
        self.institution.stop().await
    }
}

/// Serves until `stop` is there or the disk fails.
pub async fn serve(
    settings: &NodeFile,
    stop: impl Future<Output = ()>,
) -> Result<(), ProcessError> {
    let mut served = Served::start(settings).await?;
    let failed = tokio::select! {
        () = stop => None,
        result = served.ended() => Some(result),
    };
    match failed {
        Some(Err(error)) => Err(error.into()),
        _ => Ok(served.stop().await?),
    }
}

/// The node of Bitcoin that settings name.
pub fn bitcoin_of(settings: &BitcoinSettings) -> Result<BitcoinConfig, EndpointError> {
    let endpoint = Endpoint::new(&settings.url)?;
    let endpoint = match &settings.cookie {
        Some(cookie) => endpoint.with_cookie(cookie.clone()),
        None => endpoint,
    };
    let network = match settings.network.as_str() {
        "mainnet" => ChainParameters::Mainnet,
        _ => ChainParameters::Regtest,
    };
    let poll = Duration::from_millis(settings.poll_ms.into());
    Ok(BitcoinConfig { rpc: Rpc::new(endpoint), network, birth: settings.start, poll })
}

async fn listen(what: &'static str, address: &str) -> Result<TcpListener, ProcessError> {
    TcpListener::bind(address).await.map_err(|source| ProcessError::Listen {
        what,
        address: address.to_owned(),
        source,
    })
}
