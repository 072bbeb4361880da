//! Three messages after which both sides know each other's key.

use snow::{Builder, HandshakeState, StatelessTransportState};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::error::LinkEnd;
use super::frame::ended;
use super::key::LinkSecret;
use crate::types::{ChainId, LinkPublic};

const PATTERN: &str = "Noise_XX_25519_ChaChaPoly_BLAKE2s";
const TAG: &[u8; 11] = b"MDSM link 1";
/// Bytes of the three messages: e; e, s, tag, tag; s, tag, tag.
const BYTES: [usize; 3] = [32, 96, 64];

/// What a side brings.
#[derive(Clone, Copy, Debug)]
pub(super) struct Side<'a> {
    pub(super) secret: &'a LinkSecret,
    pub(super) chain: ChainId,
}

/// Dials: goes first, and shows who it is only after `check` has let the other side pass.
pub(super) async fn dial<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    side: Side<'_>,
    check: impl FnOnce(LinkPublic) -> Result<(), LinkEnd>,
) -> Result<StatelessTransportState, LinkEnd> {
    let mut noise = start(side, true)?;
    write(stream, &mut noise, 1).await?;
    read(stream, &mut noise, 2).await?;
    check(remote(&noise)?)?;
    write(stream, &mut noise, 3).await?;
    noise.into_stateless_transport_mode().map_err(|_| LinkEnd::Handshake { number: 3 })
}

/// Accepts: goes second, and learns from the third message who is there.
pub(super) async fn accept<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    side: Side<'_>,
) -> Result<(StatelessTransportState, LinkPublic), LinkEnd> {
    let mut noise = start(side, false)?;
    read(stream, &mut noise, 1).await?;
    write(stream, &mut noise, 2).await?;
    read(stream, &mut noise, 3).await?;
    let key = remote(&noise)?;
    let noise =
        noise.into_stateless_transport_mode().map_err(|_| LinkEnd::Handshake { number: 3 })?;
    Ok((noise, key))
}

fn start(side: Side<'_>, is_dialler: bool) -> Result<HandshakeState, LinkEnd> {
    let mut prologue = [0; TAG.len() + ChainId::BYTES];
    prologue[..TAG.len()].copy_from_slice(TAG);
    prologue[TAG.len()..].copy_from_slice(side.chain.as_bytes());
    let build = || {
        let builder = Builder::new(PATTERN.parse()?)
            .local_private_key(side.secret.bytes())?
            .prologue(&prologue)?;
        if is_dialler { builder.build_initiator() } else { builder.build_responder() }
    };
    // Only the randomness of the system can fail here.
    build().map_err(|_: snow::Error| LinkEnd::Handshake { number: 1 })
}

fn remote(noise: &HandshakeState) -> Result<LinkPublic, LinkEnd> {
    let key = noise.get_remote_static().and_then(|key| key.try_into().ok());
    key.map(LinkPublic::new).ok_or(LinkEnd::Handshake { number: 3 })
}

async fn write<S: AsyncWrite + Unpin>(
    stream: &mut S,
    noise: &mut HandshakeState,
    number: u8,
) -> Result<(), LinkEnd> {
    let mut frame = [0; 2 + 96];
    let bytes =
        noise.write_message(&[], &mut frame[2..]).map_err(|_| LinkEnd::Handshake { number })?;
    let length = u16::try_from(bytes).map_err(|_| LinkEnd::Handshake { number })?;
    frame[..2].copy_from_slice(&length.to_le_bytes());
    stream.write_all(&frame[..2 + bytes]).await.map_err(LinkEnd::io("write the handshake"))
}

async fn read<S: AsyncRead + Unpin>(
    stream: &mut S,
    noise: &mut HandshakeState,
    number: u8,
) -> Result<(), LinkEnd> {
    let bytes_expected = BYTES[usize::from(number) - 1];
    let mut length = [0; 2];
    stream.read_exact(&mut length).await.map_err(ended("read the handshake"))?;
    let bytes = usize::from(u16::from_le_bytes(length));
    if bytes != bytes_expected {
        return Err(LinkEnd::HandshakeLength { number, bytes, bytes_expected });
    }
    let mut message = [0; 96];
    let message = &mut message[..bytes];
    stream.read_exact(message).await.map_err(ended("read the handshake"))?;
    let payload =
        noise.read_message(message, &mut []).map_err(|_| LinkEnd::Handshake { number })?;
    if payload == 0 { Ok(()) } else { Err(LinkEnd::Handshake { number }) }
}
