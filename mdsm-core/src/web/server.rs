//! Connections: how many, how long, and how they end.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::{JoinError, JoinHandle, JoinSet};
use tokio_io_timeout::TimeoutStream;

use super::bounds::Bounds;
use super::institution::Institution;
use super::routes::router;

/// Pause after the system has refused a connection, which it does when it has no room for more.
const REFUSED_PAUSE: Duration = Duration::from_millis(100);

/// An interface that is offered. Dropping it ends all connections at once.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stopping: watch::Sender<bool>,
    task: JoinHandle<()>,
    panics: Arc<AtomicU64>,
}

/// Offers the interface of an institution on a listener.
pub fn serve<I: Institution>(
    listener: TcpListener,
    institution: Arc<I>,
    bounds: Bounds,
) -> io::Result<Server> {
    let address = listener.local_addr()?;
    let (stopping, stopped) = watch::channel(false);
    let panics = Arc::new(AtomicU64::new(0));
    let router = router(institution, bounds);
    let task = tokio::spawn(accept(listener, router, bounds, stopped, panics.clone()));
    Ok(Server { address, stopping, task, panics })
}

impl Server {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Requests that ended in a panic: faults of this program.
    #[must_use]
    pub fn panics(&self) -> u64 {
        self.panics.load(Ordering::Relaxed)
    }

    /// Accepts nobody any more, lets requests under way end in their time, and returns when all connections are
    /// closed.
    pub async fn stop(mut self) {
        self.stopping.send_replace(true);
        // It ends by itself, or with its runtime.
        let _ = (&mut self.task).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(
    listener: TcpListener,
    router: Router,
    bounds: Bounds,
    stopped: watch::Receiver<bool>,
    panics: Arc<AtomicU64>,
) {
    let mut stop = stopped.clone();
    let room = Arc::new(Semaphore::new(bounds.connections_max));
    let mut connections = JoinSet::new();
    let count = |ended: Result<(), JoinError>| {
        if ended.is_err_and(|error| error.is_panic()) {
            panics.fetch_add(1, Ordering::Relaxed);
            tracing::error!("a request ended in a panic");
        }
    };
    loop {
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => break,
            Some(ended) = connections.join_next() => count(ended),
            accepted = next(&listener, &room) => match accepted {
                Ok((stream, permit)) => {
                    let (router, stopped) = (router.clone(), stopped.clone());
                    connections.spawn(async move {
                        connection(stream, router, bounds, stopped).await;
                        drop(permit);
                    });
                }
                Err(error) => tracing::warn!(%error, "a connection was refused"),
            },
        }
    }
    drop(listener);
    let ending = async {
        while let Some(ended) = connections.join_next().await {
            count(ended);
        }
    };
    if tokio::time::timeout(bounds.stop_time, ending).await.is_err() {
        connections.shutdown().await;
    }
}

/// The next connection, once there is room for one.
async fn next(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let permit = room.clone().acquire_owned().await.map_err(io::Error::other)?;
    match listener.accept().await {
        Ok((stream, _)) => {
            stream.set_nodelay(true)?;
            Ok((stream, permit))
        }
        Err(error) => {
            tokio::time::sleep(REFUSED_PAUSE).await;
            Err(error)
        }
    }
}

/// Answers on one connection until it ends, its time is over, or the server stops.
pub(super) async fn connection<S>(
    stream: S,
    router: Router,
    bounds: Bounds,
    mut stopped: watch::Receiver<bool>,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.head_time)
        .max_buf_size(bounds.head_bytes_max)
        .max_headers(bounds.fields_max);
    let service = TowerToHyperService::new(router);
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(bounds.piece_time));
    let mut served = pin!(builder.serve_connection(TokioIo::new(Box::pin(stream)), service));
    let mut over = pin!(tokio::time::sleep(bounds.connection_time));
    let mut is_stopping = false;
    loop {
        tokio::select! {
            ended = served.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "a connection ended");
                }
                return;
            }
            () = over.as_mut() => return,
            _ = stopped.wait_for(|stop| *stop), if !is_stopping => {
                is_stopping = true;
                served.as_mut().graceful_shutdown();
            }
        }
    }
}
