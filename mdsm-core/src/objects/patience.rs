//! How long a place is waited for, and how often it is asked. [DDB-2]

use std::error::Error as _;
use std::io;
use std::time::Duration;

use object_store::Error;
use tokio::time::{sleep, timeout};

use super::error::PlaceError;
use super::place::Place;
use super::write::{PIECE_BYTES, PIECES_MAX};

/// Limits of everything that is asked of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Time for one request.
    pub request: Duration,
    /// Time for each piece of a file on top of that, when a request makes a whole file durable.
    pub piece: Duration,
    /// Attempts of a request, the first one counted.
    pub attempts: u32,
    /// Time between the first and the second attempt; it doubles each time.
    pub pause: Duration,
    /// Bytes of a file, at most; by default what a cluster takes as one upload, 78 GiB.
    pub file_bytes_max: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            // A fail-over within a cluster takes seconds; whoever waits for a file can wait that long.
            request: Duration::from_secs(5),
            piece: Duration::from_secs(1),
            attempts: 4,
            pause: Duration::from_millis(200),
            file_bytes_max: (PIECE_BYTES * PIECES_MAX) as u64,
        }
    }
}

/// Why a request came to nothing.
#[derive(Debug)]
pub(super) enum Refusal {
    /// There is no such object.
    Absent,
    /// There is one already.
    Exists,
    /// It could not be done.
    Failed(PlaceError),
}

impl Place {
    /// Makes a request until it is answered. `what` it is, by a verb; `extra` is added to the time it has.
    pub(super) async fn request<T, F>(
        &self,
        what: &'static str,
        name: &object_store::path::Path,
        extra: Duration,
        mut make: impl FnMut() -> F,
    ) -> Result<T, Refusal>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let (bounds, mut attempt) = (self.bounds(), 1);
        let limit = bounds.request.saturating_add(extra);
        // One that did not answer a moment ago gets one chance, not all of them, each time.
        let attempts = if self.is_away() { 1 } else { bounds.attempts.max(1) };
        let mut pause = bounds.pause;
        let (why, is_final) = loop {
            let (why, is_final) = match timeout(limit, make()).await {
                Ok(Ok(answer)) => {
                    self.is_back();
                    return Ok(answer);
                }
                Ok(Err(Error::NotFound { .. })) => {
                    self.is_back();
                    return Err(Refusal::Absent);
                }
                Ok(Err(Error::AlreadyExists { .. } | Error::Precondition { .. })) => {
                    self.is_back();
                    return Err(Refusal::Exists);
                }
                Ok(Err(error)) => (words(&error), is_final(&error)),
                Err(_) => (format!("no answer within {} ms", limit.as_millis()), false),
            };
            if is_final || attempt >= attempts {
                break (why, is_final);
            }
            tracing::debug!(place = self.name(), %name, attempt, "could not {what}: {why}");
            sleep(pause).await;
            (attempt, pause) = (attempt + 1, pause.saturating_mul(2));
        };
        // A full disk refuses writing and answers everything else.
        if !is_final {
            self.goes_away();
        }
        let (place, name) = (self.shared_name(), name.to_string());
        Err(Refusal::Failed(PlaceError { place, what, name, why, attempts: attempt }))
    }
}

/// An error with those that led to it: the outermost one alone often says little.
pub(super) fn words(error: &Error) -> String {
    let (mut text, mut next) = (error.to_string(), error.source());
    while let Some(cause) = next {
        let words = cause.to_string();
        if !text.contains(&words) {
            text = format!("{text}: {words}");
        }
        next = cause.source();
    }
    text
}

/// Whether asking again is of no use.
fn is_final(error: &Error) -> bool {
    let mut next = error.source();
    while let Some(cause) = next {
        if let Some(error) = cause.downcast_ref::<io::Error>() {
            return matches!(
                error.kind(),
                io::ErrorKind::StorageFull
                    | io::ErrorKind::QuotaExceeded
                    | io::ErrorKind::FileTooLarge
                    | io::ErrorKind::ReadOnlyFilesystem
                    | io::ErrorKind::PermissionDenied
            );
        }
        next = cause.source();
    }
    matches!(
        error,
        Error::PermissionDenied { .. }
            | Error::Unauthenticated { .. }
            | Error::NotSupported { .. }
            | Error::NotImplemented { .. }
            | Error::InvalidPath { .. }
    )
}
