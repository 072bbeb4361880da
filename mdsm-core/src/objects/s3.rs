//! A cluster that speaks S3. [DDB-2]

use std::sync::Arc;

use object_store::aws::{AmazonS3Builder, S3ConditionalPut};
use object_store::{BackoffConfig, ClientOptions, RetryConfig};

use super::error::ObjectsError;
use super::patience::{Bounds, words};
use super::place::Place;

/// A bucket in a cluster. Its keys come from the environment, as everywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// Where it answers.
    pub endpoint: String,
    /// The bucket.
    pub bucket: String,
    /// Copies that it makes of every object before it acknowledges it, by its own settings.
    pub copies: usize,
}

impl Cluster {
    /// The cluster as a place.
    pub fn place(&self, bounds: Bounds) -> Result<Place, ObjectsError> {
        // Attempts are counted in one place only, ours.
        let retry = RetryConfig {
            backoff: BackoffConfig::default(),
            max_retries: 0,
            retry_timeout: bounds.request,
        };
        // A node may be on another machine without TLS between: the files are sealed and held against
        // their digests.
        let options = ClientOptions::new()
            .with_allow_http(true)
            .with_timeout(bounds.request)
            .with_connect_timeout(bounds.request);
        let store = AmazonS3Builder::from_env()
            .with_endpoint(&self.endpoint)
            .with_bucket_name(&self.bucket)
            .with_allow_http(true)
            .with_conditional_put(S3ConditionalPut::ETagMatch)
            .with_client_options(options)
            .with_retry(retry)
            .build()
            .map_err(|error| ObjectsError::Cluster {
                endpoint: self.endpoint.clone(),
                why: words(&error),
            })?;
        let store = Arc::new(store);
        let name = format!("{}/{}", self.endpoint, self.bucket);
        Ok(Place::new(name, store.clone(), Some(store), self.copies, bounds))
    }
}
