//! Why a request is not answered with what was asked for.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use thiserror::Error;

use crate::client::{CallerError, QuestionError};
use crate::types::OwnerId;

/// Seconds after which it is of use to ask again what cannot be done now.
const RETRY_S: &str = "5";

/// A request that fails. The text says what is wrong where; the limit is told beside it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Failure {
    /// No such path.
    #[error("path: nothing is here; /openapi.json says what is")]
    Path,
    /// The path is there, the method is not.
    #[error("method: {method} is not among what this path answers")]
    Method {
        /// The method.
        method: String,
    },
    /// The line asks nothing.
    #[error("line.{0}")]
    Line(#[from] QuestionError),
    /// Something else of the request is not what belongs there.
    #[error("{at}: {why}")]
    Request {
        /// Where.
        at: &'static str,
        /// What is wrong.
        why: String,
    },
    /// Nobody signed the call.
    #[error("authorization: this is answered to a signed call only")]
    Unsigned,
    /// The call's signature does not hold.
    #[error(transparent)]
    Call(#[from] CallerError),
    /// It is not for the caller.
    #[error("authorization.key: {by} is neither the owner nor a reader with a grant")]
    Denied {
        /// Who calls.
        by: OwnerId,
    },
    /// Longer than what is taken.
    #[error("{at}: more than {bytes_max} bytes")]
    Long {
        /// What.
        at: &'static str,
        /// Bytes that are taken.
        bytes_max: u64,
    },
    /// It cannot be done as things stand now.
    #[error("{at}: {why}")]
    Conflict {
        /// What stands in the way.
        at: &'static str,
        /// How.
        why: String,
        /// The limit, if that is it.
        limit: Option<u64>,
    },
    /// It is not there.
    #[error("{what} is not here")]
    Absent {
        /// What.
        what: String,
    },
    /// It took too long.
    #[error("time: no answer within {limit_ms} ms")]
    Late {
        /// Milliseconds that it may take.
        limit_ms: u64,
    },
    /// It comes too slowly.
    #[error("body: comes at less than {bytes_per_s_min} bytes a second, or nothing comes")]
    Slow {
        /// Bytes that a second must bring.
        bytes_per_s_min: u32,
    },
    /// It cannot be done now, and can be asked for again.
    #[error("{why}")]
    Busy {
        /// Why.
        why: String,
    },
    /// This institution does not offer it.
    #[error("{at}: {why}")]
    NotOffered {
        /// What.
        at: &'static str,
        /// Why.
        why: &'static str,
    },
    /// The institution's own fault.
    #[error("the institution fails: {why}")]
    Fault {
        /// What is wrong.
        why: String,
    },
}

impl Failure {
    /// The status that goes with it.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Path | Self::Absent { .. } | Self::Line(QuestionError::Path) => {
                StatusCode::NOT_FOUND
            }
            Self::Method { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::Line(_) | Self::Request { .. } => StatusCode::BAD_REQUEST,
            Self::Unsigned | Self::Call(_) => StatusCode::UNAUTHORIZED,
            Self::Denied { .. } => StatusCode::FORBIDDEN,
            Self::Long { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Conflict { .. } => StatusCode::CONFLICT,
            Self::Late { .. } | Self::Slow { .. } => StatusCode::REQUEST_TIMEOUT,
            Self::Busy { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::NotOffered { .. } => StatusCode::NOT_IMPLEMENTED,
            Self::Fault { .. } => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn limit(&self) -> Option<u64> {
        match self {
            Self::Long { bytes_max, .. } => Some(*bytes_max),
            Self::Conflict { limit, .. } => *limit,
            Self::Late { limit_ms } => Some(*limit_ms),
            Self::Slow { bytes_per_s_min } => Some(u64::from(*bytes_per_s_min)),
            _ => None,
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = self.status();
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            tracing::error!(error = %self, "a request failed");
        }
        let mut body = json!({ "error": self.to_string() });
        if let Some(limit) = self.limit() {
            body["limit"] = limit.into();
        }
        let mut response = (status, axum::Json(body)).into_response();
        let fields = response.headers_mut();
        if status == StatusCode::UNAUTHORIZED {
            fields.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("MDSM"));
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            fields.insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_S));
        }
        if matches!(self, Self::Long { .. } | Self::Late { .. } | Self::Slow { .. }) {
            // What is left of the request is not read.
            fields.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}
