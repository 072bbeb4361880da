//! What the interface asks of the institution behind it, and files on their way.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use http_body_util::BodyExt as _;
use hyper::body::Frame;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::bounds::Bounds;
use super::failure::Failure;
use crate::client::Question;
use crate::ledger::{Envelope, Service};
use crate::node::ServiceState;
use crate::types::{
    ChainId, Digest, Height, InstitutionId, OwnerId, RecordId, Signature, Timestamp,
};

/// An institution, as far as it answers others. Whoever calls was checked by then.
pub trait Institution: Send + Sync + 'static {
    /// Which it is.
    fn me(&self) -> InstitutionId;

    /// The network.
    fn chain(&self) -> ChainId;

    /// Its clock.
    fn now(&self) -> Timestamp;

    /// Its signature.
    fn sign(&self, message: &[u8]) -> Signature;

    /// The highest height that can be proven: what a question without a height is about.
    fn head(&self) -> impl Future<Output = Result<Height, Failure>> + Send;

    /// The answer to a question of `by`, as JSON with its proofs.
    fn answer(
        &self,
        question: Question,
        by: Option<OwnerId>,
    ) -> impl Future<Output = Result<Vec<u8>, Failure>> + Send;

    /// Takes the request of an owner to book records.
    fn request(&self, owner: OwnerId) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Takes a record; returns when it is on the disk.
    fn submit(&self, envelope: Envelope) -> impl Future<Output = Result<RecordId, Failure>> + Send;

    /// Takes a receipt of service, if the chain bears it out, and says how it stands.
    fn report(
        &self,
        service: Service,
    ) -> impl Future<Output = Result<ServiceState, Failure>> + Send;

    /// Stores a sealed file for somebody; returns when it is stored and its digest was compared.
    fn put_object(
        &self,
        digest: Digest,
        by: OwnerId,
        file: Upload,
    ) -> impl Future<Output = Result<(), Failure>> + Send;

    /// A sealed file.
    fn object(&self, digest: Digest) -> impl Future<Output = Result<Download, Failure>> + Send;

    /// Headers of Bitcoin, 80 bytes each, from its genesis block on.
    fn headers(&self) -> impl Future<Output = Result<Bytes, Failure>> + Send;

    /// Numbers for an operator, in Prometheus' text format.
    fn metrics(&self) -> String;
}

/// A file that somebody sends, piece by piece.
#[derive(Debug)]
pub struct Upload {
    body: Body,
    bounds: Bounds,
    bytes: u64,
    /// How long it was waited for.
    waited: Duration,
}

impl Upload {
    pub(super) fn new(body: Body, bounds: Bounds) -> Self {
        Self { body, bounds, bytes: 0, waited: Duration::ZERO }
    }

    /// The next piece; nothing behind the last one. It has to come in its time, and all of them at some speed: places
    /// are few, and who sends a byte now and then would hold one for long.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        let Bounds { object_bytes_max, piece_time, upload_speed_min, .. } = self.bounds;
        loop {
            let earned = Duration::from_secs(self.bytes / u64::from(upload_speed_min.max(1)));
            let left = (piece_time + earned).saturating_sub(self.waited).min(piece_time);
            let begun = Instant::now();
            let frame = tokio::time::timeout(left, self.body.frame()).await;
            self.waited += begun.elapsed();
            let slow = |_| Failure::Slow { bytes_per_s_min: upload_speed_min };
            let Some(frame) = frame.map_err(slow)? else { return Ok(None) };
            let frame =
                frame.map_err(|error| Failure::Request { at: "body", why: error.to_string() })?;
            // Trailers say nothing that is asked for.
            let Ok(piece) = frame.into_data() else { continue };
            self.bytes = self.bytes.saturating_add(piece.len().try_into().unwrap_or(u64::MAX));
            if self.bytes > object_bytes_max {
                return Err(Failure::Long { at: "body", bytes_max: object_bytes_max });
            }
            return Ok(Some(piece));
        }
    }
}

/// A file on its way to somebody. An error among the pieces breaks the connection off, so that a part is never
/// taken for the whole.
#[derive(Debug)]
pub struct Download {
    /// Bytes of all of it.
    pub bytes: u64,
    /// The pieces.
    pub pieces: mpsc::Receiver<Result<Bytes, std::io::Error>>,
}

impl hyper::body::Body for Download {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        self.pieces.poll_recv(context).map(|piece| piece.map(|piece| piece.map(Frame::data)))
    }
}
