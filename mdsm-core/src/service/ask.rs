//! Asks full clients over HTTP: signed calls, bounded answers, bounded time. [CLI-1]

use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use thiserror::Error;

use crate::client::{Caller, Speaker};
use crate::crypto::sign::SigningKey;
use crate::environment::Clock;
use crate::types::{ChainId, Digest, InstitutionId};

/// Milliseconds for an answer.
const ANSWER_MS_MAX: u64 = 20_000;
/// Milliseconds in which a file has come or gone.
const FILE_MS_MAX: u64 = 600_000;
/// Bytes of an answer: a page of records, each with a proof of 20 hashes, in a block of its own with a certificate
/// of 20 auditors, in hex.
const ANSWER_BYTES_MAX: usize = 16 * 1_024 * 1_024;
/// Bytes of Bitcoin's headers: those of 30 years.
const HEADERS_BYTES_MAX: usize = 128 * 1_024 * 1_024;
/// Characters of a full client's own words that are repeated.
const WORDS_MAX: usize = 300;

/// Bytes and time of an answer, at most.
#[derive(Clone, Copy)]
struct Most {
    bytes: usize,
    ms: u64,
}

const ANSWER: Most = Most { bytes: ANSWER_BYTES_MAX, ms: ANSWER_MS_MAX };

/// Asks in the network of one genesis. Cheap to clone; connections are shared.
#[derive(Clone, Debug)]
pub struct Asker {
    chain: ChainId,
    client: Client<HttpConnector, Full<Bytes>>,
}

/// An answer, and who is said to have given it. Whether that holds, whoever knows the keys checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// By the fields of the answer.
    pub by: Speaker,
    /// The answer.
    pub body: Bytes,
}

/// No answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AskError {
    /// Nobody is there.
    #[error("{web}: cannot be reached: {why}")]
    Unreachable {
        /// Whom.
        web: String,
        /// Why.
        why: String,
    },
    /// It took too long.
    #[error("{web}: no answer within {limit_ms} ms")]
    Late {
        /// Whom.
        web: String,
        /// Milliseconds that were waited.
        limit_ms: u64,
    },
    /// It is longer than any answer.
    #[error("{web}: the answer has more than {bytes_max} bytes")]
    Long {
        /// Whom.
        web: String,
        /// Bytes of an answer, at most.
        bytes_max: usize,
    },
    /// The full client does not answer, and says why.
    #[error("{web}: {status}: {why}")]
    Declined {
        /// Whom.
        web: String,
        /// The status.
        status: u16,
        /// In its words.
        why: String,
    },
    /// Nobody has signed the answer.
    #[error("{web}: the answer is not signed")]
    Unsigned {
        /// Whom.
        web: String,
    },
}

impl Asker {
    /// Asks in a network.
    #[must_use]
    pub fn new(chain: ChainId) -> Self {
        Self { chain, client: Client::builder(TokioExecutor::new()).build_http() }
    }

    /// Asks one full client, by its address; `key` signs the call.
    pub async fn get(
        &self,
        web: &str,
        line: &str,
        key: Option<&SigningKey>,
    ) -> Result<Told, AskError> {
        self.asked(web, line, key.map(|key| self.call(&Method::GET, line, key))).await
    }

    /// The same with a call that is signed already.
    pub(super) async fn asked(
        &self,
        web: &str,
        line: &str,
        call: Option<String>,
    ) -> Result<Told, AskError> {
        let none = Bytes::new();
        let (fields, body) = self.exchange(Method::GET, web, line, call, none, ANSWER).await?;
        told(web, &fields, body)
    }

    /// Signs a call of this moment.
    pub(super) fn call(&self, method: &Method, line: &str, key: &SigningKey) -> String {
        Caller::sign(&self.chain, method.as_str(), line, Clock::new().now(), key).to_string()
    }

    /// Sends something to one full client.
    pub async fn post(
        &self,
        web: &str,
        line: &str,
        key: Option<&SigningKey>,
        body: impl Into<Bytes>,
    ) -> Result<Told, AskError> {
        let call = key.map(|key| self.call(&Method::POST, line, key));
        let (fields, body) =
            self.exchange(Method::POST, web, line, call, body.into(), ANSWER).await?;
        told(web, &fields, body)
    }

