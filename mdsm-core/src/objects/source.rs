//! Files from elsewhere. [DDB-2]

use std::io;

use tokio::io::AsyncRead;

use crate::types::Digest;

/// Somebody who may have a file, as another institution. What comes is held against the digest before it is
/// kept or handed out, so nobody needs to be trusted.
pub trait Source: Sync {
    /// Begins to fetch a file; `None` when it is not there.
    fn fetch(
        &self,
        digest: &Digest,
    ) -> impl Future<Output = io::Result<Option<impl AsyncRead + Send + Unpin>>> + Send;
}

/// Nobody.
#[derive(Clone, Copy, Debug)]
pub struct NoSource;

impl Source for NoSource {
    async fn fetch(&self, _digest: &Digest) -> io::Result<Option<impl AsyncRead + Send + Unpin>> {
        Ok(None::<tokio::io::Empty>)
    }
}
