//! What a watcher is told by its operator.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use bitcoin::secp256k1::SecretKey;

use crate::anchoring::ChainParameters;
use crate::params::ANCHOR_OPEN_MAX;

/// What a watcher follows, and what it pays with.
#[derive(Clone)]
pub struct WatcherConfig {
    /// The Bitcoin network.
    pub network: ChainParameters,
    /// The key that pays; coins go to [`funding_script`](crate::anchoring::funding_script) of it.
    pub key: SecretKey,
    /// The file of own transactions; made where there is none.
    pub file: PathBuf,
    /// Height of the first block that can hold a coin of the key. Blocks from there on are read once.
    pub birth: u32,
    /// Blocks below the tip that are read at each start, because anchors of open epochs may stand in them.
    pub look_back: u32,
    /// Time between two looks.
    pub poll: Duration,
}

impl WatcherConfig {
    /// The usual numbers: as many blocks back as epochs may be open, a look each five seconds.
    #[must_use]
    pub fn new(network: ChainParameters, key: SecretKey, file: PathBuf) -> Self {
        let look_back = u32::try_from(ANCHOR_OPEN_MAX).unwrap_or(u32::MAX);
        Self { network, key, file, birth: 0, look_back, poll: Duration::from_secs(5) }
    }
}

impl fmt::Debug for WatcherConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatcherConfig")
            .field("network", &self.network)
            .field("file", &self.file)
            .field("birth", &self.birth)
            .field("look_back", &self.look_back)
            .field("poll", &self.poll)
            .finish_non_exhaustive()
    }
}