    /// Stores a sealed file at one full client; `key` signs the call.
    pub async fn put(
        &self,
        web: &str,
        digest: &Digest,
        key: &SigningKey,
        body: impl Into<Bytes>,
    ) -> Result<Told, AskError> {
        let line = object_line(digest);
        let call = Some(self.call(&Method::PUT, &line, key));
        let most = Most { ms: FILE_MS_MAX, ..ANSWER };
        let (fields, body) =
            self.exchange(Method::PUT, web, &line, call, body.into(), most).await?;
        told(web, &fields, body)
    }

    /// Headers of Bitcoin as one full client has them. They prove themselves.
    pub async fn headers(&self, web: &str) -> Result<Bytes, AskError> {
        let (line, none) = ("/v1/headers", Bytes::new());
        let most = Most { bytes: HEADERS_BYTES_MAX, ..ANSWER };
        Ok(self.exchange(Method::GET, web, line, None, none, most).await?.1)
    }

    /// Numbers of one full client for its operator, as text.
    pub async fn metrics(&self, web: &str) -> Result<String, AskError> {
        let (line, none) = ("/metrics", Bytes::new());
        let text = self.exchange(Method::GET, web, line, None, none, ANSWER).await?.1;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    /// A sealed file of one full client, if it has at most `bytes_max` bytes. Its digest proves it.
    pub async fn object(
        &self,
        web: &str,
        digest: &Digest,
        bytes_max: usize,
    ) -> Result<Bytes, AskError> {
        let (line, none) = (object_line(digest), Bytes::new());
        let most = Most { bytes: bytes_max, ms: FILE_MS_MAX };
        Ok(self.exchange(Method::GET, web, &line, None, none, most).await?.1)
    }

    async fn exchange(
        &self,
        method: Method,
        web: &str,
        line: &str,
        call: Option<String>,
        body: Bytes,
        Most { bytes: bytes_max, ms: limit_ms }: Most,
    ) -> Result<(HeaderMap, Bytes), AskError> {
        let unreachable = |why: String| AskError::Unreachable { web: web.to_owned(), why };
        let address = format!("{}{line}", web.trim_end_matches('/'));
        let request = Request::builder().method(method).uri(address);
        let request =
            call.into_iter().fold(request, |it, call| it.header(header::AUTHORIZATION, call));
        let request =
            request.body(Full::new(body)).map_err(|error| unreachable(error.to_string()))?;
        let exchange = async {
            let answer = self.client.request(request).await;
            let answer = answer.map_err(|error| unreachable(last_reason(&error)))?;
            let (parts, body) = answer.into_parts();
            let body = Limited::new(body, bytes_max).collect().await.map_err(|error| {
                if error.is::<LengthLimitError>() {
                    return AskError::Long { web: web.to_owned(), bytes_max };
                }
                unreachable(last_reason(&*error))
            })?;
            Ok((parts.status, parts.headers, body.to_bytes()))
        };
        let wait = Duration::from_millis(limit_ms);
        let late = |_| AskError::Late { web: web.to_owned(), limit_ms };
        let (status, fields, body) = tokio::time::timeout(wait, exchange).await.map_err(late)??;
        if !status.is_success() {
            let (status, why) = (status.as_u16(), words(status, &body));
            return Err(AskError::Declined { web: web.to_owned(), status, why });
        }
        Ok((fields, body))
    }
}

/// Where a sealed file lies, and its line as it is signed.
pub(super) fn object_line(digest: &Digest) -> String {
    format!("/v1/objects/{digest}")
}

fn told(web: &str, fields: &HeaderMap, body: Bytes) -> Result<Told, AskError> {
    let field = |name: &str| fields.get(name).and_then(|value| value.to_str().ok());
    let institution = field("mdsm-institution").and_then(|id| id.parse().ok());
    let signature = field("mdsm-signature").and_then(|digits| digits.parse().ok());
    let signed = institution.zip(signature);
    let (institution, signature) = signed.ok_or(AskError::Unsigned { web: web.to_owned() })?;
    Ok(Told { by: Speaker { institution: InstitutionId::new(institution), signature }, body })
}

/// What a full client says of its own refusal, made harmless for a terminal.
fn words(status: StatusCode, body: &[u8]) -> String {
    let value: Option<Value> = serde_json::from_slice(body).ok();
    let words = value.as_ref().and_then(|value| value["error"].as_str());
    let words = words.or(status.canonical_reason()).unwrap_or("no reason is given");
    words.chars().filter(|it| !it.is_control()).take(WORDS_MAX).collect()
}

/// The last of a chain of errors says what happened.
fn last_reason(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
