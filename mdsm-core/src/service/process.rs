//! One institution as a process serves it: from its settings to its end. [CLI-1]

use std::io;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::files::Files;
use super::interface::Interface;
use super::sharing::{Desk, Proxy};
use super::shelf::Shelf;
use crate::anchoring::ChainParameters;
use crate::bitcoin::rpc::EndpointError;
use crate::bitcoin::{Endpoint, Rpc};
use crate::environment::Secret;
use crate::objects::ObjectsError;
use crate::roster::FoundError;
use crate::runtime::settings::{BitcoinSettings, NetworkFile, NodeFile, SettingsError};
use crate::runtime::{
    BitcoinConfig, EndError, Home, HomeError, Institution, InstitutionConfig, InstitutionError,
    objects_of,
};
use crate::web::{self, Bounds, Server};

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
    /// The members make no committees.
    #[error(transparent)]
    Found(#[from] FoundError),
    /// Where its files lie.
    #[error("objects: {0}")]
    Objects(#[from] ObjectsError),
    /// It has ended by itself.
    #[error(transparent)]
    Ended(#[from] EndError),
}

/// An institution that serves.
#[derive(Debug)]
pub struct Served {
    institution: Institution,
    interface: Arc<Interface>,
    desk: Arc<Desk<Files>>,
    proxy: JoinHandle<()>,
    web: Option<Server>,
}

impl Served {
    /// Starts what the settings describe, on the runtime of the caller.
    pub async fn start(settings: &NodeFile) -> Result<Self, ProcessError> {
        Self::start_with(settings, Proxy::new).await
    }

    /// The same with another proxy than the honest one.
    pub async fn start_with(
        settings: &NodeFile,
        proxy: impl FnOnce(&Secret) -> Proxy,
    ) -> Result<Self, ProcessError> {
        let network = NetworkFile::read(&settings.network)?;
        if settings.bitcoin.is_none() {
            tracing::warn!(
                "no [bitcoin] in the settings: this institution puts no anchor into Bitcoin and follows none"
            );
        }
        if settings.objects.s3.is_none() && settings.objects.directories.is_empty() {
            tracing::warn!("no [objects] in the settings: files lie in the home, in one copy");
        }
        let promised = network.member(settings.institution).and_then(|me| me.web.as_deref());
        if let (Some(promised), None) = (promised, &settings.web) {
            tracing::warn!(
                "no `web` in the settings: nobody answers at {promised}, where the others look for this interface"
            );
        }
        let (home, secret) = Home::open(&settings.home)?;
        let listener = listen("listen", &settings.listen).await?;
        let offered = match &settings.web {
            Some(address) => Some((address, listen("web", address).await?)),
            None => None,
        };
        let key = secret.signing();
        let objects = objects_of(&settings.objects, &home.objects())?;
        let files = Files::new(objects, settings.institution, &network);
        let mut proxy = proxy(&secret);
        let founders = network.clone();
        let config = InstitutionConfig {
            me: settings.institution,
            home,
            secret,
            network,
            delay_ms: settings.delay_ms,
            bitcoin: settings.bitcoin.as_ref().map(bitcoin_of).transpose()?,
        };
        let institution = Institution::start(config, listener)?;
        let shelf = Shelf::new(institution.me(), &founders, institution.books().clone())?;
        let shelf = Arc::new(shelf);
        let interface = Interface::new(&institution, shelf.clone(), key, files.clone());
        let interface = Arc::new(interface);
        let desk = Arc::new(Desk::new(&institution, shelf, files));
        let serving = desk.clone();
        let proxy = tokio::spawn(async move {
            let Err(error) = proxy.run(&*serving).await;
            tracing::debug!(%error, "the proxy ends");
        });
        let web = match offered {
            Some((address, listener)) => {
                let served = web::serve(listener, interface.clone(), Bounds::default());
                Some(served.map_err(|source| unanswered("web", address, source))?)
            }
            None => None,
        };
        Ok(Self { institution, interface, desk, proxy, web })
    }

    /// What it answers others, whether it is offered on an address or not.
    #[must_use]
    pub fn interface(&self) -> &Arc<Interface> {
        &self.interface
    }

    /// Where those who share are served.
    #[must_use]
    pub fn desk(&self) -> &Arc<Desk<Files>> {
        &self.desk
    }

    /// The address on which it is offered.
    #[must_use]
    pub fn web(&self) -> Option<&Server> {
        self.web.as_ref()
    }

    /// The institution.
    #[must_use]
    pub fn institution(&self) -> &Institution {
        &self.institution
    }

    /// Serves until `stop` is there or the disk fails.
    pub async fn until(mut self, stop: impl Future<Output = ()>) -> Result<(), ProcessError> {
        tokio::select! {
            () = stop => {}
            // What it has ended with is told again below, behind all else that ends.
            _ = self.institution.ended() => {}
        }
        Ok(self.stop().await?)
    }

    /// Stores and sends what is under way, then ends everything.
    pub async fn stop(self) -> Result<(), EndError> {
        // Who waits for a record to be stored is still answered.
        if let Some(web) = self.web {
            web.stop().await;
        }
        // What it is in the middle of follows from the chain, and is taken up at the next start.
        self.proxy.abort();
        let _ = self.proxy.await;
        drop((self.interface, self.desk));
        self.institution.stop().await
    }
}

/// Returns when the standard input ends, for an institution that is to end with whoever started it. A thread of its
/// own reads, which nobody waits for.
pub fn input_end() -> impl Future<Output = ()> {
    let (sender, receiver) = oneshot::channel::<()>();
    std::thread::spawn(move || {
        // An input that cannot be read has ended.
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        drop(sender);
    });
    async {
        let _ = receiver.await;
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
    TcpListener::bind(address).await.map_err(|source| unanswered(what, address, source))
}

fn unanswered(what: &'static str, address: &str, source: io::Error) -> ProcessError {
    ProcessError::Listen { what, address: address.to_owned(), source }
}
