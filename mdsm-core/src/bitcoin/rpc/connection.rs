//! One request and its answer over HTTP/1.1.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{Request, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use thiserror::Error;

use super::error::RpcError;

/// Milliseconds for one answer.
pub const ANSWER_MS_MAX: u64 = 5_000;
/// Bytes of one answer: two hex digits a byte for a block of four million, and twice as much.
pub const ANSWER_BYTES_MAX: usize = 16 * 1_024 * 1_024;

/// Where a node listens, and how it is told who asks.
#[derive(Clone)]
pub struct Endpoint {
    address: String,
    path: String,
    credentials: Credentials,
}

#[derive(Clone)]
enum Credentials {
    None,
    /// `user:password`, in base64.
    Basic(String),
    /// A file that holds `user:password`; Bitcoin Core writes a new one at each start.
    Cookie(PathBuf),
}

/// An address that is not one.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EndpointError {
    /// Not HTTP; what is beyond one machine is reached through a tunnel.
    #[error("the address of a Bitcoin node begins with http://")]
    Scheme,
    /// No host, or no port.
    #[error("{address:?} is not host:port")]
    Address {
        /// What stands there, without user and password.
        address: String,
    },
    /// A percent sign without two hex digits behind it.
    #[error("user or password: a percent sign stands before two hex digits")]
    Escape,
}

impl Endpoint {
    /// Reads `http://[user:password@]host:port[/path]`; user and password may be percent-encoded.
    pub fn new(url: &str) -> Result<Self, EndpointError> {
        let rest = url.strip_prefix("http://").ok_or(EndpointError::Scheme)?;
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (login, address) = match authority.rsplit_once('@') {
            Some((login, address)) => (Some(login), address),
            None => (None, authority),
        };
        let port = address.rsplit_once(':').filter(|(host, _)| !host.is_empty());
        if port.is_none_or(|(_, port)| port.parse::<u16>().is_err()) {
            return Err(EndpointError::Address { address: address.to_owned() });
        }
        let credentials = match login {
            Some(login) => Credentials::Basic(STANDARD.encode(unescaped(login)?)),
            None => Credentials::None,
        };
        let path = if path.is_empty() { "/" } else { path }.to_owned();
        Ok(Self { address: address.to_owned(), path, credentials })
    }

    /// The same with user and password from a file, Bitcoin Core's `.cookie`, read for each request.
    #[must_use]
    pub fn with_cookie(self, file: PathBuf) -> Self {
        Self { credentials: Credentials::Cookie(file), ..self }
    }

    fn authorization(&self, method: &'static str) -> Result<Option<String>, RpcError> {
        match &self.credentials {
            Credentials::None => Ok(None),
            Credentials::Basic(encoded) => Ok(Some(format!("Basic {encoded}"))),
            Credentials::Cookie(file) => {
                let cookie = std::fs::read_to_string(file).map_err(|error| RpcError::Cookie {
                    method,
                    file: file.display().to_string(),
                    message: error.to_string(),
                })?;
                Ok(Some(format!("Basic {}", STANDARD.encode(cookie.trim()))))
            }
        }
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}{}", self.address, self.path)
    }
}

fn unescaped(text: &str) -> Result<Vec<u8>, EndpointError> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
            let pair = digit(rest.next()).zip(digit(rest.next()));
            let (high, low) = pair.ok_or(EndpointError::Escape)?;
            bytes.push(u8::try_from(high * 16 + low).map_err(|_| EndpointError::Escape)?);
        } else {
            bytes.push(byte);
        }
    }
    Ok(bytes)
}

/// Connections to one node; a copy shares them.
#[derive(Clone, Debug)]
pub(super) struct Connection {
    endpoint: Endpoint,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl Connection {
    pub(super) fn new(endpoint: Endpoint) -> Self {
        let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(1).build_http();
        Self { endpoint, client }
    }

    /// Sends a body and gives the answer's, whatever its status, with the status.
    pub(super) async fn post(
        &self,
        method: &'static str,
        body: Bytes,
    ) -> Result<(StatusCode, Bytes), RpcError> {
        let first = self.try_post(method, body.clone()).await;
        match first {
            // It may have been a connection that the node closed while nobody used it.
            Err(RpcError::Unreachable { .. }) => self.try_post(method, body).await,
            other => other,
        }
    }

    async fn try_post(
        &self,
        method: &'static str,
        body: Bytes,
    ) -> Result<(StatusCode, Bytes), RpcError> {
        let wait = Duration::from_millis(ANSWER_MS_MAX);
        let answer = tokio::time::timeout(wait, self.exchange(method, body)).await;
        answer.map_err(|_| RpcError::Timeout { method, waited_ms: ANSWER_MS_MAX })?
    }

    async fn exchange(
        &self,
        method: &'static str,
        body: Bytes,
    ) -> Result<(StatusCode, Bytes), RpcError> {
        let Endpoint { address, path, .. } = &self.endpoint;
        let unreachable = |message: String| RpcError::Unreachable { method, message };
        let mut request = Request::post(format!("http://{address}{path}"))
            .header(header::CONTENT_TYPE, "application/json");
        if let Some(value) = self.endpoint.authorization(method)? {
            request = request.header(header::AUTHORIZATION, value);
        }
        let request =
            request.body(Full::new(body)).map_err(|error| unreachable(error.to_string()))?;
        let answer =
            self.client.request(request).await.map_err(|error| unreachable(reason(&error)))?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect().await;
        let body = body.map_err(|error| {
            if error.is::<LengthLimitError>() {
                RpcError::TooLarge { method, bytes_max: ANSWER_BYTES_MAX }
            } else {
                unreachable(error.to_string())
            }
        })?;
        Ok((status, body.to_bytes()))
    }
}

/// The last link of a chain of errors says what happened.
fn reason(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
