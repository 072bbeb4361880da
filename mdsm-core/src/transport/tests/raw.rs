//! Another side that can say anything: seals frames by itself, with its own counting.

use snow::StatelessTransportState;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use super::super::error::LinkEnd;
use super::super::handshake::{Side, dial};
use super::{CHAIN, secret};

pub(super) struct Raw<S> {
    pub(super) stream: S,
    noise: StatelessTransportState,
    sent: u64,
    received: u64,
}

impl Raw<TcpStream> {
    /// Dials as this institution.
    pub(super) async fn dial(address: &str, me: usize) -> Result<Self, LinkEnd> {
        let stream = TcpStream::connect(address).await.unwrap();
        Self::greet(stream, me).await
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Raw<S> {
    pub(super) async fn greet(mut stream: S, me: usize) -> Result<Self, LinkEnd> {
        let secret = secret(me);
        let side = Side { secret: &secret, chain: CHAIN };
        let noise = dial(&mut stream, side, |_| Ok(())).await?;
        Ok(Self::new(stream, noise))
    }

    pub(super) fn new(stream: S, noise: StatelessTransportState) -> Self {
        Self { stream, noise, sent: 0, received: 0 }
    }

    /// A frame with its length.
    pub(super) fn seal(&mut self, plain: &[u8]) -> Vec<u8> {
        let mut frame = vec![0; 2 + plain.len() + 16];
        let bytes = self.noise.write_message(self.sent, plain, &mut frame[2..]).unwrap();
        self.sent += 1;
        frame[..2].copy_from_slice(&u16::try_from(bytes).unwrap().to_le_bytes());
        frame
    }

    /// Writes as far as the other side takes it.
    pub(super) async fn write(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes).await;
    }

    /// Sends a message that fits into one frame.
    pub(super) async fn send(&mut self, message: &[u8]) {
        let mut plain = vec![1];
        plain.extend_from_slice(&u32::try_from(message.len()).unwrap().to_le_bytes());
        plain.extend_from_slice(message);
        let frame = self.seal(&plain);
        self.write(&frame).await;
    }

    /// What the next frame says, or `None` when the other side has closed.
    pub(super) async fn receive(&mut self) -> Option<Vec<u8>> {
        let length = self.stream.read_u16_le().await.ok()?;
        let mut sealed = vec![0; usize::from(length)];
        self.stream.read_exact(&mut sealed).await.ok()?;
        let mut plain = vec![0; sealed.len()];
        let bytes = self.noise.read_message(self.received, &sealed, &mut plain).unwrap();
        self.received += 1;
        plain.truncate(bytes);
        Some(plain)
    }

    /// Reads until the other side closes.
    pub(super) async fn closed(&mut self) {
        while self.receive().await.is_some() {}
    }
}
