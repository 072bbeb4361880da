//! One function for each kind of request.

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde_json::json;

use super::call::{caller, signed};
use super::failure::Failure;
use super::institution::{Institution, Upload};
use super::routes::{OPENAPI, Shared};
use crate::client::Question;
use crate::codec::Wire as _;
use crate::ledger::{Envelope, Service};
use crate::node::ServiceState;
use crate::types::{Digest, OwnerId};

type Answered = Result<Response, Failure>;

/// Path and query, as they came and as they are signed.
fn line(uri: &Uri) -> &str {
    uri.path_and_query().map_or("/", |line| line.as_str())
}

/// Who must have signed this call.
fn known_caller<I: Institution>(web: &Shared<I>, request: &Request) -> Result<OwnerId, Failure> {
    let (method, line) = (request.method(), line(request.uri()));
    caller(&*web.institution, method, line, request.headers())?.ok_or(Failure::Unsigned)
}

/// A question.
//= harness/spec/clients.md#cli-1-full-client
//# CLI-1.4 (ours): The interface of a full client MUST answer over HTTP in JSON, with a proof for every
//# record it names.
pub(super) async fn answer<I: Institution>(
    State(web): State<Shared<I>>,
    request: Request,
) -> Answered {
    let (institution, line) = (&web.institution, line(request.uri()));
    let by = caller(&**institution, request.method(), line, request.headers())?;
    // A head of any height tells questions from what is none, and whether they are public.
    let question = Question::from_line(line, crate::types::Height::new(0))?;
    if by.is_none() && !question.is_public() {
        return Err(Failure::Unsigned);
    }
    let question = Question::from_line(line, institution.head().await?)?;
    let body = institution.answer(question, by).await?;
    Ok(signed(&**institution, line, StatusCode::OK, body))
}

/// Somebody asks for the booking of own records.
//= harness/spec/consensus.md#con-1-request-and-acceptance
//# CON-1.1 (paper): A user MUST be able to ask for the booking of a record by presenting its public key.
pub(super) async fn request<I: Institution>(
    State(web): State<Shared<I>>,
    request: Request,
) -> Answered {
    let owner = known_caller(&web, &request)?;
    let (parts, body) = request.into_parts();
    // The call is all there is to say.
    read(&parts.headers, body, 0).await?;
    web.institution.request(owner).await?;
    let told = json!({ "owner": owner }).to_string().into_bytes();
    Ok(signed(&*web.institution, line(&parts.uri), StatusCode::ACCEPTED, told))
}

/// A record in its envelope, which its owner has signed: that is who sends it.
//= harness/spec/clients.md#cli-1-full-client
//# CLI-1.3 (paper): A hospital MUST be able to declare a patient's record to the producers with a full
//# client at the end of a visit.
pub(super) async fn submit<I: Institution>(
    State(web): State<Shared<I>>,
    request: Request,
) -> Answered {
    let (parts, body) = request.into_parts();
    let bytes_max = web.bounds.record_bytes_max.try_into().unwrap_or(u64::MAX);
    let bytes = read(&parts.headers, body, bytes_max).await?;
    let envelope = Envelope::from_bytes(&bytes)
        .map_err(|error| Failure::Request { at: "body", why: error.to_string() })?;
    let record = web.institution.submit(envelope).await?;
    let told = json!({ "record": record }).to_string().into_bytes();
    Ok(signed(&*web.institution, line(&parts.uri), StatusCode::ACCEPTED, told))
}

/// A receipt of service, which its client has signed: that is who sends it.
pub(super) async fn report<I: Institution>(
    State(web): State<Shared<I>>,
    request: Request,
) -> Answered {
    let (parts, body) = request.into_parts();
    let bytes = read(&parts.headers, body, SERVICE_BYTES).await?;
    let service = Service::from_bytes(&bytes)
        .map_err(|error| Failure::Request { at: "body", why: error.to_string() })?;
    let is_booked = web.institution.report(service).await? == ServiceState::Booked;
    let Service { grant, epoch, .. } = service;
    let told = json!({ "grant": grant, "epoch": epoch, "booked": is_booked });
    let status = if is_booked { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok(signed(&*web.institution, line(&parts.uri), status, told.to_string().into_bytes()))
}

/// A sealed file of somebody, so that a flood of files has a name.
pub(super) async fn put_object<I: Institution>(
    State(web): State<Shared<I>>,
    request: Request,
) -> Answered {
    let by = known_caller(&web, &request)?;
    let digest = digest(request.uri())?;
    let (parts, body) = request.into_parts();
    check_length(&parts.headers, web.bounds.object_bytes_max)?;
    web.institution.put_object(digest, by, Upload::new(body, web.bounds)).await?;
    let told = json!({ "object": digest }).to_string().into_bytes();
    Ok(signed(&*web.institution, line(&parts.uri), StatusCode::CREATED, told))
}

/// A sealed file; without its keys it is noise to anybody.
pub(super) async fn object<I: Institution>(
    State(web): State<Shared<I>>,
    request: Request,
) -> Answered {
    let file = web.institution.object(digest(request.uri())?).await?;
    let bytes = file.bytes;
    let mut response = Response::new(Body::new(file));
    let fields = response.headers_mut();
    fields.insert(header::CONTENT_TYPE, OCTETS);
    fields.insert(header::CONTENT_LENGTH, bytes.into());
    Ok(response)
}

/// Headers of Bitcoin; they prove themselves.
pub(super) async fn headers<I: Institution>(State(web): State<Shared<I>>) -> Answered {
    let headers = web.institution.headers().await?;
    Ok(([(header::CONTENT_TYPE, OCTETS)], headers).into_response())
}

/// Numbers for an operator.
pub(super) async fn metrics<I: Institution>(State(web): State<Shared<I>>) -> Response {
    const TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, TYPE)], web.institution.metrics()).into_response()
}

/// The description of all this.
pub(super) async fn description() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], OPENAPI).into_response()
}

/// Bytes of a receipt of service: tag, grant, epoch, institution, kind, client, signature.
const SERVICE_BYTES: u64 = 5 + 32 + 4 + 4 + 1 + 32 + 64;

const OCTETS: HeaderValue = HeaderValue::from_static("application/octet-stream");

/// The last step of a path, without decoding anything: digits are digits.
fn digest(uri: &Uri) -> Result<Digest, Failure> {
    let last = uri.path().rsplit('/').next().unwrap_or_default();
    let wrong = |error: crate::types::HexError| Failure::Request {
        at: "line.digest",
        why: error.to_string(),
    };
    last.parse().map_err(wrong)
}

/// Refuses before anything is read what says that it is too long.
fn check_length(fields: &HeaderMap, bytes_max: u64) -> Result<(), Failure> {
    let length = fields.get(header::CONTENT_LENGTH).and_then(|it| it.to_str().ok());
    let length: Option<u64> = length.and_then(|length| length.parse().ok());
    let is_long = length.is_some_and(|length| length > bytes_max);
    if is_long { Err(Failure::Long { at: "body", bytes_max }) } else { Ok(()) }
}

async fn read(fields: &HeaderMap, body: Body, bytes_max: u64) -> Result<Bytes, Failure> {
    check_length(fields, bytes_max)?;
    let limit = bytes_max.try_into().unwrap_or(usize::MAX);
    let read = Limited::new(body, limit).collect().await;
    let failed = |error: Box<dyn std::error::Error + Send + Sync>| {
        if error.is::<LengthLimitError>() {
            return Failure::Long { at: "body", bytes_max };
        }
        Failure::Request { at: "body", why: error.to_string() }
    };
    Ok(read.map_err(failed)?.to_bytes())
}
